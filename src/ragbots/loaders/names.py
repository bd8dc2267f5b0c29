"""Names of files: which are nobody's documents, and how any of them is written as text."""

from __future__ import annotations

import os

from ragbots.text import clean

_TEMPORARY_STARTS = (".", "~$")
_TEMPORARY_ENDS = ("~", ".tmp", ".bak", ".swp", ".crdownload", ".part")
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def is_temporary(name: str) -> bool:
    """Whether a file or folder of this name is hidden, half-written, or the system's own."""
    low = name.lower()
    return low.startswith(_TEMPORARY_STARTS) or low.endswith(_TEMPORARY_ENDS) or low in _SYSTEM_FILES


def readable_name(name: str) -> str:
    """A path in NFC on one line, without control characters; bytes that are not UTF-8 read as CP949."""
    if any("\ud800" <= character <= "\udfff" for character in name):
        name = decoded_name(os.fsencode(name))
    return clean(name).replace("\n", " ").replace("\t", " ")


def decoded_name(raw: bytes) -> str:
    """A name of unknown encoding: UTF-8, else what Korean Windows writes, else with the bytes spelled out."""
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", errors="backslashreplace")
