"""Fits how well a provision of the articles found fits a question, and says how often the best one answers.

    python tools/fit_provisions.py BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] …

The right bot is given. A provision answers if it stands in a gold article (and paragraph, where one is
named) and states one of the record's `must_include`. Printed are `extractive.WEIGHTS`, and over five folds
how often the likeliest provision answers: among those of the first articles, and of the gold article alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ragbots import evaluation, retrieval
from ragbots.answering import HITS, gather, with_fits
from ragbots.config import load_settings
from ragbots.evaluation.matching import matches, stated
from ragbots.evaluation.questions import Record
from ragbots.llms.extractive import ExtractiveRules
from ragbots.llms.provisions import Numbered, Signs, readable_text, signs_of
from ragbots.ports import Material
from ragbots.runtime import Runtime

NAMES = [field.name for field in fields(Signs)]
FOLDS, STIFFNESS = 5, 0.02


@dataclass(frozen=True)
class Case:
    """The provisions of a question: signs (n, signs), whether each answers, whether its article is gold."""

    signs: NDArray[np.float64]
    answers: NDArray[np.bool_]
    gold: NDArray[np.bool_]


def cases(bots_dir: str, data_dir: str, questions: str) -> Iterator[Case]:
    runtime = Runtime.open(load_settings({}, bots_dir=Path(bots_dir), data_dir=Path(data_dir), store="exact"))
    runtime.warm_up()
    held = runtime.current().bots
    for record in evaluation.load_questions([Path(file) for file in questions.split(",")]):
        if record.gold and record.bot and not record.history:
            case = _case(record, runtime, held[record.bot])
            if case.answers.any() and not case.answers.all():
                yield case
    runtime.close()


def _case(record: Record, runtime: Runtime, bot: retrieval.OpenBot) -> Case:
    query = retrieval.read_question(record.question, runtime.embedder, runtime.morphemes)
    query = retrieval.with_glossary(query, bot)
    found = retrieval.search(query, bot, HITS)
    material = with_fits(bot, gather(bot, found.result.hits), query, found.term_weights)
    material = material[: ExtractiveRules().compared]
    rows = list(signs_of(material, query.text, found.term_weights))
    return Case(
        np.array([astuple(signs) for _, _, signs in rows]),
        np.array([_answers(record, material[number], parts) for number, parts, _ in rows]),
        np.array([_is_gold(record, material[number]) for number, _, _ in rows]),
    )


def _is_gold(record: Record, one: Material) -> bool:
    place = (one.hit.document.source, one.hit.chunk.address.article)
    return any(matches(place, gold) for gold in record.gold_articles)


def _answers(record: Record, one: Material, parts: Sequence[Numbered]) -> bool:
    place, address = (one.hit.document.source, one.hit.chunk.address.article), str(parts[0][1].address)
    named = [gold for gold in record.gold if matches(place, (gold.source, gold.article))]
    if not any(gold.paragraph is None or gold.paragraph in address for gold in named):
        return False
    return not record.must_include or any(stated(record.must_include, record.accept, readable_text(parts)))


def fit(data: Sequence[Case]) -> NDArray[np.float64]:
    """The weights under which the provisions that answer are likeliest, kept small."""

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = 0.0, np.zeros_like(weights)
        for case in data:
            chances = _chances(case.signs @ weights)
            right = float(chances[case.answers].sum())
            total -= np.log(right)
            slope -= case.signs.T @ (chances * case.answers / right - chances)
        return total / len(data) + STIFFNESS * weights @ weights, slope / len(data) + 2 * STIFFNESS * weights

    return np.asarray(minimize(loss, np.zeros(len(NAMES)), jac=True, method="L-BFGS-B").x)


def _chances(values: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum())


def shares(data: Sequence[Case], weights: NDArray[np.float64]) -> tuple[float, float]:
    """How often the likeliest provision answers: of all, and of those of the gold articles."""
    values = [case.signs @ weights for case in data]
    first = [case.answers[value.argmax()] for case, value in zip(data, values, strict=True)]
    held = [case.answers[np.where(case.gold, v, -np.inf).argmax()] for case, v in zip(data, values, strict=True)]
    return float(np.mean(first)), float(np.mean(held))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="BOTS_DIR=DATA_DIR=QUESTIONS")
    sets = [list(cases(*one.split("=", 2))) for one in parser.parse_args().sets]
    scores: list[list[tuple[float, float]]] = [[] for _ in sets]
    for fold in range(FOLDS):
        weights = fit([case for data in sets for at, case in enumerate(data) if at % FOLDS != fold])
        for data, score in zip(sets, scores, strict=True):
            score.append(shares(data[fold::FOLDS], weights))
    for data, score in zip(sets, scores, strict=True):
        mean, spread = np.mean(score, axis=0), np.std(score, axis=0)
        print(f"{len(data)} questions: the likeliest of all answers {mean[0]:.2f} ± {spread[0]:.2f}, "
              f"of the gold article {mean[1]:.2f} ± {spread[1]:.2f}")  # fmt: skip
    whole = fit([case for data in sets for case in data])
    print({name: round(float(weight), 2) for name, weight in zip(NAMES, whole, strict=True)})


if __name__ == "__main__":
    main()
