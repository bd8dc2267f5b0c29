"""Writing an answer: the models of a bot in turn, what they say checked sentence by sentence as it comes."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date

from ragbots.errors import ModelFailed
from ragbots.gate import FairGate
from ragbots.llms.prompts import Prompt
from ragbots.ports import LanguageModel, Message, Usage
from ragbots.verification import Checker, Outcome, Source, Verified

_NOTHING_FOUND = re.compile(r"\W*NONE\b(?!.*\[\d)", re.DOTALL)
REJECTED = "rejected"
CANCELLED = "cancelled"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model. `outcome`: `done`, `rejected` (nothing of it could be shown), `cancelled`, or the
    kind of ModelFailed; seconds from the moment it was sent."""

    llm: str
    outcome: str
    seconds: float
    first_seconds: float | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class GatedModel:
    """A model with the queue before it; `answer_tokens` it may write."""

    name: str
    model: LanguageModel
    gate: FairGate
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written, for whom. `passages` is their text as the prompt shows it."""

    user: str
    bot: str
    today: date
    question: str
    passages: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it. `verified` is None where no model gave anything that may be shown; `declined`: a model
    found no answer in the passages. `failures` names the models that did not do, and why."""

    verified: Verified | None
    declined: bool
    llm: str | None
    prompt: str
    failures: tuple[tuple[str, str], ...]


class Writer:
    """The models of one bot, in the order in which they are tried. `observe` is told of every call."""

    def __init__(
        self,
        models: Sequence[GatedModel],
        prompt: Prompt,
        terms: Callable[[str], Sequence[str]],
        observe: Callable[[Call], None],
    ) -> None:
        self._models = tuple(models)
        self._prompt = prompt
        self._terms = terms
        self._observe = observe

    async def write(self, task: Task) -> AsyncGenerator[str | Written, None]:
        """Checked pieces of the answer as they come, and last what came of it.

        A model that fails is followed by the next, unless something of its answer was shown already.
        """
        messages = self._prompt.messages(bot=task.bot, today=task.today, passages=task.passages, question=task.question)
        failures: list[tuple[str, str]] = []
        for one in self._models:
            attempt = _Attempt(one, Checker(task.sources, task.question, self._terms), self._observe)
            async with aclosing(attempt.run(messages, task.user)) as pieces:
                async for piece in pieces:
                    yield piece
            if attempt.failure is None:
                yield Written(attempt.verified, attempt.declined, one.model.id, self._prompt.id, tuple(failures))
                return
            failures.append((one.name, attempt.failure))
            if attempt.shown:
                break
        yield Written(None, False, None, self._prompt.id, tuple(failures))


class _Attempt:
    """One model's try."""

    def __init__(self, gated: GatedModel, checker: Checker, observe: Callable[[Call], None]) -> None:
        self._gated = gated
        self._checker = checker
        self._observe = observe
        self.shown = False
        self.failure: str | None = None
        self.declined = False
        self.verified: Verified | None = None

    async def run(self, messages: Sequence[Message], user: str) -> AsyncGenerator[str, None]:
        try:
            asked = observed(self._gated, messages, self._observe, self._judge)
            async with self._gated.gate.turn(user), aclosing(asked) as pieces:
                async for piece in pieces:
                    if text := self._checker.feed(piece):
                        self.shown = True
                        yield text
        except ModelFailed as error:
            self.failure = error.kind

    def _judge(self, said: str) -> str:
        """The outcome of a call that came to its end."""
        if _NOTHING_FOUND.match(said):
            self.declined = True
            return DONE
        verified = self._checker.finish()
        if verified.outcome is Outcome.REJECTED:
            self.failure = REJECTED
            return REJECTED
        self.verified = verified
        return DONE


async def observed(
    gated: GatedModel,
    messages: Sequence[Message],
    observe: Callable[[Call], None],
    judge: Callable[[str], str] = lambda _said: DONE,
) -> AsyncGenerator[str, None]:
    """The pieces of text of one request; `observe` is told of it however it ends. Raises ModelFailed."""
    began = time.monotonic()
    first: float | None = None
    said: list[str] = []
    usage: Usage | None = None
    outcome = CANCELLED
    try:
        async with aclosing(gated.model.stream(messages, gated.answer_tokens)) as stream:
            async for piece in stream:
                if isinstance(piece, Usage):
                    usage = piece
                    continue
                first = time.monotonic() - began if first is None else first
                said.append(piece)
                yield piece
        outcome = judge("".join(said))
    except ModelFailed as error:
        outcome = error.kind
        raise
    finally:
        spent = usage or estimated_usage(messages, "".join(said))
        observe(Call(gated.name, outcome, time.monotonic() - began, first, spent))


def estimated_usage(messages: Sequence[Message], said: str) -> Usage:
    """What a call cost whose end was not heard: Korean takes about a token for one and a half characters."""
    return Usage(sum(len(one.content) for one in messages) * 2 // 3, len(said) * 2 // 3, estimated=True)


async def complete(gated: GatedModel, messages: Sequence[Message], user: str, observe: Callable[[Call], None]) -> str:
    """All that a model says. Raises ModelFailed."""
    async with gated.gate.turn(user), aclosing(observed(gated, messages, observe)) as pieces:
        return "".join([piece async for piece in pieces])
