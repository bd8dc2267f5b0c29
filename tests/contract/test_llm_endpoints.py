"""What an endpoint does, well or badly, and what comes of it: over real HTTP, through LangChain."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from tests.llm_server import LlmServer, llm_server

from ragbots.errors import ModelFailed
from ragbots.llms.endpoint import Endpoint, EndpointSettings
from ragbots.ports import LanguageModel, Message, Usage

T = TypeVar("T")
ASKED = [Message("system", "규정만 보고 답합니다."), Message("user", "숙박비는 얼마인가요?")]
ANSWER = "숙박비는 1박에 80,000원입니다. [1]"


def run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: another test may hold this one's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(60)


@pytest.fixture
def server() -> Iterator[LlmServer]:
    with llm_server() as state:
        state.say = lambda _messages: ANSWER
        yield state


@pytest.fixture
def settings(server: LlmServer) -> EndpointSettings:
    return EndpointSettings(
        name="local", base_url=server.url, model="some-model", api_key="geheim-1234", temperature=0.0,
        connect_seconds=5, first_token_seconds=5, answer_seconds=5, retries=0,
        max_tokens_name="max_completion_tokens", provider="openai", proxied=False,
    )  # fmt: skip


async def told(endpoint: Endpoint) -> tuple[str, Usage]:
    parts = [part async for part in endpoint.stream(ASKED, 99)]
    assert isinstance(parts[-1], Usage)
    return "".join(part for part in parts if isinstance(part, str)), parts[-1]


def failure(settings: EndpointSettings) -> ModelFailed:
    with pytest.raises(ModelFailed) as raised:
        run(told(Endpoint(settings)))
    assert "geheim" not in str(raised.value) + repr(raised.value)
    return raised.value


def test_an_answer_comes_in_pieces_with_what_it_took(server: LlmServer, settings: EndpointSettings) -> None:
    endpoint = Endpoint(settings)
    assert isinstance(endpoint, LanguageModel)
    assert run(told(endpoint)) == (ANSWER, Usage(11, 7, estimated=False))
    assert run(told(endpoint))[0] == ANSWER  # and again, in another event loop
    [asked, _] = server.requests
    assert [(one["role"], one["content"]) for one in asked["messages"]] == [(one.role, one.content) for one in ASKED]
    sent = {name: asked[name] for name in ("model", "stream", "max_completion_tokens", "temperature")}
    assert sent == {"model": "some-model", "stream": True, "max_completion_tokens": 99, "temperature": 0}
    assert server.headers[0]["authorization"] == "Bearer geheim-1234"
    assert "somebody" not in str(server.headers)


def test_the_models_on_offer_are_asked_for_without_a_paid_call(server: LlmServer, settings: EndpointSettings) -> None:
    assert run(Endpoint(settings).models()) == ("some-model",)
    assert server.requests == []
    with pytest.raises(ModelFailed):
        run(Endpoint(replace(settings, base_url="http://127.0.0.1:9/v1")).models())


def test_a_name_that_leads_inside_is_asked_nothing_unless_its_network_is_listed(
    server: LlmServer, settings: EndpointSettings, caplog: pytest.LogCaptureFixture
) -> None:
    named = replace(settings, base_url=server.url.replace("127.0.0.1", "localhost"), private=())
    assert failure(named).kind == "unreachable"
    assert server.requests == []
    assert "leads to 127.0.0.1, which is not public" in caplog.text.replace("::1", "127.0.0.1")
    listed = replace(named, private=("127.0.0.0/8", "::1/128"))
    assert run(told(Endpoint(listed)))[0] == ANSWER
    assert server.headers[-1]["host"].startswith("localhost:")
