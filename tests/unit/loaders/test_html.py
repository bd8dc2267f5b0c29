from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragbots.errors import UnreadableDocument
from ragbots.loaders.html import HtmlLoader
from ragbots.types import Document, ElementKind, OmissionKind

Load = Callable[..., Document]


def page(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def texts(document: Document) -> list[str]:
    return [element.text for element in document.elements if element.kind is not ElementKind.PICTURE]


def test_title_date_link_and_headings(load: Load) -> None:
    head = '<title>포털 :: 규정</title><link rel="canonical" href="https://wiki.example.com/7">'
    head += '<meta name="author" content="총무부">'
    document = load("a.html", page("<h1>여비 규정</h1><p>[시행 2026. 1. 1.]</p><h2>제1장 <b>총칙</b></h2><p>글", head))
    assert (document.title, document.link) == ("여비 규정", "https://wiki.example.com/7")
    assert document.effective == date(2026, 1, 1)
    assert dict(document.metadata) == {"author": "총무부"}
    assert [element.level for element in document.elements] == [1, 0, 2, 0]
    assert load("b.html", page("<p>글</p>", head)).title == "포털 :: 규정"
    assert (
        load("c.html", page("<p>여비 규정</p><h1>제1장 총칙</h1><p>글", "<title>여비 규정</title>")).title
        == "여비 규정"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<p>정한다. <개정 2023. 5. 4.> <단서 생략></p>", ["정한다. <개정 2023. 5. 4.> <단서 생략>"]),
        ("<p>한 줄<br>다음  줄\n이어짐</p>", ["한 줄", "다음 줄 이어짐"]),
        ("<p>앞<p>뒤", ["앞", "뒤"]),
        ("<div>앞<div>안</div>뒤</div>", ["앞", "안", "뒤"]),
        ("<p>이 <a href='x'>여비규정</a> 제1<span>조</span></p>", ["이 여비규정 제1조"]),
        ("<pre>첫 줄\n  둘째 줄</pre>", ["첫 줄", "  둘째 줄"]),
        ("<p>10<sup>2</sup>m</p>", ["10²m"]),
        ("<ol><li>임금<li>시간<ol type='a'><li>평일</ol></ol>", ["1. 임금", "2. 시간", "a. 평일"]),
        ("<ol start='3'><li>셋<li value='9'>아홉<li>열</ol>", ["3. 셋", "9. 아홉", "10. 열"]),
        ("<ol reversed><li>둘<li>하나</ol>", ["2. 둘", "1. 하나"]),
        ("<ol style='list-style-type: hangul'><li>평일<li>휴일</ol>", ["가. 평일", "나. 휴일"]),
        ("<ol style='list-style: none'><li>1. 임금</ol>", ["1. 임금"]),
        ("<ol><li><p>임금</p><p>둘째 문단</p></ol>", ["1. 임금", "둘째 문단"]),
        ("<ul><li>점</ul>", ["• 점"]),
        ("<dl><dt>출장<dd>근무지 밖</dl>", ["출장", "근무지 밖"]),
        ("<section><header><h1>제목</h1></header>글<footer>끝글</footer></section>", ["제목", "글", "끝글"]),
        ("<header><h1>제목</h1></header><p>글</p>", ["제목", "글"]),
    ],
)
def test_what_a_browser_shows_is_read(load: Load, written: str, read: list[str]) -> None:
    assert texts(load("a.html", page(written))) == read


def test_what_readers_do_not_see_is_reported(load: Load) -> None:
    hidden = "<div style='color:red; display : none'>숨음</div><p hidden>숨은글</p><template>틀</template><!-- 메모 -->"
    around = "<nav><ul><li>차림표<script>x()</script></ul></nav><header>머리</header><aside>옆글</aside>"
    around += "<footer>바닥</footer>"
    document = load("a.html", page(f"{around}<h1>제목</h1>{hidden}<p>글 <del>지운말</del></p>"))
    assert texts(document) == ["제목", "글"]
    assert sum(one.characters for one in document.omissions) == len("숨음숨은글틀메모차림표x()머리옆글바닥지운말")
    assert all(one.expected for one in document.omissions)


def test_tables_with_merged_cells_and_what_stands_in_them(load: Load) -> None:
    source = (
        "<table><caption>별표 1</caption><tr><th rowspan=2>구분<th colspan=2>숙박비<tr><th>서울<th>그 밖"
        "<tr><td>2급<td>10<img alt='도장' src='a.png'><td>8</table>끝"
    )
    caption, table, stamp, end = load("a.html", page(source)).elements
    assert (caption.text, end.text) == ("별표 1", "끝")
    assert table.rows == (("구분", "숙박비", "숙박비"), ("구분", "서울", "그 밖"), ("2급", "10", "8"))
    assert table.header_rows == 2
    assert (stamp.kind, stamp.text) == (ElementKind.PICTURE, "도장")


