"""Whether a version answers the golden questions no worse than the one that answers now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ragbots.evaluation.matching import stated, without_markers
from ragbots.evaluation.questions import Record
from ragbots.evaluation.scoring import Group, Judged, Report, Scores
from ragbots.types import Status

MARGIN = 0.02  # by which a share may lie below that of the live version
_MEASURES: Mapping[str, Callable[[Group], float | None]] = {
    "recall@5": lambda one: one.recall_5,
    "citation_precision": lambda one: one.citation_precision,
    "citation_recall": lambda one: one.citation_recall,
    "must_include_coverage": lambda one: one.must_include_coverage,
}
_OF_ONE: Mapping[str, Callable[[Scores], float | None]] = {
    "recall@5": lambda one: one.recall_5,
    "citation_precision": lambda one: one.cited_gold / one.cited if one.cited and one.cited_gold is not None else None,
    "citation_recall": lambda one: one.citation_recall,
    "must_include_coverage": lambda one: one.must_include_coverage,
}


@dataclass(frozen=True)
class Golden:
    """What the golden questions say of a version: what speaks against it, question by question, and the figures."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def judge(records: Sequence[Record], candidate: Report, live: Report | None) -> Golden:
    """A version holds if no fact is lost that the live one stated, and no share lies below by more than `MARGIN`.

    Without a live version there is nothing to be worse than; its figures are noted.
    """
    notes = tuple(_notes(candidate.total, live.total if live else None))
    if live is None:
        return Golden((), (f"{len(records)} golden questions, no released version to compare with", *notes))
    before = {one.id: one for one in live.records}
    after = {one.id: one for one in candidate.records}
    lost = [line for record in records for line in _lost(record, before[record.id], after[record.id])]
    lower = [
        f"{name} fell from {old:.3f} to {new:.3f}{_worse(name, records, before, after)}"
        for name, (old, new) in _figures(candidate.total, live.total).items()
        if new < old - MARGIN
    ]
    return Golden((*lost, *lower), (f"{len(records)} golden questions", *notes))


def changed_answers(records: Sequence[Record], new: Report, old: Report) -> list[tuple[Record, str, str]]:
    """The golden questions whose answers differ, with the answer before and after."""
    before, after = ({one.id: _said(one) for one in report.records} for report in (old, new))
    return [(one, before[one.id], after[one.id]) for one in records if before[one.id] != after[one.id]]


def _lost(record: Record, before: Judged, after: Judged) -> list[str]:
    had, has = (stated(record.must_include, record.accept, _said(one)) for one in (before, after))
    gone = [fact for fact, was, still in zip(record.must_include, had, has, strict=True) if was and not still]
    where = _cited(after)
    status = after.status.value if after.status else "not asked"
    return [
        f"{record.id} ‘{record.question}’ no longer states ‘{fact}’ ({status}, cites {where}; {_found(record, after)})"
        for fact in gone
    ]


def _worse(name: str, records: Sequence[Record], before: Mapping[str, Judged], after: Mapping[str, Judged]) -> str:
    """The questions that a share fell for, and what each cites now."""
    of = _OF_ONE[name]
    worse = [
        f"{one.id} ‘{one.question}’ (cites {_cited(after[one.id])}; {_found(one, after[one.id])})"
        for one in records
        if (of(before[one.id].scores) or 0.0) > (of(after[one.id].scores) or 0.0)
    ]
    return f": {', '.join(worse)}" if worse else ""


def _cited(judged: Judged) -> str:
    return ", ".join(dict.fromkeys(f"{one.document} {one.address}" for one in judged.citations)) or "nothing"


def _found(record: Record, judged: Judged) -> str:
    missing = [f"{source} {article or ''}".strip() for source, article in record.gold_articles]
    found = judged.scores.recall_10
    return f"{', '.join(missing)} {'is among the ten hits' if found else 'is not found'}"


def _said(judged: Judged) -> str:
    return without_markers(judged.answer or "") if judged.status is Status.ANSWERED else ""


def _figures(new: Group, old: Group) -> Mapping[str, tuple[float, float]]:
    read = {name: (get(old), get(new)) for name, get in _MEASURES.items()}
    return {name: (before, after) for name, (before, after) in read.items() if before is not None and after is not None}


def _notes(new: Group, old: Group | None) -> list[str]:
    if old is None:
        return [f"{name} {value:.3f}" for name, get in _MEASURES.items() if (value := get(new)) is not None]
    return [f"{name} {before:.3f} → {after:.3f}" for name, (before, after) in _figures(new, old).items()]
