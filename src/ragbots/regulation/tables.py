"""Tables: what their columns are called, in which unit they count, and where one goes on after a page break."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragbots.text import one_line
from ragbots.types import Element

Row = tuple[str, ...]

UNIT_LINE = re.compile(r"[(\[<]\s*단\s?위\s*[:：]?\s*(.{0,40}?)\s*[)\]>]")
_COUNTED_IN = re.compile(
    r"(?:억|백만|천만|십만|만|천)?원|명|인|개|건|회|일|개월|년|시간|분|점|%|퍼센트|킬로미터|km|㎡|달러"
)
_OWN_UNIT = re.compile(rf"[(\[]\s*(?:단\s?위\s*[:：]?\s*)?({_COUNTED_IN.pattern})\s*[)\]]\s*$")
_BARE_NUMBER = re.compile(r"[-△▲]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-△▲]?\d+(?:\.\d+)?")
_MONEY = re.compile(r".{0,2}원|달러")
# Columns that count something of their own, whatever the unit over the table says.
_COUNTS_ITSELF = re.compile(
    r"번호|순번|연번|호봉|등급|직급|인원|정원|횟수|비율|율$|점수|배점|기간|일수|시간|연수|수량|연도|년도|급호"
)
_FIGURE = re.compile(r"\d")
_LONGEST_NAME = 200  # characters


@dataclass(frozen=True, slots=True)
class Table:
    """A table as far as it was read: the `names` of its columns, how many data `rows` and columns (`width`) it
    has, the columns in which each row and no name holds `figures`, its last `page`, and the `unit` told over it
    (empty where there is none)."""

    header: tuple[Row, ...]
    names: tuple[str, ...]
    rows: int
    width: int
    figures: frozenset[int]
    page: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How an element is to be read: `repeated` rows only say the column headings again, `header` are column
    headings to keep, `rows` the data; `before` is the table it goes on from."""

    repeated: tuple[Row, ...]
    header: tuple[Row, ...]
    rows: tuple[Row, ...]
    before: Table | None


def lay_out(element: Element, before: Table | None) -> Layout:
    """What of a table is heading and what is data. `before` is a table that ends where this one begins.

    It goes on from `before` where it is as wide and has the same column headings again, none, or ones that
    read like the rows above them: a table cut by a page break looks as if its next row were its heading.
    """
    header, rows = element.rows[: element.header_rows], element.rows[element.header_rows :]
    if before is None or not _goes_on(element, header, before):
        return _apart((), header, rows)
    if _same(header, before.header):
        return _apart(header, before.header, rows, before)
    return _apart((), before.header, header + rows, before)


def as_read(layout: Layout, names: tuple[str, ...], unit: str, page: int | None) -> Table:
    """The table with the rows of a layout; what is known of those before is not counted anew."""
    before = layout.before
    figures = before.figures if before else {column for column, name in enumerate(names) if not _FIGURE.search(name)}
    return Table(
        header=layout.header,
        names=names,
        rows=len(layout.rows) + (before.rows if before else 0),
        width=max(_width(layout.rows), before.width if before else _width(layout.header)),
        figures=frozenset(n for n in figures if all(_FIGURE.search(_cell(row, n)) for row in layout.rows)),
        page=page,
        unit=unit,
    )


def _goes_on(element: Element, header: tuple[Row, ...], before: Table) -> bool:
    if _width(element.rows) != before.width:
        return False
    return not header or _same(header, before.header) or _is_cut(header, before, element.page)


def _apart(
    repeated: tuple[Row, ...], header: tuple[Row, ...], rows: tuple[Row, ...], before: Table | None = None
) -> Layout:
    """Column headings that come again among the rows are headings too."""
    last = _folded(header[-1]) if header and any(_folded(header[-1])) else None
    again = tuple(row for row in rows if _folded(row) == last)
    kept = tuple(row for row in rows if _folded(row) != last)
    return Layout(repeated + again, header, kept, before)


def _width(rows: Sequence[Row]) -> int:
    return max((len(row) for row in rows), default=0)


def _folded(row: Row) -> Row:
    return tuple("".join(cell.split()) for cell in row)


def _same(header: Sequence[Row], other: Sequence[Row]) -> bool:
    if not header or len(header) != len(other):
        return False
    return all(_folded(row) == _folded(again) for row, again in zip(header, other, strict=True))


def _is_cut(header: Sequence[Row], before: Table, page: int | None) -> bool:
    """Whether what is taken for column headings, on the page after, holds figures where only rows hold them."""
    if page is None or before.page is None or page != before.page + 1 or not before.rows:
        return False
    return any(_FIGURE.search(_cell(row, column)) for row in header for column in before.figures)


def _cell(row: Row, column: int) -> str:
    return row[column] if column < len(row) else ""


def column_names(header: Sequence[Row]) -> tuple[str, ...]:
    """The headings above each column from top to bottom, said once where they are the same.

    Each row's text says them again, so a long one is cut short there; the table itself holds all of it.
    """
    columns = range(_width(header))
    names = (
        " ".join(dict.fromkeys(name for row in header if (name := one_line(_cell(row, column))))) for column in columns
    )
    return tuple(name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…" for name in names)


def unit_of(line: str) -> str:
    """`원` of `(단위: 원)`; empty where there is none, or more than one."""
    match = UNIT_LINE.fullmatch(line.strip())
    return match[1] if match and _COUNTED_IN.fullmatch(match[1]) else ""


def with_names(row: Row, table_names: Sequence[str], unit: str) -> tuple[tuple[str, str], ...]:
    """The cells of a row as (column, value); a bare number with the unit of its column or table."""
    names = [*table_names, *[""] * (len(row) - len(table_names))]
    return tuple(
        (name, _measured(one_line(cell), name, unit if at else ""))
        for at, (name, cell) in enumerate(zip(names, row, strict=False))
    )


def _measured(value: str, name: str, unit: str) -> str:
    own = _OWN_UNIT.search(name)
    if not _BARE_NUMBER.fullmatch(value):
        return value
    if own:
        return value + own[1]
    if not unit or _COUNTS_ITSELF.search(name):
        return value
    small = _MONEY.fullmatch(unit) and unit == "원" and len(re.sub(r"\D", "", value)) < 3
    return value if small else value + unit
