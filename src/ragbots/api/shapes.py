"""JSON shapes that only the HTTP door has: the list of bots and a citation's passage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from ragbots.config import BotConfig
from ragbots.memory import Statistics
from ragbots.state.database import Rebuild, ReleaseRecord, Verdict, VersionRecord
from ragbots.text import web_address

if TYPE_CHECKING:
    from ragbots.comparison import Amendment
    from ragbots.retrieval import Passage, PassageBlock, PassageLink


REPORT_WITHHELD = "볼 수 없는 문서가 있어 내용을 보여 드리지 않습니다."


class BotJson(TypedDict):
    """`released` is false while the bot has no version that answers; `documents` are their titles; `llms` the
    language models that may be asked for, the first of which answers unless another is."""

    id: str
    name: str
    description: str
    sample_questions: list[str]
    contact: str
    released: bool
    documents: list[str]
    llms: list[str]


class BotsJson(TypedDict):
    organisation: str | None
    bots: list[BotJson]


class VerdictJson(TypedDict):
    """What the checks said: what speaks against the version, and what is to be noted."""

    passed: bool
    problems: list[str]
    notes: list[str]


class VersionJson(TypedDict):
    """`verdict` is null where the version was not checked yet."""

    version: str
    created_at: str
    released: bool
    documents: int
    chunks: int
    omissions: int
    verdict: VerdictJson | None


class ReleaseJson(TypedDict):
    """`action` is `release` or `rollback`; `verdict` as it was then."""

    version: str
    previous: str | None
    at: str
    by: str
    action: str
    forced_because: str | None
    verdict: VerdictJson | None


class RebuildJson(TypedDict):
    """A rebuild by schedule; `outcome` is released, unchanged, held or failed."""

    at: str
    outcome: str
    version: str | None
    report: str
    untold: str | None


class VersionsJson(TypedDict):
    """All newest first."""

    bot: str
    released: str | None
    versions: list[VersionJson]
    history: list[ReleaseJson]
    rebuilds: list[RebuildJson]


class DayCountsJson(TypedDict):
    """`refused` is the share of the questions, 0–1; null on a day without any."""

    day: str
    questions: int
    refused: float | None
    up: int
    down: int


class StatisticsJson(TypedDict):
    """Of the days from `first` to `last`; days without anything are left out."""

    bot: str
    first: str
    last: str
    questions: int
    refused: float | None
    up: int
    down: int
    days: list[DayCountsJson]


class BlockJson(TypedDict):
    """`cells` pairs column and value of a table row; `marks` are ranges of quoted words, in code points."""

    kind: str
    address: str
    text: str
    cells: list[list[str]]
    quoted: bool
    marks: list[list[int]]


class LinkJson(TypedDict):
    """The article before or after; `id` is asked for like a citation's."""

    article: str | None
    heading: str
    id: str


class ParagraphJson(TypedDict):
    """A paragraph before and after, in pieces `[words, whether only this side has them]`; empty where there is none."""

    before: list[tuple[str, bool]]
    after: list[tuple[str, bool]]


class AmendmentJson(TypedDict):
    """What changed in an article on a day; `pending` where it is still to come. Without paragraphs the article ends."""

    effective: str
    pending: bool
    paragraphs: list[ParagraphJson]


class PassageJson(TypedDict):
    """`amendments`: the last that led to this text, and the next after it, as far as they are known."""

    id: str
    document: str
    source: str
    link: str | None
    article: str | None
    address: str
    breadcrumb: list[str]
    quote: str
    page: int | None
    effective: str | None
    blocks: list[BlockJson]
    previous: LinkJson | None
    next: LinkJson | None
    amendments: list[AmendmentJson]


def bot_json(bot: BotConfig, released: bool, documents: Sequence[str], llms: Sequence[str]) -> BotJson:
    return {
        "id": bot.id,
        "name": bot.name,
        "description": bot.description,
        "sample_questions": list(bot.sample_questions),
        "contact": bot.contact,
        "released": released,
        "documents": list(documents),
        "llms": list(llms),
    }


