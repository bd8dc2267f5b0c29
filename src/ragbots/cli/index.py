"""`ragbots index`: build, status, release, rollback, verify, prune."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ragbots import access, releases
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
from ragbots.errors import ChecksNotPassed, ConfigurationError, DamagedVersion, Locked, RagbotsError
from ragbots.runtime import Runtime
from ragbots.state.database import Rebuild
from ragbots.stores.versions import Manifest, SourceReport, read_manifest, version_directories
from ragbots.types import OmissionKind

REBUILDS = 20  # the last by schedule, in --json
PLACES = 3  # named of many omissions of one kind; --json has them all

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
    due: Annotated[
        bool, typer.Option("--due", help="Rebuild and release the bots whose `schedule:` has come round; for cron.")
    ] = False,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Build indexes beside the released ones; with --release let those that pass their checks answer."""
    if due:
        if bots or all_bots or release or strict:
            raise ConfigurationError("--due stands alone", hint="the bots' schedules say which, and all are released")
        raise typer.Exit(_build_due(context, bots_dir, data_dir, as_json))
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


def _build_due(context: typer.Context, bots_dir: Path | None, data_dir: Path | None, as_json: bool) -> int:
    """Rebuilds what is due, bot after bot, and returns the exit code."""
    done: list[Rebuild] = []
    codes: list[int] = []
    with runtime(context, bots_dir, data_dir) as opened:
        for bot in opened.due(datetime.now(UTC)):
            if bot not in opened.due(datetime.now(UTC)):
                continue  # somebody else has just done it
            try:
                with progress() as bars:
                    done.append(opened.rebuild(bot, bars))
            except Locked as error:
                err.print(Text(f"✗ {bot}: {error}", style="red"), soft_wrap=True)
                codes.append(error.exit_code)
    if wants_json(context, as_json):
        print_json({"rebuilds": [asdict(one) for one in done]})
    for one in done:
        if not wants_json(context, as_json):
            out.print(_rebuild_line(one), highlight=False, soft_wrap=True)
        if one.untold:
            err.print(Text(f"✗ {one.bot}: {one.untold}", style="red"), soft_wrap=True)
        failed = one.outcome == "failed" or one.untold is not None
        codes.append(1 if failed else ChecksNotPassed.exit_code if one.outcome == "held" else 0)
    return next((code for code in codes if code), 0)


def _rebuild_line(one: Rebuild) -> str:
    return f"{one.bot}: {one.outcome} {one.version or ''}: {one.report}"


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
            built = opened.build(bot, bars, strict=strict, by=whoami())
            manifest = read_manifest(built.path)
            status = "built" if built.new else "unchanged"
            result |= {"version": built.version, "status": status, "embedded": built.embedded, **_summary(manifest)}
            for path in access.idle_rules(opened.bot(bot), [one.source for one in manifest.sources]):
                err.print(f"{bot}: `access.documents`: no document at `{path}`: it hides nothing", style="yellow")
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
        "documents": [_document(source) for source in manifest.sources],
        "failures": [failure.model_dump() for failure in manifest.failures],
        "omissions": [asdict(omission) for omission in manifest.omissions],
        "chunks": manifest.chunks,
    }


def _document(source: SourceReport) -> dict[str, Any]:
    counted = {key: value for key, value in source.model_dump(mode="json").items() if key != "document_id"}
    return {**counted, "pages_without_text": source.pages_without_text, "losses": len(source.losses)}


def _total(result: dict[str, Any], key: str) -> int:
    return sum(document[key] for document in result.get("documents", []))


def _lost(result: dict[str, Any]) -> int:
    folders = sum(not omission["expected"] for omission in result.get("omissions", []))
    return _total(result, "losses") + folders + len(result.get("failures", []))


