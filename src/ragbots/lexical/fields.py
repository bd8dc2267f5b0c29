"""Which parts of a chunk are searched as words, and how much each counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragbots.lexical.morphemes import Morphemes, bigrams
from ragbots.lexical.postings import FieldWeight, Postings, build_postings
from ragbots.types import Chunk

FIELDS: Mapping[str, FieldWeight] = {
    "title": FieldWeight(weight=0.3, b=0.3),  # document, chapter and section
    "heading": FieldWeight(weight=2.0, b=0.3),
    "body": FieldWeight(weight=1.0, b=0.6),
}
PAIRS: Mapping[str, FieldWeight] = {"heading": FIELDS["heading"], "body": FIELDS["body"]}
LEXICAL_ID = f"{Morphemes.id}/bm25f-2"


def index_words(chunks: Sequence[Chunk], morphemes: Morphemes) -> Postings:
    """Postings of the chunks by their words."""
    titles = morphemes.terms_of_many([" ".join(chunk.breadcrumb[:-1] or chunk.breadcrumb) for chunk in chunks])
    headings = morphemes.terms_of_many([chunk.heading for chunk in chunks])
    bodies = morphemes.terms_of_many([chunk.text for chunk in chunks])
    fields = [
        {"title": title, "heading": heading, "body": body}
        for title, heading, body in zip(titles, headings, bodies, strict=True)
    ]
    return build_postings(fields, FIELDS)


def index_bigrams(chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]) -> Postings:
    """Postings of the articles, half-open ranges of chunks, by the bigrams of their words."""
    fields = [
        {
            "heading": bigrams(chunks[start].heading),
            "body": [pair for chunk in chunks[start:end] for pair in bigrams(chunk.text)],
        }
        for start, end in spans
    ]
    return build_postings(fields, PAIRS)
