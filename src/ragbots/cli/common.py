"""What every command shares: the options that stand before or after it, output, errors, progress."""

from __future__ import annotations

import getpass
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ragbots.config import Settings, load_settings
from ragbots.environment import Environment
from ragbots.errors import ConfigurationError
from ragbots.redaction import Redacting, hide, secrets_of
from ragbots.runtime import Runtime
from ragbots.types import Context, Principal

BotsDir = Annotated[Path | None, typer.Option("--bots-dir", help="Folder of bot files.", show_default=False)]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of indexes and state.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BotArgument = Annotated[str, typer.Argument(help="A bot's id.", metavar="BOT")]

# Names and texts of documents are shown as they are: brackets in them are no markup.
# Where no terminal says how wide it is, tables are not squeezed into 80 columns.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 132
out = Console(markup=False, emoji=False, width=_WIDTH)
err = Console(markup=False, emoji=False, stderr=True)


class Shared:
    """Options given before the subcommand; those given after it win."""

    def __init__(self, bots_dir: Path | None, data_dir: Path | None, as_json: bool) -> None:
        self.bots_dir = bots_dir
        self.data_dir = data_dir
        self.as_json = as_json


def settings(context: typer.Context, bots_dir: Path | None, data_dir: Path | None, **others: object) -> Settings:
    shared: Shared = context.obj
    chosen = load_settings(
        os.environ, bots_dir=bots_dir or shared.bots_dir, data_dir=data_dir or shared.data_dir, **others
    )
    hide(secrets_of(chosen, (), Environment(os.environ)))
    return chosen


def wants_json(context: typer.Context, as_json: bool) -> bool:
    shared: Shared = context.obj
    return as_json or shared.as_json


@contextmanager
def runtime(
    context: typer.Context, bots_dir: Path | None, data_dir: Path | None, **others: object
) -> Iterator[Runtime]:
    """The installation, open while the block runs; `others` are settings that win over those configured."""
    opened = Runtime.open(settings(context, bots_dir, data_dir, **others))
    hide(secrets_of(opened.settings, opened.bots.values(), Environment(os.environ)))
    try:
        yield opened
    finally:
        opened.close()


def me(opened: Runtime, as_of: Any = None) -> Context:
    """Whoever sits at the command line may do what the machine lets them."""
    return opened.context(Principal(user_id="local", channel="cli", local=True), as_of)


def whoami() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def say(line: str) -> None:
    """What was done and what comes next, for the person at the terminal: beside what a program reads."""
    err.print(line, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


class Bars:
    """Progress as bars on a terminal, as lines elsewhere; always on the error stream."""

    def __init__(self, bars: Progress | None, say: Callable[[str], None]) -> None:
        self._bars = bars
        self._say = say
        self._task: TaskID | None = None

    def step(self, label: str, total: int) -> None:
        if self._bars is None:
            self._say(f"{label} ({total})")
            return
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(label, total=total)

    def advance(self, by: int = 1) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, by)


@contextmanager
def progress() -> Iterator[Bars]:
    if not err.is_terminal:
        yield Bars(None, lambda line: err.print(line, style="dim", highlight=False))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        yield Bars(bars, lambda _line: None)


def set_up_logging(verbose: bool) -> None:
    level = logging.INFO if verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    for noisy in (
        "chromadb",
        "sentence_transformers",
        "transformers",
        "httpx",
        "alembic",
        "filelock",
        "pypdf",
        "pdfminer",
    ):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def day(option: str, text: str) -> date:
    """The day an option names. Raises ConfigurationError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{option} {text}: not a date", hint="write it as 2026-11-23") from error


def names(option: str, text: str) -> frozenset[str]:
    """Names with commas between. Raises ConfigurationError."""
    found = frozenset(name.strip() for name in text.split(",") if name.strip())
    wrong = sorted(name for name in found if len(name) > 255 or not name.isprintable())
    if wrong:
        raise ConfigurationError(f"{option}: {wrong[0]!r} is no name", hint="1 to 255 characters each")
    return found
