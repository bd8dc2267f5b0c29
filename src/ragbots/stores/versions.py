"""Index versions on disk: immutable directories, written beside, renamed into place, never touched again.

`<indexes>/<bot>/<version>/` holds `manifest.json`, `documents.json`, `blocks.json`, `chunks.json`,
`vectors.npy`, those of the tokens, and the lexical arrays. The manifest names every other file with its SHA-256; its
own stands in `manifest.sha256`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ragbots.errors import DamagedVersion
from ragbots.lexical import Postings
from ragbots.ports import TokenVectors, Vectors
from ragbots.ranking import article_spans
from ragbots.text import digest
from ragbots.types import Block, Chunk, Document, Omission, OmissionKind

FORMAT = 3
BUILDING = ".building-"
MANIFEST_HASH = "manifest.sha256"
_ARRAYS = ("vectors", "tokens", "token_starts", "figures", "references")

_documents: TypeAdapter[tuple[Document, ...]] = TypeAdapter(tuple[Document, ...])
_blocks: TypeAdapter[dict[str, tuple[Block, ...]]] = TypeAdapter(dict[str, tuple[Block, ...]])
_chunks: TypeAdapter[tuple[Chunk, ...]] = TypeAdapter(tuple[Chunk, ...])


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceReport(_Strict):
    """What became of one document: characters count everything but white space.

    `characters` came in and `characters_indexed` can be found; the difference stands in `omissions`.
    """

    source: str
    document_id: str
    title: str
    digest: str
    characters: int
    characters_indexed: int
    articles: int
    tables: int
    rows: int
    footnotes: int
    pictures: int
    chunks: int
    pages: int | None
    omissions: tuple[Omission, ...]

    @property
    def pages_without_text(self) -> int:
        return sum(omission.kind is OmissionKind.PAGE for omission in self.omissions)

    @property
    def losses(self) -> tuple[Omission, ...]:
        """What was left out although somebody may look for it."""
        return tuple(omission for omission in self.omissions if not omission.expected)


class Failure(_Strict):
    """A file that could not be read, and why."""

    source: str
    reason: str


class Manifest(_Strict):
    """What built a version. `inputs` hashes all that the content depends on: same inputs, same index."""

    format: int
    bot: str
    version: str
    created_at: datetime
    inputs: str
    made_by: Mapping[str, str]
    sources: tuple[SourceReport, ...]
    failures: tuple[Failure, ...]
    omissions: tuple[Omission, ...]
    chunks: int
    dimension: int
    files: Mapping[str, str]

    @property
    def all_omissions(self) -> tuple[Omission, ...]:
        """Those of the source folders, then those of each document."""
        return (*self.omissions, *(omission for source in self.sources for omission in source.omissions))


@dataclass(frozen=True)
class Contents:
    """All that a version holds, in memory; arrays may be memory-mapped.

    Chunk i's tokens are the rows `token_starts[i]:token_starts[i + 1]` of `tokens`. Of articles (`article_spans`):
    `bigrams`, `figures` with shape (articles, kinds of figure) and `references`, pairs of one and another that it
    refers to.
    """

    documents: tuple[Document, ...]
    blocks: Mapping[str, tuple[Block, ...]]
    chunks: tuple[Chunk, ...]
    vectors: Vectors
    tokens: TokenVectors
    token_starts: NDArray[np.int64]
    words: Postings
    bigrams: Postings
    figures: NDArray[np.bool_]
    references: NDArray[np.int32]

    def only(self, documents: AbstractSet[str]) -> Contents:
        """What a version would hold that was built of these documents alone, by their ids; but that the lengths of
        its fields are still compared with those of the whole."""
        chunks = self.chunks_of(documents)
        articles = np.array([chunks[start] for start, _ in article_spans(self.chunks)], dtype=np.bool_)
        sizes = np.diff(self.token_starts)
        held = articles[self.references].all(axis=1)
        return Contents(
            documents=tuple(one for one in self.documents if one.id in documents),
            blocks={name: blocks for name, blocks in self.blocks.items() if name in documents},
            chunks=tuple(chunk for chunk, kept in zip(self.chunks, chunks, strict=True) if kept),
            vectors=self.vectors[chunks],
            tokens=self.tokens[np.repeat(chunks, sizes)],
            token_starts=np.concatenate([[0], np.cumsum(sizes[chunks])]).astype(np.int64),
            words=self.words.only(chunks),
            bigrams=self.bigrams.only(articles),
            figures=self.figures[articles],
            references=(np.cumsum(articles) - 1)[self.references[held]].astype(np.int32).reshape(-1, 2),
        )

    def chunks_of(self, documents: AbstractSet[str]) -> NDArray[np.bool_]:
        """Which chunks are of these documents."""
        return np.array([chunk.document_id in documents for chunk in self.chunks], dtype=np.bool_)


@dataclass(frozen=True)
class IndexVersion:
    """A version opened for reading."""

    path: Path
    manifest: Manifest
    contents: Contents

    @property
    def bot(self) -> str:
        return self.manifest.bot

    @property
    def id(self) -> str:
        return self.manifest.version

    @cached_property
    def document_of(self) -> dict[str, Document]:
        return {document.id: document for document in self.contents.documents}


def store_name(bot: str, version: str) -> str:
    """The name under which a vector store keeps a version."""
    return f"{bot}--{version}"


def bot_of_store(name: str) -> str:
    return name.rpartition("--")[0]


def write_version(folder: Path, contents: Contents, manifest: Manifest) -> Path:
    """Writes the version below `folder` (one bot's) and returns its directory.

    Everything is written under a temporary name, flushed to the disk and renamed: a reader sees the
    whole version or none. `manifest.files` is filled in here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / f"{BUILDING}{manifest.version}"
    if building.exists():
        shutil.rmtree(building)
    try:
        building.mkdir()
        _write_whole(building, contents, manifest)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)  # a disk that was too full for it is not kept full by it
        raise
    final = folder / manifest.version
    building.rename(final)
    _flush(folder)
    return final


