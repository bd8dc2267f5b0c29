from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.loaders.number_formats import shown

DAY = datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (80000, "#,##0", "80,000"),
        (80000, '#,##0"원"', "80,000원"),
        (80000, "#,##0원", "80,000원"),
        (80000, "[$₩-412]#,##0", "₩80,000"),
        (80000, '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-', "80,000"),
        (0, '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-', "-"),
        (-1500, "#,##0;[Red]-#,##0", "-1,500"),
        (-1500, "#,##0_);(#,##0)", "(1,500)"),
        (123456, '#,##0,"천원"', "123천원"),
        (0.125, "0.0%", "12.5%"),
        (2.5, "0.##", "2.5"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1012345678, "000-0000-0000", "010-1234-5678"),
        (3, '"제"0"조"', "제3조"),
        (3, 'General"급"', "3급"),
        (0.1 + 0.2, "General", "0.3"),
        (1000000.0, "General", "1000000"),
        (0.5, "# ?/?", "0.5"),
        (DAY, "yyyy-mm-dd", "2026-01-01"),
        (DAY, "mm-dd-yy", "2026-01-01"),
        (DAY, 'yyyy"년" m"월" d"일"', "2026년 1월 1일"),
        (DAY, "yyyy. m. d.", "2026. 1. 1."),
        (DAY, "yyyy/mm/dd (aaa)", "2026/01/01 (목)"),
        (datetime(2026, 1, 1, 9, 5), "yyyy-mm-dd hh:mm", "2026-01-01 09:05"),
        (time(18, 30), "h:mm AM/PM", "6:30 PM"),
        (timedelta(hours=30), "[h]:mm", "30:00"),
        ("홍길동", '@"님"', "홍길동님"),
        ("실비", "#,##0", "실비"),
        (True, "General", "TRUE"),
        (None, "0", ""),
    ],
)
def test_values_are_what_a_reader_sees(value: object, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


@given(
    st.one_of(st.integers(), st.floats(), st.datetimes(), st.timedeltas(), st.text(max_size=5)),
    st.text(st.sampled_from('0#?.,%;"\\_*[]$@yMmdhsAP/E+- 원General'), max_size=30),
)
def test_no_format_stops_the_reading(value: object, number_format: str) -> None:
    assert isinstance(shown(value, number_format), str)


@given(st.integers(0, 10**12))
def test_thousands_lose_no_digit(value: int) -> None:
    assert shown(value, '#,##0"원"') == f"{value:,}원"
