"""Amounts as people write them, and the ranges that the labels of a table name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.regulation.quantities import Quantity, admits, quantities


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8천만원짜리 물품", [(80_000_000, "원")]),
        ("1억 5천만원", [(150_000_000, "원")]),
        ("2,000만원", [(20_000_000, "원")]),
        ("오십만원짜리", [(500_000, "원")]),
        ("3년 다녔어요", [(36, "개월")]),
        ("120킬로 떨어진 곳", [(120, "km")]),
        ("350km", [(350, "km")]),
        ("4급 5호봉", [(4, "급"), (5, "호봉")]),
        ("일반 직원, 제5조", []),
    ],
)
def test_amounts_in_words_and_figures(text: str, found: list[tuple[float, str]]) -> None:
    assert quantities(text) == [Quantity(*one) for one in found]


@pytest.mark.parametrize(
    ("label", "asked", "admitted"),
    [
        ("12개월 이상 24개월 미만", "20개월", True),
        ("12개월 이상 24개월 미만", "24개월", False),
        ("5천만원 초과 1억원 이하", "8천만원", True),
        ("5천만원 초과 1억원 이하", "5천만원", False),
        ("1년 이상 3년 미만", "20개월", True),
        ("300킬로미터 이상", "350km", True),
        ("4급(과장)", "4급", True),
        ("4급(과장)", "5급", False),
        ("1~5명", "3명", True),
        ("100만원 미만", "10개월", False),  # another unit says nothing
        ("그 밖의 지역", "10개월", False),
    ],
)
def test_a_label_admits_an_amount_that_it_names_or_that_lies_in_its_range(
    label: str, asked: str, admitted: bool
) -> None:
    assert admits(label, quantities(asked)[0]) is admitted


@given(st.text(alphabet="0123456789,. 일이십백천만억원개월년급~이상미만", max_size=60))
def test_whatever_is_written_is_read_without_trouble(text: str) -> None:
    for one in quantities(text):
        assert one.value >= 0
        admits(text, one)
