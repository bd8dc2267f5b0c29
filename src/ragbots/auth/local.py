"""Identity for one machine: whoever can reach the server is trusted as its user."""

from __future__ import annotations

from ragbots.auth.keys import Keys, bearer
from ragbots.auth.widget_tokens import WidgetTokens, holder_of
from ragbots.types import Credentials, Principal


class LocalIdentity:
    """Everybody on this machine is the one authenticated principal `local`, in no group, and owner of what it may ask.
    Who shows an API key is its user.

    `requires_sign_in` is False, so the server refuses to listen beyond the machine with it.
    """

    id = "local"
    requires_sign_in = False

    def __init__(self, keys: Keys | None = None, tokens: WidgetTokens | None = None) -> None:
        self._keys = keys
        self.tokens = tokens

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        """`local`, or whose key is shown; None where that is not good."""
        secret = bearer(credentials)
        if secret is None:
            return Principal(user_id="local", channel=channel, local=True)
        return holder_of(secret, credentials.origin, channel, self._keys, self.tokens) if self._keys else None
