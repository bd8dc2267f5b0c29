"""HWPX files made with known content come back as that content; locked and broken ones say what they are."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hwpx import HwpxDocument

from ragbots.errors import UnreadableDocument
from ragbots.loaders.hwp import HwpLoader, HwpxLoader
from ragbots.loaders.probing import OLE_START, probe
from ragbots.ports import Probe
from ragbots.types import Document, ElementKind, OmissionKind


def made(document: HwpxDocument) -> bytes:
    return bytes(document.to_bytes())


def load(folder: Path, data: bytes) -> Document:
    path = folder / "규정.hwpx"
    path.write_bytes(data)
    return HwpxLoader().load(path, path.name)


def changed(data: bytes, name: str, old: str, new: str) -> bytes:
    """The package with a part's text replaced; `name` may be a new part."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == name:
                assert old in content.decode()
                content = content.decode().replace(old, new).encode()
            after.writestr(entry.filename, content)
    return target.getvalue()


def lines(document: Document) -> list[str]:
    return [element.text for element in document.elements if element.kind in (ElementKind.TEXT, ElementKind.HEADING)]


@pytest.fixture
def allowances() -> HwpxDocument:
    document = HwpxDocument.new()
    document.add_paragraph("여비 규정")
    document.add_paragraph("제1조(목적) 이 규정은 *여비*의 지급을 <정한다>.")
    document.add_paragraph("□ 별표 1 숙박비")
    table = document.add_table(4, 3)
    for column, words in enumerate(("직급", "숙박비", "")):
        table.set_cell_text(0, column, words)
    for column, words in enumerate(("", "서울", "부산")):
        table.set_cell_text(1, column, words)
    for row, rank in enumerate(("임원", "부장"), start=2):
        for column, words in enumerate((rank, f"{row}00,000원", f"{row}50,000원")):
            table.set_cell_text(row, column, words)
    table.merge_cells(0, 0, 1, 0)
    table.merge_cells(0, 1, 0, 2)
    document.add_paragraph("부칙")
    return document


def test_paragraphs_come_back_word_for_word_and_in_order(tmp_path: Path, allowances: HwpxDocument) -> None:
    document = load(tmp_path, made(allowances))
    assert lines(document) == [
        "여비 규정",
        "제1조(목적) 이 규정은 *여비*의 지급을 <정한다>.",
        "□ 별표 1 숙박비",
        "부칙",
    ]
    assert document.title == "여비 규정"
    assert document.omissions == ()


def test_merged_cells_are_filled_and_say_how_deep_the_headings_are(tmp_path: Path, allowances: HwpxDocument) -> None:
    document = load(tmp_path, made(allowances))
    table = next(element for element in document.elements if element.kind is ElementKind.TABLE)
    assert table.rows == (
        ("직급", "숙박비", "숙박비"),
        ("직급", "서울", "부산"),
        ("임원", "200,000원", "250,000원"),
        ("부장", "300,000원", "350,000원"),
    )
    assert table.header_rows == 2


def test_automatic_numbers_stand_before_their_paragraphs(tmp_path: Path) -> None:
    document = HwpxDocument.new()
    for heading, body in (("목적", "이 규정은 여비를 정한다."), ("적용", "이 규정은 모두에게 적용한다.")):
        document.add_paragraph(heading, style="개요 1")
        document.add_paragraph(body, style="개요 2")
        document.add_paragraph("다만, 예외를 둔다.", style="개요 2")
    data = made(document)
    for old, new in ((">^1.<", ">제^1조<"), (">^2.<", ">^2)<")):
        data = changed(data, "Contents/header.xml", old, new)
    read = load(tmp_path, data)
    assert lines(read) == [
        "제1조 목적",
        "가) 이 규정은 여비를 정한다.",
        "나) 다만, 예외를 둔다.",
        "제2조 적용",
        "가) 이 규정은 모두에게 적용한다.",
        "나) 다만, 예외를 둔다.",
    ]
    # The outline numbers sentences as well; only what reads like a heading is one.
    assert [element.level for element in read.elements] == [1, 0, 0, 1, 0, 0]


def test_a_table_of_one_column_is_a_frame_around_text(tmp_path: Path) -> None:
    document = HwpxDocument.new()
    frame = document.add_table(1, 1)
    frame.set_cell_text(0, 0, "제1조(목적) 안내문")
    assert lines(load(tmp_path, made(document))) == ["제1조(목적) 안내문"]


