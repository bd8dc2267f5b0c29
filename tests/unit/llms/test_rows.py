"""Which rows of a table fit a question."""

from __future__ import annotations

from ragbots.llms.rows import Asked, rows_of
from ragbots.types import Address, Block, BlockKind, Level, Step

ANNEX = Address((Step(Level.ANNEX, 1),))


def table(columns: list[str], *rows: list[str]) -> list[Block]:
    return [
        Block(
            BlockKind.ROW, ANNEX.child(Step(Level.ROW, n)), "\t".join(row), cells=tuple(zip(columns, row, strict=True))
        )
        for n, row in enumerate(rows, start=1)
    ]


def remark(text: str) -> Block:
    return Block(BlockKind.TEXT, ANNEX, text)


def best(question: str, terms: dict[str, float], blocks: list[Block], wide: int = 400) -> list[str]:
    """The rows with a label that was asked for, those that match most first and alone."""
    rows = [row for row in rows_of(list(enumerate(blocks)), "국내 여비", Asked.of(question, terms), wide) if row.labels]
    most = max((sum(row.labels.values()) for row in rows), default=0.0)
    return [row.text for row in rows if sum(row.labels.values()) == most]


GRADES = table(["구분", "일비", "숙박비"], ["1급(본부장)", "3만원", "10만원"], ["2급(부장)", "2만원", "8만원"])


def test_the_label_that_is_the_word_goes_before_one_that_only_holds_it() -> None:
    assert best("부장 숙박비", {"부장": 2.0, "숙박비": 1.0}, GRADES) == [
        "구분: 2급(부장) | 일비: 2만원 | 숙박비: 8만원"
    ]


def test_words_that_no_label_has_choose_no_row() -> None:
    assert best("숙박비가 얼마예요", {"숙박비": 1.0, "얼마": 3.0}, GRADES) == []


def test_an_amount_chooses_the_range_it_lies_in() -> None:
    rows = table(["납부 월수", "환급률"], ["1개월 이상 12개월 이하", "80%"], ["13개월 이상 24개월 이하", "95%"])
    assert best("20개월 냈으면", {"개월": 1.0}, rows) == ["납부 월수: 13개월 이상 24개월 이하 | 환급률: 95%"]


def test_a_word_of_the_column_does_not_choose_among_its_labels() -> None:
    rows = table(
        ["거리", "가족 동반 여부", "상한"],
        ["300킬로미터 이상", "단신 부임", "90만원"],
        ["300킬로미터 이상", "가족 동반", "190만원"],
        ["100킬로미터 미만", "가족 동반", "50만원"],
    )
    assert len(best("가족 두고 혼자 350km 이사", {"가족": 3.0, "이사": 1.0}, rows)) == 2


def test_a_remark_and_another_table_say_what_a_label_stands_for() -> None:
    rows = table(["지역 등급", "일비"], ["가", "60달러"], ["다", "30달러"])
    told = remark("비고: 1. 가등급은 도쿄, 파리로 한다. 2. 다등급은 중국, 베트남, 태국으로 한다.")
    assert best("베트남 일비", {"베트남": 3.0, "일비": 1.0}, [*rows, told]) == ["지역 등급: 다 | 일비: 30달러"]
    other = table(["지역 등급", "국가"], ["가", "일본, 미국"], ["다", "중국, 베트남, 태국"])
    assert "지역 등급: 다 | 일비: 30달러" in best("베트남 일비", {"베트남": 3.0, "일비": 1.0}, [*rows, *other])


def test_of_a_very_wide_row_the_labels_and_the_asked_cells_stay() -> None:
    columns = ["호봉", *(f"{grade}급" for grade in "가나다라마바사아자차")]
    rows = table(columns, *([f"{n}호봉", *["2,000,000원"] * 10] for n in (1, 2)))
    assert best("2호봉 다급", {"호봉": 1.0, "다급": 2.0}, rows, wide=60) == ["호봉: 2호봉 | 다급: 2,000,000원"]
