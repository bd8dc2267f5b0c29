"""Who is at the door. Each module is one way to know; all pass the same contract."""

from ragbots.auth.local import LocalIdentity

__all__ = ("LocalIdentity",)
