from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName
from PIL import Image as Pixels

from ragbots.errors import UnreadableDocument
from ragbots.types import Document, ElementKind, OmissionKind

Load = Callable[..., Document]
RULE = Side(style="thin")
RULED = Border(left=RULE, right=RULE, top=RULE, bottom=RULE)


def saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def write(sheet: Any, rows: Sequence[Sequence[Any]], top: int = 1, *, ruled: bool = False) -> None:
    for number, row in enumerate(rows, start=top):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column, value)
            if ruled:
                cell.border = RULED
            if isinstance(value, int):
                cell.number_format = "#,##0"


def kinds(document: Document) -> list[str]:
    return [element.kind.value for element in document.elements]


def tables(document: Document) -> list[Any]:
    return [element for element in document.elements if element.kind is ElementKind.TABLE]


def texts(document: Document) -> list[str]:
    return [element.text for element in document.elements if element.kind is ElementKind.TEXT]


def annexes(*, ruled: bool) -> Any:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "[별표 1] 국내여비 정액표(제10조 관련)"
    sheet.merge_cells("A1:D1")
    sheet["D2"] = "(단위: 원)"
    head = [["구분", "숙박비", None, "일비"], [None, "서울", "그 밖", None]]
    write(sheet, [*head, ["부장", 100000, 80000, 25000], ["과장", 90000, 70000, None]], top=3, ruled=ruled)
    for span in ("A3:A4", "B3:C3", "D3:D4"):
        sheet.merge_cells(span)
    sheet["A7"] = "비고: 1. 실비로 한다.\n2. 국외는 따로 정한다."
    sheet["A9"] = "[별표 2] 한도"
    write(sheet, [["지역", "한도"], ["서울", 1000]], top=10, ruled=ruled)
    return book


@pytest.mark.parametrize("ruled", [True, False])
def test_titles_units_tables_and_notes_of_one_sheet(load: Load, ruled: bool) -> None:
    document = load("별표.xlsx", saved(annexes(ruled=ruled)))
    assert kinds(document) == ["text", "text", "table", "text", "text", "text", "table"]
    assert texts(document) == [
        "[별표 1] 국내여비 정액표(제10조 관련)",
        "(단위: 원)",
        "비고: 1. 실비로 한다.",
        "2. 국외는 따로 정한다.",
        "[별표 2] 한도",
    ]
    first, second = tables(document)
    assert first.header_rows == 2
    assert first.rows == (
        ("구분", "숙박비", "숙박비", "일비"),
        ("구분", "서울", "그 밖", "일비"),
        ("부장", "100,000", "80,000", "25,000"),
        ("과장", "90,000", "70,000", ""),
    )
    assert (second.header_rows, second.rows) == (1, (("지역", "한도"), ("서울", "1,000")))


def test_a_title_and_the_unit_in_one_row_above_a_ruled_table_are_lines(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["일비표", None, "(단위: 원)"]])
    write(book.active, [["구분", "국내", "국외"], ["부장", 1, 2]], top=2, ruled=True)
    document = load("a.xlsx", saved(book))
    assert texts(document) == ["일비표", "(단위: 원)"]
    assert len(tables(document)) == 1


def test_rows_that_begin_like_a_rule_part_tables_without_blank_rows(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["제1조(한도)"], ["구분", "한도"], ["가", 1], ["제2조(기한)"], ["구분", "기한"], ["나", 2]])
    assert kinds(load("a.xlsx", saved(book))) == ["text", "table", "text", "table"]


def test_a_category_across_the_table_stays_a_row(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["구분", "금액"], ["국내", None], ["서울", 1], ["국외", None], ["도쿄", 2]], ruled=True)
    book.active.merge_cells("A2:B2")
    [table] = load("a.xlsx", saved(book)).elements
    assert table.rows == (("구분", "금액"), ("국내", "국내"), ("서울", "1"), ("국외", ""), ("도쿄", "2"))


@pytest.mark.parametrize("look", [{"font": Font(bold=True)}, {"fill": PatternFill("solid", fgColor="FFDDDDDD")}])
def test_headings_are_known_by_their_look(load: Load, look: dict[str, Any]) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["구분", 2025, 2026], ["", "상반기", "상반기"], ["가", "나", "다"], ["라", "마", "바"]])
    for row in book.active["A1:C2"]:
        for cell in row:
            for name, value in look.items():
                setattr(cell, name, value)
    [table] = load("a.xlsx", saved(book)).elements
    assert table.header_rows == 2


def test_headings_at_the_left_alone_are_known_by_their_look(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["신청 기한", "출장 3일 전"], ["결재권자", "부서장"]])
    for row in book.active["A1:A2"]:
        row[0].font = Font(bold=True)
    [table] = load("a.xlsx", saved(book)).elements
    assert table.header_rows == 0


def test_a_first_row_of_numbers_is_no_heading(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["가", 1], ["나", 2]])
    [table] = load("a.xlsx", saved(book)).elements
    assert table.header_rows == 0