def _write_whole(building: Path, contents: Contents, manifest: Manifest) -> None:
    _write_contents(building, contents)
    files = {path.name: digest(path.read_bytes()) for path in sorted(building.iterdir())}
    whole = manifest.model_copy(update={"files": files})
    (building / "manifest.json").write_text(whole.model_dump_json(indent=1), "utf-8")
    (building / MANIFEST_HASH).write_text(digest((building / "manifest.json").read_bytes()), "utf-8")
    for path in (*building.iterdir(), building):
        _flush(path)


def _write_contents(folder: Path, contents: Contents) -> None:
    stripped = tuple(
        Document(
            id=document.id, source=document.source, title=document.title, digest=document.digest, elements=(),
            link=document.link, effective=document.effective, pages=document.pages,
            metadata=document.metadata, omissions=document.omissions,
        )
        for document in contents.documents
    )  # fmt: skip
    (folder / "documents.json").write_bytes(_documents.dump_json(stripped))
    (folder / "blocks.json").write_bytes(_blocks.dump_json(dict(contents.blocks)))
    (folder / "chunks.json").write_bytes(_chunks.dump_json(contents.chunks))
    for name in _ARRAYS:
        _save(folder / f"{name}.npy", getattr(contents, name))
    _write_postings(folder, "words", contents.words)
    _write_postings(folder, "bigrams", contents.bigrams)


def _write_postings(folder: Path, name: str, postings: Postings) -> None:
    (folder / f"{name}.json").write_text(json.dumps(list(postings.vocabulary), ensure_ascii=False), "utf-8")
    _save(folder / f"{name}.starts.npy", postings.starts)
    _save(folder / f"{name}.rows.npy", postings.rows)
    _save(folder / f"{name}.values.npy", postings.values)


