"""Automatic numbering of Hangul: the label that it draws before a paragraph, as text.

A regulation numbered by Hangul holds its `제1조`, `①` and `가.` nowhere in its text. HWP and HWPX say
the same things of it; their readers put them into the values here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ragbots.loaders.docx_numbering import number_text
from ragbots.types import SUBITEM_LETTERS

LEVELS = 10
_PLACE = re.compile(r"\^(?:([1-9])|(A)|(n)|(N))")
_PRIVATE = range(0xE000, 0xF900)  # bullets of symbol fonts: a code without a meaning of its own
_PLAIN_BULLET = "•"


class HeadKind(StrEnum):
    """What stands before a paragraph."""

    OUTLINE = "outline"
    NUMBER = "number"
    BULLET = "bullet"


@dataclass(frozen=True, slots=True)
class Head:
    """`level` counts from 0; `list_id` is 0 for an outline, whose list the section names."""

    kind: HeadKind
    level: int
    list_id: int


@dataclass(frozen=True, slots=True)
class Level:
    """One rank of a list: a pattern such as `제^1조`, the number format by its name in HWPX, the first number."""

    pattern: str
    style: str = "DIGIT"
    start: int = 1


@dataclass(frozen=True, slots=True)
class Lists:
    """The heads by paragraph shape, and the lists and bullets they name."""

    heads: Mapping[int, Head] = field(default_factory=dict)
    numberings: Mapping[int, Sequence[Level]] = field(default_factory=dict)
    bullets: Mapping[int, str] = field(default_factory=dict)

    def outline_level(self, shape: int) -> int:
        """1–10 for a paragraph of the document's outline; 0 for any other."""
        head = self.heads.get(shape)
        return head.level + 1 if head and head.kind is HeadKind.OUTLINE else 0


class Numbering:
    """The counters of one document; asked for every paragraph once, empty ones too, in reading order."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._counters: dict[tuple[HeadKind, int], list[int | None]] = {}

    def label(self, shape: int, outline_id: int) -> str:
        """What stands before a paragraph of this shape, with a space; empty where nothing does."""
        head = self._lists.heads.get(shape)
        if head is None:
            return ""
        if head.kind is HeadKind.BULLET:
            return _bullet(self._lists.bullets.get(head.list_id, _PLAIN_BULLET))
        list_id = outline_id if head.kind is HeadKind.OUTLINE else head.list_id
        levels = self._lists.numberings.get(list_id, ())
        if head.level >= len(levels):
            return ""
        counters = self._counters.setdefault((head.kind, list_id), [None] * LEVELS)
        _advance(counters, head.level, levels)
        label = _PLACE.sub(lambda place: _placed(place, counters, head.level, levels), levels[head.level].pattern)
        return f"{label} " if label.strip() else ""


def _advance(counters: list[int | None], rank: int, levels: Sequence[Level]) -> None:
    for above in range(rank):
        if counters[above] is None:
            counters[above] = levels[above].start
    before = counters[rank]
    counters[rank] = levels[rank].start if before is None else before + 1
    counters[rank + 1 :] = [None] * (LEVELS - rank - 1)


def _placed(place: re.Match[str], counters: Sequence[int | None], rank: int, levels: Sequence[Level]) -> str:
    """`^1`…`^9`, `^A`: the number of that level; `^n`: the numbers down to this one; `^N`: those with a full stop."""
    if place[1] or place[2]:
        return _number(counters, int(place[1] or LEVELS) - 1, levels)
    path = ".".join(_number(counters, above, levels) for above in range(rank + 1))
    return path + ("." if place[4] else "")


def _number(counters: Sequence[int | None], rank: int, levels: Sequence[Level]) -> str:
    number = counters[rank]
    return "" if number is None or rank >= len(levels) else formatted(levels[rank].style, number)


def _bullet(character: str) -> str:
    if not character.strip() or (not character.isprintable() and ord(character[0]) not in _PRIVATE):
        return ""
    return f"{_PLAIN_BULLET if ord(character[0]) in _PRIVATE else character} "


def formatted(style: str, number: int) -> str:
    """A number in one of Hangul's formats; an unknown format counts in decimals."""
    if style in _WORD_FORMATS:
        return number_text(_WORD_FORMATS[style], number)
    return _FORMATS.get(style, str)(number)


def _enclosed(first: str, count: int, otherwise: Callable[[int], str]) -> Callable[[int], str]:
    return lambda number: chr(ord(first) + number - 1) if 0 < number <= count else otherwise(number)


def _ideograph(number: int) -> str:
    return number_text("koreanCounting", number).translate(_IDEOGRAPHS)


_IDEOGRAPHS = str.maketrans("일이삼사오육칠팔구십백천", "一二三四五六七八九十百千")
_WORD_FORMATS = {
    "CIRCLED_DIGIT": "decimalEnclosedCircle",
    "ROMAN_CAPITAL": "upperRoman",
    "ROMAN_SMALL": "lowerRoman",
    "LATIN_CAPITAL": "upperLetter",
    "LATIN_SMALL": "lowerLetter",
    "HANGUL_SYLLABLE": "ganada",
    "HANGUL_JAMO": "chosung",
    "HANGUL_PHONETIC": "koreanCounting",
}
_FORMATS: dict[str, Callable[[int], str]] = {
    "CIRCLED_LATIN_CAPITAL": _enclosed("Ⓐ", 26, lambda number: number_text("upperLetter", number)),
    "CIRCLED_LATIN_SMALL": _enclosed("ⓐ", 26, lambda number: number_text("lowerLetter", number)),
    "CIRCLED_HANGUL_SYLLABLE": _enclosed("㉮", 14, lambda number: SUBITEM_LETTERS[(number - 1) % len(SUBITEM_LETTERS)]),
    "CIRCLED_HANGUL_JAMO": _enclosed("㉠", 14, lambda number: number_text("chosung", number)),
    "IDEOGRAPH": _ideograph,
    "CIRCLED_IDEOGRAPH": _enclosed("㊀", 10, _ideograph),
}
# The formats in the order of their codes in HWP.
STYLES = (
    *("DIGIT", "CIRCLED_DIGIT", "ROMAN_CAPITAL", "ROMAN_SMALL", "LATIN_CAPITAL", "LATIN_SMALL"),
    *("CIRCLED_LATIN_CAPITAL", "CIRCLED_LATIN_SMALL", "HANGUL_SYLLABLE", "CIRCLED_HANGUL_SYLLABLE"),
    *("HANGUL_JAMO", "CIRCLED_HANGUL_JAMO", "HANGUL_PHONETIC", "IDEOGRAPH", "CIRCLED_IDEOGRAPH"),
)
