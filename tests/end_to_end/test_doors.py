"""The same conversation through every door gives the same citations: a door translates and decides nothing."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx
import openai
import pytest
from mcp import Client
from tests.end_to_end.installation import OUTSIDE, PARKING, WATER, Installation
from tests.end_to_end.serving import served

T = TypeVar("T")

PATIENT = 120.0  # seconds: nothing here is about speed

CONVERSATION = (OUTSIDE, WATER, "그럼 여름철에는요?", PARKING)


@dataclass(frozen=True)
class Place:
    """Where the doors of one installation are."""

    url: str
    installation: Installation


@dataclass(frozen=True)
class Told:
    """What one turn came to, as far as every door tells it: the text of the answer, and the ids of its citations in
    order."""

    text: str
    citations: tuple[str, ...]


class Door(Protocol):
    """Asks the questions of one conversation, one after the other."""

    def __call__(self, place: Place, questions: Sequence[str]) -> list[Told]: ...


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine: a browser of another test may hold this thread's loop."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(work)))
    thread.start()
    thread.join(PATIENT)
    return found[0]


def told(answer: dict[str, Any]) -> Told:
    return Told(answer["answer"], tuple(citation["id"] for citation in answer["citations"]))


def rest(place: Place, questions: Sequence[str]) -> list[Told]:
    conversation, found = None, []
    for question in questions:
        body = {"question": question, "conversation_id": conversation}
        answer = httpx.post(f"{place.url}/api/chat", json=body, timeout=PATIENT).raise_for_status().json()
        conversation = answer["conversation_id"]
        found.append(told(answer))
    return found


def sse(place: Place, questions: Sequence[str]) -> list[Told]:
    """The text as it is told piece by piece, the citations as they are told one by one."""
    conversation, found = None, []
    for question in questions:
        body = {"question": question, "conversation_id": conversation}
        headers = {"Accept": "text/event-stream"}
        text, citations = "", []
        with httpx.stream("POST", f"{place.url}/api/chat", json=body, headers=headers, timeout=PATIENT) as response:
            for name, data in _events(response.iter_lines()):
                if name == "delta":
                    text += data["text"]
                elif name == "citation" and data["kind"] == "citation":
                    citations.append(data["id"])
                elif name == "done":
                    conversation = data["conversation_id"]
        found.append(Told(text, tuple(citations)))
    return found


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def openai_plain(place: Place, questions: Sequence[str]) -> list[Told]:
    """The history is in the messages; the citations are where the annotations lead."""
    messages: list[Any] = []
    found = []
    with openai.OpenAI(base_url=f"{place.url}/v1", api_key="none") as client:
        for question in questions:
            messages.append({"role": "user", "content": question})
            message = client.chat.completions.create(model="auto", messages=messages).choices[0].message
            messages.append({"role": "assistant", "content": message.content})
            urls = [annotation.url_citation.url for annotation in message.annotations or ()]
            found.append(Told(_above(message.content or ""), tuple(url.rsplit("/c/", 1)[1] for url in urls)))
    return found


def openai_stream(place: Place, questions: Sequence[str]) -> list[Told]:
    messages: list[Any] = []
    found = []
    with openai.OpenAI(base_url=f"{place.url}/v1", api_key="none") as client:
        for question in questions:
            messages.append({"role": "user", "content": question})
            text, urls = "", []
            for chunk in client.chat.completions.create(model="auto", messages=messages, stream=True):
                delta = chunk.choices[0].delta
                text += delta.content or ""
                urls += [one["url_citation"]["url"] for one in (delta.model_extra or {}).get("annotations", ())]
            messages.append({"role": "assistant", "content": text})
            found.append(Told(_above(text), tuple(url.rsplit("/c/", 1)[1] for url in urls)))
    return found


def _above(text: str) -> str:
    """The text without what stands below it for those who see text alone."""
    return re.split(r"\n\n(?:출처:|함께 볼 조항:|※ )", text)[0]


def mcp(place: Place, questions: Sequence[str]) -> list[Told]:
    async def ask() -> list[Told]:
        conversation, found = None, []
        async with Client(f"{place.url}/mcp") as client:
            for question in questions:
                arguments = {"question": question, "conversation_id": conversation}
                answer = (await client.call_tool("ask", arguments)).structured_content["answer"]
                conversation = answer["conversation_id"]
                found.append(told(answer))
        return found

    return in_thread(ask())


def command_line(place: Place, questions: Sequence[str]) -> list[Told]:
    """`ask` asks one question: what was said before is said again in a conversation of its own."""
    return [told(place.installation.cli("ask", "--json", question).json) for question in questions]


DOORS: dict[str, Door] = {
    "REST": rest,
    "SSE": sse,
    "OpenAI": openai_plain,
    "OpenAI, streamed": openai_stream,
    "MCP": mcp,
}
"""Every door that carries a conversation; a messenger is added by one more function."""
DOORS_OF_SINGLE_QUESTIONS: dict[str, Door] = {"command line": command_line}


@pytest.fixture
def place(built: Installation) -> Iterator[Place]:
    with built.open() as runtime, served(runtime) as url:
        yield Place(url, built)


def test_a_conversation_is_the_same_through_every_door(place: Place) -> None:
    table = {name: door(place, CONVERSATION) for name, door in DOORS.items()}
    expected = table["REST"]
    assert [bool(turn.citations) for turn in expected] == [False, True, True, True]
    assert "주 3회" in expected[2].text
    for name, turns in table.items():
        assert turns == expected, name


def test_single_questions_are_answered_the_same_through_every_door(place: Place) -> None:
    for question in (WATER, PARKING, OUTSIDE):
        (expected,) = rest(place, [question])
        for name, door in {**DOORS, **DOORS_OF_SINGLE_QUESTIONS}.items():
            assert door(place, [question]) == [expected], name


def test_every_door_leads_to_the_passage(place: Place) -> None:
    (answered,) = rest(place, [WATER])
    for citation in answered.citations:
        page = httpx.get(f"{place.url}/c/{citation}", timeout=PATIENT)
        assert page.status_code == 200
        assert "<mark>" in page.text
        assert page.headers["content-type"].startswith("text/html")


def test_conversations_of_all_doors_are_in_one_store(place: Place) -> None:
    doors: list[Callable[[], object]] = [
        lambda door=door: door(place, [WATER]) for door in (rest, openai_plain, mcp, command_line)
    ]
    for ask in doors:
        ask()
    listed = httpx.get(f"{place.url}/api/conversations", timeout=PATIENT).json()["conversations"]
    assert [one["channel"] for one in listed] == ["cli", "mcp", "openai", "web"]
    assert {one["question"] for one in listed} == {WATER}
