"""What every route works with: the runtime, a bounded pool of threads, and who is asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar, cast

from anyio import CancelScope, to_thread
from fastapi import Depends, HTTPException, Request
from starlette.exceptions import HTTPException as StarletteHTTPException

from ragbots import access
from ragbots.api.addresses import address_of, counted_as
from ragbots.api.cookies import Cookie
from ragbots.auth.accounts import ANONYMOUS
from ragbots.errors import BotNotFound, TooManyRequests
from ragbots.gate import FairGate
from ragbots.types import Context, Credentials, Principal

if TYPE_CHECKING:
    from ragbots.runtime import Run, Runtime

P = ParamSpec("P")
T = TypeVar("T")

CHANNEL = "web"
SESSION = "session"  # the purpose of its cookie
MOST_WAITING = 10_000
MOST_WAITING_OF_ONE = 1_000
_WAIT_SECONDS = 10
_REFUSED = (401, 403)


@dataclass(frozen=True)
class Desk:
    """The application's own state. `threads` is how many questions are worked on at a time."""

    runtime: Runtime
    threads: int
    _pool: ThreadPoolExecutor = field(init=False)
    _gate: FairGate = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pool", ThreadPoolExecutor(self.threads, "question"))
        object.__setattr__(self, "_gate", FairGate(self.threads, MOST_WAITING, MOST_WAITING_OF_ONE, _too_many_waiting))

    def run_for(self, request: Request) -> Run:
        """Heavy work for whoever sent `request`, in one of the threads, so that the event loop stays free. Where all
        are taken, those who wait get their turns person after person. Raises TooManyRequests where too many wait."""
        return partial(self._run, str(request.state.turn_of))

    async def _run(self, who: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        work = partial(copy_context().run, partial(function, *args, **kwargs))
        # Always the same few threads: each that has once worked on a question keeps some 10 MB for its next.
        async with self._gate.turn(who):
            with CancelScope(shield=True):  # a thread cannot be stopped, so that its turn lasts until it is done
                given = await asyncio.get_running_loop().run_in_executor(self._pool, work)
            return given  # noqa: RET504 - a scope may end early, for all that types know

    async def look_up(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Light work in a thread of the common pool: it does not wait behind questions."""
        return await to_thread.run_sync(partial(function, *args, **kwargs))


async def desk_of(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


AtDesk = Annotated[Desk, Depends(desk_of)]


async def let_in(request: Request, desk: Desk, channel: str) -> Principal:
    """Who asks through a door. Raises HTTPException 401 for those who are not let in, TooManyRequests."""
    address = await arrived(request, desk)
    principal = await _recognised(request, desk, channel)
    if principal is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    request.state.principal = principal
    # Those who did not sign in may all have one name.
    request.state.turn_of = principal.user_id if principal.authenticated else f"{principal.user_id}@{address}"
    await desk.runtime.limiter.principal(principal, request.state.turn_of)
    return principal


async def arrived(request: Request, desk: Desk) -> str:
    """Counts a request of whoever it is, who waits for a turn as their address; what that is counted as. Raises
    TooManyRequests."""
    request.state.address = address_of(request, desk.runtime.settings.trusted_proxies)
    counted = counted_as(request.state.address)
    await desk.runtime.limiter.address(counted)
    request.state.turn_of = counted
    return counted


async def note_refusal(request: Request, error: BaseException) -> None:
    """Records who was refused and what: a credential that is not good, a bot that is not there for them, something
    they may not do. One that is hidden and one that is not there are recorded alike, and take as long."""
    bot = next((one for one in (error, error.__cause__) if isinstance(one, BotNotFound)), None)
    if bot is None and not (isinstance(error, StarletteHTTPException) and error.status_code in _REFUSED):
        return
    desk: Desk = request.app.state.desk
    why = str(error.status_code) if isinstance(error, StarletteHTTPException) else BotNotFound.slug
    await desk.look_up(
        desk.runtime.audit_refusal, *_who_asks(request), asked=f"{request.method} {request.url.path}", why=why,
        told="" if bot is None else desk.runtime.mask(bot.message),
    )  # fmt: skip


def _who_asks(request: Request) -> tuple[Principal, str | None]:
    """Who was let in, or somebody unknown; and their address."""
    nobody = Principal(ANONYMOUS, channel=CHANNEL, authenticated=False)
    return getattr(request.state, "principal", None) or nobody, getattr(request.state, "address", None) or None


async def _recognised(request: Request, desk: Desk, channel: str) -> Principal | None:
    return await desk.look_up(desk.runtime.identity.principal, credentials_of(request, desk), channel)


def credentials_of(request: Request, desk: Desk) -> Credentials:
    session = own_cookie(request, desk, SESSION).read(request.headers)
    return Credentials(request.headers.get("authorization"), session, request.headers.get("origin"))


def own_cookie(request: Request, desk: Desk, purpose: str, seconds: int = 0) -> Cookie:
    """A cookie of this server, sent over TLS alone where people reach it so; `seconds` is the life of one to be put."""
    return Cookie(purpose, base_url(request, desk).startswith("https:"), seconds)


def still_let_in(request: Request, desk: Desk, principal: Principal) -> Callable[[], Awaitable[bool]]:
    """Asks whether whoever was let in would be let in now with the same credentials, and may see all they might."""
    runtime = desk.runtime

    def seen(who: Principal) -> set[str]:
        return {bot.id for bot in runtime.visible_bots(who)}

    before = seen(principal)

    async def look() -> bool:
        now = await _recognised(request, desk, principal.channel)
        if now is None:
            return False
        return access.still_has(now, principal, seen(now), before)

    return look


def _too_many_waiting(words: str) -> TooManyRequests:
    return TooManyRequests(words, retry_after=_WAIT_SECONDS)


async def principal_of(request: Request, desk: AtDesk) -> Principal:
    """Who asks. Raises HTTPException 401 for those who are not let in."""
    return await let_in(request, desk, CHANNEL)


Asking = Annotated[Principal, Depends(principal_of)]


def context_of(request: Request, desk: Desk, principal: Principal, as_of: date | None = None) -> Context:
    """Who asks, when, and from which network address; for a request that has been let in."""
    return replace(desk.runtime.context(principal, as_of), address=request.state.address or None)


def base_url(request: Request, desk: Desk) -> str:
    """How people reach this server, for links that are to be followed from elsewhere."""
    return desk.runtime.settings.public_url or str(request.base_url).rstrip("/")
