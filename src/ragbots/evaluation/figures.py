"""Figures in an answer that nothing it cites supports.

A figure is a date, a reference to a rule (제17조의2, 제3항), an amount of money, a share or a number
with its unit. It is brought to one form (`5만원` and `50,000원` are one amount, `100분의 50` and `50%`
one share) and must then stand in a cited passage or in the question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal

from ragbots.evaluation.matching import DATE, without_commas, without_markers

_NUMBER = r"\d+(?:\.\d+)?"
_CIRCLED = re.compile("[①-⑳]")
_ITEM = re.compile(r"^[ \t\-*]*(\d{1,2})(?:의(\d{1,2}))?[.)\\]+(?!\d)", re.MULTILINE)
_REFERENCE = re.compile(r"제\s*(\d+)\s*([조항호장절편관])(?:의(\d+)(?!\s*(?:배|분의|%|퍼센트)))?")
_ANNEX = re.compile(r"별[표지]\s*(?:제\s*)?(\d+)(?:의(\d+))?(?:호)?")
_SHARE = re.compile(rf"(10+)\s*분의\s*({_NUMBER})|({_NUMBER})\s*(?:%|％|퍼센트|프로(?![가-힣]))")
_MAGNITUDE = "천만|백만|십만|천억|백억|십억|조|억|만|천|백"
_WON = re.compile(rf"((?:{_NUMBER}\s*(?:{_MAGNITUDE})\s*)*{_NUMBER}\s*(?:{_MAGNITUDE})?)\s*원")
_WON_PART = re.compile(rf"({_NUMBER})\s*({_MAGNITUDE})?")
_MAGNITUDES = {
    "백": 10**2, "천": 10**3, "만": 10**4, "십만": 10**5, "백만": 10**6, "천만": 10**7, "억": 10**8,
    "십억": 10**9, "백억": 10**10, "천억": 10**11, "조": 10**12,
}  # fmt: skip
_UNIT = "개월|년차|년|월|주일|주|일|시간|시|분|초|명|인|회|번|차례|배|세|살|급|호봉|호|건|개소|개|점|매|부"
_PLAIN = re.compile(rf"({_NUMBER})\s*({_UNIT}|)")


def unsupported(answer: str, support: Iterable[str]) -> tuple[str, ...]:
    """The distinct figures of the answer text that stand in none of the supporting texts, in order."""
    texts = "\n".join(support)
    known = frozenset(figures(_spelled_out(texts)))
    numerals = frozenset(re.findall(_NUMBER, without_commas(texts)))
    loose = [figure for figure in figures(without_markers(answer)) if not _stands(figure, known, numerals)]
    return tuple(dict.fromkeys(loose))


def _stands(figure: str, known: frozenset[str], numerals: frozenset[str]) -> bool:
    """A number that an answer leaves bare, or a passage does (a table's cell), needs no unit to match."""
    if figure in known:
        return True
    number = re.fullmatch(rf"({_NUMBER})(\D*)", figure)
    return number is not None and number[1] in (known if number[2] else numerals)


def figures(text: str) -> list[str]:
    """The figures of a text, each in one form; what one pattern takes is not read again by the next."""
    found: list[str] = []
    rest = without_commas(_CIRCLED.sub(_paragraph, text))
    for pattern, form in _FORMS:
        found.extend(form(match) for match in pattern.finditer(rest))
        rest = pattern.sub(" \n ", rest)
    return found


def _spelled_out(passages: str) -> str:
    """Passages with what their layout says in words: item `2.` is 제2호, a dated year is that year too."""
    items = [f"제{item[1]}호" + (f"의{item[2]}" if item[2] else "") for item in _ITEM.finditer(passages)]
    years = [f"{match[1]}년 {int(match[2])}월" for match in DATE.finditer(passages)]
    return "\n".join([passages, *items, *years])


def _paragraph(match: re.Match[str]) -> str:
    return f" 제{int(unicodedata.numeric(match[0]))}항 "


def _date(match: re.Match[str]) -> str:
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"


def _reference(match: re.Match[str]) -> str:
    return f"제{int(match[1])}{match[2]}" + (f"의{match[3]}" if match[3] else "")


def _annex(match: re.Match[str]) -> str:
    return f"별표{match[1]}" + (f"의{match[2]}" if match[2] else "")


def _share(match: re.Match[str]) -> str:
    value = Decimal(match[3]) if match[3] else Decimal(match[2]) * 100 / Decimal(match[1])
    return f"{_plain(value)}%"


def _won(match: re.Match[str]) -> str:
    parts = _WON_PART.findall(match[1])
    return f"{_plain(sum((Decimal(number) * _MAGNITUDES.get(name, 1) for number, name in parts), Decimal()))}원"


def _number(match: re.Match[str]) -> str:
    return match[1] + match[2]


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (DATE, _date),
    (_ANNEX, _annex),
    (_REFERENCE, _reference),
    (_SHARE, _share),
    (_WON, _won),
    (_PLAIN, _number),
)
