"""MCP over real HTTP, driven by the real client: the tools, and whose rights they have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.contract.test_many_clients import PATIENT, serving
from tests.unit.api.fake_runtime import ANSWER, CITED, PASSAGE, RELATED, FakeRuntime
from tests.unit.api.test_app import KeyHolders

from ragbots.errors import InvalidQuestion
from ragbots.shapes import answer_json
from ragbots.types import Answer, Question

Call = tuple[str, dict[str, Any]]


def called(url: str, calls: Sequence[Call], key: str | None = None) -> list[Any]:
    """The results of some calls, in a thread: a browser of another test may hold this one's loop."""
    results: list[Any] = []

    async def call() -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENT) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            results.append(sorted(tool.name for tool in (await client.list_tools()).tools))
            results.extend([await client.call_tool(name, arguments) for name, arguments in calls])

    thread = threading.Thread(target=lambda: asyncio.run(call()))
    thread.start()
    thread.join(PATIENT)
    return results


def text(result: Any) -> str:
    return str(result.content[0].text)


def test_the_tools_answer_with_text_and_with_the_shapes_of_the_api() -> None:
    runtime = FakeRuntime()
    calls: list[Call] = [
        ("list_bots", {}),
        ("ask", {"question": "연차는?", "bot": "leave", "as_of": "2025-03-01", "conversation_id": "c1"}),
        ("search_regulations", {"bot": "leave", "query": "연차", "k": 1}),
        ("get_article", {"bot": "leave", "address": "제21조"}),
    ]
    with serving(runtime) as server:
        tools, bots, asked, found, article = called(server.url, calls)
        links = {one.id: f"{server.url}/c/{one.id}" for one in (CITED, RELATED)}
    assert tools == ["ask", "get_article", "list_bots", "search_regulations"]
    assert [bot["id"] for bot in bots.structured_content["bots"]] == ["leave", "records"]
    assert asked.structured_content == {"answer": answer_json(ANSWER), "links": links}
    assert text(asked).startswith(ANSWER.answer)
    assert links[CITED.id] in text(asked)
    question, context = runtime.asked[0]
    assert (question.text, question.bot, question.conversation_id) == ("연차는?", "leave", "c1")
    assert (str(context.as_of), context.principal.channel) == ("2025-03-01", "mcp")
    assert found.structured_content["hits"][0]["article"] == "제21조"
    assert article.structured_content["passage"]["id"] == PASSAGE.id
    assert text(article).endswith(f"/c/{PASSAGE.id}")


def test_what_goes_wrong_is_told_in_the_words_for_people() -> None:
    runtime = FakeRuntime()

    def fail(question: Question) -> Answer:
        if question.text == "?":
            raise InvalidQuestion("no letters in /srv/data", for_people="질문이 비어 있습니다.")
        raise KeyError("password in /srv/secret")

    runtime.answering = fail
    with serving(runtime) as server:
        _, empty, broken, day = called(
            server.url,
            [("ask", {"question": "?"}), ("ask", {"question": "x"}), ("ask", {"question": "x", "as_of": "y"})],
        )
    assert empty.is_error
    assert broken.is_error
    assert day.is_error
    assert "질문이 비어 있습니다." in text(empty)
    assert "/srv" not in text(empty) + text(broken)
    assert "오류 번호" in text(broken)


def test_every_tool_has_its_callers_rights() -> None:
    runtime = FakeRuntime(identity=KeyHolders())
    calls: list[Call] = [
        ("list_bots", {}),
        ("search_regulations", {"bot": "secret", "query": "x"}),
        ("ask", {"bot": "secret", "question": "x"}),
        ("get_article", {"bot": "secret", "address": "제1조"}),
    ]
    with serving(runtime) as server:
        refused = httpx.post(f"{server.url}/mcp", json={}, timeout=PATIENT)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert runtime.asked == []
        _, bots, *allowed = called(server.url, calls, "k1")
        assert "secret" in [bot["id"] for bot in bots.structured_content["bots"]]
        assert not any(result.is_error for result in allowed)
    with serving(FakeRuntime()) as server:
        _, bots, *hidden = called(server.url, calls)
        missing = called(server.url, [(name, {**given, "bot": "none"}) for name, given in calls[1:]])[1:]
    assert "secret" not in text(bots)
    assert [text(one) for one in hidden] == [text(one) for one in missing]
    assert all(one.is_error for one in hidden)


def test_what_its_caller_has_lost_the_right_to_meanwhile_is_not_given() -> None:
    holders = KeyHolders()
    runtime = FakeRuntime(identity=holders)

    def revoked(_question: Question) -> Answer:
        holders.good = False
        return ANSWER

    runtime.answering = revoked
    with serving(runtime) as server:
        _, given = called(server.url, [("ask", {"question": "연차는?"})], "k1")
    assert given.is_error
    assert ANSWER.answer not in text(given)
    assert "로그인" in text(given)
    assert [(event.kind, event.principal.user_id) for event in runtime.audited] == [("refused", "kim")]
