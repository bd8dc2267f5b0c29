"""What one answer scores, and what many do together.

Every score is None where nothing was to be measured. Shares are means over the records that have the
score; citation precision and recall are shares of all cited and of all gold articles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ragbots.evaluation.matching import (
    Place,
    covered,
    dates_in,
    first_match,
    folded,
    same_source,
    stands_in,
    stated,
    without_markers,
)
from ragbots.evaluation.questions import Record
from ragbots.types import Answer, Citation, Status

DEPTHS = (1, 3, 5, 10)

_Number = TypeVar("_Number", int, float)


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Retrieval(Frozen):
    """Recall@k: share of the gold articles among the first k. MRR: 1 / rank of the first gold article."""

    recall_1: float | None = Field(None, alias="recall@1")
    recall_3: float | None = Field(None, alias="recall@3")
    recall_5: float | None = Field(None, alias="recall@5")
    recall_10: float | None = Field(None, alias="recall@10")
    mrr: float | None = None


class Scores(Retrieval):
    """One record's; the recalls at this level are with the right bot given, in `end_to_end` with the chosen one."""

    out_of_scope: bool
    end_to_end: Retrieval = Field(default_factory=lambda: Retrieval.model_validate({}))
    routing_accuracy: float | None = None
    routing_top3: float | None = None
    must_include_coverage: float | None = None
    must_include_all: float | None = None
    answer_chars: int | None = None
    refused: bool | None = None
    cited: int | None = None
    cited_gold: int | None = None
    gold: int | None = None
    gold_cited: int | None = None
    unsupported_figures: int | None = None
    as_of_accuracy: float | None = None
    version_selection: float | None = None
    date_resolution: float | None = None
    wrong_version_rate: float | None = None
    mixed_rate: float | None = None
    group_consistency: float | None = None
    pending_recall: float | None = None
    pending_precision: float | None = None
    latency_ms: float | None = None

    @property
    def citation_recall(self) -> float | None:
        return None if self.gold is None or self.gold_cited is None else self.gold_cited / self.gold


class Judged(Frozen):
    """One record with what came of it. `ranked` are (source, article), best first, with the right bot given
    (with the chosen one where the record names none); `unsupported` are the figures counted in the scores."""

    id: str
    kind: str
    bot: str | None
    group: str | None = None
    routed: str | None = None
    status: Status | None = None
    ranked: tuple[Place, ...] = ()
    citations: tuple[Citation, ...] = ()
    answer: str | None = None
    confidence: float | None = None
    unsupported: tuple[str, ...] = ()
    scores: Scores


class Latency(Frozen):
    """Milliseconds from question to answer."""

    p50: float | None = None
    p95: float | None = None


class Group(Retrieval):
    """The metrics of a set of records."""

    n: int
    routing_accuracy: float | None
    routing_top3: float | None
    end_to_end: Retrieval
    must_include_coverage: float | None
    must_include_all: float | None
    answer_chars_median: float | None
    answer_chars_p90: float | None
    citation_precision: float | None
    citation_recall: float | None
    refusal_precision: float | None
    refusal_recall: float | None
    unsupported_figures: int | None
    as_of_accuracy: float | None
    version_selection: float | None
    date_resolution: float | None
    wrong_version_rate: float | None
    mixed_rate: float | None
    group_consistency: float | None
    pending_recall: float | None
    pending_precision: float | None
    latency_ms: Latency


class Report(Frozen):
    """What an evaluation found; `as_json` is what `ragbots eval --json` prints."""

    total: Group
    by_bot: Mapping[str, Group]
    by_kind: Mapping[str, Group]
    records: tuple[Judged, ...]

    def as_json(self) -> dict[str, object]:
        return self.model_dump(mode="json", by_alias=True)


# --- one record ----------------------------------------------------------------------------------


def retrieval(ranked: Sequence[Place], gold: Sequence[Place]) -> Retrieval:
    """Of distinct (source, article) in order; two golds in one article are one."""
    recalls = {f"recall@{k}": covered(ranked[:k], gold) / len(gold) for k in DEPTHS}
    first = first_match(ranked[: max(DEPTHS)], gold)
    return Retrieval.model_validate(recalls | {"mrr": 1 / first if first else 0.0})


def answer_scores(record: Record, answer: Answer, today: date) -> dict[str, object]:
    """The scores that the answer alone decides, by name."""
    scores: dict[str, object] = {"refused": _refused(record, answer)} | _citations(record, answer)
    scores["pending_precision"] = _announced_rightly(record, answer, today)
    if record.in_scope:
        scores |= _routing(record, answer) | _facts(record, answer) | _dated(record, answer)
    if record.in_scope and answer.status is Status.ANSWERED:
        scores["answer_chars"] = len(without_markers(answer.answer))
    return scores


