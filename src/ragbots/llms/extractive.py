"""Answers made of the regulation's own words: the provisions that fit the question, as short as suffices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragbots.ports import Draft, Material, Quotation
from ragbots.regulation import is_repealed, readable
from ragbots.types import Address, Block, BlockKind, Context, Level

_UNIT = (Level.PARAGRAPH, Level.ROW, Level.ARTICLE, Level.ANNEX, Level.ADDENDUM)
_READ = (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.SUBITEM, BlockKind.TEXT, BlockKind.ROW)
_ASKS_FIGURE = re.compile(r"몇|얼마|언제|며칠|몇일|기한|한도|상한|최대|최소|퍼센트|%|프로|금액|기간|나이|시간")
_FIGURE = re.compile(r"\d|[일이삼사오육칠팔구십백천만억]\s?(?:원|일|개월|년|회|명|시간|퍼센트|할)")


@dataclass(frozen=True, slots=True)
class ExtractiveRules:
    """`budget`: characters an answer grows to by adding provisions; the first may be longer. A further
    provision of the first article needs `further` of the first one's score, one of the next article
    `second` of it. `long` and `items`: a provision of more characters keeps at most that many items.

    A provision's score is the share of question words in it (0–1); `best_chunk` is added where it lies
    in the chunk that was found, `figure` where it holds a figure and one is asked for.
    """

    budget: int = 420
    further: float = 0.5
    second: float = 0.85
    long: int = 320
    items: int = 3
    best_chunk: float = 0.35
    figure: float = 0.15


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
        self,
        question: str,
        terms: Mapping[str, float],
        material: Sequence[Material],
        context: Context,  # noqa: ARG002 - part of the seam
    ) -> Draft | None:
        """The best provisions of the first article, and the best of the next where it fits as well."""
        if not material:
            return None
        ranked = [self._ranked(number, one, question, terms) for number, one in enumerate(material[:2])]
        if not ranked[0]:
            return None
        best = ranked[0][0].score
        wanted = [provision for provision in ranked[0] if provision.score >= self._rules.further * best]
        wanted += [
            provision
            for provision in ranked[-1][:1]
            if provision.material and provision.score >= self._rules.second * best
        ]
        quotations = self._within_budget(wanted, terms)
        return Draft(_text(quotations, material), quotations)

    def _ranked(self, number: int, material: Material, question: str, terms: Mapping[str, float]) -> list[_Provision]:
        return sorted(self._provisions(number, material, question, terms), key=lambda provision: -provision.score)

    def _within_budget(self, wanted: Sequence[_Provision], terms: Mapping[str, float]) -> tuple[Quotation, ...]:
        """The first, and those after it for which there is room; in reading order."""
        kept: list[Quotation] = []
        length = 0
        for provision in wanted:
            quotation = self._quotation(provision, terms)
            if not kept or length + len(quotation.text) <= self._rules.budget:
                kept.append(quotation)
                length += len(quotation.text)
        return tuple(sorted(kept, key=lambda quotation: (quotation.material, quotation.blocks)))

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
        return Quotation(provision.material, (parts[0][0], parts[-1][0] + 1), text, len(parts) < len(provision.parts))


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
    """The lead and the items that fit best, each with what it lists, if the whole is long; in reading order."""
    lead = [part for part in parts if part[1].kind not in (BlockKind.ITEM, BlockKind.SUBITEM)]
    items: list[list[tuple[int, Block]]] = []
    for part in parts:
        if part[1].kind is BlockKind.ITEM or (part[1].kind is BlockKind.SUBITEM and not items):
            items.append([part])
        elif part[1].kind is BlockKind.SUBITEM:
            items[-1].append(part)  # an item is nothing without what it lists
    if sum(len(block.text) for _, block in parts) <= rules.long or len(items) <= rules.items:
        return parts
    best = sorted(items, key=lambda item: -_share(terms, "\n".join(readable(block) for _, block in item)))
    kept = [part for item in best[: rules.items] for part in item]
    return sorted([*lead, *kept], key=lambda part: part[0])


def _text(quotations: Sequence[Quotation], material: Sequence[Material]) -> str:
    """The quotations, those of one article under its heading."""
    by_article = groupby(quotations, key=lambda quotation: quotation.material)
    return "\n\n".join(
        "\n".join([_heading(material[number]), *(_quoted(quotation) for quotation in same)])
        for number, same in by_article
    )


def _quoted(quotation: Quotation) -> str:
    return f"{quotation.text}\n… (나머지 호는 근거 조문에서 볼 수 있습니다)" if quotation.shortened else quotation.text


def _heading(material: Material) -> str:
    chunk = material.hit.chunk
    title = material.hit.document.title
    return f"{title} — {chunk.heading}" if chunk.heading and chunk.heading != title else title
