from __future__ import annotations

import pytest

from ragbots.followup import depends, standalone
from ragbots.types import Turn

FIRST = "육아휴직은 최대 몇 년까지 쓸 수 있나요?"
HISTORY = (Turn("user", "연차는 며칠인가요?"), Turn("assistant", "15일"), Turn("user", FIRST), Turn("assistant", "3년"))


@pytest.mark.parametrize(
    "question",
    [
        "그럼 그 기간에 급여는 어떻게 되나요?",
        "그거 신청은 누구에게 하나요?",
        "쌍둥이를 낳은 경우에는 배우자와 나누어 쓰는 것은요?",
        "계약직으로 일하는 직원이 신청하려는 경우에는요?",
        "신청 방법은?",
        "얼마예요?",
    ],
)
def test_what_leans_back_carries_the_last_question(question: str) -> None:
    assert depends(question)
    assert standalone(question, HISTORY) == f"{FIRST} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "국내 출장을 갈 때 자가용을 쓰면 유류비를 얼마나 받을 수 있나요?",
        "퇴직금 중간정산은 어떤 사유가 있어야 신청할 수 있습니까?",
    ],
)
def test_what_stands_alone_carries_nothing(question: str) -> None:
    assert standalone(question, HISTORY) == question


def test_without_an_earlier_question_there_is_nothing_to_carry() -> None:
    assert standalone("그럼 급여는?", ()) == "그럼 급여는?"
    assert standalone("그럼 급여는?", (Turn("assistant", "안녕하세요"),)) == "그럼 급여는?"
