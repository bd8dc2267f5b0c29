"""The messengers over a real index: the real command, the real SDK, the same citations through each."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from anyio import to_thread
from tests.dooray_messenger import TOKEN, Log, dooray_messenger
from tests.end_to_end.installation import OUTSIDE, RAGBOTS, WATER, Installation, ask
from tests.slack_server import APP_TOKEN, BOT_TOKEN, event, slack_server

from ragbots.channels.messenger import Messenger, Place
from ragbots.types import Answer, Status


def test_dooray_and_slack_cite_what_the_command_line_cites(
    built: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with built.open() as runtime:
        expected = [f"[{at}] {one.document} {one.address}" for at, one in enumerate(ask(runtime, WATER).citations, 1)]
    assert expected

    async def main() -> None:
        async with dooray_messenger(monkeypatch) as dooray, slack_server() as slack:
            trusted = tmp_path / "authority.pem"
            dooray.authority.cert_pem.write_to_path(str(trusted))
            environ = {
                "DOORAY_AGENT_TOKEN": TOKEN, "RAGBOTS_DOORAY_DOMAIN": dooray.domain, "SSL_CERT_FILE": str(trusted),
                "RAGBOTS_DOORAY_API_URL": dooray.api_url, "RAGBOTS_SLACK_API_URL": slack.api_url,
                "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN,
            }  # fmt: skip
            running = [built.start(str(RAGBOTS), "channel", name, **environ) for name in ("dooray", "slack")]
            try:
                await dooray.until(lambda: dooray.connected and slack.connected, 120)
                await dooray.say(WATER)
                await slack.deliver("events_api", event(WATER))
                await dooray.until(lambda: _finished(dooray.logs) and slack.of("chat.update"), 60)
            finally:
                for process in running:
                    process.send_signal(signal.SIGTERM)
                ends = [await to_thread.run_sync(process.communicate) for process in running]
            assert [process.returncode for process in running] == [0, 0], ends
            assert [one["title"] for one in dooray.logs[0].attachments if "title" in one] == expected
            blocks = slack.of("chat.update")[0]["blocks"]
            assert [one["elements"][0]["text"] for one in blocks if one["type"] == "context"] == expected

    asyncio.run(main())


def _finished(logs: list[Log]) -> bool:
    return any(len(log.texts) == 2 for log in logs)


def test_a_bot_of_one_group_answers_its_members_in_private_only(built: Installation) -> None:
    path = built.bots / "office.yaml"
    path.write_text(path.read_text("utf-8") + "access: {ask: [staff]}\n", "utf-8")
    with built.open() as runtime:
        messenger = Messenger(runtime, "slack", "secret", groups_of=lambda _user: frozenset({"staff"}))
        place = Place("u1", "d1", direct=True)

        async def told(where: Place) -> Answer | str:
            return await messenger.ask(WATER, where)

        answered = asyncio.run(told(place))
        assert isinstance(answered, Answer)
        assert answered.status is Status.ANSWERED
        for where in (replace(place, direct=False), replace(place, outsiders=True)):
            given = asyncio.run(told(where))
            assert isinstance(given, str) or (given.status is Status.REFUSED and not given.citations)


def test_what_the_rules_do_not_answer_is_refused(built: Installation) -> None:
    with built.open() as runtime:
        messenger = Messenger(runtime, "dooray", "secret")
        given = asyncio.run(messenger.ask(OUTSIDE, Place("u1", "d1", direct=True)))
        assert isinstance(given, Answer)
        assert given.status is Status.REFUSED
        empty = asyncio.run(messenger.ask("   ", Place("u1", "d1", direct=True)))
        assert isinstance(empty, str)
