from __future__ import annotations

from datetime import date

import pytest

from ragbots.llms import ExtractiveComposer, ExtractiveRules
from ragbots.ports import Draft, Material
from ragbots.types import (
    Address,
    Block,
    BlockKind,
    Chunk,
    Context,
    Document,
    Hit,
    Level,
    Principal,
    Step,
)

CONTEXT = Context(Principal("kim"), date(2026, 11, 23))
ARTICLE = Address((Step(Level.ARTICLE, 8),))
ANNEX = Address((Step(Level.ANNEX, 1),))


def paragraph(number: int, text: str) -> Block:
    return Block(BlockKind.PARAGRAPH, ARTICLE.child(Step(Level.PARAGRAPH, number)), text, heading="휴가")


def item(paragraph_number: int, number: int, text: str) -> Block:
    steps = (Step(Level.PARAGRAPH, paragraph_number), Step(Level.ITEM, number))
    return Block(BlockKind.ITEM, Address((*ARTICLE.steps, *steps)), text)


def row(number: int, **cells: str) -> Block:
    return Block(
        BlockKind.ROW, ANNEX.child(Step(Level.ROW, number)), " ".join(cells.values()), cells=tuple(cells.items())
    )


def material(
    *blocks: Block, found: tuple[int, int] = (0, 0), title: str = "복무규정", heading: str = "휴가"
) -> Material:
    chunk = Chunk("k", "d", ARTICLE, (title,), heading, "", found)
    document = Document("d", "복무규정.md", title, "0" * 64, ())
    return Material(Hit(chunk, document, 1.0, 0.9, 3.0), list(enumerate(blocks)))


def compose(question: str, terms: dict[str, float], *materials: Material, **rules: float) -> Draft | None:
    return ExtractiveComposer(ExtractiveRules(**rules)).compose(question, terms, materials, CONTEXT)  # type: ignore[arg-type]


TITLE = Block(BlockKind.ARTICLE, ARTICLE, "제8조(휴가)", heading="휴가")
ONE = paragraph(1, "① 연차휴가는 15일로 한다. <개정 2023. 5. 4.>")
TWO = paragraph(2, "② 병가는 의사의 진단서를 내고 신청한다.")
GONE = paragraph(3, "③ 삭제 <2017. 11. 28.>")


def test_the_paragraph_that_holds_the_words_is_quoted_alone_and_without_notes() -> None:
    draft = compose("병가 신청에 무엇이 필요한가요", {"병가": 2.0, "신청": 1.0}, material(TITLE, ONE, TWO, GONE))
    assert draft is not None
    (quotation,) = draft.quotations
    assert (quotation.material, quotation.blocks) == (0, (2, 3))
    assert quotation.text == "② 병가는 의사의 진단서를 내고 신청한다."
    assert draft.text == f"복무규정 — 휴가\n{quotation.text}"
    first = compose("연차", {"연차": 1.0}, material(TITLE, ONE, TWO))
    assert first is not None
    assert first.quotations[0].text == "① 연차휴가는 15일로 한다."


def test_items_come_with_their_paragraph() -> None:
    blocks = (
        TITLE,
        paragraph(1, "① 다음 각 호의 경우 공가를 준다."),
        item(1, 1, "1. 투표"),
        item(1, 2, "2. 검진"),
        TWO,
    )
    draft = compose("투표하러 갈 때", {"투표": 1.0}, material(*blocks))
    assert draft is not None
    assert draft.quotations[0].blocks == (1, 4)
    assert draft.quotations[0].text.split("\n") == ["① 다음 각 호의 경우 공가를 준다.", "1. 투표", "2. 검진"]


def test_of_a_long_list_the_lead_and_the_fitting_items_stay() -> None:
    items = [item(1, n, f"{n}. 사유 {n}에 해당하는 " + "긴 설명 " * 10) for n in range(1, 8)]
    items[4] = item(1, 5, "5. 예비군 훈련에 나갈 때 " + "긴 설명 " * 10)
    draft = compose("예비군 훈련", {"예비군": 1.0}, material(TITLE, paragraph(1, "① 다음과 같다."), *items))
    assert draft is not None
    lines = draft.quotations[0].text.split("\n")
    assert lines[0] == "① 다음과 같다."
    assert any(line.startswith("5. 예비군") for line in lines)
    assert len(lines) == 1 + ExtractiveRules().items


