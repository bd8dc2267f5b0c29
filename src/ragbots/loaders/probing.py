"""What a file shows of its kind before anything reads it whole."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from itertools import islice
from pathlib import Path, PurePath, PurePosixPath

import olefile

from ragbots.ports import Probe

HEAD_BYTES = 8192
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PACKAGE_MARK = "[Content_Types].xml"  # stands in every .docx, .xlsx and .pptx

# One of them stands in a ZIP archive that is one document, or a program.
_CONTENTS = ("mimetype", "Contents/content.hpf", "META-INF/container.xml")  # of HWPX, OpenDocument and books
_PROGRAMS = ("META-INF/MANIFEST.MF", "AndroidManifest.xml")
DOCUMENT_MARKS = frozenset({PACKAGE_MARK, *_CONTENTS, *_PROGRAMS})

_MOST_NAMES = 5000
_LARGEST_DIRECTORY = 1024 * 1024  # bytes of a ZIP archive's list of entries
_END_RECORD = b"PK\x05\x06"
_END_RECORD_SPAN = 65_535 + 22  # bytes: a comment of the greatest length, and the record
_BROKEN = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, NotImplementedError),
    *(ArithmeticError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile),
)
# Declarations and comments may come first; then the document must say that it is HTML.
_HTML = re.compile(
    rb"(?>(?:\s|<\?xml[^>]*\?>|<!--.*?-->)*)<(?:!doctype\s+html|(?:html|head|body)[\s>])", re.DOTALL | re.IGNORECASE
)
_ENCODING_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def probe(path: Path, source: str = "") -> Probe:
    """The beginning of a file and the names of what it holds; a damaged archive shows no names.

    A file whose own name does not end in `.something` goes by the name in `source`. Raises OSError
    where the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    name = path.name if path.suffix or not source else PurePosixPath(source).name
    return Probe(head, name, _members(path, head))


def suffix(probe: Probe) -> str:
    """The end of the name, in small letters: `.docx`."""
    return PurePath(probe.name).suffix.lower()


def is_zip(probe: Probe) -> bool:
    return probe.head.startswith(ZIP_STARTS)


def is_ole(probe: Probe) -> bool:
    return probe.head.startswith(OLE_START)


def is_package(probe: Probe, folder: str) -> bool:
    """Whether this is an Office package whose parts lie in `folder`: `word/`, `xl/`, `ppt/`."""
    return is_zip(probe) and PACKAGE_MARK in probe.members and any(name.startswith(folder) for name in probe.members)


def is_plain_archive(probe: Probe) -> bool:
    """Whether this is a ZIP archive of files: no Office package, no HWPX, ODF or EPUB file, no program, not damaged."""
    return is_zip(probe) and bool(probe.members) and not probe.members & DOCUMENT_MARKS


def is_html(probe: Probe) -> bool:
    """Whether the beginning is that of an HTML document; a file with some tags in it is none."""
    return bool(_HTML.match(plain_head(probe)))


def plain_head(probe: Probe) -> bytes:
    """The beginning as UTF-8 without byte order mark, whichever Unicode form the file has."""
    encoding = _ENCODING_MARKS.get(probe.head[:2])
    if encoding:
        return probe.head[2:].decode(encoding, errors="ignore").encode("utf-8", errors="ignore")
    return probe.head.removeprefix(b"\xef\xbb\xbf")


def _members(path: Path, head: bytes) -> frozenset[str]:
    try:
        if head.startswith(ZIP_STARTS):
            return _zip_names(path)
        return _ole_names(path) if head.startswith(OLE_START) else frozenset()
    except _BROKEN:
        return frozenset()


def _zip_names(path: Path) -> frozenset[str]:
    if _directory_bytes(path) > _LARGEST_DIRECTORY:
        return frozenset()
    with zipfile.ZipFile(path) as archive:
        return frozenset(islice(archive.namelist(), _MOST_NAMES))


def _directory_bytes(path: Path) -> int:
    """The size of the list of entries as its end record gives it: read before the list is."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _END_RECORD_SPAN, 0))
        tail = file.read()
    at = tail.rfind(_END_RECORD)
    return int(struct.unpack_from("<I", tail, at + 12)[0]) if at >= 0 else 0


def _ole_names(path: Path) -> frozenset[str]:
    with olefile.OleFileIO(str(path)) as ole:
        return frozenset("/".join(parts) for parts in islice(ole.listdir(), _MOST_NAMES))
