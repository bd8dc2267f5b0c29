"""Fits the confidence model on question files and prints it, with how it does over folds and corpora.

    python tools/fit_confidence.py NAME=BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] … [--sample 2000]

Each argument is an installation whose released versions are asked, with its own questions, those out of
scope (gold empty) included. Small talk is left out of the fit, since it is refused before anything is
looked up, and counted as refused in the figures. Every installation weighs the same, and in each both
classes do. Printed are the model as it stands in `confidence.py`, and for each installation refusal
recall and precision at several thresholds: over five folds, and by a model that never saw the
installation; refused in scope is the share of questions that would have been answered.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ragbots import evaluation, retrieval, smalltalk
from ragbots.confidence import Features
from ragbots.config import load_settings
from ragbots.runtime import Runtime
from ragbots.types import Turn

Array = NDArray[np.float64]
NAMES = [field.name for field in fields(Features)]
SEEDS = range(3)
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)


@dataclass(frozen=True)
class Corpus:
    """`inside`: 1 where the rules answer. `small_talk`: questions out of scope that are refused unseen."""

    name: str
    features: Array
    inside: Array
    small_talk: int

    @property
    def weights(self) -> Array:
        inside = self.inside == 1
        return np.where(inside, 500 / max(1, inside.sum()), 500 / max(1, (~inside).sum()))

    def part(self, rows: Array) -> Corpus:
        return Corpus(self.name, self.features[rows], self.inside[rows], 0)


def read(name: str, bots_dir: str, data_dir: str, questions: str, sample: int) -> Corpus:
    runtime = Runtime.open(load_settings({}, bots_dir=Path(bots_dir), data_dir=Path(data_dir), store="exact"))
    runtime.warm_up()
    bots = dict(runtime.current().bots)
    rows, inside, small_talk = [], [], 0
    records = evaluation.load_questions([Path(file) for file in questions.split(",")])
    if 0 < sample < len(records):
        records = random.Random(7).sample(list(records), sample)
    for record in records:
        if smalltalk.intent(record.question) is not None:
            small_talk += not record.gold
            continue
        history = [Turn(said.role, said.content) for said in record.history]
        rows.append(list(asdict(_features(runtime, bots, record.question, history)).values()))
        inside.append(int(bool(record.gold)))
    runtime.close()
    return Corpus(name, np.array(rows), np.array(inside), small_talk)


def _features(runtime: Runtime, bots: dict[str, retrieval.OpenBot], question: str, history: Sequence[Turn]) -> Features:
    query = retrieval.read_turn(question, history, list(bots.values()), runtime.embedder, runtime.morphemes)
    bot = bots[retrieval.route(query, list(bots.values())).bot or ""]
    query = retrieval.with_glossary(query, bot)
    return retrieval.search(query, bot, 1).features


def fitted(corpora: Sequence[Corpus]) -> Pipeline:
    x = np.concatenate([corpus.features for corpus in corpora])
    y = np.concatenate([corpus.inside for corpus in corpora])
    weights = np.concatenate([corpus.weights for corpus in corpora])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    return model.fit(x, y, logisticregression__sample_weight=weights)


def over_folds(corpora: Sequence[Corpus]) -> list[Array]:
    """The confidence of every question by a model that did not see it, averaged over the seeds."""
    result = [np.zeros(len(corpus.inside)) for corpus in corpora]
    for seed in SEEDS:
        splits = [
            list(StratifiedKFold(5, shuffle=True, random_state=seed).split(corpus.features, corpus.inside))
            for corpus in corpora
        ]
        for fold in range(5):
            model = fitted([corpus.part(split[fold][0]) for corpus, split in zip(corpora, splits, strict=True)])
            for corpus, split, values in zip(corpora, splits, result, strict=True):
                rows = split[fold][1]
                values[rows] += model.predict_proba(corpus.features[rows])[:, 1] / len(SEEDS)
    return result


def figures(corpus: Corpus, confidence: Array, threshold: float) -> str:
    refused = confidence < threshold
    right = int((refused & (corpus.inside == 0)).sum()) + corpus.small_talk
    wrong = int((refused & (corpus.inside == 1)).sum())
    outside = int((corpus.inside == 0).sum()) + corpus.small_talk
    recall, precision = right / max(1, outside), right / max(1, right + wrong)
    return f"{recall:.2f} / {precision:.2f} ({wrong / max(1, (corpus.inside == 1).sum()):.3f})"


def literal(model: Pipeline, corpora: Sequence[Corpus], threshold: float) -> str:
    """The model in the units of the features, as Python."""
    scaler, logistic = model[0], model[1]
    weights = logistic.coef_[0] / scaler.scale_
    intercept = float(logistic.intercept_[0] - (weights * scaler.mean_).sum())
    sizes = ", ".join(f"{corpus.name} {len(corpus.inside)}" for corpus in corpora)
    named = "".join(f'\n        "{name}": {float(weight):.3f},' for name, weight in zip(NAMES, weights, strict=True))
    return (
        f"MODEL = ConfidenceModel(\n    intercept={intercept:.3f},\n    weights={{{named}\n    }},\n"
        f'    threshold={threshold},\n    fitted_on="questions: {sizes}; {date.today()}",\n)'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("installations", nargs="+")
    parser.add_argument("--threshold", type=float, default=0.22)
    parser.add_argument("--sample", type=int, default=0, help="questions of an installation at most; 0 = all")
    options = parser.parse_args()
    corpora = [read(*installation.split("="), options.sample) for installation in options.installations]
    print(literal(fitted(corpora), corpora, options.threshold))
    print("\nrefusal recall / precision (refused in scope)")
    views = {"five folds": over_folds(corpora)}
    if len(corpora) > 1:
        views["corpus unseen"] = [
            fitted([other for other in corpora if other is not corpus]).predict_proba(corpus.features)[:, 1]
            for corpus in corpora
        ]
    for view, confidences in views.items():
        for corpus, confidence in zip(corpora, confidences, strict=True):
            print(f"{corpus.name}, {view}:")
            for threshold in THRESHOLDS:
                print(f"  below {threshold:.2f}: {figures(corpus, confidence, threshold)}")


if __name__ == "__main__":
    main()
