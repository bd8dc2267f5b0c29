"""The values that flow through ragbots: frozen, without behaviour beyond reading themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """The ranks of a regulation's structure; the order is the order in a document."""

    PART = 1  # 편
    CHAPTER = 2  # 장
    SECTION = 3  # 절
    SUBSECTION = 4  # 관
    ARTICLE = 5  # 조
    PARAGRAPH = 6  # 항
    ITEM = 7  # 호
    SUBITEM = 8  # 목
    ADDENDUM = 9  # 부칙
    ANNEX = 10  # 별표
    FORM = 11  # 별지
    ROW = 12  # 행 of a table


@dataclass(frozen=True, order=True, slots=True)
class Step:
    """One rank of an address: `제17조의2` is (ARTICLE, 17, 2).

    `label` names what a number cannot: which of several 부칙 (`제5305호, 1997. 3. 13.`).
    """

    level: Level
    number: int = 0
    branch: int = 0
    label: str = ""


SUBITEM_LETTERS = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"


def _step_text(step: Step) -> str:
    branch = f"의{step.branch}" if step.branch else ""
    match step.level:
        case Level.ADDENDUM:
            label = f" <{step.label}>" if step.label else ""
            number = f"({step.number})" if step.number else ""
            return f"부칙{number}{label}"
        case Level.ANNEX | Level.FORM:
            name = "별표" if step.level is Level.ANNEX else "별지"
            return f"{name} {step.number}{branch}" if step.number else name
        case Level.ROW:
            return f"{step.number}행"
        case Level.SUBITEM:
            return f"{SUBITEM_LETTERS[step.number - 1]}목"
        case _:
            unit = {
                Level.PART: "편", Level.CHAPTER: "장", Level.SECTION: "절", Level.SUBSECTION: "관",
                Level.ARTICLE: "조", Level.PARAGRAPH: "항", Level.ITEM: "호",
            }[step.level]  # fmt: skip
            return f"제{step.number}{unit}{branch}"


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """Where a piece of a document stands, e.g. `제17조의2 제1항 제4호 가목`, `별표 3 2행`.

    The empty address belongs to pages without any 조 and to text before the first article.
    """

    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return " ".join(_step_text(step) for step in self.steps)

    def __bool__(self) -> bool:
        return bool(self.steps)

    def child(self, step: Step) -> Address:
        return Address((*self.steps, step))

    def contains(self, other: Address) -> bool:
        """Whether `other` is this place or lies inside it."""
        return other.steps[: len(self.steps)] == self.steps

    def up_to(self, *levels: Level) -> Address:
        """The beginning of the address, up to and with its last step of one of `levels`."""
        for end in range(len(self.steps), 0, -1):
            if self.steps[end - 1].level in levels:
                return Address(self.steps[:end])
        return Address()

    @property
    def article(self) -> str | None:
        """The unit people cite: `제17조의2`, `별표 3`, `부칙 제2조`; None where there is none."""
        unit = self.up_to(Level.ARTICLE) or self.up_to(Level.ANNEX, Level.FORM, Level.ADDENDUM)
        return str(unit) or None

    @property
    def in_addendum(self) -> bool:
        return any(step.level is Level.ADDENDUM for step in self.steps)


class ElementKind(StrEnum):
    HEADING = "heading"
    TEXT = "text"
    TABLE = "table"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Element:
    """What every loader yields, in reading order: a heading, a line of text, a table, or a picture.

    `level` is 1–6 for headings (0 = unknown). `rows` are a table's rows of cells as text, merged
    cells filled; `header_rows` says how many of them are column headings. A picture's `text` is its
    description or name: it says that something stands there that is not read, and is not counted
    as text. `page` counts from 1.
    """

    kind: ElementKind
    text: str
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    header_rows: int = 0
    page: int | None = None


class OmissionKind(StrEnum):
    """What sort of thing was left out; whatever has no kind of its own is OTHER."""

    PAGE = "page without text"  # scanned, or blank
    PICTURE = "picture"
    ANNEX = "annex without text"  # a 별표 or 별지 that is only a picture, or only a heading
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Omission:
    """Text or a part of a document that is not in the index, and why.

    `expected`: leaving it out loses nothing (a heading that the breadcrumbs say, a running header,
    an amendment note); such an omission is reported and does not fail a strict build.
    """

    what: str
    where: str
    characters: int
    why: str
    kind: OmissionKind = OmissionKind.OTHER
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """One file or page as a loader read it.

    `source` is the path below its source folder; `characters` counts everything but white space
    in the elements; `digest` is the SHA-256 of the file's bytes; `footnotes` says how many notes
    stand in the text, after the paragraph that refers to them.
    """

    id: str
    source: str
    title: str
    digest: str
    elements: tuple[Element, ...]
    link: str | None = None
    effective: date | None = None
    pages: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    omissions: tuple[Omission, ...] = ()
    footnotes: int = 0

    @property
    def characters(self) -> int:
        return sum(count_characters(element_text(element)) for element in self.elements)


