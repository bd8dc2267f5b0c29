from __future__ import annotations

import pytest

from ragbots.asking import COUNT, asks_for_changes, kinds_asked, kinds_held

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


@pytest.mark.parametrize(
    "text",
    [
        "이번 개정으로 뭐가 바뀌었어?",
        "최근에 개정된 내용 알려줘",
        "바뀐 점이 뭐야",
        "육아휴직은 어떻게 바뀌었나요?",
        "신구대조표 보여줘",
    ],
)
def test_it_is_asked_what_changed(text: str) -> None:
    assert asks_for_changes(text)


@pytest.mark.parametrize(
    "text",
    [
        "출장비가 바뀌면 어떻게 하나요",
        "개정 전에는 며칠이었나요",
        "계좌를 변경하려면 뭐가 필요한가요",
        "주소가 바뀔 때는요",
    ],
)
def test_it_is_not_asked_what_an_amendment_changed(text: str) -> None:
    assert not asks_for_changes(text)
