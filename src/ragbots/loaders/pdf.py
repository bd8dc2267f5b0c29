"""PDF with text: wrapped lines joined, ruled tables as rows, running headers and footers left out."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import pdfplumber
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import PdfminerException
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from ragbots.errors import UnreadableDocument
from ragbots.loaders.assembly import Reading, document, excerpt, heading, omission, picture, table, text
from ragbots.loaders.pdf_lines import Char, Line, is_unmapped, make_lines, with_limit
from ragbots.loaders.pdf_paragraphs import Paragraph, Setting, is_full, join_cell, paragraphs, setting_of
from ragbots.loaders.pdf_running import find_running
from ragbots.loaders.pdf_tables import DrawnTable, Joining, RuledTable, continues, find_regions, joined, read_table
from ragbots.loaders.word_seams import KiwiSpacing, WordSeams
from ragbots.ports import Probe
from ragbots.text import clean
from ragbots.types import Document, Element, ElementKind, Omission, OmissionKind

_START = b"%PDF-"
_END = b"%%EOF"
_TAIL = 2048  # bytes in which the end mark must stand
_HEADING_SIZE = 1.12  # of the body's type size
_HEADING_LENGTH = 80
_TITLE_PLACE = 6  # elements from the beginning in which the title is looked for
_PICTURE_SHARE = 0.02  # of the page's area: smaller pictures are logos and rules
_FILE_NAME = re.compile(r"\.(?:docx?|hwpx?|pdf|xlsx?|pptx?)$|^(?:microsoft word|untitled|제목 없음)", re.IGNORECASE)
_FEWEST_FULL = 3  # lines that must end at the right margin for it to be believed
_PLACEHOLDERS = frozenset({"untitled", "anonymous", "unspecified"})  # of PDF producers
_RIGHTMOST = 0.98  # quantile of line ends that is taken for the right margin


@dataclass(frozen=True, slots=True)
class _Picture:
    """Where a picture is drawn, and the number under which the file stores it."""

    page: int
    top: float
    stored: int | None


@dataclass(frozen=True, slots=True)
class _Page:
    """A page before its lines are joined."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    tables: tuple[DrawnTable, ...]
    omissions: tuple[Omission, ...]
    pictures: tuple[_Picture, ...] = ()


class PdfLoader:
    """Reads PDF files that hold text."""

    id = "pdf-3"

    def __init__(self) -> None:
        self._spacing = KiwiSpacing()

    def accepts(self, probe: Probe) -> bool:
        return _START in probe.head[:1024]

    def prepare(self) -> None:
        """Loads Kiwi now; else the first seam that needs it does."""
        self._spacing.prepare()

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        metadata = _checked_metadata(data, source)
        try:
            with pdfplumber.open(io.BytesIO(data), password="") as pdf:
                pages = [_read_page(page) for page in pdf.pages]
        except (PdfminerException, PDFException, PSException, ValueError, KeyError, TypeError, IndexError) as error:
            raise _damaged(source, error) from error
        if not any(page.lines or page.tables for page in pages):
            raise UnreadableDocument(
                f"{source}: none of its {len(pages)} pages holds text (a scan?)",
                hint="run text recognition (OCR) over it, or use the file it was made from",
            )
        return document(source, data, self._reading(pages, metadata))

    def _reading(self, pages: Sequence[_Page], metadata: dict[str, str]) -> Reading:
        running, omissions = find_running([page.lines for page in pages], [page.height for page in pages])
        kept = [replace(page, lines=tuple(line for line in page.lines if line not in running)) for page in pages]
        body = _limited([line for page in kept for line in page.lines], {page.number: page.width for page in pages})
        setting = setting_of(body)
        drawn = [one for page in pages for one in page.tables]
        seams = WordSeams(
            (line.text for line in (*body, *(line for one in drawn for line in one.lines))), self._spacing
        )
        joining = Joining(
            lambda lines: join_cell(lines, setting, seams), lambda before, line: is_full(before, line, setting)
        )
        tables = [read_table(one, joining) for one in drawn]
        items, repeated = _joined_tables(sorted([*body, *tables], key=lambda item: (item.page, item.top)), joining)
        pictures, pictures_left_out = _pictures(pages)
        elements = _elements(items, pictures, setting, seams)
        return Reading(
            elements=elements,
            title=_title(elements, metadata),
            pages=len(pages),
            metadata=metadata,
            omissions=[*(one for page in pages for one in page.omissions), *pictures_left_out, *omissions, *repeated],
        )


