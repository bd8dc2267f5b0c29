"""authorise → route → retrieve → compose → check → answer. Every door answers through here."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ragbots import access, smalltalk
from ragbots.asked_day import AskedDay, Relation, read_day, says_now
from ragbots.asking import asks_for_changes
from ragbots.citations import cite, common_address, stands_in
from ragbots.comparison import ArticleChange, Passage, changed_paragraphs, compare
from ragbots.confidence import ConfidenceModel
from ragbots.config import BotConfig
from ragbots.editions import Edition
from ragbots.errors import BotNotFound, InvalidQuestion, NotReleased
from ragbots.lexical import Morphemes
from ragbots.ports import Composer, Draft, Embedder, Fit, Material, Quotation, Reranker, Vectors
from ragbots.ranking import Floats, share_of_words
from ragbots.references import UNITS, unit_of
from ragbots.regulation import CELL_JOINT, bare_annexes, find_references, readable, strip_notes
from ragbots.retrieval import Found, OpenBot, Query, read_question, read_turn, route, search, with_glossary
from ragbots.routing import Route
from ragbots.text import clean, squeeze
from ragbots.types import (
    Address,
    Answer,
    Block,
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
)

HITS = 10
RELATED = 3
REFERRING = 2  # articles whose references are followed
MOST_REFERRED = 4  # of each
CHANGES_SHOWN = 3  # changed articles that are shown with their paragraphs
NOTICE_CHARS = 300  # of the new text in a notice
NEAR = 3  # hits among which an annex without text is looked for
ABOUT_ANNEX = 0.4  # of the question's weight: it is about an annex whose title says that much of it
_RELATED_ARTICLE = re.compile(r"\s*\(제\d[^()]*관련\)$")


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
    reranker: Reranker | None = None


def answer(parts: Answering, question: Question, context: Context) -> Answer:
    """The answer to a question, in the regulations' own words. Raises BotNotFound, NotReleased, InvalidQuestion."""
    prepared = prepare(parts, question, context)
    return prepared if isinstance(prepared, Answer) else quoted(parts, prepared)


def prepare(parts: Answering, question: Question, context: Context, standalone: str | None = None) -> Answer | Prepared:
    """What there is to answer from; or the answer itself, where the question is refused, or is none.

    `standalone`: the question as it would be asked without what was said before, where somebody knows.
    Raises BotNotFound, NotReleased, InvalidQuestion.
    """
    text = checked_question(question.text, parts.max_question_chars)
    bots = _authorise(parts, question.bot, context)
    said = smalltalk.intent(text)
    if said is not None:
        return _small_talk(said, question, context, [bot.config for bot in bots.values()])
    words, asked, context = dated(text if standalone is None else standalone, context)
    if standalone is None:
        askable = list(open_to(context.principal, parts.bots, parts.released).values())
        query = read_turn(words, question.history, on_day(askable, context), parts.embedder, parts.morphemes)
        if asked is None and query.text != words and not says_now(words):
            _, asked, context = dated(query.text, context)
    else:
        query = read_question(words, parts.embedder, parts.morphemes)
    then = {bot.config.id: bot for bot in on_day(list(bots.values()), context)}
    if not then:
        return _nothing_then(question, context, list(bots.values()))
    taken = _route(query, then, parts.bots)
    bot = then[taken.bots[0].id]
    found = search(with_glossary(query, bot), bot, HITS, parts.reranker)
    if asked is not None and asked.relation is not None:
        context = _at_amendment(bot, found, asked, context)
        bot = bots[bot.config.id].on(context.day)
        found = search(with_glossary(query, bot), bot, HITS, parts.reranker)
    near = [parts.bots[candidate.id] for candidate in taken.bots]
    frame = Frame(question, context, bot, taken, parts.confidence.confidence(found.features), near)
    sure = frame.confidence >= parts.confidence.threshold_of(bot.config.refuse_below)
    if (asked is None or asked.relation is None) and asks_for_changes(words):
        told = _amendment(frame, found, sure=sure)
        if told is not None:
            return told
    if unread := _unread(bot, found.result.hits, query, found.term_weights, rivals=sure):
        return _refused_unread(frame, *unread)
    if not sure:
        return refused(frame)
    if not taken.clear:
        return _clarify(frame)
    return Prepared(frame, query, found)


