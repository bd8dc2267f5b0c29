"""What an answer is made from: the articles found and those that they refer to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from ragbots.answering import _check, gather, with_fits
from ragbots.chunking import ChunkLimits, cut
from ragbots.ports import Draft, Quotation
from ragbots.regulation import parse
from ragbots.retrieval import OpenBot, Query, open_bot
from ragbots.types import Chunk, Document, Element, ElementKind, Hit


def document(title: str, *lines: str) -> Document:
    elements = tuple(
        Element(ElementKind.HEADING, line[3:], level=2) if line.startswith("## ") else Element(ElementKind.TEXT, line)
        for line in lines
    )
    return Document(title, f"{title}.md", title, "0" * 64, elements)


def opened(*documents: Document) -> OpenBot:
    """A bot of these documents, without vectors: `gather` reads blocks and chunks alone."""
    chunks: list[Chunk] = []
    blocks = {}
    for one in documents:
        regulation = parse(one)
        blocks[one.id] = regulation.blocks
        chunks += cut(one, regulation, ChunkLimits(), lambda texts: [len(text) for text in texts])[0]
    contents = SimpleNamespace(chunks=chunks, blocks=blocks, documents=documents)
    version = SimpleNamespace(id="v", contents=contents, document_of={one.id: one for one in documents})
    return open_bot(cast(Any, None), cast(Any, version), cast(Any, None))


def hit(bot: OpenBot, article: str) -> Hit:
    chunk = next(chunk for chunk in bot.version.contents.chunks if chunk.address.article == article)
    return Hit(chunk, bot.version.document_of[chunk.document_id], 1.0, 0.9, 1.0)


def gathered(bot: OpenBot, *articles: str) -> list[tuple[str, str, int | None]]:
    material = gather(bot, [hit(bot, article) for article in articles])
    return [(one.hit.document.title, one.hit.chunk.address.article or "", one.referred_by) for one in material]


RULES = document(
    "여비규정",
    "## 제1조(숙박비)", "숙박비는 별표 1과 같다.",
    "## 제2조(정산)", "제1조의 숙박비는 「회계규정」 제1조에 따라 정산한다.",
    "## 제3조(운임)", "운임은 실비로 한다.",
    "## 별표 1 숙박비 상한", "1. 부장: 8만원",
)  # fmt: skip
ACCOUNTS = document("회계규정", "## 제1조(정산)", "5일 안에 정산한다.")


def test_the_annex_an_article_refers_to_comes_with_it() -> None:
    bot = opened(RULES)
    assert gathered(bot, "제1조") == [("여비규정", "제1조", None), ("여비규정", "별표 1", 0)]
    assert gathered(bot, "제3조", "별표 1") == [("여비규정", "제3조", None), ("여비규정", "별표 1", None)]


def test_one_that_was_found_itself_is_not_taken_twice() -> None:
    assert gathered(opened(RULES), "제1조", "제3조", "별표 1") == [
        ("여비규정", "제1조", None),
        ("여비규정", "제3조", None),
        ("여비규정", "별표 1", 0),
    ]


def test_a_named_regulation_is_looked_up_under_its_name() -> None:
    assert gathered(opened(RULES, ACCOUNTS), "제2조")[1:] == [("여비규정", "제1조", 0), ("회계규정", "제1조", 0)]
    assert gathered(opened(RULES), "제2조")[1:] == [("여비규정", "제1조", 0)]


def test_annexes_may_be_a_file_of_their_own() -> None:
    rules = document("보수규정", "## 제1조(봉급)", "봉급은 별표 1과 같다.")
    annexes = document("보수규정 별표", "## 별표 1 봉급표", "1. 부장: 300만원")
    other = document("인사규정", "## 별표 1 채용 가점", "1. 유공자: 10점")
    assert gathered(opened(other, rules, annexes), "제1조")[1:] == [("보수규정 별표", "별표 1", 0)]


def test_how_each_chunk_of_an_article_fits_comes_with_it() -> None:
    bot = fitting(RULES)
    vector, tokens = np.array([1.0, 0.0], dtype=np.float32), np.empty((0, 0), dtype=np.int8)
    query = Query("숙박비", vector, tokens, {"숙박비": 1.0}, {}, {}, (), (), False)
    (one, *_) = with_fits(bot, gather(bot, [hit(bot, "제2조")]), query, {"숙박비": 2.0})
    number = bot.layout.chunk_number[one.hit.chunk.id]
    assert [fit.blocks for fit in one.fits] == [one.hit.chunk.blocks]
    assert one.fits[0].cosine == pytest.approx(number / 10)
    assert one.fits[0].words == pytest.approx(number)


def fitting(*documents: Document) -> OpenBot:
    """A bot whose chunk n has the cosine n / 10 and the BM25 score n."""
    bot = opened(*documents)
    contents = cast(Any, bot.version.contents)
    numbers = np.arange(len(contents.chunks), dtype=np.float32)
    contents.vectors = np.stack([numbers / 10, np.zeros_like(numbers)], axis=1)
    contents.words = SimpleNamespace(scores=lambda terms, idf: numbers)
    return bot


RULE = "① 휴가는 15일로 한다. 다만, 신입 직원은 그러하지 아니하다."


@pytest.mark.parametrize(
    ("text", "marks", "stands"),
    [
        (RULE, ((0, 14),), True),
        ("① 휴가는 15일로 한다.", (), True),
        ("① 휴가는 20일로 한다.", (), False),
        (RULE, ((0, len(RULE) + 1),), False),
        (RULE, ((5, 5),), False),
    ],
)
def test_a_draft_whose_words_or_marks_do_not_stand_in_the_rule_is_not_shown(
    text: str, marks: tuple[tuple[int, int], ...], stands: bool
) -> None:
    bot = opened(document("복무규정", "## 제1조(휴가)", RULE))
    material = gather(bot, [hit(bot, "제1조")])
    (number,) = [number for number, block in material[0].blocks if block.text == RULE]
    draft = Draft("", (Quotation(0, (number, number + 1), text, marks=marks),))
    assert (_check(draft, material) is not None) is stands
