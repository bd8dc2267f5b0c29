"""The audit chain: records that each hash the one before, between two marks signed with a key outside the database.

`head` marks the last record, `base` the last that was deleted because it was kept long enough. Both are signed by an
HMAC with the key in `audit.key` of the data directory; a copy of the head lies beside it in `audit.head`, so that an
older head, put back with its signature, is found too. A head that does not hold is never signed again: what was
tampered with stays found after records that follow.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from cachetools import TTLCache
from sqlalchemy import Connection, delete, func, insert, select, update

from ragbots.errors import ChecksNotPassed
from ragbots.state import tables
from ragbots.state.database import Database
from ragbots.types import AuditEvent

_WITNESS_BYTES = 256
_LOOKS = 3
_NOTHING = "0" * 64  # the hash before the first record


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry. `at` is ISO 8601 in UTC, `what` canonical JSON, `previous` the hash of the entry before."""

    seq: int
    at: str
    kind: str
    user_id: str
    channel: str
    address: str | None
    what: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain: the number of a record and its hash."""

    name: str
    seq: int
    hash: str
    mac: str


@dataclass(frozen=True, slots=True)
class Damage:
    """The first thing wrong: `record` is the number at which it shows. `kind`: edited, missing, inserted, relinked,
    cut tail, head, base, witness or key."""

    record: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`records` were looked at, after number `base` and up to `head` with `head_hash`."""

    records: int
    base: int
    head: int
    head_hash: str
    damage: Damage | None


class Sparing:
    """Which of many like events are recorded, so that whoever tries and tries fills no disk: the same once a minute,
    and no more than so many of one person at one address."""

    MINUTE, MOST, PEOPLE = 60.0, 30, 10_000

    def __init__(self) -> None:
        self._seen: TTLCache[tuple[str, str | None], set[str]] = TTLCache(self.PEOPLE, self.MINUTE)
        self._lock = Lock()

    def takes(self, event: AuditEvent) -> bool:
        what = f"{event.kind} {canonical(event.what)}"
        with self._lock:
            seen = self._seen.setdefault((event.principal.user_id, event.address), set())
            if what in seen or len(seen) >= self.MOST:
                return False
            seen.add(what)
        return True


