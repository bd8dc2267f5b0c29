"""What all messengers do with what is written to them: who asks, in which conversation, and each message once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from cachetools import TTLCache

from ragbots import access
from ragbots.channels.words import (
    ANOTHERS,
    OUTDATED,
    RIGHTS_CHANGED,
    THANKS,
    Chosen,
    Rated,
    choices,
    read_value,
)
from ragbots.errors import BotNotFound, ConfigurationError, RagbotsError
from ragbots.memory import Rating
from ragbots.types import Answer, Principal, Question, Status

if TYPE_CHECKING:
    from ragbots.runtime import Runtime

log = logging.getLogger("ragbots.channels")

EVENTS_KEPT = timedelta(days=7)  # longer than any messenger delivers again
TIDIED_EVERY = timedelta(hours=1)
CHOOSABLE_SECONDS = 3_600
CHOOSABLE_QUESTIONS = 50_000
CHOOSABLE_TURNS = 20
THREADS = 4

Reply = Answer | str
"""An answer, or words in place of one."""
GiveFeedback = Callable[[str, Rating, Principal], None]
"""Keeps what a person says of the answer of that id. Raises NotFound where it was not given to them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said: by whom, in which channel and thread. `direct`: only they read what is answered;
    `outsiders`: people of other organisations may read along."""

    user: str
    channel: str
    thread: str = ""
    direct: bool = False
    outsiders: bool = False


def conversation_id(secret: str, place: Place, user_id: str) -> str:
    """The same for the same person, channel and thread; not to be guessed without the secret. 43 characters. Who is
    linked to an account, or no longer, begins anew: the conversation was another user's."""
    said = "\0".join((user_id, place.channel, place.thread, "direct" if place.direct else "open"))
    digest = hmac.digest(secret.encode(), said.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def secret_of(environ: Mapping[str, str], variable: str, what: str) -> str:
    """A secret from the environment. Raises ConfigurationError, which never holds any of it."""
    secret = environ.get(variable, "").strip()
    if not secret:
        raise ConfigurationError(f"the environment variable {variable} is not set", hint=f"put {what} into it")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise ConfigurationError(
            f"the environment variable {variable} holds spaces or other characters that no token has",
            hint=f"copy {what} again",
        )
    return secret


class Messenger:
    """One messenger's side of the runtime. `secret` makes the ids of conversations; `give_feedback` None = answers
    carry no buttons to rate them."""

    def __init__(
        self,
        runtime: Runtime,
        door: str,
        secret: str,
        *,
        give_feedback: GiveFeedback | None = None,
    ) -> None:
        self.runtime = runtime
        self.door = door
        self.secret = secret
        self._give_feedback = give_feedback
        self._threads = CapacityLimiter(THREADS)
        self._tidied = datetime.min.replace(tzinfo=UTC)
        # What was asked back, so that a number can be the reply; the buttons do without.
        self._asked_back: TTLCache[str, Answer] = TTLCache(CHOOSABLE_QUESTIONS, CHOOSABLE_SECONDS)

    @property
    def public_url(self) -> str | None:
        return self.runtime.settings.public_url

    @property
    def takes_feedback(self) -> bool:
        return self._give_feedback is not None

    async def first(self, event: str) -> bool:
        """Whether an event is new, to this process and to all others on the same state, before and after a restart. It
        is kept before it is answered: one that is cut off is not answered a second time."""
        now, database = datetime.now(UTC), self.runtime.database
        hashed = hashlib.sha256(f"{self.door}/{event}".encode("utf-8", "surrogatepass")).hexdigest()
        try:
            if now - self._tidied > TIDIED_EVERY:
                self._tidied = now
                await to_thread.run_sync(database.forget_events, now - EVENTS_KEPT)
            return await to_thread.run_sync(database.note_event, hashed, now)
        except Exception:
            log.exception("%s: whether an event is new cannot be told; it is taken for new", self.door)
            return True

    async def ask(self, text: str, place: Place) -> Reply:
        """The answer to what a person wrote, or words that say why there is none."""
        return await self._told(self._ask(text, place), place)

    async def press(self, value: object, place: Place) -> Reply:
        """What comes of a button, whoever pressed it."""
        return await self._told(self._pressed(value, place), place)

    async def _told(self, working: Coroutine[Any, Any, Reply], place: Place) -> Reply:
        try:
            return await working
        except BotNotFound as error:
            return await self._with_reason(self._excuse(error), place)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            return self._excuse(error)

    async def _ask(self, text: str, place: Place) -> Reply:
        who = await self._who(place)
        conversation = conversation_id(self.secret, place, who.user_id)
        asked_back = self._asked_back.pop(conversation, None)
        number = text.strip().rstrip(".번")
        if asked_back and number.isascii() and number.isdigit() and len(number) < 3:
            bots = choices(asked_back)
            if 0 < int(number) <= len(bots):
                return await self._choose(Chosen(conversation, asked_back.id, bots[int(number) - 1].id), place, who)
        return await self._answer(Question(text, conversation_id=conversation), place, who)

    async def _pressed(self, value: object, place: Place) -> Reply:
        who = await self._who(place)
        match read_value(value):
            case Chosen() as chosen:
                return await self._choose(chosen, place, who)
            case Rated() as rated if self._give_feedback is not None:
                await self._run(self._give_feedback, rated.answer, rated.rating, who)
                return THANKS
        return OUTDATED

    async def _choose(self, chosen: Chosen, place: Place, who: Principal) -> Reply:
        """Asks the question of an earlier turn again, of one bot. Only whose turn it was can."""
        if chosen.conversation != conversation_id(self.secret, place, who.user_id):
            place = replace(place, direct=False)  # others may read that conversation: nothing of the person's own
            who = await self._who(place)
        stored = self.runtime.database.conversation
        turns = await self._run(stored, chosen.conversation, who.user_id, CHOOSABLE_TURNS)
        question = next((turn.question for turn in turns if turn.answer.get("id") == chosen.answer), None)
        if question is None:
            return ANOTHERS
        return await self._answer(Question(question, chosen.bot, conversation_id=chosen.conversation), place, who)

    async def _answer(self, question: Question, place: Place, who: Principal) -> Reply:
        seen = self._seen(who)
        await self.runtime.limiter.principal(who, who.user_id)
        async with aclosing(self.runtime.answers(question, self.runtime.context(who), self._run)) as parts:
            found = [part async for part in parts if isinstance(part, Answer)]
        given, now = found[-1], await self._who(place)
        if not access.still_has(now, who, self._seen(now), seen):
            return RIGHTS_CHANGED
        if choices(given):
            self._asked_back[given.conversation_id] = given
        # What was no question about the rules, of which no version was asked, is not refused although it is called so.
        if given.status is Status.REFUSED and given.index_version is not None:
            return replace(given, answer=await self._with_reason(given.answer, place))
        return given

    async def _with_reason(self, told: str, place: Place) -> str:
        """What is told of something that was not found, with whose rights it was looked for, where there are people
        who see more than others."""
        if not self.runtime.identity.requires_sign_in:
            return told
        sender = self._sender(place)
        reason = access.limits_in_messenger(sender, await self._account(sender))
        return f"{told}\n\n{reason}" if reason else told

    def _excuse(self, error: Exception) -> str:
        """What people are told of an error; the log has the rest."""
        if isinstance(error, RagbotsError):
            log.info("%s: %s", self.door, error)
            return error.for_people
        log.error("%s: an answer failed", self.door, exc_info=error)
        return RagbotsError.for_people

    def _sender(self, place: Place) -> access.Sender:
        return access.Sender(self.door, place.user, alone=place.direct, outsiders=place.outsiders)

    async def _account(self, sender: access.Sender) -> access.Account | None:
        account: access.Account | None = await self._run(self.runtime.accounts.linked, sender.name)
        return account

    async def _who(self, place: Place) -> Principal:
        """Whose rights hold there now. Raises AccountDisabled."""
        sender = self._sender(place)
        return access.in_messenger(sender, await self._account(sender))

    def _seen(self, who: Principal) -> set[str]:
        return {bot.id for bot in self.runtime.visible_bots(who)}

    async def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        return await to_thread.run_sync(function, *args, limiter=self._threads)
