"""What the readers of HWP and HWPX say of a document besides its text: one form for both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ragbots.loaders.hwp_numbering import Lists


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn thing anchored in a paragraph: `name` for what is not read, `lettering` for drawn letters (글맵시)."""

    name: str = ""
    lettering: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A paragraph as the file has it: its shape, its own text, and what is anchored in it."""

    shape: int
    text: str
    drawn: tuple[Drawn, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionLayout:
    """A section's paragraphs in reading order, those of cells, boxes and notes included.

    `outline_id` is the list that numbers its outline, `header_rows` how many rows of each table are
    marked as headings (0 = none), `background` the text on its master pages (바탕쪽).
    """

    outline_id: int
    paragraphs: tuple[Anchor, ...]
    header_rows: tuple[int, ...] = ()
    background: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """`tracked`: the file holds tracked changes."""

    lists: Lists
    sections: tuple[SectionLayout, ...]
    tracked: bool = False


@dataclass(slots=True)
class OpenParagraph:
    """A paragraph while it is being read."""

    shape: int
    text: str = ""
    drawn: list[Drawn] = field(default_factory=list)

    def closed(self) -> Anchor:
        return Anchor(self.shape, self.text, tuple(self.drawn))


def heading_rows(cells: Iterable[tuple[int, bool]]) -> int:
    """How many rows from the top hold nothing but cells marked as headings; 0 where all do.

    `cells` gives the row in which each cell begins and whether it is marked.
    """
    marked: dict[int, bool] = {}
    for row, is_heading in cells:
        marked[row] = marked.get(row, True) and is_heading
    last = max(marked, default=-1)
    count = next((row for row in range(last + 1) if not marked.get(row, True)), last + 1)
    return count if count <= last else 0
