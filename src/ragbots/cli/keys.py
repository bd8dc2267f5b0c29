"""`ragbots keys`: API keys for programs and for people who write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ragbots.auth import Keys
from ragbots.cli.common import BotsDir, DataDir, Json, err, names, out, print_json, settings, wants_json
from ragbots.config import Settings, check_bots
from ragbots.errors import ConfigurationError
from ragbots.state import Database
from ragbots.state.accounts import Accounts, Key

app = typer.Typer(help="API keys: made, listed, revoked.", no_args_is_help=True)


@contextmanager
def accounts(
    context: typer.Context, bots_dir: Path | None, data_dir: Path | None
) -> Iterator[tuple[Accounts, Settings]]:
    """The accounts of the installation, open while the block runs; it needs no bots."""
    chosen = settings(context, bots_dir, data_dir)
    database = Database(chosen.state_url)
    try:
        yield Accounts(database), chosen
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
    with accounts(context, bots_dir, data_dir) as (found, chosen):
        scope = None if bots is None else _known_bots(names("--bots", bots), chosen)
        key, secret = Keys(found).create(_user("--user", user), names("--groups", groups), scope, days)
    if wants_json(context, as_json):
        print_json({"id": key.id, "key": secret})
        return
    out.print(secret, highlight=False, soft_wrap=True)
    err.print(f"key {key.id} of {key.user_id}, good until {key.expires_at:%Y-%m-%d}. It is not shown again.")


@app.command("list")
def list_keys(
    context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the keys, newest first."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        keys = found.keys()
    now = datetime.now(UTC)
    if wants_json(context, as_json):
        print_json({"keys": [_key_json(key, now) for key in keys]})
        return
    table = Table("id", "user", "groups", "bots", "state", "until", "last used", box=None, header_style="dim")
    for key in keys:
        bots = "all" if key.bots is None else ", ".join(sorted(key.bots))
        used = "" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}"
        groups = ", ".join(sorted(key.groups))
        table.add_row(key.id, key.user_id, groups, bots, _state(key, now), f"{key.expires_at:%Y-%m-%d}", used)
    out.print(table)


@app.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="A key's id, as `keys list` shows it.", metavar="ID")],
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke a key: whoever shows it is not let in any more."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        found.revoke_key(key_id, datetime.now(UTC))


def _state(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at <= now else "good"


def _key_json(key: Key, now: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "user": key.user_id,
        "groups": sorted(key.groups),
        "bots": None if key.bots is None else sorted(key.bots),
        "state": _state(key, now),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
        "last_used_at": None if key.last_used_at is None else key.last_used_at.isoformat(),
    }


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
