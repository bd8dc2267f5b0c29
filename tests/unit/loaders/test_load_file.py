from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from ragbots.errors import UnreadableDocument
from ragbots.text import digest
from ragbots.types import Document

Load = Callable[..., Document]


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("빈.md", b"", "empty"),
        ("공백.txt", b" \n\n", "no text"),
        ("그림.pdf", b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
        ("모름.bin", b"\x00\x01\x02\x03" * 50, "unknown binary"),
        ("옛문서.hwp", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "HWP"),
        ("표.xlsx", archive("xl/workbook.xml"), "ZIP"),
        ("가짜.docx", archive("a.txt"), "docx"),
        ("가짜2.docx", archive("word/other.xml"), "docx"),
        ("글.docx", "그냥 글입니다".encode(), r"the name says \.docx"),
        ("로그인.pdf", b"<!DOCTYPE html><html>", "HTML"),
        ("잘린.pdf", b"%PDF-1.7\n1 0 obj\n", "its end is missing"),
        ("깨진.pdf", b"%PDF-1.7\nnothing\n%%EOF", "PDF"),
        ("깨진.md", "가나다라마바사".encode() + b"\xff\xfe" + "아자차카".encode(), "UTF-8"),
        ("깨진.txt", b"\xb0\xa1\xff\xff\xff", "CP949"),
        ("깨진16.txt", b"\xff\xfe\x00", "UTF-16"),
    ],
)
def test_unreadable_files_say_which_and_what_to_do(load: Load, name: str, content: bytes, problem: str) -> None:
    with pytest.raises(UnreadableDocument, match=problem) as caught:
        load(name, content)
    assert name in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("name", ["안내.md", "안내.txt"])
def test_encodings(load: Load, name: str, encoding: str) -> None:
    assert load(name, "제1조(목적) 뷁 한글\r\n② 둘".encode(encoding)).characters == 12


def test_content_decides_and_the_name_only_between_markdown_and_text(
    load: Load, renderer: object, regulation: str
) -> None:
    assert load("a.md", "# 제목").elements[0].text == "제목"
    assert load("a.txt", "# 제목").elements[0].text == "# 제목"
    assert load("a", "본문").elements[0].text == "본문"
    pdf = renderer.render_pdf(load("master.md", regulation))  # type: ignore[attr-defined]
    assert load("이름이.docx", pdf).pages == 1


def test_document_knows_its_file(load: Load) -> None:
    content = "본문".encode()
    document = load("여비 안내.txt", content)
    assert document.digest == digest(content)
    assert document.source == "여비 안내.txt"
    assert document.id == load("여비 안내.txt", b"other").id != load("다른.txt", content).id
