"""Renders the masters of the regulations to the format in which each is published.

    python tools/render_corpora.py [--corpora DIR] [--fonts DIR] [ID …]

`corpora/masters/<id>/<stem>.md` becomes `corpora/<id>/<stem>.<형식>`, as its front matter says in
`형식`: pdf, docx, hwpx, hwp, xlsx, pptx, html or txt. A folder `corpora/masters/<id>/<name>.wiki`
becomes the wiki export `corpora/<id>/<name>.zip`: its pages are rendered as their front matter says,
or taken as they are. `병합` says which cells of the tables are merged (`Merging`), `그림` which 별표 is
a picture (`별표 4: 배치도.png`).

The same master gives the same bytes (with the same fonts and libraries), so that a rendered file
changes only when its text does.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from html import escape as escape_html
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from xml.sax.saxutils import escape

import docx
import openpyxl
import pptx
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph as WordParagraph
from hwpx import HwpxDocument
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Emu
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from ragbots.loaders.markdown import MarkdownLoader
from ragbots.types import Document, Element, ElementKind

PUBLISHER = "한울중소기업연합회"
FONTS = Path("/usr/share/fonts/truetype/nanum")
REGULAR, BOLD = "NanumGothic", "NanumGothicBold"
MARGIN = 25 * mm
WIDTH = A4[0] - 2 * MARGIN
HANGING = 14.0  # points a 호 or 목 hangs
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
SUBITEM = re.compile(r"\s*[가-하]\.\s")
ITEM = re.compile(r"\s*\d+(?:의\d+)?\.\s")
PARAGRAPH = re.compile(r"\s*[①-⑳]")
UNIT_LINE = re.compile(r"\(단위:.*\)")
ANNEX = re.compile(r"(별표 \d+)\s+(.*)")


def main() -> int:
    arguments = _arguments()
    chosen = [path for path in masters(arguments.corpora) if not arguments.ids or path.parent.name in arguments.ids]
    if not chosen:
        print(f"no masters in {arguments.corpora / 'masters'}", file=sys.stderr)
        return 1
    register_fonts(arguments.fonts)
    for master in chosen:
        target = render_file(master, arguments.corpora / master.parent.name)
        print(f"{master.parent.name}: {target.name}, {target.stat().st_size:,} bytes")
    return 0


def masters(corpora: Path) -> list[Path]:
    """The masters: Markdown files and folders of wiki pages."""
    folder = corpora / "masters"
    return sorted([*folder.glob("*/*.md"), *folder.glob("*/*.wiki")])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("ids", nargs="*", help="bots whose regulations to render; all without")
    parser.add_argument("--corpora", type=Path, default=Path(__file__).resolve().parent.parent / "corpora")
    parser.add_argument("--fonts", type=Path, default=FONTS, help="folder with NanumGothic.ttf, NanumGothicBold.ttf")
    return parser.parse_args()


def register_fonts(folder: Path = FONTS) -> None:
    """Makes the two fonts known to reportlab. Ends the program where they are missing."""
    for name in (REGULAR, BOLD):
        path = folder / f"{name}.ttf"
        if not path.is_file():
            raise SystemExit(f"{path} is missing: install it (Debian: apt install fonts-nanum) or give --fonts DIR")
        pdfmetrics.registerFont(TTFont(name, str(path)))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def render_file(master: Path, folder: Path) -> Path:
    """Renders one master into `folder`; the path of what was written."""
    name, content = rendered(master)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    target.write_bytes(content)
    return target


def rendered(master: Path) -> tuple[str, bytes]:
    """The name and the bytes of the published file."""
    if master.is_dir():
        return f"{master.stem}.zip", render_wiki(master)
    document = read_master(master)
    form = document.metadata.get("형식", "")
    if form not in RENDERERS:
        raise SystemExit(f"{master}: `형식` in the front matter must be one of {', '.join(RENDERERS)}, not {form!r}")
    return f"{master.stem}.{form}", RENDERERS[form](document)


def read_master(master: Path) -> Document:
    """The master; the picture it names is looked for beside it."""
    document = MarkdownLoader().load(master, master.name)
    annex, _, name = document.metadata.get("그림", "").partition(": ")
    if not name:
        return document
    return replace(document, metadata={**document.metadata, "그림": f"{annex}: {master.parent / name}"})


def dates_line(document: Document) -> str:
    """`[시행 2026. 1. 1.] [개정 2025. 12. 18.]`."""
    revised = document.metadata.get("개정일", "")
    parts = [("시행", document.effective), ("개정", date.fromisoformat(revised) if revised else None)]
    return " ".join(f"[{word} {day.year}. {day.month}. {day.day}.]" for word, day in parts if day)


# Merged cells


class Merging(StrEnum):
    """Which cells of a table are merged; those of the column headings always are where they are equal."""

    NONE = ""
    GROUPS = "분류"  # equal cells of the first column, one below the other
    VALUES = "값"  # equal cells below each other in any column, and side by side under one heading

    @classmethod
    def of(cls, document: Document) -> Merging:
        return cls(document.metadata.get("병합", ""))


class Span(NamedTuple):
    """A cell with how many rows and columns it covers."""

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1

    @property
    def merged(self) -> bool:
        return self.rows * self.columns > 1

    @property
    def last_row(self) -> int:
        return self.row + self.rows - 1

    @property
    def last_column(self) -> int:
        return self.column + self.columns - 1


def spans(element: Element, merging: Merging) -> list[Span]:
    """The cells of a table in reading order; together they cover every place once."""
    taken: set[tuple[int, int]] = set()
    found: list[Span] = []
    for row, cells in enumerate(element.rows):
        for column, words in enumerate(cells):
            if (row, column) not in taken:
                span = _span_at(element, merging, row, column, words)
                found.append(span)
                taken |= {(r, c) for r in range(row, row + span.rows) for c in range(column, column + span.columns)}
    return found


def _span_at(element: Element, merging: Merging, row: int, column: int, words: str) -> Span:
    rows, head = element.rows, element.header_rows
    in_head = row < head
    across, down = 1, 1
    side_by_side = in_head or (merging is Merging.VALUES and head > 1)
    while side_by_side and column + across < len(rows[row]) and rows[row][column + across] == words:
        if not in_head and rows[0][column + across] != rows[0][column]:
            break
        across += 1
    below = in_head or merging is Merging.VALUES or (merging is Merging.GROUPS and column == 0)
    last = head if in_head else len(rows)
    while below and row + down < last and set(rows[row + down][column : column + across]) == {words}:
        down += 1
    return Span(words, row, column, down, across)


# PDF


def render_pdf(document: Document) -> bytes:
    """The regulation on A4, with a running header and page numbers; invariant bytes."""
    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=document.title,
        author=PUBLISHER,
        subject=document.metadata.get("소관부서", ""),
        invariant=1,
    )
    decorate = partial(_decorate, title=document.title)
    template.build(list(_flowables(document)), onFirstPage=decorate, onLaterPages=decorate)
    return buffer.getvalue()


def _decorate(canvas: Canvas, _: object, title: str) -> None:
    canvas.saveState()
    canvas.setFont(REGULAR, 8.5)
    canvas.drawString(MARGIN, A4[1] - 15 * mm, title)
    canvas.line(MARGIN, A4[1] - 17 * mm, A4[0] - MARGIN, A4[1] - 17 * mm)
    canvas.drawCentredString(A4[0] / 2, 12 * mm, f"- {canvas.getPageNumber()} -")
    canvas.restoreState()


def _flowables(document: Document) -> Iterator[Flowable]:
    for element in document.elements:
        if element.kind is ElementKind.TABLE:
            yield Spacer(1, 4)
            yield _pdf_table(element)
            yield Spacer(1, 8)
        elif element.kind is ElementKind.HEADING:
            yield from _pdf_heading(element, document)
        else:
            yield Paragraph(escape(element.text.strip()), _body_style(element.text))


def _pdf_heading(element: Element, document: Document) -> Iterator[Flowable]:
    style = {1: TITLE, 2: CHAPTER}.get(element.level, ARTICLE)
    if element.text.startswith(("별표", "별지")):
        yield CondPageBreak(60 * mm)
    yield Paragraph(escape(element.text), style)
    if element.level == 1:
        yield Paragraph(dates_line(document), DATES)


def _pdf_table(element: Element) -> Table:
    rows = [
        [Paragraph(escape(cell), CELL_HEAD if n < element.header_rows else CELL) for cell in row]
        for n, row in enumerate(element.rows)
    ]
    table = Table(rows, colWidths=_column_widths(element.rows), repeatRows=element.header_rows)
    ruled = [("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    shaded = ("BACKGROUND", (0, 0), (-1, element.header_rows - 1), colors.HexColor("#eeeeee"))
    table.setStyle(TableStyle([*ruled, shaded] if element.header_rows else ruled))
    return table


def _column_widths(rows: Iterable[tuple[str, ...]]) -> list[float]:
    """The page's width shared by how much stands in each column, within bounds."""
    longest = [max(12, min(24, max(len(cell) for cell in column))) for column in zip(*rows, strict=True)]
    return [WIDTH * length / sum(longest) for length in longest]


