"""What a language model wrote, checked sentence by sentence against the passages it was given.

A sentence may be shown when the passages it marks (`[1]`) hold its quotations, figures, references to articles
and enough of its words. `Checker` reads the text as it comes and gives back what is verified, in order; `verify`
is the same over a whole text. Nothing that comes out can be rendered as a link, a picture or an element.

Decided here: greetings and closing remarks without content are dropped and count as no loss; items of a list
without markers take those of the sentence that leads into the list. A text that is rejected is shown not at all.
"""

from __future__ import annotations

import html
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import reduce
from operator import or_

from markdown_it import MarkdownIt

from ragbots import figures
from ragbots.figures import Figure, Kind, Known
from ragbots.regulation import parse_address
from ragbots.text import clean, comparable, squeeze
from ragbots.types import SUBITEM_LETTERS, Address, Level, Step

Terms = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Source:
    """A passage the model was given: its number as in the marker `[3]`, the title of its regulation, where it
    stands (empty on plain pages), the heading and the words."""

    number: int
    document: str
    address: Address
    heading: str
    text: str


class Outcome(StrEnum):
    VERIFIED = "verified"
    REPAIRED = "repaired"
    REJECTED = "rejected"


class Why(StrEnum):
    NO_SOURCE = "no_source"
    UNKNOWN_SOURCE = "unknown_source"
    FIGURE = "figure"
    REFERENCE = "reference"
    QUOTATION = "quotation"
    UNRELATED = "unrelated"
    OPPOSITE = "opposite"
    DEPENDENT = "dependent"
    EXCEPTION = "exception"  # the removed sentence limits what would stay
    LITTLE_LEFT = "little_left"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Removed:
    text: str
    why: Why


@dataclass(frozen=True, slots=True)
class Verified:
    """What may be shown: paragraphs and lists of plain text with markers; empty where rejected.

    `cited` are the numbers of the sources marked in it, in order of first use."""

    text: str
    outcome: Outcome
    cited: tuple[int, ...]
    removed: tuple[Removed, ...]


def verify(text: str, sources: Sequence[Source], question: str, terms: Terms) -> Verified:
    """The whole text at once; never raises. `terms` are the words of a text that carry meaning."""
    checker = Checker(sources, question, terms)
    checker.feed(text)
    return checker.finish()


# --- plain text -----------------------------------------------------------------------------------

_OPEN, _CLOSE = "\ue000", "\ue001"  # around the numbers of a marker while the text is being cleaned
_PRIVATE = re.compile(
    r"[\ue000-\uf8ff\U000e0000-\U0010ffff\u00ad\u034f\u061c\u115f\u1160\u180e\u2065-\u206f\u3164\ufe00-\ufe0f\uffa0]"
)
_WIDE = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x2028: 0x0A, 0x2029: 0x0A}
_NUMBERS = r"\s{0,2}\^?\d{1,3}(?:\s{0,2}[,;·~∼–-]\s{0,2}\^?\d{1,3}){0,20}\s{0,2}"
_MARKER = re.compile(
    rf"\[(?:출처|발췌|근거|문서)?\s?:?({_NUMBERS})\]|【({_NUMBERS})(?:†[^【】]{{0,40}})?】|〔({_NUMBERS})〕"
)
_TOKEN = re.compile(rf"{_OPEN}([\d,]*){_CLOSE}")
_TOKENS = re.compile(rf"(?:\s?{_OPEN}[\d,]*{_CLOSE})+")
_JOINED_NUMBERS = re.compile(r"(\d{1,3})\s*([~∼–-])?\s*\^?(?=(\d{1,3})?)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SCRIPT = re.compile(
    r"<(script|style|template|iframe|object|svg|math|textarea|title)\b[^>]{0,500}>.*?(?:</\1\s*>|\Z)", re.I | re.S
)
_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>?")
_IMAGE = re.compile(r"!\[[^\[\]]{0,500}\](?:\([^()]{0,2000}\)|\[[^\[\]]{0,200}\])?")
_LABELLED = re.compile(r"\[([^\[\]]{0,500})\](?:\([^()]{0,2000}\)|\[[^\[\]]{0,200}\])")
_URL_END = r"[^\s()<>\[\]{}\"'“”‘’가-힣\ue000\ue001]*"
_URLS = (
    re.compile(rf"(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.\-]{{0,30}}:\s*[/\\]{{2}}{_URL_END}"),
    re.compile(
        r"(?:javascript|vbscript|livescript|data|mailto|file|tel|sms|blob|about|ftp|https?|wss?|callto"
        r"|intent|xmpp|magnet|view-source)"
        rf"\s*:{_URL_END}",
        re.I,
    ),
    re.compile(rf"[/\\]{{2}}{_URL_END}"),
    re.compile(rf"www\d?\.{_URL_END}", re.I),
    re.compile(rf"[\w.+\-]{{0,64}}@{_URL_END}"),
    re.compile(rf"(?<![\d.])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\d.]){_URL_END}"),
    re.compile(
        rf"(?<![A-Za-z0-9.\-])[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}(?:\.[A-Za-z0-9\-]{{1,63}}){{0,8}}"
        rf"\.[A-Za-z][A-Za-z0-9\-]{{1,30}}(?![A-Za-z0-9]){_URL_END}"
    ),
)
_ASCII_GLUED = re.compile(r"(?<=[^\W\d])\.(?=[^\W\d_])")  # `입니다.com`: no domain
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_PLAIN_LINK = re.compile(r"[*`_~\\#|<\[\]!&>@/:.]")


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 -- the library's name
        """Whatever looks like a link is one, and goes."""
        return True


_MARKDOWN = _Markdown("commonmark", {"html": True}).disable(["emphasis", "entity"])


