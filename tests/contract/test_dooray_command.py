"""Dooray's slash command and buttons over HTTP, late answers to a server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from tests.messenger_runtime import CLARIFYING, MessengerRuntime, asks_back
from tests.unit.api.fake_runtime import ANSWER

from ragbots.api.app import create_app
from ragbots.channels import dooray_command
from ragbots.channels.words import ANOTHERS, SEARCHING

TOKEN = "app-token-3f9a"
QUESTION = "연차는 언제까지 신청하나요?"
HOOK = "https://company.dooray.com/messenger/api/commands/hook/x"

Test = Callable[[httpx.AsyncClient, MessengerRuntime], Awaitable[None]]


def command(**more: object) -> dict[str, Any]:
    sent = {
        "tenantId": "1", "tenantDomain": "company.dooray.com", "channelId": "21", "channelName": "인사",
        "userId": "31", "command": "/규정", "text": QUESTION, "responseUrl": HOOK, "appToken": TOKEN,
        "triggerId": "t1",
    }  # fmt: skip
    return {**sent, **more}


def pressed(value: str, **more: object) -> dict[str, Any]:
    sent = {
        "tenant": {"id": "1", "domain": "company.dooray.com"}, "channel": {"id": "21", "name": "인사"},
        "user": {"id": "31", "email": "x@example.com"}, "commandName": "/규정", "callbackId": "ragbots",
        "actionValue": value, "appToken": TOKEN, "cmdToken": "c", "triggerId": "t2", "originalMessage": {},
        "responseUrl": HOOK,
    }  # fmt: skip
    return {**sent, **more}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setenv("DOORAY_APP_TOKEN", TOKEN)

    def running(test: Test, **dooray: object) -> None:
        async def main() -> None:
            runtime = MessengerRuntime(tmp_path, dooray={"domain": "company.dooray.com", **dooray})
            transport = httpx.ASGITransport(create_app(runtime), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                await test(client, runtime)
            runtime.close()

        asyncio.run(main())

    return running


def test_a_command_is_answered_in_time_for_the_sender_alone(run: Callable[..., None]) -> None:
    async def test(client: httpx.AsyncClient, runtime: MessengerRuntime) -> None:
        given = (await client.post("/dooray/command", json=command())).json()
        assert given["responseType"] == "ephemeral"
        assert given["text"].startswith(ANSWER.answer)
        assert given["attachments"][0]["title"] == "[1] 복무규정 제21조 제1항 (12쪽)"
        [(question, context)] = runtime.asked
        assert (question.text, context.principal.user_id) == (QUESTION, "dooray:31")

    run(test)


def test_a_command_sent_again_is_not_answered_again_nor_after_a_restart(run: Callable[..., None]) -> None:
    asked: list[int] = []

    async def test(client: httpx.AsyncClient, runtime: MessengerRuntime) -> None:
        for _ in range(3):
            assert (await client.post("/dooray/command", json=command())).status_code == 200
        asked.append(len(runtime.asked))

    run(test)
    run(test)
    assert asked == [1, 0]


def test_a_late_answer_is_posted_to_where_dooray_said(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dooray_command, "IN_TIME_SECONDS", 0.1)
    arrived: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        await arrived.put(await request.json())
        return web.json_response({})

    async def main() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_post("/hook", hook)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def test(client: httpx.AsyncClient, runtime: MessengerRuntime) -> None:
        runner, port = await main()
        object.__setattr__(runtime.settings.dooray, "response_hosts", (f"127.0.0.1:{port}",))
        runtime.hold.clear()
        sent = command(responseUrl=f"http://127.0.0.1:{port}/hook")
        given = (await client.post("/dooray/command", json=sent)).json()
        assert given == {"responseType": "ephemeral", "text": SEARCHING}
        runtime.hold.set()
        late = await asyncio.wait_for(arrived.get(), 20)
        assert late["text"].startswith(ANSWER.answer)
        assert late["responseType"] == "ephemeral"
        await runner.cleanup()

    run(test)


def test_a_button_asks_the_chosen_bot_and_nobody_else_can_press_it(run: Callable[..., None]) -> None:
    async def test(client: httpx.AsyncClient, runtime: MessengerRuntime) -> None:
        runtime.answering = asks_back
        asked_back = (await client.post("/dooray/command", json=command())).json()
        assert asked_back["text"].startswith(CLARIFYING.answer)
        _, records = asked_back["attachments"][0]["actions"]
        other = pressed(records["value"], user={"id": "32"}, triggerId="t3")
        assert (await client.post("/dooray/action", json=other)).json()["text"] == ANOTHERS
        given = (await client.post("/dooray/action", json=pressed(records["value"]))).json()
        assert given["text"].startswith(ANSWER.answer)
        assert (runtime.asked[-1][0].text, runtime.asked[-1][0].bot) == (QUESTION, "records")

    run(test)


@pytest.mark.parametrize(
    "value", ["", "choose/a/b", "choose/a/b/c/d", "rate/a1/sideways", "x" * 5000, "choose/a/b/leave"]
)
def test_a_button_of_nobodys_making_does_nothing(run: Callable[..., None], value: str) -> None:
    async def test(client: httpx.AsyncClient, runtime: MessengerRuntime) -> None:
        given = await client.post("/dooray/action", json=pressed(value))
        assert given.status_code == 200
        assert not runtime.asked

    run(test)


@pytest.mark.parametrize(
    "url",
    [
        "http://company.dooray.com/hook",
        "https://evil.example.com/company.dooray.com",
        "https://company.dooray.com.evil.example.com/",
        "https://evilcompany.dooray.com/",
        "https://company.dooray.com@evil.example.com/",
        "https://company.dooray.com:8443/",
        "https://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[company.dooray.com/",
        "https://evil.example.com\\@company.dooray.com/",
        "https://company.dooray.com:99999/",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_answer_goes_to_no_other_host(run: Callable[..., None], url: str) -> None:
    async def test(client: httpx.AsyncClient, runtime: MessengerRuntime) -> None:
        given = await client.post("/dooray/command", json=command(responseUrl=url))
        assert given.status_code == 400
        assert not runtime.asked

    run(test)


def test_without_the_token_in_the_environment_there_is_no_endpoint(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOORAY_APP_TOKEN")

    async def test(client: httpx.AsyncClient, _runtime: MessengerRuntime) -> None:
        assert (await client.post("/dooray/command", json=command())).status_code in (404, 405)

    run(test)
