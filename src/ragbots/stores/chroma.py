"""Chroma, embedded: one directory for each store, held by one process, trusted only after a check.

What Chroma 1.5.9 does on disk decides the shape of this module. `delete_collection` leaves data
behind, so a store is a directory with one collection, and deleting removes the directory. Opening and
querying rewrite its files and two writers can corrupt them, so the holder of an OS lock opens it and
anybody else is given the exact scan. With half its vector file cut off it reports the full count and
no error, so its index files are compared by hash before it opens them, and then asked for rows by
their own vectors. All it holds is a copy of the version's vectors: what fails a check is filled anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from filelock import FileLock, Timeout

from ragbots.errors import ConfigurationError, DamagedVersion, Locked
from ragbots.ports import Vectors, VectorStore
from ragbots.stores.exact import ExactStore

if TYPE_CHECKING:
    from chromadb.api.client import Client

_log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")
_COLLECTION = "vectors"
_MARKER = ".checked.json"  # kept beside the directory, which is Chroma's
_SCRATCH = re.compile(r"\.(.+)\.[a-z0-9_]{8}\.tmp")  # what tempfile makes of a name
_BESIDE = re.compile(r"\.(.+)(?:\.lock|\.checked\.json)")
_MARKER_FORMAT = 1
_ATTEMPTS = 3  # at filling: Chroma builds its graph anew each time, and now and then a poor one
_SMALLEST = 2  # Chroma writes no index for fewer; they are answered by the exact scan
_BATCH = 1000
_CHECK_BATCH = 200
_CHECK_NEIGHBOURS = 5
_CHECKED_AT_OPEN = 5000  # rows; 0.2 ms each. Beyond that evenly spread ones, the files being hashed anyway
_CHECK_SECONDS = 600
_COMPARED = 100  # rows whose nearest ones are compared with those of the exact scan
_COMPARED_NEIGHBOURS = 10
_SAME = 1e-4  # cosines that differ by less are taken for equal
_FEWEST_SHARED = 0.95  # of them, on average: Chroma now and then builds a graph that leads to half of the rows only
# Recall@20 against the exact scan: 1.000 for 3,000 vectors, 0.9995 for 20,000, at 0.7 and 1.5–2 ms a query.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}


class Collection:
    """The one collection of an open directory. Whoever opens it holds the directory's lock.

    Raises DamagedVersion for whatever makes Chroma fail on opening.
    """

    def __init__(self, directory: Path) -> None:
        self._client = _client(directory)
        try:
            self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)
            self._rows = self._collection.count()
        except Exception as error:
            self._client.close()
            raise DamagedVersion(f"{directory}: Chroma cannot read it: {error}") from error

    def query(self, vectors: Vectors, k: int) -> list[list[tuple[int, float]]]:
        """For each row of `vectors` up to k (row, cosine), best first."""
        if min(k, self._rows) < 1:
            return [[] for _ in vectors]
        queries = np.ascontiguousarray(vectors, np.float32)
        found = self._collection.query(query_embeddings=queries, n_results=min(k, self._rows), include=["distances"])
        return [
            [(int(row), 1.0 - float(distance)) for row, distance in zip(rows, distances, strict=True)]
            for rows, distances in zip(found["ids"], found["distances"] or [], strict=True)
        ]

    def close(self) -> None:
        self._client.close()


class ChromaStore:
    """An open collection and the lock on its directory; `close` gives both back."""

    id = "chroma"

    def __init__(self, collection: Collection, lock: FileLock) -> None:
        self._collection = collection
        self._lock = lock

    def query(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """Up to k (row, cosine), best first."""
        return self._collection.query(vector[None, :], k)[0]

    def close(self) -> None:
        """Not while a query runs; twice does no harm."""
        self._collection.close()
        self._lock.release()


class ChromaStoreFactory:
    """Stores below `folder`, one directory each. `lock_seconds`: how long to wait for another holder."""

    id = "chroma"

    def __init__(self, folder: Path, *, lock_seconds: float) -> None:
        self._folder = folder
        self._lock_seconds = lock_seconds

    def fill(self, name: str, vectors: Vectors) -> None:
        """Makes the store anew and checks every row from a fresh process (about a second).

        Raises Locked where another process holds it, DamagedVersion where what was written fails the check.
        """
        if len(vectors) < _SMALLEST:
            return self.delete(name)
        with self._locked(name):
            self._fill(name, vectors)
        return None

    def open(self, name: str, vectors: Vectors) -> VectorStore:
        """The store, refilled where it fails its check.

        The exact scan, which answers the same, where another process holds the store, where Chroma
        cannot be filled, or where there are too few rows.
        """
        if len(vectors) < _SMALLEST:
            return ExactStore(vectors)
        lock = self._lock(name)
        try:
            lock.acquire(timeout=self._lock_seconds)
        except Timeout:
            _log.info("store %s is held by another process: answering by the exact scan", name)
            return ExactStore(vectors)
        try:
            collection = self._open_checked(name, vectors) or self._refill(name, vectors)
            return ChromaStore(collection, lock)
        except DamagedVersion as error:
            _log.error("%s: answering by the exact scan", error)
            lock.release()
            return ExactStore(vectors)
        except BaseException:
            lock.release()
            raise

    def check(self, name: str, vectors: Vectors) -> list[int]:
        """Rows that a fresh process does not find by their own vector; all of them where there is no store.

        An equal vector in another row counts as found. Raises Locked where another process holds the
        store: Chroma rewrites its files even for a reader, so nobody else may look.
        """
        if len(vectors) < _SMALLEST:
            return []
        with self._locked(name):
            directory = self._directory(name)
            return _check_in_fresh_process(directory, vectors) if directory.is_dir() else list(range(len(vectors)))

    def delete(self, name: str) -> None:
        """Removes the store from the disk; nothing happens where there is none. Raises Locked."""
        if self._folder.is_dir():
            self._delete(name, seconds=self._lock_seconds)

    def collect(self, doomed: Callable[[str], bool]) -> None:
        """Deletes the stores whose names are `doomed`, and what killed processes left of any.

        What another process holds stays, to be collected another time.
        """
        if not self._folder.is_dir():
            return
        names = [path.name for path in self._folder.iterdir()]
        unfinished = {found[1] for name in names if (found := _SCRATCH.fullmatch(name))}
        beside = {found[1] for name in names if (found := _BESIDE.fullmatch(name))}
        for name in filter(_NAME.fullmatch, {*names, *unfinished, *beside}):
            with suppress(Locked):
                if doomed(name):
                    self._delete(name, seconds=0)
                elif name in unfinished:
                    with self._locked(name, seconds=0):
                        self._remove_scratch(name)

    def _directory(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"`{name}` cannot name a store", hint="3–512 of a–z A–Z 0–9 . _ -")
        return self._folder / name

    def _beside(self, name: str, suffix: str) -> Path:
        return self._directory(name).with_name(f".{name}{suffix}")

    def _lock(self, name: str) -> FileLock:
        path = self._beside(name, ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path, thread_local=False)  # a server may open in one thread and close in another

    def _delete(self, name: str, seconds: float) -> None:
        with self._locked(name, seconds) as lock:
            self._remove(name)
            Path(lock.lock_file).unlink(missing_ok=True)  # waiters notice and make it anew

    @contextmanager
    def _locked(self, name: str, seconds: float | None = None) -> Iterator[FileLock]:
        lock = self._lock(name)
        try:
            lock.acquire(timeout=self._lock_seconds if seconds is None else seconds)
        except Timeout as error:
            raise Locked(f"store {name} is held by another process", hint="is a server answering from it?") from error
        try:
            yield lock
        finally:
            lock.release()

    def _remove(self, name: str) -> None:
        self._beside(name, _MARKER).unlink(missing_ok=True)
        shutil.rmtree(self._directory(name), ignore_errors=True)
        self._remove_scratch(name)

    def _remove_scratch(self, name: str) -> None:
        for path in self._folder.glob(f".{name}.????????.tmp"):
            shutil.rmtree(path, ignore_errors=True)

    def _fill(self, name: str, vectors: Vectors) -> None:
        """Raises DamagedVersion where the store cannot be written, or does not find its rows however often it is."""
        lost: list[int] = []
        for _ in range(_ATTEMPTS):
            self._written(name, vectors)
            lost = _check_in_fresh_process(self._directory(name), vectors)
            if not lost:
                marker = json.dumps(_facts(self._directory(name), vectors))
                self._beside(name, _MARKER).write_text(marker, "utf-8")
                return
            _log.warning("store %s: after filling, %d of %d rows are not found", name, len(lost), len(vectors))
        raise DamagedVersion(
            f"store {name}: after filling, {len(lost)} of {len(vectors)} rows or their nearest ones are not found",
            hint='is the disk full? the setting `store = "exact"` needs no files of its own',
        )

    def _written(self, name: str, vectors: Vectors) -> None:
        self._remove(name)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=self._folder))
        try:
            _write(scratch, vectors)
            scratch.rename(self._directory(name))
        except Exception as error:
            raise DamagedVersion(f"store {name} cannot be filled: {error}", hint="is the disk full?") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _open_checked(self, name: str, vectors: Vectors) -> Collection | None:
        """The store if it was checked when filled, is still what it was then, and finds its rows."""
        directory = self._directory(name)
        if not _is_as_checked(directory, self._beside(name, _MARKER), vectors):
            return None
        try:
            collection = Collection(directory)
        except DamagedVersion as error:
            _log.warning("%s", error)
            return None
        rows = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _CHECKED_AT_OPEN)).astype(int))
        lost = missing_rows(collection, vectors, rows.tolist())
        if not lost:
            return collection
        _log.warning("store %s does not find %d of its rows", name, len(lost))
        collection.close()
        return None

    def _refill(self, name: str, vectors: Vectors) -> Collection:
        _log.info("filling store %s from the version's vectors", name)
        self._fill(name, vectors)
        return Collection(self._directory(name))


def missing_rows(collection: Collection, vectors: Vectors, rows: Sequence[int]) -> list[int]:
    """Those of `rows` that a query by their own vector does not bring up, nor an equal vector."""
    missing = []
    for start in range(0, len(rows), _CHECK_BATCH):
        part = list(rows[start : start + _CHECK_BATCH])
        for row, hits in zip(part, _answers(collection, vectors[part], _CHECK_NEIGHBOURS), strict=True):
            found = [hit for hit, _ in hits if 0 <= hit < len(vectors)]
            if row not in found and not any(np.array_equal(vectors[hit], vectors[row]) for hit in found):
                missing.append(row)
    return missing


def lonely_rows(collection: Collection, vectors: Vectors) -> list[int]:
    """Rows whose nearest ones Chroma does not find, of some evenly spread; none where it finds nearly all."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _COMPARED)).astype(int))
    k = min(_COMPARED_NEIGHBOURS, len(vectors))
    asked = vectors[rows] + vectors[rows[::-1]]  # between two rows, as questions lie
    asked = asked / np.maximum(np.linalg.norm(asked, axis=1, keepdims=True), _SAME)
    least = np.sort(asked @ vectors.T, axis=1)[:, -k] - _SAME
    answers = _answers(collection, asked, k)
    shared = np.array(
        [sum(cosine >= bound for _, cosine in hits) / k for hits, bound in zip(answers, least, strict=True)]
    )
    return [] if shared.mean() >= _FEWEST_SHARED else [int(row) for row in rows[shared < 1.0]] or [0]


