"""A loader that does what hostile files make loaders do, as the first line of a file asks for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from ragbots.errors import UnreadableDocument
from ragbots.loaders.assembly import Reading, document, text
from ragbots.ports import Loader, Probe
from ragbots.types import Document

MIB = 1024 * 1024


def hostile_loaders() -> Sequence[Loader]:
    return (HostileLoader(),)


def no_loaders() -> Sequence[Loader]:
    """Loads in the test, not in the worker."""
    if "pytest" not in sys.modules:
        raise RuntimeError("a part is missing")
    return ()


class HostileLoader:
    id = "hostile-1"

    def accepts(self, probe: Probe) -> bool:
        return True

    def load(self, path: Path, source: str) -> Document:
        data = path.read_bytes()
        order = data.decode().split(" ", 1)
        said = _DEEDS[order[0]](source, order[-1]) if order[0] in _DEEDS else data.decode()
        pages = int(order[1]) if order[0] == "pages" else None
        return document(source, data, Reading([text(said)], pages=pages))


def _hang(source: str, more: str) -> str:
    time.sleep(600)
    return ""


def _spin(source: str, more: str) -> str:
    while True:
        pass


def _fill(source: str, more: str) -> str:
    kept = []
    while True:
        kept.append(bytearray(MIB))


def _big(source: str, more: str) -> str:
    return f"took {len(bytearray(int(more) * MIB)) // MIB} MiB"


def _die(source: str, more: str) -> str:
    os.kill(os.getpid(), getattr(signal, more))
    time.sleep(60)
    return ""


def _exit(source: str, more: str) -> str:
    os._exit(3)


def _raise(source: str, more: str) -> str:
    raise LookupError("no such part")


def _refuse(source: str, more: str) -> str:
    raise UnreadableDocument(f"{source}: as I expected", hint="do something")


def _recurse(source: str, more: str) -> str:
    return _recurse(source, more)


def _connect(source: str, more: str) -> str:
    with socket.create_connection(("127.0.0.1", int(more)), timeout=5):
        return "connected"


def _look_up(source: str, more: str) -> str:
    return str(socket.getaddrinfo("localhost", int(more)))


def _fetch(source: str, more: str) -> str:
    with urllib.request.urlopen(more) as answer:
        return str(answer.read())


def _run(source: str, more: str) -> str:
    return subprocess.run(["/bin/echo", more], capture_output=True, text=True, check=True).stdout


def _shell(source: str, more: str) -> str:
    return str(os.system(f"touch {more}"))


def _chatter(source: str, more: str) -> str:
    warnings.warn("a warning of a library", stacklevel=1)
    print("text on stdout", flush=True)  # noqa: T201
    os.write(2, b"text on stderr\n")
    return "chattered"


def _environment(source: str, more: str) -> str:
    return " ".join(sorted(os.environ))


def _pid(source: str, more: str) -> str:
    return str(os.getpid())


_DEEDS: dict[str, Callable[[str, str], str]] = {
    "hang": _hang,
    "spin": _spin,
    "fill": _fill,
    "big": _big,
    "die": _die,
    "exit": _exit,
    "raise": _raise,
    "refuse": _refuse,
    "recurse": _recurse,
    "connect": _connect,
    "look-up": _look_up,
    "fetch": _fetch,
    "run": _run,
    "shell": _shell,
    "chatter": _chatter,
    "environment": _environment,
    "pid": _pid,
    "halves": lambda source, more: "앞\ud800뒤",
    "long": lambda source, more: "가" * (int(more) * MIB),
    "pages": lambda source, more: f"{more} pages",
}
