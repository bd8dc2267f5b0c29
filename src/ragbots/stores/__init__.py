"""Where vectors and versions lie: Chroma, the exact scan, and the version directories."""

from ragbots.stores.chroma import ChromaStoreFactory
from ragbots.stores.exact import ExactStore, ExactStoreFactory

__all__ = ["ChromaStoreFactory", "ExactStore", "ExactStoreFactory"]
