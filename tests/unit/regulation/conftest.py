"""Documents made of source lines, without a loader."""

from collections.abc import Callable

import pytest

from ragbots.regulation import parse
from ragbots.types import Document, Element, ElementKind, Regulation

Reads = Callable[..., Regulation]


def element(line: str | Element) -> Element:
    """`## x` is a heading; anything else a line of text."""
    if isinstance(line, Element):
        return line
    hashes = len(line) - len(line.lstrip("#"))
    if hashes:
        return Element(ElementKind.HEADING, line[hashes:].strip(), level=hashes)
    return Element(ElementKind.TEXT, line)


@pytest.fixture
def read() -> Reads:
    """`read(line, line, …)`: the regulation that those lines are."""

    def _read(*lines: str | Element, title: str = "여비규정") -> Regulation:
        document = Document("doc", "여비규정.md", title, "0" * 64, tuple(element(line) for line in lines))
        return parse(document)

    return _read


@pytest.fixture
def table() -> Callable[..., Element]:
    def _table(*rows: str, header_rows: int = 1) -> Element:
        cells = tuple(tuple(cell.strip() for cell in row.split("|")) for row in rows)
        return Element(ElementKind.TABLE, "", rows=cells, header_rows=header_rows)

    return _table
