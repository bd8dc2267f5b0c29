"""Reading in a process of its own: whatever a file does to its reader, the build goes on.

One worker reads file after file. It has no network, starts no programs, and gives up a file that
takes too much memory or time; when it dies, the file is named and a fresh worker takes the next.
Documents come back as pickles of which only the plain values of ragbots are accepted, so that a
worker taken over by a file cannot reach further.
"""

from __future__ import annotations

import ctypes
import io
import os
import pickle
import re
import resource
import select
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ragbots.errors import ConfigurationError, UnreadableDocument
from ragbots.loaders import load_file
from ragbots.loaders.archives import Unpacked, unpack_documents
from ragbots.loaders.limits import MIB, ReadLimits
from ragbots.loaders.probing import probe
from ragbots.ports import Loader, SourceFile
from ragbots.types import Document, Element, Omission

__all__ = ["DirectReader", "ReadLimits", "WorkerReader"]

Loaders = Callable[[], Sequence[Loader]]

_START_SECONDS = 120.0  # for the imports, on a busy machine
_END_SECONDS = 5.0
_GRACE_SECONDS = 5  # after which a worker whose parent is gone ends itself
_SAVE_AGAIN = "open it in the program it was made with, save it again and replace it"
_KEPT_VARIABLES = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH"})
_SURROGATE = re.compile("[\ud800-\udfff]")


@runtime_checkable
class Prepares(Protocol):
    """A loader that needs something large to read with, a language model say."""

    def prepare(self) -> None:
        """Loads it, before the memory that a file takes is counted."""
        ...


class DirectReader:
    """Reads in this process, without limits. Implements ports.Reader, for tests."""

    def __init__(self, loaders: Sequence[Loader]) -> None:
        self._loaders = loaders
        self.id = _joined_ids(loaders)

    def read(self, file: SourceFile) -> Document:
        return _with_link(_sound(load_file(file.path, file.source, self._loaders)), file)

    def close(self) -> None:
        """Nothing is held."""


class WorkerReader:
    """Reads in a worker process. Implements ports.Reader; threads take turns.

    `loaders` makes the loaders and must be importable: a function at the top of a module. Raises
    ConfigurationError where the worker does not start.
    """

    def __init__(self, loaders: Loaders, limits: ReadLimits) -> None:
        self.id = _joined_ids(loaders())
        self._loaders = loaders
        self._limits = limits
        self._worker: _Worker | None = None
        self._turn = threading.Lock()
        self.started = 0  # workers so far

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        return self._worker.process.pid if self._worker else None

    def read(self, file: SourceFile) -> Document:
        found = self._ask(_Job("read", file.path, file.source), file.source)
        if not isinstance(found, Document):
            raise _unreadable(file.source, "the process that read it answered something else", _SAVE_AGAIN)
        return _with_link(found, file)

    def unpack(self, archive: Path, source: str, into: Path) -> Unpacked | None:
        """Unpacks an archive of documents into an empty folder; None where it is itself a document.

        Raises UnreadableDocument.
        """
        found = self._ask(_Job("unpack", archive, source, into), source)
        if found is None or isinstance(found, Unpacked):
            return found
        raise _unreadable(source, "the process that unpacked it answered something else", _SAVE_AGAIN)

    def close(self) -> None:
        """Ends the worker; the next file would start another."""
        with self._turn:
            self._drop()

    def _drop(self) -> None:
        if self._worker:
            self._worker.end()
        self._worker = None

    def _ask(self, job: _Job, source: str) -> object:
        with self._turn:
            worker = self._running()
            try:
                answer = worker.ask(job, self._limits)
            except BaseException:  # Ctrl-C too: what the worker is at belongs to nobody now
                self._drop()
                raise
            if answer.spent:
                self._drop()
        if answer.problem:
            raise _unreadable(source, answer.problem, answer.hint)
        return answer.found

    def _running(self) -> _Worker:
        if self._worker and self._worker.process.poll() is not None:
            self._drop()
        if not self._worker:
            self._worker = _Worker(self._loaders, self._limits)
            self.started += 1
        return self._worker


def _joined_ids(loaders: Sequence[Loader]) -> str:
    return "+".join(loader.id for loader in loaders)


def _with_link(document: Document, file: SourceFile) -> Document:
    return replace(document, link=file.link) if file.link else document


def _unreadable(source: str, problem: str, hint: str) -> UnreadableDocument:
    named = problem if problem.startswith(source) else f"{source}: {problem}"
    return UnreadableDocument(named, hint=hint)


