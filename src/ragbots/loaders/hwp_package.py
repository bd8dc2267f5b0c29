"""HWPX files as ZIP packages of XML: whether it is locked, its lists, and its paragraphs' layout."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ragbots.loaders.hwp_layout import Drawn, Layout, OpenParagraph, SectionLayout, heading_rows
from ragbots.loaders.hwp_numbering import Head, HeadKind, Level, Lists

_MANIFEST, _HEADER = "META-INF/manifest.xml", "Contents/header.xml"
_SECTION = re.compile(r"Contents/section(\d+)\.xml")
_HEADS = {"OUTLINE": HeadKind.OUTLINE, "NUMBER": HeadKind.NUMBER, "BULLET": HeadKind.BULLET}
_OBJECTS = {"ole": "OLE", "chart": "chart", "video": "video"}
_TRACKED = frozenset({"insertBegin", "deleteBegin"})
_OWN_TEXT = {"compose": "composeText"}  # elements whose text is an attribute


def is_locked(data: bytes) -> bool:
    """Whether the package's parts are encrypted. Raises zipfile.BadZipFile and the like for a damaged one."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return _MANIFEST in archive.namelist() and b"encryption-data" in archive.read(_MANIFEST)


def read_layout(data: bytes) -> Layout:
    """Raises KeyError, ValueError, SyntaxError (of XML) and those of zipfile for a damaged package."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = sorted((int(match[1]), match[0]) for match in map(_SECTION.fullmatch, archive.namelist()) if match)
        lists = _lists(_parsed(archive.read(_HEADER)))
        roots = [_parsed(archive.read(name)) for _, name in found]
        pages = {name: _parsed(archive.read(name)) for name in archive.namelist() if "masterpage" in name.lower()}
    backgrounds = tuple(_words(root) for root in pages.values())
    sections = [_section(root) for root in roots]
    if sections and backgrounds:
        first = sections[0]
        sections[0] = SectionLayout(first.outline_id, first.paragraphs, first.header_rows, backgrounds)
    tracked = any(_name(node) in _TRACKED for root in roots for node in root.iter())
    return Layout(lists, tuple(sections), tracked)


def _parsed(data: bytes) -> Any:
    """The root element; a part with entities is refused before this (`packages.check_package`)."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


def _name(node: Any) -> str:
    """The name without its namespace, which differs between versions of the format; empty for comments."""
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _find(root: Any, name: str) -> Iterator[Any]:
    return (node for node in root.iter() if _name(node) == name)


def _number(node: Any, name: str, otherwise: int = 0) -> int:
    value = node.get(name) or ""
    return int(value) if value.isdigit() else otherwise


def _words(root: Any) -> str:
    return "\n".join("".join(node.itertext()) for node in _find(root, "t"))


def _lists(header: Any) -> Lists:
    heads = {}
    for shape in _find(header, "paraPr"):
        mark = next(_find(shape, "heading"), None)
        if mark is not None and mark.get("type") in _HEADS:
            head = Head(_HEADS[mark.get("type")], _number(mark, "level"), _number(mark, "idRef"))
            heads[_number(shape, "id")] = head
    return Lists(
        heads,
        {_number(node, "id"): _levels(node) for node in _find(header, "numbering")},
        {_number(node, "id"): node.get("char") or "" for node in _find(header, "bullet")},
    )


def _levels(numbering: Any) -> tuple[Level, ...]:
    found = {
        _number(node, "level", 1): Level(node.text or "", node.get("numFormat") or "DIGIT", _number(node, "start", 1))
        for node in _find(numbering, "paraHead")
    }
    return tuple(found.get(level, Level("")) for level in range(1, max(found, default=0) + 1))


def _section(root: Any) -> SectionLayout:
    paragraphs: list[OpenParagraph] = []
    for node in root:
        _read(node, None, paragraphs)
    properties = next(_find(root, "secPr"), None)
    return SectionLayout(
        _number(properties, "outlineShapeIDRef", 1) if properties is not None else 1,
        tuple(paragraph.closed() for paragraph in paragraphs),
        tuple(heading_rows(_cells(table)) for table in _find(root, "tbl")),
    )


def _read(node: Any, owner: OpenParagraph | None, paragraphs: list[OpenParagraph]) -> None:
    """Adds the paragraphs in `node` in reading order, and what stands outside of them to `owner`."""
    name = _name(node)
    if name == "p":
        owner = OpenParagraph(_number(node, "paraPrIDRef"))
        paragraphs.append(owner)
    elif owner is not None:
        if name == "t":
            owner.text += "".join(node.itertext())
            return
        if name in _OWN_TEXT:
            owner.text += node.get(_OWN_TEXT[name]) or ""
        elif name in _OBJECTS:
            owner.drawn.append(Drawn(name=_OBJECTS[name]))
        elif name == "textart":
            owner.drawn.append(Drawn(lettering=node.get("text") or ""))
    children = list(node)[:1] if name == "switch" else node  # a switch holds one thing in several forms
    for child in children:
        _read(child, owner, paragraphs)


def _cells(table: Any) -> Iterator[tuple[int, bool]]:
    for row in table:
        if _name(row) == "tr":
            for cell in row:
                if _name(cell) == "tc":
                    place = next((node for node in cell if _name(node) == "cellAddr"), None)
                    yield (_number(place, "rowAddr") if place is not None else 0), cell.get("header") == "1"
