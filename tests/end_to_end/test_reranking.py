from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.end_to_end.installation import WATER, Installation, ask, here

from ragbots.ports import Vectors
from ragbots.runtime import Runtime


class ByWord:
    """Takes passages that hold a word for the best."""

    id = "by-word-1"

    def __init__(self, word: str) -> None:
        self.word = word
        self.read: list[tuple[str, int]] = []

    def scores(self, question: str, passages: Sequence[str]) -> Vectors:
        self.read.append((question, len(passages)))
        return np.array([self.word in passage for passage in passages], dtype=np.float32)


def test_a_reranker_decides_which_article_is_first(built: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with built.open() as runtime:
        before = [hit.chunk.address.article for hit in runtime.search("office", WATER, 3, here(runtime)).hits]
    reranker = ByWord("분갈이는")
    monkeypatch.setattr(Runtime, "_reranker", reranker)
    with built.open() as runtime:
        after = [hit.chunk.address.article for hit in runtime.search("office", WATER, 3, here(runtime)).hits]
        answered = ask(runtime, WATER)
    assert before[0] == "제2조"
    assert after == ["제3조", *[article for article in before if article != "제3조"]][:3]
    assert reranker.read[0] == (WATER, 7)  # all that there are, however few are asked for
    assert answered.status != "answered" or answered.citations[0].article == "제3조"


def test_a_reranker_that_is_not_there_is_a_mistake_of_the_settings(built: Installation) -> None:
    done = built.cli("search", "--bot", "office", WATER, RAGBOTS_RERANK="/nowhere/ranker")
    assert done.code == 2
    assert "rerank: no such model folder: /nowhere/ranker" in done.err
    assert built.cli("doctor", RAGBOTS_RERANK="/nowhere/ranker").code == 1
