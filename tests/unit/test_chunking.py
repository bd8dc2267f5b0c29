"""What is embedded: whole articles where they fit, never a part without its heading, nothing lost unsaid."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbots.chunking import ChunkLimits, cut
from ragbots.regulation import bare_annexes, is_elided, is_repealed, parse, strip_notes
from ragbots.types import (
    BlockKind,
    Chunk,
    Document,
    Element,
    ElementKind,
    Level,
    Omission,
    Regulation,
    count_characters,
)

HEADINGS = (BlockKind.TITLE, BlockKind.CHAPTER, BlockKind.HEADING, BlockKind.ARTICLE)
SMALL = ChunkLimits(max_tokens=60, window=80)


class Words:
    """Counts a token for every two characters and two for the ends; remembers how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, texts: list[str]) -> list[int]:
        self.calls += 1
        return [2 + (len(text) + 1) // 2 for text in texts]


def element(line: str | Element) -> Element:
    if isinstance(line, Element):
        return line
    hashes = len(line) - len(line.lstrip("#"))
    if hashes:
        return Element(ElementKind.HEADING, line[hashes:].strip(), level=hashes)
    return Element(ElementKind.TEXT, line)


def table(*rows: str) -> Element:
    return Element(ElementKind.TABLE, "", rows=tuple(tuple(row.split("|")) for row in rows), header_rows=1)


def document(*lines: str | Element, title: str = "여비규정") -> Document:
    return Document("doc", "여비규정.md", title, "0" * 64, tuple(element(line) for line in lines))


def chunks_of(*lines: str | Element, limits: ChunkLimits = SMALL, title: str = "여비규정") -> tuple[Chunk, ...]:
    source = document(*lines, title=title)
    return cut(source, parse(source), limits, Words())[0]


def omissions_of(*lines: str | Element) -> list[tuple[str, str]]:
    source = document(*lines)
    return [(o.what, o.where) for o in cut(source, parse(source), SMALL, Words())[1]]


def test_an_article_that_fits_is_one_chunk_under_its_headings() -> None:
    first, second = chunks_of(
        "# 여비규정",
        "## 제1장 총칙 <개정 2020. 1. 1.>",
        "### 제1조(목적) <개정 2020. 1. 1.>",
        "여비를 정한다. <개정 2020. 1. 1.>",
        "### 제2조(정의)",
        "① 뜻은 다음과 같다.",
        "  1. 출장",
    )
    assert first.passage == "여비규정 › 제1장 총칙 › 제1조(목적)\n여비를 정한다."
    assert (str(first.address), first.heading, first.blocks) == ("제1조", "목적", (0, 4))
    assert second.text == "① 뜻은 다음과 같다.\n1. 출장"
    assert second.blocks == (4, 7)


def test_a_long_article_is_cut_at_its_paragraphs_then_items() -> None:
    chunks = chunks_of(
        "### 제1조(휴가)",
        "① " + "짧은 항이다. " * 4,
        "② 다음 각 호와 같다.",
        *(f"{number}. " + "호의 내용이다. " * 5 for number in range(1, 6)),
        "③ 끝.",
    )
    assert [str(chunk.address) for chunk in chunks][:1] == ["제1조 제1항"]
    assert all(chunk.breadcrumb == ("여비규정", "제1조(휴가)") for chunk in chunks)
    assert all(chunk.text.startswith(("①", "②", "③", "1.", "2.", "3.", "4.", "5.")) for chunk in chunks)
    assert chunks[1].text.startswith("② 다음 각 호와 같다.\n1.")  # a lead-in is not alone


def test_small_neighbours_are_packed_evenly() -> None:
    chunks = chunks_of("### 제1조(정의)", "뜻은 다음과 같다.", *(f"{n}. 열 글자쯤 되는 호" for n in range(1, 13)))
    assert 2 <= len(chunks) <= 4
    assert max(c.tokens for c in chunks) <= 2 * min(c.tokens for c in chunks)


def test_annex_rows_say_their_columns_and_every_chunk_says_the_annex_and_its_unit() -> None:
    chunks = chunks_of(
        "## 별표 1 국내 여비(제10조 관련)",
        "(단위: 원)",
        table("구분|일비", *(f"{grade}급 직원|{grade}0,000" for grade in range(1, 9))),
    )
    assert len(chunks) > 1
    assert all(chunk.breadcrumb == ("여비규정", "별표 1 국내 여비(제10조 관련)", "(단위: 원)") for chunk in chunks)
    assert "구분: 2급 직원 | 일비: 20,000원" in "\n".join(chunk.text for chunk in chunks).split("\n")
    assert "구분 | 일비" not in "\n".join(chunk.text for chunk in chunks)


def test_a_row_longer_than_the_window_is_cut_at_its_cells_and_nothing_is_cut_off() -> None:
    cells = ["가" * 70, "나 다. " * 30, "다" * 300]
    chunks = chunks_of("## 별표 1 표", table("하나|둘|셋", "|".join(cells)))
    assert all(chunk.tokens <= SMALL.window for chunk in chunks)
    letters = "".join("".join(chunk.text for chunk in chunks).split())
    assert letters.replace("|", "") == "하나:" + cells[0] + "둘:" + cells[1].replace(" ", "") + "셋:" + cells[2]


def test_what_carries_no_rule_is_reported() -> None:
    lines = ("### 제1조(목적)", "① 정한다. <개정 2020. 1. 1.>", "② 삭제 <2020. 1. 1.>", "[전문개정 2020. 1. 1.]")
    more = ("### 제2조 삭제 <2020. 1. 1.>", "### 제3조(빈 조)", "## 제2장 삭제 <2020. 1. 1.>", "## 부칙", "① 생략")
    assert omissions_of(*lines, *more) == [
        ("repealed", "제1조 제2항"),
        ("repealed", "제2조"),
        ("heading", "제3조"),
        ("heading", "제2장"),
        ("heading", "부칙"),
        ("elided", "부칙 제1항"),
        ("note", "여비규정.md"),
    ] or omissions_of(*lines, *more)[3] == ("repealed", "제2장")
    (chunk,) = chunks_of(*lines, *more)
    assert chunk.text == "① 정한다."


def test_addenda_articles_are_chunks_with_their_addendum_in_the_breadcrumb() -> None:
    (chunk,) = chunks_of("## 부칙", "부칙(정부조직법) <제8852호,2008.2.29>", "제1조(시행일) 공포한 날부터 시행한다.")
    assert chunk.breadcrumb == ("여비규정", "부칙(정부조직법) <제8852호, 2008. 2. 29.>", "제1조(시행일)")
    assert str(chunk.address) == "부칙 <제8852호, 2008. 2. 29.> 제1조"
    assert chunk.blocks == (0, 4)


def test_a_plain_page_is_cut_by_headings_then_paragraphs() -> None:
    chunks = chunks_of(
        "# 안내",
        "들어가는 말",
        "## 신청",
        "그룹웨어에 들어간다.",
        "### 서류",
        "문장이다. " * 40,
        "## 문의",
        "총무부",
        title="안내",
    )
    assert {str(chunk.address) for chunk in chunks} == {""}
    assert [chunk.breadcrumb for chunk in chunks][:3] == [("안내",), ("안내", "신청"), ("안내", "신청", "서류")]
    assert (chunks[-1].heading, chunks[-1].text) == ("문의", "총무부")
    assert all(chunk.text.endswith(".") for chunk in chunks[1:-1])  # cut between sentences


def test_ids_depend_on_content_alone_and_twins_differ() -> None:
    lines = ("### 제1조(가)", "정한다.", "### 제2조(나)", "뜻.")
    assert [c.id for c in chunks_of(*lines)] == [c.id for c in chunks_of(*lines)]
    changed = chunks_of("### 제1조(가)", "정한다.", "### 제2조(나)", "다른 뜻.")
    assert changed[0].id == chunks_of(*lines)[0].id
    assert changed[1].id != chunks_of(*lines)[1].id
    first, twin = chunks_of("## 문의", "총무부", "## 연락처", "총무부")
    assert twin.id == f"{first.id}-2"


def test_counting_is_asked_for_in_batches() -> None:
    words = Words()
    source = document(*(line for n in range(1, 101) for line in (f"### 제{n}조(가)", "문장이다. " * 60)))
    chunks, _ = cut(source, parse(source), SMALL, words)
    assert len(chunks) > 300
    assert words.calls < 20


@pytest.mark.parametrize(("most", "window"), [(600, 512), (10, 512)])
def test_impossible_limits_are_refused(most: int, window: int) -> None:
    with pytest.raises(ValueError, match="is not between"):
        ChunkLimits(max_tokens=most, window=window)


_LINES = st.sampled_from(
    [
        "제1장 총칙",
        "제1조(목적)",
        "제2조(정의) ① 뜻은 다음과 같다.",
        "제3조 삭제 <2020. 1. 1.>",
        "제4조(" + "긴제목 " * 12 + ")",
        "① " + "다음 각 호의 어느 하나에 해당한다. " * 3,
        "② 삭제 <2020. 1. 1.>",
        "③ " + "가" * 200,
        "1. 임금",
        "2. 수당 <개정 2020. 1. 1.>",
        "가. 목",
        "[전문개정 2020. 1. 1.]",
        "별표 1 금액",
        "(단위: 원)",
        "부칙",
        "부칙 <제1호,2010.1.1>",
        "이 규정은 시행한다.",
        "여비규정",
        "긴 문장이 이어진다. " * 20,
    ]
)
_ELEMENTS = st.one_of(
    st.builds(Element, st.just(ElementKind.TEXT), st.one_of(_LINES, st.text(max_size=60))),
    st.builds(Element, st.just(ElementKind.HEADING), _LINES, level=st.integers(0, 6)),
    st.builds(
        lambda rows, header: Element(ElementKind.TABLE, "", rows=tuple(map(tuple, rows)), header_rows=header),
        st.lists(st.lists(st.sampled_from(["", "가", "1,000원", "긴 칸 " * 60]), max_size=3), max_size=4),
        st.integers(0, 2),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_ELEMENTS, max_size=30), st.sampled_from(["여비규정", "아주 긴 규정의 이름 " * 20]))
def test_every_block_is_in_one_chunk_or_omission_and_no_chunk_breaks_the_rules(
    elements: list[Element], title: str
) -> None:
    source = document(*elements, title=title)
    regulation = parse(source)
    chunks, omissions = cut(source, regulation, SMALL, Words())
    check_rules(regulation, chunks, SMALL)
    check_nothing_is_lost(source, regulation, chunks, omissions)
    assert len({chunk.id for chunk in chunks}) == len(chunks)


LONGEST_NAME = 100  # characters; a longer heading leaves the breadcrumb, and those above it with it


def check_rules(regulation: Regulation, chunks: tuple[Chunk, ...], limits: ChunkLimits) -> None:
    end = 0
    for chunk in chunks:
        start, stop = chunk.blocks
        blocks = regulation.blocks[start:stop]
        assert chunk.tokens == Words()([chunk.passage])[0] <= limits.window
        assert chunk.text.strip()
        assert start in (end, end - 1) or start > end
        # names too long for a breadcrumb stand in the text, and may fill a chunk
        long_name = any(count > limits.max_tokens // 4 for count in Words()([block.text for block in blocks]))
        long_name = long_name or len(chunk.heading) > LONGEST_NAME
        bare = any(start <= number < stop for number in bare_annexes(regulation.blocks))
        assert long_name or bare or any(block.kind not in HEADINGS for block in blocks), "a heading alone"
        units = {str(b.address.up_to(Level.ARTICLE, Level.ANNEX, Level.FORM)) for b in blocks if b.kind not in HEADINGS}
        assert len(units) <= 1, "a chunk crosses an article"
        end = stop


def check_nothing_is_lost(
    source: Document, regulation: Regulation, chunks: tuple[Chunk, ...], omissions: tuple[Omission, ...]
) -> None:
    """Each block's letters stand in the chunks that hold it, or it is one of those reported."""
    holders: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        for number in range(*chunk.blocks):
            holders.setdefault(number, []).append(chunk)
    reported = [omission.where for omission in omissions]
    for number, block in enumerate(regulation.blocks):
        where = str(block.address) or source.source
        if block.kind is BlockKind.NOTE or not strip_notes(block.text):
            assert source.source in reported
        elif is_repealed(block) or is_elided(block) or number not in holders:
            assert where in reported
        else:
            column_headings = block.kind is BlockKind.ROW and not block.cells  # said by the rows below
            holding = list(chunks) if column_headings else holders[number]
            said = "".join(letters(chunk.text) for chunk in holding)
            names = " ".join(name for chunk in holding for name in chunk.breadcrumb)
            said += letters(names) + letters(re.sub(r"부칙\(\d+\)", "부칙", names))  # the second of two alike
            for part in re.split(r"[\t\n]", block.text):
                assert letters(strip_notes(part)) in said
    assert all(omission.characters > 0 for omission in omissions)
    assert sum(o.characters for o in omissions) <= sum(count_characters(b.text) for b in regulation.blocks)


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def test_an_annex_without_text_keeps_a_chunk_of_its_heading_to_be_found_by() -> None:
    chunks = chunks_of(
        "### 제1조(직인)",
        "직인의 규격은 별표 1과 같다.",
        "## 별표 1 직인의 규격(제1조 관련)",
        Element(ElementKind.PICTURE, "image1.png"),
        "## 별표 2 신청서의 모양",
        "(단위: 밀리미터)",
        "## 별표 3 여비",
        table("구분|일비", "1급|30,000원"),
        "## 별표 4 삭제 <2020. 1. 1.>",
    )
    assert [(str(chunk.address), chunk.text) for chunk in chunks] == [
        ("제1조", "직인의 규격은 별표 1과 같다."),
        ("별표 1", "별표 1 직인의 규격(제1조 관련)"),
        ("별표 2", "별표 2 신청서의 모양\n(단위: 밀리미터)"),
        ("별표 3 1행", "구분: 1급 | 일비: 30,000원"),
    ]
    assert chunks[1].breadcrumb == ("여비규정", "별표 1 직인의 규격(제1조 관련)")
