"""`ragbots diff`: what changed between two versions of an index, or between two dated versions of one document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ragbots import evaluation
from ragbots.cli.common import BotsDir, DataDir, Json, day, err, out, print_json, runtime, wants_json
from ragbots.comparison import ArticleChange, Kind, Piece, compare
from ragbots.errors import ConfigurationError, NotFound
from ragbots.markup import templates
from ragbots.retrieval import OpenBot
from ragbots.runtime import Runtime
from ragbots.types import Document


@dataclass(frozen=True)
class _Compared:
    """Two texts of one document and what differs between them."""

    title: str
    source: str
    changes: tuple[ArticleChange, ...]


def diff(
    context: typer.Context,
    bot: Annotated[str, typer.Argument(help="The bot.", metavar="BOT")],
    from_version: Annotated[
        str | None, typer.Argument(help="Left out = the one released.", metavar="[FROM", show_default=False)
    ] = None,
    to_version: Annotated[
        str | None, typer.Argument(help="Left out = the newest.", metavar="TO]", show_default=False)
    ] = None,
    document: Annotated[
        str | None, typer.Option(help="Compare two dated versions of this document.", metavar="SOURCE")
    ] = None,
    from_day: Annotated[str | None, typer.Option("--from", help="In force on this day.", metavar="YYYY-MM-DD")] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="In force on this day.", metavar="YYYY-MM-DD")] = None,
    html: Annotated[Path | None, typer.Option(help="Write both texts side by side.", metavar="FILE.html")] = None,
    bots_dir: BotsDir = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show article by article what changed: between two index versions, or two dated versions of a document."""
    json_wanted = wants_json(context, as_json)
    with runtime(context, bots_dir, data_dir) as opened:
        if document:
            if not (from_day and to_day):
                raise ConfigurationError("--document without --from and --to", hint="name both days")
            one = _of_document(opened, bot, document, day("--from", from_day), day("--to", to_day))
            compared, answers = [one], []
        else:
            old, new = _versions(opened, bot, from_version, to_version)
            compared = _of_versions(old, new)
            answers = _answers(opened, bot, old.version.id, new.version.id)
    if html:
        html.write_text(_page(compared, answers), "utf-8")
        err.print(f"both texts side by side: {html}", style="dim")
    if json_wanted:
        print_json(_lists(compared[0].changes) if document else _as_json(old, new, compared, answers))
        return
    for one in compared:
        _show(one)
    if not any(one.changes for one in compared):
        out.print("달라진 조문이 없습니다.")
    for question, before, after in answers:
        out.print(Text(f"답이 달라진 질문: {question}", style="yellow"))
        out.print(_side_by_side([(before or "(답하지 않음)", after or "(답하지 않음)")]))


# ---------------------------------------------------------------- what is compared


def _of_document(opened: Runtime, bot: str, source: str, first: date, second: date) -> _Compared:
    """The versions of a document in force on two days: each article as it stood."""
    released = opened.database.active().get(opened.bot(bot).id)
    if released is None:
        raise NotFound(f"bot `{bot}` has no released version", hint=f"ragbots index build {bot} --release")
    view = opened.open_version(bot, released)
    line, contents = view.layout.timeline, view.version.contents
    there = [one for one in contents.documents if source in _names_of(one)]
    if not there:
        known = ", ".join(dict.fromkeys(one.title for one in contents.documents))
        raise NotFound(f"bot `{bot}` has no document `{source}`", hint=f"there are: {known}")
    family = line.families.get(there[0].id)
    if family is None:
        raise NotFound(f"{there[0].source}: the only version of this document", hint="nothing to compare it with")
    sides = []
    for asked in (first, second):
        edition = next((one for one in reversed(line.editions[family]) if one.effective <= asked), None)
        if edition is None:
            raise NotFound(f"{there[0].title}: no version was in force on {asked}", hint="see the dates of its files")
        sides.append(contents.blocks[edition.document.id])
    return _Compared(there[0].title, source, compare(*sides))


def _names_of(document: Document) -> set[str]:
    path = Path(document.source)
    return {document.source, path.name, path.stem, document.title, *map(str, path.parents), path.parent.name} - {"."}


