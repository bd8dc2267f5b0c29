"""`ragbots users`: who has an account."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ragbots.auth.passwords import hashed
from ragbots.cli.common import BotsDir, DataDir, Json, names, out, print_json, say, wants_json
from ragbots.cli.keys import key_state, registry
from ragbots.config import Settings
from ragbots.errors import ConfigurationError
from ragbots.state.accounts import User, no_user, user_is_there

MESSENGERS = ("slack", "dooray")

app = typer.Typer(help="People who may sign in.", no_args_is_help=True)

UserArgument = Annotated[str, typer.Argument(help="A user's name.", metavar="USER")]
Messenger = Annotated[str, typer.Argument(help="Who they are there: slack:ID or dooray:ID.", metavar="MESSENGER:ID")]
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
    wanted = names("--groups", groups)
    with registry(context, bots_dir, data_dir) as opened:
        if opened.accounts.user(user) is not None:  # before the password is asked for
            raise user_is_there(user)
        made = User(user, (name or user)[:255], wanted, True, datetime.now(UTC), hashed(_password(password_stdin)))
        opened.accounts.add_user(made)
        opened.record("user created", user=user, groups=sorted(wanted))
    say(f"Made the account `{user}`, in {_listed(wanted)}.")
    _say_how_to_sign_in(opened.settings)


@app.command("list")
def list_users(
    context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the accounts."""
    with registry(context, bots_dir, data_dir) as opened:
        users, links = opened.accounts.users(), opened.accounts.links()
    if wants_json(context, as_json):
        print_json({"users": [_user_json(user, links.get(user.id, [])) for user in users]})
        return
    if not users:
        say("No account yet: ragbots users create NAME --groups G,…")
        return
    table = Table("user", "name", "groups", "state", "signs in", "messengers", box=None, header_style="dim")
    for user in users:
        state = "enabled" if user.enabled else Text("disabled", style="yellow")
        signs_in = f"at {user.issuer}" if user.issuer else "with a password"
        linked = ", ".join(links.get(user.id, []))
        table.add_row(user.id, user.name, ", ".join(sorted(user.groups)), state, signs_in, linked)
    out.print(table)


@app.command()
def disable(context: typer.Context, user: UserArgument, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Let a user in no longer, neither signed in nor with a key nor in a messenger."""
    with registry(context, bots_dir, data_dir) as opened:
        opened.accounts.set_enabled(user, False)
        opened.record("user disabled", user=user)
    say(f"`{user}` is disabled: signed out everywhere, and keys and messengers are refused.")
    say(f"To let them in again: ragbots users enable {user}")


@app.command()
def enable(context: typer.Context, user: UserArgument, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Let a disabled user in again; keys that were not revoked are good again."""
    with registry(context, bots_dir, data_dir) as opened:
        opened.accounts.set_enabled(user, True)
        opened.record("user enabled", user=user)
        keys = opened.accounts.keys()
    living = [key.id for key in keys if key.user_id == user and key_state(key) == "good"]
    say(f"`{user}` may sign in again." + (f" Good again: keys {', '.join(living)}." if living else ""))


@app.command()
def groups(
    context: typer.Context,
    user: UserArgument,
    groups: Annotated[str, typer.Argument(help="All their groups from now on.", metavar="G,…")],
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Set a user's groups; a key of theirs speaks for no other."""
    wanted = names("GROUPS", groups)
    with registry(context, bots_dir, data_dir) as opened:
        before = opened.accounts.user(user)
        opened.accounts.set_groups(user, wanted)
        were = frozenset[str]() if before is None else before.groups
        opened.record("user groups", user=user, groups=sorted(wanted), before=sorted(were))
    say(f"`{user}` is in {_listed(wanted)} from now on, before in {_listed(were)}. Nobody needs to sign in again.")
    if before is not None and before.issuer:
        say(f"At the next sign-in the groups are again those that {before.issuer} says.")


@app.command()
def password(
    context: typer.Context,
    user: UserArgument,
    password_stdin: PasswordStdin = False,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Set a user's password, and end their sessions."""
    with registry(context, bots_dir, data_dir) as opened:
        known = opened.accounts.user(user)
        if known is None:
            raise no_user(user)
        if known.issuer is not None:
            raise ConfigurationError(f"user `{user}` signs in at {known.issuer}", hint="set the password there")
        opened.accounts.set_password(user, hashed(_password(password_stdin)), end_sessions=True)
        opened.record("user password", user=user)
    say(f"`{user}` has a new password and is signed out everywhere.")


@app.command()
def link(
    context: typer.Context,
    user: UserArgument,
    messenger: Messenger,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Say who somebody is in a messenger: in direct messages they have this account's rights."""
    door, _, whom = messenger.partition(":")
    if door not in MESSENGERS or not whom or len(messenger) > 255 or not messenger.isprintable() or " " in messenger:
        raise ConfigurationError(f"{messenger!r} is nobody in a messenger", hint="such as slack:U024BE7LH")
    with registry(context, bots_dir, data_dir) as opened:
        before = opened.accounts.link(messenger, user)
        opened.record("user linked", user=user, messenger=messenger, before=before)
    moved = f", no longer `{before}`" if before not in (None, user) else ""
    say(f"{messenger} is `{user}`{moved}: direct messages are answered with the rights of that account.")


@app.command()
def unlink(context: typer.Context, messenger: Messenger, bots_dir: BotsDir = None, data_dir: DataDir = None) -> None:
    """Take a link back: in direct messages they have the rights that every member has."""
    with registry(context, bots_dir, data_dir) as opened:
        user = opened.accounts.unlink(messenger)
        opened.record("user unlinked", user=user, messenger=messenger)
    say(f"{messenger} is no longer `{user}`, and has the rights that every member has.")


def _say_how_to_sign_in(chosen: Settings) -> None:
    match chosen.identity.kind:
        case "accounts":
            say(f"They sign in at {chosen.public_url or 'the address of the server'}/login.")
        case "oidc":
            say('With `kind = "oidc"` people sign in at the identity provider: this account is for keys and links.')
        case _:
            say('Nobody signs in yet: set `kind = "accounts"` under [identity] in ragbots.toml.')


def _listed(groups: frozenset[str]) -> str:
    return ", ".join(sorted(groups)) or "no group"


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _user_json(user: User, links: list[str]) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "groups": sorted(user.groups),
        "enabled": user.enabled,
        "issuer": user.issuer,
        "messengers": links,
        "created_at": user.created_at.isoformat(),
    }
