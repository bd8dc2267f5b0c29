"""The figures of a text, brought to one form so that they can be compared.

Two readers stand here. `read` and `Known` compare by value: 100분의 50 is 50 %, 십오일 is 15일 and 보름,
1천만원 is 10,000,000원, 1년 is 12개월, 2026. 7. 1. is 2026년 7월 1일. They judge what a language model
wrote. `unsupported` compares by spelling; it is the definition that evaluations report.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto
from fractions import Fraction


class Kind(Enum):
    DATE = auto()
    SHARE = auto()
    CLOCK = auto()
    AMOUNT = auto()
    BARE = auto()  # a number without a unit we know


Day = tuple[int | None, int | None, int | None]  # year, month, day; None = not said


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `value` in the base unit `unit` (months, days, minutes, won …; a share's is 1 for 100 %,
    a clock's minutes since midnight), `raw` the number as written, `span` the half-open range of characters."""

    kind: Kind
    span: tuple[int, int]
    raw: Fraction = Fraction(0)
    value: Fraction = Fraction(0)
    unit: str = ""
    day: Day = (None, None, None)
    glued: bool = False  # a bare number with a noun of its own behind it: `3자녀`


_D = r"\d{1,15}(?:,\d{3}){0,5}(?:\.\d{1,6})?"
_NOT_AFTER = r"(?<![\d.,])"
_SEPARATOR = r"\s{0,2}[.\-/]\s{0,2}"
_DATES: tuple[re.Pattern[str], ...] = (
    re.compile(
        rf"{_NOT_AFTER}(?P<y>(?:19|20)\d\d)(?:\s?년\s{{0,2}}|{_SEPARATOR})(?P<m>\d{{1,2}})(?:\s?월\s{{0,2}}|{_SEPARATOR})"
        r"(?P<d>\d{1,2})(?!\d)(?:\s?일(?!반|정)|\.(?!\d))?"
    ),
    re.compile(rf"['’‘](?P<y2>\d\d){_SEPARATOR}(?P<m>\d{{1,2}}){_SEPARATOR}(?P<d>\d{{1,2}})(?!\d)\.?"),
    re.compile(rf"{_NOT_AFTER}(?P<y>(?:19|20)\d\d)\s?년(?:도)?\s{{0,2}}(?P<m>\d{{1,2}})\s?월"),
    re.compile(rf"{_NOT_AFTER}(?P<m>\d{{1,2}})\s?월\s{{0,2}}(?P<d>\d{{1,2}})\s?일"),
    re.compile(rf"{_NOT_AFTER}(?P<y>(?:19|20)\d\d)\s?년"),
    re.compile(rf"{_NOT_AFTER}(?P<m>\d{{1,2}})\s?월(?!급)"),
)
_CLOCK = re.compile(
    r"(?P<half>오전|오후|정오|낮|밤)?\s?(?<!\d)(?P<h>\d{1,2})\s?(?:시(?!간|급)(?:\s?(?P<min>\d{1,2})\s?분|\s?(?P<thirty>반))?"
    r"|:(?P<colon>\d\d)(?!\d))"
)
_HAN = "일이삼사오육칠팔구"
_HAN_NUMBER = rf"[{_HAN}]?[십백천만억](?:[{_HAN}십백천만억]{{0,10}})"
_OF = re.compile(rf"(?P<whole>{_D}|{_HAN_NUMBER}|[이삼사오])\s?분의\s?(?P<part>{_D}|{_HAN_NUMBER}|[{_HAN}])")
_PERCENT = re.compile(rf"{_NOT_AFTER}(?P<n>{_D}|(?<![가-힣]){_HAN_NUMBER})\s?(?:%|퍼센트|프로(?![가-힣]))")
_TENTHS = re.compile(
    rf"(?:{_NOT_AFTER}(?P<n>\d)|(?<![가-힣])(?P<han>[일이삼사오육칠팔]))\s?할(?:\s?(?P<p>\d)\s?푼)?(?![부인당수머증])"
)
_HALF = re.compile(r"절반")
_WHOLE = re.compile(r"전액")
_TIMES = "배"