def _versions(opened: Runtime, bot: str, old: str | None, new: str | None) -> tuple[OpenBot, OpenBot]:
    versions = [record.version for record in opened.database.versions(opened.bot(bot).id)]
    before = old or opened.database.active().get(bot)
    after = new or next(iter(versions), None)
    if before is None or after is None:
        raise NotFound(f"bot `{bot}` has no two versions to compare", hint=f"see `ragbots index status {bot}`")
    return opened.open_version(bot, before), opened.open_version(bot, after)


def _of_versions(old: OpenBot, new: OpenBot) -> list[_Compared]:
    """All documents of both versions: a new one with the dated version before it, where there is one, else as one that
    is gone with nothing."""
    before, after = old.version.contents.blocks, new.version.contents.blocks
    there = old.version.document_of | new.version.document_of
    found = []
    for document_id, document in there.items():
        was = before.get(document_id) or after.get(_version_before(new, document_id), ())
        found.append(_Compared(document.title, document.source, compare(was, after.get(document_id, ()))))
    return [one for one in found if one.changes]


def _version_before(bot: OpenBot, document_id: str) -> str:
    """The dated version of a rule before this one; empty where there is none."""
    line = bot.layout.timeline
    dated = [one.document.id for one in line.editions.get(line.families.get(document_id, ""), ())]
    at = dated.index(document_id) if document_id in dated else 0
    return dated[at - 1] if at else ""


def _answers(opened: Runtime, bot: str, old: str, new: str) -> list[tuple[str, str, str]]:
    """The golden questions that are answered otherwise, with both answers."""
    records = opened.golden_questions(bot)
    if not records or old == new:
        return []
    reports = [opened.judged(bot, version, records) for version in (new, old)]
    return [(one.question, before, after) for one, before, after in evaluation.changed_answers(records, *reports)]


# ---------------------------------------------------------------- how it is shown


def _lists(changes: Sequence[ArticleChange]) -> dict[str, list[str]]:
    """The articles of the body by what became of their numbers: where one moved, its old number is gone and its new
    one is new, unless another article had it or has it now."""
    body = [one for one in changes if not one.addendum]
    named = {kind: [one.article for one in body if one.kind is kind] for kind in Kind}
    filled = [*named[Kind.ADDED], *named[Kind.MOVED]]
    left = [*named[Kind.REMOVED], *(one.was for one in body if one.was)]
    return {
        "changed": [*named[Kind.CHANGED], *(article for article in filled if article in left)],
        "added": [article for article in filled if article not in left],
        "removed": [article for article in left if article not in filled],
        "retitled": named[Kind.RETITLED],
    }


def _as_json(
    old: OpenBot, new: OpenBot, compared: Sequence[_Compared], answers: Sequence[tuple[str, str, str]]
) -> dict[str, Any]:
    documents = [
        {
            "source": one.source,
            "document": one.title,
            **_lists(one.changes),
            "moved": [{"from": c.was, "to": c.article} for c in one.changes if c.kind is Kind.MOVED],
            "addenda": [c.article for c in one.changes if c.addendum],
        }
        for one in compared
    ]
    changed = [{"question": question, "before": before, "after": after} for question, before, after in answers]
    return {"from": old.version.id, "to": new.version.id, "documents": documents, "answers": changed}


def _show(one: _Compared) -> None:
    """신구대조표: the body first, of the addenda only their names."""
    out.print(Text(f"「{one.title}」 {one.source}", style="bold"))
    body = [change for change in one.changes if not change.addendum]
    if body:
        table = Table("조문", "", "종전", "개정", show_lines=True, expand=True)
        for change in body:
            old, new = change.sides
            table.add_row(_number(change), change.kind.in_korean, _text(old, "red strike"), _text(new, "bold green"))
        out.print(table)
    addenda = [change.article for change in one.changes if change.addendum]
    if addenda:
        out.print(Text(f"부칙: {', '.join(addenda)}", style="dim"), soft_wrap=True)


def _number(change: ArticleChange) -> str:
    return f"{change.was} → {change.article}" if change.was else change.article


def _text(pieces: Sequence[Piece], style: str) -> Text:
    return Text.assemble(*((words, style if marked else "") for words, marked in pieces), overflow="fold")


def _side_by_side(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table("종전", "개정", show_lines=True, expand=True)
    for before, after in rows:
        table.add_row(before, after)
    return table


def _page(compared: Sequence[_Compared], answers: Sequence[tuple[str, str, str]]) -> str:
    page = templates(Path(__file__).with_name("templates")).get_template("diff.html.j2")
    return page.render(compared=compared, answers=answers, number=_number)
