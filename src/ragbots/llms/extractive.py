"""Answers made of the regulation's own words: the provisions that fit the question, as short as suffices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ragbots.ports import Draft, Material, Quotation
from ragbots.regulation import is_repealed, readable
from ragbots.types import Address, Block, BlockKind, Context, Level

_UNIT = (Level.PARAGRAPH, Level.ROW, Level.ARTICLE, Level.ANNEX, Level.ADDENDUM)
_READ = (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.SUBITEM, BlockKind.TEXT, BlockKind.ROW)
_ASKS_FIGURE = re.compile(r"몇|얼마|언제|며칠|몇일|기한|한도|상한|최대|최소|퍼센트|%|프로|금액|기간|나이|시간")
_FIGURE = re.compile(r"\d|[일이삼사오육칠팔구십백천만억]\s?(?:원|일|개월|년|회|명|시간|퍼센트|할)")


@dataclass(frozen=True, slots=True)
class ExtractiveRules:
    """`long` and `items`: a provision of more characters than `long` keeps at most `items` of its items.

    `best_chunk` and `figure` are added to the share of question words found (0–1) in a provision
    that lies in the chunk that was found, and that holds a figure where one is asked for. A second
    article is quoted where its provision reaches `second` of the first's score.
    """

    long: int = 320
    items: int = 3
    best_chunk: float = 0.35
    figure: float = 0.15
    second: float = 0.92
    articles: int = 2


@dataclass(frozen=True, slots=True)
class _Provision:
    """항 with its 호 and 목, a row, or the text of a plain page."""

    material: int
    parts: tuple[tuple[int, Block], ...]
    score: float


class ExtractiveComposer:
    """The built-in composer: no language model, nothing said that does not stand in the document."""

    id = "extractive"

    def __init__(self, rules: ExtractiveRules) -> None:
        self._rules = rules

    def compose(
        self, question: str, terms: Mapping[str, float], material: Sequence[Material], context: Context
    ) -> Draft | None:
        """The best provision of the first article, and of the second where it fits as well."""
        chosen = []
        for number, one in enumerate(material[: self._rules.articles]):
            provisions = list(self._provisions(number, one, question, terms))
            if provisions:
                chosen.append(max(provisions, key=lambda provision: provision.score))
        if not chosen:
            return None
        first = chosen[0]
        kept = [
            first,
            *(other for other in chosen[1:] if other.score >= self._rules.second * first.score and other.score > 0.6),
        ]
        quotations = [self._quotation(provision, terms) for provision in kept]
        text = "\n\n".join(f"{_heading(material[quotation.material])}\n{quotation.text}" for quotation in quotations)
        return Draft(text, tuple(quotations))

    def _provisions(
        self, number: int, material: Material, question: str, terms: Mapping[str, float]
    ) -> Iterator[_Provision]:
        asks_figure = bool(_ASKS_FIGURE.search(question))
        for parts in _groups(material.blocks):
            text = "\n".join(readable(block) for _, block in parts)
            score = _share(terms, text)
            start, end = material.hit.chunk.blocks
            if any(start <= index < end for index, _ in parts):
                score += self._rules.best_chunk
            if asks_figure and _FIGURE.search(text):
                score += self._rules.figure
            yield _Provision(number, tuple(parts), score)

    def _quotation(self, provision: _Provision, terms: Mapping[str, float]) -> Quotation:
        parts = _shortened(provision.parts, terms, self._rules)
        text = "\n".join(readable(block) for _, block in parts)
        return Quotation(provision.material, (parts[0][0], parts[-1][0] + 1), text)


def _groups(blocks: Sequence[tuple[int, Block]]) -> Iterator[list[tuple[int, Block]]]:
    group: list[tuple[int, Block]] = []
    unit = Address()
    for index, block in blocks:
        if block.kind not in _READ or is_repealed(block) or (block.kind is BlockKind.ROW and not block.cells):
            continue  # column headings are said by the rows below them
        own = block.address.up_to(*_UNIT)
        if group and (own != unit or not own):
            yield group
            group = []
        unit = own
        group.append((index, block))
    if group:
        yield group


def _share(terms: Mapping[str, float], text: str) -> float:
    """The weight of the question's words that stand in the text, of all their weight."""
    total = sum(terms.values())
    plain = text.lower().replace(",", "")
    return sum(weight for term, weight in terms.items() if term in plain) / total if total else 0.0


def _shortened(
    parts: Sequence[tuple[int, Block]], terms: Mapping[str, float], rules: ExtractiveRules
) -> Sequence[tuple[int, Block]]:
    """The lead and the items that fit best, if the whole is long; one run, so that nothing is cut out."""
    lead = [part for part in parts if part[1].kind not in (BlockKind.ITEM, BlockKind.SUBITEM)]
    items = [part for part in parts if part[1].kind in (BlockKind.ITEM, BlockKind.SUBITEM)]
    if sum(len(block.text) for _, block in parts) <= rules.long or len(items) <= rules.items:
        return parts
    best = sorted(items, key=lambda part: -_share(terms, readable(part[1])))[: rules.items]
    return sorted([*lead, *best], key=lambda part: part[0])


def _heading(material: Material) -> str:
    chunk = material.hit.chunk
    title = material.hit.document.title
    return f"{title} — {chunk.heading}" if chunk.heading and chunk.heading != title else title
