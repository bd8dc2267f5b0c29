"""The operations. Each translates, hands on to the runtime, and translates back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from typing_extensions import TypedDict

from ragbots import access
from ragbots.api.desk import CHANNEL, Asking, AtDesk, Desk, context_of, let_in, still_let_in
from ragbots.api.events import Asked, ClientGone
from ragbots.api.problems import PROBLEMS, Problem
from ragbots.api.requests import ChatRequest, SearchRequest
from ragbots.api.shapes import (
    BotJson,
    BotsJson,
    PassageJson,
    StatisticsJson,
    VersionsJson,
    bot_json,
    passage_json,
    statistics_json,
    versions_json,
    without_reports,
)
from ragbots.clearance import models_of
from ragbots.config import BotConfig
from ragbots.errors import RagbotsError
from ragbots.shapes import AnswerJson, SearchJson, answer_json, search_json
from ragbots.types import Principal

EVENT_STREAM = "text/event-stream"
DAYS = 30
MOST_DAYS = 366
_REBUILDS = 20  # how many of the last are listed
_CLIENT_GONE = 499  # for the log: nobody reads it


class HealthJson(TypedDict):
    status: str


class ReadyJson(TypedDict):
    """For each bot its released version, or what is wrong with it."""

    status: str
    bots: dict[str, str]


_STREAMED = {
    "description": "The answer; as events where `Accept` names text/event-stream",
    "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": 'event: delta\ndata: {"text":"…"}\n\n'}},
}

api = APIRouter(prefix="/api", responses=PROBLEMS)
health = APIRouter(responses={"default": PROBLEMS["default"]})


@api.post("/chat", response_model=AnswerJson, responses={200: _STREAMED})
async def chat(body: ChatRequest, request: Request, desk: AtDesk, principal: Asking) -> Response:
    """Answers a question with citations, refuses, or asks which bot is meant.

    As events: `route`, `citation` (kind `citation` or `related`), `delta` (pieces of the text), and
    always last `done` with the whole answer or `error` with a problem document. What a language model writes
    is told as it comes, and its citations after it; the text in `done` is the one that holds.
    `conversation_id` goes on with a conversation that an answer named; where there is none of it, one begins.
    """
    question = body.to_question()
    if question.conversation_id is not None:
        own = await desk.look_up(desk.runtime.memory.own, question.conversation_id, principal)
        question = replace(question, conversation_id=own)
    still, context = still_let_in(request, desk, principal), context_of(request, desk, principal, body.as_of)
    asked = Asked(desk, question, context, still, desk.run_for(request))
    if not _wants_events(request):
        try:
            return JSONResponse(answer_json(await asked.whole(request.is_disconnected)))
        except ClientGone:
            return Response(status_code=_CLIENT_GONE)
    await asked.settle()
    # Proxies that gather a response before passing it on would make a stream of it in vain.
    return StreamingResponse(asked.stream(), media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


@api.get("/bots", response_model=BotsJson)
async def bots(desk: AtDesk, principal: Asking) -> Response:
    """The bots that may be asked, in order of id."""
    return JSONResponse({"organisation": None, "bots": await desk.look_up(_bots, desk, principal)})


@api.get("/bots/{bot_id}/versions", response_model=VersionsJson)
async def versions(bot_id: str, desk: AtDesk, principal: Asking) -> Response:
    """A bot's index versions with their verdicts and the history of releases; for its owners alone."""
    return JSONResponse(await desk.look_up(_versions, desk, principal, bot_id))


@api.get("/bots/{bot_id}/statistics", response_model=StatisticsJson)
async def statistics(
    bot_id: str, desk: AtDesk, principal: Asking, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = DAYS
) -> Response:
    """How a bot answered in the last days, by day; for its owners alone."""
    last = desk.runtime.context(principal).today
    found = await desk.look_up(desk.runtime.memory.statistics, bot_id, principal, last - timedelta(days=days - 1), last)
    return JSONResponse(statistics_json(found))


@api.get("/search", response_model=SearchJson)
async def search(
    query: Annotated[SearchRequest, Query()], request: Request, desk: AtDesk, principal: Asking
) -> Response:
    """The articles of one bot's documents that fit best."""
    context = context_of(request, desk, principal)
    await desk.runtime.count_named(query.bot, principal)
    return JSONResponse(
        search_json(await desk.run_for(request)(desk.runtime.search, query.bot, query.q, query.k, context))
    )


@api.get("/citations/{citation_id}", response_model=PassageJson)
async def citation(citation_id: str, request: Request, desk: AtDesk, principal: Asking) -> Response:
    """The passage a citation stands in: its whole article, the quoted words marked."""
    context = context_of(request, desk, principal)
    return JSONResponse(passage_json(await desk.look_up(desk.runtime.passage, citation_id, context)))


@health.get("/healthz", response_model=HealthJson)
async def healthz() -> Response:
    """Whether the process lives; says nothing of models and indexes."""
    return JSONResponse({"status": "ok"})


@health.get("/readyz", response_model=ReadyJson, responses={503: PROBLEMS["default"]})
async def readyz(request: Request, desk: AtDesk) -> Response:
    """Whether questions are answered at full speed, and what is wrong with which of the bots that you may ask."""
    ready, state = await desk.look_up(desk.runtime.ready)
    principal = await _if_let_in(request, desk)
    seen = set() if principal is None else {bot.id for bot in desk.runtime.visible_bots(principal)}
    state = {bot_id: told for bot_id, told in state.items() if bot_id in seen}
    if ready:
        return JSONResponse({"status": "ready", "bots": state})
    detail = "아직 시작하는 중입니다. 잠시 뒤 다시 시도해 주세요."
    return Problem(503, "not-ready", detail, {"bots": state}, {"Retry-After": "2"}).response()


@health.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, desk: AtDesk) -> Response:
    """Counters and times in Prometheus' text format; they name every bot, so they are for administrators alone."""
    principal = await _if_let_in(request, desk)
    if principal is None or not access.may_administer(principal):
        raise HTTPException(404)
    desk.runtime.metrics.released(len(await desk.look_up(desk.runtime.released)))
    return Response(desk.runtime.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _if_let_in(request: Request, desk: Desk) -> Principal | None:
    try:
        return await let_in(request, desk, CHANNEL)
    except HTTPException:
        return None


def _wants_events(request: Request) -> bool:
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(one.split(";")[0].strip() == EVENT_STREAM for one in accepted)


def _versions(desk: Desk, principal: Principal, bot_id: str) -> VersionsJson:
    found, database = desk.runtime.versions(bot_id, principal), desk.runtime.database
    released = database.active().get(bot_id)
    shown = versions_json(
        bot_id, released, found, database.release_history(bot_id), database.rebuilds(bot_id, _REBUILDS)
    )
    whole = access.reads_all(principal, desk.runtime.bots[bot_id])
    return shown if whole else without_reports(shown)


def _bots(desk: Desk, principal: Principal) -> list[BotJson]:
    released = desk.runtime.released()
    return [_bot(desk, principal, bot, bot.id in released) for bot in desk.runtime.visible_bots(principal)]


def _bot(desk: Desk, principal: Principal, bot: BotConfig, released: bool) -> BotJson:
    # One bot whose version does not open must not take the list of all away.
    try:
        documents = desk.runtime.documents(bot.id, principal) if released else ()
    except RagbotsError:
        released, documents = False, ()
    return bot_json(bot, released, documents, models_of(bot, desk.runtime.settings))
