"""Widget tokens: short-lived and signed, for one bot on the pages of one origin, as far as who had them made may.

A token is good while the credential that had it made is: the key is not revoked, the session not ended.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from pathlib import Path
from typing import Any

from ragbots.access import ADMINISTRATORS
from ragbots.auth.keys import Keys, utc_now
from ragbots.auth.secrets import digest as kept_as
from ragbots.auth.secrets import new_secret
from ragbots.auth.sessions import Sessions
from ragbots.types import Principal

PREFIX = "ragbotsw_"
LONGEST = timedelta(minutes=15)


def signing_key(data_dir: Path) -> bytes:
    """The installation's own, in `widget.key` of the data directory; made where there is none."""
    path = data_dir / "widget.key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{new_secret()[:12]}")
        made.touch(0o600)
        made.write_text(new_secret(), "ascii")
        with suppress(FileExistsError):  # another process was faster: its key counts
            path.hardlink_to(made)
        made.unlink()
    return path.read_bytes()


@dataclass(frozen=True)
class WidgetTokens:
    """Makes and reads them. `key` signs."""

    key: Callable[[], bytes]
    keys: Keys
    sessions: Sessions | None = None
    now: Callable[[], datetime] = utc_now

    def make(
        self, by_key: str | None, by_session: str | None, bot: str, origin: str, seconds: int, person: str = ""
    ) -> str:
        """For a person whom the holder of the API key of this id vouches for, or for whoever shows this session's
        secret."""
        until = self.now() + min(timedelta(seconds=seconds), LONGEST)
        held: dict[str, Any] = {"b": bot, "o": origin, "e": int(until.timestamp())}
        held |= {"k": by_key, "p": person} if by_key else {"s": kept_as(by_session or "")}
        told = urlsafe_b64encode(json.dumps(held, separators=(",", ":")).encode()).rstrip(b"=")
        return f"{PREFIX}{told.decode()}.{self._signature(told)}"

    def principal(self, token: str, origin: str | None, channel: str) -> Principal | None:
        """Who shows it: whoever had it made, or the person vouched for, to its bot alone. None where it is changed,
        over, or shown from a page of another origin, or its credential is no longer good."""
        told, _, signature = token.removeprefix(PREFIX).partition(".")
        if not token.isascii() or not compare_digest(self._signature(told.encode()), signature):
            return None
        try:
            held = json.loads(urlsafe_b64decode(told + "=" * (-len(told) % 4)))
        except (Error, ValueError):
            return None
        if held["e"] <= self.now().timestamp() or origin != held["o"]:
            return None
        whose = self._holder(held, channel)
        if whose is None or (whose.bots is not None and held["b"] not in whose.bots):
            return None
        groups = whose.groups - {ADMINISTRATORS}  # whoever reads the page's source holds it
        user_id = f"{whose.user_id}/{held['p']}" if held.get("p") else whose.user_id
        return replace(whose, user_id=user_id, groups=groups, bots=frozenset({held["b"]}))

    def _holder(self, held: dict[str, Any], channel: str) -> Principal | None:
        if "k" in held:
            key = self.keys.accounts.key(key_id=held["k"])
            return None if key is None else self.keys.holder(key, channel)
        return None if self.sessions is None else self.sessions.holder(held["s"], channel)

    def _signature(self, told: bytes) -> str:
        return urlsafe_b64encode(digest(self.key(), b"widget token " + told, sha256)).rstrip(b"=").decode()


def holder_of(
    secret: str, origin: str | None, channel: str, keys: Keys, tokens: WidgetTokens | None
) -> Principal | None:
    """Who shows this key, or where tokens are made this token, from a page of that origin; None where it is no good."""
    if tokens is not None and secret.startswith(PREFIX):
        return tokens.principal(secret, origin, channel)
    return keys.principal(secret, channel)
