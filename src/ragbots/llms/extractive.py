"""Answers made of the regulation's own words: the provisions that fit the question, as short as suffices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from ragbots.clauses import questions_in
from ragbots.llms.provisions import (
    Numbered,
    Provision,
    holds_figure,
    judged,
    likelihoods,
    marks_in,
    provisions,
    readable_text,
    share_of,
    shortened,
)
from ragbots.llms.rows import Asked, Row, is_remark, rows_of, sentences
from ragbots.ports import Draft, Material, Quotation
from ragbots.types import Context, Level

__all__ = ["ExtractiveComposer", "ExtractiveRules", "provisions"]

# Fitted by `tools/fit_provisions.py` on the questions about statutes (623) and the project's own (244); 2026-11-28.
WEIGHTS: Mapping[str, float] = {
    "cosine": 1.26, "words": 0.94, "own_words": 0.36, "share": 0.86, "figure": 1.08, "found": 0.77,
    "opening": 0.26, "depth": -0.33, "lead": 1.09, "behind": 0.51, "nearest": 0.54,
}  # fmt: skip
_USUAL_LENGTH, _LEAST_LENGTH = 150, 60  # characters of a provision


@dataclass(frozen=True, slots=True)
class ExtractiveRules:
    """`compared`: articles among which provisions are compared, by `weights` (see `provisions.Signs`).

    `budget`: characters an answer grows to by adding provisions; the first may be longer. A further provision
    of the first article needs `further` of the first one's chance to be the answer for every 150 characters it
    has: short ones are cheap. Another article is quoted, by its best provision, if its chance is `second` of
    the first article's. Neither is quoted if it has no word of the question, nor a figure of the kind asked for,
    while the first one does. `long` and `items`: of a provision of more characters as many items are kept as fit
    into them, and at least that many.

    A row's score is the share of question words in it (0–1), which may also stand over its table; `figure` is
    added where it holds a figure and one is asked for, and `label`, times the share of the words by which its
    labels tell it from the other rows; for a row in reach of the first article (its own, or of an annex it
    refers to) `best_chunk` too. Rows lead where the best one scores as high as the text that fits best.
    Up to `rows` rows are quoted, those within `tie` of the best or with labels of their own that were asked
    for; a row of more than `wide` characters without the cells nobody asked for. A remark of more than `remark`
    characters is quoted by its points that fit. Beside rows, a text is quoted that holds `beside` of the
    question and a word of it that the rows do not have.
    """

    compared: int = 4
    budget: int = 700
    further: float = 0.1
    second: float = 0.3
    long: int = 420
    items: int = 3
    best_chunk: float = 0.35
    figure: float = 0.15
    label: float = 0.6
    rows: int = 4
    tie: float = 0.97
    wide: int = 360
    remark: int = 120
    beside: float = 0.3
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)


@dataclass(frozen=True, slots=True)
class _ScoredRow:
    material: int
    row: Row
    score: float

    @property
    def provision(self) -> Provision:
        return Provision(self.material, (self.row.part,), text=self.row.text)


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
        best provisions of one article, those for each part of the question, and the best of another article
        where it fits nearly as well."""
        compared = material[: self._rules.compared]
        texts = judged(compared, question, terms, self._rules.weights) if compared else []
        if not texts:
            return None
        rows = self._rows(material, question, Asked.of(question, terms))
        rival = max((self._as_row(one, question) for one in texts if one.material == 0), default=0.0)
        if rows and rows[0].score >= rival:
            wanted = self._led_by_rows(rows, texts, question, terms)
        else:
            wanted = self._led_by_prose(texts, compared, question, terms)
        quotations = self._within_budget(wanted, question, terms)
        return Draft(_text(quotations, material), quotations)

    # prose

    def _led_by_prose(
        self, texts: Sequence[Provision], compared: Sequence[Material], question: str, terms: Mapping[str, float]
    ) -> list[Provision]:
        """What answers each part of the question, what else of the first article fits, and the best of another
        article that fits nearly as well."""
        chances = likelihoods([one.fit for one in texts])
        at = next((number for number, one in enumerate(texts) if one.material == 0), 0)
        lead = texts[at]
        of_article = [0.0] * len(compared)
        further: list[Provision] = []
        for one, chance in zip(texts, chances, strict=True):
            of_article[one.material] += chance
            size = max(len(one.whole), _LEAST_LENGTH) / _USUAL_LENGTH
            if one.material == lead.material and chance >= self._rules.further * chances[at] * size:
                further.append(one)
        other = next((one for one in texts if one.material != lead.material), None)
        if other and of_article[other.material] >= self._rules.second * of_article[lead.material]:
            further.append(other)
        says = [one for one in further if one.share > 0 or lead.share == 0 or holds_figure(question, one.whole)]
        return [*self._for_each_part(lead, compared, question, terms), *says]

    def _for_each_part(
        self, lead: Provision, compared: Sequence[Material], question: str, terms: Mapping[str, float]
    ) -> list[Provision]:
        """The first one, and the best for each part where several things are asked, each with what it answers."""
        parts = questions_in(question)
        if len(parts) < 2:
            return [replace(lead, answers=((question, terms),))]
        found = [lead]
        for part in parts:
            of_part = {term: weight for term, weight in terms.items() if term in part.lower()}
            ranked = judged(compared, part, of_part, {**self._rules.weights, "lead": 0.0})
            best = _of_part([one for one in ranked if one.material == lead.material], ranked[0], of_part)
            found.append(replace(best, answers=((part, of_part),)))
        return found

    # rows

    def _as_row(self, text: Provision, question: str) -> float:
        """What a text would score if it were a row."""
        figure = holds_figure(question, text.whole)
        return text.share + self._rules.best_chunk * text.found + self._rules.figure * figure

    def _led_by_rows(
        self, rows: Sequence[_ScoredRow], texts: Sequence[Provision], question: str, terms: Mapping[str, float]
    ) -> list[Provision]:
        """The rows, then the best text of the first two articles that says what the rows do not."""
        chosen = self._choose_rows(rows)
        said = {key for one in chosen for key in one.row.all}
        unsaid = {term: weight for term, weight in terms.items() if term not in said and len(term) > 1}
        adding = [
            one
            for one in texts
            if one.material < 2
            and not one.parts[0][1].cells
            and one.share >= self._rules.beside
            and share_of(unsaid, one.whole) > 0
        ]
        leading = replace(chosen[0].provision, answers=((question, terms),))
        return [leading, *(one.provision for one in chosen[1:]), *adding[:1]]

    def _choose_rows(self, rows: Sequence[_ScoredRow]) -> list[_ScoredRow]:
        """The best row, its equals, and rows of the same annex with labels that no chosen row has."""
        lead = rows[0]
        chosen: list[_ScoredRow] = []
        named: set[str] = set()
        for one in rows:
            if one.material != lead.material or len(chosen) == self._rules.rows:
                continue
            if one.score >= self._rules.tie * lead.score or set(one.row.labels) - named:
                chosen.append(one)
                named |= set(one.row.labels)
        return chosen

    def _rows(self, material: Sequence[Material], question: str, asked: Asked) -> list[_ScoredRow]:
        """The rows with a label that was asked for, best first: of the first two articles, and of annexes that
        the first refers to."""
        found: list[_ScoredRow] = []
        for number, one in enumerate(material):
            if number < 2 or one.referred_by == 0:
                title = f"{one.hit.document.title} {one.hit.chunk.heading}"
                found += [
                    _ScoredRow(number, row, self._row_score(row, question, asked))
                    for row in rows_of(one.blocks, title, asked, self._rules.wide)
                    if row.labels
                ]
        return sorted(found, key=lambda one: -one.score)

    def _row_score(self, row: Row, question: str, asked: Asked) -> float:
        labels = sum(row.labels.values()) / asked.total
        figure = holds_figure(question, row.text)
        return row.share + self._rules.best_chunk + self._rules.label * labels + self._rules.figure * figure

    # what is quoted

    def _within_budget(
        self, wanted: Sequence[Provision], question: str, terms: Mapping[str, float]
    ) -> tuple[Quotation, ...]:
        """The first, and those after it for which there is room; the first one's article first, then in reading
        order."""
        kept: list[Quotation] = []
        length = 0
        for provision in _once(wanted):
            quotation = self._quotation(provision, question, terms)
            if not kept or length + len(quotation.text) <= self._rules.budget:
                kept.append(quotation)
                length += len(quotation.text)
        lead = kept[0].material
        return tuple(sorted(kept, key=lambda one: (one.material != lead, one.material, one.blocks)))

    def _quotation(self, provision: Provision, question: str, terms: Mapping[str, float]) -> Quotation:
        parts = shortened(provision.parts, question, terms, self._rules.long, self._rules.items)
        points = _points(provision.parts, terms, self._rules) if is_remark(provision.parts[0][1]) else ""
        text = provision.text or points or readable_text(parts)
        numbers = [index for index, _ in parts]
        left_out = len(parts) < len(provision.parts)
        return Quotation(
            provision.material,
            (numbers[0], numbers[-1] + 1),
            text,
            shortened=left_out,
            parts=_ranges(numbers) if left_out else (),
            marks=_merged(mark for asked, words in provision.answers for mark in marks_in(text, asked, words)),
        )


