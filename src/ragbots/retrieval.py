"""Question → hits: read the question, score every article, order them; and passages in their context."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ragbots import followup, reading
from ragbots.asking import kinds_asked
from ragbots.citations import Place, common_address
from ragbots.comparison import Amendment, amendments
from ragbots.confidence import USUAL_TOKENS, Features
from ragbots.config import BotConfig
from ragbots.editions import Timeline, Unit, timeline
from ragbots.errors import NotFound
from ragbots.lexical import Morphemes, bigrams, pooled_idf
from ragbots.ports import Embedder, Reranker, TokenVectors, Vectors, VectorStore
from ragbots.ranking import Matches, RankingModel, Span, article_spans, largest_in, late_interaction, min_max
from ragbots.references import UNITS, unit_of
from ragbots.regulation import find_references, strip_notes
from ragbots.routing import Route, choose, share_of_profile
from ragbots.stores.exact import ExactStore
from ragbots.stores.versions import Contents, IndexVersion
from ragbots.types import Address, Block, BlockKind, Chunk, Context, Document, Hit, Level, Step, Turn

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

MODEL = RankingModel(
    weights={
        "nearest": 3.80, "words": 1.99, "bigrams": 1.68, "similar": 1.09, "tokens": 4.12, "figure": 1.80,
        "referred by": 0.75, "length": -0.28, "addendum": -1.67,
    },
    fitted_on="questions: statutes 649, own 252; 2026-11-28",
)  # fmt: skip
NAMED_ARTICLE = 0.5  # added where the question names the article's number
LATE = 30  # articles whose tokens are compared with the question's
USUAL_LENGTH = 500  # characters of an article, from which its length counts for or against it
FROM_GLOSSARY = 0.7  # weight of a word that only a bot's glossary brings in
NEIGHBOURS = 200  # vectors asked of the store
RERANKED = 10  # articles that a reranker reads
READ = 5  # articles that are read for whether they answer
PARTS = 16  # of a bot, by the documents in them, that are kept ready

_BARE_ARTICLE = re.compile(r"(?<![\d제])(\d+조(?:\s?의\s?\d+)?(?:\s?제?\d+항)?)")
_BARE_PARAGRAPH = re.compile(r"(조(?:의\d+)?)\s?(\d+)항")
_ASKS_ADDENDUM = re.compile(r"부칙|경과\s?조치|시행일|적용례")


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """A word of the regulations by its terms, and the words people use instead, without white space."""

    terms: tuple[str, ...]
    instead: tuple[str, ...]


def read_glossary(glossary: Mapping[str, Sequence[str]], morphemes: Morphemes) -> tuple[GlossaryEntry, ...]:
    return tuple(
        GlossaryEntry(tuple(morphemes.terms(word)), tuple("".join(one.split()) for one in instead))
        for word, instead in glossary.items()
    )


def read_profile(bot: BotConfig, morphemes: Morphemes) -> frozenset[str]:
    """The words of a bot's name, description, sample questions and glossary."""
    glossary = [word for term, instead in bot.glossary.items() for word in (term, *instead)]
    return frozenset(morphemes.terms(" ".join([bot.name, bot.description, *bot.sample_questions, *glossary])))


