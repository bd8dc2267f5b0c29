"""`ragbots conversations`: what is kept of what was asked."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from ragbots.cli.common import BotsDir, DataDir, Json, out, print_json, runtime, wants_json, whoami

app = typer.Typer(help="What is kept of what was asked.", no_args_is_help=True)


@app.command()
def expire(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Delete conversations and feedback that were kept for `conversation_days`; a server does it once a day."""
    with runtime(context, bots_dir, data_dir) as opened:
        days = opened.settings.conversation_days
        deleted = opened.forget_expired(datetime.now(UTC), whoami())
    if wants_json(context, as_json):
        print_json({"conversation_days": days, "deleted": deleted})
    elif days:
        out.print(f"{deleted} conversations deleted that have not gone on for {days} days", highlight=False)
    else:
        out.print("conversations are kept for good: conversation_days is 0", highlight=False)
