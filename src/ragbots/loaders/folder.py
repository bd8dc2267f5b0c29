"""The files of a source folder."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from ragbots.errors import ConfigurationError
from ragbots.types import Omission

_TEMPORARY_STARTS = (".", "~$")
_TEMPORARY_ENDS = ("~", ".tmp", ".bak", ".swp", ".crdownload", ".part")
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})


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

    A linked file is read where its target lies inside the folder. Other links, and links to
    folders, are not followed: they are omissions. Raises ConfigurationError for no folder.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: there is no such folder", hint="correct the source's `folder`")
    files: list[Path] = []
    omissions: list[Omission] = []
    for path in _walk(folder):
        reason = _why_not_followed(path, folder)
        if reason:
            omissions.append(Omission("link", path.relative_to(folder).as_posix(), 0, reason))
        else:
            files.append(path)
    return FolderListing(tuple(sorted(files, key=lambda path: source_of(path, folder))), tuple(omissions))


def source_of(path: Path, folder: Path) -> str:
    """The path below its source folder, in NFC, with `/` between the parts."""
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


def _walk(folder: Path) -> list[Path]:
    """Files and links below the folder; real folders are entered, hidden ones not."""
    found: list[Path] = []
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_temporary(name))
        linked = [name for name in folders if (Path(top) / name).is_symlink()]
        found += [Path(top) / name for name in (*linked, *names) if not _is_temporary(name)]
    return sorted(found)


def _is_temporary(name: str) -> bool:
    low = name.lower()
    return low.startswith(_TEMPORARY_STARTS) or low.endswith(_TEMPORARY_ENDS) or low in _SYSTEM_FILES


def _why_not_followed(path: Path, folder: Path) -> str:
    if not path.is_symlink():
        return "" if path.is_file() else "not a regular file"
    if not path.exists():
        return "the link leads nowhere"
    if not path.resolve().is_relative_to(folder.resolve()):
        return "the link leads out of the source folder"
    return "a linked folder is not entered" if path.is_dir() else ""
