"""The embedding cache: what was embedded once is never embedded again, across versions and bots.

One SQLite file for each embedder, keyed by the text's SHA-256. SQLite in WAL mode because it keeps
whole transactions through a `kill -9`, lets a second process read and wait its turn to write, and
needs no server; the standard library's client because there is one table and no other database to
speak to. It is only a cache: a damaged file is set aside and filled anew.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from ragbots.ports import Embedder, Progress, Vectors
from ragbots.text import digest

T = TypeVar("T")
_log = logging.getLogger(__name__)

_TRANSACTION = 128  # texts embedded between two commits: a killed build loses at most these
_LOOKUP = 500  # below SQLite's limit of variables in one statement
_BUSY_SECONDS = 60.0
_UNIT = 1e-3  # a vector whose length is further from 1 was not stored by us
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class EmbeddingCache:
    """Vectors of one embedder by text, in one file below `folder`. Safe for threads and processes."""

    def __init__(self, folder: Path, embedder_id: str, dimension: int) -> None:
        readable = re.sub(r"[^A-Za-z0-9._+-]+", "-", embedder_id)[:80]
        self.path = folder / f"{readable}-{digest(embedder_id)[:12]}.sqlite3"
        self._dimension = dimension

    def get(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """The vectors that are there, by text; those that are not whole are left out."""
        wanted = {_key(text): text for text in texts}
        rows = self._run(lambda database: _select(database, list(wanted)))
        found = {wanted[key]: np.frombuffer(vector, np.float32) for key, vector in rows}
        return {text: vector for text, vector in found.items() if self._is_whole(vector)}

    def put(self, vectors: Mapping[str, Vectors]) -> None:
        """Stores all of them in one transaction; a text that is there already is replaced."""
        rows = [(_key(text), np.ascontiguousarray(vector, np.float32).tobytes()) for text, vector in vectors.items()]
        self._run(lambda database: _insert(database, rows))

    def _is_whole(self, vector: Vectors) -> bool:
        return vector.shape == (self._dimension,) and abs(float(np.linalg.norm(vector)) - 1.0) < _UNIT

    def _run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """The operation on a connection of its own; if the file proves damaged, again on a new one."""
        try:
            with closing(self._connect()) as database:
                return operation(database)
        except sqlite3.DatabaseError as error:
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
        self.max_tokens = embedder.max_tokens
        self.hits = 0
        self.misses = 0
        self._embedder = embedder
        self._cache = EmbeddingCache(folder, embedder.id, embedder.dimension)
        self._progress = progress

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    def embed_question(self, text: str) -> Vectors:
        """Never cached: what people ask is not kept, and a question is quicker embedded than looked up twice."""
        return self._embedder.embed_question(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension). What was embedded stays in the cache even where a later text fails."""
        known = self._cache.get(texts)
        missing = sorted({text for text in texts if text not in known}, key=len)  # alike lengths share a batch
        self.hits += len(texts) - len(missing)
        self.misses += len(missing)
        known |= self._embed(missing)
        return np.stack([known[text] for text in texts]) if texts else np.empty((0, self.dimension), np.float32)

    def _embed(self, missing: Sequence[str]) -> dict[str, Vectors]:
        if self._progress and missing:
            self._progress.step("embedding", len(missing))
        made: dict[str, Vectors] = {}
        for start in range(0, len(missing), _TRANSACTION):
            part = missing[start : start + _TRANSACTION]
            vectors = dict(zip(part, self._embedder.embed_passages(part), strict=True))
            self._cache.put(vectors)
            made |= vectors
            if self._progress:
                self._progress.advance(len(part))
        return made


def _key(text: str) -> bytes:
    return bytes.fromhex(digest(text))