@dataclass(frozen=True)
class Layout:
    """How the chunks of a version make up articles, and when each of those is in force; computed once for a version."""

    contents: Contents

    @cached_property
    def spans(self) -> list[Span]:
        return article_spans(self.contents.chunks)

    @cached_property
    def addresses(self) -> list[Address]:
        return [self.contents.chunks[start].address for start, _ in self.spans]

    @cached_property
    def addenda(self) -> Floats:
        """1 for each article of the 부칙, which are asked for rarely and repeat the words of what they amended."""
        return np.array([address.in_addendum for address in self.addresses], dtype=np.float32)

    @cached_property
    def lengths(self) -> Floats:
        """How much longer each article is than usual, as a logarithm: a long one holds any word sooner."""
        sizes = [sum(len(chunk.text) for chunk in self.contents.chunks[start:end]) for start, end in self.spans]
        return np.log(np.maximum(sizes, 1) / USUAL_LENGTH).astype(np.float32)

    @cached_property
    def chunk_number(self) -> dict[str, int]:
        return {chunk.id: number for number, chunk in enumerate(self.contents.chunks)}

    @cached_property
    def article_of_chunk(self) -> list[int]:
        return [number for number, (start, end) in enumerate(self.spans) for _ in range(start, end)]

    @cached_property
    def timeline(self) -> Timeline:
        return timeline(self.contents.documents, self.contents.blocks)

    @cached_property
    def units(self) -> list[Unit]:
        """What each article is called in every version of its regulation."""
        places = (unit_of(self.contents.chunks[start]) for start, _ in self.spans)
        return [self.timeline.unit(document, unit) for document, unit in places]

    def in_force(self, day: date) -> Numbers:
        """The numbers of the articles that are in force on a day."""
        places = [unit_of(self.contents.chunks[start]) for start, _ in self.spans]
        kept = [number for number, place in enumerate(places) if self.timeline.period(*place).holds(day)]
        return np.array(kept, dtype=np.int64)

    def prepared(self) -> Layout:
        """Itself, with everything computed that a question would otherwise wait for."""
        _ = self.addresses, self.addenda, self.lengths, self.chunk_number, self.article_of_chunk, self.units
        return self


@dataclass(frozen=True)
class OpenBot:
    """A bot with a version of its index open, or with a part of its documents (`only`); `in_force` are the numbers of
    the articles that it answers from (None = all), `numbers` those of its chunks in the whole version (None = it is
    the whole)."""

    config: BotConfig
    version: IndexVersion
    store: VectorStore
    layout: Layout
    glossary: tuple[GlossaryEntry, ...] = ()
    profile: frozenset[str] = frozenset()  # the words in which the bot itself is described
    in_force: Numbers | None = None
    views: dict[int, OpenBot] = field(default_factory=dict, compare=False)  # by era, each made when first asked for
    numbers: Numbers | None = None
    parts: dict[frozenset[str], OpenBot] = field(default_factory=dict, compare=False)  # by the documents in them

    def only(self, documents: frozenset[str]) -> OpenBot:
        """The bot with some of its documents, by their ids. Nothing of the others is in it, so that nothing that is
        worked out from it can tell of them."""
        contents = self.version.contents
        if len(documents) == len(contents.documents):
            return self
        part = self.parts.get(documents)
        if part is None:
            kept = contents.only(documents)
            part = replace(
                self,
                version=replace(self.version, contents=kept),
                store=ExactStore(kept.vectors),
                layout=Layout(kept),
                numbers=np.flatnonzero(contents.chunks_of(documents)),
                views={},
                parts={},
            ).prepared()
            for oldest in list(self.parts)[: max(0, len(self.parts) - PARTS + 1)]:
                self.parts.pop(oldest, None)
            self.parts[documents] = part
        return part

    def place(self, chunk: int, blocks: Span, parts: tuple[Span, ...] = ()) -> Place:
        """The place of a chunk of this bot, as the whole version numbers it."""
        number = chunk if self.numbers is None else int(self.numbers[chunk])
        return Place(self.config.id, self.version.id, number, blocks, parts)

    def chunk_at(self, place: Place) -> int:
        """The number of the chunk at a place. Raises NotFound, alike for what is nowhere and for what is not here."""
        chunks = np.arange(len(self.version.contents.chunks)) if self.numbers is None else self.numbers
        at = int(np.searchsorted(chunks, place.chunk))
        if at == len(chunks) or chunks[at] != place.chunk:
            raise NotFound(f"no chunk {place.chunk} in {self.version.id}", for_people="그런 인용이 없습니다.")
        return at

    def on(self, day: date) -> OpenBot:
        """The bot as it answers by the rules of a day."""
        line = self.layout.timeline
        if not line.days:
            return self
        era = line.era(day)
        if era not in self.views:
            self.views[era] = replace(self, in_force=self.layout.in_force(day)).prepared()
        return self.views[era]

    @cached_property
    def articles(self) -> Numbers:
        """The numbers of the articles that it answers from."""
        return np.arange(len(self.layout.spans)) if self.in_force is None else self.in_force

    @cached_property
    def first_chunks(self) -> dict[tuple[str, Address], Chunk]:
        """The first chunk of each article, annex and form that it answers from, by `unit_of`."""
        firsts = [self.version.contents.chunks[self.layout.spans[number][0]] for number in reversed(self.articles)]
        return {unit_of(chunk): chunk for chunk in firsts}

    @cached_property
    def references(self) -> Numbers:
        """Pairs of an article and one that it refers to, by their positions in `articles`; of the regulation referred
        to, the version in force."""
        pairs = self.version.contents.references
        if self.in_force is None:
            return pairs.astype(np.int64)
        there = {self.layout.units[number]: at for at, number in enumerate(self.articles)}
        at = {int(number): position for position, number in enumerate(self.articles)}
        found = [(at.get(int(one)), there.get(self.layout.units[other])) for one, other in pairs]
        kept = [pair for pair in found if None not in pair]
        return np.array(kept, dtype=np.int64).reshape(-1, 2)

    def article_blocks(self, chunk: Chunk) -> list[tuple[int, Block]]:
        """The blocks of the whole article a chunk is from, with their numbers in the document."""
        first, last = block_range(self, self.layout.article_of_chunk[self.layout.chunk_number[chunk.id]])
        blocks = self.version.contents.blocks[chunk.document_id]
        return [(number, blocks[number]) for number in range(first, last)]

    def largest_in(self, scores: Floats) -> Floats:
        """Of scores of all chunks the largest of each article that it answers from."""
        return largest_in(scores, self.layout.spans)[self.articles]

    def prepared(self) -> OpenBot:
        """Itself, with everything computed that a question would otherwise wait for."""
        self.layout.prepared()
        _ = self.articles, self.first_chunks, self.references
        return self