def dated(text: str, context: Context) -> tuple[str, AskedDay | None, Context]:
    """The question without the words that name a day, what they say, and the context with that day. A day that was
    handed over with the question stands, whatever the question says."""
    asked = None if context.as_of else read_day(text, context.today)
    if asked is None:
        return text, None, context
    return asked.rest, asked, replace(context, as_of=asked.day(context.today))


def on_day(bots: Sequence[OpenBot], context: Context) -> list[OpenBot]:
    """The bots by the rules of the day, without those that had none yet."""
    return [view for view in (bot.on(context.day) for bot in bots) if view.articles.size]


def _at_amendment(bot: OpenBot, found: Found, asked: AskedDay, context: Context) -> Context:
    """The day before the last amendment of what was found, or that of the next one; the day asked for where there
    is none."""
    line = bot.layout.timeline
    for hit in found.result.hits[:NEAR]:
        changes = line.changes(line.unit(*unit_of(hit.chunk)))
        if asked.relation is Relation.AFTER:
            days = [day for day in changes if day > context.today][:1]
        else:
            past = [day for day in changes if (asked.first or date.min) <= day <= (asked.last or context.day)]
            days = [day - timedelta(days=1) for day in past[-1:]]
        if days:
            return replace(context, as_of=days[0])
    if asked.relation is Relation.BEFORE and asked.first:
        return replace(context, as_of=asked.first - timedelta(days=1))
    return context


def quoted(parts: Answering, prepared: Prepared) -> Answer:
    """The answer that the built-in composer makes."""
    return _answered(prepared.frame, parts.composer, prepared.query, prepared.found)


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
class Frame:
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
            answer=text if status is Status.CLARIFY else _with_day(text, self.context),
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


def _with_day(text: str, context: Context) -> str:
    """The text with the day whose rules it gives, where that is not today."""
    return text if context.day == context.today else f"{text}\n\n({written_day(context.day)} 기준)"


def written_day(day: date) -> str:
    return f"{day.year}. {day.month}. {day.day}."


@dataclass(frozen=True)
class Prepared:
    """A question that is answered: the bot is found, and what it holds on the matter."""

    frame: Frame
    query: Query
    found: Found

    def with_hits(self, hits: tuple[Hit, ...]) -> Prepared:
        """The same with the hits in another order."""
        return replace(self, found=replace(self.found, result=replace(self.found.result, hits=hits)))


def _authorise(parts: Answering, named: str | None, context: Context) -> Mapping[str, OpenBot]:
    """The open bots this principal may ask; only the named one where one is named."""
    if named is not None:
        bot = access.require(context.principal, parts.bots, named)
        if bot.id not in parts.released:
            raise NotReleased(f"bot `{bot.id}` has no released version", hint=f"ragbots index build {bot.id} --release")
        return {bot.id: seen_by(context.principal, bot, parts.released[bot.id])}
    if not access.visible(context.principal, parts.bots.values()):
        raise BotNotFound("no bot that this principal may ask")
    released = open_to(context.principal, parts.bots, parts.released)
    if not released:
        raise NotReleased("no bot has a released version", hint="ragbots index build --all --release")
    return released


def open_to(principal: Principal, bots: Mapping[str, BotConfig], released: Mapping[str, OpenBot]) -> dict[str, OpenBot]:
    """Of the released bots those that this principal may ask, by id, each with the documents that they may see."""
    allowed = access.visible(principal, bots.values())
    return {bot.id: seen_by(principal, bot, released[bot.id]) for bot in allowed if bot.id in released}


def seen_by(principal: Principal, config: BotConfig, bot: OpenBot) -> OpenBot:
    """The bot with the documents that this principal may see; `config` says it as it is now, whatever was held when
    the version was opened."""
    if not config.access.documents:
        return bot
    documents = bot.version.contents.documents
    return bot.only(frozenset(one.id for one in documents if access.may_read(principal, config, one.source)))


def _route(query: Query, bots: Mapping[str, OpenBot], configs: Mapping[str, BotConfig]) -> _Taken:
    if len(bots) == 1:
        (bot_id,) = bots
        return _Taken((Candidate(bot_id, configs[bot_id].name, 1.0),), True)
    found: Route = route(query, list(bots.values()))
    best = tuple(Candidate(bot_id, configs[bot_id].name, round(score, 4)) for bot_id, score in found.ranked[:3])
    return _Taken(best, found.clear)


