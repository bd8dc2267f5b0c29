"""What every loader needs to make a Document: elements, dates, titles, the id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

from ragbots.errors import UnreadableDocument
from ragbots.text import clean, digest, one_line
from ragbots.types import Document, Element, ElementKind, Omission, OmissionKind, count_characters

_ID_LENGTH = 16
_TITLE_LENGTH = 60
_LONGEST_TITLE = 300  # every chunk says it
_PREFACE_LENGTH = 15  # elements in which a line with the date in force is looked for

_DATE = r"(\d{4})\s*(?:[.\-/]|년)\s*(\d{1,2})\s*(?:[.\-/]|월)\s*(\d{1,2})\s*[.일]?"
_DATE_ONLY = re.compile(_DATE)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_IN_FORCE = re.compile(rf"(?:^|[\[(<【\s])시행(?:일자|일)?\s*[:：]?\s*{_DATE}")
_RULE_START = re.compile(r"제\s*\d+\s*[편장절관조](?![가-힣])|부칙|별표|별지|[①-⑳]|\[|시행")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a loader read of a file, before it is a Document."""

    elements: Sequence[Element]
    title: str = ""
    link: str | None = None
    effective: date | None = None
    pages: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    omissions: Sequence[Omission] = ()
    footnotes: int = 0


def document(source: str, data: bytes, reading: Reading) -> Document:
    """The Document of a reading. Raises UnreadableDocument where there is no text at all."""
    source = clean(source)
    made = Document(
        id=document_id(source),
        source=source,
        title=excerpt(reading.title, _LONGEST_TITLE)
        or first_line_title(reading.elements)
        or PurePosixPath(source).stem,
        digest=digest(data),
        elements=tuple(reading.elements),
        link=reading.link,
        effective=reading.effective or effective_in_preface(reading.elements),
        pages=reading.pages,
        metadata=dict(reading.metadata),
        omissions=tuple(reading.omissions),
        footnotes=reading.footnotes,
    )
    if made.characters == 0:
        raise UnreadableDocument(
            f"{source}: there is no text in this file",
            hint="add the text, or remove the file from the source folder",
        )
    return made


def document_id(source: str) -> str:
    """The same id for the same path, whatever the file system's Unicode form."""
    return digest(clean(source))[:_ID_LENGTH]


def text(line: str, page: int | None = None) -> Element:
    return Element(ElementKind.TEXT, clean(line).rstrip(), page=page)


def heading(line: str, level: int, page: int | None = None) -> Element:
    return Element(ElementKind.HEADING, one_line(clean(line)), level=min(level, 6), page=page)


def table(rows: Iterable[Sequence[str]], header_rows: int = 1, page: int | None = None) -> Element:
    """A table with every row as wide as the widest."""
    cells = [tuple(one_line(clean(cell)) for cell in row) for row in rows]
    width = max((len(row) for row in cells), default=0)
    padded = tuple(row + ("",) * (width - len(row)) for row in cells)
    return Element(ElementKind.TABLE, "", rows=padded, header_rows=min(header_rows, len(padded)), page=page)


def picture(name: str = "", page: int | None = None) -> Element:
    """A picture in the text, by its description or name."""
    return Element(ElementKind.PICTURE, one_line(clean(name)), page=page)


def omission(
    what: str,
    where: str,
    left_out: str,
    why: str,
    *,
    kind: OmissionKind = OmissionKind.OTHER,
    expected: bool = False,
) -> Omission:
    """An omission that counts the characters of `left_out`."""
    return Omission(what, where, count_characters(left_out), why, kind, expected)


def picture_omission(name: str, where: str, *, characters: int = 0) -> Omission:
    """What stands in a picture is not read; `characters` counts a description that is left out with it."""
    what = f"picture: {excerpt(name) or 'without a name'}"
    return Omission(what, where, characters, "text in pictures is not read", OmissionKind.PICTURE)


def excerpt(words: str, length: int = 40) -> str:
    """The beginning of a text, for naming it in an omission."""
    line = one_line(clean(words))
    return line if len(line) <= length else line[: length - 1] + "…"


def parse_date(value: str) -> date | None:
    """`2026-01-01`, `2026. 1. 1.`, `2026년 1월 1일`, `20260101`; None for anything else."""
    stripped = value.strip()
    match = _DATE_ONLY.fullmatch(stripped) or _COMPACT_DATE.fullmatch(stripped)
    return _date(match) if match else None


def effective_in_preface(elements: Sequence[Element]) -> date | None:
    """The date of a line such as `[시행 2026. 1. 1.]` near the beginning."""
    for element in elements[:_PREFACE_LENGTH]:
        match = _IN_FORCE.search(element.text)
        if match and len(element.text) <= 2 * _TITLE_LENGTH:
            return _date(match)
    return None


def first_line_title(elements: Sequence[Element]) -> str:
    """The first line where it reads like a title: short, no sentence, not part of a rule."""
    first = next((one_line(element.text) for element in elements if element.text.strip()), "")
    reads_like_title = len(first) <= _TITLE_LENGTH and not first.endswith(".") and not _RULE_START.match(first)
    return first if reads_like_title else ""


def _date(match: re.Match[str]) -> date | None:
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
