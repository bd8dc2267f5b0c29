"""A ZIP archive of documents, as if it were a folder.

Entries are written under names made here, so that no name in an archive reaches the file system.
What is not unpacked is named, with the reason.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from ragbots.errors import UnreadableDocument
from ragbots.loaders.limits import MIB, ReadLimits
from ragbots.loaders.names import decoded_name, is_temporary, readable_name
from ragbots.loaders.probing import DOCUMENT_MARKS, ZIP_STARTS

_INDEX = "contents.json"
_FORMAT = 1  # of what is kept of an unpacked archive
_BLOCK = MIB
# Files of such names are documents or broken ones, never folders.
_DOCUMENT_SUFFIXES = frozenset(
    {".docx", ".docm", ".dotx", ".xlsx", ".xlsm", ".pptx", ".pptm", ".hwpx", ".odt", ".ods", ".odp", ".epub", ".jar"}
)
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"[A-Za-z]:/")
_PLAIN_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, OSError, EOFError),
    *(ValueError, LookupError, NotImplementedError, RuntimeError),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive: its path there, the name it is kept under, the SHA-256 of its bytes."""

    name: str
    file: str
    digest: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of an archive that is not unpacked, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]


# (archive, its source, an empty folder) → what is in the folder now; None where the file is no archive of documents.
Unpack = Callable[[Path, str, Path], Unpacked | None]


def may_be_archive(path: Path) -> bool:
    """Whether to look into a file: it begins as a ZIP archive and is not named like a document."""
    if path.suffix.lower() in _DOCUMENT_SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in ZIP_STARTS
    except OSError:
        return False


def contents(archive: Path, source: str, digest: str, unpacked: Path, unpack: Unpack) -> tuple[Path, Unpacked] | None:
    """The folder below `unpacked` that holds the archive's files, and what they are; None for a document.

    An archive of the same SHA-256 `digest` is not unpacked twice. Raises UnreadableDocument.
    """
    folder = unpacked / digest
    found = _kept(folder)
    if found is None:
        found = _unpack_anew(archive, source, folder, unpack)
    else:
        folder.touch()  # `sweep` goes by when it was last used
    return None if found is None else (folder, found)


def sweep(unpacked: Path, before: float) -> None:
    """Removes what was last used before a moment, in seconds since the epoch; another may do so too."""
    for folder in unpacked.iterdir() if unpacked.is_dir() else ():
        with suppress(OSError):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder)


def _unpack_anew(archive: Path, source: str, folder: Path, unpack: Unpack) -> Unpacked | None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name[:16]}.", dir=folder.parent) as name:
        there = Path(name, "new")
        there.mkdir()
        found = unpack(archive, source, there)
        if found is None:
            return None
        (there / _INDEX).write_text(json.dumps({"format": _FORMAT, **asdict(found)}), "utf-8")
        if folder.exists():  # of an older format, or a file of it is gone
            shutil.rmtree(folder)
        try:
            there.rename(folder)
        except OSError:
            if _kept(folder) is None:  # else another build was quicker
                raise
    return found


