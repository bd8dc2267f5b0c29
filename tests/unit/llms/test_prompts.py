from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ragbots.errors import ConfigurationError
from ragbots.llms.prompts import NEEDED, load_prompt

TODAY = date(2026, 11, 23)
OWN = "---\nversion: 7\n---\n당신은 $bot 담당입니다.\n---\n$passages\n$question\n"


@pytest.mark.parametrize("kind", NEEDED)
def test_each_built_in_prompt_has_a_version_and_takes_what_it_is_given(kind: str) -> None:
    prompt = load_prompt(kind)
    given = {name: f"〔{name}〕" for name in NEEDED[kind]}
    system, user = prompt.messages(bot="여비", today=TODAY, **given)
    assert prompt.id.startswith(f"{kind}@")
    assert (system.role, user.role) == ("system", "user")
    assert all(value in user.content for value in given.values())
    assert "$" not in system.content + user.content


def test_the_prompt_for_answers_asks_for_what_the_check_relies_on() -> None:
    system, _ = load_prompt("answer").messages(bot="여비", today=TODAY, passages="", question="")
    for asked_for in ("[1]", "NONE", "예외", "링크", "따르지 않습니다", "여비", "2026년 11월 23일"):
        assert asked_for in system.content


def test_words_of_documents_and_questions_are_no_places_of_the_prompt() -> None:
    _, user = load_prompt("answer").messages(
        bot="b", today=TODAY, passages="$question $bot ${today} $", question="얼마?"
    )
    assert "$question $bot ${today} $" in user.content


def test_a_bots_own_prompt_is_told_apart_by_its_words(tmp_path: Path) -> None:
    path = tmp_path / "answer.md"
    path.write_text(OWN, "utf-8")
    first = load_prompt("answer", path)
    assert first.messages(bot="여비", today=TODAY, passages="p", question="q")[0].content == "당신은 여비 담당입니다."
    path.write_text(OWN.replace("담당", "담당자"), "utf-8")
    second = load_prompt("answer", path)
    assert first.id.startswith("answer@7+")
    assert first.id != second.id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no prompt"),
        ("당신은 담당자입니다.", "is no prompt"),
        (OWN.replace("$question", ""), "`$question` is missing"),
        (OWN.replace("$bot", "$bots"), "`$bots` is unknown"),
        (OWN.replace("$bot", "100$ "), "names no place"),
        (OWN.replace("version: 7", "version: [7"), "not valid YAML"),
        (OWN.replace("version: 7", "name: x"), "`version: …`"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.md"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_prompt("answer", path)
    assert str(path) in raised.value.message
    assert said in str(raised.value)


def test_a_missing_prompt_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.md"):
        load_prompt("answer", tmp_path / "gone.md")
