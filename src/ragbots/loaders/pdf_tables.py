"""Ruled tables of a PDF page, their continuation on the next page, and frames around text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ragbots.loaders.grids import Cell, Grid, lay
from ragbots.loaders.pdf_lines import Box, Char, Line, inside, make_lines, with_limit

_SAME_EDGE = 3.0  # points
_PADDING = 4.0  # points between a cell's rule and its text, at most; what is more is alignment

JoinCell = Callable[[Sequence[Line]], str]


@dataclass(frozen=True, slots=True)
class RuledCell:
    """A cell with the printed lines in it and the rows and columns it covers."""

    lines: tuple[Line, ...]
    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class DrawnTable:
    """A table as it is drawn: its cells, where it stands, where its columns begin and end."""

    cells: tuple[RuledCell, ...]
    height: int  # rows
    edges: tuple[float, ...]
    top: float
    page: int

    @property
    def lines(self) -> list[Line]:
        return [line for cell in self.cells for line in cell.lines]


@dataclass(frozen=True, slots=True)
class RuledTable:
    """A table as it is read: the texts of its cells, merged ones filled."""

    grid: Grid
    edges: tuple[float, ...]
    top: float
    page: int


@dataclass(frozen=True, slots=True)
class Regions:
    """A page's tables, its framed lines, and the characters that are in neither."""

    tables: tuple[DrawnTable, ...]
    framed: tuple[Line, ...]
    rest: tuple[Char, ...]


def find_regions(page: Any, chars: Sequence[Char], number: int) -> Regions:
    """Takes the characters of ruled tables out of a page. One column alone is a frame around text."""
    tables: list[DrawnTable] = []
    framed: list[Line] = []
    rest = list(chars)
    for found in page.find_tables() if page.lines or page.rects or page.curves else ():
        boxes: list[Box] = found.cells
        columns, rows = _edges([x for box in boxes for x in box[::2]]), _edges([y for box in boxes for y in box[1::2]])
        taken = {box: [char for char in rest if inside(char, box)] for box in boxes}
        if not any(taken.values()):
            continue
        used = {id(char) for content in taken.values() for char in content}
        rest = [char for char in rest if id(char) not in used]
        if len(columns) <= 2:
            framed += [line for box in boxes for line in _cell_lines(taken[box], box, number)]
            continue
        cells = [_cell(box, columns, rows, _cell_lines(taken[box], box, number)) for box in boxes]
        tables.append(DrawnTable(tuple(cells), len(rows) - 1, tuple(columns), found.bbox[1], number))
    return Regions(tuple(tables), tuple(framed), tuple(rest))


def read_table(drawn: DrawnTable, join: JoinCell) -> RuledTable:
    """The table with the lines of each cell joined."""
    placed = [(cell.row, cell.column, Cell(join(cell.lines), cell.rows, cell.columns)) for cell in drawn.cells]
    return RuledTable(lay(placed, drawn.height), drawn.edges, drawn.top, drawn.page)


def continues(before: RuledTable, after: RuledTable) -> bool:
    """Whether a table at the top of a page has the columns of the one at the foot of the page before."""
    same_number = len(before.edges) == len(after.edges)
    return same_number and all(
        abs(one - other) <= _SAME_EDGE for one, other in zip(before.edges, after.edges, strict=True)
    )


def joined(before: RuledTable, after: RuledTable) -> tuple[RuledTable, tuple[tuple[str, ...], ...]]:
    """Both as one table, and the heading rows that were repeated and left out."""
    count = before.grid.header_rows
    headings = before.grid.rows[:count]
    repeated = after.grid.rows[:count] if after.grid.rows[:count] == headings else ()
    rows = after.grid.rows[len(repeated) :]
    grid = Grid(before.grid.rows + _category_filled(before.grid.rows[-1], rows), count)
    return replace(before, grid=grid, page=before.page), repeated


def _category_filled(last: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """A category cell that runs over the page break is empty on the next page: it keeps its text."""
    if not rows or rows[0][0] or not any(rows[0]):
        return rows
    end = next((n for n, row in enumerate(rows) if row[0]), len(rows))
    return tuple((last[0], *row[1:]) if n < end else row for n, row in enumerate(rows))


def _edges(values: Sequence[float]) -> list[float]:
    """The distinct positions of rules; those that nearly coincide are one."""
    edges: list[float] = []
    for value in sorted(values):
        if not edges or value - edges[-1] > _SAME_EDGE:
            edges.append(value)
    return edges


def _cell(box: Box, columns: Sequence[float], rows: Sequence[float], lines: Sequence[Line]) -> RuledCell:
    left, top, right, bottom = _at(columns, box[0]), _at(rows, box[1]), _at(columns, box[2]), _at(rows, box[3])
    return RuledCell(tuple(lines), top, left, max(bottom - top, 1), max(right - left, 1))


def _at(edges: Sequence[float], value: float) -> int:
    return min(range(len(edges)), key=lambda n: abs(edges[n] - value))


def _cell_lines(chars: Sequence[Char], box: Box, page: int) -> list[Line]:
    """The lines of a cell. Wrapping is judged by width, so that centred cells are judged like others."""
    lines = make_lines(chars, page)
    padding = min([_PADDING, *(line.x0 - box[0] for line in lines)])
    width = box[2] - box[0] - 2 * padding
    return [with_limit(line, line.x0 + width, frame=round(box[0] + 10_000 * box[1])) for line in lines]
