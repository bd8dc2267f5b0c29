"""From which day a regulation holds, and which of its articles hold from another day than the rest."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import PurePosixPath

from ragbots.regulation.address import find_references, parse_address
from ragbots.types import Address, Block, BlockKind, Document, Level, Step

PROMULGATION_KEYS = ("공포일자", "공포일", "개정일", "promulgated")
_HEAD_BLOCKS = 12  # in which a line like `[시행 2026. 7. 1.]` is looked for

_DAY = r"((?:19|20)\d\d)\s?(?:년|[.\-/])\s?(\d{1,2})\s?(?:월|[.\-/])\s?(\d{1,2})(?!\d)(?:\s?일|\.)?"
_IN_FORCE = re.compile(rf"시행(?:일자?)?\s?[:：]?\s?{_DAY}|{_DAY}\s?시행")
_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)[.\-_]?\s?(\d{1,2})[.\-_]?\s?(\d{1,2})(?!\d)")
_WRITTEN = re.compile(_DAY)
_AFTER = re.compile(r"공포\s?후\s?(\d+)\s?(년|개월|월|일)이?\s?(?:경과|지)")
_WHEN = rf"(?:{_DAY}|공포한\s?날|공포\s?후\s?\d+\s?(?:년|개월|월|일)이?\s?(?:경과한|지난)\s?날)"
_AMENDED = re.compile(rf"(?P<articles>제\d[^:：.]*?)의\s?개정\s?규정(?:은|\s?[:：])\s?(?P<when>{_WHEN})")
_RANGE = re.compile(r"(제\d+조(?:의\d+)?)부터\s?(제\d+조(?:의\d+)?)까지")
_BEGINS = re.compile(rf"(?P<when>{_WHEN})\s?(?:부터|에)\s?시행")


def effective_day(document: Document, blocks: Sequence[Block]) -> date | None:
    """The day from which a document holds: said by its front matter, by a line at its head, by its file's name, or by
    the last 부칙; None where nothing says it."""
    if document.effective:
        return document.effective
    head = (_day_of(match) for block in blocks[:_HEAD_BLOCKS] for match in _IN_FORCE.finditer(_head_text(block)))
    return next((day for day in head if day), None) or _day_in_name(document.source) or _addendum_day(document, blocks)


def _head_text(block: Block) -> str:
    return "" if block.address else block.text


def _addendum_day(document: Document, blocks: Sequence[Block]) -> date | None:
    match = _BEGINS.search(_commencement_text(document, blocks))
    return _when(match["when"], promulgation_day(document, blocks)) if match else None


def promulgation_day(document: Document, blocks: Sequence[Block]) -> date | None:
    """The day on which this version was made known: from the front matter or the last 부칙's label."""
    said = next((document.metadata[key] for key in PROMULGATION_KEYS if document.metadata.get(key)), "")
    match = _WRITTEN.search(said) or _WRITTEN.search(_last_addendum(document, blocks).label)
    return _day_of(match) if match else None


def exceptions(document: Document, blocks: Sequence[Block]) -> Mapping[Address, date]:
    """The places whose amendment holds from a day of their own, as the 부칙 of this version says it:
    `제10조의 개정규정은 2027년 1월 1일부터`. Days that depend on who is concerned are not among them."""
    promulgated = promulgation_day(document, blocks)
    found: dict[Address, date] = {}
    for match in _AMENDED.finditer(_commencement_text(document, blocks)):
        day = _when(match["when"], promulgated)
        articles = re.split(r"시행하(?:고|며|되)", match["articles"])[-1]
        if day is None:
            continue
        named = [one.address for one in find_references(articles) if one.statute is None]
        found |= dict.fromkeys([*named, *_within_ranges(articles, blocks)], day)
    return found


def _within_ranges(text: str, blocks: Sequence[Block]) -> list[Address]:
    """The articles of the body that `제75조부터 제77조까지` takes in without naming them: 제75조의2."""
    ranges = [(parse_address(first), parse_address(last)) for first, last in _RANGE.findall(text)]
    articles = dict.fromkeys(block.address for block in blocks if block.kind is BlockKind.ARTICLE)
    return [one for one in articles for first, last in ranges if first < one < last and not one.in_addendum]


def _commencement_text(document: Document, blocks: Sequence[Block]) -> str:
    """The text of the last 부칙's 제1조, or of all of it where it has no articles."""
    addendum = _last_addendum(document, blocks)
    own = [block for block in blocks if block.address.steps[:1] == (addendum,)]
    first = [block for block in own if Step(Level.ARTICLE, 1) in block.address.steps]
    return " ".join(block.text for block in first or own if block.kind is not BlockKind.NOTE)


def _last_addendum(document: Document, blocks: Sequence[Block]) -> Step:
    """That of the amendment that made this version: the one with its number, else the last in the text."""
    addenda = list(dict.fromkeys(block.address.steps[0] for block in blocks if block.address.in_addendum))
    number = document.metadata.get("공포번호", "").strip()
    named = [one for one in addenda if number and re.search(rf"(?<!\d){re.escape(number)}(?!\d)", one.label)]
    return (named or addenda or [Step(Level.ADDENDUM, label="-")])[-1]


def _when(text: str, promulgated: date | None) -> date | None:
    """The day that `2027년 1월 1일` or `공포 후 6개월이 경과한 날` names."""
    if match := _WRITTEN.search(text):
        return _day_of(match)
    match = _AFTER.search(text)
    if promulgated is None or match is None:
        return promulgated
    count = int(match[1])
    if match[2] == "일":
        return promulgated + timedelta(days=count + 1)
    return months_later(promulgated, count * (12 if match[2] == "년" else 1)) + timedelta(days=1)


def months_later(day: date, months: int) -> date:
    """The same day some months later (or earlier), the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _day_in_name(source: str) -> date | None:
    days = (_date(*map(int, match.groups())) for match in _IN_NAME.finditer(PurePosixPath(source).stem))
    return next((day for day in days if day), None)


def _day_of(match: re.Match[str]) -> date | None:
    groups = [number for number in match.groups() if number is not None][:3]
    return _date(*map(int, groups)) if len(groups) == 3 else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
