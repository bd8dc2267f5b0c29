"""Trains what reads a question's tokens against a passage's (reader.npz, see `ragbots.reading`).

    python tools/train_reader.py --out FILE NAME=BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] … [--check NAME …]

Over released versions. For every question the first articles found, in the bot that it is led to and in the one that it
is about, stand against each other and against there being no answer; where nothing answers (gold empty), or what does
is left out, the latter must win. The sets named by `--check` are not trained on: it says how well the sum over the
first five tells questions in scope from those out of it (area under the curve), beside the cosine alone.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from tqdm import tqdm

from ragbots import reading, smalltalk
from ragbots.config import load_settings
from ragbots.evaluation.questions import Record, load_questions
from ragbots.evaluation.scoring import covered
from ragbots.ranking import directions
from ragbots.retrieval import OpenBot, Query, read_question, route, search, tokens_of, with_glossary
from ragbots.runtime import Runtime

READ, BATCH, EPOCHS, RATE = 6, 8, 5, 2e-3
LEFT_OUT = 0.15  # of the questions in scope, what answers them
OUTSIDE, WITHOUT = 2.0, 0.5  # what a question out of scope counts, and one whose answer was left out
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A question's tokens and those of the passages found, which of these answer, and the first one's cosine."""

    question: Floats
    passages: tuple[Floats, ...]
    right: tuple[bool, ...]
    inside: bool
    cosine: float

    def without_answer(self) -> Example:
        kept = [passage for passage, right in zip(self.passages, self.right, strict=True) if not right]
        return replace(self, passages=tuple(kept), right=(False,) * len(kept))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=BOTS_DIR=DATA_DIR=QUESTIONS")
    parser.add_argument("--check", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    sets = {one.split("=")[0]: examples(one) for one in given.sets}
    model = Model()
    train(model, [one for name, made in sets.items() if name not in given.check for one in made])
    model.write(given.out)
    with np.load(given.out) as arrays:
        reader = reading.Reader({name: arrays[name].astype(np.float32) for name in arrays.files})
    for name, made in sets.items():
        inside = [one.inside for one in made]
        read = [reading.answered(reader.scores(one.question, one.passages[:5])) for one in made]
        told = " / ".join(f"{roc_auc_score(inside, by):.3f}" for by in ([one.cosine for one in made], read))
        print(f"{name}{' (not trained on)' * (name in given.check)}, {len(made)} questions, cosine / read: {told}")


def examples(given: str) -> list[Example]:
    name, bots, data, files = given.split("=")
    environment = {**os.environ, "RAGBOTS_STORE": "exact"}
    runtime = Runtime.open(load_settings(environment, bots_dir=Path(bots), data_dir=Path(data)))
    held = dict(runtime.current().bots)
    made = []
    for record in tqdm(load_questions([Path(one) for one in files.split(",")]), desc=name, mininterval=5):
        if record.history or smalltalk.intent(record.question) is not None:
            continue
        query = read_question(record.question, runtime.embedder, runtime.morphemes)
        led = route(query, list(held.values())).bot or ""
        about = [led] + ([record.bot] if record.bot in held and record.bot != led else [])
        found = [example(query, record, held[bot]) for bot in about]
        made += [one for one in found if any(one.right) or not record.in_scope]
    runtime.close()
    return made


def example(query: Query, record: Record, bot: OpenBot) -> Example:
    hits = search(with_glossary(query, bot), bot, READ).result.hits
    passages = [directions(tokens_of(bot, bot.layout.chunk_number[hit.chunk.id])) for hit in hits]
    mine = record.in_scope and record.bot == bot.config.id
    places = [(hit.document.source, hit.chunk.address.article) for hit in hits]
    right = tuple(mine and covered([place], record.gold_articles) > 0 for place in places)
    return Example(
        directions(query.tokens),
        tuple(one[: reading.LONGEST] for one in passages),
        right,
        record.in_scope,
        hits[0].dense,
    )


class Model(nn.Module):
    """What `reading.Reader` computes, over batches of pairs, with what training needs."""

    def __init__(self, axes: int = 96, hidden: int = 64, out: int = 32) -> None:
        super().__init__()
        seen, wide = len(reading.NEARNESS) + 1, reading.WIDE
        self.asked, self.query, self.key, self.value = (nn.Linear(axes, wide) for _ in range(4))
        self.first, self.second = nn.Linear(3 * wide + seen, hidden), nn.Linear(hidden, out)
        self.gate = nn.Linear(axes + seen, 1)
        self.whole, self.last = nn.Linear(out + seen, out), nn.Linear(out, 1)
        self.attention, self.nothing = nn.Parameter(torch.tensor(5.0)), nn.Parameter(torch.tensor(0.0))
        self.lightly, self.strongly = nn.Dropout(0.1), nn.Dropout(0.2)
        self.register_buffer("at", torch.from_numpy(reading.NEARNESS.copy()))

    def forward(self, questions: list[Floats], passages: list[Floats]) -> Tensor:
        """The scores of pairs, shape (pairs,)."""
        question, asks = padded(questions)
        passage, there = padded(passages)
        near = question @ passage.transpose(1, 2)
        counted = torch.exp(-(((near[..., None] - self.at) / float(reading.WIDTH)) ** 2) / 2)
        counted = (counted * there[:, None, :, None]).sum(dim=2)
        best = near.masked_fill(~there[:, None], -1.0).amax(dim=2)
        seen = torch.cat([torch.log1p(counted), best[..., None]], dim=2)
        affinity = self.query(question) @ self.key(passage).transpose(1, 2) / reading.WIDE**0.5 + self.attention * near
        found = affinity.masked_fill(~there[:, None], -1e4).softmax(dim=2) @ self.value(passage)
        asked = self.asked(question)
        each = torch.cat([self.lightly(asked), self.lightly(found), self.lightly(asked * found), seen], dim=2)
        each = self.second(self.strongly(self.first(each).relu())).relu()
        gate = self.gate(torch.cat([question, seen], dim=2))[..., 0]
        counts = gate.masked_fill(~asks, -1e4).softmax(dim=1)[:, None]
        whole = torch.cat([counts @ each, counts @ seen], dim=2)[:, 0]
        return self.last(self.strongly(self.whole(whole).relu()))[:, 0] - self.nothing

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: value.detach().numpy().astype(np.float16) for name, value in self.named_parameters()}
        np.savez(path, **arrays)