def _refused(record: Record, answer: Answer) -> bool:
    """To ask back counts as refusing where there is an answer, as not refusing where there is none."""
    return answer.status is Status.REFUSED or (record.in_scope and answer.status is Status.CLARIFY)


def _routing(record: Record, answer: Answer) -> dict[str, object]:
    """Whether the bot is the one chosen, and whether it is among the first three; not judged where none is named."""
    if record.bot is None:
        return {}
    chosen = [answer.bot] if answer.bot else []
    first = list(dict.fromkeys([*chosen, *(candidate.id for candidate in answer.candidates)]))[:3]
    return {"routing_accuracy": float(answer.bot == record.bot), "routing_top3": float(record.bot in first)}


def _facts(record: Record, answer: Answer) -> dict[str, object]:
    if not record.must_include:
        return {}
    found = _stated(record, answer)
    return {"must_include_coverage": sum(found) / len(found), "must_include_all": float(all(found))}


def _stated(record: Record, answer: Answer) -> list[bool]:
    """Refusing and asking back state nothing."""
    if answer.status is not Status.ANSWERED:
        return [False] * len(record.must_include)
    return stated(record.must_include, record.accept, without_markers(answer.answer))


def _citations(record: Record, answer: Answer) -> dict[str, object]:
    """Distinct cited and gold articles of in-scope records and how many of each match; refusing cites nothing."""
    if not record.in_scope:
        return {}
    cited = cited_places(answer)
    gold_cited = covered(cited, record.gold_articles)
    cited_gold = sum(first_match([place], record.gold_articles) is not None for place in cited)
    return {"cited": len(cited), "cited_gold": cited_gold, "gold": len(record.gold_articles), "gold_cited": gold_cited}


def cited_places(answer: Answer) -> tuple[Place, ...]:
    if answer.status is not Status.ANSWERED:
        return ()
    return tuple(dict.fromkeys((citation.source, citation.article) for citation in answer.citations))


# --- answers that depend on the day ----------------------------------------------------------------


def _dated(record: Record, answer: Answer) -> dict[str, object]:
    scores: dict[str, object] = {}
    all_stated = all(_stated(record, answer)) and answer.status is Status.ANSWERED
    wrong = _states_wrong_version(record, answer)
    if record.must_not_include:
        scores |= {"wrong_version_rate": float(wrong and not all_stated), "mixed_rate": float(wrong and all_stated)}
    if record.dated:
        cited = any(_is_gold_version(record, source) for source, _ in cited_places(answer))
        scores["as_of_accuracy"] = float(all_stated and not wrong and cited)
        scores["version_selection"] = float(_selects_version(record, answer))
    if record.as_of_in_question:
        scores["date_resolution"] = float(_resolves_day(record, answer.as_of))
    if record.must_mention_date:
        scores["pending_recall"] = float(all_stated and record.must_mention_date in _days_told(answer))
    return scores


def _states_wrong_version(record: Record, answer: Answer) -> bool:
    text = folded(without_markers(answer.answer))
    return answer.status is Status.ANSWERED and any(stands_in(words, text) for words in record.must_not_include)


def _is_gold_version(record: Record, source: str) -> bool:
    return any(same_source(source, gold.source) for gold in record.gold)


def _selects_version(record: Record, answer: Answer) -> bool:
    """Whether the gold statute is cited, and from the gold version only; versions of one statute share a folder."""
    folders = {gold.source.rpartition("/")[0] for gold in record.gold}
    of_statute = [source for source, _ in cited_places(answer) if source.rpartition("/")[0] in folders]
    return bool(of_statute) and all(_is_gold_version(record, source) for source in of_statute)


def _resolves_day(record: Record, day: date) -> bool:
    """The day itself or one of the period that the question names.

    Where it says only "before the amendment", any day of the gold version's: from the date in its file's
    name to `as_of`, the last day on which it is known to be in force.
    """
    if record.as_of_period:
        return record.as_of_period[0] <= day <= record.as_of_period[1]
    expected = record.as_of or record.asked_on
    if expected and "전에" in record.question and not dates_in(record.question):
        starts = [version_day(gold.source) or expected for gold in record.gold]
        return min(starts) <= day <= expected
    return day == expected


def version_day(source: str) -> date | None:
    """`근로기준법/2018-05-29.md` is of 2018-05-29."""
    name = source.rpartition("/")[2].partition(".")[0]
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def _days_told(answer: Answer) -> set[date]:
    """Days that the reader is told, in the text or in a warning beside it."""
    told = {notice.effective_date for notice in answer.warnings if notice.effective_date}
    return dates_in("\n".join([answer.answer, *(notice.text for notice in answer.warnings)])) | told


