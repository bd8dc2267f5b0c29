"""Who is at the door. Each module is one way to know; all pass the same contract."""

from ragbots.auth.accounts import AccountsIdentity
from ragbots.auth.keys import Keys
from ragbots.auth.local import LocalIdentity
from ragbots.auth.sessions import Sessions
from ragbots.auth.widget_tokens import WidgetTokens

__all__ = ("AccountsIdentity", "Keys", "LocalIdentity", "Sessions", "WidgetTokens")
