"""Conversations and feedback over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.unit.api.fake_runtime import ANSWER, BOTS, FakeRuntime

from ragbots.api.app import create_app
from ragbots.memory import Memory
from ragbots.shapes import answer_json
from ragbots.state import Database
from ragbots.types import Credentials, Principal, Question


class ByName:
    """The key is the person's name."""

    id = "names"
    requires_sign_in = True

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        name = (credentials.authorization or "").removeprefix("Bearer ")
        groups = frozenset({"board", "administrators"}) if name == "lee" else frozenset[str]()
        return Principal(name, groups, channel) if name else None


KIM, LEE = {"Authorization": "Bearer kim"}, {"Authorization": "Bearer lee"}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[FakeRuntime]:
    runtime = FakeRuntime(identity=ByName())
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    runtime.memory = Memory(database, BOTS, 365, str)
    for number, name in ((1, "kim"), (2, "kim"), (3, "lee")):
        answer = replace(ANSWER, id=f"a{number}", conversation_id=f"c{number}")
        runtime.memory.remember(Question(f"질문 {number}"), answer, runtime.context(Principal(name, channel="web")))
    yield runtime
    database.close()


@pytest.fixture
def client(runtime: FakeRuntime) -> Iterator[TestClient]:
    with TestClient(create_app(runtime)) as client:
        yield client


def test_ones_own_are_listed_and_shown_whole(client: TestClient) -> None:
    listed = client.get("/api/conversations", headers=KIM).json()["conversations"]
    assert [(one["id"], one["question"], one["turns"]) for one in listed] == [("c2", "질문 2", 1), ("c1", "질문 1", 1)]
    shown = client.get("/api/conversations/c1", headers=KIM).json()
    expected = answer_json(replace(ANSWER, id="a1", conversation_id="c1"))
    assert [(turn["question"], turn["answer"], turn["feedback"]) for turn in shown["turns"]] == [
        ("질문 1", expected, None)
    ]


def test_somebody_elses_is_told_as_one_that_is_not_there(client: TestClient) -> None:
    for method in ("GET", "DELETE"):
        others, missing = (client.request(method, f"/api/conversations/{name}", headers=KIM) for name in ("c3", "c9"))
        assert others.status_code == missing.status_code == 404
        assert others.content == missing.content
    answered = client.post("/api/chat", json={"question": "연차는?", "conversation_id": "c3"}, headers=KIM)
    assert answered.status_code == 404
    assert len(client.get("/api/conversations/c3", headers=LEE).json()["turns"]) == 1


def test_an_id_that_the_server_did_not_give_is_not_taken_up(client: TestClient, runtime: FakeRuntime) -> None:
    for sent, taken in (("c1", "c1"), ("made-up", None)):
        client.post("/api/chat", json={"question": "연차는?", "conversation_id": sent}, headers=KIM)
        assert runtime.asked[-1][0].conversation_id == taken


def test_one_or_all_may_be_deleted_and_exported(client: TestClient) -> None:
    exported = client.get("/api/conversations/export", headers=KIM)
    assert "attachment" in exported.headers["content-disposition"]
    assert [one["id"] for one in exported.json()["conversations"]] == ["c2", "c1"]
    assert client.delete("/api/conversations/c1", headers=KIM).json() == {"deleted": 1}
    assert client.get("/api/conversations/c1", headers=KIM).status_code == 404
    assert client.delete("/api/conversations", headers=KIM).json() == {"deleted": 1}
    assert client.get("/api/conversations", headers=KIM).json() == {"conversations": []}
    assert len(client.get("/api/conversations", headers=LEE).json()["conversations"]) == 1


def test_feedback_is_given_changed_shown_and_withdrawn(client: TestClient) -> None:
    body = {"answer_id": "a1", "rating": "down", "reason": "틀림", "comment": "다른 조항입니다"}
    given = client.post("/api/feedback", json=body, headers=KIM).json()
    assert (given["question"], given["bot"], given["channel"], given["user"]) == ("질문 1", "leave", "web", "kim")
    client.post("/api/feedback", json={"answer_id": "a1", "rating": "up"}, headers=KIM)
    [turn] = client.get("/api/conversations/c1", headers=KIM).json()["turns"]
    assert turn["feedback"] == {"rating": "up", "reason": None, "comment": None}
    [listed] = client.get("/api/feedback", params={"bot": "leave"}, headers=LEE).json()["feedback"]
    assert (listed["answer_id"], listed["rating"]) == ("a1", "up")
    assert client.delete("/api/feedback/a1", headers=KIM).json() == {"withdrawn": "a1"}
    assert client.delete("/api/feedback/a1", headers=KIM).status_code == 404


@pytest.mark.parametrize("answer_id", ["a3", "none"])
def test_feedback_on_what_was_not_answered_to_oneself_is_not_found(client: TestClient, answer_id: str) -> None:
    response = client.post("/api/feedback", json={"answer_id": answer_id, "rating": "up"}, headers=KIM)
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


def test_feedback_of_a_bot_that_one_may_not_see_is_not_found(client: TestClient) -> None:
    hidden, missing = (client.get("/api/feedback", params={"bot": bot}, headers=KIM) for bot in ("secret", "none"))
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert client.get("/api/feedback", params={"bot": "secret"}, headers=LEE).json() == {"feedback": []}


@pytest.mark.parametrize(
    "more", [{"rating": "sideways"}, {"stars": 5}, {"comment": "가" * 2_001}, {"reason": "가" * 101}]
)
def test_feedback_is_bounded(client: TestClient, more: dict[str, object]) -> None:
    body = {"answer_id": "a1", "rating": "up", **more}
    assert client.post("/api/feedback", json=body, headers=KIM).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/conversations"), ("GET", "/api/conversations/export"), ("GET", "/api/conversations/c1"),
     ("DELETE", "/api/conversations"), ("DELETE", "/api/conversations/c1"), ("GET", "/api/feedback?bot=leave"),
     ("DELETE", "/api/feedback/a1")],
)  # fmt: skip
def test_who_is_not_let_in_reads_and_deletes_nothing(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path).status_code == 401
    assert len(client.get("/api/conversations", headers=KIM).json()["conversations"]) == 2
