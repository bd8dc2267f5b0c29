"""What messengers are told: words, links, buttons, limits; who asks and in which conversation."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from tests.messenger_runtime import MessengerRuntime
from tests.unit.api.fake_runtime import ANSWER, CITED

from ragbots.channels import dooray_messages, slack_messages
from ragbots.channels.dooray import received
from ragbots.channels.messenger import Messenger, Place, conversation_id, secret_of
from ragbots.channels.words import MOST_CITATIONS, QUOTE_CHARS, Chosen, Rated, link_of, quote_of, read_value, value_of
from ragbots.errors import ConfigurationError
from ragbots.types import Candidate, Status

MANY = replace(ANSWER, answer="가" * 30_000, citations=(replace(CITED, quote="나" * 5_000),) * 40)
CLARIFY = replace(
    ANSWER, status=Status.CLARIFY, candidates=tuple(Candidate(f"bot-{at}", "이름" * 60, 0.5) for at in range(9))
)


def test_a_citation_leads_to_its_page_or_else_to_the_passage_or_nowhere() -> None:
    wiki = "https://company.dooray.com/wiki/1/2"
    assert link_of(replace(CITED, link=wiki), "https://rules.example.com") == wiki
    assert link_of(CITED, "https://rules.example.com") == f"https://rules.example.com/c/{CITED.id}"
    assert link_of(CITED, None) is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", ""])
def test_a_link_of_another_kind_is_not_handed_on(link: str) -> None:
    assert link_of(replace(CITED, link=link), None) is None


def test_a_long_quote_is_cut_and_says_so() -> None:
    assert len(quote_of(MANY.citations[0])) == QUOTE_CHARS
    assert quote_of(MANY.citations[0]).endswith("…")


def test_what_is_too_much_for_dooray_is_counted() -> None:
    message = dooray_messages.message_of(MANY, None, feedback=True)
    assert len(message["attachments"]) == MOST_CITATIONS + 1 <= 20
    assert message["text"].endswith(f"근거 {40 - MOST_CITATIONS}건이 더 있습니다.")


@pytest.mark.parametrize("answer", [ANSWER, MANY, CLARIFY])
def test_slacks_limits_are_kept(answer: object) -> None:
    blocks = slack_messages.message_of(answer, "https://rules.example.com", feedback=True)["blocks"]  # type: ignore[arg-type]
    assert len(blocks) <= 50
    for block in blocks:
        assert len(block.get("text", {}).get("text", "")) <= 3_000
        for element in block.get("elements", []):
            if element["type"] == "button":
                assert len(element["text"]["text"]) <= 75
                assert len(element["value"]) <= 2_000


def test_the_words_of_a_document_call_nobody() -> None:
    calling = replace(ANSWER, answer='<!channel> <@U1> [@all](dooray://1/members/2 "all")', citations=(), warnings=())
    slack = slack_messages.message_of(calling, None, feedback=False)
    assert "<" not in slack["text"]
    assert [block["text"]["type"] for block in slack["blocks"]] == ["plain_text"]
    assert "](dooray://" not in dooray_messages.message_of(calling, None, feedback=False)["text"]
    titled = replace(ANSWER, citations=(replace(CITED, document="<!here>|x>"),))
    assert "<!here" not in json.dumps(slack_messages.message_of(titled, "https://r.example.com", feedback=False))


def test_buttons_carry_no_words() -> None:
    for pressed in (Chosen("c" * 43, "a1", "leave"), Rated("a1", "down")):
        assert read_value(value_of(pressed)) == pressed  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, 7, "", "choose/a/b", "choose//a/b", "rate/a/maybe", "rate//up", ["rate/a/up"]])
def test_a_value_of_another_kind_is_none_of_ours(value: object) -> None:
    assert read_value(value) is None


def test_a_conversation_is_its_persons_channels_and_threads() -> None:
    place = Place("u1", "c1", "t1")
    assert conversation_id("secret", place, "kim") == conversation_id("secret", Place("u1", "c1", "t1"), "kim")
    others = [replace(place, channel="c2"), replace(place, thread=""), replace(place, direct=True)]
    ids = {conversation_id("secret", one, "kim") for one in (place, *others)}
    ids |= {conversation_id("secret", place, "lee"), conversation_id("secret", Place("u1", "1", "t1"), "kimc")}
    assert len(ids | {conversation_id("other", place, "kim")}) == 7
    assert {len(one) for one in ids} == {43}


def test_an_event_is_new_once_for_all_processes_and_until_it_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = MessengerRuntime(tmp_path)

    async def firsts(*events: str) -> list[bool]:
        messenger = Messenger(runtime, "dooray", "secret")  # as after a restart
        return [await messenger.first(event) for event in events]

    assert asyncio.run(firsts("a", "b", "a")) == [True, True, False]
    assert asyncio.run(firsts("a", "c")) == [False, True]
    monkeypatch.setattr("ragbots.channels.messenger.EVENTS_KEPT", timedelta(0))
    assert asyncio.run(firsts("a")) == [True]
    runtime.close()
    monkeypatch.setattr(runtime.database, "note_event", Mock(side_effect=OSError))
    assert asyncio.run(firsts("a")) == [True]  # rather answered twice than not at all


@pytest.mark.parametrize("value", ["", "  ", "two words", "토큰", "a\nb"])
def test_a_secret_that_cannot_be_one_is_told_without_it(value: str) -> None:
    with pytest.raises(ConfigurationError, match="X_TOKEN") as caught:
        secret_of({"X_TOKEN": value}, "X_TOKEN", "the token")
    if value.strip():
        assert value not in str(caught.value)


def test_other_peoples_mentions_keep_their_names() -> None:
    text = '[@봇](dooray://1/members/9 "member") [@김서연](dooray://1/members/8 "member")님 휴가는?'
    asked = received({"id": "1", "channelId": "2", "senderId": "3", "text": text}, {"type": "group"}, "9")
    assert asked is not None
    assert asked.text == "김서연님 휴가는?"
