"""Slack, over Socket Mode or HTTP: direct messages and mentions are answered, in the thread they stand in."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError
from fastapi import APIRouter, HTTPException, Request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.responses import Response
from tenacity import AsyncRetrying, before_sleep_log, retry_if_exception_type, wait_random_exponential

from ragbots.channels.messenger import Messenger, Place, secret_of
from ragbots.channels.slack_messages import CHOOSE, RATE, escaped, message_of
from ragbots.channels.words import SEARCHING
from ragbots.errors import ConfigurationError
from ragbots.types import Answer

if TYPE_CHECKING:
    from ragbots.config import SlackSettings

log = logging.getLogger("ragbots.channels")

PING_SECONDS = 10.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0

_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_REFUSALS = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type")


class SlackDoor:
    """Answers events and buttons. The bot's token is the client's."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    async def on_mention(self, body: dict[str, Any], client: AsyncWebClient) -> None:
        event = body["event"]
        # What follows belongs together: the thread of the first question is the conversation.
        await self._on_question(body, str(event.get("thread_ts") or event.get("ts") or ""), client)

    async def on_message(self, body: dict[str, Any], client: AsyncWebClient) -> None:
        event = body["event"]
        if event.get("channel_type") == "im" and not event.get("subtype"):
            await self._on_question(body, str(event.get("thread_ts") or ""), client)

    async def _on_question(self, body: dict[str, Any], thread: str, client: AsyncWebClient) -> None:
        event = body["event"]
        user, channel, ts = (str(event.get(key) or "") for key in ("user", "channel", "ts"))
        # One message is answered once, however often and by whichever events it is told of.
        if not (user and channel and ts) or event.get("bot_id") or not await self._messenger.first(f"{channel}/{ts}"):
            return
        place = _place(user, channel, thread, outsiders=bool(body.get("is_ext_shared_channel")))
        posted: dict[str, Any] = {
            "unfurl_links": False,
            "unfurl_media": False,
            **({"thread_ts": thread} if thread else {}),
        }
        notice = await client.chat_postMessage(channel=channel, text=SEARCHING, **posted)
        reply = await self._messenger.ask(_plain(str(event.get("text") or "")), place)
        message = self._message(reply)
        try:
            await client.chat_update(channel=channel, ts=str(notice["ts"]), **message)
        except SlackApiError as error:
            log.warning("slack: could not edit a message: %s", error.response.get("error"))
            await client.chat_postMessage(channel=channel, **message, **posted)

    async def on_choice(self, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Answers in place of the question which bot is meant, where it was put to whoever pressed."""
        place, ts = _pressed_at(body)
        if not await self._messenger.first(f"press/{body.get('trigger_id')}"):
            return
        reply = await self._messenger.press(body["actions"][0].get("value"), place)
        if isinstance(reply, Answer):
            await client.chat_update(channel=place.channel, ts=ts, **self._message(reply))
        else:
            await self._whisper(place, reply, client)

    async def on_rating(self, body: dict[str, Any], client: AsyncWebClient) -> None:
        place, _ = _pressed_at(body)
        if await self._messenger.first(f"press/{body.get('trigger_id')}"):
            reply = await self._messenger.press(body["actions"][0].get("value"), place)
            await self._whisper(place, reply if isinstance(reply, str) else reply.answer, client)

    async def _whisper(self, place: Place, words: str, client: AsyncWebClient) -> None:
        await client.chat_postEphemeral(
            channel=place.channel, user=place.user, text=escaped(words), thread_ts=place.thread or None
        )

    def _message(self, reply: Answer | str) -> dict[str, Any]:
        return message_of(reply, self._messenger.public_url, feedback=self._messenger.takes_feedback)


def _place(user: str, channel: str, thread: str, *, outsiders: bool) -> Place:
    # Slack's direct messages have ids of their own kind; groups of several people do not.
    return Place(user, channel, thread, direct=channel.startswith("D"), outsiders=outsiders)


def _pressed_at(body: dict[str, Any]) -> tuple[Place, str]:
    """Where a button was pressed, and the message it stands in."""
    message = body.get("message") or {}
    user, channel = str(body["user"]["id"]), str((body.get("channel") or {}).get("id") or "")
    # Nothing tells here whether others read along; who is of another organisation has another team.
    outsiders = (body["user"].get("team_id") or None) != ((body.get("team") or {}).get("id") or None)
    return _place(user, channel, str(message.get("thread_ts") or ""), outsiders=outsiders), str(message.get("ts") or "")


def _plain(text: str) -> str:
    """What was written, without mentions and Slack's escapes."""
    text = _MENTION.sub("", text)
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return text.strip()


def slack_app(messenger: Messenger, client: AsyncWebClient) -> AsyncApp:
    """The app that answers, however its events come in. Whether they are Slack's is seen to before."""
    door = SlackDoor(messenger)
    app = AsyncApp(client=client, request_verification_enabled=False, logger=logging.getLogger("ragbots.slack"))
    app.event("app_mention")(door.on_mention)
    app.event("message")(door.on_message)
    for name, handle in ((CHOOSE, door.on_choice), (RATE, door.on_rating)):
        app.action(re.compile(rf"^{name}-"))(_acknowledging(handle))
    return app


def _acknowledging(handle: Any) -> Any:
    async def acknowledged(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await handle(body, client)

    return acknowledged


def web_client(settings: SlackSettings, environ: Mapping[str, str]) -> AsyncWebClient:
    """Raises ConfigurationError."""
    token = secret_of(environ, settings.bot_token_env, "the token of the Slack bot (xoxb-…)")
    # A limit on requests is waited out; a message that may have been posted is not posted again.
    retries: list[AsyncRetryHandler] = [AsyncRateLimitErrorRetryHandler(max_retry_count=3)]
    return AsyncWebClient(token=token, base_url=f"{settings.api_url}/", retry_handlers=retries)


# over HTTP


def is_signed(verifier: SignatureVerifier, body: bytes, timestamp: str, signature: str) -> bool:
    """Whether Slack sent this within the last five minutes. Never raises, whatever is sent."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp, re.ASCII) or not signature.isascii():
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return verifier.is_valid(body=body, timestamp=timestamp, signature=signature)


def slack_router(app: AsyncApp, signing_secret: str) -> APIRouter:
    """`POST /slack/events`, for events and for buttons."""
    verifier = SignatureVerifier(signing_secret)
    handler = AsyncSlackRequestHandler(app)
    router = APIRouter(include_in_schema=False)

    @router.post("/slack/events")
    async def events(request: Request) -> Response:
        timestamp, signature = (
            request.headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature")
        )
        if not is_signed(verifier, await request.body(), timestamp, signature):
            raise HTTPException(401)
        return await handler.handle(request)

    return router


# over Socket Mode


async def serve(messenger: Messenger, settings: SlackSettings, environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Answers in Slack until `stop`. A connection that is lost is made again. Raises ConfigurationError."""
    app_token = secret_of(environ, settings.app_token_env, "the Slack app's token (xapp-…)")
    client = web_client(settings, environ)
    handler = AsyncSocketModeHandler(slack_app(messenger, client), app_token, ping_interval=PING_SECONDS)
    connecting = asyncio.create_task(_connect(handler))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            connecting.result()
            log.info("slack: connected")
            await stopping
    finally:
        for task in (connecting, stopping):
            task.cancel()
        await asyncio.gather(connecting, stopping, return_exceptions=True)
        await handler.close_async()  # type: ignore[no-untyped-call]


async def _connect(handler: AsyncSocketModeHandler) -> None:
    """Connects, however long that takes. Raises ConfigurationError where a token is refused."""
    tries = AsyncRetrying(
        retry=retry_if_exception_type((OSError, ClientError, asyncio.TimeoutError)),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        before_sleep=before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    await tries(_connect_once, handler)


async def _connect_once(handler: AsyncSocketModeHandler) -> None:
    try:
        await handler.app.client.auth_test()
        await handler.connect_async()  # type: ignore[no-untyped-call]
    except SlackApiError as error:
        why = str(error.response.get("error"))
        if why in _REFUSALS:
            raise ConfigurationError(
                f"Slack refuses a token: {why}", hint="see `bot_token_env` and `app_token_env` under [slack]"
            ) from error
        raise ConnectionError(f"no connection to Slack: {why}") from None
