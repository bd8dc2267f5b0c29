"""The passages that the model was given, and the question: each read once for all sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ragbots import figures
from ragbots.figures import Known
from ragbots.text import comparable
from ragbots.verification.plain_text import tidy
from ragbots.verification.references import CIRCLED, Reference, find_references
from ragbots.verification.values import Source, Terms

HANGUL = re.compile(r"[가-힣]")
_NEGATION = re.compile(
    r"않|아니(?:한|하|할|함|된)|수 ?없|못 ?하|못 ?한|불가(?!피|분)|금지|안 ?(?:됩|된|되)|아니 ?[된되]|제외"
)
_PASSAGE_SENTENCE = re.compile(r"(?<=다)\.\s*|\n|(?=[①-⑳])")


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A source as the checks need it."""

    source: Source
    words: str  # everything, comparable
    known: Known
    references: tuple[Reference, ...]
    terms: frozenset[str]
    sentences: tuple[tuple[frozenset[str], bool], ...]  # terms and whether negated, of each sentence
    items: int  # how many 항 or 호 it lists


def read_source(source: Source, terms: Terms) -> ReadSource:
    text = tidy(source.text)
    about = f"{tidy(source.heading)}\n{tidy(source.document)}"
    references = find_references(text) + find_references(tidy(source.heading))
    sentences = [one for one in _PASSAGE_SENTENCE.split(text) if len(one) > 5]
    return ReadSource(
        source=source,
        words=comparable(f"{text}\n{about}"),
        known=figures.known(mask_references(text, find_references(text)))
        | figures.known(mask_references(about, find_references(about))),
        references=tuple(references),
        terms=frozenset(meaningful(f"{text}\n{about} {source.address}", terms)),
        sentences=tuple((frozenset(meaningful(one, terms)), is_negated(one)) for one in sentences),
        items=max(len(re.findall(rf"[{CIRCLED}]", text)), len(re.findall(r"(?:^|\s)\d{1,2}\.\s(?!\d)", text))),
    )


def mask_references(text: str, references: Iterable[Reference]) -> str:
    """The text with references blanked out, of the same length."""
    for reference in references:
        first, last = reference.span
        text = text[:first] + "¤" * (last - first) + text[last:]
    return text


def meaningful(text: str, terms: Terms) -> list[str]:
    return [term for term in terms(text) if not any(character.isdigit() for character in term)]


def is_negated(text: str) -> bool:
    return len(_NEGATION.findall(text)) % 2 == 1


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """The question as the checks need it."""

    words: str
    known: Known
    terms: frozenset[str]
    korean: bool


def read_question(question: str, terms: Terms) -> AskedQuestion:
    asked = tidy(question)
    return AskedQuestion(
        words=comparable(asked),
        known=figures.known(mask_references(asked, find_references(asked))),
        terms=frozenset(meaningful(asked, terms)),
        korean=bool(HANGUL.search(asked)),
    )
