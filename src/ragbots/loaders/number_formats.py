"""Values of a spreadsheet as its reader sees them: `80,000원`, `12.5%`, `2026년 1월 1일`.

Covers what tables of regulations use: thousands, decimals, percentages, units and signs around the
number, dates and times. Of fractions and powers of ten the value itself is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|\[\$(?P<sign>[^\]-]*)[^\]]*\]|\[(?P<elapsed>[hms]+)\]|\[[^\]]*\]'
    r"|_.|\*.|(?P<noon>AM/PM|A/P|오전/오후)|(?P<date>y+|m+|d+|h+|s+|a{3,4}|g+|e+)(?![A-Za-z])"
    r"|(?P<number>[0#?]|[.,%](?=[0#?.,%\s]|$|[^\w]|_)|%)|(?P<text>@)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(r'((?:"[^"]*"|\\.|[^;"\\])*)(?:;|$)')
_NOT_FORMATTED = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\])|(?P<hard>E[+-]|[?#0]\s*/\s*[?#0\d])', re.IGNORECASE)
_GENERAL = re.compile("general", re.IGNORECASE)
_GENERAL_DIGITS = 11  # what Excel shows in a wide cell
_BY_COUNTRY = {  # built-in formats whose look the reader's country decides; in Korea:
    "mm-dd-yy": "yyyy-mm-dd",
    "m/d/yy": "yyyy-mm-dd",
    "m/d/yy h:mm": "yyyy-mm-dd h:mm",
    "[$-f800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy": 'yyyy"년" m"월" d"일"',
}
_WEEKDAYS = "월화수목금토일"
_TOO_LONG = 255  # characters; Excel allows no longer format

Moment = datetime | date | time | timedelta


def shown(value: object, number_format: str) -> str:
    """The text of a cell's value under its number format."""
    number_format = number_format if len(number_format) <= _TOO_LONG else "General"
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float() | Decimal():
            return _number(value, number_format)
        case datetime() | date() | time() | timedelta():
            return _moment(value, number_format)
        case _:
            return _text(str(value), number_format)


def _text(value: str, number_format: str) -> str:
    """Text, in what a format such as `@"님"` puts around it."""
    section = next((one for one in _sections(number_format) if "@" in one), "@")
    return "".join(value if token["text"] else _literal(token) for token in _TOKEN.finditer(section))


def _literal(token: re.Match[str]) -> str:
    return next((token[name] for name in ("quoted", "escaped", "sign", "other") if token[name] is not None), "")


def _sections(number_format: str) -> list[str]:
    return [match[1] for match in _SECTION.finditer(number_format)][:4]


def general(value: float | Decimal) -> str:
    """A number without a format: no trailing zeros, no noise of binary fractions, no powers of ten."""
    try:
        exact = Decimal(str(value))
        whole_digits = max(exact.adjusted() + 1, 1)
        if whole_digits > 2 * _GENERAL_DIGITS or exact.adjusted() < -_GENERAL_DIGITS:
            return str(value)
        rounded = _rounded(exact, max(_GENERAL_DIGITS - whole_digits, 0))
    except InvalidOperation:
        return str(value)
    plain = f"{rounded:f}"
    return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"


def _number(value: float | Decimal, number_format: str) -> str:
    sections = _sections(number_format) or ["General"]
    negative_section = value < 0 and len(sections) > 1 and bool(sections[1])
    section = sections[1] if negative_section else sections[0]
    if value == 0 and len(sections) > 2 and sections[2]:
        section = sections[2]
    hard = any(match["hard"] for match in _NOT_FORMATTED.finditer(section))
    if hard or section.strip() in ("", "@"):
        return general(value)
    if "general" in section.lower():
        return _text(general(value), _GENERAL.sub("@", section))
    tokens = list(_TOKEN.finditer(section))
    if not any(token["number"] and token["number"] in "0#?" for token in tokens):
        return "".join(_literal(token) for token in tokens).strip()
    try:
        return _filled(tokens, Decimal(str(value)), signed=not negative_section).strip()
    except InvalidOperation:
        return general(value)


def _filled(tokens: Sequence[re.Match[str]], value: Decimal, *, signed: bool) -> str:
    """The number in the places that the format has for its digits, signs and units around them."""
    marks = "".join(token["number"] or "" for token in tokens)
    whole, _, fraction = marks.partition(".")
    thousands = "," in whole.rstrip(",%").lstrip(",")
    scale = len(whole) - len(whole.rstrip(",%")) - whole.count("%")
    places = sum(mark in "0#?" for mark in fraction)
    scaled = value * Decimal(100) ** marks.count("%") / Decimal(1000) ** max(scale, 0)
    digits, _, decimals = f"{abs(_rounded(scaled, places)):f}".partition(".")
    digits = digits.lstrip("0").rjust(whole.count("0"), "0")
    decimals = decimals[:places].rstrip("0").ljust(fraction.count("0"), "0")
    is_negative = signed and scaled < 0 and any(digit != "0" for digit in digits + decimals)
    if thousands:
        digits = f"{int(digits or 0):,}" if digits else ""
    return ("-" if is_negative else "") + "".join(_placed(tokens, digits, decimals, together=thousands))