_BASE: dict[str, tuple[str, int]] = {
    "년간": ("개월", 12), "년": ("개월", 12), "해": ("개월", 12), "개월": ("개월", 1), "달": ("개월", 1),
    "주일": ("일", 7), "주간": ("일", 7), "주": ("일", 7), "일": ("일", 1), "시간": ("분", 60), "분": ("분", 1),
    "인": ("명", 1), "명": ("명", 1), "사람": ("명", 1), "회": ("회", 1), "번": ("회", 1), "차례": ("회", 1),
    "세": ("세", 1), "살": ("세", 1), "개소": ("곳", 1), "군데": ("곳", 1), "곳": ("곳", 1),
    "가지": ("가지", 1), "종류": ("가지", 1), "킬로미터": ("km", 1), "킬로": ("km", 1), "㎞": ("km", 1),
    "제곱미터": ("㎡", 1), "불": ("달러", 1),
}  # fmt: skip
_AS_THEY_ARE = (
    "원", "km", "㎡", "달러", "년차", "등급", "급", "호봉", "점", "건", "개", "대", "박", "부", "매", "장", "배", "초",
    "톤", "차", "분기", "학기", "학점", "과목", "쪽", "층", "끼", "식", "단계", "배수", "시급",
)  # fmt: skip
_UNITS = {**{unit: (unit, 1) for unit in _AS_THEY_ARE}, **_BASE}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_MAGNITUDE = r"(?:[십백천]?[만억조]|[십백천])"
_CHAIN = rf"{_D}(?:{_MAGNITUDE}|\s[만억])(?:\s?{_D}{_MAGNITUDE}){{0,4}}(?:\s?\d{{1,4}}(?=\s?원))?"
_NUMBER = re.compile(
    rf"(?P<n>{_CHAIN}|{_D})(?:\s?(?P<unit>{_UNIT})(?![a-zA-Z])"
    rf"|\s?[가-힣%]{{0,2}}\s?[~∼–-]\s?(?={_D}\s?(?:{_MAGNITUDE}){{0,2}}\s?(?P<range>{_UNIT})))?"
)
# One syllable is a number only before units with which it makes no other word (사원, 구분, 일부, 사건 …).
_SPELLED = re.compile(
    rf"(?<![가-힣\d])(?<!\d\s)(?:(?P<one>[{_HAN}])\s?(?P<safe>개월|시간|년(?!도)|주일|주간)"
    rf"|(?P<days>[삼사오육칠팔구])\s?일(?=\s?(?:이내|간|전|후|까지|이상|이하|동안|부터|미만|초과))"
    rf"|(?P<alone>[십백천])\s?(?P<some>원|명|시간|개월|년|일(?!반|정|부))|(?P<ten>만)\s?(?P<won>원|명)"
    rf"|(?P<many>[{_HAN}][십백천만억][{_HAN}십백천만억]{{0,10}}"
    rf"|[십백천만억][{_HAN}십백천만억]{{1,10}})\s?(?P<unit>{_UNIT}))"
)
_COUNTS = {
    "한": 1, "두": 2, "세": 3, "석": 3, "네": 4, "넉": 4, "다섯": 5, "여섯": 6, "일곱": 7,
    "여덟": 8, "아홉": 9, "열": 10,
    "열한": 11, "열두": 12, "열세": 13, "열네": 14, "열다섯": 15, "스무": 20,
}  # fmt: skip
_COUNT = "|".join(sorted(_COUNTS, key=len, reverse=True))
_COUNTED = re.compile(
    rf"(?<![가-힣])(?P<n>{_COUNT})\s?(?P<unit>달|시간|해(?![가-힣])|주(?![가-힣])|번(?!째)"
    rf"|차례|명|사람|살|개(?!인)|가지|군데|곳|배(?!우|분)|건|단계)"
)
_ONE_IS_SAID = re.compile(r"\s?(?:만(?![가-힣])|까지|이내|이하|에\s?한|씩)")
_DAYS = {
    "하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "엿새": 6, "이레": 7, "여드레": 8, "아흐레": 9, "열흘": 10,
    "열하루": 11, "열이틀": 12, "열사흘": 13, "열나흘": 14, "열닷새": 15, "보름": 15, "스무날": 20,
}  # fmt: skip
_DAY_NAME = re.compile(
    rf"(?<![가-힣])(?:(?P<n>{'|'.join(sorted(_DAYS, key=len, reverse=True))})"
    r"(?!에|당|씩|빨리|라도|\s?평균|\s?최대\s?\d|\s?\d))"
)
_NUMBERING = re.compile(r"(?:(?<=\s)|^)\d{1,2}(?:의\d{1,2})?[.)]\s{1,3}(?=[^\d\s])", re.MULTILINE)
_ORDINAL = re.compile(rf"(?<![가-힣])(?:\d{{1,2}}|{_COUNT}|첫)\s?(?:번째|째)")
_CELL_UNIT = re.compile(r"단위\s?[:：]?\s?(?P<n>백만|십만|천만|천|만|억)\s?원")


