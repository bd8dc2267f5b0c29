from __future__ import annotations

from datetime import date

import pytest

from ragbots.llms import ExtractiveComposer, ExtractiveRules
from ragbots.ports import Draft, Fit, Material, Quotation
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
    *blocks: Block,
    found: tuple[int, int] = (0, 0),
    title: str = "복무규정",
    heading: str = "휴가",
    address: Address = ARTICLE,
    referred_by: int | None = None,
    score: float = 1.0,
    fits: tuple[Fit, ...] = (),
) -> Material:
    chunk = Chunk("k", "d", address, (title,), heading, "", found)
    document = Document("d", "복무규정.md", title, "0" * 64, ())
    return Material(Hit(chunk, document, score, 0.9, 3.0), list(enumerate(blocks)), referred_by, fits)


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
    assert draft.text == f"복무규정 — 휴가\n{quotation.text} [1]"
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
    draft = compose("예비군 훈련", {"예비군": 1.0}, material(TITLE, paragraph(1, "① 다음과 같다."), *items), long=200)
    assert draft is not None
    lines = draft.quotations[0].text.split("\n")
    assert lines[0] == "① 다음과 같다."
    assert any(line.startswith("5. 예비군") for line in lines)
    assert len(lines) == 1 + ExtractiveRules().items
    quotation = draft.quotations[0]
    assert quotation.shortened
    quoted = [number for first, last in quotation.parts for number in range(first, last)]
    assert len(quoted) == len(lines)  # what was left out is not marked as quoted
    assert (quotation.parts[0][0], quotation.parts[-1][1]) == quotation.blocks


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
    equal = material(
        paragraph(1, "① 병가는 인사부에 신청한다."), found=(0, 1), title="인사규정", heading="병가", score=1.6
    )
    worse = material(paragraph(1, "① 회의는 매월 연다."), found=(0, 1), title="회의규정")
    draft = compose("병가 신청", terms, best, equal)
    assert draft is not None
    assert [quotation.material for quotation in draft.quotations] == [0, 1]
    assert "인사규정 — 병가\n① 병가는 인사부에 신청한다. [2]" in draft.text
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
    assert draft.text == "안내\n주차장은 뒤편에 있다. [1]"  # a heading that is the title is not said twice


def test_a_question_without_words_of_weight() -> None:
    assert compose("?", {}, material(ONE)) is not None


RATES = (
    row(1, 구분="1급(본부장)", 숙박비="10만원"),
    row(2, 구분="2급(부장)", 숙박비="8만원"),
    Block(
        BlockKind.TEXT,
        ANNEX,
        "비고: 1. 숙박비는 실비로 한다. 2. 광역시란 부산, 대구를 말한다. " + "3. 그 밖의 말. " * 20,
    ),
)
LODGING = paragraph(1, "① 숙박비는 별표 1의 상한의 범위에서 실비로 지급한다.")
ASKED = "부장이 출장 가면 숙박비 상한이 얼마예요"
WORDS = {"부장": 2.2, "출장": 1.0, "숙박비": 1.0, "상한": 1.1, "얼마": 1.0}


def test_the_row_of_an_annex_that_the_article_refers_to_answers_for_it() -> None:
    annex = material(*RATES, address=ANNEX, heading="여비 정액표", title="여비규정", referred_by=0)
    far = material(TWO)
    draft = compose(ASKED, WORDS, material(LODGING, found=(0, 1)), far, annex)
    assert draft is not None
    assert draft.quotations[0].text == "구분: 2급(부장) | 숙박비: 8만원"
    assert draft.text.startswith("여비규정 — 별표 1 여비 정액표\n구분: 2급(부장) | 숙박비: 8만원 [1]")
    assert [quotation.material for quotation in draft.quotations] == [2, 0]  # the row, then the text
    alone = compose(ASKED, WORDS, material(LODGING, found=(0, 1)), far)
    assert alone is not None
    assert alone.quotations[0].material == 0


def test_a_remark_is_quoted_only_where_its_own_words_were_asked_for_and_only_its_points() -> None:
    annex = material(*RATES, address=ANNEX, found=(0, 3))
    draft = compose(ASKED, WORDS, annex)
    assert draft is not None
    assert "비고" not in draft.text
    asked = compose("부산은 광역시인가요", {"부산": 3.0, "광역시": 3.0}, annex)
    assert asked is not None
    assert asked.quotations[0].text == "2. 광역시란 부산, 대구를 말한다."


def test_rows_of_the_same_label_are_all_quoted() -> None:
    rows = [row(n, 구분="부장", 지역=region, 숙박비=f"{n}만원") for n, region in enumerate(("서울", "부산"), start=1)]
    other = row(3, 구분="차장", 지역="서울", 숙박비="3만원")
    draft = compose("부장 숙박비", {"부장": 2.0, "숙박비": 1.0}, material(*rows, other, address=ANNEX))
    assert draft is not None
    assert [quotation.blocks for quotation in draft.quotations] == [(0, 1), (1, 2)]


def said(quotation: Quotation) -> list[str]:
    return [quotation.text[start:end] for start, end in quotation.marks]


