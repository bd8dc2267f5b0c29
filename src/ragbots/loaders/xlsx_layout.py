"""The cells of a sheet to what they are for a reader: lines of text, and tables with their headings.

People lay out regulations on sheets: a title merged across, `(단위: 원)` at the right, a table with
rules around its cells, notes below it, and the next annex after a blank row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragbots.loaders.assembly import table, text
from ragbots.loaders.grids import Cell, lay
from ragbots.types import Element

Place = tuple[int, int]  # row and column, from 1

# A row of one cell that begins so is a line of the rule even where cells of a table stand above and below.
_LINE_START = re.compile(r"제\s*\d+\s*[편장절관조]|[①-⑳]|부\s*칙|\[?\s*별[표지]|\[|[※*]|비\s*고\s*[:：]?|[(<]\s*단위")
_DEEPEST_HEADING = 4  # rows; more bold rows than that are no column headings


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A cell with text: how many rows and columns it covers, and how it looks."""

    text: str
    rows: int = 1
    columns: int = 1
    is_number: bool = False
    stands_out: bool = False  # bold, or on a coloured ground


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """The visible cells of a sheet that hold text, and the places that have a rule around them."""

    cells: Mapping[Place, SheetCell]
    ruled: frozenset[Place]


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: tuple[tuple[int, SheetCell], ...]  # with their columns
    covered: frozenset[int]  # columns that cells reaching down from above take
    ruled: frozenset[int]

    @property
    def is_single(self) -> bool:
        """One text, and no empty ruled cell of a table beside it."""
        if len(self.cells) != 1 or self.covered:
            return False
        column, cell = self.cells[0]
        return not self.ruled - set(range(column, column + cell.columns))

    @property
    def begins_a_line(self) -> bool:
        return self.is_single and bool(_LINE_START.match(self.cells[0][1].text.strip()))


def elements_of(layout: SheetLayout) -> list[tuple[int, Element]]:
    """The elements from top to bottom, each with the row where it begins."""
    found: list[tuple[int, Element]] = []
    for block in _blocks(_rows(layout)):
        found += _block_elements(block)
    return found


def _rows(layout: SheetLayout) -> list[_Row]:
    by_row: dict[int, list[tuple[int, SheetCell]]] = {}
    covered: dict[int, set[int]] = {}
    for (row, column), cell in sorted(layout.cells.items()):
        by_row.setdefault(row, []).append((column, cell))
        for below in range(row + 1, row + cell.rows):
            covered.setdefault(below, set()).update(range(column, column + cell.columns))
    ruled: dict[int, set[int]] = {}
    for row, column in layout.ruled:
        ruled.setdefault(row, set()).add(column)
    numbers = sorted({*by_row, *covered})
    return [_Row(n, tuple(by_row.get(n, ())), *(frozenset(d.get(n, ())) for d in (covered, ruled))) for n in numbers]


def _blocks(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows without a blank row between them."""
    for _, group in groupby(enumerate(rows), key=lambda pair: pair[1].number - pair[0]):
        yield [row for _, row in group]


def _block_elements(block: Sequence[_Row]) -> Iterator[tuple[int, Element]]:
    """Lines where a row is one text at the block's ends or begins like a rule; tables of what is between."""
    parts = _parted(block)
    for is_table, part in parts:
        if is_table and len(part) > 1:
            yield part[0].number, _table(part)
        else:
            for row in part:
                for _, cell in row.cells:
                    yield from ((row.number, text(line)) for line in cell.text.split("\n") if line.strip())


def _parted(block: Sequence[_Row]) -> list[tuple[bool, list[_Row]]]:
    is_line = [row.begins_a_line or _is_unruled(row, block) for row in block]
    inner = [n for n, row in enumerate(block) if not row.is_single and not is_line[n]]
    first, last = (inner[0], inner[-1]) if inner else (len(block), -1)
    flags = [first <= n <= last and not is_line[n] for n in range(len(block))]
    return [(flag, [row for _, row in group]) for flag, group in groupby(zip(flags, block, strict=True), key=_flag)]


def _flag(pair: tuple[bool, _Row]) -> bool:
    return pair[0]


def _is_unruled(row: _Row, block: Sequence[_Row]) -> bool:
    """A row without any rule above or below a ruled table: a title and the unit at the right, say."""
    return not row.ruled and not row.covered and any(len(other.ruled) > 1 for other in block)


def _table(rows: Sequence[_Row]) -> Element:
    top = rows[0].number
    columns = sorted({c + n for row in rows for c, cell in row.cells for n in range(cell.columns) if cell.text.strip()})
    position = {column: n for n, column in enumerate(columns)}
    bottom = rows[-1].number + 1
    placed = []
    for row in rows:
        for column, cell in row.cells:
            width = sum(1 for n in range(cell.columns) if column + n in position)
            height = min(cell.rows, bottom - row.number)
            placed.append((row.number - top, position[column], Cell(cell.text, height, width)))
    grid = lay(placed, len(rows), _declared(rows))
    header_rows = 0 if _starts_with_numbers(rows[0]) or _labels_stand_left(rows) else grid.header_rows
    return table(grid.rows, header_rows)


def _declared(rows: Sequence[_Row]) -> int:
    """How many rows are column headings by their look or their merged cells; 0 = not said."""
    standing = next((n for n, row in enumerate(rows) if not _stands_out(row)), len(rows))
    if 0 < standing <= min(_DEEPEST_HEADING, len(rows) - 1):
        return max(standing, _merged_depth(rows))
    return _merged_depth(rows)


def _stands_out(row: _Row) -> bool:
    return all(cell.stands_out for _, cell in row.cells)


def _merged_depth(rows: Sequence[_Row]) -> int:
    """As deep as the first row's cells reach down; a heading merged across has its parts in the next row."""
    down = max((cell.rows for _, cell in rows[0].cells), default=1)
    parts = len(rows) > 2 and any(cell.columns > 1 and cell.rows == 1 for _, cell in rows[0].cells)
    no_numbers = len(rows) > 1 and not any(cell.is_number for _, cell in rows[1].cells)
    depth = max(down, 2 if parts and no_numbers else 1)
    return depth if 1 < depth < len(rows) else 0


def _labels_stand_left(rows: Sequence[_Row]) -> bool:
    """By their look the cells at the left are headings, each of its row, and no others are."""
    looks = [(column, cell.stands_out) for row in rows for column, cell in row.cells]
    left = min(column for column, _ in looks)
    return {(column == left, stands_out) for column, stands_out in looks} == {(True, True), (False, False)}


def _starts_with_numbers(row: _Row) -> bool:
    """A first row of plain numbers is no heading."""
    return any(cell.is_number and not cell.stands_out for _, cell in row.cells)
