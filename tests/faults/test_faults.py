"""Faults at every step and at moments nobody chose.

`TEST_FAULTS` says how many: a few in every run; with 200 there are 200 kills, 100 swaps under load, 50 damaged
files, 50 races, 20 full disks and 1,000 swaps while memory is watched.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.end_to_end.installation import PLANTS, WATER, ask, told, wait_for_an_answer_from
from tests.fakes import RecordingProgress
from tests.faults.commands import STEPS, STORE_STEPS
from tests.faults.conftest import Office

from ragbots import releases
from ragbots.runtime import BLIND, WATCH_SECONDS, Runtime
from ragbots.state import Database
from ragbots.stores.versions import open_version, write_version

FAULTS = int(os.environ.get("TEST_FAULTS", "4"))
SOME = 20  # up to which it is a few
START_SECONDS = 30.0  # 10 are promised, of a machine that has not much else to do; the slowest is printed
PATIENCE = 120.0  # for what has no limit of its own
LOCK_SECONDS = 30.0
QUESTIONS_PER_SECOND = 50
ASKING = 8  # people at once
BETWEEN_SWAPS = 1.0
MEMORY_GROWTH = 0.05
MOST_LEFT = 200_000  # bytes; a build and what the state database adds take about as much

pytestmark = pytest.mark.timeout(120 + 60 * FAULTS)


def times(share: float) -> int:
    return max(2, round(FAULTS * share))


def water(office: Office, number: int) -> None:
    office.put({"화분관리규정.md": PLANTS.replace("주 2회", f"주 {number}회")})


def starts_and_answers(office: Office) -> str:
    """The version from which a server that starts now answers, soon enough."""
    began = time.monotonic()
    with office.open() as another:
        another.warm_up()
        version = ask(another, WATER).index_version
        assert time.monotonic() - began < START_SECONDS
        assert another.ready() == (True, {"office": version})
    assert version is not None
    return version


class TestKills:
    @pytest.mark.parametrize("step", STEPS)
    def test_at_a_step_nothing_is_lost_and_the_next_run_clears_up(self, office: Office, step: str) -> None:
        (first,) = office.versions()
        commands = [("index", "build", "office", "--release")]
        water(office, 5)
        if step.startswith("prune"):
            assert office.run(*commands[0]).code == 0
            commands = [("index", "prune", "office", "--keep", "1", "--cited-days", "0")]
        before = {name for name in office.versions() if not name.startswith(".")}
        with office.open() as server:
            live = server.released()["office"]
            said = told(ask(server, WATER))
            assert office.run(*commands[0], step=step).code == -9
            again = ask(server, WATER)
            assert (again.index_version, told(again)) in ((live, said), (again.index_version, "5"))
            released = server.database.active()["office"]
        there = {name for name in office.versions() if not name.startswith(".")}
        assert released in there
        assert before - there <= ({first} if step.startswith("prune") else set())
        assert starts_and_answers(office) == released
        done = office.run(*commands[0])
        assert done.code == 0, done.out
        assert not [name for name in office.versions() if name.startswith(".")]
        with office.open() as last:
            assert told(ask(last, WATER)) == "5"
            assert [record.version for record in reversed(last.database.versions("office"))] == office.versions()

    def test_over_a_store_its_leftovers_are_collected(self, office: Office) -> None:
        """A command with Chroma, killed: after the next one there is what the versions need that are there."""
        folder = office.data / "chroma"
        build, chroma = ("index", "build", "office", "--release"), {"RAGBOTS_STORE": "chroma"}
        prune = ("index", "prune", "office", "--keep", "1", "--cited-days", "0")
        for number, step in enumerate(list(STORE_STEPS)[:: 1 if FAULTS > SOME else 3]):
            water(office, number + 3)
            command = prune if step.startswith("prune") else build
            if command is prune:
                assert office.run(*build, **chroma).code == 0
            assert office.run(*command, step=step, **chroma).code == -9, step
            water(office, number + 100)  # what is built next is another version
            assert office.run(*build, **chroma).code == 0
            needed = {f"office--{version}" for version in office.versions()}
            there = {path.name for path in folder.iterdir()}
            assert not [name for name in there if name.endswith(".tmp")], step
            assert {name for name in there if not name.startswith(".")} <= needed, step
        assert office.run(*prune, **chroma).code == 0
        (live,) = office.versions()
        store = f"office--{live}"
        assert {path.name for path in folder.iterdir()} == {store, f".{store}.lock", f".{store}.checked.json"}

    def test_at_any_moment_nothing_is_lost(self, office: Office) -> None:
        moments = random.Random(1)
        slowest, killed = 0.0, 0
        began = time.monotonic()
        water(office, 3)
        assert office.run("index", "build", "office", "--release").code == 0
        takes = time.monotonic() - began
        with office.open() as server:
            ask(server, WATER)
            for number in range(FAULTS):
                water(office, number + 4)
                command = ("prune", "office", "--keep", "2", "--cited-days", "0") if number % 4 == 3 else (
                    "build", "office", "--release",
                )  # fmt: skip
                before = [name for name in office.versions() if not name.startswith(".")]
                pid = office.begin("index", *command)
                time.sleep(moments.uniform(0.0, takes))
                ask(server, WATER)
                with suppress(ProcessLookupError):
                    office.kill(pid)
                code = office.ended()
                assert code in (0, -9)
                killed += code == -9
                told(ask(server, WATER))
                there = office.versions()
                assert command[0] == "prune" or set(before) <= set(there)
                assert server.database.active()["office"] in there
                began = time.monotonic()
                assert starts_and_answers(office) == server.database.active()["office"]
                slowest = max(slowest, time.monotonic() - began)
        print(f"{killed} of {FAULTS} killed before they had ended; slowest start {slowest:.1f} s")  # noqa: T201
        water(office, 1)
        began = time.monotonic()
        assert office.run("index", "build", "office", "--release").code == 0
        assert time.monotonic() - began < LOCK_SECONDS  # no lock of the dead is waited for
        assert not [name for name in office.versions() if name.startswith(".")]
        with office.open() as last:
            assert told(ask(last, WATER)) == "1"

    def test_the_lock_of_a_dead_holder_is_free(self, office: Office) -> None:
        for number in range(times(1 / 20)):
            water(office, number + 3)
            assert office.run("index", "build", "office", step="build: flushing").code == -9
            assert (office.data / "indexes" / "office.holder").exists()  # it died with the lock in its hand
            began = time.monotonic()
            assert office.run("index", "build", "office").code == 0
            assert time.monotonic() - began < LOCK_SECONDS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_at_any_point_loses_nothing(office: Office, small_disk: Path) -> None:
    (first,) = office.versions()
    full = Office(small_disk, small_disk, office.run_main, office.runners, office.outputs)
    subprocess.run(["cp", "-a", *map(str, (office.bots, office.data, office.root / "documents")), str(small_disk)],
                   check=True)  # fmt: skip
    points = times(1 / 10)
    failed = sum(
        _builds_where_little_is_left(full, point + 3, int(point / points * MOST_LEFT)) for point in range(points)
    )
    print(f"{failed} of {points} builds failed for want of space")  # noqa: T201
    assert failed
    assert first in full.versions()
    water(full, 1)
    assert full.run("index", "build", "office", "--release").code == 0
    with full.open() as server:
        assert told(ask(server, WATER)) == "1"


def test_arrays_larger_than_the_disk_are_told_as_a_full_disk(office: Office, small_disk: Path) -> None:
    (version,) = office.versions()
    opened = open_version(office.data / "indexes" / "office" / version)
    large = replace(opened.contents, vectors=np.zeros((200_000, 64), np.float32))
    with pytest.raises(OSError, match="no space left") as caught:
        write_version(small_disk / "office", large, opened.manifest)
    assert caught.value.errno == errno.ENOSPC
    assert not list((small_disk / "office").iterdir())


def _builds_where_little_is_left(full: Office, number: int, left: int) -> bool:
    """Builds with `left` bytes on the disk; whether it failed. A server runs all along, but every other time."""
    water(full, number)
    ballast = full.root / "ballast"
    with full.open() if number % 2 else nullcontext() as server:
        live = full.released()
        if server is not None:
            said = told(ask(server, WATER))
        disk = os.statvfs(full.root)
        ballast.write_bytes(b"\0" * (disk.f_bavail * disk.f_frsize - left))
        done = full.run("index", "build", "office", "--release")
        assert done.code in (0, 1), done.out
        assert "Traceback" not in done.out, done.out
        if done.code:
            assert "free some space" in done.out, done.out
        if server is not None:
            assert told(ask(server, WATER)) == (said if done.code else str(number))
    ballast.unlink()
    assert not [name for name in full.versions() if name.startswith(".")]
    released = starts_and_answers(full)
    assert (released == live) == bool(done.code)
    if not done.code:
        assert full.run("index", "rollback", "office").code == 0
    return bool(done.code)


def test_a_file_cut_or_changed_anywhere_is_found_and_the_last_sound_version_serves(office: Office) -> None:
    moments = random.Random(2)
    (sound,) = office.versions()
    water(office, 5)
    assert office.run("index", "build", "office", "--release").code == 0
    version = next(name for name in office.versions() if name != sound)
    files = sorted(path for path in (office.data / "indexes" / "office" / version).iterdir() if path.stat().st_size)
    for number in range(times(1 / 4)):
        path = moments.choice(files)
        whole = path.read_bytes()
        at = moments.randrange(len(whole))
        path.write_bytes(whole[:at] if number % 2 else whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with office.open() as server:
            assert ask(server, WATER).index_version == sound, path.name
            assert f"{version} is damaged" in server.ready()[1]["office"], path.name
        verified = office.run("index", "verify", "office")
        assert verified.code == 3, path.name
        assert path.name in verified.out
        path.write_bytes(whole)
    assert office.run("index", "verify", "office").code == 0
    assert starts_and_answers(office) == version


def test_of_builds_that_race_one_wins(office: Office) -> None:
    for number in range(times(1 / 4)):
        water(office, number + 3)
        for runner in (0, 1):
            office.begin("index", "build", "office", "--release", runner=runner)
        codes = sorted(office.ended(runner) for runner in (0, 1))
        assert codes in ([0, 0], [0, 4])  # both where one was done before the other began
        with office.open() as server:
            assert told(ask(server, WATER)) == str(number + 3)
    assert len(office.versions()) == 1 + times(1 / 4)


@dataclass(frozen=True)
class Heard:
    """An answer: when it was asked for, by the clock of this process, what it says and which versions it cites."""

    asked_at: float
    index_version: str
    says: str
    cites: frozenset[str]


@contextmanager
def questions(url: str) -> Iterator[list[Heard]]:
    """Asked of a server at 50 a second, or as fast as they are answered, until the block ends; what came back."""
    heard: list[Heard] = []
    done = threading.Event()

    def go_on() -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            while not done.is_set():
                began = time.monotonic()
                heard.append(_heard(client))
                done.wait(ASKING / QUESTIONS_PER_SECOND - (time.monotonic() - began))

    with ThreadPoolExecutor(ASKING) as pool:
        asking = [pool.submit(go_on) for _ in range(ASKING)]
        try:
            yield heard
        finally:
            done.set()
        for one in asking:
            one.result()  # an error while asking fails the test


def _heard(client: httpx.Client) -> Heard:
    began = time.monotonic()
    answer = client.post("/api/chat", json={"question": WATER, "bot": "office"}).raise_for_status().json()
    assert answer["status"] == "answered", answer
    cites = frozenset(citation["id"].split("~")[1] for citation in answer["citations"])
    return Heard(began, answer["index_version"], answer["answer"].split("물을 주 ")[1].split("회")[0], cites)


@contextmanager
def serving(office: Office) -> Iterator[str]:
    """The URL of `ragbots serve` in a process of its own, once it is ready; ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    pid = office.begin("serve", "--port", str(port), runner=1)
    try:
        end = time.monotonic() + PATIENCE
        while not _is_ready(url):
            assert time.monotonic() < end, (office.outputs / "output-1").read_text("utf-8")
            time.sleep(0.05)
        yield url
    finally:
        os.kill(pid, signal.SIGTERM)
        assert office.ended(1) == 0


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture
def two(office: Office) -> dict[str, str]:
    """Two versions, and what each says."""
    (first,) = office.versions()
    water(office, 5)
    assert office.run("index", "build", "office").code == 0
    return {first: "2", next(name for name in office.versions() if name != first): "5"}


