"""From blocks to chunks: cut where the regulation is cut, never inside an article's heading.

A chunk lies within one article, annex, addendum article or section of a page. Its breadcrumb names all
headings above it, so its text holds only what stands below them. An article that fits `max_tokens` is one
chunk; a longer one is cut at its 항, then 호, then 목 and table rows, then sentences, and small neighbours
are packed together again. Text that carries no rule (repealed stubs, amendment notes) is reported instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

from ragbots.regulation.notes import is_elided, is_repealed, strip_notes
from ragbots.regulation.reading import CELL_JOINT, bare_annexes, cell_texts, readable
from ragbots.regulation.tables import UNIT_LINE
from ragbots.text import digest, one_line
from ragbots.types import (
    Address,
    Block,
    BlockKind,
    Chunk,
    Document,
    Level,
    Omission,
    Regulation,
    count_characters,
)

CountTokens = Callable[[list[str]], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLimits:
    """Sizes of a chunk's passage in the embedder's tokens, its prompt and special tokens included.

    `max_tokens` is what chunks are packed up to; `window` is what no chunk exceeds.
    """

    max_tokens: int = 380
    window: int = 512

    def __post_init__(self) -> None:
        if not 32 <= self.max_tokens <= self.window:
            raise ValueError(f"max_tokens {self.max_tokens} is not between 32 and the window {self.window}")


def cut(
    document: Document, regulation: Regulation, limits: ChunkLimits, count_tokens: CountTokens
) -> tuple[tuple[Chunk, ...], tuple[Omission, ...]]:
    """The chunks in reading order and what of the regulation's text is in none of them.

    `count_tokens` takes passages as `Embedder.count_tokens` does and is called a few times with many.
    The blocks of neighbouring chunks of one article follow on without gaps; a block longer than the
    limit is shared by several. Blocks named in the omissions may lie between those of a chunk.
    """
    units, orphans = _units(regulation.blocks)
    counter = _Counter(count_tokens)
    drafts = _cut_units(regulation, units, limits, counter)
    chunks = _number(document, regulation, drafts, counter)
    return chunks, tuple(_omissions(document, regulation, orphans))


# ---------------------------------------------------------------- units


@dataclass(frozen=True, slots=True)
class _Unit:
    """An article (annex, section …): headings first, then its body; blocks `start` to `end`."""

    start: int
    body: int
    end: int


_HEADINGS = (BlockKind.TITLE, BlockKind.CHAPTER, BlockKind.HEADING, BlockKind.ARTICLE)


def _units(blocks: Sequence[Block]) -> tuple[list[_Unit], list[int]]:
    """Units that have text to embed, and the numbers of all blocks outside them.

    An annex without text is a unit of its heading alone: a question on it is to find it.
    """
    units: list[_Unit] = []
    covered = 0
    orphans: list[int] = []
    for start, body, end in _runs(blocks, frozenset(bare_annexes(blocks))):
        headings = _above(blocks, list(range(start, body)), blocks[body] if body < end else None)
        first = headings[0] if headings else body
        if any(_readable(block) for block in blocks[body:end]):
            orphans += range(covered, first)
            units.append(_Unit(first, body, end))
        else:
            orphans += range(covered, end)
        covered = end
    return units, orphans


def _runs(blocks: Sequence[Block], bare: frozenset[int]) -> Iterator[tuple[int, int, int]]:
    """(start, body, end) of each run of headings with the body that follows them.

    The heading of an annex without text (`bare`) is its own body.
    """
    start = 0
    while start < len(blocks):
        body = start
        while body < len(blocks) and blocks[body].kind in _HEADINGS and body not in bare:
            body += 1
        if body in bare and body > start:
            end = body
        else:
            end = body + (body in bare)
            while end < len(blocks) and _same_unit(blocks[body], blocks[end]):
                end += 1
        yield start, body, end
        start = end


def _same_unit(first: Block, other: Block) -> bool:
    return other.kind not in _HEADINGS and _unit_address(other.address) == _unit_address(first.address)


def _above(blocks: Sequence[Block], headings: list[int], body: Block | None) -> list[int]:
    """The last of the headings that stand one above the other over `body`, without a gap."""
    kept: list[int] = []
    for number in reversed(headings):
        below = blocks[kept[-1]] if kept else body
        if below is None or not _stands_above(blocks[number], below, regards_body=not kept):
            break
        kept.append(number)
    return kept[::-1]


def _stands_above(heading: Block, below: Block, *, regards_body: bool) -> bool:
    if heading.kind is BlockKind.TITLE:
        return True
    if heading.kind is BlockKind.ARTICLE:
        return heading.address.contains(below.address) and (regards_body or heading.address != below.address)
    if below.address.in_addendum:
        return heading.kind is BlockKind.CHAPTER and not heading.address  # the bare 부칙 over the labelled ones
    names = (_letters(heading.text), _letters(_tidy(heading.text)))
    return any(_letters(name) in names for name in below.path)


def _readable(block: Block) -> bool:
    """Whether there is something to embed."""
    if block.kind is BlockKind.NOTE or is_repealed(block) or is_elided(block):
        return False
    return bool(_tidy(block.text))


def _tidy(text: str) -> str:
    return one_line(strip_notes(text))


# ---------------------------------------------------------------- breadcrumbs

_LONGEST_CRUMB = 100  # characters of one name in a breadcrumb
_ADDENDUM_COUNT = re.compile(r"부칙\(\d+\)")  # the second of two 부칙 with one label; its heading does not say so


def _breadcrumb(regulation: Regulation, unit: _Unit, titles: Mapping[Address, str]) -> tuple[str, ...]:
    """`여비규정 › 제2장 국내 여비 › 제10조(숙박비)`; an annex also says its unit of measure."""
    blocks = regulation.blocks[unit.start : unit.end]
    body = regulation.blocks[unit.body]
    names = [regulation.title, *body.path]
    addendum = body.address.up_to(Level.ADDENDUM)
    if addendum and body.address.up_to(Level.ARTICLE):
        names.append(_article_name(addendum, titles.get(addendum, "")))
    article = _unit_address(body.address)
    if article:
        names.append(_article_name(article, body.heading))
    measure = next((block.text for block in blocks if UNIT_LINE.fullmatch(block.text)), "")
    return tuple(_clip(name) for name in [*names, measure] if name.strip())


def _unit_address(address: Address) -> Address:
    return address.up_to(Level.ARTICLE) or address.up_to(Level.ANNEX, Level.FORM, Level.ADDENDUM)


def _article_name(article: Address, heading: str) -> str:
    """`제17조의2(근로조건의 명시)`, `별표 1 국내 여비 정액표(제10조 관련)`, `부칙(정부조직법) <제8852호, …>`."""
    name, title = str(Address(article.steps[-1:])), strip_notes(heading)
    match article.steps[-1].level:
        case _ if not title:
            return name
        case Level.ANNEX | Level.FORM:
            return f"{name} {title}"
        case Level.ADDENDUM:
            return name.replace("부칙", f"부칙({title})", 1)
        case _:
            return f"{name}({title})"


def _clip(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST_CRUMB else name[: _LONGEST_CRUMB - 1] + "…"


def _fitting_breadcrumbs(
    regulation: Regulation, units: Sequence[_Unit], limits: ChunkLimits, counter: _Counter
) -> list[tuple[str, ...]]:
    """Breadcrumbs that leave at least half of the window for text: the widest names go first."""
    titles = {block.address: block.heading for block in regulation.blocks if block.kind is BlockKind.ARTICLE}
    crumbs = [_breadcrumb(regulation, unit, titles) for unit in units]
    while True:
        counter.know(_passage(crumb) for crumb in crumbs)
        wide = [i for i, crumb in enumerate(crumbs) if crumb and counter[_passage(crumb)] > limits.max_tokens // 2]
        if not wide:
            return crumbs
        for i in wide:
            crumbs[i] = crumbs[i][1:]


def _passage(crumb: tuple[str, ...], text: str = "") -> str:
    return "\n".join(part for part in (" › ".join(crumb), text) if part)


# ---------------------------------------------------------------- atoms


@dataclass(frozen=True, slots=True)
class _Atom:
    """A line of text that is not cut, or a part of one.

    `rank` is how deep a cut before it is: 0 before a 항, 1 a 호 or row, 2 a 목, 3 a sentence; 4 between a
    heading and the first line below it.
    `joint` stands between it and the part of the same block before it.
    """

    block: int
    rank: int
    text: str
    joint: str = "\n"


_RANKS = {BlockKind.ITEM: 1, BlockKind.ROW: 1, BlockKind.SUBITEM: 2}
_INNER_RANK, _GLUED_RANK = 3, 4
_SENTENCE_END = re.compile(r"(?<=[가-힣A-Za-z][가-힣)\]\"”'’][.?!])\s+")


def _atoms(regulation: Regulation, unit: _Unit, crumb: tuple[str, ...]) -> list[_Atom]:
    """The readable lines of a unit; a heading only where the breadcrumb does not say it whole."""
    atoms: list[_Atom] = []
    names = " ".join(crumb)
    said = f"{_letters(names)} {_letters(_ADDENDUM_COUNT.sub('부칙', names))}"
    for number in range(unit.start, unit.end):
        block = regulation.blocks[number]
        if not _readable(block):
            continue
        text = _block_text(block, regulation.blocks[number + 1 : unit.end])
        if text and not (number < unit.body and _letters(text) in said):
            below_heading = bool(atoms) and atoms[-1].block < unit.body
            rank = _GLUED_RANK if below_heading else _RANKS.get(block.kind, 0)
            atoms.append(_Atom(number, rank, text))
    return atoms


def _block_text(block: Block, following: Sequence[Block]) -> str:
    """The block as one readable line; column headings are said by the rows below them."""
    if block.kind is not BlockKind.ROW:
        return _tidy(block.text)
    if block.cells:
        return readable(block)
    names = [_tidy(name) for name in re.split(r"[\t\n]", block.text)]
    rows = takewhile(lambda row: bool(row.cells), following)
    said_below = _letters("".join(text for row in rows for text in cell_texts(row)))
    unsaid = [name for name in names if name and _letters(name) not in said_below]
    return CELL_JOINT.join(dict.fromkeys(name for name in names if name)) if unsaid else ""


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _parts(atom: _Atom) -> list[_Atom]:
    """A line too long to stay whole: its cells, else its sentences, else its halves."""
    for joint, pieces in (
        (CELL_JOINT, atom.text.split(CELL_JOINT)),
        (" ", _SENTENCE_END.split(atom.text)),
        _halves(atom.text),
    ):
        if len(pieces) > 1:
            first = replace(atom, text=pieces[0])
            return [first, *(_Atom(atom.block, _INNER_RANK, piece, joint) for piece in pieces[1:])]
    return [atom]


def _halves(text: str) -> tuple[str, list[str]]:
    """Two parts, at the space nearest to the middle if there is one in the middle half."""
    middle, quarter = len(text) // 2, len(text) // 4
    spaces = [at for at in range(quarter, len(text) - quarter) if text[at] == " " and at > 0]
    if spaces:
        at = min(spaces, key=lambda at: abs(at - middle))
        return " ", [text[:at], text[at + 1 :]]
    return ("", [text[:middle], text[middle:]]) if middle else ("", [text])


def _join(atoms: Sequence[_Atom]) -> str:
    text = atoms[0].text
    for before, atom in pairwise(atoms):
        text += (atom.joint if atom.block == before.block else "\n") + atom.text
    return text


# ---------------------------------------------------------------- cutting


class _Counter:
    """Token counts by text, asked for in batches."""

    def __init__(self, count_tokens: CountTokens) -> None:
        self._count = count_tokens
        self._known: dict[str, int] = {}

    def know(self, texts: Iterable[str]) -> None:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, self._count(missing), strict=True))

    def __getitem__(self, text: str) -> int:
        if text not in self._known:
            self.know([text])
        return self._known[text]


@dataclass(frozen=True, slots=True)
class _Draft:
    unit: _Unit
    crumb: tuple[str, ...]
    atoms: tuple[_Atom, ...]

    @property
    def passage(self) -> str:
        return _passage(self.crumb, _join(self.atoms))


def _cut_units(regulation: Regulation, units: Sequence[_Unit], limits: ChunkLimits, counter: _Counter) -> list[_Draft]:
    crumbs = _fitting_breadcrumbs(regulation, units, limits, counter)
    bodies = [_atoms(regulation, unit, crumb) for unit, crumb in zip(units, crumbs, strict=True)]
    whole = [_Draft(unit, crumb, tuple(atoms)) for unit, crumb, atoms in zip(units, crumbs, bodies, strict=True)]
    counter.know(draft.passage for draft in whole)
    long = [draft for draft in whole if counter[draft.passage] > limits.max_tokens]
    pieces = dict(zip(long, _cut_long(long, limits, counter), strict=True))
    drafts = [piece for draft in whole for piece in pieces.get(draft, [draft])]
    return _within_window(drafts, limits, counter)


def _cut_long(drafts: list[_Draft], limits: ChunkLimits, counter: _Counter) -> list[list[_Draft]]:
    """Each draft cut to `max_tokens`, its lines first made short enough, all counted together."""
    bodies = [list(draft.atoms) for draft in drafts]
    rooms = [limits.max_tokens - counter[_passage(draft.crumb)] + counter[""] for draft in drafts]
    while True:
        counter.know(atom.text for atoms in bodies for atom in atoms)
        shorter = [
            [part for atom in atoms for part in (_parts(atom) if counter[atom.text] > room else [atom])]
            for atoms, room in zip(bodies, rooms, strict=True)
        ]
        if shorter == bodies:
            break
        bodies = shorter
    return [
        [replace(draft, atoms=tuple(piece)) for piece in _divide(atoms, 0, room, counter)]
        for draft, atoms, room in zip(drafts, bodies, rooms, strict=True)
    ]


def _divide(atoms: list[_Atom], rank: int, room: int, counter: _Counter) -> list[list[_Atom]]:
    """Pieces of at most `room` tokens: cut at `rank`, deeper only where a group is too long for itself."""
    if _size(atoms, counter) <= room or len(atoms) == 1:
        return [atoms]
    pieces: list[list[_Atom]] = []
    neighbours: list[list[_Atom]] = []
    for group in _groups(atoms, rank):
        if _size(group, counter) <= room or len(group) == 1:
            neighbours.append(group)
        else:
            pieces += [*_pack(neighbours, room, counter), *_divide(group, rank + 1, room, counter)]
            neighbours = []
    return pieces + _pack(neighbours, room, counter)


def _pack(groups: list[list[_Atom]], room: int, counter: _Counter) -> list[list[_Atom]]:
    """Neighbouring groups joined to as few pieces as `room` allows, of about the same length."""
    sizes = [_size(group, counter) for group in groups]
    fewest = len(_fill(sizes, room))
    low, high = 0, room
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(_fill(sizes, middle)) == fewest else (middle + 1, high)
    starts = [*_fill(sizes, high), len(groups)]
    return [[atom for group in groups[start:end] for atom in group] for start, end in pairwise(starts)]


def _fill(sizes: Sequence[int], room: int) -> list[int]:
    """Where pieces begin if each takes in as many of its neighbours as `room` allows."""
    starts: list[int] = []
    filled = 0
    for here, size in enumerate(sizes):
        if not starts or filled + size > room:
            starts.append(here)
            filled = 0
        filled += size
    return starts


def _groups(atoms: Sequence[_Atom], rank: int) -> list[list[_Atom]]:
    """The atoms in groups that begin at `rank` or above."""
    groups: list[list[_Atom]] = []
    for atom in atoms:
        if atom.rank <= rank or not groups:
            groups.append([atom])
        else:
            groups[-1].append(atom)
    return groups


def _size(atoms: Sequence[_Atom], counter: _Counter) -> int:
    """Tokens of the atoms joined, without those every passage has; joined text takes no more than its parts."""
    return counter[""] + sum(counter[atom.text] - counter[""] + 1 for atom in atoms)


def _within_window(drafts: list[_Draft], limits: ChunkLimits, counter: _Counter) -> list[_Draft]:
    """The sizes above are sums; where the whole takes more than the window after all, it is halved."""
    while True:
        counter.know(draft.passage for draft in drafts)
        if all(counter[draft.passage] <= limits.window for draft in drafts):
            return drafts
        halved = [
            half for draft in drafts for half in ([draft] if counter[draft.passage] <= limits.window else _halve(draft))
        ]
        if len(halved) == len(drafts):
            raise ValueError(f"a window of {limits.window} tokens does not hold a single character below its headings")
        drafts = halved


def _halve(draft: _Draft) -> list[_Draft]:
    atoms = list(draft.atoms) if len(draft.atoms) > 1 else _parts(draft.atoms[0])
    middle = (len(atoms) + 1) // 2
    return [replace(draft, atoms=tuple(half)) for half in (atoms[:middle], atoms[middle:]) if half]


# ---------------------------------------------------------------- chunks and omissions


def _number(
    document: Document, regulation: Regulation, drafts: Sequence[_Draft], counter: _Counter
) -> tuple[Chunk, ...]:
    chunks = []
    seen: dict[str, int] = {}
    for here, draft in enumerate(drafts):
        first = here == 0 or drafts[here - 1].unit != draft.unit
        last = here + 1 == len(drafts) or drafts[here + 1].unit != draft.unit
        start = draft.unit.start if first else draft.atoms[0].block
        # what carries no text (notes, column headings) goes with the text before it
        end = draft.unit.end if last else max(drafts[here + 1].atoms[0].block, draft.atoms[-1].block + 1)
        text = _join(draft.atoms)
        address = _common_address(regulation.blocks[atom.block].address for atom in draft.atoms)
        body = regulation.blocks[draft.unit.body]
        heading = body.heading or (body.path[-1] if body.path and not body.address else "")
        key = digest(f"{document.id}\n{address}\n{text}")[:24]
        seen[key] = seen.get(key, 0) + 1
        chunks.append(
            Chunk(
                id=key if seen[key] == 1 else f"{key}-{seen[key]}",
                document_id=document.id,
                address=address,
                breadcrumb=draft.crumb,
                heading=strip_notes(heading),
                text=text,
                blocks=(start, end),
                tokens=counter[draft.passage],
                page=regulation.blocks[draft.atoms[0].block].page,
            )
        )
    return tuple(chunks)


def _common_address(addresses: Iterable[Address]) -> Address:
    """The narrowest place that holds all of them."""
    steps, *others = [address.steps for address in addresses]
    length = len(steps)
    for other in others:
        while other[:length] != steps[:length]:
            length -= 1
    return Address(steps[:length])


def _omissions(document: Document, regulation: Regulation, orphans: Sequence[int]) -> Iterator[Omission]:
    """What no chunk holds: stubs one by one, amendment notes summed up."""
    outside = set(orphans)
    notes = 0
    for number, block in enumerate(regulation.blocks):
        characters = count_characters(block.text)
        where = str(block.address) or document.source
        if block.kind is BlockKind.NOTE:
            notes += characters
        elif is_repealed(block):
            yield Omission("repealed", where, characters, "nothing of the text is left", expected=True)
        elif is_elided(block):
            yield Omission("elided", where, characters, "the document itself leaves the text out", expected=True)
        elif number in outside and block.kind in (BlockKind.TITLE, BlockKind.CHAPTER):
            yield Omission(
                "heading", where, characters, "it stands in the breadcrumbs of what is below it", expected=True
            )
        elif number in outside:
            yield Omission("heading", where, characters, "no text stands below it", expected=True)
        else:
            notes += characters - count_characters(strip_notes(block.text))
    if notes:
        yield Omission("note", document.source, notes, "amendment notes carry no rule", expected=True)
