"""How well passages answer a question, read token against token by a small trained model.

A similarity says how near a passage is to a question; near misses are near. What is trained here has seen both: it
weighs the tokens of the question (what is asked for must be met, how it is asked need not), looks for each of them
among those of the passage, and says whether that answers. `tools/train_reader.py` trains it, on the vectors of tokens
that the bundled model gives: it reads no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragbots.ports import TokenVectors
from ragbots.ranking import directions

Floats = NDArray[np.float32]

LONGEST = 200  # tokens of a passage that are read
NEARNESS = np.linspace(1.0, 0.0, 11, dtype=np.float32)  # at which matches are counted, each ± WIDTH
WIDTH = np.float32(0.05)
WIDE = 48  # numbers that a token is looked for by
PARAMETERS = Path(__file__).with_name("reader.npz")


@dataclass(frozen=True, slots=True)
class Reader:
    """The parameters as `tools/train_reader.py` writes them: of each linear map `NAME.weight`, shape (out, in), and
    `NAME.bias`; `attention`, how much the nearness of two tokens counts for the attention between them; `nothing`, the
    score of there being no answer."""

    parameters: Mapping[str, Floats]

    def reads(self, tokens: TokenVectors) -> bool:
        """Whether there are tokens, and of the width that it was trained on."""
        return bool(tokens.size) and tokens.shape[1] == self.parameters["key.weight"].shape[1]

    def scores(self, question: TokenVectors, passages: Sequence[TokenVectors]) -> Floats:
        """For each passage, by the tokens that it has, how well it answers; below 0 rather not. Shape (passages,)."""
        tokens = directions(question)
        return np.array([self._score(tokens, directions(one[:LONGEST])) for one in passages], dtype=np.float32)

    def _score(self, question: Floats, passage: Floats) -> float:
        near = question @ passage.T
        seen = matches(near)
        asked, keys = self._linear("asked", question), self._linear("key", passage)
        attention = attend(self._linear("query", question) @ keys.T, near, self.parameters["attention"])
        found = attention @ self._linear("value", passage)
        each = np.concatenate([asked, found, asked * found, seen], axis=1)
        each = _above(self._linear("second", _above(self._linear("first", each))))
        counts = _share(self._linear("gate", np.concatenate([question, seen], axis=1))[:, 0])
        whole = np.concatenate([counts @ each, counts @ seen])
        return float(self._linear("last", _above(self._linear("whole", whole)))[0] - self.parameters["nothing"])

    def _linear(self, name: str, values: Floats) -> Floats:
        return np.asarray(values @ self.parameters[f"{name}.weight"].T + self.parameters[f"{name}.bias"])


def answered(scores: Floats) -> float:
    """How well passages together answer, by their scores: above the best of them where several do."""
    return float(np.logaddexp.reduce(scores))


def matches(near: Floats) -> Floats:
    """Of the nearness of tokens, shape (question, passage): for each token of the question how many of the passage lie
    at about each of `NEARNESS`, as a logarithm, and its best match; shape (question, 12)."""
    counted = np.exp(-(((near[:, None] - NEARNESS[:, None]) / WIDTH) ** 2) / 2).sum(axis=2)
    return np.asarray(np.concatenate([np.log1p(counted), near.max(axis=1, keepdims=True)], axis=1), dtype=np.float32)


def attend(affinity: Floats, near: Floats, weight: Floats) -> Floats:
    """How much each token of the question looks at those of the passage; each row in all 1."""
    return _share(affinity / np.sqrt(np.float32(WIDE)) + weight * near)


def _above(values: Floats) -> Floats:
    return np.maximum(values, 0)


def _share(values: Floats) -> Floats:
    """Softmax over the last axis."""
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


@cache
def bundled() -> Reader:
    """The reader of the bundled model's tokens."""
    with np.load(PARAMETERS) as arrays:
        return Reader({name: arrays[name].astype(np.float32) for name in arrays.files})
