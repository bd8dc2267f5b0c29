"""What people read in a messenger, whichever it is: the fixed words, links, and what a button stands for."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ragbots.memory import Rating
from ragbots.types import Answer, Candidate, Citation, Status

SEARCHING = "찾는 중…"
WHICH_BOT = "어느 챗봇에 물어볼까요? 단추를 누르거나 번호로 답해 주세요."
WAS_IT_HELPFUL = "도움이 되었나요?"
THANKS = "의견 고맙습니다."
ANOTHERS = "질문하신 분만 고를 수 있습니다. 다시 질문해 주세요."
OUTDATED = "더는 쓸 수 없는 단추입니다. 다시 질문해 주세요."
RIGHTS_CHANGED = "답하는 사이에 권한이 바뀌어 답을 보여 드릴 수 없습니다. 다시 질문해 주세요."
MOST_CITATIONS = 15  # shown one by one; the others are counted
QUOTE_CHARS = 300

RATINGS: tuple[tuple[Rating, str], ...] = (("up", "👍 도움됨"), ("down", "👎 아쉬움"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A bot chosen for the question of an earlier turn."""

    conversation: str
    answer: str
    bot: str


@dataclass(frozen=True, slots=True)
class Rated:
    """What was said of an answer."""

    answer: str
    rating: Rating


def value_of(pressed: Chosen | Rated) -> str:
    """What a button carries; the question itself stays in the conversation, out of anybody's reach."""
    if isinstance(pressed, Chosen):
        return f"choose/{pressed.conversation}/{pressed.answer}/{pressed.bot}"
    return f"rate/{pressed.answer}/{pressed.rating}"


def read_value(value: object) -> Chosen | Rated | None:
    """What a pressed button stands for; None where it is none of ours."""
    match value.split("/") if isinstance(value, str) else []:
        case ["choose", conversation, answer, bot] if conversation and answer and bot:
            return Chosen(conversation, answer, bot)
        case ["rate", answer, "up" | "down" as rating] if answer:
            return Rated(answer, "up" if rating == "up" else "down")
    return None


def text_of(answer: Answer) -> str:
    """The answer with what must be known besides, the bots to choose from, and how many sources are not shown."""
    lines = [answer.answer, *(f"※ {notice.text}" for notice in answer.warnings)]
    lines += [f"{number}. {bot.name}" for number, bot in enumerate(choices(answer), 1)]
    hidden = len(answer.citations) - MOST_CITATIONS
    if hidden > 0:
        lines.append(f"근거 {hidden}건이 더 있습니다.")
    return "\n".join(lines)


def choices(answer: Answer) -> tuple[Candidate, ...]:
    """The bots that may be meant; empty unless that is what is asked back."""
    return answer.candidates if answer.status is Status.CLARIFY else ()


def shown(answer: Answer) -> tuple[Citation, ...]:
    return answer.citations[:MOST_CITATIONS]


def title_of(number: int, citation: Citation) -> str:
    place = " ".join(part for part in (citation.document, citation.address) if part)
    return f"[{number}] {place}" + (f" ({citation.page}쪽)" if citation.page else "")


def quote_of(citation: Citation) -> str:
    """The quoted words, cut where they are long: the link leads to all of them."""
    words = " ".join(citation.quote.split())
    return words if len(words) <= QUOTE_CHARS else words[: QUOTE_CHARS - 1] + "…"


def link_of(citation: Citation, public_url: str | None) -> str | None:
    """The page the words come from, or else the passage on this server; None where neither has an address."""
    if citation.link and citation.link.startswith(("https://", "http://")):
        return citation.link
    return f"{public_url}/c/{quote(citation.id, safe='')}" if public_url else None
