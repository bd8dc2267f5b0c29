"""Answers as Slack shows them: blocks of plain text, citations with links to their pages, and buttons."""

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

CHOOSE, RATE = "choose", "rate"  # what the ids of actions begin with
_SECTION_CHARS = 2_900  # Slack's limit is 3,000
_SECTIONS = 20  # of 50 blocks
_LABEL_CHARS = 75


def message_of(reply: Reply, public_url: str | None, *, feedback: bool) -> dict[str, Any]:
    """`text`, shown in notifications, and `blocks`, at most 50 as Slack allows."""
    text = reply if isinstance(reply, str) else text_of(reply)
    blocks = [_plain(text[at : at + _SECTION_CHARS]) for at in range(0, len(text), _SECTION_CHARS)][:_SECTIONS]
    if not isinstance(reply, str):
        blocks += [_cited(number, one, public_url) for number, one in enumerate(shown(reply), 1)]
        blocks += _buttons(reply, feedback)
    return {"text": escaped(text[:_SECTION_CHARS]), "blocks": blocks}


def escaped(text: str) -> str:
    """Text in which Slack finds neither mentions nor links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> dict[str, Any]:
    # Not mrkdwn: the words of a rule are shown as they stand, `*` and `_` included.
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _cited(number: int, citation: Citation, public_url: str | None) -> dict[str, Any]:
    link = link_of(citation, public_url)
    title = escaped(title_of(number, citation))
    named = f"<{_in_link(link)}|{title.replace('|', '¦')}>" if link else title
    return {
        "type": "context",
        "elements": [
            {"type": "mrkdwn", "text": named, "verbatim": True},
            {"type": "plain_text", "text": quote_of(citation) or "…", "emoji": False},
        ],
    }


def _in_link(link: str) -> str:
    return escaped(link).replace("|", "%7C")


def _buttons(answer: Answer, feedback: bool) -> list[dict[str, Any]]:
    if choices(answer):
        pressed = [
            (f"{CHOOSE}-{at}", bot.name, value_of(Chosen(answer.conversation_id, answer.id, bot.id)))
            for at, bot in enumerate(choices(answer))
        ]
        return [_plain(WHICH_BOT), _actions(pressed)]
    if not feedback or answer.status is not Status.ANSWERED:
        return []
    pressed = [(f"{RATE}-{rating}", label, value_of(Rated(answer.id, rating))) for rating, label in RATINGS]
    return [{"type": "context", "elements": [{"type": "plain_text", "text": WAS_IT_HELPFUL}]}, _actions(pressed)]


def _actions(pressed: list[tuple[str, str, str]]) -> dict[str, Any]:
    buttons = [
        {
            "type": "button",
            "action_id": action,
            "text": {"type": "plain_text", "text": label[:_LABEL_CHARS], "emoji": True},
            "value": value,
        }
        for action, label, value in pressed[:25]
    ]
    return {"type": "actions", "elements": buttons}
