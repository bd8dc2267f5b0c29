"""The state on SQLAlchemy: SQLite in the data directory by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from ragbots.errors import ConfigurationError, DiskFull, NotFound
from ragbots.state import tables

_BUSY_SECONDS = 10  # how long SQLite waits for another writer


@dataclass(frozen=True, slots=True)
class VersionRecord:
    bot: str
    version: str
    created_at: datetime
    chunks: int
    documents: int
    omissions: int


@dataclass(frozen=True, slots=True)
class Verdict:
    bot: str
    version: str
    at: datetime
    passed: bool
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """One movement of the pointer: `action` is `release` or `rollback`; `verdict` what the checks said, as of then."""

    bot: str
    version: str
    previous: str | None
    at: datetime
    by: str
    action: str
    forced_because: str | None
    verdict: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A rebuild by schedule: `outcome` is released, unchanged, held (checks not passed) or failed; `untold` why the
    notice did not reach its address."""

    bot: str
    at: datetime
    outcome: str
    version: str | None
    report: str
    untold: str | None


@dataclass(frozen=True, slots=True)
class StoredTurn:
    at: datetime
    question: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation as a list shows it: the day and words of its first question, and when it last went on."""

    id: str
    channel: str
    created_at: datetime
    last_at: datetime
    turns: int
    question: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of an answer, with what was asked and answered."""

    answer_id: str
    user_id: str
    at: datetime
    rating: str
    reason: str | None
    comment: str | None
    question: str
    answer: str
    status: str
    bot: str | None
    index_version: str | None
    channel: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What language models took: tokens read and written, and their price."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost: float

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class Database:
    """Opens the database and brings its tables up to date. Raises ConfigurationError where it cannot, DiskFull."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._engine = _engine(url)
        except (SQLAlchemyError, ImportError, OSError) as error:
            raise _does_not_open(url, error) from error
        # For whatever writes: on SQLite a transaction that reads first must not find later that it may not write.
        self._writing = self._engine.execution_options(writing=True)
        try:
            _migrate(self._writing)
        except DiskFull:
            self.close()
            raise
        except (SQLAlchemyError, CommandError) as error:
            self.close()
            raise _does_not_open(url, error) from error

    @property
    def described(self) -> str:
        """The URL without its password."""
        return _described(self.url)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, writing: bool = False, snapshot: bool = False) -> Iterator[Connection]:
        """For the chains beside these tables. `snapshot`: all is read as it is at one moment, as SQLite always does."""
        engine = self._writing if writing else self._engine
        if snapshot and engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with engine.begin() as connection:
            yield connection

    def add_version(self, record: VersionRecord) -> None:
        with self._writing.begin() as connection:
            connection.execute(insert(tables.versions).values(**_fields(record)))

    def versions(self, bot: str) -> list[VersionRecord]:
        """Newest first."""
        query = select(tables.versions).where(tables.versions.c.bot == bot)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(tables.versions.c.version.desc())).mappings()
            return [VersionRecord(**{**row, "created_at": aware(row["created_at"])}) for row in rows]

    def forget_version(self, bot: str, version: str) -> None:
        with self._writing.begin() as connection:
            for table in (tables.versions, tables.verdicts):
                connection.execute(delete(table).where(table.c.bot == bot, table.c.version == version))

    def add_verdict(self, verdict: Verdict) -> None:
        with self._writing.begin() as connection:
            connection.execute(insert(tables.verdicts).values(**_fields(verdict)))

    def verdict(self, bot: str, version: str) -> Verdict | None:
        """The newest verdict on a version."""
        t = tables.verdicts
        query = select(t.c.bot, t.c.version, t.c.at, t.c.passed, t.c.report)
        query = query.where(t.c.bot == bot, t.c.version == version).order_by(t.c.id.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Verdict(**{**row, "at": aware(row["at"])})

    def active(self) -> dict[str, str]:
        """The released version of each bot that has one."""
        with self._engine.connect() as connection:
            return {row.bot: row.version for row in connection.execute(select(tables.active))}

    def release(
        self,
        bot: str,
        version: str,
        *,
        by: str,
        action: str,
        forced_because: str | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        """Moves the pointer and records it, in one transaction. Raises NotFound for an unknown version."""
        now = datetime.now(UTC)
        pointer = tables.active
        with self._writing.begin() as connection:
            known = select(tables.versions.c.version)
            known = known.where(tables.versions.c.bot == bot, tables.versions.c.version == version)
            if connection.execute(known).first() is None:
                raise NotFound(f"bot `{bot}` has no version `{version}`", hint=f"see `ragbots index status {bot}`")
            before = connection.execute(
                select(pointer.c.version).where(pointer.c.bot == bot).with_for_update()
            ).scalar()
            values = {"version": version, "at": now}
            if before is None:
                connection.execute(insert(pointer).values(bot=bot, **values))
            else:
                connection.execute(update(pointer).where(pointer.c.bot == bot).values(**values))
            said = None if verdict is None else {"passed": verdict.passed, **verdict.report}
            record = ReleaseRecord(bot, version, before, now, by, action, forced_because, said)
            connection.execute(insert(tables.releases).values(**_fields(record)))

    def release_history(self, bot: str) -> list[ReleaseRecord]:
        """Newest first."""
        t = tables.releases
        query = select(t.c.bot, t.c.version, t.c.previous, t.c.at, t.c.by, t.c.action, t.c.forced_because, t.c.verdict)
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(t.c.bot == bot).order_by(t.c.id.desc())).mappings()
            return [ReleaseRecord(**{**row, "at": aware(row["at"])}) for row in rows]

    def add_rebuild(self, record: Rebuild) -> None:
        with self._writing.begin() as connection:
            connection.execute(insert(tables.rebuilds).values(**_fields(record)))

    def rebuilds(self, bot: str, last: int) -> list[Rebuild]:
        """The last rebuilds by schedule, newest first."""
        t = tables.rebuilds
        query = select(*(t.c[name] for name in Rebuild.__slots__)).where(t.c.bot == bot)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(t.c.id.desc()).limit(last)).mappings()
            return [Rebuild(**{**row, "at": aware(row["at"])}) for row in rows]

    def remember(self, conversation_id: str, user_id: str, channel: str, turn: StoredTurn) -> None:
        """Adds a turn to a conversation, which is begun where it is new."""
        t = tables.conversations
        with self._writing.begin() as connection:
            values = {"id": conversation_id, "user_id": user_id, "channel": channel, "created_at": turn.at}
            # Begun by its first turn; another may be just beginning it.
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(t).values(**values))
            owner = connection.execute(select(t.c.user_id).where(t.c.id == conversation_id)).scalar_one()
            if owner != user_id:
                raise NotFound("no such conversation", for_people="그런 대화가 없습니다. 새 대화를 시작해 주세요.")
            values = {"conversation_id": conversation_id, "answer_id": turn.answer.get("id"), **_fields(turn)}
            connection.execute(insert(tables.turns).values(**values))

    def conversation(self, conversation_id: str, user_id: str, last: int | None = None) -> list[StoredTurn]:
        """The last turns of a person's own conversation (None = all), oldest first; empty for anybody else's."""
        t, c = tables.turns, tables.conversations
        query = select(t.c.at, t.c.question, t.c.answer).join(c, c.c.id == t.c.conversation_id)
        query = query.where(c.c.id == conversation_id, c.c.user_id == user_id).order_by(t.c.id.desc()).limit(last)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [StoredTurn(**{**row, "at": aware(row["at"])}) for row in reversed(rows)]

    def conversation_owner(self, conversation_id: str) -> str | None:
        """Whose conversation it is; None where there is none of that id."""
        c = tables.conversations
        with self._engine.connect() as connection:
            return connection.execute(select(c.c.user_id).where(c.c.id == conversation_id)).scalar()

    def conversations(self, user_id: str, last: int | None = None) -> list[ConversationRecord]:
        """A person's own conversations, the one that last went on first."""
        t, c = tables.turns, tables.conversations
        first, last_at = func.min(t.c.id).label("first"), func.max(t.c.at).label("last_at")
        turns = select(t.c.conversation_id, first, last_at, func.count().label("turns"))
        turns = turns.join(c, c.c.id == t.c.conversation_id).where(c.c.user_id == user_id)
        summed = turns.group_by(t.c.conversation_id).subquery()
        query = select(c.c.id, c.c.channel, c.c.created_at, summed.c.last_at, summed.c.turns, t.c.question)
        query = query.join(summed, summed.c.conversation_id == c.c.id).join(t, t.c.id == summed.c.first)
        query = query.order_by(summed.c.last_at.desc(), summed.c.first.desc()).limit(last)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        moments = ("created_at", "last_at")
        return [ConversationRecord(**{**row, **{name: aware(row[name]) for name in moments}}) for row in rows]

    def forget_conversations(self, user_id: str, conversation_id: str | None = None) -> int:
        """Deletes a person's own conversation, or all of theirs, and what they said of its answers; how many."""
        t, c, f = tables.turns, tables.conversations, tables.feedback
        mine = select(c.c.id).where(c.c.user_id == user_id)
        mine = mine if conversation_id is None else mine.where(c.c.id == conversation_id)
        answers = select(t.c.answer_id).where(t.c.conversation_id.in_(mine))
        said = delete(f).where(f.c.user_id == user_id)
        said = said if conversation_id is None else said.where(f.c.answer_id.in_(answers))
        with self._writing.begin() as connection:
            connection.execute(said)
            return connection.execute(delete(c).where(c.c.id.in_(mine))).rowcount

    def forget_before(self, moment: datetime) -> int:
        """Deletes conversations that have not gone on since, and feedback given before; how many conversations."""
        t, c, f = tables.turns, tables.conversations, tables.feedback
        since = select(t.c.id).where(t.c.conversation_id == c.c.id, t.c.at >= moment)
        with self._writing.begin() as connection:
            connection.execute(delete(f).where(f.c.at < moment))
            return connection.execute(delete(c).where(c.c.created_at < moment, ~since.exists())).rowcount

    def answered(self, answer_id: str, user_id: str) -> StoredTurn | None:
        """The turn of a person's own that has this answer."""
        t, c = tables.turns, tables.conversations
        query = select(t.c.at, t.c.question, t.c.answer).join(c, c.c.id == t.c.conversation_id)
        query = query.where(t.c.answer_id == answer_id, c.c.user_id == user_id).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else StoredTurn(**{**row, "at": aware(row["at"])})

    def set_feedback(self, feedback: Feedback) -> None:
        """Keeps what a person says of an answer, in place of what they said of it before."""
        f = tables.feedback
        with self._writing.begin() as connection:
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(f).values(**_fields(feedback)))
            here = (f.c.answer_id == feedback.answer_id, f.c.user_id == feedback.user_id)
            connection.execute(update(f).where(*here).values(**_fields(feedback)))

    def withdraw_feedback(self, answer_id: str, user_id: str) -> bool:
        """Whether there was any to withdraw."""
        f = tables.feedback
        with self._writing.begin() as connection:
            gone = connection.execute(delete(f).where(f.c.answer_id == answer_id, f.c.user_id == user_id))
            return gone.rowcount > 0

    def feedback(
        self, bots: Sequence[str] | None = None, *, user_id: str | None = None, last: int | None = None
    ) -> list[Feedback]:
        """Newest first; of some bots, of one person, or all."""
        f = tables.feedback
        query = select(f)
        query = query if bots is None else query.where(f.c.bot.in_(bots))
        query = query if user_id is None else query.where(f.c.user_id == user_id)
        query = query.order_by(f.c.at.desc(), f.c.answer_id).limit(last)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Feedback(**{**row, "at": aware(row["at"])}) for row in rows]

    def outcomes(self, bot: str, begin: datetime, end: datetime) -> list[tuple[datetime, str]]:
        """When a bot answered, and with what status, from a moment until before another."""
        t = tables.turns
        query = select(t.c.at, t.c.answer["status"].as_string()).where(
            t.c.answer["bot"].as_string() == bot, t.c.at >= begin, t.c.at < end
        )
        with self._engine.connect() as connection:
            return [(aware(at), status) for at, status in connection.execute(query)]

    def ratings(self, bot: str, begin: datetime, end: datetime) -> list[tuple[datetime, str]]:
        """When something was said of a bot's answers, and whether `up` or `down`."""
        f = tables.feedback
        query = select(f.c.at, f.c.rating).where(f.c.bot == bot, f.c.at >= begin, f.c.at < end)
        with self._engine.connect() as connection:
            return [(aware(at), rating) for at, rating in connection.execute(query)]

    def cited_versions(self, bot: str, since: datetime) -> set[str]:
        """The versions of a bot's index that answers given since then came from."""
        t = tables.turns
        version = t.c.answer["index_version"].as_string()
        query = select(version).where(t.c.answer["bot"].as_string() == bot, t.c.at >= since).distinct()
        with self._engine.connect() as connection:
            return {found for (found,) in connection.execute(query) if found}

    def add_spent(self, day: date, user_id: str, bot: str, llm: str, spent: Spent) -> None:
        """Adds to what a person's questions to a bot have taken of a model on a day."""
        t = tables.usage
        key = {"day": day, "user_id": user_id, "bot": bot, "llm": llm}
        here = [t.c[name] == value for name, value in key.items()]
        with self._writing.begin() as connection:
            # There from its first call; another may be just adding it.
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(t).values(**key, calls=0, input_tokens=0, output_tokens=0, cost=0.0))
            more = {name: t.c[name] + value for name, value in _fields(spent).items()}
            connection.execute(update(t).where(*here).values(more))

    def spent(self, day: date, *, user_id: str | None = None, bot: str | None = None) -> Spent:
        """What was taken on a day by one person, by one bot, or by all."""
        t = tables.usage
        sums = [func.coalesce(func.sum(t.c[name]), 0) for name in Spent.__slots__]
        query = select(*sums).where(t.c.day == day)
        query = query if user_id is None else query.where(t.c.user_id == user_id)
        query = query if bot is None else query.where(t.c.bot == bot)
        with self._engine.connect() as connection:
            calls, read, written, cost = connection.execute(query).one()
        return Spent(int(calls), int(read), int(written), float(cost))

    def note_event(self, hashed: str, at: datetime) -> bool:
        """Keeps that an event was seen; whether it is the first time, of however many processes see it at once."""
        try:
            with self._writing.begin() as connection:
                connection.execute(insert(tables.events).values(hash=hashed, at=at))
        except IntegrityError:
            return False
        return True

    def forget_events(self, before: datetime) -> int:
        with self._writing.begin() as connection:
            return connection.execute(delete(tables.events).where(tables.events.c.at < before)).rowcount


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True)
        event.listen(engine, "handle_error", _tell_full_disks)
        return engine
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})

    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own transactions leave out DDL and begin late
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    event.listen(engine, "handle_error", _tell_full_disks)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _tell_full_disks(context: ExceptionContext) -> None:
    said = str(context.original_exception)
    # SQLite calls it an I/O error where the file shared by its readers cannot grow.
    unshared = getattr(context.original_exception, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE"
    if unshared or "disk is full" in said or "No space left" in said:
        raise DiskFull(f"the state database cannot be written: {said}", hint="free some space, then try again")


def _does_not_open(url: str, error: Exception) -> ConfigurationError:
    reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
    hint = "see RAGBOTS_DATABASE_URL; without it an SQLite file in the data directory is used"
    if isinstance(error, CommandError):
        hint = f"a newer ragbots made it: install that one, or another database. {hint}"
    return ConfigurationError(f"the state database does not open: {_described(url)}: {reason}", hint=hint)


def _described(url: str) -> str:
    """The URL without its password."""
    try:
        return make_url(url).render_as_string()
    except ArgumentError:
        return "not a URL"  # and not shown: there may be a password in it


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # one process at a time; SQLite's transaction sees to it itself
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ragbots migrations'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def aware(moment: datetime) -> datetime:
    # SQLite keeps no zone; what went in was UTC.
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__: Sequence[str] = (
    "ConversationRecord",
    "Database",
    "Feedback",
    "Rebuild",
    "ReleaseRecord",
    "Spent",
    "StoredTurn",
    "Verdict",
    "VersionRecord",
)
