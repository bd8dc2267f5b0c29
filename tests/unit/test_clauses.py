from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.clauses import questions_in


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("연차는 며칠이고 언제까지 써야 하나요?", ("연차는 며칠이고", "언제까지 써야 하나요?")),
        ("육아휴직은 몇 년인가요? 나눠 쓸 수 있나요?", ("육아휴직은 몇 년인가요?", "나눠 쓸 수 있나요?")),
        ("숙박비는 얼마예요 그리고 식비는 얼마예요", ("숙박비는 얼마예요", "식비는 얼마예요")),
        ("어디에 신고하는지랑 며칠 안에 하는지 알려주세요", ("어디에 신고하는지랑", "며칠 안에 하는지 알려주세요")),
    ],
)
def test_two_things_asked_are_told_apart(text: str, parts: tuple[str, ...]) -> None:
    assert [part.removesuffix("랑") for part in questions_in(text)] == [part.removesuffix("랑") for part in parts]


@pytest.mark.parametrize(
    "text",
    [
        "연차는 며칠인가요?",
        "출장을 다녀오고 나서 정산은 언제까지 하나요?",
        "회사가 어려워서 쉬고 있는데 월급은 얼마나 받나요?",
        "아이가 아프고 배우자도 없는데 휴가를 더 쓸 수 있나요?",
    ],
)
def test_what_only_leads_to_the_question_is_not_a_question_of_its_own(text: str) -> None:
    assert questions_in(text) == (text,)


@given(st.text(alphabet="연차는 며칠이고언제까지?나요그리고, ", max_size=60))
def test_nothing_is_lost_but_the_words_between(text: str) -> None:
    kept = "".join(questions_in(text)).replace(" ", "")
    assert set(kept) <= set(text)
    assert len(kept) <= len(text)
