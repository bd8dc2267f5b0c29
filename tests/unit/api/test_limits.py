from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from tests.unit.api.fake_runtime import FakeRuntime

from ragbots.api.addresses import address_of, counted_as
from ragbots.api.app import create_app
from ragbots.types import Credentials, Principal

PROXIES = ("10.0.0.0/8", "127.0.0.1/32")


class Named:
    """Lets everybody in under the name that they give as a key."""

    id = "named"
    requires_sign_in = True

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        authorization = credentials.authorization
        return Principal(authorization.removeprefix("Bearer "), channel=channel) if authorization else None


@contextmanager
def limited(**limits: str) -> Iterator[TestClient]:
    with TestClient(create_app(FakeRuntime(identity=Named(), limits=limits))) as client:
        yield client


def as_(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def test_who_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up() -> None:
    with limited(per_user="2/hour") as client:
        asked = [client.post("/api/chat", json={"question": "연차는?"}, headers=as_("kim")) for _ in range(3)]
        assert [one.status_code for one in asked] == [200, 200, 429]
        refused = asked[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "/problems/too-many-requests"
        seconds = int(refused.headers["retry-after"])
        assert 1 <= seconds <= 3600
        assert f"{seconds}초 뒤에 다시" in refused.json()["detail"]
        assert client.post("/api/chat", json={"question": "연차는?"}, headers=as_("lee")).status_code == 200


def test_no_door_is_a_way_around_another() -> None:
    doors: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/api/bots", {}),
        ("GET", "/api/search", {"params": {"bot": "leave", "q": "연차"}}),
        ("GET", "/api/citations/leave.v1.3", {}),
        ("GET", "/v1/models", {}),
        ("POST", "/mcp", {"json": {}}),
        ("GET", "/c/leave.v1.3", {}),
    ]
    with limited(per_user="1/hour") as client:
        client.get("/api/bots", headers=as_("kim"))
        found = {path: client.request(way, path, headers=as_("kim"), **more).status_code for way, path, more in doors}
        assert found == {path: 429 for _, path, _ in doors}
        assert client.get("/healthz").status_code == 200


def test_openai_clients_are_told_in_their_shape() -> None:
    with limited(per_user="1/hour") as client:
        client.get("/v1/models", headers=as_("kim"))
        refused = client.get("/v1/models", headers=as_("kim"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) >= 1


def test_an_address_is_counted_before_anybody_is_let_in() -> None:
    with limited(per_address="2/hour") as client:
        assert [client.get("/api/bots").status_code for _ in range(3)] == [401, 401, 429]


def test_a_search_is_counted_for_its_bot_where_it_may_be_seen() -> None:
    with limited(per_bot="1/hour") as client:
        found = [
            client.get("/api/search", params={"bot": bot, "q": "연차"}, headers=as_("kim")).status_code
            for bot in ("secret", "secret", "leave", "leave", "records")
        ]
    assert found == [404, 404, 200, 429, 200]


def request(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # not from a proxy: anybody can write it
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),  # what the client itself sent stands before it
        ("10.0.0.1", ("6.6.6.6", "198.51.100.1, 10.0.0.7"), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1:5123",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8::7]:5123",), "2001:db8::7"),
        ("10.0.0.1", ("6.6.6.6, nonsense",), "10.0.0.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.2",), "10.0.0.2"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
    ],
)
def test_whose_a_request_is_by_its_address(peer: str, forwarded: tuple[str, ...], address: str) -> None:
    assert address_of(request(peer, *forwarded), PROXIES) == address


def test_one_host_does_not_escape_through_the_addresses_of_its_network() -> None:
    assert counted_as("2001:db8:1:2::5") == counted_as("2001:db8:1:2:ffff::9") != counted_as("2001:db8:1:3::5")
    assert counted_as("198.51.100.1") != counted_as("198.51.100.2")


class Visitors(Named):
    """Lets everybody in as one and the same visitor."""

    def principal(self, _credentials: Credentials, channel: str) -> Principal | None:
        return Principal("visitor", channel=channel, authenticated=False)


def test_visitors_of_one_name_are_told_apart_by_their_addresses() -> None:
    runtime = FakeRuntime(identity=Visitors(), limits={"per_user": "1/hour"}, trusted_proxies=["10.0.0.1"])
    with TestClient(create_app(runtime), client=("10.0.0.1", 1)) as client:
        found = [client.get("/api/bots", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in (1, 1, 2)]
    assert found == [200, 429, 200]