def tidy(text: str) -> str:
    """Ground for everything else: no invisible characters, full-width ASCII narrowed, entities undone."""
    plain = _PRIVATE.sub("", clean(text))
    for _ in range(3):
        undone = html.unescape(plain)
        if undone == plain:
            break
        plain = undone
    return _PRIVATE.sub("", clean(plain.translate(_WIDE)))


def mark(text: str) -> str:
    """Markers in any spelling as tokens that cleaning leaves alone."""
    return _MARKER.sub(lambda match: _OPEN + ",".join(_listed(match[1] or match[2] or match[3])) + _CLOSE, text)


def _listed(numbers: str) -> list[str]:
    """`1, 3-5` as 1, 3, 4, 5; a range of more than twenty is its two ends."""
    listed: list[str] = []
    for one, to, other in _JOINED_NUMBERS.findall(numbers):
        listed.append(str(int(one)))
        if to and other and 0 < int(other) - int(one) <= 20:
            listed += [str(number) for number in range(int(one) + 1, int(other))]
    return listed


def plain(marked: str) -> str:
    """One sentence as plain text on one line; tokens of markers stay."""
    text = _TAG.sub("", _SCRIPT.sub("", _COMMENT.sub("", marked)))
    if _PLAIN_LINK.search(text):
        text = _IMAGE.sub("", text)
        text = _LABELLED.sub(r"\1", text)
        tokens = _MARKDOWN.parseInline(text)[0].children or []
        text = "".join(
            " " if token.type in ("softbreak", "hardbreak") else token.content
            for token in tokens
            if token.type in ("text", "text_special", "code_inline", "softbreak", "hardbreak")
        )
        text = _without_urls(_TAG.sub("", text))
    return squeeze(_without_syntax(text).replace("\n", " "))


def _without_urls(text: str) -> str:
    for pattern in _URLS:
        text = pattern.sub(" ", text)
    return text


def _without_syntax(text: str) -> str:
    """No character left that a renderer reads as more than itself."""
    text = re.sub(r"(?<=\d)\s?\*\s?(?=\d)", " × ", text)
    text = re.sub(r"[*`]|~~+|(?<!\w)_+|_+(?!\w)|__+", "", text)
    text = text.replace("[", "(").replace("]", ")").replace("\\", "")
    text = re.sub(r"<(?=[A-Za-z/!?])", "〈", text)
    text = _ASCII_GLUED.sub(". ", text)
    text = re.sub(r"/(?=/)|(?<=:)\s*/+", " ", _ENTITY.sub("＆", text))
    text = re.sub(rf"({_CLOSE})\s*(?=\()", r"\1 ", text)
    return re.sub(r"\(\s*\)", "", text)


# --- lines and sentences --------------------------------------------------------------------------

_FENCE = re.compile(r"\s*(?:```+|~~~+)[^`]*$")
_RULE = re.compile(r"\s*(?:(?:[-*_=]\s?){2,}|[|:\-\s+=]{3,})$")
_DEFINITION = re.compile(r"\s*(?:>\s*)*(?:[-*+]\s+)?(?:\[[^\[\]]{1,200}\]|[\ue000][\d,]*[\ue001])\s*:(?:\s|\S)")
_QUOTE = re.compile(r"\s*(?:>\s?)+")
_HEADING = re.compile(r"\s*#{1,6}(?:\s+|$)")
_ITEM = re.compile(r"(?P<indent>\s*)(?:(?P<bullet>[-*+•·◦▪‣○●■□▶※–—])\s+|(?P<number>\d{1,3})[.)]\s+(?!\d))")
_BOLD_LINE = re.compile(r"\s*\*\*[^*]{1,80}\*\*\s*:?\s*$")
_ENDS = re.compile(
    rf"(?:(?<=[가-힣]{{2}})|(?<=[)\]”\"’'%{_CLOSE}]))[.!?。]+(?:\*\*)?[\"”’')」』]*(?:\*\*)?"
    rf"(?:\s?{_OPEN}[\d,]*{_CLOSE}|\s?\[[\d,\s^-]{{1,20}}\])*(?P<tail>\s+)(?=[^\s\[【{_OPEN}])"
    rf"|(?<=[a-z]{{2}})[.!?](?:(?:\s?{_OPEN}[\d,]*{_CLOSE})+(?=\s+[^\s\[【{_OPEN}])|(?=\s+[A-Z]))(?P<latin>\s+)"
)


def _sentence_ends(text: str) -> list[int]:
    """Where the sentences of a line end that something follows, white space included."""
    return [match.end() for match in _ENDS.finditer(text)]


_FRAME = re.compile(
    r"(?:안녕하(?:세요|십니까)|감사합니다|고맙습니다|도움이 (?:되|됐)|문의(?:해|하|주|가 있|사항)|궁금한 (?:점|사항)"
    r"|질문(?:해|하|이 있|주신|에 (?:대해|답))"
    r"|참고(?:하|해|로 (?:삼|활용)|바랍)|확인(?:해 ?주|하시기 바랍|하세요|바랍)"
    r"|답변(?:드리|해 ?드리|입니다|을 드리)|안내(?:해 ?드리|드리|입니다)"
    r"|말씀해 주|알려 ?드리|요약(?:하면|입니다)?|결론)"
)
_CONTENTLESS = re.compile(
    r"(?:(?:다음|아래|이하|이)(?:의 (?:표|내용|항목))?(?:과|와) 같(?:습니다|이|아요|은)|정리하면|요약하면"
    r"|(?:아래|다음)(?:를|을|의)? ?(?:내용|표|기준|항목)?(?:을|를)? ?참고)"
)
_ANNOUNCES = re.compile(r"^.{0,40}(?:다음|아래|이하)(?:과|와)? ?(?:같|의? ?[\w]{1,3} ?가지).{0,16}$")
_LEADS = re.compile(r"(?:[:：]|(?:다음|아래|이하)(?:과|와) 같(?:습니다|아요|이 정리됩니다|이 정해져 있습니다)\.?)$")
_SENTENCE_END = re.compile(r"(?:[.!?。]|[다요음함임됨까죠])[\"”’')]*$")
_EXCEPTION = re.compile(r"(?:다만|단(?=[,\s])|그러나|하지만|예외적으로|그렇지만|단서)")
_DEPENDS = re.compile(
    r"(?:따라서|이 ?경우|그 ?경우|즉|이때|이 때|그때|그러므로|그래서|그렇기 때문에|이에 따라)(?=[,\s에은는도의]|$)"
)


