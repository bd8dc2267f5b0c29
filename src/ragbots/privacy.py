"""Personal data in what people enter: found and replaced by a label before it is sent, logged or stored.

A text is read in a plain form: digits of any width as ASCII, every dash as `-`, every dot as `.`, invisible characters
left out; what is found there is replaced in the text itself. Numbers are looked for in runs of digit groups, so that
`900101-1234567`, `9 0 0 1 0 1 1 2 …` and `９００１０１－１２３４５６７` are one case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from stdnum import luhn


class Kind(StrEnum):
    RESIDENT = "주민등록번호"
    FOREIGNER = "외국인등록번호"
    CARD = "카드번호"
    PHONE = "전화번호"
    ACCOUNT = "계좌번호"
    EMAIL = "이메일"
    PASSPORT = "여권번호"
    LICENCE = "운전면허번호"


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data in a text: the half-open range of its characters."""

    kind: Kind
    start: int
    end: int


def mask(text: str) -> str:
    """The text in NFC, each piece of personal data as a label such as `[주민등록번호]`."""
    text = unicodedata.normalize("NFC", text)
    parts, at = [], 0
    for one in find(text):
        parts += [text[at : one.start], f"[{one.kind}]"]
        at = one.end
    return "".join([*parts, text[at:]])


def find(text: str) -> list[Found]:
    """What is personal in a text in NFC, in order, without overlaps."""
    view = _View.of(text)
    found: list[Found] = []
    at = 0
    for kind, start, end in sorted([*_written(view.text), *_numbers(view.text)], key=lambda one: (one[1], -one[2])):
        if start >= at:
            found.append(Found(kind, view.at[start], view.at[end - 1] + 1))
            at = end
    return found


# The plain form


@dataclass(frozen=True, slots=True)
class _View:
    """A text as it is read, and for each of its characters the place in the text."""

    text: str
    at: Sequence[int]

    @classmethod
    def of(cls, text: str) -> _View:
        read = [_plain(character) for character in text]
        return cls("".join(read), [place for place, one in enumerate(read) if one])


@lru_cache(4096)
def _plain(character: str) -> str:
    """One character as it is read, or none."""
    if "!" <= character <= "~":
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category in ("Cf", "Cc", "Mn", "Me"):  # zero width, soft hyphens, marks that sit on a digit
        return ""
    if category == "Pd" or character in "−ㅡー⁃∼～〜":
        return "-"
    if character in "·ㆍ・･•∙‧。．｡⋅":
        return "."
    wide = unicodedata.normalize("NFKC", character)
    return wide if len(wide) == 1 and wide.isascii() else character


# What is written with letters

_AT = r" ?(?:@|\(at\)|\[at\]|골뱅이) ?"
_EMAIL = re.compile(
    rf"(?<![\w.%+-])[a-z0-9][a-z0-9._%+-]{{0,63}}{_AT}(?:[a-z0-9가-힣-]{{1,63}}\.){{1,5}}(?:[a-z]{{2,24}}|한국)",
    re.IGNORECASE | re.ASCII,
)
_PASSPORT = re.compile(
    r"(?<![A-Za-z0-9])[MSRODG][ -]?(?:\d{8}|\d{4}[ -]\d{4}|\d{3}[ -]?[A-Z][ -]?\d{4})(?![A-Za-z0-9]|-\d)", re.IGNORECASE
)
_FOREIGN_PASSPORT = re.compile(
    r"(?:여권|passport)[^0-9\n]{0,12}?(?<![A-Za-z0-9])([A-Z]{0,2}[ -]?\d{6,9})(?![A-Za-z0-9])", re.IGNORECASE
)
_WRITTEN = ((_EMAIL, Kind.EMAIL), (_PASSPORT, Kind.PASSPORT), (_FOREIGN_PASSPORT, Kind.PASSPORT))

_Place = tuple[Kind, int, int]


def _written(text: str) -> Iterator[_Place]:
    for pattern, kind in _WRITTEN:
        for match in pattern.finditer(text):
            group = 1 if pattern.groups else 0
            yield kind, match.start(group), match.end(group)


# Numbers

_RUN = re.compile(r"\d(?:[ \-./()_~:]{0,3}\d){6,}")
_GROUP = re.compile(r"\d+")
_MOST_DIGITS = 19  # of a card


