"""Files to Documents: one loader for each format, chosen by what the file holds.

A loader reads a file whole or says why it cannot. What it leaves out (running headers, comments,
pictures) it reports as an omission; nothing vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ragbots.errors import UnreadableDocument
from ragbots.loaders.docx import DocxLoader
from ragbots.loaders.folder import FolderListing, list_files, list_folder, source_of
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.loaders.pdf import PdfLoader
from ragbots.loaders.plain_text import TextLoader
from ragbots.ports import Loader
from ragbots.types import Document

__all__ = ["FolderListing", "built_in_loaders", "list_files", "list_folder", "load_file", "source_of"]

_HEAD_BYTES = 8192
_KNOWN_STARTS = (
    (b"\xd0\xcf\x11\xe0", "an old Office or HWP file, or an Office file with a password", "save it as PDF or .docx"),
    (b"PK\x03\x04", "a ZIP archive (a spreadsheet, an HWPX file, a presentation …)", "save it as PDF or .docx"),
    (b"\x89PNG", "a picture", "save its text as PDF, .docx or .md"),
    (b"\xff\xd8\xff", "a picture", "save its text as PDF, .docx or .md"),
    (b"GIF8", "a picture", "save its text as PDF, .docx or .md"),
    (b"<", "HTML or XML", "save it as PDF, .docx or .md"),
    (b"{\\rtf", "rich text", "save it as .docx"),
)


def built_in_loaders() -> tuple[Loader, ...]:
    """The loaders in the order in which they are asked."""
    return PdfLoader(), DocxLoader(), MarkdownLoader(), TextLoader()


def load_file(path: Path, source: str, loaders: Sequence[Loader]) -> Document:
    """The document in `path`, read by the first loader that accepts it.

    `source` is the path below the source folder. Raises UnreadableDocument for an empty file, for
    one that no loader accepts, and for whatever the loader cannot read whole.
    """
    head = _head(path, source)
    if not head:
        raise UnreadableDocument(f"{source}: the file is empty (0 bytes)", hint="save or copy the file again")
    loader = next((one for one in loaders if one.accepts(head, path.name)), None)
    if loader is None:
        raise _unknown(head, source)
    return loader.load(path, source)


def _head(path: Path, source: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableDocument(
            f"{source}: cannot be opened: {error.strerror}", hint="check the file and who may read it"
        ) from error


def _unknown(head: bytes, source: str) -> UnreadableDocument:
    for start, what, hint in _KNOWN_STARTS:
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(start):
            return UnreadableDocument(f"{source}: this is {what}, which no loader here reads", hint=hint)
    suffix = Path(source).suffix.lower()
    if suffix and b"\x00" not in head:
        return UnreadableDocument(f"{source}: the name says {suffix}, the content does not", hint="save it again")
    return UnreadableDocument(f"{source}: unknown binary content", hint="save it as PDF, .docx, .md or .txt")
