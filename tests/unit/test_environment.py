from __future__ import annotations

from pathlib import Path

import pytest

from ragbots.channels.messenger import secret_of
from ragbots.config import load_bot, load_settings
from ragbots.environment import Environment
from ragbots.errors import ConfigurationError


def test_a_secret_comes_from_the_file_that_its_variable_names(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("xoxb-12 34\n".replace(" ", ""), "utf-8")
    environ = Environment({"SLACK_BOT_TOKEN_FILE": str(file), "OTHER": "x"})
    assert environ.get("SLACK_BOT_TOKEN") == "xoxb-1234"
    assert secret_of(environ, "SLACK_BOT_TOKEN", "the token") == "xoxb-1234"
    assert (environ["OTHER"], environ.get("NONE")) == ("x", None)
    file.write_text("xoxb-5678", "utf-8")
    assert environ["SLACK_BOT_TOKEN"] == "xoxb-5678"  # changed without a new start


def test_a_setting_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql+psycopg://u:s3cret@db/x\n", "utf-8")
    settings = load_settings({"RAGBOTS_DATABASE_URL_FILE": str(file)})
    assert settings.state_url == "postgresql+psycopg://u:s3cret@db/x"
    assert "s3cret" not in repr(settings) + str(settings)


@pytest.mark.parametrize("held", [b"\xff\xfes3cret", b"s3cret" * 20_000, None])
def test_a_file_that_gives_no_secret_is_named_and_not_shown(tmp_path: Path, held: bytes | None) -> None:
    file = tmp_path / "token"
    if held is not None:
        file.write_bytes(held)
    with pytest.raises(ConfigurationError, match=r"TOKEN_FILE: .*token") as refused:
        Environment({"TOKEN_FILE": str(file)}).get("TOKEN")
    assert "s3cret" not in str(refused.value)


def test_two_values_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="both TOKEN and TOKEN_FILE are set") as refused:
        Environment({"TOKEN": "s3cret", "TOKEN_FILE": str(tmp_path)}).get("TOKEN")
    assert "s3cret" not in str(refused.value)


def test_a_mistake_in_a_setting_or_a_bot_does_not_show_what_was_given(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings({"RAGBOTS_LIMITS_REDIS_URL": "s3cret", "RAGBOTS_PORT": "s3cret"})
    assert "s3cret" not in f"{refused.value}{refused.value.__cause__}"
    path = tmp_path / "bot.yaml"
    path.write_text("id: a\nname: b\nsources: [{folder: .}]\nnotify: s3cret\n", "utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_bot(path)
    assert "s3cret" not in f"{refused.value}{refused.value.__cause__}"
    path.write_text("id: a\nname: b\nsources: [{folder: .}]\nnotify: https://h.example/s3cret\n", "utf-8")
    assert "s3cret" not in repr(load_bot(path))
