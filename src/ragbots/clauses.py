"""A question that asks two things, taken apart: `연차는 며칠이고 언제까지 써야 하나요?`"""

from __future__ import annotations

import re

_CUT = re.compile(
    r"(?<=[?？])\s*"
    r"|(?<=[가-힣](?:고|며))[,]?\s+"
    r"|(?<=[가-힣](?:는지|은지|을지|할지|인지))(?:랑|와|도|,)?\s+"
    r"|[,]?\s+(?:그리고|글고|또)\s+"
)
_ASKS = re.compile(
    r"몇|며칠|얼마|언제|어디|누구|누가|무엇|무얼|뭘|뭐|어떻게|어떤|어느|왜"
    r"|(?:나요|까요?|가요|니까|돼요|되죠|는지|은지)\s*[?？.!~]*$|[?？]$"
)


def questions_in(text: str) -> tuple[str, ...]:
    """What is asked, one thing each, in order and together the whole text but for the words that join
    them. A clause that asks nothing stays with the one before it, or with what follows it."""
    found: list[str] = []
    for piece in _CUT.split(text):
        clause = piece.strip(" ,")
        if not any(character.isalnum() for character in clause):
            continue
        if found and not (_ASKS.search(clause) and _ASKS.search(found[-1])):
            found[-1] += f" {clause}"
        else:
            found.append(clause)
    return tuple(found)
