"""The OpenAI-compatible API: each bot is a model, `auto` finds the fitting one."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from fastapi.sse import KEEPALIVE_COMMENT
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ragbots.api.desk import AtDesk, Desk, base_url, context_of, let_in, note_refusal, still_let_in
from ragbots.api.events import Asked, ClientGone
from ragbots.api.problems import problem_of
from ragbots.api.requests import MAX_TURN_CHARS, MAX_TURNS, Text
from ragbots.errors import BotNotFound, InvalidQuestion
from ragbots.shapes import AnswerJson, answer_json, beside, passage_url
from ragbots.types import Principal, Question, Turn

CHANNEL = "openai"
AUTO = "auto"
_EVENT_STREAM = "text/event-stream"
_CLIENT_GONE = 499
_CODES = {
    "bot-not-found": "model_not_found",
    "sign-in-required": "invalid_api_key",
    "too-many-requests": "rate_limit_exceeded",
}
_TYPES = {"too-many-requests": "requests"}


class _Route(APIRoute):
    """Whatever goes wrong is told in OpenAI's shape: its clients read no other."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - `problem_of` logs what is not known
                await note_refusal(request, error)
                problem = problem_of(error)
                status = 400 if problem.status == 422 else problem.status
                return JSONResponse(error_json(problem.document()), status, dict(problem.headers))

        return handled


v1 = APIRouter(prefix="/v1", route_class=_Route)


async def _principal(request: Request, desk: AtDesk) -> Principal:
    return await let_in(request, desk, CHANNEL)


Asking = Annotated[Principal, Depends(_principal)]


class Lenient(BaseModel):
    """Clients send many settings of models that mean nothing here; they are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ContentPart(Lenient):
    type: str
    text: Text = ""


class Message(Lenient):
    role: str
    content: Text | tuple[ContentPart, ...] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, tuple):
            return "\n".join(part.text for part in self.content if part.type in ("text", "input_text"))
        return self.content or ""


class StreamOptions(Lenient):
    include_usage: bool = False


class ChatCompletionRequest(Lenient):
    """`model` is a bot's id, or `auto`. The last message of the user is the question, those before it are what was
    said; instructions to the model are passed over. `metadata.conversation_id` goes on with a conversation."""

    model: Annotated[Text, Field(max_length=200)]
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(ge=1, le=1)] = None
    metadata: Mapping[str, Any] | None = None

    @property
    def conversation_id(self) -> str | None:
        named = (self.metadata or {}).get("conversation_id")
        return named if isinstance(named, str) and len(named) <= 43 else None

    def to_question(self, conversation_id: str | None) -> Question:
        """Raises InvalidQuestion where no message is the user's."""
        asked = [at for at, message in enumerate(self.messages) if message.role == "user"]
        if not asked:
            raise InvalidQuestion(
                "messages: none of role `user`", for_people="질문이 없습니다. role이 user인 메시지를 보내 주세요."
            )
        said = [one for one in self.messages[: asked[-1]] if one.role in ("user", "assistant") and one.text]
        history = tuple(Turn(one.role, one.text[:MAX_TURN_CHARS]) for one in said[-MAX_TURNS:])
        bot = None if self.model == AUTO else self.model
        return Question(self.messages[asked[-1]].text, bot, history, conversation_id)


class ModelJson(TypedDict):
    """`name` is the bot's, for people."""

    id: str
    object: str
    created: int
    owned_by: str
    name: str


class ModelsJson(TypedDict):
    object: str
    data: list[ModelJson]


class CompletionJson(TypedDict):
    """OpenAI's `chat.completion`. `ragbots` is the answer as `POST /api/chat` gives it."""

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, int]
    ragbots: AnswerJson


@v1.get("/models", response_model=ModelsJson)
async def models(desk: AtDesk, principal: Asking) -> Response:
    """The bots that may be asked, as models; before them `auto`, which finds the fitting one."""
    return JSONResponse({"object": "list", "data": _models(desk, principal)})


@v1.get("/models/{model}", response_model=ModelJson)
async def model(model: str, desk: AtDesk, principal: Asking) -> Response:
    """One of them."""
    found = next((one for one in _models(desk, principal) if one["id"] == model), None)
    if found is None:
        raise BotNotFound("no such model")
    return JSONResponse(found)


