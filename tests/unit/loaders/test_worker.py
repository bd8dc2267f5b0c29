from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.hostile_loaders import MIB, HostileLoader, hostile_loaders, no_loaders

from ragbots.errors import ConfigurationError, UnreadableDocument
from ragbots.loaders.worker import DirectReader, ReadLimits, WorkerReader
from ragbots.ports import Reader, SourceFile

REPOSITORY = Path(__file__).resolve().parents[3]
LIMITS = ReadLimits(memory=128 * MIB, seconds=1.5, answer=MIB, pages=100)

Read = Callable[[str], str]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerReader]:
    monkeypatch.syspath_prepend(str(REPOSITORY))  # the worker imports the hostile loader
    made = WorkerReader(hostile_loaders, LIMITS)
    yield made
    made.close()


@pytest.fixture
def read(reader: WorkerReader, tmp_path: Path) -> Read:
    """Reads a file with these words in it; the document's text."""

    def of(words: str) -> str:
        path = tmp_path / "규정.hwp"
        path.write_text(words, "utf-8")
        return reader.read(SourceFile(path, "인사/규정.hwp", "")).elements[0].text

    return of


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_both_readers_give_the_same_document(reader: WorkerReader, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("제1조(목적) 이 규정", "utf-8")
    file = SourceFile(path, "a.txt", "", link="https://wiki.example/1")
    direct = DirectReader([HostileLoader()])
    assert isinstance(reader, Reader)
    assert isinstance(direct, Reader)
    assert reader.id == direct.id == "hostile-1"
    assert reader.read(file) == direct.read(file)
    assert reader.read(file).link == "https://wiki.example/1"


def test_one_worker_reads_file_after_file(read: Read, reader: WorkerReader) -> None:
    assert read("pid") == read("pid") == str(reader.pid)
    assert reader.started == 1


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("hang", "not read within 1.5 s"),
        ("spin", "not read within 1.5 s"),
        ("fill", "more than 128 MiB of memory"),
        ("big 200", "more than 128 MiB of memory"),
        ("die SIGSEGV", "died (SIGSEGV)"),
        ("die SIGKILL", "died (SIGKILL)"),
        ("die SIGABRT", "died (SIGABRT)"),
        ("exit", "died (exit status 3)"),
        ("raise", "LookupError"),
        ("recurse", "nested too deeply"),
        ("long 2", "takes more than 1 MiB"),
        ("pages 101", "101 pages, more than 100"),
    ],
)
def test_a_file_that_harms_its_reader_is_named_and_the_next_one_read(read: Read, order: str, told: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read(order)
    assert caught.value.message.startswith("인사/규정.hwp: ")
    assert caught.value.message.count("인사/규정.hwp") == 1
    assert told in caught.value.message
    assert caught.value.hint
    assert read("the next") == "the next"


def test_what_a_loader_says_is_passed_on(read: Read, reader: WorkerReader) -> None:
    with pytest.raises(UnreadableDocument, match="as I expected") as caught:
        read("refuse")
    assert caught.value.hint == "do something"
    assert read("fine") == "fine"
    assert reader.started == 1


def test_memory_within_the_limit_is_given_to_each_file(read: Read, reader: WorkerReader) -> None:
    for _ in range(3):
        assert read("big 100") == "took 100 MiB"
    assert reader.started == 1


def test_no_network(read: Read) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for order in (f"connect {port}", f"look-up {port}", f"fetch http://127.0.0.1:{port}/"):
            with pytest.raises(UnreadableDocument, match="socket"):
                read(order)
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_programs(read: Read, tmp_path: Path) -> None:
    for order in ("run hello", f"shell {tmp_path / 'made'}"):
        with pytest.raises(UnreadableDocument, match="PermissionError"):
            read(order)
    assert not (tmp_path / "made").exists()


def test_nothing_reaches_the_terminal_and_no_keys_the_worker(
    read: Read, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_LLM_KEY", "secret")
    assert read("chatter") == "chattered"
    assert "LOCAL_LLM_KEY" not in read("environment")
    assert capfd.readouterr() == ("", "")


def test_halves_of_characters_are_replaced_and_reported(read: Read, reader: WorkerReader, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("halves", "utf-8")
    document = reader.read(SourceFile(path, "a.txt", ""))
    assert document.elements[0].text == "앞\ufffd뒤"
    assert [omission.characters for omission in document.omissions] == [1]


def test_a_worker_that_died_between_files_is_replaced(read: Read, reader: WorkerReader) -> None:
    read("first")
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert read("second") == "second"
    assert reader.started == 2


def test_a_worker_that_does_not_start_is_no_files_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY))
    reader = WorkerReader(no_loaders, LIMITS)
    with pytest.raises(ConfigurationError, match="a part is missing"):
        reader.read(SourceFile(tmp_path, "a.txt", ""))
    assert reader.pid is None


def test_nothing_is_left_after_closing(read: Read, reader: WorkerReader) -> None:
    read("first")
    pid = reader.pid
    assert pid is not None
    reader.close()
    assert not is_alive(pid)  # a zombie would still be there
    assert reader.pid is None
    assert read("opens again") == "opens again"


def test_a_forgotten_reader_leaves_no_process(read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words", "utf-8")
    forgotten = WorkerReader(hostile_loaders, LIMITS)
    forgotten.read(SourceFile(path, "a.txt", ""))
    pid = forgotten.pid
    assert pid is not None
    del forgotten
    assert not is_alive(pid)


def test_threads_take_turns(read: Read) -> None:
    said: list[str] = []
    threads = [threading.Thread(target=lambda n=number: said.append(read("pid"))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8
    assert len(set(said)) == 1


_PROGRAM = """
import sys
from pathlib import Path
from ragbots.loaders.worker import ReadLimits, WorkerReader
from ragbots.ports import SourceFile
from tests.hostile_loaders import hostile_loaders

reader = WorkerReader(hostile_loaders, ReadLimits(seconds=30))
print(reader.read(SourceFile(Path(sys.argv[1], "pid"), "pid", "")).elements[0].text, flush=True)
reader.read(SourceFile(Path(sys.argv[1], sys.argv[2]), "a.txt", ""))
"""


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("order", ["hang", "spin"])
def test_the_worker_ends_with_its_parent_however_that_ends(tmp_path: Path, by: signal.Signals, order: str) -> None:
    for name in ("pid", order):
        (tmp_path / name).write_text(name, "utf-8")
    parent = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tmp_path), order],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.send_signal(by)
        parent.wait(10)
        deadline = time.monotonic() + 5
        while is_alive(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_alive(worker)