def test_where_a_figure_is_asked_for_one_that_has_it_is_preferred() -> None:
    plain, figure = paragraph(1, "① 숙박비는 실비로 한다."), paragraph(2, "② 숙박비는 7만원을 넘지 못한다.")
    terms = {"숙박비": 1.0}
    asked = compose("숙박비는 얼마까지 나와요?", terms, material(plain, figure), budget=0)
    told = compose("숙박비는 어떻게 처리하나요?", terms, material(plain, figure), budget=0)
    assert asked is not None
    assert told is not None
    assert asked.quotations[0].text == "② 숙박비는 7만원을 넘지 못한다."
    assert told.quotations[0].text == "① 숙박비는 실비로 한다."


def test_provisions_that_fit_less_are_added_while_there_is_room_and_stand_in_reading_order() -> None:
    low, best, none = paragraph(1, "① 병가를 준다."), paragraph(2, "② 병가를 신청한다."), paragraph(3, "③ 회의를 연다.")
    terms = {"병가": 1.0, "신청": 1.0}
    wide = compose("병가 신청", terms, material(low, best, none), budget=100)
    tight = compose("병가 신청", terms, material(low, best, none), budget=15)
    assert wide is not None
    assert tight is not None
    assert [quotation.blocks for quotation in wide.quotations] == [(0, 1), (1, 2)]
    assert [quotation.blocks for quotation in tight.quotations] == [(1, 2)]


def test_the_best_is_given_whole_whatever_the_room() -> None:
    draft = compose("병가", {"병가": 1.0}, material(TWO), budget=3)
    assert draft is not None
    assert draft.quotations[0].text == TWO.text


def test_the_chunk_that_was_found_counts() -> None:
    one, two = paragraph(1, "① 휴가를 준다."), paragraph(2, "② 휴가를 뺀다.")
    draft = compose("휴가", {"휴가": 1.0}, material(one, two, found=(1, 2)), budget=0)
    assert draft is not None
    assert draft.quotations[0].blocks == (1, 2)


def test_a_row_is_quoted_with_its_columns_and_the_headings_alone_never() -> None:
    head = Block(BlockKind.ROW, ANNEX.child(Step(Level.ROW, 1)), "구분 숙박비")
    draft = compose(
        "부장 숙박비 한도", {"부장": 1.0, "숙박비": 1.0}, material(head, row(2, 구분="부장", 숙박비="8만원"))
    )
    assert draft is not None
    assert draft.quotations[0].text == "구분: 부장 | 숙박비: 8만원"
    assert compose("숙박비", {"숙박비": 1.0}, material(head)) is None


def test_a_second_article_is_quoted_where_it_fits_as_well_and_not_else() -> None:
    terms = {"병가": 1.0, "신청": 1.0}
    best = material(TWO, found=(0, 1))
    equal = material(paragraph(1, "① 병가는 인사부에 신청한다."), found=(0, 1), title="인사규정", heading="병가")
    worse = material(paragraph(1, "① 회의는 매월 연다."), found=(0, 1), title="회의규정")
    draft = compose("병가 신청", terms, best, equal)
    assert draft is not None
    assert [quotation.material for quotation in draft.quotations] == [0, 1]
    assert "인사규정 — 병가\n① 병가는 인사부에 신청한다." in draft.text
    draft = compose("병가 신청", terms, best, worse)
    assert draft is not None
    assert [quotation.material for quotation in draft.quotations] == [0]


@pytest.mark.parametrize("blocks", [(), (TITLE,), (GONE,), (Block(BlockKind.NOTE, ARTICLE, "[본조신설 2020. 1. 1.]"),)])
def test_where_nothing_is_in_force_there_is_nothing_to_say(blocks: tuple[Block, ...]) -> None:
    assert compose("휴가", {"휴가": 1.0}, material(*blocks)) is None
    assert compose("휴가", {"휴가": 1.0}) is None


def test_a_plain_page_is_quoted_by_the_paragraph() -> None:
    page = [Block(BlockKind.TEXT, Address(), text) for text in ("식당은 지하 1층에 있다.", "주차장은 뒤편에 있다.")]
    draft = compose("주차장은 어디?", {"주차장": 1.0}, material(*page, title="안내", heading="안내"))
    assert draft is not None
    assert draft.text == "안내\n주차장은 뒤편에 있다."  # a heading that is the title is not said twice


def test_a_question_without_words_of_weight() -> None:
    assert compose("?", {}, material(ONE)) is not None