def _save(path: Path, array: NDArray[Any]) -> None:
    try:
        np.save(path, array)
    except OSError as error:
        if error.errno is not None:
            raise
        # numpy tells how much it wrote, and not why no more.
        raise OSError(errno.ENOSPC, f"no space left: {error}", str(path)) from error


def _read_postings(folder: Path, name: str, size: int) -> Postings:
    terms = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return Postings(
        vocabulary={term: number for number, term in enumerate(terms)},
        starts=np.load(folder / f"{name}.starts.npy", mmap_mode="r"),
        rows=np.load(folder / f"{name}.rows.npy", mmap_mode="r"),
        values=np.load(folder / f"{name}.values.npy", mmap_mode="r"),
        size=size,
    )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_manifest(path: Path) -> Manifest:
    """The manifest of a version directory. Raises DamagedVersion."""
    file = path / "manifest.json"
    try:
        manifest = Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise DamagedVersion(f"{file}: no readable manifest", hint="rebuild with `ragbots index build`") from error
    if manifest.format != FORMAT:
        raise DamagedVersion(f"{file}: format {manifest.format}, this is {FORMAT}", hint="rebuild the bot's index")
    return manifest


def damage(path: Path) -> list[str]:
    """What is wrong with a version's files, against the hashes in its manifest; empty = sound."""
    try:
        manifest = read_manifest(path)
    except DamagedVersion as error:
        return [str(error)]
    found = [] if manifest.version == path.name else [f"{path}: holds version {manifest.version}"]
    for name, expected in manifest.files.items():
        file = path / name
        if not file.is_file():
            found.append(f"{file}: missing")
        elif digest(file.read_bytes()) != expected:
            found.append(f"{file}: not what was written (hash differs from the manifest)")
    if _manifest_changed(path):
        found.append(f"{path / 'manifest.json'}: not what was written (hash differs from {MANIFEST_HASH})")
    known = {*manifest.files, "manifest.json", MANIFEST_HASH}
    found += [f"{file}: does not belong here" for file in sorted(path.iterdir()) if file.name not in known]
    return found


def _manifest_changed(path: Path) -> bool:
    """Whether the manifest is another than was written; a version of a time that kept no hash of it is believed."""
    kept = path / MANIFEST_HASH
    return kept.is_file() and kept.read_bytes() != digest((path / "manifest.json").read_bytes()).encode()


def open_version(path: Path) -> IndexVersion:
    """Opens a version after checking every file against its manifest. Raises DamagedVersion."""
    problems = damage(path)
    if problems:
        raise DamagedVersion("; ".join(problems), hint="the last sound version serves; rebuild the bot's index")
    chunks = _chunks.validate_json((path / "chunks.json").read_bytes())
    contents = Contents(
        documents=_documents.validate_json((path / "documents.json").read_bytes()),
        blocks=_blocks.validate_json((path / "blocks.json").read_bytes()),
        chunks=chunks,
        words=_read_postings(path, "words", len(chunks)),
        bigrams=_read_postings(path, "bigrams", len(article_spans(chunks))),
        **{name: np.load(path / f"{name}.npy", mmap_mode="r") for name in _ARRAYS},
    )
    return IndexVersion(path, read_manifest(path), contents)


def version_directories(folder: Path) -> list[Path]:
    """The complete versions below one bot's folder, oldest first (names begin with their time)."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def collect_leftovers(folder: Path) -> list[Path]:
    """Removes what killed builds and deletions left below one bot's folder; for the lock's holder only."""
    leftovers = [path for path in folder.glob(".*") if path.is_dir()] if folder.is_dir() else []
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return leftovers


def delete_version(path: Path) -> None:
    """Removes a version: renamed first, so that a half-removed one is never taken for whole."""
    doomed = path.with_name(f".deleting-{path.name}")
    path.rename(doomed)
    shutil.rmtree(doomed)
