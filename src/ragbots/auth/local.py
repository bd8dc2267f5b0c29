"""Identity for one machine: whoever can reach the server is trusted as its user."""

from __future__ import annotations

from ragbots.types import Principal


class LocalIdentity:
    """Everybody on this machine is the one authenticated principal `local`, in no group, and owner of what it may ask.

    `requires_sign_in` is False, so the server refuses to listen beyond the machine with it.
    """

    id = "local"
    requires_sign_in = False

    def principal(self, authorization: str | None, channel: str) -> Principal | None:  # noqa: ARG002 - the seam's shape
        """Always `local`; an `Authorization` value is not looked at."""
        return Principal(user_id="local", channel=channel, local=True)
