"""What is kept of what was asked: conversations and feedback, each person's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from ragbots import access, smalltalk
from ragbots.config import BotConfig
from ragbots.errors import NotFound
from ragbots.schedule import KOREA
from ragbots.state import Database
from ragbots.state.answers import kept_answer, read_answer
from ragbots.state.database import ConversationRecord, Feedback, StoredTurn
from ragbots.types import Answer, Context, Principal, Question, Status, Turn

WITHHELD = "지금은 볼 수 없는 챗봇이나 문서의 답입니다."

MAX_REASON_CHARS = 100

Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of an answer."""

    rating: Rating
    reason: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class RememberedTurn:
    """A turn with its answer, as far as it may still be seen, and what the person said of it."""

    at: datetime
    question: str
    answer: Answer
    feedback: Feedback | None


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Of one day in Korea: questions that a bot was taken for, those it refused, and the thumbs given."""

    day: date
    questions: int
    refused: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a bot answered from one day to another; days without anything are left out."""

    bot: str
    first: date
    last: date
    days: tuple[DayCounts, ...]


def statistics(
    bot: str, first: date, last: date, asked: Iterable[tuple[datetime, str]], said: Iterable[tuple[datetime, str]]
) -> Statistics:
    """Counts by day of answers (moment, status) and of feedback (moment, rating)."""
    questions = [(moment.astimezone(KOREA).date(), status) for moment, status in asked]
    every = Counter(day for day, _ in questions)
    refused = Counter(day for day, status in questions if status == Status.REFUSED)
    thumbs = Counter((moment.astimezone(KOREA).date(), rating) for moment, rating in said)
    days = sorted({*every, *(day for day, _ in thumbs)})
    counts = (DayCounts(day, every[day], refused[day], thumbs[day, "up"], thumbs[day, "down"]) for day in days)
    return Statistics(bot, first, last, tuple(counts))


