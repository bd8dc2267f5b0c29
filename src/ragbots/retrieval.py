"""Question → hits: read the question, score every article, order them; and passages in their context."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ragbots import followup
from ragbots.citations import Place, common_address
from ragbots.confidence import Features, figure_missing
from ragbots.config import BotConfig
from ragbots.errors import NotFound
from ragbots.lexical import Morphemes, Postings, pooled_idf
from ragbots.ports import Embedder, Vectors, VectorStore
from ragbots.ranking import Span, article_spans, largest_in, mean_vectors, min_max, weighted_mean
from ragbots.regulation import find_references, strip_notes
from ragbots.routing import Route, choose
from ragbots.stores.versions import IndexVersion
from ragbots.types import Address, Block, BlockKind, Chunk, Context, Document, Hit, Level, Turn

Floats = NDArray[np.float32]

# Parts of an article's score, each brought to 0–1 over the articles compared, and their weights.
WEIGHTS: Mapping[str, float] = {"paragraph": 1.0, "article": 0.5, "words": 0.5, "article words": 0.5}
NAMED_ARTICLE = 0.5  # added where the question names the article's number
ADDENDUM = 0.6  # factor on 부칙, which are asked for rarely and repeat the words of the rules they amended
UNITS = (Level.ARTICLE, Level.ANNEX, Level.FORM)  # what references name
NEIGHBOURS = 200  # vectors asked of the store

_BARE_ARTICLE = re.compile(r"(?<![\d제])(\d+조(?:\s?의\s?\d+)?(?:\s?제?\d+항)?)")
_BARE_PARAGRAPH = re.compile(r"(조(?:의\d+)?)\s?(\d+)항")
_ASKS_ADDENDUM = re.compile(r"부칙|경과\s?조치|시행일|적용례")


def unit_of(chunk: Chunk) -> tuple[str, Address]:
    """The document and the article, annex or form a chunk is from; the empty address where there is none."""
    return chunk.document_id, chunk.address.up_to(*UNITS)


@dataclass(frozen=True)
class OpenBot:
    """A bot with its released version open."""

    config: BotConfig
    version: IndexVersion
    store: VectorStore

    @cached_property
    def spans(self) -> list[Span]:
        return article_spans(self.version.contents.chunks)

    @cached_property
    def article_vectors(self) -> Vectors:
        return mean_vectors(np.asarray(self.version.contents.vectors), self.spans)

    @cached_property
    def article_addresses(self) -> list[Address]:
        chunks = self.version.contents.chunks
        return [chunks[start].address for start, _ in self.spans]

    @cached_property
    def factors(self) -> Floats:
        """What each article's score is multiplied with: 부칙 count less."""
        values = [ADDENDUM if address.in_addendum else 1.0 for address in self.article_addresses]
        return np.array(values, dtype=np.float32)

    @cached_property
    def first_chunks(self) -> dict[tuple[str, Address], Chunk]:
        """The first chunk of each article, annex and form, by `unit_of`."""
        chunks = self.version.contents.chunks
        return {unit_of(chunks[start]): chunks[start] for start, _ in reversed(self.spans)}

    @cached_property
    def chunk_number(self) -> dict[str, int]:
        return {chunk.id: number for number, chunk in enumerate(self.version.contents.chunks)}

    @cached_property
    def article_of_chunk(self) -> list[int]:
        return [number for number, (start, end) in enumerate(self.spans) for _ in range(start, end)]

    def article_blocks(self, chunk: Chunk) -> list[tuple[int, Block]]:
        """The blocks of the whole article a chunk is from, with their numbers in the document."""
        first, last = block_range(self, self.article_of_chunk[self.chunk_number[chunk.id]])
        blocks = self.version.contents.blocks[chunk.document_id]
        return [(number, blocks[number]) for number in range(first, last)]

    def prepared(self) -> OpenBot:
        """Itself, with everything computed that a question would otherwise wait for."""
        _ = self.article_vectors, self.article_addresses, self.factors
        _ = self.first_chunks, self.chunk_number, self.article_of_chunk
        return self


