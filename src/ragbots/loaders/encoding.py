"""Bytes to text: UTF-8, UTF-16 with a byte order mark, CP949."""

from __future__ import annotations

import codecs
import re

from ragbots.errors import UnreadableDocument
from ragbots.text import clean

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HANGUL = re.compile(r"[가-힣]")
_HINT = "save the file as UTF-8 text"


def looks_like_text(head: bytes) -> bool:
    """Whether the beginning of a file holds no control bytes that only binary files have."""
    return head.startswith(_UTF16_MARKS) or not _BINARY.search(head)


def decode(data: bytes, source: str) -> str:
    """The text, cleaned (NFC). Raises UnreadableDocument where no encoding fits every byte."""
    if data.startswith(_UTF16_MARKS):
        return clean(_strict(data, "utf-16", source))
    if data.startswith(codecs.BOM_UTF8):
        return clean(_strict(data, "utf-8-sig", source))
    try:
        return clean(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        if _is_damaged_utf8(data):
            raise _undecodable(source, "UTF-8", error) from error
    return clean(_strict(data, "cp949", source))


def _strict(data: bytes, encoding: str, source: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(source, encoding.upper(), error) from error


def _is_damaged_utf8(data: bytes) -> bool:
    """CP949 reads almost anything, so Korean UTF-8 with a few broken bytes must be told apart first."""
    replaced = data.decode("utf-8", errors="replace")
    return len(_HANGUL.findall(replaced)) > replaced.count("\ufffd")


def _undecodable(source: str, encoding: str, error: UnicodeDecodeError) -> UnreadableDocument:
    return UnreadableDocument(f"{source}: not readable as {encoding} at byte {error.start}", hint=_HINT)