def _checked_metadata(data: bytes, source: str) -> dict[str, str]:
    """The document's properties. Raises UnreadableDocument for one that is cut off, locked or damaged."""
    if _END not in data[-_TAIL:]:
        raise _damaged(source, "its end is missing, it was probably not downloaded whole")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument(f"{source}: needs a password", hint="save it without a password")
        found = {str(key).lstrip("/").lower(): str(value) for key, value in (reader.metadata or {}).items()}
        if not len(reader.pages):
            raise _damaged(source, "it has no pages")
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(source, error) from error
    wanted = ("title", "author", "subject", "keywords")
    values = {key: clean(found.get(key, "")).strip() for key in wanted}
    return {key: value for key, value in values.items() if value and value not in _PLACEHOLDERS}


def _damaged(source: str, problem: object) -> UnreadableDocument:
    return UnreadableDocument(
        f"{source}: cannot be read as PDF: {problem}", hint="open it in a PDF viewer, save it again and replace it"
    )


def _readable(page: pdfplumber.page.Page) -> list[Char]:
    return [char for char in page.chars if char["upright"] and not is_unmapped(char)]


def _read_page(page: pdfplumber.page.Page) -> _Page:
    number = page.page_number
    regions = find_regions(page, _readable(page), number)
    lines = sorted([*make_lines(regions.rest, number), *regions.framed], key=lambda line: (line.top, line.x0))
    omissions = _page_omissions(page, has_text=bool(lines or regions.tables))
    size = (float(page.width), float(page.height))
    read = _Page(number, *size, tuple(lines), regions.tables, tuple(omissions), tuple(_drawn_pictures(page)))
    page.close()
    return read


def _page_omissions(page: pdfplumber.page.Page, has_text: bool) -> list[Omission]:
    where = f"page {page.page_number}"
    made = []
    turned = "".join(char["text"] for char in page.chars if not char["upright"] and not is_unmapped(char))
    if turned.strip():
        made.append(omission(f"turned text: {excerpt(turned)}", where, turned, "text set at an angle is not read"))
    if unmapped := sum(is_unmapped(char) for char in page.chars):
        made.append(Omission("characters", where, unmapped, "the PDF does not say which characters they are"))
    if not has_text:
        made.append(_without_text(where, bool(page.images)))
    return made


def _drawn_pictures(page: pdfplumber.page.Page) -> Iterator[_Picture]:
    """The pictures that are large enough to say something."""
    area = page.width * page.height
    for one in page.images:
        if one["width"] * one["height"] > _PICTURE_SHARE * area:
            yield _Picture(page.page_number, float(one["top"]), getattr(one.get("stream"), "objid", None))


def _pictures(pages: Sequence[_Page]) -> tuple[list[_Picture], list[Omission]]:
    """The pictures that stand once, and what is left out: all; one drawn on several pages is a logo or a background."""
    drawn = Counter(name for page in pages for name in {one.stored for one in page.pictures} if name)
    found: list[_Picture] = []
    omissions: list[Omission] = []
    for page in pages:
        where = f"page {page.number}"
        own = [one for one in page.pictures if one.stored is None or drawn[one.stored] == 1]
        found += sorted(own, key=lambda one: one.top)
        if own:
            why = "text in pictures is not read"
            omissions.append(Omission(f"{len(own)} picture(s)", where, 0, why, OmissionKind.PICTURE))
        if len(own) < len(page.pictures):
            what = f"{len(page.pictures) - len(own)} repeated picture(s)"
            omissions.append(Omission(what, where, 0, "the same on other pages", OmissionKind.PICTURE, expected=True))
    return found, omissions


def _without_text(where: str, has_picture: bool) -> Omission:
    why = "a scan: text in pictures is not read" if has_picture else "nothing that can be read stands on it"
    return Omission("page without text", where, 0, why, OmissionKind.PAGE, expected=not has_picture)


def _limited(lines: Sequence[Line], widths: Mapping[int, float]) -> list[Line]:
    """The lines with the right margin of their page's width; those in a frame have theirs already."""
    shapes: dict[float, list[Line]] = {}
    for line in lines:
        if not line.frame:
            shapes.setdefault(round(widths[line.page]), []).append(line)
    margins = {shape: _right_margin(found, shape) for shape, found in shapes.items()}
    return [line if line.frame else with_limit(line, margins[round(widths[line.page])]) for line in lines]


