"""Markdown as wikis and statute collections write it: every source line stays one element.

Lists, paragraphs and indented code are not interpreted: `  1\\. 임금` is the first 호 of an article,
whatever Markdown makes of it. Headings, tables, comments, pictures and inline markup are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ragbots.errors import UnreadableDocument
from ragbots.loaders.assembly import Reading, document, excerpt, heading, omission, parse_date, picture, table, text
from ragbots.loaders.encoding import decode
from ragbots.loaders.grids import lines_of_frame
from ragbots.loaders.html_tables import read_table
from ragbots.loaders.inline import InlineParser
from ragbots.loaders.plain_text import is_plain
from ragbots.loaders.probing import suffix
from ragbots.ports import Probe
from ragbots.types import Document, Element, ElementKind, Omission

_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*$")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_QUOTE = re.compile(r"^ {0,3}>(?: |$)")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL_END = re.compile(r"(?<!\\)\|")
_UNSEEN = re.compile(r"<!--(.*?)-->|<(script|style)\b[^>]*>(.*?)</\2\s*>", re.DOTALL | re.IGNORECASE)
_TABLE_START = re.compile(r"<table\b", re.IGNORECASE)
_TABLE_TAG = re.compile(r"<(/?)table\b[^>]*>", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_UNDERLINED_LENGTH = 60

_TITLE_KEYS = ("제목", "title")
_EFFECTIVE_KEYS = ("시행일", "시행일자", "effective")
_LINK_KEYS = ("출처", "link", "url")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together and the number of the first."""

    kind: str  # "heading", "pipes", "html table", "verbatim", "line", "markup"
    lines: tuple[str, ...]
    first: int
    level: int = 0

    @property
    def where(self) -> str:
        return f"line {self.first}"


class MarkdownLoader:
    """Reads Markdown with or without front matter."""

    id = "markdown-3"

    def __init__(self) -> None:
        self._inline = InlineParser()

    def accepts(self, probe: Probe) -> bool:
        return suffix(probe) in _NAMES and is_plain(probe)

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        return document(source, data, self._read(decode(data, source), source))

    def _read(self, content: str, source: str) -> Reading:
        metadata, start = _front_matter(content, source)
        body, unseen = _without_unseen(content, start)
        omissions: list[Omission] = [*_undated(metadata), *unseen]
        elements: list[Element] = []
        for block in _blocks(body.split("\n")):
            elements += self._elements(block, omissions)
        top = next((e.text for e in elements if e.kind is ElementKind.HEADING and e.level == 1), "")
        return Reading(
            elements=elements,
            title=_first(metadata, _TITLE_KEYS) or top,
            link=_first(metadata, _LINK_KEYS) or None,
            effective=parse_date(_first(metadata, _EFFECTIVE_KEYS)),
            metadata=metadata,
            omissions=omissions,
        )

    def _elements(self, block: _Block, omissions: list[Omission]) -> list[Element]:
        match block.kind:
            case "heading":
                words, pictures = self._plain(block.lines[0], block.where, omissions)
                return [*([heading(words, block.level)] if words.strip() else []), *pictures]
            case "pipes":
                return self._pipe_table(block, omissions)
            case "html table":
                return _html_table(block, omissions)
            case "verbatim":
                return [text(line) for line in block.lines if line.strip()]
            case "line":
                words, pictures = self._plain(block.lines[0], block.where, omissions)
                return [*(text(line) for line in words.split("\n") if line.strip()), *pictures]
            case _:
                return []

    def _plain(self, line: str, where: str, omissions: list[Omission]) -> tuple[str, list[Element]]:
        """The words of a line, and its pictures, which follow them."""
        plain = self._inline.plain(line, where)
        omissions += plain.omissions
        return plain.text, [picture(name) for name in plain.pictures]

    def _pipe_table(self, block: _Block, omissions: list[Omission]) -> list[Element]:
        read = [[self._plain(cell, block.where, omissions) for cell in _cells(line)] for line in block.lines]
        head, *body = [[words for words, _ in row] for row in (read[0], *read[2:])]
        pictures = [one for row in read for _, found in row for one in found]
        made = table([head, *body]) if any(cell.strip() for cell in head) else table(body, header_rows=0)
        return [made, *pictures]


def _front_matter(content: str, source: str) -> tuple[dict[str, str], int]:
    """The metadata, and where the body begins. Lines between two rules that are no mapping are body."""
    match = _FRONT_MATTER.match(content)
    if not match:
        return {}, 0
    try:
        values = yaml.load(match[1], Loader=yaml.BaseLoader)  # strings, lists and dicts only
    except yaml.YAMLError as error:
        raise _bad_front_matter(source, error) from error
    if not isinstance(values, dict):
        return {}, 0
    return {_joined(key): _joined(value) for key, value in values.items()}, match.end()


def _bad_front_matter(source: str, error: yaml.YAMLError) -> UnreadableDocument:
    mark = getattr(error, "problem_mark", None)
    line = f" at line {mark.line + 2}" if mark else ""
    problem = getattr(error, "problem", None) or "not YAML"
    return UnreadableDocument(
        f"{source}: the front matter cannot be read{line}: {problem}",
        hint='put values with ":" in quotes, or remove the block between the two `---`',
    )


