"""Which version answers, on versions of three rows: no model, no Chroma."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import unit_rows

from ragbots import releases
from ragbots.errors import ChecksNotPassed, DamagedVersion, Locked, NotFound
from ragbots.lexical import build_postings
from ragbots.lexical.postings import FieldWeight
from ragbots.releases import Shelf
from ragbots.state import Database
from ragbots.stores import ExactStoreFactory
from ragbots.stores.versions import FORMAT, Contents, Manifest, SourceReport, version_directories, write_version
from ragbots.types import Address, Block, BlockKind, Chunk, Document, Level, Step

BOT = "travel"
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = {"body": FieldWeight(1.0, 0.5)}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    yield Shelf(tmp_path / "indexes", database, ExactStoreFactory())
    database.close()


def build(shelf: Shelf, number: int, *, inputs: str = "", chunks: int = 3) -> str:
    """Writes version `number`; `chunks` is what the manifest says there are of the three."""
    document = Document("d", "규정.md", "규정", "0" * 64, ())
    addresses = [Address((Step(Level.ARTICLE, n + 1),)) for n in range(3)]
    blocks = tuple(Block(BlockKind.ARTICLE, address, str(address)) for address in addresses)
    pieces = tuple(
        Chunk(f"k{n}", "d", address, ("규정",), "", str(address), (n, n + 1)) for n, address in enumerate(addresses)
    )
    words = build_postings([{"body": [str(n)]} for n in range(3)], BODY)
    report = SourceReport(
        source="규정.md", document_id="d", title="규정", digest="0" * 64, characters=9, characters_indexed=9,
        articles=3, tables=0, rows=0, footnotes=0, pictures=0, chunks=3, pages=None, omissions=(),
    )  # fmt: skip
    manifest = Manifest(
        format=FORMAT, bot=BOT, version=f"v{number}", created_at=START + timedelta(hours=number),
        inputs=inputs or f"inputs {number}", made_by={}, sources=(report,), failures=(), omissions=(),
        chunks=chunks, dimension=32, files={},
    )  # fmt: skip
    contents = Contents(
        documents=(document,), blocks={"d": blocks}, chunks=pieces, vectors=unit_rows(3, seed=number),
        tokens=np.arange(12, dtype=np.int8).reshape(6, 2), token_starts=np.array([0, 1, 3, 6]), words=words,
        bigrams=words, figures=np.eye(3, 4, dtype=bool), references=np.array([[0, 1]], dtype=np.int32),
    )  # fmt: skip
    return write_version(shelf.folder(BOT), contents, manifest).name


def released(shelf: Shelf, *versions: str) -> None:
    for version in versions:
        releases.release(shelf, BOT, version, by="kim")


def damage(shelf: Shelf, version: str, file: str = "vectors.npy") -> None:
    path = shelf.path(BOT, version) / file
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def serving(shelf: Shelf) -> str | None:
    opened, _ = releases.open_released(shelf, BOT)
    return opened.id if opened else None


def test_a_sound_version_is_released_with_its_verdict(shelf: Shelf) -> None:
    released(shelf, build(shelf, 1))
    assert shelf.database.active() == {BOT: "v1"}
    verdict = shelf.database.verdict(BOT, "v1")
    assert verdict is not None
    assert verdict.passed
    assert releases.open_released(shelf, BOT)[1] == ""


@pytest.mark.parametrize("forced_because", [None, "오늘 꼭 필요"])
def test_a_damaged_version_is_never_released(shelf: Shelf, forced_because: str | None) -> None:
    released(shelf, build(shelf, 1))
    damage(shelf, build(shelf, 2))
    with pytest.raises((ChecksNotPassed, DamagedVersion), match=r"vectors\.npy") as caught:
        releases.release(shelf, BOT, "v2", by="kim", forced_because=forced_because)
    assert caught.value.exit_code == 3
    assert shelf.database.active() == {BOT: "v1"}
    verdict = shelf.database.verdict(BOT, "v2")
    assert verdict is not None
    assert not verdict.passed


def test_a_whole_version_that_fails_a_check_is_released_only_with_a_reason(shelf: Shelf) -> None:
    build(shelf, 1, chunks=4)
    with pytest.raises(ChecksNotPassed, match="3 instead of 4"):
        releases.release(shelf, BOT, "v1", by="kim")
    assert shelf.database.active() == {}
    releases.release(shelf, BOT, "v1", by="kim", forced_because="감사 전에 꼭")
    assert shelf.database.active() == {BOT: "v1"}
    assert shelf.database.release_history(BOT)[0].forced_because == "감사 전에 꼭"


def test_a_reason_is_not_recorded_where_none_was_needed(shelf: Shelf) -> None:
    releases.release(shelf, BOT, build(shelf, 1), by="kim", forced_because="혹시 몰라")
    assert shelf.database.release_history(BOT)[0].forced_because is None


@pytest.mark.parametrize("version", ["v9", ".building-v1", ""])
def test_what_is_no_version_is_not_found(shelf: Shelf, version: str) -> None:
    build(shelf, 1)
    (shelf.folder(BOT) / ".building-v1").mkdir()
    with pytest.raises(NotFound):
        releases.release(shelf, BOT, version, by="kim")


class TestRollback:
    def test_back_and_back_again(self, shelf: Shelf) -> None:
        released(shelf, *(build(shelf, number) for number in (1, 2, 3)))
        assert releases.rollback(shelf, BOT, by="lee") == "v2"
        assert releases.rollback(shelf, BOT, by="lee") == "v1"
        with pytest.raises(NotFound, match="no version was released before v1"):
            releases.rollback(shelf, BOT, by="lee")
        assert shelf.database.active() == {BOT: "v1"}
        assert shelf.database.release_history(BOT)[0].action == "rollback"

    def test_after_a_rollback_and_a_new_release_the_withdrawn_one_is_skipped(self, shelf: Shelf) -> None:
        released(shelf, build(shelf, 1), build(shelf, 2))
        releases.rollback(shelf, BOT, by="lee")
        released(shelf, build(shelf, 3))
        assert releases.rollback(shelf, BOT, by="lee") == "v1"

    def test_versions_that_were_pruned_are_skipped(self, shelf: Shelf) -> None:
        released(shelf, *(build(shelf, number) for number in (1, 2, 3)))
        shelf.database.forget_version(BOT, "v2")
        releases.delete_version(shelf.path(BOT, "v2"))
        assert releases.rollback(shelf, BOT, by="lee") == "v1"

    def test_to_and_fro_and_all_pruned(self, shelf: Shelf) -> None:
        build(shelf, 1), build(shelf, 2), build(shelf, 3)
        released(shelf, "v1", "v2", "v1", "v3")
        assert releases.prune(shelf, BOT, 1, START + timedelta(days=1)) == ["v1", "v2"]
        with pytest.raises(NotFound, match="no version was released before v3"):
            releases.rollback(shelf, BOT, by="lee")

    def test_a_damaged_version_is_not_rolled_back_to(self, shelf: Shelf) -> None:
        released(shelf, build(shelf, 1), build(shelf, 2))
        damage(shelf, "v1")
        with pytest.raises(DamagedVersion):
            releases.rollback(shelf, BOT, by="lee")
        assert shelf.database.active() == {BOT: "v2"}

    def test_nothing_released(self, shelf: Shelf) -> None:
        with pytest.raises(NotFound, match="no released version"):
            releases.rollback(shelf, BOT, by="lee")


class TestRecovery:
    @pytest.mark.parametrize(
        "file",
        ["manifest.json", "vectors.npy", "chunks.json", "blocks.json", "words.json", "bigrams.rows.npy", "tokens.npy"],
    )
    def test_whatever_file_was_changed_the_version_before_serves(self, shelf: Shelf, file: str) -> None:
        released(shelf, build(shelf, 1), build(shelf, 2))
        damage(shelf, "v2", file)
        opened, trouble = releases.open_released(shelf, BOT)
        assert opened is not None
        assert opened.id == "v1"
        assert "v2" in trouble
        assert shelf.database.active() == {BOT: "v2"}  # what people decided stays recorded

    @pytest.mark.parametrize("how", ["missing file", "extra file", "missing folder", "another version's folder"])
    def test_other_damage(self, shelf: Shelf, how: str) -> None:
        released(shelf, build(shelf, 1), build(shelf, 2))
        path = shelf.path(BOT, "v2")
        match how:
            case "missing file":
                (path / "blocks.json").unlink()
            case "extra file":
                (path / "notes.txt").write_text("x")
            case "missing folder":
                path.rename(path.with_name("elsewhere"))
            case _:
                build(shelf, 3)
                releases.delete_version(path)
                shelf.path(BOT, "v3").rename(path)
        assert serving(shelf) == "v1"

    def test_a_withdrawn_version_does_not_come_back(self, shelf: Shelf) -> None:
        released(shelf, build(shelf, 1), build(shelf, 2), build(shelf, 3))
        releases.rollback(shelf, BOT, by="lee")  # v3 was wrong
        damage(shelf, "v2")
        assert serving(shelf) == "v1"

    def test_a_version_that_was_never_released_does_not_serve(self, shelf: Shelf) -> None:
        released(shelf, build(shelf, 1))
        build(shelf, 2)
        damage(shelf, "v1")
        opened, trouble = releases.open_released(shelf, BOT)
        assert opened is None
        assert "v1" in trouble

    def test_nothing_released(self, shelf: Shelf) -> None:
        build(shelf, 1)
        assert releases.open_released(shelf, BOT) == (None, "no released version")


class TestPrune:
    def test_the_newest_and_the_released_stay(self, shelf: Shelf) -> None:
        released(shelf, *(build(shelf, number) for number in (1, 2)))
        for number in (3, 4, 5):
            build(shelf, number)
        assert releases.prune(shelf, BOT, 2, START + timedelta(days=1)) == ["v1", "v3"]
        assert [path.name for path in version_directories(shelf.folder(BOT))] == ["v2", "v4", "v5"]
        assert serving(shelf) == "v2"
        assert [record.version for record in shelf.database.versions(BOT)] == ["v2"]  # the others never registered

    def test_the_last_good_version_stays_while_the_released_one_is_damaged(self, shelf: Shelf) -> None:
        released(shelf, *(build(shelf, number) for number in (1, 2, 3)))
        damage(shelf, "v3")
        assert releases.prune(shelf, BOT, 1, START + timedelta(days=1)) == ["v1"]
        assert serving(shelf) == "v2"


class TestSameInputs:
    def test_the_newest_of_the_same_inputs(self, shelf: Shelf) -> None:
        for number, inputs in ((1, "a"), (2, "a"), (3, "b")):
            build(shelf, number, inputs=inputs)
        assert releases.same_inputs(shelf, BOT, "a") == "v2"
        assert releases.same_inputs(shelf, BOT, "c") is None

    @pytest.mark.parametrize("file", ["vectors.npy", "manifest.json"])
    def test_a_damaged_version_does_not_spare_the_build(self, shelf: Shelf, file: str) -> None:
        build(shelf, 1, inputs="a")
        damage(shelf, "v1", file)
        assert releases.same_inputs(shelf, BOT, "a") is None


class TestWriting:
    def test_one_at_a_time_and_the_other_is_told_who(self, shelf: Shelf) -> None:
        told = pytest.raises(Locked, match=r"build of `travel` \(process \d+")
        with shelf.writing(BOT, "build"), told as caught, shelf.writing(BOT, "prune"):
            pytest.fail("both hold it")
        assert caught.value.exit_code == 4
        with shelf.writing("leave", "build"), shelf.writing(BOT, "build"):
            pass  # bots do not wait for each other, and an end gives the lock back

    def test_an_error_gives_the_lock_back(self, shelf: Shelf) -> None:
        with pytest.raises(ZeroDivisionError), shelf.writing(BOT, "build"):
            raise ZeroDivisionError
        with shelf.writing(BOT, "build"):
            pass

    def test_what_a_killed_process_left_is_collected_and_nothing_else(self, shelf: Shelf) -> None:
        build(shelf, 1)
        for name in (".building-v2", ".deleting-v0"):
            (shelf.folder(BOT) / name).mkdir()
            (shelf.folder(BOT) / name / "vectors.npy").write_bytes(b"x")
        with shelf.writing(BOT, "build"):
            assert [path.name for path in shelf.folder(BOT).iterdir()] == ["v1"]


def test_a_version_reads_back_as_it_was_written(shelf: Shelf) -> None:
    released(shelf, build(shelf, 1))
    opened, _ = releases.open_released(shelf, BOT)
    assert opened is not None
    assert [str(chunk.address) for chunk in opened.contents.chunks] == ["제1조", "제2조", "제3조"]
    assert np.array_equal(opened.contents.vectors, unit_rows(3, seed=1))
    assert opened.contents.words.frequency("2") == opened.contents.bigrams.frequency("2") == 1
    assert opened.contents.tokens.tolist() == np.arange(12).reshape(6, 2).tolist()
    assert opened.contents.token_starts.tolist() == [0, 1, 3, 6]
    assert opened.contents.figures.tolist() == np.eye(3, 4, dtype=bool).tolist()
    assert opened.contents.references.tolist() == [[0, 1]]
    assert opened.document_of["d"].source == "규정.md"
