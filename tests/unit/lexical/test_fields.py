from __future__ import annotations

import pytest

from ragbots.lexical import Morphemes, Postings, bigrams, index_bigrams, index_words
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
def words() -> Postings:
    return index_words(CHUNKS, Morphemes())


def test_each_chunk_is_found_by_its_words(words: Postings) -> None:
    assert words.size == 3
    assert rows_with(words, "한도") == [0]
    assert rows_with(words, "영수증") == [1]


def test_a_word_of_the_heading_counts_more_than_one_of_the_body(words: Postings) -> None:
    scores = words.scores({"숙박비": 1.0}, {"숙박비": 1.0})
    assert scores[0] > scores[2] > 0


def test_the_title_is_searched_too(words: Postings) -> None:
    assert words.frequency("여비") == words.frequency("국내") == 3


@pytest.mark.parametrize(
    ("term", "span", "stands"),
    [("영수증", (0, 2), True), ("영수증", (0, 1), False), ("영수증", (2, 3), False), ("없음", (0, 3), False)],
)
def test_whether_a_word_stands_in_an_article(words: Postings, term: str, span: tuple[int, int], stands: bool) -> None:
    assert words.stands_in(term, span) is stands


def test_articles_are_found_by_the_bigrams_of_their_words_however_those_are_spaced() -> None:
    pairs = index_bigrams(CHUNKS, [(0, 2), (2, 3)])
    assert pairs.size == 2
    assert rows_with(pairs, "영수") == [0]
    asked = dict.fromkeys(bigrams("숙박 비영수증"), 1.0)
    first, second = pairs.scores(asked, pairs.idf(list(asked)))
    assert first > second > 0
