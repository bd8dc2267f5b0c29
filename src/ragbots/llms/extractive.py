"""Answers made of the regulation's own words: the provisions that fit the question, as short as suffices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragbots.llms.rows import Asked, Row, is_remark, rows_of, sentences
from ragbots.ports import Draft, Material, Quotation
from ragbots.ranking import share_of_words
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

    A row's words may also stand over its table. `label` is added, times the share of the words by which its
    labels tell it from the other rows; for a row in reach of the first article (its own, or of an annex it
    refers to) `best_chunk` too. Up to `rows` rows are quoted, those within `tie` of the best or with labels
    of their own that were asked for; a row of more than `wide` characters without the cells nobody asked for.
    A remark of more than `remark` characters is quoted by its points that fit. Beside rows, a text is quoted
    that holds `beside` of the question and a word of it that the rows do not have.
    """

    budget: int = 420
    further: float = 0.5
    second: float = 0.85
    long: int = 320
    items: int = 3
    best_chunk: float = 0.35
    figure: float = 0.15
    label: float = 0.6
    rows: int = 4
    tie: float = 0.97
    wide: int = 360
    remark: int = 120
    beside: float = 0.3


@dataclass(frozen=True, slots=True)
class _Provision:
    """항 with its 호 and 목, a row, or the text of a plain page. `text` is what is quoted, empty = all of it;
    `row` is what a row matches."""

    material: int
    parts: tuple[tuple[int, Block], ...]
    score: float
    text: str = ""
    row: Row | None = None


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
        """The rows that are asked for where a table fits best, with what the articles say besides; else the
        best provisions of the first article, and the best of the next where it fits as well."""
        if not material:
            return None
        ranked = [self._ranked(number, one, question, terms) for number, one in enumerate(material[:2])]
        if not ranked[0]:
            return None
        rows = self._rows(material, question, Asked.of(question, terms))
        if rows and rows[0].score >= ranked[0][0].score:
            wanted = self._led_by_rows(rows, ranked, terms)
        else:
            wanted = self._led_by_prose(ranked)
        quotations = self._within_budget(wanted, terms)
        return Draft(_text(quotations, material), quotations)

    def _led_by_prose(self, ranked: Sequence[Sequence[_Provision]]) -> list[_Provision]:
        best = ranked[0][0].score
        wanted = [provision for provision in ranked[0] if provision.score >= self._rules.further * best]
        return wanted + [
            provision
            for provision in ranked[-1][:1]
            if provision.material and provision.score >= self._rules.second * best
        ]

    def _led_by_rows(
        self, rows: Sequence[_Provision], ranked: Sequence[Sequence[_Provision]], terms: Mapping[str, float]
    ) -> list[_Provision]:
        """The rows, then the best text of the first two articles that says what the rows do not."""
        chosen = self._choose_rows(rows)
        said = {key for provision in chosen if provision.row for key in provision.row.all}
        unsaid = {term: weight for term, weight in terms.items() if term not in said and len(term) > 1}
        texts = [provision for one in ranked for provision in one if not provision.parts[0][1].cells]
        adding = [
            provision
            for provision in sorted(texts, key=lambda one: -one.score)
            if share_of_words(terms, text := _whole(provision)) >= self._rules.beside
            and share_of_words(unsaid, text) > 0
        ]
        return [*chosen, *adding[:1]]

    def _choose_rows(self, rows: Sequence[_Provision]) -> list[_Provision]:
        """The best row, its equals, and rows of the same annex with labels that no chosen row has."""
        lead = rows[0]
        chosen: list[_Provision] = []
        named: set[str] = set()
        for row in rows:
            if row.material != lead.material or len(chosen) == self._rules.rows or row.row is None:
                continue
            if row.score >= self._rules.tie * lead.score or set(row.row.labels) - named:
                chosen.append(row)
                named |= set(row.row.labels)
        return chosen

    def _rows(self, material: Sequence[Material], question: str, asked: Asked) -> list[_Provision]:
        """The rows with a label that was asked for, best first: of the first two articles, and of annexes that
        the first refers to."""
        found: list[_Provision] = []
        for number, one in enumerate(material):
            if number < 2 or one.referred_by == 0:
                title = f"{one.hit.document.title} {one.hit.chunk.heading}"
                found += [
                    _Provision(number, (row.part,), self._row_score(row, question, asked), row.text, row)
                    for row in rows_of(one.blocks, title, asked, self._rules.wide)
                    if row.labels
                ]
        return sorted(found, key=lambda provision: -provision.score)

    def _row_score(self, row: Row, question: str, asked: Asked) -> float:
        score = row.share + self._rules.best_chunk + self._rules.label * sum(row.labels.values()) / asked.total
        figure = _ASKS_FIGURE.search(question) and _FIGURE.search(row.text)
        return score + (self._rules.figure if figure else 0.0)

    def _ranked(self, number: int, material: Material, question: str, terms: Mapping[str, float]) -> list[_Provision]:
        return sorted(self._provisions(number, material, question, terms), key=lambda provision: -provision.score)

    def _within_budget(self, wanted: Sequence[_Provision], terms: Mapping[str, float]) -> tuple[Quotation, ...]:
        """The first, and those after it for which there is room; the first one's article first, then in reading
        order."""
        kept: list[Quotation] = []
        length = 0
        for provision in wanted:
            quotation = self._quotation(provision, terms)
            if not kept or length + len(quotation.text) <= self._rules.budget:
                kept.append(quotation)
                length += len(quotation.text)
        lead = kept[0].material
        return tuple(sorted(kept, key=lambda one: (one.material != lead, one.material, one.blocks)))

    def _provisions(
        self, number: int, material: Material, question: str, terms: Mapping[str, float]
    ) -> Iterator[_Provision]:
        asks_figure = bool(_ASKS_FIGURE.search(question))
        start, end = material.hit.chunk.blocks
        for parts in _groups(material.blocks):
            text = "\n".join(readable(block) for _, block in parts)
            score = share_of_words(terms, text)
            if is_remark(parts[0][1]):  # it explains a table, and answers only where its own words were asked for
                points = _points(parts, terms, self._rules)
                yield _Provision(number, tuple(parts), score, points)
                continue
            if any(start <= index < end for index, _ in parts):
                score += self._rules.best_chunk
            if asks_figure and _FIGURE.search(text):
                score += self._rules.figure
            yield _Provision(number, tuple(parts), score)

    def _quotation(self, provision: _Provision, terms: Mapping[str, float]) -> Quotation:
        parts = _shortened(provision.parts, terms, self._rules)
        text = provision.text or "\n".join(readable(block) for _, block in parts)
        blocks = (parts[0][0], parts[-1][0] + 1)
        if len(parts) == len(provision.parts):
            return Quotation(provision.material, blocks, text)
        return Quotation(provision.material, blocks, text, shortened=True, parts=_ranges([index for index, _ in parts]))


