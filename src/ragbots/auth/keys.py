"""API keys: who shows one is let in as its user, with its groups, to its bots."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ragbots.auth.secrets import KEY_PREFIX, digest, new_secret
from ragbots.state.accounts import Accounts, Key
from ragbots.types import Credentials, Principal

NO_KEY = "none"  # for clients that must send a key where none is needed
_USE_NOTED_EVERY = timedelta(minutes=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


def bearer(credentials: Credentials) -> str | None:
    """The key that was shown; None where none was. One that is no `Bearer` value is shown, and good for nothing."""
    scheme, _, value = (credentials.authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return scheme or None
    return None if value.strip() in ("", NO_KEY) else value.strip()


@dataclass(frozen=True)
class Keys:
    """The API keys of an installation."""

    accounts: Accounts
    now: Callable[[], datetime] = utc_now

    def create(self, user_id: str, groups: frozenset[str], bots: frozenset[str] | None, days: int) -> tuple[Key, str]:
        """A new key and its secret, which is kept nowhere."""
        made, secret = self.now(), new_secret(KEY_PREFIX)
        key = Key(secrets.token_hex(6), user_id, groups, bots, made, made + timedelta(days=days))
        self.accounts.add_key(key, digest(secret))
        return key, secret

    def principal(self, secret: str, channel: str) -> Principal | None:
        """Who shows this secret; None where it is not, or no longer, that of a key."""
        key = self.accounts.key(digest=digest(secret))
        return None if key is None else self.holder(key, channel)

    def holder(self, key: Key, channel: str) -> Principal | None:
        """Who a key lets in: its user with its groups, of which those count that the user still has, where the user
        has an account. None where it is revoked or over, or the user disabled."""
        now = self.now()
        if key.revoked_at is not None or key.expires_at <= now:
            return None
        user = self.accounts.user(key.user_id)
        if user is not None and not user.enabled:
            return None
        if key.last_used_at is None or now - key.last_used_at >= _USE_NOTED_EVERY:
            self.accounts.key_used(key.id, now)
        groups = key.groups if user is None else key.groups & user.groups
        return Principal(key.user_id, groups, channel, bots=key.bots, key=key.id)
