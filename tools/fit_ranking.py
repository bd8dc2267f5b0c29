"""Fits the weights of `retrieval.MODEL`, and says how they do on questions that they were not fitted on.

    python tools/fit_ranking.py NAME=BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] … [--sample 1000] [--without SIGNAL …]

Over released versions, the right bot given. A listwise logistic model over the signals of every article, each set of
questions weighing the same; recall is told over five folds, four times.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ragbots.config import load_settings
from ragbots.evaluation.questions import Record, load_questions
from ragbots.evaluation.scoring import covered
from ragbots.ranking import RankingModel
from ragbots.retrieval import MODEL, OpenBot, _from_store, read_question, score_articles, with_glossary
from ragbots.runtime import Runtime

FOLDS, ROUNDS, RIDGE = 5, 4, 0.5
DEPTHS = (1, 5, 10)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A question: the signals of every article (articles, signals), which of them answer, and their places."""

    signals: Array
    right: NDArray[np.bool_]
    places: list[tuple[str, str | None]]
    record: Record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=BOTS_DIR=DATA_DIR=QUESTIONS")
    parser.add_argument("--sample", type=int, default=1_000, help="questions of a set at most")
    parser.add_argument("--without", nargs="*", default=[], help="signals left out")
    given = parser.parse_args()
    names = [name for name in MODEL.weights if name not in given.without]
    start = RankingModel({name: MODEL.weights[name] * (name in names) for name in MODEL.weights}, "")
    sets = dict(cases(one, given.sample, start, names) for one in given.sets)
    for name, own in sets.items():
        print(f"{name:10} {len(own):5} questions, weights in use: {told(recalls(own, weights_in_use(names)))}")
    rounds = [cross_validated(sets, seed) for seed in range(ROUNDS)]
    for name in sets:
        values = np.array([one[name] for one in rounds])
        spread = values.std(axis=(0, 1))
        print(f"{name:10} fitted on other folds: {told(values.mean(axis=(0, 1)))}, over folds ± {told(spread)}")
    weights = fit([case for own in sets.values() for case in own], balance(sets))
    print(
        "weights = {" + ", ".join(f'"{name}": {weight:.2f}' for name, weight in zip(names, weights, strict=True)) + "}"
    )
    print("fitted_on = " + ", ".join(f"{name} {len(own)}" for name, own in sets.items()))


def cases(given: str, sample: int, model: RankingModel, names: list[str]) -> tuple[str, list[Case]]:
    name, bots, data, questions = given.split("=")
    environment = {**os.environ, "RAGBOTS_STORE": "exact"}
    runtime = Runtime.open(load_settings(environment, bots_dir=Path(bots), data_dir=Path(data)))
    records = [one for one in load_questions(map(Path, questions.split(","))) if one.in_scope and one.bot]
    records = [one for one in records if not one.history][:: max(1, len(records) // sample)]
    held = runtime.current().bots
    return name, [case(one, held[one.bot], runtime, model, names) for one in records]


def case(record: Record, bot: OpenBot, runtime: Runtime, model: RankingModel, names: list[str]) -> Case:
    query = with_glossary(read_question(record.question, runtime.embedder, runtime.morphemes), bot)
    scored = score_articles([query], [bot], [_from_store(bot, query)], model)
    contents = bot.version.contents
    firsts = [contents.chunks[start] for start, _ in bot.layout.spans]
    places = [(bot.version.document_of[one.document_id].source, one.address.article) for one in firsts]
    right = np.array([covered([place], record.gold_articles) > 0 for place in places])
    signals = np.stack([scored.signals[name] for name in names], axis=1).astype(np.float64)
    return Case(signals, right, places, record)


def weights_in_use(names: list[str]) -> Array:
    return np.array([MODEL.weights[name] for name in names])


def balance(sets: dict[str, list[Case]]) -> list[float]:
    return [100 / len(own) for own in sets.values() for _ in own]


def cross_validated(sets: dict[str, list[Case]], seed: int) -> dict[str, list[Array]]:
    """For each set the recalls of every fold, by weights fitted on the others."""
    random = np.random.default_rng(seed)
    folds = {name: random.permutation(len(own)) % FOLDS for name, own in sets.items()}
    result: dict[str, list[Array]] = {name: [] for name in sets}
    for fold in range(FOLDS):
        rest = {
            name: [one for one, at in zip(own, folds[name], strict=True) if at != fold] for name, own in sets.items()
        }
        weights = fit([one for own in rest.values() for one in own], balance(rest))
        for name, own in sets.items():
            result[name].append(recalls([one for one, at in zip(own, folds[name], strict=True) if at == fold], weights))
    return result


def fit(cases: list[Case], importance: list[float]) -> Array:
    """The weights under which right articles are most likely to come first."""

    def loss(weights: Array) -> tuple[float, Array]:
        total, gradient = RIDGE * float(weights @ weights), 2 * RIDGE * weights
        for one, how_much in zip(cases, importance, strict=True):
            if not one.right.any():
                continue
            scores = one.signals @ weights
            likely = np.exp(scores - scores.max())
            likely /= likely.sum()
            hit = likely[one.right].sum()
            total -= how_much * np.log(hit + 1e-12)
            wanted = np.where(one.right, likely, 0) / max(hit, 1e-12)
            gradient = gradient - how_much * (one.signals.T @ (wanted - likely))
        return total, gradient

    found = minimize(loss, np.zeros(cases[0].signals.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


def recalls(cases: list[Case], weights: Array) -> Array:
    found = []
    for one in cases:
        order = np.argsort(-(one.signals @ weights), kind="stable")[:30]
        ranked = list(dict.fromkeys(one.places[at] for at in order))
        gold = one.record.gold_articles
        found.append([covered(ranked[:depth], gold) / len(gold) for depth in DEPTHS])
    return np.asarray(np.mean(found, axis=0))


def told(values: Array) -> str:
    return " / ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    main()