def _right_margin(lines: Sequence[Line], width: float) -> float:
    """Where lines end at the right; of a page with few full lines, as far from the edge as the left margin."""
    ends = sorted(line.x1 for line in lines)
    rightmost = ends[int(_RIGHTMOST * (len(ends) - 1))]
    full = sum(line.x1 > rightmost - line.size for line in lines)
    return rightmost if full >= _FEWEST_FULL else max(rightmost, width - min(line.x0 for line in lines))


def _joined_tables(
    items: Sequence[Line | RuledTable], joining: Joining
) -> tuple[list[Line | RuledTable], list[Omission]]:
    """Tables that go on at the top of the next page become one; heading rows drawn again are left out."""
    made: list[Line | RuledTable] = []
    omissions: list[Omission] = []
    reached = 0  # the page that the last table has come to
    for item in items:
        before = made[-1] if made else None
        is_next = item.page == reached + 1
        if is_next and isinstance(item, RuledTable) and isinstance(before, RuledTable) and continues(before, item):
            made[-1], repeated = joined(before, item, joining)
            words = " ".join(cell for row in repeated for cell in row)
            if repeated:
                why = "the table's heading drawn again on the next page"
                omissions.append(
                    omission(f"table heading: {excerpt(words)}", f"page {item.page}", words, why, expected=True)
                )
        else:
            made.append(item)
        reached = item.page
    return made, omissions


def _elements(
    items: Sequence[Line | RuledTable], pictures: Sequence[_Picture], setting: Setting, seams: WordSeams
) -> list[Element]:
    made: list[Paragraph | RuledTable] = []
    for is_table, group in groupby(items, key=lambda item: isinstance(item, RuledTable)):
        run = list(group)
        if is_table:
            made += [item for item in run if isinstance(item, RuledTable)]
        else:
            made += paragraphs([item for item in run if isinstance(item, Line)], setting, seams)
    levels = _heading_levels([item for item in made if isinstance(item, Paragraph)])
    places = [_place(item) for item in made]
    elements = [_element(item, levels) for item in made]
    for one in reversed(pictures):
        after = next((n for n in range(len(places), 0, -1) if places[n - 1] <= (one.page, one.top)), 0)
        elements.insert(after, picture(page=one.page))
    return elements


def _place(item: Paragraph | RuledTable) -> tuple[int, float]:
    first = item if isinstance(item, RuledTable) else item.first
    return first.page, first.top


def _element(item: Paragraph | RuledTable, levels: Mapping[tuple[float, bool], int]) -> Element:
    if isinstance(item, RuledTable):
        return table(item.grid.rows, item.grid.header_rows, page=item.page)
    level = levels.get(_look(item), 0) if len(item.text) <= _HEADING_LENGTH else 0
    page = item.first.page
    return heading(item.text, level, page) if level else text(item.text, page)


def _look(paragraph: Paragraph) -> tuple[float, bool]:
    """Type size, and whether all of it is bold."""
    return paragraph.first.size, all(line.bold for line in paragraph.lines)


def _heading_levels(found: Sequence[Paragraph]) -> dict[tuple[float, bool], int]:
    """Level by look: the larger the higher; bold type of the body's size comes last. Body text has none."""
    letters: Counter[tuple[float, bool]] = Counter()
    for paragraph in found:
        letters[_look(paragraph)] += len(paragraph.text)
    if not letters:
        return {}
    body_size, body_bold = letters.most_common(1)[0][0]
    large = {look for look in letters if look[0] > _HEADING_SIZE * body_size}
    bold = {look for look in letters if look[1] and not body_bold and look[0] >= body_size} - large
    sizes = sorted({look[0] for look in large}, reverse=True)
    return {look: sizes.index(look[0]) + 1 for look in large} | {look: len(sizes) + 1 for look in bold}


def _title(elements: Sequence[Element], metadata: Mapping[str, str]) -> str:
    """The largest heading among the first lines, else the document's own title property."""
    first = [element for element in elements[:_TITLE_PLACE] if element.kind is ElementKind.HEADING]
    largest = min(first, key=lambda element: element.level, default=None)
    if largest is not None and largest.level == 1:
        return largest.text
    named = metadata.get("title", "")
    return "" if _FILE_NAME.search(named) else named
