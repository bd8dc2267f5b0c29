"""Golden questions: JSON lines, one question each, with what answers it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from ragbots.config import explain
from ragbots.errors import ConfigurationError

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Lenient(BaseModel):
    """Frozen; keys it does not know are passed over, since question files carry notes for their authors."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Gold(Lenient):
    """What answers: a file's name or path below its source folder, and the article (None = the document)."""

    source: Words
    article: Words | None = None
    paragraph: str | None = None


class Said(Lenient):
    """An earlier turn of the dialogue."""

    role: Literal["user", "assistant"]
    content: str


class Record(Lenient):
    """One golden question. An empty `gold` means that no regulation answers it: out of scope.

    `asked_on` is the day of the conversation. `as_of` is the day whose rules are asked for; it is
    handed to the system unless `as_of_in_question`, where the system has to find it by itself.
    """

    id: Words
    question: Words
    gold: tuple[Gold, ...]
    bot: Words | None = None
    kind: Words = "other"
    history: tuple[Said, ...] = ()
    answer: str = ""
    must_include: tuple[Words, ...] = ()
    accept: Mapping[str, tuple[Words, ...]] = {}
    must_not_include: tuple[Words, ...] = ()
    must_mention_date: date | None = None
    statute: Words | None = None
    asked_on: date | None = None
    as_of: date | None = None
    as_of_in_question: bool = False
    as_of_period: tuple[date, date] | None = None
    group: Words | None = None

    @property
    def in_scope(self) -> bool:
        return bool(self.gold)

    @property
    def dated(self) -> bool:
        """Whether the right answer depends on the day."""
        return self.in_scope and bool(self.statute or self.as_of or self.as_of_in_question or self.group)

    @cached_property
    def gold_articles(self) -> tuple[tuple[str, str | None], ...]:
        """The distinct (source, article); golds that differ only in the paragraph are one."""
        return tuple(dict.fromkeys((gold.source, gold.article) for gold in self.gold))


def load_questions(paths: Iterable[Path]) -> tuple[Record, ...]:
    """All records of the files, in order. Raises ConfigurationError naming file and line."""
    records: dict[str, Record] = {}
    for path in paths:
        for where, record in _read(path):
            if record.id in records:
                raise ConfigurationError(f"{where}: the id `{record.id}` was used before", hint="ids are unique")
            records[record.id] = record
    if not records:
        raise ConfigurationError("no questions in the files named", hint="name JSON lines files with --questions")
    return tuple(records.values())


def _read(path: Path) -> Iterator[tuple[str, Record]]:
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8", hint="save the file as UTF-8") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, _record(where, line)


def _record(where: str, line: str) -> Record:
    try:
        return Record.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{where}: not JSON: {error.msg} at column {error.colno}") from error
    except ValidationError as error:
        raise ConfigurationError(f"{where}: {explain(error)}") from error