def _placed(tokens: Sequence[re.Match[str]], digits: str, decimals: str, *, together: bool) -> Iterator[str]:
    """Each token's text; digits fill the places from the right, as in `000-0000`, the first takes what is left."""
    point = next((n for n, token in enumerate(tokens) if token["number"] == "."), len(tokens))
    places = [n for n, token in enumerate(tokens[:point]) if token["number"] and token["number"] in "0#?"]
    share: dict[int, str] = {}
    for n in reversed(places):
        takes_rest = n == places[0] or together
        share[n] = digits if takes_rest else digits[-1:]
        digits = "" if takes_rest else digits[:-1]
    for n, token in enumerate(tokens):
        mark = token["number"]
        if mark is None:
            yield _literal(token) or (token["date"] or "")
        elif mark == "%":
            yield mark
        elif n == point:
            yield f".{decimals}" if decimals else ""
        else:
            yield share.get(n, "")


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _moment(value: Moment, number_format: str) -> str:
    section = (_sections(_BY_COUNTRY.get(number_format.lower(), number_format)) or [""])[0]
    tokens = list(_TOKEN.finditer(section))
    if not any(token["date"] or token["elapsed"] for token in tokens):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, timedelta):
        return _elapsed(value, tokens)
    return "".join(_moment_token(value, tokens, n) for n in range(len(tokens))).strip()


def _elapsed(value: timedelta, tokens: Sequence[re.Match[str]]) -> str:
    """Hours and minutes that go on beyond a day."""
    minutes = int(value.total_seconds()) // 60
    seconds = int(value.total_seconds()) % 60
    with_seconds = any((token["date"] or "").lower().startswith("s") for token in tokens)
    return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if with_seconds else "")


def _moment_token(value: datetime | date | time, tokens: Sequence[re.Match[str]], at: int) -> str:
    token = tokens[at]
    name = (token["date"] or token["elapsed"] or "").lower()
    if token["noon"]:
        afternoon = getattr(value, "hour", 0) >= 12
        return ("오후" if afternoon else "오전") if "오전" in token["noon"] else ("PM" if afternoon else "AM")
    if not name:
        return token["number"] or _literal(token)
    if name.startswith("m") and _is_minutes(tokens, at):
        return f"{getattr(value, 'minute', 0):0{min(len(name), 2)}}"
    twelve = any(one["noon"] for one in tokens)
    return _PARTS[name[0]](value, len(name), twelve) if name[0] in _PARTS else ""


def _is_minutes(tokens: Sequence[re.Match[str]], at: int) -> bool:
    """`m` is minutes after an hour or before a second, else the month."""
    before = [(one["date"] or one["elapsed"] or "").lower() for one in tokens[:at]]
    after = [(one["date"] or one["elapsed"] or "").lower() for one in tokens[at + 1 :]]
    last, following = next(filter(None, reversed(before)), ""), next(filter(None, after), "")
    return last.startswith("h") or following.startswith("s")


def _year(value: date, width: int, _: bool) -> str:
    return f"{value.year:04}" if width > 2 else f"{value.year % 100:02}"


def _month(value: date, width: int, _: bool) -> str:
    return f"{value.month:0{min(width, 2)}}"


def _day(value: date, width: int, _: bool) -> str:
    return f"{value.day:0{width}}" if width <= 2 else _weekday(value, width, _)


def _weekday(value: date, width: int, _: bool) -> str:
    return _WEEKDAYS[value.weekday()] + ("요일" if width > 3 else "")


def _hour(value: time, width: int, twelve: bool) -> str:
    return f"{((value.hour - 1) % 12 + 1) if twelve else value.hour:0{min(width, 2)}}"


def _second(value: time, width: int, _: bool) -> str:
    return f"{value.second:0{min(width, 2)}}"


def _guarded(part: Callable[..., str]) -> Callable[[Moment, int, bool], str]:
    """Nothing where the value has no such part, such as the year of a time."""

    def of(value: Moment, width: int, twelve: bool) -> str:
        try:
            return part(value, width, twelve)
        except AttributeError:
            return ""

    return of


_PARTS: Mapping[str, Callable[[Moment, int, bool], str]] = {
    "y": _guarded(_year),
    "e": _guarded(_year),
    "m": _guarded(_month),
    "d": _guarded(_day),
    "a": _guarded(_weekday),
    "h": _guarded(_hour),
    "s": _guarded(_second),
}
