"""Which version answers: verify, release, roll back, prune, and recover at start."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ragbots.errors import ChecksNotPassed, DamagedVersion, DiskFull, Locked, NotFound
from ragbots.ports import VectorStoreFactory
from ragbots.state.database import Database, Verdict, VersionRecord
from ragbots.stores.locks import hold
from ragbots.stores.versions import (
    IndexVersion,
    Manifest,
    bot_of_store,
    collect_leftovers,
    damage,
    delete_version,
    open_version,
    read_manifest,
    store_name,
    version_directories,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shelf:
    """Where versions live and who keeps the books."""

    indexes: Path
    database: Database
    stores: VectorStoreFactory

    def folder(self, bot: str) -> Path:
        return self.indexes / bot

    def path(self, bot: str, version: str) -> Path:
        """The version's directory. Raises NotFound."""
        path = self.folder(bot) / version
        if path.name != version or version.startswith(".") or not path.is_dir():
            raise NotFound(f"bot `{bot}` has no version `{version}`", hint=f"see `ragbots index status {bot}`")
        return path

    @contextmanager
    def writing(self, bot: str, purpose: str) -> Iterator[None]:
        """Only one process changes a bot's versions at a time. Raises Locked naming the other, and DiskFull."""
        try:
            with hold(self.indexes / f"{bot}.lock", f"{purpose} of `{bot}`"):
                self._collect_leftovers(bot)
                yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DiskFull(f"{purpose} of `{bot}`: {error}", hint="what answers goes on; free some space") from error

    def _collect_leftovers(self, bot: str) -> None:
        """Removes what killed builds and deletions left of this bot's versions, and stores without a version."""
        collect_leftovers(self.folder(bot))
        kept = {store_name(bot, path.name) for path in version_directories(self.folder(bot))}
        self.stores.collect(lambda name: bot_of_store(name) == bot and name not in kept)


def register(shelf: Shelf, path: Path) -> VersionRecord:
    """Enters a finished directory into the books; a version is known by its manifest alone."""
    manifest = read_manifest(path)
    known = {record.version: record for record in shelf.database.versions(manifest.bot)}
    if manifest.version in known:
        return known[manifest.version]
    record = VersionRecord(
        bot=manifest.bot,
        version=manifest.version,
        created_at=manifest.created_at,
        chunks=manifest.chunks,
        documents=len(manifest.sources),
        omissions=len(manifest.all_omissions),
    )
    shelf.database.add_version(record)
    return record


def same_inputs(shelf: Shelf, bot: str, inputs: str) -> str | None:
    """The newest sound version that was built from just these inputs."""
    return next((manifest.version for manifest in _sound(shelf, bot) if manifest.inputs == inputs), None)


def newest(shelf: Shelf, bot: str) -> Manifest | None:
    """The manifest of the newest version that is whole; None for a bot's first."""
    return next(_sound(shelf, bot), None)


def _sound(shelf: Shelf, bot: str) -> Iterator[Manifest]:
    """The manifests of the versions that are whole, newest first; each is looked over when it is asked for."""
    return (read_manifest(path) for path in reversed(version_directories(shelf.folder(bot))) if not damage(path))


GoldenRun = Callable[[str, str | None], tuple[Sequence[str], Sequence[str]]]
"""Asks a bot's golden questions of a version and of the live one: what got worse, and what is to be noted."""


def verify(shelf: Shelf, bot: str, version: str, golden: GoldenRun | None = None) -> Verdict:
    """Checks a version and records the verdict: every file's hash, the counts, and every chunk found
    by its own vector from a fresh process (the vector store is filled first where it is not); then, where there
    are any, the golden questions against the version that answers now."""
    problems, notes = _problems(shelf, bot, version)
    if golden is not None and not problems:
        live = shelf.database.active().get(bot)
        worse, said = golden(version, None if live == version else live)
        problems, notes = [*problems, *worse], [*notes, *said]
    report = {"problems": problems, "notes": notes}
    verdict = Verdict(bot, version, datetime.now(UTC), not problems, report)
    shelf.database.add_verdict(verdict)
    return verdict


def _problems(shelf: Shelf, bot: str, version: str) -> tuple[list[str], list[str]]:
    try:
        opened = open_version(shelf.path(bot, version))
    except DamagedVersion as error:
        return [str(error)], []
    lost, notes = _against_live(shelf, bot, opened.manifest)
    problems = [*_wrong_counts(opened), *lost]
    vectors, name = opened.contents.vectors, store_name(bot, version)
    try:
        if shelf.stores.check(name, vectors):
            shelf.stores.fill(name, vectors)  # checks what it wrote
    except Locked:
        return problems, [*notes, "the vector store is open in a running server and was checked there at start"]
    except DamagedVersion as error:
        return [*problems, str(error)], notes
    return problems, notes


def _against_live(shelf: Shelf, bot: str, manifest: Manifest) -> tuple[list[str], list[str]]:
    """A document that the released version holds and this one could not read is lost; what else differs is noted."""
    live = _live_manifest(shelf, bot)
    before = {source.source for source in live.sources} if live else set()
    here = {source.source for source in manifest.sources}
    unread = {failure.source: failure.reason for failure in manifest.failures}
    problems = [f"lost: {name}, which the released version has: {unread[name]}" for name in sorted(before & {*unread})]
    gone = sorted(before - here - {*unread})
    notes = [f"no longer among the documents: {', '.join(gone)}"] if gone else []
    losses = sum(not omission.expected for omission in manifest.all_omissions)
    if losses:
        notes.append(f"{losses} passages were left out, see `ragbots index status {bot}`")
    return problems, notes