def _answered(frame: Frame, composer: Composer, query: Query, found: Found) -> Answer:
    weights = found.term_weights
    material = with_fits(frame.bot, material_of(frame, found), query, weights)
    draft = composer.compose(query.text, weights, material, frame.context)
    checked = None if draft is None else _check(draft, material)
    if checked is None:
        return refused(frame)
    cited = cite_all(frame, found, material, checked.quotations)
    return frame.answer(Status.ANSWERED, checked.text, *cited, composer.id)


def material_of(frame: Frame, found: Found) -> list[Material]:
    """The articles that an answer is made from; annexes without text are left out."""
    return gather(frame.bot, _read(frame, found))


def _read(frame: Frame, found: Found) -> list[Hit]:
    return [hit for hit in found.result.hits if _bare_annex(frame.bot, hit) is None]


def cite_all(
    frame: Frame, found: Found, material: Sequence[Material], quotations: Sequence[Quotation]
) -> tuple[list[Citation], list[Citation], list[Notice]]:
    """The citations of an answer, the articles to see besides, and what the reader must know."""
    citations = [_citation(frame, material, quotation) for quotation in quotations]
    used = {quotation.material for quotation in quotations}
    read = enumerate(_read(frame, found))
    others = [hit for number, hit in read if number not in used and not hit.chunk.address.in_addendum]
    related = [_related(frame, hit) for hit in others[:RELATED]]
    notices = [
        *_notices(frame, [material[number].hit for number in sorted(used)]),
        *_coming_notices(frame, material, quotations),
        *_unread_notices(frame, [material[number] for number in sorted(used)]),
    ]
    return citations, related, notices


# ---------------------------------------------------------------- what the first articles refer to


def gather(bot: OpenBot, hits: Sequence[Hit]) -> list[Material]:
    """The articles found, and after them those that the first two refer to and that were not found."""
    material = [Material(hit, bot.article_blocks(hit.chunk)) for hit in hits]
    where = {unit_of(one.hit.chunk): number for number, one in enumerate(material)}
    for number, one in enumerate(material[:REFERRING]):
        for hit in _referred(bot, one)[:MOST_REFERRED]:
            there = where.setdefault(unit_of(hit.chunk), len(material))
            if there == len(material):
                material.append(Material(hit, bot.article_blocks(hit.chunk), number))
            elif there != number and material[there].referred_by is None:
                material[there] = replace(material[there], referred_by=number)
    return material


def with_fits(bot: OpenBot, material: Sequence[Material], query: Query, weights: Mapping[str, float]) -> list[Material]:
    """The material with how each chunk of its articles fits the question; `weights` are its words by their idf."""
    contents = bot.version.contents
    words = contents.words.scores(weights, dict.fromkeys(weights, 1.0))
    return [replace(one, fits=tuple(_fits(bot, one.hit.chunk, query.vector, words))) for one in material]


def _fits(bot: OpenBot, chunk: Chunk, vector: Vectors, words: Floats) -> Iterator[Fit]:
    """Of every chunk of the article that this one is from."""
    start, end = bot.layout.spans[bot.layout.article_of_chunk[bot.layout.chunk_number[chunk.id]]]
    contents = bot.version.contents
    cosines = contents.vectors[start:end] @ vector
    for number, cosine in enumerate(cosines, start=start):
        yield Fit(contents.chunks[number].blocks, float(cosine), float(words[number]))


def _referred(bot: OpenBot, material: Material) -> list[Hit]:
    """The beginning of each article and annex that the text refers to, in the order of the references, unscored."""
    named: dict[tuple[str, Address], None] = {}
    for _, block in material.blocks:
        for reference in find_references(block.text):
            if unit := reference.address.up_to(*UNITS):
                title = material.hit.document.title if reference.statute is None else reference.statute
                named[title, unit] = None
    held = [(one, unit) for title, unit in named for one in _holding(title, unit, bot.version.contents.documents)]
    found = ((bot.first_chunks.get((one.id, unit)), one) for one, unit in held)
    return [Hit(chunk, one, 0.0, 0.0, 0.0) for chunk, one in found if chunk is not None]


