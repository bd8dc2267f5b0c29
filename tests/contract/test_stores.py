"""What every vector store promises, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.fakes import unit_rows

from ragbots.ports import Vectors, VectorStore, VectorStoreFactory
from ragbots.stores.chroma import ChromaStoreFactory
from ragbots.stores.exact import ExactStoreFactory

NAME = "travel-expenses--20261123-101500-ab12"


def ask(factory: VectorStoreFactory, name: str, vectors: Vectors, vector: Vectors, k: int) -> list[tuple[int, float]]:
    store = factory.open(name, vectors)
    try:
        return store.query(vector, k)
    finally:
        store.close()


class StoreContract:
    """Subclasses give a `factory`."""

    def test_best_first_with_the_cosines_of_numpy(self, factory: VectorStoreFactory) -> None:
        vectors, questions = unit_rows(300), unit_rows(10, seed=7)
        factory.fill(NAME, vectors)
        store = factory.open(NAME, vectors)
        for question in questions:
            hits = store.query(question, 10)
            cosines = vectors @ question
            assert {row for row, _ in hits} == set(np.argsort(-cosines)[:10].tolist())
            assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
            assert all(abs(score - cosines[row]) < 1e-3 for row, score in hits)
        store.close()

    def test_more_asked_for_than_there_is(self, factory: VectorStoreFactory) -> None:
        vectors = unit_rows(7)
        assert sorted(row for row, _ in ask(factory, NAME, vectors, vectors[3], 50)) == list(range(7))

    def test_none_asked_for(self, factory: VectorStoreFactory) -> None:
        vectors = unit_rows(7)
        assert ask(factory, NAME, vectors, vectors[0], 0) == []

    def test_an_empty_store_finds_nothing(self, factory: VectorStoreFactory) -> None:
        nothing = np.empty((0, 32), np.float32)
        factory.fill(NAME, nothing)
        assert ask(factory, NAME, nothing, unit_rows(1)[0], 5) == []
        assert factory.check(NAME, nothing) == []

    def test_a_single_row_is_found(self, factory: VectorStoreFactory) -> None:
        vectors = unit_rows(1)
        assert [row for row, _ in ask(factory, NAME, vectors, vectors[0], 5)] == [0]

    def test_opening_what_was_never_filled_fills_it(self, factory: VectorStoreFactory) -> None:
        vectors = unit_rows(20)
        assert ask(factory, "never-filled", vectors, vectors[11], 1)[0][0] == 11

    def test_filling_again_replaces(self, factory: VectorStoreFactory) -> None:
        before, after = unit_rows(40, seed=1), unit_rows(25, seed=2)
        factory.fill(NAME, before)
        factory.fill(NAME, after)
        assert sorted(row for row, _ in ask(factory, NAME, after, after[0], 100)) == list(range(25))

    def test_a_store_made_of_other_vectors_is_not_trusted(self, factory: VectorStoreFactory) -> None:
        factory.fill(NAME, unit_rows(25, seed=1))
        vectors = unit_rows(25, seed=2)
        assert all(ask(factory, NAME, vectors, vectors[row], 1)[0][0] == row for row in range(25))

    def test_deleted_then_opened_again(self, factory: VectorStoreFactory) -> None:
        vectors = unit_rows(30)
        factory.fill(NAME, vectors)
        factory.delete(NAME)
        factory.delete(NAME)  # deleting what is not there is no error
        factory.delete("never-there")
        assert ask(factory, NAME, vectors, vectors[29], 1)[0][0] == 29

    def test_a_sound_store_passes_its_check(self, factory: VectorStoreFactory) -> None:
        vectors = unit_rows(60)
        vectors[41] = vectors[3]  # equal vectors may answer for each other
        factory.fill(NAME, vectors)
        assert factory.check(NAME, vectors) == []

    def test_two_stores_do_not_mix(self, factory: VectorStoreFactory) -> None:
        one, other = unit_rows(20, seed=3), unit_rows(30, seed=4)
        first, second = factory.open("bot--one", one), factory.open("bot--two", other)
        assert len(first.query(other[0], 100)) == 20
        assert second.query(other[25], 1)[0][0] == 25
        factory.delete("not-one-of-them")
        first.close()
        assert second.query(other[7], 1)[0][0] == 7
        second.close()

    def test_of_what_is_collected_the_rest_stays(self, factory: VectorStoreFactory) -> None:
        one, other = unit_rows(20, seed=3), unit_rows(30, seed=4)
        factory.collect(lambda _: True)  # where there is nothing yet
        factory.fill("bot--one", one)
        factory.fill("bot--two", other)
        factory.collect(lambda name: name == "bot--one")
        assert factory.check("bot--two", other) == []
        assert ask(factory, "bot--one", one, one[7], 1)[0][0] == 7

    def test_memory_mapped_vectors(self, factory: VectorStoreFactory, tmp_path: Path) -> None:
        np.save(tmp_path / "vectors.npy", unit_rows(15))
        mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
        assert ask(factory, NAME, mapped, np.array(mapped[9]), 1)[0][0] == 9

    def test_it_is_what_the_port_describes(self, factory: VectorStoreFactory) -> None:
        assert isinstance(factory, VectorStoreFactory)
        store = factory.open(NAME, unit_rows(5))
        assert isinstance(store, VectorStore)
        assert store.id
        store.close()
        store.close()  # twice does no harm


class TestExactStore(StoreContract):
    @pytest.fixture
    def factory(self) -> VectorStoreFactory:
        return ExactStoreFactory()


class TestChromaStore(StoreContract):
    @pytest.fixture
    def factory(self, tmp_path: Path) -> VectorStoreFactory:
        return ChromaStoreFactory(tmp_path / "chroma", lock_seconds=0.2)
