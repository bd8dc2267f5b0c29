"""Where what people say of answers goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbots.channels.messenger import GiveFeedback
    from ragbots.runtime import Runtime


def feedback_of(_runtime: Runtime) -> GiveFeedback | None:
    """What keeps feedback; None while there is no place for it, so that no button is shown."""
    return None
