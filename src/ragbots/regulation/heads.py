"""What a single line may be: the heading of a 편·장·절·관, of a 조, of a 부칙, of a 별표, or a marked 항·호·목.

Only looks at the line. Whether a candidate is what it looks like is decided by its neighbours, in `outline`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ragbots.regulation.address import CIRCLED, addendum_label
from ragbots.regulation.notes import strip_notes
from ragbots.text import one_line
from ragbots.types import SUBITEM_LETTERS, Element, Level, Step


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as it stands in the document, a whole table, or the place of a picture."""

    text: str
    heading: bool = False
    level: int = 0
    page: int | None = None
    table: Element | None = None
    picture: bool = False


@dataclass(frozen=True, slots=True)
class ChapterHead:
    step: Step
    name: str  # `제1장 총칙`
    titled: bool


@dataclass(frozen=True, slots=True)
class ArticleHead:
    """A line that may open an article. The first `length` characters are its heading.

    `certain` needs no neighbours to be believed. `weight` says how much it looks like a heading.
    `last` is the last article of a line such as `제2조부터 제5조까지 생략`, which opens none (`length` 0).
    """

    number: int
    branch: int
    title: str
    length: int
    weight: float
    certain: bool = False
    last: tuple[int, int] | None = None

    @property
    def order(self) -> tuple[int, int]:
        return self.number, self.branch


@dataclass(frozen=True, slots=True)
class AddendumHead:
    label: str
    name: str
    length: int


