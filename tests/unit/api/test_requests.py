from __future__ import annotations

import json
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from starlette.types import Message
from tests.unit.api.fake_runtime import FakeRuntime

from ragbots.api.app import create_app

TURN = {"role": "user", "content": "앞 질문"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": None}, "question"),
        ({"question": 3}, "question"),
        ({"question": "\ud800"}, "question"),
        ({"question": "연차는?", "bto": "leave"}, "bto"),
        ({"question": "연차는?", "\ud800": 1}, "body"),
        ({"question": "연차는?", "길" * 9000: 1}, "길길길"),
        ({"question": "연차는?", "bot": "\ud800"}, "bot"),
        ({"question": "연차는?", "history": [{**TURN, "content": "\ud800"}]}, "history.0.content"),
        ({"question": "연차는?", "as_of": "2026-02-30"}, "as_of"),
        ({"question": "연차는?", "as_of": "오늘"}, "as_of"),
        ({"question": "연차는?", "as_of": 1_700_000_000}, "as_of"),
        ({"question": "연차는?", "conversation_id": "a b"}, "conversation_id"),
        ({"question": "연차는?", "conversation_id": "a" * 44}, "conversation_id"),
        ({"question": "연차는?", "history": [TURN] * 41}, "history"),
        ({"question": "연차는?", "history": [{"role": "system", "content": "x"}]}, "history.0.role"),
        ({"question": "연차는?", "history": [{**TURN, "content": "x" * 20_001}]}, "history.0.content"),
        ({"question": "연차는?", "history": "앞 질문"}, "history"),
        ([], "body"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(
    client: TestClient, runtime: FakeRuntime, body: object, field: str
) -> None:
    sent = json.dumps(body).encode("ascii")
    response = client.post("/api/chat", content=sent, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "/problems/invalid-request"
    assert problem["errors"][0]["field"].startswith(field)
    assert f"`{field}" in problem["detail"]
    assert len(response.content) < 1_000
    assert runtime.asked == []


def test_limits_themselves_are_allowed(client: TestClient) -> None:
    body: dict[str, Any] = {"question": "연차는?", "history": [TURN] * 40, "conversation_id": None, "as_of": None}
    assert client.post("/api/chat", json=body).status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 422),
        (b"", "application/json", 422),
        (b'{"question": "x"}', "text/plain", 422),  # what another site's form could send without being asked first
        (b'{"question": "\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_what_is_not_json_is_refused(client: TestClient, content: bytes, media_type: str, status: int) -> None:
    response = client.post("/api/chat", content=content, headers={"Content-Type": media_type})
    assert response.status_code == status
    assert response.json()["type"] == "/problems/invalid-request"


def test_a_body_beyond_the_limit_is_refused(client: TestClient, runtime: FakeRuntime) -> None:
    response = client.post("/api/chat", json={"question": "가" * 1_000_000})
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/too-large"
    assert runtime.asked == []


def test_a_body_without_end_is_not_read_to_its_end(runtime: FakeRuntime) -> None:
    async def send_forever() -> tuple[int, int]:
        read, status = 0, 0

        async def receive() -> Message:
            nonlocal read
            read += 65_536
            return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/api/chat", "query_string": b"", "headers": headers}
        await create_app(runtime)({**scope, "app": None}, receive, send)
        return read, status

    with start_blocking_portal() as portal:
        read, status = portal.call(send_forever)
    assert status == 413
    assert read <= runtime.settings.max_body_bytes + 65_536


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=연차", "bot"),
        ("bot=leave", "q"),
        ("bot=leave&q=연차&k=0", "k"),
        ("bot=leave&q=연차&k=101", "k"),
        ("bot=leave&q=연차&k=x", "k"),
        ("bot=leave&q=연차&top=3", "top"),
    ],
)
def test_a_search_names_the_parameter_that_is_wrong(client: TestClient, query: str, field: str) -> None:
    response = client.get(f"/api/search?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
