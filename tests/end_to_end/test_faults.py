"""Faults at moments nobody chose, with the real model; `tests/faults` has more of them, with stand-ins. `TEST_FAULTS`
says how many of each: one or a few in every run, hundreds where one waits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.end_to_end.installation import PLANTS, RAGBOTS, WATER, Installation, ask, told, wait_for_an_answer_from
from tests.fakes import RecordingProgress

from ragbots.runtime import Runtime
from ragbots.types import Answer, Status

FAULTS = int(os.environ.get("TEST_FAULTS", "1"))
START_SECONDS = 10.0


def test_builds_and_releases_killed_at_any_moment_lose_nothing(built: Installation) -> None:
    """The server answers all along, a new one starts and answers, and the next build clears up."""
    moments = random.Random(1)
    with built.open() as server:
        ask(server, WATER)
        for number in range(FAULTS):
            built.put({"화분관리규정.md": PLANTS.replace("주 2회", f"주 {number + 3}회")})
            with built.start(str(RAGBOTS), "index", "build", "office", "--release") as running:
                end = time.monotonic() + moments.uniform(0.5, 12.0)
                while time.monotonic() < end and running.poll() is None:
                    assert ask(server, WATER).status is Status.ANSWERED
                running.send_signal(signal.SIGKILL)
            assert ask(server, WATER).status is Status.ANSWERED
            began = time.monotonic()
            with built.open() as another:
                released = another.released()["office"]
                assert time.monotonic() - began < START_SECONDS
            assert released in built.versions()
    version = built.build()
    assert not [name for name in built.versions() if name.startswith(".")]
    with built.open() as last:
        assert ask(last, WATER).index_version == version


@contextmanager
def questions(server: Runtime) -> Iterator[list[Answer]]:
    """Asked without pause until the block ends; what came back."""
    given: list[Answer] = []
    done = threading.Event()

    def go_on() -> None:
        while not done.is_set():
            given.append(ask(server, WATER))

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(go_on) for _ in range(2)]
        try:
            yield given
        finally:
            done.set()
        for one in asking:
            one.result()  # an error while asking fails the test


def test_swaps_under_load_give_no_error_and_no_answer_of_two_versions(
    built: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragbots.runtime.POINTER_SECONDS", 0.0)
    with built.open() as server:
        (first,) = built.versions()
        built.put({"화분관리규정.md": PLANTS.replace("주 2회", "주 5회")})
        second = server.build("office", RecordingProgress()).version
        says = {first: "2", second: "5"}
        with questions(server) as given:
            for number in range(4 * FAULTS):
                version = (second, first)[number % 2]
                server.release("office", version, by="tester")
                wait_for_an_answer_from(version, given)
    assert {answer.index_version for answer in given} == set(says)
    for answer in given:
        assert answer.status is Status.ANSWERED
        assert told(answer) == says[answer.index_version or ""]
        assert {citation.id.split("~")[1] for citation in answer.citations} == {answer.index_version}


def test_a_file_cut_or_changed_anywhere_is_found_and_the_last_sound_version_serves(built: Installation) -> None:
    moments = random.Random(2)
    (sound,) = built.versions()
    built.put({"화분관리규정.md": PLANTS.replace("주 2회", "주 5회")})
    version = built.build()
    files = sorted(path for path in (built.data / "indexes" / "office" / version).iterdir() if path.stat().st_size)
    for number in range(4 * FAULTS):
        path = moments.choice(files)
        whole = path.read_bytes()
        at = moments.randrange(len(whole))
        path.write_bytes(whole[:at] if number % 2 else whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with built.open() as server:
            assert ask(server, WATER).index_version == sound, path.name
            assert f"{version} is damaged" in server.ready()[1]["office"], path.name
        path.write_bytes(whole)
    with built.open() as server:
        assert ask(server, WATER).index_version == version


def test_of_builds_that_race_one_wins_and_a_dead_ones_lock_is_free(built: Installation) -> None:
    for number in range(max(1, FAULTS // 3)):
        built.put({"화분관리규정.md": PLANTS.replace("주 2회", f"주 {number + 3}회")})
        racing = [built.start(str(RAGBOTS), "index", "build", "office", "--release") for _ in range(2)]
        codes = sorted(_finished(one) for one in racing)
        assert codes in ([0, 0], [0, 4])  # both where one was done before the other began
    with built.start(str(RAGBOTS), "index", "build", "office") as killed:
        time.sleep(1.0)
        killed.send_signal(signal.SIGKILL)
    assert built.cli("index", "build", "office").code == 0


def _finished(running: subprocess.Popen[str]) -> int:
    with running:
        running.communicate(timeout=120)
    return running.returncode