# ---------------------------------------------------------------- what goes over the pipe


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str  # read, unpack
    path: Path
    source: str
    into: Path | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found, or the problem and what to do. `spent`: the worker takes no further file."""

    found: object = None
    problem: str = ""
    hint: str = ""
    spent: bool = False


_ACCEPTED = {
    "ragbots.types": {"Document", "Element", "ElementKind", "Omission", "OmissionKind"},
    "ragbots.loaders.archives": {"Unpacked", "Entry", "LeftOut"},
    "ragbots.loaders.worker": {"_Answer"},
    "datetime": {"date"},
}


class _PlainValues(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name not in _ACCEPTED.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")
        return super().find_class(module, name)


# ---------------------------------------------------------------- the parent's side


class _Worker:
    """One process. Whoever forgets to end it has it ended with the interpreter."""

    def __init__(self, loaders: Loaders, limits: ReadLimits) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"from {__name__} import serve; serve({theirs.fileno()})"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=_environment(), pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        self.end = weakref.finalize(self, _end, self.process, self._connection)
        try:
            self._connection.send((loaders, limits))
            problem = self._received(_START_SECONDS).problem
        except (EOFError, OSError, TimeoutError) as error:
            problem = repr(error)
        if problem:
            self.end()
            raise ConfigurationError(
                f"the process that reads documents does not start: {problem}",
                hint="see `ragbots doctor`, or whether the machine has memory to spare",
            )

    def ask(self, job: _Job, limits: ReadLimits) -> _Answer:
        """The answer, or what became of the worker instead."""
        try:
            self._connection.send(job)
            return self._received(limits.seconds, 2 * limits.answer)
        except TimeoutError:
            return _too_slow(limits)
        except (EOFError, OSError):
            return _Answer(**_death(self._ended()), spent=True)
        except (pickle.UnpicklingError, AttributeError, ValueError, TypeError, IndexError, KeyError):
            return _Answer(problem="the process that read it sent what is no document", hint=_SAVE_AGAIN, spent=True)

    def _received(self, seconds: float, largest: int | None = None) -> _Answer:
        if not self._connection.poll(seconds):
            raise TimeoutError
        answer = _PlainValues(io.BytesIO(self._connection.recv_bytes(largest))).load()
        if not isinstance(answer, _Answer):
            raise ValueError("not an answer")
        return answer

    def _ended(self) -> int:
        """The exit status of a worker that has closed its side; it may be on its way out yet."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(_END_SECONDS)
        self.process.kill()
        return self.process.wait()


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    connection.close()
    process.kill()
    process.wait()