def test_the_nearest_chunk_decides_where_no_word_does() -> None:
    blocks = (paragraph(1, "① 휴가는 미리 신청한다."), paragraph(2, "② 수당은 따로 지급한다."))
    fits = (Fit((0, 1), 0.70, 0.0), Fit((1, 2), 0.95, 0.0))
    draft = compose("돈은 더 주나요", {"돈": 1.0}, material(*blocks, fits=fits), budget=0)
    assert draft is not None
    assert draft.quotations[0].blocks == (1, 2)


def test_the_words_of_the_question_in_the_chunk_decide_where_vectors_do_not() -> None:
    blocks = (paragraph(1, "① 휴가는 미리 신청한다."), paragraph(2, "② 수당은 따로 지급한다."))
    fits = (Fit((0, 1), 0.9, 0.0), Fit((1, 2), 0.9, 4.0))
    draft = compose("돈은 더 주나요", {"돈": 1.0}, material(*blocks, fits=fits), budget=0)
    assert draft is not None
    assert draft.quotations[0].blocks == (1, 2)


def test_a_word_of_one_syllable_counts_only_where_a_word_begins() -> None:
    inside, whole = paragraph(1, "① 방세는 직원이 낸다."), paragraph(2, "② 세는 나이로 한다.")
    draft = compose("세는 방법", {"세": 1.0}, material(inside, whole), budget=0)
    assert draft is not None
    assert draft.quotations[0].blocks == (1, 2)


PERIOD = paragraph(1, "① 병가는 60일로 한다. 다만, 공무로 다친 때에는 180일로 한다.")
PAY = paragraph(2, "② 병가 중의 급여는 전액 지급한다. 이 경우 수당은 뺀다.")
FAR = [paragraph(number, f"{number} 그 밖의 일은 따로 정한 바에 따라 처리한다. " * 4) for number in range(3, 6)]


def test_of_a_question_in_two_parts_both_are_answered_and_cited() -> None:
    terms = {"병가": 1.0, "며칠": 2.0, "급여": 2.0, "지급": 1.0}
    question = "병가는 며칠까지 되고 급여는 어떻게 지급하나요?"
    draft = compose(question, terms, material(PERIOD, *FAR, PAY))
    assert draft is not None
    assert [quotation.text for quotation in draft.quotations] == [PERIOD.text, PAY.text]
    assert "[1]" in draft.text
    assert "[2]" in draft.text
    # each with its condition, which belongs to the sentence
    assert [said(quotation) for quotation in draft.quotations] == [[PERIOD.text], [PAY.text]]


def test_parts_answered_by_two_articles_get_both() -> None:
    check = material(paragraph(1, "① 검사는 통지를 받은 날부터 14일 이내에 마친다."), found=(0, 1), heading="검사")
    pay = material(
        paragraph(1, "① 대금은 청구를 받은 날부터 5일 이내에 지급한다."), found=(0, 1), heading="대가의 지급"
    )
    terms = {"검사": 2.0, "며칠": 1.0, "대금": 2.0, "지급": 1.0}
    draft = compose("검사는 며칠 안에 하고, 대금은 며칠 안에 지급하나요?", terms, check, pay, second=9.0)
    assert draft is not None
    assert [quotation.material for quotation in draft.quotations] == [0, 1]


def test_the_sentence_that_answers_is_marked_with_what_hangs_on_it() -> None:
    text = "① 숙박비는 실비로 한다. 식비는 3만원으로 한다. 다만, 조식이 제공되면 2만원으로 한다. 일비는 따로 정한다."
    draft = compose("식비는 얼마인가요", {"식비": 1.0}, material(paragraph(1, text)))
    assert draft is not None
    (quotation,) = draft.quotations
    assert quotation.text == text
    assert said(quotation) == ["식비는 3만원으로 한다. 다만, 조식이 제공되면 2만원으로 한다."]


def test_of_a_list_the_item_that_answers_is_marked() -> None:
    blocks = (
        paragraph(1, "① 다음 각 호의 경우 공가를 준다."),
        item(1, 1, "1. 투표하는 경우"),
        item(1, 2, "2. 검진받는 경우"),
    )
    draft = compose("검진", {"검진": 1.0}, material(*blocks))
    assert draft is not None
    assert said(draft.quotations[0]) == ["2. 검진받는 경우"]


@pytest.mark.parametrize("long", [1, 100, 1000])
def test_a_proviso_and_the_items_it_names_stay_however_much_is_left_out(long: int) -> None:
    lead = paragraph(
        1, "① 다음 각 호의 경우 전보를 신청할 수 있다. 다만, 제4호의 경우에는 기간의 제한을 받지 아니한다."
    )
    items = [item(1, n, f"{n}. 사유 {n}인 " + "긴 경우 " * 10) for n in range(1, 7)]
    draft = compose("사유 1", {"사유": 1.0, "1": 1.0}, material(lead, *items), long=long, items=1)
    assert draft is not None
    lines = draft.quotations[0].text.split("\n")
    assert lines[0] == lead.text
    assert any(line.startswith("4. ") for line in lines)


def test_a_further_provision_that_says_nothing_of_what_was_asked_is_left_out() -> None:
    draft = compose("병가", {"병가": 1.0}, material(TWO, paragraph(3, "③ 회의를 연다.")), further=0.0)
    assert draft is not None
    assert [quotation.blocks for quotation in draft.quotations] == [(0, 1)]
