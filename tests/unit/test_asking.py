from __future__ import annotations

import pytest

from ragbots.asking import COUNT, kinds_asked, kinds_held

MONEY, TIME, SHARE, COUNTED = range(COUNT)


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("숙박비는 얼마까지 되나요?", {MONEY}),
        ("며칠 안에 정산해야 하나요?", {TIME}),
        ("휴직은 얼마나 오래 할 수 있나요?", {TIME}),
        ("몇 퍼센트를 더 받나요?", {SHARE}),
        ("위원은 몇 명인가요?", {COUNTED}),
        ("누가 결재하나요?", set()),
    ],
)
def test_what_a_question_asks_for(question: str, kinds: set[int]) -> None:
    assert set(kinds_asked(question)) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1박에 80,000원으로 한다.", {MONEY}),
        ("십오일 이내에 신고한다.", {TIME}),
        ("통상임금의 50퍼센트를 더하여 지급한다.", {MONEY, SHARE}),
        ("위원은 7명 이내로 한다.", {COUNTED}),
        ("부서장이 정한다.", set()),
    ],
)
def test_what_a_text_holds(text: str, kinds: set[int]) -> None:
    assert {kind for kind, held in enumerate(kinds_held(text)) if held} == kinds