def _style(name: str, size: float, leading: float, **others: object) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=REGULAR, fontSize=size, leading=leading, wordWrap="CJK", **others)


def _body_style(text: str) -> ParagraphStyle:
    if SUBITEM.match(text):
        return SUBITEM_STYLE
    if ITEM.match(text):
        return ITEM_STYLE
    return PARAGRAPH_STYLE if PARAGRAPH.match(text) else BODY


def _bold(style: ParagraphStyle) -> ParagraphStyle:
    style.fontName = BOLD
    return style


TITLE = _bold(_style("title", 20, 28, alignment=TA_CENTER, spaceAfter=6))
DATES = _style("dates", 9.5, 14, alignment=TA_CENTER, spaceAfter=14)
CHAPTER = _bold(_style("chapter", 13, 19, alignment=TA_CENTER, spaceBefore=14, spaceAfter=6, keepWithNext=1))
ARTICLE = _bold(_style("article", 10.5, 16, spaceBefore=8, spaceAfter=2, keepWithNext=1))
BODY = _style("body", 10.5, 16, spaceAfter=3)
PARAGRAPH_STYLE = _style("paragraph", 10.5, 16, leftIndent=HANGING, firstLineIndent=-HANGING, spaceAfter=3)
ITEM_STYLE = _style("item", 10.5, 16, leftIndent=2 * HANGING, firstLineIndent=-HANGING, spaceAfter=2)
SUBITEM_STYLE = _style("subitem", 10.5, 16, leftIndent=3 * HANGING, firstLineIndent=-HANGING, spaceAfter=2)
CELL = _style("cell", 9, 13)
CELL_HEAD = _bold(_style("cell head", 9, 13, alignment=TA_CENTER))


