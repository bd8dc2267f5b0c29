from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
import requests
import trustme
from hypothesis import given
from hypothesis import strategies as st

from ragbots import notify
from ragbots.auth.oidc import Client, Provider
from ragbots.auth.sessions import Sessions
from ragbots.errors import AddressRefused, NotTold, SignInRefused
from ragbots.outgoing import Resolve, destination, direct_client, pin, pinned_adapter, resolved, spelled_out
from ragbots.state import Database
from ragbots.state.accounts import Accounts

PUBLIC = "93.184.215.14"


class Rebinding:
    """Answers each question of a name's address with the next; the last again and again."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return [self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]]


def names(*addresses: str) -> Resolve:
    return lambda _host, _port: addresses


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001", "0x7f.1", "0", "0.0.0.0",
        "localhost", "localhost.", "LOCALHOST", "10.0.0.1", "172.16.0.1",
        "192.168.0.1", "100.64.0.1", "169.254.169.254",
        "2852039166", "0xa9fea9fe", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[fe80::1]", "[fe80::1%25lo]", "[fd00:ec2::254]", "[fc00::1]", "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "224.0.0.1", "[ff02::1]",
        "255.255.255.255", "240.0.0.1", "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "ⓛocalhost", "192.0.2.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_writing_of_a_host_leads_inside(scheme: str, host: str) -> None:
    with pytest.raises(AddressRefused):
        destination(f"{scheme}://{host}/latest/meta-data", ())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/", "example.com", "",
        "http://", "http:///x", "http://user@example.com/", "http://user:secret@example.com/", "http://@example.com/",
        "http://example.com:99999/", "http://example.com\\@127.0.0.1/", "http://[::1", "javascript:alert(1)",
        "http://example.com@127.0.0.1/", "dict://127.0.0.1/", "unix:///run/docker.sock",
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        destination(url, (), names(PUBLIC))
    assert "secret" not in str(refused.value)


def test_a_public_host_is_reached_at_the_address_that_was_looked_at() -> None:
    assert destination("https://hooks.example.com/x", (), names(PUBLIC)) == PUBLIC
    assert destination("https://[2606:2800:21f::1]/", ()) == "2606:2800:21f::1"


def test_a_name_of_which_one_address_is_inside_is_refused() -> None:
    with pytest.raises(AddressRefused, match="not public"):
        destination("https://hooks.example.com/", (), names(PUBLIC, "10.0.0.5"))


def test_a_private_network_is_reached_where_it_is_listed_and_no_other() -> None:
    assert destination("https://chat.corp.example/", ("10.1.0.0/16",), names("10.1.2.3")) == "10.1.2.3"
    assert destination("https://chat.corp.example/", ("10.1.0.0/16",), names("::ffff:10.1.2.3")) == "::ffff:a01:203"
    with pytest.raises(AddressRefused, match="private_networks"):
        destination("https://chat.corp.example/", ("10.1.0.0/16",), names("10.2.0.1"))


@given(st.integers(0, 2**32 - 1))
def test_numbers_for_addresses_are_public_or_refused(number: int) -> None:
    address = ipaddress.IPv4Address(number)
    try:
        assert destination(f"http://{number}/", (), resolved) == str(address)
        assert address.is_global
    except AddressRefused:
        assert not address.is_global or address.is_multicast


class Inside:
    """A server on this machine, over TLS, that counts who comes and may lead on to elsewhere."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.leads_to: str | None = None
        inside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                inside.came.append(str(self.headers["Host"]))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(307 if inside.leads_to else 200)
                if inside.leads_to:
                    self.send_header("Location", inside.leads_to)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture
