"""The page `/c/{id}`: a citation in its article, for whoever follows a link from elsewhere. Without a script."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.routing import APIRoute

from ragbots.api.desk import Asking, AtDesk, context_of
from ragbots.api.problems import problem_of
from ragbots.markup import templates
from ragbots.retrieval import Passage, PassageBlock, PassageLink
from ragbots.text import web_address

_FOLDER = Path(__file__).with_name("templates")
_TEMPLATES = templates(_FOLDER)
_TEMPLATES.tests["instance_of_table"] = lambda part: isinstance(part, Table)

Piece = tuple[str, bool]
"""Words, and whether they are marked."""


@dataclass(frozen=True, slots=True)
class Line:
    """A block that is no row; `kind` is the block's."""

    kind: str
    quoted: bool
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A column heading with how many rows and columns it spans."""

    pieces: tuple[Piece, ...]
    down: int
    across: int


@dataclass(frozen=True, slots=True)
class Row:
    quoted: bool
    cells: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that belong together."""

    head: tuple[tuple[HeadCell, ...], ...]
    rows: tuple[Row, ...]


class _Route(APIRoute):
    """Whatever goes wrong is told as a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - `problem_of` logs what is not known
                problem = problem_of(error)
                page = _TEMPLATES.get_template("problem.html.j2").render(problem=problem.document())
                return HTMLResponse(page, problem.status, dict(problem.headers))

        return handled


passage_page = APIRouter(route_class=_Route, include_in_schema=False)


@passage_page.get("/c/{citation_id}")
async def page(citation_id: str, request: Request, desk: AtDesk, principal: Asking) -> Response:
    passage = await desk.look_up(desk.runtime.passage, citation_id, context_of(request, desk, principal))
    return HTMLResponse(render(passage))


@passage_page.get("/passage.css")
async def style() -> Response:
    return FileResponse(_FOLDER / "passage.css", media_type="text/css")


def render(passage: Passage) -> str:
    """The page of a passage. Addresses on it are relative, so that it stands below any path."""
    return _TEMPLATES.get_template("passage.html.j2").render(
        passage=passage,
        original=web_address(passage.link),
        parts=arranged(passage.blocks),
        link_name=_link_name,
        path=lambda citation_id: quote(citation_id, safe="~"),
    )


def arranged(blocks: Sequence[PassageBlock]) -> list[Line | Table]:
    """The blocks of an article, rows that belong together as one table."""
    parts: list[Line | Table] = []
    at = 0
    while at < len(blocks):
        rows = _rows_from(blocks, at)
        parts.append(_table(rows) if rows else _line(blocks[at]))
        at += max(len(rows), 1)
    return parts


def _rows_from(blocks: Sequence[PassageBlock], start: int) -> Sequence[PassageBlock]:
    """The rows of one table: its headings (rows without cells) if it has any, and what has the same columns."""
    columns: list[str] | None = None
    end = start
    while end < len(blocks) and blocks[end].kind == "row":
        own = [column for column, _ in blocks[end].cells] or None
        if columns is not None and own != columns:
            break
        columns = own
        end += 1
    return blocks[start:end]


def _line(block: PassageBlock) -> Line:
    return Line(block.kind, block.quoted, _marked(block.text, 0, block.marks))


def _table(rows: Sequence[PassageBlock]) -> Table:
    heads = [row for row in rows if not row.cells]
    data = [row for row in rows if row.cells]
    columns = [column for column, _ in data[0].cells] if data else []
    grid = [line for row in heads for line in _head_lines(row)]
    if any(columns) and not (grid and all(len(line) == len(columns) for line in grid)):
        grid = [[((column, False),) for column in columns]]
    return Table(tuple(_head(grid)), tuple(_row(row) for row in data))


def _head_lines(row: PassageBlock) -> Iterator[list[tuple[Piece, ...]]]:
    """A heading's text holds its lines one below the other, the cells of a line parted by tabs."""
    start = 0
    for line in row.text.split("\n"):
        yield _cells(line, start, row.marks)
        start += len(line) + 1


def _row(row: PassageBlock) -> Row:
    """A row's text is its cells parted by tabs; where it is not, a quoted row is marked whole."""
    cells = _cells(row.text, 0, row.marks)
    if len(cells) != len(row.cells):
        cells = [((value, row.quoted),) for _, value in row.cells]
    return Row(row.quoted, tuple(cells))


def _cells(line: str, start: int, marks: Sequence[tuple[int, int]]) -> list[tuple[Piece, ...]]:
    cells = []
    for cell in line.split("\t"):
        cells.append(_marked(cell, start, marks))
        start += len(cell) + 1
    return cells


def _head(grid: Sequence[Sequence[tuple[Piece, ...]]]) -> Iterator[tuple[HeadCell, ...]]:
    """Heading rows in which equal neighbours are one cell again, as before merged cells were filled."""
    texts = [["".join(words for words, _ in cell) for cell in line] for line in grid]
    taken: set[tuple[int, int]] = set()
    for row, line in enumerate(grid):
        cells = []
        for column, pieces in enumerate(line):
            if (row, column) in taken:
                continue
            down, across = _extent(texts, row, column)
            taken |= {(r, c) for r in range(row, row + down) for c in range(column, column + across)}
            cells.append(HeadCell(pieces, down, across))
        yield tuple(cells)


def _extent(texts: Sequence[Sequence[str]], row: int, column: int) -> tuple[int, int]:
    """How many rows and columns of the heading say the same as this cell; wide only above other headings."""

    def text(at: int, beside: int) -> str | None:
        return texts[at][beside] if at < len(texts) and beside < len(texts[at]) else None

    same, down, across = text(row, column), 1, 1
    while same and text(row + down, column) == same:
        down += 1
    if down > 1 or not same or row + 1 == len(texts):
        return down, 1
    while text(row, column + across) == same and text(row + 1, column + across) != same:
        across += 1
    return 1, across


def _marked(text: str, start: int, marks: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """The text, which begins at `start` of what the marks count in, cut at their ends."""
    inside = [(max(first - start, 0), min(last - start, len(text))) for first, last in marks]
    held = [(first, last) for first, last in inside if first < last]
    ends = sorted({0, len(text), *(end for span in held for end in span)})
    return tuple((text[one:other], any(first <= one < last for first, last in held)) for one, other in pairwise(ends))


def _link_name(link: PassageLink) -> str:
    return f"{link.article}({link.heading})" if link.article and link.heading else link.article or link.heading
