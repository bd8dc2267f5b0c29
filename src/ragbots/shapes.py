"""The JSON shapes that every door shares: `ask --json` is `POST /api/chat`, `search --json` is `GET /api/search`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

# pydantic reads these for the OpenAPI document and, before Python 3.12, wants this TypedDict.
from typing_extensions import TypedDict

from ragbots.state.database import Feedback
from ragbots.text import web_address
from ragbots.types import Answer, Candidate, Citation, Hit, Notice

_DIGITS = 4  # of scores; more is noise to whoever reads them


class CandidateJson(TypedDict):
    id: str
    name: str
    score: float


class CitationJson(TypedDict):
    """`source` is the file's path below its source folder; `article` is null where there is none; `marks` are
    the ranges of `quote` that answer, in code points."""

    id: str
    source: str
    document: str
    article: str | None
    address: str
    quote: str
    link: str | None
    page: int | None
    marks: list[list[int]]


class NoticeJson(TypedDict):
    kind: str
    effective_date: str | None
    text: str


class AnswerJson(TypedDict):
    """`status` is `answered`, `refused` or `clarify`; `[1]` in `answer` is the first of `citations`.

    `verification` says what the check made of a language model's answer: `verified`, `repaired` (sentences
    were taken out) or `fallback` (the rules are quoted instead); null where none was asked.
    """

    id: str
    conversation_id: str
    status: str
    answer: str
    bot: str | None
    candidates: list[CandidateJson]
    confidence: float
    as_of: str
    index_version: str | None
    citations: list[CitationJson]
    related: list[CitationJson]
    warnings: list[NoticeJson]
    model: str | None
    prompt: str | None
    verification: str | None


class FeedbackJson(TypedDict):
    """What a person said of an answer (`rating` is `up` or `down`), with what was asked and answered."""

    answer_id: str
    user: str
    at: str
    rating: str
    reason: str | None
    comment: str | None
    question: str
    answer: str
    status: str
    bot: str | None
    index_version: str | None
    channel: str


class HitJson(TypedDict):
    rank: int
    source: str
    article: str | None
    address: str
    score: float
    text: str


class SearchJson(TypedDict):
    bot: str
    index_version: str
    hits: list[HitJson]


class Found(Protocol):
    """What a search gives: `retrieval.SearchResult`, seen from below it."""

    @property
    def bot(self) -> str: ...

    @property
    def index_version(self) -> str: ...

    @property
    def hits(self) -> Sequence[Hit]: ...


def answer_json(answer: Answer) -> AnswerJson:
    """An answer as every door delivers it; dates as YYYY-MM-DD."""
    return {
        "id": answer.id,
        "conversation_id": answer.conversation_id,
        "status": str(answer.status),
        "answer": answer.answer,
        "bot": answer.bot,
        "candidates": [candidate_json(candidate) for candidate in answer.candidates],
        "confidence": _score(answer.confidence),
        "as_of": answer.as_of.isoformat(),
        "index_version": answer.index_version,
        "citations": [citation_json(citation) for citation in answer.citations],
        "related": [citation_json(citation) for citation in answer.related],
        "warnings": [notice_json(notice) for notice in answer.warnings],
        "model": answer.model,
        "prompt": answer.prompt,
        "verification": str(answer.verification) if answer.verification else None,
    }


def candidate_json(candidate: Candidate) -> CandidateJson:
    return {"id": candidate.id, "name": candidate.name, "score": _score(candidate.score)}


def citation_json(citation: Citation) -> CitationJson:
    return {
        "id": citation.id,
        "source": citation.source,
        "document": citation.document,
        "article": citation.article,
        "address": citation.address,
        "quote": citation.quote,
        "link": web_address(citation.link),
        "page": citation.page,
        "marks": [list(span) for span in citation.marks],
    }


def notice_json(notice: Notice) -> NoticeJson:
    day = notice.effective_date
    return {"kind": notice.kind, "effective_date": day.isoformat() if day else None, "text": notice.text}


def feedback_json(feedback: Feedback) -> FeedbackJson:
    """Feedback as every door delivers it; the moment as ISO 8601 in UTC."""
    return {
        "answer_id": feedback.answer_id,
        "user": feedback.user_id,
        "at": feedback.at.isoformat(),
        "rating": feedback.rating,
        "reason": feedback.reason,
        "comment": feedback.comment,
        "question": feedback.question,
        "answer": feedback.answer,
        "status": feedback.status,
        "bot": feedback.bot,
        "index_version": feedback.index_version,
        "channel": feedback.channel,
    }


def passage_url(base: str, citation_id: str) -> str:
    """The page that shows a citation in its article; `base` is how people reach the server."""
    return f"{base}/c/{quote(citation_id, safe='~')}"


def beside(answer: AnswerJson, base: str) -> str:
    """What a door that shows text alone puts below an answer: the bots to choose from, what the reader must know, and
    the passages with their links. Empty where there is none of it."""
    asked_back = answer["candidates"] if answer["status"] == "clarify" else []
    parts = [
        "\n".join(f"- {one['name']} (`{one['id']}`)" for one in asked_back),
        "\n".join(f"※ {notice['text']}" for notice in answer["warnings"]),
        _listed("출처", [f"[{at}] {_place(one, base)}" for at, one in enumerate(answer["citations"], start=1)]),
        _listed("함께 볼 조항", [_place(one, base) for one in answer["related"]]),
    ]
    return "\n\n".join(part for part in parts if part)


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"- {line}" for line in lines)]) if lines else ""


def _place(citation: CitationJson, base: str) -> str:
    page = f" ({citation['page']}쪽)" if citation["page"] else ""
    named = " ".join(part for part in (citation["document"], citation["address"]) if part)
    return f"{named}{page} {passage_url(base, citation['id'])}"


def search_json(result: Found) -> SearchJson:
    """Hits in order, the best with rank 1."""
    hits = [hit_json(rank, hit) for rank, hit in enumerate(result.hits, start=1)]
    return {"bot": result.bot, "index_version": result.index_version, "hits": hits}


def hit_json(rank: int, hit: Hit) -> HitJson:
    return {
        "rank": rank,
        "source": hit.document.source,
        "article": hit.chunk.address.article,
        "address": str(hit.chunk.address),
        "score": _score(hit.score),
        "text": hit.chunk.text,
    }


def _score(value: float) -> float:
    # Scores come out of numpy, whose floats json does not know.
    return round(float(value), _DIGITS)
