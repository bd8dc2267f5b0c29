from __future__ import annotations

import pytest

from ragbots.lexical import Morphemes, Postings, index_words
from ragbots.types import Address, Chunk


def chunk(breadcrumb: tuple[str, ...], heading: str, text: str) -> Chunk:
    return Chunk("k", "d", Address(), breadcrumb, heading, text, (0, 1))


CHUNKS = [
    chunk(("여비규정", "제2장 국내여비", "제8조(숙박비)"), "숙박비", "한도는 7만원으로 한다."),
    chunk(("여비규정", "제2장 국내여비", "제8조(숙박비)"), "숙박비", "영수증을 제출한다."),
    chunk(("여비규정", "제2장 국내여비", "제9조(정산)"), "정산", "숙박비를 정산한다."),
]


def rows_with(postings: Postings, term: str) -> list[int]:
    return [row for row, score in enumerate(postings.scores({term: 1.0}, {term: 1.0})) if score > 0]


@pytest.fixture(scope="module")
def indexes() -> tuple[Postings, Postings]:
    return index_words(CHUNKS, [(0, 2), (2, 3)], Morphemes())


def test_chunks_and_articles(indexes: tuple[Postings, Postings]) -> None:
    small, whole = indexes
    assert (small.size, whole.size) == (3, 2)
    assert rows_with(small, "한도") == [0]
    assert rows_with(small, "영수증") == [1]
    assert rows_with(whole, "한도") == rows_with(whole, "영수증") == [0]  # an article has the words of all its chunks


def test_a_word_of_the_heading_counts_more_than_one_of_the_body(indexes: tuple[Postings, Postings]) -> None:
    small, _ = indexes
    scores = small.scores({"숙박비": 1.0}, {"숙박비": 1.0})
    assert scores[0] > scores[2] > 0


def test_the_title_is_searched_too(indexes: tuple[Postings, Postings]) -> None:
    small, whole = indexes
    assert small.frequency("여비") == 3
    assert whole.frequency("국내") == 2
