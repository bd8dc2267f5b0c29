"""Follow-up questions without a language model: does a turn stand alone, and what must it carry over?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragbots.types import Turn

_LEANS_BACK = re.compile(
    r"^\s*(그럼|그러면|그런데|근데|그리고|그거|그건|그게|그때|그것|이거|이건|거기|여기|그런데도|아니면|만약|혹시 그)"
    r"|그[거걸게]|그 ?(경우|기간|사람)|위 ?경우|더 "
)
_CONDITION_ONLY = re.compile(r"(면요|인가요|은요|는요|도요|까지요|부터요|에는요|때는요|면)\s*\??\s*$")
_SHORT = 14  # characters without spaces


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question as it would be asked without what was said before: the last question put in front
    where this one leans on it, else the question itself."""
    last = next((turn.content for turn in reversed(history) if turn.role == "user"), None)
    if last is None or not depends(question):
        return question
    return f"{last.strip()} {question}"


def depends(question: str) -> bool:
    """Whether a turn can hardly be understood alone."""
    short = len("".join(question.split())) <= _SHORT
    return bool(short or _LEANS_BACK.search(question) or _CONDITION_ONLY.search(question))