def read(text: str) -> list[Figure]:
    """The figures of a text in order. What numbers a list, and ordinals, are none; references to articles must
    have been blanked out before. `1년 6개월` is one figure."""
    rest = _ORDINAL.sub(_blank, _unified(text))
    found: list[Figure] = []
    for pattern, form in _READERS:
        kept: list[Figure] = []
        for match in pattern.finditer(rest):
            figure = form(match)
            if figure is not None:
                kept.append(figure)
        for figure in kept:
            first, last = figure.span
            rest = rest[:first] + "¤" * (last - first) + rest[last:]
        found += kept
        if pattern is _DATES[-1]:
            rest = _NUMBERING.sub(_blank, rest)
    return _joined(sorted(found, key=lambda figure: figure.span), rest)


def _unified(text: str) -> str:
    """Full-width forms as ASCII, one character for one: spans stay what they are in the text."""
    return text.translate(_FULL_WIDTH)


_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20, 0xA0: 0x20}


def _blank(match: re.Match[str]) -> str:
    return "¤" * len(match[0])


_FULL = {"개월": 12, "분": 60}  # how many make the next larger unit


def _joined(found: list[Figure], text: str) -> list[Figure]:
    """`1년 6개월`, `2시간 30분` as one figure each."""
    joined: list[Figure] = []
    for figure in found:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind is figure.kind is Kind.AMOUNT
            and last.unit == figure.unit in _FULL
            and last.value != last.raw
            and figure.value == figure.raw < _FULL[figure.unit]
            and not text[last.span[1] : figure.span[0]].strip()
            and figure.span[0] - last.span[1] <= 1
        ):
            value = last.value + figure.value
            joined[-1] = replace(last, span=(last.span[0], figure.span[1]), raw=value, value=value)
        else:
            joined.append(figure)
    return joined


def _as_date(match: re.Match[str]) -> Figure:
    said = match.groupdict()
    year = int(said["y"]) if said.get("y") else 2000 + int(said["y2"]) if said.get("y2") else None
    month, day = (int(said[name]) if said.get(name) else None for name in ("m", "d"))
    return Figure(Kind.DATE, match.span(), day=(year, month, day))


def _as_fraction(match: re.Match[str]) -> Figure | None:
    whole = number(match["whole"])
    return _as_share(match, number(match["part"]) / whole) if whole else None


def _as_percent(match: re.Match[str]) -> Figure:
    return _as_share(match, number(match["n"]) / 100)


def _as_tenths(match: re.Match[str]) -> Figure:
    return _as_share(match, number(match["n"] or match["han"]) / 10 + Fraction(match["p"] or 0) / 100)


def _as_half(match: re.Match[str]) -> Figure:
    return _as_share(match, Fraction(1, 2))


def _as_share(match: re.Match[str], value: Fraction) -> Figure:
    return Figure(Kind.SHARE, match.span(), raw=value * 100, value=value, unit="%")


def _as_clock(match: re.Match[str]) -> Figure | None:
    hour, minute = int(match["h"]), int(match["min"] or match["colon"] or (30 if match["thirty"] else 0))
    if hour > 24 or minute > 59:
        return None
    if match["half"] in ("오후", "밤") and hour < 12:
        hour += 12
    unit = "" if match["half"] or match["colon"] or hour > 12 else "half"
    return Figure(Kind.CLOCK, match.span(), raw=Fraction(hour), value=Fraction(hour * 60 + minute), unit=unit)


def _as_days(match: re.Match[str]) -> Figure:
    return _amount(match.span(), Fraction(_DAYS[match["n"]]), "일")


def _as_counted(match: re.Match[str]) -> Figure | None:
    """Native counters; `한 번`, `한 사람` are a way of speaking unless a limit is meant: `한 번만`."""
    value, unit = _COUNTS[match["n"]], match["unit"]
    if value == 1 and unit not in ("달", "시간", "해", "주") and not _ONE_IS_SAID.match(match.string, match.end()):
        return None
    return _amount(match.span(), Fraction(value), unit)


def _as_spelled(match: re.Match[str]) -> Figure:
    digits = match["one"] or match["days"] or match["alone"] or match["ten"] or match["many"]
    unit = match["safe"] or match["some"] or match["won"] or match["unit"] or "일"
    return _amount(match.span(), number(digits), unit)


