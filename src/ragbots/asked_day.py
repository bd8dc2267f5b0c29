"""The day whose rules a question asks for, where it says so: `2019년 기준으로`, `작년 6월에는`, `개정 전에는`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ragbots.regulation.commencement import months_later


class Relation(StrEnum):
    """Where the day lies from an amendment that the question means without naming its date."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class AskedDay:
    """A stretch of days (both included; None = not said), how it lies to an amendment, and the question without the
    words that say so."""

    first: date | None
    last: date | None
    relation: Relation | None
    rest: str

    def day(self, today: date) -> date | None:
        """One day for the stretch: its middle, on which whatever held for most of it is in force; its first where all
        of it is to come."""
        if self.first is None or self.last is None:
            return None
        return self.first if self.first > today else min(self.first + (self.last - self.first) // 2, today)


_YEARS = {
    "재작년": -2, "작년": -1, "지난해": -1, "전년도": -1, "올해": 0, "금년": 0, "내년": 1, "명년": 1, "내후년": 2,
}  # fmt: skip
_MONTHS = {"지난달": -1, "이번달": 0, "다음달": 1, "내달": 1}
_YEAR_WORDS = "|".join(sorted(_YEARS, key=len, reverse=True))
_DATE = rf"""(?:
      (?P<year>(?:19|20)\d\d)\s?(?:년도?(?!\s?[간전차])|(?=[.\-/]\s?\d))
    | (?<![가-힣])(?P<word>{_YEAR_WORDS})
    )(?:\s?(?:[.\-/]\s?)?(?P<month>1[0-2]|0?[1-9])(?:\s?월|(?=[.\-/]))(?:\s?(?:[.\-/]\s?)?(?P<day>[12]\d|3[01]|0?[1-9])(?:\s?일|\.)?(?!\d))?)?
    | (?<![가-힣])(?P<months>지난\s?달|이번\s?달|다음\s?달|내달)
    | (?P<ago>\d{{1,2}})\s?(?P<unit>년|개월|달)\s?전
"""
_PART = r"(?P<part>\s?(?:초|말|상반기|하반기))?"
# Said of a day whose rules are asked for, whatever else the question tells.
_ASKED = re.compile(
    rf"(?:{_DATE}){_PART}\s?(?P<mark>(?:을|를)?\s?기준(?:으로는?|에는?|이면|상|은)?|당시(?:의|에는?|에도|는)?|시점(?:에는?|으로|의)?"
    r"|현재(?:로|의|는)?|(?:에|까지|부터)는|때(?:는|에는|의)?|(?:부터|에)(?=\s?(?:바뀌|달라|변경|개정|시행|적용|오르|늘|줄))|에\s?시행"
    r"|자?\s?(?:개정|시행)?\s?(?:법|규정|지침)(?:으로는?|에서는?|상|은|에는?|이|을|의)"
    r"|\s?(?P<until>이전)(?:에는|에도|에|의|까지는?)?"
    r"|(?:에|의)?\s?(?:[가-힣]+이?가?\s)?(?:법|규정|규칙|지침|조례)?[이가]?\s?(?:바뀌|개정(?:되|하)?|변경되?)기?\s?(?P<before>전)(?:에는|에|의|까지는?)?)",
    re.VERBOSE,
)
# Of a day to come, in the clause that asks: `내년부터 연차가 며칠인가요?`. What began on a day gone by is a fact, and
# so is what somebody is going to do.
_FROM = re.compile(
    rf"(?:{_DATE})(?P<part>\s?초)?(?P<mark>\s?(?:부터|이후)(?:에?는|에|의)?)(?=[\s,][^.?!]*[.?!\s]*$)"
    r"(?!.*(?:데|고|니까|지만|[아어해라]서|며|면)[\s,])",
    re.VERBOSE,
)
# Said of a day that may also be one of the facts; its rules are asked for where the question is of the past.
_TOLD = re.compile(rf"(?:{_DATE}){_PART}(?P<mark>\s?(?:에(?=[\s,])|(?=[\s,])))", re.VERBOSE)
_OF_THEN = re.compile(
    r"(?:그때|그\s?당시|당시)(?:의|에는|에)?\s?(?:규정|법|기준|규칙|지침)?(?:으로는?|에는?|상|은|의)?"
)
_ENDS_IN_SS = "".join(
    chr(code) for code in range(0xAC00, 0xD7A4) if (code - 0xAC00) % 28 == 20 and chr(code) not in "있겠"
)
_PAST = re.compile(
    rf"[{_ENDS_IN_SS}]\s?(?:나요?|죠|지요?|어요?|습니까|을까요?|는지요?|던가요?|니|냐|음)(?=\s?[?.!]|\s*$)"
)
_BEFORE = re.compile(
    r"(?:(?:법|규정|규칙|지침|조항|제도)[이가은는]?\s?)?(?:개정|변경|바뀌|달라지|고치)(?:되|하)?기?\s?(?:이)?전(?:에는|에|의|까지는?)?(?:\s?(?:법|규정|내용)(?:에서는|에는|은)?)?"
    r"|(?:예전|종전|구)\s?(?:법|규정)(?:에서는|에는|에서|에|으로는|은)|예전에는"
)
_AFTER = re.compile(
    r"(?:법|규정|규칙|지침)?[이가]?\s?(?:개정(?:되면|된\s?(?:뒤|후|다음)|\s?후)|바뀌면|바뀐\s?(?:뒤|후|다음)|시행되면)(?:에는|에|의|부터는?)?"
    r"|앞으로\s?(?:바뀌는|바뀔|개정되는|달라지는)"
)
_NOW = re.compile(r"(?<![가-힣])(?:지금|현재|오늘|현행)(?:은|는|의|\s|$)")


def read_day(text: str, today: date) -> AskedDay | None:
    """What the question says of the day that it asks for; None where it says nothing.

    A day that only belongs to what happened (`작년에 입사했는데`) is not asked for.
    """
    found = _ASKED.search(text)
    if found is not None:
        relation = Relation.BEFORE if found["before"] else None
        stretch = _stretch(found, today)
        if stretch is not None and found["until"]:
            stretch = (stretch[0] - timedelta(days=1),) * 2
        if stretch is not None:
            return AskedDay(*stretch, relation, _without(text, found))
    begins = _FROM.search(text)
    stretch = _stretch(begins, today) if begins else None
    if begins and stretch and stretch[0] > today:
        return AskedDay(*stretch, None, _without(text, begins))
    for pattern, relation in ((_BEFORE, Relation.BEFORE), (_AFTER, Relation.AFTER)):
        if match := pattern.search(text):
            return AskedDay(None, None, relation, _without(text, match))
    told = _TOLD.search(text)
    of_then = _OF_THEN.search(text)
    if told is None or not (of_then or _PAST.search(text)) or (_NOW.search(text) and not of_then):
        return None
    stretch = _stretch(told, today)
    return None if stretch is None else AskedDay(*stretch, None, _without(_without_match(text, of_then), told))


def says_now(text: str) -> bool:
    """Whether the question asks for the rules of today in so many words."""
    return bool(_NOW.search(text))


def _without_match(text: str, match: re.Match[str] | None) -> str:
    return text if match is None else text.replace(match[0], " " * len(match[0]))


def _without(text: str, match: re.Match[str]) -> str:
    rest = " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())
    return rest if sum(map(str.isalnum, rest)) > 1 else text


def _stretch(match: re.Match[str], today: date) -> tuple[date, date] | None:
    """The first and last day of the year, month or day that was named; None where there is no such day."""
    if match["months"]:
        return _month(months_later(today.replace(day=1), _MONTHS["".join(match["months"].split())]))
    if match["ago"]:
        months = int(match["ago"]) * (12 if match["unit"] == "년" else 1)
        day = months_later(today, -months)
        return day, day
    year = int(match["year"]) if match["year"] else today.year + _YEARS[match["word"]]
    if not match["month"]:
        if year == today.year:
            return today, today
        first, last = date(year, 1, 1), date(year, 12, 31)
    elif match["day"]:
        try:
            first = last = date(year, int(match["month"]), int(match["day"]))
        except ValueError:
            return None
    else:
        first, last = _month(date(year, int(match["month"]), 1))
    return _part(first, last, (match["part"] or "").strip())


def _month(first: date) -> tuple[date, date]:
    return first, months_later(first, 1) - timedelta(days=1)


def _part(first: date, last: date, part: str) -> tuple[date, date]:
    """`2021년 초`, `2021년 말`, the halves of a year."""
    middle = first + (last - first) // 2
    narrowed: dict[str, Callable[[], tuple[date, date]]] = {
        "초": lambda: (first, first), "말": lambda: (last, last),
        "상반기": lambda: (first, middle), "하반기": lambda: (middle + timedelta(days=1), last),
    }  # fmt: skip
    return narrowed[part]() if part else (first, last)