def open_bot(
    config: BotConfig,
    version: IndexVersion,
    store: VectorStore,
    glossary: tuple[GlossaryEntry, ...] = (),
    profile: frozenset[str] = frozenset(),
) -> OpenBot:
    return OpenBot(config, version, store, Layout(version.contents), glossary, profile)


@dataclass(frozen=True)
class Query:
    """A question as the index sees it: its vector and those of its tokens, its terms by weight, words used like them,
    its bigrams, the kinds of figure it asks for, and the addresses that it names."""

    text: str
    vector: Vectors
    tokens: TokenVectors
    terms: Mapping[str, float]
    similar: Mapping[str, float]
    bigrams: Mapping[str, float]
    kinds: tuple[int, ...]
    named: tuple[Address, ...]
    asks_addendum: bool


@dataclass(frozen=True, slots=True)
class SearchResult:
    bot: str
    index_version: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Hits with what the answer is decided by: the features of the best one, and the question's words
    by their idf."""

    result: SearchResult
    features: Features
    term_weights: Mapping[str, float]


def read_question(text: str, embedder: Embedder, morphemes: Morphemes) -> Query:
    """The question's vectors, words and the addresses it names."""
    embedded = embedder.embed_question_by_token(text)
    terms = dict.fromkeys(morphemes.terms(text), 1.0)
    return Query(
        text=text,
        vector=embedded.vectors[0],
        tokens=embedded.tokens[0],
        terms=terms,
        similar={word: alike for word, alike in morphemes.similar(text).items() if word not in terms},
        bigrams=dict.fromkeys(bigrams(text), 1.0),
        kinds=kinds_asked(text),
        named=tuple(reference.address for reference in find_references(_spell_out(text))),
        asks_addendum=bool(_ASKS_ADDENDUM.search(text)),
    )