# DOCX


def render_docx(document: Document) -> bytes:
    """The regulation with Word's own title and heading styles and tables; invariant bytes."""
    word = docx.Document()
    _set_fonts(word)
    _set_properties(word, document)
    _set_running(word, document.title)
    for element in document.elements:
        if element.kind is ElementKind.TABLE:
            _word_table(word, element, Merging.of(document))
        elif element.kind is ElementKind.HEADING:
            _word_heading(word, element, document)
            _word_picture(word, element, document)
        else:
            _word_paragraph(word, element.text)
    buffer = io.BytesIO()
    word.save(buffer)
    return _without_times(buffer.getvalue())


def _set_fonts(word: WordDocument) -> None:
    for name, size in (("Normal", 10.5), ("Title", 20), ("Heading 1", 13), ("Heading 2", 11), ("Heading 3", 11)):
        style = word.styles[name]
        style.font.name, style.font.size = "맑은 고딕", Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), "맑은 고딕")


def _set_properties(word: WordDocument, document: Document) -> None:
    day = document.effective or date(2000, 1, 1)
    properties = word.core_properties
    properties.title, properties.author, properties.comments = document.title, PUBLISHER, ""
    properties.subject, properties.last_modified_by = document.metadata.get("소관부서", ""), PUBLISHER
    properties.created = properties.modified = datetime(day.year, day.month, day.day)
    properties.revision = 1


def _set_running(word: WordDocument, title: str) -> None:
    section = word.sections[0]
    section.header.paragraphs[0].text = title
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.add_run("- ")
    for kind, words in (("begin", ""), ("", "PAGE"), ("end", "")):
        _add_field_part(foot, kind, words)
    foot.add_run(" -")


def _add_field_part(paragraph: WordParagraph, kind: str, words: str) -> None:
    part = OxmlElement("w:fldChar" if kind else "w:instrText")
    if kind:
        part.set(qn("w:fldCharType"), kind)
    part.text = words
    paragraph.add_run()._r.append(part)


