"""Text to vectors: the bundled model, any sentence-transformers folder, the cache before them; and rerankers."""

from ragbots.embedders.cache import CachedEmbedder, EmbeddingCache
from ragbots.embedders.reranker import CrossEncoderReranker
from ragbots.embedders.sentence import SentenceEmbedder, bundled, fast_dtype, from_folder

__all__ = [
    "CachedEmbedder",
    "CrossEncoderReranker",
    "EmbeddingCache",
    "SentenceEmbedder",
    "bundled",
    "fast_dtype",
    "from_folder",
]
