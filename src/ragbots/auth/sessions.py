"""Sessions: somebody signed in with a browser. The cookie holds a random secret, the state its hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ragbots.auth.keys import utc_now
from ragbots.auth.secrets import digest, new_secret
from ragbots.state.accounts import Accounts, Session, User
from ragbots.types import Principal

_SEEN_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Sessions:
    """The sessions of an installation: each ends `idle` after it was last used, and `lifetime` after it began."""

    accounts: Accounts
    idle: timedelta
    lifetime: timedelta
    now: Callable[[], datetime] = utc_now

    def begin(self, user_id: str, provider_session: str | None = None) -> str:
        """The secret of a new session; those that are over are forgotten meanwhile."""
        now, secret = self.now(), new_secret()
        self.accounts.forget_sessions(now - self.lifetime, now - self.idle)
        self.accounts.add_session(Session(user_id, now, now, provider_session), digest(secret))
        return secret

    def user(self, secret: str) -> User | None:
        """Whose session it is; None where it is none, or over, or its user disabled."""
        return self._user(digest(secret))

    def _user(self, kept: str) -> User | None:
        now = self.now()
        session = self.accounts.session(kept)
        if session is None or now - session.created_at >= self.lifetime or now - session.last_seen_at >= self.idle:
            return None
        user = self.accounts.user(session.user_id)
        if user is None or not user.enabled:
            return None
        if now - session.last_seen_at >= _SEEN_NOTED_EVERY:
            self.accounts.session_seen(kept, now)
        return user

    def principal(self, secret: str, channel: str) -> Principal | None:
        return self.holder(digest(secret), channel)

    def holder(self, kept: str, channel: str) -> Principal | None:
        """Whose session is kept under this hash."""
        user = self._user(kept)
        return None if user is None else Principal(user.id, user.groups, channel)

    def end(self, secret: str) -> None:
        self.accounts.end_session(digest(secret))
