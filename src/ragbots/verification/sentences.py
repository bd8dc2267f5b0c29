"""The check of one sentence against the passages that it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import or_

from ragbots import figures
from ragbots.figures import Figure, Kind
from ragbots.text import comparable
from ragbots.verification.cases import cases, is_another_case
from ragbots.verification.plain_text import tidy
from ragbots.verification.references import INNER, Reference, find_references, shows
from ragbots.verification.sources import (
    HANGUL,
    NEUTRAL,
    AskedQuestion,
    ReadSource,
    is_negated,
    mask_references,
    meaningful,
    telling,
)
from ragbots.verification.values import Terms, Why

_ANNOUNCES = re.compile(r"^.{0,40}(?:다음|아래|이하)(?:과|와)? ?(?:같|의? ?[\w]{1,3} ?가지).{0,16}$")
_QUOTED = re.compile(
    r"“([^“”\n]{2,400})”|\"([^\"\n]{2,400})\"|‘([^‘’\n]{2,400})’|(?<![\w가-힣])'([^'\n]{2,400})'"
    r"|「([^「」\n]{2,400})」|『([^『』\n]{2,400})』|＂([^＂\n]{2,400})＂|«([^«»\n]{2,400})»|„([^“”„\n]{2,400})[“”]"
)
_LEFT_OUT = re.compile(r"…|\.{2,}|\(중략\)|\(생략\)")
_CONDITION = re.compile(
    r"(?:다면|이면|라면|하면|으면|되면|시면|[았었]으면|경우|일 ?때|할 ?때|[을를신] ?때|때(?:는|에는)|시(?:에는|에|점에)"
    r"|기준으로|더라도|라도"
    r"|[신한된인은] ?(?:분|직원|사람|자)(?:은|는|의|께서|이라))"
)
_CLAUSE_END = re.compile(r"[.!?;,]|니다|에요|예요|해요|고 ")
_FURTHEST_CONDITION = 24
_MOST_FIGURES = 100
_OPERATOR = re.compile(r"[+×xX*÷/=−–-]")
_TOTALS = re.compile(
    r"합하|합계|합산|합쳐|합치|더하|더한|총|모두|전부|합이|곱하|곱한|빼|차이|[+×−÷]|\d\s?[xX*-]\s?\d|[=]"
)
ENOUGH = 0.5  # of a sentence's words must stand in what it cites or in the question
_ALIKE = 0.75
_FOREIGN = 0.35


LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Finding:
    why: Why | None
    awaits: int = 0  # the sentence announces so many items, which no passage lists


def check(sentence: str, cited: Sequence[ReadSource], asked: AskedQuestion, terms: Terms) -> Finding:
    """What is wrong with a sentence (without markers) that cites these sources; the first finding counts."""
    if not _quotations_stand(sentence, cited, asked):
        return Finding(Why.QUOTATION)
    references = find_references(sentence)
    if not all(_reference_stands(reference, cited) for reference in references):
        return Finding(Why.REFERENCE)
    loose = _loose_figures(sentence, references, cited, asked)
    awaits = next((int(one.value) for one in loose if one.unit == "가지" and one.value.denominator == 1), 0)
    if any(figure.unit != "가지" for figure in loose):
        return Finding(Why.FIGURE)
    if _of_another_case(sentence, references, cited, terms):
        return Finding(Why.CASE)
    if _foreign(sentence, cited, asked):
        return Finding(Why.LANGUAGE)
    meaning = meaningful(_without_figures(sentence, references), terms)
    if not _related(meaning, cited, asked, spared=2 if _ANNOUNCES.search(sentence) else 0):
        return Finding(Why.UNRELATED)
    return Finding(Why.OPPOSITE if _opposite(sentence, meaning, cited) else None, awaits)


def _without_figures(sentence: str, references: Sequence[Reference]) -> str:
    """The sentence with digits for all that counts or refers: its words alone are left to be looked up."""
    masked = mask_references(sentence, references)
    for figure in figures.read(masked)[:_MOST_FIGURES]:
        first, last = figure.span
        masked = masked[:first] + "0" * (last - first) + masked[last:]
    return masked.replace("¤", "0")


def _quotations_stand(sentence: str, cited: Sequence[ReadSource], asked: AskedQuestion) -> bool:
    for match in _QUOTED.finditer(sentence):
        quote = next(group for group in match.groups() if group)
        for part in _LEFT_OUT.split(quote):
            words = comparable(tidy(part)).rstrip(".!?")
            if words and words not in asked.words and not any(words in one.words for one in cited):
                return False
    return True


def _reference_stands(reference: Reference, cited: Sequence[ReadSource]) -> bool:
    return any(_refers_to(reference, one) or _mentions(reference, one) for one in cited)


def _refers_to(reference: Reference, one: ReadSource) -> bool:
    """Whether the reference names the passage itself, a place around it, or a 항, 호 or 목 that it shows."""
    place, wanted = one.source.address, reference.address
    if reference.law and not _same_law(reference.law, one.source.document):
        return False
    if wanted.steps[0].level in INNER:
        return all(step in place.steps or shows(step, one.source.text) for step in wanted.steps)
    if wanted.contains(place) and place:
        return True
    if place and place.contains(wanted):
        return all(shows(step, one.source.text) for step in wanted.steps[len(place.steps) :])
    return False


def _mentions(reference: Reference, one: ReadSource) -> bool:
    """Whether the passage's own words hold the reference, of the same law where one is named."""
    wanted = reference.address
    return any(
        (wanted.contains(known.address) or known.address.steps[-len(wanted.steps) :] == wanted.steps)
        and _law_fits(reference.law, known.law, one.source.document)
        for known in one.references
    )


