"""Automatic numbering of Word: the label that Word draws before a paragraph, as text.

A regulation numbered by Word holds its `제1조`, `1.` and `가.` nowhere in its text; without this the
loader would lose every one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from ragbots.types import SUBITEM_LETTERS

_PLACE = re.compile(r"%([1-9])")
_LEVELS = 9
_INITIALS = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_KOREAN_DIGITS = "영일이삼사오육칠팔구"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True, slots=True)
class _Level:
    """One rank of a list: `pattern` such as `제%1조`, the number format, the first number."""

    pattern: str
    formatted: Callable[[int], str]
    start: int
    restarts: bool
    separator: str
    style: str


class Numbering:
    """The counters of one document; asked for each paragraph once, in reading order."""

    def __init__(self, numbering: Any | None) -> None:
        """`numbering` is the `w:numbering` element; None where the document has none."""
        self._lists = _lists(numbering) if numbering is not None else {}
        self._counters: dict[str, list[int | None]] = {}
        self._started: set[str] = set()

    def label(self, list_id: str, rank: int | None, style_id: str) -> str:
        """What Word draws before the paragraph, with its separator; empty for no list or bullets drawn as none."""
        found = self._lists.get(list_id)
        if found is None:
            return ""
        counter_id, levels, overrides = found
        rank = _rank_of_style(levels, style_id) if rank is None else rank
        if rank not in levels:
            return ""
        counters = self._counters.setdefault(counter_id, [None] * _LEVELS)
        if list_id not in self._started:
            self._started.add(list_id)
            for level, start in overrides.items():
                counters[level] = start - 1
        _advance(counters, rank, levels)
        label = _PLACE.sub(lambda match: _number(counters, int(match[1]) - 1, levels), levels[rank].pattern)
        return label + levels[rank].separator if label.strip() else ""


def number_text(style: str, number: int) -> str:
    """A number in one of Word's formats; an unknown format counts in decimals."""
    return _formatter(style)(number)


def _lists(numbering: Any) -> dict[str, tuple[str, dict[int, _Level], dict[int, int]]]:
    """Per list id: the id of its counters, its ranks, and the ranks that start anew with a number."""
    patterns = {node.get(qn("w:abstractNumId")): node for node in numbering.iter(qn("w:abstractNum"))}
    by_style = {_value(node, "w:styleLink"): node for node in patterns.values() if _value(node, "w:styleLink")}
    lists = {}
    for node in numbering.iter(qn("w:num")):
        pattern_id = _value(node, "w:abstractNumId")
        pattern = patterns.get(pattern_id)
        if pattern is None:
            continue
        pattern = by_style.get(_value(pattern, "w:numStyleLink"), pattern)
        levels = {_rank(level): _level(level) for level in pattern.findall(qn("w:lvl"))}
        overrides = {}
        for override in node.findall(qn("w:lvlOverride")):
            levels |= {_rank(level): _level(level) for level in override.findall(qn("w:lvl"))}
            if start := _value(override, "w:startOverride"):
                overrides[_rank(override)] = int(start)
        lists[node.get(qn("w:numId"))] = (pattern.get(qn("w:abstractNumId")), levels, overrides)
    return lists


def _level(node: Any) -> _Level:
    style = _value(node, "w:numFmt") or "decimal"
    pattern = _value(node, "w:lvlText")
    return _Level(
        pattern="•" if style == "bullet" and pattern else "" if style == "none" else pattern,
        formatted=_formatter(style),
        start=int(_value(node, "w:start") or 1),
        restarts=_value(node, "w:lvlRestart") != "0",
        separator="" if _value(node, "w:suff") == "nothing" else " ",
        style=_value(node, "w:pStyle"),
    )


def _advance(counters: list[int | None], rank: int, levels: Mapping[int, _Level]) -> None:
    before = counters[rank]
    counters[rank] = levels[rank].start if before is None else before + 1
    for deeper in range(rank + 1, _LEVELS):
        if deeper not in levels or levels[deeper].restarts:
            counters[deeper] = None


def _number(counters: list[int | None], rank: int, levels: Mapping[int, _Level]) -> str:
    level = levels.get(rank)
    if level is None:
        return ""
    number = counters[rank]
    return level.formatted(level.start if number is None else number)


def _rank_of_style(levels: Mapping[int, _Level], style_id: str) -> int:
    return next((rank for rank, level in levels.items() if level.style and level.style == style_id), 0)


def _rank(node: Any) -> int:
    return int(node.get(qn("w:ilvl")))


def _value(node: Any, name: str) -> str:
    child = node.find(qn(name))
    return (child.get(qn("w:val")) or "") if child is not None else ""


def _formatter(style: str) -> Callable[[int], str]:
    return _FORMATS.get(style, str)


def _repeated(letters: str) -> Callable[[int], str]:
    """Word counts a…z, aa, bb, … ."""
    return lambda number: letters[(number - 1) % len(letters)] * ((number - 1) // len(letters) + 1)


def _circled(number: int) -> str:
    starts = ((1, 20, 0x2460), (21, 35, 0x3251), (36, 50, 0x32B1))
    return next((chr(base + number - low) for low, high, base in starts if low <= number <= high), f"({number})")


def _korean_count(number: int) -> str:
    """일, 이, … 십, 십일, … up to 9999; digits beyond."""
    if not 0 < number < 10_000:
        return str(number)
    parts = []
    for unit, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            parts.append(("" if digit == 1 and name else _KOREAN_DIGITS[digit]) + name)
    return "".join(parts)


def _roman(number: int) -> str:
    text = ""
    for value, letters in (*_ROMAN, *_ROMAN_SMALL):
        count, number = divmod(number, value)
        text += letters * count
    return text


_FORMATS: dict[str, Callable[[int], str]] = {
    "none": lambda _: "",
    "decimalZero": lambda number: f"{number:02d}",
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "decimalEnclosedParen": lambda number: f"({number})",
    "decimalEnclosedFullstop": lambda number: f"{number}.",
    "ganada": lambda number: SUBITEM_LETTERS[(number - 1) % len(SUBITEM_LETTERS)],
    "chosung": _repeated(_INITIALS),
    "koreanDigital": lambda number: "".join(_KOREAN_DIGITS[int(digit)] for digit in str(number)),
    "koreanCounting": _korean_count,
    "koreanLegal": _korean_count,
    "lowerLetter": _repeated("abcdefghijklmnopqrstuvwxyz"),
    "upperLetter": _repeated("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
}
