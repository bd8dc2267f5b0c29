"""Word documents in the order in which they are read: headings, paragraphs, tables, notes, boxes."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from ragbots.loaders.assembly import (
    Reading,
    document,
    excerpt,
    heading,
    omission,
    picture,
    picture_omission,
    table,
    text,
)
from ragbots.loaders.docx_numbering import Numbering
from ragbots.loaders.docx_text import ParagraphText, read_paragraph
from ragbots.loaders.grids import Cell, fill, lines_of_frame
from ragbots.loaders.packages import check_package, facts, unreadable_package
from ragbots.loaders.probing import is_package
from ragbots.ports import Probe
from ragbots.text import clean
from ragbots.types import Document, Element, ElementKind, Omission, count_characters

_DAMAGED = (
    *(PackageNotFoundError, zipfile.BadZipFile, zlib.error, LookupError, ValueError, AttributeError, TypeError),
    *(SyntaxError, OSError, EOFError, NotImplementedError),
)
_HEADING_NAME = re.compile(r"(?:heading|제목)\s*([1-9])$", re.IGNORECASE)
_CONTENTS_NAME = re.compile(r"(?:toc|목차)\s*[1-9]$", re.IGNORECASE)
_WRAPPERS = frozenset({qn("w:ins"), qn("w:moveTo"), qn("w:customXml"), qn("w:smartTag")})
_BODY_TEXT_RANK = 9  # outline level that Word gives to body text


class DocxLoader:
    """Reads .docx files."""

    id = "docx-3"

    def accepts(self, probe: Probe) -> bool:
        return is_package(probe, "word/")

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        word = _open(data, source)
        try:
            reading = _Reader(word).read()
        except _DAMAGED as error:
            raise unreadable_package(source, ".docx", f"damaged inside ({error})") from error
        return document(source, data, reading)


def _open(data: bytes, source: str) -> WordDocument:
    check_package(data, source, ".docx")
    try:
        return docx.Document(io.BytesIO(data))
    except _DAMAGED as error:
        raise unreadable_package(source, ".docx", f"damaged, or no Word document ({error})") from error


class _Reader:
    """Reads one document; holds its counters and what was found so far."""

    def __init__(self, word: WordDocument) -> None:
        self._word = word
        self._numbering = Numbering(_part(word, "numbering"))
        self._styles = {style.style_id: style for style in word.styles}
        self._notes = {kind: _notes(_part(word, kind)) for kind in ("footnotes", "endnotes")}
        self._has_title = any(self._style_name(p) == "Title" for p in word.element.body.iter(qn("w:p")))
        self._elements: list[Element] = []
        self._omissions: list[Omission] = []
        self._title = ""
        self._footnotes = 0
        self._pictures: list[Element] = []  # read, and not yet put where they stand

    def read(self) -> Reading:
        self._read_blocks(self._word.element.body)
        self._omissions += [*self._running(), *self._unused_notes(), *_comments(self._word)]
        properties = self._word.core_properties
        return Reading(
            elements=self._elements,
            title=self._title or self._first_heading() or clean(properties.title or "").strip(),
            metadata=facts(properties.author, properties.subject, properties.keywords, maker="python-docx"),
            omissions=self._omissions,
            footnotes=self._footnotes,
        )

    def _first_heading(self) -> str:
        """A first heading is the title where it is the first text at all."""
        first = next(iter(self._elements), None)
        return first.text if first and first.kind is ElementKind.HEADING else ""

    def _read_blocks(self, parent: Any) -> None:
        for block in parent:
            if block.tag == qn("w:p"):
                self._read_paragraph(block)
            elif block.tag == qn("w:tbl"):
                self._read_table(block)
            elif block.tag == qn("w:sdt"):
                self._read_control(block)
            elif block.tag in _WRAPPERS:
                self._read_blocks(block)
            elif block.tag == qn("w:altChunk"):
                self._omissions.append(Omission("embedded document", "body", 0, "embedded files are not read"))

    def _read_control(self, control: Any) -> None:
        """A content control; one of them is the table of contents, which repeats the headings."""
        content = control.find(qn("w:sdtContent"))
        if content is None:
            return
        gallery = next(control.iter(qn("w:docPartGallery")), None)
        if gallery is not None and gallery.get(qn("w:val")) == "Table of Contents":
            words = " ".join(read_paragraph(p).text for p in content.iter(qn("w:p")))
            self._omissions.append(omission("table of contents", "body", words, "repeats the headings", expected=True))
        else:
            self._read_blocks(content)

    def _read_paragraph(self, paragraph: Any) -> None:
        found = read_paragraph(paragraph)
        name = self._style_name(paragraph)
        words = (self._label(paragraph) + found.text) if found.text.strip() else ""
        if _CONTENTS_NAME.match(name):
            self._omissions.append(
                omission("table of contents", excerpt(words), words, "repeats the headings", expected=True)
            )
            return
        level = self._heading_level(paragraph, name)
        if level and words.strip():
            self._elements.append(heading(words, level))
        else:
            self._elements += [text(line) for line in words.split("\n") if line.strip()]
        if name == "Title" and not self._title:
            self._title = " ".join(clean(words).split())
        self._report(found)
        attached = [text(line) for line in self._attached(found)]
        self._elements += [*self._taken_pictures(), *attached]

    def _taken_pictures(self) -> list[Element]:
        """The pictures found since this was asked last: in a paragraph, its boxes and notes, or a table."""
        taken, self._pictures = self._pictures, []
        return taken

    def _label(self, paragraph: Any) -> str:
        list_id, rank, style_id = self._list_of(paragraph)
        return self._numbering.label(list_id, rank, style_id) if list_id else ""

    def _list_of(self, paragraph: Any) -> tuple[str, int | None, str]:
        """The list a paragraph belongs to by itself or by its style, its rank in it, and the style."""
        for properties, style_id in self._properties(paragraph):
            numbers = properties.find(qn("w:numPr"))
            list_id = _value(numbers, "w:numId") if numbers is not None else ""
            if list_id:
                rank = _value(numbers, "w:ilvl")
                return list_id, int(rank) if rank else None, style_id
        return "", None, ""

    def _properties(self, paragraph: Any) -> Iterator[tuple[Any, str]]:
        """A paragraph's own properties, then those of its style and the styles that one is based on."""
        style_id = self._style_id(paragraph)
        if paragraph.pPr is not None:
            yield paragraph.pPr, style_id
        style = self._styles.get(style_id)
        while style is not None:
            if style.element.pPr is not None:
                yield style.element.pPr, style.style_id
            style = getattr(style, "base_style", None)

    def _style_id(self, paragraph: Any) -> str:
        return (_value(paragraph.pPr, "w:pStyle") if paragraph.pPr is not None else "") or "Normal"

    def _style_name(self, paragraph: Any) -> str:
        style = self._styles.get(self._style_id(paragraph))
        return str(style.name or "") if style is not None else ""

    def _heading_level(self, paragraph: Any, name: str) -> int:
        """1–9; a document with a title begins to count its headings at 2. 0 = no heading."""
        if name == "Title":
            return 1
        if match := _HEADING_NAME.match(name):
            return int(match[1]) + self._has_title
        ranks = (_value(properties, "w:outlineLvl") for properties, _ in self._properties(paragraph))
        rank = next((int(value) for value in ranks if value), _BODY_TEXT_RANK)
        return rank + 1 + self._has_title if rank < _BODY_TEXT_RANK else 0

    def _attached(self, found: ParagraphText) -> list[str]:
        """Text boxes and notes anchored in a paragraph, as lines that follow it."""
        lines = [line for box in found.boxes for p in _own_paragraphs(box) for line in self._lines(p)]
        for kind, note_id in found.notes:
            note = self._notes[kind].pop(note_id, None)
            self._footnotes += note is not None
            lines += [line for p in note.iter(qn("w:p")) for line in self._lines(p)] if note is not None else []
        return lines

    def _lines(self, paragraph: Any) -> list[str]:
        found = read_paragraph(paragraph)
        self._report(found)
        words = (self._label(paragraph) + found.text) if found.text.strip() else ""
        return [line for line in words.split("\n") if line.strip()] + self._attached(found)

    def _report(self, found: ParagraphText) -> None:
        where = self._where(found.text)
        if found.deleted.strip():
            why = "deleted in the document's tracked changes"
            self._omissions.append(
                omission(f"deleted: {excerpt(found.deleted)}", where, found.deleted, why, expected=True)
            )
        if found.hidden.strip():
            self._omissions.append(
                omission(f"hidden: {excerpt(found.hidden)}", where, found.hidden, "hidden text", expected=True)
            )
        for name in found.pictures:
            self._pictures.append(picture(name))
            self._omissions.append(picture_omission(name, where, characters=count_characters(name)))
        if found.symbols:
            why = "characters of symbol fonts have no meaning as text"
            self._omissions.append(Omission("symbols", where, found.symbols, why))

    def _where(self, words: str) -> str:
        """A paragraph by its words; one without any by the last text before it."""
        if words.strip():
            return f"paragraph: {excerpt(words)}"
        texts = (one.text for one in reversed(self._elements) if one.kind is not ElementKind.PICTURE)
        before = next((text for text in texts if text.strip()), "")
        return f"after: {excerpt(before)}" if before else "the beginning"

    def _read_table(self, node: Any) -> None:
        rows, headings = self._rows(node)
        grid = fill(rows, headings)
        if grid.columns <= 1:
            self._elements += [text(line) for line in lines_of_frame(grid.rows)]
        elif grid.rows:
            self._elements.append(table(grid.rows, grid.header_rows))
        self._elements += self._taken_pictures()

    def _rows(self, node: Any) -> tuple[list[list[Cell]], int]:
        """The cells where they begin, and how many rows from the top are marked as headings."""
        rows: list[list[list[Any]]] = []  # [text, rows, columns]; Cell is frozen
        above: dict[int, list[Any]] = {}
        headings = 0
        for row in _inside(node, "w:tr"):
            marked = row.trPr is not None and row.trPr.find(qn("w:tblHeader")) is not None
            headings += marked and headings == len(rows)
            rows.append(self._row(row, above))
        cells = [[Cell(*cell) for cell in row] for row in rows]
        return cells, headings if headings < len(rows) else 0

    def _row(self, row: Any, above: dict[int, list[Any]]) -> list[list[Any]]:
        column = int(_value(row.trPr, "w:gridBefore") or 0) if row.trPr is not None else 0
        cells: list[list[Any]] = [["", 1, column]] if column else []
        for node in _inside(row, "w:tc"):
            properties = node.tcPr
            width = int(_value(properties, "w:gridSpan") or 1) if properties is not None else 1
            merge = properties.find(qn("w:vMerge")) if properties is not None else None
            words = "\n".join(self._cell_lines(node))
            if merge is not None and merge.get(qn("w:val")) != "restart" and column in above:
                above[column][1] += 1
                above[column][0] = f"{above[column][0]}\n{words}".strip()
            else:
                above[column] = [words, 1, width]
                cells.append(above[column])
            column += width
        return cells

    def _cell_lines(self, cell: Any) -> list[str]:
        """The lines of a cell; those of a table inside it too."""
        return [line for p in _own_paragraphs(cell) for line in self._lines(p)]

    def _running(self) -> Iterator[Omission]:
        """Running headers and footers, each text once."""
        seen: set[str] = set()
        for section in self._word.sections:
            pages = ((section.header, section.footer), (section.first_page_header, section.first_page_footer))
            for header, footer in (*pages, (section.even_page_header, section.even_page_footer)):
                for kind, part in (("header", header), ("footer", footer)):
                    paragraphs = () if part.is_linked_to_previous else part._element.iter(qn("w:p"))
                    words = " ".join(read_paragraph(p).text for p in paragraphs).strip()
                    if words and words not in seen:
                        seen.add(words)
                        yield omission(
                            f"running {kind}: {excerpt(words)}", "every page", words, "repeated on pages", expected=True
                        )

    def _unused_notes(self) -> Iterator[Omission]:
        for kind, notes in self._notes.items():
            for note in notes.values():
                words = " ".join(read_paragraph(p).text for p in note.iter(qn("w:p")))
                if words.strip():
                    yield omission(f"{kind}: {excerpt(words)}", kind, words, "nothing in the text refers to it")