@dataclass(frozen=True, slots=True)
class _Number:
    """Neighbouring groups of a run: the digits, the sizes of the groups as `6-7`, what parts them, and the text
    around them."""

    digits: str
    shape: str
    gaps: str
    before: str
    after: str

    @property
    def apart(self) -> bool:
        """Every digit stands alone."""
        return set(self.shape) == {"1", "-"}

    @property
    def spelt(self) -> bool:
        """Every digit stands alone, or all in one."""
        return "-" not in self.shape or self.apart


def _numbers(text: str) -> Iterator[_Place]:
    for run in _RUN.finditer(text):
        groups = [(match.start(), match.end()) for match in _GROUP.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            found = _at_group(text, groups, first)
            if found is None:
                first += 1
                continue
            kind, past = found
            start, end = groups[first][0], groups[past - 1][1]
            opening = "(" if ")" in text[start:end] else "+"
            yield kind, start - text.endswith(opening, 0, start), end
            first = past


def _at_group(text: str, groups: Sequence[tuple[int, int]], first: int) -> tuple[Kind, int] | None:
    """What begins with this group, and the group after it: the longest of the surest kind. Of digits that stand
    alone the most of any kind: the first 13 of a card may read as a registration number."""
    numbers = list(reversed(list(_beginning(text, groups, first))))
    apart = [(past, number) for past, number in numbers if number.apart]
    ways = [(past, number, kind_of) for past, number in apart for kind_of in _KINDS]
    ways += [(past, number, kind_of) for kind_of in _KINDS for past, number in numbers if not number.apart]
    for past, number, kind_of in ways:
        kind = kind_of(number)
        if kind is not None:
            return kind, past
    return None


def _beginning(text: str, groups: Sequence[tuple[int, int]], first: int) -> Iterator[tuple[int, _Number]]:
    digits, sizes = "", []
    start = groups[first][0]
    for past, (begin, end) in enumerate(groups[first:], first + 1):
        digits += text[begin:end]
        sizes.append(str(end - begin))
        if len(digits) > _MOST_DIGITS:
            return
        if len(digits) >= 7:
            gaps = _GROUP.sub("", text[start:end])
            yield past, _Number(digits, "-".join(sizes), gaps, text[max(0, start - 24) : start], text[end : end + 12])


_CENTURY = {
    "9": 1800,
    "0": 1800,
    "1": 1900,
    "2": 1900,
    "5": 1900,
    "6": 1900,
    "3": 2000,
    "4": 2000,
    "7": 2000,
    "8": 2000,
}
_CORPORATE = re.compile(r"법인\s?(?:등록)?\s?번호\W{0,4}$")


def _registration(number: _Number) -> Kind | None:
    """A birth date that exists, the digit of sex and century, six more: since October 2020 those have no check."""
    digits = number.digits
    if len(digits) != 13 or not (number.spelt or _border_at(6, number.shape)):
        return None
    if _CORPORATE.search(number.before) and _is_corporate(digits):
        return None
    try:
        date(_CENTURY[digits[6]] + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None
    return Kind.FOREIGNER if digits[6] in "5678" else Kind.RESIDENT


def _border_at(place: int, shape: str) -> bool:
    total = 0
    for size in shape.split("-"):
        total += int(size)
        if total >= place:
            break
    return total == place


def _is_corporate(digits: str) -> bool:
    """The check digit of a company's number, which else looks like a person's."""
    total = sum(int(digit) * (1 + at % 2) for at, digit in enumerate(digits[:12]))
    return (10 - total % 10) % 10 == int(digits[12])


# First digits and lengths of the brands; 9 are Korean cards that hold at home only.
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5\d|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6\d{15,18}|9\d{15}"
)
_CARD_SHAPES = re.compile(r"4-4-4-(?:[14]|4-3)|4-6-[45]|6-(?:10|13)|8-8|4-12|4-4-8|8-4-4|\d{2}")
_CARD_WORD = re.compile(r"카드[^\d]{0,16}$")


def _card(number: _Number) -> Kind | None:
    shaped = number.spelt or _CARD_SHAPES.fullmatch(number.shape)
    if shaped and _BRANDS.fullmatch(number.digits) and luhn.is_valid(number.digits):
        return Kind.CARD
    # Mistyped, or of a brand not known here: said to be one, and written like one.
    return Kind.CARD if number.shape == "4-4-4-4" and _CARD_WORD.search(number.before) else None


_AREA = r"02|03[1-3]|04[1-4]|05[1-5]|06[1-4]"
_NATIONAL = re.compile(rf"(?P<mobile>01[016-9])\d{{7,8}}|(?:{_AREA})\d{{7,8}}|0[678]0\d{{7,8}}|013\d{{8}}|050\d{{8,9}}")
_PHONE_SHAPES = re.compile(r"[2-4]-[34]-4|[2-4]-[78]|[5-8]-4|3-2-2-2-2|3-4-2-2|\d{1,2}")
_WITH_COUNTRY = re.compile(r"(?:00)?820?([1-9]\d{7,10})")
_ABROAD_SHAPES = re.compile(r"[24](?:-1)?(?:-[1-4]-[34]-4|-[1-4]-[78]|-[5-8]-4|-\d{1,2})|[3-6]-[34]-4|[5-9]-4|10-4")
_FOR_ALL = re.compile(
    r"(?:15(?:22|33|44|66|77|88|99)|16(?:00|11|22|33|44|55|6[0168]|70|77|88|99)|18(?:00|11|22|33|44|55|66|77|88|99))\d{4}"
)
_PHONE_WORD = re.compile(
    r"(?:전화|연락처|휴대폰|핸드폰|휴대\s?전화|팩스|고객센터|콜센터|대표번호|tel|fax|phone)(?:번호)?\W{0,4}(?:[은는이가]\W)?\W{0,2}$",
    re.IGNORECASE,
)


def _phone(number: _Number) -> Kind | None:
    digits, shape = number.digits, number.shape
    if _NATIONAL.fullmatch(digits) and (number.spelt or _PHONE_SHAPES.fullmatch(shape)):
        return Kind.PHONE
    abroad = _WITH_COUNTRY.fullmatch(digits)
    if abroad and (number.spelt or _ABROAD_SHAPES.fullmatch(shape)):
        national = _NATIONAL.fullmatch("0" + abroad[1])
        # Without a plus only a mobile number is sure to be meant.
        if national and (number.before.endswith("+") or digits.startswith("00") or national["mobile"]):
            return Kind.PHONE
    if _FOR_ALL.fullmatch(digits) and (shape == "4-4" or _PHONE_WORD.search(number.before)):
        return Kind.PHONE
    if shape in ("3-4", "4-4", "7", "8") and _PHONE_WORD.search(number.before):
        return Kind.PHONE
    foreign = number.before.endswith("+") and not digits.startswith("82")
    return Kind.PHONE if foreign and _is_phone_abroad(digits) else None


def _is_phone_abroad(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False


def _licence(number: _Number) -> Kind | None:
    """The office that gave it, the year, a number, two digits of check."""
    return Kind.LICENCE if number.shape == "2-2-6-2" else None


# Not the labels that stand for what was found before.
_BANK = (
    r"(?<!\[)(?:계좌|통장|입금|송금|이체|예금주|은행|뱅크|농협|수협|신협|새마을금고|우체국|증권|산림조합|저축|"
    r"(?:국민|신한|우리|하나|기업|산업|제일|씨티|케이|토스|카카오|대구|부산|광주|전북|경남)(?=\s*\W?\s*$))"
)
_BANK_BEFORE = re.compile(rf"{_BANK}[^\d\n]{{0,16}}$")
_BANK_AFTER = re.compile(
    r"^\W{0,3}(?:\(?[가-힣]{0,6}(?:은행|뱅크|농협|수협|신협|우체국|증권)|(?:으로|로)\s?(?:입금|송금|이체)|계좌)"
)
_OF_A_BUSINESS = re.compile(r"(?:사업자|법인|등록번호|문서번호|접수번호|관리번호)\D{0,8}$")


def _account(number: _Number) -> Kind | None:
    if not 10 <= len(number.digits) <= 16 or _OF_A_BUSINESS.search(number.before):
        return None
    near = _BANK_BEFORE.search(number.before) or _BANK_AFTER.search(number.after)
    return Kind.ACCOUNT if near else None


def _account_in_one(number: _Number) -> Kind | None:
    """One without a space in it, which may begin like a phone number."""
    return None if " " in number.gaps else _account(number)


_KINDS: tuple[Callable[[_Number], Kind | None], ...] = (
    _registration,
    _card,
    _licence,
    _account_in_one,
    _phone,
    _account,
)
