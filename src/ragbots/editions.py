"""The versions of one regulation over time: which article of which of them is in force on a day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

from ragbots.references import UNITS
from ragbots.regulation.commencement import effective_day, exceptions, promulgation_day
from ragbots.regulation.notes import is_repealed
from ragbots.regulation.reading import readable
from ragbots.types import Address, Block, BlockKind, Document, Level

Unit = tuple[str, Address]  # a regulation over all its versions, and an article, annex or form of it
_NAMES = ("법령ID", "제목", "title")


@dataclass(frozen=True)
class Edition:
    """One version of a regulation: what each article of it says, and from which day it holds where that is not
    the day of the whole."""

    document: Document
    effective: date
    articles: Mapping[Address, tuple[Block, ...]]
    exceptions: Mapping[Address, date]


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` until the day before `end`; None is open."""

    first: date | None = None
    end: date | None = None

    def holds(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.end is None or day < self.end)


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Change:
    """What a place says from a day on; no text = it is repealed."""

    day: date
    text: str


@dataclass(frozen=True)
class Timeline:
    """All regulations of a bot over time.

    Of documents that are versions of a regulation, `periods` says for each article when it is in force, and `whole`
    for whatever else stands in them. Other documents always are. `effective` are the days from which documents hold.
    """

    families: Mapping[str, str]
    editions: Mapping[str, tuple[Edition, ...]]
    periods: Mapping[tuple[str, Address], Period]
    whole: Mapping[str, Period]
    effective: Mapping[str, date]

    def period(self, document_id: str, unit: Address) -> Period:
        return self.periods.get((document_id, unit)) or self.whole.get(document_id, ALWAYS)

    def unit(self, document_id: str, unit: Address) -> Unit:
        """What the article is called in every version."""
        return self.families.get(document_id, document_id), unit

    @cached_property
    def days(self) -> list[date]:
        """The days on which something begins or ends to hold, ascending."""
        return sorted(
            {day for one in (*self.periods.values(), *self.whole.values()) for day in (one.first, one.end) if day}
        )

    def era(self, day: date) -> int:
        """The number of the stretch of time between two changes; the same rules hold on all its days."""
        return bisect_right(self.days, day)

    def history(self, unit: Unit) -> list[tuple[Period, Edition]]:
        """The versions of an article that were, are or will be in force, in the order of time."""
        family, address = unit
        known = [(self.period(one.document.id, address), one) for one in self.editions.get(family, ())]
        there = [(period, one) for period, one in known if address in one.articles and _ever(period)]
        return sorted(there, key=lambda pair: pair[0].first or date.min)

    def changes(self, unit: Unit) -> list[date]:
        """The days on which the text of the article became another, ascending."""
        return [
            later.first
            for (_, before), (later, after) in pairwise(self.history(unit))
            if later.first and text_of(before.articles[unit[1]]) != text_of(after.articles[unit[1]])
        ]

    def coming(self, document_id: str, places: Sequence[Address], after: date) -> Change | None:
        """The next change of what stands at these places of one article of a document, from a day later than `after`.

        Only a change of the paragraphs that the places lie in counts.
        """
        address = places[0].up_to(*UNITS) if places else Address()
        now = next((one for one in self._family(document_id) if one.document.id == document_id), None)
        if now is None or address not in now.articles:
            return None
        wanted = {place.up_to(Level.PARAGRAPH, *UNITS) for place in places}
        said = _said_in(now, address, wanted)
        history = self.history(self.unit(document_id, address))
        for period, edition in history:
            if period.first and period.first > after and _said_in(edition, address, wanted) != said:
                return Change(period.first, _readable_in(edition, address, wanted))
        end = self.period(document_id, address).end
        later = any(period.first == end for period, _ in history)
        return Change(end, "") if end and end > after and not later else None

    def _family(self, document_id: str) -> tuple[Edition, ...]:
        return self.editions.get(self.families.get(document_id, ""), ())

    @property
    def earliest(self) -> Mapping[str, date]:
        """Of each regulation that has several versions the first day of which something is known."""
        return {family: editions[0].effective for family, editions in self.editions.items()}


def _said_in(edition: Edition, address: Address, wanted: AbstractSet[Address]) -> str:
    own = edition.articles.get(address, ())
    if wanted == {address}:
        return text_of(own)
    return text_of([block for block in own if block.address.up_to(Level.PARAGRAPH, *UNITS) in wanted])