def _kept(folder: Path) -> Unpacked | None:
    """What was unpacked before, if all of it is there."""
    try:
        kept = json.loads((folder / _INDEX).read_text("utf-8"))
        if kept["format"] != _FORMAT:
            return None
        entries = tuple(Entry(**entry) for entry in kept["entries"])
        left_out = tuple(LeftOut(**one) for one in kept["left_out"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    whole = all((folder / entry.file).is_file() for entry in entries)
    return Unpacked(entries, left_out) if whole else None


def unpack_documents(archive: Path, source: str, into: Path, limits: ReadLimits) -> Unpacked | None:
    """Writes the files of an archive into an empty folder; None where the file is itself a document.

    Raises UnreadableDocument for an archive that is damaged, or larger than the limits allow.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
            if _is_document(_name(info) for info in infos):
                return None
            return _Unpacking(opened, source, into, limits).run(infos)
    except _DAMAGED as error:
        raise UnreadableDocument(
            f"{source}: cannot be unpacked: {error}", hint="make the archive again, or put its files into the folder"
        ) from error


class _Unpacking:
    """One archive on its way into a folder; holds what was written and what was not."""

    def __init__(self, opened: zipfile.ZipFile, source: str, into: Path, limits: ReadLimits) -> None:
        self._opened = opened
        self._source = source
        self._into = into
        self._limits = limits
        self._entries: list[Entry] = []
        self._left_out: list[LeftOut] = []

    def run(self, infos: list[zipfile.ZipInfo]) -> Unpacked:
        chosen = dict(self._wanted(infos))
        if len(infos) > self._limits.entries:
            raise self._too_large(f"it holds more than {self._limits.entries:,} entries")
        # zipfile never unpacks more of an entry than the archive declares.
        if sum(info.file_size for info in chosen.values()) > self._limits.unpacked:
            raise self._too_large(f"it unpacks to more than {self._limits.unpacked // MIB:,} MiB")
        for number, (name, info) in enumerate(chosen.items(), 1):
            self._write(name, info, f"{number:05}{_suffix(name)}")
        return Unpacked(tuple(self._entries), tuple(self._left_out))

    def _wanted(self, infos: Iterable[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        """Entries to unpack; of several with one name the last stands, as in other programs."""
        seen: set[str] = set()
        for info in reversed(list(infos)):
            raw = _name(info)
            name = readable_name(raw)
            if raw.endswith("/") or any(is_temporary(part) for part in name.split("/") if part != ".."):
                continue
            why = _why_refused(name, info, self._limits) or ("another of the same name follows" * (name in seen))
            seen.add(name)
            if why:
                self._leave_out(name, why)
            else:
                yield name, info

    def _write(self, name: str, info: zipfile.ZipInfo, file: str) -> None:
        target = self._into / file
        try:
            digest = self._copy(info, target)
        except _DAMAGED as error:
            target.unlink(missing_ok=True)
            self._leave_out(name, f"damaged: {error}")
            return
        if may_be_archive(target) and not _is_document_file(target):
            target.unlink()
            self._leave_out(name, "an archive in an archive is not opened: put it, or its files, into the folder")
        else:
            self._entries.append(Entry(name, file, digest))

    def _copy(self, info: zipfile.ZipInfo, target: Path) -> str:
        """Unpacks an entry; the SHA-256 of what was written."""
        digest = hashlib.sha256()
        with self._opened.open(info) as entry, target.open("xb") as file:
            while block := entry.read(_BLOCK):
                digest.update(block)
                file.write(block)
        return digest.hexdigest()

    def _leave_out(self, name: str, why: str) -> None:
        self._left_out.append(LeftOut(name, why))

    def _too_large(self, why: str) -> UnreadableDocument:
        return UnreadableDocument(f"{self._source}: not unpacked: {why}", hint="put its files into the source folder")


def _name(info: zipfile.ZipInfo) -> str:
    """The path in the archive; without the flag for UTF-8, zipfile took the bytes for those of old DOS."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        name = decoded_name(name.encode("cp437"))
    return name.replace("\\", "/")


def _why_refused(name: str, info: zipfile.ZipInfo, limits: ReadLimits) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not name or name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/"):
        return "its path leads out of the archive"
    if kind == stat.S_IFLNK:
        return "a link, which is not followed"
    if kind not in (0, stat.S_IFREG):
        return "not a regular file"
    if info.flag_bits & _ENCRYPTED_FLAG:
        return "it needs a password: make the archive without one"
    if info.compress_type not in _METHODS:
        return "packed by a method that is not read: make the archive with the usual one (deflate)"
    if info.file_size > limits.file:
        return f"it unpacks to more than {limits.file // MIB:,} MiB"
    return ""


def _is_document(names: Iterable[str]) -> bool:
    return not DOCUMENT_MARKS.isdisjoint(names)


def _is_document_file(path: Path) -> bool:
    """Of a damaged archive too: reading it as a document will say what is wrong."""
    try:
        with zipfile.ZipFile(path) as opened:
            return _is_document(_name(info) for info in opened.infolist())
    except _DAMAGED:
        return True


def _suffix(name: str) -> str:
    """The end of a name where it is a plain one: loaders look at it last."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if _PLAIN_SUFFIX.fullmatch(suffix) else ""
