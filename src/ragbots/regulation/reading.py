"""How a block reads: the words people see, search and quote."""

from __future__ import annotations

from ragbots.regulation.notes import strip_notes
from ragbots.text import one_line
from ragbots.types import Block

CELL_JOINT = " | "


def readable(block: Block) -> str:
    """One line without notes; a table row as `column: value | column: value`."""
    if block.cells:
        return CELL_JOINT.join(cell_texts(block))
    return one_line(strip_notes(block.text))


def cell_texts(block: Block) -> list[str]:
    """The filled cells of a row, each with its column's heading."""
    cells = [(one_line(column), one_line(strip_notes(value))) for column, value in block.cells]
    return [f"{column}: {value}" if column else value for column, value in cells if value]
