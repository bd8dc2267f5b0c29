"""Fits the confidence model on question files and prints it, with how it does over folds.

    python tools/fit_confidence.py BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] …

Each argument is an installation with its own questions, those out of scope (gold empty) included. The
model sees scores only. The threshold is the one that refuses most of what is out of scope while at
least `--precision` of what it refuses is; it is the same for every corpus.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from ragbots import evaluation, followup, retrieval
from ragbots.config import load_settings
from ragbots.runtime import Runtime
from ragbots.types import Turn


def features(bots_dir: str, data_dir: str, questions: str) -> tuple[list[tuple[float, ...]], list[int]]:
    runtime = Runtime.open(load_settings({}, bots_dir=bots_dir, data_dir=data_dir, store="exact"))
    runtime.warm_up()
    bots = dict(runtime.current().bots)
    rows, labels = [], []
    for record in evaluation.load_questions([Path(name) for name in questions.split(",")]):
        history = [Turn(said.role, said.content) for said in record.history]
        text = followup.standalone(record.question, history)
        query = retrieval.read_question(text, runtime.embedder, runtime.morphemes)
        chosen = retrieval.route(query, list(bots.values())).bot
        assert chosen is not None
        bot = bots[chosen]
        query = retrieval.with_glossary(query, bot.config.glossary, runtime.morphemes)
        rows.append(retrieval.search(query, bot, 1).features.values())
        labels.append(int(bool(record.gold)))
    runtime.close()
    return rows, labels


def threshold_for(confidence: np.ndarray, labels: np.ndarray, precision: float) -> tuple[float, float, float]:
    """The threshold, and refusal recall and precision there. Each class counts as it is in the data."""
    best = (0.0, 0.0, 1.0)
    for value in np.unique(confidence):
        refused = confidence < value
        if not refused.any():
            continue
        right = float((labels[refused] == 0).mean())
        recall = float(refused[labels == 0].mean())
        if right >= precision and recall > best[1]:
            best = (float(value), recall, right)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("installations", nargs="+")
    parser.add_argument("--precision", type=float, default=0.8)
    options = parser.parse_args()
    rows: list[tuple[float, ...]] = []
    labels: list[int] = []
    weights: list[float] = []
    for installation in options.installations:
        more, their = features(*installation.split("="))
        rows += more
        labels += their
        inside = max(1, sum(their))
        weights += [1 / inside if label else 1 / max(1, len(their) - inside) for label in their]
    x, y, w = np.array(rows), np.array(labels), np.array(weights)
    folded = np.zeros(len(y))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=7).split(x, y):
        model = LogisticRegression(C=1e4, max_iter=10_000).fit(x[train], y[train], sample_weight=w[train] * 100)
        folded[test] = model.predict_proba(x[test])[:, 1]
    model = LogisticRegression(C=1e4, max_iter=10_000).fit(x, y, sample_weight=w * 100)
    value, recall, precision = threshold_for(folded, y, options.precision)
    print(f"intercept={model.intercept_[0]:.3f} weights={tuple(round(float(v), 3) for v in model.coef_[0])}")
    print(
        f"threshold={value:.3f}: refusal recall {recall:.3f} at precision {precision:.3f}; 5 folds, {len(y)} questions"
    )
    for name, column in zip(("cosine", "article", "lead", "known"), x.T, strict=True):
        inside, outside = column[y == 1], column[y == 0]
        print(
            f"{name}: in scope {inside.mean():.3f} ± {inside.std():.3f}, out {outside.mean():.3f} ± {outside.std():.3f}"
        )


if __name__ == "__main__":
    main()
