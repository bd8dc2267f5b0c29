"""`ragbots eval`: golden questions against the released versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ragbots import evaluation
from ragbots.cli.common import BotsDir, DataDir, Json, err, me, out, print_json, progress, runtime, wants_json
from ragbots.errors import ConfigurationError
from ragbots.evaluation.report import Comparison
from ragbots.runtime import Runtime
from ragbots.schedule import KOREA
from ragbots.types import Context, Hit, Question

_CHIEF = ("n", "routing", "R@1", "R@5", "facts", "cite R")


def evaluate(
    context: typer.Context,
    questions: Annotated[
        list[Path] | None,
        typer.Option("--questions", help="Question files; left out = those the bots name.", show_default=False),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(help="More question files.", metavar="[FILE…]", show_default=False)
    ] = None,
    retrieval_only: Annotated[bool, typer.Option("--retrieval-only", help="Only search, answer nothing.")] = False,
    compare: Annotated[
        Path | None, typer.Option(help="A report of an earlier run (--json).", metavar="BASELINE.json")
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option(
            help="The language model that writes for bots that name none; `none` = quotations.", metavar="NAME"
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page to read.", metavar="FILE.html")] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Ask golden questions and print how well they are answered, in total, by kind and by bot."""
    with runtime(context, bots_dir, data_dir, default_llm=llm) as opened:
        files = [*(questions or ()), *(more or ())] or _own_files(opened)
        records = evaluation.load_questions(files)
        baseline = evaluation.load_report(compare) if compare else None
        opened.warm_up()
        with progress() as bars:
            report = evaluation.run(
                records,
                ask=None if retrieval_only else opened.answer_unremembered,
                rank=lambda bot, question, asked, k: _rank(opened, bot, question, asked, k),
                passage_text=lambda citation, asked: opened.passage(citation.id, asked).text,
                bots=opened.bots,
                context=me(opened),
                progress=bars,
            )
        names = {bot.id: bot.name for bot in opened.bots.values()}
        threshold = opened.confidence.threshold
        used = opened.metrics.used()
    comparison = evaluation.compare(report, baseline) if baseline else None
    if html:
        written_on = datetime.now(KOREA).date()
        html.write_text(evaluation.report_page(report, records, names, written_on, threshold, comparison), "utf-8")
        err.print(f"the report as a page: {html}", style="dim")
    grounded = evaluation.groundedness(report)
    if wants_json(context, as_json):
        values = report.model_dump(mode="json", by_alias=True)
        values |= {"groundedness": grounded.model_dump(mode="json"), "llms": used}
        print_json(values | ({"comparison": comparison.model_dump(mode="json")} if comparison else {}))
        return
    _show(evaluation.summary_rows(report))
    if grounded.sentences_cited is not None and grounded.figures_supported is not None:
        cited, supported = f"{grounded.sentences_cited:.1%}", f"{grounded.figures_supported:.1%}"
        out.print(
            f"of {grounded.answers} answers: {cited} of the sentences cite, {supported} of the figures are supported"
        )
    for name, sums in used.items():
        out.print(
            f"llm {name}: {sums['calls']:.0f} calls, {sums['input_tokens']:.0f} tokens read, "
            f"{sums['output_tokens']:.0f} written, cost {sums['cost']:.4g}, "
            f"{1000 * sums['seconds'] / sums['calls']:.0f} ms a call"
        )
    if comparison:
        _show_comparison(comparison, {record.id: record.question for record in records})


def _show(rows: list[tuple[str, ...]]) -> None:
    """All metrics of the total one below the other, then the chief ones of each kind and bot."""
    heading, total, *groups = rows
    whole = Table(box=None, header_style="dim", show_header=False)
    for name, value in zip(heading[1:], total[1:], strict=True):
        whole.add_row(name, value)
    out.print(whole)
    chosen = [number for number, name in enumerate(heading) if name in _CHIEF]
    table = Table(box=None, header_style="dim")
    table.add_column("", no_wrap=True)
    for number in chosen:
        table.add_column(heading[number], justify="right")
    for row in groups:
        table.add_row(row[0], *(row[number] for number in chosen))
    out.print(table)


def _show_comparison(comparison: Comparison, questions: Mapping[str, str]) -> None:
    """Each measure before and after, then the questions that got better or worse, by what."""
    totals = Table("", "before", "after", "", box=None, header_style="dim", title="Against the baseline")
    for change in comparison.totals:
        moved = change.after - change.before
        sign = Text("") if not moved else Text(f"{moved:+.3f}", style="green" if change.better else "red")
        totals.add_row(change.metric, f"{change.before:.3f}", f"{change.after:.3f}", sign)
    out.print(totals)
    for title, changes, style in (("Lost", comparison.losses, "red"), ("Gained", comparison.gains, "green")):
        table = Table("", "", "before", "after", box=None, show_header=False, title=f"{title}: {len(changes)}")
        for change in changes:
            question = Text(f"{change.id}  {questions.get(change.id, '')}", overflow="ellipsis", no_wrap=True)
            table.add_row(question, Text(change.metric, style=style), f"{change.before:.2f}", f"{change.after:.2f}")
        out.print(table)
    for what, ids in (("asked now alone", comparison.only_now), ("asked before alone", comparison.only_before)):
        if ids:
            out.print(Text(f"{what}, so that the totals are of different questions: {', '.join(ids)}", style="yellow"))


def _own_files(opened: Runtime) -> list[Path]:
    files = [bot.resolve(path) for bot in opened.bots.values() for path in bot.questions]
    if not files:
        raise ConfigurationError("no questions", hint="name files with --questions, or `questions:` in the bots")
    return list(dict.fromkeys(files))


def _rank(opened: Runtime, bot: str, question: Question, context: Context, k: int) -> tuple[Hit, ...]:
    return opened.rank(bot, question, k, context).hits
