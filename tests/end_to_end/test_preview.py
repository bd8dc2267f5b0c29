"""Owners ask a version before it is released; nobody else sees it. Bots rebuild themselves by their schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from fastapi.testclient import TestClient
from sqlalchemy import text
from tests.end_to_end.installation import PLANTS, VISITORS, WATER, Installation, ask
from tests.fakes import RecordingProgress

from ragbots.api.app import create_app
from ragbots.cli.rebuilder import Rebuilder
from ragbots.types import Credentials, Principal


class People:
    """The bearer's name is the group."""

    id = "people"
    requires_sign_in = True

    def principal(self, credentials: Credentials, channel: str) -> Principal:
        group = (credentials.authorization or "").removeprefix("Bearer ")
        return Principal(group, frozenset({group}), channel)


@contextmanager
def doors(office: Installation) -> Iterator[TestClient]:
    with office.open() as opened:
        opened.identity = People()
        with TestClient(create_app(opened)) as client:
            yield client


def as_(group: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {group}"}


@pytest.fixture
def office(built: Installation) -> Installation:
    path = built.bots / "office.yaml"
    values = yaml.safe_load(path.read_text("utf-8")) | {"access": {"ask": ["staff", "owners"], "own": ["owners"]}}
    path.write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    return built


def unreleased(office: Installation) -> str:
    office.put({"화분관리규정.md": PLANTS.replace("주 2회", "주 6회")})
    with office.open() as opened:
        return opened.build("office", RecordingProgress()).version


def test_an_owner_asks_an_unreleased_version_and_nobody_else_does(office: Installation) -> None:
    version = unreleased(office)
    asked = {"question": WATER, "bot": "office", "version": version}
    with doors(office) as client:
        preview = client.post("/api/chat", json=asked, headers=as_("owners"))
        assert preview.status_code == 200, preview.text
        assert preview.json()["index_version"] == version
        assert "주 6회" in preview.json()["answer"]
        cited = f"/api/citations/{preview.json()['citations'][0]['id']}"
        assert "주 6회" in client.get(cited, headers=as_("owners")).text
        for hidden in (
            client.post("/api/chat", json=asked, headers=as_("staff")),
            client.get(cited, headers=as_("staff")),
        ):
            assert hidden.status_code == 404
            assert "6회" not in hidden.text
        released = client.post("/api/chat", json={"question": WATER, "bot": "office"}, headers=as_("staff")).json()
        assert "주 2회" in released["answer"]
        assert client.post("/api/chat", json={**asked, "version": "none"}, headers=as_("owners")).status_code == 404
        assert (
            client.post("/api/chat", json={"question": WATER, "version": version}, headers=as_("owners")).status_code
            == 422
        )


def test_an_owner_sees_the_versions_with_their_verdicts_and_who_released_what(office: Installation) -> None:
    version = unreleased(office)
    with doors(office) as client:
        found = client.get("/api/bots/office/versions", headers=as_("owners")).json()
        assert client.get("/api/bots/office/versions", headers=as_("staff")).status_code == 404
        assert client.get("/api/bots/none/versions", headers=as_("owners")).status_code == 404
    newest, first = found["versions"]
    assert (newest["version"], newest["released"], newest["verdict"]) == (version, False, None)
    assert (first["released"], first["verdict"]["passed"]) == (True, True)
    assert found["released"] == first["version"]
    (release,) = found["history"]
    assert (release["version"], release["by"], release["action"]) == (first["version"], "tester", "release")
    assert release["verdict"] == {"passed": True, "problems": [], "notes": []}


@pytest.fixture
def scheduled(built: Installation) -> Installation:
    path = built.bots / "office.yaml"
    values = yaml.safe_load(path.read_text("utf-8")) | {"schedule": "* * * * *"}
    path.write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    return built


def make_due(office: Installation) -> None:
    """As if the version had been built, and rebuilt, long ago."""
    with office.open() as opened, opened.database._writing.begin() as connection:
        connection.execute(text("UPDATE versions SET created_at = '2026-01-01 00:00:00'"))
        connection.execute(text("UPDATE rebuilds SET at = '2026-01-01 00:00:00'"))


def test_what_is_due_is_rebuilt_and_released_and_the_owner_sees_it(scheduled: Installation) -> None:
    scheduled.put({"화분관리규정.md": PLANTS.replace("주 2회", "주 6회")})
    make_due(scheduled)
    done = scheduled.cli("index", "build", "--due", "--json")
    assert done.code == 0, done.err
    (rebuild,) = done.json["rebuilds"]
    assert rebuild["outcome"] == "released"
    with scheduled.open() as opened:
        assert "주 6회" in ask(opened, WATER).answer
        assert opened.database.release_history("office")[0].by == "schedule"
    assert "released" in scheduled.cli("index", "status", "office").out
    doctor = scheduled.cli("doctor", "--json").json["findings"]
    assert next(one for one in doctor if one["what"] == "office schedule")["ok"]
    assert scheduled.cli("index", "build", "--due", "--json").json == {"rebuilds": []}


def test_a_document_that_can_no_longer_be_read_holds_the_release_back(scheduled: Installation) -> None:
    scheduled.put({"화분관리규정.md": b""})
    make_due(scheduled)
    done = scheduled.cli("index", "build", "--due", "--json")
    assert done.code == 3, done.out
    assert "lost: 화분관리규정.md" in done.json["rebuilds"][0]["report"]
    with scheduled.open() as opened:
        assert "주 2회" in ask(opened, WATER).answer
    doctor = scheduled.cli("doctor", "--json").json["findings"]
    assert next(one for one in doctor if one["what"] == "office schedule")["ok"] is False


def test_a_server_rebuilds_what_is_due_beside_the_questions(
    scheduled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process itself is the command that is tested above; here it is that it is started, once."""
    started: list[int] = []

    def build(_self: Rebuilder) -> int:
        started.append(scheduled.cli("index", "build", "--due").code)
        return started[-1]

    monkeypatch.setattr(Rebuilder, "_rebuild", build)
    make_due(scheduled)
    with scheduled.open() as opened:
        rebuilder = Rebuilder(opened)
        rebuilder._look()
        rebuilder._look()
        assert started == [0]
        make_due(scheduled)
        monkeypatch.setattr(Rebuilder, "_rebuild", lambda _self: -9)
        rebuilder._look()
        assert "code -9" in opened.database.rebuilds("office", 1)[0].report


def test_a_new_document_in_a_strange_state_is_no_loss(built: Installation) -> None:
    built.put({"새규정.md": b"", "지침/방문객주차지침.md": VISITORS})
    assert built.cli("index", "build", "office", "--release").code == 0
