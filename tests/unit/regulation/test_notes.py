"""Amendment notes go, rules stay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbots.regulation import is_elided, is_note, is_repealed, strip_notes
from ragbots.types import Address, Block, BlockKind


def block(text: str) -> Block:
    return Block(BlockKind.PARAGRAPH, Address(), text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("여비를 지급한다. <개정 2010.5.25, 2021.1.5>", "여비를 지급한다."),
        (
            "지급한다. <신설 2023. 5. 4.> 다만, 그러하지 아니하다. 〈개정 2023. 5. 4.〉",
            "지급한다. 다만, 그러하지 아니하다.",
        ),
        ("지급한다. (개정 2023. 5. 4.)", "지급한다."),
        ("지급한다.\n[전문개정 2010. 5. 25.]", "지급한다."),
        ("지급한다.\n[본조신설 2021. 9. 9.]\n[제16조에서 이동, 종전 제17조는 제18조로 이동 <2020.1.1>]", "지급한다."),
        ("③ 삭제 <2017.11.28>", "③ 삭제"),
        ("부칙 <2011. 3. 2.>", "부칙 <2011. 3. 2.>"),
        ("부칙 <제5305호,1997.3.13>", "부칙 <제5305호,1997.3.13>"),
        ("[시행일: 2025.2.23] 제4조", ""),
        ("(개정된 기준을 포함한다) 신청한다.", "(개정된 기준을 포함한다) 신청한다."),
        ("[개정 2010. 5. 4.] 이 규정은 임원에게 적용한다.", "이 규정은 임원에게 적용한다."),
        ("[농약 원제 제조만 해당한다]", "[농약 원제 제조만 해당한다]"),
        ("값이 3 < 5 이고 7 > 2 이다.", "값이 3 < 5 이고 7 > 2 이다."),
    ],
)
def test_only_notes_are_stripped(text: str, shown: str) -> None:
    assert strip_notes(text) == shown


@pytest.mark.parametrize(
    "line",
    [
        "[본조신설 2021. 9. 9.]",
        "<개정 2020. 1. 1.>",
        "제정 2011. 3. 2.",
        "개정 2025. 12. 18. 규정 제31호",
        "[시행 2025. 4. 1.] [개정 2025. 3. 27.]",
        "[시행 2026. 1. 2.] [대통령령 제36013호, 2026. 1. 2., 일부개정]",
    ],
)
def test_a_line_of_notes_is_known(line: str) -> None:
    assert is_note(line)


@pytest.mark.parametrize("line", ["", "제정 이유는 다음과 같다.", "개정 2020. 1. 1.부터 시행한다.", "[별표 1]", "임금"])
def test_a_line_of_text_is_no_note(line: str) -> None:
    assert not is_note(line)


@pytest.mark.parametrize(
    "text",
    [
        "③ 삭제 <2017. 11. 28.>",
        "1. 삭제 <2022.4.13>",
        "가. 삭제",
        "삭제 <2021.5.25>",
        "제14조 삭제 <2020. 6. 30.>",
        "제14조(삭제)",
    ],
)
def test_repealed_stubs_are_known(text: str) -> None:
    assert is_repealed(block(text))


@pytest.mark.parametrize("text", ["② 계정은 삭제한다.", "삭제 요구를 받은 부서", "제14조(삭제의 요구)"])
def test_deleting_something_is_not_repeal(text: str) -> None:
    assert not is_repealed(block(text))


@pytest.mark.parametrize("text", ["② 생략", "제2조부터 제5조까지 생략", "① 부터 <189> 까지 생략", "③ 및 ④ 생략"])
def test_left_out_text_is_known(text: str) -> None:
    assert is_elided(block(text))


def test_leaving_out_a_step_is_a_rule() -> None:
    assert not is_elided(block("② 다음 절차는 생략"))


@settings(deadline=None)
@given(st.text("가나 <>[]()개정신설삭제시행일2010.,\n", max_size=200))
def test_stripping_only_takes_away_and_once_is_enough(text: str) -> None:
    shown = strip_notes(text)
    letters = iter(text)
    assert all(character in letters for character in shown if not character.isspace())