@dataclass(frozen=True)
class Query:
    """A question as the index sees it. `terms` are weighted; `named` are addresses it mentions."""

    text: str
    vector: Vectors
    terms: Mapping[str, float]
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
    """The question's vector, words and the addresses it names."""
    terms = dict.fromkeys(morphemes.terms(text), 1.0)
    named = tuple(reference.address for reference in find_references(_spell_out(text)))
    return Query(text, embedder.embed_question(text), terms, named, bool(_ASKS_ADDENDUM.search(text)))


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


def with_glossary(query: Query, glossary: Mapping[str, Sequence[str]], morphemes: Morphemes) -> Query:
    """The query with a bot's own words added: where one of the other words is used, the term counts too."""
    squeezed = "".join(query.text.split())
    added = [term for term, others in glossary.items() if any("".join(word.split()) in squeezed for word in others)]
    if not added:
        return query
    terms = {**{word: 0.7 for term in added for word in morphemes.terms(term)}, **query.terms}
    return Query(query.text, query.vector, terms, query.named, query.asks_addendum)


def _spell_out(text: str) -> str:
    """`39조 3항` as it would stand in a rule: `제39조제3항`."""
    named = _BARE_ARTICLE.sub(lambda match: "제" + re.sub(r"\s", "", match[1]), text)
    return _BARE_PARAGRAPH.sub(r"\1제\2항", named)


def route(query: Query, bots: Sequence[OpenBot]) -> Route:
    """The bots in the order in which their rules fit the question, over all of them at once."""
    if not bots:
        return Route((), True)
    idf = pooled_idf([bot.version.contents.words for bot in bots], list(query.terms))
    article_idf = pooled_idf([bot.version.contents.article_words for bot in bots], list(query.terms))
    parts = [_exact_parts(query, bot, idf, article_idf) for bot in bots]
    pooled = {name: np.concatenate([part[name] for part in parts]) for name in WEIGHTS}
    scores = weighted_mean((WEIGHTS[name], values) for name, values in pooled.items())
    result: dict[str, Floats] = {}
    start = 0
    for bot in bots:
        end = start + len(bot.spans)
        result[bot.config.id] = _adjusted(scores[start:end], query, bot)
        start = end
    return choose(result)


def _exact_parts(
    query: Query, bot: OpenBot, idf: Mapping[str, float], article_idf: Mapping[str, float]
) -> dict[str, Floats]:
    """The unscaled parts of every article's score, from the vectors themselves."""
    contents = bot.version.contents
    return {
        "paragraph": largest_in(contents.vectors @ query.vector, bot.spans),
        "article": bot.article_vectors @ query.vector,
        "words": largest_in(contents.words.scores(query.terms, idf), bot.spans),
        "article words": contents.article_words.scores(query.terms, article_idf),
    }


def _adjusted(scores: Floats, query: Query, bot: OpenBot) -> Floats:
    if not query.asks_addendum:
        scores = scores * bot.factors
    if query.named:
        named = [
            any(name.up_to(Level.ARTICLE, Level.ANNEX).contains(address) for name in query.named)
            for address in bot.article_addresses
        ]
        scores = scores + np.array(named, dtype=np.float32) * np.float32(NAMED_ARTICLE)
    return scores


def search(query: Query, bot: OpenBot, k: int) -> Found:
    """The k best articles of a bot, each by its best chunk."""
    contents = bot.version.contents
    idf = contents.words.idf(list(query.terms))
    articles = bot.article_vectors @ query.vector
    dense = _from_store(bot, query, articles)
    words = contents.words.scores(query.terms, idf)
    parts = {
        "paragraph": largest_in(dense, bot.spans),
        "article": articles,
        "words": largest_in(words, bot.spans),
        "article words": contents.article_words.scores(query.terms, contents.article_words.idf(list(query.terms))),
    }
    scores = _adjusted(weighted_mean((WEIGHTS[name], parts[name]) for name in WEIGHTS), query, bot)
    within = min_max(dense) + min_max(words)
    best = [int(number) for number in np.argsort(-scores, kind="stable")[:k]]
    hits = tuple(_hit(bot, number, scores, dense, words, within) for number in best)
    weights = {term: weight * idf[term] for term, weight in query.terms.items()}
    features = _features(bot, best[0], parts, query, hits[0].chunk.text)
    return Found(SearchResult(bot.config.id, bot.version.id, hits), features, weights)


