"""The last sieve of pages made on the server: it holds where a template forgets to escape."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from ragbots.markup import clean, templates
from ragbots.text import web_address


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
        "<p onclick=alert(1)>x</p>",
        "<a href='javascript:alert(1)'>x</a>", "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<style>@import 'x'</style>",
        "<form action=//x><input>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<base href=//evil.example>", "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<p style='background:url(//evil.example)'>x</p>", "<template><img src=x onerror=alert(1)></template>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<link rel=stylesheet href=//evil.example>",
    ],
)  # fmt: skip
def test_what_can_run_or_load_is_taken_out(hostile: str) -> None:
    left = clean(f"<p>before</p>{hostile}<p>after</p>")
    tags = re.findall(r"<(\w+)([^>]*)", left)
    assert {name for name, _ in tags} <= {"p", "a", "table"}
    assert not [more for _, more in tags if re.search(r"\bon\w+|style|src|javascript|data:|evil", more)]
    assert left.startswith("<p>before</p>")


def test_what_pages_are_made_of_is_left_as_it_is() -> None:
    page = (
        '<main><h2 class="article">제1조</h2><p class="paragraph quoted">3 &lt; 4 &amp; <mark>날</mark></p>'
        '<div class="table" tabindex="0" role="region" aria-label="표"><table><tbody><tr><th scope="row">가</th>'
        '<td>나</td></tr></tbody></table></div><a rel="next" href="leave.v1.4">다음</a>'
        '<a href="https://rules.example/a?b=c" rel="noopener noreferrer">원문</a></main>'
    )
    cleaned = clean(page)
    assert sorted(re.findall(r'[\w-]+="[^"]*"', cleaned)) == sorted(re.findall(r'[\w-]+="[^"]*"', page))
    assert re.sub(r"<[^>]+>", "", cleaned) == re.sub(r"<[^>]+>", "", page)


def test_a_template_that_forgets_to_escape_is_harmless_where_it_is_sieved(tmp_path: Path) -> None:
    (tmp_path / "page.j2").write_text("{% filter clean %}<p>{{ words | safe }}</p>{% endfilter %}", "utf-8")
    page = templates(tmp_path).get_template("page.j2").render(words="<img src=x onerror=alert(1)>여비")
    assert page == "<p>여비</p>"


def test_a_page_for_a_file_allows_its_own_styles_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("p > b { color: red; }\n", "utf-8")
    (tmp_path / "page.j2").write_text('{{ style("a.css") }}', "utf-8")
    page = templates(tmp_path).get_template("page.j2").render()
    sheet = re.search("<style>(.*)</style>", page, re.S)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page.replace("&#39;", "'")
    assert sheet[1] == "p > b { color: red; }\n"


def test_links_lead_to_the_web() -> None:
    for link in ("https://rules.example/a?b=c#d", "http://intranet/규정", "HTTPS://rules.example"):
        assert web_address(link) == link
    for link in (
        None, "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)",
        "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//evil.example", "rules.pdf", "https:", "http://[",
        "https:\\\\evil.example", "blob:https://x/y", "https://a b",
    ):  # fmt: skip
        assert web_address(link) is None, link
