"""References to articles as people and models write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ragbots.regulation import parse_address
from ragbots.types import SUBITEM_LETTERS, Address, Level, Step

CIRCLED = "①-⑳㉑-㉟㊱-㊿"
_PARAGRAPH = rf"(?:\s?(?:제\s?)?\d{{1,3}}\s?항|\s?[{CIRCLED}])"
_NUMBERED = r"(?:\s?(?:제\s?)?\d{1,3}\s?호(?![봉실선차기])(?:의\s?\d{1,2}(?!\d))?)"
_LETTER = rf"(?:\s?[{SUBITEM_LETTERS}]\s?목(?![가-힣]{{2}}))"
_BRANCH = r"(?:의\s?\d{1,2}(?!\d|\s?배|\s?분의|%|퍼센트))?"
_REFERENCE = re.compile(
    rf"""별\s?[표지]\s?(?:제\s?)?\d{{1,3}}{_BRANCH}(?:\s?호(?:{_BRANCH}))?(?:\s?서식)?
    | (?:부칙\s?)?(?:제\s?|§\s?)?(?<!\d)(?<!\d[,.])\d{{1,4}}\s?조(?!\s?\d*\s?[원억만]|각|건[^의을에은과])
      {_BRANCH}{_PARAGRAPH}?{_NUMBERED}?{_LETTER}?
    | §\s?\d{{1,4}}{_BRANCH}{_PARAGRAPH}?
    | 제\s?\d{{1,3}}\s?[장절편관](?![가-힣]소)
    | (?<!\d){_PARAGRAPH}(?![목암]){_NUMBERED}?{_LETTER}?
    | (?<!\d)(?<!\d[,.]){_NUMBERED}{_LETTER}?""",
    re.VERBOSE,
)
_JOINT = re.compile(
    r"\s*(?:\([^()]{0,40}\)|,|및|또는|과|와|이나|나|ㆍ|·|부터|까지|내지|의|각\s?호|본문|단서|\s|~){0,6}\s*"
)
_LAW = re.compile(
    r"(?:[「『]\s?([^「」『』\n]{2,60}?)\s?[」』]|([가-힣·ㆍ]*(?:(?<![방입문용])법|법률|시행령|대통령령|시행규칙|규칙|규정|지침|세칙|내규|예규|강령|요령|정관|규약|협약)))"
    r"\s*(?:\([^()]{0,40}\)\s*)?$"
)


@dataclass(frozen=True, slots=True)
class Reference:
    span: tuple[int, int]
    address: Address
    law: str  # the name that stands before it; empty = none


def find_references(text: str) -> list[Reference]:
    """References to articles as people write them, with or without 제; `제3항` after `제12조 및` is its 항."""
    found: list[Reference] = []
    for match in _REFERENCE.finditer(text):
        address = _section(match[0]) if "§" in match[0] else _address(match[0])
        if not address:
            continue
        last = found[-1] if found else None
        between = text[last.span[1] : match.start()] if last else ""
        joined = last if last and len(between) <= 44 and _JOINT.fullmatch(between) else None
        named = _LAW.search(text[max(0, match.start() - 60) : match.start()])
        law = (named[1] or named[2]) if named else joined.law if joined else ""
        found.append(Reference(match.span(), _continued(address, joined), law))
    return found


def _address(words: str) -> Address:
    try:
        return parse_address(re.sub(r"\s", "", words))
    except ValueError:
        return Address()


def _section(words: str) -> Address:
    """`§17②`, `§17`: another spelling of 제17조."""
    return _address(re.sub(r"§\s?(\d{1,4})\s?조?", r"제\1조", words))


INNER = (Level.PARAGRAPH, Level.ITEM, Level.SUBITEM)


def _continued(address: Address, last: Reference | None) -> Address:
    first = address.steps[0].level
    if last is None or first not in INNER:
        return address
    return Address((*(step for step in last.address.steps if step.level < first), *address.steps))


def shows(step: Step, text: str) -> bool:
    """Whether the layout of a passage shows a 항, 호 or 목: `②`, `2.`, `나.`"""
    branch = rf"의\s?{step.branch}" if step.branch else ""
    if step.level is Level.PARAGRAPH and step.number <= 20 and chr(0x2460 + step.number - 1) in text:
        return True
    if step.level in (Level.PARAGRAPH, Level.ITEM):
        return re.search(rf"(?:^|(?<=[\s(])){step.number}{branch}[.)]\s?(?!\d)", text, re.MULTILINE) is not None
    if step.level is Level.SUBITEM:
        return re.search(rf"(?:^|(?<=[\s(])){SUBITEM_LETTERS[step.number - 1]}[.)]", text, re.MULTILINE) is not None
    return False
