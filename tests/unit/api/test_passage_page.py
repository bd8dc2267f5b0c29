from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.api.fake_runtime import PASSAGE, TODAY, FakeRuntime

from ragbots.api.app import create_app
from ragbots.api.passage_page import Line, Table, arranged, render
from ragbots.comparison import Amendment
from ragbots.errors import NotFound
from ragbots.retrieval import Passage, PassageBlock
from ragbots.types import Context


def block(kind: str, text: str, cells: tuple[tuple[str, str], ...] = (), quoted: bool = False) -> PassageBlock:
    return PassageBlock(kind, "별표 1", text, cells, quoted, ((0, len(text)),) if quoted else ())


def row(*values: str, quoted: bool = False) -> PassageBlock:
    return block("row", "\t".join(values), tuple(zip(("직급", "일비"), values, strict=True)), quoted)


def test_rows_that_belong_together_are_one_table() -> None:
    blocks = [
        block("article", "별표 1 여비"), block("row", "직급\t일비"), row("부장", "3만원", quoted=True),
        row("대리", "2만원"), block("text", "비고"),
    ]  # fmt: skip
    title, table, note = arranged(blocks)
    assert isinstance(title, Line)
    assert isinstance(note, Line)
    assert isinstance(table, Table)
    assert [[cell.pieces for cell in line] for line in table.head] == [[(("직급", False),), (("일비", False),)]]
    assert [one.quoted for one in table.rows] == [True, False]
    assert table.rows[0].cells == ((("부장", True),), (("3만원", True),))


def test_merged_headings_are_one_cell_again() -> None:
    blocks = [block("row", "직급\t여비\t여비\n직급\t일비\t식비"), replace(row("부장", "1"), text="부장\t1\t2")]
    blocks[1] = replace(blocks[1], cells=(("직급", "부장"), ("일비", "1"), ("식비", "2")))
    [table] = arranged(blocks)
    assert isinstance(table, Table)
    assert [(cell.down, cell.across) for line in table.head for cell in line] == [(2, 1), (1, 2), (1, 1), (1, 1)]


def test_columns_are_named_where_no_heading_is_there() -> None:
    [table] = arranged([row("부장", "3만원")])
    assert isinstance(table, Table)
    assert [cell.pieces[0][0] for cell in table.head[0]] == ["직급", "일비"]


@settings(deadline=None)
@given(st.text("가나\t\n", max_size=20), st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=4))
def test_no_character_is_lost_by_marking(text: str, marks: list[tuple[int, int]]) -> None:
    [line] = arranged([PassageBlock("paragraph", "", text, (), True, tuple(marks))])
    assert isinstance(line, Line)
    assert "".join(words for words, _ in line.pieces) == text
    marked = {at for first, last in marks for at in range(first, min(last, len(text)))}
    flags = [flag for words, flag in line.pieces for _ in words]
    assert {at for at, flag in enumerate(flags) if flag} == marked


def test_the_page_says_where_it_is_and_leads_on(client: TestClient) -> None:
    page = client.get(f"/c/{PASSAGE.id}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    for words in (
        "복무규정 제21조 제1항",
        "제3장 휴가",
        "2026. 1. 1. 시행",
        "12쪽",
        "<mark>직급</mark> 대리",
        "제22조(이월)",
        "신구대조: 2026. 1. 1. 시행 개정",
        "<td><del>7일</del> 전</td><td><ins>3일</ins> 전</td>",
    ):
        assert words in page.text
    assert 'href="leave.v1.4"' in page.text
    assert "<script" not in page.text
    assert client.get("/passage.css").headers["content-type"].startswith("text/css")


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def hostile() -> Passage:
    blocks = (block("paragraph", HOSTILE, quoted=True), row(HOSTILE, HOSTILE), block(HOSTILE, HOSTILE))
    changed = Amendment(TODAY, True, ((((HOSTILE, True),), ((HOSTILE, False),)), ((), ((HOSTILE, True),))))
    return replace(
        PASSAGE,
        amendments=(changed,),
        document=HOSTILE,
        address=HOSTILE,
        breadcrumb=(HOSTILE,),
        blocks=blocks,
        link="javascript:alert(1)",
    )


def test_nothing_of_a_document_is_markup() -> None:
    page = render(hostile())
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in page
    assert "onerror=alert(1)&gt;" in page
    assert 'href="https://wiki.example/1"' in render(replace(PASSAGE, link="https://wiki.example/1"))


@pytest.mark.parametrize("name", ["none", "a~b~1~0-1"])
def test_what_is_not_there_is_told_as_a_page(name: str) -> None:
    class Empty(FakeRuntime):
        def passage(self, citation_id: str, context: Context) -> Passage:
            raise NotFound("in /srv/data", for_people="그런 인용이 없습니다.")

    with TestClient(create_app(Empty())) as client:
        page = client.get(f"/c/{name}")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "그런 인용이 없습니다." in page.text
    assert "/srv" not in page.text
