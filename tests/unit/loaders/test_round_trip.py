"""One regulation in three formats: the same lines, so that it gets the same addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ragbots.loaders import load_file
from ragbots.ports import Loader
from ragbots.text import clean
from ragbots.types import Document, ElementKind, count_characters

REPOSITORY = Path(__file__).resolve().parents[3]
STATUTES = REPOSITORY.parent / "shared" / "data" / "laws"

Load = Callable[..., Document]
Lines = Callable[[Document], list[str]]


def undated(lines: list[str]) -> list[str]:
    """Without the line of dates, which Markdown keeps in its front matter."""
    return [line for line in lines if not line.startswith("[시행 ")]


@pytest.mark.parametrize("form", ["pdf", "docx"])
def test_same_lines_title_date_and_levels(
    load: Load, lines: Lines, renderer: ModuleType, regulation: str, form: str
) -> None:
    master = load("당직규정.md", regulation)
    rendered = load(f"당직규정.{form}", renderer.RENDERERS[form](master))
    assert undated(lines(rendered)) == lines(master)
    assert (rendered.title, rendered.effective) == (master.title, master.effective)
    assert [element.level for element in rendered.elements if element.level] == [
        element.level for element in master.elements if element.level
    ]


@pytest.mark.parametrize("form", ["pdf", "docx"])
def test_rendering_gives_the_same_bytes(load: Load, renderer: ModuleType, regulation: str, form: str) -> None:
    master = load("당직규정.md", regulation)
    assert renderer.RENDERERS[form](master) == renderer.RENDERERS[form](master)


PRINTED = [
    path
    for path in sorted(REPOSITORY.glob("corpora/masters/*/*.md"))
    if any((REPOSITORY / "corpora" / path.parent.name / f"{path.stem}.{form}").exists() for form in ("pdf", "docx"))
]


@pytest.mark.parametrize("master", PRINTED, ids=lambda path: path.stem)
def test_published_regulations_hold_their_masters_text(master: Path, lines: Lines, loaders: tuple[Loader, ...]) -> None:
    """Line by line, white space aside: a published file that lags behind its master fails here."""
    source = load_file(master, master.name, loaders)
    published = REPOSITORY / "corpora" / master.parent.name / f"{master.stem}.{source.metadata['형식']}"
    read = load_file(published, published.name, loaders)
    squeezed = [["".join(line.split()) for line in found] for found in (undated(lines(read)), lines(source))]
    assert squeezed[0] == squeezed[1]
    assert (read.title, read.effective) == (source.title, source.effective)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["travel-expenses/공무원여비규정.md", "anti-graft/부정청탁및금품등수수의금지에관한법률.md"]
)
def test_a_statute_survives_being_printed(
    load: Load, lines: Lines, loaders: tuple[Loader, ...], renderer: ModuleType, name: str
) -> None:
    """Hundreds of articles, references and amendments, wrapped and read back."""
    path = STATUTES / name
    if not path.exists():
        pytest.skip("the statute collection is not installed")
    read = load_file(path, path.name, loaders)
    master = replace(read, elements=tuple(one for one in read.elements if one.kind is not ElementKind.PICTURE))
    drawn = tuple(element for element in master.elements if element.kind is not ElementKind.PICTURE)
    printed = load("a.pdf", renderer.render_pdf(replace(master, elements=drawn)))
    squeezed = [["".join(line.split()) for line in found] for found in (undated(lines(printed)), lines(master))]
    assert squeezed[0] == squeezed[1]


def test_statutes_lose_no_character(loaders: tuple[Loader, ...]) -> None:
    """All characters of the Markdown but its markup are in the elements or named in the omissions."""
    if not STATUTES.exists():
        pytest.skip("the statute collection is not installed")
    markup = re.compile(r"\\(?=\.)|\*\*|^#{1,6} |<img[^>]*>|</img>", re.MULTILINE)
    for path in sorted(STATUTES.glob("*/*.md")):
        body = clean(path.read_text(encoding="utf-8")).split("\n---\n", 1)[1]
        assert load_file(path, path.name, loaders).characters == count_characters(markup.sub("", body)), path.name
