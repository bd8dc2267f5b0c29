"""Whether an answer states something: facts, places and dates compared the way a reader would."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import PurePosixPath

Place = tuple[str, str | None]  # (source, article)

_MARKER = re.compile(r"\s?\[\d{1,3}\]")
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d)")
_SPACE = re.compile(r"\s+")
DATE = re.compile(
    r"(?<![\d.])((?:19|20)\d\d)\s*(?:년|[.\-/])\s*(\d{1,2})\s*(?:월|[.\-/])\s*(\d{1,2})(?!\d)(?:\s*일|\.(?!\d))?"
)


def without_markers(text: str) -> str:
    """The text without its `[1]`."""
    return _MARKER.sub("", text).strip()


def without_commas(text: str) -> str:
    """NFC, the commas inside numbers dropped."""
    return _COMMA_IN_NUMBER.sub("", unicodedata.normalize("NFC", text))


def folded(text: str) -> str:
    """For comparing: white space and the commas inside numbers dropped, ㆍ as ·."""
    return _SPACE.sub("", without_commas(text)).replace("ㆍ", "·")


def stands_in(words: str, text: str) -> bool:
    """Whether the words stand in an already folded text.

    Words that begin with a digit count only where no digit or decimal point precedes: `5일` is not in `15일`.
    """
    needle = folded(words)
    boundary = r"(?<!\d)(?<!\d\.)" if needle[:1].isdigit() else ""
    return re.search(boundary + re.escape(needle), text) is not None


def stated(facts: Iterable[str], accept: Mapping[str, tuple[str, ...]], text: str) -> list[bool]:
    """For each fact, whether it or another accepted spelling stands in the text."""
    answer = folded(text)
    return [any(stands_in(form, answer) for form in (fact, *accept.get(fact, ()))) for fact in facts]


def dates_in(text: str) -> set[date]:
    """Days written out in full: `2027-01-01`, `2027년 1월 1일`, `2027. 1. 1.`"""
    found = (day_of(match) for match in DATE.finditer(text))
    return {day for day in found if day}


def day_of(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def same_source(source: str, gold: str) -> bool:
    """Whether `gold` is the file's name or its path below the source folder."""
    ours, theirs = unicodedata.normalize("NFC", source), unicodedata.normalize("NFC", gold)
    return theirs in (ours, PurePosixPath(ours).name)


def matches(place: Place, gold: Place) -> bool:
    """A gold without an article is matched by the document alone."""
    if not same_source(place[0], gold[0]):
        return False
    return gold[1] is None or folded(place[1] or "") == folded(gold[1])


def first_match(places: Iterable[Place], gold: Iterable[Place]) -> int | None:
    """Rank, from 1, of the first place that is gold."""
    wanted = tuple(gold)
    for rank, place in enumerate(places, start=1):
        if any(matches(place, one) for one in wanted):
            return rank
    return None


def covered(places: Iterable[Place], gold: Iterable[Place]) -> int:
    """How many of the golds are among the places."""
    found = tuple(places)
    return sum(any(matches(place, one) for place in found) for one in gold)
