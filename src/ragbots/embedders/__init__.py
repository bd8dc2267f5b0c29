"""Text to vectors: the bundled model, any sentence-transformers folder, and the cache before them."""

from ragbots.embedders.cache import CachedEmbedder, EmbeddingCache
from ragbots.embedders.sentence import SentenceEmbedder, bundled, fast_dtype, from_folder

__all__ = ["CachedEmbedder", "EmbeddingCache", "SentenceEmbedder", "bundled", "fast_dtype", "from_folder"]
