"""What every Embedder promises, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.fakes import HashingEmbedder

from ragbots.embedders import sentence
from ragbots.embedders.cache import CachedEmbedder
from ragbots.ports import Embedder
from ragbots.ranking import late_interaction

LEAVE = "제60조(연차 유급휴가) 사용자는 1년간 80퍼센트 이상 출근한 근로자에게 15일의 유급휴가를 주어야 한다."
TRAVEL = "제5조(일비와 식비) 국내 출장의 일비는 하루 25,000원으로 한다."
TEXTS = [LEAVE, "A", TRAVEL, "가나다 " * 60, "", LEAVE]


class EmbedderContract:
    """Subclasses give an `embedder`."""

    def test_rows_are_unit_float32_in_the_order_of_the_texts(self, embedder: Embedder) -> None:
        vectors = embedder.embed_passages(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
        for row, text in enumerate(TEXTS):
            assert vectors[row] @ embedder.embed_passages([text])[0] > 0.999

    def test_no_texts_give_no_rows(self, embedder: Embedder) -> None:
        assert embedder.embed_passages([]).shape == (0, embedder.dimension)
        assert embedder.count_tokens([]) == []

    def test_a_question_is_one_unit_vector(self, embedder: Embedder) -> None:
        vector = embedder.embed_question("연차는 며칠인가요?")
        assert vector.shape == (embedder.dimension,)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)

    def test_a_question_is_nearest_to_the_passage_about_it(self, embedder: Embedder) -> None:
        passages = embedder.embed_passages([TRAVEL, LEAVE])
        assert np.argmax(passages @ embedder.embed_question("연차 유급휴가는 며칠?")) == 1
        assert np.argmax(passages @ embedder.embed_question("국내 출장 일비는 하루 얼마?")) == 0

    def test_tokens_come_with_the_same_vectors(self, embedder: Embedder) -> None:
        texts = [LEAVE, TRAVEL]
        passages, question = embedder.embed_passages_by_token(texts), embedder.embed_question_by_token("연차는?")
        assert np.allclose(passages.vectors, embedder.embed_passages(texts), atol=1e-6)
        assert np.allclose(question.vectors[0], embedder.embed_question("연차는?"), atol=1e-6)
        for tokens in (*passages.tokens, *question.tokens):
            assert tokens.dtype == np.int8
            assert tokens.shape[1] == embedder.token_dimension
            assert len(tokens) > 0

    def test_a_question_s_tokens_are_nearest_to_those_of_the_passage_about_it(self, embedder: Embedder) -> None:
        passages = embedder.embed_passages_by_token([TRAVEL, LEAVE]).tokens
        starts = np.cumsum([0, *(len(one) for one in passages)])
        question = embedder.embed_question_by_token("국내 출장 일비는 하루 얼마?").tokens[0]
        assert np.argmax(late_interaction(question, np.concatenate(passages), starts).scores) == 0

    def test_the_same_text_gives_the_same_vector(self, embedder: Embedder) -> None:
        assert np.allclose(embedder.embed_question(LEAVE), embedder.embed_question(LEAVE), atol=1e-6)

    def test_longer_passages_count_more_tokens(self, embedder: Embedder) -> None:
        short, longer = embedder.count_tokens(["휴가", "휴가 " * 2000])
        assert 0 < short < longer
        assert longer > embedder.max_tokens  # counted whole, not as cut off

    def test_it_says_what_its_vectors_depend_on(self, embedder: Embedder) -> None:
        assert embedder.id
        assert embedder.dimension > 0
        assert isinstance(embedder, Embedder)


class TestHashingEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashingEmbedder(dimension=256)


class TestCachedEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        return CachedEmbedder(HashingEmbedder(dimension=256), tmp_path)


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return sentence.bundled(tmp_path_factory.mktemp("models"), dtype=request.param)


@pytest.mark.slow
class TestBundledModel(EmbedderContract):
    @pytest.fixture
    def embedder(self, model: Embedder) -> Embedder:
        return model
