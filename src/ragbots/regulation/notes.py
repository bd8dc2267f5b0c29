"""Amendment notes and repealed stubs: words that carry no rule."""

from __future__ import annotations

import re

from ragbots.regulation.address import CIRCLED
from ragbots.text import squeeze
from ragbots.types import Block, BlockKind

_WORDS = (
    "개정|신설|삭제|전문개정|전부개정|일부개정|타법개정|본조신설|본항신설|본호신설|조신설|항신설|제목개정|"
    "제목신설|종전제목개정|본장신설|본절신설|장신설|절신설|제정|시행|시행일|유효기간"
)
_DAY = r"\d{4}\s*\.\s*\d{1,2}\s*\.\s*\d{1,2}\s*\.?"
_INLINE = re.compile(
    rf"""(?:
      [<＜〈]\s*(?:{_WORDS})(?![가-힣])[^<>＜＞〈〉]{{0,600}}[>＞〉]
    | \[\s*(?:{_WORDS})\s*[:\d][^\[\]]{{0,600}}\]
    | \[[가-힣]{{0,20}}\s*제\d+호,\s*{_DAY},\s*(?:{_WORDS})\]
    | \((?:{_WORDS})\s*{_DAY}(?:\s*,\s*{_DAY})*\)
    | (?<=삭제)\s*[<＜〈(\[]\s*{_DAY}(?:\s*,\s*{_DAY})*\s*[>＞〉)\]]
    )""",
    re.VERBOSE,
)
# A line in one bracket, closed on this line or a later one. Only the date of entry into force may go on
# behind it (`[시행일: 2025. 2. 23.] 제4조`): other words there are the rule itself.
_NOTE_LINE = re.compile(
    rf"""\[\s*(?:
      (?:{_WORDS})\s*[:\d<][^\]]* | (?:{_WORDS})
    | 제\d+조(?:의\d+)?(?:제\d+항)?에서\s이동[^\]]* | 종전\s?제\d+[조항][^\]]*
    | (?:법률|대통령령|[가-힣]+령)\s제\d+호(?=[^\]]*(?:개정|의하여))[^\]]*+ | \d{{4}}\s*\.[\d.,\s]*
    )\]?
    | \[\s*시행일[^\]]*\]\s*제\d.*""",
    re.VERBOSE | re.DOTALL,
)
_HISTORY = re.compile(
    rf"(?:제\s?정|개\s?정|전부개정|일부개정|전문개정|타법개정|시\s?행)\s*[:<(\[]?\s*(?:(?:규정|훈령|예규|지침)?\s*제?\d+호?[,\s]*)?"
    rf"{_DAY}\s*(?:[,(<\[]?\s*(?:규정|훈령|예규|지침)?\s*제\d+호)?\s*[>)\]]?\s*"
)
_MARKER = re.compile(
    rf"\s*(?:제\s?\d+\s?조(?:의\s?\d+)?|제\s?\d+\s?[편장절관](?:의\s?\d+)?|[{CIRCLED}]|<\d+>|\d+(?:의\d+)?[.)]|[가-힣][.)])\s*"
)
_REPEALED = re.compile(r"[(<\[]?\s*삭\s?제\s*[)>\]]?\s*\.?")
_ELIDED = re.compile(rf"(?:제?\d+[조항호](?:의\d+)?|\d+\.|[{CIRCLED}]|<\d+>|부터|까지|내지|및|[,ㆍ\s])*생략\s*\.?")


def strip_notes(text: str) -> str:
    """The text without <개정 …>, <신설 …>, [전문개정 …] and their like, for showing and embedding.

    The label of an addendum (`부칙 <2011. 3. 2.>`) is a name, not a note, and stays.
    """
    kept = [line for line in text.split("\n") if not _NOTE_LINE.fullmatch(line.strip())]
    return squeeze(_INLINE.sub("", "\n".join(kept)))


def is_note(line: str) -> bool:
    """Whether a line of a regulation is nothing but amendment notes or a line of its history."""
    text = line.strip()
    return bool(text) and (not strip_notes(text) or _HISTORY.fullmatch(text) is not None)


def is_repealed(block: Block) -> bool:
    """Whether nothing but 삭제 is left: `③ 삭제 <2017. 11. 28.>`, `제14조 삭제`."""
    return block.kind is not BlockKind.NOTE and _REPEALED.fullmatch(_body(block)) is not None


def is_elided(block: Block) -> bool:
    """Whether the text only says that text was left out: `② 생략`, `제2조부터 제5조까지 생략`."""
    return block.kind is not BlockKind.NOTE and _ELIDED.fullmatch(_body(block)) is not None


def _body(block: Block) -> str:
    text = strip_notes(block.text)
    marker = _MARKER.match(text)
    return text[marker.end() :] if marker else text