def passage_json(passage: Passage) -> PassageJson:
    """A citation's words in their whole article."""
    return {
        "id": passage.id,
        "document": passage.document,
        "source": passage.source,
        "link": web_address(passage.link),
        "article": passage.article,
        "address": str(passage.address),
        "breadcrumb": list(passage.breadcrumb),
        "quote": passage.quote,
        "page": passage.page,
        "effective": passage.effective.isoformat() if passage.effective else None,
        "blocks": [_block_json(block) for block in passage.blocks],
        "previous": _link_json(passage.previous),
        "next": _link_json(passage.next),
        "amendments": [_amendment_json(amendment) for amendment in passage.amendments],
    }


def _amendment_json(amendment: Amendment) -> AmendmentJson:
    return {
        "effective": amendment.day.isoformat(),
        "pending": amendment.pending,
        "paragraphs": [{"before": list(old), "after": list(new)} for old, new in amendment.paragraphs],
    }


def _block_json(block: PassageBlock) -> BlockJson:
    return {
        "kind": str(block.kind),
        "address": str(block.address),
        "text": block.text,
        "cells": [list(pair) for pair in block.cells],
        "quoted": block.quoted,
        "marks": [list(span) for span in block.marks],
    }


def _link_json(link: PassageLink | None) -> LinkJson | None:
    return {"article": link.article, "heading": link.heading, "id": link.id} if link else None


def versions_json(
    bot: str,
    released: str | None,
    versions: Sequence[tuple[VersionRecord, Verdict | None]],
    history: Sequence[ReleaseRecord],
    rebuilds: Sequence[Rebuild],
) -> VersionsJson:
    return {
        "bot": bot,
        "released": released,
        "versions": [_version_json(record, verdict, released) for record, verdict in versions],
        "history": [
            {
                "version": one.version,
                "previous": one.previous,
                "at": one.at.isoformat(),
                "by": one.by,
                "action": one.action,
                "forced_because": one.forced_because,
                "verdict": _verdict_json(one.verdict),
            }
            for one in history
        ],
        "rebuilds": [
            {
                "at": one.at.isoformat(),
                "outcome": one.outcome,
                "version": one.version,
                "report": one.report,
                "untold": one.untold,
            }
            for one in rebuilds
        ],
    }


def without_reports(shown: VersionsJson) -> VersionsJson:
    """The versions without what reports say: they quote questions and name documents."""

    def bare(verdict: VerdictJson | None) -> VerdictJson | None:
        return None if verdict is None else {"passed": verdict["passed"], "problems": [], "notes": []}

    return {
        **shown,
        "versions": [{**one, "verdict": bare(one["verdict"])} for one in shown["versions"]],
        "history": [
            {**one, "forced_because": one["forced_because"] and REPORT_WITHHELD, "verdict": bare(one["verdict"])}
            for one in shown["history"]
        ],
        "rebuilds": [
            {**one, "report": REPORT_WITHHELD, "untold": one["untold"] and REPORT_WITHHELD} for one in shown["rebuilds"]
        ],
    }


def statistics_json(statistics: Statistics) -> StatisticsJson:
    days = statistics.days
    questions, refused = sum(day.questions for day in days), sum(day.refused for day in days)
    return {
        "bot": statistics.bot,
        "first": statistics.first.isoformat(),
        "last": statistics.last.isoformat(),
        "questions": questions,
        "refused": _share(refused, questions),
        "up": sum(day.up for day in days),
        "down": sum(day.down for day in days),
        "days": [
            {
                "day": day.day.isoformat(),
                "questions": day.questions,
                "refused": _share(day.refused, day.questions),
                "up": day.up,
                "down": day.down,
            }
            for day in days
        ],
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _version_json(record: VersionRecord, verdict: Verdict | None, released: str | None) -> VersionJson:
    return {
        "version": record.version,
        "created_at": record.created_at.isoformat(),
        "released": record.version == released,
        "documents": record.documents,
        "chunks": record.chunks,
        "omissions": record.omissions,
        "verdict": None if verdict is None else _verdict_json({"passed": verdict.passed, **verdict.report}),
    }


def _verdict_json(said: Mapping[str, Any] | None) -> VerdictJson | None:
    if said is None:
        return None
    return {"passed": said["passed"], "problems": list(said["problems"]), "notes": list(said["notes"])}
