"""Where a request of a browser comes from, and whether it may change anything. Pure: headers in, a verdict out."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OURS = frozenset({"same-origin", "none"})  # of Sec-Fetch-Site; `none`: typed by the person, no page behind it
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # what browsers read as a path of this server


def forged(method: str, path: str, headers: Headers, own: Collection[str], widget: Collection[str]) -> bool:
    """Whether a request that changes something may have been made by somebody else's page (CSRF).

    `own` are the server's origins, `widget` those of pages that have the widget. A page cannot send a key, so a
    request with one is what it says. Any other must come from `own`, where the browser says so itself
    (`Sec-Fetch-Site`) or by its `Origin`. It is not only cookies that a foreign page could use: while nobody signs
    in, reaching the server is enough. Pages in `widget` may ask the API, but not with a cookie. What tells no origin
    at all is no browser: let through unless it has a cookie.
    """
    if method in _SAFE or headers.get("authorization", "")[:7].lower() == "bearer ":
        return False
    sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
    if sites and (len(sites) > 1 or sites[0] in _OURS):
        return len(sites) > 1
    if not sites and len(origins) == 1 and origins[0] in own:
        return False
    if "cookie" in headers:
        return True
    if not sites and not origins:
        return False
    return not (len(origins) == 1 and origins[0] in widget and path.startswith("/api/"))


def origin_of(url: str) -> str:
    """The origin of an address as a browser sends it: small letters, without the scheme's own port."""
    parts = urlsplit(url.lower())
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """Where to go after signing in: a path of this server alone, since whoever made the link chose it.

    Browsers read `//host`, `/\\host` and a tab in between as another host; none of them is a path here.
    """
    return wanted if wanted and _OWN_PATH.fullmatch(wanted) else otherwise
