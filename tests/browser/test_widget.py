"""The widget on somebody else's page: another origin, a strict policy, styles that reach for everything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FrameLocator, Locator, Page, expect

OpenPage = Callable[..., Page]

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
WIDTHS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
LEAVE = "연차는 며칠 전에 신청해야 하나요?"


def elsewhere(base_url: str, path: str) -> str:
    return base_url.replace("127.0.0.1", "localhost") + path


@pytest.fixture
def open_host(open_page: OpenPage, base_url: str) -> OpenPage:
    """Opens the page of others: the same server by a name that makes it another origin."""

    def open_one(**options: Any) -> Page:
        url = elsewhere(base_url, "/host")
        return open_page(**{"url": url, "ready": ".launcher", **options})

    return open_one


def ask(page: Page | FrameLocator, question: str) -> Locator:
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    turn = page.locator(".turn").last
    expect(turn.locator("h2")).to_contain_text(question)
    expect(turn).to_have_attribute("aria-busy", "false")
    return turn


def opened(page: Page) -> Page:
    page.locator(".launcher").click()
    expect(page.locator("#question")).to_be_focused()
    page.locator("#welcome h2, .turn").first.wait_for()
    return page


def sent_by(page: Page, path: str, act: Callable[[], object]) -> dict[str, Any]:
    with page.expect_request(lambda request: path in request.url and request.method == "POST") as caught:
        act()
    body: dict[str, Any] = json.loads(caught.value.post_data or "")
    return body


# ---------------------------------------------------------------- on the page of others


@WIDTHS
def test_a_question_is_answered_on_a_page_of_another_origin(open_host: OpenPage, viewport: dict[str, int]) -> None:
    page = opened(open_host(viewport=viewport))
    expect(page.locator("#bot-picker")).to_have_value("leave")  # as the script's `data-bot` says
    turn = ask(page, LEAVE)
    expect(turn.locator(".card")).to_have_count(2)
    turn.locator(".card-title").first.click()
    dialog = page.get_by_role("dialog", name="복무규정 제21조 제1항")
    expect(dialog.locator("mark").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#panel")).to_be_visible()  # the first Escape closes the article alone
    expect(turn.locator(".card-title").first).to_be_focused()


def test_a_cited_row_opens_as_a_table(open_host: OpenPage) -> None:
    page = opened(open_host())
    page.locator("#bot-picker").select_option("")  # finding the bot is left to the server
    body = sent_by(page, "/api/chat", lambda: ask(page, "출장 숙박비 상한이 얼마인가요?"))
    assert "bot" not in body
    page.locator(".card-title").click()
    expect(page.locator("dialog table tr.quoted")).to_contain_text("5급(대리)")


def test_clarification_is_answered_with_a_button(open_host: OpenPage) -> None:
    page = opened(open_host())
    page.locator("#bot-picker").select_option("")
    turn = ask(page, "신청서는 언제 내나요?")
    body = sent_by(page, "/api/chat", turn.get_by_role("button", name="계약·구매").click)
    assert body["bot"] == "procurement"


def test_the_page_around_is_left_as_it_is_and_does_not_reach_in(open_host: OpenPage) -> None:
    page = open_host()
    look = "node => { const s = getComputedStyle(node); return [s.color, s.fontFamily, s.fontSize, s.letterSpacing]; }"
    before = page.locator("h1").evaluate(look)
    height = page.evaluate("document.documentElement.scrollHeight")
    opened(page)
    ask(page, LEAVE)
    assert page.locator("h1").evaluate(look) == before
    assert page.evaluate("document.documentElement.scrollHeight") == height
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("Object.keys(window).filter((name) => !window.before.includes(name))") == ["before"]
    assert page.evaluate("document.adoptedStyleSheets.length") == 0
    inside = page.locator(".turn .text p").first.evaluate(look)
    assert inside[0] == "rgb(28, 35, 33)"
    assert "monospace" not in inside[1]
    assert inside[2:] == ["17px", "normal"]  # not of the page's root of 10 pixels


def test_shortcuts_of_the_page_do_not_hear_what_is_typed_in_the_panel(open_host: OpenPage) -> None:
    page = opened(open_host())
    page.locator("#question").press_sequentially("jk")
    assert page.evaluate("window.shortcuts") == []
    page.locator("#memo").press_sequentially("j")
    assert page.evaluate("window.shortcuts") == ["j"]


def test_nothing_is_asked_of_the_server_before_the_panel_is_opened(open_host: OpenPage) -> None:
    page = open_host()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "/api/" in url] == []
    opened(page)
    assert any(url.endswith("/api/bots") for url in asked)


def test_panel_and_conversation_are_there_again_on_the_next_page(open_host: OpenPage) -> None:
    page = opened(open_host())
    ask(page, LEAVE)
    kept = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "연차" not in kept  # an id alone: other scripts of that page can read its storage
    page.reload()
    expect(page.locator(".turn .card")).to_have_count(2)
    assert page.evaluate("document.activeElement === document.body")  # and the focus is left where the page has it
    page.locator("#question").press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator(".launcher")).to_be_focused()
    page.reload()
    expect(page.locator(".launcher")).to_be_visible()
    expect(page.locator("#panel")).to_be_hidden()


@pytest.mark.parametrize(("seconds", "several"), [(900, False), (30, True)], ids=["lasting", "over at once"])
def test_the_pages_own_server_says_who_asks(open_host: OpenPage, base_url: str, seconds: int, several: bool) -> None:
    page = open_host(url=elsewhere(base_url, f"/host?token=/token?seconds={seconds}"))
    shown: list[str] = []
    page.on(
        "request", lambda request: "/api/" in request.url and shown.append(request.headers.get("authorization", ""))
    )
    opened(page)
    ask(page, LEAVE)
    ask(page, LEAVE)
    assert all(re.fullmatch(r"Bearer ragbotsw_\d+", one) for one in shown), shown
    assert (len(set(shown)) > 1) == several


def test_where_it_cannot_be_told_who_asks_nothing_is_asked(open_host: OpenPage, base_url: str) -> None:
    page = open_host(url=elsewhere(base_url, "/host?token=/gone"))
    opened(page)
    page.locator("#question").fill("연차는?")
    page.locator("#send").click()
    expect(page.locator(".turn").last).to_contain_text("누구인지 확인하지 못했습니다")


def test_the_panel_covers_a_phone_and_grows_on_a_desk(open_host: OpenPage) -> None:
    phone = opened(open_host(viewport=PHONE)).locator("#panel").bounding_box()
    assert phone == {"x": 0, "y": 0, "width": PHONE["width"], "height": PHONE["height"]}
    page = opened(open_host(reduced_motion="reduce"))
    expect(page.get_by_role("radio").first).to_be_hidden()
    page.get_by_role("button", name="크게").click()
    expect(page.get_by_role("radio", name="근태·휴가")).to_be_checked()
    page.get_by_role("button", name="작게").click()
    expect(page.get_by_role("radio").first).to_be_hidden()


def test_it_works_in_a_frame(open_page: OpenPage, base_url: str) -> None:
    page = open_page(url=base_url.replace("127.0.0.1", "localhost") + "/framed", ready="iframe")
    frame = page.frame_locator("iframe")
    frame.locator(".launcher").click()
    turn = ask(frame, LEAVE)
    turn.locator(".card-title").first.click()
    expect(frame.locator("dialog mark")).to_have_count(1)


# ---------------------------------------------------------------- as a page, and as a panel


def test_what_amendments_changed_stands_side_by_side(open_page: OpenPage) -> None:
    page = open_page()
    turn = ask(page, LEAVE)
    turn.get_by_role("button", name="신구대조 보기").click()
    coming, past = (page.get_by_role("region", name=f"신구대조: {name}") for name in ("2027. 1. 1.", "2024. 3. 1."))
    expect(coming.locator("dt")).to_have_text(["현행", "개정 (2027. 1. 1. 시행)"])
    expect(coming.locator("del")).to_have_text("삭제: 3일")
    expect(coming.locator("ins")).to_have_text("신설: 2일")
    expect(past.locator("dt")).to_have_text(["개정 전", "개정 (2024. 3. 1. 시행)"])
    expect(past.locator("del")).to_have_text("삭제: 7일")
    page.get_by_role("button", name="제22조(연차휴가의 이월)").click()
    expect(page.locator("#passage-title")).to_have_text("복무규정 제22조")
    added = page.get_by_role("region", name="신구대조: 2025. 1. 1. 시행")
    expect(added).to_be_hidden()  # what has long been law is there for whoever wants to know
    button = page.get_by_role("button", name="신구대조", exact=True)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(added.locator("dd")).to_have_text(["(신설)", re.compile("^신설: 쓰지 아니한")])


def test_a_thumb_and_its_reason_are_sent_and_there_after_a_reload(open_page: OpenPage) -> None:
    page = open_page()
    turn = ask(page, LEAVE)
    down = turn.get_by_role("button", name="아쉬워요")
    said = sent_by(page, "/api/feedback", down.click)
    assert said.keys() == {"answer_id", "rating"}
    assert said["rating"] == "down"
    expect(down).to_be_focused()
    turn.get_by_label("빠진 내용이 있어요").check()
    turn.get_by_label("더 알려 주실 내용").fill("반차도 알려 주세요.")
    more = sent_by(page, "/api/feedback", turn.get_by_role("button", name="의견 보내기").click)
    assert more == {**said, "reason": "incomplete", "comment": "반차도 알려 주세요."}
    expect(turn).to_contain_text("의견을 보냈습니다.")
    page.reload()
    expect(page.get_by_role("button", name="아쉬워요")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".reason")).to_have_count(0)
    page.get_by_role("button", name="아쉬워요").click()  # pressed again, it is taken back
    expect(page.get_by_role("button", name="아쉬워요")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.get_by_role("button", name="아쉬워요")).to_have_attribute("aria-pressed", "false")


def test_feedback_that_does_not_arrive_is_said(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/api/feedback", lambda route: route.fulfill(status=404, body="not found"))
    turn = ask(page, LEAVE)
    turn.get_by_role("button", name="도움이 됐어요").click()
    expect(turn).to_contain_text("의견을 보내지 못했습니다.")
    expect(turn.get_by_role("button", name="도움이 됐어요")).to_have_attribute("aria-pressed", "false")


def test_a_refusal_leads_to_a_person(open_page: OpenPage) -> None:
    page = open_page(url="/?bot=security", permissions=["clipboard-read", "clipboard-write"])
    turn = ask(page, "화성 출장도 되나요?")
    expect(turn.get_by_role("heading", name="담당자에게 묻기")).to_be_visible()
    mail = unquote(turn.get_by_role("link", name="메일 쓰기").get_attribute("href") or "")
    assert mail.startswith("mailto:security@hanul.example?")
    assert "화성 출장도 되나요?" in mail
    expect(turn.get_by_role("link", name="전화 걸기")).to_have_attribute("href", "tel:0221241262")
    turn.get_by_role("button", name="문의 내용 복사").click()
    expect(turn.get_by_role("button", name="복사했습니다")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "정보화전략부 보안 담당" in copied
    assert "질문: 화성 출장도 되나요?" in copied


def test_an_extension_alone_is_no_number_to_call(open_page: OpenPage) -> None:
    turn = ask(open_page(), "화성 출장도 되나요?")
    expect(turn.locator(".contact")).to_contain_text("내선 1201")
    expect(turn.locator(".contact a")).to_have_count(0)


def test_a_version_that_is_not_released_is_asked_under_a_banner(open_page: OpenPage) -> None:
    page = open_page(url="/?version=v7")
    expect(page.get_by_role("note")).to_have_text(re.compile("공개 전 버전.*v7"))
    assert sent_by(page, "/api/chat", lambda: ask(page, LEAVE))["version"] == "v7"
    plain = open_page()
    expect(plain.locator("#preview")).to_be_hidden()
    assert "version" not in sent_by(plain, "/api/chat", lambda: ask(plain, LEAVE))


def test_a_conversation_is_deleted_at_the_server_too(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_role("button", name="대화 지우기")).to_be_hidden()
    ask(page, LEAVE)
    page.get_by_role("button", name="대화 지우기").click()
    page.get_by_role("dialog").get_by_role("button", name="그대로 두기").click()
    expect(page.locator(".turn")).to_have_count(1)
    page.get_by_role("button", name="대화 지우기").click()
    with page.expect_response(lambda response: response.request.method == "DELETE") as gone:
        page.get_by_role("dialog").get_by_role("button", name="대화 지우기").click()
    assert gone.value.status == 204
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_role("button", name="방금 대화로 돌아가기")).to_have_count(0)
    assert page.request.get(gone.value.url).status == 404


def test_a_conversation_that_the_server_no_longer_has_begins_anew(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, LEAVE)
    page.route("**/api/conversations/*", lambda route: route.fulfill(status=404, body="not found"))
    page.reload()
    expect(page.locator("#welcome h2")).to_have_text("무엇을 찾아 드릴까요?")
    assert "conversation_id" not in sent_by(page, "/api/chat", lambda: ask(page, LEAVE))


def test_english_is_spoken_where_the_browser_does_and_the_choice_is_remembered(open_page: OpenPage) -> None:
    page = open_page(locale="en-US")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    turn = ask(page, LEAVE)
    expect(turn.get_by_role("heading", name="Citations")).to_be_visible()
    expect(turn).to_contain_text("as of 23 Nov 2026")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator(".turn").get_by_role("heading", name="근거")).to_be_visible()  # the conversation stays
    page.reload()
    expect(page.locator(".turn").get_by_role("heading", name="근거")).to_be_visible()


def test_everything_is_said_in_both_languages(open_page: OpenPage) -> None:
    missing = open_page().evaluate(
        """async () => {
          const { WORDS: { ko, en } } = await import("/static/words.js");
          const below = (name, value) => Object.keys(value).map((key) => `${name}.${key}`);
          const names = (words) => Object.entries(words).flatMap(([name, value]) =>
            value.constructor === Object ? below(name, value) : [`${name} ${typeof value}`]);
          const [a, b] = [new Set(names(ko)), new Set(names(en))];
          return [...a].filter((name) => !b.has(name)).concat([...b].filter((name) => !a.has(name)));
        }"""
    )
    assert missing == []


# ---------------------------------------------------------------- for everybody


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:80]} {node['target']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"]
)
def test_axe_finds_nothing_on_the_page(open_page: OpenPage, viewport: dict[str, int], scheme: str) -> None:
    page = open_page(url="/?version=v7", viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    assert violations(page) == []
    ask(page, "화성 출장도 되나요?")
    ask(page, "신청서는 언제 내나요?")
    ask(page, "30등급은 얼마인가요?")
    turn = ask(page, LEAVE)
    turn.get_by_role("button", name="아쉬워요").click()
    expect(turn.locator(".reason")).to_be_visible()
    page.mouse.move(0, 0)
    assert violations(page) == []
    turn.get_by_role("button", name="신구대조 보기").click()
    expect(page.get_by_role("region", name="신구대조").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".turn").nth(2).locator(".card-title").first.click()
    expect(page.locator("dialog table")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(
    ("viewport", "scheme", "locale"),
    [(DESKTOP, "dark", "en-US"), (PHONE, "light", "ko-KR")],
    ids=["desktop-dark-english", "phone-light"],
)
def test_axe_finds_nothing_in_the_widget(
    open_host: OpenPage, viewport: dict[str, int], scheme: str, locale: str
) -> None:
    page = open_host(viewport=viewport, color_scheme=scheme, locale=locale, reduced_motion="reduce")
    own = [one for one in violations(page) if "ragbots-chat" in one]
    opened(page)
    page.locator("#menu").click()
    ask(page, LEAVE)
    page.mouse.move(0, 0)
    own += [one for one in violations(page) if "ragbots-chat" in one]
    assert own == []
