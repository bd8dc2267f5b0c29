"""`doctor` on messengers: what is set of each way in, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragbots.cli.doctor import Finding, _messengers
from ragbots.config import DooraySettings, Settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DOORAY_AGENT_TOKEN",
        "DOORAY_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)


def found(domain: str | None = None) -> dict[str, Finding]:
    settings = Settings(bots_dir=Path("bots"), data_dir=Path("var"), dooray=DooraySettings(domain=domain))
    return {finding.what: finding for finding in _messengers(settings)}


def test_who_uses_no_messenger_reads_of_none() -> None:
    assert found() == {}


def test_a_messenger_half_set_up_names_what_is_missing_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-secret")
    monkeypatch.setenv("DOORAY_AGENT_TOKEN", "agent-secret")
    told = found()
    assert not told["slack over Socket Mode"].ok
    assert told["slack over Socket Mode"].found == "SLACK_BOT_TOKEN is not set"
    assert told["dooray agent"].found == "RAGBOTS_DOORAY_DOMAIN is not set"
    assert "secret" not in str(told)


def test_a_messenger_set_up_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "signing-secret")
    monkeypatch.setenv("DOORAY_APP_TOKEN", "app-secret")
    told = found("company.dooray.com")
    assert {what: finding.ok for what, finding in told.items()} == {
        "dooray slash command": True,
        "slack over HTTP": True,
    }
    assert "secret" not in str(told)
