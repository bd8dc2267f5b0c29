"""The wiring: alone constructs adapters from settings, and holds the released versions open."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ragbots import access, answering, indexing, privacy, rebuilding, releases, retrieval, writing
from ragbots.answering import Answering, Prepared, checked_question, open_to, seen_by
from ragbots.auth import AccountsIdentity, Keys, LocalIdentity, Sessions, WidgetTokens
from ragbots.auth.widget_tokens import signing_key
from ragbots.chunking import ChunkLimits
from ragbots.citations import read_id
from ragbots.clearance import cleared_for_all, models_of, refusals
from ragbots.confidence import MODEL
from ragbots.config import NO_LLM, BotConfig, DoorayWikiSource, FolderSource, Settings, check_bots
from ragbots.embedders import CachedEmbedder, CrossEncoderReranker, SentenceEmbedder, bundled, fast_dtype, from_folder
from ragbots.environment import Environment
from ragbots.errors import (
    BotNotFound,
    ChecksNotPassed,
    ConfigurationError,
    DamagedVersion,
    DiskFull,
    InvalidQuestion,
    NotFound,
    NotReleased,
    RagbotsError,
)
from ragbots.evaluation import Record, Report, judge, load_questions, run
from ragbots.lexical import Morphemes
from ragbots.llms import ExtractiveComposer, ExtractiveRules
from ragbots.llms.prompts import mistakes_in_prompts
from ragbots.loaders import built_in_loaders
from ragbots.loaders.dooray_api import DoorayApi, dooray_access
from ragbots.loaders.dooray_wiki import DoorayWiki
from ragbots.loaders.folder import Folder, WithArchives
from ragbots.loaders.worker import ReadLimits, WorkerReader
from ragbots.memory import Memory
from ragbots.metrics import Metrics
from ragbots.models import Asker, Models
from ragbots.ports import Embedder, Identity, Progress, Reranker, Source, VectorStore, VectorStoreFactory
from ragbots.regulation import parse_address
from ragbots.releases import Shelf
from ragbots.retrieval import OpenBot, Passage, SearchResult, open_bot
from ragbots.rights import CurrentBots
from ragbots.schedule import KOREA
from ragbots.state import Database
from ragbots.state.accounts import Accounts
from ragbots.state.audit import AuditLog, Sparing
from ragbots.state.database import Rebuild, Verdict, VersionRecord
from ragbots.stores import ChromaStoreFactory, ExactStoreFactory
from ragbots.stores.versions import IndexVersion, damage, open_version, read_manifest, store_name
from ragbots.types import Answer, AuditEvent, Candidate, Citation, Context, Hit, Principal, Question

if TYPE_CHECKING:
    from ragbots.limiting import Limiter

_log = logging.getLogger(__name__)

CHUNK_TOKENS = 160
LOCK_SECONDS = 2.0
POINTER_SECONDS = 0.5
WATCH_SECONDS = 0.2
SWAP_GRACE_SECONDS = 30.0
BLIND = "what is released cannot be looked up"
REMEMBERED_TURNS = 3


@dataclass(frozen=True)
class Held:
    """The bots that answer at one moment, and what is wrong with each of those that do not quite."""

    bots: Mapping[str, OpenBot]
    pointers: Mapping[str, str]
    trouble: Mapping[str, str]


@dataclass(frozen=True)
class Built:
    """`new` is false where a version of just these inputs was there already; `embedded` counts the
    passages that no earlier build had embedded."""

    bot: str
    version: str
    new: bool
    path: Path
    embedded: int


@dataclass(frozen=True)
class Routed:
    """The bot that is going to answer, told before it does."""

    bot: str
    candidates: tuple[Candidate, ...]


Parts = AsyncGenerator[Routed | str | Answer, None]
Run = Callable[..., Awaitable[Any]]
"""Heavy work done where it does not hold up the event loop: the function, and its arguments."""
Count = Callable[[str], Awaitable[None]]
"""Counts a question to the bot of that id; raises TooManyRequests."""


async def _uncounted(_bot_id: str) -> None:
    """What is not limited."""


class Runtime:
    """One installation, opened. Models are loaded and versions opened when first needed."""

    def __init__(
        self, settings: Settings, bots: Mapping[str, BotConfig], mistakes: tuple[ConfigurationError, ...]
    ) -> None:
        self.settings = settings
        self._bots = CurrentBots(bots)
        self.mistakes = mistakes
        self.confidence = MODEL
        self.database = Database(settings.state_url)
        self.audit_log = AuditLog(self.database, settings.data_dir)
        self._refusals = Sparing()
        self.accounts = Accounts(self.database)
        self.identity: Identity = _identity(settings, self.accounts)
        self._held = Held({}, {}, {})
        self._looked_at = -POINTER_SECONDS
        self._swapping = threading.Lock()
        self._retired: list[tuple[OpenBot, threading.Timer]] = []  # swapped out, and closed when the timer says
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()
        self._blind = ""  # why the watcher could not look
        self._loading = threading.Lock()
        self._warm = False
        self.metrics = Metrics()
        self.mask: Callable[[str], str] = privacy.mask

    @classmethod
    def open(cls, settings: Settings) -> Runtime:
        """Opens the installation. Bots with mistakes are left out and named in `mistakes`."""
        found, mistakes = check_bots(settings.bots_dir)
        refused = {
            bot.id: reason
            for bot in found.values()
            for reason in (*refusals(bot, settings), *mistakes_in_prompts(bot.own_prompts))
        }
        mistakes += refused.values()
        bots = {bot_id: bot for bot_id, bot in found.items() if bot_id not in refused}
        if not bots:
            raise mistakes[0]
        for mistake in mistakes:
            _log.error("%s", mistake)
        return cls(settings, bots, tuple(mistakes))

    @property
    def bots(self) -> Mapping[str, BotConfig]:
        """The configured bots, with the rights that their files give now."""
        return self._bots()

    def close(self) -> None:
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
        if "_loop" in self.__dict__:
            _, end = self._loop
            end.__exit__(None, None, None)
        if "models" in self.__dict__:
            self.models.close()
        if "reader" in self.__dict__:
            self.reader.close()
        with self._swapping:
            for bot in self._held.bots.values():
                bot.store.close()
            for bot, timer in self._retired:
                timer.cancel()
                bot.store.close()
        self.database.close()

    # adapters

    @cached_property
    def stores(self) -> VectorStoreFactory:
        if self.settings.store == "exact":
            return ExactStoreFactory()
        return ChromaStoreFactory(self.settings.data_dir / "chroma", lock_seconds=LOCK_SECONDS)

    @cached_property
    def shelf(self) -> Shelf:
        return Shelf(self.settings.indexes, self.database, self.stores)

    @cached_property
    def limiter(self) -> Limiter:
        """Counts what comes through the doors of a server; the command line and evaluation are not counted."""
        # Takes 0.2 s to import, which no other command should wait for.
        from ragbots.limiting import Limiter

        return Limiter(self.settings.limits)

    @cached_property
    def reader(self) -> WorkerReader:
        return WorkerReader(built_in_loaders, ReadLimits())

    @cached_property
    def dooray(self) -> DoorayApi:
        """One for all wikis: the limit on requests is the token's. Raises ConfigurationError."""
        return DoorayApi(dooray_access(self.settings.dooray, Environment(os.environ), self.settings.private_networks))

    @property
    def embedder(self) -> SentenceEmbedder:
        with self._loading:  # two threads that need it first load it once
            return self._embedder

    @property
    def reranker(self) -> Reranker | None:
        with self._loading:
            return self._reranker

    @property
    def morphemes(self) -> Morphemes:
        with self._loading:
            return self._morphemes

    @cached_property
    def _embedder(self) -> SentenceEmbedder:
        dtype = fast_dtype()
        if self.settings.embedder == "bundled":
            return bundled(self.settings.models, dtype=dtype)
        return from_folder(self._folder_of_model("embedder", self.settings.embedder, "bundled"), dtype=dtype)

    @staticmethod
    def _folder_of_model(key: str, named: str, otherwise: str) -> Path:
        folder = Path(named).expanduser()
        if not folder.is_dir():
            raise ConfigurationError(
                f"{key}: no such model folder: {folder}", hint=f"`{otherwise}`, or a sentence-transformers folder"
            )
        return folder

    @cached_property
    def _reranker(self) -> Reranker | None:
        if self.settings.rerank == "none":
            return None
        return CrossEncoderReranker(self._folder_of_model("rerank", self.settings.rerank, "none"))

    @cached_property
    def _morphemes(self) -> Morphemes:
        return Morphemes()

    @cached_property
    def composer(self) -> ExtractiveComposer:
        return ExtractiveComposer(ExtractiveRules())

    @cached_property
    def models(self) -> Models:
        return Models(self.settings, Environment(os.environ), self.database, self.metrics, self.morphemes.terms)

    @cached_property
    def _loop(self) -> tuple[BlockingPortal, Any]:
        """An event loop in a thread of its own, for callers that have none, and what ends it."""
        context = start_blocking_portal()
        return context.__enter__(), context

    # who and when

    def context(self, principal: Principal, as_of: date | None = None) -> Context:
        """Today is the setting's, or the date in Korea."""
        return Context(principal, self.settings.today or datetime.now(KOREA).date(), as_of)

    def visible_bots(self, principal: Principal) -> tuple[BotConfig, ...]:
        return access.visible(principal, self.bots.values())

    # answering

    def ask(self, question: Question, context: Context) -> Answer:
        """The answer; remembered as a turn of its conversation."""
        return self._whole(self._remembered, question, context, _uncounted)

    def answer_unremembered(self, question: Question, context: Context) -> Answer:
        """The answer, leaving no trace: for evaluation."""
        return self._whole(self._answers, self._masked(question), context, _uncounted)

    def _whole(self, answers: Callable[..., Parts], *question: object) -> Answer:
        async def last() -> Answer:
            async with aclosing(answers(*question, to_thread.run_sync)) as parts:
                found = [part async for part in parts]
            assert isinstance(found[-1], Answer)
            return found[-1]

        portal, _ = self._loop
        return portal.call(last)

    async def answers(self, question: Question, context: Context, run: Run) -> Parts:
        """Where a language model writes: the bot, and checked pieces of the text as they come. Always last the
        whole answer, which is remembered as a turn of its conversation. For the doors: raises TooManyRequests."""
        if question.bot is not None:
            await self.count_named(question.bot, context.principal)
        count = self.limiter.bot if question.bot is None else _uncounted
        async with aclosing(self._remembered(question, context, count, run)) as parts:
            async for part in parts:
                yield part

    async def count_named(self, bot_id: str, principal: Principal) -> None:
        """Counts a question to a bot by its name; one that may not be seen is not counted, since that would tell of
        it. Raises TooManyRequests."""
        if any(bot.id == bot_id for bot in self.visible_bots(principal)):
            await self.limiter.bot(bot_id)

    async def _remembered(self, question: Question, context: Context, count: Count, run: Run) -> Parts:
        began = time.monotonic()
        known = await run(self._known, question, context)
        async with aclosing(self._answers(known, context, count, run)) as parts:
            async for part in parts:
                if isinstance(part, Answer):
                    await run(self._keep, known, part, context)
                    seconds = time.monotonic() - began
                    if question.version is None:
                        self.metrics.question(part.bot, part.status, context.principal.channel, seconds)
                yield part

    async def _answers(self, question: Question, context: Context, count: Count, run: Run) -> Parts:
        self._check_llm(question, context)
        parts = await run(self._answering_from, question, context)
        standalone = await self._standalone(question, context)
        prepared = await run(answering.prepare, parts, question, context, standalone)
        if isinstance(prepared, Answer):
            yield prepared
            return
        bot = prepared.frame.bot.config
        await count(bot.id)
        llm = self.models.chosen(bot, question.llm)
        asker = Asker(context.principal.user_id, bot.id, context.today)
        if llm is None:
            yield await run(answering.quoted, parts, prepared)
            return
        if await run(self.models.over_budget, asker):
            yield await run(writing.fall_back, prepared, parts, writing.OVER_BUDGET)
            return
        yield Routed(bot.id, prepared.frame.taken.bots)
        prepared = await self._reranked(llm, prepared, asker)
        sheet = await run(writing.lay_out, prepared, self.models.passage_tokens(llm), self.embedder.count_tokens)
        # A question with what was said before may hold what was said to a bot of a higher grade.
        may_see_all = cleared_for_all(llm, self.visible_bots(context.principal), self.settings)
        task = sheet.task(asker.user, prepared.query.text if may_see_all else question.text)
        async with aclosing(writing.write(task, self.models.writer(llm, bot, asker))) as stream:
            async for piece in stream:
                if isinstance(piece, str):
                    yield piece
                    continue
                given = await run(writing.finish, sheet, piece, parts)
                self.metrics.checked(bot.id, given.verification or "")
                yield given

    def _check_llm(self, question: Question, context: Context) -> None:
        """Raises InvalidQuestion where a model is asked for that no bot in question may be answered by."""
        if question.llm in (None, NO_LLM):
            return
        bots = [bot for bot in self.visible_bots(context.principal) if question.bot in (None, bot.id)]
        allowed = list(dict.fromkeys(name for bot in bots for name in models_of(bot, self.settings)))
        if bots and question.llm not in allowed:
            whom = f"bot `{question.bot}`" if question.bot else "the bots"
            names = ", ".join((*allowed, NO_LLM))
            raise InvalidQuestion(
                f"llm: {whom} may not be answered by `{question.llm}`",
                hint=f"choose among {names}",
                for_people=f"이 질문에는 고르신 언어 모델을 쓸 수 없습니다. 쓸 수 있는 모델: {names}",
            )

    async def _standalone(self, question: Question, context: Context) -> str | None:
        """The question put by a model so that it needs nothing said before it, where one does that."""
        bots = self.visible_bots(context.principal)
        named = next((bot for bot in bots if bot.id == question.bot), None)
        llm = self.models.chosen(named, question.llm) if named else self.settings.default_llm
        if llm is None or llm not in self.settings.llms:
            return None
        asker = Asker(context.principal.user_id, question.bot or "", context.today)
        return await self.models.standalone(llm, question.text, question.history, bots, asker)

    async def _reranked(self, llm: str, prepared: Prepared, asker: Asker) -> Prepared:
        hits = prepared.found.result.hits
        bot = prepared.frame.bot.config
        order = await self.models.reranked(llm, bot, prepared.query.text, [hit.chunk.passage for hit in hits], asker)
        return prepared if order is None else prepared.with_hits(tuple(hits[at] for at in order))

    def _answering(self) -> Answering:
        return Answering(
            bots=self.bots,
            released=self.current().bots,
            embedder=self.embedder,
            morphemes=self.morphemes,
            composer=self.composer,
            confidence=self.confidence,
            max_question_chars=self.settings.max_question_chars,
            reranker=self.reranker,
        )

    def _answering_from(self, question: Question, context: Context) -> Answering:
        """What answers: the released versions, or for its owner the one asked for. Raises BotNotFound, NotFound,
        InvalidQuestion."""
        if question.version is None:
            return self._answering()
        if question.bot is None:
            raise InvalidQuestion("a version without a bot", for_people="버전을 고르려면 챗봇도 골라 주세요.")
        bot = access.require_owner(context.principal, self.bots, question.bot)
        return replace(self._answering(), released={bot.id: self.open_version(bot.id, question.version)})

    def _known(self, question: Question, context: Context) -> Question:
        """The question cleaned, free of personal data, with what was said before it."""
        return self._with_history(self._masked(question), context)

    def _masked(self, question: Question) -> Question:
        text = checked_question(question.text, self.settings.max_question_chars)
        said = tuple(replace(turn, content=self.mask(turn.content)) for turn in question.history)
        return replace(question, text=self.mask(text), history=said)

    def _with_history(self, question: Question, context: Context) -> Question:
        if question.history or question.conversation_id is None:
            return question
        return replace(
            question, history=self.memory.history(question.conversation_id, context.principal, REMEMBERED_TURNS)
        )

    def _keep(self, question: Question, given: Answer, context: Context) -> None:
        """In the audit, and unless it is of a version that is not released also in its conversation."""
        self.record_answer(question, given, context)
        if question.version is None:
            self._remember(question, given, context)

    def _remember(self, question: Question, given: Answer, context: Context) -> None:
        try:
            self.memory.remember(question, given, context)
        except DiskFull as error:  # the answer is there, and is given
            _log.error("an answer was not remembered: %s", error)

    # what is recorded

    def audit(self, event: AuditEvent) -> None:
        """Records what was done. Raises DiskFull."""
        self.audit_log.append(event, datetime.now(UTC))

    def audit_refusal(self, principal: Principal, address: str | None, **what: object) -> None:
        """Records that somebody was refused; the same of the same person once a minute."""
        event = AuditEvent("refused", principal, what, address)
        if self._refusals.takes(event):
            self._audit_kindly(event)

    def forget_expired(self, now: datetime, by: str) -> int:
        """Deletes the conversations that were kept for `conversation_days`; how many."""
        gone = self.memory.forget_expired(now)
        if gone:
            self.audit_act("conversations expired", by, deleted=gone, days=self.settings.conversation_days)
        return gone

    def forget_audited(self, now: datetime) -> int:
        """Deletes the records that were kept for `audit_days`, and records that; how many. Raises ChecksNotPassed."""
        days = self.settings.audit_days
        gone = self.audit_log.forget_before(now - timedelta(days=days)) if days else 0
        if gone:
            self.audit(AuditEvent("audit pruned", Principal("ragbots", channel="schedule"), {"records": gone}))
        return gone

    def _audit_use(self, kind: str, context: Context, **what: object) -> None:
        self._audit_kindly(AuditEvent(kind, context.principal, what, context.address))

    def _audit_kindly(self, event: AuditEvent) -> None:
        try:
            self.audit(event)
        except DiskFull as error:  # what was asked for is there, and is given
            _log.error("not recorded in the audit: %s by %s: %s", event.kind, event.principal.user_id, error)

    def record_answer(self, question: Question, given: Answer, context: Context) -> None:
        """Records an answer that was given, or a refusal, with the documents that it shows."""
        self._audit_use(
            "question", context, question=self.mask(question.text), status=given.status, bot=given.bot,
            version=given.index_version, answer=given.id, conversation=given.conversation_id,
            as_of=given.as_of, model=given.model, shown=_cited((*given.citations, *given.related)),
        )  # fmt: skip

    @property
    def memory(self) -> Memory:
        return Memory(self.database, self.bots, self.settings.conversation_days, self.mask)

    def search(self, bot_id: str, text: str, k: int, context: Context) -> SearchResult:
        """The best articles of a bot. Raises BotNotFound, NotReleased, InvalidQuestion."""
        found = self.rank(bot_id, Question(text), k, context)
        self._audit_use(
            "search", context, question=self.mask(text), bot=bot_id, version=found.index_version,
            shown=_found(found.hits),
        )  # fmt: skip
        return found

    def rank(self, bot_id: str, question: Question, k: int, context: Context) -> SearchResult:
        """As `search`, for a question with its earlier turns."""
        return self._hits(self._open_bot(bot_id, context), question, k, context)

    def _hits(self, bot: OpenBot, question: Question, k: int, context: Context) -> SearchResult:
        question = self._masked(question)
        words, _, context = answering.dated(question.text, context)
        bots = answering.on_day(list(open_to(context.principal, self.bots, self.current().bots).values()), context)
        query = retrieval.read_turn(words, question.history, bots, self.embedder, self.morphemes)
        view = bot.on(context.day)
        if not view.articles.size:
            return SearchResult(bot.config.id, bot.version.id, ())
        return retrieval.search(retrieval.with_glossary(query, view), view, k, self.reranker).result

    def passage(self, citation_id: str, context: Context) -> Passage:
        """The passage of a citation. Raises NotFound, whatever the reason that it cannot be shown."""
        found = self._passage(citation_id, context)
        self._audit_use("passage", context, citation=found.id, shown=[_shown(found.source, found.address)])
        return found

    def _passage(self, citation_id: str, context: Context) -> Passage:
        place = read_id(citation_id)
        try:
            config = access.require(context.principal, self.bots, place.bot)  # before anything is looked up
            if not self._answered_once(place.bot, place.version):
                owned = access.require_owner(context.principal, self.bots, place.bot)
                return retrieval.passage(place, self._part_of(owned, place.version, context), context)
            bot = self._open_bot(place.bot, context)
        except (BotNotFound, NotReleased) as error:
            raise _no_citation(citation_id) from error
        if bot.version.id == place.version:
            return retrieval.passage(place, bot, context)
        earlier = self._part_of(config, place.version, context)
        document = retrieval.cited_document(place, earlier)
        if document.id not in bot.version.document_of:
            released = self.current().bots.get(place.bot)
            if released is None or document.id in released.version.document_of:
                raise _no_citation(citation_id)  # it is there, at a path that this principal may not see
            raise NotFound(
                f"{document.source}: removed since it was cited by `{citation_id}`",
                for_people="이 인용의 문서는 삭제되어 더 이상 볼 수 없습니다.",
            )
        return retrieval.passage(place, earlier, context)

    def article(self, bot_id: str, address: str, document: str | None, context: Context) -> Passage:
        """An article by its address, of the document of that title or path where several have one, as it is in force
        on the day asked for. Raises BotNotFound, NotReleased, NotFound, InvalidQuestion."""
        bot = self._open_bot(bot_id, context)
        try:
            wanted = parse_address(address)
        except ValueError as error:
            raise InvalidQuestion(
                str(error),
                for_people="주소를 읽을 수 없습니다. `제17조의2 제1항`, `별표 3`, `부칙 제2조`처럼 적어 주세요.",
            ) from error
        found = retrieval.passage(retrieval.place_of(wanted, document, bot.on(context.day)), bot, context)
        self._audit_use("article", context, citation=found.id, shown=[_shown(found.source, found.address)])
        return found

    def _answered_once(self, bot_id: str, version: str) -> bool:
        """Whether a version was ever released: what was not is its owner's alone."""
        held = self.current().bots.get(bot_id)
        if held is not None and held.version.id == version:
            return True
        return any(record.version == version for record in self.database.release_history(bot_id))

    def _part_of(self, bot: BotConfig, version: str, context: Context) -> OpenBot:
        """What this principal may see of a version other than the released one."""
        return seen_by(context.principal, bot, self._of_version(bot, version))

    def _of_version(self, bot: BotConfig, version: str) -> OpenBot:
        """A bot with another version than the released one."""
        opened = open_version(self.shelf.path(bot.id, version))
        return self._opened_bot(bot, opened, ExactStoreFactory().open("", opened.contents.vectors))

    def _opened_bot(self, bot: BotConfig, opened: IndexVersion, store: VectorStore) -> OpenBot:
        glossary = retrieval.read_glossary(bot.glossary, self.morphemes)
        return open_bot(bot, opened, store, glossary, retrieval.read_profile(bot, self.morphemes))

    def _open_bot(self, bot_id: str, context: Context) -> OpenBot:
        config = access.require(context.principal, self.bots, bot_id)
        bot = self.current().bots.get(config.id)
        if bot is None:
            raise NotReleased(f"bot `{bot_id}` has no released version", hint=f"ragbots index build {bot_id} --release")
        return seen_by(context.principal, config, bot)

    def documents(self, bot_id: str, principal: Principal) -> tuple[str, ...]:
        """Titles of the documents of a bot's released version that this principal may see. Raises BotNotFound."""
        config = access.require(principal, self.bots, bot_id)
        bot = self.current().bots.get(bot_id)
        documents = () if bot is None else bot.version.contents.documents
        return tuple(one.title for one in documents if access.may_read(principal, config, one.source))

    # versions

    def current(self) -> Held:
        """The bots that answer now. Before the warm-up, the pointers are looked at here, at most every half second."""
        if self._watcher is None and self._stale():
            with self._swapping:
                if self._stale():  # nobody else has just looked
                    self._swap()
        return self._held

    def _stale(self) -> bool:
        return time.monotonic() - self._looked_at > POINTER_SECONDS

    def _watch(self) -> None:
        """Swaps in what is released, beside the questions, so that none of them waits while a version is opened."""
        while not self._closing.wait(WATCH_SECONDS):
            try:
                with self._swapping:
                    self._swap()
                self._blind = ""
            except Exception as error:  # noqa: BLE001 - what answers goes on, and the next look is soon
                if str(error) != self._blind:
                    _log.error("%s: %s", BLIND, error)
                self._blind = str(error)

    def _swap(self) -> None:
        """Opens what was released since and lets it answer. A question under way keeps the version it began with."""
        pointers = {bot: version for bot, version in self.database.active().items() if bot in self.bots}
        gone = self._held
        if pointers != gone.pointers:
            self._held = self._opened(pointers, gone)
            self._retire([bot for bot_id, bot in gone.bots.items() if self._held.bots.get(bot_id) is not bot])
        self._looked_at = time.monotonic()

    def _opened(self, pointers: Mapping[str, str], before: Held) -> Held:
        bots: dict[str, OpenBot] = {}
        trouble: dict[str, str] = {}
        for bot_id, version in pointers.items():
            if before.pointers.get(bot_id) == version and bot_id in before.bots:
                bots[bot_id], problem = before.bots[bot_id], before.trouble.get(bot_id, "")
            else:
                bot, problem = self._open_version_of(bot_id, version)
                bots |= {} if bot is None else {bot_id: bot}
            if problem:
                trouble[bot_id] = problem
        return Held(bots, pointers, trouble)

    def _open_version_of(self, bot_id: str, version: str) -> tuple[OpenBot | None, str]:
        """The bot with that version, or with what serves in its place, and what is wrong."""
        for bot, timer in self._retired:
            if bot.config.id == bot_id and bot.version.id == version:
                timer.cancel()
                self._retired = [one for one in self._retired if one[0] is not bot]
                return bot, ""
        opened, problem = releases.open_released(self.shelf, bot_id)
        if opened is None:
            return None, problem
        store = self.stores.open(store_name(bot_id, opened.id), opened.contents.vectors)
        return self._opened_bot(self.bots[bot_id], opened, store).prepared(), problem

    def _retire(self, bots: list[OpenBot]) -> None:
        """Closes what was swapped out once the questions under way have long been answered. A rollback before that
        takes it up again, since Chroma cannot be opened twice."""
        for bot in bots:
            timer = threading.Timer(SWAP_GRACE_SECONDS, self._close_retired, (bot,))
            timer.daemon = True
            self._retired.append((bot, timer))
            timer.start()

    def _close_retired(self, bot: OpenBot) -> None:
        with self._swapping:
            if any(one is bot for one, _ in self._retired):  # nobody has taken it up again
                self._retired = [one for one in self._retired if one[0] is not bot]
                bot.store.close()

    def released(self) -> Mapping[str, str]:
        """Bot id → the version that answers."""
        return {bot_id: bot.version.id for bot_id, bot in self.current().bots.items()}

    def warm_up(self) -> None:
        """Loads models and versions, and reads a question, so that the first is as fast as the next. From then on
        what is released is opened beside the questions."""
        self.current()
        retrieval.read_question("연차 휴가", self.embedder, self.morphemes)
        if self.reranker is not None:
            self.reranker.scores("연차 휴가", ["제1조(연차 휴가)"])
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="ragbots-releases", daemon=True)
            self._watcher.start()
        self._warm = True

    def ready(self) -> tuple[bool, dict[str, str]]:
        """Whether questions can be answered, and for each bot its version or what is wrong."""
        held = self.current() if self._warm else self._held
        state = {bot_id: BLIND if self._blind else _state_of(bot_id, held) for bot_id in self.bots}
        return self._warm and bool(held.bots) and not self._blind, state

    # building

    def cached_embedder(self, progress: Progress) -> CachedEmbedder:
        return CachedEmbedder(self.embedder, self.settings.data_dir / "embeddings", progress)

    def parts(self, embedder: Embedder) -> indexing.Parts:
        """What a build is made with."""
        return indexing.Parts(
            reader=self.reader,
            embedder=embedder,
            morphemes=self.morphemes,
            limits=ChunkLimits(max_tokens=min(CHUNK_TOKENS, self.embedder.max_tokens), window=self.embedder.max_tokens),
        )

    def sources(self, bot: BotConfig) -> list[Source]:
        return [self._source(bot, source) for source in bot.sources]

    def _source(self, bot: BotConfig, source: FolderSource | DoorayWikiSource) -> Source:
        data = self.settings.data_dir
        if isinstance(source, FolderSource):
            folder = bot.resolve(source.folder).resolve()
            return Folder(folder, unpacked=data / "unpacked", unpack=self.reader.unpack, limits=ReadLimits())
        place = source.dooray_wiki
        wiki = DoorayWiki(self.dooray, place, data / "sources" / bot.id / f"{place.wiki}-{place.under or 'all'}")
        return WithArchives(wiki, unpacked=data / "unpacked", unpack=self.reader.unpack)

    def build(self, bot_id: str, progress: Progress, *, strict: bool = False, by: str = "local") -> Built:
        """Builds a bot's index unless a version of just these inputs is there.

        Raises Locked, ChecksNotPassed, SourceUnavailable, ConfigurationError.
        """
        try:
            built = self._build(self.bot(bot_id), progress, strict=strict)
        except RagbotsError as error:
            self.audit_act("build failed", by, bot=bot_id, why=error.slug)
            raise
        self.audit_act("build", by, bot=bot_id, version=built.version, new=built.new)
        return built

    def _build(self, bot: BotConfig, progress: Progress, *, strict: bool) -> Built:
        bot_id = bot.id
        embedder = self.cached_embedder(progress)
        parts = self.parts(embedder)
        with self.shelf.writing(bot_id, "build"):
            inventory = indexing.look(bot, self.sources(bot), parts.made_by, progress)
            there = releases.same_inputs(self.shelf, bot_id, inventory.inputs)
            if there:
                path = self.shelf.path(bot_id, there)
                if strict:
                    indexing.refuse_losses(read_manifest(path))
                releases.register(self.shelf, path)
                return Built(bot_id, there, False, path, 0)
            before = releases.newest(self.shelf, bot_id)
            path = indexing.build(
                bot, inventory, self.shelf.folder(bot_id), parts, progress, before=before, strict=strict
            )
            releases.register(self.shelf, path)
            return Built(bot_id, path.name, True, path, embedder.misses)

    def release(self, bot_id: str, version: str, *, by: str, forced_because: str | None = None) -> Verdict | None:
        """Releases a version; None where it answers already."""
        self.bot(bot_id)
        if self.database.active().get(bot_id) == version and not damage(self.shelf.path(bot_id, version)):
            return None
        with self.shelf.writing(bot_id, "release"):
            records = self.golden_questions(bot_id)
            golden = self._golden_run(bot_id, records) if records else None
            try:
                verdict = releases.release(
                    self.shelf, bot_id, version, by=by, forced_because=forced_because, golden=golden
                )
            except ChecksNotPassed:
                self.audit_act("release refused", by, bot=bot_id, version=version)
                raise
        self.audit_act("release", by, bot=bot_id, version=version, forced_because=forced_because)
        return verdict

    def rollback(self, bot_id: str, *, by: str) -> str:
        """Lets the version answer that was released before the present one; which. Raises BotNotFound, NotFound."""
        self.bot(bot_id)
        with self.shelf.writing(bot_id, "rollback"):
            version = releases.rollback(self.shelf, bot_id, by=by)
        self.audit_act("rollback", by, bot=bot_id, version=version)
        return version

    def prune(self, bot_id: str, keep: int, cited_since: datetime, *, by: str) -> list[str]:
        """Deletes old versions, see `releases.prune`; which. Raises BotNotFound."""
        self.bot(bot_id)
        with self.shelf.writing(bot_id, "prune"):
            gone = releases.prune(self.shelf, bot_id, keep, cited_since)
        if gone:
            self.audit_act("prune", by, bot=bot_id, versions=gone)
        return gone

    def audit_act(self, kind: str, by: str, **what: object) -> None:
        """Records an administrative act at the command line, or by schedule."""
        channel = rebuilding.BY if by == rebuilding.BY else "cli"
        self.audit(AuditEvent(kind, Principal(by, channel=channel), what))

    def versions(self, bot_id: str, principal: Principal) -> list[tuple[VersionRecord, Verdict | None]]:
        """A bot's versions with their verdicts, newest first, for its owner. Raises BotNotFound."""
        return releases.listed(self.shelf, access.require_owner(principal, self.bots, bot_id).id)

    # rebuilding by schedule

    def due(self, now: datetime) -> list[str]:
        """The bots whose schedule has come round."""
        return [bot.id for bot in self.bots.values() if rebuilding.due(bot, self.database, now)]

    def rebuild(self, bot_id: str, progress: Progress) -> Rebuild:
        """Rebuilds a bot, releases what passes its checks, keeps and tells what came of it. Raises Locked."""
        return rebuilding.rebuild(
            self.bot(bot_id),
            self.database,
            build=lambda: self.build(bot_id, progress, by=rebuilding.BY).version,
            release=lambda version: self.release(bot_id, version, by=rebuilding.BY),
            private_networks=self.settings.private_networks,
        )

    def rebuild_failed(self, bot_id: str, why: str) -> Rebuild:
        """Keeps and tells that a rebuild came to nothing."""
        private = self.settings.private_networks
        return rebuilding.keep(self.bot(bot_id), self.database, "failed", None, why, private_networks=private)

    def golden_questions(self, bot_id: str) -> tuple[Record, ...]:
        """The bot's own golden questions. Raises ConfigurationError."""
        bot = self.bot(bot_id)
        files = [bot.resolve(path) for path in bot.questions]
        records = load_questions(files) if files else ()
        return tuple(record for record in records if record.bot in (None, bot_id))

    def judged(self, bot_id: str, version: str, records: Sequence[Record]) -> Report:
        """How a version answers golden questions, released or not; always in the rules' own words. Raises NotFound."""
        bot = self.open_version(bot_id, version)
        context = self.context(access.whole_reader(self.bot(bot_id), "golden questions"))
        return run(
            records,
            ask=lambda question, asked: self.ask_version(bot, question, asked),
            rank=lambda _, question, asked, k: self._hits(bot, question, k, asked).hits,
            passage_text=lambda citation, asked: retrieval.passage(read_id(citation.id), bot, asked).text,
            bots=self.bots,
            context=context,
        )

    def ask_version(self, bot: OpenBot, question: Question, context: Context) -> Answer:
        """The answer from this version alone, whether it is released or not; it is not remembered."""
        access.require(context.principal, self.bots, bot.config.id)
        parts = replace(self._answering(), released={bot.config.id: bot})
        return answering.answer(parts, replace(self._masked(question), bot=bot.config.id), context)

    def open_version(self, bot_id: str, version: str) -> OpenBot:
        """A bot with any of its versions, for its owner. Raises BotNotFound, NotFound, DamagedVersion."""
        return self._of_version(self.bot(bot_id), version)

    def _golden_run(self, bot_id: str, records: Sequence[Record]) -> releases.GoldenRun:
        def compared(version: str, live: str | None) -> tuple[Sequence[str], Sequence[str]]:
            before = None if live is None else self._judged_if_sound(bot_id, live, records)
            found = judge(records, self.judged(bot_id, version, records), before)
            return found.problems, found.notes

        return compared

    def _judged_if_sound(self, bot_id: str, version: str, records: Sequence[Record]) -> Report | None:
        """None where the version cannot be opened: it is no measure for another."""
        try:
            return self.judged(bot_id, version, records)
        except (DamagedVersion, NotFound):
            _log.warning("%s: the live version %s cannot be opened to compare with", bot_id, version)
            return None

    def bot(self, bot_id: str) -> BotConfig:
        """A configured bot, for its owner at the command line. Raises BotNotFound."""
        if bot_id not in self.bots:
            hint = (
                "see `ragbots bots check`: not every bot file is sound" if self.mistakes else "see `ragbots bots list`"
            )
            raise BotNotFound(f"no bot `{bot_id}` in {self.settings.bots_dir}", hint=hint)
        return self.bots[bot_id]


