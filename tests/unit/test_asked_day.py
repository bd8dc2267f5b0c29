"""The day that a question asks for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.asked_day import Relation, read_day

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("2019년 기준으로 출산휴가가 며칠이야?", "2019-01-01", "2019-12-31"),
        ("작년 6월에는 연차가 며칠이었어?", "2025-06-01", "2025-06-30"),
        ("재작년 규정으로는 숙박비가 얼마였나요", "2024-01-01", "2024-12-31"),
        ("2024년 2월에 분할 사용은 몇 번까지 됐나요?", "2024-02-01", "2024-02-29"),
        ("2019. 6. 1. 기준 육아휴직 기간", "2019-06-01", "2019-06-01"),
        ("2019-06-01 당시 규정에서 육아휴직 기간은?", "2019-06-01", "2019-06-01"),
        ("2019년 6월 1일 현재의 한도를 알려줘", "2019-06-01", "2019-06-01"),
        ("지난달까지는 출장비 한도가 얼마였나요", "2026-10-01", "2026-10-31"),
        ("3년 전에는 출장비가 얼마였어요?", "2023-11-23", "2023-11-23"),
        ("내년부터 바뀌는 한도는 얼마인가요", "2027-01-01", "2027-12-31"),
        ("내년에는 연차가 며칠인가요", "2027-01-01", "2027-12-31"),
        ("내년부터 연차가 며칠인가요?", "2027-01-01", "2027-12-31"),
        ("다음 달부터는 숙박비가 얼마예요", "2026-12-01", "2026-12-31"),
        ("2027년 1월 1일 이후에는 며칠인가요", "2027-01-01", "2027-01-01"),
        ("올해 3월 1일 이전에는 며칠이었나요", "2026-02-28", "2026-02-28"),
        ("재작년 규정이 궁금해요", "2024-01-01", "2024-12-31"),
        ("2025. 1. 1.자 규정으로 알려줘", "2025-01-01", "2025-01-01"),
        ("2021년 말 기준 한도", "2021-12-31", "2021-12-31"),
        ("2021년 하반기 기준 한도", "2021-07-03", "2021-12-31"),
        ("올해 기준으로 연차는?", "2026-11-23", "2026-11-23"),
        ("2020년 3월 홍수 때 피해를 입은 직원은 그때 규정으로 휴가가 며칠이었나요", "2020-03-01", "2020-03-31"),
    ],
)
def test_a_day_that_is_asked_for(question: str, first: str, last: str) -> None:
    asked = read_day(question, TODAY)
    assert asked is not None
    assert (str(asked.first), str(asked.last), asked.relation) == (first, last, None)


@pytest.mark.parametrize(
    "question",
    [
        "작년에 입사했는데 연차가 몇 개인가요",
        "2024년 3월에 입사했는데 올해 연차는 며칠이에요?",
        "4년 전에 있었던 일이 이제 드러났는데 징계할 수 있나요?",
        "내년부터 육아휴직을 쓰려는데 며칠 전에 신청하나요",
        "내년부터 정년은 늘리고 월급은 깎는다고 합니다. 회사가 미리 할 일이 있나요?",
        "작년부터 근무했는데 연차는 며칠인가요",
        "2024년 이후 입사자는 연차가 며칠인가요",
        "출장 가기 전에 신청해야 하나요",
        "퇴직 전에는 휴가를 쓸 수 있나요",
        "지금 신청하면 며칠인가요? 최근에 기준이 바뀐다고 들었어요",
        "1년에 며칠 쉴 수 있나요",
        "숙박비가 얼마인가요",
    ],
)
def test_what_only_happened_on_a_day_asks_for_the_rules_of_today(question: str) -> None:
    assert read_day(question, TODAY) is None


@pytest.mark.parametrize(
    ("question", "relation"),
    [
        ("개정 전에는 휴가가 며칠이었나요", Relation.BEFORE),
        ("규정이 바뀌기 전에는 며칠이었어요?", Relation.BEFORE),
        ("예전 규정에서는 얼마였나요", Relation.BEFORE),
        ("개정되면 며칠이 되나요?", Relation.AFTER),
        ("앞으로 바뀌는 한도는 얼마예요?", Relation.AFTER),
    ],
)
def test_a_day_told_by_an_amendment(question: str, relation: Relation) -> None:
    asked = read_day(question, TODAY)
    assert asked is not None
    assert (asked.first, asked.relation) == (None, relation)


def test_an_amendment_within_a_month() -> None:
    asked = read_day("작년 2월에 법 바뀌기 전에는 휴가가 며칠이었어요?", TODAY)
    assert asked is not None
    assert (str(asked.first), str(asked.last), asked.relation) == ("2025-02-01", "2025-02-28", Relation.BEFORE)
    assert asked.rest == "휴가가 며칠이었어요?"


def test_the_day_taken_lies_in_the_stretch_and_not_in_the_future_where_it_need_not() -> None:
    past = read_day("2021년 기준으로 얼마?", TODAY)
    coming = read_day("내년부터 바뀌는 한도는?", TODAY)
    running = read_day("2026년 11월 기준으로 얼마?", TODAY)
    assert past and past.day(TODAY) == date(2021, 7, 2)  # on which whatever held for most of the year is in force
    assert coming and coming.day(TODAY) == date(2027, 1, 1)
    assert running and running.first and running.first <= (running.day(TODAY) or date.max) <= TODAY


@given(st.text(alphabet="0123456789년월일전에는 기준당시.-/작내법개정바뀌기", max_size=40))
def test_no_text_breaks_it_and_something_is_left_to_search_for(text: str) -> None:
    asked = read_day(text, TODAY)
    if asked is not None:
        assert asked.rest.strip()
        assert asked.first is None or (asked.last is not None and asked.first <= asked.last)
