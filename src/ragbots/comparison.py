"""신구대조: what changed between two texts of a regulation, article by article."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from ragbots.editions import articles_of, text_of
from ragbots.regulation.reading import readable
from ragbots.types import Address, Block, BlockKind

SAME_ARTICLE = 0.85  # likeness of texts, from which an article is taken to have moved to another number
_WORD = re.compile(r"\s+|[^\s]+")

Piece = tuple[str, bool]  # words, and whether they stand only on this side


class Kind(StrEnum):
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    RETITLED = "retitled"
    MOVED = "moved"  # the same or nearly the same text under another number


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """One article before and after; a side without text is None. `was` is the number it had, where it moved."""

    kind: Kind
    article: str
    old: str | None
    new: str | None
    was: str | None = None
    addendum: bool = False

    @property
    def sides(self) -> tuple[list[Piece], list[Piece]]:
        """Both texts in pieces, those marked that the other side does not have."""
        return marked(self.old or "", self.new or "")


@dataclass(frozen=True, slots=True)
class _Article:
    title: str
    body: str  # as compared
    text: str  # as read


def compare(old: Sequence[Block], new: Sequence[Block]) -> tuple[ArticleChange, ...]:
    """The articles, annexes and addenda that differ, in the order of the regulation, the addenda last.

    Notes of amendments, white space and the kind of middle dot make no difference; a repealed article is one that is
    not there.
    """
    before, after = _read(old), _read(new)
    found = list(_differing(before, after))
    moved = dict(_moved(before, after, found))
    gone = set(moved.values())
    changes = [
        ArticleChange(Kind.MOVED, one.article, before[moved[address]].text, one.new, str(moved[address]), one.addendum)
        if address in moved
        else one
        for address, one in found
        if address not in gone
    ]
    return tuple(changes)


def _read(blocks: Sequence[Block]) -> dict[Address, _Article]:
    return {address: _article(own) for address, own in articles_of(blocks).items()}


def _article(own: Sequence[Block]) -> _Article:
    body = [block for block in own if block.kind is not BlockKind.ARTICLE]
    said = [readable(block) for block in own if block.kind is not BlockKind.NOTE]
    return _Article("".join(own[0].heading.split()).replace("ㆍ", "·"), text_of(body), "\n".join(filter(None, said)))


def _differing(
    before: Mapping[Address, _Article], after: Mapping[Address, _Article]
) -> Iterator[tuple[Address, ArticleChange]]:
    order = sorted(before.keys() | after.keys(), key=lambda address: (address.in_addendum, address))
    for address in order:
        old, new = before.get(address), after.get(address)
        kind = _kind(old, new)
        if kind:
            texts = (old.text if old else None, new.text if new else None)
            yield address, ArticleChange(kind, str(address), *texts, addendum=address.in_addendum)


def _kind(old: _Article | None, new: _Article | None) -> Kind | None:
    if old is None or new is None:
        return Kind.ADDED if old is None else Kind.REMOVED
    if old.body != new.body:
        return Kind.CHANGED
    return Kind.RETITLED if old.title != new.title else None


def _moved(
    before: Mapping[Address, _Article],
    after: Mapping[Address, _Article],
    found: Sequence[tuple[Address, ArticleChange]],
) -> Iterator[tuple[Address, Address]]:
    """Pairs of an added article and the removed one whose text it has, each used once, the most alike first."""
    added = [address for address, one in found if one.kind is Kind.ADDED and not address.in_addendum]
    removed = [address for address, one in found if one.kind is Kind.REMOVED and not address.in_addendum]
    alike = [(likeness(before[old].body, after[new].body), new, old) for new in added for old in removed]
    taken: set[Address] = set()
    for share, new, old in sorted(alike, key=lambda one: -one[0]):
        if share >= SAME_ARTICLE and not {new, old} & taken:
            taken |= {new, old}
            yield new, old


def likeness(one: str, other: str) -> float:
    """How much of two texts is the same, 0–1."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return 0.0 if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < SAME_ARTICLE else matcher.ratio()


def marked(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, word by word; those are marked that the other does not have."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    sides: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, words in ((sides[0], left[i:j]), (sides[1], right[k:m])):
            if words:
                side.append(("".join(words), tag != "equal"))
    return sides
