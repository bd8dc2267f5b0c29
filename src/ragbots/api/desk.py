"""What every route works with: the runtime, a bounded pool of threads, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, HTTPException, Request

from ragbots.api.limits import count_address
from ragbots.types import Principal

if TYPE_CHECKING:
    from ragbots.runtime import Runtime

P = ParamSpec("P")
T = TypeVar("T")

CHANNEL = "web"


@dataclass(frozen=True)
class Desk:
    """The application's own state. `threads` bounds how many questions are worked on at a time."""

    runtime: Runtime
    threads: CapacityLimiter

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Heavy work in one of `threads`, so that the event loop stays free; waits where all are taken."""
        return await to_thread.run_sync(partial(function, *args, **kwargs), limiter=self.threads)

    async def look_up(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Light work in a thread of the common pool: it does not wait behind questions."""
        return await to_thread.run_sync(partial(function, *args, **kwargs))


async def desk_of(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


AtDesk = Annotated[Desk, Depends(desk_of)]


async def let_in(request: Request, desk: Desk, channel: str) -> Principal:
    """Who asks through a door. Raises HTTPException 401 for those who are not let in, TooManyRequests."""
    await count_address(request, desk.runtime)
    identity = desk.runtime.identity
    principal: Principal | None = await desk.look_up(identity.principal, request.headers.get("authorization"), channel)
    if principal is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    await desk.runtime.limiter.principal(principal)
    return principal


async def principal_of(request: Request, desk: AtDesk) -> Principal:
    """Who asks. Raises HTTPException 401 for those who are not let in."""
    return await let_in(request, desk, CHANNEL)


Asking = Annotated[Principal, Depends(principal_of)]


def base_url(request: Request, desk: Desk) -> str:
    """How people reach this server, for links that are to be followed from elsewhere."""
    return desk.runtime.settings.public_url or str(request.base_url).rstrip("/")
