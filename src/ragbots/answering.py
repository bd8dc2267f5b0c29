"""authorise → route → retrieve → compose → check → answer. Every door answers through here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragbots import access, followup
from ragbots.citations import Place, cite, common_address, stands_in
from ragbots.confidence import ConfidenceModel
from ragbots.config import BotConfig
from ragbots.errors import BotNotFound, InvalidQuestion, NotReleased
from ragbots.lexical import Morphemes
from ragbots.ports import Composer, Draft, Embedder, Material, Quotation
from ragbots.regulation import readable
from ragbots.retrieval import Found, OpenBot, Query, read_question, route, search, with_glossary
from ragbots.routing import Route
from ragbots.text import clean, squeeze
from ragbots.types import (
    Answer,
    Candidate,
    Citation,
    Context,
    Hit,
    Level,
    Notice,
    Question,
    Status,
)

HITS = 10
RELATED = 3


@dataclass(frozen=True)
class Answering:
    """What answering needs besides the question; bound by `runtime`. `bots` are those configured,
    `released` those with an open version."""

    bots: Mapping[str, BotConfig]
    released: Mapping[str, OpenBot]
    embedder: Embedder
    morphemes: Morphemes
    composer: Composer
    confidence: ConfidenceModel
    max_question_chars: int


def answer(parts: Answering, question: Question, context: Context) -> Answer:
    """The answer to a question. Raises BotNotFound, NotReleased, InvalidQuestion."""
    text = checked_question(question.text, parts.max_question_chars)
    bots = _authorise(parts, question.bot, context)
    query = read_question(followup.standalone(text, question.history), parts.embedder, parts.morphemes)
    taken = _route(query, bots, parts.bots)
    bot = bots[taken.bots[0].id]
    found = search(with_glossary(query, bot.config.glossary, parts.morphemes), bot, HITS)
    near = [parts.bots[candidate.id] for candidate in taken.bots]
    frame = _Frame(question, context, bot, taken, parts.confidence.confidence(found.features), near)
    if frame.confidence < parts.confidence.threshold:
        return _refused(frame)
    if not taken.clear:
        return _clarify(frame)
    return _answered(frame, parts.composer, query, found)


def checked_question(text: str, longest: int) -> str:
    """The question in NFC without control characters. Raises InvalidQuestion for nothing or too much."""
    if len(text) > 4 * longest:  # decomposed jamo take up to three characters a syllable
        raise _too_long(len(text), longest)
    cleaned = squeeze(clean(text))
    if any("\ud800" <= character <= "\udfff" for character in cleaned):
        raise InvalidQuestion("the question is not text in UTF-8")
    if not any(character.isalnum() for character in cleaned):
        raise InvalidQuestion(
            "the question holds no letters or digits", for_people="질문이 비어 있습니다. 궁금한 점을 글로 적어 주세요."
        )
    if len(cleaned) > longest:
        raise _too_long(len(cleaned), longest)
    return cleaned


def _too_long(length: int, longest: int) -> InvalidQuestion:
    return InvalidQuestion(
        f"the question has {length} characters, {longest} are allowed",
        for_people=f"질문이 너무 깁니다. {longest:,}자 이내로 줄여 주세요.",
    )


@dataclass(frozen=True)
class _Taken:
    bots: tuple[Candidate, ...]
    clear: bool


@dataclass(frozen=True)
class _Frame:
    """What every answer carries, whatever comes of it."""

    question: Question
    context: Context
    bot: OpenBot
    taken: _Taken
    confidence: float
    near: Sequence[BotConfig]

    def answer(
        self,
        status: Status,
        text: str,
        citations: Sequence[Citation] = (),
        related: Sequence[Citation] = (),
        notices: Sequence[Notice] = (),
        model: str | None = None,
    ) -> Answer:
        return Answer(
            id=secrets.token_urlsafe(16),
            conversation_id=self.question.conversation_id or secrets.token_urlsafe(24),
            status=status,
            answer=text,
            bot=None if status is Status.CLARIFY else self.bot.config.id,
            candidates=self.taken.bots,
            confidence=round(self.confidence, 4),
            as_of=self.context.day,
            index_version=self.bot.version.id,
            citations=tuple(citations),
            related=tuple(related),
            warnings=tuple(notices),
            model=model,
        )


def _authorise(parts: Answering, named: str | None, context: Context) -> Mapping[str, OpenBot]:
    """The open bots this principal may ask; only the named one where one is named."""
    if named is not None:
        bot = access.require(context.principal, parts.bots, named)
        if bot.id not in parts.released:
            raise NotReleased(f"bot `{bot.id}` has no released version", hint=f"ragbots index build {bot.id} --release")
        return {bot.id: parts.released[bot.id]}
    allowed = access.visible(context.principal, parts.bots.values())
    if not allowed:
        raise BotNotFound("no bot that this principal may ask")
    released = {bot.id: parts.released[bot.id] for bot in allowed if bot.id in parts.released}
    if not released:
        raise NotReleased("no bot has a released version", hint="ragbots index build --all --release")
    return released


def _route(query: Query, bots: Mapping[str, OpenBot], configs: Mapping[str, BotConfig]) -> _Taken:
    if len(bots) == 1:
        (bot_id,) = bots
        return _Taken((Candidate(bot_id, configs[bot_id].name, 1.0),), True)
    found: Route = route(query, list(bots.values()))
    best = tuple(Candidate(bot_id, configs[bot_id].name, round(score, 4)) for bot_id, score in found.ranked[:3])
    return _Taken(best, found.clear)


def _answered(frame: _Frame, composer: Composer, query: Query, found: Found) -> Answer:
    hits = found.result.hits
    material = [Material(hit, frame.bot.article_blocks(hit.chunk)) for hit in hits]
    draft = composer.compose(query.text, found.term_weights, material, frame.context)
    checked = None if draft is None else _check(draft, material)
    if checked is None:
        return _refused(frame)
    citations = [_citation(frame, material, quotation) for quotation in checked.quotations]
    used = {quotation.material for quotation in checked.quotations}
    others = [hit for number, hit in enumerate(hits) if number not in used and not hit.chunk.address.in_addendum]
    related = [_related(frame, hit) for hit in others[:RELATED]]
    notices = _notices(frame, [material[number].hit for number in sorted(used)])
    return frame.answer(Status.ANSWERED, checked.text, citations, related, notices, composer.id)


def _check(draft: Draft, material: Sequence[Material]) -> Draft | None:
    """The draft, if every line it quotes stands in the blocks it names; else None."""
    for quotation in draft.quotations:
        first, last = quotation.blocks
        source = "\n".join(
            readable(block) for index, block in material[quotation.material].blocks if first <= index < last
        )
        if not all(stands_in(line, source) for line in quotation.text.split("\n")):
            return None
    return draft if draft.quotations else None


def _citation(frame: _Frame, material: Sequence[Material], quotation: Quotation) -> Citation:
    one = material[quotation.material]
    first, last = quotation.blocks
    place = Place(frame.bot.config.id, frame.bot.version.id, frame.bot.chunk_number[one.hit.chunk.id], quotation.blocks)
    address = common_address([block.address for index, block in one.blocks if first <= index < last])
    return cite(place, one.hit.chunk, one.hit.document, str(address or one.hit.chunk.address), quotation.text)


def _related(frame: _Frame, hit: Hit) -> Citation:
    place = Place(frame.bot.config.id, frame.bot.version.id, frame.bot.chunk_number[hit.chunk.id], hit.chunk.blocks)
    address = hit.chunk.address.up_to(Level.ARTICLE, Level.ANNEX, Level.FORM) or hit.chunk.address
    return cite(place, hit.chunk, hit.document, str(address), hit.chunk.heading or hit.chunk.text[:60])


def _notices(frame: _Frame, hits: Sequence[Hit]) -> list[Notice]:
    found: dict[str, Notice] = {}
    for hit in hits:
        starts = hit.document.effective
        if starts and starts > frame.context.day:
            day = f"{starts.year}. {starts.month}. {starts.day}."
            found[hit.document.id] = Notice(
                "not-yet-in-force",
                starts,
                f"「{hit.document.title}」은(는) {day}부터 시행되는 내용입니다. 그 전에는 다를 수 있습니다.",
            )
    return list(found.values())


def _clarify(frame: _Frame) -> Answer:
    names = ", ".join(f"‘{candidate.name}’" for candidate in frame.taken.bots[:2])
    text = f"{names} 규정이 모두 관련되어 보입니다. 어느 쪽에 대해 물으셨는지 골라 주세요."
    return frame.answer(Status.CLARIFY, text)


def _refused(frame: _Frame) -> Answer:
    """What is not answered, and whom to ask: the named bot's contact, or those of the nearest subjects."""
    bot = frame.bot.config
    if frame.question.bot is not None:
        lead = bot.refusal or f"‘{bot.name}’ 규정에는 이 질문에 답하는 조항이 없습니다."
        whom = f"{bot.contact}에 문의해 주세요." if bot.contact else "담당 부서에 문의해 주세요."
        return frame.answer(Status.REFUSED, f"{lead}\n\n{whom}")
    near = [f"- {config.name}" + (f": {config.contact}" if config.contact else "") for config in frame.near]
    text = (
        "이 질문에 답하는 규정을 찾지 못했습니다. "
        "다르게 물어보시거나, 관련이 있어 보이는 분야의 담당자에게 문의해 주세요."
    )
    return frame.answer(Status.REFUSED, "\n\n".join([text, "\n".join(near)]))
