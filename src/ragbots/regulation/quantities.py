"""Amounts in words and figures (`8천만원`, `20개월`) and the ranges that labels name (`12개월 이상 24개월 미만`)."""

from __future__ import annotations

import re
from typing import NamedTuple


class Quantity(NamedTuple):
    """A number in its base unit: won, months (years are twelve), kilometres …"""

    value: float
    unit: str


_DIGITS = {"일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "칠": 7, "팔": 8, "구": 9}
_SMALL = {"십": 10, "백": 100, "천": 1000}
_LARGE = {"만": 10_000, "억": 100_000_000}
_BASE = (
    "원", "개월", "년", "일", "명", "시간", "급", "등급", "호봉", "점", "%", "km", "세", "회", "건", "개", "대", "달러",
    "주", "톤", "㎡",
)  # fmt: skip
_UNITS = {
    **{unit: unit for unit in _BASE},
    "달": "개월", "인": "명", "퍼센트": "%", "프로": "%", "킬로미터": "km", "킬로": "km", "㎞": "km",
    "살": "세", "번": "회", "차": "회", "제곱미터": "㎡",
}  # fmt: skip
_NUMBER = (
    r"(?:\d[\d,]*+(?:\.\d+)?|[일이삼사오육칠팔구]?[십백천])"
    r"(?:[일이삼사오육칠팔구\d]{0,4}[십백천만억]|\s(?=\d[\d,]*[십백천만]))*\d*"
)
_ANY_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_QUANTITY = re.compile(rf"(?<![\d.,가-힣제])({_NUMBER})\s?({_ANY_UNIT})(?!\d)")
_BOUND = re.compile(r"\s*(?:\([^()]*\))?\s*(이상|초과|이하|미만|이내|까지|부터|을\s?넘|를\s?넘|넘)")
_SPAN = re.compile(rf"({_NUMBER})\s?[가-힣%]{{0,4}}\s?[~∼～\-–]\s?({_NUMBER})\s?({_ANY_UNIT})")


def quantities(text: str) -> list[Quantity]:
    """The amounts a text names, in order."""
    return [_quantity(match[1], match[2]) for match in _QUANTITY.finditer(text)]


def admits(label: str, asked: Quantity) -> bool:
    """Whether a label names this amount, or a range it lies in: `5천만원 초과 1억원 이하` admits `8천만원`."""
    for match in _SPAN.finditer(label):
        low, high = _quantity(match[1], match[3]), _quantity(match[2], match[3])
        if low.unit == asked.unit:
            return low.value <= asked.value <= high.value
    bounds: list[bool] = []
    for match in _QUANTITY.finditer(label):
        here = _quantity(match[1], match[2])
        if here.unit == asked.unit:
            bound = _BOUND.match(label, match.end())
            bounds.append(_within(asked.value, here.value, bound[1] if bound else ""))
    return bool(bounds) and all(bounds)


def _within(asked: float, limit: float, bound: str) -> bool:
    match bound:
        case "이상" | "부터":
            return asked >= limit
        case "이하" | "이내" | "까지":
            return asked <= limit
        case "미만":
            return asked < limit
        case "":
            return asked == limit
        case _:
            return asked > limit


def _quantity(number: str, unit: str) -> Quantity:
    value, base = _value(number), _UNITS[unit]
    return Quantity(value * 12, "개월") if base == "년" and value < 100 else Quantity(value, base)


def _value(number: str) -> float:
    """`1억 5천만` = 150,000,000; `2,000만` = 20,000,000."""
    total = section = 0.0
    digits = ""
    for character in number:
        if character.isdigit() or character == ".":
            digits += character
        elif character in _DIGITS:
            digits = str(_DIGITS[character])
        elif character in _SMALL:
            section += (float(digits) if digits else 1.0) * _SMALL[character]
            digits = ""
        elif character in _LARGE:
            total += ((section + (float(digits) if digits else 0.0)) or 1.0) * _LARGE[character]
            section, digits = 0.0, ""
    return total + section + (float(digits) if digits.strip(".") else 0.0)
