"""Requests to the messengers' endpoints that were tampered with: all refused, none a server error.

`FORGERIES=100000` in the environment makes as many of them instead of 1,000, `FORGERY_SEED` others.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.contract.test_dooray_command import TOKEN, command, pressed
from tests.contract.test_slack import QUESTION, signed
from tests.messenger_runtime import MessengerRuntime
from tests.slack_server import BOT_TOKEN, SECRET, event

from ragbots.api.app import create_app

COUNT = int(os.environ.get("FORGERIES", "1000"))
SEED = int(os.environ.get("FORGERY_SEED", "7"))

Headers = dict[str, bytes]
Forged = tuple[bytes, Headers]

STRANGE = (
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e9",
    "nan",
    "²",
    "١٢٣",
    "9" * 5_000,
    "\x7f",
    "v0=",
    "é",
    "ÿ" * 64,
    "%00",
    "null",
)


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Iterator[Forged]], list[int]]]:
    monkeypatch.setenv("DOORAY_APP_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    # Nothing listens there: whatever got through would find no Slack.
    settings: dict[str, Any] = {"dooray": {"domain": "company.dooray.com"}, "slack": {"api_url": "http://127.0.0.1:9"}}
    runtime = MessengerRuntime(tmp_path, **settings)

    def posting(path: str, forged: Iterator[Forged]) -> list[int]:
        async def main() -> list[int]:
            transport = httpx.ASGITransport(create_app(runtime), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return [
                    (await client.post(path, content=body, headers=list(headers.items()))).status_code
                    for body, headers in forged
                ]

        return asyncio.run(main())

    yield posting
    assert not runtime.asked
    runtime.close()


def test_slack_requests_that_were_tampered_with_are_refused(post: Callable[[str, Iterator[Forged]], list[int]]) -> None:
    statuses = post("/slack/events", _slack_forgeries(random.Random(SEED)))
    assert len(statuses) == COUNT
    assert set(statuses) == {401}


def test_commands_with_a_forged_token_are_refused(post: Callable[[str, Iterator[Forged]], list[int]]) -> None:
    statuses = post("/dooray/command", _dooray_forgeries(random.Random(SEED), command()))
    assert len(statuses) == COUNT
    assert set(statuses) <= {400, 401}


def test_buttons_with_a_forged_token_are_refused(post: Callable[[str, Iterator[Forged]], list[int]]) -> None:
    statuses = post("/dooray/action", _dooray_forgeries(random.Random(SEED), pressed("rate/a1/up")))
    assert len(statuses) == COUNT
    assert set(statuses) <= {400, 401}


def _slack_forgeries(chance: random.Random) -> Iterator[Forged]:
    body = json.dumps(event(QUESTION), ensure_ascii=False)
    made = 0
    while made < COUNT:
        headers = {name: value.encode() for name, value in signed(body).items()}
        good = (body.encode(), dict(headers))
        forged = _tampered(chance, body.encode(), headers)
        if forged != good:
            made += 1
            yield forged


def _tampered(chance: random.Random, body: bytes, headers: Headers) -> Forged:
    """The request with one thing changed."""
    name = chance.choice(("X-Slack-Signature", "X-Slack-Request-Timestamp"))
    match chance.randrange(7):
        case 0:
            return _mutated(chance, body), headers
        case 1:
            return body, {**headers, name: _header(_mutated(chance, headers[name]))}
        case 2:
            del headers[name]
            return body, headers
        case 3:
            return body, {**headers, name: _header(chance.choice(STRANGE).encode())}
        case 4:
            shifted = int(headers["X-Slack-Request-Timestamp"]) + chance.choice((-1, 1)) * chance.randint(1, 10**9)
            return body, {**headers, "X-Slack-Request-Timestamp": str(shifted).encode()}
        case 5:
            old = {key: value.encode() for key, value in signed(body.decode(), age=chance.randint(301, 10**8)).items()}
            return body, old
        case _:
            return chance.randbytes(chance.randint(0, 300)), headers


def _mutated(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return chance.choice(
        (
            data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :],
            data[:at] + data[at + 1 :],
            data[:at] + chance.randbytes(1) + data[at:],
            data[:at],
            data + chance.randbytes(chance.randint(1, 9)),
            data.upper() if data.upper() != data else data[::-1],
        )
    )


def _header(value: bytes) -> bytes:
    """What a server lets through as a header's value; spaces at its ends are no part of it."""
    return bytes(byte for byte in value if byte >= 32 and byte != 127).strip()


def _dooray_forgeries(chance: random.Random, sent: dict[str, Any]) -> Iterator[Forged]:
    others: tuple[Any, ...] = (None, 0, 1.5, True, [], [TOKEN], {"appToken": TOKEN}, "", " ", f" {TOKEN}", f"{TOKEN}\0")
    others += (TOKEN.upper(), TOKEN.replace("a", "а"), TOKEN * 2, TOKEN[:-1], "\ud800", "토큰", "x" * 100_000)
    headers = {"Content-Type": b"application/json"}
    made = 0
    while made < COUNT:
        match chance.randrange(5):
            case 0:
                body = json.dumps({**sent, "appToken": chance.choice(others)}).encode()
            case 1:
                forged = _mutated(chance, TOKEN.encode()).decode("latin-1")
                body = json.dumps({**sent, "appToken": forged}).encode()
                if forged == TOKEN:
                    continue
            case 2:
                body = json.dumps({key: value for key, value in sent.items() if key != "appToken"}).encode()
            case 3:
                deep = "[" * chance.randint(1, 60_000)
                body = chance.choice((b"", b"null", b"[]", deep.encode(), b'{"appToken":' * 9_000, b"\xff\xfe{}"))
            case _:
                # Cut anywhere, JSON has no end.
                whole = json.dumps(sent).encode()
                body = whole[: chance.randrange(len(whole))]
        made += 1
        yield body, headers


def test_an_untouched_request_would_have_been_taken() -> None:
    """Else all of the above would prove nothing."""
    from slack_sdk.signature import SignatureVerifier

    from ragbots.channels.slack import is_signed

    body = json.dumps(event(QUESTION), ensure_ascii=False)
    good = signed(body)
    given = (body.encode(), good["X-Slack-Request-Timestamp"], good["X-Slack-Signature"])
    assert is_signed(SignatureVerifier(SECRET), *given)
    assert abs(time.time() - int(given[1])) < 60
