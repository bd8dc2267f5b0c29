"""Two runs side by side, and a run as rows of a table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from ragbots import figures
from ragbots.config import explain
from ragbots.errors import ConfigurationError
from ragbots.evaluation.matching import without_markers
from ragbots.evaluation.scoring import Frozen, Group, Report, Scores
from ragbots.types import Status


class Change(Frozen):
    """One metric of one question (or of the total) then and now; `better` says which way it went."""

    id: str
    metric: str
    before: float
    after: float
    better: bool


class Comparison(Frozen):
    """Per question what was gained and lost, over the questions that both runs have; and the totals of each.

    `only_now` and `only_before` are the ids that one run alone has: where there are any, the totals are of
    different questions.
    """

    gains: tuple[Change, ...]
    losses: tuple[Change, ...]
    totals: tuple[Change, ...]
    only_now: tuple[str, ...]
    only_before: tuple[str, ...]


def load_report(path: Path) -> Report:
    """What `ragbots eval --json` printed. Raises ConfigurationError where the file is something else."""
    try:
        values = json.loads(path.read_bytes())
        beside = {"comparison", "groundedness"}  # worked out from the records anew
        kept = (
            {key: value for key, value in values.items() if key not in beside} if isinstance(values, dict) else values
        )
        return Report.model_validate_json(json.dumps(kept))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise ConfigurationError(f"{path}: not JSON", hint="make it with `ragbots eval --json`") from error
        told = explain(error)[:500]
        hint = "make it with `ragbots eval --json`"
        raise ConfigurationError(f"{path}: not a report of this version: {told}", hint=hint) from error


_MARKER = re.compile(r"\[\d+\]")
# A quotation or paragraph up to its markers, or a line without any; the line before quotations is their heading.
_SENTENCE = re.compile(r"[^\[\n][^\[]*?(?:\[\d+\])+|[^\n]*[다요][.]\s*$", re.MULTILINE)
_FEWER_IS_BETTER = frozenset({"unsupported_figures", "wrong_version_rate"})

_PER_QUESTION: dict[str, Callable[[Scores], float | None]] = {
    "routing_accuracy": lambda one: one.routing_accuracy,
    "recall@1": lambda one: one.recall_1,
    "recall@5": lambda one: one.recall_5,
    "recall@10": lambda one: one.recall_10,
    "end_to_end.recall@5": lambda one: one.end_to_end.recall_5,
    "must_include_coverage": lambda one: one.must_include_coverage,
    "citation_recall": lambda one: one.citation_recall,
    "refused_rightly": lambda one: None if one.refused is None else float(one.refused == one.out_of_scope),
    "unsupported_figures": lambda one: one.unsupported_figures,
    "as_of_accuracy": lambda one: one.as_of_accuracy,
    "wrong_version_rate": lambda one: one.wrong_version_rate,
    "pending_recall": lambda one: one.pending_recall,
}

_TOTALS: dict[str, Callable[[Group], float | None]] = {
    "routing_accuracy": lambda one: one.routing_accuracy,
    "recall@1": lambda one: one.recall_1,
    "recall@5": lambda one: one.recall_5,
    "recall@10": lambda one: one.recall_10,
    "mrr": lambda one: one.mrr,
    "end_to_end.recall@1": lambda one: one.end_to_end.recall_1,
    "end_to_end.recall@5": lambda one: one.end_to_end.recall_5,
    "must_include_coverage": lambda one: one.must_include_coverage,
    "must_include_all": lambda one: one.must_include_all,
    "citation_precision": lambda one: one.citation_precision,
    "citation_recall": lambda one: one.citation_recall,
    "refusal_precision": lambda one: one.refusal_precision,
    "refusal_recall": lambda one: one.refusal_recall,
    "unsupported_figures": lambda one: one.unsupported_figures,
    "as_of_accuracy": lambda one: one.as_of_accuracy,
    "wrong_version_rate": lambda one: one.wrong_version_rate,
    "group_consistency": lambda one: one.group_consistency,
    "pending_recall": lambda one: one.pending_recall,
    "pending_precision": lambda one: one.pending_precision,
}


class Groundedness(Frozen):
    """How far answers rest on what they cite, over all that were answered: the share of their sentences with a
    citation, and of their figures that stand in a cited article; None where there are none."""

    answers: int
    sentences_cited: float | None
    figures_supported: float | None


def groundedness(report: Report) -> Groundedness:
    answered = [one for one in report.records if one.status is Status.ANSWERED and one.answer]
    cited = [bool(_MARKER.search(line)) for one in answered for line in _SENTENCE.findall(one.answer or "")]
    stated = sum(len(figures.figures(without_markers(one.answer or ""))) for one in answered)
    loose = sum(one.scores.unsupported_figures or 0 for one in answered)
    return Groundedness(
        answers=len(answered),
        sentences_cited=sum(cited) / len(cited) if cited else None,
        figures_supported=1 - loose / stated if stated else None,
    )


def compare(report: Report, baseline: Report) -> Comparison:
    """What changed from the baseline; a metric that either run did not measure is passed over."""
    now = {one.id: one.scores for one in report.records}
    before = {one.id: one.scores for one in baseline.records}
    changes = [change for name in now if name in before for change in _changes(name, before[name], now[name])]
    totals = [_change("total", metric, get(baseline.total), get(report.total)) for metric, get in _TOTALS.items()]
    return Comparison(
        gains=tuple(change for change in changes if change.better),
        losses=tuple(change for change in changes if not change.better),
        totals=tuple(change for change in totals if change),
        only_now=tuple(name for name in now if name not in before),
        only_before=tuple(name for name in before if name not in now),
    )


def _changes(name: str, before: Scores, now: Scores) -> Iterator[Change]:
    for metric, get in _PER_QUESTION.items():
        change = _change(name, metric, get(before), get(now))
        if change and change.before != change.after:
            yield change


def _change(name: str, metric: str, before: float | None, after: float | None) -> Change | None:
    if before is None or after is None:
        return None
    better = after < before if metric in _FEWER_IS_BETTER else after > before
    return Change(id=name, metric=metric, before=before, after=after, better=better)


_COLUMNS: dict[str, Callable[[Group], float | None]] = {
    "routing": lambda one: one.routing_accuracy,
    "top 3": lambda one: one.routing_top3,
    "R@1": lambda one: one.recall_1,
    "R@5": lambda one: one.recall_5,
    "R@10": lambda one: one.recall_10,
    "MRR": lambda one: one.mrr,
    "e2e R@1": lambda one: one.end_to_end.recall_1,
    "e2e R@5": lambda one: one.end_to_end.recall_5,
    "facts": lambda one: one.must_include_coverage,
    "all facts": lambda one: one.must_include_all,
    "cite P": lambda one: one.citation_precision,
    "cite R": lambda one: one.citation_recall,
    "refuse P": lambda one: one.refusal_precision,
    "refuse R": lambda one: one.refusal_recall,
    "as of": lambda one: one.as_of_accuracy,
    "wrong version": lambda one: one.wrong_version_rate,
    "pending R": lambda one: one.pending_recall,
}

_WHOLE: dict[str, Callable[[Group], float | None]] = {
    "unsupported": lambda one: one.unsupported_figures,
    "chars": lambda one: one.answer_chars_median,
    "p50 ms": lambda one: one.latency_ms.p50,
    "p95 ms": lambda one: one.latency_ms.p95,
}


def summary_rows(report: Report) -> list[tuple[str, ...]]:
    """A heading, then a row for the total, each kind and each bot; columns that nothing was measured for are
    left out, single empty cells are `–`. Every row is as long as the heading."""
    groups = {"total": report.total, **report.by_kind, **report.by_bot}
    columns = {name: (get, "{:.3f}") for name, get in _COLUMNS.items()}
    columns |= {name: (get, "{:,.0f}") for name, get in _WHOLE.items()}
    used = {name: column for name, column in columns.items() if column[0](report.total) is not None}
    rows = [
        (label, str(one.n), *(_cell(get(one), form) for get, form in used.values())) for label, one in groups.items()
    ]
    return [("", "n", *used), *rows]


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
