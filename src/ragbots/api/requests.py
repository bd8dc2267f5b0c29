"""What may be sent: bounded, and refused where a field is unknown."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from ragbots.types import Question, Turn

MAX_TURNS = 40
MAX_TURN_CHARS = 20_000
MAX_HITS = 100


def _day(value: object) -> date | None:
    """A date as YYYY-MM-DD alone: pydantic itself would also take numbers for seconds since 1970."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("not_a_day", "is a date written YYYY-MM-DD")


def _text(value: str) -> str:
    """Half of a surrogate pair is valid in JSON but is no text: nothing could store or send it."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PydanticCustomError("string_unicode", "is not text") from error
    return value


Text = Annotated[str, AfterValidator(_text)]
Day = Annotated[date, BeforeValidator(_day)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HistoryTurn(Strict):
    """An earlier turn of the conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[Text, Field(max_length=MAX_TURN_CHARS)]


class ChatRequest(Strict):
    """A question. Without `bot` the right one is found; `as_of` asks for the rules in force on that day; `llm`
    for one of the language models that the bot allows; `version` has the bot's owner ask an index version of it that
    is not released yet."""

    question: Text
    bot: Annotated[Text | None, Field(max_length=200)] = None
    conversation_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{1,43}$")] = None
    history: Annotated[tuple[HistoryTurn, ...], Field(max_length=MAX_TURNS)] = ()
    as_of: Day | None = None
    llm: Annotated[Text | None, Field(max_length=200)] = None
    version: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9-]{1,63}$")] = None

    def to_question(self) -> Question:
        history = tuple(Turn(turn.role, turn.content) for turn in self.history)
        return Question(self.question, self.bot, history, self.conversation_id, self.llm, self.version)


class SearchRequest(Strict):
    """A search in one bot's documents: `q` is looked for, up to `k` articles come back."""

    bot: Annotated[Text, Field(max_length=200)]
    q: Text
    k: Annotated[int, Field(ge=1, le=MAX_HITS)] = 10
