from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.text import clean, comparable, digest, one_line, squeeze

KOREAN = "제17조의2(연차 유급휴가) 뷁"


def test_decomposed_jamo_are_composed() -> None:
    assert clean(unicodedata.normalize("NFD", KOREAN)) == KOREAN


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\ufeff", "\u2060"])
def test_control_and_invisible_characters_go(character: str) -> None:
    assert clean(f"연{character}차") == "연차"


def test_line_ends_and_tabs_stay_readable() -> None:
    assert clean("가\r\n나\r다\n라\t마") == "가\n나\n다\n라\t마"


@given(st.text())
def test_clean_is_done_once_and_for_all(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_clean_is_the_same_for_every_form_of_a_text(text: str) -> None:
    assert clean(unicodedata.normalize("NFD", text)) == clean(unicodedata.normalize("NFC", text))


def test_squeeze_keeps_lines_and_one_line_does_not() -> None:
    text = "  가 \t 나\u3000다 \n\n  라\u00a0\u00a0마  \n"
    assert squeeze(text) == "가 나 다\n\n라 마"
    assert one_line(text) == "가 나 다 라 마"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("금 1,200,000 원", "금1200000원"),
        ("출장비ㆍ숙박비", "출장비·숙박비"),
        ("출장비∙숙박비", "출장비·숙박비"),
        ("１００％", "100%"),
        ("가\n나", "가 나"),
    ],
)
def test_comparable_forgets_what_does_not_matter(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(("one", "other"), [("15일", "25일"), ("1.5배", "15배"), ("하여야 한다", "할 수 있다")])
def test_comparable_keeps_what_does(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


def test_digest_of_text_is_that_of_its_bytes() -> None:
    assert digest("규정") == digest("규정".encode())
    assert len(digest(b"")) == 64
