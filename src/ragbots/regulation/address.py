"""Addresses as people write them: `제17조의2제1항제4호가목`, `별표 3의2 2행`, `부칙 <제5305호, 1997. 3. 13.> 제3조`."""

from __future__ import annotations

import re
from typing import NamedTuple

from ragbots.text import clean, one_line
from ragbots.types import SUBITEM_LETTERS, Address, Level, Step

CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟㊱㊲㊳㊴㊵㊶㊷㊸㊹㊺㊻㊼㊽㊾㊿"

_UNITS = {
    "편": Level.PART,
    "장": Level.CHAPTER,
    "절": Level.SECTION,
    "관": Level.SUBSECTION,
    "조": Level.ARTICLE,
    "항": Level.PARAGRAPH,
    "호": Level.ITEM,
}
# The order in which steps may follow one another; an addendum or annex holds articles and items of its own.
_ORDER = (Level.ADDENDUM, Level.ANNEX, Level.FORM, *_UNITS.values(), Level.SUBITEM, Level.ROW)

_TOKEN = re.compile(
    rf"""\s*(?:
      부\s?칙 (?:\s*\((?P<nth>\d+)\)|\s*\([^()<>]*\))? (?:\s*[<＜〈](?P<label>[^<>＜＞〈〉]*)[>＞〉])? (?P<addendum>)
    | 별\s?표 (?:\s*(?P<annex>\d+)(?!\d|\s*(?:[행조항편장절관]|호(?!\s?목)))
      (?:의\s?(?P<annex_branch>\d+))?)? (?P<is_annex>)
    | (?:별\s?지\s*(?:서식\s*)?|서식\s*)
      (?:제?\s*(?P<form>\d+)(?!\d|\s*[행조항편장절관])(?:\s*호(?!\s?목))?
      (?:의\s?(?P<form_branch>\d+))?\s*(?:서식)?)? (?P<is_form>)
    | 제?\s*(?P<number>\d+)\s*(?P<unit>[편장절관조항호])(?:\s?의\s?(?P<branch>\d+)(?!\d))?
    | (?P<circled>[{CIRCLED}])
    | (?P<letter>[{SUBITEM_LETTERS}])\s?목
    | (?P<row>\d+)\s*행
    )""",
    re.VERBOSE,
)
_DATE = re.compile(r"(\d{4})\s*[.\-/년]\s*(\d{1,2})\s*[.\-/월]\s*(\d{1,2})\s*[.일]?")
_PROMULGATED = re.compile(r"제\s*(\d+(?:-\d+)?)\s*호")


def addendum_label(text: str) -> str:
    """The one spelling of an addendum's label: `제5305호,1997.3.13` is `제5305호, 1997. 3. 13.`."""
    number, date = _PROMULGATED.search(text), _DATE.search(text)
    parts = [f"제{number[1]}호"] if number else []
    if date:
        parts.append(f"{date[1]}. {int(date[2])}. {int(date[3])}.")
    return ", ".join(parts) or one_line(text)


def parse_address(text: str) -> Address:
    """The address that `text` spells, with or without spaces and 제, 항 also as circled numbers.

    Raises ValueError saying at which words the reading stopped.
    """
    source = clean(text).strip()
    steps: list[Step] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise ValueError(
                f"not an address: {source!r}, at {source[position:]!r}; write it like `제17조의2 제1항 제4호 가목`, "
                "`별표 3 2행` or `부칙 제2조`"
            )
        step = _step(match)
        if steps and _ORDER.index(step.level) <= _ORDER.index(steps[-1].level):
            raise ValueError(f"not an address: {source!r}: {match[0].strip()!r} cannot follow what stands before it")
        steps.append(step)
        position = match.end()
    if not steps:
        raise ValueError("not an address: the text is empty; write it like `제17조 제1항`")
    return Address(tuple(steps))


def _step(match: re.Match[str]) -> Step:
    if match["addendum"] is not None:
        return Step(Level.ADDENDUM, int(match["nth"] or 0), label=addendum_label(match["label"] or ""))
    if match["is_annex"] is not None:
        return Step(Level.ANNEX, int(match["annex"] or 0), int(match["annex_branch"] or 0))
    if match["is_form"] is not None:
        return Step(Level.FORM, int(match["form"] or 0), int(match["form_branch"] or 0))
    if match["circled"]:
        return Step(Level.PARAGRAPH, CIRCLED.index(match["circled"]) + 1)
    if match["letter"]:
        return Step(Level.SUBITEM, SUBITEM_LETTERS.index(match["letter"]) + 1)
    if match["row"]:
        return Step(Level.ROW, int(match["row"]))
    return Step(_UNITS[match["unit"]], int(match["number"]), int(match["branch"] or 0))