def _word_heading(word: WordDocument, element: Element, document: Document) -> None:
    style = "Title" if element.level == 1 else f"Heading {element.level - 1}"
    paragraph = word.add_paragraph(element.text, style=style)
    if element.level <= 2:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if element.level == 1:
        word.add_paragraph(dates_line(document)).alignment = WD_ALIGN_PARAGRAPH.CENTER


def _word_paragraph(word: WordDocument, text: str) -> None:
    paragraph = word.add_paragraph(text.strip())
    style = _body_style(text)
    paragraph.paragraph_format.left_indent = Pt(style.leftIndent)
    paragraph.paragraph_format.first_line_indent = Pt(style.firstLineIndent)
    paragraph.paragraph_format.space_after = Pt(3)


def _word_picture(word: WordDocument, element: Element, document: Document) -> None:
    annex, _, path = document.metadata.get("그림", "").partition(": ")
    if path and element.text.startswith(f"{annex} "):
        word.add_picture(path, width=Pt(430))


def _word_table(word: WordDocument, element: Element, merging: Merging) -> None:
    table = word.add_table(rows=len(element.rows), cols=len(element.rows[0]), style="Table Grid")
    for span in spans(element, merging):
        cell = table.cell(span.row, span.column)
        if span.merged:
            cell = cell.merge(table.cell(span.last_row, span.last_column))
        cell.text = span.text
    for row in table.rows[: element.header_rows]:
        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


# HWPX and HWP


class HwpShapes(NamedTuple):
    """The paragraph and character shapes of a document, by their numbers in it."""

    paragraphs: Mapping[str, str]
    characters: Mapping[str, str]


def render_hwpx(document: Document) -> bytes:
    """The regulation as 한글 writes it: headings are bold lines, annexes are tables; invariant bytes."""
    edits = {"Contents/content.hpf": partial(_with_hwpx_properties, document=document)}
    return _without_times(_hwp_document(document).to_bytes(), edits)


def render_hwp(document: Document) -> bytes:
    """The same as HWP 5."""
    return bytes(_hwp_document(document).to_bytes(format="hwp"))


def _hwp_document(document: Document) -> HwpxDocument:
    hwp = HwpxDocument.new()
    shapes = _hwp_shapes(hwp)
    hwp.page.set_header(text=document.title)
    for element in document.elements:
        if element.kind is ElementKind.TABLE:
            _hwp_table(hwp, element, Merging.of(document))
        elif element.kind is ElementKind.HEADING:
            _hwp_heading(hwp, element, document, shapes)
        else:
            _hwp_line(hwp, element.text.strip(), _hwp_indent(element.text), "body", shapes)
    _number_objects(hwp)
    return hwp


def _number_objects(hwp: HwpxDocument) -> None:
    """Paragraphs, tables and headers get numbers in the order of the document: the library draws them by lot."""
    for section in hwp.sections:
        numbers: dict[str, str] = {}
        for element in section.element.iter():
            if str(element.tag).rpartition("}")[2] in ("p", "tbl", "header") and "id" in element.attrib:
                element.set("id", numbers.setdefault(element.get("id"), str(len(numbers) + 1)))
        for element in section.element.iter():
            if "idRef" in element.attrib:
                element.set("idRef", numbers.get(element.get("idRef"), element.get("idRef")))
        section.mark_dirty()


def _hwp_shapes(hwp: HwpxDocument) -> HwpShapes:
    """Shapes are made by giving them to the first, empty paragraph in turn."""
    wanted: dict[str, dict[str, object]] = {
        "centre": {"alignment": "CENTER", "spacing_before_pt": 6},
        "paragraph": {"indent_left_mm": 5},
        "item": {"indent_left_mm": 10},
        "subitem": {"indent_left_mm": 15},
        "left": {"alignment": "JUSTIFY", "indent_left_mm": 0, "spacing_before_pt": 0},
    }
    paragraphs = {}
    for name, format_ in wanted.items():
        hwp.styles.apply_paragraph_format(paragraph_index=0, **format_)
        paragraphs[name] = str(hwp.paragraphs[0].para_pr_id_ref)
    characters = {"body": hwp.styles.ensure_run(size=10.5), "bold": hwp.styles.ensure_run(bold=True, size=10.5)}
    characters |= {
        "chapter": hwp.styles.ensure_run(bold=True, size=13),
        "title": hwp.styles.ensure_run(bold=True, size=20),
    }
    return HwpShapes(paragraphs, characters)


