"""A run as a page that a content owner reads: one file, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ragbots.evaluation.questions import Record
from ragbots.evaluation.report import Change, Comparison
from ragbots.evaluation.scoring import Group, Judged, Report
from ragbots.markup import templates
from ragbots.types import Status

_BINS = 10
_LENGTHS = (0, 100, 200, 300, 400, 500, 600, 700)  # characters; the last bar holds all longer ones

MEASURES: Mapping[str, str] = {
    "routing_accuracy": "알맞은 챗봇을 골랐는가",
    "recall@1": "답이 되는 조문을 맨 먼저 찾았는가",
    "recall@5": "답이 되는 조문을 다섯째 안에 찾았는가",
    "recall@10": "답이 되는 조문을 열째 안에 찾았는가",
    "mrr": "답이 되는 조문의 순위(역수 평균)",
    "end_to_end.recall@1": "챗봇 선택부터 보아 맨 먼저 찾았는가",
    "end_to_end.recall@5": "챗봇 선택부터 보아 다섯째 안에 찾았는가",
    "must_include_coverage": "답에 꼭 있어야 할 내용이 있는가",
    "must_include_all": "꼭 있어야 할 내용이 모두 있는가",
    "citation_precision": "근거로 든 조문이 맞는가",
    "citation_recall": "들어야 할 조문을 근거로 들었는가",
    "refusal_precision": "거절한 질문이 정말 답이 없는 것인가",
    "refusal_recall": "답이 없는 질문을 거절했는가",
    "refused_rightly": "거절할 것만 거절했는가",
    "unsupported_figures": "근거 없는 숫자",
    "as_of_accuracy": "물은 날의 규정으로 답했는가",
    "wrong_version_rate": "다른 날의 규정으로 답한 비율",
    "group_consistency": "같은 질문에 같은 답을 했는가",
    "pending_recall": "바뀔 예정임을 알렸는가",
    "pending_precision": "바뀔 예정이라고 한 것이 맞는가",
}
_STATUS = {Status.ANSWERED: "답함", Status.REFUSED: "거절함", Status.CLARIFY: "되물음"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a plot: `share` is its length (0–1), `told` what stands beside it, None where nothing was measured."""

    label: str
    share: float | None
    told: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what was expected and what came; `faults` says in words what was wrong."""

    question: str
    bot: str
    expected: str
    wanted: tuple[str, ...]
    status: str
    routed: str
    answer: str
    cited: tuple[str, ...]
    faults: tuple[str, ...]


def report_page(
    report: Report,
    records: Sequence[Record],
    names: Mapping[str, str],
    day: date,
    threshold: float,
    comparison: Comparison | None = None,
) -> str:
    """The page in HTML. `names`: those of the bots by id; `threshold`: the confidence below which is refused."""
    by_id = {record.id: record for record in records}
    asked = [_asked(one, by_id[one.id], names) for one in report.records]
    return (
        templates(Path(__file__).parent)
        .get_template("report.html.j2")
        .render(
            day=day,
            total=report.total,
            sentences=list(_sentences(report)),
            bots=[_facts_bar(names.get(name, name), group) for name, group in report.by_bot.items()],
            kinds=[_facts_bar(name, group) for name, group in report.by_kind.items()],
            routing=[_routing_bar(names.get(name, name), group) for name, group in report.by_bot.items()],
            confidence=confidence_bars(report.records),
            threshold=threshold,
            lengths=length_bars(
                [one.scores.answer_chars for one in report.records if one.scores.answer_chars is not None]
            ),
            wrong=[one for one in asked if one.faults],
            right=[one for one in asked if not one.faults],
            comparison=comparison,
            lost=[_change(one, by_id) for one in comparison.losses] if comparison else [],
            gained=[_change(one, by_id) for one in comparison.gains] if comparison else [],
            measures=MEASURES,
        )
    )


def _sentences(report: Report) -> Iterator[str]:
    """The run in words."""
    scope = [one for one in report.records if not one.scores.out_of_scope]
    outside = [one for one in report.records if one.scores.out_of_scope]
    answered = [one for one in scope if one.status is Status.ANSWERED]
    if scope and any(one.status for one in scope):
        yield f"규정에 답이 있는 질문 {len(scope)}개 가운데 {len(answered)}개에 답했습니다."
        whole = sum(one.scores.must_include_all == 1 for one in scope)
        yield f"꼭 있어야 할 내용이 모두 들어간 답은 {whole}개입니다."
    routed = [one.scores.routing_accuracy for one in scope if one.scores.routing_accuracy is not None]
    if routed:
        yield f"{len(routed)}개 가운데 {sum(map(int, routed))}개를 알맞은 챗봇이 맡았습니다."
    first = [one.scores.recall_1 for one in scope if one.scores.recall_1 is not None]
    if first:
        yield f"알맞은 챗봇에서 찾으면 {sum(value == 1 for value in first)}개는 답이 되는 조문이 맨 먼저 나옵니다."
    if outside and any(one.status for one in outside):
        refused = sum(one.status is Status.REFUSED for one in outside)
        yield f"규정에 답이 없는 질문 {len(outside)}개 가운데 {refused}개를 거절했습니다."
    figures = sum(one.scores.unsupported_figures or 0 for one in report.records)
    yield "근거 없는 숫자는 하나도 없습니다." if not figures else f"근거에 없는 숫자가 {figures}개 있습니다."


def _facts_bar(label: str, group: Group) -> Bar:
    return _bar(label, group.must_include_coverage, group.n)


def _routing_bar(label: str, group: Group) -> Bar:
    return _bar(label, group.routing_accuracy, group.n)


def _bar(label: str, share: float | None, count: int) -> Bar:
    return Bar(label, share, "잰 것 없음" if share is None else f"{share:.0%} (질문 {count}개)")


def confidence_bars(records: Sequence[Judged]) -> list[Bar]:
    """For each tenth of the confidence the share of the questions that the rules do answer."""
    known = [(one.confidence, not one.scores.out_of_scope) for one in records if one.confidence is not None]
    bars = []
    for number in range(_BINS):
        low, high = number / _BINS, (number + 1) / _BINS
        within = [right for value, right in known if low <= value < high or (number == _BINS - 1 and value == 1)]
        share = sum(within) / len(within) if within else None
        told = f"{share:.0%} (질문 {len(within)}개)" if share is not None else "질문 없음"
        bars.append(Bar(f"{low:.1f}–{high:.1f}", share, told))
    return bars


def length_bars(lengths: Sequence[int]) -> list[Bar]:
    """How many answers are how long."""
    counts = []
    for number, low in enumerate(_LENGTHS):
        high = _LENGTHS[number + 1] if number + 1 < len(_LENGTHS) else None
        label = f"{low}–{high - 1}자" if high else f"{low}자 이상"
        counts.append((label, sum(low <= length and (high is None or length < high) for length in lengths)))
    most = max((count for _, count in counts), default=0) or 1
    return [Bar(label, count / most, f"{count}개") for label, count in counts]


def _asked(judged: Judged, record: Record, names: Mapping[str, str]) -> Asked:
    return Asked(
        question=record.question,
        bot=names.get(judged.bot or "", judged.bot or ""),
        expected=record.answer or ("규정에 답이 없는 질문" if not record.in_scope else ""),
        wanted=tuple(" ".join(part for part in place if part) for place in record.gold_articles),
        status=_STATUS[judged.status] if judged.status else "묻지 않음",
        routed=names.get(judged.routed or "", judged.routed or ""),
        answer=judged.answer or "",
        cited=tuple(f"{one.document} {one.address}" for one in judged.citations),
        faults=tuple(_faults(judged)),
    )


def _faults(judged: Judged) -> Iterator[str]:
    scores = judged.scores
    if scores.out_of_scope:
        if judged.status is Status.ANSWERED:
            yield "답이 없는 질문에 답했습니다"
        return
    if judged.status is Status.REFUSED:
        yield "답이 있는데 거절했습니다"
    if judged.status is Status.CLARIFY:
        yield "어느 챗봇인지 되물었습니다"
    if scores.routing_accuracy == 0:
        yield "다른 챗봇이 맡았습니다"
    if judged.status is Status.ANSWERED and scores.must_include_all == 0:
        yield "꼭 있어야 할 내용이 빠졌습니다"
    if judged.status is None and scores.recall_5 is not None and scores.recall_5 < 1:
        yield "답이 되는 조문이 다섯째 안에 없습니다"
    if scores.unsupported_figures:
        yield f"근거에 없는 숫자가 있습니다: {', '.join(judged.unsupported)}"


def _change(change: Change, records: Mapping[str, Record]) -> dict[str, object]:
    return {
        "question": records[change.id].question,
        "measure": MEASURES.get(change.metric, change.metric),
        "before": f"{change.before:.2f}",
        "after": f"{change.after:.2f}",
    }
