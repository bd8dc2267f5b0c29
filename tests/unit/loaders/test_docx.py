from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image

from ragbots.loaders.docx_numbering import number_text
from ragbots.types import Document, ElementKind, OmissionKind

Load = Callable[..., Document]

NUMBERING = (
    f"<w:numbering {nsdecls('w')}>"
    '<w:abstractNum w:abstractNumId="7">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:suff w:val="nothing"/>'
    '<w:lvlText w:val="제%1조"/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%2."/></w:lvl>'
    '<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="ganada"/><w:lvlText w:val="%3."/></w:lvl>'
    "</w:abstractNum>"
    '<w:num w:numId="7"><w:abstractNumId w:val="7"/></w:num>'
    '<w:num w:numId="8"><w:abstractNumId w:val="7"/>'
    '<w:lvlOverride w:ilvl="1"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'
    "</w:numbering>"
)


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def add_numbered(word: Any, text: str, rank: int, list_id: int = 7) -> None:
    properties = word.add_paragraph(text)._p.get_or_add_pPr()
    properties.append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{rank}"/><w:numId w:val="{list_id}"/></w:numPr>')
    )


def add_xml(word: Any, content: str) -> None:
    word.element.body.insert(-1, parse_xml(f"<w:p {nsdecls('w', 'wp', 'a')}>{content}</w:p>"))


def test_automatic_numbers_become_text(load: Load) -> None:
    word = docx.Document()
    word.part.numbering_part._element = parse_xml(NUMBERING)
    for text, rank in (
        ("(목적)", 0),
        ("임금", 1),
        ("시간", 1),
        ("평일", 2),
        ("휴일", 2),
        ("휴가", 1),
        ("(정의)", 0),
        ("일직", 1),
    ):
        add_numbered(word, text, rank)
    add_numbered(word, "다섯째", 1, list_id=8)
    assert [element.text for element in load("a.docx", saved(word)).elements] == [
        "제1조(목적)", "1. 임금", "2. 시간", "가. 평일", "나. 휴일", "3. 휴가", "제2조(정의)", "1. 일직", "5. 다섯째",
    ]  # fmt: skip