def _live_manifest(shelf: Shelf, bot: str) -> Manifest | None:
    try:
        return read_manifest(shelf.folder(bot) / shelf.database.active().get(bot, ".none"))
    except DamagedVersion:
        return None


def _wrong_counts(opened: IndexVersion) -> list[str]:
    contents, manifest = opened.contents, opened.manifest
    expected = {
        "chunks": (len(contents.chunks), manifest.chunks),
        "vectors": (len(contents.vectors), manifest.chunks),
        "documents": (len(contents.documents), len(manifest.sources)),
    }
    return [f"{what}: {found} instead of {wanted}" for what, (found, wanted) in expected.items() if found != wanted]


def release(
    shelf: Shelf,
    bot: str,
    version: str,
    *,
    by: str,
    forced_because: str | None = None,
    golden: GoldenRun | None = None,
) -> Verdict:
    """Makes a version the one that answers, if it passes its checks.

    With a reason, a version is released whose checks did not pass but whose files are whole. Raises
    ChecksNotPassed, NotFound.
    """
    path = shelf.path(bot, version)
    register(shelf, path)
    verdict = verify(shelf, bot, version, golden)
    if not verdict.passed:
        problems = "; ".join(verdict.report["problems"])
        if forced_because is None:
            raise ChecksNotPassed(
                f"bot `{bot}`: version {version} was not released: {problems}",
                hint=f"the version released before goes on answering; see `ragbots index status {bot}`, ask it with "
                f"`ragbots ask --bot {bot} --version {version}`, or release it with --force WHY",
            )
        open_version(path)  # what cannot be opened is not released whatever the reason
    forced = None if verdict.passed else forced_because
    shelf.database.release(bot, version, by=by, action="release", forced_because=forced, verdict=verdict)
    return verdict


def rollback(shelf: Shelf, bot: str, *, by: str) -> str:
    """Makes the version released before the present one answer again, and returns it."""
    current = shelf.database.active().get(bot)
    if current is None:
        raise NotFound(f"bot `{bot}` has no released version", hint=f"ragbots index build {bot} --release")
    previous = next((version for version in _answered_before(shelf, bot) if version != current), None)
    if previous is None:
        raise NotFound(f"bot `{bot}`: no version was released before {current} that is still there")
    open_version(shelf.path(bot, previous))
    shelf.database.release(bot, previous, by=by, action="rollback")
    return previous


def _answered_before(shelf: Shelf, bot: str) -> list[str]:
    """The versions that are still there of those that answered before the present one, latest first.

    One that was rolled back from was withdrawn and is not among them, unless it was released again.
    """
    standing: list[str] = []
    for record in reversed(shelf.database.release_history(bot)):
        if record.action == "rollback":
            while standing and standing[-1] != record.version:
                standing.pop()
        else:
            standing.append(record.version)
    there = {path.name for path in version_directories(shelf.folder(bot))}
    return [version for version in reversed(standing[:-1]) if version in there]


def listed(shelf: Shelf, bot: str) -> list[tuple[VersionRecord, Verdict | None]]:
    """The versions that are there and in the books, newest first, with the newest verdict on each."""
    there = {path.name for path in version_directories(shelf.folder(bot))}
    records = [record for record in shelf.database.versions(bot) if record.version in there]
    return [(record, shelf.database.verdict(bot, record.version)) for record in records]


def prune(shelf: Shelf, bot: str, keep: int, cited_since: datetime) -> list[str]:
    """Deletes all but the newest `keep` versions, the released one, where that is damaged the one that serves in
    its place, and those that answers since `cited_since` cite; returns what was deleted."""
    there = version_directories(shelf.folder(bot))
    kept = {path.name for path in there[-keep:]} if keep else set()
    kept |= shelf.database.cited_versions(bot, cited_since)
    kept |= {shelf.database.active().get(bot, ""), _serving(shelf, bot)}
    doomed = [path for path in there if path.name not in kept]
    for path in doomed:
        with suppress(Locked):  # a server that has just swapped it out; it is collected another time
            shelf.stores.delete(store_name(bot, path.name))
        delete_version(path)
    # Also those that an earlier run was killed over, deleted and not yet forgotten.
    left = {path.name for path in version_directories(shelf.folder(bot))}
    for record in shelf.database.versions(bot):
        if record.version not in left:
            shelf.database.forget_version(bot, record.version)
    return [path.name for path in doomed]


def _serving(shelf: Shelf, bot: str) -> str:
    candidates = [shelf.database.active().get(bot, ""), *_answered_before(shelf, bot)]
    return next((one for one in candidates if one and not damage(shelf.folder(bot) / one)), "")


def open_released(shelf: Shelf, bot: str) -> tuple[IndexVersion | None, str]:
    """The version to answer from, and what is wrong where it is not the released one.

    Where the released version is damaged the last sound one that answered before it serves.
    """
    pointer = shelf.database.active().get(bot)
    if pointer is None:
        return None, "no released version"
    trouble = ""
    for version in dict.fromkeys([pointer, *_answered_before(shelf, bot)]):
        try:
            return open_version(shelf.path(bot, version)), trouble
        except (DamagedVersion, NotFound) as error:
            _log.error("bot %s: version %s cannot serve: %s", bot, version, error)
            trouble = trouble or f"released version {version} is damaged or gone"
    return None, trouble