def inside() -> Iterator[Inside]:
    found = Inside()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_a_name_that_changes_its_address_after_it_was_looked_at_gains_nothing(inside: Inside) -> None:
    rebinding = Rebinding(PUBLIC, "127.0.0.1")
    request = httpx.Request("POST", f"http://rebind.example:{inside.port}/x")
    pin(request, (), rebinding)
    assert (request.url.host, request.headers["host"]) == (PUBLIC, f"rebind.example:{inside.port}")
    assert rebinding.asked == ["rebind.example"]  # once: the connection is made to what was looked at
    with (
        httpx.Client(event_hooks={"request": [partial(pin, private=(), resolve=rebinding)]}) as client,
        pytest.raises(AddressRefused),
    ):
        client.post(f"http://rebind.example:{inside.port}/x", json={})
    assert not inside.came


def test_the_certificate_is_still_that_of_the_name(inside: Inside) -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example").configure_cert(serving)
    inside.server.socket = serving.wrap_socket(inside.server.socket, server_side=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    hook = partial(pin, private=("127.0.0.0/8",), resolve=names("127.0.0.1"))
    with httpx.Client(event_hooks={"request": [hook]}, verify=trusting) as client:
        assert client.post(f"https://hooks.example:{inside.port}/x", json={}).status_code == 200
        with pytest.raises(httpx.ConnectError):
            client.post(f"https://other.example:{inside.port}/x", json={})
    assert inside.came == [f"hooks.example:{inside.port}"]


def test_a_notice_goes_inside_only_where_that_is_listed_and_follows_nobody(inside: Inside) -> None:
    url = f"http://127.0.0.1:{inside.port}/hooks/s3cret"
    with pytest.raises(NotTold) as refused:
        notify.post(url, {})
    assert not inside.came
    assert "s3cret" not in str(refused.value)
    notify.post(url, {}, ("127.0.0.1/32",))
    inside.leads_to = f"http://127.0.0.1:{inside.port}/elsewhere"
    with pytest.raises(NotTold, match="307"):
        notify.post(url, {}, ("127.0.0.1/32",))
    assert len(inside.came) == 2


def test_a_session_of_requests_goes_to_what_was_looked_at_under_the_certificate_of_the_name(
    inside: Inside, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example").configure_cert(serving)
    inside.server.socket = serving.wrap_socket(inside.server.socket, server_side=True)
    with requests.Session() as session:
        trusted = str(tmp_path / "authority.pem")
        session.mount("https://", pinned_adapter(("127.0.0.0/8",), names("127.0.0.1")))
        assert session.post(f"https://api.example:{inside.port}/x", json={}, verify=trusted).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            session.post(f"https://other.example:{inside.port}/x", json={}, verify=trusted)
        session.mount("https://", pinned_adapter((), names("127.0.0.1")))
        with pytest.raises(AddressRefused, match="not public"):
            session.post(f"https://api.example:{inside.port}/x", json={}, verify=trusted)
    assert inside.came == [f"api.example:{inside.port}"]


def test_a_client_that_uses_no_proxy_is_guarded_where_the_environment_names_one(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    async def post(private: tuple[str, ...]) -> int:
        async with direct_client(private, 10.0) as client:
            return (await client.post(f"http://127.0.0.1:{inside.port}/x", json={})).status_code

    with pytest.raises(AddressRefused):
        asyncio.run(post(()))
    assert asyncio.run(post(spelled_out(f"http://127.0.0.1:{inside.port}/"))) == 200


def test_only_a_host_that_is_written_as_an_address_is_listed_thereby() -> None:
    assert spelled_out("https://id.corp.example/realms/x") == ()
    assert spelled_out("http://10.1.2.3:8080/") == ("10.1.2.3/32",)
    assert "127.0.0.0/8" in spelled_out("http://localhost:8080/")


def test_an_identity_provider_inside_is_asked_only_where_its_network_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: found)
    sessions = Sessions(Accounts(Database("sqlite://")), timedelta(hours=1), timedelta(hours=9))
    there = Client("https://id.corp.example", "ragbots", None, private_networks=("10.2.0.0/16",))
    with pytest.raises(SignInRefused, match="private_networks"):
        Provider(there, sessions).start("https://rules.example.com/login/callback", "browser")
