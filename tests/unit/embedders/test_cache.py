from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes import HashingEmbedder, RecordingProgress

from ragbots.embedders.cache import CachedEmbedder, EmbeddingCache, Made
from ragbots.ports import Vectors


def texts(count: int, start: int = 0) -> list[str]:
    return [f"제{number}조(휴가) 직원은 휴가를 쓸 수 있다." for number in range(start, start + count)]


def test_what_was_embedded_once_is_not_embedded_again(tmp_path: Path) -> None:
    first, second = HashingEmbedder(), HashingEmbedder()
    vectors = CachedEmbedder(first, tmp_path).embed_passages(texts(20))
    again = CachedEmbedder(second, tmp_path)
    assert np.array_equal(again.embed_passages(texts(20)), vectors)
    assert second.calls == []
    assert (again.hits, again.misses) == (20, 0)


def test_only_the_changed_text_is_embedded(tmp_path: Path) -> None:
    CachedEmbedder(HashingEmbedder(), tmp_path).embed_passages(texts(1000))
    changed = texts(1000)
    changed[500] = "제500조(휴가) 개정된 조문이다."
    embedder = HashingEmbedder()
    cached = CachedEmbedder(embedder, tmp_path)
    cached.embed_passages(changed)
    assert embedder.calls == [["제500조(휴가) 개정된 조문이다."]]
    assert (cached.hits, cached.misses) == (999, 1)


@settings(deadline=None, max_examples=25)
@given(words=st.lists(st.sampled_from(["연차", "출장", "급여", "여비", ""]), max_size=12))
def test_each_distinct_text_once_and_the_order_kept(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    embedder = HashingEmbedder()
    cached = CachedEmbedder(embedder, tmp_path_factory.mktemp("cache"))
    vectors = cached.embed_passages(words)
    assert np.array_equal(vectors, HashingEmbedder().embed_passages(words))
    assert sorted(text for call in embedder.calls for text in call) == sorted(set(words))
    assert (cached.hits, cached.misses) == (len(words) - len(set(words)), len(set(words)))


def test_embedders_do_not_share_vectors(tmp_path: Path) -> None:
    CachedEmbedder(HashingEmbedder(id="model@1+float32"), tmp_path).embed_passages(texts(3))
    other = HashingEmbedder(id="model@2+float32")
    CachedEmbedder(other, tmp_path).embed_passages(texts(3))
    assert len(other.calls) == 1


def test_progress_counts_only_what_is_embedded(tmp_path: Path) -> None:
    CachedEmbedder(HashingEmbedder(), tmp_path).embed_passages(texts(100))
    progress = RecordingProgress()
    cached = CachedEmbedder(HashingEmbedder(), tmp_path, progress)
    cached.embed_passages(texts(400))
    assert progress.steps == [("embedding", 300)]
    assert progress.advanced == 300
    cached.embed_passages(texts(400))
    assert progress.advanced == 300


class Failing(HashingEmbedder):
    """Dies after some batches, as a killed build does."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._batches = batches

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if len(self.calls) == self._batches:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_an_interrupted_build_keeps_its_work(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        CachedEmbedder(Failing(batches=2), tmp_path).embed_passages(texts(1000))
    resumed = CachedEmbedder(HashingEmbedder(), tmp_path)
    resumed.embed_passages(texts(1000))
    assert resumed.hits >= 200


WRITER = """
import sys
from pathlib import Path
import numpy as np
from ragbots.embedders.cache import EmbeddingCache, Made
cache, start = EmbeddingCache(Path(sys.argv[1]), "model@1", 4, 2), int(sys.argv[2])
for number in range(start, start + 400, 4):
    made = Made(np.array([1, 0, 0, 0], np.float32), np.ones((3, 2), np.int8))
    cache.put({f"text {n}": made for n in range(number, number + 4)})
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), start] for start in ("0", "300")]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(EmbeddingCache(tmp_path, "model@1", 4, 2).get([f"text {number}" for number in range(700)])) == 700


def test_a_killed_process_leaves_whole_transactions(tmp_path: Path) -> None:
    forever = WRITER.replace("start + 400", "start + 10**9")
    process = subprocess.Popen([sys.executable, "-c", forever, str(tmp_path), "0"])
    cache = EmbeddingCache(tmp_path, "model@1", 4, 2)
    deadline = time.monotonic() + 60
    while not cache.get(["text 200"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait(60)
    found = len(cache.get([f"text {number}" for number in range(100_000)]))
    assert found >= 200
    assert found % 4 == 0


@pytest.mark.parametrize("damage", [b"this is no database" * 500, b""])
def test_a_damaged_file_is_set_aside_and_filled_anew(tmp_path: Path, damage: bytes) -> None:
    first = CachedEmbedder(HashingEmbedder(), tmp_path)
    vectors = first.embed_passages(texts(50))
    (path,) = tmp_path.glob("*.sqlite3")
    path.write_bytes(damage)
    again = CachedEmbedder(HashingEmbedder(), tmp_path)
    assert np.array_equal(again.embed_passages(texts(50)), vectors)
    assert again.misses == 50
    assert CachedEmbedder(HashingEmbedder(), tmp_path).embed_passages(texts(50)).shape == (50, 64)


def test_a_damaged_page_in_the_middle_is_noticed(tmp_path: Path) -> None:
    CachedEmbedder(HashingEmbedder(), tmp_path).embed_passages(texts(600))
    (path,) = tmp_path.glob("*.sqlite3")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    data = bytearray(path.read_bytes())
    data[8192:-4096] = bytes(len(data) - 8192 - 4096)
    path.write_bytes(data)
    wanted = HashingEmbedder().embed_passages(texts(600))
    assert np.array_equal(CachedEmbedder(HashingEmbedder(), tmp_path).embed_passages(texts(600)), wanted)


def test_a_vector_that_is_not_whole_is_not_served(tmp_path: Path) -> None:
    cache, tokens = EmbeddingCache(tmp_path, "model@1", 4, 2), np.ones((3, 2), np.int8)
    cache.put(
        {
            "sound": Made(np.array([1, 0, 0, 0], np.float32), tokens),
            "short": Made(np.array([1, 0], np.float32), tokens),
            "not of length 1": Made(np.zeros(4, np.float32), tokens),
            "not a number": Made(np.full(4, np.nan, np.float32), tokens),
            "half a token": Made(np.array([1, 0, 0, 0], np.float32), tokens[0, :1]),
        }
    )
    asked = ["sound", "short", "not of length 1", "not a number", "half a token", "never seen"]
    assert list(cache.get(asked)) == ["sound"]


def test_the_vectors_of_tokens_come_back_as_they_were(tmp_path: Path) -> None:
    passages = ["연차 휴가", "하루 숙박비 한도", "연차 휴가"]
    made = CachedEmbedder(HashingEmbedder(), tmp_path).embed_passages_by_token(passages)
    known = CachedEmbedder(HashingEmbedder(), tmp_path)
    again = known.embed_passages_by_token(passages)
    assert known.misses == 0
    assert [tokens.shape for tokens in again.tokens] == [(2, 64), (3, 64), (2, 64)]
    assert all(np.array_equal(one, other) for one, other in zip(made.tokens, again.tokens, strict=True))