def read_turn(
    text: str, history: Sequence[Turn], bots: Sequence[OpenBot], embedder: Embedder, morphemes: Morphemes
) -> Query:
    """The question together with what it leans on of the turns before; alone where it leans on nothing.

    `bots` are asked whether it leads elsewhere than the turns before.
    """
    alone = read_question(text, embedder, morphemes)
    earlier = followup.earlier(history)
    if earlier is None:
        return alone
    lead = elsewhere(alone, read_question(earlier, embedder, morphemes), bots)
    if not followup.depends(text, len(alone.terms), lead):
        return alone
    joined = read_question(f"{earlier} {text}", embedder, morphemes)
    return replace(joined, named=alone.named or joined.named)


def elsewhere(query: Query, before: Query, bots: Sequence[OpenBot]) -> float:
    """By how much the query prefers another bot to that of the query before."""
    if len(bots) < 2:
        return 0.0
    ranked = route(query, bots).ranked
    return ranked[0][1] - dict(ranked).get(route(before, bots).bot or "", 0.0)


def with_glossary(query: Query, bot: OpenBot) -> Query:
    """The query with a bot's own words added: where one of the other words is used, the term counts too."""
    squeezed = "".join(query.text.split())
    meant = [entry for entry in bot.glossary if any(word in squeezed for word in entry.instead)]
    added = {term: FROM_GLOSSARY for entry in meant for term in entry.terms}
    return replace(query, terms={**added, **query.terms}) if added else query


def _spell_out(text: str) -> str:
    """`39조 3항` as it would stand in a rule: `제39조제3항`."""
    named = _BARE_ARTICLE.sub(lambda match: "제" + re.sub(r"\s", "", match[1]), text)
    return _BARE_PARAGRAPH.sub(r"\1제\2항", named)


def route(query: Query, bots: Sequence[OpenBot]) -> Route:
    """The bots in the order in which their rules fit the question, over all of them at once."""
    return choose(strengths(query, bots)) if bots else Route((), True)


def strengths(query: Query, bots: Sequence[OpenBot]) -> dict[str, tuple[float, float]]:
    """For each bot (one at least) the score of its best article, and the share of the question's words that describe
    the bot."""
    readings = [with_glossary(query, bot) for bot in bots]
    dense = [bot.version.contents.vectors @ query.vector for bot in bots]
    scores = score_articles(readings, bots, dense).scores
    ends = np.cumsum([len(bot.articles) for bot in bots])[:-1]
    best = [float(own.max()) for own in np.split(scores, ends)]
    described = share_of_profile(list(query.terms), [bot.profile for bot in bots])
    return {bot.config.id: given for bot, given in zip(bots, zip(best, described, strict=True), strict=True)}


@dataclass(frozen=True)
class Scored:
    """The articles of some bots, one bot after the other: their signals, each 0–1 but for `length`, and the scores made
    of them; and how the tokens of some chunks answer to the question's."""

    signals: Mapping[str, Floats]
    scores: Floats
    late: Late


@dataclass(frozen=True)
class Late:
    """The chunks whose tokens were compared with the question's, by their numbers over all the bots, and how they
    answer to them; nothing where there are no tokens."""

    chunks: Numbers
    matches: Matches

    def of_chunks(self, count: int) -> Floats:
        """For each of `count` chunks how well it answers, 0–1; 0 where its tokens were not looked at."""
        found = np.zeros(count, dtype=np.float32)
        found[self.chunks] = min_max(self.matches.scores)
        return found


NO_TOKENS = Late(np.empty(0, np.int64), Matches(np.empty((0, 0), np.float32), np.empty(0, np.float32)))


