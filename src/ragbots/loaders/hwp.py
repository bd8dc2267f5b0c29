"""HWP 5 and HWPX documents in the order in which they are read.

dochan reads both into one model: it alone tells body text from running heads, hidden comments and
notes, and reads distribution (배포용) files. What it leaves out comes from the file itself: automatic
numbers, rows marked as headings, drawn letters, embedded objects. unhwp reads the file a second time, and
text that only it finds is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dochan import Dochan

from ragbots.errors import UnreadableDocument
from ragbots.loaders import hwp_package, hwp_records
from ragbots.loaders.assembly import Reading, document, excerpt, omission
from ragbots.loaders.hwp_layout import Layout
from ragbots.loaders.hwp_reading import HwpReader
from ragbots.loaders.hwp_witness import unread
from ragbots.loaders.packages import check_package
from ragbots.loaders.probing import is_ole, is_zip, suffix
from ragbots.ports import Probe
from ragbots.types import Document, Omission, count_characters, element_text

T = TypeVar("T")

_OLD_START = b"HWP Document File"  # HWP 3 and older are no OLE files; HWP 5 says this in a stream
_MOST_NAMED = 10  # things left out that a message names
_SAVE_AGAIN = "open it in Hangul, save it as .hwpx and replace it"
_UNLOCK = "save it in Hangul without a password and replace it"


class HwpLoader:
    """Reads HWP 5 files, distribution files too."""

    id = "hwp-1"

    def accepts(self, probe: Probe) -> bool:
        if probe.head.startswith(_OLD_START):
            return True
        return is_ole(probe) and ("FileHeader" in probe.members or (not probe.members and suffix(probe) == ".hwp"))

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        if data.startswith(_OLD_START):
            raise UnreadableDocument(f"{source}: an HWP file of version 3 or older, from before 2000", hint=_SAVE_AGAIN)
        flags = _guarded(source, lambda: hwp_records.read_flags(data))
        if flags.password:
            raise UnreadableDocument(f"{source}: needs a password", hint=_UNLOCK)
        if flags.rights_managed:
            raise UnreadableDocument(
                f"{source}: is locked by rights management (DRM) or for a certificate",
                hint="ask its owner for a copy that is not locked",
            )
        layout = _guarded(source, lambda: hwp_records.read_layout(data))
        return _load(path, source, data, layout, second_reader=not flags.distribution)


class HwpxLoader:
    """Reads HWPX files."""

    id = "hwpx-1"

    def accepts(self, probe: Probe) -> bool:
        is_hwpx = any(name.startswith("Contents/section") for name in probe.members)
        return is_zip(probe) and (is_hwpx or (not probe.members and suffix(probe) == ".hwpx"))

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        check_package(data, source, ".hwpx")
        if _guarded(source, lambda: hwp_package.is_locked(data)):
            raise UnreadableDocument(f"{source}: needs a password", hint=_UNLOCK)
        layout = _guarded(source, lambda: hwp_package.read_layout(data))
        return _load(path, source, data, layout, second_reader=True)


def _guarded(source: str, read: Callable[[], T]) -> T:
    """What `read` gives; whatever goes wrong in it is a damaged file."""
    try:
        return read()
    except UnreadableDocument:
        raise
    except Exception as error:
        # The readers promise no list of errors, and a broken file must not end a build.
        raise UnreadableDocument(
            f"{source}: damaged or cut off, or no HWP document ({type(error).__name__}: {error})", hint=_SAVE_AGAIN
        ) from error


def _load(path: Path, source: str, data: bytes, layout: Layout, *, second_reader: bool) -> Document:
    found = _guarded(source, lambda: Dochan(str(path), revision_mode="final").doc)
    warnings = [str(problem) for problem in found.errors]
    fatal = [problem for problem in warnings if not problem.startswith("WARN")]
    if fatal:
        raise UnreadableDocument(f"{source}: cannot be read whole ({'; '.join(fatal)})", hint=_SAVE_AGAIN)
    reader = HwpReader(found, layout)
    reading = _guarded(source, reader.read)
    left_out = [*reading.omissions, *(_warned(problem) for problem in warnings)]
    if layout.tracked:
        left_out += _deleted(path, found)
    if second_reader:
        left_out += _missed(data, reading, reader.left_out)
    _require_text(source, reading, left_out)
    return document(source, data, Reading(reading.elements, omissions=left_out, footnotes=reading.footnotes))


def _require_text(source: str, reading: Reading, left_out: Sequence[Omission]) -> None:
    """A file without any text is refused by naming what stands in it instead."""
    if left_out and not any(element_text(element).strip() for element in reading.elements):
        named = "; ".join(one.what for one in left_out[:_MOST_NAMED])
        raise UnreadableDocument(
            f"{source}: there is no text in this file but: {named}",
            hint="add the text, or remove the file from the source folder",
        )


def _warned(problem: str) -> Omission:
    return Omission(f"reader's warning: {excerpt(problem, 120)}", "document", 0, "may not be read whole")


def _deleted(path: Path, final: Any) -> list[Omission]:
    """What tracked changes took out of the text."""
    whole = Dochan(str(path), revision_mode="preserve").doc
    count = _characters(whole) - _characters(final)
    why = "deleted in the document's tracked changes"
    return [Omission("deleted text", "document", count, why, expected=True)] if count > 0 else []


def _characters(found: Any) -> int:
    return sum(count_characters(paragraph.text) for paragraph in found.find_all("paragraph"))


def _missed(data: bytes, reading: Reading, left_out: Sequence[str]) -> list[Omission]:
    read = [element_text(element) for element in reading.elements]
    return [
        omission(
            f"text: {excerpt(words)}", "unknown", words, "another reader finds it in the file, its place is unknown"
        )
        for words in unread(data, "\n".join([*read, *left_out]))
    ]
