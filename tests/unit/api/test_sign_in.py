"""Who is let in over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.unit.api.fake_runtime import BOTS, FakeRuntime, bot

from ragbots.api.app import create_app
from ragbots.auth import AccountsIdentity, Keys, LocalIdentity
from ragbots.state import Database
from ragbots.state.accounts import Accounts

QUESTION = {"question": "연차는?"}


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield Accounts(database)
    database.close()


@pytest.fixture
def runtime(accounts: Accounts) -> FakeRuntime:
    runtime = FakeRuntime(identity=AccountsIdentity(Keys(accounts)))
    runtime.bots = {**BOTS, "visitors": bot("visitors", "방문 안내", public=True)}
    return runtime


@pytest.fixture
def client(runtime: FakeRuntime) -> Iterator[TestClient]:
    with TestClient(create_app(runtime)) as client:
        yield client


def key(accounts: Accounts, *groups: str) -> dict[str, str]:
    _, secret = Keys(accounts).create("kim", frozenset(groups), None, 30)
    return {"Authorization": f"Bearer {secret}"}


def listed(client: TestClient, headers: dict[str, str] | None = None) -> list[str]:
    return [bot["id"] for bot in client.get("/api/bots", headers=headers).json()["bots"]]


def test_a_stranger_sees_public_bots_alone(client: TestClient, runtime: FakeRuntime) -> None:
    assert listed(client) == ["visitors"]
    assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["auto", "visitors"]
    client.post("/api/chat", json=QUESTION)
    assert not runtime.asked[0][1].principal.authenticated


def test_a_key_is_good_at_every_door(client: TestClient, accounts: Accounts, runtime: FakeRuntime) -> None:
    board = key(accounts, "board")
    assert listed(client, board) == ["leave", "records", "secret", "visitors"]
    assert "secret" in [one["id"] for one in client.get("/v1/models", headers=board).json()["data"]]
    assert client.post("/mcp", json={}, headers=board).status_code != 401
    client.post("/api/chat", json=QUESTION, headers=board)
    asked = runtime.asked[0][1].principal
    assert (asked.user_id, asked.groups, asked.key) == ("kim", {"board"}, accounts.keys()[0].id)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/bots"),
        ("POST", "/api/chat"),
        ("GET", "/v1/models"),
        ("POST", "/mcp"),
        ("GET", "/api/conversations"),
    ],
)
def test_a_key_that_is_not_good_opens_no_door_not_even_a_strangers(
    client: TestClient, accounts: Accounts, method: str, path: str
) -> None:
    revoked = key(accounts)
    accounts.revoke_key(accounts.keys()[0].id, datetime.now(UTC))
    for headers in (revoked, {"Authorization": "Bearer ragbots_none"}, {"Authorization": "Basic a2ltOng="}):
        assert client.request(method, path, json=QUESTION, headers=headers).status_code == 401


def test_at_this_machine_a_key_counts_where_one_is_shown(accounts: Accounts) -> None:
    runtime = FakeRuntime(identity=LocalIdentity(Keys(accounts)))
    with TestClient(create_app(runtime)) as client:
        for headers in ({}, key(accounts, "board"), {"Authorization": "Bearer none"}):
            client.post("/api/chat", json=QUESTION, headers=headers)
        assert client.get("/api/bots", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert [asked.principal.user_id for _, asked in runtime.asked] == ["local", "kim", "local"]
    assert [asked.principal.local for _, asked in runtime.asked] == [True, False, True]