@dataclass(frozen=True)
class Memory:
    """Conversations and feedback of an installation. `days`: how long they are kept after they last went on (0 =
    for good); `mask` takes personal data out of a comment."""

    database: Database
    bots: Mapping[str, BotConfig]
    days: int
    mask: Callable[[str], str]

    # conversations

    def remember(self, question: Question, answer: Answer, context: Context) -> None:
        """Adds a turn to its conversation. Raises NotFound where that is somebody else's."""
        turn = StoredTurn(datetime.now(UTC), question.text, kept_answer(answer))
        self.database.remember(answer.conversation_id, context.principal.user_id, context.principal.channel, turn)

    def history(self, conversation_id: str, principal: Principal, last: int) -> tuple[Turn, ...]:
        """The last turns of a person's own conversation; nothing of those whose answer may no longer be seen, so that
        neither the reading of a question nor a language model is led by them."""
        stored = self.database.conversation(conversation_id, principal.user_id, last)
        shown = ((one.question, self._shown(one, principal).answer) for one in stored)
        return tuple(
            turn
            for question, answer in shown
            if answer != WITHHELD
            for turn in (Turn("user", question), Turn("assistant", answer))
        )

    def own(self, conversation_id: str, principal: Principal) -> str | None:
        """The id where it is this person's conversation, None where there is none: ids are the server's to give.
        Raises NotFound for somebody else's."""
        owner = self.database.conversation_owner(conversation_id)
        if owner not in (None, principal.user_id):
            raise _no_conversation()
        return conversation_id if owner else None

    def conversations(self, principal: Principal, last: int | None = None) -> list[ConversationRecord]:
        """A person's own, the one that last went on first; who is not signed in has none."""
        return self.database.conversations(principal.user_id, last) if principal.authenticated else []

    def turns(self, conversation_id: str, principal: Principal) -> list[RememberedTurn]:
        """All turns of a person's own conversation. Raises NotFound, for somebody else's as for none."""
        stored = self.database.conversation(conversation_id, principal.user_id)
        if not stored:
            raise _no_conversation()
        said = {one.answer_id: one for one in self.database.feedback(user_id=principal.user_id)}
        shown = [(one, self._shown(one, principal)) for one in stored]
        return [RememberedTurn(one.at, one.question, answer, said.get(answer.id)) for one, answer in shown]

    def forget(self, conversation_id: str, principal: Principal) -> None:
        """Deletes a person's own conversation, with what they said of its answers. Raises NotFound."""
        if not self.database.forget_conversations(principal.user_id, conversation_id):
            raise _no_conversation()

    def forget_all(self, principal: Principal) -> int:
        """Deletes all conversations of a person and all they said; how many conversations."""
        return self.database.forget_conversations(principal.user_id) if principal.authenticated else 0

    def forget_expired(self, now: datetime) -> int:
        """Deletes what was kept long enough; how many conversations."""
        return self.database.forget_before(now - timedelta(days=self.days)) if self.days else 0

    def _shown(self, turn: StoredTurn, principal: Principal) -> Answer:
        """The answer as far as it may be seen now: nothing of a bot or a document that this person may no longer see,
        or of a bot that is gone."""
        answer = read_answer(turn.answer)
        visible = {bot.id: bot for bot in access.visible(principal, self.bots.values())}
        if answer.bot is None and answer.index_version is None and not answer.candidates:
            return replace(answer, answer=_said_of(turn.question, list(visible.values())))
        if not (_named(answer) <= visible.keys() and _may_read(answer, visible.get(answer.bot or ""), principal)):
            return _withheld(answer)
        bot = visible.get(answer.bot or "")
        return replace(
            answer,
            candidates=tuple(one for one in answer.candidates if one.id in visible),
            # What a notice tells of may stand in another document than what is cited.
            warnings=answer.warnings if bot is None or access.reads_all(principal, bot) else (),
        )

    # feedback

    def say(self, answer_id: str, said: Said, context: Context) -> Feedback:
        """Keeps what a person says of an answer that was given to them, in place of what they said before. Raises
        NotFound."""
        turn = self._answered(answer_id, context.principal)
        answer = read_answer(turn.answer)
        feedback = Feedback(
            answer_id=answer_id,
            user_id=context.principal.user_id,
            at=datetime.now(UTC),
            rating=said.rating,
            reason=None if said.reason is None else self.mask(said.reason)[:MAX_REASON_CHARS],
            comment=None if said.comment is None else self.mask(said.comment),
            question=turn.question,
            answer=answer.answer,
            status=answer.status,
            bot=answer.bot,
            index_version=answer.index_version,
            channel=context.principal.channel,
        )
        self.database.set_feedback(feedback)
        return feedback

    def unsay(self, answer_id: str, principal: Principal) -> None:
        """Withdraws what a person said of an answer. Raises NotFound where they said nothing."""
        if not self.database.withdraw_feedback(answer_id, principal.user_id):
            raise NotFound("no such feedback", for_people="이 답에 남기신 의견이 없습니다.")

    def feedback(self, bot_id: str, principal: Principal, last: int | None = None) -> list[Feedback]:
        """What was said of a bot's answers, newest first, for its owners; without the words where the answer is not
        for this owner to see. Raises BotNotFound."""
        access.require_owner(principal, self.bots, bot_id)
        return [self._seen(one, principal) for one in self.database.feedback([bot_id], last=last)]

    def _seen(self, said: Feedback, owner: Principal) -> Feedback:
        turn = self.database.answered(said.answer_id, said.user_id)
        if turn is not None and self._shown(turn, owner).answer == said.answer:
            return said
        return replace(said, question=WITHHELD, answer=WITHHELD, reason=None, comment=None)

    def statistics(self, bot_id: str, principal: Principal, first: date, last: date) -> Statistics:
        """How a bot answered from one day to another, both in Korea and both included, for its owners. Raises
        BotNotFound."""
        access.require_owner(principal, self.bots, bot_id)
        begin, end = (datetime.combine(day, time.min, KOREA) for day in (first, last + timedelta(days=1)))
        asked = self.database.outcomes(bot_id, begin, end)
        said = self.database.ratings(bot_id, begin, end)
        return statistics(bot_id, first, last, asked, said)

    def _answered(self, answer_id: str, principal: Principal) -> StoredTurn:
        turn = self.database.answered(answer_id, principal.user_id)
        if turn is None:
            raise NotFound(
                "no such answer", for_people="그런 답이 없습니다. 본인이 받은 답에만 의견을 남길 수 있습니다."
            )
        return turn


def _named(answer: Answer) -> set[str]:
    """The bots that an answer's text may name: of one that answers the bot alone, of a refusal or a question back all
    that were thought of."""
    thought_of = () if answer.status is Status.ANSWERED else answer.candidates
    return {one for one in (answer.bot, *(candidate.id for candidate in thought_of)) if one}


def _may_read(answer: Answer, bot: BotConfig | None, principal: Principal) -> bool:
    """Whether all documents that an answer shows may be seen."""
    cited = (*answer.citations, *answer.related)
    return all(bot is not None and access.may_read(principal, bot, one.source) for one in cited)


def _withheld(answer: Answer) -> Answer:
    return replace(
        answer, answer=WITHHELD, bot=None, candidates=(), citations=(), related=(), warnings=(), confidence=0.0,
        index_version=None,
    )  # fmt: skip


def _said_of(question: str, bots: Sequence[BotConfig]) -> str:
    """What was no question tells of all bots that could be asked: it is told of those that can be asked now."""
    said = smalltalk.intent(question)
    return WITHHELD if said is None else smalltalk.reply(said, bots)


def _no_conversation() -> NotFound:
    return NotFound("no such conversation", for_people="그런 대화가 없습니다. 새 대화를 시작해 주세요.")