def _show_built(results: list[dict[str, Any]]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("bot", "", "version"):
        table.add_column(name, no_wrap=True)
    for name in ("files", "articles", "tables", "chunks", "embedded", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        state = "released" if result.get("released") else result["status"]
        numbers: list[int] = [len(result.get("documents", [])), _total(result, "articles"), _total(result, "tables")]
        numbers += [result.get("chunks", 0), result.get("embedded", 0)]
        style, lost = "red" if result["error"] else "green", _lost(result)
        cells: list[str | Text] = [*map(str, numbers), Text(str(lost), style="yellow" if lost else "")]
        table.add_row(result["bot"], Text(state, style=style), result["version"] or "–", *cells)
    out.print(table)
    for result in results:
        _show_losses(result)
        if result["error"]:
            err.print(Text(f"✗ {result['bot']}: {result['error']}", style="red"), soft_wrap=True)


def _show_losses(result: dict[str, Any]) -> None:
    """Files that were not read, and text that is not in the index although somebody may look for it."""
    for failure in result.get("failures", []):
        err.print(Text(f"✗ {result['bot']}: not read: {failure['reason']}", style="red"), soft_wrap=True)
    for omission in result.get("omissions", []):
        if not omission["expected"]:
            line = f"! {result['bot']}: {omission['what']} {omission['where']}: {omission['why']}"
            err.print(Text(line, style="yellow"), soft_wrap=True)
    for document in result.get("documents", []):
        for kind, same in _by_kind(document, expected=False).items():
            line = f"! {result['bot']}: {document['source']}: {kind}: {_places(same)}"
            err.print(Text(line, style="yellow"), soft_wrap=True)


def _by_kind(document: dict[str, Any], *, expected: bool) -> dict[str, list[dict[str, Any]]]:
    """A document's omissions of one sort, grouped by kind, or where there is none by what they are."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for omission in document["omissions"]:
        if omission["expected"] == expected:
            kind = omission["kind"] if omission["kind"] != OmissionKind.OTHER else omission["what"].partition(":")[0]
            groups.setdefault(kind, []).append(omission)
    return groups


def _places(same: list[dict[str, Any]]) -> str:
    """`p. 3, p. 4 and 6 more: no text on this page`."""
    named = list(dict.fromkeys(_named(one) for one in same))
    shown = ", ".join(named[:PLACES]) + (f" and {len(named) - PLACES} more" if len(named) > PLACES else "")
    return f"{shown}: {same[0]['why']}"


def _named(omission: dict[str, Any]) -> str:
    what = omission["what"].removeprefix(f"{omission['kind']}: ")
    return f"{what} ({omission['where']})" if omission["where"] else what


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
    return {
        "bot": bot,
        "released": released,
        "versions": versions,
        "history": history,
        "schedule": opened.bot(bot).schedule,
        "rebuilds": [asdict(one) for one in opened.database.rebuilds(bot, REBUILDS)],
    }


def _show_state(state: dict[str, Any], *, detailed: bool) -> None:
    out.print(Text.assemble((state["bot"], "bold"), "  released: ", state["released"] or ("nothing", "yellow")))
    for version in state["versions"]:
        mark = "●" if version["released"] else "○"
        verdict = version["verdict"]
        judged = "not verified" if verdict is None else ("sound" if verdict["passed"] else "failed its checks")
        out.print(f"  {mark} {version['version']}  {version.get('chunks', '?')} chunks, {judged}", highlight=False)
        for problem in verdict["problems"] if detailed and verdict is not None else ():
            out.print(Text(f"    {problem}", style="red"), soft_wrap=True)
        if "damage" in version:
            out.print(Text(f"    damaged: {version['damage']}", style="red"), soft_wrap=True)
        if detailed and (version["released"] or version is state["versions"][0]):
            _show_documents(version)
    _show_rebuild(state)
    for record in state["history"] if detailed else ():
        out.print(f"  {_release_line(record)}", highlight=False, soft_wrap=True)


def _show_rebuild(state: dict[str, Any]) -> None:
    """The last rebuild by schedule."""
    for last in state["rebuilds"][:1]:
        style = "red" if last["outcome"] in ("held", "failed") else "dim"
        line = f"  by schedule ({state['schedule']}) {last['at']:%Y-%m-%d %H:%M} UTC: {last['outcome']}"
        out.print(Text(f"{line}: {last['report']}", style=style), soft_wrap=True)
        if last["untold"]:
            out.print(Text(f"  the owner was not told: {last['untold']}", style="red"), soft_wrap=True)


def _release_line(record: dict[str, Any]) -> str:
    """`2026-11-23 03:00 UTC kim: release 20261123-…, sound`."""
    verdict = record["verdict"]
    judged = "" if verdict is None else ", sound" if verdict["passed"] else ", failed its checks"
    forced = f", forced: {record['forced_because']}" if record["forced_because"] else ""
    return f"{record['at']:%Y-%m-%d %H:%M} UTC {record['by']}: {record['action']} {record['version']}{judged}{forced}"


def _show_documents(version: dict[str, Any]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
    table.add_column("document", overflow="fold", min_width=14)
    for name in ("chars", "indexed", "articles", "tables", "rows", "notes", "pics", "pages", "blank", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for document in version.get("documents", []):
        keys = ("characters", "characters_indexed", "articles", "tables", "rows", "footnotes", "pictures")
        pages = [str(document["pages"] or "–"), str(document["pages_without_text"] or "–")]
        lost = Text(str(document["losses"]), style="yellow" if document["losses"] else "")
        table.add_row(document["source"], *(str(document[key]) for key in keys), *pages, lost)
    out.print(table)
    for document in version.get("documents", []):
        _show_left_out(document)
    for omission in version.get("omissions", []):
        out.print(Text(f"    {omission['where']}: {omission['what']}: {omission['why']}", style="dim"), soft_wrap=True)
    for failure in version.get("failures", []):
        out.print(Text(f"    not read: {failure['reason']}", style="red"), soft_wrap=True)


def _show_left_out(document: dict[str, Any]) -> None:
    """Losses first; then what may be missing without harm, as one line a kind."""
    for kind, same in _by_kind(document, expected=False).items():
        line = f"    {document['source']}: {kind}: {_places(same)}"
        out.print(Text(line, style="yellow"), soft_wrap=True)
    for kind, same in _by_kind(document, expected=True).items():
        characters = sum(one["characters"] for one in same)
        line = f"    {document['source']}: {kind} ×{len(same)}, {characters} characters: {same[0]['why']}"
        out.print(Text(line, style="dim"), soft_wrap=True)


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
        version = opened.rollback(bot, by=whoami())
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
        opened.audit_act("verify", whoami(), bot=bot, version=chosen, passed=verdict.passed)
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
    cited_days: Annotated[
        int, typer.Option(min=0, help="Keep what answers of so many days cite, so that their citations open.")
    ] = 90,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Delete old versions; the released one is always kept."""
    since = datetime.now(UTC) - timedelta(days=cited_days)
    deleted = {}
    with runtime(context, bots_dir, data_dir) as opened:
        for bot in [opened.bot(bot).id for bot in bots] if bots else list(opened.bots):
            deleted[bot] = opened.prune(bot, keep, since, by=whoami())
    if wants_json(context, as_json):
        print_json({"deleted": deleted})
        return
    for bot, versions in deleted.items():
        out.print(f"{bot}: {', '.join(versions) or 'nothing to delete'}", highlight=False)