@dataclass(slots=True)
class _Piece:
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
        return squeeze(_TOKENS.sub("", self.text))

    @property
    def leads(self) -> bool:
        bare = self.words
        titles = self.kind == "heading" or (self.kind in ("row", "item", "text") and not _SENTENCE_END.search(bare))
        return bool(_LEADS.search(bare)) or (titles and not self.named)

    @property
    def kept(self) -> bool:
        return self.decided and self.why is None and not self.quiet

    def keep(self) -> None:
        self.decided = True

    def drop(self, why: Why) -> None:
        self.decided, self.why = True, why

    def pass_over(self) -> None:
        self.decided, self.quiet = True, True


# --- references -----------------------------------------------------------------------------------

_CIRCLED = "①-⑳㉑-㉟㊱-㊿"
_PARAGRAPH = rf"(?:\s?(?:제\s?)?\d{{1,3}}\s?항|\s?[{_CIRCLED}])"
_NUMBERED = r"(?:\s?(?:제\s?)?\d{1,3}\s?호(?![봉실선차기])(?:의\s?\d{1,2}(?!\d))?)"
_LETTER = rf"(?:\s?[{SUBITEM_LETTERS}]\s?목(?![가-힣]{{2}}))"
_BRANCH = r"(?:의\s?\d{1,2}(?!\d|\s?배|\s?분의|%|퍼센트))?"
_REFERENCE = re.compile(
    rf"""별\s?[표지]\s?(?:제\s?)?\d{{1,3}}{_BRANCH}(?:\s?호(?:{_BRANCH}))?(?:\s?서식)?
    | (?:부칙\s?)?(?:제\s?|§\s?)?(?<!\d)(?<!\d[,.])\d{{1,4}}\s?조(?!\s?\d*\s?[원억만]|각|건[^의을에은과])
      {_BRANCH}{_PARAGRAPH}?{_NUMBERED}?{_LETTER}?
    | §\s?\d{{1,4}}{_BRANCH}{_PARAGRAPH}?
    | 제\s?\d{{1,3}}\s?[장절편관](?![가-힣]소)
    | (?<!\d){_PARAGRAPH}(?![목암]){_NUMBERED}?{_LETTER}?
    | (?<!\d)(?<!\d[,.]){_NUMBERED}{_LETTER}?""",
    re.VERBOSE,
)
_JOINT = re.compile(
    r"\s*(?:\([^()]{0,40}\)|,|및|또는|과|와|이나|나|ㆍ|·|부터|까지|내지|의|각\s?호|본문|단서|\s|~){0,6}\s*"
)
_LAW = re.compile(
    r"(?:[「『]\s?([^「」『』\n]{2,60}?)\s?[」』]|([가-힣·ㆍ]*(?:(?<![방입문용])법|법률|시행령|대통령령|시행규칙|규칙|규정|지침|세칙|내규|예규|강령|요령|정관|규약|협약)))"
    r"\s*(?:\([^()]{0,40}\)\s*)?$"
)


@dataclass(frozen=True, slots=True)
class _Reference:
    span: tuple[int, int]
    address: Address
    law: str  # the name that stands before it; empty = none


def _references(text: str) -> list[_Reference]:
    """References to articles as people write them, with or without 제; `제3항` after `제12조 및` is its 항."""
    found: list[_Reference] = []
    for match in _REFERENCE.finditer(text):
        address = _section(match[0]) if "§" in match[0] else _address(match[0])
        if not address:
            continue
        last = found[-1] if found else None
        between = text[last.span[1] : match.start()] if last else ""
        joined = last if last and len(between) <= 44 and _JOINT.fullmatch(between) else None
        named = _LAW.search(text[max(0, match.start() - 60) : match.start()])
        law = (named[1] or named[2]) if named else joined.law if joined else ""
        found.append(_Reference(match.span(), _continued(address, joined), law))
    return found


def _address(words: str) -> Address:
    try:
        return parse_address(re.sub(r"\s", "", words))
    except ValueError:
        return Address()


def _section(words: str) -> Address:
    """`§17②`, `§17`: another spelling of 제17조."""
    return _address(re.sub(r"§\s?(\d{1,4})\s?조?", r"제\1조", words))


_INNER = (Level.PARAGRAPH, Level.ITEM, Level.SUBITEM)


def _continued(address: Address, last: _Reference | None) -> Address:
    first = address.steps[0].level
    if last is None or first not in _INNER:
        return address
    return Address((*(step for step in last.address.steps if step.level < first), *address.steps))


def _shows(step: Step, text: str) -> bool:
    """Whether the layout of a passage shows a 항, 호 or 목: `②`, `2.`, `나.`"""
    branch = rf"의\s?{step.branch}" if step.branch else ""
    if step.level is Level.PARAGRAPH and step.number <= 20 and chr(0x2460 + step.number - 1) in text:
        return True
    if step.level in (Level.PARAGRAPH, Level.ITEM):
        return re.search(rf"(?:^|(?<=[\s(])){step.number}{branch}[.)]\s?(?!\d)", text, re.MULTILINE) is not None
    if step.level is Level.SUBITEM:
        return re.search(rf"(?:^|(?<=[\s(])){SUBITEM_LETTERS[step.number - 1]}[.)]", text, re.MULTILINE) is not None
    return False


