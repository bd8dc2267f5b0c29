"""Documents → version: load → parse → chunk → embed → write. Nothing here releases anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ragbots.asking import kinds_held
from ragbots.chunking import ChunkLimits, cut
from ragbots.config import BotConfig
from ragbots.errors import ChecksNotPassed, ConfigurationError, SourceUnavailable, UnreadableDocument
from ragbots.inventory import Inventory, Named, identify, sidecars, take_inventory
from ragbots.lexical import LEXICAL_ID, Morphemes, index_bigrams, index_words
from ragbots.loaders.sidecar import read_sidecar
from ragbots.ports import Embedded, Embedder, Progress, Reader, Source, SourceFile
from ragbots.ranking import article_spans
from ragbots.references import referring_pairs
from ragbots.regulation import parse
from ragbots.stores.versions import (
    FORMAT,
    Contents,
    Failure,
    Manifest,
    SourceReport,
    version_directories,
    write_version,
)
from ragbots.types import Block, BlockKind, Chunk, Document, ElementKind, count_characters

CHUNKER_ID = "articles-1"


@dataclass(frozen=True)
class Parts:
    """What a build is made with; constructed by `runtime`."""

    reader: Reader
    embedder: Embedder
    morphemes: Morphemes
    limits: ChunkLimits

    @property
    def made_by(self) -> dict[str, str]:
        """Ids and revisions of all that shapes a version."""
        limits = f"{CHUNKER_ID}/{self.limits.max_tokens}-{self.limits.window}"
        return {"loaders": self.reader.id, "chunker": limits, "embedder": self.embedder.id, "lexical": LEXICAL_ID}


@dataclass(frozen=True)
class _Piece:
    """One document on its way into the version."""

    document: Document
    blocks: tuple[Block, ...]
    chunks: tuple[Chunk, ...]
    report: SourceReport


def look(bot: BotConfig, sources: Sequence[Source], made_by: Mapping[str, str], progress: Progress) -> Inventory:
    """What the bot's sources hold now. Raises ConfigurationError, SourceUnavailable."""
    try:
        listings = [source.list(progress) for source in sources]
    except (ConfigurationError, SourceUnavailable) as error:
        raise type(error)(f"bot `{bot.id}`: {error.message}", hint=error.hint) from error
    if not any(listing.files for listing in listings):
        places = ", ".join(source.id for source in sources)
        raise ConfigurationError(f"bot `{bot.id}`: no documents in {places}", hint="put the bot's documents there")
    recipe = [str(FORMAT), *(f"{key}={value}" for key, value in made_by.items())]
    return take_inventory(bot.id, listings, recipe)


def build(
    bot: BotConfig,
    inventory: Inventory,
    folder: Path,
    parts: Parts,
    progress: Progress,
    *,
    before: Manifest | None = None,
    strict: bool = False,
) -> Path:
    """Builds a version of the bot below `folder` and returns its directory.

    A file that cannot be read is named in the manifest and the build goes on; with `strict` that,
    and any loss of text, fails it. Documents keep the ids they have in the version `before`. Raises
    ChecksNotPassed.
    """
    pieces, failures = _read_all(bot, inventory, parts, progress, before)
    now = _free_second(folder)
    manifest = Manifest(
        format=FORMAT, bot=bot.id, version=f"{now:%Y%m%d-%H%M%S}-{inventory.inputs[:6]}", created_at=now,
        inputs=inventory.inputs, made_by=parts.made_by, sources=tuple(piece.report for piece in pieces),
        failures=failures, omissions=inventory.omissions, chunks=sum(len(piece.chunks) for piece in pieces),
        dimension=parts.embedder.dimension, files={},
    )  # fmt: skip
    if not manifest.chunks:
        reasons = "; ".join(failure.reason for failure in failures) or "its documents hold no text"
        raise ChecksNotPassed(f"bot `{bot.id}`: nothing to index: {reasons}")
    if strict:
        refuse_losses(manifest)
    chunks = tuple(chunk for piece in pieces for chunk in piece.chunks)
    embedded = parts.embedder.embed_passages_by_token([chunk.passage for chunk in chunks])
    progress.step(f"{bot.id}: index words", 1)
    contents = _contents(pieces, chunks, embedded, parts)
    progress.advance()
    return write_version(folder, contents, manifest)


