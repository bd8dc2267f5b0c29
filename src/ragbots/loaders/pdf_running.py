"""Running headers, footers and page numbers: lines that stand at the same place on page after page."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ragbots.loaders.assembly import excerpt
from ragbots.loaders.pdf_lines import Line
from ragbots.types import Omission, count_characters

_OUTERMOST = 2  # lines looked at from the top and from the foot of a page
_SAME_PLACE = 2.0  # points
_SET_APART = 2.0  # of the type size, from its top to that of the next line
_OTHER_SIZE = 0.08  # of the type size
_MARGIN = 0.12  # of the page's height: a line that runs on one page only stands in it
_DIGITS = re.compile(r"\d+")
_COUNT = re.compile(r"(?<!제)(?<![\d제] )(?<!\d)\d+(?=\s*(?:쪽|면|페이지|$|[^\s\d가-힣.,]))")
_PAGE_NUMBER = re.compile(
    r"[-–—\[(<\s]*(?:page|p\.)?\s*(\d{1,4})\s*(?:(?:/|of)\s*\d{1,4})?\s*(?:쪽|면|페이지)?[-–—\])>\s]*", re.IGNORECASE
)

Pages = Sequence[Sequence[Line]]


def find_running(pages: Pages, heights: Sequence[float]) -> tuple[frozenset[Line], list[Omission]]:
    """The lines to leave out, and an omission for each text among them.

    A line runs when it stands at the same height among the outermost lines of three pages (of two,
    where there are no more than three), set apart from the text, with the same words or with one
    number that counts the pages. On a single page it runs when it stands in the margin and is the
    page's number or repeats another line.
    """
    groups: dict[tuple[bool, str, int], list[Line]] = defaultdict(list)
    for lines in pages:
        for is_top, line in _outermost(lines):
            groups[is_top, _DIGITS.sub("#", line.text), round(line.top / _SAME_PLACE)].append(line)
    needed = 2 if len(pages) <= 3 else 3
    candidates = [group for group in groups.values() if len({line.page for line in group}) >= needed and _runs(group)]
    apart = _set_apart(pages, frozenset(line for group in candidates for line in group))
    running = [kept for group in candidates if (kept := [line for line in group if line in apart])]
    found = {line for group in running for line in group}
    words = Counter(line.text for lines in pages for line in lines)
    lone = [line for lines in pages for line in _runs_alone(lines, heights, words) if line not in found]
    return frozenset([*found, *lone]), [_omission(group) for group in (*running, *([lone] if lone else []))]


def _outermost(lines: Sequence[Line]) -> list[tuple[bool, Line]]:
    """The first and the last lines of a page, each once; True = from the top."""
    top = list(lines[:_OUTERMOST])
    foot = [line for line in lines[-_OUTERMOST:] if line not in top]
    return [*((True, line) for line in top), *((False, line) for line in foot)]


def _runs(group: Sequence[Line]) -> bool:
    """The same words on each page, or a number, such as page numbers are, that grows as the pages do."""
    if len({line.text for line in group}) == 1:
        return True
    numbers = [[int(number) for number in _DIGITS.findall(line.text)] for line in group]
    varying = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
    counts = all(_COUNT.search(line.text) for line in group)
    return counts and all(
        len({number - line.page for number, line in zip(column, group, strict=True)}) == 1 for column in varying
    )


def _set_apart(pages: Pages, candidates: frozenset[Line]) -> frozenset[Line]:
    """The candidates that the text does not go on from: a wide gap, another size, or a running line between."""
    apart: set[Line] = set()
    for lines in pages:
        for order in (lines, lines[::-1]):
            inner = [None, *order[_OUTERMOST::-1]] if len(order) <= _OUTERMOST else order[_OUTERMOST::-1]
            for next_line, line in pairwise(inner):
                if line in candidates and (next_line is None or next_line in apart or _differ(line, next_line)):
                    apart.add(line)
    return frozenset(apart)


def _differ(line: Line, other: Line) -> bool:
    wide = abs(line.top - other.top) > _SET_APART * max(line.size, other.size)
    return wide or abs(line.size - other.size) > _OTHER_SIZE * line.size


def _runs_alone(lines: Sequence[Line], heights: Sequence[float], words: Mapping[str, int]) -> list[Line]:
    """Lines in a page's margin that say its number, or what another line says."""
    edge = [line for line in (*lines[:1], *lines[-1:]) if _in_margin(line, heights[line.page - 1])]
    numbers = ((line, _PAGE_NUMBER.fullmatch(line.text)) for line in edge if len(lines) > 1)
    return [line for line, match in numbers if (match and int(match[1]) == line.page) or _repeats(line, lines, words)]


def _repeats(line: Line, lines: Sequence[Line], words: Mapping[str, int]) -> bool:
    """Whether a line in the margin of the first page says the title below it once more."""
    return words[line.text] > 1 and any(other.text == line.text and other.size > line.size for other in lines)


def _in_margin(line: Line, height: float) -> bool:
    return line.bottom < _MARGIN * height or line.top > (1 - _MARGIN) * height


def _omission(group: Sequence[Line]) -> Omission:
    pages = sorted({line.page for line in group})
    where = f"page {pages[0]}" if len(pages) == 1 else f"pages {pages[0]}–{pages[-1]} ({len(pages)})"
    characters = sum(count_characters(line.text) for line in group)
    return Omission(
        f"running line: {excerpt(group[0].text)}",
        where,
        characters,
        "repeated on pages or a page number",
        expected=True,
    )
