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
    taken: set[tuple[int, int]] = set()
    placed: list[tuple[int, int, Cell]] = []
    for number, row in enumerate(rows):
        column = 0
        for cell in row:
            while (number, column) in taken:
                column += 1
            placed.append((number, column, cell))
            taken.update(
                (number + down, column + across) for down in range(cell.rows) for across in range(cell.columns)
            )
            column += cell.columns
    return lay(placed, len(rows), declared_header_rows)


def lay(placed: Iterable[tuple[int, int, Cell]], height: int, declared_header_rows: int = 0) -> Grid:
    """The grid of cells given with the row and column where each begins."""
    places: dict[tuple[int, int], str] = {}
    deepest = 1
    for row, column, cell in placed:
        deepest = max(deepest, cell.rows) if row == 0 else deepest
        for down in range(row, min(row + cell.rows, height)):
            for across in range(column, column + cell.columns):
                places.setdefault((down, across), cell.text)
    width = max((column for _, column in places), default=-1) + 1
    rows = tuple(tuple(places.get((row, column), "") for column in range(width)) for row in range(height))
    # A heading cell merged downwards says how deep the column headings are; a whole table is not one.
    header_rows = declared_header_rows or (deepest if deepest < height else 1)
    return Grid(rows, min(height, header_rows))


def lines_of_frame(rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of one column is a frame around text: its lines."""
    return [line for row in rows for cell in row[:1] for line in cell.split("\n") if line.strip()]
