"""One writer at a time: an OS lock that dies with its holder and says who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ragbots.errors import Locked


@contextmanager
def hold(path: Path, purpose: str) -> Iterator[None]:
    """Holds the lock `path` for `purpose` while the block runs. Raises Locked naming the holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    holder = path.with_suffix(".holder")
    try:
        lock.acquire()
    except Timeout as error:
        raise Locked(f"{path.stem}: {_describe(holder)}", hint="wait until it has finished, then try again") from error
    try:
        holder.write_text(json.dumps(_myself(purpose)), "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _myself(purpose: str) -> dict[str, object]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"purpose": purpose, "pid": os.getpid(), "host": socket.gethostname(), "since": since}


def _describe(holder: Path) -> str:
    try:
        data = json.loads(holder.read_text("utf-8"))
        return f"held by {data['purpose']} (process {data['pid']} on {data['host']}, since {data['since']})"
    except (OSError, ValueError, KeyError):
        return "held by another process"
