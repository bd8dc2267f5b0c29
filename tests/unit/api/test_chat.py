from __future__ import annotations

import json
import time
import unicodedata
from datetime import date

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.api.fake_runtime import ANSWER, CITED, RELATED, TEXT, TODAY, FakeRuntime

from ragbots.api import events
from ragbots.errors import BotNotFound, InvalidQuestion, NotReleased
from ragbots.shapes import answer_json
from ragbots.types import Answer, Question, Turn

EVENTS = {"Accept": "text/event-stream"}
QUESTION = {"question": "연차는 언제까지 신청하나요?"}


def parsed(text: str) -> list[tuple[str, dict[str, object]]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


def test_an_answer_has_the_shape_that_every_door_gives(client: TestClient) -> None:
    response = client.post("/api/chat", json=QUESTION)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert list(answer) == [
        "id",
        "conversation_id",
        "status",
        "answer",
        "bot",
        "candidates",
        "confidence",
        "as_of",
        "index_version",
        "citations",
        "related",
        "warnings",
        "model",
        "prompt",
        "verification",
    ]
    assert answer["status"] == "answered"
    assert answer["as_of"] == "2026-11-23"
    assert answer["candidates"] == [{"id": "leave", "name": "근태·휴가", "score": 0.9123}]
    assert answer["citations"] == [
        {
            "id": CITED.id,
            "source": "근태/복무규정.md",
            "document": "복무규정",
            "article": "제21조",
            "address": "제21조 제1항",
            "quote": "3일 전까지",
            "link": None,
            "page": 12,
            "marks": [list(span) for span in CITED.marks],
        }
    ]
    assert answer["warnings"] == [{"kind": "pending", "effective_date": "2027-01-01", "text": "바뀔 예정입니다."}]


def test_what_is_asked_reaches_the_runtime_whole(client: TestClient, runtime: FakeRuntime) -> None:
    body = {
        **QUESTION,
        "bot": "leave",
        "conversation_id": "c-1_X",
        "history": [{"role": "user", "content": "앞 질문"}, {"role": "assistant", "content": "앞 답"}],
        "as_of": "2025-03-01",
    }
    assert client.post("/api/chat", json=body).status_code == 200
    [(question, context)] = runtime.asked
    history = (Turn("user", "앞 질문"), Turn("assistant", "앞 답"))
    assert question == Question(QUESTION["question"], "leave", history, "c-1_X")
    assert (context.as_of, context.today, context.principal.channel) == (date(2025, 3, 1), TODAY, "web")


def test_the_question_is_handed_on_as_it_was_typed(client: TestClient, runtime: FakeRuntime) -> None:
    typed = unicodedata.normalize("NFD", "연차는?") + "\x00"
    assert client.post("/api/chat", json={"question": typed}).status_code == 200
    assert runtime.asked[0][0].text == typed


def test_events_come_in_order_and_end_with_the_whole_answer(client: TestClient) -> None:
    response = client.post("/api/chat", json=QUESTION, headers=EVENTS)
    assert response.headers["content-type"].startswith("text/event-stream")
    told = parsed(response.text)
    names = [name for name, _ in told]
    assert names == ["route", "citation", "citation", *["delta"] * (len(told) - 4), "done"]
    assert told[0][1] == {
        "bot": {"id": "leave", "name": "근태·휴가"},
        "candidates": [{"id": "leave", "name": "근태·휴가", "score": 0.9123}],
    }
    assert [(data["id"], data["kind"]) for name, data in told if name == "citation"] == [
        (CITED.id, "citation"),
        (RELATED.id, "related"),
    ]
    assert "".join(str(data["text"]) for name, data in told if name == "delta") == TEXT
    assert told[-1][1] == answer_json(ANSWER)


def test_a_failure_before_the_stream_keeps_its_status(client: TestClient) -> None:
    response = client.post("/api/chat", json={**QUESTION, "bot": "secret"}, headers=EVENTS)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_a_slow_failure_is_the_last_event(
    client: TestClient, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(events, "PING_SECONDS", 0.01)

    def fail_late(_question: Question) -> Answer:
        time.sleep(0.1)
        raise NotReleased("nothing released in /srv/data", for_people="아직입니다.")

    runtime.answering = fail_late
    response = client.post("/api/chat", json=QUESTION, headers=EVENTS)
    assert response.status_code == 200
    assert response.text.startswith(": ping\n\n")
    [(name, data)] = parsed(response.text)
    assert name == "error"
    assert (data["type"], data["status"], data["detail"]) == ("/problems/not-released", 503, "아직입니다.")
    assert "/srv" not in response.text


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (InvalidQuestion("empty", for_people="질문이 비어 있습니다."), 422, "invalid-question"),
        (BotNotFound("no bot `x` in /srv/bots"), 404, "bot-not-found"),
        (NotReleased("bot `leave` has no released version"), 503, "not-released"),
    ],
)
def test_errors_are_problems_with_words_for_people(
    client: TestClient, runtime: FakeRuntime, error: Exception, status: int, slug: str
) -> None:
    def fail(_question: Question) -> Answer:
        raise error

    runtime.answering = fail
    response = client.post("/api/chat", json=QUESTION)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status)
    assert problem["detail"] == error.for_people  # type: ignore[attr-defined]
    assert str(error) not in response.text


def test_a_hidden_bot_and_a_missing_one_are_told_alike(client: TestClient) -> None:
    hidden = client.post("/api/chat", json={**QUESTION, "bot": "secret"})
    missing = client.post("/api/chat", json={**QUESTION, "bot": "no-such"})
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


@given(st.text(alphabet="가. []1?!\n- 나"))
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(events.pieces(text)) == text


def test_pieces_are_sentences_and_lines() -> None:
    assert events.pieces(TEXT) == [
        "연차는 3일 전까지 신청합니다. [1] ",
        "다만, 급하면 당일에 신청할 수 있습니다.\n\n",
        "- 개정 1997. 3. 13. 이후의 규정입니다. [1]",
    ]
