"""What somebody who asks can rely on in the page, in a real browser, with scripted answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

OpenPage = Callable[..., Page]
PHONE = {"width": 390, "height": 844}

LEAVE = "연차는 며칠 전에 신청해야 하나요?"


FOCUS_IS_IN_DIALOG = """() => {
    const inside = document.activeElement.shadowRoot?.activeElement;
    return !inside || !!inside.closest("dialog");
}"""


def ask(page: Page, question: str) -> Locator:
    """Asks by keyboard; the turn, once its answer (or failure) is whole."""
    before = page.locator(".turn").count()
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    turn = page.locator(".turn").nth(before)
    expect(turn).to_have_attribute("aria-busy", "false")
    return turn


def sent_by(page: Page, act: Callable[[], object]) -> dict[str, Any]:
    with page.expect_request("**/api/chat") as caught:
        act()
    request: Request = caught.value
    body: dict[str, Any] = json.loads(request.post_data or "")
    return body


def test_a_question_is_answered_with_citations(open_page: OpenPage) -> None:
    turn = ask(open_page(), LEAVE)
    expect(turn.locator(".who")).to_have_text("근태·휴가")
    expect(turn.locator(".text p").first).to_contain_text("3일 전까지 복무권자에게 신청하여야 한다.")
    expect(turn.locator(".text li")).to_have_count(2)
    expect(turn.locator(".card")).to_have_count(2)
    expect(turn.locator(".card").first).to_contain_text("복무규정 제21조 제1항")
    expect(turn.locator(".related")).to_contain_text("복무규정 제22조")
    expect(turn.locator(".notice")).to_contain_text("2027. 1. 1. 시행")


def test_the_words_that_answer_are_marked_in_the_answer(open_page: OpenPage) -> None:
    page = open_page()
    marks = ask(page, LEAVE).locator(".text mark")
    assert "".join(marks.all_text_contents()) == "연차휴가를 쓰려는 날의 3일 전까지 복무권자에게 신청하여야 한다."
    expect(marks.last.locator("xpath=..").locator(".marker")).to_have_text("1")  # the last word keeps its number
    row = ask(page, "30등급은 얼마인가요?").locator(".text .row mark")
    expect(row).to_have_text(["30등급", "30달러", "300달러"])


def test_the_answer_and_its_citations_are_there_before_its_end(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#question").fill("머뭇거리며 알려 주세요")
    page.locator("#question").press("Enter")
    turn = page.locator(".turn")
    expect(turn.locator(".text li")).to_contain_text("당일에")
    expect(turn).to_have_attribute("aria-busy", "true")
    turn.locator("button.marker").first.click()
    expect(page.locator("dialog mark")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="멈춤").click()
    expect(turn.locator(".text p").first).to_contain_text("3일 전까지")  # what was there stays


def test_a_number_without_a_citation_stays_text(open_page: OpenPage) -> None:
    turn = ask(open_page(), LEAVE)
    expect(turn.locator(".text")).to_contain_text("[9]에 해당하는")
    expect(turn.locator("button.marker")).to_have_text(["1", "2"])


def test_a_citation_opens_in_its_article_with_the_words_marked(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, LEAVE).locator(".card-title").first.click()
    dialog = page.get_by_role("dialog", name="복무규정 제21조 제1항")
    expect(dialog.locator("mark")).to_have_text(
        "직원은 연차휴가를 쓰려는 날의 3일 전까지 복무권자에게 신청하여야 한다."
    )
    expect(dialog.locator("mark")).to_be_in_viewport()
    expect(dialog).to_contain_text("나. 비상근무를 하는 부서")
    expect(dialog).to_contain_text("12쪽")
    expect(dialog.get_by_role("link", name="원문 열기")).to_have_attribute(
        "href", "https://regulations.example/leave#21"
    )


def test_marks_count_characters_and_not_utf_16_units(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, LEAVE).locator("button.marker", has_text="2").click()
    expect(page.locator("dialog mark")).to_have_text("질병 등 부득이한 사유가 있으면 당일에 신청할 수 있다.")


def test_rows_are_one_table_and_the_quoted_cell_is_marked(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "출장 숙박비 상한이 얼마인가요?").locator(".card-title").click()
    table = page.locator("dialog table")
    expect(table).to_have_count(1)
    expect(table.get_by_role("columnheader")).to_have_count(6)
    expect(page.locator("dialog").get_by_text("숙박비 상한(서울)")).to_have_count(1)
    expect(table.locator("tbody tr")).to_have_count(4)
    expect(table.locator("tr.quoted")).to_contain_text("5급(대리)")
    expect(table.locator("mark")).to_have_text("80,000원")


def test_a_row_without_tabs_is_marked_whole(open_page: OpenPage) -> None:
    page = open_page()

    def without_tabs(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace("\\t", " "))

    page.route("**/api/citations/*", without_tabs)
    ask(page, "출장 숙박비 상한이 얼마인가요?").locator(".card-title").click()
    expect(page.locator("dialog").get_by_role("columnheader")).to_have_count(6)
    expect(page.locator("dialog tr.quoted mark")).to_have_count(6)


def test_neighbouring_articles_and_the_way_back(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, LEAVE).locator(".card-title").first.click()
    page.get_by_role("button", name="제22조(연차휴가의 이월)").click()
    expect(page.locator("#passage-title")).to_have_text("복무규정 제22조")
    page.get_by_role("button", name="인용한 곳으로").click()
    expect(page.locator("dialog mark")).to_have_count(1)


def test_keyboard_alone_is_enough(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("연차는")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("언제까지?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn h2")).to_contain_text("연차는\n언제까지?")
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    card = page.locator(".card-title").first
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if card.evaluate("node => node === node.getRootNode().activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(8):  # The page behind is out of reach while the panel is open.
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_IN_DIALOG)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(card).to_be_focused()


def test_bots_are_chosen_with_arrow_keys(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("radio", name="자동으로 찾기").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#welcome")).to_contain_text("인사부 복무 담당 (내선 1201)")
    expect(page.get_by_role("radio", name="문서관리")).to_be_disabled()
    sample = page.get_by_role("button", name="아이가 아프면 쓸 수 있는 휴가가 있나요?")
    body = sent_by(page, sample.click)
    assert body["bot"] == "leave"
    assert body["question"] == "아이가 아프면 쓸 수 있는 휴가가 있나요?"


def test_who_writes_the_answer_is_chosen_among_those_the_bot_allows(open_page: OpenPage) -> None:
    page = open_page()
    writer = page.locator("#writer")
    expect(writer).to_be_hidden()
    page.locator("input[name=bot][value=travel]").check()
    expect(writer.locator("option")).to_have_text(["AI (사내모델)", "AI (큰모델)", "조문 그대로"])
    question = "출장 숙박비는 얼마인가요?"
    writer.select_option("큰모델")
    assert sent_by(page, lambda: ask(page, question))["llm"] == "큰모델"
    writer.select_option("조문 그대로")
    assert sent_by(page, lambda: ask(page, question))["llm"] == "none"
    page.locator("input[name=bot][value=leave]").check()
    expect(writer).to_be_hidden()
    assert not sent_by(page, lambda: ask(page, LEAVE)).get("llm")


def test_enter_that_ends_hangul_composition_does_not_send(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#question").fill("연차")
    page.locator("#question").evaluate(
        """node => node.dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))"""
    )
    expect(page.locator("#question")).to_have_value("연차")
    expect(page.locator(".turn")).to_have_count(0)


def test_the_whole_answer_is_announced_once_at_its_end(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#status").evaluate(
        """status => { window.said = []; new MutationObserver(() => {
            if (status.textContent) window.said.push(status.textContent); }).observe(status, {childList: true}); }"""
    )
    ask(page, LEAVE)
    page.wait_for_function("window.said.some(text => text.includes('근거 2개'))")
    said = page.evaluate("window.said")
    assert len(said) == 2
    assert "근태·휴가의 답변" in said[-1]
    assert "다음과 같이 바뀝니다" in said[-1]
    expect(page.locator("#conversation [aria-live]")).to_have_count(0)


def test_a_refusal_looks_different_and_names_whom_to_ask(open_page: OpenPage) -> None:
    turn = ask(open_page(), "화성 출장도 되나요?")
    expect(turn).to_have_attribute("data-status", "refused")
    expect(turn).to_contain_text("규정에서 답을 찾지 못함")
    expect(turn.locator(".contact")).to_contain_text("인사부 복무 담당 (내선 1201)")
    expect(turn.locator(".text")).to_have_css("border-style", "dashed")


def test_clarification_asks_again_with_the_bot_that_was_chosen(open_page: OpenPage) -> None:
    page = open_page()
    turn = ask(page, "신청서는 언제 내나요?")
    expect(turn.locator(".choices button")).to_have_count(3)
    body = sent_by(page, turn.get_by_role("button", name="계약·구매").click)
    assert (body["question"], body["bot"], body["history"]) == ("신청서는 언제 내나요?", "procurement", [])
    expect(page.locator(".turn").nth(1)).to_contain_text("계약·구매에서 찾은 답입니다.")


def test_a_follow_up_carries_the_last_six_messages(open_page: OpenPage) -> None:
    page = open_page()
    for number in range(4):
        ask(page, f"{number}번째 연차 질문")
    body = sent_by(page, lambda: ask(page, "그럼 이월은요?"))
    # The server began that conversation with the first question, which named none.
    kept = page.request.get(urljoin(page.url, f"/api/conversations/{body['conversation_id']}")).json()
    assert kept["turns"][0]["question"] == "0번째 연차 질문"
    assert [turn["role"] for turn in body["history"]] == ["user", "assistant"] * 3
    assert body["history"][0]["content"] == "1번째 연차 질문"


def test_the_conversation_survives_a_reload_until_a_new_one(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, LEAVE)
    page.reload()
    expect(page.locator(".turn .card")).to_have_count(2)
    page.get_by_role("button", name="새 대화").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="방금 대화로 돌아가기").click()
    expect(page.locator(".turn .card")).to_have_count(2)
    page.get_by_role("button", name="새 대화").click()
    page.reload()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


def test_stopping_keeps_the_question_for_another_try(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#question").fill("천천히 알려 주세요")
    page.get_by_role("button", name="보내기").click()
    expect(page.locator(".searching")).to_have_text("근태·휴가에서 찾는 중")
    page.get_by_role("button", name="멈춤").click()
    expect(page.locator(".turn")).to_contain_text("답변을 멈췄습니다.")
    expect(page.locator(".turn").get_by_role("button", name="다시 시도")).to_be_visible()
    expect(page.get_by_role("button", name="보내기")).to_be_visible()


def test_a_double_click_on_send_does_not_stop_the_answer(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#question").fill("천천히 알려 주세요")
    page.get_by_role("button", name="보내기").dblclick()
    expect(page.get_by_role("button", name="멈춤")).to_be_visible()
    page.get_by_role("button", name="새 대화").click()


@pytest.mark.parametrize(
    ("question", "said"),
    [("고장", "이 챗봇은 아직 준비되지 않았습니다."), ("끊김", "연결이 중간에 끊겼습니다.")],
)
def test_failures_are_told_kindly_and_can_be_tried_again(open_page: OpenPage, question: str, said: str) -> None:
    page = open_page()
    turn = ask(page, question)
    expect(turn.locator(".notice")).to_contain_text(said)
    body = sent_by(page, turn.get_by_role("button", name="다시 시도").click)
    assert body["question"] == question
    expect(page.locator(".turn")).to_have_count(1)


def test_an_unreachable_server_is_told(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/api/chat", lambda route: route.abort())
    expect(ask(page, LEAVE)).to_contain_text("서버에 연결하지 못했습니다")


def test_a_passage_that_is_gone_still_shows_the_quote(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/api/citations/*", lambda route: route.fulfill(status=404, body="not found"))
    ask(page, LEAVE).locator(".card-title").first.click()
    expect(page.locator("dialog .notice")).to_contain_text("처리하지 못했습니다")
    expect(page.locator("dialog blockquote")).to_contain_text("3일 전까지")


def test_markup_in_answers_and_titles_is_shown_as_text(open_page: OpenPage) -> None:
    page = open_page()
    turn = ask(page, "공격")
    expect(turn.locator(".text p")).to_contain_text("<img src=x onerror=")
    expect(turn.locator(".card-title")).to_contain_text("<script>")
    turn.locator(".card-title").click()
    expect(page.locator("#passage-title")).to_contain_text("<img src=x")
    expect(page.locator("dialog mark")).to_have_count(1)
    links = page.get_by_role("dialog").get_by_role("link")
    expect(links).to_have_text(["이 조문만 보기 (새 창)"])  # `javascript:` is no link
    assert page.evaluate("window.attacked") is None
    assert page.locator("main img, dialog img, main script, dialog script").count() == 0


def test_a_question_that_is_too_long_is_kept_and_not_sent(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#question").fill("가" * 2015)
    expect(page.locator("#question-count")).to_have_text("15자를 줄여 주세요 (2,000자까지)")
    page.locator("#question").press("Enter")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_have_value("가" * 2015)


def test_another_day_can_be_asked_for(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#as-of-details summary").click()
    page.get_by_label("이 날에 시행 중인 규정으로 답합니다").fill("2025-03-01")
    body = sent_by(page, lambda: ask(page, LEAVE))
    assert body["as_of"] == "2025-03-01"
    expect(page.locator(".turn .tools")).to_contain_text("2025. 3. 1. 기준")


def test_the_answer_is_copied_with_its_citations(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page, LEAVE).get_by_role("button", name="인용과 함께 복사").click()
    expect(page.get_by_role("button", name="복사했습니다")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1] 복무규정 제21조 제1항 (12쪽): “직원은" in copied
    assert "https://regulations.example/leave#21" in copied
    assert "/c/leave-21-2" in copied  # where no other address is known, the passage's own page


def ground(page: Page) -> str:
    colour: str = page.locator(".app").evaluate("node => getComputedStyle(node).backgroundColor")
    return colour


def test_dark_mode_follows_the_system_and_a_choice_is_remembered(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    dark = ground(page)
    page.get_by_role("button", name="밝게").click()
    light = ground(page)
    assert light != dark
    page.reload()
    expect(page.get_by_role("button", name="어둡게")).to_be_visible()
    assert ground(page) == light


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgb = (...layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of layers) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = ([r, g, b]) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]]
    .reduce((sum, [v, w]) => sum + w * (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4), 0);
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    return layers;
  };
  const weak = [];
  const shadow = document.querySelector("ragbots-chat").shadowRoot;
  const walker = document.createTreeWalker(shadow, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest(".visually-hidden, .skip")) continue;
    const style = getComputedStyle(node);
    const layers = ground(node);
    const [a, b] = [light(rgb(...layers, style.color)), light(rgb(...layers))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push([node.textContent, ratio.toFixed(2)]);
    if (parseFloat(style.fontSize) < 16) weak.push([node.textContent, style.fontSize]);
  }
  return weak;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast_and_size(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    assert page.evaluate(CONTRAST) == []
    for question in (LEAVE, "화성 출장도 되나요?", "신청서는 언제 내나요?", "끊김"):
        ask(page, question)
    page.mouse.move(0, 0)
    assert page.evaluate(CONTRAST) == []
    page.locator(".card-title").first.click()
    page.locator("dialog mark").wait_for()
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [360, 390])
def test_nothing_is_wider_than_a_phone(open_page: OpenPage, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 844})

    def overhang() -> int:
        page_itself: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        said: int = page.locator("#scroller").evaluate("node => node.scrollWidth - node.clientWidth")
        return max(page_itself, said)

    assert overhang() <= 0
    for question in (LEAVE, "화성 출장도 되나요?", "신청서는 언제 내나요?", "공격", "가" * 300):
        ask(page, question)
        assert overhang() <= 0
    ask(page, "출장 숙박비 상한이 얼마인가요?").locator(".card-title").click()
    expect(page.locator("dialog mark")).to_be_in_viewport()
    assert overhang() <= 0
    assert page.locator("dialog").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_on_a_phone_the_bot_is_chosen_from_a_list(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE)
    expect(page.get_by_role("radio").first).to_be_hidden()
    page.get_by_label("물어볼 곳").select_option("travel")
    expect(page.locator("#welcome h2")).to_have_text("출장·여비")
    assert sent_by(page, lambda: ask(page, "정산 기한은?"))["bot"] == "travel"


def test_a_link_can_choose_the_bot(open_page: OpenPage) -> None:
    page = open_page(url="/?bot=travel")
    expect(page.locator("#welcome h2")).to_have_text(re.compile("출장·여비"))


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE])
def test_a_cited_row_is_shown_in_its_table_below_the_column_headings(
    open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    ask(page, "30등급은 얼마인가요?").locator(".card-title").first.click()
    table = page.locator("dialog table")
    expect(table).to_have_accessible_name("별표 2 국외 여비 정액표 (단위: 달러)")
    row = table.locator("tr.quoted")
    expect(row).to_be_in_viewport()
    expect(row.get_by_role("rowheader")).to_have_text("인용한 행: 30등급")
    head = table.locator("thead")
    expect(head).to_be_in_viewport()  # it stays while sixty rows pass below it
    assert row.bounding_box()["y"] >= head.bounding_box()["y"] + head.bounding_box()["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_merged_column_headings_are_merged_again(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "30등급은 얼마인가요?").locator(".card-title").first.click()
    headings = page.locator("dialog thead th")
    expect(headings).to_have_text(["등급", "일비(1일)", "숙박비 상한", "미화", "원화"])
    spans = headings.evaluate_all("all => all.map((th) => [th.scope, th.colSpan, th.rowSpan])")
    assert spans == [["col", 1, 2], ["colgroup", 2, 1], ["col", 1, 2], ["col", 1, 1], ["col", 1, 1]]


def test_a_table_is_scrolled_with_the_keys_alone(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE)
    ask(page, "30등급은 얼마인가요?").locator(".card-title").first.click()
    region = page.get_by_role("region", name="표: 별표 2")
    region.focus()
    before = region.evaluate("node => node.scrollTop")
    page.keyboard.press("PageDown")
    page.wait_for_function("([node, before]) => node.scrollTop > before", arg=[region.element_handle(), before])


def test_a_row_in_an_answer_reads_with_its_columns_and_a_quote_stands_on_the_page_once(open_page: OpenPage) -> None:
    turn = ask(open_page(), "30등급은 얼마인가요?")
    row = turn.locator(".text .row")
    expect(row.locator("dt")).to_have_text(["등급", "일비(1일) 미화", "숙박비 상한"])
    expect(row.locator("dd")).to_have_text(["30등급", "30달러", "300달러"])
    expect(row.locator("button.marker")).to_have_text("1")
    cards = turn.locator(".card")
    expect(cards.nth(0).locator("blockquote")).to_have_count(0)  # the answer says it
    expect(cards.nth(1).locator("blockquote")).to_contain_text("당일에 신청할 수 있다")  # and this it does not
