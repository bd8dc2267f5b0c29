"""What every loader promises, whoever wrote it."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from reportlab.pdfgen.canvas import Canvas

from ragbots.errors import UnreadableDocument
from ragbots.loaders.docx import DocxLoader
from ragbots.loaders.html import HtmlLoader
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.loaders.pdf import PdfLoader
from ragbots.loaders.plain_text import TextLoader
from ragbots.loaders.pptx import PptxLoader
from ragbots.loaders.probing import probe
from ragbots.loaders.xlsx import XlsxLoader
from ragbots.ports import Loader
from ragbots.text import digest
from ragbots.types import Document

OTHERS = (b"\x00\x01\x02" * 40, b"\x89PNG\r\n\x1a\n\x00", b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml")


class LoaderContract:
    """Subclasses give the `loader`, a file `name` of its kind, and that file's `data`, which says "Article 1"."""

    loader: Loader
    name: str
    data: bytes

    def load(self, folder: Path, data: bytes) -> Document:
        path = folder / self.name
        path.write_bytes(data)
        return self.loader.load(path, self.name)

    def test_is_a_loader_with_an_id(self) -> None:
        assert isinstance(self.loader, Loader)
        assert self.loader.id

    def test_accepts_its_own_kind_and_no_other(self, tmp_path: Path) -> None:
        assert self.accepts(tmp_path, self.name, self.data)
        assert not any(self.accepts(tmp_path, "file.bin", head) for head in OTHERS)

    def accepts(self, folder: Path, name: str, data: bytes) -> bool:
        path = folder / name
        path.write_bytes(data)
        return self.loader.accepts(probe(path, name))

    def test_reads_the_text_in_order_and_knows_the_file(self, tmp_path: Path) -> None:
        document = self.load(tmp_path, self.data)
        text = " ".join(element.text for element in document.elements)
        assert text.index("Article 1") < text.index("Article 2")
        assert document.digest == digest(self.data)
        assert document.source == self.name
        assert document.title

    def test_the_same_file_gives_the_same_document(self, tmp_path: Path) -> None:
        assert self.load(tmp_path, self.data) == self.load(tmp_path, self.data)

    def test_the_source_is_composed(self, tmp_path: Path) -> None:
        path = tmp_path / self.name
        path.write_bytes(self.data)
        composed, decomposed = (self.loader.load(path, unicodedata.normalize(form, "규정")) for form in ("NFC", "NFD"))
        assert (composed.id, composed.source) == (decomposed.id, decomposed.source)

    def test_what_it_cannot_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableDocument) as caught:
            self.load(tmp_path, self.broken())
        assert self.name in caught.value.message
        assert caught.value.hint

    def broken(self) -> bytes:
        return self.data[: len(self.data) // 2]


class TestMarkdown(LoaderContract):
    loader = MarkdownLoader()
    name = "rules.md"
    data = b"# Rules\n\n## Article 1\n\n**1** text\n\n## Article 2\n"

    def broken(self) -> bytes:
        return b"---\n a: b: c\n---\ntext\n"


class TestText(LoaderContract):
    loader = TextLoader()
    name = "rules.txt"
    data = b"Rules\nArticle 1\n1. text\nArticle 2\n"

    def broken(self) -> bytes:
        return b"Article \xff\xff\xff"


class TestPdf(LoaderContract):
    loader = PdfLoader()
    name = "rules.pdf"

    @property
    def data(self) -> bytes:  # type: ignore[override]
        buffer = io.BytesIO()
        canvas = Canvas(buffer, invariant=1)
        for number, line in enumerate(("Rules", "Article 1", "1. text", "Article 2")):
            canvas.drawString(72, 700 - 20 * number, line)
        canvas.save()
        return buffer.getvalue()


def saved(made: Any) -> bytes:
    """The bytes of what a library has made."""
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def _word() -> bytes:
    word = docx.Document()
    for line in ("Rules", "Article 1", "1. text", "Article 2"):
        word.add_paragraph(line)
    return saved(word)


class TestDocx(LoaderContract):
    loader = DocxLoader()
    name = "rules.docx"
    data = _word()


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    for row, line in enumerate(("Rules", "Article 1", "1. text", "Article 2"), start=1):
        book.active.cell(row, 1, line)
    return saved(book)


class TestXlsx(LoaderContract):
    loader = XlsxLoader()
    name = "rules.xlsx"
    data = _workbook()


def _slides() -> bytes:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Rules"
    slide.placeholders[1].text = "Article 1\n1. text\nArticle 2"
    return saved(show)


class TestPptx(LoaderContract):
    loader = PptxLoader()
    name = "rules.pptx"
    data = _slides()


class TestHtml(LoaderContract):
    loader = HtmlLoader()
    name = "rules.html"
    data = b"<!DOCTYPE html><html><body><h1>Rules</h1><h2>Article 1</h2><p>1. text</p><h2>Article 2</h2></body></html>"

    def broken(self) -> bytes:
        return b"<html><body>Article \xff\xff\xff</body></html>"
