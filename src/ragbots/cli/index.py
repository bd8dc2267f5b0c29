"""`ragbots index`: build, status, release, rollback, verify, prune."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ragbots import releases
from ragbots.cli.common import (
    BotArgument,
    BotsDir,
    DataDir,
    Json,
    err,
    out,
    print_json,
    progress,
    runtime,
    wants_json,
    whoami,
)
from ragbots.errors import ConfigurationError, DamagedVersion, RagbotsError
from ragbots.runtime import Runtime
from ragbots.stores.versions import Manifest, read_manifest, version_directories

app = typer.Typer(help="Build, check and release indexes.", no_args_is_help=True)

Bots = Annotated[list[str] | None, typer.Argument(help="Bots by id.", metavar="[BOT…]", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All bots.")]


@app.command()
def build(
    context: typer.Context,
    bots: Bots = None,
    all_bots: All = False,
    release: Annotated[bool, typer.Option("--release", help="Release what passes its checks.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where anything had to be left out.")] = False,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Build indexes beside the released ones; with --release let those that pass their checks answer."""
    with runtime(context, bots_dir, data_dir) as opened:
        chosen = _chosen(opened, bots, all_bots)
        results = [_build_one(opened, bot, release=release, strict=strict) for bot in chosen]
        failed = list(opened.mistakes) if all_bots else []
    if wants_json(context, as_json):
        print_json({"bots": [result for result, _ in results], "mistakes": [str(mistake) for mistake in failed]})
    else:
        _show_built([result for result, _ in results])
        for mistake in failed:
            err.print(Text(f"✗ {mistake}", style="red"), soft_wrap=True)
    codes = [code for _, code in results] + [mistake.exit_code for mistake in failed]
    raise typer.Exit(next((code for code in codes if code), 0))


def _chosen(opened: Runtime, bots: list[str] | None, all_bots: bool) -> list[str]:
    if all_bots:
        return list(opened.bots)
    if not bots:
        raise ConfigurationError("no bot named", hint="name bots, or give --all")
    return [opened.bot(bot).id for bot in bots]


def _build_one(opened: Runtime, bot: str, *, release: bool, strict: bool) -> tuple[dict[str, Any], int]:
    """One bot's result; its failure does not stop the others."""
    result: dict[str, Any] = {"bot": bot, "version": None, "status": "failed", "error": None}
    try:
        with progress() as bars:
            built = opened.build(bot, bars, strict=strict)
            manifest = read_manifest(built.path)
            result |= {"version": built.version, "status": "built" if built.new else "unchanged", **_summary(manifest)}
            if release:
                bars.step(f"{bot}: verify", 1)
                opened.release(bot, built.version, by=whoami())
                result["released"] = True
    except RagbotsError as error:
        result["error"] = str(error)
        return result, error.exit_code
    return result, 0


def _summary(manifest: Manifest) -> dict[str, Any]:
    return {
        "documents": [
            {key: value for key, value in source.model_dump(mode="json").items() if key != "document_id"}
            for source in manifest.sources
        ],
        "failures": [failure.model_dump() for failure in manifest.failures],
        "omissions": [asdict(omission) for omission in manifest.omissions],
        "chunks": manifest.chunks,
    }


