"""HTML made on the server: what is put into a page is escaped, and the page goes through a sieve besides.

Titles, headings, quotes and answers are other people's words. Templates escape them; `clean` holds even where a
template forgets to.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TAGS = frozenset({
    "a", "article", "br", "caption", "dd", "del", "details", "div", "dl", "dt", "h1", "h2", "h3", "header", "ins", "li",
    "main", "mark", "nav", "ol", "p", "section", "small", "span", "strong", "summary", "table", "tbody", "td", "th",
    "thead", "tr", "ul",
})  # fmt: skip
_ATTRIBUTES = {
    "*": {"class", "lang", "role", "tabindex", "aria-label"},
    "a": {"href", "rel"},
    "details": {"open"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_SCHEMES = {"http", "https"}


def clean(fragment: str) -> Markup:
    """The fragment with the elements and attributes that pages here are made of, and no others; links lead to the
    web or to pages beside this one."""
    return Markup(nh3.clean(fragment, tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None))


def templates(folder: Path) -> Environment:
    """Templates that escape all they are given; with the filter `clean`, and for pages that are opened as files
    `style(name)`, the style sheet of that name under a policy that allows it and nothing else."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    environment.globals["style"] = lambda name: _style((folder / name).read_text("utf-8"))
    return environment


def _style(sheet: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    meta = Markup('<meta http-equiv="Content-Security-Policy" content="{}">').format(policy)
    return meta + Markup("\n<style>{}</style>").format(Markup(sheet))
