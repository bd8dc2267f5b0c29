from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import pptx
from lxml import etree
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml.ns import qn
from pptx.util import Inches

from ragbots.types import Document, OmissionKind

Load = Callable[..., Document]
TITLE, TITLE_ONLY, BLANK = 0, 5, 6


def saved(show: Any) -> bytes:
    buffer = io.BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def slide_of(show: Any, layout: int, title: str = "") -> Any:
    slide = show.slides.add_slide(show.slide_layouts[layout])
    if title:
        slide.shapes.title.text = title
    return slide


def box(slide: Any, text: str, left: float, top: float) -> Any:
    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5))
    shape.text_frame.text = text
    return shape


def grid(slide: Any, rows: Sequence[Sequence[str]]) -> Any:
    table = slide.shapes.add_table(len(rows), len(rows[0]), Inches(1), Inches(2), Inches(5), Inches(1)).table
    for r, row in enumerate(rows):
        for c, words in enumerate(row):
            table.cell(r, c).text = words
    return table


def pixels() -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")
    return buffer


def seen(document: Document) -> list[tuple[int | None, str]]:
    return [(element.page, element.text) for element in document.elements]


def test_titles_are_headings_and_boxes_are_read_from_the_top_and_the_left(load: Load) -> None:
    show = pptx.Presentation()
    first = slide_of(show, TITLE, "여비 안내")
    first.placeholders[1].text = "총무부\n2026"
    second = slide_of(show, TITLE_ONLY, "숙박비")
    for text, left, top in (("셋", 1, 4), ("둘", 5, 2), ("하나", 1, 2.02)):
        box(second, text, left, top)
    second.notes_slide.notes_text_frame.text = "설명"
    document = load("a.pptx", saved(show))
    assert (document.title, document.pages) == ("여비 안내", 2)
    assert seen(document) == [
        (1, "여비 안내"), (1, "총무부"), (1, "2026"), (2, "숙박비"), (2, "하나"), (2, "둘"), (2, "셋"), (2, "설명"),
    ]  # fmt: skip
    assert [element.level for element in document.elements if element.level] == [1, 2]


def test_tables_with_merged_cells_go_on_over_slides(load: Load) -> None:
    show = pptx.Presentation()
    for row in (["부장", "100,000", "80,000"], ["과장", "90,000", "70,000"]):
        slide = slide_of(show, TITLE_ONLY, "별표 1")
        table = grid(slide, [["구분", "숙박비", ""], ["", "서울", "그 밖"], row])
        table.cell(0, 0).merge(table.cell(1, 0))
        table.cell(0, 1).merge(table.cell(0, 2))
    document = load("a.pptx", saved(show))
    heading, table = document.elements
    assert heading.text == "별표 1"
    assert (table.page, table.header_rows) == (1, 2)
    assert table.rows == (
        ("구분", "숙박비", "숙박비"),
        ("구분", "서울", "그 밖"),
        ("부장", "100,000", "80,000"),
        ("과장", "90,000", "70,000"),
    )
    assert [one.what.split(":")[0] for one in document.omissions] == ["title", "table heading"]
    assert all(one.expected for one in document.omissions)


def test_automatic_numbers_are_written_out(load: Load) -> None:
    show = pptx.Presentation()
    frame = box(slide_of(show, BLANK), "가", 1, 1).text_frame
    for words in ("나", "중간", "다"):
        frame.add_paragraph().text = words
    for paragraph, style in zip(
        frame.paragraphs, ("arabicPeriod", "arabicPeriod", "", "circleNumDbPlain"), strict=True
    ):
        if style:
            etree.SubElement(paragraph._p.get_or_add_pPr(), qn("a:buAutoNum"), type=style)
    assert [text for _, text in seen(load("a.pptx", saved(show)))] == ["1. 가", "2. 나", "중간", "① 다"]


def test_pictures_charts_and_groups(load: Load) -> None:
    show = pptx.Presentation()
    slide = slide_of(show, BLANK)
    slide.shapes.add_picture(pixels(), 0, 0, Inches(4), Inches(2))
    slide.shapes.add_picture(pixels(), 0, Inches(2.5), Inches(0.3), Inches(0.3))
    data = CategoryChartData()
    data.categories = ["가", "나"]
    data.add_series("금액", (1, 2))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, 0, Inches(3), Inches(3), Inches(2), data)
    box_in_group = slide.shapes.add_group_shape().shapes.add_textbox(0, Inches(6), Inches(1), Inches(1))
    box_in_group.text_frame.text = "묶음"
    document = load("a.pptx", saved(show))
    assert [element.kind.value for element in document.elements] == ["picture", "picture", "text"]
    assert [(one.kind, one.expected) for one in document.omissions] == [
        (OmissionKind.PICTURE, False),
        (OmissionKind.PICTURE, True),
        (OmissionKind.PICTURE, False),
    ]


def test_hidden_slides_are_named_and_blank_ones_expected(load: Load) -> None:
    show = pptx.Presentation()
    box(slide_of(show, BLANK), "본문", 1, 1)
    hidden = slide_of(show, BLANK)
    box(hidden, "숨은 글", 1, 1)
    hidden._element.set("show", "0")
    slide_of(show, BLANK)
    document = load("a.pptx", saved(show))
    assert seen(document) == [(1, "본문")]
    assert [(one.what, one.characters, one.expected) for one in document.omissions] == [
        ("hidden slide: 숨은 글", 3, True),
        ("slide", 0, True),
    ]
