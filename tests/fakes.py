"""Deterministic stand-ins for the seams: no model, no network, the same result on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from ragbots.ports import Embedded, TokenVectors, Vectors

_WORDS = re.compile(r"\w+")


class HashingEmbedder:
    """A unit vector of hashed words: texts that share words are near each other.

    The beginnings of a word count a little too, so that 연차휴가 and 연차휴가를 meet. `calls` keeps what
    was embedded, in batches.
    """

    def __init__(self, dimension: int = 64, max_tokens: int = 128, id: str = "hashing-1") -> None:
        self.id = id
        self.dimension = dimension
        self.token_dimension = dimension
        self.max_tokens = max_tokens
        self.calls: list[list[str]] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_WORDS.findall(text)) + 2 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._embed(text)
        return vectors

    def embed_passages_by_token(self, texts: Sequence[str]) -> Embedded:
        return Embedded(self.embed_passages(texts), tuple(self._tokens(text) for text in texts))

    def embed_question(self, text: str) -> Vectors:
        return self._embed(text)

    def embed_question_by_token(self, text: str) -> Embedded:
        return Embedded(self._embed(text)[None], (self._tokens(text),))

    def _tokens(self, text: str) -> TokenVectors:
        """A vector for each word, and one for a text without words."""
        words = _WORDS.findall(text.lower()) or [""]
        vectors = np.stack([self._embed(word) for word in words])
        return np.rint(vectors * 127 / np.abs(vectors).max(axis=1, keepdims=True)).astype(np.int8)

    def _embed(self, text: str) -> Vectors:
        vector = np.full(self.dimension, 1e-3, np.float32)
        for word in _WORDS.findall(text.lower()):
            for end in range(2, len(word) + 1):
                vector += self._direction(word[:end]) * (1.0 if end == len(word) else 0.5)
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit

    def _direction(self, word: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(word.encode("utf-8")).digest()[:8], "big")
        return np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)


class RecordingProgress:
    """A Progress that remembers: `steps` as (label, total), `advanced` as the sum."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.advanced = 0

    def step(self, label: str, total: int) -> None:
        self.steps.append((label, total))

    def advance(self, by: int = 1) -> None:
        self.advanced += by


def unit_rows(count: int, dimension: int = 32, *, seed: int = 0) -> Vectors:
    """`count` vectors of length 1 that look like embeddings: one common direction, a few topics."""
    random = np.random.default_rng(seed)
    topics = random.normal(size=(12, dimension))
    rows = 3.0 * topics[0] + topics[random.integers(12, size=count)] + random.normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