def _hwp_indent(text: str) -> str:
    names = {id(SUBITEM_STYLE): "subitem", id(ITEM_STYLE): "item", id(PARAGRAPH_STYLE): "paragraph"}
    return names.get(id(_body_style(text)), "left")


def _hwp_heading(hwp: HwpxDocument, element: Element, document: Document, shapes: HwpShapes) -> None:
    if element.level == 1:
        _hwp_line(hwp, element.text, "centre", "title", shapes)
        _hwp_line(hwp, dates_line(document), "centre", "body", shapes)
    elif element.level == 2:
        _hwp_line(hwp, "", "left", "body", shapes)
        annex = ANNEX.fullmatch(element.text)
        text = f"[{annex[1]}] {annex[2]}" if annex else element.text
        _hwp_line(hwp, text, "left" if annex else "centre", "chapter", shapes)
    else:
        _hwp_line(hwp, element.text, "left", "bold", shapes)


def _hwp_line(hwp: HwpxDocument, text: str, paragraph: str, character: str, shapes: HwpShapes) -> None:
    hwp.add_paragraph(
        text,
        style_id_ref="0",
        para_pr_id_ref=shapes.paragraphs[paragraph],
        char_pr_id_ref=shapes.characters[character],
    )


def _hwp_table(hwp: HwpxDocument, element: Element, merging: Merging) -> None:
    table = hwp.add_table(len(element.rows), len(element.rows[0]))
    for span in spans(element, merging):
        table.set_cell_text(span.row, span.column, span.text)
        if span.row < element.header_rows:
            table.set_cell_shading(span.row, span.column, "#EEEEEE")
    for span in spans(element, merging):
        if span.merged:
            table.merge_cells(span.row, span.column, span.last_row, span.last_column)


def _with_hwpx_properties(data: bytes, document: Document) -> bytes:
    """The package's own title, author and dates in place of those of the library's blank document."""
    day = document.effective or date(2000, 1, 1)
    text = data.decode("utf-8").replace("<opf:title/>", f"<opf:title>{escape(document.title)}</opf:title>")
    for name, value in (
        *((name, PUBLISHER) for name in ("creator", "lastsaveby")),
        *((name, f"{day}T00:00:00Z") for name in ("CreatedDate", "ModifiedDate")),
        ("date", f"{day.year}년 {day.month}월 {day.day}일"),
    ):
        text = re.sub(rf'(<opf:meta name="{name}" content="text">)[^<]*', rf"\g<1>{value}", text)
    return text.encode("utf-8")


# XLSX

NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+|-?\d+")
AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)원")
THIN = Side(style="thin")
WIDE = Alignment(wrap_text=True, vertical="center")
CENTRED = Alignment(horizontal="center", vertical="center", wrap_text=True)


def render_xlsx(document: Document) -> bytes:
    """Annexes as organisations keep them: a sheet for each 별표, amounts as numbers; invariant bytes."""
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "표지"
    cover["A1"], cover["A2"] = document.title, dates_line(document)
    cover["A1"].font = Font(bold=True, size=16)
    cover.column_dimensions["A"].width = 60
    for annex in _annexes(document):
        _sheet(book.create_sheet(annex[0].text.partition("(")[0][:31]), annex, Merging.of(document))
    book.properties.title, book.properties.creator = document.title, PUBLISHER
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_times(buffer.getvalue(), {"docProps/core.xml": partial(_with_dates, document=document)})


def _annexes(document: Document) -> list[list[Element]]:
    """The elements of each 별표, its heading first."""
    annexes: list[list[Element]] = []
    for element in document.elements:
        if element.kind is ElementKind.HEADING and ANNEX.match(element.text):
            annexes.append([])
        if annexes:
            annexes[-1].append(element)
    return annexes


def _sheet(sheet: Worksheet, annex: Sequence[Element], merging: Merging) -> None:
    width = max(len(element.rows[0]) for element in annex if element.rows)
    row = 1
    for element in annex:
        if element.kind is ElementKind.TABLE:
            row = _sheet_table(sheet, element, merging, row) + 1
        else:
            _sheet_line(sheet, element, row, width)
            row += 1
    for column in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 24 if column <= 2 else 16


