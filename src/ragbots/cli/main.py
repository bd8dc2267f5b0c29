"""`ragbots`: serve, ask, search, bots, index, channel, feedback, conversations, audit, users, keys, eval, doctor."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ragbots.api.server import serve as serve_http
from ragbots.cli import audit, bots, channel, conversations, diff, evaluate, feedback, index, keys, users
from ragbots.cli.common import (
    BotsDir,
    DataDir,
    Json,
    Shared,
    day,
    err,
    me,
    out,
    print_json,
    runtime,
    set_up_logging,
    settings,
    wants_json,
)
from ragbots.cli.doctor import doctor
from ragbots.cli.rebuilder import Rebuilder
from ragbots.errors import ConfigurationError, RagbotsError
from ragbots.runtime import Runtime
from ragbots.shapes import answer_json, search_json
from ragbots.types import Answer, Question, Status

app = typer.Typer(
    help="Chatbots over an organisation's regulations: every answer quotes the rule with its address.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(bots.app, name="bots")
app.add_typer(index.app, name="index")
app.add_typer(feedback.app, name="feedback")
app.add_typer(conversations.app, name="conversations")
app.add_typer(channel.app, name="channel")
app.add_typer(audit.app, name="audit")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.command("eval")(evaluate.evaluate)
app.command("diff")(diff.diff)
app.command("doctor")(doctor)


@app.callback()
def shared(
    context: typer.Context,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
) -> None:
    set_up_logging(verbose)
    context.obj = Shared(bots_dir, data_dir, as_json)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8642")] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the page and the API until interrupted."""
    chosen = settings(context, bots_dir, data_dir, host=host, port=port)
    opened = Runtime.open(chosen)
    rebuilder = Rebuilder(opened)
    try:
        for mistake in opened.mistakes:
            err.print(Text.assemble(("left out: ", "yellow"), str(mistake)), soft_wrap=True)
        err.print("loading the models and indexes …", style="dim")
        if any(bot.schedule for bot in opened.bots.values()):
            rebuilder.start()
        serve_http(opened, chosen.host, chosen.port, lambda url: _say_where(opened, url))
    finally:
        rebuilder.close()
        opened.close()


def _say_where(opened: Runtime, url: str) -> None:
    _, state = opened.ready()
    released = opened.released()
    for bot, what in state.items():
        if released.get(bot) != what:
            err.print(Text.assemble((f"{bot}: ", "yellow"), what), soft_wrap=True)
    if released:
        address = (url, f"bold link {url}")
        err.print(Text.assemble(f"{len(released)} bots are ready. Open ", address, " in a browser."), soft_wrap=True)
    else:
        err.print("No bot has a released index yet: ragbots index build --all --release", style="yellow")


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What is asked.", metavar="QUESTION")],
    bot: Annotated[str | None, typer.Option(help="Ask this bot; left out = the fitting one.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The day whose rules are asked for.", metavar="YYYY-MM-DD")] = None,
    llm: Annotated[
        str | None, typer.Option(help="One of the language models that the bot allows, or `none`.", metavar="NAME")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Ask this index version of --bot, released or not.", metavar="VERSION")
    ] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Answer a question with citations."""
    if version and not bot:
        raise ConfigurationError("--version without --bot", hint="name the bot whose version is to be asked")
    with runtime(context, bots_dir, data_dir) as opened:
        asked, who = Question(question, bot=bot, llm=llm), me(opened, None if as_of is None else day("--as-of", as_of))
        if version and bot:
            answer = opened.ask_version(opened.open_version(bot, version), asked, who)
            opened.record_answer(asked, answer, who)
        else:
            answer = opened.ask(asked, who)
        if wants_json(context, as_json):
            print_json(answer_json(answer))
        else:
            _show(answer)


def _show(answer: Answer) -> None:
    style = {Status.ANSWERED: "green", Status.REFUSED: "yellow", Status.CLARIFY: "cyan"}[answer.status]
    name = next((candidate.name for candidate in answer.candidates if candidate.id == answer.bot), "")
    if answer.status is not Status.ANSWERED:
        name = ""
    out.print(Panel(Text(answer.answer), title=name or None, title_align="left", border_style=style))
    for notice in answer.warnings:
        out.print(Text(f"※ {notice.text}", style="yellow"))
    for number, citation in enumerate(answer.citations, 1):
        page = f" (p. {citation.page})" if citation.page else ""
        out.print(Text(f"[{number}] {citation.document} {citation.address}{page}", style="bold"))
        out.print(Text(f"    {citation.source}", style="dim"))
    if answer.related:
        names = ", ".join(f"{citation.document} {citation.address}({citation.quote})" for citation in answer.related)
        out.print(Text(f"함께 볼 조항: {names}", style="dim"))
    if answer.verification and answer.model:
        out.print(Text(f"{answer.model}, {answer.prompt}: {answer.verification}", style="dim"))
    for candidate in answer.candidates if answer.status is Status.CLARIFY else ():
        out.print(Text(f"  --bot {candidate.id}    {candidate.name}"))


@app.command()
def search(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What is looked for.", metavar="QUESTION")],
    bot: Annotated[str, typer.Option(help="The bot to search.")],
    k: Annotated[int, typer.Option("--k", min=1, max=100, help="How many hits.")] = 10,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show the hits for a question with addresses and scores."""
    with runtime(context, bots_dir, data_dir) as opened:
        found = search_json(opened.search(bot, question, k, me(opened)))
    if wants_json(context, as_json):
        print_json(found)
        return
    table = Table("", "score", "document", "address", "text", box=None, header_style="dim")
    for hit in found["hits"]:
        table.add_row(
            str(hit["rank"]), f"{hit['score']:.3f}", hit["source"], hit["address"], " ".join(hit["text"].split())[:100]
        )
    out.print(table)


def main() -> None:
    """The entry point: errors become one line on the error stream and an exit code."""
    try:
        app()
    except RagbotsError as error:
        err.print(Text.assemble(("error: ", "red"), error.message), soft_wrap=True)
        if error.hint:
            err.print(f"  {error.hint}", style="dim", highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
