"""Where what people say of answers goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbots.memory import Rating, Said

if TYPE_CHECKING:
    from ragbots.channels.messenger import GiveFeedback
    from ragbots.runtime import Runtime
    from ragbots.types import Principal


def feedback_of(runtime: Runtime) -> GiveFeedback:
    """What keeps it beside the feedback of all other doors."""

    def give(answer_id: str, rating: Rating, principal: Principal) -> None:
        runtime.memory.say(answer_id, Said(rating), runtime.context(principal))

    return give
