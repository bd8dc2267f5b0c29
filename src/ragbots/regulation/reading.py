"""How a block reads: the words people see, search and quote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragbots.regulation.notes import strip_notes
from ragbots.regulation.tables import UNIT_LINE
from ragbots.text import one_line
from ragbots.types import Address, Block, BlockKind, Level

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


_GONE = re.compile(r"[(<\[]?\s*삭\s?제\s*[)>\]]?\.?")


def bare_annexes(blocks: Sequence[Block]) -> list[int]:
    """The numbers of the headings of 별표 and 별지 that have nothing to read below them, here or elsewhere.

    Amendment notes and a unit of measure are nothing to read. A repealed annex is not meant to have any.
    """
    headings: dict[Address, int] = {}
    filled: set[Address] = set()
    for number, block in enumerate(blocks):
        annex = block.address.up_to(Level.ANNEX, Level.FORM)
        if not annex:
            continue
        if block.kind is BlockKind.ARTICLE:
            headings.setdefault(annex, number)
            if _GONE.fullmatch(strip_notes(block.heading)):
                filled.add(annex)
        elif block.kind is not BlockKind.NOTE and not UNIT_LINE.fullmatch(block.text):
            filled.add(annex)
    return [number for annex, number in headings.items() if annex not in filled]