# --- one source, read once ------------------------------------------------------------------------

_NEGATION = re.compile(
    r"않|아니(?:한|하|할|함|된)|수 ?없|못 ?하|못 ?한|불가(?!피|분)|금지|안 ?(?:됩|된|되)|아니 ?[된되]|제외"
)
_PASSAGE_SENTENCE = re.compile(r"(?<=다)\.\s*|\n|(?=[①-⑳])")


@dataclass(frozen=True, slots=True)
class _Read:
    """A source as the checks need it."""

    source: Source
    words: str  # everything, comparable
    known: Known
    references: tuple[_Reference, ...]
    terms: frozenset[str]
    sentences: tuple[tuple[frozenset[str], bool], ...]  # terms and whether negated, of each sentence
    items: int  # how many 항 or 호 it lists


def _read(source: Source, terms: Terms) -> _Read:
    text = tidy(source.text)
    about = f"{tidy(source.heading)}\n{tidy(source.document)}"
    references = _references(text) + _references(tidy(source.heading))
    sentences = [one for one in _PASSAGE_SENTENCE.split(text) if len(one) > 5]
    return _Read(
        source=source,
        words=comparable(f"{text}\n{about}"),
        known=figures.known(_masked(text, _references(text))) | figures.known(_masked(about, _references(about))),
        references=tuple(references),
        terms=frozenset(_meaning(f"{text}\n{about} {source.address}", terms)),
        sentences=tuple((frozenset(_meaning(one, terms)), _negated(one)) for one in sentences),
        items=max(len(re.findall(rf"[{_CIRCLED}]", text)), len(re.findall(r"(?:^|\s)\d{1,2}\.\s(?!\d)", text))),
    )


def _masked(text: str, references: Iterable[_Reference]) -> str:
    """The text with references blanked out, of the same length."""
    for reference in references:
        first, last = reference.span
        text = text[:first] + "¤" * (last - first) + text[last:]
    return text


def _meaning(text: str, terms: Terms) -> list[str]:
    return [term for term in terms(text) if not any(character.isdigit() for character in term)]


def _negated(text: str) -> bool:
    return len(_NEGATION.findall(text)) % 2 == 1


# --- the checks of one sentence -------------------------------------------------------------------

_QUOTED = re.compile(
    r"“([^“”\n]{2,400})”|\"([^\"\n]{2,400})\"|‘([^‘’\n]{2,400})’|(?<![\w가-힣])'([^'\n]{2,400})'"
    r"|「([^「」\n]{2,400})」|『([^『』\n]{2,400})』|＂([^＂\n]{2,400})＂|«([^«»\n]{2,400})»|„([^“”„\n]{2,400})[“”]"
)
_LEFT_OUT = re.compile(r"…|\.{2,}|\(중략\)|\(생략\)")
_CONDITION = re.compile(
    r"(?:다면|이면|라면|하면|으면|되면|시면|[았었]으면|경우|일 ?때|할 ?때|[을를신] ?때|때(?:는|에는)|시(?:에는|에|점에)"
    r"|기준으로|더라도|라도"
    r"|[신한된인은] ?(?:분|직원|사람|자)(?:은|는|의|께서|이라))"
)
_CLAUSE_END = re.compile(r"[.!?;,]|니다|에요|예요|해요|고 ")
_FURTHEST_CONDITION = 24
_MOST_FIGURES = 100
_OPERATOR = re.compile(r"[+×xX*÷/=−–-]")
_TOTALS = re.compile(
    r"합하|합계|합산|합쳐|합치|더하|더한|총|모두|전부|합이|곱하|곱한|빼|차이|[+×−÷]|\d\s?[xX*-]\s?\d|[=]"
)
# Words of answers and of rules in general: they tell nothing about what a sentence is about.
_NEUTRAL_WORDS = """
    경우 따르 따라 다음 규정 조항 조 항 호 목 제 해당 관련 기준 내용 안내 의하 대하 위하 가능
    필요 확인 네 예 아니 아니요 즉 따라서 또한 그리고 다만 바탕 질문 답변 말씀 드리 알 정하 명시
    근거 참고 받 주 내 쓰 보 가 오 말하 이루 같 합하 합계 더하 합산 총 모두 곱하 최대 최소 각각
    각 여기 이때 그 이 저 본인 귀하 바라 규칙 문서 발췌 사항 포함 의미 적용 원 일 년 월 개월 명
    회 시간 시 분 만 천 백 억 % 이상 이하 이내 초과 미만 먼저 우선 단 또는 및 혹은 특히 요약
    정리 결론 우리 회사 직원 구체 상세 자세히 구분 대상 번 번째 첫 결과 자세하 자세 참조 항목 금액
    살피 계산 하루 달 한 두 세 나오 나와 살펴보 설명 되어 정해지 그러나 하지만 그래서 그러므로 만약
    만일 물론 별도 반드시 꼭 최소한 이후 이전 전 후 까지 부터 거치 수 것 때 등 그대로 그렇 이렇
    어떻 지니 당 씩 절반 반 전체 곳 가지 달하 한하 가리키 나타내 적히 쓰이 있 없 관하 관련하 주일
    정도
"""
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
ENOUGH = 0.5  # of a sentence's words must stand in what it cites or in the question
_ALIKE = 0.75
_FOREIGN = 0.35
_HANGUL = re.compile(r"[가-힣]")
_LETTER_OF_ANY = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question as the checks need it."""

    words: str
    known: Known
    terms: frozenset[str]
    korean: bool


@dataclass(frozen=True, slots=True)
class _Finding:
    why: Why | None
    awaits: int = 0  # the sentence announces so many items, which no passage lists


def _check(sentence: str, cited: Sequence[_Read], asked: _Asked, terms: Terms) -> _Finding:
    """What is wrong with a sentence (without markers) that cites these sources; the first finding counts."""
    if not _quotations_stand(sentence, cited, asked):
        return _Finding(Why.QUOTATION)
    references = _references(sentence)
    if not all(_reference_stands(reference, cited) for reference in references):
        return _Finding(Why.REFERENCE)
    loose = _loose_figures(sentence, references, cited, asked)
    awaits = next((int(one.value) for one in loose if one.unit == "가지" and one.value.denominator == 1), 0)
    if any(figure.unit != "가지" for figure in loose):
        return _Finding(Why.FIGURE)
    if _foreign(sentence, cited, asked):
        return _Finding(Why.LANGUAGE)
    meaning = _meaning(_without_figures(sentence, references), terms)
    if not _related(meaning, cited, asked, spared=2 if _ANNOUNCES.search(sentence) else 0):
        return _Finding(Why.UNRELATED)
    return _Finding(Why.OPPOSITE if _opposite(sentence, meaning, cited) else None, awaits)


def _without_figures(sentence: str, references: Sequence[_Reference]) -> str:
    """The sentence with digits for all that counts or refers: its words alone are left to be looked up."""
    masked = _masked(sentence, references)
    for figure in figures.read(masked)[:_MOST_FIGURES]:
        first, last = figure.span
        masked = masked[:first] + "0" * (last - first) + masked[last:]
    return masked.replace("¤", "0")


def _quotations_stand(sentence: str, cited: Sequence[_Read], asked: _Asked) -> bool:
    for match in _QUOTED.finditer(sentence):
        quote = next(group for group in match.groups() if group)
        for part in _LEFT_OUT.split(quote):
            words = comparable(tidy(part)).rstrip(".!?")
            if words and words not in asked.words and not any(words in one.words for one in cited):
                return False
    return True


def _reference_stands(reference: _Reference, cited: Sequence[_Read]) -> bool:
    return any(_refers_to(reference, one) or _mentions(reference, one) for one in cited)


def _refers_to(reference: _Reference, one: _Read) -> bool:
    """Whether the reference names the passage itself, a place around it, or a 항, 호 or 목 that it shows."""
    place, wanted = one.source.address, reference.address
    if reference.law and not _same_law(reference.law, one.source.document):
        return False
    if wanted.steps[0].level in _INNER:
        return all(step in place.steps or _shows(step, one.source.text) for step in wanted.steps)
    if wanted.contains(place) and place:
        return True
    if place and place.contains(wanted):
        return all(_shows(step, one.source.text) for step in wanted.steps[len(place.steps) :])
    return False


def _mentions(reference: _Reference, one: _Read) -> bool:
    """Whether the passage's own words hold the reference, of the same law where one is named."""
    wanted = reference.address
    return any(
        (wanted.contains(known.address) or known.address.steps[-len(wanted.steps) :] == wanted.steps)
        and _law_fits(reference.law, known.law, one.source.document)
        for known in one.references
    )