def _sheet_line(sheet: Worksheet, element: Element, row: int, width: int) -> None:
    """A line over the whole width; the unit of measure stands alone at the right."""
    if UNIT_LINE.fullmatch(element.text):
        cell = sheet.cell(row, width, element.text)
        cell.alignment = Alignment(horizontal="right")
        return
    title = ANNEX.fullmatch(element.text)
    cell = sheet.cell(row, 1, f"[{title[1]}] {title[2]}" if title else element.text)
    cell.font, cell.alignment = Font(bold=bool(title), size=14 if title else 10), WIDE
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)


def _sheet_table(sheet: Worksheet, element: Element, merging: Merging, first: int) -> int:
    """Writes a table from row `first` on; the number of the row after it."""
    for row in range(len(element.rows)):
        for column in range(len(element.rows[0])):
            sheet.cell(first + row, column + 1).border = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
    for span in spans(element, merging):
        cell = sheet.cell(first + span.row, span.column + 1)
        cell.value, cell.number_format = _sheet_value(span.text)
        if span.row < element.header_rows:
            cell.font, cell.alignment, cell.fill = Font(bold=True), CENTRED, PatternFill("solid", "EEEEEE")
        if span.merged:
            area = {"start_row": first + span.row, "end_row": first + span.last_row}
            sheet.merge_cells(**area, start_column=span.column + 1, end_column=span.last_column + 1)
    return first + len(element.rows)


def _sheet_value(text: str) -> tuple[str | int, str]:
    """A cell's value and number format: `600,000원` is a number that is shown with its unit."""
    if NUMBER.fullmatch(text):
        return int(text.replace(",", "")), "#,##0"
    if amount := AMOUNT.fullmatch(text):
        return int(amount[1].replace(",", "")), '#,##0"원"'
    return text, "General"


def _with_dates(data: bytes, document: Document) -> bytes:
    """The days of creation and change are those of the regulation, not of the rendering."""
    day = f"{document.effective or date(2000, 1, 1)}T00:00:00Z"
    return re.sub(rb'(W3CDTF">)[^<]*', rb"\g<1>" + day.encode(), data)


# PPTX


def render_pptx(document: Document) -> bytes:
    """A deck: the title, then a slide for each heading of the second level; invariant bytes."""
    deck = pptx.Presentation()
    cover = deck.slides.add_slide(deck.slide_layouts[0])
    cover.shapes.title.text = document.title
    cover.placeholders[1].text = f"{document.metadata.get('소관부서', '')}\n{dates_line(document)}"
    for heading, elements in _sections(document):
        _slide(deck, heading, elements, Merging.of(document))
    _set_deck_properties(deck, document)
    buffer = io.BytesIO()
    deck.save(buffer)
    return _without_times(buffer.getvalue())


def _sections(document: Document) -> list[tuple[str, list[Element]]]:
    sections: list[tuple[str, list[Element]]] = []
    for element in document.elements:
        if element.kind is ElementKind.HEADING and element.level == 2:
            sections.append((element.text, []))
        elif sections:
            sections[-1][1].append(element)
    return sections


def _slide(deck: Presentation, heading: str, elements: Sequence[Element], merging: Merging) -> None:
    """Text in the body, a table below it."""
    lines = [element.text.strip() for element in elements if element.kind is not ElementKind.TABLE]
    tables = [element for element in elements if element.kind is ElementKind.TABLE]
    slide = deck.slides.add_slide(deck.slide_layouts[1 if lines else 5])
    slide.shapes.title.text = heading
    if lines:
        slide.placeholders[1].text = "\n".join(lines)
    for table in tables:
        _slide_table(slide, table, merging, top=int(deck.slide_height * (0.62 if lines else 0.25)))


def _slide_table(slide: Slide, element: Element, merging: Merging, top: int) -> None:
    left, width = Emu(500_000), Emu(8_144_000)
    shape = slide.shapes.add_table(len(element.rows), len(element.rows[0]), left, Emu(top), width, Emu(1_500_000))
    for span in spans(element, merging):
        cell = shape.table.cell(span.row, span.column)
        cell.text = span.text
        if span.merged:
            cell.merge(shape.table.cell(span.last_row, span.last_column))


