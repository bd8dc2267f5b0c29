"""What every route works with: the runtime, a bounded pool of threads, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, HTTPException, Request

from ragbots.api.limits import address_of, counted_as
from ragbots.errors import TooManyRequests
from ragbots.gate import FairGate
from ragbots.types import Principal

if TYPE_CHECKING:
    from ragbots.runtime import Run, Runtime

P = ParamSpec("P")
T = TypeVar("T")

CHANNEL = "web"
MOST_WAITING = 10_000
MOST_WAITING_OF_ONE = 1_000
_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Desk:
    """The application's own state. `threads` is how many questions are worked on at a time."""

    runtime: Runtime
    threads: int
    _pool: CapacityLimiter = field(init=False)
    _gate: FairGate = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pool", CapacityLimiter(self.threads))
        object.__setattr__(self, "_gate", FairGate(self.threads, MOST_WAITING, MOST_WAITING_OF_ONE, _too_many_waiting))

    def run_for(self, request: Request) -> Run:
        """Heavy work for whoever sent `request`, in one of the threads, so that the event loop stays free. Where all
        are taken, those who wait get their turns person after person. Raises TooManyRequests where too many wait."""
        return partial(self._run, str(request.state.turn_of))

    async def _run(self, who: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._gate.turn(who):
            return await to_thread.run_sync(partial(function, *args, **kwargs), limiter=self._pool)

    async def look_up(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Light work in a thread of the common pool: it does not wait behind questions."""
        return await to_thread.run_sync(partial(function, *args, **kwargs))


async def desk_of(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


AtDesk = Annotated[Desk, Depends(desk_of)]


async def let_in(request: Request, desk: Desk, channel: str) -> Principal:
    """Who asks through a door. Raises HTTPException 401 for those who are not let in, TooManyRequests."""
    address = counted_as(address_of(request, desk.runtime.settings.trusted_proxies))
    await desk.runtime.limiter.address(address)
    identity = desk.runtime.identity
    principal: Principal | None = await desk.look_up(identity.principal, request.headers.get("authorization"), channel)
    if principal is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    # Those who did not sign in may all have one name.
    request.state.turn_of = principal.user_id if principal.authenticated else f"{principal.user_id}@{address}"
    await desk.runtime.limiter.principal(principal, request.state.turn_of)
    return principal


def _too_many_waiting(words: str) -> TooManyRequests:
    return TooManyRequests(words, retry_after=_WAIT_SECONDS)


async def principal_of(request: Request, desk: AtDesk) -> Principal:
    """Who asks. Raises HTTPException 401 for those who are not let in."""
    return await let_in(request, desk, CHANNEL)


Asking = Annotated[Principal, Depends(principal_of)]


def base_url(request: Request, desk: Desk) -> str:
    """How people reach this server, for links that are to be followed from elsewhere."""
    return desk.runtime.settings.public_url or str(request.base_url).rstrip("/")
