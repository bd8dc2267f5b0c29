"""Words of a Korean text and what they say of a chunk: morphemes, and BM25F over them."""

from ragbots.lexical.fields import LEXICAL_ID, index_bigrams, index_words
from ragbots.lexical.morphemes import Morphemes, bigrams
from ragbots.lexical.postings import Postings, build_postings, pooled_idf

__all__ = [
    "LEXICAL_ID",
    "Morphemes",
    "Postings",
    "bigrams",
    "build_postings",
    "index_bigrams",
    "index_words",
    "pooled_idf",
]
