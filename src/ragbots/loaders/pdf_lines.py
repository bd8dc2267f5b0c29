"""Characters of a PDF page to lines: where each stands, how wide, how set.

Coordinates are PDF points from the top left corner.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Char = dict[str, Any]  # pdfplumber's: text, x0, x1, top, bottom, size, fontname, upright
Box = tuple[float, float, float, float]  # x0, top, x1, bottom

_SAME_LINE = 0.4  # of the type size, between the middles of characters
_WORD_GAP = 0.25  # of the type size: a gap that wide is a space though none is drawn
_OVERPRINT = 0.8  # points: the same character drawn again for boldness
_BOLD = re.compile(r"bold|black|heavy|(?<![a-z])(?:eb|b)$", re.IGNORECASE)
_UNIT = re.compile(r"[가-힣]?[^\s가-힣]*")
# Fonts make PDF readers say "radical" or "ligature" where the author wrote the character or the letters.
_LOOKALIKE = re.compile(r"[\u2e80-\u2fd5\ufb00-\ufb06]")
_UNMAPPED = re.compile(r"\(cid:\d+\)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is printed. `limit` is the right edge at which its column wraps; `frame` tells
    columns on a page apart (0 = the page itself)."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool
    page: int
    ends_with_space: bool
    first_word: float  # width of the first word
    first_unit: float  # width of what cannot be broken at its beginning: a syllable, a number
    limit: float = 0.0
    frame: int = 0

    @property
    def room(self) -> float:
        """Width left between the line's end and the edge of its column."""
        return self.limit - self.x1


def is_unmapped(char: Char) -> bool:
    """Whether the PDF does not say which character this glyph is."""
    return bool(_UNMAPPED.fullmatch(char["text"])) or char["text"] == "\ufffd"


def inside(char: Char, box: Box) -> bool:
    """Whether the middle of a character lies in a box."""
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def make_lines(chars: Iterable[Char], page: int) -> list[Line]:
    """Lines from top to bottom; characters of a line from left to right, spaces filled in."""
    lines = (_line(row, page) for row in _rows(chars))
    return [line for line in lines if line is not None]


def with_limit(line: Line, limit: float, frame: int = 0) -> Line:
    return replace(line, limit=limit, frame=frame)


def _rows(chars: Iterable[Char]) -> list[list[Char]]:
    rows: list[list[Char]] = []
    middle = float("-inf")
    for char in sorted(chars, key=lambda char: (char["top"] + char["bottom"], char["x0"])):
        own = (char["top"] + char["bottom"]) / 2
        if own - middle > _SAME_LINE * char["size"]:
            rows.append([])
        rows[-1].append(char)
        middle = own
    return rows


def _line(row: list[Char], page: int) -> Line | None:
    chars = _once(sorted(row, key=lambda char: char["x0"]))
    seen = [char for char in chars if not char["text"].isspace()]
    if not seen:
        return None
    words = _spaced(chars)
    first_word = words.split(maxsplit=1)[0]
    unit = _UNIT.match(first_word)
    return Line(
        text=words.strip(),
        x0=seen[0]["x0"],
        x1=seen[-1]["x1"],
        top=min(char["top"] for char in seen),
        bottom=max(char["bottom"] for char in seen),
        size=_usual([char["size"] for char in seen]),
        bold=all(_BOLD.search(char["fontname"]) for char in seen),
        page=page,
        ends_with_space=words[-1:].isspace(),
        first_word=_width(seen, len(first_word)),
        first_unit=_width(seen, len(unit[0]) if unit else 1),
    )


def _once(chars: list[Char]) -> list[Char]:
    kept: list[Char] = []
    for char in chars:
        again = kept and char["text"] == kept[-1]["text"] and char["x0"] - kept[-1]["x0"] < _OVERPRINT
        if not again or char["text"].isspace():
            kept.append(char)
    return kept


def _spaced(chars: Sequence[Char]) -> str:
    parts: list[str] = []
    end = None
    for char in chars:
        if end is not None and char["x0"] - end > _WORD_GAP * char["size"]:
            parts.append(" ")
        parts.append(char["text"])
        end = char["x1"]
    return _LOOKALIKE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), "".join(parts))


def _width(seen: Sequence[Char], count: int) -> float:
    """The width of the first `count` characters of text; a ligature counts as its letters."""
    letters = 0
    for char in seen:
        letters += len(char["text"])
        if letters >= count:
            return float(char["x1"] - seen[0]["x0"])
    return float(seen[-1]["x1"] - seen[0]["x0"])


def _usual(sizes: Sequence[float]) -> float:
    rounded = [round(size, 1) for size in sizes]
    return max(set(rounded), key=lambda size: (rounded.count(size), size))
