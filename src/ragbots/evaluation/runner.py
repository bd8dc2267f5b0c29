"""Asks the golden questions and judges what comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ragbots import figures
from ragbots.errors import ConfigurationError
from ragbots.evaluation import scoring
from ragbots.evaluation.matching import Place
from ragbots.evaluation.questions import Record
from ragbots.evaluation.scoring import Judged, Report, Scores
from ragbots.ports import Ask, Progress
from ragbots.types import Answer, Citation, Context, Hit, Question, Status, Turn

Rank = Callable[[str, Question, Context, int], Sequence[Hit]]
"""Bot, question, context, k → hits within that bot, best first, one per article."""

PassageText = Callable[[Citation, Context], str]
"""The text of the whole article that a citation is from."""

_DEPTH = max(scoring.DEPTHS)


@dataclass(frozen=True, slots=True)
class _Parts:
    ask: Ask | None
    rank: Rank
    passage_text: PassageText


@dataclass(frozen=True, slots=True)
class _Reply:
    answer: Answer
    milliseconds: float
    ranked: tuple[Place, ...]  # within the bot that was chosen
    unsupported: tuple[str, ...]


def run(
    records: Sequence[Record],
    *,
    ask: Ask | None,
    rank: Rank,
    passage_text: PassageText,
    bots: Collection[str],
    context: Context,
    progress: Progress | None = None,
) -> Report:
    """Every metric over the records. Without `ask` only retrieval with the right bot given is measured.

    `bots` are the ids of this installation; `context` says who asks, and the day for records without
    `asked_on`. Raises ConfigurationError where a record names a bot that is not among them.
    """
    _require_bots(records, bots)
    parts = _Parts(ask, rank, passage_text)
    if progress:
        progress.step("asking", len(records))
    judged = []
    for record in records:
        judged.append(_judge(record, parts, context))
        if progress:
            progress.advance()
    return scoring.report(judged)


def _require_bots(records: Sequence[Record], bots: Collection[str]) -> None:
    unknown = {record.bot: record.id for record in reversed(records) if record.bot and record.bot not in bots}
    if unknown:
        named = ", ".join(f"`{bot}` ({record})" for bot, record in reversed(unknown.items()))
        raise ConfigurationError(
            f"the questions name bots that are not here: {named}",
            hint="check --bots-dir, or write `null` where no bot is meant",
        )


def _judge(record: Record, parts: _Parts, context: Context) -> Judged:
    question, asked = _question(record), _context(record, context)
    given = _ranked(parts.rank, record.bot, question, asked) if record.in_scope and record.bot else None
    reply = _reply(parts.ask, record, question, asked, parts, given) if parts.ask else None
    return Judged(
        id=record.id,
        kind=record.kind,
        bot=record.bot,
        group=record.group,
        routed=reply.answer.bot if reply else None,
        status=reply.answer.status if reply else None,
        ranked=given if given is not None else reply.ranked if reply else (),
        citations=reply.answer.citations if reply else (),
        answer=reply.answer.answer if reply else None,
        confidence=reply.answer.confidence if reply else None,
        unsupported=reply.unsupported if reply else (),
        scores=_scores(record, given, reply, asked),
    )


def _question(record: Record) -> Question:
    """As a person asks it: no bot is named."""
    return Question(record.question, history=tuple(Turn(said.role, said.content) for said in record.history))


def _context(record: Record, context: Context) -> Context:
    as_of = None if record.as_of_in_question else record.as_of
    return replace(context, today=record.asked_on or context.today, as_of=as_of)


def _ranked(rank: Rank, bot: str, question: Question, context: Context) -> tuple[Place, ...]:
    hits = rank(bot, question, context, _DEPTH)
    return tuple(dict.fromkeys((hit.document.source, hit.chunk.address.article) for hit in hits))


def _reply(
    ask: Ask, record: Record, question: Question, asked: Context, parts: _Parts, given: tuple[Place, ...] | None
) -> _Reply:
    start = time.perf_counter()
    answer = ask(question, asked)
    milliseconds = (time.perf_counter() - start) * 1000
    resolved = replace(asked, as_of=answer.as_of)
    ranked: tuple[Place, ...] = ()
    if given is not None and answer.bot == record.bot and resolved.day == asked.day:
        ranked = given
    elif record.in_scope and answer.bot:
        ranked = _ranked(parts.rank, answer.bot, question, resolved)
    return _Reply(answer, milliseconds, ranked, _unsupported(question, answer, parts.passage_text, resolved))


def _unsupported(question: Question, answer: Answer, passage_text: PassageText, context: Context) -> tuple[str, ...]:
    """Of an answer alone: a refusal states no rule, and the telephone number in it is no figure of one.

    The question includes what the person asked before and the two days that were handed over with it;
    a passage includes its address and its document's title.
    """
    if answer.status is not Status.ANSWERED:
        return ()
    asked = [question.text, *(turn.content for turn in question.history if turn.role == "user")]
    days = [context.today.isoformat(), context.day.isoformat()]
    passages = [
        part
        for citation in answer.citations
        for part in (citation.document, citation.address, citation.quote, passage_text(citation, context))
    ]
    return figures.unsupported(answer.answer, [*asked, *days, *passages])


def _scores(record: Record, given: tuple[Place, ...] | None, reply: _Reply | None, asked: Context) -> Scores:
    scores: dict[str, object] = {"out_of_scope": not record.in_scope}
    if given is not None:
        scores |= _retrieval(given, record)
    if reply is not None:
        scores |= scoring.answer_scores(record, reply.answer, asked.today)
        scores |= {"latency_ms": reply.milliseconds, "unsupported_figures": len(reply.unsupported)}
        if record.in_scope:
            scores["end_to_end"] = _retrieval(reply.ranked, record)
    return Scores.model_validate(scores)


def _retrieval(ranked: Sequence[Place], record: Record) -> dict[str, object]:
    return scoring.retrieval(ranked, record.gold_articles).model_dump(by_alias=True)