def _readable_in(edition: Edition, address: Address, wanted: AbstractSet[Address]) -> str:
    own = [block for block in edition.articles[address] if block.kind not in (BlockKind.NOTE, BlockKind.ARTICLE)]
    chosen = [block for block in own if block.address.up_to(Level.PARAGRAPH, *UNITS) in wanted] or own
    return " ".join(readable(block) for block in chosen)


def _ever(period: Period) -> bool:
    return period.first is None or period.end is None or period.first < period.end


def timeline(documents: Sequence[Document], blocks: Mapping[str, Sequence[Block]]) -> Timeline:
    """Puts the documents that are versions of one regulation in the order of time.

    Those whose front matter bears the same 법령ID, or without one the same 제목, are versions of one; a document
    without a date is none. The index holds their articles under each document's own id.
    """
    effective = {one.id: day for one in documents if (day := effective_day(one, blocks[one.id]))}
    grouped: dict[str, list[Document]] = {}
    for one in documents:
        name = next((f"{key}={one.metadata[key]}" for key in _NAMES if one.metadata.get(key)), None)
        if name and one.id in effective:
            grouped.setdefault(name, []).append(one)
    editions = {
        name: tuple(_edition(one, blocks[one.id], effective[one.id]) for one in _by_age(group, effective, blocks))
        for name, group in grouped.items()
        if len(group) > 1
    }
    families = {one.document.id: name for name, family in editions.items() for one in family}
    periods = {place: period for family in editions.values() for place, period in _periods(family)}
    whole = {
        one.document.id: Period(one.effective, after.effective if after else None)
        for family in editions.values()
        for one, after in zip(family, (*family[1:], None), strict=True)
    }
    return Timeline(families, editions, periods, whole, effective)


def _by_age(
    group: Sequence[Document], effective: Mapping[str, date], blocks: Mapping[str, Sequence[Block]]
) -> list[Document]:
    def age(one: Document) -> tuple[date, date, str]:
        return effective[one.id], promulgation_day(one, blocks[one.id]) or date.min, one.source

    return sorted(group, key=age)


def _edition(document: Document, blocks: Sequence[Block], effective: date) -> Edition:
    return Edition(document, effective, articles_of(blocks), exceptions(document, blocks))


def articles_of(blocks: Sequence[Block]) -> dict[Address, tuple[Block, ...]]:
    """The articles, annexes and forms with their blocks; repealed ones are not there."""
    found: dict[Address, list[Block]] = {}
    for block in blocks:
        if unit := block.address.up_to(*UNITS) or block.address.up_to(Level.ADDENDUM):
            found.setdefault(unit, []).append(block)
    return {unit: tuple(own) for unit, own in found.items() if not all(map(_says_nothing, own))}


def _says_nothing(block: Block) -> bool:
    bare = block.kind is BlockKind.ARTICLE and block.text.strip() == str(block.address)
    return bare or block.kind is BlockKind.NOTE or is_repealed(block)


def text_of(blocks: Sequence[Block]) -> str:
    """What an article says, in a form in which notes, white space and the dot between words make no difference."""
    return folded("".join(readable(block) for block in blocks if block.kind is not BlockKind.NOTE))


def folded(text: str) -> str:
    """The text without white space, the two middle dots as one."""
    return "".join(text.split()).replace("ㆍ", "·")


def _periods(family: Sequence[Edition]) -> Iterator[tuple[tuple[str, Address], Period]]:
    """Each version of an article holds from its own day until that of a later version of it."""
    units = {unit for edition in family for unit in edition.articles}
    for unit in units:
        begins = [_begins(family[number - 1] if number else None, one, unit) for number, one in enumerate(family)]
        for number, edition in enumerate(family):
            if unit in edition.articles:
                yield (edition.document.id, unit), Period(begins[number], min(begins[number + 1 :], default=None))


def _begins(before: Edition | None, edition: Edition, unit: Address) -> date:
    """When what this version says of the article holds.

    Where only places within the article have a day of their own, it is the article's if nothing else in it changed.
    """
    named = {place: day for place, day in edition.exceptions.items() if unit.contains(place)}
    if unit in named:
        return named[unit]
    if not named or before is None:
        return edition.effective
    old, new = _by_place(before.articles.get(unit, ())), _by_place(edition.articles.get(unit, ()))
    changed = [place for place in old.keys() | new.keys() if old.get(place) != new.get(place)]
    if changed and all(any(one.contains(place) for one in named) for place in changed):
        return max(named.values())
    return edition.effective


def _by_place(blocks: Sequence[Block]) -> dict[Address, str]:
    found: dict[Address, str] = {}
    for block in blocks:
        found[block.address] = found.get(block.address, "") + text_of([block])
    return found
