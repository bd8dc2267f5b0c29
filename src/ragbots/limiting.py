"""How many requests are taken of whom: counted in memory, or in Redis for several servers together."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError as LimitsConfigurationError
from limits.errors import StorageError

from ragbots.config import NO_LIMIT, LimitSettings
from ragbots.errors import ConfigurationError, TooManyRequests
from ragbots.text import digest
from ragbots.types import Principal

if TYPE_CHECKING:
    from limits.aio.storage.redis.redispy import RedispyBridge

_log = logging.getLogger(__name__)

REDIS_SECONDS = 0.5  # as long as a request waits for Redis
AWAY_SECONDS = 5.0  # as long as Redis is not asked again after it was away


class Limiter:
    """Counts requests and raises TooManyRequests for those beyond a limit, which do not count themselves.

    Where Redis does not answer, each server counts in its own memory until it does: people go on asking.
    For one event loop at a time.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._user = _parsed(settings.per_user)
        self._key = _parsed(settings.per_key)
        self._bot = _parsed(settings.per_bot)
        self._address = _parsed(settings.per_address)
        self._sign_in = _parsed(settings.sign_ins)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        url = settings.redis_url
        self._redis = None if url is None else _redis(url.get_secret_value())
        self._shared = None if self._redis is None else SlidingWindowCounterRateLimiter(self._redis)
        self._away_until = 0.0

    async def address(self, address: str) -> None:
        """Counts a request from an address, before it is known whose it is."""
        await self._count("address", address, self._address)

    async def principal(self, principal: Principal, name: str) -> None:
        """Counts a request of somebody who was let in, by a name of theirs alone, and of the key that was shown."""
        if principal.local:
            return
        key: str | None = principal.key
        if key is not None:
            await self._count("key", key, self._key)
        await self._count("user", name, self._user)

    async def sign_in(self, address: str, user: str) -> None:
        """Counts an attempt to sign in as a user from an address: nobody else is kept out by it."""
        await self._count("attempts to sign in", f"{address} {user.casefold()}", self._sign_in)

    async def bot(self, bot_id: str) -> None:
        """Counts a question to a bot that its asker may see: others say nothing of it."""
        await self._count("bot", bot_id, self._bot)

    async def close(self) -> None:
        """Ends the connections to Redis."""
        if self._redis is not None:
            await cast("RedispyBridge", self._redis.bridge).storage.aclose()

    async def _count(self, what: str, whose: str, rates: tuple[RateLimitItem, ...]) -> None:
        # Whose they are is nobody's business who looks into Redis.
        name = digest(whose.encode("utf-8", "surrogatepass"))[:32]
        for rate in rates:
            wait = await self._wait(rate, what, name)
            if wait is not None:
                raise TooManyRequests(f"more than {rate} of one {what}", retry_after=wait)

    async def _wait(self, rate: RateLimitItem, what: str, name: str) -> int | None:
        """Seconds to wait; None where the request is within `rate`."""
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    wait = await _hit(self._shared, rate, what, name)
            except (StorageError, OSError) as error:
                self._gone(error)
            else:
                self._back()
                return wait
        return await _hit(self._own, rate, what, name)

    def _gone(self, error: Exception) -> None:
        if not self._away_until:
            cause = error.storage_error if isinstance(error, StorageError) else error
            # Its words can hold the address with the password.
            _log.warning("limits: Redis does not answer (%s); each server counts by itself", type(cause).__name__)
        self._away_until = time.monotonic() + AWAY_SECONDS

    def _back(self) -> None:
        if self._away_until:
            _log.warning("limits: Redis answers again")
            self._away_until = 0.0


def _parsed(rates: str) -> tuple[RateLimitItem, ...]:
    return () if rates == NO_LIMIT else tuple(parse_many(rates))


def _redis(url: str) -> RedisStorage:
    if find_spec("redis") is None:
        raise ConfigurationError("limits.redis_url: the package is missing", hint="pip install 'ragbots[redis]'")
    options = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    try:
        return RedisStorage(url, wrap_exceptions=True, implementation="redispy", key_prefix="ragbots", **options)
    except (LimitsConfigurationError, ValueError):
        # Not chained: its words hold the address with the password.
        raise ConfigurationError("limits.redis_url cannot be read", hint="such as redis://127.0.0.1:6379/0") from None


async def _hit(limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, what: str, name: str) -> int | None:
    if await limiter.hit(rate, what, name):
        return None
    free_at, _ = await limiter.get_window_stats(rate, what, name)
    return max(1, math.ceil(free_at - time.time()))