def score_articles(
    queries: Sequence[Query], bots: Sequence[OpenBot], dense: Sequence[Floats], model: RankingModel = MODEL
) -> Scored:
    """Every article of the bots by one scale, with one count of word frequencies over all of them.

    `queries` are the question as each bot reads it, `dense` the cosines of each bot's chunks. The tokens of the best
    articles alone are looked at, and what refers to an article counts for it by its own score.
    """
    signals = _first_signals(queries, bots, dense)
    scores = model.total(signals)
    late, compared = _late(queries[0], bots, scores)
    scores = scores + model.total({"tokens": late})
    referred = _referred_by(bots, scores)
    scores = scores + model.total({"referred by": referred})
    named = np.concatenate([_named(query, bot) for query, bot in zip(queries, bots, strict=True)])
    scores = (scores + NAMED_ARTICLE * named).astype(np.float32)
    return Scored({**signals, "tokens": late, "referred by": referred}, scores, compared)


def _first_signals(queries: Sequence[Query], bots: Sequence[OpenBot], dense: Sequence[Floats]) -> dict[str, Floats]:
    """The signals that every article has."""
    pairs = list(zip(queries, bots, strict=True))
    not_asked = np.float32(not queries[0].asks_addendum)
    return {
        "nearest": min_max(np.concatenate([bot.largest_in(d) for d, bot in zip(dense, bots, strict=True)])),
        "words": _word_signal(bots, [query.terms for query in queries]),
        "similar": _word_signal(bots, [query.similar for query in queries]),
        "bigrams": _bigram_signal(bots, queries[0].bigrams),
        "figure": np.concatenate([_holds_figure(query, bot) for query, bot in pairs]),
        "length": np.concatenate([bot.layout.lengths[bot.articles] for bot in bots]),
        "addendum": not_asked * np.concatenate([bot.layout.addenda[bot.articles] for bot in bots]),
    }


def _word_signal(bots: Sequence[OpenBot], terms: Sequence[Mapping[str, float]]) -> Floats:
    indexes = [bot.version.contents.words for bot in bots]
    idf = pooled_idf(indexes, list({term for own in terms for term in own}))
    parts = zip(indexes, terms, bots, strict=True)
    return min_max(np.concatenate([bot.largest_in(words.scores(own, idf)) for words, own, bot in parts]))


def _bigram_signal(bots: Sequence[OpenBot], bigrams: Mapping[str, float]) -> Floats:
    indexes = [bot.version.contents.bigrams for bot in bots]
    idf = pooled_idf(indexes, list(bigrams))
    return min_max(np.concatenate([bot.version.contents.bigrams.scores(bigrams, idf)[bot.articles] for bot in bots]))


def _holds_figure(query: Query, bot: OpenBot) -> Floats:
    """1 for each article that holds a figure of a kind that is asked for; 0 for all where none is."""
    figures = bot.version.contents.figures[bot.articles]
    return np.asarray(figures[:, list(query.kinds)].any(axis=1), dtype=np.float32)


def _late(query: Query, bots: Sequence[OpenBot], scores: Floats) -> tuple[Floats, Late]:
    """For the best articles how well their tokens answer to the question's, 0–1; and how those of their chunks do."""
    firsts = np.cumsum([0, *(len(bot.articles) for bot in bots)])
    chunk_firsts = np.cumsum([0, *(len(bot.version.contents.chunks) for bot in bots)])
    late = np.zeros_like(scores)
    if not query.tokens.size or any(not bot.version.contents.tokens.size for bot in bots):
        return late, NO_TOKENS
    best = np.sort(np.argsort(-scores, kind="stable")[:LATE])
    owners = np.searchsorted(firsts, best, side="right") - 1
    numbers = [bots[owner].articles[article - firsts[owner]] for article, owner in zip(best, owners, strict=True)]
    spans = [bots[owner].layout.spans[number] for number, owner in zip(numbers, owners, strict=True)]
    rows = [(owner, chunk) for owner, (start, end) in zip(owners, spans, strict=True) for chunk in range(start, end)]
    tokens = [tokens_of(bots[owner], chunk) for owner, chunk in rows]
    starts = np.cumsum([0, *(len(one) for one in tokens)])
    found = late_interaction(query.tokens, np.concatenate(tokens), starts)
    ends = np.cumsum([end - start for start, end in spans])
    late[best] = min_max(largest_in(found.scores, list(zip([0, *ends[:-1]], ends, strict=True))))
    return late, Late(np.array([chunk_firsts[owner] + chunk for owner, chunk in rows]), found)