def _shown(source: str, address: object) -> str:
    return f"{source} {address}".strip()


def _cited(citations: Sequence[Citation]) -> list[str]:
    """The provisions that were shown, each once."""
    return list(dict.fromkeys(_shown(one.source, one.address) for one in citations))


def _found(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(_shown(hit.document.source, hit.chunk.address) for hit in hits))


def _no_citation(citation_id: str) -> NotFound:
    return NotFound(f"no citation `{citation_id}`", for_people="그런 인용이 없습니다.")


def _identity(settings: Settings, accounts: Accounts) -> Identity:
    keys, chosen = Keys(accounts), settings.identity
    signing = cache(partial(signing_key, settings.data_dir))
    if chosen.kind == "local":
        return LocalIdentity(keys, WidgetTokens(signing, keys))
    idle, lifetime = timedelta(minutes=chosen.session_idle_minutes), timedelta(hours=chosen.session_hours)
    sessions = Sessions(accounts, idle, lifetime)
    tokens = WidgetTokens(signing, keys, sessions)
    if chosen.kind == "accounts":
        return AccountsIdentity(keys, sessions, tokens=tokens)
    assert chosen.issuer and chosen.client_id
    # Takes 0.1 s to import, which nobody else's commands should wait for.
    from ragbots.auth.oidc import Client, Provider

    secret = Environment(os.environ).get(chosen.client_secret_env) or None
    client = Client(
        chosen.issuer, chosen.client_id, secret, chosen.scope, chosen.user_claim, chosen.groups_claim,
        settings.private_networks,
    )  # fmt: skip
    return AccountsIdentity(keys, sessions, Provider(client, sessions), tokens)


def _state_of(bot_id: str, held: Held) -> str:
    if bot_id in held.trouble:
        return held.trouble[bot_id]
    return held.bots[bot_id].version.id if bot_id in held.bots else "no released version"