def element_text(element: Element) -> str:
    """All text of an element; a table's cells joined by spaces, nothing of a picture."""
    if element.kind is ElementKind.PICTURE:
        return ""
    if element.kind is ElementKind.TABLE:
        return " ".join(cell for row in element.rows for cell in row)
    return element.text


def count_characters(text: str) -> int:
    """Characters that are not white space: the unit in which nothing may get lost."""
    return sum(1 for character in text if not character.isspace())


class BlockKind(StrEnum):
    TITLE = "title"
    CHAPTER = "chapter"  # 편·장·절·관
    HEADING = "heading"  # a heading of a plain page
    ARTICLE = "article"  # the heading line of a 조, 별표, 별지 or 부칙
    PARAGRAPH = "paragraph"  # 항, or the body of an article without 항
    ITEM = "item"  # 호
    SUBITEM = "subitem"  # 목 and what lies below it
    ROW = "row"  # a row of a table
    TEXT = "text"  # anything else that is read
    NOTE = "note"  # a line that is only an amendment note


@dataclass(frozen=True, slots=True)
class Block:
    """A unit in reading order with its address.

    `text` keeps the source's words, notes such as <개정 …> included. `path` names what lies above
    (chapter, section, or the headings of a plain page), `heading` is the article's own, without its
    number. `cells` pairs column heading and value in a table row.
    """

    kind: BlockKind
    address: Address
    text: str
    path: tuple[str, ...] = ()
    heading: str = ""
    page: int | None = None
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Regulation:
    """A document's structure: its blocks in reading order and what was left out on the way."""

    document_id: str
    title: str
    blocks: tuple[Block, ...]
    omissions: tuple[Omission, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded: one address range of one article (or heading), with its breadcrumb.

    `blocks` is the half-open range of the regulation's block numbers it was cut from. `text` is
    what is quoted and searched; the embedder sees `passage`. `tokens` counts the passage in the
    embedder's own tokens.
    """

    id: str
    document_id: str
    address: Address
    breadcrumb: tuple[str, ...]
    heading: str
    text: str
    blocks: tuple[int, int]
    tokens: int = 0
    page: int | None = None

    @property
    def passage(self) -> str:
        return "\n".join(part for part in (" › ".join(self.breadcrumb), self.text) if part)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and through which door. `local`: nobody signs in, and whoever reaches the server is its user. `bots`:
    those that the credential is good for (None = all); `key`: the id of the API key that was shown."""

    user_id: str
    groups: frozenset[str] = frozenset()
    channel: str = "cli"
    authenticated: bool = True
    local: bool = False
    bots: frozenset[str] | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a door received of whoever asks: the `Authorization` value, the session's cookie, the page's origin."""

    authorization: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, when and from where (`address` is the network's); passed through every call."""

    principal: Principal
    today: date
    as_of: date | None = None
    address: str | None = None

    @property
    def day(self) -> date:
        """The day whose rules are asked for."""
        return self.as_of or self.today


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something done that is recorded: `what` was done, in values that are JSON, and from which network address."""

    kind: str
    principal: Principal
    what: Mapping[str, object]
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier turn of the conversation; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the cleaned text, the bot and the language model if they are named, the earlier turns, and
    the index version where the owner asks one before it is released."""

    text: str
    bot: str | None = None
    history: tuple[Turn, ...] = ()
    conversation_id: str | None = None
    llm: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found for a question. `score` orders the hits; `dense` is the cosine to the question
    and `lexical` the BM25 score, both before they were normalised and summed."""

    chunk: Chunk
    document: Document
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class Citation:
    """Words that stand in a document, checked, with the way back to them. `marks` are the half-open character
    ranges of `quote` that answer the question (empty = none stands out)."""

    id: str
    source: str
    document: str
    article: str | None
    address: str
    quote: str
    link: str | None
    page: int | None
    marks: tuple[tuple[int, int], ...] = ()


class Verification(StrEnum):
    """What the check made of a language model's answer."""

    VERIFIED = "verified"  # shown as it was written
    REPAIRED = "repaired"  # without the sentences that the rules do not support
    FALLBACK = "fallback"  # not shown: the rules are quoted instead


class Status(StrEnum):
    ANSWERED = "answered"
    REFUSED = "refused"
    CLARIFY = "clarify"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bot that may answer, with its routing score (0–1, higher is better)."""

    id: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader must know besides the answer, such as a rule not yet in force."""

    kind: str
    effective_date: date | None
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What every door delivers. `model` wrote it, told what to do by `prompt`; both and `verification` are None
    where no language model was asked, `prompt` also where none could be used."""

    id: str
    conversation_id: str
    status: Status
    answer: str
    bot: str | None
    candidates: tuple[Candidate, ...]
    confidence: float
    as_of: date
    index_version: str | None
    citations: tuple[Citation, ...] = ()
    related: tuple[Citation, ...] = ()
    warnings: tuple[Notice, ...] = ()
    model: str | None = None
    prompt: str | None = None
    verification: Verification | None = None
