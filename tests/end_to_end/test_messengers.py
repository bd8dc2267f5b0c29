"""The messengers over a real index: the real command, the real SDK, the same citations through each."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import to_thread
from tests.dooray_messenger import TOKEN, Log, dooray_messenger
from tests.end_to_end.installation import OUTSIDE, RAGBOTS, WATER, Installation
from tests.end_to_end.serving import served
from tests.end_to_end.test_doors import CONVERSATION, PATIENT, Place, Told, rest
from tests.slack_server import APP_TOKEN, BOT_TOKEN, event, slack_server

from ragbots.channels import messenger as door
from ragbots.channels.messenger import Messenger
from ragbots.channels.words import RIGHTS_CHANGED
from ragbots.state.accounts import User
from ragbots.types import Answer, Principal, Status


def test_a_conversation_cites_in_dooray_and_slack_what_every_door_cites(
    built: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with built.open() as runtime, served(runtime) as url:
        expected = [_titles(url, turn) for turn in rest(Place(url, built), CONVERSATION)]
    assert [bool(titles) for titles in expected] == [False, True, True, True]

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
                for turn, question in enumerate(CONVERSATION, 1):
                    await dooray.say(question)
                    await slack.deliver("events_api", event(question, ts=f"1700000000.00000{turn}"))
                    await dooray.until(
                        lambda turn=turn: _answered(dooray.logs) == len(slack.of("chat.update")) == turn, 60
                    )
            finally:
                for process in running:
                    process.send_signal(signal.SIGTERM)
                ends = [await to_thread.run_sync(process.communicate) for process in running]
            assert [process.returncode for process in running] == [0, 0], ends
            in_dooray = [[one["title"] for one in log.attachments if "title" in one] for log in dooray.logs]
            in_slack = [
                [text for text in _contexts(update["blocks"]) if text.startswith("[")]
                for update in slack.of("chat.update")
            ]
            assert {"Dooray": in_dooray, "Slack": in_slack} == {"Dooray": expected, "Slack": expected}

    asyncio.run(main())


def _titles(url: str, turn: Told) -> list[str]:
    """The sources of a turn as a messenger lists them."""
    cited = [httpx.get(f"{url}/api/citations/{one}", timeout=PATIENT).json() for one in turn.citations]
    return [f"[{at}] {one['document']} {one['address']}" for at, one in enumerate(cited, 1)]


def _contexts(blocks: list[dict[str, Any]]) -> list[str]:
    return [one["elements"][0]["text"] for one in blocks if one["type"] == "context"]


def _answered(logs: list[Log]) -> int:
    return sum(len(log.texts) == 2 for log in logs)


def test_a_bot_of_one_group_answers_its_members_in_private_only(built: Installation) -> None:
    path = built.bots / "office.yaml"
    path.write_text(path.read_text("utf-8") + "access: {ask: [staff]}\n", "utf-8")
    now = datetime.now(UTC)
    with built.open(RAGBOTS_IDENTITY_KIND="accounts") as runtime:
        runtime.accounts.add_user(User("kim", "김하나", frozenset({"staff"}), True, now))
        runtime.accounts.link("slack:u1", "kim")
        messenger = Messenger(runtime, "slack", "secret")
        place = door.Place("u1", "d1", direct=True)

        def told(where: door.Place) -> Answer | str:
            return asyncio.run(messenger.ask(WATER, where))

        answered = told(place)
        assert isinstance(answered, Answer)
        assert answered.status is Status.ANSWERED
        assert [one.channel for one in runtime.memory.conversations(Principal("kim"))] == ["slack"]
        denied = {
            "개인 메시지": replace(place, direct=False), "다른 조직": replace(place, outsiders=True),
            "slack:u2": replace(place, user="u2"),
        }  # fmt: skip
        for reason, where in denied.items():
            given = told(where)
            assert isinstance(given, str)
            assert reason in given
        runtime.accounts.set_groups("kim", frozenset())
        assert isinstance(told(place), str)
        runtime.accounts.set_enabled("kim", False)
        for where in (place, replace(place, direct=False)):
            assert "사용 중지" in str(told(where))
        runtime.accounts.set_enabled("kim", True)
        runtime.accounts.unlink("slack:u1")
        assert "연결되어 있지 않아" in str(told(place))


def test_a_refusal_says_whose_rights_counted_and_a_group_lost_meanwhile_counts_no_more(
    built: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with built.open(RAGBOTS_IDENTITY_KIND="accounts") as runtime:
        runtime.accounts.add_user(User("kim", "김하나", frozenset({"staff"}), True, datetime.now(UTC)))
        runtime.accounts.link("slack:u1", "kim")
        messenger, place = Messenger(runtime, "slack", "s"), door.Place("u1", "d1", direct=True)
        refused = [
            asyncio.run(messenger.ask(OUTSIDE, where))
            for where in (place, replace(place, direct=False), replace(place, user="u2"))
        ]
        reasons = [
            one.answer.partition("이 메신저")[1] or one.answer.partition("여러 사람이")[1]
            for one in refused
            if isinstance(one, Answer)
        ]
        assert reasons == ["", "여러 사람이", "이 메신저"]
        keep = runtime._keep

        def losing(*given: Any) -> None:
            keep(*given)
            runtime.accounts.set_groups("kim", frozenset())

        monkeypatch.setattr(runtime, "_keep", losing)
        assert asyncio.run(messenger.ask(WATER, place)) == RIGHTS_CHANGED


def test_what_the_rules_do_not_answer_is_refused(built: Installation) -> None:
    with built.open() as runtime:
        messenger = Messenger(runtime, "dooray", "secret")
        given = asyncio.run(messenger.ask(OUTSIDE, door.Place("u1", "d1", direct=True)))
        assert isinstance(given, Answer)
        assert given.status is Status.REFUSED
        empty = asyncio.run(messenger.ask("   ", door.Place("u1", "d1", direct=True)))
        assert isinstance(empty, str)
