"""Signing in at an identity provider, over HTTP to one that the tests start."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, Claims, OidcProvider, providing
from tests.unit.api.fake_runtime import FakeRuntime

from ragbots.api.app import create_app
from ragbots.auth import AccountsIdentity, Keys, Sessions
from ragbots.auth.oidc import Client, Provider
from ragbots.state.accounts import Accounts

HERE = "http://testserver"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with providing() as provider:
        yield provider


@pytest.fixture
def provider(running: OidcProvider) -> OidcProvider:
    running.claims = {"sub": "u-1", "name": "김하나", "groups": ["board"], "sid": "s-1"}
    running.published = [running.key]
    running.tamper, running.sign = lambda claims: claims, running.signed
    return running


@pytest.fixture
def client(provider: OidcProvider, accounts: Accounts) -> Iterator[TestClient]:
    sessions = Sessions(accounts, timedelta(hours=1), timedelta(hours=12))
    there = Provider(Client(provider.issuer, CLIENT_ID, CLIENT_SECRET), sessions)
    runtime = FakeRuntime(identity=AccountsIdentity(Keys(accounts), sessions, there))
    # As a browser does on pages of this server.
    here = {"Origin": "http://testserver"}
    with TestClient(create_app(runtime), follow_redirects=False, headers=here) as client:
        yield client


def gone(client: TestClient, target: str = "/") -> str:
    """Goes to the provider and signs in there; the address one is sent back to."""
    away = client.get("/login", params={"next": target}).headers["location"]
    return httpx.get(away).headers["location"]


def user(client: TestClient) -> object:
    answer = client.get("/api/me")
    return answer.json()["user"] if answer.status_code == 200 else answer.status_code


def test_one_signs_in_there_and_is_known_here(client: TestClient, accounts: Accounts) -> None:
    back = client.get(gone(client, "/c/x?y=1"))
    assert (back.status_code, back.headers["location"]) == (303, "/c/x?y=1")
    me = client.get("/api/me").json()
    assert (me["user"], me["name"], me["groups"]) == ("u-1", "김하나", ["board"])
    assert "secret" in [bot["id"] for bot in client.get("/api/bots").json()["bots"]]


def test_groups_are_those_the_provider_says_at_each_sign_in(client: TestClient, provider: OidcProvider) -> None:
    client.get(gone(client))
    provider.claims = {**provider.claims, "groups": ["hr"], "name": "김둘"}
    client.get(gone(client))
    me = client.get("/api/me").json()
    assert (me["groups"], me["name"]) == (["hr"], "김둘")


def test_a_password_here_opens_nothing(client: TestClient) -> None:
    assert client.post("/login", data={"user": "u-1", "password": "x" * 12}).status_code == 405


def test_each_way_back_is_good_once(client: TestClient) -> None:
    back = gone(client)
    assert client.get(back).status_code == 303
    client.cookies.clear()
    assert client.get(back).status_code == 401
    assert user(client) is None


def test_a_replayed_code_is_not_good_with_a_new_state(client: TestClient) -> None:
    first = gone(client)
    client.get(first)
    client.cookies.clear()
    (code,) = parse_qs(urlsplit(first).query)["code"]
    (state,) = parse_qs(urlsplit(gone(client)).query)["state"]
    assert client.get("/login/callback", params={"code": code, "state": state}).status_code == 401
    assert user(client) is None


def test_another_state_is_not_good(client: TestClient) -> None:
    (code,) = parse_qs(urlsplit(gone(client)).query)["code"]
    for state in ("", "x" * 43):
        assert client.get("/login/callback", params={"code": code, "state": state}).status_code == 401
    assert user(client) is None


def test_a_way_back_is_good_in_the_browser_that_went_alone(client: TestClient) -> None:
    back = gone(client)
    client.cookies.clear()
    assert client.get(back).status_code == 401
    client.get("/login")
    assert client.get(back).status_code == 401
    assert user(client) is None


def test_a_code_for_another_verifier_is_not_good(client: TestClient) -> None:
    (stolen,) = parse_qs(urlsplit(gone(client)).query)["code"]
    (state,) = parse_qs(urlsplit(gone(client)).query)["state"]
    assert client.get("/login/callback", params={"code": stolen, "state": state}).status_code == 401


def without(name: str) -> object:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"}, {"exp": int(time.time()) - 3_600, "iat": int(time.time()) - 7_200}, {"aud": "another"},
        {"aud": []}, {"aud": [CLIENT_ID, "another"], "azp": "another"}, {"iss": "https://evil.example"},
        {"nbf": int(time.time()) + 3_600}, {"sub": ""}, {"sub": 7},
    ],
)  # fmt: skip
def test_a_token_that_says_something_else_is_not_good(
    client: TestClient, provider: OidcProvider, change: Claims
) -> None:
    provider.tamper = lambda claims: {**claims, **change}
    assert client.get(gone(client)).status_code == 401
    assert user(client) is None


@pytest.mark.parametrize("name", ["nonce", "exp", "aud", "iss", "sub", "iat"])
def test_a_token_that_leaves_something_out_is_not_good(client: TestClient, provider: OidcProvider, name: str) -> None:
    provider.tamper = without(name)  # type: ignore[assignment]
    assert client.get(gone(client)).status_code == 401
    assert user(client) is None


def unsigned(claims: Claims) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}."


def test_a_token_without_a_signature_is_not_good(client: TestClient, provider: OidcProvider) -> None:
    provider.sign = unsigned
    assert client.get(gone(client)).status_code == 401


@pytest.mark.parametrize("kid", ["k1", "k9"])
def test_a_token_of_an_unknown_key_is_not_good(client: TestClient, provider: OidcProvider, kid: str) -> None:
    other = RSAKey.generate_key(2048, {"kid": kid})
    provider.sign = lambda claims: provider.signed(claims, other)
    assert client.get(gone(client)).status_code == 401
    assert user(client) is None


def test_new_keys_of_the_provider_are_fetched(client: TestClient, provider: OidcProvider) -> None:
    client.get(gone(client))
    other = RSAKey.generate_key(2048, {"kid": "k2"})
    provider.published = [other]
    provider.sign = lambda claims: provider.signed(claims, other)
    client.cookies.clear()
    assert client.get(gone(client)).status_code == 303


def test_who_is_disabled_here_does_not_come_in(client: TestClient, accounts: Accounts) -> None:
    client.get(gone(client))
    accounts.set_enabled("u-1", False)
    assert user(client) == 401
    assert client.get(gone(client)).status_code == 401


def test_signing_out_here_leads_to_signing_out_there(client: TestClient, provider: OidcProvider) -> None:
    client.get(gone(client))
    policy = client.get("/logout").headers["content-security-policy"]
    assert f"form-action 'self' {provider.issuer};" in f"{policy};"
    there = client.post("/logout").headers["location"]
    assert there.startswith(f"{provider.issuer}/end?")
    assert parse_qs(urlsplit(there).query) == {
        "client_id": [CLIENT_ID], "post_logout_redirect_uri": [f"{HERE}/"], "logout_hint": ["u-1"],
    }  # fmt: skip
    assert user(client) is None


LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}


def test_signing_out_there_ends_the_session_here(client: TestClient, provider: OidcProvider) -> None:
    client.get(gone(client))
    for bad in ({"events": {}}, {"events": LOGOUT, "nonce": "n"}, {"events": LOGOUT, "aud": "another"}):
        token = provider.signed(provider.token(**bad))
        assert client.post("/logout/backchannel", data={"logout_token": token}).status_code == 400
    assert user(client) == "u-1"
    other = provider.signed(provider.token(events=LOGOUT, sid="s-2"))
    assert client.post("/logout/backchannel", data={"logout_token": other}).status_code == 204
    assert user(client) == "u-1"
    token = provider.signed(provider.token(events=LOGOUT))
    assert client.post("/logout/backchannel", data={"logout_token": token}).status_code == 204
    assert user(client) == 401
