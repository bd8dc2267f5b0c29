"""What people say of answers: from every door into one place, read by the owners of the bot."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from typing_extensions import TypedDict

from ragbots.api.desk import Asking, AtDesk, context_of
from ragbots.api.problems import PROBLEMS
from ragbots.api.requests import Strict, Text
from ragbots.memory import MAX_REASON_CHARS, Said
from ragbots.shapes import FeedbackJson, feedback_json
from ragbots.types import AuditEvent

MAX_COMMENT_CHARS = 2_000
LISTED = 200
MOST_LISTED = 10_000

feedback = APIRouter(prefix="/api/feedback", responses=PROBLEMS)


class FeedbackRequest(Strict):
    """`answer_id` is the `id` of an answer that was given to you; `reason` a word for what was right or wrong."""

    answer_id: Annotated[Text, Field(max_length=43)]
    rating: Literal["up", "down"]
    reason: Annotated[Text | None, Field(max_length=MAX_REASON_CHARS)] = None
    comment: Annotated[Text | None, Field(max_length=MAX_COMMENT_CHARS)] = None


class FeedbackListJson(TypedDict):
    feedback: list[FeedbackJson]


class WithdrawnJson(TypedDict):
    withdrawn: str


@feedback.post("", response_model=FeedbackJson)
async def say(body: FeedbackRequest, desk: AtDesk, principal: Asking) -> Response:
    """Says what you think of an answer; said again, it takes the place of what you said before."""
    said = Said(body.rating, body.reason, body.comment)
    context = desk.runtime.context(principal)
    return JSONResponse(feedback_json(await desk.look_up(desk.runtime.memory.say, body.answer_id, said, context)))


@feedback.delete("/{answer_id}", response_model=WithdrawnJson)
async def withdraw(answer_id: Annotated[str, Path(max_length=43)], desk: AtDesk, principal: Asking) -> Response:
    """Withdraws what you said of an answer."""
    await desk.look_up(desk.runtime.memory.unsay, answer_id, principal)
    return JSONResponse({"withdrawn": answer_id})


@feedback.get("", response_model=FeedbackListJson)
async def listed(
    bot: Annotated[Text, Query(max_length=200)],
    desk: AtDesk,
    request: Request,
    principal: Asking,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = LISTED,
) -> Response:
    """What was said of a bot's answers, newest first, for its owners."""
    found = await desk.look_up(desk.runtime.memory.feedback, bot, principal, limit)
    read = {"bot": bot, "count": len(found)}
    address = context_of(request, desk, principal).address
    await desk.look_up(desk.runtime.audit, AuditEvent("feedback read", principal, read, address))
    return JSONResponse({"feedback": [feedback_json(one) for one in found]})