def _law_fits(said: str, known: str, own: str) -> bool:
    """A law that the answer names must be the passage's; one that it leaves out may be said by the passage."""
    return not said or _same_law(said, known or own)


def _same_law(one: str, other: str) -> bool:
    first, second = comparable(one), comparable(other)
    return first.endswith(second) or second.endswith(first) or first in second or second in first


def _loose_figures(
    sentence: str, references: Sequence[_Reference], cited: Sequence[_Read], asked: _Asked
) -> list[Figure]:
    """The figures that stand in no passage, are no condition taken from the question, and no shown result."""
    masked = _masked(sentence, references)
    found = figures.read(masked)
    known = reduce(or_, (one.known for one in cited), figures.NOTHING)
    good = [figure for figure in found if known.holds(figure) or _conditional(figure, masked, asked)]
    loose = [figure for figure in found if figure not in good]
    loose = [figure for figure in loose if not _counts_items(figure, cited, sentence)]
    if not loose or len(found) > _MOST_FIGURES or not _TOTALS.search(masked):
        return loose
    good += [figure for figure in loose if asked.known.holds(figure) and _beside_operator(figure, masked)]
    for figure in sorted(loose, key=lambda one: one.value):
        if figure not in good and _computed(figure, good):
            good.append(figure)
    return [figure for figure in loose if figure not in good]


def _counts_items(figure: Figure, cited: Sequence[_Read], sentence: str) -> bool:
    """`세 가지` where a passage lists three, or the sentence itself does."""
    named = len(re.findall(r"[,·ㆍ]", sentence)) + 1
    return figure.unit == "가지" and (named == figure.value or any(one.items == figure.value for one in cited))


def _conditional(figure: Figure, text: str, asked: _Asked) -> bool:
    """Whether the figure repeats the question's inside a condition: `3년 근무하셨다면`."""
    if not asked.known.holds(figure):
        return False
    behind = text[figure.span[1] : figure.span[1] + _FURTHEST_CONDITION]
    condition, end = _CONDITION.search(behind), _CLAUSE_END.search(behind)
    return condition is not None and (end is None or condition.start() <= end.start())


def _beside_operator(figure: Figure, text: str) -> bool:
    before, after = text[: figure.span[0]].rstrip(), text[figure.span[1] :].lstrip()
    return bool(_OPERATOR.match(before[-1:]) or _OPERATOR.match(after[:1]))


_MOST_OPERANDS = 8


def _computed(result: Figure, operands: Sequence[Figure]) -> bool:
    """Whether the figure is the sum, difference or product of figures in the same sentence."""
    same = [one for one in operands if one.unit == result.unit and one.kind is result.kind][:_MOST_OPERANDS]
    values = [one.value for one in same]
    spans = [(first, last) for first in range(len(values)) for last in range(first + 2, len(values) + 1)]
    runs = {sum(values[first:last], Fraction(0)) for first, last in spans}
    differences = {abs(one - other) for one in values for other in values}
    others = operands[:_MOST_OPERANDS]
    products = {one.value * other.raw for one in same for other in others if other is not one and other.raw}
    rates = [one.value for one in others if one.kind is Kind.SHARE]
    shares = {one * factor for one in values for rate in rates for factor in (rate, 1 + rate, 1 - rate)}
    return result.value in runs | differences | products | shares


