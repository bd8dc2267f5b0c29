"""Personal data made up from a seed, in the ways people write it, and sentences to stand in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

LAWS = Path(__file__).parents[1].parent / "shared" / "data" / "laws"

SENTENCES = (
    "제 {label}는 {number}인데 연차가 며칠 남았나요?",
    "{number} 직원의 출산휴가를 신청하려고 합니다.",
    "배우자({number})의 건강검진도 지원되나요?",
    "신청서에 {label}:{number} 이라고 적었는데 제17조의2에 맞나요?",
    "입사일은 2020. 3. 2.이고 {label} {number}, 급여는 3,200,000원입니다.",
    "여비 정산은 어떻게 하나요?\n{label}\n{number}\n감사합니다",
    "1) 홍길동 {number} 2) 경조금 500,000원",
    "법률 제20520호에 따라 {number}로 통보받았습니다",
    "[{label}] {number}, 2026. 11. 28.까지 내면 되나요",
    "{number}",
    "규정 제3조 제2항 확인 부탁드려요. 제 {label}{number}입니다.",
    "문의드립니다/{number}/김철수",
)

_AREAS = ("02", "031", "032", "033", "041", "042", "043", "044", "051", "052", "053", "054", "055", "061", "062", "063")
_FOR_ALL = (
    "1522",
    "1533",
    "1544",
    "1566",
    "1577",
    "1588",
    "1599",
    "1600",
    "1644",
    "1661",
    "1670",
    "1800",
    "1833",
    "1899",
)
_DASHES = "-‐‑‒–—−－﹣"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_DIGITS = ("０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "٠١٢٣٤٥٦٧٨٩")


def registration(random: Random) -> list[str]:
    born = date(1930, 1, 1) + timedelta(days=random.randrange(35_000))
    foreign = random.random() < 0.3
    digit = random.choice(("56" if foreign else "12") if born.year < 2000 else ("78" if foreign else "34"))
    return [f"{born:%y%m%d}", f"{digit}{random.randrange(10**6):06}"]


def card(random: Random) -> list[str]:
    prefix, length = random.choice(
        [("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("36", 14),
         ("3528", 16), ("3589", 16), ("6011", 16), ("62", 16), ("62", 19), ("65", 16), ("9410", 16), ("9", 16),
         ("4", 19)]
    )  # fmt: skip
    body = prefix + "".join(random.choice("0123456789") for _ in range(length - len(prefix) - 1))
    number = body + _luhn_digit(body)
    sizes = {14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}[length]
    return _cut(number, sizes)


def phone(random: Random) -> list[str]:
    def some(count: int) -> str:
        return str(random.randrange(1, 10)) + "".join(random.choice("0123456789") for _ in range(count - 1))

    kind = random.randrange(10)
    last = f"{random.randrange(10**4):04}"
    if kind < 5:
        return ["010", some(4), last]
    if kind == 5:
        return [random.choice(("011", "016", "017", "018", "019")), some(random.choice((3, 4))), last]
    if kind == 6:
        area = random.choice(_AREAS)
        return [area, some(random.choice((3, 4))), last]
    if kind == 7:
        return [random.choice(("0502", "0503", "0504", "0505", "0507", "050")), some(4), last]
    if kind == 8:
        return [
            random.choice(_FOR_ALL),
            last,
        ]
    return [random.choice(("070", "080")), some(4 if random.random() < 0.5 else 3), last]


def account(random: Random) -> list[str]:
    sizes = random.choice([(6, 2, 6), (3, 3, 6), (4, 3, 6), (3, 2, 6, 1), (3, 4, 4, 2), (4, 2, 7), (14,)])
    return ["".join(random.choice("0123456789") for _ in range(size)) for size in sizes]


LABELS: dict[str, tuple[Callable[[Random], list[str]], tuple[str, ...]]] = {
    "registration": (registration, ("주민등록번호", "주민번호", "외국인등록번호", "민번")),
    "card": (card, ("카드번호", "법인카드", "결제 카드")),
    "phone": (phone, ("전화번호", "휴대폰", "연락처")),
}


def written(random: Random, groups: list[str]) -> str:
    """The number in one of the ways people write it. A number of eight digits for all of the country is no phone
    without a break in it."""
    joined = ["", " ", "-", ".", " - ", "- ", " -", "  ", *_DASHES, "·", "．", "\u00a0"]
    if len(groups) == 2 and len(groups[0]) == 4:
        joined.remove("")
    text = random.choice(joined).join(groups)
    if groups[0].startswith("0") and len(groups) == 3:
        way = random.randrange(6)
        if way == 0:
            text = random.choice(("+82 ", "+82-", "+82", "+82 (0)")) + random.choice((" ", "-")).join(
                [groups[0][1:], *groups[1:]]
            )
        elif way == 1:
            text = random.choice((f"({groups[0]}) ", f"({groups[0]})", f"{groups[0]})")) + "-".join(groups[1:])
    elif random.random() < 0.05 and joined[0] == "":
        text = " ".join("".join(groups))  # every digit for itself
    if random.random() < 0.25:
        digits = random.choice(_DIGITS)
        text = text.translate({ord(str(value)): digit for value, digit in enumerate(digits)})
    if random.random() < 0.15:
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(1, len(text))
            text = text[:at] + random.choice(_INVISIBLE) + text[at:]
    return text


def sentence(random: Random, label: str, number: str) -> str:
    text = random.choice(SENTENCES).format(label=label, number=number)
    return unicodedata.normalize("NFD" if random.random() < 0.25 else "NFC", text)


def digits_of(text: str) -> str:
    """All decimal digits as ASCII: what would still be told of a number."""
    return "".join(str(unicodedata.decimal(one)) for one in text if unicodedata.decimal(one, None) is not None)


def _luhn_digit(body: str) -> str:
    total = 0
    for at, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - at % 2)
        total += value - 9 * (value > 9)
    return str(-total % 10)


def _cut(number: str, sizes: tuple[int, ...]) -> list[str]:
    groups, at = [], 0
    for size in sizes:
        groups.append(number[at : at + size])
        at += size
    return groups