def test_a_table_with_its_headings_at_the_left_has_no_row_of_them(load: Load) -> None:
    [labelled] = load("a.html", page("<table><tr><th>신청<td>3일 전<tr><th>결재<td>부서장</table>")).elements
    assert (labelled.rows, labelled.header_rows) == ((("신청", "3일 전"), ("결재", "부서장")), 0)
    [both] = load("a.html", page("<table><tr><th>구분<th>임원<tr><th>숙박비<td>실비</table>")).elements
    assert both.header_rows == 1


def test_a_table_that_lays_out_the_page_is_no_table(load: Load) -> None:
    inner = "<table><tr><th>구분<th>금액<tr><td>가<td>1</table>"
    document = load("a.html", page(f"<table><tr><td><h2>제목</h2>글</td><td>{inner}</td></tr></table>"))
    assert [element.kind.value for element in document.elements] == ["heading", "text", "table"]


def test_pictures_are_elements_and_omissions(load: Load) -> None:
    source = (
        "<p>앞 <img alt='결재선' src='data:image/png;base64,AAAA'> 뒤</p><img src='a.png'>"
        "<svg><text>흐름도</text></svg><img src='icon.png' width='16' height='16'><iframe src='https://example.com/x'></iframe>"
    )
    document = load("a.html", page(source))
    pictures = [element.text for element in document.elements if element.kind is ElementKind.PICTURE]
    assert pictures == ["결재선", "a.png", "흐름도"]
    assert texts(document) == ["앞", "뒤"]
    found = [one for one in document.omissions if one.kind is OmissionKind.PICTURE]
    assert [one.expected for one in found] == [False, False, False, True]
    assert [one.what for one in document.omissions if one.kind is not OmissionKind.PICTURE] == [
        "iframe: https://example.com/x"
    ]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-8"),
        ("cp949", "euc-kr"),
        ("cp949", "ks_c_5601-1987"),
        ("cp949", ""),
        ("utf-8", "euc-kr"),
        ("cp949", "utf-8"),
        ("utf-8", "no-such-encoding"),
    ],
)
def test_encodings(load: Load, encoding: str, declared: str) -> None:
    content = page("<p>제1조(목적) 뷁 한글</p>", f'<meta charset="{declared}">' if declared else "")
    assert texts(load("a.html", content.encode(encoding))) == ["제1조(목적) 뷁 한글"]


def test_xhtml_and_fragments(load: Load) -> None:
    xhtml = '<?xml version="1.0" encoding="UTF-8"?>\n' + page("<p>글</p>")
    assert texts(load("a.xhtml", xhtml)) == ["글"]
    assert texts(load("b.html", "<p>글</p>")) == ["글"]


@pytest.mark.parametrize("depth", [1500, 100_000])
def test_deep_nesting_is_read_or_refused_never_lost(load: Load, depth: int) -> None:
    source = page("<div>" * depth + "속" + "</div>" * depth + "<p>뒤</p>")
    if depth < 2000:
        assert texts(load("a.html", source)) == ["속", "뒤"]
    else:
        with pytest.raises(UnreadableDocument, match="nested too deeply"):
            load("a.html", source)


def test_external_entities_are_not_read(load: Load) -> None:
    source = '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body><p>글 &x;</p></body></html>'
    assert "root:" not in " ".join(texts(load("a.html", source)))


TAGS = ("p", "div", "b", "li", "ol", "ul", "table", "tr", "td", "th", "h2", "pre", "br", "span", "section", "dl", "dd")


@given(st.lists(st.one_of(st.text("가나다라", max_size=5), st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=30))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_word_vanishes_in_broken_markup(tmp_path: Path, pieces: list[str]) -> None:
    """Tags in any order, opened or closed: every character of the body is in the elements, once."""
    written = "".join(piece for piece in pieces if piece not in TAGS)
    opened = [f"<{piece}>" if n % 3 else f"</{piece}>" for n, piece in enumerate(pieces)]
    body = "시작" + "".join(tag if piece in TAGS else piece for tag, piece in zip(opened, pieces, strict=True))
    path = tmp_path / "a.html"
    path.write_text(page(body), encoding="utf-8")
    document = HtmlLoader().load(path, "a.html")
    read = "".join(element.text + "".join("".join(row) for row in element.rows) for element in document.elements)
    assert sorted("시작" + written) == sorted(re.findall("[가-힣]", read))  # numbers of lists aside


def test_running_lines_as_libreoffice_exports_them(load: Load) -> None:
    around = ('<div title="header"><p>규정</p></div>', '<div title="footer"><p>- 1 -</p></div>')
    document = load("a.html", page("<p>글</p>".join(around)))
    assert texts(document) == ["글"]
    assert [one.expected for one in document.omissions] == [True, True]
