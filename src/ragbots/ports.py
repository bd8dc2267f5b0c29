"""The seams: one small Protocol for each thing a user may replace.

A built-in goes in through the same door as a stranger's; `runtime` alone constructs them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ragbots.types import Answer, Block, Context, Credentials, Document, Hit, Omission, Principal, Question

Vectors = NDArray[np.float32]
TokenVectors = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file shows of its kind: its first 8 KiB, the names of what it holds (the entries of a ZIP
    archive, the streams of an OLE file; else empty), and its own name, which counts last."""

    head: bytes
    name: str
    members: frozenset[str] = frozenset()


@runtime_checkable
class Loader(Protocol):
    """Reads one file whole. Several loaders are asked in turn; the first that `accepts` reads."""

    id: str  # name and revision, kept in the manifest

    def accepts(self, probe: Probe) -> bool:
        """Whether this is a file of its kind."""
        ...

    def load(self, path: Path, source: str) -> Document:
        """The document. Raises UnreadableDocument naming what is wrong and what to do."""
        ...


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source: where its bytes lie, and the name it is known by.

    `source` is its path below the source (in NFC, `/` between the parts; a file in an archive:
    `규정집.zip/여비규정.hwp`), `digest` the SHA-256 of the bytes, `link` the way back to the page it
    came from.
    """

    path: Path
    source: str
    digest: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a source, by name, and what in it is not a file to read, and why."""

    files: tuple[SourceFile, ...]
    omissions: tuple[Omission, ...]


@runtime_checkable
class Source(Protocol):
    """Where a bot's documents come from: a folder, a wiki."""

    id: str  # kind and place, for messages

    def list(self, progress: Progress) -> Listing:
        """Everything there is now, whole. Raises ConfigurationError where the place cannot be used,
        SourceUnavailable where it could not be read to its end: nothing is built from half a source."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Reads files, whatever is in them: a broken or hostile one harms nobody but itself."""

    id: str  # the loaders' ids and revisions

    def read(self, file: SourceFile) -> Document:
        """The document, with the file's link where it has one. Raises UnreadableDocument naming what is wrong
        and what to do."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """Texts as vectors: one for each text, shape (n, dimension), of length 1; and for each text one for each of its
    tokens, shape (tokens, token_dimension), of which the direction counts (no rows where token_dimension is 0)."""

    vectors: Vectors
    tokens: tuple[TokenVectors, ...]


@runtime_checkable
class Embedder(Protocol):
    """Text to unit vectors of `dimension` float32, and to vectors of its tokens where the model has some to give."""

    id: str  # model and revision: what the vectors depend on
    dimension: int
    token_dimension: int  # 0: no vectors of tokens
    max_tokens: int  # the longest passage that is not cut off, special tokens and prompt included

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each passage as `embed_passages` would see it, prompt and special ones included."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), rows of length 1, in the order of `texts`."""
        ...

    def embed_passages_by_token(self, texts: Sequence[str]) -> Embedded:
        """As `embed_passages`, with the vectors of the tokens."""
        ...

    def embed_question(self, text: str) -> Vectors:
        """Shape (dimension,), length 1."""
        ...

    def embed_question_by_token(self, text: str) -> Embedded:
        """As `embed_question`, with the vectors of the tokens: one text."""
        ...


@runtime_checkable
class Reranker(Protocol):
    """Reads a question together with each passage: slower than comparing their vectors, and more exact."""

    id: str

    def scores(self, question: str, passages: Sequence[str]) -> Vectors:
        """How well each passage answers, shape (n,), float32; only their order counts."""
        ...


@runtime_checkable
class VectorStore(Protocol):
    """The vectors of one index version, by row number."""

    id: str

    def query(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """Up to k (row, cosine), best first."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class VectorStoreFactory(Protocol):
    """Opens (and, where there is something to fill, fills) the store of a version."""

    id: str

    def fill(self, name: str, vectors: Vectors) -> None:
        """Makes the store `name` anew from the vectors; what was there before is replaced."""
        ...

    def open(self, name: str, vectors: Vectors) -> VectorStore:
        """The store `name`, filled first where it is missing or fails its check."""
        ...

    def check(self, name: str, vectors: Vectors) -> list[int]:
        """Rows that a fresh process does not find by their own vector; empty = sound."""
        ...

    def delete(self, name: str) -> None: ...

    def collect(self, doomed: Callable[[str], bool]) -> None:
        """Deletes the stores whose names are `doomed`, and what killed processes left of any. What another process
        holds stays."""
        ...


@dataclass(frozen=True, slots=True)
class Fit:
    """How a chunk fits the question: its blocks (half-open), the cosine of their vectors, its BM25 score."""

    blocks: tuple[int, int]
    cosine: float
    words: float


@dataclass(frozen=True, slots=True)
class Material:
    """A hit with the blocks of its whole article, numbered as in the version, and how each of the article's
    chunks fits the question (empty = not known).

    `referred_by`: it was not found itself, or further down, but the material of this index refers to it.
    """

    hit: Hit
    blocks: Sequence[tuple[int, Block]]
    referred_by: int | None = None
    fits: tuple[Fit, ...] = ()


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words a composer says stand in an article: `material` is its index, `blocks` a half-open range.

    `shortened`: not every block of the range is quoted; `parts` are then the ranges of it that are
    (empty = all of it). `marks` are the half-open character ranges of `text` that answer (empty = none
    stands out).
    """

    material: int
    blocks: tuple[int, int]
    text: str
    shortened: bool = False
    parts: tuple[tuple[int, int], ...] = ()
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a composer proposes; `answering` checks every quotation before anybody sees the text."""

    text: str
    quotations: tuple[Quotation, ...]


@runtime_checkable
class Composer(Protocol):
    """Writes the answer from the articles found. The built-in quotes; a language model is another."""

    id: str

    def compose(
        self, question: str, terms: Mapping[str, float], material: Sequence[Material], context: Context
    ) -> Draft | None:
        """A draft, or None where nothing in the material answers. `terms` are question words by weight."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a language model; `role` is `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request took; `estimated`: the endpoint did not say."""

    input_tokens: int
    output_tokens: int
    estimated: bool


@runtime_checkable
class LanguageModel(Protocol):
    """Writes text. What it writes is checked before anybody sees it."""

    id: str  # `name:model`

    def stream(self, messages: Sequence[Message], max_tokens: int) -> AsyncGenerator[str | Usage, None]:
        """Pieces of text as they come, and last the usage. Raises ModelFailed. To close the iterator, or to cancel
        the task that reads it, cancels the request."""
        ...


@runtime_checkable
class Identity(Protocol):
    """Who is at the door, from what the door received."""

    id: str
    requires_sign_in: bool

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        """Who shows these credentials; None = they are not good (any longer), and nobody is let in with them."""
        ...


@runtime_checkable
class Channel(Protocol):
    """A door: takes questions in its own form and delivers what `ask` answers."""

    id: str

    def serve(self, ask: Ask) -> None: ...


class Ask(Protocol):
    """The one way in for every door: `answering.answer` with its parts bound."""

    def __call__(self, question: Question, context: Context) -> Answer: ...


class Progress(Protocol):
    """Told of long work; the command line draws it, a server logs it."""

    def step(self, label: str, total: int) -> None: ...

    def advance(self, by: int = 1) -> None: ...
