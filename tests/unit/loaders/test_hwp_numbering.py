"""Automatic numbers of Hangul as text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.loaders.hwp_anchors import Anchors
from ragbots.loaders.hwp_layout import Anchor, Drawn, SectionLayout, heading_rows
from ragbots.loaders.hwp_numbering import LEVELS, Head, HeadKind, Level, Lists, Numbering, formatted

ARTICLES, PARAGRAPHS, ITEMS, SUBITEMS, LIST, BULLET, PLAIN = range(7)
RULES = Lists(
    heads={
        ARTICLES: Head(HeadKind.OUTLINE, 0, 0),
        PARAGRAPHS: Head(HeadKind.OUTLINE, 1, 0),
        ITEMS: Head(HeadKind.OUTLINE, 2, 0),
        SUBITEMS: Head(HeadKind.OUTLINE, 3, 0),
        LIST: Head(HeadKind.NUMBER, 1, 2),
        BULLET: Head(HeadKind.BULLET, 0, 1),
    },
    numberings={
        1: (Level("제^1조"), Level("^2", "CIRCLED_DIGIT"), Level("^3."), Level("^4.", "HANGUL_SYLLABLE")),
        2: (Level("^1.", start=5), Level("^1-^2)"), Level("^n"), Level("^N")),
    },
    bullets={1: "□"},
)


def labels(*shapes: int) -> list[str]:
    numbering = Numbering(RULES)
    return [numbering.label(shape, 1) for shape in shapes]


def test_a_regulation_numbered_by_its_outline() -> None:
    shapes = (ARTICLES, PARAGRAPHS, PARAGRAPHS, ITEMS, SUBITEMS, SUBITEMS, ARTICLES, PARAGRAPHS)
    assert labels(*shapes) == ["제1조 ", "① ", "② ", "1. ", "가. ", "나. ", "제2조 ", "① "]


def test_a_list_begins_with_its_own_number_and_counts_for_itself() -> None:
    assert labels(LIST, ARTICLES, LIST) == ["5-1) ", "제1조 ", "5-2) "]


def test_bullets_stay_what_they_are_and_plain_paragraphs_have_no_label() -> None:
    assert labels(BULLET, PLAIN) == ["□ ", ""]


@pytest.mark.parametrize(
    ("style", "number", "text"),
    [
        ("DIGIT", 12, "12"),
        ("CIRCLED_DIGIT", 20, "⑳"),
        ("ROMAN_CAPITAL", 4, "IV"),
        ("ROMAN_SMALL", 9, "ix"),
        ("LATIN_SMALL", 3, "c"),
        ("CIRCLED_LATIN_CAPITAL", 2, "Ⓑ"),
        ("HANGUL_SYLLABLE", 14, "하"),
        ("HANGUL_SYLLABLE", 15, "거"),
        ("CIRCLED_HANGUL_SYLLABLE", 1, "㉮"),
        ("CIRCLED_HANGUL_JAMO", 14, "㉭"),
        ("HANGUL_PHONETIC", 12, "십이"),
        ("IDEOGRAPH", 21, "二十一"),
        ("CIRCLED_IDEOGRAPH", 10, "㊉"),
        ("A_FORMAT_OF_THE_FUTURE", 7, "7"),
    ],
)
def test_number_formats(style: str, number: int, text: str) -> None:
    assert formatted(style, number) == text


@given(st.lists(st.integers(0, LEVELS - 1), min_size=1, max_size=60))
def test_numbers_of_any_outline_only_grow(levels: list[int]) -> None:
    heads = {level: Head(HeadKind.OUTLINE, level, 0) for level in range(LEVELS)}
    numbering = Numbering(Lists(heads, {1: tuple(Level("^n") for _ in range(LEVELS))}))
    found = [tuple(map(int, numbering.label(level, 1).split("."))) for level in levels]
    assert [len(number) - 1 for number in found] == levels
    assert all(before < after for before, after in pairwise(found))


def test_an_empty_paragraph_takes_its_number() -> None:
    section = SectionLayout(1, (Anchor(ARTICLES, "목적"), Anchor(ARTICLES, " "), Anchor(ARTICLES, "적용")))
    anchors = Anchors(section, Numbering(RULES))
    assert [anchors.find(ARTICLES, words).label for words in ("목적", "적용")] == ["제1조 ", "제3조 "]


def test_a_paragraph_in_two_pieces_is_numbered_once() -> None:
    anchors = Anchors(SectionLayout(1, (Anchor(ARTICLES, "앞 표 뒤"),)), Numbering(RULES))
    assert [anchors.find(ARTICLES, words).label for words in ("앞", "표 뒤")] == ["제1조 ", ""]


def test_what_is_read_before_its_anchor_keeps_the_order_of_numbers() -> None:
    section = SectionLayout(1, (Anchor(ARTICLES, "글"), Anchor(ARTICLES, "칸")))
    anchors = Anchors(section, Numbering(RULES))
    assert [anchors.find(ARTICLES, words).label for words in ("칸", "글")] == ["제2조 ", "제1조 "]


def test_what_is_drawn_is_found_once_and_never_lost() -> None:
    first, second, third = (Drawn(name=name) for name in "abc")
    paragraphs = (
        Anchor(PLAIN, "", (first,)),
        Anchor(PLAIN, "글"),
        Anchor(PLAIN, "", (second,)),
        Anchor(LIST, "더", (third,)),
    )
    anchors = Anchors(SectionLayout(1, paragraphs), Numbering(RULES))
    assert anchors.before == (first,)
    assert anchors.find(PLAIN, "글").drawn == (second,)
    assert not anchors.find(PLAIN, "없는 글").known
    assert anchors.rest() == (third,)


def test_heading_rows_are_those_of_headings_alone() -> None:
    assert heading_rows([(0, True), (0, True), (1, True), (2, False)]) == 2
    assert heading_rows([(0, True), (0, False), (1, False)]) == 0
    assert heading_rows([(0, True), (1, True)]) == 0  # a whole table is no heading
    assert heading_rows([]) == 0
