"""Dooray's messenger: an agent over Socket Mode that answers direct messages and mentions."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenacity import (
    AsyncRetrying,
    before_sleep_log,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from ragbots.channels.dooray_messages import message_of
from ragbots.channels.messenger import Messenger, Place, secret_of
from ragbots.channels.words import SEARCHING
from ragbots.errors import ConfigurationError

if TYPE_CHECKING:
    from ragbots.config import DooraySettings

log = logging.getLogger("ragbots.channels")

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
SENDING_TRIES = 4
FINISHING_SECONDS = 10.0  # for answers under way, when the agent is told to stop

_MENTION = re.compile(r"\[@[^\]]*\]\(dooray://[^)\s]*/members/(\d+)[^)]*\)")


@dataclass(frozen=True, slots=True)
class Received:
    """A message that is for the agent."""

    id: str
    channel: str
    text: str
    place: Place


def received(content: Mapping[str, Any], channel: Mapping[str, Any] | None, agent_id: str | None) -> Received | None:
    """What a new message asks; None where it is not meant for the agent: its own, or one without a mention.

    A thread is a channel of its own in Dooray, so that it is a conversation of its own too. Where it is not told
    what kind of channel it is, it is taken for one that others read.
    """
    message, place, user = (str(content.get(key) or "") for key in ("id", "channelId", "senderId"))
    text = str(content.get("text") or "")
    if not (message and place and user) or user == agent_id:
        return None
    direct = (channel or {}).get("type") == "direct"
    mentioned = agent_id is not None and agent_id in _MENTION.findall(text)
    if not direct and not mentioned:
        return None
    asked = _MENTION.sub(lambda found: "" if found[1] == agent_id else found[0].partition("]")[0][2:], text)
    return Received(message, place, asked.strip(), Place(user, place, direct=direct))


class DoorayDoor:
    """Answers what the agent receives. `agent` is the SDK's, and connected."""

    def __init__(self, agent: Any, messenger: Messenger) -> None:
        self._agent = agent
        self._messenger = messenger
        self._answering: set[asyncio.Task[None]] = set()

    async def on_message(self, req: Any) -> None:
        """Begins an answer. The SDK reads no further message before this returns."""
        # Known from the token on; `agent._agent_member_id` is not until a moment after the first messages.
        me = self._agent._connection_manager.member_id
        asked = received(req.payload, req.channel_data, me)
        if asked is None or not await self._messenger.first(f"{asked.channel}/{asked.id}"):
            return
        task = asyncio.create_task(self._answer(asked))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def finish(self) -> None:
        """Waits a while for the answers under way."""
        if self._answering:
            _, late = await asyncio.wait(self._answering, timeout=FINISHING_SECONDS)
            for task in late:
                task.cancel()

    async def _answer(self, asked: Received) -> None:
        try:
            notice = await self._say_searching(asked)
            reply = await self._messenger.ask(asked.text, asked.place)
            message = message_of(reply, self._messenger.public_url, feedback=self._messenger.takes_feedback)
            await self._deliver(asked, notice, message)
        except Exception:  # one message that cannot be answered must not end the others
            log.exception("dooray: message %s was not answered", asked.id)

    async def _say_searching(self, asked: Received) -> str | None:
        """The id of `찾는 중…`; None where it could not be said, which keeps nobody from an answer."""
        try:
            return await self._post(asked, {"text": SEARCHING})
        except Exception as error:  # noqa: BLE001 - the answer follows
            log.warning("dooray: could not say that it is looked up: %s", _told(error))
            return None

    async def _deliver(self, asked: Received, notice: str | None, message: dict[str, Any]) -> None:
        if notice is not None:
            path = f"/messenger/v1/channels/{asked.channel}/logs/{notice}"
            try:
                await _sent(lambda: self._agent.web.put(path, data=message), _may_pass)
            except Exception as error:  # noqa: BLE001 - it is said anew instead
                log.warning("dooray: could not edit a message: %s", _told(error))
            else:
                return
        await self._post(asked, message)

    async def _post(self, asked: Received, message: dict[str, Any]) -> str | None:
        """Sends a message, in a channel as a reply to the question; its id."""
        to = self._agent.messenger
        more = {key: value for key, value in message.items() if key != "text"}
        if asked.place.direct:
            given = await _sent(lambda: to.send_message(asked.channel, message["text"], **more), _is_busy)
        else:
            given = await _sent(lambda: to.reply_to_message(asked.channel, asked.id, message["text"], **more), _is_busy)
        result = given.get("result")
        return str(result["id"]) if isinstance(result, dict) and result.get("id") else None


