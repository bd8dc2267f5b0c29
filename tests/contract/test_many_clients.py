"""Many clients at once over real sockets: some go away, some read slowly. No speed is asserted."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import httpx
import uvicorn
from anyio.from_thread import start_blocking_portal
from tests.soak import Soaked, soak
from tests.unit.api.fake_runtime import ANSWER, FakeRuntime
from tests.unit.api.test_limits import Named

from ragbots.api.app import THREADS, create_app
from ragbots.types import Answer, Credentials, Principal, Question

CLIENTS = 80
PATIENT = 120.0  # seconds: nothing here is about speed


class Server(threading.Thread):
    """A server over a runtime, which can count the tasks of its loop."""

    def __init__(self, runtime: FakeRuntime) -> None:
        super().__init__()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        config = uvicorn.Config(create_app(runtime), log_config=None, access_log=False, lifespan="on", ws="none")
        self.server = uvicorn.Server(config)
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            await self.server.serve(sockets=[self.listener])

        asyncio.run(serve())

    def tasks(self) -> int:
        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(PATIENT)


@contextmanager
def serving(runtime: FakeRuntime) -> Iterator[Server]:
    server = Server(runtime)
    server.start()
    try:
        while not server.server.started:
            assert server.is_alive()
            time.sleep(0.01)
        yield server
    finally:
        server.server.should_exit = True
        server.join(PATIENT)
        server.listener.close()


def test_clients_that_go_away_leave_no_error_and_no_task() -> None:
    runtime = FakeRuntime()

    def answer(_question: Question) -> Answer:
        time.sleep(0.02)
        return ANSWER

    runtime.answering = answer
    with serving(runtime) as server:
        httpx.get(f"{server.url}/healthz", timeout=PATIENT)
        before = settled(server)
        with start_blocking_portal() as portal:
            found: Soaked = portal.call(soak, server.url, ["연차는 언제까지 신청하나요?"], CLIENTS)
        assert found.server_errors == 0
        assert not found.failed
        assert (found.dropped, found.finished) == (CLIENTS // 5, CLIENTS - CLIENTS // 5)
        assert settled(server) <= before


def settled(server: Server) -> int:
    """The number of tasks once it no longer falls."""
    end, least = time.monotonic() + PATIENT, server.tasks()
    while time.monotonic() < end:
        time.sleep(0.2)
        now = server.tasks()
        if now >= least and not server.server.server_state.connections:
            return now
        least = min(least, now)
    return least


def test_a_slow_reader_holds_nobody_up() -> None:
    runtime = FakeRuntime()
    long = replace(ANSWER, answer="연차는 3일 전까지 신청합니다. [1] " * 20_000)
    runtime.answering = lambda question: long if question.text == "길게" else ANSWER
    with serving(runtime) as server:
        slow = []
        for _ in range(10):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(server.listener.getsockname())
            body = json.dumps({"question": "길게"}).encode()
            head = "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            head += f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            slow.append(client)
        try:
            for client in slow:
                assert client.recv(16).startswith(b"HTTP/1.1 200")  # and nothing more is read
            for _ in range(5):
                assert (
                    httpx.post(f"{server.url}/api/chat", json={"question": "연차는?"}, timeout=PATIENT).status_code
                    == 200
                )
        finally:
            for client in slow:
                client.close()


class Counting(Named):
    """Knows how many it has let in, and whom. Whoever waits is looked at again meanwhile."""

    def __init__(self) -> None:
        self.let_in = 0
        self.keys: set[str | None] = set()

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        self.let_in += 1
        self.keys.add(credentials.authorization)
        return super().principal(credentials, channel)


def test_who_sends_a_hundred_questions_holds_up_nobody_who_sends_one() -> None:
    counting = Counting()
    runtime = FakeRuntime(identity=counting)
    go_on, order = threading.Event(), list[str]()

    def answering(question: Question) -> Answer:
        assert go_on.wait(PATIENT)
        order.append(question.text)
        return ANSWER

    runtime.answering = answering

    def ask(name: str) -> int:
        headers = {"Authorization": f"Bearer {name}"}
        asked = {"question": name}
        return httpx.post(f"{server.url}/api/chat", json=asked, headers=headers, timeout=PATIENT).status_code

    with serving(runtime) as server, ThreadPoolExecutor(110) as people:
        greedy = [people.submit(ask, "greedy") for _ in range(100)]
        until(lambda: len(runtime.asked) == THREADS and counting.let_in >= 100)
        others = [people.submit(ask, name) for name in ("kim", "lee", "park")]
        until(lambda: {f"Bearer {name}" for name in ("kim", "lee", "park")} <= counting.keys)
        time.sleep(1)  # from the door to the queue
        go_on.set()
        assert {one.result() for one in (*greedy, *others)} == {200}
    assert len(order) == 103
    # What was under way is finished; then everybody's first comes before anybody's second, as threads will have it.
    assert {"kim", "lee", "park"} <= set(order[: 2 * THREADS + 4])


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENT
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with serving(FakeRuntime(body_seconds=0.5)) as server:
        with socket.create_connection(server.listener.getsockname(), PATIENT) as slow:
            head = "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            head += "Content-Length: 99\r\n\r\n"
            slow.sendall(head.encode() + b'{"question"')
            told = b"".join(iter(lambda: slow.recv(65_536), b""))  # to the end: the connection is closed
        assert told.startswith(b"HTTP/1.1 408")
        assert b"/problems/too-slow" in told


def test_an_answer_may_take_longer_than_a_body_may() -> None:
    runtime = FakeRuntime(body_seconds=0.3)

    def slowly(_question: Question) -> Answer:
        time.sleep(1.2)
        return ANSWER

    runtime.answering = slowly
    with serving(runtime) as server:
        found = httpx.post(f"{server.url}/api/chat", json={"question": "연차는?"}, timeout=PATIENT)
        assert found.status_code == 200
