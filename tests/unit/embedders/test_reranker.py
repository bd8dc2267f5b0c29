from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from ragbots.embedders import CrossEncoderReranker
from ragbots.errors import ModelUnavailable
from ragbots.ports import Reranker

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "연차", "휴가", "출장", "일비"]


def cross_encoder(folder: Path, outputs: int) -> Path:
    """A cross-encoder of a few hundred weights: what it says means nothing, how it is loaded does."""
    torch.manual_seed(1)
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **special).save_pretrained(folder)
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    config = BertConfig(vocab_size=len(WORDS), num_labels=outputs, max_position_embeddings=32, **shape)
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_cross_encoder_in_a_folder_scores_each_pair(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(cross_encoder(tmp_path / "ranker", outputs=1))
    assert isinstance(reranker, Reranker)
    scores = reranker.scores("연차 휴가", ["연차 휴가", "출장 일비", "휴가"])
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    assert len(set(scores.tolist())) == 3
    assert reranker.scores("연차 휴가", ["출장 일비"])[0] == pytest.approx(scores[1], abs=1e-5)
    assert reranker.id.startswith("ranker@")


def test_a_model_that_sorts_into_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="3 numbers for a pair"):
        CrossEncoderReranker(cross_encoder(tmp_path / "classes", outputs=3))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not the folder"):
        CrossEncoderReranker(tmp_path)
