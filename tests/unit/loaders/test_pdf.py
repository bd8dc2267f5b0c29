from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import date
from types import ModuleType

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table, TableStyle

from ragbots.errors import UnreadableDocument
from ragbots.types import Document, ElementKind, OmissionKind, count_characters

Load = Callable[..., Document]
Page = Callable[[Canvas], None]
FONT = "NanumGothic"
SIZE = 10
LEFT, TOP = 70, 770


def made(*pages: Page) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    for page in pages:
        canvas.setFont(FONT, SIZE)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def lines_page(lines: Sequence[str], header: str = "", footer: str = "") -> Page:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(LEFT, 815, header)
        for number, line in enumerate(lines):
            canvas.drawString(LEFT, TOP - 16 * number, line)
        canvas.drawCentredString(A4[0] / 2, 30, footer)

    return draw


def wrapped(text: str, width: float) -> list[str]:
    """Broken between any two characters, as Korean typesetting does; a space at the break is dropped."""
    lines = [""]
    for character in text:
        if pdfmetrics.stringWidth(lines[-1] + character, FONT, SIZE) > width:
            lines.append("")
        lines[-1] += character
    return [line.strip() for line in lines]


@pytest.fixture(autouse=True)
def _fonts(renderer: ModuleType) -> None:
    """The tests draw Korean with the renderer's fonts."""


def texts(document: Document) -> list[str]:
    return [element.text for element in document.elements if element.kind is not ElementKind.TABLE]


RADICALS = ("비상(⾮常)", "비상(非常)")

RULES = [
    "① 직원은 휴가를 가려는 날의 3일 전까지 그룹웨어로 신청하여야 하며, "
    "부서장은 업무에 지장이 있으면 그 시기를 바꿀 수 있다.",
    "② 부서장은 제10조제2항에 따른 휴가의 시기를 바꾸려면 신청을 받은 날의 "
    "다음 날까지 그 까닭을 직원에게 알려야 한다. <개정 2025. 12. 18.>",
    "1. 「복무규정」 제20조(연차휴가)에 따른 휴가로서 연속하여 5일을 넘지 아니하고 "
    "같은 부서에 다른 휴가자가 없는 휴가일 것",
    "가. 가족의 간호나 자녀의 학교 행사에 참석하기 위한 휴가로서 신청한 날부터 30일이 "
    "지나지 아니한 휴가에 해당하는 경우",
]


@pytest.mark.parametrize("width", range(260, 380, 7))
def test_wrapped_lines_become_the_written_lines(load: Load, width: float) -> None:
    """Wherever the lines break, in a date, before a reference, inside a word, the same lines come back."""
    printed = [line for rule in RULES for line in wrapped(rule, width)]
    document = load("a.pdf", made(lines_page(printed)))
    assert ["".join(line.split()) for line in texts(document)] == ["".join(rule.split()) for rule in RULES]


def test_a_broken_word_is_whole_and_a_broken_phrase_keeps_its_space(load: Load, renderer: ModuleType) -> None:
    source = "# 규정\n\n" + "\n\n".join(RULES)
    document = load("a.pdf", renderer.render_pdf(load("a.md", source)))
    assert [line for line in texts(document)[1:] if line.strip()] == RULES


def test_radicals_are_the_characters_they_look_like(load: Load) -> None:
    """Browsers print 非 with the code of the radical ⾮; nobody could search for it."""
    assert texts(load("a.pdf", made(lines_page([RADICALS[0]])))) == [RADICALS[1]]


def test_references_at_the_beginning_of_a_line_are_no_headings(load: Load) -> None:
    printed = [
        "제1조(시행일) 이 규정은 공포한 날부터 시행한다. 다만, 제42조제4항과 제43조의 개정규정 및",
        "제52조(제1항은 제외한다) 및",
    ]
    [element] = load("a.pdf", made(lines_page([*printed, "별표 1은 다음 해에 시행한다."]))).elements
    assert element.text.endswith("개정규정 및 제52조(제1항은 제외한다) 및 별표 1은 다음 해에 시행한다.")


def test_running_lines_are_reported_and_paragraphs_go_over_the_page(load: Load) -> None:
    rule = wrapped(RULES[0] + " " + RULES[0][2:], 300)
    pages = [lines_page([f"{number}쪽의 첫 줄이다.", *rule[:2]], "복무규정", f"- {number} -") for number in (1, 2)]
    last = lines_page([*rule[2:], "끝."], "복무규정", "- 3 -")
    document = load("a.pdf", made(*pages, last))
    assert "복무규정" not in texts(document)
    assert document.elements[-1].text == "끝."
    assert document.elements[-2].page == 2
    assert "".join(texts(document)[-2].split()).endswith("바꿀수있다.")
    assert [(one.what, one.where, one.characters) for one in document.omissions] == [
        ("running line: 복무규정", "pages 1–3 (3)", 12),
        ("running line: - 1 -", "pages 1–3 (3)", 9),
    ]


