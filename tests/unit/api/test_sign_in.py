"""Who is let in over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx import Response
from tests.contract.test_accounts import Clock
from tests.unit.api.fake_runtime import BOTS, FakeRuntime, bot

from ragbots.api.app import create_app
from ragbots.auth import AccountsIdentity, Keys, LocalIdentity, Sessions
from ragbots.auth.passwords import hashed
from ragbots.state.accounts import Accounts, User

QUESTION = {"question": "연차는?"}


@pytest.fixture
def runtime(accounts: Accounts, clock: Clock) -> FakeRuntime:
    sessions = Sessions(accounts, timedelta(hours=1), timedelta(hours=12), clock)
    runtime = FakeRuntime(identity=AccountsIdentity(Keys(accounts), sessions))
    runtime.bots = {**BOTS, "visitors": bot("visitors", "방문 안내", public=True)}
    return runtime


@pytest.fixture
def client(runtime: FakeRuntime) -> Iterator[TestClient]:
    # As a browser does on pages of this server.
    with TestClient(create_app(runtime), headers={"Origin": "http://testserver"}) as client:
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


PASSWORD = "correct horse battery"


@pytest.fixture
def kim(accounts: Accounts) -> User:
    kim = User("kim", "김하나", frozenset({"board"}), True, datetime.now(UTC), hashed(PASSWORD))
    accounts.add_user(kim)
    return kim


def sign_in(client: TestClient, user: str = "kim", password: str = PASSWORD, **form: str) -> Response:
    return client.post("/login", data={"user": user, "password": password, **form}, follow_redirects=False)


def test_one_signs_in_is_seen_and_signs_out(client: TestClient, kim: User) -> None:
    assert client.get("/api/me").json() == {
        "user": None, "name": None, "groups": [], "sign_in": "/login", "sign_out": None,
    }  # fmt: skip
    assert sign_in(client, next="/c/x?y=1").headers["location"] == "/c/x?y=1"
    me = client.get("/api/me").json()
    assert (me["user"], me["name"], me["groups"], me["sign_out"]) == ("kim", "김하나", ["board"], "/logout")
    assert "secret" in listed(client)
    copied = client.cookies["ragbots-session"]
    client.post("/logout", follow_redirects=False)
    assert listed(client) == ["visitors"]
    assert client.get("/api/bots", headers={"Cookie": f"ragbots-session={copied}"}).status_code == 401


def test_the_cookie_is_for_no_script_and_for_no_other_site(client: TestClient, kim: User) -> None:
    cookie = sign_in(client).headers["set-cookie"].lower()
    assert "ragbots-session=" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_over_tls_the_cookie_is_this_hosts_alone(runtime: FakeRuntime, kim: User) -> None:
    runtime.settings = runtime.settings.model_copy(update={"public_url": "https://rules.example.com"})
    with TestClient(create_app(runtime), base_url="https://rules.example.com") as client:
        cookie = sign_in(client).headers["set-cookie"]
        assert cookie.startswith("__Host-ragbots-session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "secret" in listed(client)


def test_who_is_refused_does_not_learn_why(client: TestClient, kim: User, accounts: Accounts) -> None:
    wrong, nobody = sign_in(client, password="something else"), sign_in(client, user="nobody")
    accounts.set_enabled("kim", False)
    disabled = sign_in(client)
    pages = {answer.text.replace("nobody", "kim") for answer in (wrong, nobody, disabled)}
    assert len(pages) == 1
    assert {answer.status_code for answer in (wrong, nobody, disabled)} == {401}
    assert "set-cookie" not in wrong.headers
    assert PASSWORD not in pages.pop()


def test_a_user_that_there_is_not_costs_as_much_as_a_wrong_password(
    client: TestClient, kim: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    original = PasswordHasher.verify

    def verify(self: PasswordHasher, kept: str | bytes, password: str | bytes) -> bool:
        verified.append(str(kept))
        return original(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    sign_in(client, user="nobody")
    sign_in(client, password="something else")
    assert [kept.split("$")[1:4] for kept in verified] == [kim.password.split("$")[1:4]] * 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
    ],
)
def test_a_form_on_another_sites_page_signs_nobody_in_or_out(
    client: TestClient, kim: User, headers: dict[str, str]
) -> None:
    answer = client.post("/login", data={"user": "kim", "password": PASSWORD}, headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    sign_in(client)
    assert client.post("/logout", headers=headers).status_code == 403
    assert client.get("/api/me").json()["user"] == "kim"


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x", ""]
)
def test_after_signing_in_one_stays_here(client: TestClient, kim: User, target: str) -> None:
    assert sign_in(client, next=target).headers["location"] == "/"


def test_signing_in_gives_a_new_session_and_ends_the_old_one(client: TestClient, kim: User) -> None:
    sign_in(client)
    first = client.cookies["ragbots-session"]
    sign_in(client)
    assert client.cookies["ragbots-session"] != first
    client.cookies.clear()
    assert client.get("/api/me", headers={"Cookie": f"ragbots-session={first}"}).status_code == 401


def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(client: TestClient, kim: User, clock: Clock) -> None:
    sign_in(client)
    for _ in range(14):
        clock.pass_(minutes=50)
        assert client.get("/api/me").json()["user"] == "kim"
    clock.pass_(minutes=50)
    assert client.get("/api/me").status_code == 401
    client.cookies.clear()
    sign_in(client)
    clock.pass_(minutes=60)
    assert client.get("/api/me").status_code == 401


def test_what_a_user_may_counts_at_the_next_request(client: TestClient, kim: User, accounts: Accounts) -> None:
    sign_in(client)
    accounts.set_groups("kim", frozenset())
    assert "secret" not in listed(client)
    accounts.set_enabled("kim", False)
    assert client.get("/api/bots").status_code == 401


def test_the_form_says_what_its_fields_are_and_runs_no_script(client: TestClient) -> None:
    page = client.get("/login?next=%22%3E%3Cscript%3E")
    assert page.status_code == 200
    assert '<label for="user">' in page.text
    assert '<label for="password">' in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_where_nobody_signs_in_there_is_no_form(accounts: Accounts) -> None:
    with TestClient(create_app(FakeRuntime(identity=LocalIdentity(Keys(accounts))))) as client:
        assert client.get("/login").status_code == 404
        assert client.post("/logout").status_code == 404
        assert client.get("/api/me").json() == {
            "user": "local", "name": "local", "groups": [], "sign_in": None, "sign_out": None,
        }  # fmt: skip


def test_passwords_cannot_be_tried_one_after_the_other(client: TestClient, kim: User) -> None:
    tried = [sign_in(client, password=f"wrong {n}").status_code for n in range(12)]
    assert tried == [401] * 10 + [429] * 2
    beyond = sign_in(client)
    assert beyond.status_code == 429
    assert int(beyond.headers["retry-after"]) > 0
    assert sign_in(client, "somebody-else").status_code == 401
