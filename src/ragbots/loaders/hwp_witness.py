"""A second reader for HWP and HWPX: whatever it finds and the first did not read is reported, not lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import unhwp

from ragbots.text import comparable


def unread(data: bytes, read: str) -> list[str]:
    """Paragraphs that unhwp finds in a file and that do not stand in `read`; none where it cannot read the file."""
    try:
        with unhwp.parse_bytes(data) as result:
            found = json.loads(result.json)
    except (unhwp.UnhwpError, ValueError, RecursionError):
        return []
    known = comparable(read)
    at, missing = 0, []
    for words in _paragraphs(found):
        wanted = comparable(words)
        # Both read the file in order: the next words mostly stand after the last found.
        place = known.find(wanted, at)
        place = known.find(wanted) if place < 0 else place
        if place < 0:
            missing.append(words)
        else:
            at = place
    return missing


def _paragraphs(node: Any) -> Iterator[str]:
    """The texts of all paragraphs, without automatic numbers, broken where something else stands between words."""
    if isinstance(node, list):
        for part in node:
            yield from _paragraphs(part)
    elif isinstance(node, dict) and "style" in node and isinstance(node.get("content"), list):
        yield from _pieces(node["content"][1 if node["style"].get("head") and len(node["content"]) > 1 else 0 :])
    elif isinstance(node, dict):
        for key, part in node.items():
            if key not in ("metadata", "styles", "resources"):
                yield from _paragraphs(part)


def _pieces(runs: list[Any]) -> Iterator[str]:
    words = ""
    for run in runs:
        parts = run if isinstance(run, dict) else {}
        if "Text" in parts:
            words += parts["Text"].get("text") or ""
        else:
            yield from (words, parts.get("Equation", {}).get("script") or "")
            words = ""
    yield words
