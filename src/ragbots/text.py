"""Ground rules for text: one Unicode form, one way to hash, one way to compare."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufff9-\ufffb]"
)
_SPACES = re.compile(r"[ \t\u00a0\u3000]+")
_NOTHING = re.compile(r"[\s,]+")


def clean(text: str) -> str:
    """NFC (decomposed jamo composed), without control and invisible characters, line ends as \\n."""
    composed = unicodedata.normalize("NFC", text)
    return _CONTROL.sub("", composed.replace("\r\n", "\n").replace("\r", "\n"))


def squeeze(text: str) -> str:
    """Runs of spaces become one; ends trimmed; line breaks stay."""
    return "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n")).strip()


def one_line(text: str) -> str:
    return " ".join(text.split())


def comparable(text: str) -> str:
    """For asking whether words stand in a text: white space and commas dropped, ㆍ as ·, NFKC."""
    folded = unicodedata.normalize("NFKC", text.replace("ㆍ", "·").replace("∙", "·"))
    return _NOTHING.sub("", folded)


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes in hexadecimal, read in pieces. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(data: str | bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()


def web_address(link: str | None) -> str | None:
    """The link where it leads to the web, else None: a document can name anything, `javascript:` too."""
    if not link or re.search(r"[\x00-\x20\x7f\\]", link):
        return None
    try:
        parts = urlsplit(link)
        return link if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None
