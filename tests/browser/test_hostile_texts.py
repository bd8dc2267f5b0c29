"""Whatever documents, titles, questions and answers hold, the pages show it as text.

The installation is real; its texts are the payloads of `payloads.py`. A page fails the test if anything of them runs,
is fetched, or is only kept from it by the policy.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.browser.payloads import packs, payloads

pytestmark = pytest.mark.slow

WATCH = """
for (const name of ["alert", "confirm", "prompt", "print"]) {
    window[name] = (what) => void report("ran", String(what));
}
addEventListener("securitypolicyviolation", (event) => {
    report("violation", `${event.violatedDirective} ${event.blockedURI}`);
});
"""
# Everything on the page, in shadow roots too.
ALL = """
const inside = (one) => (one.shadowRoot ? all(one.shadowRoot) : []);
const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...inside(one)]);
"""
PROD = f"""async () => {{
    {ALL}
    for (const one of all(document)) {{
        for (const kind of ["mouseover", "mouseenter", "pointerover"]) one.dispatchEvent(new Event(kind));
        if (one.matches("details")) one.open = true;
        if (/^\\s*(javascript|data):/i.test(one.href ?? one.src ?? "")) report("ran", one.outerHTML);
    }}
    await new Promise((resolve) => setTimeout(resolve, 50));
}}"""
TEXT = f"""() => {{
    {ALL}
    const roots = all(document).filter((one) => one.shadowRoot).map((one) => one.shadowRoot.textContent);
    return document.documentElement.textContent + roots.join("");
}}"""
AS_MARKUP = """async (texts) => {
    for (const text of texts) {
        for (const html of [text, `<p title="${text}">`, `<p title='${text}'>`]) {
            const place = document.createElement("div");
            document.body.append(place);
            place.innerHTML = html;
        }
    }
    for (const one of document.querySelectorAll("*")) one.dispatchEvent(new Event("mouseover"));
    await new Promise((resolve) => setTimeout(resolve, 500));
}"""
COMMENT = """async (texts) => {
    const own = async (path, body) => {
        const headers = {"Content-Type": "application/json"};
        const sent = body ? {method: "POST", body: JSON.stringify(body), headers} : {};
        return (await fetch(path, sent)).json();
    };
    const {conversations} = await own("api/conversations");
    const {turns} = await own(`api/conversations/${conversations[0].id}`);
    const said = {reason: texts[2].slice(0, 100), comment: texts.join(" ").slice(0, 2000)};
    return own("api/feedback", {answer_id: turns.at(-1).answer.id, rating: "down", ...said});
}"""
MILLISECONDS = 60_000
HOST_POLICY = "default-src 'none'; script-src WIDGET; connect-src WIDGET; require-trusted-types-for 'script'"


@dataclass
class Watched:
    """A page, and whatever ran on it, was refused to it, or was asked of other servers."""

    page: Page
    seen: list[tuple[str, str]] = field(default_factory=list)


class Others(ThreadingHTTPServer):
    """Pages of somebody else's: at `localhost` those that have the widget, at other names those that have not."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), OthersPage)
        self.pages: dict[str, tuple[str, str]] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, body: str, policy: str = "", host: str = "localhost") -> str:
        """The address at which the page is."""
        path = f"/{len(self.pages)}"
        self.pages[path] = (f"<!doctype html><title>업무</title>{body}", policy)
        return f"{self.origin(host)}{path}"

    def origin(self, host: str = "localhost") -> str:
        return f"http://{host}:{self.server_port}"


class OthersPage(BaseHTTPRequestHandler):
    server: Others

    def do_GET(self) -> None:
        body, policy = self.server.pages.get(self.path, ("", ""))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments: object) -> None:
        """Nothing is to be read there."""


@pytest.fixture(scope="module")
def others() -> Iterator[Others]:
    with Others() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def installation(
    serve: Callable[..., str], others: Others, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("hostile")
    script = Path(__file__).with_name("hostile_installation.py")
    return root, serve([sys.executable, str(script), str(root), "{port}", others.origin()], "/readyz", 400)


def watched(context: BrowserContext) -> Watched:
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    found = Watched(page)
    page.expose_function("report", lambda kind, what: found.seen.append((kind, what)))
    page.add_init_script(WATCH)

    def on_request(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "http://localhost:", "file://", "about:")):
            found.seen.append(("fetched", url))

    page.on("request", lambda request: on_request(request.url))
    page.on("pageerror", lambda error: found.seen.append(("error", str(error))))
    page.on("console", lambda said: "Security Policy" in said.text and found.seen.append(("violation", said.text)))
    return found