def _set_deck_properties(deck: Presentation, document: Document) -> None:
    day = document.effective or date(2000, 1, 1)
    properties = deck.core_properties
    properties.title, properties.author, properties.last_modified_by = document.title, PUBLISHER, PUBLISHER
    properties.created = properties.modified = datetime(day.year, day.month, day.day)
    properties.revision = 1


# HTML and plain text

HTML_PAGE = """\
<!DOCTYPE html>
<html lang="ko">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ max-width: 48em; margin: 2em auto; font-family: "Nanum Gothic", sans-serif; line-height: 1.6 }}
table {{ border-collapse: collapse }} th, td {{ border: 1px solid #333; padding: .3em .6em }} th {{ background: #eee }}
</style>
</head>
<body>
<nav><a href="/">{publisher}</a> &gt; <a href="/rules/">규정집</a></nav>
<main>
{body}
</main>
<footer>{publisher} {department}</footer>
</body>
</html>
"""


def render_html(document: Document) -> bytes:
    """A page as intranets show a regulation: headings, paragraphs, tables with merged cells."""
    page = HTML_PAGE.format(
        title=escape_html(document.title),
        publisher=PUBLISHER,
        department=escape_html(document.metadata.get("소관부서", "")),
        body="\n".join(_html_elements(document)),
    )
    return page.encode("utf-8")


def _html_elements(document: Document) -> Iterator[str]:
    for element in document.elements:
        words = escape_html(element.text.strip())
        if element.kind is ElementKind.TABLE:
            yield _html_table(element, Merging.of(document))
        elif element.kind is ElementKind.HEADING:
            yield f"<h{element.level}>{words}</h{element.level}>"
            if element.level == 1:
                yield f'<p class="dates">{dates_line(document)}</p>'
        else:
            yield f'<p class="{_hwp_indent(element.text)}">{words}</p>'


def _html_table(element: Element, merging: Merging) -> str:
    rows: list[list[str]] = [[] for _ in element.rows]
    for span in spans(element, merging):
        tag = "th" if span.row < element.header_rows else "td"
        covers = f' rowspan="{span.rows}"' if span.rows > 1 else ""
        covers += f' colspan="{span.columns}"' if span.columns > 1 else ""
        rows[span.row].append(f"<{tag}{covers}>{escape_html(span.text)}</{tag}>")
    lines = [f"<tr>{''.join(cells)}</tr>" for cells in rows]
    head, body = lines[: element.header_rows], lines[element.header_rows :]
    return "\n".join(["<table>", "<thead>", *head, "</thead>", "<tbody>", *body, "</tbody>", "</table>"])


def render_txt(document: Document) -> bytes:
    """Plain text in the encoding of old Korean files, with the line ends of Windows."""
    lines: list[str] = []
    for element in document.elements:
        lines += ["", element.text] if element.kind is ElementKind.HEADING else [element.text]
        if element.kind is ElementKind.HEADING and element.level == 1:
            lines.append(dates_line(document))
    return ("\r\n".join(lines[1:]) + "\r\n").encode("cp949")


# A wiki export


def render_wiki(folder: Path) -> bytes:
    """A ZIP archive of pages and attached files, in their folders; invariant bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            place = path.parent.relative_to(folder)
            renders = path.suffix == ".md" and read_master(path).metadata.get("형식")
            name, content = rendered(path) if renders else (path.name, path.read_bytes())
            archive.writestr(_zip_entry(unicodedata.normalize("NFC", (place / name).as_posix())), content)
    return buffer.getvalue()


# Archives

NO_EDITS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({})


def _without_times(data: bytes, edits: Mapping[str, Callable[[bytes], bytes]] = NO_EDITS) -> bytes:
    """The same archive with one fixed time for every entry, and with some entries edited."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = edits[name](old.read(name)) if name in edits else old.read(name)
            new.writestr(_zip_entry(name), content)
    return buffer.getvalue()


def _zip_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ZIP_EPOCH)
    # OCF and HWPX want the entry that says the type first and as it is.
    entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
    entry.create_system = 3
    return entry


RENDERERS: dict[str, Callable[[Document], bytes]] = {
    "pdf": render_pdf,
    "docx": render_docx,
    "hwpx": render_hwpx,
    "hwp": render_hwp,
    "xlsx": render_xlsx,
    "pptx": render_pptx,
    "html": render_html,
    "txt": render_txt,
}


if __name__ == "__main__":
    raise SystemExit(main())
