"""Which article refers to which, over all documents of a bot: a decree's to its act's, an article to its annex."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ragbots.regulation import find_references
from ragbots.types import Address, Chunk, Document, Level

UNITS = (Level.ARTICLE, Level.ANNEX, Level.FORM)  # what references name


def unit_of(chunk: Chunk) -> tuple[str, Address]:
    """The document and the article, annex or form a chunk is from; the empty address where there is none."""
    return chunk.document_id, chunk.address.up_to(*UNITS)


def referring_pairs(
    documents: Sequence[Document], chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]
) -> NDArray[np.int32]:
    """Pairs (article, article it refers to), by the numbers of their spans of chunks; shape (n, 2), sorted."""
    numbers: dict[tuple[str, Address], int] = {}
    for number, (start, _) in enumerate(spans):
        numbers.setdefault(unit_of(chunks[start]), number)
    by_id = {document.id: document for document in documents}
    pairs: set[tuple[int, int]] = set()
    for number, (start, end) in enumerate(spans):
        document = by_id[chunks[start].document_id]
        for chunk in chunks[start:end]:
            for reference in find_references(chunk.text):
                holder = holder_of(reference.statute, document, documents)
                there = numbers.get((holder.id, reference.address.up_to(*UNITS))) if holder else None
                if there is not None and there != number:
                    pairs.add((number, there))
    return np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)


def holder_of(statute: str | None, document: Document, documents: Sequence[Document]) -> Document | None:
    """The document that a reference in `document` means: itself where none is named, the one of that title, or,
    for `법 제3조` in a decree and `규정 제3조` in its bylaw, the one whose title its own begins with."""
    if statute is None:
        return document
    wanted, own = _joined(statute), _joined(document.title)
    named = [one for one in documents if _joined(one.title) == wanted]
    if named:
        return named[0]
    above = [one for one in documents if one is not document and own.startswith(title := _joined(one.title)) and title]
    fitting = [one for one in above if _joined(one.title).endswith((wanted, "법률" if wanted == "법" else wanted))]
    return max(fitting, key=lambda one: len(one.title), default=None)


def _joined(title: str) -> str:
    return "".join(title.split())
