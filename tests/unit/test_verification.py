# ruff: noqa: E501 -- rules and answers stand on a line each
"""What a model wrote is shown only where the passages it marks hold it; truthful answers pass unharmed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ragbots import figures
from ragbots.lexical import Morphemes
from ragbots.regulation import parse_address
from ragbots.types import Address
from ragbots.verification import Checker, Outcome, Source, Verified, Why, verify

Terms = Callable[[str], Sequence[str]]


@pytest.fixture(scope="session")
def terms() -> Terms:
    return Morphemes().terms


def words(text: str) -> list[str]:
    """Terms without a tokeniser, for texts of which only the form matters."""
    return re.findall(r"[가-힣]{2}", text)


def source(number: int, document: str, address: str, heading: str, text: str) -> Source:
    return Source(number, document, parse_address(address) if address else Address(), heading, text)


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


@dataclass(frozen=True)
class Fact:
    """One rule: its passage, a question, the same said truthfully, and the figure with other spellings of it."""

    document: str
    address: str
    heading: str
    text: str
    question: str
    said: str  # `{}` stands for the figure
    written: str  # the figure as the passage has it
    others: tuple[str, ...]


FACTS = [
    Fact("출장비 지급 규정", "제12조제2항", "숙박비", "② 국내 출장의 숙박비는 1박에 70,000원으로 하고 영수증을 제출하여야 한다.", "국내 출장 숙박비 얼마예요?", "국내 출장의 숙박비는 1박에 {}이며 영수증을 제출하셔야 합니다", "70,000원", ("7만원", "7만 원")),
    Fact("출장비 지급 규정", "제13조제1항", "일비", "① 출장자에게는 1일당 25,000원의 일비를 지급한다.", "출장 일비가 얼마죠?", "출장자에게 지급되는 일비는 1일당 {}입니다", "25,000원", ("2만 5천원", "2만5천 원")),
    Fact("출장비 지급 규정", "제20조", "감액", "공용 차량을 이용한 때에는 교통비의 100분의 50을 감액하여 지급한다.", "회사 차로 가면 교통비 깎이나요?", "공용 차량을 이용한 경우 교통비의 {}를 감액하여 지급합니다", "100분의 50", ("50%", "50퍼센트", "절반")),
    Fact("휴가 운영 규정", "제7조제1항", "포상휴가", "① 우수 사원에게는 연 5일의 포상휴가를 준다.", "포상휴가 며칠이에요?", "우수 사원에게는 연 {}의 포상휴가를 줍니다", "5일", ("오일 이내", "닷새")),
    Fact("휴가 운영 규정", "제8조", "신청", "휴가를 쓰려는 직원은 사용일 십오일 전까지 신청서를 팀장에게 제출하여야 한다.", "휴가는 언제까지 신청해요?", "휴가를 쓰려면 사용일 {} 전까지 신청서를 팀장에게 제출하셔야 합니다", "십오일", ("15일", "보름")),
    Fact("휴가 운영 규정", "제11조제3항", "장기근속", "③ 근속 기간이 10년 이상인 직원에게는 재충전 휴가 14일을 부여한다.", "장기근속 휴가 있나요?", "근속 기간이 10년 이상인 직원에게는 재충전 휴가 {}을 부여합니다", "14일", ("2주", "십사일")),
    Fact("당직 근무 규정", "제4조", "당직비", "야간 당직자에게는 1회에 60,000원의 당직비를 지급하고 다음 날 오전을 쉬게 한다.", "당직비 얼마?", "야간 당직자에게는 1회에 {}의 당직비를 지급합니다", "60,000원", ("6만원", "6만 원")),
    Fact("당직 근무 규정", "제6조제2항", "면제", "② 임신 중인 직원과 입사 후 6개월이 지나지 아니한 직원은 당직을 면제한다.", "신입도 당직 서나요?", "임신 중인 직원과 입사 후 {}이 지나지 않은 직원은 당직이 면제됩니다", "6개월", ("육개월", "여섯 달")),
    Fact("사내 대출 규정", "제5조제1항", "한도", "① 생활안정 대출의 한도는 1인당 1천만원으로 한다.", "생활안정 대출 한도는?", "생활안정 대출의 한도는 1인당 {}입니다", "1천만원", ("10,000,000원", "천만 원", "1,000만원")),
    Fact("사내 대출 규정", "제6조", "이자", "대출의 이자율은 연 100분의 3으로 하며 매월 급여에서 공제한다.", "대출 이자율이 몇이에요?", "대출의 이자율은 연 {}이며 매월 급여에서 공제됩니다", "100분의 3", ("3%", "3퍼센트")),
    Fact("사내 대출 규정", "제7조제2항", "상환", "② 대출금은 3년 이내에 균등하게 나누어 상환하여야 한다.", "대출 갚는 기간은?", "대출금은 {} 이내에 균등하게 나누어 상환해야 합니다", "3년", ("36개월", "삼년")),
    Fact("문서 보존 규정", "제9조", "보존 기간", "계약에 관한 문서의 보존 기간은 종료한 날부터 10년으로 한다.", "계약 문서 보존 기간?", "계약에 관한 문서의 보존 기간은 종료한 날부터 {}입니다", "10년", ("십년", "120개월")),
    Fact("문서 보존 규정", "제14조제2항", "열람", "② 열람을 신청한 직원에게는 접수한 날부터 7일 이내에 결과를 통지한다.", "문서 열람 결과는 언제 나와요?", "열람을 신청하면 접수한 날부터 {} 이내에 결과가 통지됩니다", "7일", ("1주일", "일주일")),
    Fact("법인카드 관리 지침", "제3조제1항", "한도", "① 팀장의 법인카드 사용 한도는 월 2,000,000원으로 한다.", "팀장 법인카드 한도", "팀장의 법인카드 사용 한도는 월 {}입니다", "2,000,000원", ("200만원", "2백만원", "이백만 원")),
    Fact("법인카드 관리 지침", "제8조", "정산", "카드 사용자는 사용일부터 5영업일, 늦어도 10일 이내에 정산하여야 한다.", "카드 정산 기한", "카드 사용자는 늦어도 {} 이내에 정산하셔야 합니다", "10일", ("열흘", "십일")),
    Fact("교육 훈련 규정", "제10조제1항", "이수 시간", "① 직원은 매년 40시간 이상의 직무 교육을 이수하여야 한다.", "교육 몇 시간 들어야 하나요?", "직원은 매년 {} 이상의 직무 교육을 이수해야 합니다", "40시간", ("사십 시간", "2,400분")),
    Fact("교육 훈련 규정", "제12조", "위탁 교육", "위탁 교육을 마친 직원은 교육 기간의 2배에 해당하는 기간을 근무하여야 한다.", "위탁 교육 후 의무 근무?", "위탁 교육을 마친 직원은 교육 기간의 {}에 해당하는 기간을 근무하셔야 합니다", "2배", ("두 배", "200%")),
    Fact("복지 포인트 지침", "제2조", "배정", "복지 포인트는 매년 1월 2일에 1,200점을 배정한다.", "복지 포인트 몇 점 줘요?", "복지 포인트는 매년 1월 2일에 {}이 배정됩니다", "1,200점", ("1200점", "천이백 점")),
    Fact("복지 포인트 지침", "제5조제2항", "이월", "② 쓰지 아니한 포인트는 다음 해로 100분의 30까지 이월한다.", "포인트 이월 되나요?", "쓰지 않은 포인트는 다음 해로 {}까지 이월됩니다", "100분의 30", ("30%", "30퍼센트", "3할")),
    Fact("경조사 지원 규정", "제4조제1항", "결혼", "① 직원이 결혼하는 경우 축의금 500,000원을 지급한다.", "결혼 축의금 얼마?", "직원이 결혼하는 경우 축의금 {}을 지급합니다", "500,000원", ("50만원", "50만 원", "오십만원")),
    Fact("경조사 지원 규정", "제4조제3항", "조위", "③ 직계 존속이 사망한 경우 조위금 1,000,000원을 지급하고 조화를 보낸다.", "부모님 상 조위금?", "직계 존속이 사망한 경우 조위금 {}을 지급하고 조화를 보냅니다", "1,000,000원", ("100만원", "백만원", "백만 원")),
    Fact("정보 보안 지침", "제16조", "비밀번호", "업무용 비밀번호는 90일마다 바꾸어야 하며 5회 틀리면 계정을 잠근다.", "비밀번호 몇 번 틀리면 잠겨요?", "업무용 비밀번호는 {} 틀리면 계정이 잠깁니다", "5회", ("다섯 번", "5번")),
    Fact("정보 보안 지침", "제18조제1항", "로그", "① 접속 기록은 2년간 보관하고 매월 점검한다.", "접속 기록은 얼마나 보관?", "접속 기록은 {} 보관하고 매월 점검합니다", "2년간", ("24개월", "이년")),
    Fact("채용 규정", "제9조제2항", "수습", "② 신규 채용자의 수습 기간은 3개월로 하며 급여의 100분의 90을 지급한다.", "수습 기간 몇 달?", "신규 채용자의 수습 기간은 {}입니다", "3개월", ("석 달", "세 달", "삼개월")),
    Fact("채용 규정", "제11조", "면접위원", "면접위원은 5명으로 구성하고 외부 위원을 포함하여야 한다.", "면접위원은 몇 명?", "면접위원은 {}으로 구성하고 외부 위원을 포함해야 합니다", "5명", ("5인", "다섯 명")),
    Fact("유연근무 지침", "제6조제1항", "신청", "① 유연근무는 주 2회까지 신청할 수 있다.", "유연근무 일주일에 몇 번?", "유연근무는 주 {}까지 신청할 수 있습니다", "2회", ("두 번", "2번", "두 차례")),
    Fact("유연근무 지침", "부칙 제1조", "시행일", "이 지침은 2026. 7. 1.부터 시행한다.", "유연근무 지침 시행일?", "이 지침은 {}부터 시행합니다", "2026. 7. 1.", ("2026년 7월 1일", "2026-07-01", "2026.7.1.")),
    Fact("시설 이용 규정", "제3조의2", "주차", "방문 차량은 2시간까지 무료로 주차하고 초과하면 10분마다 500원을 낸다.", "방문 주차 무료 시간은?", "방문 차량은 {}까지 무료로 주차할 수 있습니다", "2시간", ("두 시간", "120분")),
    Fact("시설 이용 규정", "제10조", "회의실", "회의실은 오전 9시부터 오후 6시까지 예약할 수 있다.", "회의실 예약 시간", "회의실은 오전 9시부터 {}까지 예약할 수 있습니다", "오후 6시", ("18시", "18:00")),
    Fact("성과급 지급 기준", "별표 1", "지급률", "등급: S | 지급률: 150% | 등급: A | 지급률: 120% | 등급: B | 지급률: 80%", "성과급 A등급 지급률", "A 등급의 지급률은 {}입니다", "120%", ("1.2배", "100분의 120")),
]  # fmt: skip


def passage(fact: Fact, number: int) -> Source:
    return source(number, fact.document, fact.address, fact.heading, fact.text)


def spoken(address: str) -> str:
    return str(parse_address(address))


Template = Callable[[random.Random, Fact, Fact], str]


def _said(fact: Fact, figure: str) -> str:
    """The sentence with the figure, its particle after it fitted to the spelling."""
    return fact.said.format(figure).replace("절반를", "절반을").replace("이내 이내", "이내")


def _any(chance: random.Random, fact: Fact) -> str:
    return chance.choice([fact.written, *fact.others])


TRUTHS: list[Template] = [
    lambda r, a, b: f"{_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))}. [1]",
    lambda r, a, b: f"네, {_said(a, _any(r, a))} [1]. {_said(b, _any(r, b))} [2].",
    lambda r, a, b: f"{a.document} {spoken(a.address)}에 따르면, {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))} ({spoken(a.address)}) [1].\n\n또한 {_said(b, b.written)}({spoken(b.address)}) [2].",
    lambda r, a, b: f"**{a.heading}**: {_said(a, '**' + a.others[0] + '**')} [1].\n\n추가로 궁금한 점이 있으시면 언제든지 문의해 주세요.",
    lambda r, a, b: f"안녕하세요. 문의하신 내용에 대해 안내드립니다.\n\n{_said(a, _any(r, a))} [1].\n\n도움이 되셨기를 바랍니다.",
    lambda r, a, b: f"문의하신 내용은 다음과 같습니다.\n\n- **{a.heading}**: {_said(a, _any(r, a))} [1]\n- **{b.heading}**: {_said(b, _any(r, b))} [2]",
    lambda r, a, b: f"관련 규정은 다음 두 가지입니다 [1][2].\n\n1. **{a.heading}**\n   - {_said(a, a.written)} [1]\n2. **{b.heading}**\n   - {_said(b, b.written)} [2]\n",
    lambda r, a, b: f"### {a.heading}\n{_said(a, _any(r, a))}. 이 내용은 「{a.document}」 {spoken(a.address)}에 정해져 있습니다 [1].",
    lambda r, a, b: f"{_said(a, a.written)} [1]. 즉, {a.heading}에 관하여는 {a.others[0]}입니다 [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))} [1]. 따라서 {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"| 구분 | 내용 |\n|---|---|\n| {a.heading} | {_any(r, a)} [1] |\n| {b.heading} | {_any(r, b)} [2] |\n\n{_said(a, a.written)} [1].",
    lambda r, a, b: f"{_said(a, _any(r, a))}. {_said(b, _any(r, b))} [1, 2].",
    lambda r, a, b: f"규정에는 “{a.written}”{'로' if r.random() < 0.5 else '라고'} 정하고 있습니다 [1]. {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"7년 근무하셨다면 {_said(a, _any(r, a))} [1].",
    lambda r, a, b: f"7년 근무하신 경우에도 {_said(a, _any(r, a))} [1]. 다만, {_said(b, b.written)} [2].",
]  # fmt: skip

WON = [fact for fact in FACTS if fact.written.endswith(",000원")]


def won(amount: int) -> str:
    return f"{amount:,}원"


def _sum(chance: random.Random, one: Fact, other: Fact) -> str:
    first, second = (int(fact.written.replace(",", "").removesuffix("원")) for fact in (one, other))
    return chance.choice(
        [
            f"{one.heading} {won(first)}과 {other.heading} {won(second)}을 합하면 총 {won(first + second)}입니다 [1][2].",
            f"{_said(one, one.written)} [1]. {_said(other, other.written)} [2]. "
            f"따라서 합계는 {won(first)} + {won(second)} = {won(first + second)}입니다 [1][2].",
            f"{one.heading}: {one.others[0]} [1]\n\n{other.heading}: {other.others[0]} [2]\n\n"
            f"합계: {one.others[0]} + {other.others[0]} = {won(first + second)} [1][2]",
        ]
    )


def truths() -> Iterator[tuple[str, list[Source], str]]:
    chance = random.Random(5)
    for number in range(300):
        if number % 10 == 9:
            one, other = chance.sample(WON, 2)
            text = _sum(chance, one, other)
        else:
            one, other = chance.sample(FACTS, 2)
            text = TRUTHS[number % len(TRUTHS)](chance, one, other)
        yield text, [passage(one, 1), passage(other, 2)], f"7년 근무했는데, {one.question} {other.question}"


def other_digits(chance: random.Random, figure: str) -> str:
    """The figure with one digit changed; one without digits becomes another of its unit."""
    digits = [index for index, character in enumerate(figure) if character.isdigit()]
    if not digits:
        return "37일"
    index = chance.choice(digits)
    return figure[:index] + chance.choice([d for d in "123456789" if d != figure[index]]) + figure[index + 1 :]


LIES: list[Template] = [
    lambda r, a, b: f"{_said(a, other_digits(r, a.written))} [1].",
    lambda r, a, b: f"{_said(a, other_digits(r, r.choice(a.others)))} [1]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, a.written)}({spoken('제97조제8항')}) [1]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, a.written)} [9]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"규정은 “{_said(a, other_digits(r, a.written))}”라고 정합니다 [1]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, r.choice(['77,700원', '63일', '8년 7개월', '93%', '17회', '2031년 3월 9일', '43명']))} [1].",
    lambda r, a, b: f"- {a.heading}: {a.written} [1]\n- {b.heading}: {other_digits(r, b.written)} [2]\n- {_said(b, b.written)} [2]",
    lambda r, a, b: f"{_said(a, a.written)} [1]. 합계는 {won(r.randrange(11, 99) * 1300)}입니다 [1][2]. {_said(b, b.written)} [2].",
    lambda r, a, b: f"{_said(a, a.written)} [1]. 다만, {_said(b, other_digits(r, b.written))} [2].",
    lambda r, a, b: f"근로기준법 제60조에 따라 {_said(a, a.written)} [1].\n\n{_said(b, b.written)} [2].",
]  # fmt: skip


def lies() -> Iterator[tuple[str, list[Source], str]]:
    chance = random.Random(7)
    for number in range(300):
        one, other = chance.sample(FACTS, 2)
        text = LIES[number % len(LIES)](chance, one, other)
        yield text, [passage(one, 1), passage(other, 2)], f"{one.question} {other.question}"


def supporting(sources: Sequence[Source], cited: Sequence[int]) -> list[str]:
    return [f"{one.document} {one.address} {one.heading}\n{one.text}" for one in sources if one.number in cited]


def test_of_300_lying_answers_no_unsupported_figure_remains(terms: Terms) -> None:
    caught = 0
    for text, sources, question in lies():
        verified = verify(text, sources, question, terms)
        assert figures.unsupported(verified.text, supporting(sources, verified.cited)) == (), (text, verified)
        caught += verified.outcome is not Outcome.VERIFIED
    assert caught >= 297


def test_of_300_truthful_answers_at_least_97_percent_pass_unharmed(terms: Terms) -> None:
    harmed = []
    for text, sources, question in truths():
        verified = verify(text, sources, question, terms)
        if verified.outcome is not Outcome.VERIFIED:
            harmed.append((text, verified.removed))
    assert len(harmed) <= 9, harmed


def test_a_truthful_answer_reads_the_same_in_pieces(terms: Terms) -> None:
    for text, sources, question in list(truths())[::4]:
        checker = Checker(sources, question, terms)
        shown = "".join(checker.feed(text[first : first + 3]) for first in range(0, len(text), 3))
        verified = checker.finish()
        assert verified == verify(text, sources, question, terms)
        assert verified.text.startswith(shown)