def _law_fits(said: str, known: str, own: str) -> bool:
    """A law that the answer names must be the passage's; one that it leaves out may be said by the passage."""
    return not said or _same_law(said, known or own)


def _same_law(one: str, other: str) -> bool:
    first, second = comparable(one), comparable(other)
    return first.endswith(second) or second.endswith(first) or first in second or second in first


def _loose_figures(
    sentence: str, references: Sequence[Reference], cited: Sequence[ReadSource], asked: AskedQuestion
) -> list[Figure]:
    """The figures that stand in no passage, are no condition taken from the question, and no shown result."""
    masked = mask_references(sentence, references)
    found = figures.read(masked)
    known = reduce(or_, (one.known for one in cited), figures.NOTHING)
    good = [figure for figure in found if known.holds(figure) or _conditional(figure, masked, asked)]
    loose = [figure for figure in found if figure not in good]
    loose = [figure for figure in loose if not _counts_items(figure, cited, sentence)]
    if not loose or len(found) > _MOST_FIGURES or not _TOTALS.search(masked):
        return loose
    good += [figure for figure in loose if asked.known.holds(figure) and _beside_operator(figure, masked)]
    for figure in sorted(loose, key=lambda one: one.value):
        if figure not in good and _computed(figure, good):
            good.append(figure)
    return [figure for figure in loose if figure not in good]


def _of_another_case(sentence: str, references: Sequence[Reference], cited: Sequence[ReadSource], terms: Terms) -> bool:
    """Whether a figure is one that the passages give, but for something else than the sentence says."""
    known = [case for one in cited for case in one.cases]
    if len(known) < 2:
        return False
    said = cases(mask_references(sentence, references), lambda text: telling(text, terms))
    return any(is_another_case(case, known) for case in said)


def _counts_items(figure: Figure, cited: Sequence[ReadSource], sentence: str) -> bool:
    """`세 가지` where a passage lists three, or the sentence itself does."""
    named = len(re.findall(r"[,·ㆍ]", sentence)) + 1
    return figure.unit == "가지" and (named == figure.value or any(one.items == figure.value for one in cited))


def _conditional(figure: Figure, text: str, asked: AskedQuestion) -> bool:
    """Whether the figure repeats the question's inside a condition: `3년 근무하셨다면`."""
    if not asked.known.holds(figure):
        return False
    behind = text[figure.span[1] : figure.span[1] + _FURTHEST_CONDITION]
    condition, end = _CONDITION.search(behind), _CLAUSE_END.search(behind)
    return condition is not None and (end is None or condition.start() <= end.start())


def _beside_operator(figure: Figure, text: str) -> bool:
    before, after = text[: figure.span[0]].rstrip(), text[figure.span[1] :].lstrip()
    return bool(_OPERATOR.match(before[-1:]) or _OPERATOR.match(after[:1]))


_MOST_OPERANDS = 8


def _computed(result: Figure, operands: Sequence[Figure]) -> bool:
    """Whether the figure is the sum, difference or product of figures in the same sentence."""
    same = [one for one in operands if one.unit == result.unit and one.kind is result.kind][:_MOST_OPERANDS]
    values = [one.value for one in same]
    spans = [(first, last) for first in range(len(values)) for last in range(first + 2, len(values) + 1)]
    runs = {sum(values[first:last], Fraction(0)) for first, last in spans}
    differences = {abs(one - other) for one in values for other in values}
    others = operands[:_MOST_OPERANDS]
    products = {one.value * other.raw for one in same for other in others if other is not one and other.raw}
    rates = [one.value for one in others if one.kind is Kind.SHARE]
    shares = {one * factor for one in values for rate in rates for factor in (rate, 1 + rate, 1 - rate)}
    return result.value in runs | differences | products | shares


def _foreign(sentence: str, cited: Sequence[ReadSource], asked: AskedQuestion) -> bool:
    """A sentence in another language than the question's, or with words of another script that no passage has."""
    letters = LETTER.findall(sentence)
    if not asked.korean or not letters:
        return False
    strange = re.findall(r"[\u3040-\u30ff\u4e00-\u9fff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]{2,}", sentence)
    if any(not any(word in one.words for one in cited) and word not in asked.words for word in strange):
        return True
    return len(letters) > 12 and len(HANGUL.findall(sentence)) < _FOREIGN * len(letters)


def _related(meaning: Sequence[str], cited: Sequence[ReadSource], asked: AskedQuestion, spared: int) -> bool:
    """Whether enough of the words that tell something stand in the passages; `spared` may be missing anyway."""
    telling = [term for term in dict.fromkeys(meaning) if term not in NEUTRAL]
    if all(len(term) == 1 for term in telling):
        return True  # `주 3회 줍니다`: verbs of one syllable are read now so, now so
    known = sum(1 for term in telling if term in asked.terms or any(_has(one, term) for one in cited))
    return known >= ENOUGH * len(telling) or len(telling) - known <= spared


def _has(one: ReadSource, term: str) -> bool:
    return term in one.terms or (len(term) > 1 and term in one.words)


def _opposite(sentence: str, meaning: Sequence[str], cited: Sequence[ReadSource]) -> bool:
    """Whether the passage sentence with nearly the same words says no where this says yes, or in reverse."""
    said = {term for term in meaning if term not in NEUTRAL}
    if len(said) < 2:
        return False
    alike = [
        negated
        for one in cited
        for words, negated in one.sentences
        if len(said & words) >= _ALIKE * len(said | (words - NEUTRAL))
    ]
    return bool(alike) and all(negated != is_negated(sentence) for negated in alike)
