"""Dooray's agent with the real SDK against a server on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dooray_sdk.socket_mode.aiohttp import client as sdk
from tests.dooray_messenger import (
    AGENT,
    CHANNEL,
    DIRECT,
    MENTION,
    THREAD,
    TOKEN,
    USER,
    DoorayMessenger,
    dooray_messenger,
)
from tests.messenger_runtime import CLARIFYING, REFUSED, MessengerRuntime, asks_back
from tests.unit.api.fake_runtime import ANSWER, CITED

from ragbots.channels import dooray
from ragbots.channels.messenger import Messenger
from ragbots.channels.words import SEARCHING
from ragbots.config import DooraySettings
from ragbots.errors import BotNotFound, ConfigurationError
from ragbots.types import Answer, Question

QUESTION = "연차는 언제까지 신청하나요?"
Test = Callable[[DoorayMessenger], Awaitable[None]]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[MessengerRuntime]:
    made = MessengerRuntime(tmp_path, public_url="https://rules.example.com")
    yield made
    made.close()


@pytest.fixture
def run(runtime: MessengerRuntime, monkeypatch: pytest.MonkeyPatch) -> Callable[[Test], None]:
    """Runs a test with an agent that answers."""
    monkeypatch.setattr(dooray, "FIRST_WAIT_SECONDS", 0.05)

    def running(test: Test) -> None:
        async def main() -> None:
            async with dooray_messenger(monkeypatch) as server, answering(server, runtime):
                await server.until(lambda: server.connected)
                await test(server)

        asyncio.run(main())

    return running


@asynccontextmanager
async def answering(
    server: DoorayMessenger, runtime: MessengerRuntime, token: str = TOKEN
) -> AsyncIterator[asyncio.Task[None]]:
    settings = DooraySettings.model_validate(server.settings)
    messenger = Messenger(runtime, "dooray", token, give_feedback=lambda *_said: None)
    stop = asyncio.Event()
    task = asyncio.create_task(dooray.serve(messenger, settings, {"DOORAY_AGENT_TOKEN": token}, stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=20)
        assert task.done()
    task.result()


def test_a_direct_message_is_told_that_it_is_looked_up_and_that_is_edited_into_the_answer(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    async def test(server: DoorayMessenger) -> None:
        await server.say(QUESTION)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        [log] = server.logs
        assert (log.channel, log.reply_to) == (DIRECT, None)
        assert log.texts[0] == SEARCHING
        assert log.text == f"{ANSWER.answer}\n※ 바뀔 예정입니다."
        cited, buttons = log.attachments
        assert cited["title"] == "[1] 복무규정 제21조 제1항 (12쪽)"
        assert cited["titleLink"] == f"https://rules.example.com/c/{CITED.id}"
        assert cited["text"] == CITED.quote
        assert [action["value"] for action in buttons["actions"]] == ["rate/a1/up", "rate/a1/down"]
        [(question, context)] = runtime.asked
        assert question.text == QUESTION
        assert (context.principal.user_id, context.principal.channel) == (f"dooray:{USER}", "dooray")

    run(test)


def test_in_a_channel_only_mentions_are_answered_as_replies_to_the_question(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    async def test(server: DoorayMessenger) -> None:
        await server.say("점심 뭐 먹죠?", CHANNEL)
        other = MENTION.replace(AGENT, USER)
        await server.say(f"{other} 연차요?", CHANNEL)
        asked = await server.say(f"{MENTION} {QUESTION}", CHANNEL)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert [(log.channel, log.reply_to) for log in server.logs] == [(CHANNEL, asked)]
        assert [question.text for question, _ in runtime.asked] == [QUESTION]

    run(test)


def test_a_message_of_a_channel_of_unknown_kind_needs_a_mention_and_gets_no_rights_of_the_sender(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    async def test(server: DoorayMessenger) -> None:
        await server.say(QUESTION, action="update")
        await server.send(
            json.dumps(
                {
                    "service": "messenger", "type": "channelLog", "action": "create", "envelope_id": "x",
                    "content": {"id": "77", "channelId": DIRECT, "senderId": USER, "type": 0, "text": QUESTION},
                }
            )
        )  # fmt: skip
        await server.say(MENTION + QUESTION, CHANNEL)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert len(server.logs) == 1
        assert len(runtime.asked) == 1

    run(test)


def test_each_channel_and_thread_is_a_conversation_of_its_own(
    run: Callable[[Test], None], runtime: MessengerRuntime
) -> None:
    async def test(server: DoorayMessenger) -> None:
        for at, channel in enumerate((DIRECT, DIRECT, CHANNEL, THREAD, THREAD), 1):
            await server.say(f"{MENTION} {QUESTION}", channel)
            await server.until(lambda at=at: len([log for log in server.logs if len(log.texts) == 2]) == at)
        first, again, channel, thread, thread_again = (one.conversation_id for one, _ in runtime.asked)
        assert first == again
        assert thread == thread_again
        assert len({first, channel, thread}) == 3
        assert all(len(str(one)) == 43 for one in (first, channel, thread))

    run(test)


def test_a_message_delivered_twice_is_answered_once(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    async def test(server: DoorayMessenger) -> None:
        id = await server.say(QUESTION)
        await server.say(QUESTION, id=id)
        await server.say("마지막 질문")
        await server.until(lambda: len(server.acknowledged) == 3)
        await server.until(lambda: [len(log.texts) for log in server.logs] == [2, 2])
        assert sorted(question.text for question, _ in runtime.asked) == sorted([QUESTION, "마지막 질문"])
        delivered.append(id)

    async def after_a_restart(server: DoorayMessenger) -> None:
        await server.say(QUESTION, id=delivered[0])
        await server.say("다음 질문", id="next")
        await server.until(lambda: [len(log.texts) for log in server.logs] == [2])
        assert [question.text for question, _ in runtime.asked[2:]] == ["다음 질문"]

    delivered: list[str] = []
    run(test)
    run(after_a_restart)


def test_a_choice_is_made_by_number(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    runtime.answering = asks_back

    async def test(server: DoorayMessenger) -> None:
        await server.say(QUESTION)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert server.logs[0].text == f"{CLARIFYING.answer}\n1. 근태·휴가\n2. 문서관리"
        [buttons] = server.logs[0].attachments
        assert [action["text"] for action in buttons["actions"]] == ["근태·휴가", "문서관리"]
        await server.say("2")
        await server.until(lambda: len(server.logs) == 2 and len(server.logs[1].texts) == 2)
        question, _ = runtime.asked[1]
        assert (question.text, question.bot) == (QUESTION, "records")

    run(test)


def test_a_refusal_has_neither_citations_nor_buttons(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    runtime.answering = lambda _question: REFUSED

    async def test(server: DoorayMessenger) -> None:
        await server.say(QUESTION)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert (server.logs[0].text, server.logs[0].attachments) == ("규정에 없습니다.", [])

    run(test)


@pytest.mark.parametrize(
    ("error", "told"),
    [(BotNotFound("no bot"), BotNotFound.for_people), (RuntimeError("secret path"), ConfigurationError.for_people)],
)
def test_an_error_is_told_in_words_for_people(
    run: Callable[[Test], None], runtime: MessengerRuntime, error: Exception, told: str
) -> None:
    def fails(_question: Question) -> Answer:
        raise error

    runtime.answering = fails

    async def test(server: DoorayMessenger) -> None:
        await server.say(QUESTION)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert server.logs[0].text == told

    run(test)


def test_where_the_notice_cannot_be_edited_the_answer_is_said_anew(run: Callable[[Test], None]) -> None:
    async def test(server: DoorayMessenger) -> None:
        server.statuses["PUT"] = [404]
        await server.say(QUESTION)
        await server.until(lambda: len(server.logs) == 2)
        assert server.logs[0].texts == [SEARCHING]
        assert server.logs[1].text.startswith(ANSWER.answer)

    run(test)


def test_a_limit_on_requests_is_waited_out(run: Callable[[Test], None]) -> None:
    async def test(server: DoorayMessenger) -> None:
        server.statuses = {"POST": [429], "PUT": [503]}
        await server.say(QUESTION)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert len(server.logs) == 1

    run(test)


def test_nonsense_on_the_socket_ends_nothing(run: Callable[[Test], None]) -> None:
    async def test(server: DoorayMessenger) -> None:
        for frame in (
            "{",
            "[]",
            '"x"',
            '{"type":"channelLog"}',
            '{"service":"messenger","type":"channelLog","action":"create"}',
        ):
            await server.send(frame)
        await server.say(QUESTION, content={"text": None})
        await server.say(QUESTION)
        await server.until(lambda: len([log for log in server.logs if len(log.texts) == 2]) >= 2)

    run(test)


def test_its_own_messages_are_not_answered(run: Callable[[Test], None], runtime: MessengerRuntime) -> None:
    async def test(server: DoorayMessenger) -> None:
        await server.say(QUESTION, content={"senderId": AGENT})
        await server.say("사람의 질문")
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)
        assert [question.text for question, _ in runtime.asked] == ["사람의 질문"]

    run(test)


def test_a_lost_connection_is_made_again(run: Callable[[Test], None]) -> None:
    async def test(server: DoorayMessenger) -> None:
        await server.drop()
        await server.until(lambda: server.sessions == 2 and server.connected)
        await server.say(QUESTION)
        await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)

    run(test)


def test_it_stands_by_while_another_holds_the_session_and_takes_over_after(
    runtime: MessengerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "STANDBY_RETRY_INTERVAL", 0.1)

    async def main() -> None:
        async with dooray_messenger(monkeypatch) as server:
            server.held = True
            async with answering(server, runtime) as task:
                await server.until(lambda: server.sessions >= 3)
                assert not task.done()
                server.held = False
                await server.until(lambda: server.connected)
                await server.say(QUESTION)
                await server.until(lambda: server.logs and len(server.logs[0].texts) == 2)

    asyncio.run(main())


def test_it_waits_for_a_dooray_that_is_not_there_yet(
    runtime: MessengerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dooray, "FIRST_WAIT_SECONDS", 0.05)

    async def main() -> None:
        async with dooray_messenger(monkeypatch) as server:
            server.token_status = 503
            async with answering(server, runtime) as task:
                await asyncio.sleep(0.5)
                assert not task.done()
                server.token_status = 200
                await server.until(lambda: server.connected)

    asyncio.run(main())


def test_a_refused_token_is_a_mistake_in_the_settings_and_is_not_told(
    runtime: MessengerRuntime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with dooray_messenger(monkeypatch) as server, answering(server, runtime, "wrong-token-77") as task:
            await asyncio.wait({task}, timeout=20)

    with pytest.raises(ConfigurationError, match="refuses the agent's token"):
        asyncio.run(main())
    assert "wrong-token-77" not in caplog.text