@v1.post(
    "/chat/completions",
    response_model=CompletionJson,
    responses={200: {"content": {_EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def chat_completions(body: ChatCompletionRequest, request: Request, desk: AtDesk, principal: Asking) -> Response:
    """Answers the last question of the messages. Citations are `annotations` of the message, and stand with their
    links below its text; a refusal and a question back are text."""
    conversation = body.conversation_id
    if conversation is not None:
        conversation = await desk.look_up(desk.runtime.memory.own, conversation, principal)
    still, context = still_let_in(request, desk, principal), context_of(request, desk, principal)
    asked = Asked(desk, body.to_question(conversation), context, still, desk.run_for(request))
    writing = _Writing(body.model, base_url(request, desk), f"chatcmpl-{secrets.token_urlsafe(16)}", int(time.time()))
    if not body.stream:
        try:
            return JSONResponse(writing.whole(answer_json(await asked.whole(request.is_disconnected))))
        except ClientGone:
            return Response(status_code=_CLIENT_GONE)
    await asked.settle()
    usage = body.stream_options is not None and body.stream_options.include_usage
    return StreamingResponse(
        _chunks(asked, writing, usage), media_type=_EVENT_STREAM, headers={"X-Accel-Buffering": "no"}
    )


@v1.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def elsewhere() -> Response:
    """Whatever else a client of OpenAI's may try."""
    raise HTTPException(404)


def error_json(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem document in OpenAI's shape."""
    slug = str(problem["type"]).rsplit("/", 1)[-1]
    fields = problem.get("errors") or []
    return {
        "error": {
            "message": problem["detail"],
            "type": _TYPES.get(slug) or ("invalid_request_error" if problem["status"] < 500 else "server_error"),
            "param": fields[0]["field"] if fields else None,
            "code": _CODES.get(slug, slug.replace("-", "_")),
        }
    }


def _models(desk: Desk, principal: Principal) -> list[ModelJson]:
    bots = [(bot.id, bot.name) for bot in desk.runtime.visible_bots(principal)]
    named = [(AUTO, "알맞은 챗봇 찾기"), *bots] if bots else []
    return [
        {"id": bot_id, "object": "model", "created": 0, "owned_by": "ragbots", "name": name} for bot_id, name in named
    ]


@dataclass(frozen=True)
class _Writing:
    """Answers in OpenAI's shapes. No tokens are counted: nothing is billed by them."""

    model: str
    base: str
    id: str
    created: int

    def whole(self, answer: AnswerJson) -> CompletionJson:
        text = answer["answer"] + self.below(answer)
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {
            "index": 0,
            "message": {**message, "annotations": self.annotations(answer, text)},
            "finish_reason": "stop",
            "logprobs": None,
        }
        return cast(
            CompletionJson,
            {**self.head("chat.completion"), "choices": [choice], "usage": _NOTHING_USED, "ragbots": answer},
        )

    def head(self, what: str) -> dict[str, Any]:
        """What every message carries."""
        return {"id": self.id, "object": what, "created": self.created, "model": self.model}

    def below(self, answer: AnswerJson) -> str:
        more = beside(answer, self.base)
        return f"\n\n{more}" if more else ""

    def annotations(self, answer: AnswerJson, text: str) -> list[dict[str, Any]]:
        """One for each citation, in order, at its number's first place in the text."""
        return [
            {"type": "url_citation", "url_citation": {**_span(text, f"[{number}]"), **self._target(citation)}}
            for number, citation in enumerate(answer["citations"], start=1)
        ]

    def _target(self, citation: Mapping[str, Any]) -> dict[str, str]:
        title = " ".join(part for part in (citation["document"], citation["address"]) if part)
        return {"title": title, "url": passage_url(self.base, citation["id"])}

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data({**self.head("chat.completion.chunk"), "choices": [choice], **more})


_NOTHING_USED = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


async def _chunks(asked: Asked, writing: _Writing, usage: bool) -> AsyncIterator[bytes]:
    """The answer as chunks. What was sent cannot be taken back: where the text that holds is another, it follows."""
    sent = ""
    yield writing.chunk({"role": "assistant", "content": ""})
    async with aclosing(asked.events()) as events:
        async for event in events:
            name, data = event or ("ping", {})
            if name == "ping":
                yield KEEPALIVE_COMMENT
            elif name == "delta":
                sent += str(data["text"])
                yield writing.chunk({"content": data["text"]})
            elif name == "error":
                yield _data(error_json(data))
            elif name == "done":
                answer = cast(AnswerJson, data)
                rest = _rest(sent, answer["answer"]) + writing.below(answer)
                if rest:
                    yield writing.chunk({"content": rest})
                annotations = writing.annotations(answer, sent + rest)
                yield writing.chunk({"annotations": annotations}, "stop", ragbots=answer)
                if usage:
                    yield _data({**writing.head("chat.completion.chunk"), "choices": [], "usage": _NOTHING_USED})
    yield b"data: [DONE]\n\n"


def _rest(sent: str, whole: str) -> str:
    """What is missing of the text that holds."""
    if whole.startswith(sent):
        return whole[len(sent) :]
    return f"\n\n---\n\n{whole}"


def _span(text: str, number: str) -> dict[str, int]:
    start = max(text.find(number), 0)
    return {"start_index": start, "end_index": start + len(number)}


def _data(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
