"""What floats over the cells of a sheet: pictures, charts, and boxes with text."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_WORKBOOK = "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class Drawing:
    """`kind` is "picture", "chart" or "box"; `row` counts from 1; `text` is a name, a title or a box's lines."""

    kind: str
    row: int
    text: str


def drawings(archive: zipfile.ZipFile) -> dict[str, list[Drawing]]:
    """The drawings of each sheet from top to bottom, by its name. Parts that are not there hold none."""
    names = frozenset(archive.namelist())
    if _WORKBOOK not in names:
        return {}
    targets = _targets(archive, _WORKBOOK)
    found: dict[str, list[Drawing]] = {}
    for sheet in _root(archive, _WORKBOOK).iter(f"{_SHEETS}sheet"):
        part = targets.get(sheet.get(f"{_OFFICE}id", ""), "")
        parts = [one for one in _targets(archive, part).values() if "/drawings/drawing" in one and one in names]
        here = [one for drawing in parts for one in _read(archive, drawing)]
        found[sheet.get("name", "")] = sorted(here, key=lambda one: one.row)
    return found


def _root(archive: zipfile.ZipFile, part: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(archive.read(part), parser)


def _targets(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The parts inside the package that `part` refers to, by the id of the reference."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return {}
    return {
        relation.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))[1:]
        for relation in _root(archive, relations)
        if relation.get("TargetMode") != "External"
    }


def _read(archive: zipfile.ZipFile, part: str) -> Iterator[Drawing]:
    charts = _targets(archive, part)
    for anchor in _root(archive, part):
        place = anchor.find(f"{_DRAWING}from/{_DRAWING}row")
        row = int(place.text or 0) + 1 if place is not None else 1
        for node in anchor.iter(f"{_DRAWING}pic", f"{_DRAWING}graphicFrame", f"{_DRAWING}sp"):
            if node.tag == f"{_DRAWING}sp":
                lines = ["".join(t.text or "" for t in p.iter(f"{_TEXT}t")) for p in node.iter(f"{_TEXT}p")]
                yield Drawing("box", row, "\n".join(lines))
            elif node.tag == f"{_DRAWING}pic":
                yield Drawing("picture", row, _name(node))
            else:
                yield Drawing("chart", row, _chart_title(archive, node, charts) or _name(node))


def _name(node: Any) -> str:
    properties = next(node.iter(f"{_DRAWING}cNvPr"), None)
    return (properties.get("descr") or properties.get("name") or "") if properties is not None else ""


def _chart_title(archive: zipfile.ZipFile, frame: Any, charts: dict[str, str]) -> str:
    reference = next(frame.iter(f"{_CHART}chart"), None)
    part = charts.get(reference.get(f"{_OFFICE}id", ""), "") if reference is not None else ""
    if part not in archive.namelist():
        return ""
    title = next(_root(archive, part).iter(f"{_CHART}title"), None)
    return "".join(t.text or "" for t in title.iter(f"{_TEXT}t")) if title is not None else ""
