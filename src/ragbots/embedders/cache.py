"""The embedding cache: what was embedded once is never embedded again, across versions and bots.

One SQLite file for each embedder, keyed by the text's SHA-256. SQLite in WAL mode because it keeps
whole transactions through a `kill -9`, lets a second process read and wait its turn to write, and
needs no server; the standard library's client because there is one table and no other database to
speak to. It is only a cache: a damaged file is set aside and filled anew.
"""

from __future__ import annotations

import errno
import logging
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from ragbots.ports import Embedded, Embedder, Progress, TokenVectors, Vectors
from ragbots.text import digest

T = TypeVar("T")
_log = logging.getLogger(__name__)

_TRANSACTION = 128  # texts embedded between two commits: a killed build loses at most these
_LOOKUP = 500  # below SQLite's limit of variables in one statement
_BUSY_SECONDS = 60.0
_UNIT = 1e-3  # a vector whose length is further from 1 was not stored by us
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)  # the latter where its readers' shared file cannot grow
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Made:
    """One text as vectors: its own, shape (dimension,), and those of its tokens, shape (tokens, token_dimension)."""

    vector: Vectors
    tokens: TokenVectors


class EmbeddingCache:
    """Vectors of one embedder by text, in one file below `folder`. Safe for threads and processes."""

    def __init__(self, folder: Path, embedder_id: str, dimension: int, token_dimension: int) -> None:
        readable = re.sub(r"[^A-Za-z0-9._+-]+", "-", embedder_id)[:80]
        self.path = folder / f"{readable}-{digest(embedder_id)[:12]}.sqlite3"
        self._dimension = dimension
        self._token_dimension = token_dimension

    def get(self, texts: Sequence[str]) -> dict[str, Made]:
        """What is there, by text; what is not whole is left out."""
        wanted = {_key(text): text for text in texts}
        rows = self._run(lambda database: _select(database, list(wanted)))
        read = {wanted[key]: self._read(stored) for key, stored in rows}
        return {text: made for text, made in read.items() if made is not None}

    def put(self, made: Mapping[str, Made]) -> None:
        """Stores all of them in one transaction; a text that is there already is replaced."""
        rows = [
            (_key(text), np.ascontiguousarray(one.vector, np.float32).tobytes() + one.tokens.tobytes())
            for text, one in made.items()
        ]
        self._run(lambda database: _insert(database, rows))

    def _read(self, stored: bytes) -> Made | None:
        size = self._dimension * np.dtype(np.float32).itemsize
        if len(stored) < size or (len(stored) - size) % max(self._token_dimension, 1):
            return None
        vector = np.frombuffer(stored[:size], np.float32)
        if not abs(float(np.linalg.norm(vector)) - 1.0) < _UNIT:  # also where it is no number
            return None
        rows = (len(stored) - size) // self._token_dimension if self._token_dimension else 0
        return Made(vector, np.frombuffer(stored[size:], np.int8).reshape(rows, self._token_dimension))

    def _run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """The operation on a connection of its own; if the file proves damaged, again on a new one."""
        try:
            with closing(self._connect()) as database:
                return operation(database)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in _FULL:
                raise OSError(errno.ENOSPC, "no space left for the embedding cache", str(self.path)) from error
            if error.sqlite_errorcode not in _DAMAGED:
                raise
            self._set_aside(error)
        with closing(self._connect()) as database:
            return operation(database)

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=_BUSY_SECONDS)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")  # a power cut loses the last commits, never the file
            database.execute("CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB NOT NULL)")
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        damaged = self.path.with_suffix(".damaged")
        _log.warning("embedding cache %s is damaged (%s): set aside as %s", self.path, error, damaged.name)
        self.path.replace(damaged)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _select(database: sqlite3.Connection, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    rows: list[tuple[bytes, bytes]] = []
    for start in range(0, len(keys), _LOOKUP):
        part = keys[start : start + _LOOKUP]
        marks = ",".join("?" * len(part))
        rows += database.execute(f"SELECT text, vector FROM vectors WHERE text IN ({marks})", part).fetchall()
    return rows


def _insert(database: sqlite3.Connection, rows: Sequence[tuple[bytes, bytes]]) -> None:
    with database:
        database.executemany("INSERT OR REPLACE INTO vectors (text, vector) VALUES (?, ?)", rows)


class CachedEmbedder:
    """An Embedder that asks the cache first and embeds each missing text once.

    `hits` counts texts that needed no embedding (repeated ones included), `misses` those embedded.
    `progress`, where given, is told of the missing texts only.
    """

    def __init__(self, embedder: Embedder, folder: Path, progress: Progress | None = None) -> None:
        self.id = embedder.id
        self.dimension = embedder.dimension
        self.token_dimension = embedder.token_dimension
        self.max_tokens = embedder.max_tokens
        self.hits = 0
        self.misses = 0
        self._embedder = embedder
        self._cache = EmbeddingCache(folder, embedder.id, embedder.dimension, embedder.token_dimension)
        self._progress = progress

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    def embed_question(self, text: str) -> Vectors:
        """Never cached: what people ask is not kept, and a question is quicker embedded than looked up twice."""
        return self._embedder.embed_question(text)

    def embed_question_by_token(self, text: str) -> Embedded:
        return self._embedder.embed_question_by_token(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self.embed_passages_by_token(texts).vectors

    def embed_passages_by_token(self, texts: Sequence[str]) -> Embedded:
        """What was embedded stays in the cache even where a later text fails."""
        known = self._cache.get(texts)
        missing = sorted({text for text in texts if text not in known}, key=len)  # alike lengths share a batch
        self.hits += len(texts) - len(missing)
        self.misses += len(missing)
        known |= self._embed(missing)
        if not texts:
            return Embedded(np.empty((0, self.dimension), np.float32), ())
        return Embedded(np.stack([known[text].vector for text in texts]), tuple(known[text].tokens for text in texts))

    def _embed(self, missing: Sequence[str]) -> dict[str, Made]:
        if self._progress and missing:
            self._progress.step("embedding", len(missing))
        made: dict[str, Made] = {}
        for start in range(0, len(missing), _TRANSACTION):
            part = missing[start : start + _TRANSACTION]
            embedded = self._embedder.embed_passages_by_token(part)
            new = {text: Made(*one) for text, *one in zip(part, embedded.vectors, embedded.tokens, strict=True)}
            self._cache.put(new)
            made |= new
            if self._progress:
                self._progress.advance(len(part))
        return made


def _key(text: str) -> bytes:
    return bytes.fromhex(digest(text))
