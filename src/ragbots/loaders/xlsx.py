"""Workbooks: each sheet's lines and tables as its reader sees them, with what floats over the cells."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from ragbots.loaders.assembly import (
    Reading,
    document,
    excerpt,
    first_line_title,
    heading,
    omission,
    picture,
    picture_omission,
    text,
)
from ragbots.loaders.number_formats import shown
from ragbots.loaders.packages import DAMAGED_INSIDE, check_package, facts, unreadable_package
from ragbots.loaders.probing import is_package
from ragbots.loaders.xlsx_drawings import Drawing, drawings
from ragbots.loaders.xlsx_layout import Place, SheetCell, SheetLayout, elements_of
from ragbots.ports import Probe
from ragbots.text import clean, comparable
from ragbots.types import Document, Element, Omission

_KIND = ".xlsx"
_SHEET_LEVEL = 2
_DEFAULT_NAME = re.compile(r"(?:sheet|시트)\s*\d*", re.IGNORECASE)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_DAMAGED: tuple[type[Exception], ...] = (*DAMAGED_INSIDE, InvalidFileException, ArithmeticError, RuntimeError)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]+[0-9]+:[A-Z]+[0-9]+)[\"']")
_MOST_MERGED = 1_000_000  # cells
_SIDES = ("left", "right", "top", "bottom")
_WITHOUT_COLOUR = ("00000000", "FFFFFFFF")


class XlsxLoader:
    """Reads .xlsx and .xlsm files: values as they are shown, never formulas, macros or links to other files."""

    id = "xlsx-2"

    def accepts(self, probe: Probe) -> bool:
        return is_package(probe, "xl/")

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        check_package(data, source, _KIND)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles and extensions that hold no text
                reading = _Reader(data).read(PurePosixPath(source).stem)
        except _DAMAGED as error:
            raise unreadable_package(source, _KIND, f"damaged inside ({error})") from error
        return document(source, data, reading)


def _surveyed(archive: zipfile.ZipFile) -> bool:
    """Whether there are formulas. Raises ValueError where merged cells cover more than a sheet can mean:
    openpyxl makes a cell for each place."""
    has_formulas = False
    for name in archive.namelist():
        if "/worksheets/" in name and name.endswith(".xml"):
            content = archive.read(name)
            has_formulas = has_formulas or bool(_FORMULA.search(content))
            covered = sum(_area(match[1].decode("ascii", "replace")) for match in _MERGED.finditer(content))
            if covered > _MOST_MERGED:
                raise ValueError(f"merged cells of {name} cover {covered:,} places")
    return has_formulas


def _area(reference: str) -> int:
    left, top, right, bottom = range_boundaries(reference)
    return int((right - left + 1) * (bottom - top + 1))


class _Reader:
    """Reads one workbook; holds what was found so far."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self._drawings = drawings(archive)
            has_formulas = _surveyed(archive)
        self._book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
        # Values and formulas exclude each other in openpyxl; the second reading tells which values are missing.
        self._formulas = openpyxl.load_workbook(io.BytesIO(data), keep_links=False) if has_formulas else None
        self._elements: list[Element] = []
        self._omissions: list[Omission] = []

    def read(self, name: str) -> Reading:
        shown_sheets = [sheet for sheet in self._book.worksheets if not self._is_hidden(sheet)]
        contents = [(sheet, self._sheet(sheet)) for sheet in shown_sheets]
        filled = [(sheet, found) for sheet, found in contents if found]
        lone = len(filled) == 1 and bool(_DEFAULT_NAME.fullmatch(filled[0][0].title.strip()))
        for sheet, found in filled:
            self._elements += [*([] if lone else self._name_heading(sheet.title, found)), *found]
        for sheet in self._book.chartsheets:
            self._elements.append(picture(sheet.title))
            self._omissions.append(picture_omission(sheet.title, f"sheet {sheet.title}"))
        return Reading(self._elements, self._title(filled) or name, metadata=self._facts(), omissions=self._omissions)

    def _title(self, filled: Sequence[tuple[Any, list[Element]]]) -> str:
        """The workbook's own title, else the first line where it reads like one: a sheet's name is none."""
        own = clean(self._book.properties.title or "").strip()
        return own or (first_line_title(filled[0][1]) if filled else "")

    def _facts(self) -> dict[str, str]:
        properties = self._book.properties
        return facts(properties.creator, properties.subject, properties.keywords, maker="openpyxl")

    def _name_heading(self, name: str, found: Sequence[Element]) -> list[Element]:
        """The sheet's name as a heading, where its first line does not say it."""
        first = next((element.text for element in found if element.text), "")
        if comparable(name) in comparable(first):
            why = "the first line of the sheet says it"
            self._omissions.append(omission(f"sheet name: {name}", f"sheet {name}", name, why, expected=True))
            return []
        return [heading(name, _SHEET_LEVEL)]

    def _is_hidden(self, sheet: Any) -> bool:
        if sheet.sheet_state == "visible":
            return False
        words = " ".join(str(cell.value) for cell in _cells(sheet) if cell.value is not None)
        what = f"hidden sheet: {sheet.title}"
        self._omissions.append(omission(what, f"sheet {sheet.title}", words, "hidden in the workbook", expected=True))
        return True

    def _sheet(self, sheet: Any) -> list[Element]:
        found = elements_of(self._layout(sheet))
        found += [pair for drawing in self._drawings.get(sheet.title, ()) for pair in self._drawn(sheet.title, drawing)]
        self._report_running(sheet)
        return [element for _, element in sorted(found, key=lambda pair: pair[0])]

    def _drawn(self, sheet: str, drawing: Drawing) -> Iterator[tuple[int, Element]]:
        if drawing.kind == "box":
            yield from ((drawing.row, text(line)) for line in drawing.text.split("\n") if line.strip())
            return
        yield drawing.row, picture(drawing.text)
        self._omissions.append(picture_omission(drawing.text or drawing.kind, f"sheet {sheet}, row {drawing.row}"))

    def _layout(self, sheet: Any) -> SheetLayout:
        spans = {(one.min_row, one.min_col): one for one in sheet.merged_cells.ranges}
        hidden = _HiddenParts(sheet)
        cells: dict[Place, SheetCell] = {}
        ruled: set[Place] = set()
        left_out: list[str] = []
        for cell in _cells(sheet):
            place = (cell.row, cell.column)
            if _has_rules(cell):
                ruled.add(place)
            words = "" if isinstance(cell, MergedCell) else self._words(sheet, cell)
            if not words.strip() and not _is_struck(cell):
                continue
            if hidden.has(*place):
                left_out.append(words)
            else:
                cells[place] = _sheet_cell(cell, words, spans.get(place))
        if left_out:
            what = f"hidden rows or columns: {excerpt(' '.join(left_out))}"
            why = "hidden in the workbook"
            self._omissions.append(omission(what, f"sheet {sheet.title}", " ".join(left_out), why, expected=True))
        return SheetLayout(cells, frozenset(place for place in ruled if not hidden.has(*place)))

    def _words(self, sheet: Any, cell: Any) -> str:
        where = f"sheet {sheet.title}, cell {cell.coordinate}"
        if cell.comment is not None:
            words = cell.comment.text or ""
            self._omissions.append(_remark(words, where))
        if cell.value is None:
            self._report_formula(sheet.title, cell.coordinate, where)
            return ""
        words = clean(shown(cell.value, cell.number_format))
        if _is_struck(cell):
            what = f"struck out: {excerpt(words)}"
            self._omissions.append(omission(what, where, words, "struck out in the source", expected=True))
            return ""
        return words

    def _report_formula(self, sheet: str, coordinate: str, where: str) -> None:
        formula = self._formulas[sheet][coordinate].value if self._formulas else None
        if formula is not None:
            why = "the workbook holds no computed value; open it in Excel, save it and replace it"
            self._omissions.append(Omission(f"formula: {excerpt(str(formula))}", where, 0, why))

    def _report_running(self, sheet: Any) -> None:
        for part in (sheet.oddHeader, sheet.oddFooter):
            words = " ".join(str(one.text) for one in (part.left, part.center, part.right) if one.text)
            if words:
                what = f"running line: {excerpt(words)}"
                self._omissions.append(
                    omission(what, f"sheet {sheet.title}", words, "printed on every page", expected=True)
                )


