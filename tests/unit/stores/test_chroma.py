"""What is particular to Chroma: its directories, its locks, the damage it does not notice itself."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import unit_rows

from ragbots.errors import ConfigurationError, DamagedVersion, Locked
from ragbots.ports import Vectors, VectorStore
from ragbots.stores.chroma import ChromaStoreFactory

NAME = "personnel--20261123-101500-ab12"
Damage = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "chroma"


@pytest.fixture
def factory(folder: Path) -> ChromaStoreFactory:
    return ChromaStoreFactory(folder, lock_seconds=0.2)


def lost(store: VectorStore, vectors: Vectors) -> list[int]:
    return [row for row in range(len(vectors)) if store.query(vectors[row], 1)[0][0] != row]


def only(directory: Path, name: str) -> Path:
    (path,) = directory.rglob(name)
    return path


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def half_the_vector_file(directory: Path) -> None:
    cut_in_half(only(directory, "data_level0.bin"))


def one_bit_of_the_vector_file(directory: Path) -> None:
    path = only(directory, "data_level0.bin")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def half_the_database(directory: Path) -> None:
    cut_in_half(only(directory, "chroma.sqlite3"))


def not_a_database(directory: Path) -> None:
    only(directory, "chroma.sqlite3").write_bytes(b"nonsense" * 5000)


def no_database(directory: Path) -> None:
    only(directory, "chroma.sqlite3").unlink()


def no_index_files(directory: Path) -> None:
    shutil.rmtree(only(directory, "data_level0.bin").parent)


def no_directory(directory: Path) -> None:
    shutil.rmtree(directory)


@pytest.mark.parametrize(
    "damage",
    [
        half_the_vector_file,
        one_bit_of_the_vector_file,
        half_the_database,
        not_a_database,
        no_database,
        no_index_files,
        no_directory,
    ],
)
def test_damage_is_noticed_on_opening_and_repaired(factory: ChromaStoreFactory, folder: Path, damage: Damage) -> None:
    vectors = unit_rows(400)
    factory.fill(NAME, vectors)
    damage(folder / NAME)
    store = factory.open(NAME, vectors)
    assert store.id == "chroma"
    assert lost(store, vectors) == []
    store.close()


def test_the_check_names_rows_that_a_cut_off_vector_file_lost(factory: ChromaStoreFactory, folder: Path) -> None:
    vectors = unit_rows(400)
    factory.fill(NAME, vectors)
    half_the_vector_file(folder / NAME)
    assert 150 <= len(factory.check(NAME, vectors)) <= 250


def test_the_check_names_every_row_where_there_is_no_store(factory: ChromaStoreFactory) -> None:
    assert factory.check(NAME, unit_rows(5)) == [0, 1, 2, 3, 4]


def test_an_undamaged_store_is_opened_as_it_is(factory: ChromaStoreFactory, folder: Path) -> None:
    vectors = unit_rows(1100)  # more than one batch
    factory.fill(NAME, vectors)
    made = only(folder / NAME, "data_level0.bin")  # below a directory that Chroma names at random
    for _ in range(3):
        store = factory.open(NAME, vectors)
        assert lost(store, vectors[:50]) == []
        store.close()
    assert only(folder / NAME, "data_level0.bin") == made


def test_a_store_whose_check_was_never_finished_is_filled_anew(factory: ChromaStoreFactory, folder: Path) -> None:
    vectors = unit_rows(50)
    factory.fill(NAME, vectors)
    made = only(folder / NAME, "data_level0.bin")  # below a directory that Chroma names at random
    (marker,) = folder.glob("*.checked.json")
    marker.unlink()
    factory.open(NAME, vectors).close()
    assert only(folder / NAME, "data_level0.bin") != made
    assert json.loads(marker.read_text("utf-8"))["files"]


def test_deleting_gives_the_disk_back(factory: ChromaStoreFactory, folder: Path) -> None:
    factory.fill(NAME, unit_rows(200))
    leftover = folder / f".{NAME}.abcd1234.tmp"  # as a killed process leaves it
    leftover.mkdir()
    assert (folder / NAME).is_dir()
    factory.delete(NAME)
    assert list(folder.iterdir()) == []


def test_what_killed_processes_left_is_collected_and_what_is_held_stays(
    factory: ChromaStoreFactory, folder: Path
) -> None:
    kept, doomed, held = f"{NAME}-1", f"{NAME}-2", f"{NAME}-3"
    factory.fill(kept, unit_rows(20))
    whole = {path.name for path in folder.iterdir()}
    stores = [factory.open(name, unit_rows(20)) for name in (doomed, held)]
    stores[0].close()
    for name in (kept, doomed, held, f"{NAME}-4"):  # that of a filling which never came to a store
        (folder / f".{name}.abcd_123.tmp").mkdir()
    factory.collect(lambda name: name != kept)
    left = {path.name for path in folder.iterdir()}
    assert left == {*whole, held, f".{held}.lock", f".{held}.checked.json", f".{held}.abcd_123.tmp"}
    stores[1].close()
    factory.collect(lambda name: name != kept)
    assert {path.name for path in folder.iterdir()} == whole


def test_names_that_could_leave_the_folder_are_refused(factory: ChromaStoreFactory) -> None:
    for name in ("../elsewhere", "a/b", "", "ab", ".hidden", "한글", "x" * 600):
        with pytest.raises(ConfigurationError):
            factory.open(name, unit_rows(5))


HOLDER = """
import sys
from pathlib import Path
import numpy as np
from ragbots.stores.chroma import ChromaStoreFactory
store = ChromaStoreFactory(Path(sys.argv[1]), lock_seconds=5.0).open(sys.argv[2], np.load(sys.argv[3]))
print(store.id, flush=True)
sys.stdin.readline()
"""


def test_a_second_process_answers_by_the_exact_scan(
    factory: ChromaStoreFactory, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = unit_rows(60)
    factory.fill(NAME, vectors)
    np.save(folder / "vectors.npy", vectors)
    command = [sys.executable, "-c", HOLDER, str(folder), NAME, str(folder / "vectors.npy")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "chroma\n"
        with caplog.at_level(logging.INFO):
            store = factory.open(NAME, vectors)
        assert store.id == "exact"
        assert lost(store, vectors) == []
        assert "held by another process" in caplog.text
        for forbidden in (lambda: factory.fill(NAME, vectors), lambda: factory.check(NAME, vectors)):
            with pytest.raises(Locked):
                forbidden()
        with pytest.raises(Locked):
            factory.delete(NAME)
        other.kill()  # the lock dies with its holder
    store = factory.open(NAME, vectors)
    assert store.id == "chroma"
    store.close()


def test_where_chroma_cannot_write_questions_are_still_answered(
    factory: ChromaStoreFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(directory: Path, vectors: Vectors) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ragbots.stores.chroma._write", full)
    vectors = unit_rows(30)
    with pytest.raises(DamagedVersion, match="No space left"):
        factory.fill(NAME, vectors)
    store = factory.open(NAME, vectors)
    assert store.id == "exact"
    assert lost(store, vectors) == []
    assert "answering by the exact scan" in caplog.text


@pytest.mark.slow
def test_recall_against_the_exact_scan(factory: ChromaStoreFactory) -> None:
    rows = unit_rows(20_050, 128)
    vectors, questions = rows[:20_000], rows[20_000:]  # questions on the topics of the documents
    store = factory.open(NAME, vectors)
    found = [{row for row, _ in store.query(question, 10)} for question in questions]
    wanted = [set(np.argsort(-(vectors @ question))[:10].tolist()) for question in questions]
    store.close()
    assert sum(len(one & other) for one, other in zip(found, wanted, strict=True)) >= 0.97 * 500


@pytest.mark.slow
def test_memory_and_files_do_not_grow_over_many_swaps(factory: ChromaStoreFactory) -> None:
    vectors = [unit_rows(200, seed=seed) for seed in range(4)]
    names = [f"bot--version-{number}" for number in range(4)]

    def swap(times: int) -> tuple[int, int]:
        for turn in range(times):
            store = factory.open(names[turn % 4], vectors[turn % 4])
            assert store.query(vectors[turn % 4][turn % 200], 1)[0][0] == turn % 200
            store.close()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path("/proc/self/fd").iterdir()))

    memory_before, files_before = swap(100)
    memory_after, files_after = swap(int(os.environ.get("TEST_SWAPS", "300")))  # a thousand take minutes
    assert memory_after - memory_before < 40 * 2**20
    assert files_after - files_before <= 4