def _holding(title: str, unit: Address, documents: Sequence[Document]) -> list[Document]:
    """The documents that may hold an article or annex of the regulation of this title: annexes are often a
    file of their own, `보수규정 별표`."""
    named = "".join(title.split())
    if unit.up_to(Level.ARTICLE):
        return [one for one in documents if "".join(one.title.split()) == named]
    return [one for one in documents if "".join(one.title.split()).startswith(named)]


# ---------------------------------------------------------------- annexes that cannot be read


def _bare_annex(bot: OpenBot, hit: Hit) -> Block | None:
    """The heading of an annex that has no text, if that is what was found."""
    if not hit.chunk.address.up_to(Level.ANNEX, Level.FORM):
        return None
    blocks = [block for _, block in bot.article_blocks(hit.chunk)]
    return next((blocks[number] for number in bare_annexes(blocks)), None)


def _unread(
    bot: OpenBot, hits: Sequence[Hit], query: Query, weights: Mapping[str, float], *, rivals: bool
) -> tuple[Hit, Block] | None:
    """An annex without text among the first hits that the question is about: it names it, or its title holds
    much of the question's words that the documents know. `rivals`: an article was found that may answer; the
    title must then hold more of the question than the best of them does."""
    bare = [(hit, block) for hit in hits[:NEAR] if (block := _bare_annex(bot, hit))]
    if not bare:
        return None
    words = bot.version.contents.words
    weights = {term: weight for term, weight in weights.items() if words.frequency(term)}
    first = hits[0]
    said = [first.document.title, *(readable(block) for _, block in bot.article_blocks(first.chunk))]
    for hit, block in bare:
        if any(name.up_to(*UNITS) == block.address for name in query.named):
            return hit, block
        known = share_of_words(weights, f"{hit.document.title} {block.text}")
        if known >= ABOUT_ANNEX and (hit is first or not rivals or known > share_of_words(weights, " ".join(said))):
            return hit, block
    return None


def _unread_name(block: Block, document: str) -> str:
    title = _RELATED_ARTICLE.sub("", strip_notes(block.heading))
    return f"「{document}」 {block.address}" + (f" ‘{title}’" if title else "")


def _refused_unread(frame: Frame, hit: Hit, block: Block) -> Answer:
    """Which annex would answer, that it is no text, where the original is, and whom to ask."""
    document, contact = hit.document, frame.bot.config.contact
    page = f" {block.page}쪽" if block.page else ""
    text = (
        f"이 내용을 정한 {_unread_name(block, document.title)}은(는) 글이 아니라 그림으로만 실려 있거나 제목만 있어 "
        f"읽을 수 없습니다.\n\n원문({document.link or document.source}{page})을 직접 확인하시거나, "
        f"{contact or '담당 부서'}에 문의해 주세요."
    )
    return frame.answer(Status.REFUSED, text, related=[_related(frame, hit)])


def _unread_notices(frame: Frame, used: Sequence[Material]) -> list[Notice]:
    """A quoted article that refers to an annex without text says less than it seems to."""
    found: dict[str, Notice] = {}
    for one in used:
        for hit in _referred(frame.bot, one):
            if block := _bare_annex(frame.bot, hit):
                name = _unread_name(block, hit.document.title)
                text = f"{name}은(는) 글이 아니어서 답에 넣지 못했습니다. 원문에서 확인해 주세요."
                found[name] = Notice("unread-annex", None, text)
    return list(found.values())


# ---------------------------------------------------------------- what an amendment changed


def _amendment(frame: Frame, found: Found, *, sure: bool) -> Answer | None:
    """What the last amendment changed: of the article that was found, if it is one of those changed, else of the
    regulation amended last. None where no bot was meant, or no amendment is known."""
    line = frame.bot.layout.timeline
    pairs = {name: pair for name, family in line.editions.items() if (pair := _last_two(family, frame.context.day))}
    meant = frame.question.bot is not None or len(frame.near) == 1
    if not pairs or not (sure or meant):
        return None
    hits = [hit for hit in found.result.hits[:NEAR] if line.families.get(hit.chunk.document_id) in pairs]
    for hit in hits if sure else ():
        pair = pairs[line.families[hit.chunk.document_id]]
        of_article = [one for one in _changes(frame, pair) if one.address == hit.chunk.address.up_to(*UNITS)]
        if of_article:
            return _told(frame, pair, of_article)
    if not meant:
        return None
    latest = max(pairs.values(), key=lambda pair: pair[1].effective)
    return _told(frame, latest, _changes(frame, latest))


