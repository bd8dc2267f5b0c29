"""`ragbots users`: who has an account."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from ragbots.auth.passwords import hashed
from ragbots.cli.common import BotsDir, DataDir, Json, names, out, print_json, wants_json
from ragbots.cli.keys import accounts
from ragbots.errors import ConfigurationError
from ragbots.state.accounts import User

app = typer.Typer(help="People who may sign in.", no_args_is_help=True)

UserArgument = Annotated[str, typer.Argument(help="A user's name.", metavar="USER")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the standard input.")]


@app.command()
def create(
    context: typer.Context,
    user: UserArgument,
    groups: Annotated[str, typer.Option(help="Their groups, with commas between.", metavar="G,…")] = "",
    name: Annotated[str | None, typer.Option(help="The name that is shown.", show_default="the user's")] = None,
    password_stdin: PasswordStdin = False,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Make an account; the password is asked for."""
    if not 1 <= len(user) <= 255 or not user.isprintable() or user != user.strip():
        raise ConfigurationError("USER: not a name", hint="1 to 255 characters, no space at its ends")
    password = hashed(_password(password_stdin))
    made = User(user, (name or user)[:255], names("--groups", groups), True, datetime.now(UTC), password)
    with accounts(context, bots_dir, data_dir) as (found, _):
        found.add_user(made)


@app.command("list")
def list_users(
    context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the accounts."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        users = found.users()
    if wants_json(context, as_json):
        print_json({"users": [_user_json(user) for user in users]})
        return
    table = Table("user", "name", "groups", "state", "signs in", box=None, header_style="dim")
    for user in users:
        state = "enabled" if user.enabled else "disabled"
        table.add_row(user.id, user.name, ", ".join(sorted(user.groups)), state, user.issuer or "with a password")
    out.print(table)


@app.command()
def disable(context: typer.Context, user: UserArgument, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Let a user in no longer, neither signed in nor with a key."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        found.set_enabled(user, False)


@app.command()
def enable(context: typer.Context, user: UserArgument, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Let a disabled user in again; keys that were not revoked are good again."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        found.set_enabled(user, True)


@app.command()
def groups(
    context: typer.Context,
    user: UserArgument,
    groups: Annotated[str, typer.Argument(help="All their groups from now on.", metavar="G,…")],
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Set a user's groups; a key of theirs speaks for no other."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        found.set_groups(user, names("GROUPS", groups))


@app.command()
def password(
    context: typer.Context,
    user: UserArgument,
    password_stdin: PasswordStdin = False,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Set a user's password, and end their sessions."""
    with accounts(context, bots_dir, data_dir) as (found, _):
        known = found.user(user)
        if known is not None and known.issuer is not None:
            raise ConfigurationError(f"user `{user}` signs in at {known.issuer}", hint="set the password there")
        found.set_password(user, hashed(_password(password_stdin)), end_sessions=True)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _user_json(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "groups": sorted(user.groups),
        "enabled": user.enabled,
        "issuer": user.issuer,
        "created_at": user.created_at.isoformat(),
    }
