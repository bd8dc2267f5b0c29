"""Dooray's messenger on this machine, for the real SDK: Socket Mode over TLS, and the API that messages go to."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp.connector
import pytest
import trustme
from aiohttp import WSMsgType, web

TOKEN = "agent-token-5b1c"
AGENT, TENANT = "3571008351482084031", "3570973280734982045"
USER, DIRECT, CHANNEL, THREAD = (
    "3571008351482084111",
    "3900000000000000001",
    "3900000000000000002",
    "3900000000000000003",
)
MENTION = f'[@규정봇](dooray://{TENANT}/members/{AGENT} "member")'


@dataclass
class Log:
    """A message that was posted."""

    id: str
    channel: str
    reply_to: str | None
    texts: list[str]  # as it was first, and after each edit
    attachments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.texts[-1]


class DoorayMessenger:
    """`statuses` are answered first, by method; `held` closes each session as one too many."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.statuses: dict[str, list[int]] = {}
        self.held = False
        self.token_status = 200
        self.sessions = 0
        self.acknowledged: list[str] = []
        self._sockets: set[web.WebSocketResponse] = set()
        self._ids = itertools.count(4100000000000000001)
        self.api_url = ""
        self.domain = ""
        self.authority: trustme.CA

    @property
    def settings(self) -> dict[str, str]:
        return {"domain": self.domain, "api_url": self.api_url}

    # events

    async def say(self, text: str, channel: str = DIRECT, *, id: str | None = None, **more: Any) -> str:
        """Delivers a message; in `DIRECT` as a direct one."""
        id = id or str(next(self._ids))
        kind = {"type": "direct", "scope": "private"} if channel == DIRECT else {"type": "group", "scope": "public"}
        content = {"id": id, "channelId": channel, "senderId": USER, "type": 0, "sentAt": 1, "seq": 1, "text": text}
        event = {
            "service": "messenger",
            "type": "channelLog",
            "action": "create",
            "envelope_id": f"envelope-{id}",
            "channel": kind,
            "content": {**content, **more.pop("content", {})},
            **more,
        }
        await self.send(json.dumps({key: value for key, value in event.items() if value is not None}))
        return id

    async def send(self, frame: str) -> None:
        for socket in list(self._sockets):
            await socket.send_str(frame)

    async def drop(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=1011)

    async def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    @property
    def connected(self) -> bool:
        return bool(self._sockets)

    # requests

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/common/v1/socket-mode/tokens", self._tokens)
        app.router.add_get(f"/messenger/v5/ws/{TENANT}/{AGENT}", self._socket)
        app.router.add_post("/messenger/v1/channels/{channel}/logs", self._post)
        app.router.add_post("/messenger/v1/channels/{channel}/logs/{log}/reply", self._post)
        app.router.add_put("/messenger/v1/channels/{channel}/logs/{log}", self._put)
        return app

    async def _tokens(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"dooray-api {TOKEN}":
            return web.json_response({}, status=401)
        if self.token_status != 200:
            return web.json_response({}, status=self.token_status)
        return _envelope({"accessToken": "access", "tenantId": TENANT, "organizationMemberId": AGENT})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer access"
        self.sessions += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.held:
            await socket.close(code=1008, message=b"AGENT_ALREADY_CONNECTED")
            return socket
        await socket.send_str('{"type":"sessionInfo","payload":{}}')
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.acknowledged.append(message.data)
        finally:
            self._sockets.discard(socket)
        return socket

    def _told_otherwise(self, request: web.Request) -> web.Response | None:
        statuses = self.statuses.get(request.method)
        if request.headers.get("Authorization") != f"dooray-api {TOKEN}":
            return web.json_response({}, status=401)
        return web.json_response({}, status=statuses.pop(0)) if statuses else None

    async def _post(self, request: web.Request) -> web.Response:
        if refused := self._told_otherwise(request):
            return refused
        body = await request.json()
        log = Log(str(next(self._ids)), request.match_info["channel"], request.match_info.get("log"), [body["text"]])
        log.attachments = body.get("attachments", [])
        self.logs.append(log)
        return _envelope({"id": log.id})

    async def _put(self, request: web.Request) -> web.Response:
        if refused := self._told_otherwise(request):
            return refused
        body = await request.json()
        log = next(one for one in self.logs if one.id == request.match_info["log"])
        assert log.channel == request.match_info["channel"]
        log.texts.append(body["text"])
        log.attachments = body.get("attachments", [])
        return _envelope(None)


def _envelope(result: object) -> web.Response:
    return web.json_response({"header": {"isSuccessful": True, "resultCode": 0, "resultMessage": ""}, "result": result})


@asynccontextmanager
async def dooray_messenger(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DoorayMessenger]:
    """Listening until the block ends; aiohttp trusts its certificate meanwhile."""
    authority = trustme.CA()
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    server = DoorayMessenger()
    server.authority = authority
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    ports = []
    for context in (None, served):
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        ports.append(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
    server.api_url, server.domain = f"http://127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"
    try:
        yield server
    finally:
        await server.drop()
        await runner.cleanup()