class _Refused(Exception):
    """An answer 200 that says no."""


async def _sent(call: Callable[[], Awaitable[Any]], again: Callable[[BaseException], bool]) -> dict[str, Any]:
    """The response's body, after as many tries as it takes. Raises what the last one raised."""
    tries = AsyncRetrying(
        retry=retry_if_exception(again),
        stop=stop_after_attempt(SENDING_TRIES),
        wait=wait_random_exponential(multiplier=0.5, max=5.0),
        reraise=True,
    )

    async def attempt() -> Any:
        return await call()

    body: Any = await tries(attempt)
    header = body.get("header") if isinstance(body, dict) else None
    if isinstance(header, dict) and header.get("isSuccessful") is False:
        raise _Refused(f"{header.get('resultCode')} {header.get('resultMessage')}")
    return body if isinstance(body, dict) else {}


def _is_busy(error: BaseException) -> bool:
    """Whether nothing was done for want of room: a message that may have been posted is not posted again."""
    return getattr(error, "status_code", None) == 429


def _may_pass(error: BaseException) -> bool:
    """Whether the same edit may succeed next time; twice the same edit is one."""
    status = getattr(error, "status_code", None)
    return isinstance(error, Exception) and (status is None or status == 429 or status >= 500)


def _told(error: BaseException) -> str:
    status = getattr(error, "status_code", None)
    return f"HTTP {status}" if status else f"{type(error).__name__}: {getattr(error, 'message', error)}"


async def serve(
    messenger: Messenger, settings: DooraySettings, environ: Mapping[str, str], stop: asyncio.Event
) -> None:
    """Answers in Dooray until `stop`. A connection that is lost is made again, at growing intervals; where another
    process holds the agent's one session this one stands by. Raises ConfigurationError."""
    agent = agent_of(settings, environ)
    door = DoorayDoor(agent, messenger)
    agent.add_handler("message", door.on_message, action="create", service="messenger")
    try:
        if await _connected(agent, stop):
            log.info("dooray: connected to %s", settings.domain)
            await stop.wait()
    finally:
        await door.finish()
        await _close(agent)


def agent_of(settings: DooraySettings, environ: Mapping[str, str]) -> Any:
    """The SDK's agent, not yet connected. Raises ConfigurationError."""
    from dooray_sdk import Agent

    if not settings.domain or not settings.api:
        raise ConfigurationError(
            "Dooray's domain is not set",
            hint='set `domain = "company.dooray.com"` under [dooray] in ragbots.toml, or RAGBOTS_DOORAY_DOMAIN',
        )
    token = secret_of(environ, settings.agent_token_env, "the token of the Dooray agent")
    agent = Agent(
        token=token,
        domain=settings.domain,
        services=["messenger"],
        reconnect_initial_delay=FIRST_WAIT_SECONDS,
        reconnect_max_delay=LONGEST_WAIT_SECONDS,
    )
    agent.base_url = settings.api
    return agent


async def _connected(agent: Any, stop: asyncio.Event) -> bool:
    """Connects, however long that takes; False where it is to stop first. Raises ConfigurationError where the token
    is refused. Later the SDK connects again by itself."""
    connecting = asyncio.create_task(_connect_again_and_again(agent))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            return False
        connecting.result()
        return True
    finally:
        for task in (connecting, stopping):
            task.cancel()
        await asyncio.gather(connecting, stopping, return_exceptions=True)


async def _connect_again_and_again(agent: Any) -> None:
    tries = AsyncRetrying(
        retry=retry_if_exception_type(ConnectionError),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        before_sleep=before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    await tries(_connect, agent)


async def _connect(agent: Any) -> None:
    try:
        await agent.connect()
    except Exception as error:
        await _disconnect(agent)  # a failed attempt leaves its sessions open
        cause = error.__cause__
        if getattr(cause, "status_code", None) in (401, 403):
            raise ConfigurationError(
                "Dooray refuses the agent's token", hint="see `agent_token_env` under [dooray]"
            ) from error
        # The SDK's own errors quote responses; what is logged of them must not.
        raise ConnectionError(f"no connection to Dooray: {_told(cause or error)}") from None


async def _disconnect(agent: Any) -> None:
    if getattr(agent, "_connection_manager", None):
        await agent.disconnect()
    session = getattr(agent.web, "session", None)
    if session is not None:
        await session.close()


async def _close(agent: Any) -> None:
    await _disconnect(agent)
    agent._executor.shutdown(wait=False)