class Reference(NamedTuple):
    """A cross-reference in running text.

    `span` is the half-open range of characters of the address itself. `statute` is the name in
    「」 or the short name (`법`, `영`, `규칙`) that stands before it; None = this regulation.
    `address` is relative (begins with 항, 호 or 목) where the text names no 조 to resolve it by.
    """

    span: tuple[int, int]
    address: Address
    statute: str | None


_REFERENCE = re.compile(
    rf"""(?:부칙(?:\s*<[^<>]{{1,60}}>)?\s*(?=제\d+조))?
    (?:
      (?:별표\s*\d+(?:의\d+)?(?!\d|\s*행)|별지\s*제\d+호(?:의\d+)?\s*서식)
      (?:\s*제\d+호(?:의\d+)?)?(?:\s*[{SUBITEM_LETTERS}]목)?
    | (?:제\d+조(?:의\d+)?|(?P<same>같은\s*(?:조|항|호)))
      (?:\s*제\d+항)?(?:\s*제\d+호(?:의\d+)?)?(?:\s*[{SUBITEM_LETTERS}]목)?
    | 제\d+항(?:\s*제\d+호(?:의\d+)?)?(?:\s*[{SUBITEM_LETTERS}]목)?
    | 제\d+호(?:의\d+)?(?!서식)(?:\s*[{SUBITEM_LETTERS}]목)?
    | (?<![가-힣])[{SUBITEM_LETTERS}]목(?:(?![가-힣])|(?=부터|까지|의\s|에|및|과|와|은|을|ㆍ))
    )""",
    re.VERBOSE,
)
_NAMED = re.compile(r"「([^「」]{1,80})」\s*(?:\([^()]{0,40}\)\s*)?$")
_SHORT = re.compile(r"(?:^|[^가-힣])(?:(이|같은)\s+)?(법|영|규칙|규정|시행령|시행규칙)\s+$")
_JOINED = re.compile(r"\s*(?:,|및|또는|과|와|이나|나|ㆍ|·|부터|내지|까지|의|본문|단서|전단|후단|각\s?호|\s)*\s*")
_FROM_TO = re.compile(r"\s*(?:부터|내지)\s*")
_FURTHEST_RANGE = 50


def find_references(text: str) -> list[Reference]:
    """The cross-references of a text in order; `제3조부터 제5조까지` names 제4조 too."""
    found: list[Reference] = []
    for match in _REFERENCE.finditer(text):
        last = found[-1] if found else None
        between = text[last.span[1] : match.start()] if last else ""
        joined = last if last and len(between) < 30 and _JOINED.fullmatch(between) else None
        address = _resolve(match, joined, last)
        statute = _statute(text, match, joined, last)
        if joined and _FROM_TO.fullmatch(between):
            span = (joined.span[0], match.end())
            found += [Reference(span, middle, statute) for middle in _between(joined.address, address)]
        found.append(Reference(match.span(), address, statute))
    return found


def _resolve(match: re.Match[str], joined: Reference | None, last: Reference | None) -> Address:
    """The reference with what it leaves unsaid: `제9항` after `제74조제7항ㆍ` is 제74조 제9항."""
    if match["same"]:
        words = match[0].removeprefix(match["same"])
        steps = parse_address(words).steps if words.strip() else ()
        level = _UNITS[match["same"][-1]]
        return Address(((last.address.up_to(level) if last else Address()).steps) + steps)
    address = parse_address(match[0])
    first = address.steps[0].level
    if joined is None or first not in (Level.PARAGRAPH, Level.ITEM, Level.SUBITEM):
        return address
    above = tuple(step for step in joined.address.steps if _ORDER.index(step.level) < _ORDER.index(first))
    return Address(above + address.steps)


def _statute(text: str, match: re.Match[str], joined: Reference | None, last: Reference | None) -> str | None:
    before = text[max(0, match.start() - 130) : match.start()]
    if named := _NAMED.search(before):
        return named[1]
    if short := _SHORT.search(before):
        if short[1] == "같은":
            return last.statute if last and last.statute else short[2]
        return None if short[1] == "이" else short[2]
    same = joined or (last if match["same"] else None)
    return same.statute if same else None


def _between(first: Address, last: Address) -> list[Address]:
    """The addresses strictly between two of the same rank and parent, branches not counted."""
    if not first or len(first.steps) != len(last.steps) or first.steps[:-1] != last.steps[:-1]:
        return []
    one, other = first.steps[-1], last.steps[-1]
    if one.level is not other.level or other.number - one.number > _FURTHEST_RANGE:
        return []
    parent = Address(first.steps[:-1])
    return [parent.child(Step(one.level, number)) for number in range(one.number + 1, other.number)]
