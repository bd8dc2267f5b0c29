"""Structure and chunks of real statutes, which lie beside the project where they are at hand."""

import re
from collections import Counter
from pathlib import Path

import pytest

from ragbots.chunking import ChunkLimits, cut
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.regulation import is_elided, is_repealed, parse
from ragbots.types import Address, BlockKind, Chunk, Document, Level, Regulation, count_characters

LAWS = Path(__file__).parents[2].parent / "shared" / "data" / "laws"
STATUTES = sorted(path for path in LAWS.glob("*/*.md"))
HEADING = re.compile(r"^##### (제\d+조(?:의\d+)?)", re.MULTILINE)

pytestmark = pytest.mark.skipif(not STATUTES, reason="the statutes are not beside the project")

Parsed = list[tuple[Path, Document, Regulation]]


@pytest.fixture(scope="module")
def parsed() -> Parsed:
    loader = MarkdownLoader()
    documents = [(path, loader.load(path, path.name)) for path in STATUTES]
    return [(path, document, parse(document)) for path, document in documents]


@pytest.fixture(scope="module")
def chunked(parsed: Parsed) -> list[tuple[Document, Regulation, tuple[Chunk, ...]]]:
    return [
        (document, regulation, cut(document, regulation, ChunkLimits(), count)[0]) for _, document, regulation in parsed
    ]


def count(texts: list[str]) -> list[int]:
    """Tokens as a Korean sentence-piece vocabulary roughly makes them."""
    return [5 + int(len(text) / 1.8) for text in texts]


def unit(address: Address) -> Address:
    return address.up_to(Level.ARTICLE) or address.up_to(Level.ADDENDUM, Level.ANNEX, Level.FORM)


def body_articles(regulation: Regulation) -> list[str]:
    return [
        str(block.address)
        for block in regulation.blocks
        if block.kind is BlockKind.ARTICLE and block.address.steps[0].level is Level.ARTICLE
    ]


def test_the_body_articles_are_those_of_the_files(parsed: Parsed) -> None:
    total = 0
    for path, _, regulation in parsed:
        expected = HEADING.findall(path.read_text("utf-8"))
        assert body_articles(regulation) == expected, path.name
        total += len(expected)
    assert total == 2061


def test_no_character_is_lost(parsed: Parsed) -> None:
    for path, document, regulation in parsed:
        assert regulation.omissions == (), path.name
        assert sum(count_characters(block.text) for block in regulation.blocks) == document.characters, path.name


def test_every_addendum_is_known_by_its_number_and_date(parsed: Parsed) -> None:
    for path, _, regulation in parsed:
        labels = re.findall(r"^부칙(?:\(.*\))? ?<(제\d+호),", path.read_text("utf-8"), re.MULTILINE)
        addenda = [b for b in regulation.blocks if b.kind is BlockKind.ARTICLE and len(b.address.steps) == 1]
        found = [b.address.steps[0].label.split(",")[0] for b in addenda if b.address.in_addendum]
        assert found == labels, path.name


def test_articles_of_an_addendum_ascend(parsed: Parsed) -> None:
    for path, _, regulation in parsed:
        last = Address()
        for block in regulation.blocks:
            if block.kind is BlockKind.ARTICLE and len(block.address.steps) == 2:
                if last.steps[:1] == block.address.steps[:1]:
                    assert last < block.address, path.name
                last = block.address


def test_statutes_without_annexes_have_none(parsed: Parsed) -> None:
    for path, _, regulation in parsed:
        levels = {block.address.steps[0].level for block in regulation.blocks if block.address}
        assert not levels & {Level.ANNEX, Level.FORM}, path.name


def test_addresses_in_an_article_are_unique(parsed: Parsed) -> None:
    """Lines below a 목 share its address; nothing else does."""
    for path, _, regulation in parsed:
        marked = [
            b
            for b in regulation.blocks
            if b.kind in (BlockKind.PARAGRAPH, BlockKind.ITEM) and not b.address.in_addendum
        ]
        twice = [str(address) for address, n in Counter(block.address for block in marked).items() if n > 1]
        assert twice == [], path.name


def test_no_chunk_crosses_an_article_or_exceeds_the_window(
    chunked: list[tuple[Document, Regulation, tuple[Chunk, ...]]],
) -> None:
    headings = (BlockKind.TITLE, BlockKind.CHAPTER, BlockKind.ARTICLE)
    for document, regulation, chunks in chunked:
        for chunk in chunks:
            body = [block for block in regulation.blocks[slice(*chunk.blocks)] if block.kind not in headings]
            assert {unit(block.address) for block in body} == {unit(chunk.address)}, document.source
            assert count([chunk.passage])[0] == chunk.tokens <= ChunkLimits().window
        assert len({chunk.id for chunk in chunks}) == len(chunks)


def test_every_living_article_is_in_a_chunk_and_stubs_are_not(
    chunked: list[tuple[Document, Regulation, tuple[Chunk, ...]]],
) -> None:
    headings = (BlockKind.TITLE, BlockKind.CHAPTER, BlockKind.ARTICLE)
    for document, regulation, chunks in chunked:
        held = {number for chunk in chunks for number in range(*chunk.blocks)}
        for number, block in enumerate(regulation.blocks):
            if block.kind in headings or block.kind is BlockKind.NOTE or is_repealed(block) or is_elided(block):
                continue
            assert number in held, (document.source, str(block.address))