def _contents(pieces: Sequence[_Piece], chunks: tuple[Chunk, ...], embedded: Embedded, parts: Parts) -> Contents:
    documents = tuple(piece.document for piece in pieces)
    spans = article_spans(chunks)
    held = np.array([kinds_held(chunk.text) for chunk in chunks], dtype=bool)
    sizes = [len(tokens) for tokens in embedded.tokens]
    return Contents(
        documents=documents,
        blocks={piece.document.id: piece.blocks for piece in pieces},
        chunks=chunks,
        vectors=embedded.vectors,
        tokens=np.concatenate(embedded.tokens),
        token_starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        words=index_words(chunks, parts.morphemes),
        bigrams=index_bigrams(chunks, spans),
        figures=np.logical_or.reduceat(held, [start for start, _ in spans]),
        references=referring_pairs(documents, chunks, spans),
    )


def _free_second(folder: Path) -> datetime:
    """Now, or the next second of which no version there is: names are unique and sort by age."""
    now = datetime.now(UTC)
    taken = {path.name[:15] for path in version_directories(folder)}
    while f"{now:%Y%m%d-%H%M%S}" in taken:
        now += timedelta(seconds=1)
    return now


def _read_all(
    bot: BotConfig, inventory: Inventory, parts: Parts, progress: Progress, before: Manifest | None
) -> tuple[list[_Piece], tuple[Failure, ...]]:
    """The documents that could be read, cut, and the files that could not."""
    read: list[Document] = []
    failures: list[Failure] = []
    progress.step(f"{bot.id}: read", len(inventory.files))
    beside = sidecars(inventory.files)
    said = {of: file for file in inventory.files if (of := beside.get(file.source))}
    for file in inventory.files:
        if file.source in beside:
            progress.advance()
            continue
        try:
            sidecar = said.get(file.source)
            read.append(_as_said(parts.reader.read(file), sidecar))
        except UnreadableDocument as error:
            failures.append(Failure(source=file.source, reason=str(error)))
        progress.advance()
    known = {one.document_id: Named(one.source, one.digest, one.title) for one in (before.sources if before else ())}
    ids = identify(bot.id, [Named(one.source, one.digest, one.title) for one in read], known)
    return [_piece(replace(one, id=ids[one.source]), parts) for one in read], tuple(failures)


def _as_said(document: Document, sidecar: SourceFile | None) -> Document:
    """The document with what the file beside it says. Raises UnreadableDocument: a wrong date is worse than none."""
    if sidecar is None:
        return document
    said = read_sidecar(sidecar.path, sidecar.source)
    return replace(
        document,
        title=said.title or document.title,
        effective=said.effective or document.effective,
        metadata={**document.metadata, **said.metadata},
    )


def _piece(document: Document, parts: Parts) -> _Piece:
    regulation = parse(document)
    chunks, left_out = cut(document, regulation, parts.limits, parts.embedder.count_tokens)
    omissions = (*document.omissions, *regulation.omissions, *left_out)
    report = SourceReport(
        source=document.source,
        document_id=document.id,
        title=document.title,
        digest=document.digest,
        characters=document.characters,
        characters_indexed=_characters_indexed(regulation.blocks, chunks),
        articles=sum(block.kind is BlockKind.ARTICLE and not block.address.in_addendum for block in regulation.blocks),
        tables=sum(element.kind is ElementKind.TABLE for element in document.elements),
        rows=sum(bool(block.cells) for block in regulation.blocks),
        footnotes=document.footnotes,
        pictures=sum(element.kind is ElementKind.PICTURE for element in document.elements),
        chunks=len(chunks),
        pages=document.pages,
        omissions=omissions,
    )
    return _Piece(document, regulation.blocks, chunks, report)


def _characters_indexed(blocks: Sequence[Block], chunks: Sequence[Chunk]) -> int:
    covered = {number for chunk in chunks for number in range(*chunk.blocks)}
    return sum(count_characters(blocks[number].text) for number in covered)


def refuse_losses(manifest: Manifest) -> None:
    """Raises ChecksNotPassed where a version lacks a file, or text that somebody may look for."""
    reasons = [failure.reason for failure in manifest.failures]
    reasons += [f"{omission.what}: {omission.why}" for omission in manifest.omissions if not omission.expected]
    reasons += [
        f"{source.source}: {omission.what} left out at {omission.where}: {omission.why}"
        for source in manifest.sources
        for omission in source.losses
    ]
    if reasons:
        raise ChecksNotPassed(f"bot `{manifest.bot}`: incomplete, and --strict was given: {'; '.join(reasons)}")