def _foreign(sentence: str, cited: Sequence[_Read], asked: _Asked) -> bool:
    """A sentence in another language than the question's, or with words of another script that no passage has."""
    letters = _LETTER_OF_ANY.findall(sentence)
    if not asked.korean or not letters:
        return False
    strange = re.findall(r"[\u3040-\u30ff\u4e00-\u9fff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]{2,}", sentence)
    if any(not any(word in one.words for one in cited) and word not in asked.words for word in strange):
        return True
    return len(letters) > 12 and len(_HANGUL.findall(sentence)) < _FOREIGN * len(letters)


def _related(meaning: Sequence[str], cited: Sequence[_Read], asked: _Asked, spared: int) -> bool:
    """Whether enough of the words that tell something stand in the passages; `spared` may be missing anyway."""
    telling = [term for term in dict.fromkeys(meaning) if term not in _NEUTRAL]
    if all(len(term) == 1 for term in telling):
        return True  # `주 3회 줍니다`: verbs of one syllable are read now so, now so
    known = sum(1 for term in telling if term in asked.terms or any(_has(one, term) for one in cited))
    return known >= ENOUGH * len(telling) or len(telling) - known <= spared


def _has(one: _Read, term: str) -> bool:
    return term in one.terms or (len(term) > 1 and term in one.words)


def _opposite(sentence: str, meaning: Sequence[str], cited: Sequence[_Read]) -> bool:
    """Whether the passage sentence with nearly the same words says no where this says yes, or in reverse."""
    said = {term for term in meaning if term not in _NEUTRAL}
    if len(said) < 2:
        return False
    alike = [
        negated
        for one in cited
        for words, negated in one.sentences
        if len(said & words) >= _ALIKE * len(said | (words - _NEUTRAL))
    ]
    return bool(alike) and all(negated != _negated(sentence) for negated in alike)


# --- the text as it comes -------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """Where reading stands: the line, whether its beginning was read, and what kind it is."""

    row: int = 0
    begun: bool = False
    blank: bool = True  # nothing but white space so far
    kind: str = ""  # text, item, row, heading, skip
    prefix: str = ""
    indent: int = 0
    apart: bool = False  # a blank line stands before it
    before: str = ""  # the kind of the line before, empty after a blank one


@dataclass(slots=True)
class _List:
    """The list that is being read: its items so far, the markers it takes from what leads into it, and the
    sentences that announced how many items there are."""

    items: int = 0
    indent: int = 0  # of its first item
    sources: tuple[int, ...] = ()
    announced: list[_Piece] = field(default_factory=list)


@dataclass(slots=True)
class _Shown:
    """What was given out so far, and where it stands."""

    text: str = ""
    row: int = -1
    kind: str = ""
    block: int = -1
    apart: bool = False
    cited: dict[int, None] = field(default_factory=dict)


