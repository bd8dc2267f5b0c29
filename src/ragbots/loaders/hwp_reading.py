"""dochan's model of an HWP or HWPX document, with its layout, to elements in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from dochan.model.document import Paragraph
from dochan.model.equation import Equation
from dochan.model.header_footer import Footnote, HeaderFooter
from dochan.model.image import Image
from dochan.model.table import Table

from ragbots.loaders.assembly import Reading, excerpt, heading, omission, picture, picture_omission, table, text
from ragbots.loaders.grids import Cell, Grid, lay
from ragbots.loaders.hwp_anchors import Anchors
from ragbots.loaders.hwp_layout import Drawn, Layout, SectionLayout
from ragbots.loaders.hwp_numbering import Numbering
from ragbots.text import one_line
from ragbots.types import Element, ElementKind, Omission, element_text

_BOOKMARK = re.compile(r"\[bookmark: .*\] ", re.DOTALL)  # dochan's mark, not the document's text
_NAME_OF_PICTURE = re.compile(r"원본 그림의 이름: *(.*)")  # Hangul describes every picture like this by itself
_SENTENCE_END = re.compile(r"[.:;,]\s*(?:[<\[(〈][^<\[(〈]*[>\])〉]\s*)?$")
_NO_LAYOUT = SectionLayout(1, ())


class HwpReader:
    """Reads one document; holds what was found so far.

    `left_out` is the text of everything that an omission names.
    """

    def __init__(self, model: Any, layout: Layout) -> None:
        self.left_out: list[str] = []
        self._model = model
        self._layout = layout
        self._numbering = Numbering(layout.lists)
        self._anchors = Anchors(_NO_LAYOUT, self._numbering)
        self._header_rows = _header_rows(model, layout)
        self._omissions: list[Omission] = []
        self._footnotes = 0
        self._last_words = ""
        self._unnumbered = 0

    def read(self) -> Reading:
        elements: list[Element] = []
        for number, section in enumerate(self._model.sections):
            layout = self._layout.sections[number] if number < len(self._layout.sections) else _NO_LAYOUT
            elements += self._section(section, layout)
        if self._unnumbered:
            why = "where they stand could not be told"
            self._omissions.append(Omission(f"automatic numbers of {self._unnumbered} paragraphs", "document", 0, why))
        return Reading(elements, omissions=self._omissions, footnotes=self._footnotes)

    def _section(self, section: Any, layout: SectionLayout) -> list[Element]:
        self._anchors = Anchors(layout, self._numbering)
        elements = [*self._drawn(self._anchors.before), *self._flow(section.elements)]
        elements += self._drawn(self._anchors.rest())
        for words in layout.background:
            self._leave_out("master page", words.strip(), "every page", "the same on every page")
        return elements

    def _flow(self, blocks: Iterable[Any]) -> list[Element]:
        return [element for block in blocks for element in self._block(block)]

    def _block(self, block: Any) -> Iterable[Element]:
        match block:
            case Paragraph():
                return self._paragraph(block)
            case Table():
                return self._table(block)
            case Image():
                return self._image(block)
            case Equation():
                return self._equation(block)
            case HeaderFooter():
                self._leave_out(
                    f"running {block.type}", self._words(block.paragraphs), "every page", "repeated on pages"
                )
            case Footnote(type="comment"):
                why = "a hidden comment is not part of the text"
                self._leave_out("hidden comment", self._words(block.paragraphs), self._where(), why)
            case Footnote():
                return self._note(block)
        return ()

    def _paragraph(self, paragraph: Any) -> list[Element]:
        words = "".join(_run_text(run) for run in paragraph.runs)
        if not words.strip():
            return []
        place = self._anchors.find(paragraph.para_shape_id, words)
        self._unnumbered += not place.known and paragraph.para_shape_id in self._layout.lists.heads
        self._last_words = words
        lines = [line.strip() for line in f"{place.label}{words.strip()}".split("\n") if line.strip()]
        level = self._layout.lists.outline_level(paragraph.para_shape_id)
        # Hangul numbers 항 and 호 by outline levels too: a sentence is no heading.
        if level and len(lines) == 1 and not _SENTENCE_END.search(lines[0]):
            return [heading(lines[0], level), *self._drawn(place.drawn)]
        return [*(text(line) for line in lines), *self._drawn(place.drawn)]

    def _drawn(self, things: Iterable[Drawn]) -> Iterator[Element]:
        for thing in things:
            if thing.lettering.strip():
                yield text(one_line(thing.lettering))
            elif thing.name:
                yield self._picture(thing.name)

    def _image(self, image: Any) -> list[Element]:
        named = _NAME_OF_PICTURE.search(image.alt_text)
        name = named[1] if named else image.alt_text
        return [self._picture(name), *self._flow(image.caption)]

    def _equation(self, equation: Any) -> list[Element]:
        words = equation.script.strip()
        return [text(line) for line in words.split("\n")] if words else [self._picture("equation without text")]

    def _picture(self, name: str) -> Element:
        self._omissions.append(picture_omission(one_line(name), self._where()))
        return picture(name)

    def _note(self, note: Any) -> list[Element]:
        elements = self._flow(note.paragraphs)
        self._footnotes += any(element_text(element).strip() for element in elements)
        return [_as_text(element) for element in elements]

    def _table(self, block: Any) -> list[Element]:
        captions = self._flow(block.caption)
        texts: dict[tuple[int, int], str] = {}
        after: list[Element] = []
        inside: list[Element] = []
        for row, column, cell in _cells(block):
            notes = [part for part in cell.paragraphs if isinstance(part, Footnote)]
            elements = self._flow(part for part in cell.paragraphs if not isinstance(part, Footnote))
            noted = self._flow(notes)
            inside += [*elements, *noted]
            after += [*(one for one in elements if one.kind is ElementKind.PICTURE), *noted]
            texts[row, column] = "\n".join(filter(None, (element_text(element) for element in elements)))
        grid = _grid(block, texts, self._header_rows.get(id(block), 0))
        if grid.columns <= 1:  # a table of one column is a frame around text
            body = inside
        elif any(texts.values()):
            body = [table(grid.rows, grid.header_rows), *after]
        else:
            body = after
        return [*captions, *body] if block.caption_side == "TOP" else [*body, *captions]

    def _words(self, blocks: Iterable[Any]) -> str:
        """The text of blocks that are left out; they leave no elements and no omissions of their own."""
        omissions, footnotes = len(self._omissions), self._footnotes
        words = "\n".join(filter(None, (element_text(element) for element in self._flow(blocks))))
        del self._omissions[omissions:]
        self._footnotes = footnotes
        return words

    def _leave_out(self, what: str, words: str, where: str, why: str) -> None:
        """Names a text once; none of these is part of the rule."""
        if words.strip() and words not in self.left_out:
            self.left_out.append(words)
            self._omissions.append(omission(f"{what}: {excerpt(words)}", where, words, why, expected=True))

    def _where(self) -> str:
        return f"after: {excerpt(self._last_words)}" if self._last_words.strip() else "beginning"


def _header_rows(model: Any, layout: Layout) -> dict[int, int]:
    """How many rows each table marks as headings, by the table's identity; tables stand in one order in both."""
    tables = model.find_all("table")
    marked = [count for section in layout.sections for count in section.header_rows]
    return {id(one): count for one, count in zip(tables, marked, strict=True)} if len(tables) == len(marked) else {}


def _cells(block: Any) -> Iterator[tuple[int, int, Any]]:
    for row, cells in enumerate(block.rows):
        for column, cell in enumerate(cells):
            if not cell.is_merged_away:
                yield row, column, cell


def _grid(block: Any, texts: dict[tuple[int, int], str], header_rows: int) -> Grid:
    placed = [
        (row, column, Cell(texts[row, column], cell.row_span, cell.col_span)) for row, column, cell in _cells(block)
    ]
    return lay(placed, len(block.rows), header_rows)


def _run_text(run: Any) -> str:
    """A run's text without what dochan adds: marks of notes and bookmarks."""
    if run.equation is not None:
        return str(run.equation.script)
    return "" if run.note_ref or _BOOKMARK.fullmatch(run.text) else str(run.text)


def _as_text(element: Element) -> Element:
    return text(element.text) if element.kind is ElementKind.HEADING else element
