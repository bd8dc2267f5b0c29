from __future__ import annotations

import pytest

from ragbots.followup import depends, earlier, points_back, signs
from ragbots.types import Turn

FIRST = "육아휴직은 최대 몇 년까지 쓸 수 있나요?"
HISTORY = (Turn("user", "연차는 며칠인가요?"), Turn("assistant", "15일"), Turn("user", FIRST), Turn("assistant", "3년"))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("그럼 그 기간에 급여는 어떻게 되나요?", 3),
        ("그거 신청은 누구에게 하나요?", 2),
        ("쌍둥이를 낳은 경우에는 배우자와 나누어 쓰는 것은요?", 6),
        ("계약직으로 일하는 직원이 신청하려는 경우에는요?", 5),
        ("신청 방법은?", 2),
        ("얼마예요?", 1),
    ],
)
def test_what_leans_back_depends_on_what_was_said(question: str, words: int) -> None:
    assert depends(question, words, elsewhere=0.0)


@pytest.mark.parametrize(
    "question",
    [
        "국내 출장을 갈 때 자가용을 쓰면 유류비를 얼마나 받을 수 있나요?",
        "퇴직금 중간정산은 어떤 사유가 있어야 신청할 수 있습니까?",
    ],
)
def test_what_says_all_there_is_to_say_stands_alone(question: str) -> None:
    assert not depends(question, words=8, elsewhere=0.0)


def test_a_short_question_that_leads_elsewhere_changes_the_subject() -> None:
    assert depends("숙박비 상한이 얼마예요?", words=3, elsewhere=0.0)
    assert not depends("숙박비 상한이 얼마예요?", words=3, elsewhere=0.4)


def test_more_words_and_a_clearer_lead_never_count_for_leaning() -> None:
    fewest, most = signs("휴가", 1, 0.0), signs("휴가", 50, 0.9)
    assert fewest[2] < most[2] <= 1
    assert fewest[3] < most[3] <= 1


def test_the_last_question_is_what_a_turn_may_lean_on() -> None:
    assert earlier(HISTORY) == FIRST


def test_a_chain_of_follow_ups_is_carried_back_to_where_it_began() -> None:
    turns = ["숙박비 상한을 넘으면 어떻게 하나요?", FIRST, "그럼 쌍둥이면요?", "그건 유급인가요?"]
    assert earlier([Turn("user", turn) for turn in turns]) == " ".join(turns[1:])


def test_thanks_in_between_are_passed_over() -> None:
    assert earlier((*HISTORY, Turn("user", "감사합니다!"), Turn("assistant", "네"))) == FIRST


def test_it_works_in_the_tenth_turn_as_in_the_second() -> None:
    assert earlier(HISTORY * 5) == earlier(HISTORY)


def test_of_a_long_turn_its_end_is_carried() -> None:
    said = earlier([Turn("user", "상황 설명. " * 200 + FIRST)])
    assert said is not None
    assert said.endswith(FIRST)
    assert len(said) <= 300


def test_without_an_earlier_question_there_is_nothing_to_carry() -> None:
    assert earlier(()) is None
    assert earlier((Turn("assistant", "무엇이 궁금하세요?"), Turn("user", "안녕하세요"))) is None


@pytest.mark.parametrize("question", ["휴가는 어때요?", "더블루 계약은 언제 하나요", "그림을 사도 되나요?"])
def test_words_that_only_look_like_pointing_back_do_not(question: str) -> None:
    assert not points_back(question)
