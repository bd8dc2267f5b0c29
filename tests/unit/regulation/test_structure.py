"""What a reader of a regulation expects to find under which address."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbots.regulation import parse
from ragbots.types import (
    Block,
    BlockKind,
    Document,
    Element,
    ElementKind,
    Level,
    OmissionKind,
    Regulation,
    count_characters,
    element_text,
)

Read = Callable[..., Regulation]
Table = Callable[..., Element]


def addresses(blocks: Iterable[Block], kind: BlockKind) -> list[str]:
    return [str(block.address) for block in blocks if block.kind is kind]


def articles(regulation: Regulation) -> list[str]:
    return addresses(regulation.blocks, BlockKind.ARTICLE)


def texts(regulation: Regulation, address: str) -> list[str]:
    return [block.text for block in regulation.blocks if str(block.address) == address]


def test_a_statute_with_chapters_paragraphs_items_and_subitems(read: Read) -> None:
    regulation = read(
        "# 여비규정",
        "## 제1장 총칙 <개정 2020. 1. 1.>",
        "### 제1절 통칙",
        "##### 제17조의2 (근로조건의 명시)",
        "①  사용자는 다음 각 호의 사항을 명시한다. <개정 2010.5.25>",
        "  1. 임금",
        "  1의2. 수당",
        "    가. 직책수당",
        "    나. 자격수당",
        " 1) 기사",
        "② 삭제 <2017.11.28>",
        "[본조신설 2009. 1. 1.]",
    )
    assert [(block.kind.value, str(block.address)) for block in regulation.blocks] == [
        ("title", ""),
        ("chapter", "제1장"),
        ("chapter", "제1장 제1절"),
        ("article", "제17조의2"),
        ("paragraph", "제17조의2 제1항"),
        ("item", "제17조의2 제1항 제1호"),
        ("item", "제17조의2 제1항 제1호의2"),
        ("subitem", "제17조의2 제1항 제1호의2 가목"),
        ("subitem", "제17조의2 제1항 제1호의2 나목"),
        ("subitem", "제17조의2 제1항 제1호의2 나목"),
        ("paragraph", "제17조의2 제2항"),
        ("note", "제17조의2"),
    ]
    assert regulation.blocks[4].path == ("제1장 총칙", "제1절 통칙")
    assert {block.heading for block in regulation.blocks[3:]} == {"근로조건의 명시"}


@pytest.mark.parametrize(
    "heading",
    [
        "##### 제1조 (목적)",
        "### 제1조(목적)",
        "제1조(목적)",
        "제1조 (목적)",
        "제 1 조 (목적)",
        "제1조【목적】",
        "제1조[목적] <신설 2020. 1. 1.>",
        "#### 제1조 목적",
        "제1조 목적",
        "제1조(목적) 이 규정은 여비를 정한다.",
        "제1조(목적)이 규정은 여비를 정한다.",
    ],
)
def test_every_look_of_an_article_heading(read: Read, heading: str) -> None:
    regulation = read(heading, "더 자세한 것은 따로 정한다.", "제2조(정의)", "① 용어의 뜻은 다음과 같다.")
    assert articles(regulation) == ["제1조", "제2조"]
    assert regulation.blocks[0].heading == "목적"
    body = texts(regulation, "제1조")[1:]
    assert body[-1].endswith("더 자세한 것은 따로 정한다.")
    assert ("이 규정은" in heading) == body[0].startswith("이 규정은")


def test_text_on_the_heading_line_begins_its_own_paragraph(read: Read) -> None:
    regulation = read("제3조(적용범위) ① 이 규정은 임직원에게 적용한다.", "② 외부인력에게도 적용한다.")
    assert articles(regulation) == []  # one article that is not the first may be a quotation
    regulation = read("제1조(적용범위) ① 이 규정은 임직원에게 적용한다.", "② 외부인력에게도 적용한다.")
    assert addresses(regulation.blocks, BlockKind.PARAGRAPH) == ["제1조 제1항", "제1조 제2항"]


@pytest.mark.parametrize(
    "reference",
    [
        "제10조제2항에 따라 지급한다.",
        "제3조부터 제5조까지의 규정은 준용한다.",
        "제20조의 규정에 의한 수당은 지급하지 아니한다.",
        "제3조(적용범위)에 따른 임직원은 예외로 한다.",
        "제3조(적용범위) 및 제4조(정의)에 따른다.",
        "제3조 각 호의 어느 하나에 해당하는 사람",
        "제3조 단서",
        "제9조(제2항은 제외한다)의 금액",
    ],
)
def test_a_line_that_begins_with_a_cross_reference_is_no_heading(read: Read, reference: str) -> None:
    regulation = read(
        "제1조(목적) 이 규정은", reference, "제2조(정의) 뜻은 다음과 같다.", "제3조(적용범위) 모두에게 적용한다."
    )
    assert articles(regulation) == ["제1조", "제2조", "제3조"]
    assert reference in texts(regulation, "제1조")[-1]


def test_a_quoted_heading_that_does_not_fit_the_numbers_is_text(read: Read) -> None:
    regulation = read(
        "제1조(목적) 이 규정은 여비를 정한다.",
        "제2조(정의) 뜻은 다음과 같다.",
        "제60조(연차 유급휴가) 사용자는 휴가를 준다.",
        "제3조(적용) 모두에게 적용한다.",
        "제4조(보칙) 따로 정한다.",
    )
    assert articles(regulation) == ["제1조", "제2조", "제3조", "제4조"]


def test_repealed_articles_keep_their_place(read: Read) -> None:
    regulation = read(
        "### 제1조(목적)",
        "정한다.",
        "### 제2조 삭제 <2020. 6. 30.>",
        "제3조 삭제 <2020. 6. 30.>",
        "### 제4조(보칙)",
        "끝.",
    )
    assert articles(regulation) == ["제1조", "제2조", "제3조", "제4조"]


def test_a_title_broken_over_two_lines_is_mended(read: Read) -> None:
    regulation = read(
        "제1조(목적) 정한다.", "제2조(개인정보의 처리 및", "관리) ① 처리한다.", "제3조", "(위임)", "따로 정한다."
    )
    assert articles(regulation) == ["제1조", "제2조", "제3조"]
    assert [b.heading for b in regulation.blocks if b.kind is BlockKind.ARTICLE] == [
        "목적",
        "개인정보의 처리 및 관리",
        "위임",
    ]


def test_wrapped_lines_belong_to_the_block_above(read: Read) -> None:
    regulation = read("제1조(목적)", "① 여비는 다음 각 호와", "같이 지급한다.", "1. 교통비", "와 숙박비", "다. 위의 것")
    assert texts(regulation, "제1조 제1항") == ["① 여비는 다음 각 호와\n같이 지급한다."]
    assert texts(regulation, "제1조 제1항 제1호") == ["1. 교통비\n와 숙박비\n다. 위의 것"]


def test_items_count_in_order_and_dates_do_not_count(read: Read) -> None:
    regulation = read("제1조(시행)", "다음과 같다.", "1. 하나", "30. 서른", "2. 둘", "4. 넷 (3은 빠짐)")
    assert addresses(regulation.blocks, BlockKind.ITEM) == ["제1조 제1호", "제1조 제2호", "제1조 제4호"]


def test_items_with_a_parenthesis_and_below_one_with_a_dot(read: Read) -> None:
    regulation = read(
        "제1조(가)", "다음과 같다.", "1) 하나", "2) 둘", "제2조(나)", "같다.", "1. 하나", "1) 하나의 하나"
    )
    assert addresses(regulation.blocks, BlockKind.ITEM) == ["제1조 제1호", "제1조 제2호", "제2조 제1호"]
    assert addresses(regulation.blocks, BlockKind.SUBITEM) == ["제2조 제1호"]


def test_annex_tables_have_rows_with_addresses_and_column_names(read: Read, table: Table) -> None:
    regulation = read(
        "# 여비규정",
        "### 제1조(목적)",
        "정한다.",
        "## 별표 1 국내 여비 정액표(제10조 관련)",
        "(단위: 원)",
        table("구분 | 일비", "2급 | 30,000", "3급 | 25,000"),
        "비고: 1. 철도는 실비로 한다.",
        "## 부칙 <2011. 3. 2.>",
        "제1조(시행일) 이 규정은 2011년 4월 1일부터 시행한다.",
    )
    rows = [block for block in regulation.blocks if block.cells]
    assert [str(block.address) for block in rows] == ["별표 1 1행", "별표 1 2행"]
    assert rows[1].cells == (("구분", "3급"), ("일비", "25,000원"))
    assert rows[1].text == "3급\t25,000"
    assert rows[0].heading == "국내 여비 정액표(제10조 관련)"
    assert texts(regulation, "별표 1")[1:] == ["(단위: 원)", "구분\t일비", "비고: 1. 철도는 실비로 한다."]
    assert articles(regulation) == ["제1조", "별표 1", "부칙 <2011. 3. 2.>", "부칙 <2011. 3. 2.> 제1조"]


def test_two_header_rows_and_rows_counted_through_all_tables_of_an_annex(read: Read, table: Table) -> None:
    regulation = read(
        "[별표 1]",
        "여비표",
        table("구분 | 숙박 | 숙박", "구분 | 서울 | 부산", "2급 | 10 | 8", header_rows=2),
        table("3급 | 7 | 6", header_rows=0),
    )
    rows = [block for block in regulation.blocks if block.cells]
    assert rows[0].cells == (("구분", "2급"), ("숙박 서울", "10"), ("숙박 부산", "8"))
    assert [str(block.address) for block in rows] == ["별표 1 1행", "별표 1 2행"]
    assert rows[0].heading == "여비표"


def test_a_table_inside_an_article(read: Read, table: Table) -> None:
    regulation = read(
        "### 제1조(금액)", "① 다음 표와 같다.", table("구분 | 금액", "가 | 1", "나 | 2"), "② 매년 정한다."
    )
    assert addresses(regulation.blocks, BlockKind.ROW) == ["제1조 제1항", "제1조 제1항 1행", "제1조 제1항 2행"]
    assert addresses(regulation.blocks, BlockKind.PARAGRAPH) == ["제1조 제1항", "제1조 제2항"]


@pytest.mark.parametrize(
    ("line", "address", "title"),
    [
        ("## 별표 1 국내 여비(제10조 관련)", "별표 1", "국내 여비(제10조 관련)"),
        ("[별표 2] 국외 여비", "별표 2", "국외 여비"),
        ("[별표 3의2]", "별표 3의2", ""),
        ("■ 여비규정 시행세칙 [별표 1] <개정 2020. 1. 1.>", "별표 1", ""),
        ("별표", "별표", ""),
        ("별표 1. 국내 여비", "별표 1", "국내 여비"),
        ("[별지 제1호서식] 신청서", "별지 1", "신청서"),
        ("별지 제3호의2 서식", "별지 3의2", ""),
    ],
)
def test_every_look_of_an_annex_heading(read: Read, line: str, address: str, title: str) -> None:
    regulation = read("제1조(목적) 정한다.", line, "1. 일반기준", "  가. 위반의 정도")
    (heading,) = [block for block in regulation.blocks if str(block.address) == address]
    assert (heading.kind, heading.heading) == (BlockKind.ARTICLE, title)
    assert texts(regulation, f"{address} 제1호 가목") == ["가. 위반의 정도"]


@pytest.mark.parametrize(
    "line",
    [
        "별표 1에 따라 지급한다.",
        "별표 1의 금액",
        "별표 2 및 별표 3에 따른다",
        "별표 1 중 금액을 고친다.",
        "[별표 1]의 금액을 준다.",
    ],
)
def test_a_mention_of_an_annex_is_text(read: Read, line: str) -> None:
    regulation = read("제1조(목적) 여비는", line)
    assert articles(regulation) == ["제1조"]


def test_several_addenda_never_count_as_body(read: Read) -> None:
    regulation = read(
        "##### 제1조 (목적)",
        "정한다.",
        "##### 제2조 (정의)",
        "뜻은 다음과 같다.",
        "## 부칙",
        "부칙 <제5305호,1997.3.13>",
        "제1조 (시행일) 이 법은 공포한 날부터 시행한다.",
        "제2조 내지 제4조 생략",
        "제5조 (다른 법령의 개정) ①여비규정중 다음과 같이 개정한다.",
        '제24조중 "국내"를 "국외"로 한다.',
        "제30조(벌칙) 다음과 같이 한다.",
        "②생략",
        "부칙(정부조직법) <제8852호,2008.2.29>",
        "이 법은 공포한 날부터 시행한다.",
        "부칙(2025. 12. 18.)",
        "①(시행일) 이 규정은 2026년 1월 1일부터 시행한다.",
        "부칙 제2조에 따라 본다.",
    )
    old = "부칙 <제5305호, 1997. 3. 13.>"
    assert articles(regulation) == [
        "제1조",
        "제2조",
        old,
        f"{old} 제1조",
        f"{old} 제5조",
        "부칙 <제8852호, 2008. 2. 29.>",
        "부칙 <2025. 12. 18.>",
    ]
    assert texts(regulation, f"{old} 제5조 제1항")[0].endswith("제30조(벌칙) 다음과 같이 한다.")
    assert texts(regulation, old)[1:] == ["제2조 내지 제4조 생략"]
    assert texts(regulation, "부칙 <2025. 12. 18.> 제1항")[0].endswith("부칙 제2조에 따라 본다.")
    assert next(b.heading for b in regulation.blocks if str(b.address).endswith("2008. 2. 29.>")) == "정부조직법"


def test_unlabelled_addenda_stay_apart(read: Read) -> None:
    regulation = read(
        "제1조(목적) 정한다.", "부 칙", "제1조(시행일) 시행한다.", "부      칙", "제1조(시행일) 또 시행한다."
    )
    assert articles(regulation) == ["제1조", "부칙", "부칙 제1조", "부칙(2)", "부칙(2) 제1조"]


def test_the_body_may_go_on_after_an_annex(read: Read) -> None:
    regulation = read(
        "## 제1조(가)", "가.", "## 별표 1 표", "값", "### 제1조(계약서)", "서식의 조문", "## 제2조(나)", "나."
    )
    assert articles(regulation) == ["제1조", "별표 1", "제2조"]


@pytest.mark.parametrize("leader", ["", " ········ 3", "\t3"])
def test_a_table_of_contents_makes_no_articles(read: Read, leader: str) -> None:
    heads = ["제1장 총칙", "제1조(목적)", "제2조(정의)", "제2장 보칙", "제3조(위임)", "부칙"]
    regulation = read(
        "여비규정",
        "목 차",
        *(head + leader for head in heads),
        "제1장 총칙",
        "제1조(목적) 정한다.",
        "제2조(정의)",
        "뜻은 다음과 같다.",
        "제2장 보칙",
        "제3조(위임) 따로 정한다.",
        "부칙",
        "시행한다.",
    )
    assert articles(regulation) == ["제1조", "제2조", "제3조", "부칙"]
    assert addresses(regulation.blocks, BlockKind.CHAPTER) == ["제1장", "제2장"]
    (omission,) = regulation.omissions
    assert omission.what == "table of contents"


def test_a_plain_page_has_headings_and_text_without_addresses(read: Read, table: Table) -> None:
    regulation = read(
        "# 복지 안내",
        "들어가는 말",
        "## 신청",
        "1. 그룹웨어에 들어간다.",
        "### 서류",
        table("서류 | 발급처", "등본 | 주민센터"),
        "## 문의",
        "총무부",
        title="복지 안내",
    )
    assert not any(block.address for block in regulation.blocks)
    assert [(b.kind.value, b.path) for b in regulation.blocks] == [
        ("title", ()),
        ("text", ()),
        ("heading", ()),
        ("text", ("신청",)),
        ("heading", ("신청",)),
        ("row", ("신청", "서류")),
        ("row", ("신청", "서류")),
        ("heading", ()),
        ("text", ("문의",)),
    ]


def test_one_wall_of_text_is_one_block(read: Read) -> None:
    regulation = read("가나다 " * 5000)
    assert [block.kind for block in regulation.blocks] == [BlockKind.TEXT]


def test_an_empty_document_has_no_blocks(read: Read) -> None:
    assert read().blocks == ()


def test_pages_are_those_of_the_first_line() -> None:
    lines = [("제1조(목적) 정한다.", 1), ("① 길게", 1), ("이어진다.", 2), ("② 다음", 2)]
    elements = tuple(Element(ElementKind.TEXT, text, page=page) for text, page in lines)
    regulation = parse(Document("d", "d.pdf", "d", "0", elements))
    assert [block.page for block in regulation.blocks] == [1, 1, 1, 2]


_LINES = st.sampled_from(
    [
        "목차",
        "제1장 총칙",
        "제2절",
        "제1조(목적)",
        "제2조 (정의) ① 뜻은",
        "제3조 삭제 <2020. 1. 1.>",
        "제2조의2(특례) 이 규정은",
        "제9조에 따라",
        "제4조",
        "① 다음 각 호",
        "② 삭제",
        "1. 임금",
        "2의2. 수당",
        "1) 하나",
        "가. 목",
        "나. 목",
        "<16> 개정",
        "[시행일] 다음 각 호",
        "[전문개정",
        "<개정 2010.1.1>",
        "별표 1 금액",
        "[별표 2]",
        "■ 규정 [별지 제1호서식]",
        "부칙",
        "부칙 <제1호,2010.1.1> 시행한다.",
        "부 칙(2020. 1. 1.)",
        "비고: 1. 가",
        "(단위: 원)",
        "이 규정은 시행한다.",
        "제1조부터 제3조까지 생략",
        "(목적)",
        "제5조(닫히지 않은",
        "관리) 한다.",
        "여비규정",
        "   ",
        "가\n나\n제6조(줄바꿈)",
    ]
)
_ELEMENTS = st.one_of(
    st.builds(Element, st.just(ElementKind.TEXT), st.one_of(_LINES, st.text(max_size=40))),
    st.builds(Element, st.just(ElementKind.HEADING), _LINES, level=st.integers(0, 6)),
    st.just(Element(ElementKind.PICTURE, "그림 1")),
    st.builds(
        lambda rows, header: Element(ElementKind.TABLE, "", rows=tuple(map(tuple, rows)), header_rows=header),
        st.lists(st.lists(st.sampled_from(["", "가", "1,000원", "여러\n줄"]), max_size=3), max_size=4),
        st.integers(0, 2),
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(_ELEMENTS, max_size=40))
def test_no_character_is_lost_or_doubled_and_the_order_stays(elements: list[Element]) -> None:
    document = Document("doc", "d.md", "여비규정", "0", tuple(elements))
    regulation = parse(document)
    kept = sum(count_characters(block.text) for block in regulation.blocks)
    assert kept + sum(omission.characters for omission in regulation.omissions) == document.characters
    source = "".join("".join(map(element_text, elements)).split())
    if not regulation.omissions:
        assert "".join("".join(block.text for block in regulation.blocks).split()) == source
    for block in regulation.blocks:
        if block.cells:
            assert Counter("".join("".join(v for _, v in block.cells).split())) == Counter("".join(block.text.split()))
        assert block.kind is not BlockKind.ARTICLE or block.address.steps[-1].level in (
            Level.ARTICLE, Level.ADDENDUM, Level.ANNEX, Level.FORM,
        )  # fmt: skip


def cells(regulation: Regulation) -> list[tuple[str, ...]]:
    return [tuple(f"{name}={value}" for name, value in block.cells) for block in regulation.blocks if block.cells]


def paged(element: Element, page: int) -> Element:
    return replace(element, page=page)


def test_a_table_that_goes_on_after_a_page_break_is_one_table(read: Read, table: Table) -> None:
    first = paged(table("구분 | 일비", "1급 | 30,000원", "2급 | 25,000원"), 1)
    again = paged(table("구분 | 일비", "3급 | 20,000원"), 2)
    headless = paged(table("4급 | 15,000원", "5급 | 10,000원"), 3)  # its first row looks like a heading
    regulation = read("## 별표 1 여비", first, "별표 1 여비(계속)", again, headless)
    assert [str(block.address) for block in regulation.blocks if block.cells] == [f"별표 1 {n}행" for n in range(1, 6)]
    assert cells(regulation)[2:] == [
        ("구분=3급", "일비=20,000원"),
        ("구분=4급", "일비=15,000원"),
        ("구분=5급", "일비=10,000원"),
    ]
    assert {omission.what for omission in regulation.omissions} == {"repeated heading", "table heading"}
    assert all(omission.expected for omission in regulation.omissions)


def test_two_tables_in_one_annex_keep_their_own_columns(read: Read, table: Table) -> None:
    regulation = read(
        "## 별표 1 수당",
        "1. 직책수당",
        table("직책 | 금액", "부장 | 50,000원"),
        table("자격 | 금액", "노무사 | 150,000원"),
        "2. 가족수당",
        table("관계 | 금액", "배우자 | 40,000원"),
    )
    assert cells(regulation) == [
        ("직책=부장", "금액=50,000원"),
        ("자격=노무사", "금액=150,000원"),
        ("관계=배우자", "금액=40,000원"),
    ]
    rows = [str(block.address) for block in regulation.blocks if block.cells]
    assert rows == ["별표 1 제1호 1행", "별표 1 제1호 2행", "별표 1 제2호 1행"]


@pytest.mark.parametrize(
    ("unit", "column", "value", "shown"),
    [
        ("(단위: 원)", "일비", "30,000", "30,000원"),
        ("(단위 : 천원)", "일비", "30", "30천원"),
        ("(단위: 원)", "인원", "300", "300"),  # counts something else
        ("(단위: 원)", "일비", "실비", "실비"),
        ("(단위: 원)", "일비", "3", "3"),  # no amount of money that is paid
        ("(단위: 명, 원)", "일비", "30,000", "30,000"),  # which of the two is not said
        ("비고", "금액(천원)", "30", "30천원"),
    ],
)
def test_a_number_is_read_with_the_unit_of_its_column_or_table(
    read: Read, table: Table, unit: str, column: str, value: str, shown: str
) -> None:
    regulation = read("## 별표 1 여비", unit, table(f"구분 | {column}", f"1급 | {value}"))
    assert cells(regulation) == [("구분=1급", f"{column}={shown}")]


def test_the_unit_over_one_table_says_nothing_of_the_next(read: Read, table: Table) -> None:
    first, second = table("구분 | 일비", "1급 | 30,000"), table("구역 | 값 | 비고", "가 | 30,000 | 없음")
    assert cells(read("## 별표 1 여비", "(단위: 원)", first, second))[1] == ("구역=가", "값=30,000", "비고=없음")


PICTURE = Element(ElementKind.PICTURE, "image1.png")


def annexes_without_text(regulation: Regulation) -> list[tuple[str, str]]:
    return [(o.what, o.where) for o in regulation.omissions if o.kind is OmissionKind.ANNEX and not o.expected]


def test_an_annex_that_is_only_a_picture_or_only_a_heading_is_named(read: Read, table: Table) -> None:
    regulation = read(
        "제1조(목적) 정한다.",
        "## 별표 1 직인의 규격 <개정 2020. 1. 1.>",
        PICTURE,
        "## 별표 2 여비",
        PICTURE,
        table("구분 | 일비", "1급 | 30,000원"),
        "## 별표 3 삭제 <2020. 1. 1.>",
        "[별지 제1호서식] 신청서",
    )
    assert annexes_without_text(regulation) == [("별표 1 직인의 규격", "별표 1"), ("별지 1 신청서", "별지 1")]
    assert ["picture" in o.why for o in regulation.omissions] == [True, False]


def test_a_list_of_annexes_before_the_annexes_themselves_is_no_loss(read: Read) -> None:
    regulation = read(
        "제1조(목적) 정한다.", "## 별표 1 여비", "## 별표 2 운임", "## 별표 1 여비", "1. 일비", "## 별표 2 운임", "2급"
    )
    assert annexes_without_text(regulation) == []
