"""Nothing is sent where it must not go: grades of bots against zones and clearances of models."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from ragbots.clearance import cleared_for_all, in_turn, models_of, refusals
from ragbots.config import BotConfig, FolderSource, LlmSettings, Settings

HERE = {"base_url": "http://127.0.0.1:1/v1", "model": "m", "zone": "on-premises"}
AWAY = {"base_url": "https://models.example/v1", "model": "m", "zone": "external"}


def settings(default: str | None = None, **llms: dict[str, object]) -> Settings:
    return Settings.model_validate({"default_llm": default, "llms": llms})


def bot(grade: str = "internal", llm: object = ()) -> BotConfig:
    sources = (FolderSource(folder=Path("documents")),)
    return BotConfig.model_validate(
        {"path": Path("pay.yaml"), "id": "pay", "name": "보수", "sources": sources, "grade": grade, "llm": llm}
    )


@pytest.mark.parametrize(
    ("model", "grade", "allowed"),
    [
        (HERE, "sensitive", True),
        (AWAY, "open", True),
        (AWAY, "internal", False),
        (AWAY, "sensitive", False),
        ({**AWAY, "clearance": "internal"}, "internal", True),
        ({**AWAY, "clearance": "internal"}, "sensitive", False),
        ({**HERE, "clearance": "internal"}, "sensitive", False),
        ({"base_url": AWAY["base_url"], "model": "m"}, "internal", False),  # no zone: it counts as outside
    ],
)
def test_a_bot_is_refused_above_the_clearance_of_its_model(model: dict[str, object], grade: str, allowed: bool) -> None:
    found = list(refusals(bot(grade, "one"), settings(one=model)))
    assert bool(found) is not allowed
    for refusal in found:
        assert "`pay`" in refusal.message
        assert f"`{grade}`" in refusal.message
        assert "`one`" in refusal.message


def test_the_models_tried_after_the_first_are_looked_at_too() -> None:
    configured = settings("one", one={**HERE, "fallbacks": ["two"]}, two=AWAY)
    assert in_turn("one", configured) == ("one", "two")
    assert ["`two`" in refusal.message for refusal in refusals(bot(), configured)] == [True]
    assert list(refusals(bot("open"), configured)) == []


def test_a_bot_answers_with_its_own_models_else_with_the_default_else_with_none() -> None:
    configured = settings("one", one=HERE, two=HERE)
    assert models_of(bot(), configured) == ("one",)
    assert models_of(bot(llm=["two", "one"]), configured) == ("two", "one")
    assert models_of(bot(llm="none"), configured) == ()
    assert models_of(bot(), settings(one=HERE)) == ()
    assert list(refusals(bot("sensitive", "none"), settings("one", one=AWAY))) == []


def test_a_model_that_is_not_there_is_named() -> None:
    [refusal] = refusals(bot(llm="tow"), settings(two=HERE))
    assert "`tow`" in refusal.message
    assert "two" in refusal.hint
    with pytest.raises(ValidationError, match=r"default_llm.*tow"):
        settings("tow", two=HERE)
    with pytest.raises(ValidationError, match=r"llms\.two\.fallbacks.*three"):
        settings(two={**HERE, "fallbacks": ["three"]})


def test_nothing_external_can_be_cleared_for_what_is_sensitive() -> None:
    with pytest.raises(ValidationError, match="sensitive"):
        LlmSettings.model_validate({**AWAY, "clearance": "sensitive"})


def test_what_was_said_to_several_bots_is_as_guarded_as_the_most_guarded() -> None:
    configured = settings(one=AWAY)
    assert cleared_for_all("one", [bot("open"), bot("open")], configured)
    assert not cleared_for_all("one", [bot("open"), bot("sensitive")], configured)
    assert not cleared_for_all("one", [], configured)
