"""Signing in and out with a browser, and who one is."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from typing_extensions import TypedDict

from ragbots import access
from ragbots.api.desk import CHANNEL, SESSION, Asking, AtDesk, Desk, arrived, base_url, credentials_of, own_cookie
from ragbots.api.guard import policy
from ragbots.api.origins import origin_of, own_path
from ragbots.api.problems import PROBLEMS
from ragbots.api.requests import Text
from ragbots.auth import AccountsIdentity, LocalIdentity
from ragbots.auth.accounts import ANONYMOUS
from ragbots.auth.keys import bearer
from ragbots.auth.secrets import new_secret
from ragbots.auth.widget_tokens import LONGEST, PREFIX
from ragbots.errors import SignInRefused
from ragbots.markup import templates
from ragbots.state.accounts import User
from ragbots.types import AuditEvent, Principal

if TYPE_CHECKING:
    from ragbots.auth.oidc import Provider

log = logging.getLogger("ragbots.api")

_FOLDER = Path(__file__).with_name("templates")
_TEMPLATES = templates(_FOLDER)
_TITLE_IN, _TITLE_OUT, _TITLE_REFUSED = "로그인", "로그아웃", "로그인하지 못했습니다"
_AWAY, _AWAY_SECONDS = f"{SESSION}-away", 600  # the cookie of a browser that has gone to the identity provider
_WRONG = "아이디나 비밀번호가 맞지 않습니다. 다시 확인해 주세요."
_HEADERS = {"Cache-Control": "no-store"}

sign_in_pages = APIRouter(include_in_schema=False)
me = APIRouter(prefix="/api", responses=PROBLEMS)


class MeJson(TypedDict):
    """Who asks. `user` and `name` are null for a stranger; `sign_in` and `sign_out` where a browser goes for that."""

    user: str | None
    name: str | None
    groups: list[str]
    sign_in: str | None
    sign_out: str | None


@me.get("/me", response_model=MeJson)
async def who(desk: AtDesk, principal: Asking) -> Response:
    """Who one is signed in as."""
    return JSONResponse(await desk.look_up(_me, desk, principal))


class WidgetTokenRequest(BaseModel):
    """`origin` is that of the page which has the widget, one of the setting `widget_origins`. `person`: what the holder
    of an API key calls whoever is to have the token (any id that stays the same), so that each has conversations of
    their own; a session speaks for itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    bot: Annotated[Text, Field(max_length=200)]
    origin: Annotated[Text, Field(max_length=500)]
    seconds: Annotated[int, Field(ge=10, le=int(LONGEST.total_seconds()))] = int(LONGEST.total_seconds())
    person: Annotated[Text, Field(max_length=100)] = ""


class WidgetTokenJson(TypedDict):
    """`token` is sent as `Authorization: Bearer …`; `seconds` is how long it is good."""

    token: str
    seconds: int


@me.post("/widget-tokens", response_model=WidgetTokenJson)
async def widget_token(body: WidgetTokenRequest, request: Request, desk: AtDesk, principal: Asking) -> Response:
    """A token for one bot on the pages of one origin, good for 15 minutes at most and while the API key or session
    is that asks for it. A widget token makes no other."""
    shown, identity = credentials_of(request, desk), desk.runtime.identity
    tokens = identity.tokens if isinstance(identity, (AccountsIdentity, LocalIdentity)) else None
    by_token = (bearer(shown) or "").startswith(PREFIX)
    if tokens is None or by_token or not (principal.key or (principal.authenticated and shown.session)):
        raise HTTPException(403)
    access.require(principal, desk.runtime.bots, body.bot)
    if body.origin not in desk.runtime.settings.widget_origins:
        raise HTTPException(403)
    if principal.key and not body.person:
        # Without it all people of the page would share their conversations.
        raise RequestValidationError([{"loc": ("body", "person"), "type": "missing", "msg": "missing for a key"}])
    asked = (body.bot, body.origin, body.seconds, body.person)
    token = await desk.look_up(tokens.make, principal.key, shown.session, *asked)
    await _record(
        desk,
        request,
        "widget token",
        principal,
        bot=body.bot,
        origin=body.origin,
        seconds=body.seconds,
        key=principal.key,
    )
    return JSONResponse({"token": token, "seconds": body.seconds})


