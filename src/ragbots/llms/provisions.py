"""The provisions of an article: what is quoted as one, how well each fits a question, and which of its words answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from ragbots.asking import figure_missing
from ragbots.llms.rows import is_remark
from ragbots.ports import Material
from ragbots.regulation import find_references, is_repealed, readable
from ragbots.types import Address, Block, BlockKind, Level

Numbered = tuple[int, Block]

_UNIT = (Level.PARAGRAPH, Level.ROW, Level.ARTICLE, Level.ANNEX, Level.ADDENDUM)
_READ = (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.SUBITEM, BlockKind.TEXT, BlockKind.ROW)
_LISTED = (BlockKind.ITEM, BlockKind.SUBITEM)
_SENTENCE = re.compile(r"(?<=[다요음함][.])\s+")
_HANGS_ON = re.compile(r"이\s?경우|다만|그러나|단,")  # a sentence that begins so says more of the one before it
_SHORT_WORD = r"(?<![가-힣a-z0-9])"  # 한 글자 words stand inside any other: they count where a word begins


@dataclass(frozen=True, slots=True)
class Provision:
    """항 with its 호 and 목, a row, or the text of a plain page. `text` is what is quoted, empty = all of it.

    `fit`: how well it fits (see `fit_of`); `share` of the question's words in it; `found`: it lies in the chunk
    that was found; `answers`: the parts of the question, with their words, that it was taken for.
    """

    material: int
    parts: tuple[Numbered, ...]
    fit: float = 0.0
    share: float = 0.0
    found: bool = False
    text: str = ""
    answers: tuple[tuple[str, Mapping[str, float]], ...] = ()

    @property
    def whole(self) -> str:
        return readable_text(self.parts)


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a provision. Of its own: `cosine` (of its nearest chunk, in tenths, below the best there
    is), `words` and `own_words` (BM25 of its best chunk, as a share of the best anywhere and in its article),
    `share` (of the question's words in it), `figure` (it holds a figure of the kind asked for), `found` (it
    lies in the chunk that was found), `opening`, `depth` (the first of its article; 0–1 from first to last).
    Of its article: `lead` (ranked first), `behind` (how far its score stands below the first one's), `nearest`
    (as `cosine`, of the article's best chunk)."""

    cosine: float
    words: float
    own_words: float
    share: float
    figure: float
    found: float
    opening: float
    depth: float
    lead: float
    behind: float
    nearest: float


def fit_of(signs: Signs, weights: Mapping[str, float]) -> float:
    """The logarithm of how likely the provision answers, but for a constant that all of a question share."""
    return float(sum(weights[name] * value for name, value in asdict(signs).items()))


def likelihoods(fits: Sequence[float]) -> list[float]:
    """The chance of each to be the one that answers; they sum to 1."""
    highest = max(fits, default=0.0)
    raised = [math.exp(fit - highest) for fit in fits]
    return [one / sum(raised) for one in raised]


