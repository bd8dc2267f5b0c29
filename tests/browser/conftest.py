"""A real browser, and the page's own files behind scripted answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

SOURCE = Path(__file__).parents[2] / "src"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MILLISECONDS = 30_000  # a busy machine is slow to begin
DESKTOP = {"width": 1280, "height": 800}

OpenPage = Callable[..., Page]
Served = Callable[..., str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Served]:
    """Starts `command` (with `{port}` in it), waits until `ready` answers 200, and says where it is."""
    running: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}

    def start(command: list[str], ready: str, seconds: float) -> str:
        port = _free_port()
        process = subprocess.Popen([part.format(port=port) for part in command], env=environment)
        running.append(process)
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, url + ready, seconds)
        return url

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def base_url(serve: Served) -> str:
    return serve([sys.executable, str(Path(__file__).with_name("stub_api.py")), "{port}"], "/api/bots", 30)


@pytest.fixture
def open_page(browser: Browser, base_url: str) -> Iterator[OpenPage]:
    """Opens the page in a fresh profile; options are those of a browser context, `url`, and
    `ready`, what is waited for.

    Whatever the page complains of in the console fails the test: a refused script or style is there.
    """
    with page_opener(browser, base_url) as open_one:
        yield open_one


@contextmanager
def page_opener(browser: Browser, base_url: str) -> Iterator[OpenPage]:
    complaints: list[str] = []
    contexts = []

    def open_one(*, url: str = "/", ready: str = "#welcome h2, .turn", **options: object) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "ko-KR", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url if "://" in url else base_url + url)
        page.locator(ready).first.wait_for()
        return page

    yield open_one
    for context in contexts:
        context.close()
    # A failed request is logged by the browser itself; tests that ask for one see it on the page.
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode} before {url} answered")
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"{url} did not answer within {seconds} s")
