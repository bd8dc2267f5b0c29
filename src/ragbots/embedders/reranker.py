"""A cross-encoder out of a folder on this machine, for those who have one; nothing is downloaded or run from it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ragbots.embedders.sentence import fingerprint
from ragbots.errors import ModelUnavailable
from ragbots.ports import Vectors


class CrossEncoderReranker:
    """A Reranker over a sentence-transformers cross-encoder with one output. Raises ModelUnavailable."""

    def __init__(self, folder: Path) -> None:
        self.id = f"{folder.resolve().name}@{fingerprint(folder)}"
        os.environ["HF_HUB_OFFLINE"] = "1"  # read on import: a local folder must never lead to a request
        from sentence_transformers import CrossEncoder

        try:
            self._model = CrossEncoder(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise ModelUnavailable(f"{folder}: cannot be loaded: {error}", hint="see `ragbots doctor`") from error
        if self._model.num_labels != 1:
            raise ModelUnavailable(
                f"{folder}: gives {self._model.num_labels} numbers for a pair, not one",
                hint="name a model that ranks, such as a reranker; one that sorts into classes does not",
            )

    def scores(self, question: str, passages: Sequence[str]) -> Vectors:
        pairs = [(question, passage) for passage in passages]
        return np.asarray(self._model.predict(pairs, show_progress_bar=False), dtype=np.float32)
