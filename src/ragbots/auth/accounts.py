"""Identity by accounts: API keys and sessions; who shows nothing is a stranger, for whom the public bots are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbots.auth import passwords
from ragbots.auth.keys import Keys, bearer
from ragbots.auth.sessions import Sessions
from ragbots.auth.widget_tokens import WidgetTokens, holder_of
from ragbots.types import Credentials, Principal

if TYPE_CHECKING:
    from ragbots.auth.oidc import Provider

ANONYMOUS = "anonymous"


class AccountsIdentity:
    """People have accounts here. With a `provider` they sign in there, and with no password here."""

    requires_sign_in = True

    def __init__(
        self, keys: Keys, sessions: Sessions, provider: Provider | None = None, tokens: WidgetTokens | None = None
    ) -> None:
        self.id = "accounts" if provider is None else "oidc"
        self._keys = keys
        self.sessions = sessions
        self.provider = provider
        self.tokens = tokens

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        """Whose key is shown, else whose session, else a stranger. None where what is shown is not good."""
        secret = bearer(credentials)
        if secret is not None:
            return holder_of(secret, credentials.origin, channel, self._keys, self.tokens)
        if credentials.session is not None:
            return self.sessions.principal(credentials.session, channel)
        return Principal(ANONYMOUS, channel=channel, authenticated=False)

    def sign_in(self, user_id: str, password: str) -> str | None:
        """The secret of a new session; None where there is no such user, or it is not their password. Takes as long
        either way."""
        user = self.sessions.accounts.user(user_id)
        right = passwords.matches(None if user is None else user.password, password)
        if user is None or not user.enabled or not right:
            return None
        if user.password and passwords.outdated(user.password):
            self.sessions.accounts.set_password(user.id, passwords.hashed(password), end_sessions=False)
        return self.sessions.begin(user.id)