class Checker:
    """Reads an answer piece by piece. `feed` returns what may be shown now: whole sentences, verified, in order.

    `finish().text` is all of that, unless the whole was rejected, which only the end can tell: then it is empty.
    """

    def __init__(self, sources: Sequence[Source], question: str, terms: Terms) -> None:
        self._sources = {source.number: source for source in sources}
        self._reads: dict[int, _Read] = {}
        self._terms = terms
        self._asked = _read_question(question, terms)
        self._rest = ""  # of the text, not taken yet
        self._scanned = 0  # how far sentence ends were looked for in it
        self._line = _Line()
        self._block = 0
        self._pending: list[_Piece] = []  # of the block, without markers of their own
        self._last: tuple[int, ...] = ()  # what was marked last in the block
        self._leads: list[_Piece] = []  # waiting for what they lead to
        self._list = _List()
        self._queue: deque[_Piece] = deque()
        self._shown = _Shown()
        self._removed: list[Removed] = []
        self._kept = self._lost = 0  # sentences with content
        self._gap = self._exception = False  # the sentence before is removed; an exception was
        self._letters = self._hangul = 0
        self._result: Verified | None = None

    def feed(self, piece: str) -> str:
        """Takes the next piece of the model's text; returns what may be shown after what was returned before."""
        if self._result is not None:
            return ""
        before = len(self._shown.text)
        self._rest += piece
        self._take_lines()
        self._take_sentences()
        self._flush()
        return self._shown.text[before:]

    def finish(self) -> Verified:
        """The verified whole; feeding ends here."""
        if self._result is None:
            self._rest = _COMMENT.sub(" ", self._rest)
            self._take_lines()
            self._take_line_end(self._rest)
            self._end_block()
            self._end_list()
            self._give_up_leads()
            self._flush()
            self._result = self._judged()
        return self._result

    # --- lines

    def _take_lines(self) -> None:
        if ("\n" in self._rest or "\r" in self._rest) and not _open_comment(self._rest):
            *lines, self._rest = re.split(r"\r\n|\n|\r(?!$)", _COMMENT.sub(" ", self._rest))
            for line in lines:
                self._take_line_end(line)

    def _take_sentences(self) -> None:
        """The sentences of the unfinished line that something follows already."""
        if "|" in self._rest or self._rest.count("<") > self._rest.count(">"):
            return
        end = 0
        for match in _ENDS.finditer(self._rest, self._scanned):
            end = match.end()
        self._scanned = max(0, len(self._rest) - _LONGEST_END)
        if end:
            self._take(self._rest[:end])
            self._rest, self._scanned = self._rest[end:], 0

    def _take_line_end(self, line: str) -> None:
        self._take(line)
        if self._line.kind == "heading":
            self._end_block()
        blank = self._line.blank
        before = "" if blank else self._line.before if self._line.kind == "skip" else self._line.kind
        self._line = _Line(row=self._line.row + 1, apart=blank, before=before)
        self._scanned = 0

    def _take(self, raw: str) -> None:
        """Whole sentences of a line, or all that is left of it."""
        text = mark(tidy(raw))
        if not self._line.begun:
            if not text.strip():
                return
            text = self._begin_line(text)
        if self._line.kind == "skip":
            return
        if self._line.kind == "row":
            self._add(" | ".join(cell.strip() for cell in text.strip().strip("|").split("|")))
            return
        first = 0
        for end in [*_sentence_ends(text), len(text)]:
            self._add(text[first:end])
            first = end

    def _begin_line(self, text: str) -> str:
        """Finds out what kind of line begins; returns the text without the syntax that says so."""
        line = self._line
        line.begun, line.blank = True, False
        if _FENCE.match(text) or _RULE.match(text) or _DEFINITION.match(text):
            line.kind = "skip"
            return ""
        text = text[match.end() :] if (match := _QUOTE.match(text)) else text
        if match := _HEADING.match(text):
            line.kind = "heading"
        elif match := _ITEM.match(text):
            line.kind, line.indent = "item", len(match["indent"].expandtabs(4))
            bullet = f"{match['number']}. " if match["number"] else "- "
            line.prefix = ("  " if line.indent > 1 else "") + bullet
        elif text.lstrip().startswith("|") or text.count("|") > 1:
            line.kind, line.prefix = "row", "- "
        elif _BOLD_LINE.match(text):
            line.kind = "heading"
        else:
            line.kind, line.indent = "text", len(text) - len(text.lstrip())
        self._begin_block(line)
        return text[match.end() :] if match else text

    def _begin_block(self, line: _Line) -> None:
        """A line goes on with the block before it, or begins its own; text ends a list."""
        goes_on = (line.kind == line.before and line.kind in ("text", "row")) or (
            line.kind == "text" and line.before == "item" and line.indent > 1
        )
        if goes_on:
            return
        self._end_block()
        self._block += 1
        if line.kind in ("text", "heading"):
            self._end_list()
        else:
            self._count_item(line)
            self._leave_titles(line.indent)

    def _count_item(self, line: _Line) -> None:
        """Items below items are not counted."""
        if line.kind == "item":
            self._list.indent = line.indent if self._list.items == 0 else self._list.indent
            self._list.items += line.indent <= self._list.indent

    def _leave_titles(self, indent: int) -> None:
        """An item leads only to items below it."""
        stay: list[_Piece] = []
        for lead in self._leads:
            if lead.kind == "item" and lead.indent >= indent and not _LEADS.search(lead.words):
                self._abandon(lead)
            else:
                stay.append(lead)
        self._leads = stay

    # --- sentences

    def _add(self, text: str) -> None:
        """One sentence with its tokens: cleaned, then checked now or when its markers are known."""
        cleaned = _BLOCK_START.sub("", plain(text))
        named = [int(number) for token in _TOKEN.findall(cleaned) for number in token.split(",") if number]
        numbers = tuple(dict.fromkeys(number for number in named if number in self._sources))
        line = self._line
        piece = _Piece(
            cleaned, line.row, line.prefix, line.apart, self._block, line.indent, line.kind, numbers, tuple(named)
        )
        words = piece.words
        if not _WORD.search(words):
            self._take_markers(cleaned, piece)
            return
        self._letters += len(_LETTER_OF_ANY.findall(words))
        self._hangul += len(_HANGUL.findall(words))
        self._list.items += bool(_ORDINAL.match(words))
        self._queue.append(piece)
        if numbers:
            self._settle(piece, numbers)
            self._settle_pending(numbers)
            self._settle_leads(piece, numbers)
        elif named:
            piece.drop(Why.UNKNOWN_SOURCE)
        else:
            self._pending.append(piece)

    def _take_markers(self, tokens: str, marks: _Piece) -> None:
        """Markers that stand alone belong to the sentence before them in the block."""
        if marks.numbers and self._pending:
            last = self._pending[-1]
            last.text, last.named, last.numbers = f"{last.text} {tokens}", marks.named, marks.numbers
            self._settle_pending(marks.numbers)

    def _settle(self, piece: _Piece, numbers: Sequence[int]) -> None:
        """Checks a sentence against the sources it, or its neighbour, marks."""
        finding = _check(piece.words, [self._source(number) for number in numbers], self._asked, self._terms)
        if finding.why is Why.UNRELATED and not piece.named and (piece.kind == "row" or _is_frame(piece.words)):
            piece.pass_over()  # the column headings of a table, too
        elif finding.why is not None:
            piece.drop(finding.why)
        elif finding.awaits:
            piece.awaits = finding.awaits
            self._list.announced.append(piece)
        else:
            piece.keep()

    def _settle_pending(self, numbers: tuple[int, ...]) -> None:
        for piece in self._pending:
            self._settle(piece, numbers)
            self._settle_leads(piece, numbers)
        self._pending, self._last = [], numbers

    def _settle_leads(self, piece: _Piece, numbers: Sequence[int]) -> None:
        """What leads to a sentence that stays is checked against the same sources."""
        if piece.kept or piece.awaits:
            leads, self._leads = self._leads, []
            for lead in leads:
                self._settle(lead, numbers)

    def _source(self, number: int) -> _Read:
        if number not in self._reads:
            self._reads[number] = _read(self._sources[number], self._terms)
        return self._reads[number]

    # --- ends of blocks and lists

    def _end_block(self) -> None:
        """Sentences still without markers take the last of their block, or of what leads into their list."""
        pending, numbers = self._pending, self._last
        in_list = bool(pending) and pending[0].kind in ("item", "row")
        if not numbers and in_list:
            numbers = self._list.sources
        if numbers:
            self._settle_pending(numbers)
        else:
            for piece in pending:
                if piece is pending[-1] and piece.leads:
                    self._leads.append(piece)
                else:
                    self._abandon(piece)
        if not self._list.items and not in_list:
            self._list.sources = self._last or self._list.sources
        self._pending, self._last = [], ()

    def _end_list(self) -> None:
        if self._list.items:
            self._give_up_leads()
        for piece in self._list.announced:
            if piece.awaits == self._list.items:
                piece.keep()
            else:
                piece.drop(Why.FIGURE)
        self._list = _List()

    def _give_up_leads(self) -> None:
        for piece in self._leads:
            self._abandon(piece)
        self._leads = []

    def _abandon(self, piece: _Piece) -> None:
        """No source anywhere: words without content go quietly, everything else is removed."""
        if _is_frame(piece.words) or (piece.kind == "heading" and not _says_figures(piece.words)):
            piece.pass_over()
        else:
            piece.drop(Why.NO_SOURCE)

    # --- what comes out

    def _flush(self) -> None:
        """Gives out the sentences decided, up to the first that is not."""
        while self._queue and self._queue[0].decided:
            piece = self._queue.popleft()
            if piece.kept and self._gap and _DEPENDS.match(piece.words):
                piece.drop(Why.DEPENDENT)
            if piece.kept:
                self._show(piece)
            else:
                self._remove(piece)

    def _remove(self, piece: _Piece) -> None:
        self._shown.apart |= piece.apart
        if piece.why is None:
            return
        self._removed.append(Removed(_with_markers(piece.text, piece.named), piece.why))
        self._lost += 1
        self._gap = True
        self._exception |= bool(_EXCEPTION.match(piece.words))

    def _show(self, piece: _Piece) -> None:
        shown = self._shown
        unknown = [number for number in dict.fromkeys(piece.named) if number not in piece.numbers]
        self._removed += [Removed(f"[{number}]", Why.UNKNOWN_SOURCE) for number in unknown]
        self._gap = False
        self._kept += not (piece.kind == "heading" or _CONTENTLESS.search(piece.words))
        beginning = "" if piece.row == shown.row else piece.prefix
        shown.text += self._joint(piece) + beginning + _with_markers(piece.text, piece.numbers)
        shown.row, shown.kind, shown.block, shown.apart = piece.row, piece.kind, piece.block, False
        shown.cited |= dict.fromkeys(piece.numbers)

    def _joint(self, piece: _Piece) -> str:
        """What stands between the last sentence shown and this one."""
        shown = self._shown
        if not shown.text:
            return ""
        if piece.row == shown.row:
            return " "
        new_paragraph = piece.block != shown.block and piece.kind in ("text", "heading")
        return "\n\n" if piece.apart or shown.apart or new_paragraph else "\n"

    def _judged(self) -> Verified:
        why = self._rejection()
        if why is not None:
            removed = (*self._removed, Removed(self._shown.text, why))
            return Verified("", Outcome.REJECTED, (), removed)
        outcome = Outcome.REPAIRED if self._removed else Outcome.VERIFIED
        return Verified(self._shown.text, outcome, tuple(self._shown.cited), tuple(self._removed))

    def _rejection(self) -> Why | None:
        if self._asked.korean and self._letters > _TOO_SHORT_TO_TELL and self._hangul < _KOREAN * self._letters:
            return Why.LANGUAGE
        if self._exception:
            return Why.EXCEPTION
        return Why.LITTLE_LEFT if not self._kept or self._kept < self._lost else None


