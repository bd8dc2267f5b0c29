"""The lines that a model writes, by kind, and where the sentences on them end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ragbots.verification.plain_text import CLOSE, OPEN

_FENCE = re.compile(r"\s*(?:```+|~~~+)[^`]*$")
_RULE = re.compile(r"\s*(?:(?:[-*_=]\s?){2,}|[|:\-\s+=]{3,})$")
_DEFINITION = re.compile(r"\s*(?:>\s*)*(?:[-*+]\s+)?(?:\[[^\[\]]{1,200}\]|[\ue000][\d,]*[\ue001])\s*:(?:\s|\S)")
_QUOTE = re.compile(r"\s*(?:>\s?)+")
_HEADING = re.compile(r"\s*#{1,6}(?:\s+|$)")
_ITEM = re.compile(r"(?P<indent>\s*)(?:(?P<bullet>[-*+•·◦▪‣○●■□▶※–—])\s+|(?P<number>\d{1,3})[.)]\s+(?!\d))")
_BOLD_LINE = re.compile(r"\s*\*\*[^*]{1,80}\*\*\s*:?\s*$")
ENDS = re.compile(
    rf"(?:(?<=[가-힣]{{2}})|(?<=[)\]”\"’'%{CLOSE}]))[.!?。]+(?:\*\*)?[\"”’')」』]*(?:\*\*)?"
    rf"(?:\s?{OPEN}[\d,]*{CLOSE}|\s?\[[\d,\s^-]{{1,20}}\])*(?P<tail>\s+)(?=[^\s\[【{OPEN}])"
    rf"|(?<=[a-z]{{2}})[.!?](?:(?:\s?{OPEN}[\d,]*{CLOSE})+(?=\s+[^\s\[【{OPEN}])|(?=\s+[A-Z]))(?P<latin>\s+)"
)


def sentence_ends(text: str) -> list[int]:
    """Where the sentences of a line end that something follows, white space included."""
    return [match.end() for match in ENDS.finditer(text)]


@dataclass(slots=True)
class Line:
    """Where reading stands: the line, whether its beginning was read, and what kind it is."""

    row: int = 0
    begun: bool = False
    blank: bool = True  # nothing but white space so far
    kind: str = ""  # text, item, row, heading, skip
    prefix: str = ""
    indent: int = 0
    apart: bool = False  # a blank line stands before it
    before: str = ""  # the kind of the line before, empty after a blank one


def begin_line(line: Line, text: str) -> str:
    """Finds out what kind of line begins, and notes it; returns the text without the syntax that says so."""
    line.begun, line.blank = True, False
    if _FENCE.match(text) or _RULE.match(text) or _DEFINITION.match(text):
        line.kind = "skip"
        return ""
    text = text[match.end() :] if (match := _QUOTE.match(text)) else text
    if match := _HEADING.match(text):
        line.kind = "heading"
    elif match := _ITEM.match(text):
        line.kind, line.indent = "item", len(match["indent"].expandtabs(4))
        bullet = f"{match['number']}. " if match["number"] else "- "
        line.prefix = ("  " if line.indent > 1 else "") + bullet
    elif text.lstrip().startswith("|") or text.count("|") > 1:
        line.kind, line.prefix = "row", "- "
    elif _BOLD_LINE.match(text):
        line.kind = "heading"
    else:
        line.kind, line.indent = "text", len(text) - len(text.lstrip())
    return text[match.end() :] if match else text
