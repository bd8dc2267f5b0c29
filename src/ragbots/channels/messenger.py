"""What all messengers do with what is written to them: who asks, in which conversation, and each message once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from cachetools import TTLCache

from ragbots.channels.words import ANOTHERS, OUTDATED, THANKS, Chosen, Rated, choices, read_value
from ragbots.errors import ConfigurationError, RagbotsError
from ragbots.memory import Rating
from ragbots.types import Answer, Principal, Question

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
GroupsOf = Callable[[str], frozenset[str]]
"""The groups of the person with that id in the messenger."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said: by whom, in which channel and thread. `direct`: only they read what is answered;
    `outsiders`: people of other organisations may read along."""

    user: str
    channel: str
    thread: str = ""
    direct: bool = False
    outsiders: bool = False


def no_groups(_user: str) -> frozenset[str]:
    return frozenset()


def principal_of(place: Place, door: str, groups_of: GroupsOf) -> Principal:
    """Whose rights an answer is given with: the sender's where only they read it, else those that everybody in the
    organisation has, and where others read along those of somebody who is not signed in."""
    groups = groups_of(place.user) if place.direct and not place.outsiders else frozenset[str]()
    return Principal(f"{door}:{place.user}", groups, door, authenticated=not place.outsiders)


def conversation_id(secret: str, place: Place) -> str:
    """The same for the same person, channel and thread; not to be guessed without the secret. 43 characters."""
    said = "\0".join((place.user, place.channel, place.thread, "direct" if place.direct else "open"))
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
        groups_of: GroupsOf = no_groups,
    ) -> None:
        self.runtime = runtime
        self.door = door
        self.secret = secret
        self._give_feedback = give_feedback
        self._groups_of = groups_of
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
        conversation = conversation_id(self.secret, place)
        asked_back = self._asked_back.pop(conversation, None)
        number = text.strip().rstrip(".번")
        if asked_back and number.isascii() and number.isdigit() and len(number) < 3:
            bots = choices(asked_back)
            if 0 < int(number) <= len(bots):
                return await self._choose(Chosen(conversation, asked_back.id, bots[int(number) - 1].id), place)
        return await self._answer(Question(text, conversation_id=conversation), place)

    async def press(self, value: object, place: Place) -> Reply:
        """What comes of a button, whoever pressed it."""
        match read_value(value):
            case Chosen() as chosen:
                return await self._choose(chosen, place)
            case Rated() as rated:
                return await self._rate(rated, place)
        return OUTDATED

    async def _choose(self, chosen: Chosen, place: Place) -> Reply:
        """Asks the question of an earlier turn again, of one bot. Only whose turn it was can."""
        if chosen.conversation != conversation_id(self.secret, place):
            place = replace(place, direct=False)  # others may read that conversation: nothing of the person's own
        who = self._principal(place).user_id
        stored = self.runtime.database.conversation
        turns = await self._run(stored, chosen.conversation, who, CHOOSABLE_TURNS)
        question = next((turn.question for turn in turns if turn.answer.get("id") == chosen.answer), None)
        if question is None:
            return ANOTHERS
        return await self._answer(Question(question, chosen.bot, conversation_id=chosen.conversation), place)

    async def _rate(self, rated: Rated, place: Place) -> str:
        if self._give_feedback is None:
            return OUTDATED
        try:
            await self._run(self._give_feedback, rated.answer, rated.rating, self._principal(place))
        except Exception as error:  # noqa: BLE001 - told to whoever pressed
            return self._excuse(error)
        return THANKS

    async def _answer(self, question: Question, place: Place) -> Reply:
        try:
            context = self.runtime.context(self._principal(place))
            await self.runtime.limiter.principal(context.principal, context.principal.user_id)
            async with aclosing(self.runtime.answers(question, context, self._run)) as parts:
                found = [part async for part in parts if isinstance(part, Answer)]
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            return self._excuse(error)
        if choices(found[-1]):
            self._asked_back[found[-1].conversation_id] = found[-1]
        return found[-1]

    def _excuse(self, error: Exception) -> str:
        """What people are told of an error; the log has the rest."""
        if isinstance(error, RagbotsError):
            log.info("%s: %s", self.door, error)
            return error.for_people
        log.error("%s: an answer failed", self.door, exc_info=error)
        return RagbotsError.for_people

    def _principal(self, place: Place) -> Principal:
        return principal_of(place, self.door, self._groups_of)

    async def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        return await to_thread.run_sync(function, *args, limiter=self._threads)
