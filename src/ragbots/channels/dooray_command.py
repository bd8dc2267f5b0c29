"""Dooray's slash command and the buttons under its answers, as HTTP endpoints."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from ragbots.channels.dooray_messages import message_of
from ragbots.channels.messenger import Messenger, Place, Reply
from ragbots.channels.words import SEARCHING
from ragbots.errors import AddressRefused
from ragbots.outgoing import direct_client, spelled_out

if TYPE_CHECKING:
    from ragbots.config import DooraySettings

log = logging.getLogger("ragbots.channels")

IN_TIME_SECONDS = 2.4  # Dooray waits for 3
POSTING_SECONDS = 10.0

T = TypeVar("T", bound=BaseModel)

Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class _Sent(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)


class _Named(_Sent):
    id: Id


class Command(_Sent):
    """A slash command as Dooray sends it."""

    app_token: str
    user_id: Id
    channel_id: Id
    text: str = ""
    response_url: str
    trigger_id: Id


class Press(_Sent):
    """A button as Dooray tells of it."""

    app_token: str
    user: _Named
    channel: _Named
    action_value: str
    response_url: str | None = None
    trigger_id: str = ""


def may_post_to(url: str, settings: DooraySettings) -> bool:
    """Whether an answer may be sent there: Dooray's own hosts over HTTPS, and those that are listed. Listed hosts of
    this machine may do without HTTPS."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or "\\" in url or not url.isascii():
        return False
    named = host if port is None else f"{host}:{port}"
    if named in settings.response_hosts:
        return parts.scheme == "https" or (parts.scheme == "http" and host in ("127.0.0.1", "localhost"))
    domain = (settings.domain or "").partition(":")[0]
    ours = bool(domain) and (host == domain or host.endswith(f".{domain}"))
    return ours and parts.scheme == "https" and port in (None, 443)


class DoorayCommand:
    """Answers slash commands and buttons; only who asked reads the answers."""

    def __init__(self, messenger: Messenger, settings: DooraySettings) -> None:
        self._messenger = messenger
        self._settings = settings
        self._late: set[asyncio.Task[None]] = set()

    def check_token(self, token: str) -> None:
        """Raises HTTPException 401 for a token that is not the app's, taking as long for one as for another."""
        given = token.encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, self._messenger.secret.encode()):
            raise HTTPException(401)

    async def command(self, asked: Command) -> dict[str, Any]:
        self.check_token(asked.app_token)
        self._check_url(asked.response_url)
        if not await self._messenger.first(f"command/{asked.trigger_id}"):
            return _nothing()
        place = Place(asked.user_id, asked.channel_id, "command", direct=True)
        return await self._in_time(self._messenger.ask(asked.text, place), asked.response_url)

    async def press(self, pressed: Press) -> dict[str, Any]:
        self.check_token(pressed.app_token)
        if pressed.response_url is not None:
            self._check_url(pressed.response_url)
        if pressed.trigger_id and not await self._messenger.first(f"press/{pressed.trigger_id}"):
            return _nothing()
        place = Place(pressed.user.id, pressed.channel.id, "command", direct=True)
        return await self._in_time(self._messenger.press(pressed.action_value, place), pressed.response_url)

    def _check_url(self, url: str) -> None:
        if may_post_to(url, self._settings):
            return
        host = "an address that cannot be read"
        with suppress(ValueError):
            host = urlsplit(url).hostname or host
        log.warning(
            "dooray: answers are not posted to %r; is `domain` right, or is it missing in `response_hosts`?", host
        )
        raise HTTPException(400)

    async def _in_time(self, answer: Coroutine[Any, Any, Reply], url: str | None) -> dict[str, Any]:
        """The answer where it is soon there, else word that it follows."""
        working = asyncio.create_task(answer)
        done, _ = await asyncio.wait({working}, timeout=IN_TIME_SECONDS if url else None)
        if done:
            return self._message(working.result())
        later = asyncio.create_task(self._post_later(working, url or ""))
        self._late.add(later)
        later.add_done_callback(self._late.discard)
        return {"responseType": "ephemeral", "text": SEARCHING}

    async def _post_later(self, working: asyncio.Task[Reply], url: str) -> None:
        try:
            message = self._message(await working)
            # Neither a redirect nor the environment may lead an answer elsewhere, nor whoever answers for a name.
            private = (*self._messenger.runtime.settings.private_networks, *spelled_out(url))
            async with direct_client(private, POSTING_SECONDS) as client:
                given = await client.post(url, json=message)
            if given.status_code >= 300:
                log.error("dooray: a late answer was refused with HTTP %d", given.status_code)
        except AddressRefused as error:
            log.error("dooray: a late answer was not delivered: %s", error)
        except Exception as error:  # noqa: BLE001 - nobody waits any more
            log.error("dooray: a late answer was not delivered: %s", type(error).__name__)

    def _message(self, reply: Reply) -> dict[str, Any]:
        public_url, feedback = self._messenger.public_url, self._messenger.takes_feedback
        return {"responseType": "ephemeral", **message_of(reply, public_url, feedback=feedback)}


def dooray_router(messenger: Messenger, settings: DooraySettings) -> APIRouter:
    """`POST /dooray/command` and `POST /dooray/action`; the messenger's secret is the app's token."""
    door = DoorayCommand(messenger, settings)
    router = APIRouter(prefix="/dooray", include_in_schema=False)

    @router.post("/command")
    async def command(request: Request) -> Response:
        return JSONResponse(await door.command(await _read(request, Command)))

    @router.post("/action")
    async def action(request: Request) -> Response:
        return JSONResponse(await door.press(await _read(request, Press)))

    return router


async def _read(request: Request, model: type[T]) -> T:
    """Raises HTTPException 400, which says nothing of what was wrong: whoever sends this has shown no token yet."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(400) from error


def _nothing() -> dict[str, Any]:
    """What a command is answered with that was answered before."""
    return {"responseType": "ephemeral", "text": SEARCHING}
