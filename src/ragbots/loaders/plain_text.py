"""Plain text: one element a line, indentation kept."""

from __future__ import annotations

from pathlib import Path, PurePath

from ragbots.loaders.assembly import Reading, document, text
from ragbots.loaders.encoding import decode, looks_like_text
from ragbots.types import Document

# A file of such a name whose bytes are text is not what it says: a login page saved as .pdf, say.
_DOCUMENTS = (".pdf", ".doc", ".docx", ".hwp", ".hwpx", ".xls", ".xlsx", ".ppt", ".pptx", ".rtf")
_NOT_TEXT = frozenset((*_DOCUMENTS, ".htm", ".html", ".xhtml", ".zip", ".png", ".jpg", ".jpeg", ".gif"))
_MARKUP_STARTS = (b"<!doctype html", b"<html", b"<?xml", b"{\\rtf")


class TextLoader:
    """Reads text files in UTF-8, UTF-16 with a byte order mark, or CP949."""

    id = "text-1"

    def accepts(self, head: bytes, name: str) -> bool:
        return is_plain(head, name)

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        lines = decode(data, source).split("\n")
        return document(source, data, Reading([text(line) for line in lines if line.strip()]))


def is_plain(head: bytes, name: str) -> bool:
    """Whether the bytes are text and the name does not promise another format."""
    begins_as_markup = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP_STARTS)
    return looks_like_text(head) and not begins_as_markup and PurePath(name).suffix.lower() not in _NOT_TEXT
