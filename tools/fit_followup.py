"""Fits what decides whether a turn leans on those before it, and says what carrying over is worth.

    python tools/fit_followup.py BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] …

Records with a history are turns that lean on it. As turns that do not, each question in scope is put
behind one about another bot, and behind another one about its own bot. Printed are the model as it
stands in `followup.py`, how often it takes which for which (over five folds, all pairs of a question
in the same), and recall@5 end to end, alone and as `read_turn` reads them with the model in use.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from ragbots import evaluation, followup, retrieval
from ragbots.config import load_settings
from ragbots.runtime import Runtime
from ragbots.types import Turn

LEANS, OTHER_BOT, SAME_BOT = "leans", "other bot", "same bot"


@dataclass(frozen=True)
class Pair:
    """A question behind another, with the four signs of the model and whether it was answered (recall@5)."""

    kind: str
    question: str
    signs: tuple[float, ...]
    alone: float
    read: float


def pairs(bots_dir: str, data_dir: str, questions: str) -> list[Pair]:
    runtime = Runtime.open(load_settings({}, bots_dir=Path(bots_dir), data_dir=Path(data_dir), store="exact"))
    runtime.warm_up()
    bots = list(runtime.current().bots.values())
    records = [one for one in evaluation.load_questions([Path(file) for file in questions.split(",")]) if one.gold]
    singles = [record for record in records if not record.history]
    rng = random.Random(5)
    result = []
    for record in records:
        if record.history:
            result.append(
                _pair(LEANS, record, [Turn(said.role, said.content) for said in record.history], runtime, bots)
            )
            continue
        for kind in (OTHER_BOT, SAME_BOT):
            others = [x for x in singles if (x.bot == record.bot) == (kind is SAME_BOT) and x.id != record.id]
            if others:
                before = [Turn("user", rng.choice(others).question)]
                result.append(_pair(kind, record, before, runtime, bots))
    runtime.close()
    return result


def _pair(kind: str, record: Any, history: Sequence[Turn], runtime: Runtime, bots: Sequence[retrieval.OpenBot]) -> Pair:
    parts = (runtime.embedder, runtime.morphemes)
    alone = retrieval.read_question(record.question, *parts)
    before = followup.earlier(history) or ""
    elsewhere = retrieval.elsewhere(alone, retrieval.read_question(before, *parts), bots)
    read = retrieval.read_turn(record.question, history, bots, *parts)
    signs = followup.signs(record.question, len(alone.terms), elsewhere)
    return Pair(kind, record.question, signs, _recall(alone, record, bots), _recall(read, record, bots))


def _recall(query: retrieval.Query, record: Any, bots: Sequence[retrieval.OpenBot]) -> float:
    chosen = retrieval.route(query, bots).bot
    (bot,) = [bot for bot in bots if bot.config.id == chosen]
    hits = retrieval.search(query, bot, 5).result.hits
    found = {(Path(hit.document.source).name, hit.chunk.address.article) for hit in hits}
    found |= {(source, None) for source, _ in found}
    gold = {(Path(place.source).name, place.article) for place in record.gold}
    return len(gold & found) / len(gold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("installations", nargs="+")
    options = parser.parse_args()
    found = [pair for installation in options.installations for pair in pairs(*installation.split("="))]
    kinds = np.array([pair.kind for pair in found])
    x, y = np.array([pair.signs for pair in found]), (kinds == LEANS).astype(int)
    if y.any():
        weights = np.where(y == 1, 100 / y.sum(), 100 / (1 - y).sum())
        groups = np.unique([pair.question for pair in found], return_inverse=True)[1]
        model = LogisticRegression().fit(x, y, sample_weight=weights)
        print(f"intercept={model.intercept_[0]:.2f}, weights={model.coef_[0].round(2).tolist()}")
        folded = cross_val_predict(
            LogisticRegression(), x, y, groups=groups, cv=GroupKFold(5), method="decision_function",
            params={"sample_weight": weights},
        )  # fmt: skip
        for threshold in (-1.0, -0.7, -0.4, 0.0, 0.4):
            taken = {kind: f"{(folded[kinds == kind] >= threshold).mean():.3f}" for kind in np.unique(kinds)}
            print(f"taken to lean at {threshold}: {taken}")
    for kind in np.unique(kinds):
        of_kind = [pair for pair in found if pair.kind == kind]
        alone, read = np.mean([pair.alone for pair in of_kind]), np.mean([pair.read for pair in of_kind])
        print(f"{kind}, {len(of_kind)}: recall@5 alone {alone:.3f}, as read {read:.3f}")


if __name__ == "__main__":
    main()