def _as_number(match: re.Match[str]) -> Figure:
    unit = match["unit"] or match["range"]
    if unit:
        end = match.end("unit") if match["unit"] else match.end("n")
        return _amount((match.start(), end), number(match["n"]), unit)
    follows = match.string[match.end("n") : match.end("n") + 1]
    raw = number(match["n"])
    return Figure(Kind.BARE, match.span("n"), raw=raw, value=raw, glued="가" <= follows <= "힣")


def _amount(span: tuple[int, int], raw: Fraction, unit: str) -> Figure:
    if unit == _TIMES:
        return Figure(Kind.SHARE, span, raw=raw, value=raw, unit=unit)
    base, factor = _UNITS[unit]
    return Figure(Kind.AMOUNT, span, raw=raw, value=raw * factor, unit=base)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Figure | None]], ...] = (
    *((pattern, _as_date) for pattern in _DATES),
    (_OF, _as_fraction),
    (_PERCENT, _as_percent),
    (_TENTHS, _as_tenths),
    (_HALF, _as_half),
    (_CLOCK, _as_clock),
    (_DAY_NAME, _as_days),
    (_COUNTED, _as_counted),
    (_SPELLED, _as_spelled),
    (_NUMBER, _as_number),
)

_DIGITS = {syllable: value for value, syllable in enumerate(_HAN, start=1)}
_SMALL = {"십": 10, "백": 100, "천": 1000}
_LARGE = {"만": 10**4, "억": 10**8, "조": 10**12}


def number(text: str) -> Fraction:
    """`1억 5천만`, `십오`, `1,000.5` as a number; 0 where nothing is."""
    total, section, digits = Fraction(0), Fraction(0), ""
    for character in text:
        if character.isascii() and (character.isdigit() or character == "."):
            digits += character
        elif character in _DIGITS:
            digits = str(_DIGITS[character])
        elif character in _SMALL:
            section += _fraction(digits, 1) * _SMALL[character]
            digits = ""
        elif character in _LARGE:
            total += ((section + _fraction(digits, 0)) or 1) * _LARGE[character]
            section, digits = Fraction(0), ""
    return total + section + _fraction(digits, 0)


def _fraction(digits: str, empty: int) -> Fraction:
    return Fraction(digits) if digits.strip(".") else Fraction(empty)


@dataclass(frozen=True, slots=True)
class Known:
    """The figures that stand in some texts, to be asked for others.

    `raws` are all numbers as written, `bare` those without a unit (a table's cells)."""

    days: frozenset[Day]
    shares: frozenset[Fraction]
    clocks: frozenset[Fraction]
    amounts: frozenset[tuple[str, Fraction]]
    bare: frozenset[Fraction]
    raws: frozenset[Fraction]

    def __or__(self, other: Known) -> Known:
        return Known(
            self.days | other.days,
            self.shares | other.shares,
            self.clocks | other.clocks,
            self.amounts | other.amounts,
            self.bare | other.bare,
            self.raws | other.raws,
        )

    def holds(self, figure: Figure) -> bool:
        """Whether the figure stands there, in whatever spelling; a bare number matches any unit, and in reverse."""
        match figure.kind:
            case Kind.DATE:
                return any(_within(figure.day, day) for day in self.days)
            case Kind.SHARE:
                return figure.value in self.shares or figure.raw in self.bare
            case Kind.CLOCK:
                other = {figure.value + 720} if figure.unit else set()
                return bool(({figure.value} | other) & self.clocks)
            case Kind.AMOUNT:
                return (figure.unit, figure.value) in self.amounts or figure.raw in self.bare
            case Kind.BARE:
                return figure.raw in self.raws


def _within(said: Day, known: Day) -> bool:
    return all(part is None or part == other for part, other in zip(said, known, strict=True))


def known(text: str) -> Known:
    """The figures of a passage; `단위: 천원` tells what its bare numbers are worth."""
    found = read(text)
    bare = frozenset(figure.raw for figure in found if figure.kind is Kind.BARE and not figure.glued)
    amounts = {(figure.unit, figure.value) for figure in found if figure.kind is Kind.AMOUNT}
    if cells := _CELL_UNIT.search(text):
        amounts |= {("원", raw * number(cells["n"])) for raw in bare}
    shares = {figure.value for figure in found if figure.kind is Kind.SHARE}
    if _WHOLE.search(text):
        shares.add(Fraction(1))
    return Known(
        frozenset(figure.day for figure in found if figure.kind is Kind.DATE),
        frozenset(shares),
        frozenset(figure.value for figure in found if figure.kind is Kind.CLOCK),
        frozenset(amounts),
        bare,
        frozenset(figure.raw for figure in found if figure.kind is not Kind.DATE)
        | frozenset(Fraction(part) for figure in found for part in figure.day if part is not None),
    )


