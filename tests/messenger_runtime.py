"""A runtime for messengers: answers from a script, and remembers turns in a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.unit.api.fake_runtime import ANSWER, FakeRuntime

from ragbots.state import Database
from ragbots.state.accounts import Accounts
from ragbots.state.database import StoredTurn
from ragbots.types import Answer, Candidate, Context, Question, Status

CLARIFYING = replace(
    ANSWER,
    id="asked-back",
    status=Status.CLARIFY,
    answer="어느 쪽에 대해 물으셨는지 골라 주세요.",
    bot=None,
    citations=(),
    related=(),
    warnings=(),
    candidates=(Candidate("leave", "근태·휴가", 0.5), Candidate("records", "문서관리", 0.5)),
)
REFUSED = replace(ANSWER, status=Status.REFUSED, answer="규정에 없습니다.", citations=(), related=(), warnings=())


class MessengerRuntime(FakeRuntime):
    """`answering` says what is answered; `hold` keeps answers back until it is set."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(**settings)
        self.database = Database(f"sqlite:///{folder / 'state.sqlite3'}")
        self.accounts = Accounts(self.database)
        self.hold = threading.Event()
        self.hold.set()

    def ask(self, question: Question, context: Context) -> Answer:
        assert self.hold.wait(30)
        given = super().ask(question, context)
        if question.conversation_id:
            given = replace(given, conversation_id=question.conversation_id)
        who = context.principal
        turn = StoredTurn(datetime.now(UTC), question.text, {"id": given.id, "answer": given.answer})
        self.database.remember(given.conversation_id, who.user_id, who.channel, turn)
        return given

    def close(self) -> None:
        self.database.close()


def asks_back(question: Question) -> Answer:
    """Which bot is meant, until it is said."""
    return ANSWER if question.bot else CLARIFYING


Answers = Callable[[Question], Answer]
