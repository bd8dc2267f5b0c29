"""Renders the masters of the regulations to the format in which each is published.

    python tools/render_corpora.py [--corpora DIR] [--fonts DIR] [ID …]

`corpora/masters/<id>/<stem>.md` becomes `corpora/<id>/<stem>.pdf` or `.docx`, as its front matter
says in `형식`. The same master gives the same bytes (with the same fonts and libraries), so that a
rendered file changes only when its text does.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

import docx
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph as WordParagraph
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from ragbots.loaders import built_in_loaders, load_file
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


def main() -> int:
    arguments = _arguments()
    masters = sorted((arguments.corpora / "masters").glob("*/*.md"))
    chosen = [path for path in masters if not arguments.ids or path.parent.name in arguments.ids]
    if not chosen:
        print(f"no masters in {arguments.corpora / 'masters'}", file=sys.stderr)
        return 1
    register_fonts(arguments.fonts)
    for master in chosen:
        target = render_file(master, arguments.corpora / master.parent.name)
        print(f"{master.parent.name}: {target.name}, {target.stat().st_size:,} bytes")
    return 0


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
    document = load_file(master, master.name, built_in_loaders())
    form = document.metadata.get("형식", "")
    if form not in RENDERERS:
        raise SystemExit(f"{master}: `형식` in the front matter must be one of {', '.join(RENDERERS)}, not {form!r}")
    target = folder / f"{master.stem}.{form}"
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(RENDERERS[form](document))
    return target


def dates_line(document: Document) -> str:
    """`[시행 2026. 1. 1.] [개정 2025. 12. 18.]`."""
    revised = document.metadata.get("개정일", "")
    parts = [("시행", document.effective), ("개정", date.fromisoformat(revised) if revised else None)]
    return " ".join(f"[{word} {day.year}. {day.month}. {day.day}.]" for word, day in parts if day)


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
            _word_table(word, element)
        elif element.kind is ElementKind.HEADING:
            _word_heading(word, element, document)
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


def _word_table(word: WordDocument, element: Element) -> None:
    table = word.add_table(rows=len(element.rows), cols=len(element.rows[0]), style="Table Grid")
    for number, (row, cells) in enumerate(zip(table.rows, element.rows, strict=True)):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
        if number < element.header_rows:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _without_times(data: bytes) -> bytes:
    """The same archive with one fixed time for every entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            new.writestr(entry, old.read(name))
    return buffer.getvalue()


RENDERERS: dict[str, Callable[[Document], bytes]] = {"pdf": render_pdf, "docx": render_docx}


if __name__ == "__main__":
    raise SystemExit(main())
