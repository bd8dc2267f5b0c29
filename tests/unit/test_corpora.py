"""The project's own regulations: published files follow their masters, golden questions their text."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pypdf
import pytest
import unhwp

from ragbots.evaluation.matching import folded, stands_in
from ragbots.loaders import built_in_loaders, load_file
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.regulation.structure import parse
from ragbots.types import Block, BlockKind, Document, ElementKind, Regulation

REPOSITORY = Path(__file__).resolve().parents[2]
CORPORA = REPOSITORY / "corpora"
MASTERS = sorted([*CORPORA.glob("masters/*/*.md"), *CORPORA.glob("masters/*/*.wiki")])
PAGES = sorted([*CORPORA.glob("masters/*/*.md"), *CORPORA.glob("masters/*/*.wiki/**/*.md")])
PUBLISHED_AS_WRITTEN = sorted(path for path in CORPORA.glob("*/*.md") if path.parent.name != "masters")
QUESTIONS = [
    json.loads(line)
    for path in sorted((REPOSITORY / "eval").glob("*.jsonl"))
    for line in path.read_text("utf-8").split("\n")
    if line
]
RULES = (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.SUBITEM)


def name_of(path: Path) -> str:
    return path.stem


def content(name: str, data: bytes) -> Any:
    """What a file says, whatever the versions of fonts and of compression."""
    match PurePosixPath(name).suffix:
        case ".pdf":
            return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
        case ".hwp":
            with unhwp.parse_bytes(data) as read:
                return read.markdown
        case ".docx" | ".hwpx" | ".xlsx" | ".pptx" | ".zip":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {entry: content(entry, archive.read(entry)) for entry in archive.namelist()}
    return data


@pytest.mark.parametrize("master", MASTERS, ids=name_of)
def test_published_file_is_up_to_date(renderer: ModuleType, master: Path) -> None:
    """One that lags behind fails here: run tools/render_corpora.py."""
    name, data = renderer.rendered(master)
    published = CORPORA / master.parent.name / name
    assert content(name, published.read_bytes()) == content(name, data)


def test_rendering_gives_the_same_bytes(renderer: ModuleType) -> None:
    first = {master: renderer.rendered(master)[1] for master in MASTERS}
    assert {master: renderer.rendered(master)[1] for master in MASTERS} == first


def test_nothing_is_published_without_a_master(renderer: ModuleType) -> None:
    published = {path for path in CORPORA.glob("*/*") if path.is_file() and path.suffix != ".md"}
    assert published == {CORPORA / master.parent.name / renderer.rendered(master)[0] for master in MASTERS}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_merged_cells_cover_every_place_once(renderer: ModuleType, page: Path) -> None:
    for table in tables(read_master(page)):
        for merging in renderer.Merging:
            spans = renderer.spans(table, merging)
            places = [
                (row, column)
                for span in spans
                for row, column in product(
                    range(span.row, span.row + span.rows), range(span.column, span.column + span.columns)
                )
            ]
            assert sorted(places) == sorted(product(range(len(table.rows)), range(len(table.rows[0]))))
            for span in spans:
                covered = {
                    table.rows[row][column]
                    for row in range(span.row, span.row + span.rows)
                    for column in range(span.column, span.column + span.columns)
                }
                assert covered == {span.text}


# -- what is published says what the master says


def published_files(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """(name, published file, master) of each page; those of a wiki export are unpacked."""
    for master in MASTERS:
        folder = CORPORA / master.parent.name
        if master.is_dir():
            with zipfile.ZipFile(folder / f"{master.stem}.zip") as archive:
                archive.extractall(tmp_path)
                for name in archive.namelist():
                    yield name, tmp_path / name, (master / name).with_suffix(".md")
        else:
            form = read_master(master).metadata["형식"]
            yield f"{master.stem}.{form}", folder / f"{master.stem}.{form}", master


@pytest.mark.parametrize("stem", [name_of(page) for page in PAGES])
def test_published_regulation_has_its_masters_rules_and_rows(stem: str, tmp_path: Path) -> None:
    """The same text under the same addresses and the same table rows, white space aside."""
    _, published, master = next(one for one in published_files(tmp_path) if name_of(one[2]) == stem)
    read = load_file(published, published.name, built_in_loaders())
    written = read_master(master)
    found, expected = parse(read), parse(written)
    assert rows(found) == rows(expected)
    assert rules(found) == rules(expected)
    assert read.effective == written.effective
    assert folded(read.title) == folded(written.title)


def rows(regulation: Regulation) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    found = [block for block in regulation.blocks if block.kind is BlockKind.ROW and block.cells]
    return [(str(b.address), tuple((folded(head), folded(cell)) for head, cell in b.cells)) for b in found]


def rules(regulation: Regulation) -> list[tuple[str, str]]:
    return [(str(block.address), folded(block.text)) for block in regulation.blocks if block.kind in RULES]


def tables(document: Document) -> list[Any]:
    return [element for element in document.elements if element.kind is ElementKind.TABLE]


# -- golden questions


@cache
def articles(bot: str) -> dict[tuple[str, str | None], str]:
    """Of a bot's regulations: the text of each (published file, article), folded."""
    texts: dict[tuple[str, str | None], str] = {}
    masters = [path for path in PAGES if path.relative_to(CORPORA / "masters").parts[0] == bot]
    for path in [*masters, *(path for path in PUBLISHED_AS_WRITTEN if path.parent.name == bot)]:
        document = read_master(path)
        name = f"{path.stem}.{document.metadata.get('형식', 'md')}"
        for block in parse(document).blocks:
            place = (name, block.address.article)
            texts[place] = texts.get(place, "") + " " + folded(words(block))
    return texts


def words(block: Block) -> str:
    """A block's heading and text; the cells of a row are kept apart, or their figures would run together."""
    return f"{block.heading} {block.text}".replace("\t", " | ")


def read_master(path: Path) -> Document:
    return MarkdownLoader().load(path, path.name)


@pytest.mark.parametrize("record", [one for one in QUESTIONS if one["gold"]], ids=lambda record: record["id"])
def test_gold_articles_say_what_the_answer_must(record: dict[str, Any]) -> None:
    known = articles(record["bot"])
    for gold in record["gold"]:
        assert (gold["source"], gold["article"]) in known
    text = " ".join(known[gold["source"], gold["article"]] for gold in record["gold"])
    missing = [fact for fact in record["must_include"] if not stands_in(fact, text)]
    assert not missing


def test_questions_on_tables_are_spread_over_the_bots() -> None:
    asked = [record for record in QUESTIONS if record["kind"] == "table"]
    assert len(asked) >= 30
    assert len({record["bot"] for record in asked}) >= 9
    assert all(gold["article"].startswith("별표 ") for record in asked for gold in record["gold"])
