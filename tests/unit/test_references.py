"""Which article refers to which: what a rule says is often asked for in the words of another."""

from __future__ import annotations

import pytest

from ragbots.chunking import ChunkLimits, cut
from ragbots.ranking import article_spans
from ragbots.references import holder_of, referring_pairs
from ragbots.regulation import parse
from ragbots.types import Chunk, Document, Element, ElementKind


def document(title: str, *lines: str) -> Document:
    elements = tuple(
        Element(ElementKind.HEADING, line[3:], level=2) if line.startswith("## ") else Element(ElementKind.TEXT, line)
        for line in lines
    )
    return Document(title, f"{title}.md", title, "0" * 64, elements)


def pairs(*documents: Document) -> set[tuple[str, str]]:
    """`여비규정 제2조` → `여비규정 제1조`."""
    chunks: list[Chunk] = []
    for one in documents:
        chunks += cut(one, parse(one), ChunkLimits(), lambda texts: [len(text) for text in texts])[0]
    spans = article_spans(chunks)
    names = [f"{chunks[start].document_id} {chunks[start].address.article}" for start, _ in spans]
    return {(names[one], names[other]) for one, other in referring_pairs(documents, chunks, spans).tolist()}


def test_references_within_a_document_and_to_its_annex() -> None:
    rules = document(
        "여비규정",
        "## 제1조(숙박비)",
        "별표 1에 따른다.",
        "## 제2조(정산)",
        "제1조의 숙박비를 정산한다.",
        "## 별표 1 상한",
        "8만원",
    )
    assert pairs(rules) == {("여비규정 제1조", "여비규정 별표 1"), ("여비규정 제2조", "여비규정 제1조")}


def test_a_decree_refers_to_its_act_and_a_bylaw_to_its_rules() -> None:
    act = document("출장법", "## 제3조(일비)", "일비는 대통령령으로 정한다.")
    decree = document(
        "출장법 시행령",
        "## 제3조(목적)",
        "이 영의 목적이다.",
        "## 제5조(일비)",
        "법 제3조에 따른 일비는 2만원으로 한다.",
    )
    assert pairs(act, decree) == {("출장법 시행령 제5조", "출장법 제3조")}
    rules = document("여비규정", "## 제7조(식비)", "식비는 세칙으로 정한다.")
    bylaw = document("여비규정 시행세칙", "## 제1조(식비)", "규정 제7조의 식비는 1만원으로 한다.")
    assert pairs(rules, bylaw) == {("여비규정 시행세칙 제1조", "여비규정 제7조")}


def test_other_documents_by_their_titles_and_nothing_that_is_not_there() -> None:
    one = document(
        "여비규정", "## 제1조(숙박비)", "「회계규정」 제2조와 「인사규정」 제9조에 따르고, 제44조를 준용한다."
    )
    other = document("회계 규정", "## 제2조(정산)", "5일 안에 정산한다.")
    assert pairs(one, other) == {("여비규정 제1조", "회계 규정 제2조")}
    assert pairs(other) == set()


@pytest.mark.parametrize(
    ("statute", "title"), [(None, "가법 시행령"), ("법", "가법"), ("나규정", "나규정"), ("다법", None)]
)
def test_the_document_that_a_reference_means(statute: str | None, title: str | None) -> None:
    documents = [document(name) for name in ("가법", "가법 시행령", "나규정")]
    found = holder_of(statute, documents[1], documents)
    assert (found.title if found else None) == title