def padded(rows: list[Floats]) -> tuple[Tensor, Tensor]:
    filled = nn.utils.rnn.pad_sequence([torch.from_numpy(one) for one in rows], batch_first=True)
    return filled, torch.arange(filled.shape[1])[None] < torch.tensor([len(one) for one in rows])[:, None]


def train(model: Model, examples: list[Example]) -> None:
    generator = random.Random(1)
    steps = EPOCHS * (len(examples) // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.02)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1, pct_start=0.15)
    model.train()
    began, losses, queue = time.monotonic(), [], []
    for _ in tqdm(range(steps), desc=f"{len(examples)} questions", mininterval=5):
        if len(queue) < BATCH:
            queue += generator.sample(examples, len(examples))
        batch, queue = queue[:BATCH], queue[BATCH:]
        losses.append(loss(model, batch, generator))
        optimiser.zero_grad()
        losses[-1].backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        rates.step()
        losses[-1] = losses[-1].detach()
    ends = [float(torch.stack(part).mean()) for part in (losses[:50], losses[-50:])]
    print(f"{steps} steps in {time.monotonic() - began:.0f} s, loss {ends[0]:.3f} → {ends[1]:.3f}")
    model.eval()


def loss(model: Model, batch: list[Example], generator: random.Random) -> Tensor:
    """Of each question, the likelihood of what answers it among what was found and nothing."""
    chosen, weights = [], []
    for one in batch:
        bare = one.inside and generator.random() < LEFT_OUT
        chosen.append(one.without_answer() if bare else one)
        weights.append(WITHOUT if bare else 1.0 if one.inside else OUTSIDE)
    scores = model([one.question for one in chosen for _ in one.passages], [p for one in chosen for p in one.passages])
    total = torch.zeros(())
    for one, own, weight in zip(chosen, scores.split([len(one.passages) for one in chosen]), weights, strict=True):
        likely = torch.cat([own, torch.zeros(1)]).log_softmax(dim=0)
        right = torch.tensor([*one.right, not any(one.right)])
        total = total - weight * torch.logsumexp(likely[right], dim=0)
    return total / sum(weights)


if __name__ == "__main__":
    main()