def test_numbers_of_a_style(load: Load) -> None:
    word = docx.Document()
    word.part.numbering_part._element = parse_xml(NUMBERING)
    style = word.styles["Heading 1"].element.get_or_add_pPr()
    style.append(parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="7"/></w:numPr>'))
    word.add_heading("(목적)", 1)
    word.add_heading("(정의)", 1)
    assert [(e.text, e.level) for e in load("a.docx", saved(word)).elements] == [("제1조(목적)", 1), ("제2조(정의)", 1)]


@pytest.mark.parametrize(
    ("style", "number", "text"),
    [
        ("ganada", 15, "거"), ("chosung", 2, "ㄴ"), ("decimalEnclosedCircle", 21, "㉑"), ("upperRoman", 14, "XIV"),
        ("lowerLetter", 27, "aa"), ("koreanDigital", 12, "일이"), ("koreanCounting", 112, "백십이"),
        ("unknown", 3, "3"),
    ],
)  # fmt: skip
def test_number_formats(style: str, number: int, text: str) -> None:
    assert number_text(style, number) == text


def test_headings_tables_and_text_in_body_order(load: Load) -> None:
    word = docx.Document()
    word.add_paragraph("복무규정", style="Title")
    word.add_paragraph("[시행 2026. 1. 1.]")
    word.add_heading("제1장 총칙", 1)
    word.add_paragraph("첫 줄\n둘째 줄")
    table = word.add_table(rows=3, cols=3)
    for row, words in zip(table.rows, ("구분 숙박비 -", "- 서울 그밖", "2급 10 8"), strict=True):
        for cell, word_ in zip(row.cells, words.split(), strict=True):
            cell.text = "" if word_ == "-" else word_
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(0, 1).merge(table.cell(0, 2))
    word.add_paragraph("끝")
    document = load("a.docx", saved(word))
    assert (document.title, document.effective) == ("복무규정", date(2026, 1, 1))
    assert [element.kind.value[0] for element in document.elements] == [*"hthtttt"]
    assert [element.level for element in document.elements][:3] == [1, 0, 2]
    grid = next(element for element in document.elements if element.kind is ElementKind.TABLE)
    assert grid.rows == (("구분", "숙박비", "숙박비"), ("구분", "서울", "그밖"), ("2급", "10", "8"))
    assert grid.header_rows == 2


def test_a_table_of_one_column_is_text(load: Load) -> None:
    word = docx.Document()
    word.add_table(rows=1, cols=1).cell(0, 0).text = "제1조(목적)\n이 규정은"
    assert [element.text for element in load("a.docx", saved(word)).elements] == ["제1조(목적)", "이 규정은"]


def test_tracked_changes_controls_boxes_and_hidden_text(load: Load) -> None:
    word = docx.Document()
    add_xml(
        word,
        "<w:r><w:t>연차는 </w:t></w:r><w:del><w:r><w:delText>10일</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>15일</w:t></w:r></w:ins>"
        "<w:sdt><w:sdtContent><w:r><w:t>로 한다.</w:t></w:r></w:sdtContent></w:sdt>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>숨은 말</w:t></w:r>",
    )
    box = "<w:txbxContent><w:p><w:r><w:t>글상자</w:t></w:r></w:p></w:txbxContent>"
    add_xml(
        word,
        '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>",
    )
    document = load("a.docx", saved(word))
    assert [element.text for element in document.elements] == ["연차는 15일로 한다.", "글상자"]
    assert [(omission.what, omission.characters) for omission in document.omissions] == [
        ("deleted: 10일", 3),
        ("hidden: 숨은 말", 3),
    ]


def test_footnotes_are_read_and_running_headers_reported(load: Load) -> None:
    word = docx.Document()
    notes = (
        f"<w:footnotes {nsdecls('w')}><w:footnote w:type='separator' w:id='-1'><w:p/></w:footnote>"
        "<w:footnote w:id='1'><w:p><w:r><w:t>총무부를 말한다.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    content_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), content_type, notes.encode(), word.part.package)
    word.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    add_xml(word, '<w:r><w:t>주관부서</w:t></w:r><w:r><w:footnoteReference w:id="1"/></w:r>')
    word.sections[0].header.paragraphs[0].text = "복무규정"
    document = load("a.docx", saved(word))
    assert [element.text for element in document.elements] == ["주관부서", "총무부를 말한다."]
    assert document.footnotes == 1
    assert [(omission.what, omission.expected) for omission in document.omissions] == [
        ("running header: 복무규정", True)
    ]


def test_the_table_of_contents_is_left_out(load: Load) -> None:
    word = docx.Document()
    word.element.body.insert(
        0,
        parse_xml(
            f"<w:sdt {nsdecls('w')}><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj>"
            "</w:sdtPr><w:sdtContent><w:p><w:r><w:t>제1조 1쪽</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        ),
    )
    word.add_paragraph("본문")
    document = load("a.docx", saved(word))
    assert [element.text for element in document.elements] == ["본문"]
    assert document.omissions[0].what == "table of contents"


def test_pictures_stand_after_their_paragraph(load: Load) -> None:
    word = docx.Document()
    word.add_paragraph("앞")
    pixels = io.BytesIO()
    Image.new("RGB", (9, 9)).save(pixels, "PNG")
    word.add_picture(pixels)
    word.paragraphs[-1]._p.xpath(".//wp:docPr")[0].set("descr", "결재선")
    cell = word.add_table(rows=2, cols=2).cell(1, 1)
    cell.paragraphs[0].add_run().add_picture(pixels)
    word.add_paragraph("뒤")
    document = load("a.docx", saved(word))
    assert [element.kind.value for element in document.elements] == ["text", "picture", "table", "picture", "text"]
    assert document.elements[1].text == "결재선"
    assert [omission.kind for omission in document.omissions] == [OmissionKind.PICTURE] * 2
    assert [omission.where for omission in document.omissions] == ["after: 앞", "after: 앞"]
