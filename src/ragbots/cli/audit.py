"""`ragbots audit`: whether the audit chain is whole, and what is in it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer
from rich.text import Text

from ragbots.cli.common import BotsDir, DataDir, Json, day, out, print_json, runtime, say, wants_json, whoami
from ragbots.schedule import KOREA
from ragbots.state.audit import AuditRecord

app = typer.Typer(help="Who asked and did what, in a chain that shows when it is tampered with.", no_args_is_help=True)


@app.command()
def verify(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Read the whole chain; exit code 3 where a record was edited, deleted, inserted, moved or cut off."""
    with runtime(context, bots_dir, data_dir) as opened:
        report = opened.audit_log.verify()
    if wants_json(context, as_json):
        print_json({"whole": report.damage is None, **asdict(report)})
    elif report.damage is None:
        out.print(f"whole: {report.records} records, up to {report.head} {report.head_hash}", highlight=False)
    else:
        found = report.damage
        out.print(Text.assemble((f"{found.kind}: ", "red"), f"record {found.record}: {found.text}"), soft_wrap=True)
        say("Leave the database and the audit.* files as they are, and compare with an earlier export: docs/audit.md")
    raise typer.Exit(3 if report.damage else 0)


@app.command()
def export(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--from", help="From this day on, in Korea.", metavar="YYYY-MM-DD")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to this day, in Korea.", metavar="YYYY-MM-DD")] = None,
    form: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="One JSON object a line, or CSV.")
    ] = "jsonl",
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
) -> None:
    """Write records with their hashes to the output; the export itself is recorded."""
    first = "" if since is None else _begin("--from", since)
    past = "~" if until is None else _begin("--to", until, days=1)
    with runtime(context, bots_dir, data_dir) as opened:
        opened.audit_act("audit exported", whoami(), since=since, until=until, form=form)
        _write(opened.audit_log.records(first, past), form)


@app.command()
def prune(context: typer.Context, bots_dir: BotsDir = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Delete records that were kept for `audit_days`; a server does it once a day. What is damaged is not deleted."""
    with runtime(context, bots_dir, data_dir) as opened:
        days = opened.settings.audit_days
        gone = opened.forget_audited(datetime.now(UTC))
    if wants_json(context, as_json):
        print_json({"audit_days": days, "deleted": gone})
    else:
        out.print(f"{gone} records deleted; they are kept for {days or 'all'} days", highlight=False)


def _begin(option: str, text: str, days: int = 0) -> str:
    begun = datetime.combine(day(option, text) + timedelta(days=days), datetime.min.time(), KOREA)
    return begun.astimezone(UTC).isoformat(timespec="microseconds")


def _write(records: Iterable[AuditRecord], form: str) -> None:
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, [field.name for field in fields(AuditRecord)])
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in asdict(record).items()} for record in records)
        return
    for record in records:
        sys.stdout.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")


def _cell(value: object) -> object:
    """A spreadsheet would run what begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