def test_swaps_under_load_give_no_error_and_no_answer_of_two_versions(office: Office, two: dict[str, str]) -> None:
    first, second = two
    latest = 0.0
    with serving(office) as url, office.open() as owner:
        began = time.monotonic()
        with questions(url) as heard:
            wait_for_an_answer_from(first, heard)
            for number in range(times(1 / 2)):
                version = (second, first)[number % 2]
                owner.release("office", version, by="tester")
                released = time.monotonic()
                wait_for_an_answer_from(version, heard)
                time.sleep(BETWEEN_SWAPS)
                late = [one.asked_at - released for one in heard if one.index_version != version]
                latest = max([latest, *late])
        rate = len(heard) / (time.monotonic() - began)
    print(f"{times(1 / 2)} swaps, {len(heard)} answers, {rate:.0f} a second")  # noqa: T201
    print(f"the version before was asked last {latest:.2f} s after a release")  # noqa: T201
    assert {one.index_version for one in heard} == set(two)
    for one in heard:
        assert one.says == two[one.index_version]
        assert one.cites == {one.index_version}


def test_no_question_waits_for_a_version_to_be_opened(
    office: Office, two: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    go = threading.Event()
    real = releases.open_released

    def slow(*shelf_and_bot: Any) -> Any:
        assert go.wait(PATIENCE)
        return real(*shelf_and_bot)

    with office.open() as server:
        server.warm_up()
        monkeypatch.setattr("ragbots.releases.open_released", slow)
        server.release("office", second, by="tester")
        time.sleep(2 * WATCH_SECONDS)
        assert ask(server, WATER).index_version == first
        go.set()
        _answers_from(server, second)
        go.clear()  # what answered a moment ago is open still
        server.rollback("office", by="tester")
        _answers_from(server, first)
        go.set()


def test_what_is_released_cannot_be_looked_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server goes on with what it has, and says so."""

    def fails(_: Database) -> Any:
        raise OSError("the disk is gone")

    with office.open() as server:
        server.warm_up()
        with monkeypatch.context() as patched:
            patched.setattr(Database, "active", fails)
            _until(lambda: server.ready() == (False, {"office": BLIND}))
            assert told(ask(server, WATER)) == "2"
        _until(lambda: server.ready()[0])


def _answers_from(server: Runtime, version: str) -> None:
    _until(lambda: ask(server, WATER).index_version == version)


def _until(happens: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("store", ["exact", "chroma"])
def test_memory_does_not_grow_with_swaps(
    office: Office, two: dict[str, str], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is swapped out is closed at once here, so that each swap opens a version."""
    monkeypatch.setattr("ragbots.runtime.SWAP_GRACE_SECONDS", 0.0)
    swaps = times(5)
    with office.open(RAGBOTS_STORE=store) as server:
        ask(server, WATER)
        for number in range(swaps + swaps // 10):
            if number == swaps // 10:
                before = _resident()
            server.database.release("office", [*two][(number + 1) % 2], by="tester", action="release")
            assert ask(server, WATER).index_version == [*two][(number + 1) % 2]
        after = _resident()
    print(f"{swaps} swaps: {before / 1024:.1f} MB before, {after / 1024:.1f} MB after")  # noqa: T201
    assert after < before * (1 + MEMORY_GROWTH)


def _resident() -> int:
    """Kilobytes of this process in memory."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def test_prune_keeps_the_newest_the_released_and_what_answers_cite(office: Office) -> None:
    with office.open() as server:
        cited = ask(server, WATER).index_version
        for number in (5, 6, 7, 8):
            water(office, number)
            server.release("office", server.build("office", RecordingProgress()).version, by="tester")
    assert office.run("index", "prune", "office", "--keep", "2").code == 0
    assert len(office.versions()) == 3
    assert cited in office.versions()
    with office.open() as server:
        history = server.database.release_history("office")
    assert len(history) == 5  # what is deleted stays in the history, with its verdict
    assert all(record.verdict and record.verdict["passed"] for record in history)
