"""`ragbots feedback`: what people said of answers."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ragbots.cli.common import BotsDir, DataDir, Json, me, out, print_json, runtime, wants_json, whoami
from ragbots.memory import Said
from ragbots.shapes import feedback_json

QUESTION_CHARS = 60

app = typer.Typer(help="What people said of answers.", no_args_is_help=True)


@app.command("list")
def list_feedback(
    context: typer.Context,
    bot: Annotated[str | None, typer.Option(help="Of this bot; left out = of all.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many.", show_default="all")] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what was said of answers, newest first."""
    with runtime(context, bots_dir, data_dir) as opened:
        bots = None if bot is None else [opened.bot(bot).id]
        found = [feedback_json(one) for one in opened.database.feedback(bots, last=last)]
        opened.audit_act("feedback read", whoami(), bot=bot, count=len(found))
    if wants_json(context, as_json):
        print_json({"feedback": found})
        return
    table = Table("when", "bot", "door", "", "reason", "comment", "question", box=None, header_style="dim")
    for one in found:
        rating = Text("👍", style="green") if one["rating"] == "up" else Text("👎", style="red")
        table.add_row(
            one["at"][:16].replace("T", " "), one["bot"] or "", one["channel"], rating, one["reason"] or "",
            one["comment"] or "", one["question"][:QUESTION_CHARS],
        )  # fmt: skip
    out.print(table)


@app.command()
def give(
    context: typer.Context,
    answer_id: Annotated[str, typer.Argument(help="The `id` that `ask --json` gave.", metavar="ANSWER")],
    up: Annotated[bool, typer.Option("--up/--down", help="Whether it was a good answer.")],
    reason: Annotated[str | None, typer.Option(help="A word for what was right or wrong.")] = None,
    comment: Annotated[str | None, typer.Option(help="In your own words.")] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say what you think of an answer that the command line gave you."""
    with runtime(context, bots_dir, data_dir) as opened:
        said = opened.memory.say(answer_id, Said("up" if up else "down", reason, comment), me(opened))
    if wants_json(context, as_json):
        print_json(feedback_json(said))
