"""Figures that mean the same are found the same, however they are written; others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots import figures


def held(answer: str, passage: str) -> bool:
    known = figures.known(passage)
    found = figures.read(answer)
    assert found, answer
    return all(known.holds(figure) for figure in found)


SAME = [
    ["100분의 50", "50%", "50퍼센트", "5할", "0.5배", "절반", "2분의 1", "이분의 일", "백분의 오십"],
    ["15일", "십오일", "열닷새", "보름"],
    ["10,000,000원", "1천만원", "천만 원", "1,000만원", "10000000원"],
    ["25,000원", "2만 5천원", "2만5천 원", "2.5만원"],
    ["1년", "12개월", "열두 달", "일 년"],
    ["1년 6개월", "18개월"],
    ["1주", "7일", "일주일", "1주일", "이레"],
    ["1시간", "60분", "한 시간"],
    ["2026. 7. 1.", "2026년 7월 1일", "2026-07-01", "’26.7.1", "2026/7/1"],
    ["3회", "세 번", "3번", "세 차례"],
    ["5명", "다섯 명", "5인", "다섯 사람"],
    ["2개월", "두 달", "2달"],
    ["오후 6시", "18:00", "18시"],
    ["사흘", "3일"],
    ["스무 살", "20세", "20살"],
]


@pytest.mark.parametrize("forms", SAME, ids=lambda forms: forms[0])
def test_spellings_of_one_value_are_one(forms: list[str]) -> None:
    for one in forms:
        for other in forms:
            assert held(f"{one}입니다.", f"그 밖에 {other}로 한다."), (one, other)


def test_values_of_different_rows_differ() -> None:
    for row in SAME:
        for other in SAME:
            if other is not row:
                assert not held(f"{row[0]}입니다.", f"{other[0]}로 한다."), (row[0], other[0])


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("7월 1일", "2026. 7. 1.부터"),
        ("2026년", "2026. 7. 1.부터"),
        ("3~5일", "3일부터 5일까지"),
        ("70,000원", "부장 | 70,000"),
        ("70,000원", "단위: 천원 부장 | 70"),
        ("70,000", "70,000원"),
    ],
)
def test_part_of_what_is_known_is_known(answer: str, passage: str) -> None:
    assert held(answer, passage)


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("6개월", "1년 6개월"),  # a part of a period is another period
        ("5일", "15일"),
        ("2026년 8월", "2026. 7. 1."),
        ("2회", "2. 배우자"),  # the number of an item is no amount
        ("3일", "3명"),
        ("50만원", "50%"),
    ],
)
def test_what_only_looks_alike_is_not_known(answer: str, passage: str) -> None:
    assert not held(answer, passage)


@pytest.mark.parametrize(
    "text", ["사원은 구분하여 일부를 낸다", "첫 번째, 두 번째", "1. 배우자\n2. 자녀", "다시 한 번 확인", "하루에"]
)
def test_words_that_are_no_figures(text: str) -> None:
    assert figures.read(text) == []


@given(st.text(alphabet="0123456789.,-~년월일원만천백십억조%분의시간 삼오(한두세)’:제\n", max_size=60))
def test_any_text_can_be_read_and_knows_itself(text: str) -> None:
    known = figures.known(text)
    for figure in figures.read(text):
        assert 0 <= figure.span[0] < figure.span[1] <= len(text)
        assert known.holds(figure)
