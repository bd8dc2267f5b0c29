"""Rebuilds by schedule: build, release what passes its checks, and tell the owner what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ragbots import notify, schedule
from ragbots.config import BotConfig
from ragbots.errors import ChecksNotPassed, DamagedVersion, Locked, NotTold, RagbotsError
from ragbots.state.database import Database, Rebuild

_log = logging.getLogger(__name__)

BY = "schedule"  # who released, in the history


def due(bot: BotConfig, database: Database, now: datetime) -> bool:
    """Whether the bot's schedule has come round since it was last rebuilt by it, or last built by hand."""
    if bot.schedule is None:
        return False
    rebuilt, built = database.rebuilds(bot.id, 1), database.versions(bot.id)
    moments = [one.at for one in rebuilt] + [one.created_at for one in built[:1]]
    return schedule.due(bot.schedule, max(moments, default=None), now)


def rebuild(
    bot: BotConfig,
    database: Database,
    build: Callable[[], str],
    release: Callable[[str], object],
    *,
    private_networks: Sequence[str] = (),
) -> Rebuild:
    """One rebuild, kept in the books whatever came of it, and told. Raises Locked: somebody else is at it.

    A version that answered once and does so no more was withdrawn by somebody, and is left so.
    """
    version: str | None = None
    try:
        version = build()
        if database.active().get(bot.id) == version:
            outcome, report = "unchanged", "the documents have not changed"
        elif any(record.version == version for record in database.release_history(bot.id)):
            outcome = "held"
            report = f"the documents are those of version {version}, which was withdrawn: release it by hand"
        else:
            release(version)
            outcome, report = "released", "passed its checks and answers now"
    except Locked:
        raise
    except (ChecksNotPassed, DamagedVersion) as error:
        outcome, report = "held", str(error)
    except RagbotsError as error:
        outcome, report = "failed", str(error)
    return keep(bot, database, outcome, version, report, private_networks=private_networks)


def keep(
    bot: BotConfig,
    database: Database,
    outcome: str,
    version: str | None,
    report: str,
    *,
    private_networks: Sequence[str] = (),
) -> Rebuild:
    """Tells the owner, where the bot names an address and something happened, and enters it into the books."""
    at = datetime.now(UTC)
    level = logging.WARNING if outcome in ("held", "failed") else logging.INFO
    _log.log(level, "rebuild of `%s` by schedule: %s: %s", bot.id, outcome, report)
    untold = None
    if bot.notify and outcome != "unchanged":
        text = f"{bot.name} ({bot.id}): {outcome}{f' {version}' if version else ''}: {report}"
        notice = {"bot": bot.id, "outcome": outcome, "version": version, "at": at.isoformat(), "text": text}
        try:
            notify.post(bot.notify, notice, private_networks)
        except NotTold as error:
            untold = str(error)
            _log.error("bot `%s`: %s", bot.id, error)
    record = Rebuild(bot.id, at, outcome, version, report, untold)
    database.add_rebuild(record)
    return record
