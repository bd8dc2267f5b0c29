"""Answers as Dooray shows them: a text, citations as attachments that lead to their pages, and buttons."""

from __future__ import annotations

from typing import Any

from ragbots.channels.messenger import Reply
from ragbots.channels.words import (
    RATINGS,
    WAS_IT_HELPFUL,
    WHICH_BOT,
    Chosen,
    Rated,
    choices,
    link_of,
    quote_of,
    shown,
    text_of,
    title_of,
    value_of,
)
from ragbots.types import Answer, Citation, Status

CALLBACK = "ragbots"
COLOR = "#4757C4"


def message_of(reply: Reply, public_url: str | None, *, feedback: bool) -> dict[str, Any]:
    """`text` and `attachments` of a message; at most 20 attachments, as Dooray allows."""
    if isinstance(reply, str):
        return {"text": _inert(reply), "attachments": []}
    cited = [_cited(number, one, public_url) for number, one in enumerate(shown(reply), 1)]
    return {"text": _inert(text_of(reply)), "attachments": [*cited, *_buttons(reply, feedback)]}


def _cited(number: int, citation: Citation, public_url: str | None) -> dict[str, Any]:
    link = link_of(citation, public_url)
    linked = {"titleLink": link} if link else {}
    return {"title": title_of(number, citation), **linked, "text": _inert(quote_of(citation)), "color": COLOR}


def _buttons(answer: Answer, feedback: bool) -> list[dict[str, Any]]:
    if choices(answer):
        values = [
            (bot.name, value_of(Chosen(answer.conversation_id, answer.id, bot.id)), "default")
            for bot in choices(answer)
        ]
        return [_actions(WHICH_BOT, "bot", values)]
    if not feedback or answer.status is not Status.ANSWERED:
        return []
    values = [(label, value_of(Rated(answer.id, rating)), "default") for rating, label in RATINGS]
    return [_actions(WAS_IT_HELPFUL, "rating", values)]


def _actions(text: str, name: str, values: list[tuple[str, str, str]]) -> dict[str, Any]:
    actions = [
        {"type": "button", "name": name, "text": label, "value": value, "style": style}
        for label, value, style in values
    ]
    return {"callbackId": CALLBACK, "text": text, "actions": actions}


def _inert(text: str) -> str:
    """The text without what Dooray would take for a mention: words of a document call nobody."""
    return text.replace("](dooray://", "] (dooray://")
