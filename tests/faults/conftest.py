"""One bot of two documents, and processes that run commands on it; models are stand-ins, everything else is real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.end_to_end.installation import PLANTS, VISITORS, Done, Installation
from tests.fakes import HashingEmbedder
from tests.faults.commands import SURE, Reader

from ragbots.lexical import Morphemes
from ragbots.runtime import Runtime

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Office(Installation):
    """The installation, and the processes in which its commands run, one at a time in each."""

    runners: tuple[subprocess.Popen[str], ...]
    outputs: Path  # not on a disk that gets full

    def begin(self, *arguments: str, step: str | None = None, runner: int = 0, **environment: str) -> int:
        """Starts a command and returns its process id."""
        asked = {
            "arguments": arguments,
            "environment": self.environment(RAGBOTS_LIMITS_PER_BOT="1000000/minute", **environment),
            "output": str(self.outputs / f"output-{runner}"),
            "step": step,
        }
        running = self.runners[runner]
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(f"{json.dumps(asked)}\n")
        running.stdin.flush()
        return int(running.stdout.readline())

    def ended(self, runner: int = 0) -> int:
        """Waits for the command and returns its exit code; -9 if it was killed."""
        stdout = self.runners[runner].stdout
        assert stdout is not None
        return int(stdout.readline())

    def run(self, *arguments: str, step: str | None = None, **environment: str) -> Done:
        self.begin(*arguments, step=step, **environment)
        code = self.ended()
        return Done(code, (self.outputs / "output-0").read_text("utf-8"), "")

    def released(self) -> str:
        """The version that answers, by the books."""
        with self.open() as opened:
            return opened.database.active()["office"]

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def runners() -> Iterator[tuple[subprocess.Popen[str], ...]]:
    command = [sys.executable, "-m", "tests.faults.commands"]
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])
    started = tuple(
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": path},
        )
        for _ in range(2)
    )  # fmt: skip
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    yield started
    for one in started:
        with one:
            one.kill()


@pytest.fixture(scope="session")
def morphemes() -> Morphemes:
    return Morphemes()


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch, morphemes: Morphemes) -> None:
    monkeypatch.setattr(Runtime, "_embedder", HashingEmbedder())
    monkeypatch.setattr(Runtime, "_morphemes", morphemes)
    monkeypatch.setattr(Runtime, "reader", Reader())
    monkeypatch.setattr("ragbots.runtime.MODEL", SURE)
    monkeypatch.setattr("ragbots.runtime.POINTER_SECONDS", 0.0)


def _in_process(arguments: list[str], environment: Mapping[str, str]) -> Done:
    raise NotImplementedError


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, runners: tuple[subprocess.Popen[str], ...]) -> Office:
    """Built and released; for copying."""
    folder = tmp_path_factory.mktemp("made")
    one = Office(folder, folder, _in_process, runners, folder)
    one.add("office", {"화분관리규정.md": PLANTS, "방문객주차지침.md": VISITORS})
    done = one.run("index", "build", "office", "--release")
    assert done.code == 0, done.out
    return one


@pytest.fixture
def office(tmp_path: Path, made: Office) -> Office:
    """Built and released."""
    shutil.copytree(made.root, tmp_path, dirs_exist_ok=True)
    return replace(made, root=tmp_path, model=tmp_path, outputs=tmp_path)
