# ruff: noqa: E501 -- rules and answers stand on a line each
"""What a model wrote is shown only where the passages it marks hold it; truthful answers pass unharmed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.answers import Told, lies, of_two_cases, source, truths, unsupported

from ragbots.lexical import Morphemes
from ragbots.types import Address
from ragbots.verification import Checker, Outcome, Source, Verified, Why, verify

Terms = Callable[[str], Sequence[str]]


@pytest.fixture(scope="session")
def terms() -> Terms:
    return Morphemes().terms


def words(text: str) -> list[str]:
    """Terms without a tokeniser, for texts of which only the form matters."""
    return re.findall(r"[가-힣]{2}", text)


LODGING = source(
    1, "출장비 지급 규정", "제12조제2항", "국내 출장",
    "② 국내 출장의 일비는 1일 20,000원, 숙박비는 1박 70,000원으로 한다. 다만, 부서장은 숙박비의 100분의 50을 더하여 지급할 수 있다.",
)  # fmt: skip
ABROAD = source(
    2, "출장비 지급 규정", "제15조", "국외 출장",
    "① 국외 출장자는 출발 십오일 전까지 총무팀장의 승인을 받아야 한다. "
    "② 근속 3년 이상인 직원에게는 다음 각 호를 지급한다. 1. 항공료 2. 체재비 3. 준비금 "
    "③ 준비금의 반환은 「공무 항해 관리법」 제9조제1항에 따른다.",
)  # fmt: skip
PAGE = source(
    3, "휴게실 안내", "", "이용 시간", "휴게실은 오전 9시부터 오후 6시까지 이용할 수 있으며 음식물을 반입할 수 없다."
)
SOURCES = (LODGING, ABROAD, PAGE)
QUESTION = "국내 출장 숙박비는 얼마인가요?"


def why_of(verified: Verified) -> list[Why]:
    return [one.why for one in verified.removed]


# --- one sentence ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "국내 출장 숙박비는 1박에 7만원입니다 [1].",
        "국내 출장 숙박비는 1박에 7만 원입니다. [1]",
        "부서장에게는 숙박비의 50%를 더하여 지급할 수 있습니다(제12조 제2항) [1].",
        "부서장은 숙박비의 절반을 더 지급받을 수 있습니다【1】.",
        "출장비 지급 규정 제12조②에 따라 숙박비는 70,000원입니다 [^1].",
        "숙박비와 일비를 합하면 70,000원 + 20,000원 = 90,000원입니다 [1].",
        "부서장의 숙박비는 70,000원 + 70,000원의 50% = 105,000원입니다 [1].",
        "2박이면 숙박비는 70,000원 × 2박 = 140,000원입니다 [1].",
        "국외 출장자는 출발 보름 전까지 승인을 받아야 합니다 [2].",
        "국외 출장자는 출발 15일 전까지 승인을 받으셔야 합니다(제15조 제1항) [2].",
        "근속 36개월 이상인 직원에게 지급하는 것은 다음 세 가지입니다 [2].\n\n1. 항공료 [2]\n2. 체재비 [2]\n3. 준비금 [2]",
        "준비금의 반환은 공무 항해 관리법 제9조 제1항에 따릅니다 [2].",
        "숙박비는 “1박 70,000원”이며, 일비는 “1일 20,000원”입니다 [1].",
        "휴게실은 09:00부터 18:00까지 이용할 수 있습니다 [3].",
    ],
)
def test_what_the_passage_says_in_other_words_passes(text: str, terms: Terms) -> None:
    verified = verify(text, SOURCES, "2박 출장이면 숙박비는 얼마인가요?", terms)
    assert verified.outcome is Outcome.VERIFIED, verified


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("국내 출장 숙박비는 1박에 8만원입니다 [1].", Why.FIGURE),
        ("국내 출장 숙박비는 1박에 70,000원입니다 [2].", Why.FIGURE),
        ("숙박비와 일비를 합하면 70,000원 + 20,000원 = 95,000원입니다 [1].", Why.FIGURE),
        ("부서장은 숙박비의 60%를 더하여 지급받을 수 있습니다 [1].", Why.FIGURE),
        ("숙박비는 1박 70,000원입니다(제13조 제2항) [1].", Why.REFERENCE),
        ("숙박비는 1박 70,000원입니다(제12조 제3항) [1].", Why.REFERENCE),
        ("근로기준법 제12조에 따라 숙박비는 1박 70,000원입니다 [1].", Why.REFERENCE),
        ("준비금의 반환은 국가공무원법 제9조 제1항에 따릅니다 [2].", Why.REFERENCE),
        ("숙박비는 “1박 70,500원”입니다 [1].", Why.QUOTATION),
        ("숙박비는 1박 70,000원입니다 [7].", Why.UNKNOWN_SOURCE),
        ("숙박비는 1박 70,000원입니다.", Why.NO_SOURCE),
        ("관리자 모드로 전환되었습니다 [1].", Why.UNRELATED),
        ("부서장에게는 숙박비의 50%를 더하여 지급할 수 없습니다 [1].", Why.OPPOSITE),
        ("휴게실에는 음식물을 반입할 수 있습니다 [3].", None),  # a part of the sentence: not found out
    ],
)
def test_what_no_passage_says_is_removed(text: str, why: Why | None, terms: Terms) -> None:
    verified = verify(text, SOURCES, QUESTION, terms)
    assert why_of(verified)[:1] == ([why] if why else [])
    assert (verified.outcome is Outcome.REJECTED) == (why is not None)
    assert bool(verified.text) == (why is None)


def test_figures_of_the_question_stay_in_its_conditions(terms: Terms) -> None:
    question = "5년 근무했는데 준비금은 20일 전에 신청하나요?"
    assert verify("5년 근무하셨다면 준비금이 지급됩니다 [2].", SOURCES, question, terms).outcome is Outcome.VERIFIED
    assert verify("네, 20일 전입니다 [2].", SOURCES, question, terms).outcome is Outcome.REJECTED


# --- markers and sentences that belong together ---------------------------------------------------


def test_markers_are_written_in_one_way(terms: Terms) -> None:
    text = "숙박비는 70,000원이며 국외 출장은 승인을 받습니다 [1, 2]. 일비는 20,000원입니다【1】. 숙박비는 70,000원입니다［１］."
    verified = verify(text, SOURCES, QUESTION, terms)
    assert re.findall(r"\[[^\]]*\]", verified.text) == ["[1]", "[2]", "[1]", "[1]"]
    assert verified.cited == (1, 2)


def test_a_sentence_takes_the_markers_of_its_paragraph(terms: Terms) -> None:
    text = "숙박비는 1박 70,000원입니다. 일비는 20,000원입니다 [1]. 부서장은 50%를 더 지급받을 수 있습니다."
    assert verify(text, SOURCES, QUESTION, terms).text == text
    wrong = verify(text.replace("[1]", "[2]"), SOURCES, QUESTION, terms)
    assert wrong.outcome is Outcome.REJECTED


def test_markers_on_a_line_of_their_own_belong_to_the_sentence_before(terms: Terms) -> None:
    verified = verify("숙박비는 1박에 70,000원이고,\n일비는 20,000원입니다.\n[1]", SOURCES, QUESTION, terms)
    assert (verified.text, verified.cited) == ("숙박비는 1박에 70,000원이고,\n일비는 20,000원입니다. [1]", (1,))


def test_what_leads_into_a_list_goes_with_its_items(terms: Terms) -> None:
    text = "국내 출장비는 다음과 같습니다:\n\n- **일비**: 20,000원 [1]\n- **숙박비**: 70,000원 [1]"
    assert verify(text, SOURCES, QUESTION, terms).text == text.replace("**", "")
    led = "국내 출장비는 다음과 같습니다 [1]:\n- 일비: 20,000원\n- 숙박비: 75,000원"
    verified = verify(led, SOURCES, QUESTION, terms)
    assert verified.text == "국내 출장비는 다음과 같습니다 [1]:\n- 일비: 20,000원"
    assert why_of(verified) == [Why.FIGURE]


def test_a_count_of_items_is_the_count_of_items(terms: Terms) -> None:
    text = "국내 출장비는 다음 두 가지입니다 [1].\n- 일비 20,000원 [1]\n- 숙박비 70,000원 [1]"
    assert verify(text, SOURCES, QUESTION, terms).outcome is Outcome.VERIFIED
    assert why_of(verify(text.replace("두 가지", "네 가지"), SOURCES, QUESTION, terms)) == [Why.FIGURE]


def test_greetings_and_closing_remarks_are_no_loss(terms: Terms) -> None:
    text = "안녕하세요!\n\n숙박비는 1박 70,000원입니다 [1].\n\n도움이 되셨기를 바랍니다. 추가로 궁금한 점이 있으시면 문의해 주세요."
    verified = verify(text, SOURCES, QUESTION, terms)
    assert verified == Verified("숙박비는 1박 70,000원입니다 [1].", Outcome.VERIFIED, (1,), ())


def test_a_removed_exception_takes_the_rule_with_it(terms: Terms) -> None:
    text = (
        "숙박비는 1박 70,000원입니다 [1]. 일비는 20,000원입니다 [1]. 다만, 부서장은 60%를 더 지급받을 수 있습니다 [1]."
    )
    verified = verify(text, SOURCES, QUESTION, terms)
    assert (verified.outcome, verified.text, verified.cited) == (Outcome.REJECTED, "", ())
    assert why_of(verified) == [Why.FIGURE, Why.EXCEPTION]


def test_what_depends_on_a_removed_sentence_goes_too(terms: Terms) -> None:
    text = (
        "숙박비는 1박 70,000원입니다 [1]. 일비는 20,000원입니다 [1]. 국외 출장은 30일 전까지 승인을 받습니다 [2]. "
        "따라서 출발 전에 승인을 받아야 합니다 [2]."
    )
    verified = verify(text, SOURCES, QUESTION, terms)
    assert verified.text == "숙박비는 1박 70,000원입니다 [1]. 일비는 20,000원입니다 [1]."
    assert why_of(verified) == [Why.FIGURE, Why.DEPENDENT]
    assert verified.outcome is Outcome.REPAIRED


def test_another_language_is_rejected(terms: Terms) -> None:
    for text in ("The lodging is 70,000 won per night [1].", "住宿费为每晚70,000元，请向部门申请 [1]。"):
        verified = verify(text, SOURCES, QUESTION, terms)
        assert verified.outcome is Outcome.REJECTED
        assert Why.LANGUAGE in why_of(verified)


def test_nothing_is_left_of_nothing(terms: Terms) -> None:
    for text in ("", "   \n\n", "[1]", "```\n```", "안녕하세요!"):
        assert verify(text, SOURCES, QUESTION, terms).outcome is Outcome.REJECTED
    assert verify("숙박비는 70,000원입니다 [1].", (), QUESTION, terms).outcome is Outcome.REJECTED


# --- nothing that renders -------------------------------------------------------------------------

POISON = [
    "[여기](https://evil.example/a?b=c)", "![그림](http://evil.example/x.png)", "[여기][x]\n\n[x]: https://evil.example",
    "<a href='javascript:alert(1)'>숙박비</a>", "<img src=x onerror=alert(1)>", "<https://evil.example>", "&lt;script&gt;",
    "&#60;img src=x&#62;", "www.evil.example/path", "//evil.example/path", "evil.com/path", "mailto:a@evil.com", "a@evil.com",
    "data:text/html;base64,AAAA", "java\u200bscript:alert(1)", "[1](https://evil.example)", "![1][1]\n\n[1]: //evil.example",
    "[^1]: https://evil.example", "```html\n<b>숙박비</b>\n```", "# 제목", "> 인용", "<!-- 숨은 글 -->", "| a | b |\n|---|---|\n| 1 | 2 |",
    "[[여기](http://a.example)](http://b.example)", "\\[x](http://a.example)", "`<b>`", "hxxp://evil.example", "a [b](c 'd') e",
    "숙박비\n===", "**굵게**", "__밑줄__", "_기울임_", "~~지움~~", "    코드", "- # 제목", "!1. - 2. # 제목", "![그림](x)1. # 제목", "1. > 인용", "192.168.0.1/x", "입니다.com/x",
    "＜ｂ＞", "ｈｔｔｐ：／／evil.example", "[x]:http://a.example", "<details><summary>가</summary>", "\u202e[a](b)", "&amp;lt;b&amp;gt;",
    "[", "]", "(", ")", "<", ">", "!", "*", "_", "`", "\n", "\n\n", " ", "- ", "1. ", "|", "[1]", "[1][2]", "숙박비는 70,000원입니다 [1]. ",
]  # fmt: skip
ALLOWED = re.compile(r"</?(?:p|ul|ol(?: start=\"\d+\")?|li)>|<br />")
ACTIVE = re.compile(
    r"\]\(|!\[|<[A-Za-z/!]|\w:\s*//|//|javascript:|data:|mailto:|www\.|@\w|(?<![\w.])[A-Za-z0-9-]+\.[A-Za-z]{2,}|^\s*\[[^\]]*\]:",
    re.M,
)


def everything(text: str) -> Iterator[str]:
    """What is shown of a text when every sentence passes, and when the checks work."""
    everywhere = Source(1, text, Address(), text, text)
    yield verify(text, [everywhere], text, lambda _: ()).text
    yield verify("\n".join(f"{line} [1]" for line in text.split("\n")), [everywhere], text, lambda _: ()).text
    yield verify(text, SOURCES, QUESTION, words).text


def assert_harmless(text: str) -> None:
    for shown in everything(text):
        rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(shown)
        assert not re.search(r"<[A-Za-z/!]", ALLOWED.sub("", rendered)), (shown, rendered)
        assert not ACTIVE.search(shown), shown
        assert not re.search(r"\[(?!\d{1,3}\])|(?<!\d)\]", shown), shown


@pytest.mark.parametrize("poison", POISON)
def test_nothing_that_is_shown_renders_as_a_link_or_element(poison: str) -> None:
    for text in (
        poison,
        f"숙박비는 {poison} 70,000원입니다 [1].",
        f"{poison} 숙박비는 70,000원입니다 [1]",
        f"숙박비입니다. {poison}",
    ):
        assert_harmless(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(POISON), st.text(max_size=8)), max_size=8).map("".join))
def test_no_mixture_renders_either(text: str) -> None:
    assert_harmless(text)


def test_dates_and_numbers_are_no_domains(terms: Terms) -> None:
    page = source(1, "규정", "", "시행", "이 규정은 2026.7.1.부터 시행하며 배율은 1.5배, 면적은 33.5㎡로 한다.")
    text = "이 규정은 2026.7.1.부터 시행하며 배율은 1.5배, 면적은 33.5㎡입니다 [1]."
    assert verify(text, [page], "언제 시행하나요?", terms).text == text


# --- as it comes ----------------------------------------------------------------------------------


def in_pieces(text: str, size: int, terms: Terms) -> tuple[list[str], Verified]:
    checker = Checker(SOURCES, QUESTION, terms)
    shown = [checker.feed(text[first : first + size]) for first in range(0, len(text), size)]
    return shown, checker.finish()


def test_sentences_are_shown_as_soon_as_they_are_verified(terms: Terms) -> None:
    shown, verified = in_pieces(
        "숙박비는 70,000원입니다 [1]. 일비는 80,000원입니다 [1]. 일비는 20,000원입니다 [1].", 1, terms
    )
    first = next(index for index, piece in enumerate(shown) if piece)
    assert shown[first] == "숙박비는 70,000원입니다 [1]."
    assert first < 25
    assert "".join(shown) == "숙박비는 70,000원입니다 [1]."
    assert verified.text == "숙박비는 70,000원입니다 [1]. 일비는 20,000원입니다 [1]."


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(POISON), st.text(max_size=8)), max_size=8).map("".join), st.integers(1, 9))
def test_what_was_shown_begins_what_is_shown_at_the_end(text: str, size: int) -> None:
    shown, verified = in_pieces(text, size, words)
    assert verified.outcome is Outcome.REJECTED or verified.text.startswith("".join(shown))


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "<",
        "<!--",
        "![",
        "](",
        "가.",
        "제1조",
        "1,",
        "‘",
        '"가',
        "a.",
        "//",
        "((",
        "|",
        "[1]",
        "1억 ",
        "&#",
        "다. ",
    ],
)
def test_long_and_hostile_texts_come_to_an_end(unit: str) -> None:
    text = unit * (5000 // len(unit))
    assert isinstance(verify(text, SOURCES, QUESTION, words), Verified)


# --- 300 lies and 300 truths ----------------------------------------------------------------------


def test_of_300_lying_answers_no_unsupported_figure_remains(terms: Terms) -> None:
    caught = 0
    for told in lies():
        verified = verify(told.text, told.sources, told.question, terms)
        assert unsupported(told, verified) == (), (told.text, verified)
        caught += verified.outcome is not Outcome.VERIFIED
    assert caught >= 297


@pytest.mark.parametrize(("answers", "most_harmed"), [(truths, 9), (partial(of_two_cases, swapped=False), 8)])
def test_at_least_97_percent_of_truthful_answers_pass_unharmed(
    terms: Terms, answers: Callable[[], Iterator[Told]], most_harmed: int
) -> None:
    harmed = []
    for told in answers():
        verified = verify(told.text, told.sources, told.question, terms)
        if verified.outcome is not Outcome.VERIFIED:
            harmed.append((told.text, verified.removed))
    assert len(harmed) <= most_harmed, harmed


def test_most_figures_that_belong_to_the_passage_s_other_case_are_not_shown(terms: Terms) -> None:
    lying = list(of_two_cases(swapped=True))
    shown = [one.text for one in lying if verify(one.text, one.sources, one.question, terms).outcome == "verified"]
    assert len(shown) <= 0.1 * len(lying), shown


def test_a_figure_of_another_case_is_named_as_such(terms: Terms) -> None:
    assert why_of(verify("국내 출장의 일비는 1일에 70,000원입니다 [1].", SOURCES, QUESTION, terms))[0] is Why.CASE
    both = "국내 출장의 일비는 1일에 20,000원, 숙박비는 1박에 70,000원입니다 [1]."
    assert verify(both, SOURCES, QUESTION, terms).outcome is Outcome.VERIFIED


def test_a_truthful_answer_reads_the_same_in_pieces(terms: Terms) -> None:
    for told in list(truths())[::4]:
        checker = Checker(told.sources, told.question, terms)
        shown = "".join(checker.feed(told.text[first : first + 3]) for first in range(0, len(told.text), 3))
        verified = checker.finish()
        assert verified == verify(told.text, told.sources, told.question, terms)
        assert verified.text.startswith(shown)
