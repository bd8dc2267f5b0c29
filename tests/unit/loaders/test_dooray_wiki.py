"""The parts of the Dooray source that need no server: names, pages as files, waiting, whom the token is shown."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ragbots.config import DooraySettings
from ragbots.errors import ConfigurationError
from ragbots.loaders.dooray_api import DoorayAccess, Pace, PageBody, WikiPage, dooray_access, seconds_asked
from ragbots.loaders.dooray_wiki import render
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.loaders.mirror import Attachment, MirrorPage, layout, safe_name

COMPANY = DooraySettings(domain="company.dooray.com")


def page(id: str, subject: str, parent: str | None = None, *files: str, text: str = "글") -> MirrorPage:
    attachments = tuple(Attachment(f"f{number}", name, "") for number, name in enumerate(files))
    return MirrorPage(id, 1, parent, subject, "", text, ".md", attachments)


class TestLayout:
    def test_names_are_the_way_to_a_page(self) -> None:
        places = layout([page("1", "인사"), page("2", "휴가", "1", "서식.hwp"), page("3", "연차", "2")])
        assert places.pages == {"1": "인사.md", "2": "인사/휴가.md", "3": "인사/휴가/연차.md"}
        assert places.attachments == {("2", "f0"): "인사/휴가/files/서식.hwp"}

    def test_of_two_with_one_name_the_older_keeps_it(self) -> None:
        pages = [page("10", "휴가"), page("9", "휴가"), page("11", "Leave"), page("12", "LEAVE")]
        assert layout(pages).pages == {"9": "휴가.md", "10": "휴가 (10).md", "11": "Leave.md", "12": "LEAVE (12).md"}
        assert layout(list(reversed(pages))) == layout(pages)

    def test_a_page_named_like_a_file_or_the_files_of_another(self) -> None:
        pages = [page("1", "a", None, "x.md", "x.md"), page("2", "a.md"), page("3", "b", "2")]
        pages += [page("4", "files", "1"), page("5", "x", "4"), page("6", "x.md", "4")]
        places = layout(pages)
        files = [*places.pages.values(), *places.attachments.values()]
        folders = {str(folder) for name in files for folder in PurePosixPath(name).parents}
        assert len({name.casefold() for name in files}) == len(files) == 8
        assert not {name.casefold() for name in files} & {folder.casefold() for folder in folders}

    def test_pages_in_a_ring_are_on_no_way(self) -> None:
        assert set(layout([page("1", "a", "2"), page("2", "b", "1"), page("3", "c")]).pages) == {"3"}

    def test_a_deep_wiki_keeps_within_what_a_file_system_takes(self) -> None:
        pages = [page("1", "가" * 100)] + [page(str(n), "가" * 100, str(n - 1)) for n in range(2, 200)]
        places = layout(pages).pages
        assert len(places) == 199
        assert max(len(name.encode()) for name in places.values()) < 1_500

    @given(st.lists(st.tuples(st.text(max_size=12), st.integers(0, 8), st.lists(st.text(max_size=6))), max_size=9))
    def test_whatever_the_names_no_two_are_the_same_and_none_leads_out(
        self, wiki: list[tuple[str, int, list[str]]]
    ) -> None:
        pages = [page(str(n), subject, str(above), *names) for n, (subject, above, names) in enumerate(wiki)]
        places = layout(pages)
        files = [*places.pages.values(), *places.attachments.values()]
        folders = {str(folder).casefold() for name in files for folder in PurePosixPath(name).parents}
        assert len({name.casefold() for name in files}) == len(files)
        assert not folders & {name.casefold() for name in files}
        for name in files:
            parts = name.split("/")
            assert all(part not in ("", ".", "..") and len(part.encode()) < 200 for part in parts)


@given(st.text())
def test_a_safe_name_stands_for_one_file_here(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe not in (".", "..")
    assert not set(safe) & set('/\\:*?"<>|\x00\n')
    assert len(safe.encode()) <= 140


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("여비/숙박비: 상한?", "여비_숙박비_ 상한_"),
        ("제1. 총칙", "제1. 총칙"),
        ("../../etc/passwd", "_._etc_passwd"),
        ("con.txt", "_con.txt"),
        ("", "_"),
        ("가" * 100 + ".hwp", "가" * 40 + ".hwp"),
        ("각".replace("각", "\u1100\u1161\u11a8"), "각"),  # decomposed jamo, as macOS writes them
    ],
)
def test_names_stay_readable(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def wiki_page(content: str, mime_type: str = "text/x-markdown") -> WikiPage:
    body = PageBody(mime_type=mime_type, content=content)
    return WikiPage(id="7", version=1, body=body, created_at="2026-03-01T09:00:00+09:00")


class TestRender:
    def test_a_page_in_markdown(self, tmp_path: Path) -> None:
        text, suffix = render(wiki_page("제1조 *[별표]*에 따른다."), "여비: 지급 *기준* [안]", "https://x/wiki/1/7")
        assert suffix == ".md"
        front = yaml.safe_load(text.split("---\n")[1])
        assert front == {
            "제목": "여비: 지급 *기준* [안]",
            "출처": "https://x/wiki/1/7",
            "작성일": "2026-03-01T09:00:00+09:00",
        }
        path = tmp_path / "a.md"
        path.write_text(text, "utf-8")
        document = MarkdownLoader().load(path, "a.md")
        assert (document.title, document.link, document.effective) == (front["제목"], front["출처"], None)
        assert document.elements[0].text == front["제목"]

    def test_a_body_that_begins_with_its_subject_gets_no_second_heading(self) -> None:
        text, _ = render(wiki_page("\n# 여비\n\n글"), "여비", "l")
        assert text.count("# 여비") == 1

    def test_a_body_with_lines_that_look_like_front_matter(self, tmp_path: Path) -> None:
        text, _ = render(wiki_page("---\n제목: 다른 것\n---\n글"), "여비", "l")
        path = tmp_path / "a.md"
        path.write_text(text, "utf-8")
        assert MarkdownLoader().load(path, "a.md").title == "여비"

    def test_nothing_to_read(self) -> None:
        assert render(wiki_page(" \n\n"), "여비", "l") == ("", ".md")

    def test_html_keeps_its_kind(self) -> None:
        text, suffix = render(wiki_page("<p>글</p>", "text/html"), 'A & "B"', "l")
        assert suffix == ".html"
        assert "<title>A &amp; &quot;B&quot;</title>" in text


class TestTheToken:
    def test_is_taken_from_the_variable_that_is_named(self) -> None:
        settings = DooraySettings(domain="company.dooray.com", token_env="OURS")
        assert dooray_access(settings, {"OURS": " abc\n", "DOORAY_API_TOKEN": "x"}).token == "abc"

    @pytest.mark.parametrize("environ", [{}, {"DOORAY_API_TOKEN": ""}, {"DOORAY_API_TOKEN": "a b\nsecret"}])
    def test_missing_or_garbled_it_is_asked_for_by_its_variable(self, environ: dict[str, str]) -> None:
        with pytest.raises(ConfigurationError, match="DOORAY_API_TOKEN") as caught:
            dooray_access(COMPANY, environ)
        assert "secret" not in str(caught.value)

    def test_a_missing_domain_is_asked_for(self) -> None:
        with pytest.raises(ConfigurationError, match="domain") as caught:
            dooray_access(DooraySettings(), {"DOORAY_API_TOKEN": "x"})
        assert "RAGBOTS_DOORAY_DOMAIN" in caught.value.hint

    @pytest.mark.parametrize(
        ("url", "trusted"),
        [
            ("https://api.dooray.com/x", True),
            ("https://file-api.dooray.com/x", True),
            ("http://file-api.dooray.com/x", False),
            ("https://dooray.com.evil.example/x", False),
            ("https://evildooray.com/x", False),
            ("https://api.dooray.com@evil.example/x", False),
            ("https://127.0.0.1/x", False),
            ("ftp://api.dooray.com/x", False),
        ],
    )
    def test_is_shown_to_dooray_alone(self, url: str, trusted: bool) -> None:
        access = dooray_access(COMPANY, {"DOORAY_API_TOKEN": "x"})
        assert access.trusts(httpx.URL(url)) is trusted

    def test_an_api_without_a_name_of_three_parts_has_no_family(self) -> None:
        assert not DoorayAccess("c", "https://dooray.com", "x").trusts(httpx.URL("https://evil.com"))
        assert not DoorayAccess("c", "https://10.0.0.1", "x").trusts(httpx.URL("https://9.0.0.1"))


class TestPace:
    def test_a_burst_and_then_one_by_one(self) -> None:
        now, waits = [0.0], list[float]()

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            now[0] += seconds

        pace = Pace(burst=3, rate=4.0, clock=lambda: now[0], sleep=sleep)
        for _ in range(5):
            pace.wait()
        assert waits == [0.25, 0.25]
        now[0] += 10  # refilled, and no more than filled
        for _ in range(4):
            pace.wait()
        assert waits == [0.25, 0.25, 0.25]
        now[0] += 10
        pace.drain()
        pace.wait()
        assert len(waits) == 4


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "Tue, 24 Nov 2026 00:00:30 GMT"}, 30.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"X-RateLimit-Reset": "4"}, 4.0),
        ({"X-RateLimit-Reset": "1795478412"}, 12.0),
        ({"X-RateLimit-Reset": "1795478412000"}, 12.0),
        ({"X-RateLimit-Replenish-Rate": "5", "X-RateLimit-Burst-Capacity": "20"}, 0.2),
        ({"X-RateLimit-Replenish-Rate": "0"}, 0.0),
        ({"X-RateLimit-Reset": "-1"}, 0.0),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert seconds_asked(headers, datetime(2026, 11, 24, tzinfo=UTC)) == pytest.approx(seconds)


def test_importing_the_source_brings_no_sdk() -> None:
    """Every command imports it, and the SDK takes a third of a second."""
    code = "import sys, ragbots.loaders.dooray_wiki; print('dooray_sdk' in sys.modules, 'aiohttp' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == ["False", "False"]
