from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from ragbots.asking import figure_missing
from ragbots.confidence import MODEL, Features

SURE = Features(
    cosine=0.80, lead=0.20, ahead=0.12, covered=0.6, fully=0.1, plain=0.0, tokens_low=0.63, tokens_short=0.03, read=3.0,
)  # fmt: skip
STRANGE = Features(
    cosine=0.60, lead=0.12, ahead=0.07, covered=0.05, fully=0.0, plain=0.0, tokens_low=0.45, tokens_short=0.10,
    read=-5.0,
)  # fmt: skip


def test_every_feature_has_a_weight() -> None:
    assert set(MODEL.weights) == set(asdict(SURE))


def test_what_fits_is_answered_and_what_is_strange_refused() -> None:
    assert MODEL.confidence(SURE) > 0.8
    assert MODEL.confidence(STRANGE) < MODEL.threshold


@pytest.mark.parametrize(
    "better", [{"cosine": 0.85}, {"fully": 0.3}, {"covered": 0.7}, {"tokens_short": 0.0}, {"read": 6.0}]
)
def test_better_evidence_makes_surer(better: dict[str, float]) -> None:
    middling = replace(SURE, cosine=0.75)
    assert MODEL.confidence(replace(middling, **better)) > MODEL.confidence(middling)


@pytest.mark.parametrize(
    ("question", "text", "missing"),
    [
        ("숙박비는 얼마인가요?", "1박에 80,000원 이하로 한다.", 0.0),
        ("숙박비는 얼마인가요?", "예산의 범위에서 지급할 수 있다.", 1.0),
        ("며칠 안에 신고하나요?", "안 날부터 10일 이내에 신고한다.", 0.0),
        ("며칠 안에 신고하나요?", "지체 없이 신고한다.", 1.0),
        ("이자는 몇 퍼센트인가요?", "연 100분의 20으로 한다.", 0.0),
        ("위원은 몇 명인가요?", "위원장 1명을 포함한다.", 0.0),
        ("누가 승인하나요?", "부서의 장이 승인한다.", 0.0),
    ],
)
def test_a_figure_that_is_asked_for_is_looked_for(question: str, text: str, missing: float) -> None:
    assert figure_missing(question, text) == missing