def _remark(words: str, where: str) -> Omission:
    """A comment is a remark of whoever keeps the table: it is not printed, and often not meant for all."""
    why = "a comment beside the cell is not part of the text"
    return omission(f"comment: {excerpt(words)}", where, words, why, expected=True)


def _cells(sheet: Any) -> list[Any]:
    """The cells that the file holds, row by row. `iter_rows` would make every cell up to the farthest."""
    return [cell for _, cell in sorted(sheet._cells.items())]


class _HiddenParts:
    """The rows and columns that nobody sees. A filter or a folded group hides for the moment only."""

    def __init__(self, sheet: Any) -> None:
        is_filtered = bool(sheet.auto_filter.filterColumn)
        rows = sheet.row_dimensions.items()
        self._rows = frozenset(n for n, row in rows if row.hidden and not row.outlineLevel and not is_filtered)
        columns = [one for one in sheet.column_dimensions.values() if one.hidden and not one.outlineLevel]
        self._columns = [(one.min or 0, one.max or 0) for one in columns]

    def has(self, row: int, column: int) -> bool:
        return row in self._rows or any(first <= column <= last for first, last in self._columns)


def _sheet_cell(cell: Any, words: str, span: Any | None) -> SheetCell:
    rows = span.max_row - span.min_row + 1 if span else 1
    columns = span.max_col - span.min_col + 1 if span else 1
    is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    return SheetCell(words, rows, columns, is_number, _stands_out(cell))


def _is_struck(cell: Any) -> bool:
    """Struck out as a whole; such a cell keeps its place."""
    return cell.value is not None and cell.font is not None and bool(cell.font.strike)


def _stands_out(cell: Any) -> bool:
    """Bold, or on a coloured ground."""
    if cell.font is not None and cell.font.bold:
        return True
    fill = cell.fill
    return fill is not None and fill.fill_type == "solid" and fill.fgColor.rgb not in _WITHOUT_COLOUR


def _has_rules(cell: Any) -> bool:
    border = cell.border
    return border is not None and any(getattr(getattr(border, side), "style", None) for side in _SIDES)