def _environment() -> dict[str, str]:
    """What a worker needs to find its modules; no keys, no settings. One thread is enough for reading."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES}
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**kept, **threads, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}


def _too_slow(limits: ReadLimits) -> _Answer:
    hint = f"{_SAVE_AGAIN}; a very long one: in parts"
    return _Answer(problem=f"not read within {limits.seconds:g} s", hint=hint, spent=True)


def _too_large(limits: ReadLimits) -> _Answer:
    hint = f"{_SAVE_AGAIN}; a very long one: in parts"
    problem = f"reading it takes more than {limits.memory // MIB:,} MiB of memory"
    return _Answer(problem=problem, hint=hint, spent=True)


def _death(status: int) -> dict[str, str]:
    name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    problem = f"the process that read it died ({name}): it is damaged, hostile, or takes too much memory"
    return {"problem": problem, "hint": _SAVE_AGAIN}


# ---------------------------------------------------------------- the worker's side


def serve(handle: int) -> None:
    """The worker: answers jobs from a pipe until its other end is closed."""
    _leave_network()  # before there is a second thread, as the system demands
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who will end this process
    connection = Connection(handle)
    threading.Thread(target=_die_with_parent, args=(handle,), daemon=True).start()
    try:
        make, limits = connection.recv()
        loaders = make()
        _confine(limits)
    except Exception:  # noqa: BLE001 -- whatever it is, the parent says it
        _send(connection, _Answer(problem=traceback.format_exc(limit=-3), spent=True))
        return
    reader = _Inside(loaders, limits)
    _send(connection, _Answer())
    with suppress(EOFError, OSError):
        while True:
            connection.send_bytes(reader.answer(connection.recv()))


def _send(connection: Connection, answer: _Answer) -> None:
    connection.send_bytes(pickle.dumps(answer))


def _die_with_parent(handle: int) -> None:
    hung_up = select.poll()
    hung_up.register(handle, select.POLLRDHUP | select.POLLHUP)
    hung_up.poll()
    os._exit(1)


class _Inside:
    """Does the jobs, each within the limits."""

    def __init__(self, loaders: Sequence[Loader], limits: ReadLimits) -> None:
        self._loaders = loaders
        self._limits = limits
        self._unprepared = [loader for loader in loaders if isinstance(loader, Prepares)]
        self._held = _data_bytes()  # when nothing was read yet

    def answer(self, job: _Job) -> bytes:
        """The answer, packed."""
        self._prepare(job)
        _limit_memory(self._limits.memory)
        signal.setitimer(signal.ITIMER_REAL, self._limits.seconds + _GRACE_SECONDS)  # its signal ends the process
        try:
            packed = self._packed(_Answer(found=self._done(job)))
        except UnreadableDocument as error:
            packed = self._packed(_Answer(problem=error.message, hint=error.hint))
        except MemoryError:
            packed = None
        except RecursionError:
            packed = self._packed(_Answer(problem="nested too deeply to be read", hint=_SAVE_AGAIN))
        except Exception as error:  # noqa: BLE001 -- loaders stand on many libraries; the file is named, nothing hidden
            problem = f"cannot be read: {type(error).__name__}: {str(error)[:200]}"
            packed = self._packed(_Answer(problem=problem, hint=_SAVE_AGAIN))
        signal.setitimer(signal.ITIMER_REAL, 0)
        _limit_memory(None)
        return packed or pickle.dumps(_too_large(self._limits))

    def _prepare(self, job: _Job) -> None:
        """Lets loaders that will read the file load what they need; once for each loader."""
        if job.kind != "read" or not self._unprepared:
            return
        with suppress(OSError):
            shown = probe(job.path, job.source)
            for loader in [one for one in self._unprepared if one.accepts(shown)]:
                before = _data_bytes()
                loader.prepare()
                self._held += _data_bytes() - before
                self._unprepared.remove(loader)

    def _done(self, job: _Job) -> object:
        if job.kind == "unpack":
            assert job.into is not None
            return unpack_documents(job.path, job.source, job.into, self._limits)
        document = _sound(load_file(job.path, job.source, self._loaders))
        if document.pages and document.pages > self._limits.pages:
            raise UnreadableDocument(
                f"{job.source}: {document.pages:,} pages, more than {self._limits.pages:,}", hint="split it"
            )
        return document

    def _packed(self, answer: _Answer) -> bytes:
        spent = _data_bytes() - self._held > self._limits.memory
        packed = pickle.dumps(replace(answer, spent=spent))
        if len(packed) > self._limits.answer:
            problem = f"its text takes more than {self._limits.answer // MIB:,} MiB"
            return pickle.dumps(_Answer(problem=problem, hint="split it", spent=True))
        return packed


def _sound(document: Document) -> Document:
    """The document with halves of characters, which no encoding can write, replaced and reported."""
    texts = [element.text for element in document.elements]
    texts += [cell for element in document.elements for row in element.rows for cell in row]
    count = sum(len(_SURROGATE.findall(text)) for text in texts)
    rest = [document.title, *document.metadata.values()]
    rest += [text for omission in document.omissions for text in (omission.what, omission.where, omission.why)]
    if not count and not any(_SURROGATE.search(text) for text in rest):
        return document
    lost = Omission("characters", "", count, "halves of characters, which the file does not complete")
    return replace(
        document,
        title=_whole(document.title),
        elements=tuple(_whole_element(element) for element in document.elements),
        metadata={key: _whole(value) for key, value in document.metadata.items()},
        omissions=(*(_whole_omission(omission) for omission in document.omissions), lost),
    )


def _whole(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _whole_element(element: Element) -> Element:
    rows = tuple(tuple(_whole(cell) for cell in row) for row in element.rows)
    return replace(element, text=_whole(element.text), rows=rows)


def _whole_omission(omission: Omission) -> Omission:
    what, where, why = (_whole(text) for text in (omission.what, omission.where, omission.why))
    return replace(omission, what=what, where=where, why=why)


# ---------------------------------------------------------------- confinement


_FORBIDDEN = ("socket.", "subprocess.", "pty.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork")
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # CLONE_NEWNET, CLONE_NEWUSER


def _confine(limits: ReadLimits) -> None:
    """No sockets, no programs, no core dumps, no files larger than an archive's entry may be."""
    sys.addaudithook(_refuse)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file, limits.file))


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"it tried {event}, which no document may")


def _leave_network() -> None:
    """Where the system allows it, a network of this process's own without any interface: for native libraries,
    which the audit hook does not see."""
    with suppress(OSError, AttributeError):
        system = ctypes.CDLL(None, use_errno=True)
        if system.unshare(_NEW_NETWORK) != 0:
            system.unshare(_NEW_NETWORK | _NEW_USER)


def _limit_memory(above: int | None) -> None:
    """No more private memory than is held now and `above`; None lifts the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if above is None else _data_bytes() + above
    resource.setrlimit(resource.RLIMIT_DATA, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _data_bytes() -> int:
    """Private memory of this process, as RLIMIT_DATA counts it."""
    status = Path("/proc/self/status").read_text("ascii", errors="replace")
    found = re.search(r"^VmData:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
