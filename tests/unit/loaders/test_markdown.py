from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragbots.errors import UnreadableDocument
from ragbots.loaders import built_in_loaders, load_file
from ragbots.text import clean
from ragbots.types import Document, ElementKind, count_characters

Load = Callable[..., Document]


def texts(document: Document) -> list[str]:
    return [element.text for element in document.elements if element.kind is not ElementKind.PICTURE]


def test_front_matter_gives_title_date_link_and_metadata(load: Load) -> None:
    dated = "제목: 여비규정\n시행일자: 2026. 1. 1.\n출처: https://a.example/1"
    content = f"---\n{dated}\n번호: '007'\n부처:\n- 갑\n- 을\n---\n본문\n"
    document = load("규정.md", content)
    assert (document.title, document.effective, document.link) == ("여비규정", date(2026, 1, 1), "https://a.example/1")
    assert document.metadata["번호"] == "007"
    assert document.metadata["부처"] == "갑; 을"


def test_title_is_the_first_heading_and_then_the_file_name(load: Load) -> None:
    assert load("a.md", "서문입니다.\n\n# 복무 안내\n").title == "복무 안내"
    assert load("휴가.md", "제1조(목적) 이 규정은 휴가를 정한다.\n").title == "휴가"


def test_broken_front_matter_names_the_file_and_the_line(load: Load) -> None:
    with pytest.raises(UnreadableDocument, match=r"규정\.md: the front matter .* line 3"):
        load("규정.md", "---\n제목: 가\n부제: 나: 다\n---\n본문\n")


def test_rules_around_text_are_not_front_matter(load: Load) -> None:
    assert texts(load("a.md", "---\n알림\n---\n본문\n")) == ["알림", "본문"]
    assert texts(load("b.md", "---\n끝나지 않는 줄\n")) == ["끝나지 않는 줄"]


def test_a_date_that_is_none_is_reported(load: Load) -> None:
    document = load("a.md", "---\n시행일: 미정\n---\n본문\n")
    assert document.effective is None
    assert "미정" in document.omissions[0].what


def test_statute_lines_stay_lines_with_their_indentation(load: Load) -> None:
    source = "##### 제17조 (근로조건의 명시)\n\n**①** 사용자는 명시한다.\n\n  1\\. 임금\n    가\\. 수당\n"
    document = load("법.md", source)
    assert texts(document) == ["제17조 (근로조건의 명시)", "① 사용자는 명시한다.", "  1. 임금", "    가. 수당"]
    assert (document.elements[0].kind, document.elements[0].level) == (ElementKind.HEADING, 5)
    assert all(element.kind is ElementKind.TEXT for element in document.elements[1:])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('**"출장"**이란 \\<개정\\>', '"출장"이란 <개정>'),
        ("정한다. <개정 2009.10.7>", "정한다. <개정 2009.10.7>"),
        ("부칙 <제8372호,2007.4.11> <단서 생략>", "부칙 <제8372호,2007.4.11> <단서 생략>"),
        ("면적은 5*3*2와 2**3**4", "면적은 5*3*2와 2**3**4"),
        ("[여비규정](../여비규정.md) 제1조", "여비규정 제1조"),
        ("[전문개정](2020.1.1) 그대로", "[전문개정](2020.1.1) 그대로"),
        ("성명: ________ (*) 표시 (*)", "성명: ________ (*) 표시 (*)"),
        ("10<sup>2</sup>m 이내 <b>굵게</b>", "10²m 이내 굵게"),
        ("유형 <A>와 <B>", "유형 <A>와 <B>"),
        ("&lt;별표&gt; `코드`", "<별표> 코드"),
        ("880101-1******", "880101-1******"),
    ],
)
def test_markup_goes_and_words_stay(load: Load, written: str, read: str) -> None:
    assert texts(load("a.md", written + "\n")) == [read]


