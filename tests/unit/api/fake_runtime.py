"""A runtime that answers from a script: what the HTTP door is tested against."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import date, datetime
from pathlib import Path

from ragbots import access, privacy
from ragbots.auth import LocalIdentity
from ragbots.comparison import Amendment
from ragbots.config import BotConfig, FolderSource, Settings
from ragbots.limiting import Limiter
from ragbots.memory import Memory
from ragbots.metrics import Metrics
from ragbots.ports import Identity
from ragbots.retrieval import Passage, PassageBlock, PassageLink, SearchResult
from ragbots.runtime import Run, Runtime
from ragbots.types import (
    Address,
    Answer,
    AuditEvent,
    Candidate,
    Chunk,
    Citation,
    Context,
    Document,
    Hit,
    Level,
    Notice,
    Principal,
    Question,
    Status,
    Step,
)

TODAY = date(2026, 11, 23)
TEXT = (
    "연차는 3일 전까지 신청합니다. [1] 다만, 급하면 당일에 신청할 수 있습니다.\n\n"
    "- 개정 1997. 3. 13. 이후의 규정입니다. [1]"
)
CITED = Citation("leave.v1.3", "근태/복무규정.md", "복무규정", "제21조", "제21조 제1항", "3일 전까지", None, 12)
RELATED = Citation("leave.v1.4", "근태/복무규정.md", "복무규정", "제22조", "제22조", "이월하여", None, None)
ANSWER = Answer(
    id="a1",
    conversation_id="c1",
    status=Status.ANSWERED,
    answer=TEXT,
    bot="leave",
    candidates=(Candidate("leave", "근태·휴가", 0.912345),),
    confidence=0.87654321,
    as_of=TODAY,
    index_version="v1",
    citations=(CITED,),
    related=(RELATED,),
    warnings=(Notice("pending", date(2027, 1, 1), "바뀔 예정입니다."),),
    model="extractive",
)
ADDRESS = Address((Step(Level.ARTICLE, 21), Step(Level.PARAGRAPH, 1)))
CHUNK = Chunk("k1", "d1", ADDRESS, ("복무규정",), "연차", "① 3일 전까지 신청한다.", (0, 1))
HIT = Hit(CHUNK, Document("d1", "근태/복무규정.md", "복무규정", "0" * 64, ()), 0.75, 0.8, 3.2)
PASSAGE = Passage(
    id=CITED.id,
    document="복무규정",
    source="근태/복무규정.md",
    link=None,
    article="제21조",
    address="제21조 제1항",
    breadcrumb=("복무규정", "제3장 휴가"),
    quote="3일 전까지",
    page=12,
    effective=date(2026, 1, 1),
    blocks=(PassageBlock("row", "별표 1 1행", "직급 대리", (("직급", "대리"),), True, ((0, 2),)),),
    previous=None,
    next=PassageLink("제22조", "이월", "leave.v1.4"),
    amendments=(
        Amendment(date(2026, 1, 1), False, (((("7일", True), (" 전", False)), (("3일", True), (" 전", False))),)),
    ),
)


def bot(bot_id: str, name: str, **more: object) -> BotConfig:
    sources = (FolderSource(folder=Path("documents")),)
    return BotConfig.model_validate(
        {"path": Path(f"{bot_id}.yaml"), "id": bot_id, "name": name, "sources": sources, **more}
    )


BOTS = {
    "leave": bot(
        "leave", "근태·휴가", description="휴가를 안내합니다.", sample_questions=("연차는?",), contact="인사부"
    ),
    "records": bot("records", "문서관리"),
    "secret": bot("secret", "비밀", access={"ask": ("board",)}),
}


class NoMemory:
    """Keeps nothing and takes every conversation for the asker's own."""

    def own(self, conversation_id: str, principal: Principal) -> str | None:
        return conversation_id


class FakeRuntime:
    """Every question gets `ANSWER`, or what `answering` does; `asked` keeps what arrived."""

    def __init__(self, *, identity: Identity | None = None, **settings: object) -> None:
        self.settings = Settings.model_validate(settings)
        self.identity: Identity = identity or LocalIdentity()
        self.bots: Mapping[str, BotConfig] = BOTS
        self.asked: list[tuple[Question, Context]] = []
        self.answering: Callable[[Question], Answer] = lambda _question: ANSWER
        self.warming: Callable[[], None] = lambda: None
        self.titles: Callable[[str], tuple[str, ...]] = lambda _bot: ("복무규정",)
        self.warm = threading.Event()
        self.metrics = Metrics()
        self.limiter = Limiter(self.settings.limits)
        self.memory: Memory | NoMemory = NoMemory()
        self.audited: list[AuditEvent] = []
        self.mask = privacy.mask

    def audit(self, event: AuditEvent) -> None:
        self.audited.append(event)

    def audit_refusal(self, principal: Principal, address: str | None, **what: object) -> None:
        self.audited.append(AuditEvent("refused", principal, what, address))

    def forget_expired(self, now: datetime, by: str) -> int:
        return 0

    def forget_audited(self, now: datetime) -> int:
        return 0

    def warm_up(self) -> None:
        self.warming()
        self.warm.set()

    def ready(self) -> tuple[bool, dict[str, str]]:
        return self.warm.is_set(), {"leave": "v1", "records": "no released version"}

    def context(self, principal: Principal, as_of: date | None = None) -> Context:
        return Context(principal, TODAY, as_of)

    async def answers(self, question: Question, context: Context, run: Run) -> AsyncGenerator[Answer, None]:
        yield await run(self.ask, question, context)

    def ask(self, question: Question, context: Context) -> Answer:
        self.asked.append((question, context))
        if question.bot is not None:
            access.require(context.principal, self.bots, question.bot)
        return self.answering(question)

    def search(self, bot_id: str, text: str, k: int, context: Context) -> SearchResult:
        self.asked.append((Question(text, bot_id), context))
        access.require(context.principal, self.bots, bot_id)
        return SearchResult(bot_id, "v1", (HIT,) * min(k, 2))

    def article(self, bot_id: str, address: str, document: str | None, context: Context) -> Passage:
        self.asked.append((Question(address, bot_id), context))
        access.require(context.principal, self.bots, bot_id)
        return PASSAGE

    def passage(self, citation_id: str, context: Context) -> Passage:
        self.asked.append((Question(citation_id), context))
        return PASSAGE

    def visible_bots(self, principal: Principal) -> tuple[BotConfig, ...]:
        return access.visible(principal, self.bots.values())

    count_named = Runtime.count_named  # the real one, by what is above

    def released(self) -> Mapping[str, str]:
        return {"leave": "v1"}

    def documents(self, bot_id: str, principal: Principal) -> tuple[str, ...]:
        access.require(principal, self.bots, bot_id)
        return self.titles(bot_id)
