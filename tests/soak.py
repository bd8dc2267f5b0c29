"""Many clients of server-sent events at once, of whom some go away: what the server makes of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

EVENTS = {"Accept": "text/event-stream"}


@dataclass(frozen=True)
class Soaked:
    """`statuses` counts the answers by status, `finished` those that were read to `done`, `dropped` the clients that
    went away, `failed` what clients complained of by name; `seconds` are those of each finished answer."""

    statuses: Counter[int]
    finished: int
    dropped: int
    failed: Counter[str]
    seconds: Sequence[float]

    @property
    def server_errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)


async def soak(url: str, questions: Sequence[str], clients: int, *, drop_every: int = 5, seed: int = 1) -> Soaked:
    """All clients at once; every `drop_every`-th goes away, half of these within three seconds, wherever their question
    is by then, and half after the first line of the answer."""
    statuses: Counter[int] = Counter()
    failed: Counter[str] = Counter()
    seconds: list[float] = []
    dice = random.Random(seed)
    dropped = 0

    async def one(client: httpx.AsyncClient, number: int) -> None:
        nonlocal dropped
        body = {"question": questions[number % len(questions)]}
        drops = number % drop_every == 0
        patience = dice.uniform(0.0, 3.0) if number % (2 * drop_every) == 0 else None
        began = time.monotonic()
        try:
            async with asyncio.timeout(patience):
                async with client.stream("POST", f"{url}/api/chat", json=body, headers=EVENTS) as response:
                    statuses[response.status_code] += 1
                    async for line in response.aiter_lines():
                        if drops:
                            break
                        if line == "event: done":
                            seconds.append(time.monotonic() - began)
        except TimeoutError:
            pass
        except httpx.HTTPError as error:
            failed[type(error).__name__] += 1
        dropped += drops

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=limits) as client:
        await asyncio.gather(*(one(client, number) for number in range(clients)))
    return Soaked(statuses, len(seconds), dropped, failed, seconds)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.1)
    return True
