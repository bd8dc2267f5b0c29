"""The page against the real server: one small regulation, built, released, asked and opened."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow

RAGBOTS = Path(sysconfig.get_path("scripts")) / ("ragbots.exe" if sys.platform == "win32" else "ragbots")
RULE = "직원은 사무실의 화분에 물을 주 2회 주어야 한다."
REGULATION = f"""---
제목: 화분관리규정
시행일: 2026-01-01
---
# 화분관리규정

## 제1장 총칙

### 제1조(목적)

이 규정은 사무실 화분의 관리에 필요한 사항을 정하는 것을 목적으로 한다.

### 제2조(물 주기)

① {RULE}

② 여름철인 7월과 8월에는 주 3회 준다.

### 제3조(분갈이)

분갈이는 2년마다 4월에 하며, 비용은 총무부가 부담한다.

## 별표 1 화분 크기별 물의 양(제2조 관련)

| 화분 크기 | 물의 양(1회) | 받침 교체 |
|---|---|---|
| 대형 | 2리터 | 1년 |
| 중형 | 1리터 | 1년 |
| 소형 | 300밀리리터 | 2년 |

## 별표 2 화분 배치도(제1조 관련)

![배치도](layout.png)
"""
BOT = """id: plants
name: 화분 관리
description: 사무실 화분에 물 주기와 분갈이를 안내합니다.
sources:
  - folder: ../documents
sample_questions:
  - 화분에 물은 일주일에 몇 번 주나요?
contact: 총무부 화분 담당 (내선 1000)
public: true
"""


@pytest.fixture(scope="module")
def real_url(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("real")
    for folder, name, text in (("bots", "plants.yaml", BOT), ("documents", "화분관리규정.md", REGULATION)):
        (root / folder).mkdir()
        (root / folder / name).write_text(text, "utf-8")
    ragbots = [str(RAGBOTS), "--bots-dir", str(root / "bots"), "--data-dir", str(root / "data")]
    built = subprocess.run([*ragbots, "index", "build", "--all", "--release"], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return serve([*ragbots, "serve", "--port", "{port}"], "/readyz", 120)


@pytest.fixture
def page(browser: Browser, real_url: str) -> Iterator[Page]:
    context = browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(real_url)
    yield opened
    context.close()
    assert complaints == []


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(page.locator(".turn").last).to_have_attribute("aria-busy", "false", timeout=30_000)


def test_a_sample_question_is_answered_and_its_citation_opens(page: Page) -> None:
    page.get_by_role("button", name="화분에 물은 일주일에 몇 번 주나요?").click()
    turn = page.locator(".turn")
    expect(turn).to_have_attribute("data-status", "answered", timeout=30_000)
    expect(turn.locator(".who")).to_contain_text("화분 관리")
    card = turn.locator(".card", has_text="제2조").first
    card.locator(".card-title").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("mark").first).to_be_in_viewport()
    expect(dialog).to_contain_text(RULE)
    expect(dialog).to_contain_text("여름철인 7월과 8월에는 주 3회 준다.")
    page.keyboard.press("Escape")
    expect(card.locator(".card-title")).to_be_focused()


def test_an_annex_opens_as_a_table(page: Page) -> None:
    ask(page, "소형 화분에는 물을 한 번에 얼마나 주나요?")
    page.locator(".turn").get_by_role("button", name="별표 1").first.click()  # cited, or to be seen besides
    table = page.get_by_role("dialog").locator("table")
    expect(table).to_have_count(1)
    expect(table.get_by_role("columnheader")).to_have_text(["화분 크기", "물의 양(1회)", "받침 교체"])
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table.locator("tbody tr").last).to_contain_text("300밀리리터")


def test_a_row_that_answers_is_shown_with_its_columns(page: Page) -> None:
    ask(page, "소형 화분은 물을 얼마나 주나요?")
    row = page.locator(".turn .text .row").first
    expect(row.locator("dd").first).to_have_text("소형")
    row.locator("button.marker").click()
    expect(page.get_by_role("dialog").locator("tr.quoted")).to_contain_text("300밀리리터")


def test_an_annex_that_is_a_picture_is_named_with_where_to_look(page: Page) -> None:
    ask(page, "화분 배치도는 어떻게 되나요?")
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-status", "refused")
    expect(turn.locator(".text")).to_contain_text("「화분관리규정」 별표 2 ‘화분 배치도’")
    expect(turn.locator(".text")).to_contain_text("화분관리규정.md")
    expect(turn.locator(".text")).to_contain_text("총무부 화분 담당 (내선 1000)")


def test_what_the_regulation_does_not_say_is_refused_with_the_contact(page: Page) -> None:
    ask(page, "화성 탐사선의 발사 비용은 어느 은행에서 대출받나요?")
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-status", "refused")
    expect(turn).to_contain_text("총무부 화분 담당 (내선 1000)")


def test_the_conversation_is_there_after_a_reload(page: Page) -> None:
    ask(page, "분갈이 비용은 누가 내나요?")
    expect(page.locator(".turn")).to_have_attribute("data-status", "answered")
    text = page.locator(".turn .text").inner_text()
    page.reload()
    expect(page.locator(".turn .text")).to_have_text(text, use_inner_text=True)