def _last_two(family: Sequence[Edition], day: date) -> tuple[Edition, Edition] | None:
    past = [one for one in family if one.effective <= day]
    return (past[-2], past[-1]) if len(past) > 1 else None


def _changes(frame: Frame, pair: tuple[Edition, Edition]) -> list[ArticleChange]:
    blocks = frame.bot.version.contents.blocks
    old, new = (blocks[one.document.id] for one in pair)
    return [one for one in compare(old, new) if not one.addendum]


def _told(frame: Frame, pair: tuple[Edition, Edition], changes: Sequence[ArticleChange]) -> Answer | None:
    """The changed articles by name, and of the first ones the paragraphs before and after, each cited."""
    old, new = pair
    title = new.document.title
    lines = [f"「{title}」의 {written_day(new.effective)} 시행 개정에서 바뀐 조문입니다."] if changes else []
    citations: list[Citation] = []
    for change in changes[:CHANGES_SHOWN]:
        lines.append(f"\n{change.kind.in_korean}: {change.article}" + (f"({change.title})" if change.title else ""))
        blocks = frame.bot.version.contents.blocks
        sides = (blocks[old.document.id], blocks[new.document.id])
        for pieces in changed_paragraphs(*sides, change.from_address or change.address, change.address):
            for edition, piece, name in zip(pair, pieces, ("종전", "개정"), strict=True):
                cited = None if piece is None else _cited_piece(frame, edition, piece)
                if piece is not None and cited is not None:
                    citations.append(cited)
                    lines.append(f"{name}: {_shortened(piece.text)} [{len(citations)}]")
    rest = [f"{one.article}({one.kind.in_korean})" for one in changes[CHANGES_SHOWN:]]
    if rest:
        lines.append(f"\n그 밖에: {', '.join(rest)}")
    return frame.answer(Status.ANSWERED, "\n".join(lines), citations) if citations else None


def _cited_piece(frame: Frame, edition: Edition, piece: Passage) -> Citation | None:
    """A paragraph of any version as a citation; None where no chunk holds it."""
    chunks = frame.bot.version.contents.chunks
    first, last = piece.blocks
    of_document = ((number, one) for number, one in enumerate(chunks) if one.document_id == edition.document.id)
    found = next(((n, one) for n, one in of_document if one.blocks[0] < last and first < one.blocks[1]), None)
    if found is None:
        return None
    number, chunk = found
    blocks = frame.bot.version.contents.blocks[edition.document.id]
    address = common_address([block.address for block in blocks[first:last]]) or chunk.address
    place = frame.bot.place(number, piece.blocks)
    return cite(place, chunk, edition.document, str(address), piece.text)


# ---------------------------------------------------------------- checking and citing


def _check(draft: Draft, material: Sequence[Material]) -> Draft | None:
    """The draft, if every line it quotes, and of a table's row every cell, stands in the blocks it names, and
    its marks lie in what is quoted; else None."""
    for quotation in draft.quotations:
        if not all(0 <= start < end <= len(quotation.text) for start, end in quotation.marks):
            return None
        first, last = quotation.blocks
        source = "\n".join(
            readable(block) for index, block in material[quotation.material].blocks if first <= index < last
        )
        pieces = quotation.text.replace(CELL_JOINT, "\n").split("\n")
        if not all(stands_in(piece, source) for piece in pieces):
            return None
    return draft if draft.quotations else None


def _citation(frame: Frame, material: Sequence[Material], quotation: Quotation) -> Citation:
    one = material[quotation.material]
    number = frame.bot.layout.chunk_number[one.hit.chunk.id]
    place = frame.bot.place(number, quotation.blocks, quotation.parts)
    quoted = set(place.quoted)
    address = common_address([block.address for index, block in one.blocks if index in quoted])
    where = str(address or one.hit.chunk.address)
    return cite(place, one.hit.chunk, one.hit.document, where, quotation.text, quotation.marks)


