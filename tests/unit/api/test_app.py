from __future__ import annotations

import json
import logging
import re
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from tests.unit.api.fake_runtime import CITED, TODAY, FakeRuntime

from ragbots.api.app import create_app
from ragbots.errors import DamagedVersion
from ragbots.types import Answer, Credentials, Principal, Question


class KeyHolders:
    """Lets in who shows one key, while it is `good`."""

    id = "keys"
    requires_sign_in = True
    good = True

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        shown = self.good and credentials.authorization == "Bearer k1"
        return Principal("kim", frozenset({"board"}), channel) if shown else None


def test_bots_are_listed_as_far_as_they_may_be_seen(client: TestClient) -> None:
    assert client.get("/api/bots").json() == {
        "organisation": None,
        "bots": [
            {
                "id": "leave",
                "name": "근태·휴가",
                "description": "휴가를 안내합니다.",
                "sample_questions": ["연차는?"],
                "contact": "인사부",
                "released": True,
                "documents": ["복무규정"],
                "llms": [],
            },
            {
                "id": "records",
                "name": "문서관리",
                "description": "",
                "sample_questions": [],
                "contact": "",
                "released": False,
                "documents": [],
                "llms": [],
            },
        ],
    }


def test_a_bot_that_does_not_open_leaves_the_others_in_the_list(client: TestClient, runtime: FakeRuntime) -> None:
    def damaged(_bot: str) -> tuple[str, ...]:
        raise DamagedVersion("cut off")

    runtime.titles = damaged
    assert [bot["released"] for bot in client.get("/api/bots").json()["bots"]] == [False, False]


def test_a_search_gives_ranked_articles(client: TestClient, runtime: FakeRuntime) -> None:
    found = client.get("/api/search", params={"bot": "leave", "q": "연차", "k": 2}).json()
    assert (found["bot"], found["index_version"]) == ("leave", "v1")
    assert [hit["rank"] for hit in found["hits"]] == [1, 2]
    assert found["hits"][0] == {
        "rank": 1,
        "source": "근태/복무규정.md",
        "article": "제21조",
        "address": "제21조 제1항",
        "score": 0.75,
        "text": "① 3일 전까지 신청한다.",
    }
    assert client.get("/api/search", params={"bot": "secret", "q": "연차"}).status_code == 404


def test_a_citation_opens_in_its_article(client: TestClient, runtime: FakeRuntime) -> None:
    passage = client.get(f"/api/citations/{CITED.id}").json()
    assert runtime.asked[0][0].text == CITED.id
    assert passage == {
        "id": CITED.id,
        "document": "복무규정",
        "source": "근태/복무규정.md",
        "link": None,
        "article": "제21조",
        "address": "제21조 제1항",
        "breadcrumb": ["복무규정", "제3장 휴가"],
        "quote": "3일 전까지",
        "page": 12,
        "effective": "2026-01-01",
        "blocks": [
            {
                "kind": "row",
                "address": "별표 1 1행",
                "text": "직급 대리",
                "cells": [["직급", "대리"]],
                "quoted": True,
                "marks": [[0, 2]],
            }
        ],
        "previous": None,
        "next": {"article": "제22조", "heading": "이월", "id": "leave.v1.4"},
        "amendments": [
            {
                "effective": "2026-01-01",
                "pending": False,
                "paragraphs": [{"before": [["7일", True], [" 전", False]], "after": [["3일", True], [" 전", False]]}],
            }
        ],
    }


@pytest.mark.parametrize("path", ["/api/bots", "/api/search?bot=leave&q=x", "/api/citations/x"])
def test_who_is_not_let_in_reads_nothing(path: str) -> None:
    runtime = FakeRuntime(identity=KeyHolders())
    with TestClient(create_app(runtime)) as client:
        refused = client.get(path)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/sign-in-required")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert client.post("/api/chat", json={"question": "연차는?"}).status_code == 401
        assert runtime.asked == []
        assert client.get(path, headers={"Authorization": "Bearer k1"}).status_code == 200


def test_the_principal_comes_from_the_authorization_header() -> None:
    runtime = FakeRuntime(identity=KeyHolders())
    with TestClient(create_app(runtime)) as client:
        bots = client.get("/api/bots", headers={"Authorization": "Bearer k1"}).json()["bots"]
        client.post("/api/chat", json={"question": "연차는?"}, headers={"Authorization": "Bearer k1"})
    assert [bot["id"] for bot in bots] == ["leave", "records", "secret"]
    assert runtime.asked[0][1].principal == Principal("kim", frozenset({"board"}), "web")
    assert runtime.asked[0][1].day == TODAY