def _answers(collection: Collection, vectors: Vectors, k: int) -> list[list[tuple[int, float]]]:
    try:
        return collection.query(vectors, k)
    except Exception as error:  # noqa: BLE001 - whatever a damaged directory makes Chroma raise
        _log.warning("Chroma failed on a query: %s", error)
        return [[] for _ in vectors]


def _client(directory: Path) -> Client:
    from chromadb import PersistentClient
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    settings = Settings(_env_file=None, anonymized_telemetry=False)  # type: ignore[call-arg]
    try:
        return cast("Client", PersistentClient(path=str(directory), settings=settings))
    except Exception as error:
        # Chroma keeps what failed to start and would give it to the next caller for this directory.
        SharedSystemClient._identifier_to_system.pop(str(directory), None)
        SharedSystemClient._identifier_to_refcount.pop(str(directory), None)
        raise DamagedVersion(f"{directory}: Chroma cannot open it: {error}") from error


def _write(directory: Path, vectors: Vectors) -> None:
    """One collection with the row numbers as ids.

    Batches are of alike size and each reaches the threshold at which Chroma writes its index out, so
    that nothing is left in its queue, to be replayed whenever the store is opened.
    """
    batches = np.array_split(np.arange(len(vectors)), -(-len(vectors) // _BATCH))
    threshold = len(batches[-1])
    configuration: Any = {"hnsw": {**_HNSW, "sync_threshold": threshold, "batch_size": min(100, threshold)}}
    with closing(_client(directory)) as client:
        collection = client.create_collection(_COLLECTION, configuration=configuration, embedding_function=None)
        for rows in batches:
            embeddings = np.ascontiguousarray(vectors[rows], np.float32)
            collection.add(ids=[f"{row:08d}" for row in rows], embeddings=embeddings)


def _facts(directory: Path, vectors: Vectors) -> dict[str, object]:
    """What the marker says: of which vectors the store was made, and its index files.

    Chroma's SQLite file is left out, since it changes with every query.
    """
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.parent != directory)
    return {
        "format": _MARKER_FORMAT,
        "vectors": [*vectors.shape, hashlib.sha256(np.ascontiguousarray(vectors).data).hexdigest()],
        "files": {
            path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
        },
    }


def _is_as_checked(directory: Path, marker: Path, vectors: Vectors) -> bool:
    try:
        return bool(json.loads(marker.read_text("utf-8")) == _facts(directory, vectors))
    except (OSError, ValueError):
        return False


def _check_in_fresh_process(directory: Path, vectors: Vectors) -> list[int]:
    """Chroma may answer from memory in the process that filled it; another sees what is on the disk."""
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", suffix=".tmp", dir=directory.parent) as scratch:
        path = Path(scratch) / "vectors.npy"
        np.save(path, vectors)
        command = [sys.executable, "-m", "ragbots.stores.chroma_check", str(directory), str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_CHECK_SECONDS, check=False)
            rows: list[int] = json.loads(done.stdout) if done.returncode == 0 else list(range(len(vectors)))
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise DamagedVersion(f"{directory}: its check does not end well: {error}", hint="delete it") from error
    if done.returncode != 0:
        _log.warning("the check of %s ended with %d: %s", directory, done.returncode, done.stderr[-500:])
    return rows
