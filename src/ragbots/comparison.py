"""신구대조: what changed between two texts of a regulation, article by article."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import pairwise

from ragbots.editions import Edition, Period, Timeline, articles_of, folded, text_of
from ragbots.regulation.notes import is_repealed, strip_notes
from ragbots.regulation.reading import readable
from ragbots.types import Address, Block, BlockKind, Level, Step

SAME_ARTICLE = 0.85  # likeness of texts, from which an article is taken to have moved to another number
ELSEWHERE = "…"  # stands for lines that say the same before and after
_WORD = re.compile(r"\s+|[^\s]+")

Piece = tuple[str, bool]  # words, and whether they stand only on this side


class Kind(StrEnum):
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    RETITLED = "retitled"
    MOVED = "moved"  # the same or nearly the same text under another number

    @property
    def in_korean(self) -> str:
        return _IN_KOREAN[self]


_IN_KOREAN = {
    Kind.CHANGED: "바뀜", Kind.ADDED: "신설", Kind.REMOVED: "삭제", Kind.RETITLED: "제목 바뀜", Kind.MOVED: "옮김",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """One article before and after; a side without text is None. `title` is its heading now, or its last;
    `from_address` the number it had, where it moved."""

    kind: Kind
    address: Address
    old: str | None
    new: str | None
    title: str = ""
    from_address: Address | None = None
    addendum: bool = False

    @property
    def article(self) -> str:
        return str(self.address)

    @property
    def was(self) -> str | None:
        return None if self.from_address is None else str(self.from_address)

    @property
    def sides(self) -> tuple[list[Piece], list[Piece]]:
        """Both texts in pieces, those marked that the other side does not have."""
        return marked(self.old or "", self.new or "")


@dataclass(frozen=True, slots=True)
class _Article:
    heading: str
    title: str  # the heading as compared
    body: str  # as compared
    text: str  # as read


_NOTHING = _Article("", "", "", "")


def compare(old: Sequence[Block], new: Sequence[Block]) -> tuple[ArticleChange, ...]:
    """The articles, annexes and addenda that differ, in the order of the regulation, the addenda last.

    Notes of amendments, white space and the kind of middle dot make no difference; a repealed article is one that is
    not there.
    """
    before, after = _read(old), _read(new)
    same = {address: address for address in before.keys() & after.keys()}
    moved = dict(_moved(before, after))
    rest = {new: old for new, old in same.items() if new not in moved and old not in moved.values()}
    pairs: list[tuple[Address | None, Address | None]] = [(old, new) for new, old in (rest | moved).items()]
    pairs += [(None, new) for new in after.keys() - rest.keys() - moved.keys()]
    pairs += [(old, None) for old in before.keys() - {*rest.values(), *moved.values()}]
    changes = [_change(before, after, *pair) for pair in pairs]
    return tuple(sorted(filter(None, changes), key=lambda one: (one.addendum, one.address, one.new is not None)))


def _read(blocks: Sequence[Block]) -> dict[Address, _Article]:
    return {address: _article(own) for address, own in articles_of(blocks).items()}


def _article(own: Sequence[Block]) -> _Article:
    body = [block for block in own if block.kind is not BlockKind.ARTICLE]
    said = [readable(block) for block in own if block.kind is not BlockKind.NOTE]
    heading = strip_notes(own[0].heading)
    return _Article(heading, folded(heading), text_of(body), "\n".join(filter(None, said)))


def _change(
    before: Mapping[Address, _Article], after: Mapping[Address, _Article], was: Address | None, now: Address | None
) -> ArticleChange | None:
    """What became of the article that was `was` and is `now`, None where it is not there; None if nothing."""
    old, new = (before[was] if was else None), (after[now] if now else None)
    kind = Kind.MOVED if was and now and was != now else _kind(old, new)
    address = now or was
    if kind is None or address is None:
        return None
    texts = (old.text if old else None, new.text if new else None)
    moved_from = was if kind is Kind.MOVED else None
    return ArticleChange(kind, address, *texts, (new or old or _NOTHING).heading, moved_from, address.in_addendum)


def _kind(old: _Article | None, new: _Article | None) -> Kind | None:
    if old is None or new is None:
        return Kind.ADDED if old is None else Kind.REMOVED
    if old.body != new.body:
        return Kind.CHANGED
    return Kind.RETITLED if old.title != new.title else None


def _moved(before: Mapping[Address, _Article], after: Mapping[Address, _Article]) -> Iterator[tuple[Address, Address]]:
    """Pairs of an article and the one of another number whose text it has, each used once, the most alike first.

    What kept its text, or nearly, under its own number has not moved.
    """
    old = {one: article for one, article in before.items() if not (one.in_addendum or _stays(one, before, after))}
    new = {one: article for one, article in after.items() if not (one.in_addendum or _stays(one, before, after))}
    alike = [
        (likeness(old[was].body, new[now].body), now, was) for now in new for was in old if now != was and old[was].body
    ]
    taken: tuple[set[Address], set[Address]] = (set(), set())
    for share, now, was in sorted(alike, key=lambda one: -one[0]):
        if share >= SAME_ARTICLE and now not in taken[0] and was not in taken[1]:
            taken[0].add(now)
            taken[1].add(was)
            yield now, was


def _stays(address: Address, before: Mapping[Address, _Article], after: Mapping[Address, _Article]) -> bool:
    old, new = before.get(address), after.get(address)
    return old is not None and new is not None and likeness(old.body, new.body) >= SAME_ARTICLE


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph with the half-open range of its blocks in its document."""

    blocks: tuple[int, int]
    text: str


