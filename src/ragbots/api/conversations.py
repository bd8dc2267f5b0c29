"""A person's own conversations: listed, shown again, exported, deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from ragbots.api.desk import Asking, AtDesk, Desk, context_of
from ragbots.api.problems import PROBLEMS
from ragbots.memory import RememberedTurn
from ragbots.shapes import AnswerJson, answer_json
from ragbots.state.database import ConversationRecord
from ragbots.types import AuditEvent, Principal

LISTED = 100
MOST_LISTED = 1_000

ConversationId = Annotated[str, Path(max_length=43)]

conversations = APIRouter(prefix="/api/conversations", responses=PROBLEMS)


class ListedConversationJson(TypedDict):
    """`question` is the first that was asked, `turns` how many there are; moments are ISO 8601 in UTC."""

    id: str
    channel: str
    created_at: str
    last_at: str
    turns: int
    question: str


class ConversationsJson(TypedDict):
    conversations: list[ListedConversationJson]


class OwnFeedbackJson(TypedDict):
    rating: str
    reason: str | None
    comment: str | None


class TurnJson(TypedDict):
    """`feedback` is what the person said of the answer, or null."""

    at: str
    question: str
    answer: AnswerJson
    feedback: OwnFeedbackJson | None


class ConversationJson(TypedDict):
    """Turns in the order in which they were asked."""

    id: str
    turns: list[TurnJson]


class ExportJson(TypedDict):
    user: str
    exported_at: str
    conversations: list[ConversationJson]


class DeletedJson(TypedDict):
    deleted: int


@conversations.get("", response_model=ConversationsJson)
async def listed(
    desk: AtDesk, principal: Asking, limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = LISTED
) -> Response:
    """Your own conversations through whatever door, the one that last went on first."""
    found = await desk.look_up(desk.runtime.memory.conversations, principal, limit)
    return JSONResponse({"conversations": [_listed(one) for one in found]})


@conversations.get("/export", response_model=ExportJson)
async def export(desk: AtDesk, request: Request, principal: Asking) -> Response:
    """All your own conversations, to keep."""
    exported = await desk.look_up(_export, desk, principal)
    await _record(desk, request, principal, "conversations exported", count=len(exported["conversations"]))
    headers = {"Content-Disposition": 'attachment; filename="conversations.json"'}
    return JSONResponse(exported, headers=headers)


@conversations.get("/{conversation_id}", response_model=ConversationJson)
async def shown(conversation_id: ConversationId, desk: AtDesk, principal: Asking) -> Response:
    """One of your own, with its answers and citations. Answers of a bot that you may no longer ask are withheld."""
    return JSONResponse(await desk.look_up(_conversation, desk, conversation_id, principal))


@conversations.delete("/{conversation_id}", response_model=DeletedJson)
async def delete(conversation_id: ConversationId, desk: AtDesk, request: Request, principal: Asking) -> Response:
    """Deletes one of your own, and what you said of its answers."""
    await desk.look_up(desk.runtime.memory.forget, conversation_id, principal)
    await _record(desk, request, principal, "conversations deleted", conversation=conversation_id, count=1)
    return JSONResponse({"deleted": 1})


@conversations.delete("", response_model=DeletedJson)
async def delete_all(desk: AtDesk, request: Request, principal: Asking) -> Response:
    """Deletes all your own conversations and all you said of answers."""
    deleted = await desk.look_up(desk.runtime.memory.forget_all, principal)
    await _record(desk, request, principal, "conversations deleted", conversation=None, count=deleted)
    return JSONResponse({"deleted": deleted})


async def _record(desk: Desk, request: Request, principal: Principal, kind: str, **what: object) -> None:
    address = context_of(request, desk, principal).address
    await desk.look_up(desk.runtime.audit, AuditEvent(kind, principal, what, address))


def _export(desk: Desk, principal: Principal) -> ExportJson:
    found = desk.runtime.memory.conversations(principal)
    return {
        "user": principal.user_id,
        "exported_at": datetime.now(UTC).isoformat(),
        "conversations": [_conversation(desk, one.id, principal) for one in found],
    }


def _conversation(desk: Desk, conversation_id: str, principal: Principal) -> ConversationJson:
    turns = desk.runtime.memory.turns(conversation_id, principal)
    return {"id": conversation_id, "turns": [_turn(turn) for turn in turns]}


def _listed(record: ConversationRecord) -> ListedConversationJson:
    return {
        "id": record.id,
        "channel": record.channel,
        "created_at": record.created_at.isoformat(),
        "last_at": record.last_at.isoformat(),
        "turns": record.turns,
        "question": record.question,
    }


def _turn(turn: RememberedTurn) -> TurnJson:
    said = turn.feedback
    feedback: OwnFeedbackJson | None = None
    if said is not None:
        feedback = {"rating": said.rating, "reason": said.reason, "comment": said.comment}
    return {
        "at": turn.at.isoformat(),
        "question": turn.question,
        "answer": answer_json(turn.answer),
        "feedback": feedback,
    }
