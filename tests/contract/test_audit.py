"""What the audit chain promises, on SQLite and on PostgreSQL alike: whatever is done to it by SQL is found."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine
from tests.contract.test_state import server  # noqa: F401 - a fixture

from ragbots.errors import ChecksNotPassed
from ragbots.state import Database
from ragbots.state.audit import AuditLog, AuditRecord, _hash
from ragbots.types import AuditEvent, Principal

BEGUN = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
TEXTS = ("kind", "user_id", "channel", "address", "what", "at", "previous", "hash")
ADD = (
    "INSERT INTO audit (seq, at, kind, user_id, channel, address, what, previous, hash) "
    "VALUES (:seq, :at, :kind, :user_id, :channel, :address, :what, :previous, :hash)"
)


def event(number: int) -> AuditEvent:
    principal = Principal(f"kim{number % 7}", channel=("web", "openai", "mcp")[number % 3])
    address = None if number % 5 == 0 else f"10.0.0.{number % 9}"
    return AuditEvent("question", principal, {"question": f"연차 {number}", "shown": ["a.md 제1조"]}, address)


def filled(log: AuditLog, count: int) -> None:
    for number in range(count):
        log.append(event(number), BEGUN + timedelta(minutes=number))


Tampering = Callable[[Connection, Random, int], None]


def rows(connection: Connection) -> list[AuditRecord]:
    found = connection.execute(text("SELECT * FROM audit ORDER BY seq")).mappings()
    return [AuditRecord(**row) for row in found]


def put(connection: Connection, record: AuditRecord) -> None:
    values = {name: getattr(record, name) for name in AuditRecord.__slots__}
    connection.execute(text(ADD), values)


def drop(connection: Connection, where: str, **values: object) -> None:
    connection.execute(text(f"DELETE FROM audit WHERE {where}"), values)


def relinked(records: list[AuditRecord], previous: str) -> list[AuditRecord]:
    """The chain computed anew, as anybody can who knows how it is hashed."""
    made = []
    for record in records:
        unhashed = replace(record, previous=previous)
        record = replace(unhashed, hash=_hash(unhashed))
        previous = record.hash
        made.append(record)
    return made


def edit(connection: Connection, random: Random, count: int) -> None:
    field, seq = random.choice(TEXTS), random.randrange(1, count + 1)
    value = connection.execute(text(f"SELECT {field} FROM audit WHERE seq = :seq"), {"seq": seq}).scalar()
    longest = 64 if field in ("previous", "hash") else 32
    ways = {way[:longest] for way in ("x", (value or "")[:-1] + "x", "0" * 64, "", f"{value} ", f" {value}")}
    changed = random.choice(sorted(ways - {value}))
    connection.execute(text(f"UPDATE audit SET {field} = :to WHERE seq = :seq"), {"to": changed, "seq": seq})


def number_anew(connection: Connection, random: Random, count: int) -> None:
    seq = random.randrange(1, count + 1)
    to = random.choice((0, -seq, count + 1, count + 50))
    connection.execute(text("UPDATE audit SET seq = :to WHERE seq = :seq"), {"to": to, "seq": seq})


def delete_some(connection: Connection, random: Random, count: int) -> None:
    first = random.randrange(1, count)
    drop(connection, "seq BETWEEN :a AND :b", a=first, b=random.randrange(first, count))


def reorder(connection: Connection, random: Random, count: int) -> None:
    one, other = random.sample(range(1, count + 1), 2)
    for seq, to in ((one, -1), (other, one), (-1, other)):
        connection.execute(text("UPDATE audit SET seq = :to WHERE seq = :seq"), {"to": to, "seq": seq})


def duplicate(connection: Connection, random: Random, count: int) -> None:
    copied = random.choice(rows(connection))
    at = random.choice((count + 1, 0, -7))
    put(connection, replace(copied, seq=at))


def insert_between(connection: Connection, random: Random, count: int) -> None:
    at = random.randrange(1, count + 1)
    for seq in range(count, at - 1, -1):
        connection.execute(text("UPDATE audit SET seq = :to WHERE seq = :seq"), {"to": seq + 1, "seq": seq})
    first = rows(connection)[0]
    put(connection, replace(first, seq=at, what='{"question":"x"}'))


def cut_tail(connection: Connection, random: Random, count: int) -> None:
    drop(connection, "seq > :seq", seq=random.randrange(0, count))


def cut_tail_and_head(connection: Connection, random: Random, count: int) -> None:
    keep = random.randrange(0, count)
    drop(connection, "seq > :seq", seq=keep)
    last = rows(connection)[-1].hash if keep else "0" * 64
    mac = "" if keep == 0 else random.choice(("", "f" * 64))
    connection.execute(text("UPDATE audit_marks SET seq = :s, hash = :h, mac = :m WHERE name = 'head'"),
                       {"s": keep, "h": last, "m": mac})  # fmt: skip


def cut_beginning_and_base(connection: Connection, random: Random, count: int) -> None:
    upto = random.randrange(1, count)
    last = rows(connection)[upto - 1].hash
    drop(connection, "seq <= :seq", seq=upto)
    connection.execute(text("UPDATE audit_marks SET seq = :s, hash = :h WHERE name = 'base'"), {"s": upto, "h": last})


def rewrite(connection: Connection, random: Random, count: int) -> None:
    """An edit with all that follows computed anew, and the head moved."""
    records, at = rows(connection), random.randrange(count)
    records[at] = replace(records[at], user_id="lee")
    anew = relinked(records, "0" * 64)
    drop(connection, "1 = 1")
    for record in anew:
        put(connection, record)
    connection.execute(text("UPDATE audit_marks SET hash = :h WHERE name = 'head'"), {"h": anew[-1].hash})


def append_unsigned(connection: Connection, random: Random, count: int) -> None:
    last = rows(connection)[-1]
    [forged] = relinked([replace(last, seq=count + 1, what='{"question":"x"}')], last.hash)
    put(connection, forged)
    if random.random() < 0.5:
        connection.execute(text("UPDATE audit_marks SET seq = :s, hash = :h WHERE name = 'head'"),
                           {"s": forged.seq, "h": forged.hash})  # fmt: skip


def spoil_a_mark(connection: Connection, random: Random, count: int) -> None:
    name = random.choice(("head", "base"))
    if random.random() < 0.3:
        connection.execute(text("DELETE FROM audit_marks WHERE name = :n"), {"n": name})
        return
    change = random.choice(("mac = 'e'", "hash = 'e'", "seq = seq + 1", "seq = seq - 1"))
    connection.execute(text(f"UPDATE audit_marks SET {change} WHERE name = :n"), {"n": name})


TAMPERINGS: tuple[Tampering, ...] = (
    edit, edit, edit, number_anew, delete_some, reorder, duplicate, insert_between, cut_tail, cut_tail_and_head,
    cut_beginning_and_base, rewrite, append_unsigned, spoil_a_mark,
)  # fmt: skip


class AuditContract:
    """Subclasses give the `url` of an empty database, and how many tamperings are tried."""

    tried = 1_000

    @pytest.fixture
    def database(self, url: str) -> Iterator[Database]:
        opened = Database(url)
        yield opened
        opened.close()

    @pytest.fixture
    def log(self, database: Database, tmp_path: Path) -> AuditLog:
        return AuditLog(database, tmp_path / "data")

    @pytest.fixture
    def sql(self, url: str, database: Database) -> Iterator[Engine]:
        engine = create_engine(url)
        yield engine
        engine.dispose()

    def test_records_come_back_as_they_were_written(self, log: AuditLog) -> None:
        filled(log, 3)
        records = list(log.records())
        assert [one.seq for one in records] == [1, 2, 3]
        assert records[1].at == "2026-11-01T09:01:00.000000+00:00"
        assert (records[1].user_id, records[1].channel, records[1].address) == ("kim1", "openai", "10.0.0.1")
        assert json.loads(records[1].what) == {"question": "연차 1", "shown": ["a.md 제1조"]}
        assert [one.seq for one in log.records("2026-11-01T09:01", "2026-11-01T09:02")] == [2]

    def test_an_empty_chain_and_a_full_one_are_whole(self, log: AuditLog) -> None:
        assert log.verify().damage is None
        filled(log, 20)
        report = log.verify()
        assert (report.records, report.head, report.damage) == (20, 20, None)

    def test_every_tampering_is_found(self, log: AuditLog, sql: Engine) -> None:
        random, count = Random(5), 12
        filled(log, count)
        for number in range(self.tried):
            tampering = TAMPERINGS[number % len(TAMPERINGS)]
            with sql.connect() as connection, connection.begin() as transaction:
                tampering(connection, random, count)
                # What was done is seen by the very reading that `verify` does, then taken back.
                damage = self.verified_on(log, connection)
                transaction.rollback()
            assert damage is not None, (number, tampering.__name__)
        assert log.verify().damage is None

    def verified_on(self, log: AuditLog, connection: Connection) -> object:
        return log._verified(connection, log._witness()).damage

    @pytest.mark.parametrize("tampering", dict.fromkeys(TAMPERINGS), ids=lambda one: one.__name__)
    def test_what_was_done_stays_found_after_records_that_follow(
        self, log: AuditLog, sql: Engine, tampering: Tampering
    ) -> None:
        filled(log, 6)
        with sql.begin() as connection:
            tampering(connection, Random(3), 6)
        assert log.verify().damage is not None
        for number in range(8):
            log.append(event(number), BEGUN + timedelta(hours=1))
        assert log.verify().damage is not None

    def test_an_older_head_put_back_with_its_signature_is_found(self, log: AuditLog, sql: Engine) -> None:
        filled(log, 4)
        with sql.connect() as connection:
            older = dict(connection.execute(text("SELECT * FROM audit_marks WHERE name = 'head'")).mappings().one())
        filled(log, 4)
        with sql.begin() as connection:
            drop(connection, "seq > 4")
            connection.execute(
                text("UPDATE audit_marks SET seq = :seq, hash = :hash, mac = :mac WHERE name = :name"), older
            )
        damage = log.verify().damage
        assert damage is not None
        assert (damage.record, damage.kind) == (5, "cut tail")
        filled(log, 9)  # more than there were
        assert log.verify().damage is not None

    def test_the_first_broken_record_and_the_kind_are_named(self, log: AuditLog, sql: Engine) -> None:
        filled(log, 8)
        with sql.begin() as connection:
            drop(connection, "seq IN (6, 7)")
        damage = log.verify().damage
        assert damage is not None
        assert (damage.record, damage.kind) == (6, "missing")
        with sql.begin() as connection:
            connection.execute(text("UPDATE audit SET user_id = 'lee' WHERE seq = 3"))
        damage = log.verify().damage
        assert damage is not None
        assert (damage.record, damage.kind) == (3, "edited")

    def test_a_lost_key_is_told_and_no_new_one_makes_it_good(
        self, log: AuditLog, database: Database, tmp_path: Path
    ) -> None:
        filled(log, 3)
        (tmp_path / "data" / "audit.key").unlink()
        again = AuditLog(database, tmp_path / "data")
        damage = again.verify().damage
        assert damage is not None
        assert damage.kind == "key"
        filled(again, 3)
        assert again.verify().damage is not None

    def test_the_key_is_its_owners_alone(self, log: AuditLog, tmp_path: Path) -> None:
        filled(log, 1)
        assert {path.name for path in (tmp_path / "data").iterdir()} == {"audit.key", "audit.head"} | {
            path.name for path in (tmp_path / "data").iterdir() if path.suffix.startswith(".sqlite3")
        }
        for name in ("audit.key", "audit.head"):
            assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600

    def test_what_was_kept_long_enough_is_deleted_and_the_chain_stays_whole(self, log: AuditLog) -> None:
        filled(log, 10)
        assert log.forget_before(BEGUN + timedelta(minutes=4)) == 4
        assert log.forget_before(BEGUN + timedelta(minutes=4)) == 0
        report = log.verify()
        assert (report.records, report.base, report.head, report.damage) == (6, 4, 10, None)
        filled(log, 2)
        assert log.forget_before(BEGUN + timedelta(days=99)) == 8
        assert log.verify().damage is None
        filled(log, 1)
        report = log.verify()
        assert (report.records, report.head, report.damage) == (1, 13, None)

    def test_what_is_damaged_is_not_deleted(self, log: AuditLog, sql: Engine) -> None:
        filled(log, 10)
        with sql.begin() as connection:
            connection.execute(text("UPDATE audit SET user_id = 'lee' WHERE seq = 3"))
        with pytest.raises(ChecksNotPassed, match="record 3"):
            log.forget_before(BEGUN + timedelta(minutes=5))
        assert len(list(log.records())) == 10

    def test_threads_and_processes_at_once_make_one_chain(self, log: AuditLog, url: str, tmp_path: Path) -> None:
        program = (
            "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
            "from ragbots.state import Database; from ragbots.state.audit import AuditLog\n"
            "from ragbots.types import AuditEvent, Principal\n"
            "log = AuditLog(Database(sys.argv[1]), Path(sys.argv[2]))\n"
            "for n in range(25): log.append(AuditEvent('x', Principal('p'), {'n': n}), datetime.now(UTC))\n"
        )
        command = [sys.executable, "-c", program, url, str(tmp_path / "data")]
        others = [subprocess.Popen(command) for _ in range(2)]
        threads = [threading.Thread(target=filled, args=(log, 25)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [other.wait(120) for other in others] == [0, 0]
        report = log.verify()
        assert (report.records, report.damage) == (100, None)


class TestSqlite(AuditContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'state.sqlite3'}"


class TestPostgres(AuditContract):
    tried = 200

    @pytest.fixture
    def url(self, server: str, request: pytest.FixtureRequest) -> str:  # noqa: F811
        name = f"audit_{abs(hash(request.node.name)) % 10**9}"
        engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{server}/{name}"