def _part(word: WordDocument, kind: str) -> Any | None:
    """The root element of a related part such as `footnotes`."""
    for relation in word.part.rels.values():
        if relation.reltype.endswith(f"/{kind}") and not relation.is_external:
            return parse_xml(relation.target_part.blob)
    return None


def _notes(root: Any | None) -> dict[str, Any]:
    """Notes by id; separators are no notes."""
    if root is None:
        return {}
    return {node.get(qn("w:id")): node for node in root if node.get(qn("w:type")) in (None, "normal")}


def _comments(word: WordDocument) -> Sequence[Omission]:
    root = _part(word, "comments")
    words = " ".join(read_paragraph(p).text for p in root.iter(qn("w:p"))) if root is not None else ""
    if not words.strip():
        return []
    return [omission("comments", "margin", words, "reviewers' comments are not part of the text", expected=True)]


def _inside(parent: Any, name: str) -> Iterator[Any]:
    """Children of a name, those in content controls and tracked insertions too."""
    for child in parent:
        if child.tag == qn(name):
            yield child
        elif child.tag == qn("w:sdt"):
            yield from _inside(child.find(qn("w:sdtContent")), name)
        elif child.tag in _WRAPPERS:
            yield from _inside(child, name)


def _own_paragraphs(container: Any) -> Iterator[Any]:
    """The paragraphs of a cell or box, without those in a box inside it, which its anchor reads."""
    for node in container:
        if node.tag == qn("w:p"):
            yield node
        elif node.tag != qn("w:txbxContent"):
            yield from _own_paragraphs(node)


def _value(node: Any, name: str) -> str:
    child = node.find(qn(name))
    return (child.get(qn("w:val")) or "") if child is not None else ""
