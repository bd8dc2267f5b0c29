"""`python -m tests.audit_figures [FOLDER]`: what a record costs beside keeping a turn, and how fast a chain is read."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ragbots.state import Database
from ragbots.state.audit import AuditLog
from ragbots.state.database import StoredTurn
from ragbots.types import AuditEvent, Principal

TIMES = 5_000
EVENT = AuditEvent(
    "question",
    Principal("kim", channel="web"),
    {"question": "연차는 며칠인가요? " * 5, "shown": ["복무규정.md 제21조 제1항"] * 6},
    "10.0.0.1",
)


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """p50 and p95."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        taken.append(1_000 * (time.perf_counter() - began))
    taken.sort()
    return taken[TIMES // 2], taken[TIMES * 95 // 100]


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        database = Database(f"sqlite:///{folder}/state.sqlite3")
        log = AuditLog(database, Path(folder))
        turn = StoredTurn(datetime.now(UTC), "연차는 며칠인가요?", {"id": "a", "answer": "답 " * 250})
        record = milliseconds(lambda: log.append(EVENT, datetime.now(UTC)))
        remembered = milliseconds(lambda: database.remember("c", "kim", "web", turn))
        began = time.perf_counter()
        report = log.verify()
        seconds = time.perf_counter() - began
        database.close()
    sys.stdout.write(f"a record: p50 {record[0]:.2f} ms, p95 {record[1]:.2f} ms\n")
    sys.stdout.write(f"a turn kept: p50 {remembered[0]:.2f} ms, p95 {remembered[1]:.2f} ms\n")
    sys.stdout.write(f"verified: {report.records} records in {seconds:.2f} s\n")


if __name__ == "__main__":
    main()