def _hit(bot: OpenBot, article: int, scores: Floats, dense: Floats, words: Floats, within: Floats) -> Hit:
    start, end = bot.spans[article]
    best = start + int(np.argmax(within[start:end]))
    chunk = bot.version.contents.chunks[best]
    document = bot.version.document_of[chunk.document_id]
    return Hit(chunk, document, float(scores[article]), float(dense[best]), float(words[best]))


def _features(bot: OpenBot, article: int, parts: Mapping[str, Floats], query: Query, text: str) -> Features:
    """What the confidence is computed from; `text` is that of the article's best chunk."""
    nearest = parts["paragraph"]
    cosine = float(nearest[article])
    words = bot.version.contents.article_words
    idf = words.idf(list(query.terms))
    weights = {term: weight * idf[term] for term, weight in query.terms.items()}
    held = sum(weight for term, weight in weights.items() if _stands_in(words, term, article))
    covered = held / (sum(weights.values()) or 1.0)
    return Features(
        cosine=cosine,
        lead=cosine - float(nearest.mean()),
        ahead=cosine - float(np.sort(nearest)[-min(11, nearest.size)]),
        covered=covered,
        fully=max(0.0, covered - 0.5),
        figure_missing=figure_missing(query.text, text),
    )


def _stands_in(words: Postings, term: str, row: int) -> bool:
    number = words.vocabulary.get(term)
    return number is not None and bool((words.rows[words.starts[number] : words.starts[number + 1]] == row).any())


def _from_store(bot: OpenBot, query: Query, articles: Floats) -> Floats:
    """The cosine of every chunk. Of one that the store does not return its article's cosine is taken,
    but no more than the least that was returned: it is known to be no nearer."""
    found = bot.store.query(query.vector, NEIGHBOURS)
    lowest = min((score for _, score in found), default=1.0)
    scores = np.minimum(articles[bot.article_of_chunk], np.float32(lowest)).astype(np.float32)
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
    """A cited article, whole, with the quoted blocks marked and the articles before and after it."""

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


def cited_document(place: Place, bot: OpenBot) -> Document:
    """The document a citation is from. Raises NotFound for a place that the version does not have."""
    chunks = bot.version.contents.chunks
    if place.chunk >= len(chunks):
        raise NotFound(f"no chunk {place.chunk} in {bot.version.id}", for_people="그런 인용이 없습니다.")
    return bot.version.document_of[chunks[place.chunk].document_id]


def passage(place: Place, bot: OpenBot, context: Context) -> Passage:  # noqa: ARG001 - rights and dates come with it
    """The passage a citation leads to. Raises NotFound for what the version does not hold."""
    document = cited_document(place, bot)
    contents = bot.version.contents
    chunk = contents.chunks[place.chunk]
    blocks = contents.blocks[document.id]
    if max(last for _, last in place.parts or (place.blocks,)) > len(blocks):
        raise NotFound(f"no block {place.blocks[1]} in {document.source}", for_people="그런 인용이 없습니다.")
    number = bot.article_of_chunk[place.chunk]
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
    )  # fmt: skip


def block_range(bot: OpenBot, number: int) -> Span:
    start, end = bot.spans[number]
    ranges = [chunk.blocks for chunk in bot.version.contents.chunks[start:end]]
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def _shown(block: Block, quoted: bool) -> PassageBlock:
    text = block.text if block.kind in (BlockKind.NOTE, BlockKind.ROW) else strip_notes(block.text)
    marks = ((0, len(text)),) if quoted and text else ()
    return PassageBlock(block.kind.value, str(block.address), text, block.cells, quoted, marks)


def _link(bot: OpenBot, number: int, document_id: str) -> PassageLink | None:
    if not 0 <= number < len(bot.spans):
        return None
    start, _ = bot.spans[number]
    chunk = bot.version.contents.chunks[start]
    if chunk.document_id != document_id:
        return None
    place = Place(bot.config.id, bot.version.id, start, (0, 0))
    return PassageLink(chunk.address.article or "", chunk.heading, place.id)