def test_notes_stand_after_the_paragraph_that_refers_to_them(tmp_path: Path) -> None:
    document = HwpxDocument.new()
    paragraph = document.add_paragraph("숙박비는 실비로 한다.")
    document.notes.add_footnote("상한은 별표와 같다", paragraph=paragraph)
    document.add_paragraph("일비는 정액으로 한다.")
    read = load(tmp_path, made(document))
    assert [line.strip() for line in lines(read)] == [
        "숙박비는 실비로 한다.",
        "상한은 별표와 같다",
        "일비는 정액으로 한다.",
    ]
    assert read.footnotes == 1


def test_running_heads_are_left_out_and_named(tmp_path: Path) -> None:
    document = HwpxDocument.new()
    document.add_paragraph("본문이다.")
    document.page.set_header(text="머리말이다")
    document.page.set_footer(text="꼬리말이다")
    read = load(tmp_path, made(document))
    assert lines(read) == ["본문이다."]
    assert {one.what for one in read.omissions} == {"running header: 머리말이다", "running footer: 꼬리말이다"}
    assert all(one.expected for one in read.omissions)


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def test_a_picture_stands_where_it_is_and_is_no_expected_loss(tmp_path: Path) -> None:
    document = HwpxDocument.new()
    document.add_paragraph("별표 1")
    document.add_picture(PICTURE, "png", width=1000, height=1000)
    document.add_paragraph("별표 2")
    read = load(tmp_path, made(document))
    assert [element.kind.value for element in read.elements] == ["text", "picture", "text"]
    assert [(one.kind, one.expected) for one in read.omissions] == [(OmissionKind.PICTURE, False)]


def test_a_file_of_a_picture_alone_says_so(tmp_path: Path) -> None:
    document = HwpxDocument.new()
    document.add_picture(PICTURE, "png", width=1000, height=1000)
    with pytest.raises(UnreadableDocument, match="no text in this file but: picture"):
        load(tmp_path, made(document))


def test_a_password_is_named(tmp_path: Path, allowances: HwpxDocument) -> None:
    data = changed(made(allowances), "META-INF/manifest.xml", "<odf:manifest", "<!--encryption-data--><odf:manifest")
    with pytest.raises(UnreadableDocument, match="needs a password") as caught:
        load(tmp_path, data)
    assert "without a password" in caught.value.hint


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused_with_a_way_out(
    tmp_path: Path, allowances: HwpxDocument, share: float
) -> None:
    data = made(allowances)
    with pytest.raises(UnreadableDocument) as caught:
        load(tmp_path, data[: int(len(data) * share)])
    assert "규정.hwpx" in caught.value.message
    assert caught.value.hint


def test_a_section_that_is_no_xml_is_refused(tmp_path: Path, allowances: HwpxDocument) -> None:
    data = changed(made(allowances), "Contents/section0.xml", "</hs:sec>", "")
    with pytest.raises(UnreadableDocument):
        load(tmp_path, data)


def test_entities_are_refused(tmp_path: Path, allowances: HwpxDocument) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bomb">]><hs:sec '
    data = changed(made(allowances), "Contents/section0.xml", "<hs:sec ", bomb)
    with pytest.raises(UnreadableDocument, match="entities"):
        load(tmp_path, data)


def test_each_loader_takes_its_own_by_content(tmp_path: Path, allowances: HwpxDocument) -> None:
    path = tmp_path / "wrong-name.hwp"
    path.write_bytes(made(allowances))
    assert HwpxLoader().accepts(probe(path))
    assert not HwpLoader().accepts(probe(path))
    hwp = Probe(OLE_START + bytes(8), "규정", frozenset({"FileHeader", "DocInfo", "BodyText/Section0"}))
    assert HwpLoader().accepts(hwp)
    assert not HwpxLoader().accepts(hwp)
    word = Probe(OLE_START + bytes(8), "old.hwp", frozenset({"WordDocument"}))
    assert not HwpLoader().accepts(word)


def test_hwp_3_is_named(tmp_path: Path) -> None:
    path = tmp_path / "옛날.hwp"
    path.write_bytes(b"HWP Document File V3.00 \x1a\x01\x02\x03\x04\x05" + bytes(200))
    assert HwpLoader().accepts(probe(path))
    with pytest.raises(UnreadableDocument, match="version 3") as caught:
        HwpLoader().load(path, path.name)
    assert ".hwpx" in caught.value.hint


def test_what_is_no_hwp_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "규정.hwp"
    path.write_bytes(OLE_START + struct.pack("<500I", *range(500)))
    with pytest.raises(UnreadableDocument, match=r"규정\.hwp"):
        HwpLoader().load(path, path.name)
