"""What a server does by itself once a day: what was kept long enough is deleted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from ragbots.api.desk import Desk
from ragbots.rebuilding import BY

log = logging.getLogger("ragbots.api")

DAY_SECONDS = 24 * 60 * 60.0


@asynccontextmanager
async def keeping_house(desk: Desk) -> AsyncIterator[None]:
    """Deletes what was kept long enough at the beginning and then once a day, while the block runs."""
    task = asyncio.create_task(_daily(desk))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _daily(desk: Desk) -> None:
    while True:
        try:
            gone = await desk.look_up(desk.runtime.forget_expired, datetime.now(UTC), BY)
        except Exception:
            log.exception("expired conversations were not deleted; tried again in a day")
        else:
            if gone:
                log.info("deleted %d conversations that were kept long enough", gone)
        try:
            gone = await desk.look_up(desk.runtime.forget_audited, datetime.now(UTC))
        except Exception:
            log.exception("old audit records were not deleted; tried again in a day")
        else:
            if gone:
                log.info("deleted %d audit records that were kept long enough", gone)
        await asyncio.sleep(DAY_SECONDS)
