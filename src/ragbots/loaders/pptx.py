"""Presentations: each slide's title, texts and tables in the order in which they are read; a slide is a page.

The speaker's notes are text of the document and follow their slide.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pptx
from lxml import etree
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.oxml.ns import qn

from ragbots.loaders.assembly import (
    Reading,
    document,
    excerpt,
    first_line_title,
    heading,
    omission,
    picture,
    picture_omission,
    table,
    text,
)
from ragbots.loaders.docx_numbering import number_text
from ragbots.loaders.grids import Cell, lay, lines_of_frame
from ragbots.loaders.packages import DAMAGED_INSIDE, check_package, facts, unreadable_package
from ragbots.loaders.probing import is_package
from ragbots.ports import Probe
from ragbots.text import clean, one_line
from ragbots.types import Document, Element, ElementKind, Omission

_KIND = ".pptx"
_DAMAGED: tuple[type[Exception], ...] = (*DAMAGED_INSIDE, PythonPptxError, NotImplementedError)
_RUNNING = frozenset({PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER})
_SAME_LINE = 40  # parts of a slide's height: shapes within one begin on the same line
_PICTURE_SHARE = 0.02  # of the slide's area: smaller pictures are logos
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_DIAGRAM_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_NUMBERS = {"arabic": "decimal", "circle": "decimalEnclosedCircle", "alphaLc": "lowerLetter", "alphaUc": "upperLetter"}
_NUMBERS |= {"romanLc": "lowerRoman", "romanUc": "upperRoman"}
_AROUND = {"Period": "{}. ", "ParenR": "{}) ", "ParenBoth": "({}) "}


class PptxLoader:
    """Reads .pptx files."""

    id = "pptx-1"

    def accepts(self, probe: Probe) -> bool:
        return is_package(probe, "ppt/")

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        check_package(data, source, _KIND)
        try:
            reading = _Reader(pptx.Presentation(io.BytesIO(data))).read()
        except _DAMAGED as error:
            raise unreadable_package(source, _KIND, f"damaged inside ({error})") from error
        return document(source, data, reading)


class _Reader:
    """Reads one presentation; holds what was found so far."""

    def __init__(self, show: Any) -> None:
        self._show = show
        self._size = (int(show.slide_width or 1), int(show.slide_height or 1))
        self._elements: list[Element] = []
        self._omissions: list[Omission] = []
        self._heading = ""  # of the slide before
        self._title = ""

    def read(self) -> Reading:
        slides = list(self._show.slides)
        for number, slide in enumerate(slides, start=1):
            if slide._element.get("show") in ("0", "false"):
                self._leave_out_hidden(slide, number)
            else:
                self._slide(slide, number)
        properties = self._show.core_properties
        own = clean(properties.title or "").strip()
        return Reading(
            elements=self._elements,
            title=self._title or ("" if own == "PowerPoint Presentation" else own),
            pages=len(slides),
            metadata=facts(properties.author, properties.subject, properties.keywords),
            omissions=self._omissions,
        )

    def _leave_out_hidden(self, slide: Any, number: int) -> None:
        words = _all_text(slide._element)
        what = f"hidden slide: {excerpt(words)}"
        self._omissions.append(omission(what, f"slide {number}", words, "hidden in the presentation", expected=True))

    def _slide(self, slide: Any, number: int) -> None:
        before = len(self._omissions)
        title = slide.shapes.title
        if title is not None and title.text_frame.text.strip():
            self._add_title(title, number)
        found = [one for shape in self._in_order(slide.shapes, title) for one in self._shape(shape, slide, number)]
        found += [text(line, number) for line in self._alternatives(slide)]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            found += [text(line, number) for line in _frame_lines(slide.notes_slide.notes_text_frame)]
        for element in found:
            self._add(element)
        self._report_comments(slide, number)
        if not found and title is None and len(self._omissions) == before:
            self._omissions.append(Omission("slide", f"slide {number}", 0, "blank", expected=True))

    def _add_title(self, title: Any, number: int) -> None:
        words = one_line(clean(title.text_frame.text))
        if words == self._heading:
            why = "the title of the slide before, which goes on"
            self._omissions.append(omission(f"title: {excerpt(words)}", f"slide {number}", words, why, expected=True))
            return
        self._heading = words
        made = heading(words, 2, number)
        if not self._elements and first_line_title([made]):
            self._title, made = words, replace(made, level=1)
        self._elements.append(made)

    def _add(self, element: Element) -> None:
        """Adds an element; a table that begins like the one just before it goes on over the slide's end."""
        last = self._elements[-1] if self._elements else None
        if last is not None and _continues(last, element):
            count = last.header_rows
            words = " ".join(cell for row in element.rows[:count] for cell in row)
            why = "the table's heading again on the next slide"
            where = f"slide {element.page}"
            self._omissions.append(omission(f"table heading: {excerpt(words)}", where, words, why, expected=True))
            self._elements[-1] = replace(last, rows=last.rows + element.rows[count:])
        else:
            self._elements.append(element)

    def _in_order(self, shapes: Any, title: Any | None) -> list[Any]:
        """Shapes from the top to the bottom, those on one line from left to right."""
        band = max(self._size[1] // _SAME_LINE, 1)
        inner = [shape for shape in shapes if title is None or shape.shape_id != title.shape_id]
        return sorted(inner, key=lambda shape: (int(shape.top or 0) // band, int(shape.left or 0)))

    def _shape(self, shape: Any, slide: Any, number: int) -> Iterator[Element]:
        where = f"slide {number}"
        if shape.is_placeholder and shape.placeholder_format.type in _RUNNING:
            self._leave_out_running(shape, where)
        elif shape._element.tag == qn("p:grpSp"):
            for inner in self._in_order(shape.shapes, None):
                yield from self._shape(inner, slide, number)
        elif getattr(shape, "has_table", False):
            yield from _table(shape.table, number)
        elif getattr(shape, "has_chart", False):
            name = _chart_title(shape.chart) or _description(shape)
            self._omissions.append(picture_omission(name, where, characters=0))
            yield picture(name, number)
        elif shape._element.tag == qn("p:pic"):
            yield from self._picture(shape, number)
        elif shape.has_text_frame:
            yield from (text(line, number) for line in _frame_lines(shape.text_frame))
        else:
            yield from self._other_frame(shape, slide, number)

    def _leave_out_running(self, shape: Any, where: str) -> None:
        words = shape.text_frame.text if shape.has_text_frame else ""
        if words.strip():
            what = f"running line: {excerpt(words)}"
            self._omissions.append(omission(what, where, words, "stands on every slide", expected=True))

    def _picture(self, shape: Any, number: int) -> Iterator[Element]:
        name = _description(shape)
        share = int(shape.width or 0) * int(shape.height or 0) / (self._size[0] * self._size[1])
        small = share < _PICTURE_SHARE
        self._omissions.append(replace(picture_omission(name, f"slide {number}"), expected=small))
        if not small:
            yield picture(name, number)

    def _other_frame(self, shape: Any, slide: Any, number: int) -> Iterator[Element]:
        """The lines of a diagram; whatever else is embedded is an omission."""
        references = next(shape._element.iter(_DIAGRAM), None)
        if references is not None:
            root = etree.fromstring(slide.part.related_part(references.get(_DIAGRAM_DATA)).blob, _safe_parser())
            yield from (text(line, number) for line in _paragraph_lines(root) if line.strip())
        elif shape._element.tag == qn("p:graphicFrame"):
            what = f"embedded file: {_description(shape)}"
            self._omissions.append(Omission(what, f"slide {number}", 0, "embedded files are not read"))

    def _alternatives(self, slide: Any) -> list[str]:
        """The text of shapes that are written in two ways, of which python-pptx sees none."""
        choices = slide.shapes._spTree.iter(_CHOICE)
        return [line for choice in choices for line in _paragraph_lines(choice) if line.strip()]

    def _report_comments(self, slide: Any, number: int) -> None:
        for relation in slide.part.rels.values():
            if relation.reltype.endswith("/comments") and not relation.is_external:
                words = "".join(etree.fromstring(relation.target_part.blob, _safe_parser()).itertext())
                why = "reviewers' comments are not part of the text"
                self._omissions.append(omission("comments", f"slide {number}", words, why, expected=True))


def _safe_parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _continues(before: Element, after: Element) -> bool:
    """Whether a table repeats the heading of the one before it."""
    both = before.kind is ElementKind.TABLE and after.kind is ElementKind.TABLE and before.page != after.page
    count = before.header_rows
    return both and bool(count) and count < len(after.rows) and before.rows[:count] == after.rows[:count]


def _table(grid: Any, number: int) -> Iterator[Element]:
    rows = list(grid.rows)
    placed = [
        (r, c, Cell("\n".join(_frame_lines(cell.text_frame)), cell.span_height, cell.span_width))
        for r, row in enumerate(rows)
        for c, cell in enumerate(row.cells)
        if not cell.is_spanned
    ]
    laid = lay(placed, len(rows))
    if laid.columns <= 1:
        yield from (text(line, number) for line in lines_of_frame(laid.rows))
    else:
        yield table(laid.rows, laid.header_rows, number)


def _frame_lines(frame: Any) -> list[str]:
    """The lines of a text frame, automatic numbers written out, counted anew where a list is left."""
    lines: list[str] = []
    counters: dict[int, tuple[str, int]] = {}
    for paragraph in frame.paragraphs:
        words = paragraph.text.replace("\v", "\n")
        if not words.strip():
            continue
        label = _label(paragraph, counters)
        lines += [line for line in f"{label}{words}".split("\n") if line.strip()]
    return lines


def _label(paragraph: Any, counters: dict[int, tuple[str, int]]) -> str:
    level = paragraph.level
    for deeper in [one for one in counters if one > level]:
        del counters[deeper]
    node = paragraph._p.find(f"{qn('a:pPr')}/{qn('a:buAutoNum')}")
    if node is None:
        counters.pop(level, None)
        return ""
    style = node.get("type") or "arabicPeriod"
    begun = counters.get(level)
    number = begun[1] + 1 if begun and begun[0] == style else int(node.get("startAt") or 1)
    counters[level] = (style, number)
    kind = next((kind for start, kind in _NUMBERS.items() if style.startswith(start)), "decimal")
    pattern = next((pattern for end, pattern in _AROUND.items() if style.endswith(end)), "{} ")
    return pattern.format(number_text(kind, number))


def _paragraph_lines(node: Any) -> list[str]:
    return ["".join(t.text or "" for t in p.iter(qn("a:t"))) for p in node.iter(qn("a:p"))]


def _all_text(node: Any) -> str:
    return " ".join(t.text or "" for t in node.iter(qn("a:t")))


def _description(shape: Any) -> str:
    properties: Sequence[Any] = list(shape._element.iter(qn("p:cNvPr")))
    return (properties[0].get("descr") or properties[0].get("name") or "") if properties else ""


def _chart_title(chart: Any) -> str:
    return str(chart.chart_title.text_frame.text) if chart.has_title and chart.chart_title.has_text_frame else ""
