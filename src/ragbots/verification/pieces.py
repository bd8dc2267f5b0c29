"""Sentences on their way out, and those that state nothing: greetings, leads into lists, exceptions by their words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ragbots import figures
from ragbots.text import squeeze
from ragbots.verification.plain_text import TOKENS
from ragbots.verification.references import find_references
from ragbots.verification.values import Why

_FRAME = re.compile(
    r"(?:안녕하(?:세요|십니까)|감사합니다|고맙습니다|도움이 (?:되|됐)|문의(?:해|하|주|가 있|사항)|궁금한 (?:점|사항)"
    r"|질문(?:해|하|이 있|주신|에 (?:대해|답))"
    r"|참고(?:하|해|로 (?:삼|활용)|바랍)|확인(?:해 ?주|하시기 바랍|하세요|바랍)"
    r"|답변(?:드리|해 ?드리|입니다|을 드리)|안내(?:해 ?드리|드리|입니다)"
    r"|말씀해 주|알려 ?드리|요약(?:하면|입니다)?|결론)"
)
CONTENTLESS = re.compile(
    r"(?:(?:다음|아래|이하|이)(?:의 (?:표|내용|항목))?(?:과|와) 같(?:습니다|이|아요|은)|정리하면|요약하면"
    r"|(?:아래|다음)(?:를|을|의)? ?(?:내용|표|기준|항목)?(?:을|를)? ?참고)"
)
LEADS = re.compile(r"(?:[:：]|(?:다음|아래|이하)(?:과|와) 같(?:습니다|아요|이 정리됩니다|이 정해져 있습니다)\.?)$")
_SENTENCE_END = re.compile(r"(?:[.!?。]|[다요음함임됨까죠])[\"”’')]*$")
EXCEPTION = re.compile(r"(?:다만|단(?=[,\s])|그러나|하지만|예외적으로|그렇지만|단서)")
DEPENDS = re.compile(
    r"(?:따라서|이 ?경우|그 ?경우|즉|이때|이 때|그때|그러므로|그래서|그렇기 때문에|이에 따라)(?=[,\s에은는도의]|$)"
)
_LONGEST_FRAME = 70


@dataclass(slots=True)
class Piece:
    """A sentence on its way: where it stands, what it marks, and what was decided of it."""

    text: str  # cleaned, with tokens
    row: int
    prefix: str
    apart: bool  # a blank line stands before it
    block: int
    indent: int
    kind: str  # text, item, row, heading
    numbers: tuple[int, ...] = ()  # of known sources, in the sentence itself
    named: tuple[int, ...] = ()  # all that it marks
    awaits: int = 0  # passes if that many items follow
    decided: bool = False
    why: Why | None = None
    quiet: bool = False

    @property
    def words(self) -> str:
        return squeeze(TOKENS.sub("", self.text))

    @property
    def leads(self) -> bool:
        bare = self.words
        titles = self.kind == "heading" or (self.kind in ("row", "item", "text") and not _SENTENCE_END.search(bare))
        return bool(LEADS.search(bare)) or (titles and not self.named)

    @property
    def kept(self) -> bool:
        return self.decided and self.why is None and not self.quiet

    def keep(self) -> None:
        self.decided = True

    def drop(self, why: Why) -> None:
        self.decided, self.why = True, why

    def pass_over(self) -> None:
        self.decided, self.quiet = True, True


@dataclass(slots=True)
class Listed:
    """The list that is being read: its items so far, the markers it takes from what leads into it, and the
    sentences that announced how many items there are."""

    items: int = 0
    indent: int = 0  # of its first item
    sources: tuple[int, ...] = ()
    announced: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class Shown:
    """What was given out so far, and where it stands."""

    text: str = ""
    row: int = -1
    kind: str = ""
    block: int = -1
    apart: bool = False
    cited: dict[int, None] = field(default_factory=dict)


def is_frame(words: str) -> bool:
    """A greeting, a closing remark, an announcement: nothing is said about the rules."""
    framed = _FRAME.search(words) or CONTENTLESS.search(words)
    return len(words) <= _LONGEST_FRAME and framed is not None and not says_figures(words)


def says_figures(words: str) -> bool:
    return bool(figures.read(words) or find_references(words))
