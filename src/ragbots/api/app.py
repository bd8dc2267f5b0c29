"""The application factory: routes, the page, errors and headers around one runtime."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request

from ragbots.api import problems, reference
from ragbots.api.desk import Desk
from ragbots.api.guard import Guard
from ragbots.api.routes import api, health
from ragbots.channels.mounted import routers

if TYPE_CHECKING:
    from ragbots.runtime import Runtime

PAGE = Path(__file__).parents[1] / "widget" / "static"

# Answering is CPU work: more threads than this only share the same cores.
THREADS = max(4, os.cpu_count() or 1)


def create_app(runtime: Runtime) -> FastAPI:
    """The HTTP application over `runtime`, which stays the caller's to warm up and to close."""
    app = FastAPI(
        title="ragbots",
        summary="Answers from an organisation's regulations, each quoted with its exact address",
        version=metadata.version("ragbots"),
        docs_url=None,  # The framework's pages load their scripts from elsewhere; `reference` needs none.
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = Desk(runtime, CapacityLimiter(THREADS))
    app.add_middleware(Guard, max_body_bytes=runtime.settings.max_body_bytes)
    problems.install(app)
    app.include_router(api)
    app.include_router(health)
    for messenger in routers(runtime, os.environ):
        app.include_router(messenger)
    app.add_route("/", _page, include_in_schema=False)
    app.add_route("/docs", _docs, include_in_schema=False)
    app.add_route("/docs.css", _docs_style, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGE))
    return app


async def _page(_request: Request) -> FileResponse:
    return FileResponse(PAGE / "index.html")


async def _docs(request: Request) -> HTMLResponse:
    return HTMLResponse(reference.page(request.app.openapi()))


async def _docs_style(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(reference.STYLE, media_type="text/css")
