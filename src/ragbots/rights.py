"""The rights that bot files give now: looked at anew while the server runs, so that a change needs no start."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from ragbots.config import BotConfig, load_bot
from ragbots.errors import ConfigurationError

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5

Stamp = tuple[int, int, int]


class CurrentBots:
    """Bots whose `access` and `public` are those of their files, looked at at most every half second.

    Whatever else a file says holds from the next start. A file that cannot be used leaves the rights as they were, and
    the log says so; the bot of a file that is gone is gone.
    """

    def __init__(self, bots: Mapping[str, BotConfig]) -> None:
        self._bots = dict(bots)
        self._now: Mapping[str, BotConfig] = self._bots
        self._stamps = {bot.id: _stamp(bot.path) for bot in bots.values()}
        self._looked_at = time.monotonic()
        self._looking = threading.Lock()

    def __call__(self) -> Mapping[str, BotConfig]:
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            with self._looking:
                if time.monotonic() - self._looked_at > LOOK_SECONDS:
                    self._look()
                    self._looked_at = time.monotonic()
        return self._now

    def _look(self) -> None:
        stamps = {bot.id: _stamp(bot.path) for bot in self._bots.values()}
        if stamps == self._stamps:
            return
        for bot_id, stamp in stamps.items():
            if stamp is not None and stamp != self._stamps[bot_id]:
                self._bots[bot_id] = _with_rights(self._bots[bot_id])
        self._stamps = stamps
        self._now = {bot_id: bot for bot_id, bot in self._bots.items() if stamps[bot_id] is not None}


def _with_rights(bot: BotConfig) -> BotConfig:
    try:
        read = load_bot(bot.path)
    except ConfigurationError as error:
        _log.error("the rights of `%s` stay as they were: %s", bot.id, error)
        return bot
    if read.id != bot.id:
        _log.error("the rights of `%s` stay as they were: %s has another id now", bot.id, bot.path)
        return bot
    return bot.model_copy(update={"access": read.access, "public": read.public})


def _stamp(path: Path) -> Stamp | None:
    """What changes with a file's content; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