def _related(frame: Frame, hit: Hit) -> Citation:
    place = frame.bot.place(frame.bot.layout.chunk_number[hit.chunk.id], hit.chunk.blocks)
    address = hit.chunk.address.up_to(Level.ARTICLE, Level.ANNEX, Level.FORM) or hit.chunk.address
    return cite(place, hit.chunk, hit.document, str(address), hit.chunk.heading or hit.chunk.text[:60])


def _notices(frame: Frame, hits: Sequence[Hit]) -> list[Notice]:
    found: dict[str, Notice] = {}
    line = frame.bot.layout.timeline
    for hit in hits:
        starts = line.effective.get(hit.document.id)
        if hit.document.id not in line.families and starts and starts > frame.context.day:
            found[hit.document.id] = Notice(
                "not-yet-in-force",
                starts,
                f"「{hit.document.title}」은(는) {written_day(starts)}부터 시행되는 내용입니다. "
                "그 전에는 다를 수 있습니다.",
            )
    return list(found.values())


def _coming_notices(frame: Frame, material: Sequence[Material], quotations: Sequence[Quotation]) -> list[Notice]:
    """From when what is quoted changes, and to what, where that is already known."""
    line, after = frame.bot.layout.timeline, frame.context.day
    if after < frame.context.today:
        return []  # what became of it since has long been law
    found: dict[tuple[str, str], Notice] = {}
    for quotation in quotations:
        one = material[quotation.material]
        first, last = quotation.blocks
        places = [block.address for number, block in one.blocks if first <= number < last]
        change = line.coming(one.hit.document.id, places, after)
        if change:
            title, article = one.hit.document.title, one.hit.chunk.address.article or ""
            what = f"다음과 같이 바뀝니다: {_shortened(change.text)}" if change.text else "삭제됩니다."
            text = f"「{title}」 {article}은(는) {written_day(change.day)}부터 {what}"
            found.setdefault((title, article), Notice("pending-amendment", change.day, text))
    return list(found.values())


def _shortened(text: str) -> str:
    return text if len(text) <= NOTICE_CHARS else f"{text[:NOTICE_CHARS].rstrip()}…"


def _nothing_then(question: Question, context: Context, bots: Sequence[OpenBot]) -> Answer:
    """None of the rules was in force on the day, as far as is known; never those of another day instead. Only of a bot
    that is named anything is told: its name is kept with the answer, so that it can be withheld with it."""
    bot = bots[0] if question.bot or len(bots) == 1 else None
    earliest = min(bot.layout.timeline.earliest.values(), default=None) if bot else None
    known = f" 실린 규정은 {written_day(earliest)}부터의 것입니다." if earliest else ""
    contact = (bot.config.contact if bot else "") or "담당 부서"
    return Answer(
        id=secrets.token_urlsafe(16),
        conversation_id=question.conversation_id or secrets.token_urlsafe(24),
        status=Status.REFUSED,
        answer=f"{written_day(context.day)} 당시의 규정은 실려 있지 않아 답할 수 없습니다.{known}\n\n"
        f"{contact}에 문의해 주세요.",
        bot=bot.config.id if bot else None,
        candidates=(),
        confidence=0.0,
        as_of=context.day,
        index_version=bots[0].version.id,
    )


def _small_talk(said: smalltalk.Intent, question: Question, context: Context, bots: Sequence[BotConfig]) -> Answer:
    """What is no question about the rules is not looked up: what these bots cover, and how to ask."""
    return Answer(
        id=secrets.token_urlsafe(16),
        conversation_id=question.conversation_id or secrets.token_urlsafe(24),
        status=Status.REFUSED,
        answer=smalltalk.reply(said, bots),
        bot=question.bot,
        candidates=(),
        confidence=0.0,
        as_of=context.day,
        index_version=None,
    )


def _clarify(frame: Frame) -> Answer:
    names = ", ".join(f"‘{candidate.name}’" for candidate in frame.taken.bots[:2])
    text = f"{names} 규정이 모두 관련되어 보입니다. 어느 쪽에 대해 물으셨는지 골라 주세요."
    return frame.answer(Status.CLARIFY, text)


def refused(frame: Frame) -> Answer:
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