def test_a_regulation_in_one_column_is_its_lines(load: Load, regulation: str) -> None:
    book = openpyxl.Workbook()
    lines = [line.strip() for line in regulation.split("# 당직규정")[1].split("\n") if line.strip() and "|" not in line]
    write(book.active, [[line] for line in lines])
    assert texts(load("a.xlsx", saved(book))) == lines


def test_sheets_are_headings_unless_their_first_line_says_it(load: Load) -> None:
    book = openpyxl.Workbook()
    book.active.title = "별표 1"
    book.active["A1"] = "[별표 1] 정액표"
    book.create_sheet("서식")["A1"] = "신청서"
    book.create_sheet("빈 시트")
    document = load("여비.xlsx", saved(book))
    assert [(element.text, element.level) for element in document.elements] == [
        ("[별표 1] 정액표", 0),
        ("서식", 2),
        ("신청서", 0),
    ]
    assert document.title == "여비"
    assert [(one.what, one.expected) for one in document.omissions] == [("sheet name: 별표 1", True)]


def test_what_nobody_sees_is_left_out_and_named(load: Load) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    write(sheet, [["구분", "금액", "내부"], ["가", 1, "숨은열"], ["나", 2, "열"], ["숨은행", 3, "행"]])
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet["A3"].font = Font(strike=True)
    sheet["B2"].comment = Comment("증빙 필요", "담당")
    hidden = book.create_sheet("옛 표")
    hidden["A1"] = "옛 금액"
    hidden.sheet_state = "hidden"
    sheet.oddFooter.center.text = "여비규정"
    document = load("a.xlsx", saved(book))
    [table] = tables(document)
    assert table.rows == (("구분", "금액"), ("가", "1"), ("", "2"))
    assert {(one.what.split(":")[0], one.expected) for one in document.omissions} == {
        ("hidden rows or columns", True),
        ("struck out", True),
        ("comment", True),
        ("hidden sheet", True),
        ("running line", True),
    }
    assert sum(one.characters for one in document.omissions if one.what.startswith("comment")) == 4


def test_filtered_and_folded_rows_are_read(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["구분", "금액"], ["가", 1], ["나", 2]])
    book.active.auto_filter.ref = "A1:B3"
    book.active.auto_filter.add_filter_column(0, ["가"])
    book.active.row_dimensions[3].hidden = True
    assert len(tables(load("a.xlsx", saved(book)))[0].rows) == 3


def test_a_formula_without_its_value_is_named(load: Load) -> None:
    book = openpyxl.Workbook()
    write(book.active, [["구분", "합계"], ["가", "=1+1"]])
    [omission] = load("a.xlsx", saved(book)).omissions
    assert (omission.where, omission.expected) == ("sheet Sheet, cell B2", False)


def test_pictures_and_charts_are_named_where_they_stand(load: Load) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    write(sheet, [["구분", "금액"], ["가", 1]])
    sheet["A20"] = "끝"
    pixels = io.BytesIO()
    Pixels.new("RGB", (9, 9)).save(pixels, "PNG")
    sheet.add_image(Image(pixels), "A5")
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
    chart.title = "연도별 금액"
    sheet.add_chart(chart, "A8")
    document = load("a.xlsx", saved(book))
    assert kinds(document) == ["table", "picture", "picture", "text"]
    assert document.elements[2].text == "연도별 금액"
    assert [one.kind for one in document.omissions] == [OmissionKind.PICTURE] * 2
    assert document.omissions[1].where == "sheet Sheet, row 8"


def test_dates_and_properties(load: Load) -> None:
    book = openpyxl.Workbook()
    book.properties.title = "여비규정"
    book.active["A1"] = "[시행 2026. 3. 1.]"
    write(book.active, [["구분", "시행일"], ["가", date(2026, 3, 1)]], top=3)
    document = load("a.xlsx", saved(book))
    assert (document.title, document.effective) == ("여비규정", date(2026, 3, 1))
    assert tables(document)[0].rows[1] == ("가", "2026-03-01")


def test_a_far_cell_and_names_of_other_files_cost_nothing(load: Load) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "본문"
    book.active["XFD1048576"] = "먼 곳"
    book.defined_names["밖"] = DefinedName("밖", attr_text="'[other.xlsx]Sheet1'!$A$1")
    assert texts(load("a.xlsx", saved(book))) == ["본문", "먼 곳"]


def test_a_merge_over_the_whole_sheet_is_refused(load: Load) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(annexes(ruled=True)))) as source, zipfile.ZipFile(buffer, "w") as made:
        for name in source.namelist():
            made.writestr(name, source.read(name).replace(b'ref="A1:D1"', b'ref="A1:XFD1048576"'))
    with pytest.raises(UnreadableDocument, match="merged cells"):
        load("폭탄.xlsx", buffer.getvalue())
