"""Tells how well bots are chosen, for several weights of what they are described by and several leads that are clear.

    python tools/fit_routing.py NAME=BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] …

Over released versions. For each weight the share of questions whose bot comes first, and among the first three; for
each lead the share that is asked back, and of the rest the share that goes to the wrong bot.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from ragbots.config import load_settings
from ragbots.evaluation.questions import load_questions
from ragbots.retrieval import read_question, strengths
from ragbots.routing import RULES, RoutingRules, choose
from ragbots.runtime import Runtime

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
LEADS = (0.0, 0.006, 0.012, 0.02, 0.03, 0.05)
Case = tuple[str, dict[str, tuple[float, float]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=BOTS_DIR=DATA_DIR=QUESTIONS")
    for one in parser.parse_args().sets:
        name, cases = read(one)
        for weight in WEIGHTS:
            ranked = [[bot for bot, _ in choose(found, RoutingRules(weight, 0)).ranked] for _, found in cases]
            first = np.mean([order[0] == bot for (bot, _), order in zip(cases, ranked, strict=True)])
            three = np.mean([bot in order[:3] for (bot, _), order in zip(cases, ranked, strict=True)])
            of = f"{name:8} {len(cases)} questions, profile {weight:.2f}"
            print(f"{of}: first {first:.3f}, in the first three {three:.3f}")
        for lead in LEADS:
            routes = [(bot, choose(found, RoutingRules(RULES.profile, lead))) for bot, found in cases]
            clear = [(bot, route) for bot, route in routes if route.clear]
            wrong = np.mean([route.bot != bot for bot, route in clear])
            back = 1 - len(clear) / len(routes)
            print(f"{name:8} clear lead {lead:.3f}: asked back {back:.3f}, wrong of the rest {wrong:.3f}")


def read(given: str) -> tuple[str, list[Case]]:
    name, folder, data, questions = given.split("=")
    environment = {**os.environ, "RAGBOTS_STORE": "exact"}
    runtime = Runtime.open(load_settings(environment, bots_dir=Path(folder), data_dir=Path(data)))
    bots = list(runtime.current().bots.values())
    records = [one for one in load_questions(map(Path, questions.split(","))) if one.in_scope and not one.history]
    read = [(one.bot, read_question(one.question, runtime.embedder, runtime.morphemes)) for one in records if one.bot]
    return name, [(bot, strengths(query, bots)) for bot, query in read]


if __name__ == "__main__":
    main()