NOTHING = Known(*(frozenset(),) * 6)


# --- by spelling: what evaluations report ---------------------------------------------------------

_MARKER = re.compile(r"\s?\[\d{1,3}\]")
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d)")
_FULL_DATE = re.compile(
    r"(?<![\d.])((?:19|20)\d\d)\s*(?:년|[.\-/])\s*(\d{1,2})\s*(?:월|[.\-/])\s*(\d{1,2})(?!\d)(?:\s*일|\.(?!\d))?"
)
_N = r"\d+(?:\.\d+)?"
_CIRCLED = re.compile("[①-⑳]")
_ITEM = re.compile(r"^[ \t\-*]*(\d{1,2})(?:의(\d{1,2}))?[.)\\]+(?!\d)", re.MULTILINE)
_REFERENCE = re.compile(r"제\s*(\d+)\s*([조항호장절편관])(?:의(\d+)(?!\s*(?:배|분의|%|퍼센트)))?")
_ANNEX = re.compile(r"별[표지]\s*(?:제\s*)?(\d+)(?:의(\d+))?(?:호)?")
_SHARE = re.compile(rf"(10+)\s*분의\s*({_N})|({_N})\s*(?:%|％|퍼센트|프로(?![가-힣]))")
_MAGNITUDE_NAME = "천만|백만|십만|천억|백억|십억|조|억|만|천|백"
_WON = re.compile(rf"((?:{_N}\s*(?:{_MAGNITUDE_NAME})\s*)*{_N}\s*(?:{_MAGNITUDE_NAME})?)\s*원")
_WON_PART = re.compile(rf"({_N})\s*({_MAGNITUDE_NAME})?")
_MAGNITUDES = {
    "백": 10**2, "천": 10**3, "만": 10**4, "십만": 10**5, "백만": 10**6, "천만": 10**7, "억": 10**8,
    "십억": 10**9, "백억": 10**10, "천억": 10**11, "조": 10**12,
}  # fmt: skip
_UNIT_NAME = "개월|년차|년|월|주일|주|일|시간|시|분|초|명|인|회|번|차례|배|세|살|급|호봉|호|건|개소|개|점|매|부"
_PLAIN = re.compile(rf"({_N})\s*({_UNIT_NAME}|)")


def unsupported(answer: str, support: Iterable[str]) -> tuple[str, ...]:
    """The distinct figures of the answer text that stand in none of the supporting texts, in order."""
    texts = "\n".join(support)
    found = frozenset(figures(_spelled_out(texts)))
    numerals = frozenset(re.findall(_N, _without_commas(texts)))
    loose = [figure for figure in figures(_MARKER.sub("", answer).strip()) if not _stands(figure, found, numerals)]
    return tuple(dict.fromkeys(loose))


def _stands(figure: str, found: frozenset[str], numerals: frozenset[str]) -> bool:
    """A number that an answer leaves bare, or a passage does (a table's cell), needs no unit to match."""
    if figure in found:
        return True
    parts = re.fullmatch(rf"({_N})(\D*)", figure)
    return parts is not None and parts[1] in (found if parts[2] else numerals)


def figures(text: str) -> list[str]:
    """The figures of a text, each in one form; what one pattern takes is not read again by the next."""
    found: list[str] = []
    rest = _without_commas(_CIRCLED.sub(_paragraph, text))
    for pattern, form in _FORMS:
        found.extend(form(match) for match in pattern.finditer(rest))
        rest = pattern.sub(" \n ", rest)
    return found


def _without_commas(text: str) -> str:
    return _COMMA_IN_NUMBER.sub("", unicodedata.normalize("NFC", text))


def _spelled_out(passages: str) -> str:
    """Passages with what their layout says in words: item `2.` is 제2호, a dated year is that year too."""
    items = [f"제{item[1]}호" + (f"의{item[2]}" if item[2] else "") for item in _ITEM.finditer(passages)]
    years = [f"{match[1]}년 {int(match[2])}월" for match in _FULL_DATE.finditer(passages)]
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
    return f"{_plain(sum((Decimal(digits) * _MAGNITUDES.get(name, 1) for digits, name in parts), Decimal()))}원"


def _number(match: re.Match[str]) -> str:
    return match[1] + match[2]


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_FULL_DATE, _date),
    (_ANNEX, _annex),
    (_REFERENCE, _reference),
    (_SHARE, _share),
    (_WON, _won),
    (_PLAIN, _number),
)