def test_an_unexpected_error_tells_a_number_and_nothing_else(
    client: TestClient, runtime: FakeRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_question: Question) -> Answer:
        raise KeyError("password in /srv/secret")

    runtime.answering = break_down
    with caplog.at_level(logging.ERROR, "ragbots.api"):
        response = client.post("/api/chat", json={"question": "연차는?"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    number = response.json()["instance"].rsplit("/", 1)[-1]
    assert number in response.json()["detail"]
    assert "secret" not in response.text
    [record] = caplog.records
    assert number in record.getMessage()
    assert record.exc_info is not None
    assert "연차" not in caplog.text


def test_unknown_addresses_and_methods_are_problems(client: TestClient) -> None:
    missing = client.get("/api/no-such")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/no-such-address")
    wrong = client.get("/api/chat")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong.headers["allow"] == "POST"
    for path in ("/static/../app.py", "/static/%2e%2e/%2e%2e/config.py", "/static/", "/api/bots/", "/static/none.js"):
        response = client.get(path)
        assert response.status_code == 404, path
        assert response.headers["content-type"] == "application/problem+json"


def test_health_says_alive_at_once_and_ready_when_warm(client: TestClient, runtime: FakeRuntime) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.headers["content-type"]) == (503, "application/problem+json")
    assert waiting.json()["bots"] == {"leave": "v1", "records": "no released version"}
    runtime.warm_up()
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "bots": {"leave": "v1", "records": "no released version"}}


def test_the_page_finds_all_its_parts_here(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    parts = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert parts
    for part in parts:
        assert client.get(urljoin("/", part)).status_code == 200, part
    assert client.get("/widget.js").headers["content-type"].startswith("text/javascript")


def test_the_widget_may_be_loaded_by_any_page_and_is_sent_once(client: TestClient) -> None:
    script = client.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert script.headers["cache-control"] == "public, max-age=300"
    assert client.get("/widget.js", headers={"Accept-Encoding": "identity"}).text == script.text
    again = client.get("/widget.js", headers={"If-None-Match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


GROUPWARE = "https://groupware.example"


def test_pages_of_named_origins_alone_may_ask_the_api() -> None:
    with TestClient(create_app(FakeRuntime(widget_origins=[GROUPWARE]))) as client:
        before = {"Origin": GROUPWARE, "Access-Control-Request-Method": "POST"}
        allowed = client.options("/api/chat", headers={**before, "Access-Control-Request-Headers": "content-type"})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == GROUPWARE
        asked = client.post("/api/chat", json={"question": "연차는?"}, headers={"Origin": GROUPWARE})
        assert asked.headers["access-control-allow-origin"] == GROUPWARE
        assert "access-control-allow-credentials" not in asked.headers
        for origin in ("https://elsewhere.example", f"{GROUPWARE}.elsewhere.example", "null"):
            assert client.options("/api/chat", headers={**before, "Origin": origin}).status_code == 400
            listed = client.get("/api/bots", headers={"Origin": origin})
            assert "access-control-allow-origin" not in listed.headers
        for path in ("/metrics", "/openapi.json", "/readyz"):
            assert "access-control-allow-origin" not in client.get(path, headers={"Origin": GROUPWARE}).headers


def test_an_error_can_be_read_by_the_page_that_asked(caplog: pytest.LogCaptureFixture) -> None:
    runtime = FakeRuntime(widget_origins=[GROUPWARE])
    runtime.answering = lambda _question: 1 / 0  # type: ignore[assignment, return-value]
    with TestClient(create_app(runtime)) as client:
        response = client.post("/api/chat", json={"question": "연차는?"}, headers={"Origin": GROUPWARE})
    assert response.status_code == 500
    assert response.headers["access-control-allow-origin"] == GROUPWARE


def test_the_reference_lists_all_operations_and_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    document = client.get("/openapi.json").json()
    for path in ("/api/chat", "/api/bots", "/api/search", "/api/citations/{citation_id}", "/healthz", "/readyz"):
        assert path in document["paths"]
        assert path in page
    for words in ("as_of", 'list of <a href="#schema-CitationJson">CitationJson</a>', "text/event-stream", "up to 40"):
        assert words in page
    assert "://" not in page
    assert "<script" not in page
    for part in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert client.get(urljoin("/docs", part)).status_code == 200, part


def test_the_reference_describes_what_is_answered(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    responses = document["paths"]["/api/chat"]["post"]["responses"]
    assert set(responses["200"]["content"]) == {"application/json", "text/event-stream"}
    assert responses["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/AnswerJson"}
    assert set(responses["422"]["content"]) == {"application/problem+json"}
    schema = document["components"]["schemas"]["AnswerJson"]
    answer = client.post("/api/chat", json={"question": "연차는?"}).json()
    assert set(schema["properties"]) == set(answer) == set(schema["required"])


def test_every_reference_of_the_document_leads_somewhere(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        found = document
        for step in reference.split("/"):
            found = found[step]
