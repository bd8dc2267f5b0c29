"""Who may sign in, beside the other state: users, API keys and sessions. Of every secret only its hash is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ragbots.errors import ConfigurationError, NotFound
from ragbots.state import tables
from ragbots.state.database import Database, aware


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. `password` is its argon2 hash; `issuer` the identity provider that vouches for them,
    None for those made here."""

    id: str
    name: str
    groups: frozenset[str]
    enabled: bool
    created_at: datetime
    password: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: `bots` are those it is good for, None = all."""

    id: str
    user_id: str
    groups: frozenset[str]
    bots: frozenset[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in with a browser. `provider_session` is what the identity provider calls it."""

    user_id: str
    created_at: datetime
    last_seen_at: datetime
    provider_session: str | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that has been sent to the identity provider and has not come back."""

    nonce: str
    verifier: str
    created_at: datetime


class Accounts:
    """The accounts in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # users

    def add_user(self, user: User) -> None:
        """Raises ConfigurationError where there is one of that name."""
        row = {
            "id": user.id, "name": user.name, "groups": sorted(user.groups), "enabled": user.enabled,
            "created_at": user.created_at, "password": user.password, "issuer": user.issuer,
        }  # fmt: skip
        try:
            with self._database.transaction(writing=True) as connection:
                connection.execute(insert(tables.users).values(**row))
        except IntegrityError as error:
            raise user_is_there(user.id) from error

    def user(self, user_id: str) -> User | None:
        with self._database.transaction() as connection:
            row = connection.execute(select(tables.users).where(tables.users.c.id == user_id)).one_or_none()
        return None if row is None else _user(row)

    def users(self) -> list[User]:
        """In order of id."""
        with self._database.transaction() as connection:
            return [_user(row) for row in connection.execute(select(tables.users).order_by(tables.users.c.id))]

    def set_enabled(self, user_id: str, enabled: bool) -> None:
        """Ends the sessions of whoever is disabled. Raises NotFound."""
        self._set_user(user_id, enabled=enabled)
        if not enabled:
            self.end_sessions(user_id)

    def set_groups(self, user_id: str, groups: frozenset[str]) -> None:
        """Raises NotFound."""
        self._set_user(user_id, groups=sorted(groups))

    def set_name(self, user_id: str, name: str) -> None:
        """Raises NotFound."""
        self._set_user(user_id, name=name)

    def set_password(self, user_id: str, password: str, *, end_sessions: bool) -> None:
        """`password` is a hash. Raises NotFound."""
        self._set_user(user_id, password=password)
        if end_sessions:
            self.end_sessions(user_id)

    def _set_user(self, user_id: str, **values: object) -> None:
        with self._database.transaction(writing=True) as connection:
            changed = connection.execute(update(tables.users).where(tables.users.c.id == user_id).values(**values))
            if not changed.rowcount:
                raise no_user(user_id)

    # who they are in messengers

    def link(self, messenger: str, user_id: str) -> str | None:
        """Links somebody in a messenger (`slack:U024BE7LH`) to an account, in place of the one before; which that was.
        Raises NotFound."""
        t = tables.messenger_links
        with self._database.transaction(writing=True) as connection:
            if connection.execute(select(tables.users.c.id).where(tables.users.c.id == user_id)).one_or_none() is None:
                raise no_user(user_id)
            before = connection.execute(select(t.c.user_id).where(t.c.messenger == messenger)).scalar()
            connection.execute(delete(t).where(t.c.messenger == messenger))
            connection.execute(insert(t).values(messenger=messenger, user_id=user_id))
        return before

    def unlink(self, messenger: str) -> str:
        """Whose account it was. Raises NotFound."""
        t = tables.messenger_links
        with self._database.transaction(writing=True) as connection:
            user_id = connection.execute(select(t.c.user_id).where(t.c.messenger == messenger)).scalar()
            if user_id is None:
                raise NotFound(f"`{messenger}` is linked to no account", hint="`ragbots users list` shows the links")
            connection.execute(delete(t).where(t.c.messenger == messenger))
        return str(user_id)

    def links(self) -> dict[str, list[str]]:
        """User → who they are in messengers, in order."""
        t = tables.messenger_links
        found: dict[str, list[str]] = {}
        with self._database.transaction() as connection:
            for row in connection.execute(select(t).order_by(t.c.messenger)):
                found.setdefault(row.user_id, []).append(row.messenger)
        return found

    def linked(self, messenger: str) -> User | None:
        """The account of somebody in a messenger."""
        t = tables.messenger_links
        query = select(tables.users).join(t, t.c.user_id == tables.users.c.id).where(t.c.messenger == messenger)
        with self._database.transaction() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _user(row)

    # keys

    def add_key(self, key: Key, digest: str) -> None:
        row = {
            "id": key.id, "hash": digest, "user_id": key.user_id, "groups": sorted(key.groups),
            "bots": None if key.bots is None else sorted(key.bots), "created_at": key.created_at,
            "expires_at": key.expires_at,
        }  # fmt: skip
        with self._database.transaction(writing=True) as connection:
            connection.execute(insert(tables.keys).values(**row))

    def key(self, *, digest: str | None = None, key_id: str | None = None) -> Key | None:
        """The key of this hash, or of this id."""
        wanted = tables.keys.c.hash == digest if digest is not None else tables.keys.c.id == key_id
        with self._database.transaction() as connection:
            row = connection.execute(select(tables.keys).where(wanted)).one_or_none()
        return None if row is None else _key(row)

    def keys(self) -> list[Key]:
        """Newest first."""
        query = select(tables.keys).order_by(tables.keys.c.created_at.desc(), tables.keys.c.id)
        with self._database.transaction() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke_key(self, key_id: str, now: datetime) -> None:
        """One that was revoked before keeps its moment. Raises NotFound."""
        with self._database.transaction(writing=True) as connection:
            known = connection.execute(select(tables.keys.c.id).where(tables.keys.c.id == key_id)).one_or_none()
            if known is None:
                raise NotFound(f"no key `{key_id}`", hint="`ragbots keys list` shows those there are")
            living = (tables.keys.c.id == key_id) & tables.keys.c.revoked_at.is_(None)
            connection.execute(update(tables.keys).where(living).values(revoked_at=now))

    def key_used(self, key_id: str, now: datetime) -> None:
        with self._database.transaction(writing=True) as connection:
            connection.execute(update(tables.keys).where(tables.keys.c.id == key_id).values(last_used_at=now))

    # sessions

    def add_session(self, session: Session, digest: str) -> None:
        row = {
            "hash": digest, "user_id": session.user_id, "created_at": session.created_at,
            "last_seen_at": session.last_seen_at, "provider_session": session.provider_session,
        }  # fmt: skip
        with self._database.transaction(writing=True) as connection:
            connection.execute(insert(tables.sessions).values(**row))

    def session(self, digest: str) -> Session | None:
        with self._database.transaction() as connection:
            query = select(tables.sessions).where(tables.sessions.c.hash == digest)
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Session(row.user_id, aware(row.created_at), aware(row.last_seen_at), row.provider_session)

    def session_seen(self, digest: str, now: datetime) -> None:
        with self._database.transaction(writing=True) as connection:
            connection.execute(update(tables.sessions).where(tables.sessions.c.hash == digest).values(last_seen_at=now))

    def end_session(self, digest: str) -> None:
        with self._database.transaction(writing=True) as connection:
            connection.execute(delete(tables.sessions).where(tables.sessions.c.hash == digest))

    def end_sessions(self, user_id: str | None = None, provider_session: str | None = None) -> int:
        """Ends all of a person's sessions, or those that the provider calls so; how many."""
        named = {"user_id": user_id, "provider_session": provider_session}
        wanted = [tables.sessions.c[column] == value for column, value in named.items() if value is not None]
        if not wanted:
            return 0
        with self._database.transaction(writing=True) as connection:
            return connection.execute(delete(tables.sessions).where(*wanted)).rowcount

    def forget_sessions(self, created_before: datetime, seen_before: datetime) -> int:
        """Deletes the sessions that are over; how many."""
        over = or_(tables.sessions.c.created_at < created_before, tables.sessions.c.last_seen_at < seen_before)
        with self._database.transaction(writing=True) as connection:
            return connection.execute(delete(tables.sessions).where(over)).rowcount

    # sign-ins at a provider

    def add_sign_in(self, sign_in: SignIn, digest: str, forget_before: datetime) -> None:
        """Keeps one that goes out, and forgets those that never came back."""
        row = {
            "hash": digest, "nonce": sign_in.nonce, "verifier": sign_in.verifier, "created_at": sign_in.created_at,
        }  # fmt: skip
        with self._database.transaction(writing=True) as connection:
            connection.execute(delete(tables.sign_ins).where(tables.sign_ins.c.created_at < forget_before))
            connection.execute(insert(tables.sign_ins).values(**row))

    def take_sign_in(self, digest: str) -> SignIn | None:
        """The one that comes back: each comes back once."""
        with self._database.transaction(writing=True) as connection:
            row = connection.execute(select(tables.sign_ins).where(tables.sign_ins.c.hash == digest)).one_or_none()
            taken = connection.execute(delete(tables.sign_ins).where(tables.sign_ins.c.hash == digest)).rowcount
        return SignIn(row.nonce, row.verifier, aware(row.created_at)) if row is not None and taken else None


def user_is_there(user_id: str) -> ConfigurationError:
    return ConfigurationError(f"user `{user_id}` is there already", hint="`ragbots users list` shows all")


def no_user(user_id: str) -> NotFound:
    return NotFound(f"no user `{user_id}`", hint="`ragbots users list` shows those there are")


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(
        row.id, row.name, frozenset(row.groups), row.enabled, aware(row.created_at), row.password, row.issuer
    )  # fmt: skip


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(
        row.id,
        row.user_id,
        frozenset(row.groups),
        None if row.bots is None else frozenset(row.bots),
        aware(row.created_at),
        aware(row.expires_at),
        None if row.revoked_at is None else aware(row.revoked_at),
        None if row.last_used_at is None else aware(row.last_used_at),
    )
