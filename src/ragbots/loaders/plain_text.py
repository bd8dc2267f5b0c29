"""Plain text: one element a line, indentation kept."""

from __future__ import annotations

import re
from pathlib import Path

from ragbots.loaders.assembly import Reading, document, text
from ragbots.loaders.encoding import decode, looks_like_text
from ragbots.loaders.probing import is_html, plain_head, suffix
from ragbots.ports import Probe
from ragbots.types import Document

# A file of such a name whose bytes are text is not what it says: a login page saved as .pdf, say.
_DOCUMENTS = (".pdf", ".doc", ".docx", ".hwp", ".hwpx", ".xls", ".xlsx", ".ppt", ".pptx", ".rtf", ".mht", ".mhtml")
_NOT_TEXT = frozenset((*_DOCUMENTS, ".htm", ".html", ".xhtml", ".zip", ".png", ".jpg", ".jpeg", ".gif"))
_MARKUP_STARTS = (b"<?xml", b"{\\rtf")
_MAIL_START = re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*?){0,12}?content-type:\s*multipart/", re.IGNORECASE)


class TextLoader:
    """Reads text files in UTF-8, UTF-16 with a byte order mark, or CP949."""

    id = "text-1"

    def accepts(self, probe: Probe) -> bool:
        return is_plain(probe)

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        lines = decode(data, source).split("\n")
        return document(source, data, Reading([text(line) for line in lines if line.strip()]))


def is_plain(probe: Probe) -> bool:
    """Whether the bytes are text, are no markup or mail, and the name does not promise another format."""
    return looks_like_text(probe.head) and not is_markup(probe) and suffix(probe) not in _NOT_TEXT


def is_markup(probe: Probe) -> bool:
    """Whether the text is HTML, XML or RTF, or a web page saved with its pictures (MHT)."""
    start = plain_head(probe).lstrip().lower()
    return start.startswith(_MARKUP_STARTS) or is_html(probe) or is_web_archive(probe)


def is_web_archive(probe: Probe) -> bool:
    """Whether this is a web page saved as one file with its pictures (MHT), which is a mail."""
    return bool(_MAIL_START.match(plain_head(probe).replace(b"\r\n", b"\n").lstrip()))
