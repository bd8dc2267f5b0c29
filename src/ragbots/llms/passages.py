"""What a language model is shown: the provisions of the articles found, numbered, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ragbots.llms.provisions import provisions
from ragbots.ports import Material
from ragbots.ranking import share_of_words
from ragbots.regulation import readable
from ragbots.types import Block, BlockKind
from ragbots.verification import Source

ARTICLES = 6
MOST_ROWS = 12  # of one table
FIRST_SHARE = 0.5  # of the budget, for the first article; each further one has half of what is left

Count = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered provision, and where it stands: the index of its article and a half-open range of blocks."""

    source: Source
    material: int
    blocks: tuple[int, int]


def choose_passages(
    material: Sequence[Material], terms: Mapping[str, float], budget: int, count: Count
) -> tuple[Passage, ...]:
    """Provisions of the first articles, in reading order within each. `budget`: tokens as `count` counts them.

    Of an article that does not fit whole, the provisions with most of the question's words are taken.
    """
    found: list[Passage] = []
    left = budget
    wanted = [one for one in range(len(material)) if one < ARTICLES or material[one].referred_by == 0]
    for number in wanted:
        candidates = list(_provisions(number, material[number], terms))
        sizes = count([one.source.text for one in candidates]) if candidates else ()
        allowed = max(left * FIRST_SHARE, budget * FIRST_SHARE if number == 0 else 0.0)
        kept = _fitting(candidates, sizes, terms, allowed)
        left -= sum(sizes[at] for at in kept)
        found += [candidates[at] for at in kept]
        if left < budget / 20:
            break
    return tuple(replace(one, source=replace(one.source, number=number)) for number, one in enumerate(found, start=1))


def _fitting(
    candidates: Sequence[Passage], sizes: Sequence[int], terms: Mapping[str, float], allowed: float
) -> list[int]:
    by_fit = sorted(range(len(candidates)), key=lambda at: (-share_of_words(terms, candidates[at].source.text), at))
    kept: list[int] = []
    total = 0
    for at in by_fit:
        if not kept or total + sizes[at] <= allowed:
            kept.append(at)
            total += sizes[at]
    return sorted(kept)


def _provisions(number: int, material: Material, terms: Mapping[str, float]) -> Iterator[Passage]:
    rows = 0
    groups = [tuple(group) for group in provisions(material.blocks)]
    by_fit = sorted(groups, key=lambda group: -share_of_words(terms, _text(group)))
    best_rows = {group[0][0] for group in [one for one in by_fit if _is_row(one)][:MOST_ROWS]}
    for group in groups:
        if _is_row(group) and group[0][0] not in best_rows:
            rows += 1
            continue
        chunk, first = material.hit.chunk, group[0][1]
        heading = first.heading or chunk.heading
        source = Source(0, material.hit.document.title, first.address, heading, _text(group))
        yield Passage(source, number, (group[0][0], group[-1][0] + 1))


def _is_row(group: Sequence[tuple[int, Block]]) -> bool:
    return group[0][1].kind is BlockKind.ROW


def _text(group: Sequence[tuple[int, Block]]) -> str:
    return "\n".join(readable(block) for _, block in group)


def as_prompted(passages: Sequence[Passage]) -> str:
    """The passages as a prompt shows them: under the name of their regulation and article, each with its number."""
    lines: list[str] = []
    for (document, heading), group in groupby(passages, key=lambda one: (one.source.document, one.source.heading)):
        lines.append(f"■ {document}" + (f" ({heading})" if heading and heading != document else ""))
        for one in group:
            address = f"{one.source.address}: " if one.source.address else ""
            lines.append(f"[{one.source.number}] {address}{one.source.text}")
    return "\n".join(lines)