class AuditLog:
    """The chain of one installation; safe with several processes on one data directory."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self._key_file = data_dir / "audit.key"
        self._head_file = data_dir / "audit.head"
        self._known_key: bytes | None = None

    def append(self, event: AuditEvent, at: datetime) -> AuditRecord:
        """Adds a record and moves the head, in one transaction."""
        witness = self._witness()  # before the head is locked, so that no other process can be ahead of it
        with self._database.transaction(writing=True) as connection:
            head = _mark(connection, "head", lock=True)
            last = connection.execute(select(func.max(tables.audit.c.seq))).scalar() or 0
            if not isinstance(last, int) or last > head.seq:  # a mark that was moved back must not stop what is done
                head = Mark("head", max(last, head.seq) if isinstance(last, int) else head.seq, head.hash, "")
            record = _record(head, event, at)
            connection.execute(insert(tables.audit).values(**asdict(record)))
            moved = self._signed("head", record.seq, record.hash)
            if not self._holds(head) or (witness is not None and self._holds(witness) and _beyond(witness, head)):
                moved = replace(moved, mac="")
            _move(connection, moved)
        if moved.mac:
            self._bear_witness(moved)
        return record

    def records(self, since: str = "", until: str = "~") -> Iterator[AuditRecord]:
        """In order, those of `since` <= at < `until`, both as they are written in `at` or the beginning of it."""
        t = tables.audit
        query = select(t).where(t.c.at >= since, t.c.at < until).order_by(t.c.seq)
        query = query.execution_options(yield_per=1_000)
        with self._database.transaction() as connection, connection.execute(query) as rows:
            for row in rows.mappings():
                yield AuditRecord(**row)

    def verify(self) -> AuditReport:
        """Reads the whole chain as it is at one moment."""
        witness = self._witness()  # before the database, so that no other process can be ahead of what is read
        with self._database.transaction(snapshot=True) as connection:
            return self._verified(connection, witness)

    def _verified(self, connection: Connection, witness: Mark | None) -> AuditReport:
        base, head = _mark(connection, "base"), _mark(connection, "head")
        walked = _walk(connection, base)
        damage = self._wrong_base(base) or walked.damage or self._wrong_end(walked, head)
        damage = damage or self._wrong_by_witness(connection, base, head, witness)
        return AuditReport(walked.records, base.seq, head.seq, head.hash, damage)

    def forget_before(self, moment: datetime) -> int:
        """Deletes the records written before, and signs where the chain begins now; how many. Raises ChecksNotPassed
        where they are not whole: what is damaged is not deleted."""
        t = tables.audit
        with self._database.transaction(writing=True) as connection:
            head, base = _mark(connection, "head", lock=True), _mark(connection, "base")
            kept = select(func.min(t.c.seq)).where(t.c.at >= _written(moment))
            kept_from = connection.execute(kept).scalar()
            last = head.seq if kept_from is None else kept_from - 1
            if last <= base.seq:
                return 0
            walked = _walk(connection, base, last)
            damage = self._wrong_base(base) or walked.damage or _ended(walked, last)
            if damage:
                raise ChecksNotPassed(
                    f"audit: nothing was deleted: record {damage.record}: {damage.text}", hint="ragbots audit verify"
                )
            gone = connection.execute(delete(t).where(t.c.seq <= last)).rowcount
            _move(connection, self._signed("base", walked.seq, walked.hash))
            return gone

    # what holds

    def _wrong_base(self, base: Mark) -> Damage | None:
        if self._holds(base):
            return None
        return Damage(base.seq + 1, "base", "the mark of where the chain begins is not signed with the key")

    def _wrong_end(self, walked: _Walked, head: Mark) -> Damage | None:
        if walked.seq != head.seq:
            return _ended(walked, head.seq)
        if walked.hash != head.hash:
            return Damage(head.seq, "head", "the last record is not the one that the head marks")
        if not self._holds(head):
            why = "is not signed with the key" if self._key else f"cannot be checked: {self._key_file} is missing"
            return Damage(head.seq, "head" if self._key else "key", f"the head {why}")
        return None

    def _wrong_by_witness(self, connection: Connection, base: Mark, head: Mark, witness: Mark | None) -> Damage | None:
        """What the copy of the head that lies outside the database tells against it."""
        if witness is None:
            return Damage(head.seq, "witness", f"{self._head_file} is missing") if head.seq else None
        if not self._holds(witness):
            return Damage(head.seq, "witness", f"{self._head_file} is not signed with the key")
        if witness.seq > head.seq:
            return Damage(head.seq + 1, "cut tail", f"there were {witness.seq} records")
        t = tables.audit
        there = connection.execute(select(t.c.hash).where(t.c.seq == witness.seq)).scalar()
        if witness.seq > base.seq and there != witness.hash:
            return Damage(witness.seq, "edited", "written anew: it is not the record that was there")
        return None

    def _holds(self, mark: Mark) -> bool:
        """Whether a mark is signed; the very first needs no signature."""
        if (mark.seq, mark.hash, mark.mac) == (0, _NOTHING, ""):
            return True
        return self._key is not None and hmac.compare_digest(str(mark.mac).encode(), self._mac(mark).encode())

    def _signed(self, name: str, seq: int, hashed: str) -> Mark:
        if self._key is None:
            self._make_key()
        mark = Mark(name, seq, hashed, "")
        return replace(mark, mac=self._mac(mark))

    def _mac(self, mark: Mark) -> str:
        return hmac.new(self._key or b"", f"{mark.name}:{mark.seq}:{mark.hash}".encode(), hashlib.sha256).hexdigest()

    # the files beside the database

    @property
    def _key(self) -> bytes | None:
        if self._known_key is None:
            with suppress(FileNotFoundError):
                self._known_key = self._key_file.read_bytes()
        return self._known_key

    def _make_key(self) -> None:
        """Made by whoever comes first; written whole under another name, so that nobody reads half of it."""
        self._key_file.parent.mkdir(parents=True, exist_ok=True)
        made = self._write_beside(self._key_file, secrets.token_bytes(32))
        with suppress(FileExistsError):
            os.link(made, self._key_file)
        made.unlink()

    def _witness(self) -> Mark | None:
        """The head as it was written last; None where there is none, one that does not hold where it is illegible."""
        witness: Mark | None = None
        for _ in range(_LOOKS):  # another process may be just writing it
            try:
                said = json.loads(self._head_file.read_text("utf-8"))
                witness = Mark("head", int(said["seq"]), str(said["hash"]), str(said["mac"]))
            except FileNotFoundError:
                return None
            except (ValueError, KeyError, TypeError):
                witness = Mark("head", -1, "", "")
            if self._holds(witness):
                break
        return witness

    def _bear_witness(self, head: Mark) -> None:
        """Written in place and always of one length: a file made anew would take as long as the record itself."""
        said = json.dumps({"seq": head.seq, "hash": head.hash, "mac": head.mac}).ljust(_WITNESS_BYTES)
        file = os.open(self._head_file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, said.encode("ascii"), 0)
        finally:
            os.close(file)

    @staticmethod
    def _write_beside(path: Path, data: bytes) -> Path:
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        return beside


def canonical(value: object) -> str:
    """JSON in one way only: keys in order, no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _record(head: Mark, event: AuditEvent, at: datetime) -> AuditRecord:
    record = AuditRecord(
        seq=head.seq + 1,
        at=_written(at),
        kind=event.kind,
        user_id=event.principal.user_id,
        channel=event.principal.channel,
        address=event.address,
        what=canonical(event.what),
        previous=head.hash,
        hash="",
    )
    return replace(record, hash=_hash(record))


