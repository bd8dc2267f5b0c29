"""When a bot is rebuilt by itself: a cron expression of five fields (or `@daily` …), in Korean time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from croniter import croniter

KOREA = timezone(timedelta(hours=9))
_FIELDS = 5
_NOON = datetime(2026, 1, 1, 12, tzinfo=KOREA)


def mistake(expression: str) -> str | None:
    """What is wrong with an expression; None where it names moments that come."""
    if not expression.startswith("@") and len(expression.split()) != _FIELDS:
        return f"has {_FIELDS} fields (minute, hour, day, month, weekday), as `0 3 * * *` for every night at three"
    try:
        croniter(expression, _NOON).get_next(datetime)
    except (ValueError, KeyError) as error:
        return f"is no cron expression that ever comes round: {error}"
    return None


def due(expression: str, last: datetime | None, now: datetime) -> bool:
    """Whether a moment of the schedule lies after `last` and not after `now`; at once where nothing was done yet."""
    return last is None or following(expression, last) <= now


def following(expression: str, moment: datetime) -> datetime:
    """The first moment of the schedule after this one."""
    found: datetime = croniter(expression, moment.astimezone(KOREA)).get_next(datetime)
    return found
