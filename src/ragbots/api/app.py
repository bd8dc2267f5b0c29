"""The application factory: routes, the page, errors and headers around one runtime."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import metadata
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from ragbots.api import problems, reference
from ragbots.api.conversations import conversations
from ragbots.api.desk import Desk, note_refusal
from ragbots.api.feedback import feedback
from ragbots.api.guard import Guard, StrictHeaders, policy
from ragbots.api.housekeeping import keeping_house
from ragbots.api.openai import v1
from ragbots.api.passage_page import passage_page
from ragbots.api.routes import api, health
from ragbots.api.signin import me, sign_in_pages
from ragbots.channels.mounted import routers
from ragbots.environment import Environment
from ragbots.widget.script import STATIC, bundle

if TYPE_CHECKING:
    from ragbots.runtime import Runtime

# Answering is CPU work: more threads than this only share the same cores.
THREADS = max(4, os.cpu_count() or 1)

Handler = Callable[[Request], Awaitable[Response]]

_METHODS = ("GET", "POST", "DELETE")
_REQUEST_HEADERS = ("Authorization", "Content-Type")


def create_app(runtime: Runtime) -> FastAPI:
    """The HTTP application over `runtime`, which stays the caller's to warm up and to close."""
    # Takes a second to import, and every command imports this module.
    from ragbots.api.mcp import McpDoor

    desk = Desk(runtime, THREADS)
    mcp = McpDoor(desk)

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        async with mcp.running(), keeping_house(desk):
            yield
        await runtime.limiter.close()

    app = FastAPI(
        title="ragbots",
        summary="Answers from an organisation's regulations, each quoted with its exact address",
        version=metadata.version("ragbots"),
        docs_url=None,  # The framework's pages load their scripts from elsewhere; `reference` needs none.
        redoc_url=None,
        redirect_slashes=False,
        lifespan=living,
    )
    app.state.desk = desk
    settings = runtime.settings
    origins, reached = settings.widget_origins, settings.public_url
    app.add_middleware(
        Guard,
        max_body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        public_url=reached,
        widget_origins=origins,
    )
    if origins:  # Around the guard, so that its refusals can be read there too.
        app.add_middleware(ApiCors, allow_origins=origins, allow_methods=_METHODS, allow_headers=_REQUEST_HEADERS)
    app.add_middleware(StrictHeaders, public_url=reached)
    problems.install(app, note_refusal)
    app.include_router(api)
    app.include_router(conversations)
    app.include_router(feedback)
    app.include_router(me)
    app.include_router(sign_in_pages)
    app.include_router(v1)
    app.include_router(health)
    app.include_router(passage_page)
    for messenger in routers(runtime, Environment(os.environ)):
        app.include_router(messenger)
    app.router.routes.append(Route("/mcp", mcp, include_in_schema=False))
    app.add_route("/", _page(origins), include_in_schema=False)
    app.add_route("/widget.js", _widget(bundle().encode()), include_in_schema=False)
    app.add_route("/docs", _docs, include_in_schema=False)
    app.add_route("/docs.css", _docs_style, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


class ApiCors(CORSMiddleware):
    """Lets pages of other origins, each named exactly, ask the API without cookies, and nothing else of the server."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return

        async def varying(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).add_vary_header("Origin")  # also where the origin is none of them
            await send(message)

        # A browser sends one origin; of several, none is believed.
        one = len(Headers(scope=scope).getlist("origin")) == 1
        await (super().__call__ if one else self.app)(scope, receive, varying)


def _page(framing: Sequence[str]) -> Handler:
    """The page; those origins that may use the widget may also show it in a frame."""
    allowed = policy(
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
        form="'self'",
        framing=framing,
    )

    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": allowed})

    return page


def _widget(script: bytes) -> Handler:
    """The script for any page, whatever its origin: it holds nothing but the program."""
    packed = gzip.compress(script, mtime=0)
    etag = f'"{hashlib.sha256(script).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": "public, max-age=300",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": etag,
        "Vary": "Accept-Encoding",
    }

    async def widget(request: Request) -> Response:
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type="text/javascript")
        return Response(script, headers=headers, media_type="text/javascript")

    return widget


async def _docs(request: Request) -> HTMLResponse:
    return HTMLResponse(reference.page(request.app.openapi()))


async def _docs_style(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(reference.STYLE, media_type="text/css")