def _announced_rightly(record: Record, answer: Answer, today: date) -> float | None:
    """Of an answer that announces a change to come: whether one is due, and on that day. The day that was asked for
    and those in the words of the rule are none that it announces."""
    coming = {day for day in _days_told(answer) if day > today} - {answer.as_of}
    coming -= dates_in("\n".join(citation.quote for citation in answer.citations))
    if answer.status is not Status.ANSWERED or not coming:
        return None
    return float(record.must_mention_date in coming)


# --- many records ------------------------------------------------------------------------------------


def with_groups(judged: Sequence[Judged]) -> tuple[Judged, ...]:
    """Each member of a group gets the group's score: 1 where every member is right."""
    wrong = {one.group for one in judged if one.group and not one.scores.as_of_accuracy}
    return tuple(
        _with_score(one, "group_consistency", float(one.group not in wrong))
        if one.scores.as_of_accuracy is not None and one.group
        else one
        for one in judged
    )


def _with_score(one: Judged, name: str, value: float) -> Judged:
    return one.model_copy(update={"scores": one.scores.model_copy(update={name: value})})


def report(judged: Sequence[Judged]) -> Report:
    """Figures in total, by bot (records that name one) and by kind."""
    records = with_groups(judged)
    return Report(
        total=group(records),
        by_bot=_by(records, lambda one: one.bot),
        by_kind=_by(records, lambda one: one.kind),
        records=records,
    )


def _by(records: Sequence[Judged], key: Callable[[Judged], str | None]) -> dict[str, Group]:
    names = sorted({name for one in records if (name := key(one)) is not None})
    return {name: group([one for one in records if key(one) == name]) for name in names}


_MEANS = (
    "routing_accuracy", "routing_top3", "must_include_coverage", "must_include_all", "as_of_accuracy",
    "version_selection", "date_resolution", "wrong_version_rate", "mixed_rate", "pending_recall", "pending_precision",
)  # fmt: skip


def group(records: Sequence[Judged]) -> Group:
    """The metrics of these records together."""
    scores = [one.scores for one in records]
    chars = [one.answer_chars for one in scores]
    latency = [one.latency_ms for one in scores]
    values: dict[str, object] = {name: _mean(getattr(one, name) for one in scores) for name in _MEANS}
    values |= _mean_retrieval(scores) | _refusals(scores) | _pooled_citations(scores)
    values |= {
        "n": len(records),
        "end_to_end": _mean_retrieval([one.end_to_end for one in scores]),
        "answer_chars_median": _percentile(chars, 50),
        "answer_chars_p90": _percentile(chars, 90),
        "unsupported_figures": _sum(one.unsupported_figures for one in scores),
        "group_consistency": _mean({one.group: one.scores.group_consistency for one in records if one.group}.values()),
        "latency_ms": {"p50": _percentile(latency, 50), "p95": _percentile(latency, 95)},
    }
    return Group.model_validate(values)


def _mean_retrieval(scores: Sequence[Retrieval]) -> dict[str, object]:
    means: dict[str, object] = {f"recall@{k}": _mean(getattr(one, f"recall_{k}") for one in scores) for k in DEPTHS}
    return means | {"mrr": _mean(one.mrr for one in scores)}


def _refusals(scores: Sequence[Scores]) -> dict[str, object]:
    """Precision: refused out of scope / all refused. Recall: refused out of scope / out of scope."""
    judged = [one for one in scores if one.refused is not None]
    refused = [one for one in judged if one.refused]
    outside = [one for one in judged if one.out_of_scope]
    rightly = sum(one.out_of_scope for one in refused)
    return {"refusal_precision": _share(rightly, len(refused)), "refusal_recall": _share(rightly, len(outside))}


def _pooled_citations(scores: Sequence[Scores]) -> dict[str, object]:
    def total(name: str) -> int:
        return _sum(getattr(one, name) for one in scores) or 0

    return {
        "citation_precision": _share(total("cited_gold"), total("cited")),
        "citation_recall": _share(total("gold_cited"), total("gold")),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _known(values: Iterable[_Number | None]) -> list[_Number]:
    return [value for value in values if value is not None]


def _mean(values: Iterable[float | None]) -> float | None:
    known = _known(values)
    return sum(known) / len(known) if known else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = _known(values)
    return sum(known) if known else None


def _percentile(values: Iterable[float | None], percent: float) -> float | None:
    """Between two values, in proportion."""
    known = _known(values)
    return float(np.percentile(known, percent)) if known else None