_LONGEST_END = 80
_TOO_SHORT_TO_TELL = 12
_KOREAN = 0.4  # of the letters of an answer to a Korean question
_WORD = re.compile(r"[^\W_]")
_BLOCK_START = re.compile(
    r"^(?:#{1,6}(?=\s|$)|>|[-+](?=\s|$)|=+(?=\s|$)|\s|\d{1,9}[.)]\s+(?=(?:\d{1,9}[.)]\s+){0,9}(?:[-+=#]{1,6}(?:\s|$)|>)))+"
)
_ORDINAL = re.compile(r"(?:첫째|둘째|셋째|넷째|다섯째|(?:첫|두|세|네|다섯) ?번째)")
_LONGEST_FRAME = 70


def _open_comment(text: str) -> bool:
    return text.rfind("<!--") > text.rfind("-->")


def _read_question(question: str, terms: Terms) -> _Asked:
    asked = tidy(question)
    return _Asked(
        words=comparable(asked),
        known=figures.known(_masked(asked, _references(asked))),
        terms=frozenset(_meaning(asked, terms)),
        korean=bool(_HANGUL.search(asked)),
    )


def _is_frame(words: str) -> bool:
    """A greeting, a closing remark, an announcement: nothing is said about the rules."""
    framed = _FRAME.search(words) or _CONTENTLESS.search(words)
    return len(words) <= _LONGEST_FRAME and framed is not None and not _says_figures(words)


def _says_figures(words: str) -> bool:
    return bool(figures.read(words) or _references(words))


def _with_markers(text: str, numbers: Sequence[int]) -> str:
    """The sentence with its tokens as `[1][2]`, only those of `numbers`."""

    def spelled(match: re.Match[str]) -> str:
        named = dict.fromkeys(int(number) for number in match[1].split(",") if number)
        return "".join(f"[{number}]" for number in named if number in numbers)

    text = re.sub(rf"{_CLOSE}\s+{_OPEN}", _CLOSE + _OPEN, text)
    return squeeze(re.sub(r"!(?=\[)|\](?=\()|^(?:\[\d+\])+(?=:)", r"\g<0> ", _TOKEN.sub(spelled, text)))
