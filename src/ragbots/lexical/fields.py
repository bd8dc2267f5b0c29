"""Which parts of a chunk are searched as words, and how much each counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragbots.lexical.morphemes import Morphemes
from ragbots.lexical.postings import FieldWeight, Postings, build_postings
from ragbots.types import Chunk

FIELDS: Mapping[str, FieldWeight] = {
    "title": FieldWeight(weight=0.3, b=0.3),  # document, chapter and section
    "heading": FieldWeight(weight=2.0, b=0.3),
    "body": FieldWeight(weight=1.0, b=0.6),
}
LEXICAL_ID = f"{Morphemes.id}/bm25f-1"


def index_words(
    chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]], morphemes: Morphemes
) -> tuple[Postings, Postings]:
    """Postings of the chunks, and of the articles that the half-open ranges of chunks make up."""
    titles = morphemes.terms_of_many([" ".join(chunk.breadcrumb[:-1] or chunk.breadcrumb) for chunk in chunks])
    headings = morphemes.terms_of_many([chunk.heading for chunk in chunks])
    bodies = morphemes.terms_of_many([chunk.text for chunk in chunks])
    small = [
        {"title": title, "heading": heading, "body": body}
        for title, heading, body in zip(titles, headings, bodies, strict=True)
    ]
    whole = [
        {
            "title": titles[start],
            "heading": headings[start],
            "body": [term for body in bodies[start:end] for term in body],
        }
        for start, end in spans
    ]
    return build_postings(small, FIELDS), build_postings(whole, FIELDS)
