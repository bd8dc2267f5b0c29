"""The HTTP door as clients meet it: over sockets, served by `serve`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from tests.unit.api.fake_runtime import ANSWER, FakeRuntime

from ragbots.api import events, server
from ragbots.api.app import THREADS, create_app
from ragbots.auth import LocalIdentity
from ragbots.errors import ConfigurationError, ModelUnavailable
from ragbots.ports import Identity
from ragbots.shapes import answer_json
from ragbots.types import Answer, Credentials, Question

QUESTION = {"question": "연차는 언제까지 신청하나요?"}
EVENTS = {"Accept": "text/event-stream"}


class SigningIn(LocalIdentity):
    requires_sign_in = True


@contextmanager
def served(runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch, host: str = "127.0.0.1") -> Iterator[str]:
    """Runs `serve` in a thread until the block ends; raises what `serve` raised."""
    servers: list[uvicorn.Server] = []
    original = uvicorn.Server.__init__

    def remember(self: uvicorn.Server, config: uvicorn.Config) -> None:
        original(self, config)
        servers.append(self)

    monkeypatch.setattr(uvicorn.Server, "__init__", remember)
    ready: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.serve, runtime, host, 0, ready.append)
        try:
            _wait_for(lambda: bool(ready) or running.done())
            yield ready[0] if ready else ""
        finally:
            for one in servers:
                one.should_exit = True
        running.result(30)


def _wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def url(runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served(runtime, monkeypatch) as url:
        yield url


def test_a_question_is_answered_as_json_and_as_events(url: str) -> None:
    plain = httpx.post(f"{url}/api/chat", json=QUESTION)
    assert plain.json() == answer_json(ANSWER)
    with httpx.stream("POST", f"{url}/api/chat", json=QUESTION, headers=EVENTS) as response:
        lines = list(response.iter_lines())
    assert [line.removeprefix("event: ") for line in lines if line.startswith("event: ")][-1] == "done"
    assert json.loads([line for line in lines if line.startswith("data: ")][-1][6:]) == plain.json()


def test_a_body_far_too_large_gets_its_answer(url: str) -> None:
    for size in (1_000_000, 20_000_000):
        response = httpx.post(f"{url}/api/chat", content=b" " * size, headers={"Content-Type": "application/json"})
        assert response.status_code == 413
        assert response.headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{url}/healthz").status_code == 200


def test_work_in_threads_leaves_the_server_free_and_is_bounded(url: str, runtime: FakeRuntime) -> None:
    release = threading.Event()
    at_work: list[int] = []

    def slow(_question: Question) -> Answer:
        at_work.append(1)
        release.wait(10)
        return ANSWER

    runtime.answering = slow
    with ThreadPoolExecutor(2 * THREADS) as pool:
        asked = [pool.submit(httpx.post, f"{url}/api/chat", json=QUESTION, timeout=30) for _ in range(2 * THREADS)]
        _wait_for(lambda: len(at_work) == THREADS)
        began = time.monotonic()
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert time.monotonic() - began < 1
        assert len(at_work) == THREADS
        release.set()
        assert {one.result().status_code for one in asked} == {200}


def test_a_client_that_goes_away_leaves_nothing_behind(
    url: str, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(events, "PING_SECONDS", 0.01)
    release = threading.Event()

    def slow(_question: Question) -> Answer:
        release.wait(10)
        return ANSWER

    runtime.answering = slow
    waiting = THREADS + 3  # More than there are threads: some still wait for one.
    for _ in range(waiting):
        with httpx.stream("POST", f"{url}/api/chat", json=QUESTION, headers=EVENTS) as response:
            assert next(response.iter_lines()) == ": ping"
    assert len(runtime.asked) == THREADS
    time.sleep(0.2)
    release.set()
    time.sleep(0.2)
    assert len(runtime.asked) == THREADS  # Those that still waited were dropped.
    assert httpx.post(f"{url}/api/chat", json=QUESTION).status_code == 200


def test_no_task_is_left_when_the_stream_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(events, "PING_SECONDS", 0.01)
    runtime = FakeRuntime()

    def slow(_question: Question) -> Answer:
        time.sleep(0.1)
        raise RuntimeError("nobody hears this")

    runtime.answering = slow

    async def cut_off() -> int:
        body = json.dumps(QUESTION).encode()
        gone = asyncio.Event()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, object]:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            if message.get("body"):
                gone.set()

        headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
        scope = {"type": "http", "method": "POST", "path": "/api/chat", "query_string": b"", "headers": headers}
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, told: complaints.append(told))
        before = len(asyncio.all_tasks())
        await create_app(runtime)(scope, receive, send)  # type: ignore[arg-type]
        await asyncio.sleep(0.3)
        assert complaints == []
        return len(asyncio.all_tasks()) - before

    with start_blocking_portal() as portal:  # its own thread: a browser of another test holds this one's loop
        assert portal.call(cut_off) == 0


@pytest.mark.parametrize("name", ["evil.example", "192.0.2.1", "127.0.0.1.evil.example"])
def test_a_foreign_name_for_this_machine_is_refused(url: str, name: str) -> None:
    response = httpx.get(f"{url}/api/bots", headers={"Host": name})
    assert response.status_code == 421
    assert response.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in response.headers


@pytest.mark.parametrize("name", ["localhost:8642", "127.0.0.1", "[::1]:8642"])
def test_names_of_this_machine_are_accepted(url: str, name: str) -> None:
    assert httpx.get(f"{url}/api/bots", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("settings", [{"identity": SigningIn()}, {"allow_anonymous_network": True}])
def test_the_network_is_served_where_that_is_safe_or_wanted(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(FakeRuntime(**settings), monkeypatch, "0.0.0.0") as url:  # type: ignore[arg-type]
        here = url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{here}/api/bots", headers={"Host": "rules.example"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1"])
def test_the_network_is_refused_while_nobody_signs_in(runtime: FakeRuntime, host: str) -> None:
    with pytest.raises(ConfigurationError, match="RAGBOTS_ALLOW_ANONYMOUS_NETWORK"):
        server.serve(runtime, host, 0)  # type: ignore[arg-type]
    assert not runtime.warm.is_set()


def test_a_taken_port_is_named_before_anything_is_loaded(runtime: FakeRuntime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} .* is in use .*--port"):
            server.serve(runtime, "127.0.0.1", port)  # type: ignore[arg-type]
    assert not runtime.warm.is_set()


def test_a_name_that_is_no_address_is_named(runtime: FakeRuntime) -> None:
    with pytest.raises(ConfigurationError, match=r"no such address: nowhere\.invalid"):
        server.serve(runtime, "nowhere.invalid", 0)  # type: ignore[arg-type]


def test_it_lives_while_it_warms_up_and_then_is_ready(runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    warmed = threading.Event()
    runtime.warming = lambda: bool(warmed.wait(10))  # type: ignore[assignment]
    told: list[str] = []
    stop: list[uvicorn.Server] = []
    monkeypatch.setattr(server, "WarmUp", lambda rt, srv, then: stop.append(srv) or _WARM_UP(rt, srv, then))
    thread = threading.Thread(target=server.serve, args=(runtime, "localhost", port, told.append))
    thread.start()
    url = f"http://127.0.0.1:{port}"
    _wait_for(lambda: _alive(url))
    assert httpx.get(f"{url}/readyz").status_code == 503
    assert told == []
    warmed.set()
    _wait_for(lambda: bool(told))
    assert told == [f"http://localhost:{port}"]
    assert httpx.get(f"{url}/readyz").status_code == 200
    stop[0].should_exit = True
    thread.join(10)
    assert not thread.is_alive()


_WARM_UP = server.WarmUp


def _alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_failed_warm_up_ends_the_server_with_its_reason(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ModelUnavailable("the model folder is empty")

    runtime.warming = fail
    with pytest.raises(ModelUnavailable, match="folder is empty"), served(runtime, monkeypatch):
        pass


PROGRAM = """
import sys, time
from ragbots.api.server import serve
from tests.unit.api.fake_runtime import ANSWER, FakeRuntime