def tokens_of(bot: OpenBot, chunk: int) -> TokenVectors:
    contents = bot.version.contents
    return contents.tokens[contents.token_starts[chunk] : contents.token_starts[chunk + 1]]


def _referred_by(bots: Sequence[OpenBot], scores: Floats) -> Floats:
    """The best score of the articles that refer to each, 0–1."""
    found = np.zeros_like(scores)
    first = 0
    for bot in bots:
        referring, referred = bot.references.T
        np.maximum.at(found, first + referred, scores[first + referring])
        first += len(bot.articles)
    return min_max(found)


def _named(query: Query, bot: OpenBot) -> Floats:
    if not query.named:
        return np.zeros(len(bot.articles), dtype=np.float32)
    named = [
        any(name.up_to(Level.ARTICLE, Level.ANNEX).contains(address) for name in query.named)
        for address in (bot.layout.addresses[number] for number in bot.articles)
    ]
    return np.array(named, dtype=np.float32)


def search(query: Query, bot: OpenBot, k: int, reranker: Reranker | None = None) -> Found:
    """The k best articles of a bot, each by its best chunk; the first of them in the order that a reranker gives."""
    contents = bot.version.contents
    dense = _from_store(bot, query)
    scored = score_articles([query], [bot], [dense])
    idf = contents.words.idf(list(query.terms))
    words = contents.words.scores(query.terms, idf)
    within = min_max(dense) + min_max(words) + scored.late.of_chunks(dense.size)
    best = [int(position) for position in np.argsort(-scored.scores, kind="stable")[: max(k, RERANKED)]]
    hits = [_hit(bot, position, scored.scores, dense, words, within) for position in best]
    if reranker is not None:
        passages = [hit.chunk.passage for hit in hits[:RERANKED]]
        order = np.argsort(-reranker.scores(query.text, passages), kind="stable")
        best, hits = ([*(row[at] for at in order), *row[RERANKED:]] for row in (best, hits))
    weights = {term: weight * idf[term] for term, weight in query.terms.items()}
    features = _features(bot, best[0], bot.largest_in(dense), weights, query, hits, scored.late)
    return Found(SearchResult(bot.config.id, bot.version.id, tuple(hits[:k])), features, weights)


def _hit(bot: OpenBot, position: int, scores: Floats, dense: Floats, words: Floats, within: Floats) -> Hit:
    start, end = bot.layout.spans[bot.articles[position]]
    best = start + int(np.argmax(within[start:end]))
    chunk = bot.version.contents.chunks[best]
    document = bot.version.document_of[chunk.document_id]
    return Hit(chunk, document, float(scores[position]), float(dense[best]), float(words[best]))


def _features(
    bot: OpenBot,
    position: int,
    nearest: Floats,
    weights: Mapping[str, float],
    query: Query,
    hits: Sequence[Hit],
    late: Late,
) -> Features:
    """What the confidence is computed from, of the article at a position, which is the first of the hits."""
    chunk = hits[0].chunk
    cosine = float(nearest[position])
    words, span = bot.version.contents.words, bot.layout.spans[bot.articles[position]]
    held = sum(weight for term, weight in weights.items() if words.stands_in(term, span))
    covered = held / (sum(weights.values()) or 1.0)
    return Features(
        cosine=cosine,
        lead=cosine - float(nearest.mean()),
        ahead=cosine - float(np.sort(nearest)[-min(11, nearest.size)]),
        covered=covered,
        fully=max(0.0, covered - 0.5),
        plain=float(not chunk.address),
        **_answered_tokens(span, late),
        **_read(bot, query, hits[:READ]),
    )