def _joined(value: Any) -> str:
    """Scalars as they stand, lists and mappings as one readable line."""
    if isinstance(value, dict):
        return ", ".join(f"{_joined(key)}: {_joined(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(_joined(item) for item in value)
    return str(value).strip()


def _first(metadata: dict[str, str], keys: Sequence[str]) -> str:
    return next((metadata[key] for key in keys if metadata.get(key)), "")


def _undated(metadata: dict[str, str]) -> list[Omission]:
    value = _first(metadata, _EFFECTIVE_KEYS)
    if not value or parse_date(value):
        return []
    return [omission(f"date in force: {value}", "front matter", value, "not a date; write it as YYYY-MM-DD")]


def _without_unseen(content: str, start: int) -> tuple[str, list[Omission]]:
    """The body without comments, scripts and styles; front matter and they leave their line breaks behind."""
    omissions: list[Omission] = []

    def leave_out(match: re.Match[str]) -> str:
        words = match[1] if match[2] is None else match[3]
        line = content.count("\n", 0, start + match.start()) + 1
        kind = "comment" if match[2] is None else match[2].lower()
        omissions.append(
            omission(f"{kind}: {excerpt(words)}", f"line {line}", words, "not shown to readers", expected=True)
        )
        return "\n" * match[0].count("\n")

    body = _UNSEEN.sub(leave_out, content[start:])
    return "\n" * content.count("\n", 0, start) + body, omissions


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    at = 0
    while at < len(lines):
        block = _block_at(lines, at)
        yield block
        at = block.first - 1 + len(block.lines)


def _block_at(lines: Sequence[str], at: int) -> _Block:
    line = _QUOTE.sub("", lines[at])
    number = at + 1
    if _FENCE.match(line):
        return _fenced(lines, at)
    if match := _HEADING.match(line):
        return _Block("heading", (match[2] or "",), number, len(match[1]))
    if _TABLE_START.search(line) and (end := _html_table_end(lines, at)):
        return _Block("html table", tuple(lines[at:end]), number)
    if _starts_pipes(lines, at):
        return _Block("pipes", tuple(_QUOTE.sub("", row) for row in lines[at : _pipes_end(lines, at)]), number)
    if _RULE.match(line) or (at > 0 and _underlined_level(lines, at - 1)):
        return _Block("markup", (line,), number)
    if level := _underlined_level(lines, at):
        return _Block("heading", (line,), number, level)
    return _Block("line", (line,), number)


def _fenced(lines: Sequence[str], at: int) -> _Block:
    """A fence opens code up to one that closes it; without that it is a line like any other."""
    mark = lines[at].strip()[:3]
    for end in range(at + 1, len(lines)):
        closing = lines[end].strip()
        if closing.startswith(mark) and not closing.strip(mark[0]):
            return _Block("verbatim", ("", *lines[at + 1 : end], ""), at + 1)
    return _Block("line", (lines[at],), at + 1)


def _underlined_level(lines: Sequence[str], at: int) -> int:
    """1 or 2 for a short line that stands alone above `===` or `---`; else 0."""
    below = _UNDERLINE.match(lines[at + 1]) if at + 1 < len(lines) else None
    alone = at == 0 or not lines[at - 1].strip()
    words = lines[at].strip()
    if not below or not alone or not words or len(words) > _UNDERLINED_LENGTH or _HEADING.match(lines[at]):
        return 0
    return 1 if below[1].startswith("=") else 2


def _starts_pipes(lines: Sequence[str], at: int) -> bool:
    if at + 1 >= len(lines) or "|" not in lines[at]:
        return False
    below = _QUOTE.sub("", lines[at + 1])
    same_width = len(_cells(_QUOTE.sub("", lines[at]))) == len(_cells(below))
    is_delimiter = "|" in below and bool(_DELIMITER.match(below))
    return is_delimiter and (same_width or lines[at].lstrip().startswith("|"))


def _pipes_end(lines: Sequence[str], at: int) -> int:
    return next((n for n in range(at + 2, len(lines)) if "|" not in lines[n]), len(lines))


def _cells(line: str) -> list[str]:
    inner = line.strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(inner)]


def _html_table_end(lines: Sequence[str], at: int) -> int:
    """The number of the line after the one that closes the table; 0 where nothing closes it."""
    depth = 0
    for number in range(at, len(lines)):
        for closing in _TABLE_TAG.findall(lines[number]):
            depth += -1 if closing else 1
            if depth == 0:
                return number + 1
    return 0


def _html_table(block: _Block, omissions: list[Omission]) -> list[Element]:
    read = read_table("\n".join(block.lines), block.where)
    omissions += read.omissions
    around = [text(line) for line in read.around]
    pictures = [picture(name) for name in read.pictures]
    if read.grid.columns <= 1:
        return [*around, *(text(line) for line in lines_of_frame(read.grid.rows)), *pictures]
    return [*around, table(read.grid.rows, read.grid.header_rows), *pictures]
