"""An answer as server-sent events: `route`, `delta`…, `citation`…, and last `done` or `error`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from anyio import CancelScope
from fastapi import HTTPException
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from ragbots.api.desk import Desk
from ragbots.api.problems import problem_of
from ragbots.config import BotConfig
from ragbots.shapes import answer_json, candidate_json, citation_json
from ragbots.types import Answer, Candidate, Context, Question

if TYPE_CHECKING:
    from ragbots.runtime import Run

# An answer that is there within this time, or fails within it, is not a stream yet: a failure keeps its HTTP status.
GRACE_SECONDS = 1.0
PING_SECONDS = 10.0
LOOK_SECONDS = 2.0  # how often it is looked whether whoever asked is still let in
GONE_SECONDS = 0.5  # how often it is looked whether the client of a plain answer still waits

# After a sentence and its citation marks, but not within `1997. 3. 13.`; after a line.
_PIECE_END = re.compile(r"(?:(?<=[^\d\s][.?!]\s)|(?<=\]\s))(?=[^\s\[\d])|(?<=\n)(?=\S)")

Event = tuple[str, Mapping[str, object]]


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


def pieces(text: str) -> list[str]:
    """A text in sentences and lines; joined they are the text again."""
    return [piece for piece in _PIECE_END.split(text) if piece]


class Telling:
    """What is told of an answer, in order; `done` carries all of it.

    `route`: {bot: {id, name} or null, candidates}; `delta`: {text}; `citation`: a citation with `kind`
    `citation` or `related`. Text that comes before the answer is whole is told as it comes, and the citations
    after it; else the citations come first. `done` has the text that holds.
    """

    def __init__(self, bots: Mapping[str, BotConfig]) -> None:
        self._bots = bots
        self._routed = False
        self._begun = False

    def route(self, bot_id: str | None, candidates: Sequence[Candidate]) -> Iterator[Event]:
        if not self._routed:
            self._routed = True
            bot = self._bots.get(bot_id) if bot_id else None
            routed = {"id": bot.id, "name": bot.name} if bot else None
            yield "route", {"bot": routed, "candidates": [candidate_json(one) for one in candidates]}

    def piece(self, text: str) -> Iterator[Event]:
        self._begun = True
        yield "delta", {"text": text}

    def answer(self, answer: Answer) -> Iterator[Event]:
        yield from self.route(answer.bot, answer.candidates)
        for kind, citations in (("citation", answer.citations), ("related", answer.related)):
            for citation in citations:
                yield "citation", {**citation_json(citation), "kind": kind}
        if not self._begun:
            for piece in pieces(answer.answer):
                yield "delta", {"text": piece}
        yield "done", answer_json(answer)


def encode(event: Event) -> bytes:
    name, data = event
    return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False, separators=(",", ":")))


class Asked:
    """A question under way, beside the response that will tell of it. Nothing is told any more once `let_in` says
    no: a key revoked, a user disabled, a group taken away."""

    def __init__(
        self, desk: Desk, question: Question, context: Context, let_in: Callable[[], Awaitable[bool]], run: Run
    ) -> None:
        self._told: asyncio.Queue[Event | None] = asyncio.Queue()
        self._telling = Telling(desk.runtime.bots)
        self._scope = CancelScope()
        self._task = asyncio.ensure_future(self._ask(desk, question, context, run))
        self._shut_out = False
        self._looking = asyncio.ensure_future(self._look(let_in))

    async def _ask(self, desk: Desk, question: Question, context: Context, run: Run) -> Answer:
        try:
            with self._scope:
                return await self._follow(desk, question, context, run)
            raise asyncio.CancelledError
        finally:
            self._told.put_nowait(None)

    async def _follow(self, desk: Desk, question: Question, context: Context, run: Run) -> Answer:
        given: Answer | None = None
        async with aclosing(desk.runtime.answers(question, context, run)) as parts:
            async for part in parts:
                if isinstance(part, Answer):
                    given = part
                    told = self._telling.answer(part)
                elif isinstance(part, str):
                    told = self._telling.piece(part)
                else:
                    told = self._telling.route(part.bot, part.candidates)
                for event in list(told):
                    self._told.put_nowait(event)
        assert given is not None
        return given

    async def _look(self, let_in: Callable[[], Awaitable[bool]]) -> None:
        while not self._shut_out:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self._shut_out = not await let_in()
            except Exception as error:  # noqa: BLE001 - what cannot be known is no; `problem_of` logs it
                problem_of(error)
                self._shut_out = True
        self._told.put_nowait(None)

    async def settle(self) -> None:
        """Waits a moment for the answer; raises what went wrong by then."""
        await asyncio.wait({self._task}, timeout=GRACE_SECONDS)
        if self._task.done():
            try:
                self._task.result()
            except BaseException:
                self._leave()
                raise

    async def whole(self, gone: Callable[[], Awaitable[bool]]) -> Answer:
        """The answer. Raises what went wrong, ClientGone where `gone` says so before it is there, and HTTPException
        401 for whoever is no longer let in."""
        try:
            while not self._task.done():
                await asyncio.wait({self._task}, timeout=GONE_SECONDS)
                if self._shut_out:
                    raise HTTPException(401)
                if not self._task.done() and await gone():
                    raise ClientGone
            return self._task.result()
        finally:
            self._leave()

    async def events(self) -> AsyncGenerator[Event | None, None]:
        """What is told, as it comes; None from time to time where there is nothing to tell yet.

        A client that goes away takes a question that still waits for a thread with it, and a language model's
        request. One that is being worked on is finished, since a thread cannot be stopped.
        """
        try:
            while True:
                try:
                    event = await asyncio.wait_for(self._told.get(), PING_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if event is None or self._shut_out:
                    break
                yield event
            for event in self._failure():
                yield event
        finally:
            self._leave()

    async def stream(self) -> AsyncIterator[bytes]:
        """The events, encoded; comments keep the connection alive meanwhile."""
        async with aclosing(self.events()) as events:
            async for event in events:
                yield KEEPALIVE_COMMENT if event is None else encode(event)

    def _failure(self) -> Iterator[Event]:
        if self._shut_out:
            yield "error", problem_of(HTTPException(401)).document()
            return
        try:
            self._task.result()
        except Exception as error:  # noqa: BLE001 - the status is sent; the stream still ends with a typed event
            yield "error", problem_of(error).document()

    def _leave(self) -> None:
        self._looking.cancel()
        self._scope.cancel()
        self._task.add_done_callback(_forget)


def _forget(task: asyncio.Future[Answer]) -> None:
    # Looked at, so that asyncio does not report a failure that nobody waits for any more.
    if not task.cancelled():
        task.exception()
