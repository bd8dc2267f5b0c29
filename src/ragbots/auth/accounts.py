"""Identity by accounts: API keys; who shows nothing is a stranger, for whom the public bots are."""

from __future__ import annotations

from ragbots.auth.keys import Keys, bearer
from ragbots.types import Credentials, Principal

ANONYMOUS = "anonymous"


class AccountsIdentity:
    """People have accounts here."""

    id = "accounts"
    requires_sign_in = True

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def principal(self, credentials: Credentials, channel: str) -> Principal | None:
        """Whose key is shown, else a stranger. None where what is shown is not good."""
        secret = bearer(credentials)
        if secret is not None:
            return self._keys.principal(secret, channel)
        return Principal(ANONYMOUS, channel=channel, authenticated=False)
