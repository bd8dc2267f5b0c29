"""`ragbots users` and `ragbots keys`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ragbots.auth import Keys
from ragbots.auth.passwords import matches
from ragbots.cli.main import app
from ragbots.errors import ConfigurationError
from ragbots.state import Database
from ragbots.state.accounts import Accounts, User


class Installation:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bots = folder / "bots"
        bots.mkdir()
        (bots / "leave.yaml").write_text("{id: leave, name: 휴가, sources: [{folder: documents}]}", "utf-8")

    def run(self, *arguments: str, said: str | None = None) -> Result:
        shared = ("--bots-dir", str(self.folder / "bots"), "--data-dir", str(self.folder / "var"))
        result = CliRunner().invoke(app, [*shared, *arguments], input=said)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def user(self, name: str) -> User:
        database = Database(f"sqlite:///{self.folder / 'var' / 'state.sqlite3'}")
        user = Accounts(database).user(name)
        database.close()
        assert user is not None
        return user


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_a_key_is_told_once_and_listed_without_its_secret(place: Installation) -> None:
    made = json.loads(
        place.run("keys", "create", "--user", "kim", "--groups", "hr, all", "--bots", "leave", "--json").stdout
    )
    assert set(made) == {"id", "key"}
    listed = place.run("keys", "list", "--json").stdout
    assert made["key"] not in listed
    (key,) = json.loads(listed)["keys"]
    assert (key["id"], key["user"], key["groups"], key["bots"]) == (made["id"], "kim", ["all", "hr"], ["leave"])
    assert key["state"] == "good"
    place.run("keys", "revoke", made["id"])
    assert json.loads(place.run("keys", "list", "--json").stdout)["keys"][0]["state"] == "revoked"
    assert made["id"] in place.run("keys", "list").stdout


def test_the_key_that_is_told_is_good(place: Installation) -> None:
    made = json.loads(place.run("keys", "create", "--user", "kim", "--groups", "hr", "--json").stdout)
    database = Database(f"sqlite:///{place.folder / 'var' / 'state.sqlite3'}")
    principal = Keys(Accounts(database)).principal(made["key"], "web")
    database.close()
    assert principal is not None
    assert (principal.user_id, principal.groups, principal.bots) == ("kim", {"hr"}, None)


def test_a_misspelt_bot_makes_no_key(place: Installation) -> None:
    with pytest.raises(ConfigurationError, match="leeve"):
        place.run("keys", "create", "--user", "kim", "--bots", "leeve")
    assert json.loads(place.run("keys", "list", "--json").stdout) == {"keys": []}


def test_an_account_from_its_making_to_its_end(place: Installation) -> None:
    place.run("users", "create", "kim", "--groups", "hr", "--password-stdin", said="correct horse\n")
    assert matches(place.user("kim").password, "correct horse")
    assert "correct horse" not in str(place.user("kim"))
    place.run("users", "groups", "kim", "board,all")
    place.run("users", "password", "kim", said="battery staple\nbattery staple\n")
    place.run("users", "disable", "kim")
    kim = place.user("kim")
    assert (kim.groups, kim.enabled) == ({"board", "all"}, False)
    assert matches(kim.password, "battery staple")
    assert not matches(kim.password, "correct horse")
    (listed,) = json.loads(place.run("users", "list", "--json").stdout)["users"]
    assert (listed["id"], listed["enabled"], "password" in listed) == ("kim", False, False)
    place.run("users", "enable", "kim")
    assert place.user("kim").enabled
    assert "kim" in place.run("users", "list").stdout


def test_a_short_password_is_refused(place: Installation) -> None:
    with pytest.raises(ConfigurationError, match="9 characters"):
        place.run("users", "create", "kim", "--password-stdin", said="too short\n")


def test_nobody_has_the_password_of_a_user_that_there_is_not() -> None:
    assert not matches(None, "nobody has this password")
    assert not matches(None, "")