def _whole(provision: _Provision) -> str:
    return "\n".join(readable(block) for _, block in provision.parts)


def _ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Half-open ranges of the numbers, which ascend; empty where it is one."""
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number + 1 for number in numbers if number + 1 not in numbers]
    return tuple(zip(starts, ends, strict=True)) if len(starts) > 1 else ()


def _points(parts: Sequence[tuple[int, Block]], terms: Mapping[str, float], rules: ExtractiveRules) -> str:
    """The points of a long remark that hold words of the question, one a line; empty = all of it."""
    text = "\n".join(readable(block) for _, block in parts)
    if len(text) <= rules.remark:
        return ""
    scored = [(share_of_words(terms, sentence), at, sentence) for at, sentence in enumerate(sentences(text))]
    best = sorted(scored, key=lambda point: (-point[0], point[1]))[:2]
    return "\n".join(sentence for score, _, sentence in sorted(best, key=lambda point: point[1]) if score > 0)


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
    best = sorted(items, key=lambda item: -share_of_words(terms, "\n".join(readable(block) for _, block in item)))
    kept = [part for item in best[: rules.items] for part in item]
    return sorted([*lead, *kept], key=lambda part: part[0])


def _text(quotations: Sequence[Quotation], material: Sequence[Material]) -> str:
    """The quotations with the numbers of their citations, those of one article under its heading."""
    by_article = groupby(enumerate(quotations, start=1), key=lambda numbered: numbered[1].material)
    return "\n\n".join(
        "\n".join([_heading(material[number]), *(_quoted(quotation, mark) for mark, quotation in same)])
        for number, same in by_article
    )


def _quoted(quotation: Quotation, mark: int) -> str:
    more = "\n… (나머지 호는 근거 조문에서 볼 수 있습니다)" if quotation.shortened else ""
    return f"{quotation.text} [{mark}]{more}"


def _heading(material: Material) -> str:
    """`여비규정 — 별표 1 국내 여비 정액표`: an annex is known by its number."""
    chunk = material.hit.chunk
    title = material.hit.document.title
    annex = str(chunk.address.up_to(Level.ANNEX, Level.FORM))
    name = " ".join(part for part in (annex, chunk.heading) if part)
    return f"{title} — {name}" if name and name != title else title