def changed_paragraphs(
    old: Sequence[Block], new: Sequence[Block], before: Address, after: Address
) -> list[tuple[Passage | None, Passage | None]]:
    """The paragraphs of an article (`before` in the old text, `after` in the new) that differ, as they were and are;
    None where there is none."""
    sides = (_paragraphs(old, before), _paragraphs(new, after))
    names = dict.fromkeys([*sides[1], *sides[0]])
    pairs = [(sides[0].get(name), sides[1].get(name)) for name in names]
    return [pair for pair in pairs if _squeezed(pair[0]) != _squeezed(pair[1])]


def _paragraphs(blocks: Sequence[Block], article: Address) -> dict[tuple[Step, ...], Passage]:
    """Those of an article, by what their address adds to its."""
    found: dict[tuple[Step, ...], Passage] = {}
    for number, block in enumerate(blocks):
        if not article.contains(block.address) or block.kind in (BlockKind.ARTICLE, BlockKind.NOTE):
            continue
        if is_repealed(block):
            continue
        name = block.address.steps[len(article.steps) : len(article.steps) + 1]
        name = name if name and name[0].level is Level.PARAGRAPH else ()
        there = found.get(name)
        text = readable(block)
        found[name] = Passage(
            (there.blocks[0] if there else number, number + 1), f"{there.text}\n{text}" if there else text
        )
    return found


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an article said before a day and says from it on: its paragraphs that differ, both sides in pieces.

    `pending` where the day is still to come. Without paragraphs the article ends.
    """

    day: date
    pending: bool
    paragraphs: tuple[tuple[tuple[Piece, ...], tuple[Piece, ...]], ...]


def amendments(line: Timeline, document_id: str, article: Address, today: date) -> tuple[Amendment, ...]:
    """The amendments around a version of an article, in the order of time: the last that led to it, and the next after
    it. Of texts that are versions of nothing there are none."""
    history = line.history(line.unit(document_id, article))
    at = next((number for number, (_, one) in enumerate(history) if one.document.id == document_id), None)
    if at is None:
        return ()
    past = next(_amended(history[: at + 1], article, today, newest_first=True), None)
    coming = next(_amended(history[at:], article, today), None)
    end = history[-1][0].end
    if coming is None and end is not None:
        coming = Amendment(end, end > today, ())
    return tuple(one for one in (past, coming) if one is not None)


def _amended(
    history: Sequence[tuple[Period, Edition]], article: Address, today: date, *, newest_first: bool = False
) -> Iterator[Amendment]:
    pairs = list(pairwise(history))
    for (_, old), (period, new) in reversed(pairs) if newest_first else pairs:
        changed = changed_paragraphs(old.articles[article], new.articles[article], article, article)
        if changed and period.first:
            sides = tuple(_side_by_side(*(one.text if one else "" for one in pair)) for pair in changed)
            yield Amendment(period.first, period.first > today, sides)


def _side_by_side(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    left, right = marked(*_around_changes(old.splitlines(), new.splitlines()))
    return tuple(left), tuple(right)


def _around_changes(old: Sequence[str], new: Sequence[str]) -> tuple[str, str]:
    """Of both texts the lines that differ, each with the one before and the one after."""
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(1)
    spans = [((i, j), (k, m)) for ((_, i, _, k, _), *_), (_, _, j, _, m) in ((one, one[-1]) for one in groups)]
    return _excerpt(old, [left for left, _ in spans]), _excerpt(new, [right for _, right in spans])


def _excerpt(lines: Sequence[str], spans: Sequence[tuple[int, int]]) -> str:
    """The lines in these half-open ranges, with a sign where others are left out."""
    shown: list[str] = []
    at = 0
    for start, end in spans:
        shown += [ELSEWHERE, *lines[start:end]] if start > at else lines[start:end]
        at = end
    return "\n".join([*shown, ELSEWHERE] if at < len(lines) else shown)


def _squeezed(one: Passage | None) -> str:
    return "" if one is None else folded(one.text)


def likeness(one: str, other: str) -> float:
    """How much of two texts is the same, 0–1."""
    if one == other:
        return 1.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < SAME_ARTICLE or matcher.quick_ratio() < SAME_ARTICLE:
        return 0.0
    return matcher.ratio()


def marked(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, word by word; those are marked that the other does not have."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    sides: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, words in ((sides[0], left[i:j]), (sides[1], right[k:m])):
            if words:
                side.append(("".join(words), tag != "equal"))
    return sides
