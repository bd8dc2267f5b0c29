"""An answer as server-sent events: `route`, `citation`…, `delta`…, and last `done` or `error`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping

from anyio import CancelScope
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from ragbots.api.desk import Desk
from ragbots.api.problems import problem_of
from ragbots.config import BotConfig
from ragbots.shapes import answer_json, candidate_json, citation_json
from ragbots.types import Answer, Context, Question

# An answer that is there within this time, or fails within it, is not a stream yet: a failure keeps its HTTP status.
GRACE_SECONDS = 1.0
PING_SECONDS = 10.0

# After a sentence and its citation marks, but not within `1997. 3. 13.`; after a line.
_PIECE_END = re.compile(r"(?:(?<=[^\d\s][.?!]\s)|(?<=\]\s))(?=[^\s\[\d])|(?<=\n)(?=\S)")

Event = tuple[str, Mapping[str, object]]


def pieces(text: str) -> list[str]:
    """A text in sentences and lines; joined they are the text again."""
    return [piece for piece in _PIECE_END.split(text) if piece]


def events(answer: Answer, bots: Mapping[str, BotConfig]) -> Iterator[Event]:
    """What is told of an answer, in order; `done` carries all of it.

    `route`: {bot: {id, name} or null, candidates}; `citation`: a citation with `kind` `citation` or
    `related`; `delta`: {text}.
    """
    bot = bots.get(answer.bot) if answer.bot else None
    routed = {"id": bot.id, "name": bot.name} if bot else None
    yield "route", {"bot": routed, "candidates": [candidate_json(one) for one in answer.candidates]}
    for kind, citations in (("citation", answer.citations), ("related", answer.related)):
        for citation in citations:
            yield "citation", {**citation_json(citation), "kind": kind}
    for piece in pieces(answer.answer):
        yield "delta", {"text": piece}
    yield "done", answer_json(answer)


def encode(event: Event) -> bytes:
    name, data = event
    return format_sse_event(event=name, data_str=json.dumps(data, ensure_ascii=False, separators=(",", ":")))


class Asked:
    """A question under way, beside the response that will tell of it."""

    def __init__(self, desk: Desk, question: Question, context: Context) -> None:
        self._bots = desk.runtime.bots
        self._scope = CancelScope()
        self._task = asyncio.ensure_future(self._ask(desk, question, context))

    async def _ask(self, desk: Desk, question: Question, context: Context) -> Answer:
        with self._scope:
            return await desk.run(desk.runtime.ask, question, context)
        raise asyncio.CancelledError

    async def settle(self) -> None:
        """Waits a moment for the answer; raises what went wrong by then."""
        await asyncio.wait({self._task}, timeout=GRACE_SECONDS)
        if self._task.done():
            self._task.result()

    async def stream(self) -> AsyncIterator[bytes]:
        """Events, encoded; comments keep the connection alive meanwhile.

        A client that goes away takes a question that still waits for a thread with it. One that is
        being worked on is finished, since a thread cannot be stopped.
        """
        try:
            while not self._task.done():
                await asyncio.wait({self._task}, timeout=PING_SECONDS)
                if not self._task.done():
                    yield KEEPALIVE_COMMENT
            for event in self._outcome():
                yield encode(event)
        finally:
            self._scope.cancel()
            self._task.add_done_callback(_forget)

    def _outcome(self) -> Iterator[Event]:
        try:
            yield from list(events(self._task.result(), self._bots))
        except Exception as error:  # noqa: BLE001 - the status is sent; the stream still ends with a typed event
            yield "error", problem_of(error).document()


def _forget(task: asyncio.Future[Answer]) -> None:
    # Looked at, so that asyncio does not report a failure that nobody waits for any more.
    if not task.cancelled():
        task.exception()