def _read(bot: OpenBot, query: Query, hits: Sequence[Hit]) -> dict[str, float]:
    """How well the first hits answer, as they are read; what is usual where there are no tokens that can be read."""
    reader = reading.bundled()
    passages = [tokens_of(bot, bot.layout.chunk_number[hit.chunk.id]) for hit in hits]
    if not all(reader.reads(one) for one in (query.tokens, *passages)):
        return {"read": USUAL_TOKENS["read"]}
    return {"read": reading.answered(reader.scores(query.tokens, passages))}


def _answered_tokens(span: Span, late: Late) -> dict[str, float]:
    """How the best chunk of an article answers to the question's tokens; what is usual where there are no tokens, or
    where it was not among those compared."""
    rows = np.flatnonzero((late.chunks >= span[0]) & (late.chunks < span[1]))
    if not rows.size:
        return dict(USUAL_TOKENS)
    best = int(rows[np.argmax(late.matches.scores[rows])])
    return {
        "tokens_low": float(np.quantile(late.matches.best[best], 0.25)),
        "tokens_short": late.matches.shortfall(best),
    }


def _from_store(bot: OpenBot, query: Query) -> Floats:
    """The cosine of every chunk; of one that the store does not return the least that it did, which it is below.

    Where only a part of the articles is asked, all are compared: the nearest might all be of the other part.
    """
    if bot.in_force is not None:
        return bot.version.contents.vectors @ query.vector
    found = bot.store.query(query.vector, NEIGHBOURS)
    lowest = min((score for _, score in found), default=1.0)
    scores = np.full(len(bot.version.contents.chunks), lowest, dtype=np.float32)
    for row, score in found:
        scores[row] = score
    return scores


