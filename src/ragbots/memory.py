"""What is kept of what was asked: conversations and feedback, each person's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from ragbots import access
from ragbots.config import BotConfig
from ragbots.errors import NotFound
from ragbots.state import Database
from ragbots.state.answers import kept_answer, read_answer
from ragbots.state.database import ConversationRecord, Feedback, StoredTurn
from ragbots.types import Answer, Context, Principal, Question, Status, Turn

WITHHELD = "지금은 볼 수 없는 챗봇의 답입니다."

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
        """The last turns of a person's own conversation, as far as they may still be seen."""
        stored = self.database.conversation(conversation_id, principal.user_id, last)
        return tuple(
            turn
            for one in stored
            for turn in (Turn("user", one.question), Turn("assistant", self._shown(one, principal).answer))
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
        """The answer without what a bot said that this person may no longer ask, or that is gone."""
        answer = read_answer(turn.answer)
        visible = {bot.id for bot in access.visible(principal, self.bots.values())}
        named = {answer.bot} if answer.status is not Status.CLARIFY else {one.id for one in answer.candidates}
        if not named - {None} <= visible:
            return replace(
                answer, answer=WITHHELD, bot=None, candidates=(), citations=(), related=(), warnings=(),
                index_version=None,
            )  # fmt: skip
        return replace(answer, candidates=tuple(one for one in answer.candidates if one.id in visible))

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
        """What was said of a bot's answers, newest first, for its owners. Raises BotNotFound."""
        access.require_owner(principal, self.bots, bot_id)
        return self.database.feedback([bot_id], last=last)

    def _answered(self, answer_id: str, principal: Principal) -> StoredTurn:
        turn = self.database.answered(answer_id, principal.user_id)
        if turn is None:
            raise NotFound(
                "no such answer", for_people="그런 답이 없습니다. 본인이 받은 답에만 의견을 남길 수 있습니다."
            )
        return turn


def _no_conversation() -> NotFound:
    return NotFound("no such conversation", for_people="그런 대화가 없습니다. 새 대화를 시작해 주세요.")
