"""Follow-up questions without a language model: does a turn stand alone, and what must it carry over?

A turn leans on those before it by its wording (그럼 …, 그건 …, …면요?), by having few words that carry
meaning, and by not leading anywhere else: asked alone, one that changes the subject finds its own bot
clearly, one that was cut short does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragbots.smalltalk import intent
from ragbots.types import Turn

_TURNS = 3  # how far back what was said may reach
_CHARACTERS = 300  # of an earlier turn, its end: the question stands there
_MANY = 10  # content words of a turn that says all there is to say
_FAR = 0.3  # lead of another bot that leaves no doubt
_SHORT = 4  # words of a turn that can hardly stand alone

_POINTS_BACK = re.compile(
    r"^\s*(?:그럼|그러면|그렇다면|그런데|근데|그리고|그래도|이건|이거|거기|여기|아니면|만약|혹시 그)"
    r"|(?<![가-힣])(?:그럼|그거|그건|그걸|그게|그때|그것|그런|그렇게)|(?<![가-힣])그 (?=[가-힣])"
    r"|위 ?경우|(?<![가-힣])더 "
)
_ONLY_A_CONDITION = re.compile(r"(?:면|은|는|도|까지|부터|건)요\s*[?？.!~]*(?:$|\s)|(?:면|은|는|도)\s*[?？.!~]*$")


@dataclass(frozen=True, slots=True)
class LeaningModel:
    """A logistic model over `signs`; a turn leans on the last where its value is at least `threshold`."""

    intercept: float
    weights: tuple[float, float, float, float]
    threshold: float
    fitted_on: str


MODEL = LeaningModel(
    intercept=2.26,
    weights=(2.21, 2.25, -4.39, -1.71),
    threshold=-0.4,
    fitted_on="20 second turns about public statutes; 784 questions put behind others that they do not lean on",
)


def earlier(history: Sequence[Turn]) -> str | None:
    """What the next turn may lean on: the last question, with those it leaned on itself; greetings and
    thanks in between are passed over. None where nothing was asked yet."""
    asked = [turn.content.strip() for turn in history if turn.role == "user" and intent(turn.content) is None]
    kept: list[str] = []
    for text in reversed(asked):
        kept.insert(0, text[-_CHARACTERS:])
        if len(kept) == _TURNS or not (points_back(text) or len(text.split()) < _SHORT):
            break
    return " ".join(kept) or None


def points_back(question: str) -> bool:
    """Whether the wording itself says that something was said before."""
    return bool(_POINTS_BACK.search(question) or _ONLY_A_CONDITION.search(question))


def depends(question: str, words: int, elsewhere: float, model: LeaningModel = MODEL) -> bool:
    """Whether a turn can hardly be understood alone; the arguments are those of `signs`."""
    weighted = zip(model.weights, signs(question, words, elsewhere), strict=True)
    return model.intercept + sum(weight * sign for weight, sign in weighted) >= model.threshold


def signs(question: str, words: int, elsewhere: float) -> tuple[float, float, float, float]:
    """What speaks for a turn leaning on the last, and what against it, all 0–1.

    `words`: how many words that carry meaning it has. `elsewhere`: asked alone, by how much (0–1) it
    prefers another bot to that of the turns before; 0 where it leads to the same one.
    """
    return (
        float(bool(_POINTS_BACK.search(question))),
        float(bool(_ONLY_A_CONDITION.search(question))),
        min(words, _MANY) / _MANY,
        min(elsewhere, _FAR) / _FAR,
    )
