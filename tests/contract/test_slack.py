"""Slack with the real SDK: over Socket Mode against a server on this machine, and over signed HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from tests.messenger_runtime import CLARIFYING, REFUSED, MessengerRuntime, asks_back
from tests.slack_server import (
    APP_TOKEN,
    BOT_TOKEN,
    CHANNEL,
    DIRECT,
    OTHER,
    SECRET,
    USER,
    SlackServer,
    event,
    press,
    slack_server,
)
from tests.unit.api.fake_runtime import ANSWER, CITED

from ragbots.api.app import create_app
from ragbots.channels import slack
from ragbots.channels.messenger import Messenger
from ragbots.channels.words import ANOTHERS, SEARCHING, THANKS
from ragbots.config import SlackSettings
from ragbots.errors import ConfigurationError

QUESTION = "연차는 언제까지 신청하나요?"
Test = Callable[[SlackServer], Awaitable[None]]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[MessengerRuntime]:
    made = MessengerRuntime(tmp_path, public_url="https://rules.example.com")
    yield made
    made.close()


@pytest.fixture
def rated() -> list[tuple[str, ...]]:
    return []


@pytest.fixture
def run(
    runtime: MessengerRuntime, rated: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Test], None]:
    monkeypatch.setattr(slack, "PING_SECONDS", 0.5)
    monkeypatch.setattr(slack, "FIRST_WAIT_SECONDS", 0.05)

    def running(test: Test) -> None:
        async def main() -> None:
            async with slack_server() as server, answering(server, runtime, rated):
                await server.until(lambda: server.connected)
                await test(server)

        asyncio.run(main())

    return running


@asynccontextmanager
async def answering(
    server: SlackServer, runtime: MessengerRuntime, rated: list[tuple[str, ...]], bot_token: str = BOT_TOKEN
) -> AsyncIterator[asyncio.Task[None]]:
    def keep(answer: str, rating: str, principal: Any) -> None:
        rated.append((answer, rating, principal.user_id))

    messenger = Messenger(runtime, "slack", SECRET, give_feedback=keep)
    environ = {"SLACK_BOT_TOKEN": bot_token, "SLACK_APP_TOKEN": APP_TOKEN}
    stop = asyncio.Event()
    task = asyncio.create_task(slack.serve(messenger, SlackSettings(api_url=server.api_url), environ, stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=20)
        assert task.done()
    task.result()


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for block in _blocks(message) if block["type"] == "actions" for one in block["elements"]]


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = message["blocks"]
    return blocks


def test_a_direct_message_is_told_that_it_is_looked_up_and_that_is_edited_into_the_answer(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event(f"{QUESTION} &lt;급&gt;"))
        await server.until(lambda: server.of("chat.update"))
        [posted], [update] = server.of("chat.postMessage"), server.of("chat.update")
        assert (posted["channel"], posted["text"]) == (DIRECT, SEARCHING)
        assert {str(posted[key]).lower() for key in ("unfurl_links", "unfurl_media")} <= {"0", "false"}
        assert "thread_ts" not in posted
        body, cited, *_ = _blocks(update)
        assert body["text"] == {"type": "plain_text", "text": f"{ANSWER.answer}\n※ 바뀔 예정입니다.", "emoji": False}
        link = f"https://rules.example.com/c/{CITED.id}"
        assert cited["elements"][0]["text"] == f"<{link}|[1] 복무규정 제21조 제1항 (12쪽)>"
        assert cited["elements"][1]["text"] == CITED.quote
        [(question, context)] = runtime.asked
        assert question.text == f"{QUESTION} <급>"
        assert (context.principal.user_id, context.principal.channel) == (f"slack:{USER}", "slack")

    run(test)


def test_a_mention_is_answered_in_its_thread_which_is_the_conversation(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event(f"<@U0BOT> {QUESTION}", CHANNEL, ts="1.1"))
        await server.until(lambda: len(server.of("chat.update")) == 1)
        more = event("<@U0BOT> 병가는?", CHANNEL, ts="1.2", inner={"thread_ts": "1.1"})
        await server.deliver("events_api", more)
        await server.until(lambda: len(server.of("chat.update")) == 2)
        await server.deliver("events_api", event(f"<@U0BOT> {QUESTION}", CHANNEL, ts="1.3"))
        await server.until(lambda: len(server.of("chat.update")) == 3)
        assert [one["thread_ts"] for one in server.of("chat.postMessage")] == ["1.1", "1.1", "1.3"]
        first, again, other = (question.conversation_id for question, _ in runtime.asked)
        assert first == again != other
        assert runtime.asked[1][0].text == "병가는?"

    run(test)


def test_where_outsiders_read_along_nobody_is_signed_in(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event(QUESTION, CHANNEL, ts="1.1", is_ext_shared_channel=True))
        await server.deliver("events_api", event(QUESTION, CHANNEL, ts="1.2"))
        await server.until(lambda: len(server.of("chat.update")) == 2)
        assert sorted(context.principal.authenticated for _, context in runtime.asked) == [False, True]

    run(test)


def test_what_is_no_question_is_not_answered(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event("지웠습니다", ts="1.1", inner={"subtype": "message_deleted"}))
        await server.deliver("events_api", event("봇입니다", ts="1.2", inner={"bot_id": "B7"}))
        await server.deliver("events_api", event("여럿입니다", ts="1.3", inner={"channel_type": "mpim"}))
        await server.deliver("events_api", event(QUESTION, ts="1.4"))
        await server.deliver("events_api", event(QUESTION, ts="1.4"))
        await server.until(lambda: len(server.acknowledged) == 5 and server.of("chat.update"))
        assert [question.text for question, _ in runtime.asked] == [QUESTION]

    run(test)


def test_a_choice_is_made_by_its_button_and_by_nobody_else(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    runtime.answering = asks_back

    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event(f"<@U0BOT> {QUESTION}", CHANNEL, ts="1.1"))
        await server.until(lambda: server.of("chat.update"))
        asked_back = server.of("chat.update")[0]
        assert _blocks(asked_back)[0]["text"]["text"] == f"{CLARIFYING.answer}\n1. 근태·휴가\n2. 문서관리"
        _, records = buttons(asked_back)
        message = {"ts": asked_back["ts"], "thread_ts": "1.1"}
        await server.deliver("interactive", press(records, CHANNEL, message, OTHER))
        await server.until(lambda: server.of("chat.postEphemeral"))
        [told] = server.of("chat.postEphemeral")
        assert (told["user"], told["text"]) == (OTHER, ANOTHERS)
        for _ in range(2):
            await server.deliver("interactive", press(records, CHANNEL, message))
        await server.until(lambda: len(server.of("chat.update")) == 2 and len(server.acknowledged) == 4)
        assert [(question.text, question.bot) for question, _ in runtime.asked] == [
            (QUESTION, None),
            (QUESTION, "records"),
        ]
        assert server.of("chat.update")[1]["ts"] == asked_back["ts"]

    run(test)


def test_feedback_is_kept_with_who_gave_it(run: Callable[[Test], None], rated: list[tuple[str, ...]]) -> None:
    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event(QUESTION))
        await server.until(lambda: server.of("chat.update"))
        [update] = server.of("chat.update")
        up, _down = buttons(update)
        await server.deliver("interactive", press(up, DIRECT, {"ts": update["ts"]}))
        await server.until(lambda: server.of("chat.postEphemeral"))
        assert server.of("chat.postEphemeral")[0]["text"] == THANKS
        assert rated == [("a1", "up", f"slack:{USER}")]

    run(test)


def test_a_refusal_has_neither_citations_nor_buttons(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    runtime.answering = lambda _question: REFUSED

    async def test(server: SlackServer) -> None:
        await server.deliver("events_api", event(QUESTION))
        await server.until(lambda: server.of("chat.update"))
        [block] = _blocks(server.of("chat.update")[0])
        assert block["text"]["text"] == "규정에 없습니다."

    run(test)


def test_where_the_notice_cannot_be_edited_the_answer_is_said_anew(run: Callable[[Test], None]) -> None:
    async def test(server: SlackServer) -> None:
        server.errors["chat.update"] = "message_not_found"
        await server.deliver("events_api", event(QUESTION))
        await server.until(lambda: len(server.of("chat.postMessage")) == 2)
        assert server.of("chat.postMessage")[1]["text"].startswith("연차는")

    run(test)


def test_a_lost_connection_is_made_again(run: Callable[[Test], None]) -> None:
    async def test(server: SlackServer) -> None:
        await server.drop()
        await server.until(lambda: server.sessions >= 2 and server.connected)
        await server.deliver("events_api", event(QUESTION))
        await server.until(lambda: server.of("chat.update"))

    run(test)


def test_a_refused_token_is_a_mistake_in_the_settings(runtime: MessengerRuntime) -> None:
    async def main() -> None:
        async with slack_server() as server, answering(server, runtime, [], "xoxb-wrong") as task:
            await asyncio.wait({task}, timeout=20)

    with pytest.raises(ConfigurationError, match="Slack refuses a token: invalid_auth"):
        asyncio.run(main())


# over HTTP


def signed(body: str, *, age: float = 0, content_type: str = "application/json") -> dict[str, str]:
    timestamp = str(int(time.time() - age))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
    return {**headers, "Content-Type": content_type}


@pytest.fixture
def over_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[httpx.AsyncClient, SlackServer, MessengerRuntime], Awaitable[None]]], None]:
    """Runs a test with a client of the server that has the secrets in its environment."""

    def running(test: Callable[[httpx.AsyncClient, SlackServer, MessengerRuntime], Awaitable[None]]) -> None:
        async def main() -> None:
            async with slack_server() as server:
                runtime = MessengerRuntime(tmp_path, slack={"api_url": server.api_url})
                monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
                monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
                transport = httpx.ASGITransport(create_app(runtime), raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    await test(client, server, runtime)
                runtime.close()

        asyncio.run(main())

    return running


def test_signed_events_are_answered_and_a_replay_is_not(over_http: Callable[..., None]) -> None:
    async def test(client: httpx.AsyncClient, server: SlackServer, runtime: MessengerRuntime) -> None:
        challenge = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"})
        given = await client.post("/slack/events", content=challenge, headers=signed(challenge))
        assert (given.status_code, given.json()) == (200, {"challenge": "abc"})
        body = json.dumps(event(QUESTION))
        for _ in range(3):
            given = await client.post("/slack/events", content=body, headers=signed(body))
            assert given.status_code == 200
        await server.until(lambda: server.of("chat.update"))
        await asyncio.sleep(0.2)
        assert len(server.of("chat.postMessage")) == len(runtime.asked) == 1

    async def after_a_restart(client: httpx.AsyncClient, server: SlackServer, runtime: MessengerRuntime) -> None:
        body = json.dumps(event(QUESTION))
        assert (await client.post("/slack/events", content=body, headers=signed(body))).status_code == 200
        body = json.dumps(event("다른 질문", ts="9.9"))
        await client.post("/slack/events", content=body, headers=signed(body))
        await server.until(lambda: server.of("chat.update"))
        assert [question.text for question, _ in runtime.asked] == ["다른 질문"]

    over_http(test)
    over_http(after_a_restart)


def test_a_button_comes_in_at_the_same_address(over_http: Callable[..., None]) -> None:
    async def test(client: httpx.AsyncClient, server: SlackServer, runtime: MessengerRuntime) -> None:
        runtime.answering = asks_back
        body = json.dumps(event(QUESTION))
        await client.post("/slack/events", content=body, headers=signed(body))
        await server.until(lambda: server.of("chat.update"))
        [asked_back] = server.of("chat.update")
        pressed = press(buttons(asked_back)[0], DIRECT, {"ts": asked_back["ts"]})
        form = urlencode({"payload": json.dumps(pressed)})
        headers = signed(form, content_type="application/x-www-form-urlencoded")
        given = await client.post("/slack/events", content=form, headers=headers)
        assert given.status_code == 200
        await server.until(lambda: len(server.of("chat.update")) == 2)
        assert runtime.asked[1][0].bot == "leave"

    over_http(test)


def test_an_old_request_is_refused(over_http: Callable[..., None]) -> None:
    async def test(client: httpx.AsyncClient, server: SlackServer, runtime: MessengerRuntime) -> None:
        body = json.dumps(event(QUESTION))
        given = await client.post("/slack/events", content=body, headers=signed(body, age=301))
        assert given.status_code == 401
        assert not runtime.asked

    over_http(test)
