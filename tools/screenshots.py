"""The pictures of the READMEs and docs, taken from a running server: `tools/screenshots.py [--url URL]`.

Needs Chromium and Playwright (`requirements/dev.txt`) and fonts with Korean glyphs. Not part of CI:
pixels differ between machines, and whether a picture shows what it should is for a reader to judge.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
QUESTION = "해외 출장 갈 때 예방접종비랑 로밍비도 지원되나요?"
STATES = {
    "table": "3급 직원의 국내 출장 일비는 얼마인가요?",
    "refusal": "달에서 지구까지 빛이 오는 데 걸리는 시간은?",
    "clarify": "신청 기한이 언제까지인가요?",
    "greeting": "안녕하세요",
}
DESKTOP = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True, "has_touch": True}
LARGEST_BYTES = 300_000
# A page of others, under the server's own origin so that no setting is needed.
GROUPWARE = """<!doctype html><html lang="ko"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>그룹웨어</title><style>
body { margin: 0; font: 15px/1.7 sans-serif; color: #333; background: #fff; }
nav { padding: 14px 32px; color: #fff; background: #31446b; font-weight: 700; }
main { max-width: 560px; padding: 24px 32px; }
li { padding: 10px 0; border-bottom: 1px solid #e3e6ec; list-style: none; }
ul { padding: 0; }
</style><script src="/widget.js" data-bot="travel-expenses" data-lang="ko" defer></script></head><body>
<nav>그룹웨어</nav><main><h2>공지사항</h2><ul><li>하반기 건강검진 일정 안내</li><li>사무실 이전에 따른 자리 배치</li>
<li>전자결재 양식 변경</li><li>연말 업무 마감 일정</li></ul></main></body></html>"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--url", default="http://127.0.0.1:8642", help="a server with the project's bots")
    arguments.add_argument("--question", default=QUESTION)
    arguments.add_argument("--review", type=Path, metavar="FOLDER", help="everything at both widths, light and dark")
    chosen = arguments.parse_args()
    folder = chosen.review or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        if chosen.review:
            review(browser, chosen.url, chosen.question, folder)
        else:
            take_desktop(browser, chosen.url, chosen.question)
            take_phone(browser, chosen.url, chosen.question)
            take_widget(browser, chosen.url, chosen.question)
        browser.close()


def review(browser: Browser, url: str, question: str, folder: Path) -> None:
    """What a reader looks through before a change of looks: each state at both widths, light and dark."""
    for (width, device), scheme in product((("desktop", DESKTOP), ("phone", PHONE)), ("light", "dark")):
        name = f"{width}-{scheme}"
        with opened(browser, url, {**device, "color_scheme": scheme}) as page:
            save(page, folder / f"{name}-welcome.png")
            for state, asked in {"answer": question, **STATES}.items():
                ask(page, asked)
                save(page, folder / f"{name}-{state}.png")
                if state in ("answer", "table"):
                    page.locator(".turn").last.locator(".card-title").first.click()
                    page.locator("dialog .passage-body > div").last.wait_for()
                    save(page, folder / f"{name}-{state}-passage.png")
                    page.keyboard.press("Escape")
        with opened(browser, url, {**device, "color_scheme": scheme}, host=GROUPWARE) as page:
            ask(page, question)
            save(page, folder / f"{name}-widget.png")


def take_desktop(browser: Browser, url: str, question: str) -> None:
    with opened(browser, url, DESKTOP) as page:
        ask(page, question)
        save(page, FOLDER / "page.png")
        page.locator(".card-title").first.click()
        expect(page.get_by_role("dialog").locator("mark").first).to_be_in_viewport()
        save(page, FOLDER / "passage.png")


def take_phone(browser: Browser, url: str, question: str) -> None:
    with opened(browser, url, PHONE) as page:
        ask(page, question)
        save(page, FOLDER / "phone.png")


def take_widget(browser: Browser, url: str, question: str) -> None:
    with opened(browser, url, DESKTOP, host=GROUPWARE) as page:
        ask(page, question)
        save(page, FOLDER / "widget.png")


@contextmanager
def opened(browser: Browser, url: str, device: dict[str, Any], host: str | None = None) -> Iterator[Page]:
    """The page, or the widget on the page `host`; nothing moves or blinks."""
    context = browser.new_context(locale="ko-KR", reduced_motion="reduce", **device)
    page = context.new_page()
    if host:
        page.route("**/groupware", lambda route: route.fulfill(body=host, content_type="text/html"))
        page.goto(f"{url}/groupware")
        page.locator(".launcher").click()
    else:
        page.goto(url)
    page.locator("#welcome h2").wait_for()
    yield page
    context.close()


def ask(page: Page, question: str) -> None:
    """Asks, and waits for the whole answer, whatever it is."""
    page.locator("#question").fill(question)
    page.locator("#send").click()
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-status", re.compile("answered|refused|clarify|talk"), timeout=300_000)
    expect(turn).to_have_attribute("aria-busy", "false")
    page.wait_for_timeout(500)  # scrolling to the answer ends without an event


def save(page: Page, path: Path) -> None:
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    print(f"{path}: {size:,} bytes")
    if size > LARGEST_BYTES:
        raise SystemExit(f"{path} is larger than {LARGEST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