@sign_in_pages.get("/login")
async def login_page(request: Request, desk: AtDesk) -> Response:
    """The form, or the way to the identity provider."""
    identity, target = _accounts_of(desk), own_path(request.query_params.get("next"))
    if identity.provider is not None:
        return await _away(request, desk, identity.provider, target)
    return _page(_TITLE_IN, next_=target)


@sign_in_pages.post("/login")
async def login(
    request: Request,
    desk: AtDesk,
    user: Annotated[str, Form(max_length=255)] = "",
    password: Annotated[str, Form(max_length=1_000)] = "",
    next_: Annotated[str, Form(alias="next", max_length=2_000)] = "/",
) -> Response:
    """Signs in, and goes on to where one wanted to go."""
    identity = _accounts_of(desk)
    if identity.provider is not None:
        raise HTTPException(405)
    await desk.runtime.limiter.sign_in(await arrived(request, desk), user)
    secret = await desk.run_for(request)(identity.sign_in, user, password)
    if secret is None:
        response = _page(_TITLE_IN, status=401, fault=_WRONG, user=user, next_=own_path(next_))
        response.background = BackgroundTask(_refused, desk, request, user)  # its time would tell which users there are
        return response
    return await _begun(request, desk, identity, secret, own_path(next_))


@sign_in_pages.get("/login/callback")
async def come_back(request: Request, desk: AtDesk) -> Response:
    """Whoever comes back from the identity provider is signed in, in the browser that went there."""
    identity, asked = _accounts_of(desk), request.query_params
    if identity.provider is None:
        raise HTTPException(404)
    await arrived(request, desk)
    away = own_cookie(request, desk, _AWAY)
    browser = away.read(request.headers) or ""
    try:
        if "error" in asked:
            raise SignInRefused(f"the identity provider says {asked['error'][:60]!r}")
        secret = await desk.look_up(
            identity.provider.finish, _callback(request, desk), browser, asked.get("state", ""), asked.get("code", "")
        )
    except SignInRefused as refused:
        log.warning("%s", refused)
        await _refused(desk, request, None, why=desk.runtime.mask(refused.message))
        response: Response = _page(_TITLE_REFUSED, status=refused.http_status, fault=refused.for_people)
    else:
        response = await _begun(request, desk, identity, secret, own_path(unquote(browser.partition(".")[2])))
    away.drop(response)
    return response


@sign_in_pages.post("/logout/backchannel")
async def logged_out_there(
    request: Request, desk: AtDesk, logout_token: Annotated[str, Form(max_length=20_000)]
) -> Response:
    """The identity provider says that somebody has signed out."""
    identity = _accounts_of(desk)
    if identity.provider is None:
        raise HTTPException(404)
    await arrived(request, desk)
    try:
        ended = await desk.look_up(identity.provider.ended, logout_token)
        nobody = Principal("identity provider", channel=CHANNEL)
        await _record(desk, request, "signed out", nobody, at_provider=True, sessions=ended)
    except SignInRefused as refused:
        log.warning("%s", refused)
        await _refused(desk, request, None, why=desk.runtime.mask(refused.message))
        raise HTTPException(400) from refused
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@sign_in_pages.get("/logout")
async def logout_page(request: Request, desk: AtDesk) -> Response:
    """The question; its answer may lead on to the identity provider."""
    there = await _end_there(request, desk, _accounts_of(desk))
    page = _page(_TITLE_OUT)
    if there is not None:
        form = f"'self' {origin_of(there)}"  # browsers hold what a form redirects to against it too
        page.headers["Content-Security-Policy"] = policy("style-src 'self'", "img-src 'self'", form=form)
    return page


@sign_in_pages.post("/logout")
async def logout(request: Request, desk: AtDesk) -> Response:
    """Ends the session, also where it is copied elsewhere."""
    identity = _accounts_of(desk)
    there = await _end_there(request, desk, identity)
    await arrived(request, desk)
    user = await _signed_in(request, desk, identity)
    await _end(request, desk, identity)
    if user is not None:
        await _record(desk, request, "signed out", Principal(user.id, user.groups, CHANNEL))
    response = RedirectResponse(there or "/", 303, dict(_HEADERS))
    own_cookie(request, desk, SESSION).drop(response)
    return response


