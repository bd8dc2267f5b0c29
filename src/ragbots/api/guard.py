"""What holds for every request: bounded bodies, strict headers, and no error that is not a problem document."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragbots.api.problems import problem_of

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


_SOMEBODYS_OWN = ("/api/", "/v1/", "/mcp", "/c/")


class Guard:
    """ASGI middleware around the whole application.

    It is not the framework's body limit, which answers in plain text where nobody reads the body,
    nor its handler for unexpected errors, which stands outside all middleware and so has no headers.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, body_seconds: float) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _GuardedSend(scope, send)
        try:
            await self.app(scope, _bounded(receive, self.max_body_bytes, self.body_seconds), guarded)
        except Exception as error:
            if guarded.started:  # Half a response cannot be taken back; the server cuts the connection.
                raise
            await problem_of(error).response()(scope, receive, guarded)


class _GuardedSend:
    """Adds the headers to the response and remembers whether it has begun."""

    def __init__(self, scope: Scope, send: Send) -> None:
        # Answers are somebody's own; the page and its parts may be kept but are asked after each time.
        self.caching = "no-store" if scope["path"].startswith(_SOMEBODYS_OWN) else "no-cache"
        self.send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, "Cache-Control": self.caching}.items():
                headers.setdefault(name, value)
        await self.send(message)


def _bounded(receive: Receive, limit: int, seconds: float) -> Receive:
    """`receive` that raises HTTPException: 413 once more than `limit` bytes of body have come, 408 where the whole of
    it has not come within `seconds` of being asked for."""
    total = 0
    end: float | None = None
    whole = False

    async def counted() -> Message:
        nonlocal total, end, whole
        if whole:  # what is waited for now is that the client goes away
            return await receive()
        end = end or time.monotonic() + seconds
        try:
            message = await asyncio.wait_for(receive(), max(0.0, end - time.monotonic()))
        except TimeoutError as error:
            raise HTTPException(408) from error
        total += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if total > limit:
            raise HTTPException(413)
        return message

    return counted
