"""Ruled tables of a PDF page, their continuation on the next page, and frames around text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ragbots.loaders.grids import Cell, Grid, lay
from ragbots.loaders.pdf_lines import Box, Char, Line, inside, make_lines, with_limit

_SAME_EDGE = 3.0  # points
_PADDING = 4.0  # points between a cell's rule and its text, at most; what is more is alignment

_FIGURE = re.compile(r"[-△▲\d,.\s]*\d(?:억|백만|천|만)?(?:원|%|명|일|회)?")
_SENTENCE_WIDTH = 8  # type sizes: in a narrower cell a label fills its line by itself

Row = tuple[str, ...]
CellLines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Joining:
    """How lines of a document are joined: those of a `cell` to its text; whether a line is `full` before the next."""

    cell: Callable[[Sequence[Line]], str]
    full: Callable[[Line, Line], bool]


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
    """A table as it is read: the texts of its cells, merged ones filled, and the printed lines of each."""

    grid: Grid
    lines: tuple[tuple[CellLines, ...], ...]
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


def read_table(drawn: DrawnTable, joining: Joining) -> RuledTable:
    """The table with the lines of each cell joined."""
    placed = [(cell.row, cell.column, Cell(joining.cell(cell.lines), cell.rows, cell.columns)) for cell in drawn.cells]
    grid = lay(placed, drawn.height)
    at = {
        (row, column): cell.lines
        for cell in reversed(drawn.cells)
        for row in range(cell.row, cell.row + cell.rows)
        for column in range(cell.column, cell.column + cell.columns)
    }
    lines = tuple(tuple(at.get((row, column), ()) for column in range(grid.columns)) for row in range(len(grid.rows)))
    return RuledTable(grid, lines, drawn.edges, drawn.top, drawn.page)


def continues(before: RuledTable, after: RuledTable) -> bool:
    """Whether a table at the top of a page has the columns of the one at the foot of the page before."""
    same_number = len(before.edges) == len(after.edges)
    return same_number and all(
        abs(one - other) <= _SAME_EDGE for one, other in zip(before.edges, after.edges, strict=True)
    )


def joined(before: RuledTable, after: RuledTable, joining: Joining) -> tuple[RuledTable, tuple[Row, ...]]:
    """Both as one table, and the heading rows that were repeated and left out.

    A row that was cut inside its cells is one row again.
    """
    count = before.grid.header_rows
    headings = before.grid.rows[:count]
    repeated = after.grid.rows[:count] if after.grid.rows[:count] == headings else ()
    rows, lines = after.grid.rows[len(repeated) :], after.lines[len(repeated) :]
    top, top_lines = before.grid.rows, before.lines
    if rows and len(top) > count and _is_cut(before, rows[0], lines[0], joining):
        whole = tuple((*above, *below) for above, below in zip(top_lines[-1], lines[0], strict=True))
        texts = (joining.cell(one) if below else text for one, below, text in zip(whole, rows[0], top[-1], strict=True))
        top, top_lines, rows, lines = (*top[:-1], tuple(texts)), (*top_lines[:-1], whole), rows[1:], lines[1:]
    grid = Grid(top + _labels_filled(top[-1], rows), count)
    return replace(before, grid=grid, lines=top_lines + lines), repeated


def _is_cut(before: RuledTable, row: Row, lines: Sequence[CellLines], joining: Joining) -> bool:
    """Whether the first row of a page is the rest of the last one of the page before.

    It is where some of its cells are empty below filled ones and each of the others goes on from a full
    line; a figure below a figure, or labels alone, do not go on.
    """
    last = before.grid.rows[-1]
    filled = [column for column, text in enumerate(row) if text]
    if not filled or not any(last[column] and not row[column] for column in range(len(row))):
        return False
    if any(_FIGURE.fullmatch(row[column]) or not last[column] for column in filled):
        return False
    ends = [(before.lines[-1][column][-1], lines[column][0]) for column in filled]
    widths = (before.edges[column + 1] - before.edges[column] for column in filled)
    has_sentence = any(width >= _SENTENCE_WIDTH * line.size for width, (line, _) in zip(widths, ends, strict=True))
    return has_sentence and all(joining.full(line, following) for line, following in ends)


def _labels_filled(last: Row, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Merged label cells that run over the page break are empty on the next page: they keep their text.

    Labels are the empty columns at the left of the first row; an amount is none.
    """
    made = rows
    for column in range(next((n for n, cell in enumerate(rows[0]) if cell), 0) if rows else 0):
        if _FIGURE.fullmatch(last[column]):
            break
        end = next((n for n, row in enumerate(rows) if any(row[: column + 1])), len(rows))
        made = tuple(
            (*row[:column], last[column], *row[column + 1 :]) if n < end else row for n, row in enumerate(made)
        )
    return made


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
