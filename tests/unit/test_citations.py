from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbots.citations import Place, cite, common_address, read_id, stands_in
from ragbots.errors import NotFound
from ragbots.types import Address, Chunk, Document, Level, Step

BOT_IDS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
NUMBERS = st.integers(0, 999_999)


@given(BOT_IDS, NUMBERS, NUMBERS, NUMBERS)
def test_an_id_reads_back(bot: str, chunk: int, first: int, last: int) -> None:
    place = Place(bot, "20261123-101500-ab12cd", chunk, (first, last))
    assert read_id(place.id) == place


@given(st.lists(st.integers(0, 999), min_size=4, max_size=20, unique=True).map(sorted))
def test_an_id_of_several_ranges_reads_back_with_the_blocks_between_left_out(cuts: list[int]) -> None:
    parts = tuple(zip(cuts[:-1:2], cuts[1::2], strict=True))
    place = Place("travel", "v1", 7, (parts[0][0], parts[-1][1]), parts)
    assert read_id(place.id) == place
    assert place.quoted == tuple(number for first, last in parts for number in range(first, last))


@pytest.mark.parametrize(
    "text",
    [
        "bot~v~1~0-1_", "bot~v~1~_0-1", "bot~v~1~0-1_2",
        "", "x", "bot~v~1", "bot~v~1~2",
        "bot~v~-1~0-1", "bot~v~1~0-1~x", "Bot~v~1~0-1", "bot~../v~1~0-1", "a/b~v~1~0-1",
        "bot~v~1~0-1\n", "bot~v~٣~0-1", f"bot~v~{'9' * 5000}~0-1", "~" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_id_is_not_found(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(NotFound) as caught:
        read_id(text)
    assert time.monotonic() - began < 1
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    ("quote", "text", "stands"),
    [
        ("15일의 유급휴가", "1년간 80퍼센트 이상 출근한 근로자에게 15일의\n유급휴가를 주어야 한다.", True),
        ("1200000원", "한도는 1,200,000원으로 한다", True),
        ("출장비·숙박비", "출장비ㆍ숙박비는", True),
        ("25일의 유급휴가", "15일의 유급휴가", False),
        ("유급휴가를 준다", "유급휴가를 주어야 한다", False),
        ("", "무엇이든", False),
        (" , ", "무엇, 이든", False),
    ],
)
def test_quoted_words_stand_in_the_text_or_not(quote: str, text: str, stands: bool) -> None:
    assert stands_in(quote, text) is stands


def steps(*levels_and_numbers: tuple[Level, int]) -> Address:
    return Address(tuple(Step(level, number) for level, number in levels_and_numbers))


A17 = steps((Level.ARTICLE, 17))
A17_1 = steps((Level.ARTICLE, 17), (Level.PARAGRAPH, 1))
A17_1_2 = steps((Level.ARTICLE, 17), (Level.PARAGRAPH, 1), (Level.ITEM, 2))
A17_1_3 = steps((Level.ARTICLE, 17), (Level.PARAGRAPH, 1), (Level.ITEM, 3))
A18 = steps((Level.ARTICLE, 18))


@pytest.mark.parametrize(
    ("addresses", "common"),
    [
        ([], Address()),
        ([A17_1_2], A17_1_2),
        ([A17_1_2, A17_1_3], A17_1),
        ([A17_1_2, A17_1], A17_1),
        ([A17_1, A17], A17),
        ([A17, A18], Address()),
    ],
)
def test_the_deepest_address_that_holds_all(addresses: list[Address], common: Address) -> None:
    assert common_address(addresses) == common


def test_a_citation_says_where_its_words_stand() -> None:
    chunk = Chunk("k", "d", A17_1, ("여비규정",), "숙박비", "①…", (3, 5), page=4)
    document = Document("d", "여비/규정.pdf", "여비규정", "0" * 64, (), link="https://x/1")
    place = Place("travel", "v1", 7, (3, 5))
    citation = cite(place, chunk, document, "제17조 제1항", "숙박비는")
    assert (citation.source, citation.document, citation.link, citation.page) == (
        "여비/규정.pdf",
        "여비규정",
        "https://x/1",
        4,
    )
    assert (citation.article, citation.address, citation.quote) == ("제17조", "제17조 제1항", "숙박비는")
    assert read_id(citation.id) == place