@sign_in_pages.get("/sign-in.css")
async def style() -> Response:
    return FileResponse(_FOLDER / "sign_in.css")


async def _away(request: Request, desk: Desk, provider: Provider, target: str) -> Response:
    """To the identity provider; a cookie tells this browser from others when it comes back."""
    browser = f"{new_secret()}.{quote(target, safe='')}"
    try:
        url = await desk.look_up(provider.start, _callback(request, desk), browser)
    except SignInRefused as refused:
        log.warning("%s", refused)
        return _page(_TITLE_REFUSED, status=503, fault=refused.for_people)
    response = RedirectResponse(url, 303, dict(_HEADERS))
    own_cookie(request, desk, _AWAY, _AWAY_SECONDS).put(response, browser)
    return response


def _callback(request: Request, desk: Desk) -> str:
    return f"{base_url(request, desk)}/login/callback"


async def _end_there(request: Request, desk: Desk, identity: AccountsIdentity) -> str | None:
    """Where one signs out at the identity provider; None where there is none, or it cannot be reached."""
    if identity.provider is None:
        return None
    user = await _signed_in(request, desk, identity)
    try:
        back = f"{base_url(request, desk)}/"
        return await desk.look_up(identity.provider.end, None if user is None else user.id, back)
    except SignInRefused as refused:
        log.warning("%s", refused)
        return None


async def _begun(request: Request, desk: Desk, identity: AccountsIdentity, secret: str, target: str) -> Response:
    """Goes on with a new session in place of one that was there before."""
    await _end(request, desk, identity)
    user = await desk.look_up(identity.sessions.user, secret)
    if user is not None:
        groups = sorted(user.groups)
        await _record(desk, request, "signed in", Principal(user.id, user.groups, CHANNEL), groups=groups)
    response = RedirectResponse(target, 303, dict(_HEADERS))
    own_cookie(request, desk, SESSION, int(identity.sessions.lifetime.total_seconds())).put(response, secret)
    return response


async def _end(request: Request, desk: Desk, identity: AccountsIdentity) -> None:
    session = credentials_of(request, desk).session
    if session is not None:
        await desk.look_up(identity.sessions.end, session)


async def _signed_in(request: Request, desk: Desk, identity: AccountsIdentity) -> User | None:
    session = credentials_of(request, desk).session
    return None if session is None else await desk.look_up(identity.sessions.user, session)


async def _refused(desk: Desk, request: Request, name: str | None, **what: object) -> None:
    """Records that somebody was not let in. A name that nobody has is not kept: it may well be a password."""
    known = await desk.look_up(_accounts_of(desk).sessions.accounts.user, name) if name else None
    whose = Principal(known.id if known else ANONYMOUS, channel=CHANNEL, authenticated=False)
    address = request.state.address or None
    await desk.look_up(partial(desk.runtime.audit_refusal, whose, address, asked="sign in", **what))


async def _record(desk: Desk, request: Request, kind: str, principal: Principal, **what: object) -> None:
    event = AuditEvent(kind, principal, what, request.state.address or None)
    await desk.look_up(desk.runtime.audit, event)


def _page(title: str, *, status: int = 200, fault: str = "", user: str = "", next_: str = "/") -> HTMLResponse:
    html = _TEMPLATES.get_template("sign_in.html.j2").render(title=title, fault=fault, user=user, next=next_)
    return HTMLResponse(html, status, dict(_HEADERS))


def _accounts_of(desk: Desk) -> AccountsIdentity:
    """Raises HTTPException 404 where nobody signs in."""
    identity = desk.runtime.identity
    if not isinstance(identity, AccountsIdentity):
        raise HTTPException(404)
    return identity


def _me(desk: Desk, principal: Principal) -> MeJson:
    identity = desk.runtime.identity
    by_browser = isinstance(identity, AccountsIdentity) and principal.key is None
    name: str | None = principal.user_id
    if isinstance(identity, AccountsIdentity):
        user = identity.sessions.accounts.user(principal.user_id)
        name = principal.user_id if user is None else user.name
    signed_in = principal.authenticated
    return {
        "user": principal.user_id if signed_in else None,
        "name": name if signed_in else None,
        "groups": sorted(principal.groups),
        "sign_in": "/login" if by_browser and not signed_in else None,
        "sign_out": "/logout" if by_browser and signed_in else None,
    }