def _hash(record: AuditRecord) -> str:
    fields = {name: value for name, value in asdict(record).items() if name != "hash"}
    return hashlib.sha256(canonical(fields).encode("utf-8", "surrogatepass")).hexdigest()


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class _Walked:
    """How far the chain was followed, and what was wrong there."""

    records: int
    seq: int
    hash: str
    damage: Damage | None = None


def _walk(connection: Connection, base: Mark, last: int | None = None) -> _Walked:
    t = tables.audit
    query = select(t).order_by(t.c.seq)
    query = query if last is None else query.where(t.c.seq <= last)
    seq, hashed, records = base.seq, base.hash, 0
    with connection.execute(query.execution_options(yield_per=1_000)) as rows:
        for row in rows.mappings():
            record = AuditRecord(**row)
            damage = _wrong(record, seq, hashed)
            if damage:
                return _Walked(records, seq, hashed, damage)
            seq, hashed, records = record.seq, record.hash, records + 1
    return _Walked(records, seq, hashed)


def _wrong(record: AuditRecord, before: int, hash_before: str) -> Damage | None:
    expected = before + 1
    number: object = record.seq  # SQLite keeps whatever it is told to
    if not isinstance(number, int):
        return Damage(expected, "edited", f"a record has the number {number!r}")
    if record.seq > expected:
        return Damage(expected, "missing", f"records {expected} to {record.seq - 1} are missing")
    if record.seq < expected:
        return Damage(record.seq, "inserted", "a record stands before the chain begins")
    if _hash(record) != record.hash:
        return Damage(expected, "edited", "its words are not those that were hashed")
    if record.previous != hash_before:
        return Damage(expected, "relinked", "it was hashed after another record than the one before it")
    return None


def _ended(walked: _Walked, last: int) -> Damage | None:
    if walked.seq < last:
        return Damage(walked.seq + 1, "cut tail", f"records {walked.seq + 1} to {last} are missing")
    if walked.seq > last:
        return Damage(last + 1, "inserted", "records stand after the head")
    return None


def _beyond(witness: Mark, head: Mark) -> bool:
    """Whether the head is older than one that was seen, or another of the same number."""
    return witness.seq > head.seq or (witness.seq == head.seq and witness.hash != head.hash)


def _mark(connection: Connection, name: str, *, lock: bool = False) -> Mark:
    """A mark that is gone is one that does not hold."""
    t = tables.audit_marks
    query = select(t).where(t.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return Mark(name, 0, "", "") if row is None or not isinstance(row["seq"], int) else Mark(**row)


def _move(connection: Connection, mark: Mark) -> None:
    t = tables.audit_marks
    moved = update(t).where(t.c.name == mark.name).values(seq=mark.seq, hash=mark.hash, mac=mark.mac)
    if not connection.execute(moved).rowcount:
        connection.execute(insert(t).values(**asdict(mark)))
