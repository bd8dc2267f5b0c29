"""What the state promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text

from ragbots.errors import ConfigurationError, NotFound
from ragbots.state import Database, tables
from ragbots.state.answers import read_answer
from ragbots.state.database import Feedback, Spent, StoredTurn, Verdict, VersionRecord

BINARIES = Path("/usr/lib/postgresql/15/bin")
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def version(bot: str = "travel", name: str = "20261123-120000-aaaaaa") -> VersionRecord:
    return VersionRecord(bot, name, NOON, chunks=40, documents=2, omissions=1)


def turn(question: str, minutes: int = 0) -> StoredTurn:
    return StoredTurn(
        NOON + timedelta(minutes=minutes), question, {"answer": f"「{question}」", "citations": ["a~b~1~0-1"]}
    )


def answered(name: str) -> StoredTurn:
    """A turn whose answer has the id `a-<name>`."""
    return replace(turn(name), answer={"id": f"a-{name}", "answer": "답", "bot": "travel"})


def said(answer_id: str, user_id: str) -> Feedback:
    return Feedback(answer_id, user_id, NOON, "up", None, None, "질문", "답", "answered", "travel", "v1", "web")


def migrate(url: str, revision: str) -> None:
    """Makes the tables as they were at a revision."""
    config = Config()
    config.set_main_option("script_location", str(Path(tables.__file__).with_name("migrations")))
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def together(*calls: Callable[[], object]) -> list[BaseException]:
    """Calls all at once from threads; what they raised."""
    raised: list[BaseException] = []
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        ready.wait()
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            raised.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


class StateContract:
    """Subclasses give the `url` of an empty database."""

    @pytest.fixture
    def database(self, url: str) -> Iterator[Database]:
        opened = Database(url)
        yield opened
        opened.close()

    def test_an_empty_database_gets_its_tables_and_keeps_what_is_in_them(self, url: str) -> None:
        for round_number in range(3):
            opened = Database(url)
            if round_number == 0:
                opened.add_version(version())
            assert opened.versions("travel") == [version()]
            opened.close()

    def test_what_models_took_adds_up_by_person_bot_and_day(self, database: Database) -> None:
        day, next_day = date(2026, 11, 23), date(2026, 11, 24)
        database.add_spent(day, "kim", "travel", "local", Spent(1, 1_000, 100, 0.5))
        database.add_spent(day, "kim", "travel", "local", Spent(1, 500, 50, 0.25))
        database.add_spent(day, "kim", "pay", "cloud", Spent(2, 10, 1, 0.0))
        database.add_spent(day, "lee", "travel", "local", Spent(1, 7, 3, 0.0))
        database.add_spent(next_day, "kim", "travel", "local", Spent(1, 9_999, 9, 1.0))
        assert database.spent(day, user_id="kim") == Spent(4, 1_510, 151, 0.75)
        assert database.spent(day, bot="travel") == Spent(3, 1_507, 153, 0.75)
        assert database.spent(day) == Spent(5, 1_517, 154, 0.75)
        assert database.spent(date(2026, 11, 22)) == Spent(0, 0, 0, 0.0)

    def test_calls_at_once_are_all_counted(self, database: Database) -> None:
        day = date(2026, 11, 23)
        calls = [lambda: database.add_spent(day, "kim", "travel", "local", Spent(1, 10, 1, 0.0))] * 6
        assert together(*calls) == []
        assert database.spent(day) == Spent(6, 60, 6, 0.0)

    def test_of_many_who_see_an_event_at_once_one_is_the_first(self, database: Database) -> None:
        at, seen = datetime(2026, 11, 23, tzinfo=UTC), list[bool]()
        assert together(*[lambda: seen.append(database.note_event("e" * 64, at))] * 6) == []
        assert sorted(seen) == [False] * 5 + [True]
        assert database.forget_events(at) == 0
        assert database.forget_events(at + timedelta(seconds=1)) == 1
        assert database.note_event("e" * 64, at)

    def test_the_tables_are_those_of_the_newest_migration(self, database: Database) -> None:
        engine = create_engine(database._engine.url)
        found = inspect(engine)
        assert set(found.get_table_names()) == {*tables.metadata.tables, "alembic_version"}
        for name, table in tables.metadata.tables.items():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
            assert columns == {column.name: column.nullable for column in table.columns}
            indexed = {tuple(index["column_names"]) for index in found.get_indexes(name)}
            assert indexed == {tuple(column.name for column in index.columns) for index in table.indexes}
        engine.dispose()

    def test_several_processes_may_find_the_database_empty_at_once(self, url: str) -> None:
        program = f"from ragbots.state import Database; Database({url!r}).close()"
        running = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(4)]
        assert [(one.communicate(timeout=60)[1], one.returncode) for one in running] == [(b"", 0)] * 4
        opened = Database(url)
        assert opened.versions("travel") == []
        opened.close()

    def test_a_database_of_a_newer_program_is_refused_with_what_to_do(self, database: Database, url: str) -> None:
        with database._writing.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ConfigurationError) as caught:
            Database(url)
        assert caught.value.hint

    def test_versions_come_newest_first_and_each_bot_has_its_own(self, database: Database) -> None:
        first, second = version(), version(name="20261123-120001-000000")
        other = version("leave")
        for one in (second, first, other):
            database.add_version(one)
        assert database.versions("travel") == [second, first]
        assert database.versions("leave") == [other]
        assert database.versions("none") == []

    def test_moments_come_back_as_they_went_in(self, database: Database) -> None:
        database.add_version(version())
        (back,) = database.versions("travel")
        assert back.created_at == NOON
        assert back.created_at.tzinfo is not None

    def test_the_newest_verdict_counts(self, database: Database) -> None:
        good = Verdict("travel", "v1", NOON, True, {"problems": [], "notes": []})
        bad = Verdict("travel", "v1", NOON, False, {"problems": ["벡터 3개가 없음"], "notes": []})
        assert database.verdict("travel", "v1") is None
        database.add_verdict(good)
        database.add_verdict(bad)  # of the same moment: the order they came in counts
        database.add_verdict(Verdict("travel", "v2", NOON, True, {}))
        assert database.verdict("travel", "v1") == bad
        assert database.verdict("leave", "v1") is None

    def test_a_release_moves_the_pointer_and_is_recorded(self, database: Database) -> None:
        for name in ("v1", "v2"):
            database.add_version(version(name=name))
        assert database.active() == {}
        database.release("travel", "v1", by="kim", action="release")
        database.release("travel", "v2", by="lee", action="release", forced_because="감사 전에 꼭")
        assert database.active() == {"travel": "v2"}
        database.release("travel", "v1", by="kim", action="rollback")
        history = database.release_history("travel")
        assert database.active() == {"travel": "v1"}
        assert [(one.version, one.previous, one.by, one.action, one.forced_because) for one in history] == [
            ("v1", "v2", "kim", "rollback", None),
            ("v2", "v1", "lee", "release", "감사 전에 꼭"),
            ("v1", None, "kim", "release", None),
        ]
        assert all(abs(one.at - datetime.now(UTC)) < timedelta(minutes=1) for one in history)
        assert database.release_history("leave") == []

    def test_a_release_that_cannot_be_recorded_does_not_move_the_pointer(self, database: Database) -> None:
        for name in ("v1", "v2"):
            database.add_version(version(name=name))
        database.release("travel", "v1", by="kim", action="release")
        with pytest.raises(Exception, match=r"(?i)null"):
            database.release("travel", "v2", by=None, action="release")  # type: ignore[arg-type]
        assert database.active() == {"travel": "v1"}
        assert [one.version for one in database.release_history("travel")] == ["v1"]

    def test_releases_at_once_leave_a_history_without_gaps(self, database: Database, url: str) -> None:
        names = [f"v{number}" for number in range(6)]
        for name in names:
            database.add_version(version(name=name))
        database.release("travel", "v0", by="kim", action="release")
        others = [Database(url) for _ in names[1:]]
        calls = [
            lambda one=one, name=name: one.release("travel", name, by="kim", action="release")
            for one, name in zip(others, names[1:], strict=True)
        ]
        assert together(*calls) == []
        history = database.release_history("travel")
        assert [one.previous for one in history] == [*(one.version for one in history[1:]), None]
        assert database.active() == {"travel": history[0].version}
        for one in others:
            one.close()

    def test_an_unknown_version_is_not_released(self, database: Database) -> None:
        database.add_version(version(name="v1"))
        database.release("travel", "v1", by="kim", action="release")
        for bot, name in (("travel", "v9"), ("leave", "v1")):
            with pytest.raises(NotFound, match=name):
                database.release(bot, name, by="kim", action="release")
        assert database.active() == {"travel": "v1"}
        assert len(database.release_history("travel")) == 1

    def test_a_version_is_forgotten_with_its_verdicts_and_the_history_stays(self, database: Database) -> None:
        for name in ("v1", "v2"):
            database.add_version(version(name=name))
            database.add_verdict(Verdict("travel", name, NOON, True, {}))
            database.release("travel", name, by="kim", action="release")
        database.forget_version("travel", "v1")
        assert [one.version for one in database.versions("travel")] == ["v2"]
        assert database.verdict("travel", "v1") is None
        assert database.verdict("travel", "v2") is not None
        assert [one.version for one in database.release_history("travel")] == ["v2", "v1"]

    def test_the_last_turns_of_a_conversation_come_oldest_first(self, database: Database) -> None:
        for number in range(5):
            database.remember("c1", "kim", "web", turn(f"질문 {number}", minutes=number))
        database.remember("c2", "kim", "web", turn("다른 대화"))
        assert database.conversation("c1", "kim", 3) == [turn(f"질문 {number}", minutes=number) for number in (2, 3, 4)]
        assert database.conversation("none", "kim", 3) == []

    def test_a_conversation_is_its_users_own(self, database: Database) -> None:
        database.remember("c1", "kim", "web", turn("내 급여"))
        assert database.conversation("c1", "lee", 3) == []
        with pytest.raises(NotFound) as caught:
            database.remember("c1", "lee", "web", turn("남의 대화에"))
        assert "내 급여" not in str(caught.value)
        assert database.conversation("c1", "kim", 3) == [turn("내 급여")]

    def test_words_of_people_come_back_as_they_went_in(self, database: Database) -> None:
        said = StoredTurn(
            NOON, "'; DROP TABLE turns; -- ㆍ〈개정〉 😀 \\ \"", {"answer": "한글 😀\n둘째 줄", "status": "answered"}
        )
        database.remember("c" * 43, "kim", "web", said)
        assert database.conversation("c" * 43, "kim", 1) == [said]

    def test_first_turns_of_one_conversation_at_once_are_all_kept(self, database: Database) -> None:
        calls = [lambda n=n: database.remember("c1", "kim", "web", turn(f"질문 {n}")) for n in range(4)]
        assert together(*calls) == []
        assert len(database.conversation("c1", "kim", 10)) == 4

    def test_it_is_described_without_its_password(self, database: Database) -> None:
        assert "geheim" not in database.described

    def test_versions_that_answers_cite(self, database: Database) -> None:
        given = [("travel", "v1", 0), ("travel", "v2", 10), ("leave", "v9", 10), ("travel", None, 20)]
        for bot, version, minutes in given:
            said = replace(turn("질문", minutes=minutes), answer={"bot": bot, "index_version": version, "answer": "답"})
            database.remember("c1", "kim", "web", said)
        first = turn("질문", minutes=0).at
        assert database.cited_versions("travel", first) == {"v1", "v2"}
        assert database.cited_versions("travel", turn("질문", minutes=5).at) == {"v2"}
        assert database.cited_versions("travel", turn("질문", minutes=30).at) == set()

    def test_conversations_are_listed_with_the_one_that_last_went_on_first(self, database: Database) -> None:
        for name, minutes in (("c1", 0), ("c2", 5), ("c1", 10), ("c3", 7)):
            database.remember(name, "kim", "web", turn(f"{name} {minutes}", minutes))
        database.remember("c4", "lee", "dooray", turn("남의 것", 60))
        found = database.conversations("kim")
        assert [(one.id, one.question, one.turns) for one in found] == [
            ("c1", "c1 0", 2), ("c3", "c3 7", 1), ("c2", "c2 5", 1),
        ]  # fmt: skip
        assert (found[0].created_at, found[0].last_at) == (NOON, NOON + timedelta(minutes=10))
        assert [one.id for one in database.conversations("kim", 2)] == ["c1", "c3"]
        assert database.conversations("nobody") == []
        assert (database.conversation_owner("c4"), database.conversation_owner("c9")) == ("lee", None)

    def test_a_deleted_conversation_takes_its_turns_and_feedback_and_nobody_elses(self, database: Database) -> None:
        for name, user in (("c1", "kim"), ("c2", "kim"), ("c3", "lee")):
            database.remember(name, user, "web", answered(name))
            database.set_feedback(said(f"a-{name}", user))
        assert database.forget_conversations("kim", "c3") == 0
        assert database.forget_conversations("kim", "c1") == 1
        assert database.conversation("c1", "kim") == []
        assert database.answered("a-c1", "kim") is None
        assert {one.answer_id for one in database.feedback()} == {"a-c2", "a-c3"}
        assert database.forget_conversations("kim") == 1
        assert database.conversations("kim") == []
        assert {one.answer_id for one in database.feedback()} == {"a-c3"}
        assert len(database.conversation("c3", "lee")) == 1

    def test_what_has_not_gone_on_since_a_moment_is_forgotten(self, database: Database) -> None:
        database.remember("old", "kim", "web", turn("예전", 0))
        database.remember("long", "kim", "web", turn("예전", 0))
        database.remember("long", "kim", "web", turn("요즘", 60))
        database.set_feedback(said("a1", "kim"))
        database.set_feedback(replace(said("a2", "kim"), at=NOON + timedelta(minutes=45)))
        assert database.forget_before(NOON + timedelta(minutes=30)) == 1
        assert [one.id for one in database.conversations("kim")] == ["long"]
        assert len(database.conversation("long", "kim")) == 2
        assert [one.answer_id for one in database.feedback()] == ["a2"]

    def test_an_answer_is_found_by_its_id_for_whom_it_was_given(self, database: Database) -> None:
        database.remember("c1", "kim", "web", answered("c1"))
        assert database.answered("a-c1", "kim") == answered("c1")
        assert database.answered("a-c1", "lee") is None
        assert database.answered("none", "kim") is None

    def test_feedback_is_one_for_a_person_and_an_answer_and_may_be_changed_and_withdrawn(
        self, database: Database
    ) -> None:
        database.set_feedback(said("a1", "kim"))
        changed = replace(said("a1", "kim"), rating="down", reason="wrong", comment="틀렸어요 😀", bot=None)
        database.set_feedback(changed)
        database.set_feedback(replace(said("a1", "lee"), at=NOON + timedelta(minutes=1)))
        assert database.feedback(user_id="kim") == [changed]
        assert [one.user_id for one in database.feedback()] == ["lee", "kim"]
        assert [one.user_id for one in database.feedback(["travel"])] == ["lee"]
        assert database.feedback([]) == []
        assert len(database.feedback(last=1)) == 1
        assert database.withdraw_feedback("a1", "kim")
        assert not database.withdraw_feedback("a1", "kim")
        assert [one.user_id for one in database.feedback()] == ["lee"]

    def test_feedback_at_once_from_one_person_leaves_one(self, database: Database) -> None:
        ratings = ("up", "down", "up", "down")
        calls = [lambda r=rating: database.set_feedback(replace(said("a1", "kim"), rating=r)) for rating in ratings]
        assert together(*calls) == []
        assert len(database.feedback()) == 1

    def test_turns_from_before_answers_were_kept_whole_can_be_shown(self, url: str) -> None:
        migrate(url, "0002")
        engine = create_engine(url)
        old = {"id": "a1", "status": "answered", "answer": "답", "bot": "leave", "index_version": "v1"}
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO conversations (id, user_id, channel, created_at) VALUES ('c1', 'kim', 'web', :at)"),
                {"at": NOON},
            )
            connection.execute(
                text("INSERT INTO turns (conversation_id, at, question, answer) VALUES ('c1', :at, '질문', :answer)"),
                {"at": NOON, "answer": json.dumps({**old, "citations": ["a~b~1~0-1"]})},
            )
        engine.dispose()
        opened = Database(url)
        found = opened.answered("a1", "kim")
        opened.close()
        assert found is not None
        answer = read_answer(found.answer)
        assert (answer.answer, answer.bot, answer.conversation_id, answer.as_of) == ("답", "leave", "c1", NOON.date())
        assert [one.id for one in answer.citations] == ["a~b~1~0-1"]


class TestSqlite(StateContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'not' / 'there yet' / 'state.sqlite3'}"

    def test_readers_do_not_wait_for_a_writer(self, database: Database, url: str) -> None:
        database.add_version(version())
        other = Database(url)
        with database._writing.begin() as connection:
            connection.execute(text("DELETE FROM versions"))
            assert other.versions("travel") == [version()]
        assert other.versions("travel") == []
        other.close()

    def test_a_migration_that_fails_half_way_leaves_nothing_behind(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from alembic.operations import Operations

        create, made = Operations.create_table, []

        def cut_off(self: Operations, name: str, *rest: object, **more: object) -> object:
            if len(made) == 3:
                raise KeyboardInterrupt
            made.append(name)
            return create(self, name, *rest, **more)  # type: ignore[arg-type]

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Operations, "create_table", cut_off)
            Database(url)
        opened = Database(url)
        assert opened.versions("travel") == []
        opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own, without durability; its URL without a database."""
    if not (BINARIES / "initdb").is_file():
        pytest.skip(f"no PostgreSQL 15 at {BINARIES} (Debian: postgresql)")
    folder = tmp_path_factory.mktemp("postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_postgres:
        for above in (folder, *folder.parents):
            if above.stat().st_uid == 0 and above.stat().st_mode & 0o5 != 0o5:
                above.chmod(above.stat().st_mode | 0o5)  # pytest's own are for their owner alone
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*command: str) -> None:
        subprocess.run([*as_postgres, *command], check=True, capture_output=True, cwd=folder, timeout=120)

    data = str(folder / "data")
    run(str(BINARIES / "initdb"), "-D", data, "-U", "ragbots", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c port={port} -c fsync=off"
    control = str(BINARIES / "pg_ctl")
    run(control, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    yield f"postgresql+psycopg://ragbots:geheim@127.0.0.1:{port}"
    run(control, "-D", data, "-m", "immediate", "-w", "stop")


class TestPostgres(StateContract):
    @pytest.fixture
    def url(self, server: str, request: pytest.FixtureRequest) -> str:
        name = f"state_{abs(hash(request.node.name)) % 10**9}"
        engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{server}/{name}"

    def test_the_url_as_people_write_it(self, url: str) -> None:
        opened = Database(url.replace("postgresql+psycopg:", "postgresql:"))
        assert opened.active() == {}
        opened.close()

    def test_a_server_that_is_not_there(self, url: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            Database("postgresql+psycopg://ragbots:geheim@127.0.0.1:1/none")
        assert "127.0.0.1:1" in caught.value.message
        assert "RAGBOTS_DATABASE_URL" in caught.value.hint
        assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["nonsense", "oracle9://x:geheim@y", "mysql+nodriver://x:geheim@y/z", "sqlite:////proc/none/state.sqlite3"]
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(url)
    assert "RAGBOTS_DATABASE_URL" in caught.value.hint
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    path.write_text("무언가 다른 것 " * 100, "utf-8")
    with pytest.raises(ConfigurationError, match=r"state\.sqlite3"):
        Database(f"sqlite:///{path}")
    assert path.read_text("utf-8").startswith("무언가")
