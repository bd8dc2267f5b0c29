"""Slack on this machine, for the real SDK: the Web API, and Socket Mode."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-5b1c", "xapp-91c7", "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, BOT_USER, USER, OTHER = "T1", "U0BOT", "U1", "U2"
DIRECT, CHANNEL = "D1", "C1"


class SlackServer:
    """`calls` are the methods called, with what they were given. `errors` are answered by method."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, str] = {}
        self.acknowledged: list[str] = []
        self.sessions = 0
        self.url = ""
        self._sockets: set[web.WebSocketResponse] = set()
        self._ids = itertools.count(1)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api"

    @property
    def connected(self) -> bool:
        return bool(self._sockets)

    def of(self, method: str) -> list[dict[str, Any]]:
        return [given for name, given in self.calls if name == method]

    async def deliver(self, kind: str, payload: dict[str, Any]) -> None:
        envelope = {"type": kind, "envelope_id": f"E{next(self._ids)}", "payload": payload}
        for socket in list(self._sockets):
            await socket.send_str(json.dumps({**envelope, "accepts_response_payload": False}))

    async def drop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()

    async def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/{method}", self._method)
        app.router.add_get("/socket", self._socket)
        return app

    async def _method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = await request.json() if "json" in request.content_type else dict(await request.post())
        if token != (APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN):
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if method in self.errors:
            return web.json_response({"ok": False, "error": self.errors.pop(method)})
        if method == "auth.test":
            who = {"team_id": TEAM, "user_id": BOT_USER, "bot_id": "B0BOT", "team": "t", "user": "bot", "url": "x"}
            return web.json_response({"ok": True, **who})
        if method == "apps.connections.open":
            return web.json_response({"ok": True, "url": f"{self.url.replace('http', 'ws')}/socket"})
        self.calls.append((method, given))
        return web.json_response({"ok": True, "ts": f"1700000000.{next(self._ids):06}", "channel": given["channel"]})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sessions += 1
        self._sockets.add(socket)
        await socket.send_str('{"type":"hello","num_connections":1}')
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.acknowledged.append(message.data)
        finally:
            self._sockets.discard(socket)
        return socket


def event(text: str, channel: str = DIRECT, *, ts: str = "1700000000.000001", **more: Any) -> dict[str, Any]:
    """An event as Slack tells of it: a direct message, or in a channel a mention."""
    said = {"type": "message", "channel_type": "im"} if channel == DIRECT else {"type": "app_mention"}
    inner = {**said, "user": USER, "text": text, "channel": channel, "ts": ts, "team": TEAM, **more.pop("inner", {})}
    outer = {"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": f"Ev{ts}", "event_time": 1}
    return {**outer, "event": inner, "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}], **more}


def press(action: dict[str, Any], channel: str, message: dict[str, Any], user: str = USER) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": user, "team_id": TEAM},
        "team": {"id": TEAM, "domain": "t"},
        "channel": {"id": channel, "name": "x"},
        "trigger_id": f"trigger-{user}-{action['value']}",
        "message": message,
        "actions": [{"block_id": "b", "action_ts": "1", **action}],
        "api_app_id": "A1",
        "token": "x",
    }


@asynccontextmanager
async def slack_server() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    try:
        yield server
    finally:
        await server.drop()
        await runner.cleanup()