def test_what_readers_do_not_see_is_reported(load: Load) -> None:
    source = '앞<!-- 검토\n중 -->뒤\n![결재선](a.png)\n<img alt="흐름도" src="b.png">\n~~삭제된 말~~ 남은 말\n'
    document = load("a.md", source)
    assert [text.strip() for text in texts(document)] == ["앞", "뒤", "남은 말"]
    kinds = [omission.what.split(":")[0] for omission in document.omissions]
    assert kinds == ["comment", "picture", "picture", "struck out"]
    assert [omission.where for omission in document.omissions] == ["line 1", "line 3", "line 4", "line 5"]
    assert sum(omission.characters for omission in document.omissions) == len("검토중결재선흐름도삭제된말")


def test_pipe_table(load: Load) -> None:
    [table] = load("a.md", "| 구분 | **일비** |\n|---|---:|\n| 2급 | 1\\|2<br>원 |\n| 3급 |\n").elements
    assert table.rows == (("구분", "일비"), ("2급", "1|2 원"), ("3급", ""))
    assert table.header_rows == 1


def test_html_table_with_merged_cells(load: Load) -> None:
    source = (
        "<table><caption>별표</caption>\n<tr><th rowspan='2'>구분</th><th colspan='2'>숙박비</th></tr>\n"
        "<tr><th>서울</th><th>그 밖</th></tr>\n<tr><td>2급</td><td>10</td><td>8</td></tr>\n</table>\n끝\n"
    )
    caption, table, end = load("a.md", source).elements
    assert (caption.text, end.text) == ("별표", "끝")
    assert table.rows == (("구분", "숙박비", "숙박비"), ("구분", "서울", "그 밖"), ("2급", "10", "8"))
    assert table.header_rows == 2


def test_a_table_that_never_closes_is_text(load: Load) -> None:
    assert texts(load("a.md", "<table><tr><td>갑</td>\n본문\n")) == ["갑", "본문"]


def test_code_and_quotes_keep_their_words(load: Load) -> None:
    document = load("a.md", "```\n# 제목 아님 **그대로**\n```\n> 인용한 말\n    들여쓴 말\n")
    assert texts(document) == ["# 제목 아님 **그대로**", "인용한 말", "    들여쓴 말"]


def test_underlined_headings(load: Load) -> None:
    document = load("a.md", "복무 안내\n=====\n\n휴가\n---\n본문\n---\n")
    assert [(element.text, element.level) for element in document.elements] == [
        ("복무 안내", 1),
        ("휴가", 2),
        ("본문", 0),
    ]


WORDS = st.text(st.sampled_from("가나다제조항①②12 .,()<>「」·ㆍ:%|*_\\~`[]!#-=&;\"'\t"), max_size=40)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_no_letter_or_digit_vanishes(tmp_path: Path, written: list[str]) -> None:
    """Whatever the punctuation makes of a line, its letters and digits are in the elements or the omissions."""
    source = clean("\n".join(["글", *written]))
    path = tmp_path / "a.md"
    path.write_text(source, encoding="utf-8")
    document = load_file(path, "a.md", built_in_loaders())
    read = " ".join([element.text + " ".join(" ".join(row) for row in element.rows) for element in document.elements])
    left_out = sum(omission.characters for omission in document.omissions)
    assert sum(map(str.isalnum, read)) + left_out >= sum(map(str.isalnum, source))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs"]), max_size=30), min_size=1))
def test_plain_text_keeps_every_character(tmp_path: Path, written: list[str]) -> None:
    source = clean("\n".join(["글", *written]))
    path = tmp_path / "a.txt"
    path.write_bytes(source.encode("utf-8"))
    assert load_file(path, "a.txt", built_in_loaders()).characters == count_characters(source)


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
def test_decomposed_input_is_composed_output(load: Load, regulation: str, name: str) -> None:
    composed, decomposed = load(name, regulation), load(name, unicodedata.normalize("NFD", regulation))
    assert composed.elements == decomposed.elements
    assert composed.title == decomposed.title