@pytest.fixture
def watch(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 800})
    yield watched(context)
    context.close()


def prod(page: Page) -> None:
    """Does what people do to a page, to everything on it: points, focuses, opens."""
    page.evaluate(PROD)


def text_of(page: Page) -> str:
    text: str = page.evaluate(TEXT)
    return text


def plain(text: str) -> str:
    """Without what loaders and pages do to white space and to characters that nobody sees."""
    return "".join(character for character in text if character.isprintable() and not character.isspace())


def shown(texts: list[str], pages: str) -> list[str]:
    held = plain(pages)
    return [text for text in texts if plain(text) in held]


def test_the_payloads_do_run_where_a_page_takes_them_for_markup(watch: Watched) -> None:
    assert len(payloads()) >= 300
    watch.page.goto("about:blank")
    watch.page.evaluate(AS_MARKUP, payloads())
    ran = {what for kind, what in watch.seen if kind == "ran"}
    assert len(ran) > 120


def test_articles_of_any_text_are_text(watch: Watched, installation: tuple[Path, str]) -> None:
    root, url = installation
    texts = []
    for citation_id in json.loads((root / "articles.json").read_text("utf-8")):
        response = watch.page.goto(f"{url}/c/{citation_id}")
        assert response is not None and response.status == 200
        prod(watch.page)
        texts.append(text_of(watch.page))
    assert watch.seen == []
    assert len(shown(payloads(), "".join(texts))) >= 300


@pytest.mark.parametrize("name", ["diff.html", "report.html"])
def test_reports_about_any_text_are_text(watch: Watched, installation: tuple[Path, str], name: str) -> None:
    root, _ = installation
    watch.page.goto((root / name).as_uri())
    prod(watch.page)
    assert watch.page.locator("h1").evaluate("(one) => getComputedStyle(one.ownerDocument.body).maxWidth") != "none"
    assert watch.seen == []
    assert len(shown(payloads(), text_of(watch.page))) >= 300


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(page.locator(".turn").last).to_have_attribute("aria-busy", "false", timeout=MILLISECONDS)


def with_widget(others: Others, url: str) -> str:
    """A page of others with the widget, under a strict policy."""
    return others.put(
        f'<script src="{url}/widget.js" data-bot="attack" defer></script>', HOST_POLICY.replace("WIDGET", url)
    )


