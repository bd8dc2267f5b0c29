"""Cookies of this server: never read by scripts, never sent along by other sites' requests, never set by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response

_PREFIX = "__Host-"  # browsers take such a cookie only from this very host, over TLS, for all its paths


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. `secure`: whether people reach the server over TLS (`public_url` says so); `seconds`: its life.

    `SameSite=Lax`, not `Strict`: a link to a citation in a messenger, and the way back from the identity provider,
    must find the person signed in. What changes something is guarded by `origins.forged` besides.
    """

    purpose: str
    secure: bool
    seconds: int

    @property
    def name(self) -> str:
        return f"{_PREFIX if self.secure else ''}ragbots-{self.purpose}"

    def put(self, response: Response, value: str) -> None:
        """`value` in letters that cookies may have, such as `secrets.token_urlsafe` gives."""
        response.set_cookie(
            self.name, value, max_age=self.seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response) -> None:
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def read(self, headers: Headers) -> str | None:
        """The value, or None where there is none, or more than one: then somebody else has set one of them."""
        values = [value for name, value in _pairs(headers) if name == self.name]
        return values[0] if len(values) == 1 else None


def _pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    for line in headers.getlist("cookie"):
        for part in line.split(";"):
            name, found, value = part.partition("=")
            if found:
                yield name.strip(), value.strip()
