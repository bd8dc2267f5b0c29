"""Documents → version: load → parse → chunk → embed → write. Nothing here releases anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ragbots.chunking import ChunkLimits, cut
from ragbots.config import BotConfig
from ragbots.errors import ChecksNotPassed, ConfigurationError, UnreadableDocument
from ragbots.lexical import LEXICAL_ID, Morphemes, index_words
from ragbots.loaders import list_folder, load_file, source_of
from ragbots.ports import Embedder, Loader, Progress
from ragbots.ranking import article_spans
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
from ragbots.text import digest
from ragbots.types import Block, BlockKind, Chunk, Document, ElementKind, Omission, count_characters

CHUNKER_ID = "articles-1"


@dataclass(frozen=True)
class Parts:
    """What a build is made with; constructed by `runtime`."""

    loaders: Sequence[Loader]
    embedder: Embedder
    morphemes: Morphemes
    limits: ChunkLimits

    @property
    def made_by(self) -> dict[str, str]:
        """Ids and revisions of all that shapes a version."""
        limits = f"{CHUNKER_ID}/{self.limits.max_tokens}-{self.limits.window}"
        loaders = "+".join(loader.id for loader in self.loaders)
        return {"loaders": loaders, "chunker": limits, "embedder": self.embedder.id, "lexical": LEXICAL_ID}


@dataclass(frozen=True)
class Inventory:
    """A bot's files and the hash of everything a version of them would depend on."""

    files: tuple[tuple[Path, str, str], ...]  # path, source, SHA-256
    omissions: tuple[Omission, ...]
    inputs: str


@dataclass(frozen=True)
class _Piece:
    """One document on its way into the version."""

    document: Document
    blocks: tuple[Block, ...]
    chunks: tuple[Chunk, ...]
    report: SourceReport


def take_inventory(bot: BotConfig, made_by: dict[str, str]) -> Inventory:
    """Lists and hashes the bot's files, reading nothing else. Raises ConfigurationError for no files."""
    files: list[tuple[Path, str, str]] = []
    omissions: list[Omission] = []
    for folder in bot.folders:
        if not folder.is_dir():
            raise ConfigurationError(
                f"bot `{bot.id}`: no such source folder: {folder}", hint=f"see `sources` in {bot.path}"
            )
        listing = list_folder(folder)
        omissions += listing.omissions
        files += [(path, source_of(path, folder), _hash(path)) for path in listing.files]
    if not files:
        folders = ", ".join(str(folder) for folder in bot.folders)
        raise ConfigurationError(f"bot `{bot.id}`: no documents in {folders}", hint="put the bot's documents there")
    _refuse_same_names(bot, [source for _, source, _ in files])
    recipe = [f"{source}\0{sha}" for _, source, sha in files] + [f"{key}={value}" for key, value in made_by.items()]
    return Inventory(tuple(files), tuple(omissions), digest("\n".join([str(FORMAT), bot.id, *recipe])))


def _hash(path: Path) -> str:
    try:
        return digest(path.read_bytes())
    except OSError as error:  # the loader will say so; the other files are read
        return f"cannot be read: {error.strerror}"


def _refuse_same_names(bot: BotConfig, sources: Sequence[str]) -> None:
    seen: set[str] = set()
    for source in sources:
        if source in seen:
            raise ConfigurationError(f"bot `{bot.id}`: two sources hold a file `{source}`", hint="rename one of them")
        seen.add(source)


def build(bot: BotConfig, folder: Path, parts: Parts, progress: Progress, *, strict: bool = False) -> Path:
    """Builds a version of the bot below `folder` and returns its directory.

    A file that cannot be read is named in the manifest and the build goes on; with `strict` that,
    and any omission, fails it. Raises ChecksNotPassed, ConfigurationError.
    """
    inventory = take_inventory(bot, parts.made_by)
    pieces, failures = _read_all(bot, inventory, parts, progress)
    _refuse_incomplete(bot, pieces, failures, strict=strict)
    chunks = tuple(chunk for piece in pieces for chunk in piece.chunks)
    vectors = parts.embedder.embed_passages([chunk.passage for chunk in chunks])
    progress.step(f"{bot.id}: index words", 1)
    words, article_words = index_words(chunks, article_spans(chunks), parts.morphemes)
    progress.advance()
    now = _free_second(folder)
    contents = Contents(
        documents=tuple(piece.document for piece in pieces),
        blocks={piece.document.id: piece.blocks for piece in pieces},
        chunks=chunks, vectors=vectors, words=words, article_words=article_words,
    )  # fmt: skip
    manifest = Manifest(
        format=FORMAT, bot=bot.id, version=f"{now:%Y%m%d-%H%M%S}-{inventory.inputs[:6]}", created_at=now,
        inputs=inventory.inputs, made_by=parts.made_by, sources=tuple(piece.report for piece in pieces),
        failures=failures, omissions=inventory.omissions, chunks=len(chunks),
        dimension=parts.embedder.dimension, files={},
    )  # fmt: skip
    return write_version(folder, contents, manifest)


def _free_second(folder: Path) -> datetime:
    """Now, or the next second of which no version there is: names are unique and sort by age."""
    now = datetime.now(UTC)
    taken = {path.name[:15] for path in version_directories(folder)}
    while f"{now:%Y%m%d-%H%M%S}" in taken:
        now += timedelta(seconds=1)
    return now


def _read_all(
    bot: BotConfig, inventory: Inventory, parts: Parts, progress: Progress
) -> tuple[list[_Piece], tuple[Failure, ...]]:
    pieces, failures = [], []
    progress.step(f"{bot.id}: read", len(inventory.files))
    for path, source, _ in inventory.files:
        try:
            pieces.append(_read(bot, load_file(path, source, parts.loaders), parts))
        except UnreadableDocument as error:
            failures.append(Failure(source=source, reason=str(error)))
        progress.advance()
    return pieces, tuple(failures)


def _read(bot: BotConfig, loaded: Document, parts: Parts) -> _Piece:
    document = replace(loaded, id=digest(f"{bot.id}\0{loaded.source}")[:16])
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
        chunks=len(chunks),
        pages=document.pages,
        omissions=omissions,
    )
    return _Piece(document, regulation.blocks, chunks, report)


def _characters_indexed(blocks: Sequence[Block], chunks: Sequence[Chunk]) -> int:
    covered = {number for chunk in chunks for number in range(*chunk.blocks)}
    return sum(count_characters(blocks[number].text) for number in covered)


def _refuse_incomplete(bot: BotConfig, pieces: Sequence[_Piece], failures: Sequence[Failure], *, strict: bool) -> None:
    reasons = [failure.reason for failure in failures]
    if not any(piece.chunks for piece in pieces):
        reasons = reasons or ["its documents hold no text"]
        raise ChecksNotPassed(f"bot `{bot.id}`: nothing to index: {'; '.join(reasons)}")
    if strict:
        reasons += [
            f"{piece.document.source}: {omission.what} left out at {omission.where}: {omission.why}"
            for piece in pieces
            for omission in piece.report.omissions
        ]
        if reasons:
            raise ChecksNotPassed(f"bot `{bot.id}`: incomplete, and --strict was given: {'; '.join(reasons)}")