def _show_built(results: list[dict[str, Any]]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("bot", "", "version"):
        table.add_column(name, no_wrap=True)
    for name in ("documents", "articles", "chunks", "left out"):
        table.add_column(name, justify="right")
    for result in results:
        state = "released" if result.get("released") else result["status"]
        documents = result.get("documents", [])
        omitted = sum(len(document["omissions"]) for document in documents)
        numbers = [len(documents), sum(one["articles"] for one in documents), result.get("chunks", 0), omitted]
        style = "red" if result["error"] else "green"
        table.add_row(result["bot"], Text(state, style=style), result["version"] or "–", *map(str, numbers))
    out.print(table)
    for result in results:
        for failure in result.get("failures", []):
            err.print(Text(f"✗ {result['bot']}: not read: {failure['reason']}", style="red"), soft_wrap=True)
        if result["error"]:
            err.print(Text(f"✗ {result['bot']}: {result['error']}", style="red"), soft_wrap=True)


@app.command()
def status(
    context: typer.Context, bots: Bots = None, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Show versions, what is in them and what was left out, and the history of releases."""
    with runtime(context, bots_dir, data_dir) as opened:
        chosen = [opened.bot(bot).id for bot in bots] if bots else list(opened.bots)
        states = [_state(opened, bot) for bot in chosen]
    if wants_json(context, as_json):
        print_json({"bots": states})
        return
    for state in states:
        _show_state(state, detailed=bool(bots))


def _state(opened: Runtime, bot: str) -> dict[str, Any]:
    released = opened.database.active().get(bot)
    versions = []
    for path in reversed(version_directories(opened.shelf.folder(bot))):
        entry: dict[str, Any] = {"version": path.name, "released": path.name == released}
        verdict = opened.database.verdict(bot, path.name)
        entry["verdict"] = None if verdict is None else {"passed": verdict.passed, "at": verdict.at, **verdict.report}
        try:
            entry |= {"created_at": read_manifest(path).created_at, **_summary(read_manifest(path))}
        except DamagedVersion as error:
            entry["damage"] = str(error)
        versions.append(entry)
    history = [asdict(record) for record in opened.database.release_history(bot)]
    return {"bot": bot, "released": released, "versions": versions, "history": history}


def _show_state(state: dict[str, Any], *, detailed: bool) -> None:
    out.print(Text.assemble((state["bot"], "bold"), "  released: ", state["released"] or ("nothing", "yellow")))
    for version in state["versions"]:
        mark = "●" if version["released"] else "○"
        verdict = version["verdict"]
        judged = "not verified" if verdict is None else ("sound" if verdict["passed"] else "failed its checks")
        out.print(f"  {mark} {version['version']}  {version.get('chunks', '?')} chunks, {judged}", highlight=False)
        if "damage" in version:
            out.print(Text(f"    damaged: {version['damage']}", style="red"), soft_wrap=True)
        if detailed and (version["released"] or version is state["versions"][0]):
            _show_documents(version)


def _show_documents(version: dict[str, Any]) -> None:
    table = Table(
        "document",
        "characters",
        "indexed",
        "articles",
        "tables",
        "pages",
        "left out",
        box=None,
        header_style="dim",
        pad_edge=True,
    )
    for document in version.get("documents", []):
        cells = [document["characters"], document["characters_indexed"], document["articles"], document["tables"]]
        left_out = len(document["omissions"])
        table.add_row(document["source"], *map(str, cells), str(document["pages"] or "–"), str(left_out))
    out.print(table)
    for document in version.get("documents", []):
        for omission in document["omissions"]:
            where = f" at {omission['where']}" if omission["where"] else ""
            out.print(
                f"    {document['source']}{where}: {omission['what']}: {omission['why']}",
                style="dim",
                highlight=False,
                soft_wrap=True,
            )
    for failure in version.get("failures", []):
        out.print(Text(f"    not read: {failure['reason']}", style="red"), soft_wrap=True)


@app.command("release")
def release_version(
    context: typer.Context,
    bot: BotArgument,
    version: Annotated[str, typer.Argument(help="A version, as `index status` names it.")],
    force: Annotated[
        str | None, typer.Option("--force", help="Release although checks fail; the reason is kept.", metavar="WHY")
    ] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Let a version answer, if it passes its checks."""
    with runtime(context, bots_dir, data_dir) as opened:
        verdict = opened.release(bot, version, by=whoami(), forced_because=force)
    if wants_json(context, as_json):
        print_json({"bot": bot, "released": version, "verdict": None if verdict is None else asdict(verdict)})
    else:
        out.print(f"{bot}: {version} answers" + (" already" if verdict is None else ""), highlight=False)


@app.command()
def rollback(
    context: typer.Context, bot: BotArgument, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Let the version answer that was released before the present one."""
    with runtime(context, bots_dir, data_dir) as opened:
        opened.bot(bot)
        with opened.shelf.writing(bot, "rollback"):
            version = releases.rollback(opened.shelf, bot, by=whoami())
    if wants_json(context, as_json):
        print_json({"bot": bot, "released": version})
    else:
        out.print(f"{bot}: {version} answers again", highlight=False)


@app.command()
def verify(
    context: typer.Context,
    bot: BotArgument,
    version: Annotated[str | None, typer.Option(help="Left out = the released one, else the newest.")] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Check a version's files, counts and vectors."""
    with runtime(context, bots_dir, data_dir) as opened:
        opened.bot(bot)
        there = [path.name for path in version_directories(opened.shelf.folder(bot))]
        chosen = version or opened.database.active().get(bot) or (there[-1] if there else None)
        if chosen is None:
            raise ConfigurationError(f"bot `{bot}` has no version", hint=f"ragbots index build {bot}")
        verdict = releases.verify(opened.shelf, bot, chosen)
    if wants_json(context, as_json):
        print_json(asdict(verdict))
    else:
        out.print(
            Text(
                f"{bot} {chosen}: {'sound' if verdict.passed else 'not sound'}",
                style="green" if verdict.passed else "red",
            )
        )
        for line in (*verdict.report["problems"], *verdict.report["notes"]):
            out.print(f"  {line}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if verdict.passed else 3)


@app.command()
def prune(
    context: typer.Context,
    bots: Bots = None,
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest versions to keep.")] = 3,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Delete old versions; the released one is always kept."""
    deleted = {}
    with runtime(context, bots_dir, data_dir) as opened:
        for bot in [opened.bot(bot).id for bot in bots] if bots else list(opened.bots):
            with opened.shelf.writing(bot, "prune"):
                deleted[bot] = releases.prune(opened.shelf, bot, keep)
    if wants_json(context, as_json):
        print_json({"deleted": deleted})
        return
    for bot, versions in deleted.items():
        out.print(f"{bot}: {', '.join(versions) or 'nothing to delete'}", highlight=False)
