"""A folder as a source of documents; ZIP archives in it are folders too."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ragbots.errors import ConfigurationError, UnreadableDocument
from ragbots.loaders.archives import Unpack, contents, may_be_archive, sweep
from ragbots.loaders.limits import MIB, ReadLimits
from ragbots.loaders.names import is_temporary, readable_name
from ragbots.ports import Listing, Progress, Source, SourceFile
from ragbots.text import digest_of_file
from ragbots.types import Omission

_KEPT_SECONDS = 30 * 24 * 3600.0  # that an unpacked archive is kept after its last use


class Folder:
    """All documents below a folder. Implements ports.Source.

    Archives are unpacked with `unpack` (a WorkerReader's, so that a hostile one harms nobody) into a
    folder below `unpacked`, named by their SHA-256.
    """

    def __init__(self, folder: Path, *, unpacked: Path, unpack: Unpack, limits: ReadLimits) -> None:
        self.id = f"folder {folder}"
        self._folder = folder
        self._unpacked = unpacked
        self._unpack = unpack
        self._limits = limits

    def list(self, progress: Progress) -> Listing:
        """Every file with its hash. Raises ConfigurationError for no folder.

        A file that cannot be opened is an omission.
        """
        found = list_folder(self._folder)
        files: list[SourceFile] = []
        omissions = list(found.omissions)
        progress.step(f"list {self._folder.name}", len(found.files))
        for path in found.files:
            for one in self._looked_at(path):
                if isinstance(one, SourceFile):
                    files.append(one)
                else:
                    omissions.append(one)
            progress.advance()
        sweep(self._unpacked, time.time() - _KEPT_SECONDS)
        return Listing(tuple(sorted(files, key=lambda file: file.source)), tuple(omissions))

    def _looked_at(self, path: Path) -> Iterator[SourceFile | Omission]:
        source = source_of(path, self._folder)
        try:
            size = path.stat().st_size
            digest = digest_of_file(path) if size <= self._limits.file else ""
        except OSError as error:
            yield Omission("file", source, 0, f"cannot be opened: {error.strerror}: check who may read it")
            return
        if not digest:
            yield Omission("file", source, 0, f"larger than {self._limits.file // MIB:,} MiB: split it")
        elif may_be_archive(path):
            yield from _as_folder(SourceFile(path, source, digest), self._unpacked, self._unpack)
        else:
            yield SourceFile(path, source, digest)


class WithArchives:
    """A source whose ZIP archives, such as the attachments of wiki pages, are folders. Implements ports.Source."""

    def __init__(self, source: Source, *, unpacked: Path, unpack: Unpack) -> None:
        self.id = source.id
        self._source = source
        self._unpacked = unpacked
        self._unpack = unpack

    def list(self, progress: Progress) -> Listing:
        """As the source's own, with the files in an archive in its place, each with its link."""
        found = self._source.list(progress)
        files: list[SourceFile] = []
        omissions = list(found.omissions)
        for file in found.files:
            for one in _as_folder(file, self._unpacked, self._unpack) if may_be_archive(file.path) else (file,):
                if isinstance(one, SourceFile):
                    files.append(one)
                else:
                    omissions.append(one)
        sweep(self._unpacked, time.time() - _KEPT_SECONDS)
        return Listing(tuple(files), tuple(omissions))


def _as_folder(file: SourceFile, unpacked: Path, unpack: Unpack) -> Iterator[SourceFile | Omission]:
    """The files in an archive; the file itself where it is a document."""
    try:
        found = contents(file.path, file.source, file.digest, unpacked, unpack)
    except UnreadableDocument as error:
        yield Omission("archive", file.source, 0, str(error))
        return
    if found is None:
        yield file
        return
    folder, held = found
    for entry in held.entries:
        yield SourceFile(folder / entry.file, f"{file.source}/{entry.name}", entry.digest, file.link)
    for one in held.left_out:
        yield Omission("file in an archive", f"{file.source}/{one.name}", 0, one.why)


@dataclass(frozen=True, slots=True)
class FolderListing:
    """The files to read, sorted by their path in NFC, and the links that were not followed."""

    files: tuple[Path, ...]
    omissions: tuple[Omission, ...]


def list_files(folder: Path) -> list[Path]:
    """The files of `list_folder`, for those who do not report omissions."""
    return list(list_folder(folder).files)


def list_folder(folder: Path) -> FolderListing:
    """All files below `folder`, hidden and temporary ones left out.

    A linked file is read where its target lies inside the folder. Other links, links to folders,
    pipes and sockets are not followed: they are omissions. Raises ConfigurationError for no folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: there is no such folder", hint="correct the source's `folder`")
    files: list[Path] = []
    omissions: list[Omission] = []
    for path in _walk(folder, omissions):
        reason = _why_not_followed(path, folder)
        if reason:
            omissions.append(Omission("link" if path.is_symlink() else "file", source_of(path, folder), 0, reason))
        else:
            files.append(path)
    return FolderListing(tuple(sorted(files, key=lambda path: source_of(path, folder))), tuple(omissions))


def source_of(path: Path, folder: Path) -> str:
    """The path below its source folder, in NFC, with `/` between the parts."""
    return readable_name(path.relative_to(folder).as_posix())


def _walk(folder: Path, omissions: list[Omission]) -> list[Path]:
    """Files and links below the folder; real folders are entered, hidden ones not."""

    def unreadable(error: OSError) -> None:
        where = source_of(Path(error.filename), folder)
        omissions.append(Omission("folder", where, 0, f"cannot be read: {error.strerror}"))

    found: list[Path] = []
    for top, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not is_temporary(name))
        linked = [name for name in folders if (Path(top) / name).is_symlink()]
        found += [Path(top) / name for name in (*linked, *names) if not is_temporary(name)]
    return sorted(found)


def _why_not_followed(path: Path, folder: Path) -> str:
    if not path.is_symlink():
        return "" if path.is_file() else "not a regular file"
    if not path.exists():
        return "the link leads nowhere"
    if not path.resolve().is_relative_to(folder.resolve()):
        return "the link leads out of the source folder"
    return "a linked folder is not entered" if path.is_dir() else ""