def test_numbered_lines_at_the_top_of_pages_are_no_running_lines(load: Load) -> None:
    pages = [lines_page([f"제{number}조 삭제", "본문이다."]) for number in (3, 9, 14)]
    assert [line for line in texts(load("a.pdf", made(*pages))) if line.startswith("제")] == [
        "제3조 삭제",
        "제9조 삭제",
        "제14조 삭제",
    ]


def table_page(rows: list[list[str]], spans: Sequence[tuple[str, tuple[int, int], tuple[int, int]]] = ()) -> Page:
    def draw(canvas: Canvas) -> None:
        table = Table(rows, colWidths=[120] * len(rows[0]), rowHeights=22)
        ruled = [("GRID", (0, 0), (-1, -1), 0.5, "black"), ("FONT", (0, 0), (-1, -1), FONT, SIZE)]
        table.setStyle(TableStyle([*ruled, *spans]))
        table.wrapOn(canvas, *A4)
        table.drawOn(canvas, LEFT, TOP - 22 * len(rows))

    return draw


def test_ruled_table_with_merged_cells(load: Load) -> None:
    rows = [["구분", "숙박비", ""], ["", "서울", "그 밖"], ["2급", "100,000원", "80,000원"]]
    page = table_page(rows, [("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0))])
    [table] = load("a.pdf", made(page)).elements
    assert table.rows == (("구분", "숙박비", "숙박비"), ("구분", "서울", "그 밖"), ("2급", "100,000원", "80,000원"))
    assert table.header_rows == 2


def test_a_table_over_two_pages_is_one(load: Load) -> None:
    head = ["구분", "일비"]
    first, second = table_page([head, ["2급", "30,000원"]]), table_page([head, ["3급", "25,000원"]])
    document = load("a.pdf", made(first, second))
    assert [element.rows for element in document.elements] == [
        (("구분", "일비"), ("2급", "30,000원"), ("3급", "25,000원"))
    ]
    assert [omission.characters for omission in document.omissions] == [4]


REMARK = "부산광역시의 7월과 8월 숙박비 상한은 해운대구에 머무는 경우에만 20,000원을 더하여 지급한다."


def remark_table(rows: list[list[str]]) -> Page:
    """Rows of a label, an amount and the lines of a remark, as a word processor breaks them at 120 points."""

    def draw(canvas: Canvas) -> None:
        table = Table(rows, colWidths=[120, 120, 128])
        ruled = [("GRID", (0, 0), (-1, -1), 0.5, "black"), ("FONT", (0, 0), (-1, -1), FONT, SIZE)]
        table.setStyle(
            TableStyle([*ruled, ("LEFTPADDING", (0, 0), (-1, -1), 4), ("RIGHTPADDING", (0, 0), (-1, -1), 4)])
        )
        _, height = table.wrapOn(canvas, *A4)
        table.drawOn(canvas, LEFT, TOP - height)

    return draw


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_row_that_a_page_break_cuts_inside_a_cell_is_one_row(load: Load, cut: int) -> None:
    head, lines = ["구분", "숙박비", "비고"], wrapped(REMARK, 120)
    assert len(lines) > 3
    first = remark_table([head, ["광역시", "90,000원", "\n".join(lines[:cut])]])
    second = remark_table([head, ["", "", "\n".join(lines[cut:])], ["그 밖", "70,000원", ""]])
    [table] = load("a.pdf", made(first, second)).elements
    rows = [tuple("".join(cell.split()) for cell in row) for row in table.rows]
    assert rows == [tuple(head), ("광역시", "90,000원", "".join(REMARK.split())), ("그밖", "70,000원", "")]


def test_a_row_below_a_merged_label_is_a_row_of_its_own_after_a_page_break(load: Load) -> None:
    head = ["지역", "직급", "숙박비"]
    first = table_page([head, ["서울", "임원", "120,000원"]])
    rows = [["", "", "110,000원"], ["", "직원", "100,000원"], ["광역시", "임원", "90,000원"]]
    second = table_page([head, *rows], [("SPAN", (0, 1), (0, 2))])
    [table] = load("a.pdf", made(first, second)).elements
    assert table.rows[2:] == (
        ("서울", "임원", "110,000원"),
        ("서울", "직원", "100,000원"),
        ("광역시", "임원", "90,000원"),
    )


def test_an_amount_that_is_not_there_stays_empty_after_a_page_break(load: Load) -> None:
    head = ["일비", "식비"]
    first, second = table_page([head, ["30,000원", "40,000원"]]), table_page([head, ["", "20,000원"]])
    [table] = load("a.pdf", made(first, second)).elements
    assert table.rows[2:] == (("", "20,000원"),)


def test_tables_of_other_columns_stay_apart(load: Load) -> None:
    first, second = table_page([["구분", "일비"], ["2급", "1"]]), table_page([["가", "나", "다"], ["라", "마", "바"]])
    assert len(load("a.pdf", made(first, second)).elements) == 2


def test_pages_without_text_are_reported(load: Load) -> None:
    document = load("a.pdf", made(lines_page(["본문이다."]), lambda canvas: canvas.rect(9, 9, 9, 9)))
    assert (document.pages, [omission.where for omission in document.omissions]) == (2, ["page 2"])


def test_a_pdf_without_any_text_is_unreadable(load: Load) -> None:
    with pytest.raises(UnreadableDocument, match="OCR"):
        load("스캔.pdf", made(lambda canvas: canvas.rect(9, 9, 9, 9)))


def test_password_is_named_and_an_empty_one_needs_none(load: Load) -> None:
    plain = PdfReader(io.BytesIO(made(lines_page(["본문이다."]))))
    for password in ("비밀", ""):
        writer = PdfWriter(clone_from=plain)
        writer.encrypt(user_password=password, owner_password="소유자", algorithm="AES-256")
        buffer = io.BytesIO()
        writer.write(buffer)
        if password:
            with pytest.raises(UnreadableDocument, match="password"):
                load("잠김.pdf", buffer.getvalue())
        else:
            assert texts(load("열림.pdf", buffer.getvalue())) == ["본문이다."]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_pdf_is_unreadable(load: Load, share: float) -> None:
    whole = made(lines_page(["본문이다."]))
    with pytest.raises(UnreadableDocument, match=r"잘림\.pdf"):
        load("잘림.pdf", whole[: int(share * len(whole))])


def test_nothing_vanishes(load: Load, renderer: ModuleType, regulation: str) -> None:
    """Elements and omissions together hold as many characters as another reader finds in the file."""
    data = renderer.render_pdf(load("a.md", regulation))
    document = load("a.pdf", data)
    other = sum(count_characters(page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages)
    assert document.characters + sum(omission.characters for omission in document.omissions) == other
    assert document.effective == date(2026, 1, 1)


def test_the_loader_reads_two_files_independently(load: Load, renderer: ModuleType, regulation: str) -> None:
    data = renderer.render_pdf(load("a.md", regulation))
    first = load("a.pdf", data)
    load("b.pdf", made(lines_page(["본문이다."])))
    assert load("a.pdf", data) == first


def pixels(shade: int) -> ImageReader:
    return ImageReader(Image.new("RGB", (40, 40), (shade, 0, 0)))


def test_pictures_stand_where_they_are_drawn_and_repeated_ones_are_expected(load: Load) -> None:
    logo = pixels(1)

    def page(number: int) -> Page:
        def draw(canvas: Canvas) -> None:
            canvas.drawImage(logo, 400, 700, 150, 100)
            canvas.drawString(
                LEFT, 690 - 40 * number, "제3조(기한) 뒤의 본문이다." if number == 2 else "제1조(목적) 앞의 본문이다."
            )
            if number == 2:
                canvas.drawImage(pixels(2), LEFT, 400, 200, 200)
                canvas.drawString(LEFT, 300, "제2조(정의) 그림 아래의 글이다.")

        return draw

    document = load("a.pdf", made(page(1), page(2)))
    assert [(element.kind.value, element.page) for element in document.elements] == [
        ("text", 1),
        ("text", 2),
        ("picture", 2),
        ("text", 2),
    ]
    assert [(one.what, one.where, one.expected) for one in document.omissions] == [
        ("1 repeated picture(s)", "page 1", True),
        ("1 picture(s)", "page 2", False),
        ("1 repeated picture(s)", "page 2", True),
    ]
    assert all(one.kind is OmissionKind.PICTURE for one in document.omissions)


def test_a_scanned_page_is_told_from_a_blank_one(load: Load) -> None:
    scan = [lambda canvas, n=n: canvas.drawImage(pixels(n), 0, 0, *A4) for n in (3, 4)]
    document = load("a.pdf", made(lines_page(["본문이다."]), *scan, lambda canvas: canvas.rect(9, 9, 9, 9)))
    pages = [(one.where, one.expected) for one in document.omissions if one.kind is OmissionKind.PAGE]
    assert pages == [("page 2", False), ("page 3", False), ("page 4", True)]
    assert [one.page for one in document.elements if one.kind is ElementKind.PICTURE] == [2, 3]