def slow(question):
    time.sleep(0.5)
    return ANSWER

runtime = FakeRuntime()
runtime.answering = slow
serve(runtime, "127.0.0.1", 0, lambda url: print(url, flush=True))
print("closed", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_answers_under_way_finish_and_returns(number: signal.Signals) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(httpx.post, f"{url}/api/chat", json=QUESTION)
            time.sleep(0.2)
            process.send_signal(number)
            assert asked.result().json()["status"] == "answered"
        said, complained = process.communicate(timeout=20)
    assert (process.returncode, said, complained) == (0, "closed\n", "")


def test_everybody_on_this_machine_is_one_signed_in_person() -> None:
    identity: Identity = LocalIdentity()
    person = identity.principal(Credentials(), "web")
    assert person is not None
    assert (person.user_id, person.authenticated, person.channel, person.groups) == ("local", True, "web", frozenset())
    assert identity.principal(Credentials("Bearer none"), "web") == person
    assert identity.principal(Credentials("Bearer anything"), "web") is None
    assert not identity.requires_sign_in


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, before: bytes) -> None:
    """Neither the first of a connection nor one that follows, however steadily its bytes drip."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.4)
    with (
        served(FakeRuntime(), monkeypatch) as url,
        socket.create_connection(("127.0.0.1", httpx.URL(url).port)) as slow,
    ):
        slow.settimeout(0.05)
        told, closed = b"", False
        for sent in [before, b"GET /healthz HTTP/1.1\r\n", *[b"X: y\r\n"] * 200]:
            try:
                slow.sendall(sent)
                piece = slow.recv(65_536)
                told, closed = told + piece, not piece
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
            if closed:
                break
        assert closed
        assert told.count(b"HTTP/1.1 200") == bool(before)