def _of_part(here: Sequence[Provision], best: Provision, terms: Mapping[str, float]) -> Provision:
    """The best for a part of the question: another article's only for a word that the first article (`here`, best
    first) does not have."""
    said = "\n".join(one.whole for one in here)
    unsaid = {term: weight for term, weight in terms.items() if not share_of({term: 1.0}, said)}
    return best if best.material == here[0].material or share_of(unsaid, best.whole) > 0 else here[0]


def _once(wanted: Iterable[Provision]) -> list[Provision]:
    """Each provision once, where it stood first, with all that it answers."""
    found: dict[tuple[int, int], Provision] = {}
    for one in wanted:
        place = (one.material, one.parts[0][0])
        before = found.get(place)
        found[place] = replace(before, answers=before.answers + one.answers) if before else one
    return list(found.values())


def _merged(marks: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sentences are the same or apart: each once, in order."""
    return tuple(sorted(set(marks)))


def _ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Half-open ranges of the numbers, which ascend; empty where it is one."""
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number + 1 for number in numbers if number + 1 not in numbers]
    return tuple(zip(starts, ends, strict=True)) if len(starts) > 1 else ()


def _points(parts: Sequence[Numbered], terms: Mapping[str, float], rules: ExtractiveRules) -> str:
    """The points of a long remark that hold words of the question, one a line; empty = all of it."""
    text = readable_text(parts)
    if len(text) <= rules.remark:
        return ""
    scored = [(share_of(terms, sentence), at, sentence) for at, sentence in enumerate(sentences(text))]
    best = sorted(scored, key=lambda point: (-point[0], point[1]))[:2]
    return "\n".join(sentence for score, _, sentence in sorted(best, key=lambda point: point[1]) if score > 0)


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
