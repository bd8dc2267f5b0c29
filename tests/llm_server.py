"""An OpenAI-compatible server that says what a test tells it to, over real HTTP, and behaves as badly as asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Say = Callable[[list[dict[str, str]]], str]


@dataclass
class LlmServer:
    """`misbehaves`: what it does instead of answering: see `_answer`; `requests` and `headers` keep what arrived,
    `dropped` counts clients that went away before the end."""

    say: Say = lambda _messages: "안녕하세요."
    misbehaves: str = ""
    times: int = 10**9  # how many requests it misbehaves on
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    dropped: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.headers.append(headers)
        if first.startswith("GET"):
            await _plain(
                writer,
                {"object": "list", "data": [{"id": "some-model", "object": "model", "created": 0, "owned_by": "x"}]},
            )
            return
        self.requests.append(json.loads(body))
        bad = self.misbehaves if self.times > 0 else ""
        self.times -= 1 if bad else 0
        answering = asyncio.ensure_future(self._answer(writer, bad))
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        # A client that leaves with something unread is met by whoever writes to it first.
        if not answering.done() or isinstance(answering.exception(), ConnectionError):
            self.dropped += 1
        for task in (answering, gone):
            task.cancel()
            with suppress(ConnectionError, asyncio.CancelledError):
                await task

    async def _answer(self, writer: asyncio.StreamWriter, bad: str) -> None:
        if bad in _STATUS:
            extra = b"Retry-After: 0\r\n" if bad == "429 soon" else b"Retry-After: 90\r\n" if bad == "429 late" else b""
            await _plain(writer, {"error": {"message": "no", "type": "x"}}, _STATUS[bad], extra)
            return
        if bad == "redirect":
            await _plain(writer, {}, "307 Temporary Redirect", b"Location: http://127.0.0.1:1/v1/chat/completions\r\n")
            return
        if bad == "slow":
            await asyncio.sleep(30)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        if bad == "garbage":
            writer.write(b"data: {{{ no json\n\n<html>\x00\xff")
            await writer.drain()
            return
        while bad == "comments":
            writer.write(b": still here\n\n")
            await writer.drain()
            await asyncio.sleep(0.02)
        text = "" if bad == "empty" else self.say(self.requests[-1]["messages"])
        for at in range(0, len(text), 7):
            await _event(writer, text[at : at + 7])
            if bad == "cut" and at > 7:
                return
            await asyncio.sleep(0.005 if bad in ("drip", "endless") else 0)
        while bad == "endless":
            await _event(writer, "그리고 또 ")
            await asyncio.sleep(0.02)
        if bad != "drip":
            await _event(writer, "", "stop")
            usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
            await _event(writer, None, usage=usage)
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()


_STATUS = {
    "429 soon": "429 Too Many Requests", "429 late": "429 Too Many Requests", "500": "500 Internal Server Error",
    "401": "401 Unauthorized",
}  # fmt: skip


async def _event(
    writer: asyncio.StreamWriter, text: str | None, finish: str | None = None, usage: dict[str, int] | None = None
) -> None:
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]
    data = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "some-model", "choices": choices}
    writer.write(b"data: " + json.dumps(data | ({"usage": usage} if usage else {})).encode() + b"\n\n")
    await writer.drain()


async def _plain(writer: asyncio.StreamWriter, value: object, status: str = "200 OK", extra: bytes = b"") -> None:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + extra + b"Connection: close\r\n\r\n" + body)
    await writer.drain()


@contextmanager
def llm_server() -> Iterator[LlmServer]:
    """A server on a free port, in a thread of its own, until the block ends."""
    state = LlmServer()
    started = threading.Event()
    ending: list[Callable[[], object]] = []

    async def main() -> None:
        stop = asyncio.Event()
        server = await asyncio.start_server(state.handle, "127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        ending.append(lambda: loop.call_soon_threadsafe(stop.set))
        state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        started.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield state
    finally:
        ending[0]()
        thread.join(10)
