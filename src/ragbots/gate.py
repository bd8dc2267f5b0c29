"""A queue before something scarce: so many at once, and whoever waits gets a turn with everybody else."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class FairGate:
    """Lets `limit` requests in at once; those who wait are served person after person, not request after request,
    so that one with a hundred of them does not hold up another's first. More than `most_waiting` are turned away, and
    of one person's more than `most_of_one`, so that nobody fills the queue alone: `full` makes the error out of words.

    For one event loop at a time.
    """

    def __init__(self, limit: int, most_waiting: int, most_of_one: int, full: Callable[[str], Exception]) -> None:
        self._free = limit
        self._most_waiting = most_waiting
        self._most_of_one = most_of_one
        self._full = full
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """Waits for a turn and holds it while the block runs. Raises what `full` makes where too many wait."""
        await self._enter(user)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, user: str) -> None:
        if self._free > 0:
            self._free -= 1
            return
        if sum(map(len, self._waiting.values())) >= self._most_waiting:
            raise self._full("too many requests wait")
        if len(self._waiting.get(user, ())) >= self._most_of_one:
            raise self._full("too many requests of one person wait")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the turn came in the same moment: it goes to the next
            else:
                self._forget(user, turn)
            raise

    def _leave(self) -> None:
        while self._waiting:
            user, own = self._waiting.popitem(last=False)
            turn = own.popleft()
            if own:
                self._waiting[user] = own  # at the end again
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, user: str, turn: asyncio.Future[None]) -> None:
        own = self._waiting.get(user)
        if own is not None and turn in own:
            own.remove(turn)
            if not own:
                del self._waiting[user]
