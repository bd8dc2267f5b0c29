"""Whoever loses a right while an answer is streamed to them is told no more, over a real server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.contract.test_many_clients import PATIENT, serving
from tests.unit.api.fake_runtime import ANSWER, FakeRuntime

from ragbots.auth import AccountsIdentity, Keys, Sessions
from ragbots.runtime import Routed, Run
from ragbots.state.accounts import Accounts, User
from ragbots.types import Answer, Context, Question

REVALIDATED_SECONDS = 5.0  # what is promised


class Slowly(FakeRuntime):
    """Writes on and on, until the test lets it come to an end."""

    def __init__(self, accounts: Accounts) -> None:
        sessions = Sessions(accounts, timedelta(hours=1), timedelta(hours=1))
        super().__init__(identity=AccountsIdentity(Keys(accounts), sessions))
        self.finish = threading.Event()

    async def answers(  # type: ignore[override]
        self, question: Question, context: Context, run: Run
    ) -> AsyncGenerator[Routed | str | Answer, None]:
        yield Routed("leave", ())
        while not self.finish.is_set():
            yield "조금씩 씁니다. "
            await run(time.sleep, 0.1)
        yield ANSWER


@pytest.fixture
def accounts(accounts: Accounts) -> Accounts:
    accounts.add_user(User("kim", "김하나", frozenset({"board", "hr"}), True, datetime.now(UTC)))
    return accounts


def revoke(accounts: Accounts) -> None:
    accounts.revoke_key(accounts.keys()[0].id, datetime.now(UTC))


def disable(accounts: Accounts) -> None:
    accounts.set_enabled("kim", False)


def take_group(accounts: Accounts) -> None:
    accounts.set_groups("kim", frozenset({"hr"}))


def give_group(accounts: Accounts) -> None:
    accounts.set_groups("kim", frozenset({"board", "hr", "audit"}))


def lines_of(url: str, body: dict[str, object], headers: dict[str, str], begun: threading.Event) -> list[str]:
    lines = []
    with httpx.stream("POST", url, json=body, headers=headers, timeout=PATIENT) as response:
        for line in response.iter_lines():
            lines.append(line)
            begun.set()
    return lines


@pytest.mark.parametrize("act", [revoke, disable, take_group])
def test_a_stream_ends_with_an_error(accounts: Accounts, act: Callable[[Accounts], None]) -> None:
    _, secret = Keys(accounts).create("kim", frozenset({"board"}), None, 1)
    headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
    runtime, begun = Slowly(accounts), threading.Event()
    with serving(runtime) as server, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lines_of, f"{server.url}/api/chat", {"question": "연차는?"}, headers, begun)
        assert begun.wait(PATIENT)
        act(accounts)
        began = time.monotonic()
        lines = asked.result(PATIENT)
        assert time.monotonic() - began < REVALIDATED_SECONDS
        runtime.finish.set()
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert events[0] == "route"
    assert events[-1] == "error"
    assert "done" not in events
    told = json.loads([line for line in lines if line.startswith("data: ")][-1].removeprefix("data: "))
    assert (told["status"], told["type"]) == (401, "/problems/sign-in-required")


def test_a_stream_of_the_other_api_ends_too(accounts: Accounts) -> None:
    _, secret = Keys(accounts).create("kim", frozenset({"board"}), None, 1)
    runtime, begun = Slowly(accounts), threading.Event()
    body: dict[str, object] = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "연차는?"}]}
    with serving(runtime) as server, ThreadPoolExecutor(1) as pool:
        url = f"{server.url}/v1/chat/completions"
        asked = pool.submit(lines_of, url, body, {"Authorization": f"Bearer {secret}"}, begun)
        assert begun.wait(PATIENT)
        revoke(accounts)
        lines = [line.removeprefix("data: ") for line in asked.result(PATIENT) if line.startswith("data: ")]
        runtime.finish.set()
    assert json.loads(lines[-2])["error"]["code"] == "invalid_api_key"
    assert lines[-1] == "[DONE]"


def test_an_answer_that_is_not_streamed_is_not_given_either(accounts: Accounts) -> None:
    _, secret = Keys(accounts).create("kim", frozenset({"board"}), None, 1)
    runtime = Slowly(accounts)
    with serving(runtime) as server, ThreadPoolExecutor(1) as pool:
        headers = {"Authorization": f"Bearer {secret}"}
        asked = pool.submit(
            httpx.post, f"{server.url}/api/chat", json={"question": "연차는?"}, headers=headers, timeout=PATIENT
        )
        while not accounts.keys()[0].last_used_at:
            time.sleep(0.01)
        revoke(accounts)
        assert asked.result(PATIENT).status_code == 401
        runtime.finish.set()


def test_who_gains_a_group_reads_on(accounts: Accounts) -> None:
    _, secret = Keys(accounts).create("kim", frozenset({"board"}), None, 1)
    headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
    runtime, begun = Slowly(accounts), threading.Event()
    with serving(runtime) as server, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lines_of, f"{server.url}/api/chat", {"question": "연차는?"}, headers, begun)
        assert begun.wait(PATIENT)
        give_group(accounts)
        time.sleep(REVALIDATED_SECONDS)
        runtime.finish.set()
        lines = asked.result(PATIENT)
    assert [line for line in lines if line.startswith("event: ")][-1] == "event: done"
