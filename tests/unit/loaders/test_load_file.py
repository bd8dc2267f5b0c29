from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragbots.errors import UnreadableDocument
from ragbots.loaders import built_in_loaders, probe
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.loaders.unsupported import refusal
from ragbots.ports import Probe
from ragbots.text import digest
from ragbots.types import Document

Load = Callable[..., Document]


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return buffer.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PAGE = "<!DOCTYPE html><html><body><h1>규정</h1><p>본문</p></body></html>"
MHT = b"From: <Saved by Blink>\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\r\n<html>"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("빈.md", b"", "empty"),
        ("공백.txt", b" \n\n", "no text"),
        ("그림.pdf", b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
        ("모름.bin", b"\x00\x01\x02\x03" * 50, "unknown binary"),
        ("옛문서.doc", OLE + bytes(600), "damaged HWP or old Office"),
        ("표.xlsx", archive("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        ("가짜.docx", archive("a.txt"), "ZIP archive of files"),
        ("가짜2.docx", archive("[Content_Types].xml", "word/other.xml"), "docx"),
        ("모음.zip", archive("여비규정.md", "보수규정.pdf"), "ZIP archive of files"),
        ("문서.odt", archive("mimetype", "content.xml"), "OpenDocument"),
        ("잘린.docx", archive("[Content_Types].xml", "word/document.xml")[:60], "damaged or cut off"),
        ("글.docx", "그냥 글입니다".encode(), r"the name says \.docx"),
        ("로그인.pdf", PAGE.encode(), "HTML under the name"),
        ("저장.mht", MHT, "MHT"),
        ("서식.rtf", b"{\\rtf1\\ansi text}", "RTF"),
        ("자료.xml", b"<?xml version='1.0'?><data/>", "XML"),
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


@pytest.mark.parametrize("name", ["규정.md", "규정.txt", "규정", "규정.htm", "규정.xls"])
def test_an_html_document_is_read_as_html_whatever_its_name(load: Load, name: str) -> None:
    assert [element.text for element in load(name, PAGE).elements] == ["규정", "본문"]


@pytest.mark.parametrize("content", ["# 규정\n<div>본문</div>\n", "<div>본문</div>\n", "본문 <html> 태그를 설명한다\n"])
def test_markdown_with_tags_in_it_stays_markdown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "규정.md"
    path.write_text(content, encoding="utf-8")
    accepting = next(loader for loader in built_in_loaders() if loader.accepts(probe(path)))
    assert isinstance(accepting, MarkdownLoader)


def saved_word() -> bytes:
    buffer = io.BytesIO()
    word = docx.Document()
    word.add_paragraph("본문")
    word.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["규정.pdf", "규정.hwp", "규정.zip", "규정"])
def test_a_word_file_is_read_whatever_its_name(load: Load, name: str) -> None:
    assert [element.text for element in load(name, saved_word()).elements] == ["본문"]


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        ("EncryptedPackage", "password"),
        ("WordDocument", r"\.doc\)"),
        ("Workbook", r"\.xls\)"),
        ("PowerPoint Document", r"\.ppt\)"),
    ],
)
def test_old_and_locked_office_files_are_named(stream: str, problem: str) -> None:
    probed = Probe(OLE, "a.bin", frozenset({stream, "SummaryInformation"}))
    assert not any(loader.accepts(probed) for loader in built_in_loaders())
    refused = refusal(probed, "a.bin")
    assert re.search(problem, refused.message)
    assert refused.hint


def packed(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved_word())) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in source.namelist():
            made.writestr(name, parts.pop(name, source.read(name)))
        for name, content in parts.items():
            made.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_wherever_they_are_declared(load: Load, encoding: str) -> None:
    bomb = f"{' ' * 1_048_570}<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode(encoding)
    with pytest.raises(UnreadableDocument, match=r"customXml/item1\.xml declares"):
        load("폭탄.docx", packed({"customXml/item1.xml": bomb}))


def test_a_package_that_unpacks_to_too_much_is_refused(load: Load) -> None:
    with pytest.raises(UnreadableDocument, match="more than 128 MiB of XML"):
        load("폭탄.docx", packed({"word/big.xml": bytes(129 * 1024 * 1024)}))


def test_a_damaged_part_is_named(load: Load) -> None:
    whole = packed({"word/media/a.bin": bytes(range(256)) * 40})
    at = whole.index(b"word/document.xml") + 60
    with pytest.raises(UnreadableDocument, match=r"깨짐\.docx"):
        load("깨짐.docx", whole[:at] + b"\xff" * 40 + whole[at + 40 :])


@given(st.binary(max_size=600), st.sampled_from([b"", OLE, b"PK\x03\x04", b"PK\x05\x06"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_can_be_probed(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(start + content)
    probed = probe(path, "ordner/a.hwp")
    assert probed.head == start + content
    assert probed.name == "a.hwp"


def test_many_comments_before_a_page_take_no_time(load: Load) -> None:
    assert load("a.md", "<!---->" * 1000 + "\n본문").elements[-1].text == "본문"
