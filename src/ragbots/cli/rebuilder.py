"""Rebuilds by schedule beside a running server."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

from ragbots.errors import Locked
from ragbots.runtime import Runtime

_log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
_END_SECONDS = 10.0
_KINDNESS = 19  # the lowest priority: questions come first


class Rebuilder(threading.Thread):
    """Looks every minute whether a bot is due, and has what is due rebuilt in a process of its own."""

    def __init__(self, runtime: Runtime, look_seconds: float = LOOK_SECONDS) -> None:
        super().__init__(name="ragbots-rebuilder", daemon=True)
        self._runtime = runtime
        self._look_seconds = look_seconds
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(self._look_seconds):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - a failure now is no reason never to look again
                _log.exception("rebuilds by schedule: could not be done, and will be tried again")

    def close(self) -> None:
        """Ends the process under way: what it had not released stays unreleased."""
        self._ended.set()
        if self.is_alive():
            self.join(_END_SECONDS)

    def _look(self) -> None:
        due = self._runtime.due(datetime.now(UTC))
        if not due:
            return
        code = self._rebuild()
        if code == Locked.exit_code or self._ended.is_set():
            return
        for bot in self._runtime.due(datetime.now(UTC)):
            if bot in due:  # or a process that is killed each time would be started each minute
                self._runtime.rebuild_failed(bot, f"the process that rebuilt it ended with code {code}")

    def _rebuild(self) -> int:
        settings = self._runtime.settings
        folders = {"RAGBOTS_BOTS_DIR": str(settings.bots_dir), "RAGBOTS_DATA_DIR": str(settings.data_dir)}
        command = [sys.executable, "-m", "ragbots.cli", "index", "build", "--due"]
        with subprocess.Popen(
            command, env={**os.environ, **folders}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as process:
            os.setpriority(os.PRIO_PROCESS, process.pid, _KINDNESS)
            while process.poll() is None:
                if self._ended.wait(0.5):
                    process.terminate()
                    break
            return process.wait()
