"""What holds for every request: strict headers, bounded bodies, nothing changed for another site's page, and no
error that is not a problem document."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragbots.api.origins import forged, origin_of
from ragbots.api.problems import Problem, problem_of

_YEAR = 31_536_000  # seconds
_NOT_USED = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
    "payment", "publickey-credentials-get", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip


def policy(*allowed: str, form: str = "'none'", framing: Sequence[str] = ()) -> str:
    """A Content-Security-Policy that allows nothing but `allowed`; `framing` may show it in a frame, others not.

    Not `'self'`, where nobody is named: no page here frames another.
    """
    ancestors = " ".join(framing) or "'none'"
    fixed = ("object-src 'none'", "base-uri 'none'", f"form-action {form}", f"frame-ancestors {ancestors}")
    return "; ".join(("default-src 'none'", *allowed, *fixed))


DATA = policy()
"""Of what is no page: nothing runs and nothing is loaded where a browser is made to show it as one."""

PLAIN_PAGE = policy("style-src 'self'", "img-src 'self'", form="'self'")
"""Of every page that says no policy of its own: styles and pictures of this server, no scripts."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": DATA,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it, forms of our own pages would be sent with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _NOT_USED),
}

_SOMEBODYS_OWN = ("/api/", "/v1/", "/mcp", "/c/")
_FORGED = Problem(
    403,
    "wrong-origin",
    "다른 사이트의 화면에서 보낸 요청이라 처리하지 않았습니다. 이 서비스의 화면에서 다시 시도해 주세요.",
)


class StrictHeaders:
    """ASGI middleware around everything else: the headers of every response, whoever makes it."""

    def __init__(self, app: ASGIApp, public_url: str | None) -> None:
        self.app = app
        tls = public_url is not None and public_url.startswith("https://")
        self.more = {"Strict-Transport-Security": f"max-age={_YEAR}"} if tls else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, with_headers)

    def _complete(self, headers: MutableHeaders, path: str) -> None:
        # Answers are somebody's own; the page and its parts may be kept but are asked after each time.
        headers.setdefault("Cache-Control", "no-store" if path.startswith(_SOMEBODYS_OWN) else "no-cache")
        if headers.get("content-type", "").startswith("text/html"):
            headers.setdefault("Content-Security-Policy", PLAIN_PAGE)
        for name, value in {**HEADERS, **self.more}.items():
            headers.setdefault(name, value)
        if "frame-ancestors 'none'" in headers["content-security-policy"]:
            headers.setdefault("X-Frame-Options", "DENY")


class Guard:
    """ASGI middleware around the application.

    It is not the framework's body limit, which answers in plain text where nobody reads the body,
    nor its handler for unexpected errors, which stands outside all middleware and so has no headers.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        body_seconds: float,
        public_url: str | None = None,
        widget_origins: Sequence[str] = (),
    ) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.body_seconds = body_seconds
        self.own = frozenset({origin_of(public_url)} if public_url else ())
        self.widget_origins = frozenset(widget_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._forged(scope):
            await _FORGED.response()(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, _bounded(receive, self.max_body_bytes, self.body_seconds), noting)
        except Exception as error:
            if started:  # Half a response cannot be taken back; the server cuts the connection.
                raise
            await problem_of(error).response()(scope, receive, send)

    def _forged(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        scheme = scope.get("scheme", "http")  # as ASGI has it
        own = self.own | {f"{scheme}://{headers.get('host', '').lower()}"}
        return forged(scope["method"], scope["path"], headers, own, self.widget_origins)


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