@dataclass(frozen=True, slots=True)
class PassageBlock:
    """A block of a passage; `marks` are half-open character ranges of its text to be marked."""

    kind: str
    address: str
    text: str
    cells: tuple[tuple[str, str], ...]
    quoted: bool
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PassageLink:
    article: str
    heading: str
    id: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A cited article, whole, with the quoted blocks marked, the articles before and after it, and what amendments
    changed in it."""

    id: str
    document: str
    source: str
    link: str | None
    article: str | None
    address: str
    breadcrumb: tuple[str, ...]
    quote: str
    page: int | None
    effective: date | None
    blocks: tuple[PassageBlock, ...]
    previous: PassageLink | None
    next: PassageLink | None
    amendments: tuple[Amendment, ...] = ()

    @property
    def text(self) -> str:
        """All text of the article, with the headings above it."""
        return "\n".join([*self.breadcrumb, *(block.text for block in self.blocks)])


def cited_document(place: Place, bot: OpenBot) -> Document:
    """The document a citation is from. Raises NotFound for a place that the version does not have."""
    return bot.version.document_of[bot.version.contents.chunks[bot.chunk_at(place)].document_id]


def passage(place: Place, bot: OpenBot, context: Context) -> Passage:
    """The passage a citation leads to. Raises NotFound for what the version does not hold."""
    document = cited_document(place, bot)
    contents, at = bot.version.contents, bot.chunk_at(place)
    chunk = contents.chunks[at]
    blocks = contents.blocks[document.id]
    if max(last for _, last in place.parts or (place.blocks,)) > len(blocks):
        raise NotFound(f"no block {place.blocks[1]} in {document.source}", for_people="그런 인용이 없습니다.")
    number = bot.layout.article_of_chunk[at]
    first, last = block_range(bot, number)
    quoted = place.quoted
    address = common_address([blocks[i].address for i in quoted]) or chunk.address
    shown = tuple(_shown(blocks[i], i in quoted) for i in range(first, last))
    return Passage(
        id=place.id, document=document.title, source=document.source, link=document.link,
        article=chunk.address.article, address=str(address),
        breadcrumb=chunk.breadcrumb, quote="\n".join(block.text for block in shown if block.quoted),
        page=chunk.page, effective=document.effective, blocks=shown,
        previous=_link(bot, number - 1, chunk.document_id), next=_link(bot, number + 1, chunk.document_id),
        amendments=amendments(bot.layout.timeline, document.id, chunk.address.up_to(*UNITS), context.today),
    )  # fmt: skip


def place_of(address: Address, document: str | None, bot: OpenBot) -> Place:
    """The article that holds an address, with the blocks that the address names where it says more than the article.

    `document`: its title or path, needed where several documents have such an article. Only what the bot answers
    from is looked at. Raises NotFound.
    """
    wanted = _unit(address)
    firsts = [(number, bot.version.contents.chunks[bot.layout.spans[number][0]]) for number in bot.articles]
    found = [(int(number), chunk) for number, chunk in firsts if wanted and _is_named(wanted, _unit(chunk.address))]
    holders = {chunk.document_id: bot.version.document_of[chunk.document_id] for _, chunk in found}
    meant = [one for one in holders.values() if document is None or _is_called(one, document)]
    if len(meant) > 1:
        names = ", ".join(sorted(one.source if document else one.title for one in meant))
        raise NotFound(
            f"{address} stands in {len(meant)} documents: {names}",
            for_people=f"{address}이(가) 여러 문서에 있습니다. 문서도 함께 적어 주세요: {names}",
        )
    if not meant:
        raise NotFound(f"no {address} in bot `{bot.config.id}`", for_people=f"{address}을(를) 찾을 수 없습니다.")
    number, first = next((number, chunk) for number, chunk in found if chunk.document_id == meant[0].id)
    blocks = _blocks_at(address.steps[len(wanted.steps) :], len(first_steps := _unit(first.address).steps), number, bot)
    if blocks is None:
        raise NotFound(
            f"no {address} in {meant[0].source}, only {Address(first_steps)}",
            for_people=f"{meant[0].title}에 {Address(first_steps)}은(는) 있으나 {address}은(는) 없습니다.",
        )
    return bot.place(bot.layout.spans[number][0], blocks)


def _unit(address: Address) -> Address:
    return address.up_to(*UNITS) or address.up_to(Level.ADDENDUM)


def _is_named(wanted: Address, own: Address) -> bool:
    """Whether the unit is the one wanted; which 부칙 it is need not be said."""
    unsaid = Address(tuple(replace(step, label="") for step in own.steps))
    return wanted in (own, unsaid)


def _is_called(document: Document, name: str) -> bool:
    return name == document.source or "".join(name.split()) == "".join(document.title.split())


def _blocks_at(within: tuple[Step, ...], depth: int, number: int, bot: OpenBot) -> Span | None:
    """The blocks of an article that lie at the steps below it; none (0, 0) for the whole, None where there is no such
    place."""
    if not within:
        return 0, 0
    first, last = block_range(bot, number)
    blocks = bot.version.contents.blocks[bot.version.contents.chunks[bot.layout.spans[number][0]].document_id]
    there = [at for at in range(first, last) if blocks[at].address.steps[depth : depth + len(within)] == within]
    return (there[0], there[-1] + 1) if there else None


def block_range(bot: OpenBot, number: int) -> Span:
    start, end = bot.layout.spans[number]
    ranges = [chunk.blocks for chunk in bot.version.contents.chunks[start:end]]
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def _shown(block: Block, quoted: bool) -> PassageBlock:
    text = block.text if block.kind in (BlockKind.NOTE, BlockKind.ROW) else strip_notes(block.text)
    marks = ((0, len(text)),) if quoted and text else ()
    return PassageBlock(block.kind.value, str(block.address), text, block.cells, quoted, marks)


def _link(bot: OpenBot, number: int, document_id: str) -> PassageLink | None:
    if not 0 <= number < len(bot.layout.spans):
        return None
    start, _ = bot.layout.spans[number]
    chunk = bot.version.contents.chunks[start]
    if chunk.document_id != document_id:
        return None
    return PassageLink(chunk.address.article or "", chunk.heading, bot.place(start, (0, 0)).id)