@dataclass(frozen=True, slots=True)
class AnnexHead:
    step: Step
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark a line begins with: `①` (PARAGRAPH), `4의2.` (ITEM), `가.` (SUBITEM)."""

    level: Level
    number: int
    branch: int = 0
    style: str = ""  # "." or ")"


Head = ChapterHead | ArticleHead | AddendumHead | AnnexHead

_SENTENCE_END = re.compile(r"(?:다|음|함)[.。]?\s*$|[.。,:;]\s*$")
_LONGEST_TITLE = 60

# ---------------------------------------------------------------- 편·장·절·관

_CHAPTER = re.compile(r"제\s?(\d{1,3})\s?([편장절관])(?:\s?의\s?(\d{1,2})(?!\d))?(.*)", re.DOTALL)
_CHAPTER_LEVELS = {"편": Level.PART, "장": Level.CHAPTER, "절": Level.SECTION, "관": Level.SUBSECTION}
_PARTICLE = re.compile(r"(?:의|을|를|에|은|는|이|가|과|와|및|부터|까지|또는|중|내지|제\d|ㆍ|,|·|\()")


def chapter_head(line: Line) -> ChapterHead | None:
    """`제1장 총칙`, `제3장의2 삭제 <2010. 5. 4.>`; not `제6장을 삭제한다.`"""
    match = _CHAPTER.fullmatch(line.text)
    if match is None or (not line.heading and _CHAPTER_SENTENCE.search(line.text)):
        return None
    number, unit, branch, rest = match.groups()
    title = one_line(strip_notes(rest))
    if not line.heading and (len(title) > _LONGEST_TITLE or (not rest[:1].isspace() and _PARTICLE.match(rest))):
        return None
    if rest[:1].isspace() and not line.heading and _CONNECTIVE.match(title):
        return None
    step = Step(_CHAPTER_LEVELS[unit], int(number), int(branch or 0))
    label = f"제{number}{unit}" + (f"의{branch}" if branch else "")
    return ChapterHead(step, f"{label} {title}".strip(), bool(title))


_CHAPTER_SENTENCE = re.compile(r"다[.。]?\s*$|[.。,]\s*$")

# ---------------------------------------------------------------- 조

_ARTICLE = re.compile(r"제\s?(\d{1,4})\s?조(?:\s?의\s?(\d{1,3})(?![\d,]))?")
_OPEN_TO_CLOSE = {"(": ")", "（": "）", "[": "]", "【": "】", "〔": "〕"}
_CONNECTIVE = re.compile(
    r"(?:및|또는|각\s?[호항목조]|중(?:\s|\")|부터|내지|에|의\s|을\s|를\s|과\s|와\s|본문|단서|전단|후단|제\s?\d|이하|까지|에서|로\s|으로\s)"
)
_REFERRING = re.compile(r"(?:에|의\s|을\s|를\s|부터|까지|및|또는|중\s|ㆍ|·|,|제\s?\d|와\s|과\s|으로|로\s|로서|및\s)")
_SPACED_REFERRING = re.compile(r"(?:및|또는|중|부터|내지|까지|에|에서|의|을|를|와|과)\s")
_WEAKLY_REFERRING = re.compile(r"(?:은|는|이|가|도|만|각)")
_THIS_REGULATION = re.compile(r"이\s?(?:규정|법|영|규칙|세칙|지침|요령|기준|내규|강령|예규|정관|요강|조)")
_STUB = re.compile(r"\s*[(<\[]?\s*삭\s?제\s*[)>\]]?(?:\s*[<(\[].*)?\s*\.?")
_PLAIN_TITLE = re.compile(r"\s+[가-힣A-Za-z0-9ㆍ·\s「」]{1,30}")
_SKIPPED = re.compile(
    r"제(\d+)조(?:의(\d+))?\s*(?:(?:부터|내지|및|,|ㆍ)\s*제(\d+)조(?:의(\d+))?\s*(?:까지)?\s*)?(?:는|은)?\s*생\s?략\s*\.?"
)
_TITLED, _STUBBED, _PLAIN, _IN_HEADING = 3.0, 3.0, 1.0, 2.0


def article_head(line: Line) -> ArticleHead | None:
    """The heading of an article in any of its looks, or None for a reference that begins a line."""
    if skipped := _SKIPPED.fullmatch(line.text):
        return _skipped(skipped)
    match = _ARTICLE.match(line.text)
    if match is None:
        return None
    number, branch, rest = int(match[1]), int(match[2] or 0), line.text[match.end() :]
    bonus = _IN_HEADING if line.heading else 0.0
    if not rest.strip():
        return ArticleHead(number, branch, "", match.end(), _PLAIN + bonus, certain=line.heading)
    if _STUB.fullmatch(rest):
        return ArticleHead(number, branch, "", len(line.text), _STUBBED + bonus, certain=line.heading)
    if (bracketed := _bracketed(rest)) is not None:
        title, end = bracketed
        weight = _weight_of_rest(title, rest[end:])
        if weight is None:
            return None
        alone = not strip_notes(rest[end:])
        length = len(line.text) if alone else match.end() + end
        return ArticleHead(number, branch, title, length, weight + bonus, certain=line.heading and alone)
    return _plain_head(line, number, branch, rest, bonus)


def _skipped(match: re.Match[str]) -> ArticleHead:
    first = (int(match[1]), int(match[2] or 0))
    last = (int(match[3]), int(match[4] or 0)) if match[3] else first
    return ArticleHead(*first, "", 0, _PLAIN, last=max(first, last))


def _bracketed(rest: str) -> tuple[str, int] | None:
    """The title in the brackets that `rest` begins with, and where they end."""
    start = len(rest) - len(rest.lstrip())
    close = _OPEN_TO_CLOSE.get(rest[start : start + 1])
    if close is None:
        return None
    depth = 0
    for position in range(start, min(len(rest), start + 150)):
        depth += (rest[position] == rest[start]) - (rest[position] == close)
        if depth == 0:
            return one_line(rest[start + 1 : position]), position + 1
    return None


def _weight_of_rest(title: str, tail: str) -> float | None:
    """How much `제10조(title)tail` looks like a heading; None for a reference with a remark in brackets."""
    if title.endswith("다") or title.startswith("이하") or not title:
        return None
    words = tail.lstrip()
    if not words or words[0] in CIRCLED or words[0] in '<["“「':
        return _TITLED
    if words != tail:
        return None if _SPACED_REFERRING.match(words) else _TITLED
    if _THIS_REGULATION.match(words):
        return _TITLED
    if _REFERRING.match(words):
        return None
    return _PLAIN if _WEAKLY_REFERRING.match(words) else _TITLED


def _plain_head(line: Line, number: int, branch: int, rest: str, bonus: float) -> ArticleHead | None:
    """`제1조 목적` without brackets."""
    title = one_line(strip_notes(rest))
    if not rest[:1].isspace() or _CONNECTIVE.match(title) or _SENTENCE_END.search(title):
        return None
    if not line.heading and not _PLAIN_TITLE.fullmatch(rest):
        return None
    return ArticleHead(number, branch, title, len(line.text), _PLAIN + bonus)


# ---------------------------------------------------------------- 부칙, 별표, 별지

_ADDENDUM = re.compile(
    r"\[?부\s*칙\]?\s*(?P<name>\([^<>]{0,200}\))?\s*(?P<label>[<＜〈][^<>＜＞〈〉]{0,200}[>＞〉])?(?P<rest>.*)",
    re.DOTALL,
)
_DATED = re.compile(r"\d{4}\s*[.\-년]|제\s*\d+(?:-\d+)?\s*호")
_REFERENCE_ARTICLE = re.compile(r"제\s?\d+\s?조(?!(?:의\s?\d+)?\s*[(（])")


def addendum_head(line: Line) -> AddendumHead | None:
    """`부칙 <제5305호,1997.3.13>`, `부 칙(2025. 12. 18.)`; not `부칙 제2조에 따라`."""
    match = _ADDENDUM.fullmatch(line.text)
    if match is None:
        return None
    rest = match["rest"].strip()
    name, label = (match["name"] or "")[1:-1].strip(), (match["label"] or "")[1:-1].strip()
    if rest and not match["name"] and not label and _DATED.match(rest) and len(rest) <= 40 and "조" not in rest:
        return AddendumHead(addendum_label(rest), "", len(line.text))
    if rest and (not label or _REFERENCE_ARTICLE.match(rest)):
        return None
    if name and not label and _DATED.search(name):
        name, label = "", name
    length = len(line.text) - len(match["rest"])
    return AddendumHead(addendum_label(label) if label else "", one_line(name), length)


_ANNEX = re.compile(
    r"""(?:[■□◆▣]\s*[^\[\]【】〔〕<>]{0,80})?
    (?P<open>[\[【〔<])?\s*(?P<kind>별\s?표|별\s?지|서식)(?:\s*서식)?\s*
    (?:제?\s*(?P<number>\d{1,3})(?:\s*호)?(?:\s*서식)?(?:\s*의\s?(?P<branch>\d+))?(?:\s*서식)?)?
    (?:\s*(?P<close>[\]】〕>]))?(?P<rest>.*)""",
    re.VERBOSE | re.DOTALL,
)


def annex_head(line: Line) -> AnnexHead | None:
    """`별표 1 국내 여비 정액표(제10조 관련)`, `■ 여비규정 [별표 2]`; not `별표 1에 따라 지급한다.`"""
    match = _ANNEX.fullmatch(line.text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    rest = strip_notes(match["rest"])
    if match["rest"] and not re.match(r"[\s(<\[:.\-–]", match["rest"]):
        return None
    title = one_line(rest.lstrip(" .:-–"))
    if not line.heading and (
        _CHAPTER_SENTENCE.search(title) or _CONNECTIVE.match(title) or len(title) > 2 * _LONGEST_TITLE
    ):
        return None
    if not match["open"] and not match["number"] and not (line.heading or not title or title.startswith("(")):
        return None
    level = Level.ANNEX if match["kind"].startswith("별") and match["kind"].endswith("표") else Level.FORM
    return AnnexHead(Step(level, int(match["number"] or 0), int(match["branch"] or 0)), title)


# ---------------------------------------------------------------- 항·호·목

_PARAGRAPH = re.compile(rf"([{CIRCLED}])")
_COUNTED_PARAGRAPH = re.compile(r"<(\d{1,3})>")
_ITEM = re.compile(r"(\d{1,3})(?:의(\d{1,2}))?([.)])(?!\d)")
_SUBITEM = re.compile(rf"([{SUBITEM_LETTERS}])([.)])")


def mark_of(text: str, in_addendum: bool) -> Mark | None:
    """The 항, 호 or 목 mark that a line begins with. Addenda count on after ⑮ as `<16>`."""
    if match := _PARAGRAPH.match(text):
        return Mark(Level.PARAGRAPH, CIRCLED.index(match[1]) + 1)
    if in_addendum and (match := _COUNTED_PARAGRAPH.match(text)):
        return Mark(Level.PARAGRAPH, int(match[1]))
    if match := _ITEM.match(text):
        return Mark(Level.ITEM, int(match[1]), int(match[2] or 0), match[3])
    if match := _SUBITEM.match(text):
        return Mark(Level.SUBITEM, SUBITEM_LETTERS.index(match[1]) + 1, style=match[2])
    return None
