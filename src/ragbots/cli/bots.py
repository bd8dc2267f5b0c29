"""`ragbots bots`: list, check, new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.table import Table
from rich.text import Text

from ragbots import access
from ragbots.cli.common import BotsDir, DataDir, Json, err, out, print_json, runtime, settings, wants_json
from ragbots.config import BotConfig, check_bots, load_bot
from ragbots.errors import ConfigurationError
from ragbots.evaluation import load_questions
from ragbots.llms.prompts import mistakes_in_prompts
from ragbots.loaders import list_files

app = typer.Typer(help="The bots of this installation.", no_args_is_help=True)


@app.command("list")
def list_bots(
    context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the bots and their released versions."""
    with runtime(context, bots_dir, data_dir) as opened:
        active = opened.database.active()
        rows = [
            {"id": bot.id, "name": bot.name, "description": bot.description, "released": active.get(bot.id)}
            for bot in opened.bots.values()
        ]
    if wants_json(context, as_json):
        print_json({"bots": rows})
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("id", "name", "released version"):
        table.add_column(name, no_wrap=True)
    table.add_column("description")
    for row in rows:
        table.add_row(row["id"], row["name"], row["released"] or Text("none", style="yellow"), row["description"])
    out.print(table)


@app.command()
def check(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Check every bot file, its sources and its question files."""
    chosen = settings(context, bots_dir, data_dir)
    bots, mistakes = check_bots(chosen.bots_dir)
    found = [str(mistake) for mistake in mistakes]
    for bot in bots.values():
        found += _mistakes(bot)
    if wants_json(context, as_json):
        print_json({"bots": list(bots), "mistakes": found})
    else:
        for mistake in found:
            out.print(Text(f"✗ {mistake}", style="red"), soft_wrap=True)
        out.print(f"{len(bots)} bots are sound in form, {len(found)} mistakes", highlight=False)
    raise typer.Exit(2 if found else 0)


def _mistakes(bot: BotConfig) -> list[str]:
    found = [f"bot `{bot.id}`: no such source folder: {folder}" for folder in bot.folders if not folder.is_dir()]
    there = [folder for folder in bot.folders if folder.is_dir()]
    if there and not bot.wikis and not any(list_files(folder) for folder in there):
        found.append(f"bot `{bot.id}`: no documents in {', '.join(map(str, there))} (put the bot's documents there)")
    files = {path.relative_to(folder).as_posix() for folder in there for path in list_files(folder)}
    if not bot.wikis:  # what lies in a wiki is known once it is read: a build tells then
        archives = any(name.casefold().endswith(".zip") for name in files)
        idle = () if archives else access.idle_rules(bot, files)
        found += [f"bot `{bot.id}`: `access.documents`: no document at `{path}`" for path in idle]
    for path in bot.questions:
        try:
            load_questions([bot.resolve(path)])
        except ConfigurationError as error:
            found.append(f"bot `{bot.id}`: {error}")
    found += [f"bot `{bot.id}`: {error}" for error in mistakes_in_prompts(bot.own_prompts)]
    return found


@app.command()
def new(
    context: typer.Context,
    bot_id: Annotated[str, typer.Argument(help="The new bot's id: small letters, digits and hyphens.", metavar="ID")],
    name: Annotated[str, typer.Option(help="What people will see.")] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Its documents; left out = ../corpora/ID.", show_default=False)
    ] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Write a bot file to begin with."""
    chosen = settings(context, bots_dir, data_dir)
    path = chosen.bots_dir / f"{bot_id}.yaml"
    if path.exists():
        raise ConfigurationError(f"{path}: is there already", hint="choose another id")
    if chosen.bots_dir.is_dir() and bot_id in (same := check_bots(chosen.bots_dir)[0]):
        raise ConfigurationError(f"{same[bot_id].path}: has the id `{bot_id}` already", hint="choose another id")
    source = str(folder.resolve()) if folder else f"../corpora/{bot_id}"
    values = {"id": bot_id, "name": name or bot_id, "sources": [{"folder": source}], "contact": ""}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), "utf-8")
    try:
        bot = load_bot(path)
    except ConfigurationError:
        path.unlink()
        raise
    out.print(f"{path}", highlight=False, soft_wrap=True)
    err.print(
        f"Put its documents into {bot.folders[0]}, then: ragbots index build {bot_id} --release",
        highlight=False,
        soft_wrap=True,
    )
