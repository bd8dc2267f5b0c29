"""Dated versions of real statutes, which lie beside the project where they are at hand."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ragbots.comparison import Kind, compare
from ragbots.editions import Timeline, timeline
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.regulation import parse, parse_address
from ragbots.types import Block, Document

SHARED = Path(__file__).parents[2].parent / "shared"
HISTORY = SHARED / "data" / "history"

pytestmark = pytest.mark.skipif(not HISTORY.is_dir(), reason="the dated statutes are not beside the project")


@pytest.fixture(scope="module")
def statutes() -> dict[str, tuple[Document, tuple[Block, ...]]]:
    """Each file with its blocks, by statute/day."""
    loader = MarkdownLoader()
    found = {}
    for path in sorted(HISTORY.glob("*/*.md")):
        name = f"{path.parent.name}/{path.stem}"
        document = replace(loader.load(path, f"{name}.md"), id=name)
        found[name] = (document, parse(document).blocks)
    return found


@pytest.fixture(scope="module")
def line(statutes: dict[str, tuple[Document, tuple[Block, ...]]]) -> Timeline:
    return timeline([one for one, _ in statutes.values()], {name: blocks for name, (_, blocks) in statutes.items()})


def test_the_files_of_a_folder_are_versions_of_one_statute(line: Timeline) -> None:
    found = {tuple(one.document.id for one in family) for family in line.editions.values()}
    expected = {
        tuple(sorted(f"{folder.name}/{path.stem}" for path in folder.glob("*.md")))
        for folder in HISTORY.iterdir()
        if folder.is_dir()
    }
    assert found == expected


@pytest.mark.parametrize(
    ("version", "article", "begins"),
    [
        ("근로기준법/2018-07-01", "제56조", "2018-03-20"),
        ("근로기준법/2019-07-16", "제26조", "2019-01-15"),
        ("근로기준법/2025-10-23", "제74조", "2025-02-23"),
        ("근로기준법/2025-10-23", "제60조", "2024-10-22"),
        ("고용보험법/2028-01-01", "제10조", "2027-01-01"),
        ("고용보험법/2028-01-01", "제76조", "2026-09-18"),
        ("고용보험법/2028-01-01", "제45조", "2028-01-01"),
        ("고용보험법/2021-07-01", "제77조의7", "2022-01-01"),
        ("남녀고용평등과일ㆍ가정양립지원에관한법률/2019-10-01", "제22조의2", "2020-01-01"),
        ("국가공무원법/2026-12-03", "제71조", "2026-12-03"),
    ],
)
def test_staged_articles_begin_on_their_own_day(line: Timeline, version: str, article: str, begins: str) -> None:
    assert line.period(version, parse_address(article)).first == date.fromisoformat(begins)


def test_the_articles_that_an_amendment_touched(statutes: dict[str, tuple[Document, tuple[Block, ...]]]) -> None:
    records = [json.loads(text) for text in (SHARED / "eval" / "diff_dev.jsonl").read_text("utf-8").splitlines()]
    assert records
    for record in records:
        sides = [statutes[f"{record['statute']}/{record[side]}"][1] for side in ("from", "to")]
        found = {(one.kind.value, one.article) for one in compare(*sides) if not one.addendum}
        kinds = (Kind.CHANGED, Kind.ADDED, Kind.REMOVED, Kind.RETITLED)
        assert found == {(kind.value, article) for kind in kinds for article in record[kind.value]}, record["id"]
