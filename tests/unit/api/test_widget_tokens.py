"""Tokens for the widget: of one bot, one origin, a quarter of an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.contract.test_accounts import Clock
from tests.unit.api.fake_runtime import FakeRuntime

from ragbots.api.app import create_app
from ragbots.auth import AccountsIdentity, Keys, Sessions, WidgetTokens
from ragbots.auth.widget_tokens import signing_key
from ragbots.state.accounts import Accounts
from ragbots.types import Credentials, Principal

PORTAL = "https://portal.example.com"


@pytest.fixture
def identity(accounts: Accounts, clock: Clock) -> AccountsIdentity:
    keys, sessions = Keys(accounts, clock), Sessions(accounts, timedelta(hours=1), timedelta(hours=12), clock)
    return AccountsIdentity(keys, sessions, tokens=WidgetTokens(lambda: b"signs", keys, sessions, clock))


@pytest.fixture
def client(identity: AccountsIdentity) -> Iterator[TestClient]:
    runtime = FakeRuntime(identity=identity, widget_origins=(PORTAL, "https://other.example.com"))
    with TestClient(create_app(runtime)) as client:
        yield client


@pytest.fixture
def key(accounts: Accounts, clock: Clock) -> dict[str, str]:
    _, secret = Keys(accounts, clock).create("portal", frozenset({"board", "administrators"}), None, 30)
    return {"Authorization": f"Bearer {secret}"}


def made(client: TestClient, key: dict[str, str], **more: object) -> str:
    body = {"bot": "secret", "origin": PORTAL, "person": "kim", **more}
    return str(client.post("/api/widget-tokens", json=body, headers=key).json()["token"])


def who(identity: AccountsIdentity, token: str, origin: str | None = PORTAL) -> Principal | None:
    return identity.principal(Credentials(f"Bearer {token}", origin=origin), "web")


def test_it_is_for_one_bot_and_administers_nothing(
    client: TestClient, key: dict[str, str], identity: AccountsIdentity
) -> None:
    principal = who(identity, made(client, key))
    assert principal is not None
    assert (principal.user_id, principal.groups, principal.bots) == ("portal/kim", {"board"}, {"secret"})


def test_people_vouched_for_by_one_key_are_not_one_person(
    client: TestClient, key: dict[str, str], identity: AccountsIdentity
) -> None:
    people = [who(identity, made(client, key, person=person)) for person in ("kim", "lee")]
    assert [one and one.user_id for one in people] == ["portal/kim", "portal/lee"]
    unsaid = {"bot": "secret", "origin": PORTAL}
    answer = client.post("/api/widget-tokens", json=unsaid, headers=key)
    assert answer.status_code == 422
    assert "person" in answer.text


@pytest.mark.parametrize(
    "origin", [None, "null", "https://other.example.com", "https://portal.example.com.evil.example"]
)
def test_it_is_good_on_the_pages_of_its_origin_alone(
    client: TestClient, key: dict[str, str], identity: AccountsIdentity, origin: str | None
) -> None:
    assert who(identity, made(client, key), origin) is None


def test_it_is_over_after_a_quarter_of_an_hour(
    client: TestClient, key: dict[str, str], identity: AccountsIdentity, clock: Clock
) -> None:
    token = made(client, key)
    clock.pass_(minutes=14.9)
    assert who(identity, token) is not None
    clock.pass_(minutes=0.2)
    assert who(identity, token) is None
    body = {"bot": "secret", "origin": PORTAL, "seconds": 901}
    assert client.post("/api/widget-tokens", json=body, headers=key).status_code == 422


def test_it_dies_with_the_key_that_made_it(
    client: TestClient, key: dict[str, str], identity: AccountsIdentity, accounts: Accounts
) -> None:
    token = made(client, key)
    accounts.revoke_key(accounts.keys()[0].id, datetime.now(UTC))
    assert who(identity, token) is None


def test_a_changed_one_is_not_good(client: TestClient, key: dict[str, str], identity: AccountsIdentity) -> None:
    token = made(client, key)
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        if changed[:-1] != token[:-1]:  # the last letter has bits that say nothing
            assert who(identity, changed) is None
    assert who(identity, "ragbotsw_") is None
    assert who(identity, "ragbotsw_한.글") is None


def test_it_makes_no_other(client: TestClient, key: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {made(client, key)}", "Origin": PORTAL}
    assert client.get("/api/bots", headers=headers).status_code == 200
    body = {"bot": "secret", "origin": PORTAL}
    assert client.post("/api/widget-tokens", json=body, headers=headers).status_code == 403


def test_it_is_made_for_nobody_who_may_not_ask_and_for_no_unknown_origin(
    client: TestClient, accounts: Accounts, clock: Clock
) -> None:
    _, secret = Keys(accounts, clock).create("kim", frozenset(), None, 30)
    kim = {"Authorization": f"Bearer {secret}"}
    asked = {"bot": "secret", "origin": PORTAL}
    assert client.post("/api/widget-tokens", json=asked, headers=kim).status_code == 404
    assert client.post("/api/widget-tokens", json=asked).status_code == 403
    elsewhere = {"bot": "leave", "origin": "https://evil.example"}
    assert client.post("/api/widget-tokens", json=elsewhere, headers=kim).status_code == 403


def test_the_key_that_signs_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "var")
    assert signing_key(tmp_path / "var") == first
    (path,) = (tmp_path / "var").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(first) >= 43
