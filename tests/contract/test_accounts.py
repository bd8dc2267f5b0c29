"""What accounts and keys promise, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.contract.test_state import server  # noqa: F401 - a fixture

from ragbots.auth import AccountsIdentity, Keys, Sessions
from ragbots.errors import ConfigurationError, NotFound
from ragbots.state import Database, tables
from ragbots.state.accounts import Accounts, Session, SignIn, User
from ragbots.types import Credentials, Principal

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def user(name: str = "kim", groups: frozenset[str] = frozenset({"hr", "all"})) -> User:
    return User(name, "김하나", groups, True, NOON, "hash")


def shown(secret: str) -> Credentials:
    return Credentials(authorization=f"Bearer {secret}")


def signing_in(keys: Keys) -> AccountsIdentity:
    return AccountsIdentity(keys, Sessions(keys.accounts, timedelta(hours=1), timedelta(hours=12), keys.now))


class AccountsContract:
    """Subclasses give the `url` of an empty database."""

    @pytest.fixture
    def accounts(self, url: str) -> Iterator[Accounts]:
        database = Database(url)
        yield Accounts(database)
        database.close()

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def keys(self, accounts: Accounts, clock: Clock) -> Keys:
        return Keys(accounts, clock)

    def test_users_come_back_as_they_went_in(self, accounts: Accounts) -> None:
        kim, lee = user(), User("lee", "이두리", frozenset(), True, NOON, None, "https://id.example.com")
        accounts.add_user(lee)
        accounts.add_user(kim)
        assert accounts.users() == [kim, lee]
        assert accounts.user("lee") == lee
        assert accounts.user("park") is None

    def test_a_name_is_given_once(self, accounts: Accounts) -> None:
        accounts.add_user(user())
        with pytest.raises(ConfigurationError, match="kim"):
            accounts.add_user(user(groups=frozenset({"board"})))
        assert accounts.users() == [user()]

    def test_who_is_not_there_is_not_changed(self, accounts: Accounts) -> None:
        for change in (
            lambda: accounts.set_enabled("kim", False),
            lambda: accounts.set_groups("kim", frozenset()),
            lambda: accounts.set_password("kim", "hash", end_sessions=True),
            lambda: accounts.revoke_key("k", NOON),
        ):
            with pytest.raises(NotFound):
                change()

    def test_somebody_in_a_messenger_is_one_account(self, accounts: Accounts) -> None:
        lee = User("lee", "이두리", frozenset(), True, NOON)
        accounts.add_user(user())
        accounts.add_user(lee)
        assert accounts.linked("slack:U1") is None
        assert accounts.link("slack:U1", "kim") is None
        assert accounts.link("dooray:7", "kim") is None
        assert accounts.linked("slack:U1") == user()
        assert accounts.link("slack:U1", "lee") == "kim"
        assert accounts.linked("slack:U1") == lee
        assert accounts.links() == {"kim": ["dooray:7"], "lee": ["slack:U1"]}
        assert accounts.unlink("slack:U1") == "lee"
        assert accounts.linked("slack:U1") is None
        for change in (lambda: accounts.link("slack:U1", "park"), lambda: accounts.unlink("slack:U1")):
            with pytest.raises(NotFound):
                change()

    def test_a_key_lets_its_user_in_with_its_groups_and_bots(self, keys: Keys) -> None:
        key, secret = keys.create("groupware", frozenset({"hr"}), frozenset({"leave"}), 30)
        assert keys.principal(secret, "web") == Principal(
            "groupware", frozenset({"hr"}), "web", bots=frozenset({"leave"}), key=key.id
        )

    def test_nothing_in_the_database_is_the_secret(self, keys: Keys, url: str) -> None:
        _, secret = keys.create("kim", frozenset(), None, 30)
        engine = create_engine(url)
        with engine.connect() as connection:
            kept = [
                str(row)
                for table in tables.metadata.tables
                for row in connection.execute(text(f"SELECT * FROM {table}"))
            ]
        engine.dispose()
        assert any("kim" in row for row in kept)
        assert not [row for row in kept if secret.removeprefix("ragbots_") in row]

    def test_a_revoked_key_is_dead_at_once_and_keeps_its_moment(
        self, keys: Keys, accounts: Accounts, clock: Clock
    ) -> None:
        key, secret = keys.create("kim", frozenset(), None, 30)
        _, other = keys.create("kim", frozenset(), None, 30)
        accounts.revoke_key(key.id, clock())
        accounts.revoke_key(key.id, clock() + timedelta(days=1))
        assert keys.principal(secret, "web") is None
        assert keys.principal(other, "web") is not None
        found = accounts.key(key_id=key.id)
        assert found is not None
        assert found.revoked_at == NOON

    def test_a_key_ends_by_itself(self, keys: Keys, clock: Clock) -> None:
        _, secret = keys.create("kim", frozenset(), None, 1)
        clock.pass_(hours=23.9)
        assert keys.principal(secret, "web") is not None
        clock.pass_(hours=0.1)
        assert keys.principal(secret, "web") is None

    def test_a_key_is_no_more_than_its_user(self, keys: Keys, accounts: Accounts) -> None:
        accounts.add_user(user())
        _, secret = keys.create("kim", frozenset({"hr", "board"}), None, 30)
        assert keys.principal(secret, "web").groups == {"hr"}  # type: ignore[union-attr]
        accounts.set_groups("kim", frozenset({"board"}))
        assert keys.principal(secret, "web").groups == {"board"}  # type: ignore[union-attr]
        accounts.set_enabled("kim", False)
        assert keys.principal(secret, "web") is None
        accounts.set_enabled("kim", True)
        assert keys.principal(secret, "web") is not None

    def test_it_is_noted_when_a_key_was_last_used(self, keys: Keys, accounts: Accounts, clock: Clock) -> None:
        _, secret = keys.create("kim", frozenset(), None, 30)
        keys.principal(secret, "web")
        clock.pass_(minutes=5)
        keys.principal(secret, "web")
        assert accounts.keys()[0].last_used_at == NOON + timedelta(minutes=5)

    @pytest.mark.parametrize("value", ["Bearer ragbots_x", "Basic a2ltOng=", "Bearer \udcff", "x"])
    def test_what_is_shown_and_is_not_good_lets_nobody_in(self, keys: Keys, value: str) -> None:
        assert signing_in(keys).principal(Credentials(authorization=value), "web") is None

    def test_who_shows_nothing_is_a_stranger(self, keys: Keys) -> None:
        principal = signing_in(keys).principal(Credentials(), "web")
        assert principal == Principal("anonymous", channel="web", authenticated=False)

    def test_sessions_end_with_their_user(self, accounts: Accounts) -> None:
        for name in ("kim", "lee"):
            accounts.add_user(user(name))
            accounts.add_session(Session(name, NOON, NOON, f"s-{name}"), f"hash-{name}")
        accounts.set_enabled("kim", False)
        assert accounts.session("hash-kim") is None
        assert accounts.session("hash-lee") == Session("lee", NOON, NOON, "s-lee")

    def test_a_sign_in_comes_back_once(self, accounts: Accounts) -> None:
        accounts.add_sign_in(SignIn("n1", "v1", NOON), "h1", NOON - timedelta(minutes=10))
        accounts.add_sign_in(SignIn("n2", "v2", NOON), "h2", NOON - timedelta(minutes=10))
        assert accounts.take_sign_in("h1") == SignIn("n1", "v1", NOON)
        assert accounts.take_sign_in("h1") is None
        accounts.add_sign_in(SignIn("n3", "v3", NOON), "h3", NOON + timedelta(minutes=10))
        assert accounts.take_sign_in("h2") is None


class TestSqlite(AccountsContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'state.sqlite3'}"


class TestPostgres(AccountsContract):
    @pytest.fixture
    def url(self, server: str, request: pytest.FixtureRequest) -> str:  # noqa: F811 - the fixture
        name = f"accounts_{abs(hash(request.node.name)) % 10**9}"
        engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{server}/{name}"