def provisions(blocks: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """What is quoted as one: a 항 with its 호 and 목, a row, a paragraph of a plain page. Headings, notes and
    what is repealed are left out."""
    group: list[Numbered] = []
    unit = Address()
    for index, block in blocks:
        if block.kind not in _READ or is_repealed(block) or (block.kind is BlockKind.ROW and not block.cells):
            continue  # column headings are said by the rows below them
        own = block.address.up_to(*_UNIT)
        if group and (own != unit or not own):
            yield group
            group = []
        unit = own
        group.append((index, block))
    if group:
        yield group


def readable_text(parts: Sequence[Numbered]) -> str:
    return "\n".join(readable(block) for _, block in parts)


def share_of(terms: Mapping[str, float], text: str) -> float:
    """The weight of the question's words in the text, of all their weight (0–1); those of one syllable only
    where a word begins with them."""
    total = sum(terms.values())
    plain = text.lower().replace(",", "")
    return sum(weight for term, weight in terms.items() if _stands(term, plain)) / total if total else 0.0


def _stands(term: str, plain: str) -> bool:
    if len(term) > 1 or term.isdigit():
        return term in plain
    return re.search(_SHORT_WORD + re.escape(term), plain) is not None


def asks_figure(question: str) -> bool:
    return figure_missing(question, "") > 0


def holds_figure(question: str, text: str) -> bool:
    """Whether a figure is asked for and the text holds one of that kind."""
    return asks_figure(question) and not figure_missing(question, text)


# ---------------------------------------------------------------- how well they fit


def judged(
    material: Sequence[Material], question: str, terms: Mapping[str, float], weights: Mapping[str, float]
) -> list[Provision]:
    """The provisions of these articles with how well each fits, best first."""
    found = [
        Provision(number, tuple(parts), fit=fit_of(signs, weights), share=signs.share, found=signs.found > 0)
        for number, parts, signs in signs_of(material, question, terms)
    ]
    return sorted(found, key=lambda one: -one.fit)


def signs_of(
    material: Sequence[Material], question: str, terms: Mapping[str, float]
) -> Iterator[tuple[int, list[Numbered], Signs]]:
    """Every provision of these articles, with its article's index and what speaks for it."""
    near = _Nearness.of(material)
    for number, one in enumerate(material):
        for parts, signs in _signs(number, one, material[0].hit.score, near, question, terms):
            yield number, parts, signs


@dataclass(frozen=True, slots=True)
class _Nearness:
    """The best cosine and the best BM25 score among chunks."""

    cosine: float
    words: float

    @classmethod
    def of(cls, material: Sequence[Material]) -> _Nearness:
        fits = [fit for one in material for fit in one.fits]
        return cls(max((fit.cosine for fit in fits), default=0.0), max((fit.words for fit in fits), default=0.0))


def _signs(
    number: int, one: Material, best_score: float, near: _Nearness, question: str, terms: Mapping[str, float]
) -> Iterator[tuple[list[Numbered], Signs]]:
    here = _Nearness.of([one]) if one.fits else _Nearness(near.cosine, 0.0)
    start, end = one.hit.chunk.blocks
    groups = list(provisions(one.blocks))
    for at, parts in enumerate(groups):
        text = readable_text(parts)
        first, last = parts[0][0], parts[-1][0] + 1
        own = [fit for fit in one.fits if fit.blocks[0] < last and fit.blocks[1] > first]
        words = max((fit.words for fit in own), default=0.0)
        remark = is_remark(parts[0][1])  # it explains a table: only words of its own speak for it
        share = share_of(terms, text)
        there = any(start <= index < end for index, _ in parts)
        signs = Signs(
            cosine=10 * (max((fit.cosine for fit in own), default=here.cosine) - near.cosine),
            words=0.0 if remark else words / (near.words or 1.0),
            own_words=0.0 if remark else words / (here.words or 1.0),
            share=share,
            figure=0.0 if remark else float(holds_figure(question, text)),
            found=float(there and (share > 0 or not remark)),
            opening=float(at == 0),
            depth=at / max(1, len(groups) - 1),
            lead=float(number == 0),
            behind=one.hit.score - best_score,
            nearest=10 * (here.cosine - near.cosine),
        )
        yield parts, signs


# ---------------------------------------------------------------- long lists


def shortened(
    parts: Sequence[Numbered], question: str, terms: Mapping[str, float], long: int, items: int
) -> Sequence[Numbered]:
    """The lead and the items that fit best, each with what it lists, if the whole has more than `long`
    characters; in reading order. At least `items` of them, and those that a proviso of the lead names."""
    lead = [part for part in parts if part[1].kind not in _LISTED]
    listed = _items(parts)
    if sum(len(block.text) for _, block in parts) <= long or len(listed) <= items:
        return parts
    named = {
        step for _, block in lead for reference in find_references(block.text) if (step := _item(reference.address))
    }
    order = sorted(listed, key=lambda item: (_item(item[0][1].address) not in named, -_item_fit(item, question, terms)))
    kept = list(lead)
    length = sum(len(block.text) for _, block in lead)
    for taken, item in enumerate(order):
        length += sum(len(block.text) for _, block in item)
        if taken >= items and length > long and _item(item[0][1].address) not in named:
            break
        kept += item
    return sorted(kept, key=lambda part: part[0])


def _items(parts: Sequence[Numbered]) -> list[list[Numbered]]:
    items: list[list[Numbered]] = []
    for part in parts:
        if part[1].kind is BlockKind.ITEM or (part[1].kind is BlockKind.SUBITEM and not items):
            items.append([part])
        elif part[1].kind is BlockKind.SUBITEM:
            items[-1].append(part)  # an item is nothing without what it lists
    return items


def _item(address: Address) -> object:
    return next((step for step in address.steps if step.level is Level.ITEM), None)


def _item_fit(item: Sequence[Numbered], question: str, terms: Mapping[str, float]) -> float:
    text = readable_text(item)
    return share_of(terms, text) + 0.1 * holds_figure(question, text)


# ---------------------------------------------------------------- the sentence that answers


def marks_in(text: str, question: str, terms: Mapping[str, float]) -> tuple[tuple[int, int], ...]:
    """The range of the sentence that answers, with those that hang on it (`다만, …`); nothing where no sentence
    stands out among several."""
    spans = _sentences(text)
    if len(spans) < 2:
        return ((0, len(text)),) if text else ()
    scored = [share_of(terms, text[a:b]) + 0.3 * holds_figure(question, text[a:b]) for a, b in spans]
    if max(scored) <= 0:
        return ()
    best = max(range(len(spans)), key=lambda at: (scored[at], -at))
    return (spans[best],)


def _sentences(text: str) -> list[tuple[int, int]]:
    """The ranges of the sentences of each line; one that hangs on the sentence before it belongs to it."""
    spans: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        cuts = [0, *(match.end() for match in _SENTENCE.finditer(line)), len(line)]
        begin = True
        for a, b in pairwise(cuts):
            if a == b:
                continue
            end = start + a + len(line[a:b].rstrip())
            if not begin and _HANGS_ON.match(line[a:b]):
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start + a, end))
            begin = False
        start += len(line) + 1
    return spans
