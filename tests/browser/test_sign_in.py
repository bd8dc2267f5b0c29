"""Signing in and out in a real browser, over a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.browser.conftest import page_opener
from tests.contract.test_many_clients import serving
from tests.unit.api.fake_runtime import FakeRuntime

from ragbots.auth import AccountsIdentity, Keys, Sessions
from ragbots.auth.passwords import hashed
from ragbots.state import Database
from ragbots.state.accounts import Accounts, User

PASSWORD = "correct horse battery"


def test_one_signs_in_and_out_with_the_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    accounts = Accounts(database)
    accounts.add_user(User("kim", "김하나", frozenset({"board"}), True, datetime.now(UTC), hashed(PASSWORD)))
    sessions = Sessions(accounts, timedelta(hours=1), timedelta(hours=12))
    runtime = FakeRuntime(identity=AccountsIdentity(Keys(accounts), sessions))
    with serving(runtime) as server, page_opener(browser, server.url) as open_page:
        page = open_page()
        expect(page.get_by_text("비밀", exact=True)).to_have_count(0)
        page.get_by_role("link", name="로그인").press("Enter")
        page.get_by_label("아이디").fill("kim")
        page.get_by_label("비밀번호").fill("something else")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("맞지 않습니다")
        page.get_by_label("비밀번호").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_text("김하나")).to_be_visible()
        expect(page.get_by_role("radio", name="비밀")).to_have_count(1)
        page.get_by_role("link", name="로그아웃").press("Enter")
        page.get_by_role("button", name="로그아웃").press("Enter")
        expect(page.get_by_role("link", name="로그인")).to_be_visible()
        expect(page.get_by_text("김하나")).to_have_count(0)
    database.close()
