"""Office packages (.docx, .xlsx, .pptx) are ZIP archives of XML: looked over before a library opens them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import IO

from lxml import etree

from ragbots.errors import UnreadableDocument
from ragbots.text import clean

# What the libraries raise for a package that is sound as an archive and not as a document.
DAMAGED_INSIDE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, etree.LxmlError, KeyError, ValueError, TypeError, AttributeError),
    *(IndexError, SyntaxError, EOFError, OSError, AssertionError),
)

_MOST_ENTRIES = 10_000
_LARGEST_UNPACKED = 512 * 1024 * 1024  # bytes; a small file that unpacks to more is an attack or broken
_LARGEST_XML = 128 * 1024 * 1024  # bytes of all XML parts; in memory they take several times that
_XML_NAMES = (".xml", ".rels", ".vml", ".hpf")
_BLOCK = 1024 * 1024
# No Office program writes a document type; it is where entities are declared, and those can be bombs.
_DECLARATIONS = tuple(
    mark.encode(encoding) for mark in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_LONGEST_DECLARATION = max(map(len, _DECLARATIONS))
_ENCRYPTED_FLAG = 0x1
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, ValueError, LookupError),
    *(NotImplementedError, RuntimeError, struct.error, zlib.error),
)


def check_package(data: bytes, source: str, kind: str) -> None:
    """Raises UnreadableDocument for a package that is damaged, locked, or not safe to open.

    `kind` names the format for people: `.docx`. Safe: not too many entries, not too much when
    unpacked, no document type or entities in its XML. zipfile never unpacks more than declared.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            problem = _sizes_problem(archive.infolist()) or _declaration_problem(archive)
    except _DAMAGED as error:
        raise unreadable_package(source, kind, f"damaged or cut off ({error})") from error
    if problem:
        raise unreadable_package(source, kind, problem)


def facts(author: object, subject: object, keywords: object, *, maker: str = "") -> dict[str, str]:
    """Those of a document's properties that say something; the library's own name as author says nothing."""
    found = {"author": author, "subject": subject, "keywords": keywords}
    return {key: clean(str(value)) for key, value in found.items() if value and value != maker}


def unreadable_package(source: str, kind: str, problem: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{source}: cannot be read as {kind}: {problem}",
        hint=f"open it in the program it was made with, save it as {kind} again and replace it",
    )


def _sizes_problem(entries: Iterable[zipfile.ZipInfo]) -> str:
    found = list(entries)
    if len(found) > _MOST_ENTRIES:
        return f"it holds more than {_MOST_ENTRIES:,} parts"
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in found):
        return "it needs a password"
    if sum(entry.file_size for entry in found) > _LARGEST_UNPACKED:
        return f"it unpacks to more than {_LARGEST_UNPACKED >> 20} MiB"
    if sum(entry.file_size for entry in found if _is_xml(entry)) > _LARGEST_XML:
        return f"it holds more than {_LARGEST_XML >> 20} MiB of XML"
    return ""


def _is_xml(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.lower().endswith(_XML_NAMES)


def _declaration_problem(archive: zipfile.ZipFile) -> str:
    for entry in archive.infolist():
        if _is_xml(entry):
            with archive.open(entry) as part:
                if _declares(part):
                    return f"its part {entry.filename} declares a document type or entities, which no Office file does"
    return ""


def _declares(part: IO[bytes]) -> bool:
    """Whether a declaration stands anywhere in the part, over the ends of blocks too."""
    seam = b""
    while block := part.read(_BLOCK):
        seen = seam + block
        if any(mark in seen for mark in _DECLARATIONS):
            return True
        seam = seen[-_LONGEST_DECLARATION:]
    return False
