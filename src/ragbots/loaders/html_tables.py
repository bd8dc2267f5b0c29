"""An HTML table: rows of cells, spans filled, and what stands around the cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html.parser import HTMLParser

from ragbots.loaders.grids import Cell, Grid, fill
from ragbots.loaders.inline import image_name, image_omission
from ragbots.types import Omission

_LINE_ENDS = frozenset({"p", "div", "li", "tr", "dd", "dt"})
_MAX_SPAN = 1000


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """`around` is text inside the table but outside its cells, such as a caption."""

    grid: Grid
    around: tuple[str, ...]
    omissions: tuple[Omission, ...]
    pictures: tuple[str, ...]  # names of the pictures in it


def read_table(markup: str, where: str) -> HtmlTable:
    """Reads one `<table>…</table>`; a table inside a cell becomes text of that cell."""
    parser = _Parser(where)
    parser.feed(markup)
    parser.close()
    around = tuple(line.strip() for line in "".join(parser.around).split("\n") if line.strip())
    grid = fill(parser.rows, parser.header_rows())
    if parser.labels_stand_left():
        grid = replace(grid, header_rows=0)
    return HtmlTable(grid, around, tuple(parser.omissions), tuple(parser.pictures))


class _Parser(HTMLParser):
    def __init__(self, where: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[Cell]] = []
        self.around: list[str] = []
        self.omissions: list[Omission] = []
        self.pictures: list[str] = []
        self._where = where
        self._depth = 0
        self._cell: list[str] | None = None
        self._spans = (1, 1)
        self._kinds: list[list[str]] = []  # per row: `th` and `td`, as its cells are marked

    def header_rows(self) -> int:
        """Rows from the top that hold heading cells only; 0 where there are none."""
        count = next((n for n, kinds in enumerate(self._kinds) if "td" in kinds), len(self._kinds))
        return count if count < len(self._kinds) else 0

    def labels_stand_left(self) -> bool:
        """Whether each row is marked as one heading and what belongs to it: no row is column headings then."""
        filled = [kinds for kinds in self._kinds if kinds]
        return bool(filled) and all(kinds[0] == "th" and "td" in kinds and "th" not in kinds[1:] for kinds in filled)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        elif tag == "img":
            self.omissions.append(image_omission(self.get_starttag_text() or "", self._where))
            self.pictures.append(image_name(self.get_starttag_text() or ""))
        elif tag == "br":
            self._say("\n")
        elif self._depth == 1 and tag == "tr":
            self._end_cell()
            self.rows.append([])
            self._kinds.append([])
        elif self._depth == 1 and tag in ("td", "th"):
            self._start_cell(tag, dict(attrs))
        elif tag in ("td", "th"):
            self._say(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._end_cell() if self._depth == 1 else None
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag in _LINE_ENDS or tag == "caption":
            self._say("\n")

    def handle_data(self, data: str) -> None:
        self._say(data.replace("\n", " "))

    def _say(self, words: str) -> None:
        (self.around if self._cell is None else self._cell).append(words)

    def _start_cell(self, tag: str, attributes: dict[str, str | None]) -> None:
        self._end_cell()
        if not self.rows:
            self.rows.append([])
            self._kinds.append([])
        self._cell = []
        self._spans = _span(attributes.get("rowspan")), _span(attributes.get("colspan"))
        self._kinds[-1].append(tag)

    def _end_cell(self) -> None:
        if self._cell is not None:
            self.rows[-1].append(Cell("".join(self._cell).strip(), *self._spans))
            self._cell = None


def _span(value: str | None) -> int:
    return min(max(int(value), 1), _MAX_SPAN) if value and value.strip().isdigit() else 1
