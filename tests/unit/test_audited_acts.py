"""Every administrative act leaves a record: a command or an operation that is not listed here fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.testclient import TestClient
from tests.contract.test_accounts import Clock
from tests.fakes import RecordingProgress
from tests.unit.api.fake_runtime import FakeRuntime
from typer.testing import CliRunner

from ragbots import runtime as wiring
from ragbots.api.app import create_app
from ragbots.auth import AccountsIdentity, Keys, Sessions, WidgetTokens
from ragbots.auth.passwords import hashed
from ragbots.cli.main import app
from ragbots.config import load_settings
from ragbots.errors import ChecksNotPassed
from ragbots.memory import Memory
from ragbots.runtime import Built, Runtime
from ragbots.state import Database
from ragbots.state.accounts import Accounts, User
from ragbots.state.audit import AuditLog, Sparing
from ragbots.state.database import StoredTurn
from ragbots.types import AuditEvent, Principal

NOW = datetime(2026, 11, 23, tzinfo=UTC)
COMMANDS = {
    "users create": "user created", "users disable": "user disabled", "users enable": "user enabled",
    "users groups": "user groups", "users password": "user password", "users link": "user linked",
    "users unlink": "user unlinked", "keys create": "key created", "keys revoke": "key revoked",
    "conversations expire": "conversations expired", "feedback list": "feedback read",
    "audit export": "audit exported", "audit prune": "audit pruned",
    "index build": "build", "index release": "release", "index rollback": "rollback", "index prune": "prune",
    "index verify": "verify",
}  # fmt: skip
NO_ACTS = {
    "serve", "ask", "search", "eval", "diff", "doctor", "bots list", "bots check", "bots new", "index status",
    "users list", "keys list", "audit verify", "feedback give", "channel dooray", "channel slack",
}  # fmt: skip
OPERATIONS = {
    ("POST", "/api/widget-tokens"): "widget token", ("GET", "/api/conversations/export"): "conversations exported",
    ("DELETE", "/api/conversations/{conversation_id}"): "conversations deleted",
    ("DELETE", "/api/conversations"): "conversations deleted", ("GET", "/api/feedback"): "feedback read",
    ("POST", "/login"): "signed in", ("POST", "/logout"): "signed out",
    ("GET", "/login/callback"): "signed in", ("POST", "/logout/backchannel"): "signed out",
}  # fmt: skip
CHANGE_NOTHING_OF_THE_INSTALLATION = {
    ("POST", "/api/chat"), ("POST", "/api/feedback"), ("DELETE", "/api/feedback/{answer_id}"),
    ("POST", "/v1/chat/completions"), *((method, "/v1/{path:path}") for method in ("POST", "PUT", "PATCH", "DELETE")),
}  # fmt: skip


def commands(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} ")
        else:
            yield before + name


def test_every_command_is_an_act_or_none() -> None:
    assert set(commands(typer.main.get_command(app))) == COMMANDS.keys() | NO_ACTS


def operations(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if not hasattr(route, "path") and inner is not None:
            yield from operations(inner.routes)
        else:
            yield from ((method, route.path) for method in getattr(route, "methods", None) or ())


def test_every_operation_that_changes_something_is_an_act_or_none() -> None:
    found = {one for one in operations(create_app(FakeRuntime()).routes) if one[0] not in ("GET", "HEAD", "OPTIONS")}
    acts = {one for one in OPERATIONS if one[0] != "GET"}
    assert found == acts | CHANGE_NOTHING_OF_THE_INSTALLATION


class Place:
    def __init__(self, folder: Path) -> None:
        (folder / "bots").mkdir()
        (folder / "bots" / "leave.yaml").write_text("{id: leave, name: 휴가, sources: [{folder: documents}]}", "utf-8")
        self.folder = folder
        self.data = folder / "var"

    def kinds(self) -> list[str]:
        with closing(Database(f"sqlite:///{self.data / 'state.sqlite3'}")) as database:
            return [record.kind for record in AuditLog(database, self.data).records()]

    def run(self, *arguments: str, said: str | None = None) -> list[str]:
        """The kinds that a command recorded."""
        before = len(self.kinds()) if self.data.exists() else 0
        shared = ("--bots-dir", str(self.folder / "bots"), "--data-dir", str(self.data))
        result = CliRunner().invoke(app, [*shared, *arguments], input=said)
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return self.kinds()[before:]

    def open(self) -> Runtime:
        return Runtime.open(load_settings({}, bots_dir=self.folder / "bots", data_dir=self.data))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_commands_record_what_they_did(place: Place) -> None:
    word = "--password-stdin"
    recorded = {
        "users create": place.run("users", "create", "kim", word, said="correct horse\n"),
        "users groups": place.run("users", "groups", "kim", "hr"),
        "users password": place.run("users", "password", "kim", word, said="battery staple\n"),
        "users link": place.run("users", "link", "kim", "slack:U1"),
        "users unlink": place.run("users", "unlink", "slack:U1"),
        "users disable": place.run("users", "disable", "kim"),
        "users enable": place.run("users", "enable", "kim"),
        "keys create": place.run("keys", "create", "--user", "kim"),
        "feedback list": place.run("feedback", "list"),
        "audit export": place.run("audit", "export"),
    }
    with closing(Database(f"sqlite:///{place.data / 'state.sqlite3'}")) as database:
        (key,) = Accounts(database).keys()
        database.remember("c1", "kim", "web", StoredTurn(NOW - timedelta(days=999), "연차는?", {"id": "a1"}))
        old = AuditEvent("question", Principal("kim"), {})
        AuditLog(database, place.data).append(old, NOW - timedelta(days=9_999))
    recorded["keys revoke"] = place.run("keys", "revoke", key.id)
    recorded["conversations expire"] = place.run("conversations", "expire")
    for command, kinds in recorded.items():
        assert kinds == [COMMANDS[command]], command


def test_versions_record_what_becomes_of_them(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    built = Built("leave", "v1", True, place.folder, 0)
    monkeypatch.setattr(Runtime, "_build", lambda *_given, **_more: built)
    monkeypatch.setattr(wiring.releases, "rollback", lambda *_given, **_more: "v0")
    monkeypatch.setattr(wiring.releases, "prune", lambda *_given, **_more: ["v0"])
    monkeypatch.setattr(wiring.releases, "release", lambda *_given, **_more: None)
    with closing(place.open()) as opened:
        opened.build("leave", RecordingProgress(), by="kim")
        opened.release("leave", "v1", by="kim", forced_because="urgent")
        opened.rollback("leave", by="kim")
        opened.prune("leave", 1, NOW, by="kim")

        def refuse(*_given: object, **_more: object) -> None:
            raise ChecksNotPassed("no")

        monkeypatch.setattr(wiring.releases, "release", refuse)
        monkeypatch.setattr(Runtime, "_build", refuse)
        with pytest.raises(ChecksNotPassed):
            opened.release("leave", "v1", by="kim")
        with pytest.raises(ChecksNotPassed):
            opened.build("leave", RecordingProgress(), by="kim")
    assert place.kinds() == ["build", "release", "rollback", "prune", "release refused", "build failed"]


def test_operations_record_what_they_did(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")) as database:
        accounts = Accounts(database)
        accounts.add_user(User("kim", "김하나", frozenset({"hr"}), True, NOW, hashed("correct horse")))
        clock = Clock()
        keys, sessions = Keys(accounts, clock), Sessions(accounts, timedelta(hours=1), timedelta(hours=9), clock)
        tokens = WidgetTokens(lambda: b"k" * 32, keys, sessions, clock)
        identity = AccountsIdentity(keys, sessions, tokens=tokens)
        runtime = FakeRuntime(identity=identity, widget_origins=["https://x.example"])
        runtime.memory = Memory(database, runtime.bots, 0, str)
        database.remember("c1", "kim", "web", StoredTurn(NOW, "연차는?", {"id": "a1"}))
        with TestClient(create_app(runtime), headers={"Origin": "http://testserver"}) as client:

            def kinds(method: str, path: str, **more: Any) -> list[str]:
                before = len(runtime.audited)
                client.request(method, path, follow_redirects=False, **more)
                return [event.kind for event in runtime.audited[before:]]

            wrong = {"user": "kim", "password": "wrong horse"}
            assert kinds("POST", "/login", data=wrong) == ["refused"]
            assert runtime.audited[-1].principal.user_id == "kim"
            assert kinds("POST", "/login", data={"user": "correct horse", "password": "x"}) == ["refused"]
            assert "correct horse" not in str(runtime.audited[-1])
            assert kinds("POST", "/login", data={**wrong, "password": "correct horse"}) == ["signed in"]
            asked = {"bot": "leave", "origin": "https://x.example"}
            assert kinds("POST", "/api/widget-tokens", json=asked) == ["widget token"]
            assert kinds("DELETE", "/api/conversations/c1") == ["conversations deleted"]
            assert kinds("DELETE", "/api/conversations") == ["conversations deleted"]
            assert kinds("GET", "/api/conversations/export") == ["conversations exported"]
            assert kinds("POST", "/api/chat", json={"question": "?", "bot": "secret"}) == ["refused"]
            assert runtime.audited[-1].principal.user_id == "kim"
            assert kinds(
                "POST", "/v1/chat/completions", json={"model": "secret", "messages": [{"role": "user", "content": "?"}]}
            ) == ["refused"]
            assert kinds("POST", "/logout") == ["signed out"]
            assert kinds("GET", "/api/bots", headers={"Authorization": "Bearer ragbots_x"}) == ["refused"]
            assert kinds("POST", "/mcp", json={}, headers={"Authorization": "Bearer ragbots_x"}) == ["refused"]


def test_whoever_tries_and_tries_fills_no_disk() -> None:
    sparing, kim = Sparing(), Principal("kim")

    def takes(what: int, who: Principal = kim) -> bool:
        return sparing.takes(AuditEvent("refused", who, {"told": what}, "10.0.0.1"))

    assert takes(0)
    assert not takes(0)
    assert sum(takes(number) for number in range(1_000)) == Sparing.MOST - 1
    assert takes(0, Principal("lee"))
