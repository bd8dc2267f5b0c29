"""`ragbots keys`: API keys for programs and for people who write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ragbots.auth import Keys
from ragbots.cli.common import BotsDir, DataDir, Json, err, names, out, print_json, say, settings, wants_json, whoami
from ragbots.config import Settings, check_bots
from ragbots.errors import ConfigurationError
from ragbots.state import Database
from ragbots.state.accounts import Accounts, Key, User
from ragbots.state.audit import AuditLog
from ragbots.types import AuditEvent, Principal

app = typer.Typer(help="API keys: made, listed, revoked.", no_args_is_help=True)


@dataclass(frozen=True)
class Registry:
    """Who may sign in to an installation, and where it is recorded what is changed of that."""

    accounts: Accounts
    settings: Settings
    _log: AuditLog

    def record(self, kind: str, **what: object) -> None:
        self._log.append(AuditEvent(kind, Principal(whoami(), channel="cli"), what), datetime.now(UTC))


@contextmanager
def registry(context: typer.Context, bots_dir: Path | None, data_dir: Path | None) -> Iterator[Registry]:
    """The registry of the installation, open while the block runs; it needs no bots."""
    chosen = settings(context, bots_dir, data_dir)
    database = Database(chosen.state_url)
    try:
        yield Registry(Accounts(database), chosen, AuditLog(database, chosen.data_dir))
    finally:
        database.close()


@app.command()
def create(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="Whose it is: a user's name, or one of its own.")],
    groups: Annotated[str, typer.Option(help="Groups it speaks for, with commas between.", metavar="G,…")] = "",
    bots: Annotated[
        str | None, typer.Option(help="The bots it is good for.", metavar="B,…", show_default="all")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How long it is good.")] = 365,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once, and kept nowhere."""
    with registry(context, bots_dir, data_dir) as opened:
        scope = None if bots is None else _known_bots(names("--bots", bots), opened.settings)
        key, secret = Keys(opened.accounts).create(_user("--user", user), names("--groups", groups), scope, days)
        opened.record("key created", key=key.id, user=key.user_id, **_scope_json(key))
        idle = _groups_without_effect(key, opened.accounts.user(key.user_id))
    if wants_json(context, as_json):
        print_json({"id": key.id, "key": secret})
        return
    out.print(secret, highlight=False, soft_wrap=True)
    whom = f"`{key.user_id}` for {_all_or(key.bots, 'all bots')}, with {_all_or(key.groups, 'no group')}"
    say(f"Key {key.id} of {whom}, good until {key.expires_at:%Y-%m-%d}. It is not shown again.")
    say(f"Send it as `Authorization: Bearer …`. Should it leak: ragbots keys revoke {key.id}")
    if idle:
        err.print(f"`{key.user_id}` is not in {', '.join(idle)}: the key does not speak for these.", style="yellow")


@app.command("list")
def list_keys(
    context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the keys, newest first."""
    with registry(context, bots_dir, data_dir) as opened:
        keys = opened.accounts.keys()
    if wants_json(context, as_json):
        print_json({"keys": [_key_json(key) for key in keys]})
        return
    if not keys:
        say("No key yet: ragbots keys create --user NAME")
        return
    table = Table("id", "user", "groups", "bots", "state", "until", "last used", box=None, header_style="dim")
    for key in keys:
        bots = "all" if key.bots is None else ", ".join(sorted(key.bots))
        used = "" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}"
        groups = ", ".join(sorted(key.groups))
        table.add_row(key.id, key.user_id, groups, bots, key_state(key), f"{key.expires_at:%Y-%m-%d}", used)
    out.print(table)


@app.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="A key's id, as `keys list` shows it.", metavar="ID")],
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke a key: whoever shows it is not let in any more."""
    with registry(context, bots_dir, data_dir) as opened:
        before = opened.accounts.key(key_id=key_id)
        opened.accounts.revoke_key(key_id, datetime.now(UTC))
        opened.record("key revoked", key=key_id, user=None if before is None else before.user_id)
    if before is not None and before.revoked_at is not None:
        say(f"Key {key_id} of `{before.user_id}` was revoked before, on {before.revoked_at:%Y-%m-%d}.")
    elif before is not None:
        say(f"Key {key_id} of `{before.user_id}` is revoked: whoever shows it is refused from now on.")


def key_state(key: Key) -> str:
    """`good`, `revoked` or `expired`."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at <= datetime.now(UTC) else "good"


def _key_json(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "user": key.user_id,
        "groups": sorted(key.groups),
        "bots": None if key.bots is None else sorted(key.bots),
        "state": key_state(key),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
        "last_used_at": None if key.last_used_at is None else key.last_used_at.isoformat(),
    }


def _scope_json(key: Key) -> dict[str, object]:
    bots = None if key.bots is None else sorted(key.bots)
    return {"groups": sorted(key.groups), "bots": bots, "expires_at": key.expires_at.isoformat()}


def _all_or(names: frozenset[str] | None, none: str) -> str:
    return ", ".join(sorted(names or ())) or none


def _groups_without_effect(key: Key, user: User | None) -> list[str]:
    """Groups of a key that its user does not have."""
    return [] if user is None else sorted(key.groups - user.groups)


def _user(option: str, text: str) -> str:
    name = text.strip()
    if not name or len(name) > 255 or not name.isprintable():
        raise ConfigurationError(f"{option}: not a name", hint="1 to 255 characters")
    return name


def _known_bots(wanted: frozenset[str], chosen: Settings) -> frozenset[str]:
    known, _ = check_bots(chosen.bots_dir)
    unknown = sorted(wanted - known.keys())
    if unknown or not wanted:
        raise ConfigurationError(
            f"--bots: no bot `{', '.join(unknown)}`", hint="`ragbots bots list` shows those there are"
        )
    return wanted
