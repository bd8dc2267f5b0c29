"""Tables with merged cells: every place that a cell covers gets the cell's text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text and how many rows and columns it covers."""

    text: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of texts, merged cells filled; `header_rows` is 1, or what a merged heading covers."""

    rows: tuple[tuple[str, ...], ...]
    header_rows: int

    @property
    def columns(self) -> int:
        return len(self.rows[0]) if self.rows else 0


def fill(rows: Sequence[Sequence[Cell]], declared_header_rows: int = 0) -> Grid:
    """Lays the cells out as HTML does: each takes the next free place of its row."""
    places: dict[tuple[int, int], str] = {}
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while (number, column) in places:
                column += 1
            _cover(places, cell, number, column, len(rows))
            column += cell.columns
    width = max((column for _, column in places), default=-1) + 1
    laid = tuple(tuple(places.get((n, column), "") for column in range(width)) for n in range(len(rows)))
    return Grid(laid, min(len(laid), declared_header_rows or _heading_extent(rows)))


def _cover(places: dict[tuple[int, int], str], cell: Cell, row: int, column: int, height: int) -> None:
    for down in range(row, min(row + cell.rows, height)):
        for across in range(column, column + cell.columns):
            places.setdefault((down, across), cell.text)


def _heading_extent(rows: Sequence[Sequence[Cell]]) -> int:
    """A heading cell merged downwards says how deep the column headings are; a whole table is not one."""
    deepest = max((cell.rows for cell in (rows[0] if rows else ())), default=1)
    return deepest if deepest < len(rows) else 1


def lines_of_frame(rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of one column is a frame around text: its lines."""
    return [line for row in rows for cell in row[:1] for line in cell.split("\n") if line.strip()]