def test_the_page_asks_and_is_answered_in_payloads(watch: Watched, installation: tuple[Path, str]) -> None:
    page, made = watch.page, payloads()
    page.goto(f"{installation[1]}/?bot=attack")
    page.locator("#welcome h2").wait_for()
    prod(page)
    for pack in packs(len(made) // 5)[:3]:
        ask(page, " ".join(pack[:12]))
    ask(page, "사무실 화분에 물은 일주일에 몇 번 주어야 하나요?")
    turn = page.locator(".turn").last
    turn.locator(".card-title, .related-item").first.click()
    page.locator("#passage .passage-body p").first.wait_for()
    for _ in range(3):
        prod(page)
        page.locator("#passage nav button").last.click()
    page.keyboard.press("Escape")
    page.locator(".thumbs button").last.click()
    page.reload()  # the conversation comes from the server's store now
    page.locator(".turn").last.wait_for()
    prod(page)
    assert watch.seen == []
    assert len(shown(made[:12], text_of(page))) == 12


def test_a_comment_on_an_answer_comes_back_as_text(watch: Watched, installation: tuple[Path, str]) -> None:
    page, url = watch.page, installation[1]
    page.goto(f"{url}/?bot=attack")
    page.locator("#welcome h2").wait_for()
    ask(page, payloads()[0])
    said = page.evaluate(COMMENT, payloads()[:20])
    assert said["reason"].startswith("<img")
    page.reload()
    page.locator(".turn").last.wait_for()
    prod(page)
    exported = page.request.get(f"{url}/api/conversations/export")
    assert exported.headers["content-type"] == "application/json"
    assert exported.headers["content-disposition"].startswith("attachment")
    page.goto(f"{url}/api/feedback?bot=attack")  # what is no page is shown as what it is
    assert watch.seen == []


def answer_of(made: list[str]) -> dict[str, Any]:
    """An answer in which every field is payloads, as if the server had been made to say them."""
    cited = [
        {"id": f"x{at}", "source": text, "document": text, "article": text, "address": text, "quote": text,
         "link": f"javascript:alert({at})", "page": 1, "marks": [[0, 5]]}
        for at, text in enumerate(made)
    ]  # fmt: skip
    candidates = [{"id": text, "name": text, "score": 0.5} for text in made[:20]]
    numbered = "\n\n".join(f"{text} [{at % 9 + 1}]" for at, text in enumerate(made))
    listed = "\n".join(f"- {text}" for text in made[:40])
    warnings = [{"kind": text, "effective_date": None, "text": text} for text in made[:40]]
    return {
        "id": "a", "conversation_id": "c", "status": "answered", "answer": f"{numbered}\n\n{listed}", "bot": "attack",
        "candidates": candidates, "confidence": 0.9, "as_of": "2026-11-23", "index_version": "v",
        "citations": cited[:150],
        "related": cited[150:], "warnings": warnings, "model": made[0], "prompt": None, "verification": None,
    }  # fmt: skip


def passage_of(made: list[str]) -> dict[str, Any]:
    blocks = [
        {"kind": "item", "address": text, "text": text, "cells": [], "quoted": True, "marks": [[0, 4]]} for text in made
    ]
    cells = [["", text] for text in made[:5]]
    row = {"kind": "row", "address": "", "text": "\t".join(made[:5]), "cells": cells, "quoted": True, "marks": []}
    beside = {"article": made[1], "heading": made[2], "id": "javascript:alert(1)"}
    return {
        "id": "x0", "document": made[0], "source": made[1], "link": "javascript:alert(1)", "article": made[2],
        "address": made[3], "quote": made[4], "page": 1, "breadcrumb": made[:5], "effective": None,
        "blocks": [*blocks, row], "previous": beside, "next": beside,
    }  # fmt: skip


@pytest.mark.parametrize("where", ["page", "widget"])
def test_what_the_api_says_is_text_whatever_it_says(
    watch: Watched, installation: tuple[Path, str], others: Others, where: str
) -> None:
    page, url, made = watch.page, installation[1], payloads()
    bots = [
        {"id": f"b{at}" if at else "attack", "name": text, "description": text, "sample_questions": made[:3],
         "contact": f"{text} {made[36]}@b.example 02-123-4567", "released": True, "documents": [text], "llms": [text]}
        for at, text in enumerate(made[:20])
    ]  # fmt: skip

    def told(what: object) -> Callable[[Route], None]:
        headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
        return lambda route: (
            route.fulfill(json=what, headers=headers) if route.request.method != "OPTIONS" else route.continue_()
        )

    page.route("**/api/bots", told({"bots": bots, "organisation": made[2]}))
    page.route("**/api/chat", told(answer_of(made)))
    page.route("**/api/citations/*", told(passage_of(made)))
    page.goto(f"{url}/?bot=attack" if where == "page" else with_widget(others, url))
    if where == "widget":
        page.locator(".launcher").click()
    page.locator("#welcome h2").wait_for()
    prod(page)
    ask(page, made[5])
    prod(page)
    page.locator(".card-title").first.click()
    page.locator("#passage .passage-body p").first.wait_for()
    prod(page)
    assert watch.seen == []
    assert len(shown(made, text_of(page))) == len(made)


def test_the_real_server_answers_the_widget_of_a_named_page_and_is_framed_by_no_other(
    watch: Watched, installation: tuple[Path, str], others: Others
) -> None:
    page, url = watch.page, installation[1]
    page.goto(with_widget(others, url))
    page.locator(".launcher").click()
    ask(page, "사무실 화분에 물은 일주일에 몇 번 주어야 하나요?")
    prod(page)
    assert watch.seen == []

    frames = (
        ("localhost", "/", True),
        ("localhost", "/c/x", False),
        ("127.0.0.1", "/", False),
        ("x.localhost", "/", False),
    )
    for at, path, framed in frames:
        page.goto(others.put(f'<iframe src="{url}{path}"></iframe>', host=at))
        for _ in range(200):  # a refused frame becomes an error page after the page has loaded
            if page.frames[-1].url:
                break
            page.wait_for_timeout(50)
        assert page.frames[-1].url.startswith("http:" if framed else "chrome-error:"), (at, path)


@pytest.mark.parametrize("at", ["127.0.0.1", "elsewhere.localhost"])
def test_a_page_elsewhere_changes_nothing(
    watch: Watched, installation: tuple[Path, str], others: Others, at: str
) -> None:
    page, url = watch.page, installation[1]
    form = f'<form method="post" action="{url}/api/chat" enctype="text/plain"><input name=a></form>'
    page.goto(others.put(form, host=at))
    with page.expect_navigation() as went:
        page.evaluate("document.forms[0].submit()")
    assert went.value.status == 403
