"""Running headers, footers and page numbers: lines that stand at the same place on page after page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from ragbots.loaders.assembly import excerpt
from ragbots.loaders.pdf_lines import Line
from ragbots.types import Omission, count_characters

_OUTERMOST = 2  # lines looked at from the top and from the foot of a page
_SAME_PLACE = 2.0  # points
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"[-–—\[(<\s]*(?:page|p\.)?\s*(\d{1,4})\s*(?:(?:/|of)\s*\d{1,4})?\s*(?:쪽|면|페이지)?[-–—\])>\s]*", re.I
)
_MARGIN = 0.12  # of the page's height: a lone page number stands in it

Pages = Sequence[Sequence[Line]]


def find_running(pages: Pages, heights: Sequence[float]) -> tuple[frozenset[Line], list[Omission]]:
    """The lines to leave out, and an omission for each text among them.

    A line runs when it stands at the same height among the outermost lines of three pages (of two,
    where there are no more than three), with the same words, or with one number that counts the pages.
    """
    groups: dict[tuple[bool, str, int], list[Line]] = defaultdict(list)
    for lines in pages:
        for is_top, line in _outermost(lines):
            groups[is_top, _DIGITS.sub("#", line.text), round(line.top / _SAME_PLACE)].append(line)
    needed = 2 if len(pages) <= 3 else 3
    running = [group for group in groups.values() if len({line.page for line in group}) >= needed and _runs(group)]
    found = {line for group in running for line in group}
    lone = [line for lines in pages for line in _page_numbers(lines, heights) if line not in found]
    return frozenset([*found, *lone]), [_omission(group) for group in (*running, *([lone] if lone else []))]


def _outermost(lines: Sequence[Line]) -> list[tuple[bool, Line]]:
    """The first and the last lines of a page, each once; True = from the top."""
    top = list(lines[:_OUTERMOST])
    foot = [line for line in lines[-_OUTERMOST:] if line not in top]
    return [*((True, line) for line in top), *((False, line) for line in foot)]


def _runs(group: Sequence[Line]) -> bool:
    """The same words on each page, or a number that grows as the pages do."""
    if len({line.text for line in group}) == 1:
        return True
    numbers = [[int(number) for number in _DIGITS.findall(line.text)] for line in group]
    varying = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
    return all(len({number - line.page for number, line in zip(column, group, strict=True)}) == 1 for column in varying)


def _page_numbers(lines: Sequence[Line], heights: Sequence[float]) -> list[Line]:
    """A line in a page's margin that says no more than that page's number."""
    edge = [line for line in (*lines[:1], *lines[-1:]) if _in_margin(line, heights[line.page - 1])]
    numbers = ((line, _PAGE_NUMBER.fullmatch(line.text)) for line in edge)
    return [line for line, match in numbers if match and int(match[1]) == line.page]


def _in_margin(line: Line, height: float) -> bool:
    return line.bottom < _MARGIN * height or line.top > (1 - _MARGIN) * height


def _omission(group: Sequence[Line]) -> Omission:
    pages = sorted({line.page for line in group})
    where = f"page {pages[0]}" if len(pages) == 1 else f"pages {pages[0]}–{pages[-1]} ({len(pages)})"
    characters = sum(count_characters(line.text) for line in group)
    return Omission(f"running line: {excerpt(group[0].text)}", where, characters, "repeated on pages or a page number")
