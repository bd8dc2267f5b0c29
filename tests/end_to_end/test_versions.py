"""Builds that are killed, doubled or repeated; versions that are damaged, rolled back and pruned."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.end_to_end.installation import PLANTS, RAGBOTS, VISITORS, WATER, Installation, ask, here
from tests.fakes import RecordingProgress

from ragbots.types import Status

# A build that says when it is in the middle of writing its version, and waits there for a file.
PAUSED = """
import pathlib, sys, time
from ragbots.cli.main import main
from ragbots.stores import versions

flush, go = versions._flush, pathlib.Path(sys.argv.pop(1))

def paused(path):
    print("writing", flush=True)
    while not go.exists():
        time.sleep(0.05)
    flush(path)

versions._flush = paused
main()
"""
CHANGED = PLANTS.replace("주 2회", "주 5회")


def wait_for_writing(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line == "writing\n", line + "".join(running.communicate())


def test_a_killed_build_leaves_the_released_version_serving_and_the_next_cleans_up(built: Installation) -> None:
    (first,) = built.versions()
    with built.open() as server:
        assert ask(server, WATER).index_version == first
        built.put({"화분관리규정.md": CHANGED})
        command = ("index", "build", "office", "--release")
        running = built.start(sys.executable, "-c", PAUSED, str(built.root / "never"), *command)
        with running:
            wait_for_writing(running)
            assert ask(server, WATER).index_version == first
            running.send_signal(signal.SIGKILL)
            running.wait(timeout=20)
        left = [name for name in built.versions() if name.startswith(".building-")]
        assert len(left) == 1
        with built.open() as another:  # a server that starts now
            assert ask(another, WATER).index_version == first
            another.warm_up()
            assert another.ready() == (True, {"office": first})
        status = built.cli("index", "status", "office", "--json").json["bots"][0]
        assert [version["version"] for version in status["versions"]] == [first]
        built.put({"화분관리규정.md": PLANTS.replace("주 2회", "주 6회")})  # what is built next has another name
        second = built.build()
    assert built.versions() == sorted([first, second])  # and nothing else
    with built.open() as server:
        assert "주 6회" in ask(server, WATER).answer


def test_of_two_builds_at_once_one_wins_and_the_other_names_it(built: Installation) -> None:
    built.put({"화분관리규정.md": CHANGED})
    go = built.root / "go"
    running = built.start(sys.executable, "-c", PAUSED, str(go), "index", "build", "office", "--release", "--json")
    with running:
        wait_for_writing(running)
        for command in (("build", "office", "--release"), ("rollback", "office"), ("prune", "office")):
            done = built.cli("index", *command)
            assert done.code == 4
            assert f"build of `office` (process {running.pid}" in done.err
        go.touch()
        out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    version = json.loads(out[out.index("{") :])["bots"][0]["version"]
    with built.open() as server:
        assert ask(server, WATER).index_version == version


def test_two_builds_on_a_fresh_machine_at_once(empty: Installation) -> None:
    for bot in ("one", "two"):
        empty.add(bot, {"규정.md": PLANTS})
    both = [empty.start(str(RAGBOTS), "index", "build", bot, "--release") for bot in ("one", "two")]
    ended = [(*running.communicate(timeout=120), running.returncode) for running in both]
    assert [code for _, _, code in ended] == [0, 0], ended
    with empty.open() as runtime:
        assert set(runtime.released()) == {"one", "two"}


class TestDamage:
    @pytest.fixture
    def two(self, built: Installation) -> tuple[str, str]:
        """The version before, and the released one, of other content."""
        (first,) = built.versions()
        built.put({"화분관리규정.md": CHANGED})
        return first, built.build()

    @pytest.mark.parametrize("how", ["cut off", "edited", "removed"])
    def test_it_is_found_at_start_and_the_last_good_version_serves(
        self, built: Installation, two: tuple[str, str], how: str
    ) -> None:
        first, second = two
        folder = built.data / "indexes" / "office" / second
        match how:
            case "cut off":
                vectors = folder / "vectors.npy"
                vectors.write_bytes(vectors.read_bytes()[:-400])
            case "edited":
                blocks = folder / "blocks.json"
                blocks.write_text(blocks.read_text("utf-8").replace("주 5회", "주 9회"), "utf-8")
            case _:
                (folder / "chunks.json").unlink()
        with built.open() as server:
            server.warm_up()
            ready, state = server.ready()
            assert ready
            assert second in state["office"]
            assert "damaged" in state["office"]
            answer = ask(server, WATER)
            assert (answer.index_version, "주 2회" in answer.answer) == (first, True)
        verified = built.cli("index", "verify", "office")
        assert verified.code == 3
        assert str(folder) in verified.out
        doctor = built.cli("doctor", "--json")
        assert doctor.code == 1
        assert any(finding["what"] == "office" and finding["ok"] is False for finding in doctor.json["findings"])

    def test_building_again_mends_it(self, built: Installation, two: tuple[str, str], embedded: list[str]) -> None:
        _, second = two
        (built.data / "indexes" / "office" / second / "blocks.json").write_text("{}")
        third = built.build()
        assert third != second
        assert embedded == []  # out of the cache
        with built.open() as server:
            server.warm_up()
            assert server.ready() == (True, {"office": third})
            assert "주 5회" in ask(server, WATER).answer

    def test_a_damaged_version_is_not_released(self, built: Installation, two: tuple[str, str]) -> None:
        first, second = two
        (built.data / "indexes" / "office" / first / "blocks.json").write_text("{}")
        for command in (
            ("release", "office", first),
            ("release", "office", first, "--force", "꼭"),
            ("rollback", "office"),
        ):
            assert built.cli("index", *command).code == 3
        with built.open() as server:
            assert server.released() == {"office": second}

    def test_with_no_good_version_left_the_others_serve(self, built: Installation) -> None:
        (only,) = built.versions()
        built.add("other", {"규정.md": VISITORS})
        built.build("other")
        (built.data / "indexes" / "office" / only / "manifest.json").write_text("{}")
        with built.open() as server:
            server.warm_up()
            ready, state = server.ready()
            assert ready
            assert "damaged" in state["office"]
            assert ask(server, "방문객 주차 요금은 30분마다 얼마인가요?", "other").status is Status.ANSWERED
        assert built.cli("ask", "--bot", "office", WATER).code == 1


class TestRepetition:
    def test_a_second_build_of_all_embeds_nothing_and_changes_nothing(
        self, built: Installation, embedded: list[str]
    ) -> None:
        (first,) = built.versions()
        done = built.cli("index", "build", "--all", "--release", "--json")
        (result,) = done.json["bots"]
        assert (done.code, result["status"], result["version"]) == (0, "unchanged", first)
        assert embedded == []
        assert built.versions() == [first]
        with built.open() as runtime:
            assert len(runtime.database.release_history("office")) == 1

    def test_an_index_removed_by_hand_comes_back_without_embedding(
        self, built: Installation, embedded: list[str]
    ) -> None:
        shutil.rmtree(built.data / "indexes")
        built.build()
        assert embedded == []
        with built.open() as runtime:
            assert ask(runtime, WATER).status is Status.ANSWERED

    def test_builds_in_one_second_do_not_collide(self, built: Installation) -> None:
        made = []
        with built.open() as runtime:
            for times in ("5회", "6회", "7회"):
                built.put({"화분관리규정.md": PLANTS.replace("주 2회", f"주 {times}")})
                made.append(runtime.build("office", RecordingProgress()).version)
        assert len(set(made)) == 3
        assert made == sorted(made)


def test_a_running_server_swaps_to_what_is_released_rolled_back_and_pruned(
    built: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragbots.runtime.POINTER_SECONDS", 0.0)
    (first,) = built.versions()
    with built.open() as server:
        old = ask(server, WATER)
        built.put({"화분관리규정.md": CHANGED})
        assert built.cli("index", "build", "office").code == 0
        assert ask(server, WATER).index_version == first  # built is not released
        second = next(name for name in built.versions() if name != first)
        assert built.cli("index", "release", "office", second).code == 0
        assert "주 5회" in ask(server, WATER).answer
        assert server.passage(old.citations[0].id, here(server)).quote == old.citations[0].quote
        assert built.cli("index", "rollback", "office", "--json").json == {"bot": "office", "released": first}
        assert "주 2회" in ask(server, WATER).answer
        again = built.cli("index", "rollback", "office")
        assert again.code == 2
        assert "no version was released before" in again.err
        assert built.cli("index", "prune", "office", "--keep", "1", "--json").json == {"deleted": {"office": []}}
        assert built.versions() == sorted([first, second])  # the released and the newest
        built.cli("index", "release", "office", second)
        prune = ("index", "prune", "office", "--keep", "1", "--json")
        assert built.cli(*prune).json == {"deleted": {"office": []}}  # answers cite the first
        assert server.passage(old.citations[0].id, here(server)).quote == old.citations[0].quote
        assert built.cli(*prune, "--cited-days", "0").json == {"deleted": {"office": [first]}}
        assert built.versions() == [second]
        assert ask(server, WATER).index_version == second
        history = built.cli("index", "status", "office", "--json").json["bots"][0]["history"]
    assert [(entry["version"], entry["action"]) for entry in history] == [
        (second, "release"), (first, "rollback"), (second, "release"), (first, "release"),
    ]  # fmt: skip


def test_chroma_serves_as_the_exact_scan_does_and_its_loss_is_mended(built: Installation) -> None:
    done = built.cli("index", "build", "office", "--release", RAGBOTS_STORE="chroma")
    assert done.code == 0, done.err
    assert built.cli("index", "verify", "office", RAGBOTS_STORE="chroma").code == 0
    with built.open() as exact, built.open(RAGBOTS_STORE="chroma") as chroma:
        one, other = (runtime.search("office", WATER, 5, here(runtime)).hits for runtime in (exact, chroma))
    assert [hit.chunk for hit in one] == [hit.chunk for hit in other]
    for path in (built.data / "chroma").rglob("*.bin"):
        path.write_bytes(b"")
    with built.open(RAGBOTS_STORE="chroma") as mended:
        assert ask(mended, WATER).status is Status.ANSWERED


def test_a_data_folder_that_cannot_be_used(built: Installation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = built.cli("ask", WATER, "--data-dir", str(tmp_path / "file"))
    assert done.code == 2
    assert str(tmp_path / "file") in done.err
