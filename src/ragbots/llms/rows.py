"""Which rows of a table answer a question: by the labels they begin with, the columns, and the remarks below."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragbots.regulation import CELL_JOINT, cell_texts, readable
from ragbots.regulation.quantities import Quantity, admits, quantities
from ragbots.types import Block, BlockKind

Numbered = tuple[int, Block]
_Explanation = Callable[[str, str], str]  # a column and a label in it → what is listed for it

_IN_COLUMN, _IN_VALUE, _IN_TITLE = 0.9, 0.8, 0.6  # what a word counts outside a label
_INSIDE_WORD = 0.5  # 부장 in 본부장
_SENTENCE = re.compile(
    r"(?<=[.다)])(?<!\d\.)(?<!\d\))(?<!\s[가나다라마바사][.)])\s+(?=\d{1,2}[.)]\s|[가-하][.)]\s|[※*]|\D)"
)
_POINT = re.compile(r"^(?:비\s*고\s*[:：]?\s*)?(?:\d{1,2}[.)]\s*|[가-하][.)]\s*)?[\"“'‘]?")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as rows are matched with it: weighted words without single letters and bare numbers, and amounts."""

    terms: Mapping[str, float]
    amounts: tuple[Quantity, ...]

    @classmethod
    def of(cls, question: str, terms: Mapping[str, float]) -> Asked:
        words = {term: weight for term, weight in terms.items() if len(term) > 1 and not term.isdigit() and weight > 0}
        return cls(words, tuple(quantities(question)))

    @property
    def heaviest(self) -> float:
        return max(self.terms.values(), default=1.0)

    @property
    def total(self) -> float:
        return sum(self.terms.values()) + self.heaviest * len(self.amounts)


@dataclass(frozen=True, slots=True)
class Row:
    """A row with what of the question it matches (word → weight): `labels` only in the cells that tell it from
    other rows, `all` anywhere, its table's title and column headings included."""

    part: Numbered
    labels: Mapping[str, float]
    all: Mapping[str, float]
    share: float
    text: str


def rows_of(blocks: Sequence[Numbered], title: str, asked: Asked, wide: int) -> list[Row]:
    """Every data row of an article or annex, matched with the question; of one with more than `wide`
    characters the labels and the cells that were asked for."""
    remarks = [sentence for _, block in blocks if is_remark(block) for sentence in sentences(readable(block))]
    grouped = groupby(
        (part for part in blocks if part[1].cells), key=lambda part: tuple(name for name, _ in part[1].cells)
    )
    tables = [list(table) for _, table in grouped]
    explained = _Explained(remarks, [[block for _, block in table] for table in tables])
    return [
        row for number, table in enumerate(tables) for row in _table(table, title, explained.of(number), asked, wide)
    ]


class _Explained:
    """What the remarks below a table, and the other tables of its annex, say of its labels."""

    def __init__(self, remarks: Sequence[str], tables: Sequence[Sequence[Block]]) -> None:
        self._remarks = remarks
        self._tables = tables

    def of(self, table: int) -> _Explanation:
        return lambda name, value: self._words(name, value, table)

    def _words(self, name: str, value: str, own: int) -> str:
        """What is listed for a label: `3. 다등급은 중국, 베트남 …`, or a row `다 | 중국, 베트남 …` of another table."""
        listed = [remark for remark in self._remarks if _explains(remark, name, value)]
        for number, table in enumerate(self._tables):
            if number != own:
                listed += [readable(row) for row in table if name and row.cells[0] == (name, value)]
        return "\n".join(listed)


def is_remark(block: Block) -> bool:
    return (
        block.kind is BlockKind.TEXT
        and bool(block.address)
        and re.match(r"비\s*고|[※*]|주\s*[:)]", block.text) is not None
    )


def sentences(text: str) -> list[str]:
    """The points of a remark, `1. …`, `2. …`, or its sentences."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


def _table(parts: list[Numbered], title: str, explained: _Explanation, asked: Asked, wide: int) -> list[Row]:
    width = _label_columns([block for _, block in parts])
    labels = [_labels(block, width, explained, asked) for _, block in parts]
    common = {key: min(found.get(key, 0.0) for found in labels) for key in labels[0]} if len(labels) > 1 else {}
    rows = []
    for part, found in zip(parts, labels, strict=True):
        own = {key: weight for key, weight in found.items() if weight > common.get(key, 0.0)}
        elsewhere = _elsewhere(part[1], width, title, asked)
        whole = {key: max(found.get(key, 0.0), elsewhere.get(key, 0.0)) for key in {*found, *elsewhere}}
        share = sum(whole.values()) / asked.total if asked.total else 0.0
        rows.append(Row(part, own, whole, share, _quoted(part[1], width, asked, wide)))
    return rows


def _label_columns(rows: Sequence[Block]) -> int:
    """How many leading cells it takes to tell the rows apart; at least one, never all."""
    width = min(len(row.cells) for row in rows)
    for columns in range(1, width):
        if len({tuple(value for _, value in row.cells[:columns]) for row in rows}) == len(rows):
            return columns
    return max(1, width - 1)


def _labels(row: Block, width: int, explained: _Explanation, asked: Asked) -> dict[str, float]:
    """The words and amounts that a row's labels match, themselves or through what explains them."""
    found: dict[str, float] = {}
    for name, value in row.cells[:width]:
        in_name = _words(asked, name)  # 가족 in the column `가족 동반 여부` does not choose `가족 동반`
        listed = _listed(_words(asked, text), text) if (text := value and explained(name, value)) else {}
        for words, factor in ((_words(asked, value), 1.0), (listed, _IN_COLUMN)):
            for term, weight in words.items():
                if term not in in_name:
                    found[term] = max(found.get(term, 0.0), factor * weight)
        for number, amount in enumerate(asked.amounts):
            if admits(value, amount):
                found[f"amount {number}"] = asked.heaviest
    return found


def _listed(words: Mapping[str, float], text: str) -> dict[str, float]:
    """Those of the words that stand in an enumeration: others are the explanation's own, not what it explains."""
    lists = {
        term: rf"[,·、]\s?{re.escape(term)}|{re.escape(term)}[가-힣]{{0,4}}\s?[,·、]|{re.escape(term)}\s등"
        for term in words
    }
    return {term: weight for term, weight in words.items() if re.search(lists[term], text.lower())}


def _explains(remark: str, name: str, value: str) -> bool:
    """`3. 다등급은 중국, 베트남 …` explains the value `다` of the column `지역 등급`."""
    words = _POINT.sub("", remark)
    if not words.startswith(value):
        return False
    rest = words[len(value) :].lstrip()
    return len(value) > 1 or any(rest.startswith(word) for word in name.split())


def _elsewhere(row: Block, width: int, title: str, asked: Asked) -> dict[str, float]:
    found = {term: _IN_TITLE * weight for term, weight in _words(asked, title).items()}
    names = " ".join(name for name, _ in row.cells)
    values = " ".join(value for _, value in row.cells[width:])
    for part, text in ((_IN_VALUE, values), (_IN_COLUMN, names)):
        for term, weight in _words(asked, text).items():
            found[term] = max(found.get(term, 0.0), part * weight)
    for number, amount in enumerate(asked.amounts):
        if any(admits(name, amount) or admits(value, amount) for name, value in row.cells):
            found[f"amount {number}"] = _IN_COLUMN * asked.heaviest
    return found


def _quoted(row: Block, width: int, asked: Asked, wide: int) -> str:
    texts = cell_texts(row)
    if sum(map(len, texts)) <= wide:
        return readable(row)
    cells = [cell for cell in row.cells if cell[1].strip()]
    wanted = [at < width or bool(_words(asked, f"{name} {value}")) for at, (name, value) in enumerate(cells)]
    kept = [text for text, keep in zip(texts, wanted, strict=False) if keep]
    return CELL_JOINT.join(kept) if len(kept) > width else readable(row)


def _words(asked: Asked, text: str) -> dict[str, float]:
    """The question's words that stand in a text; one that stands only inside another word counts less."""
    plain = text.lower().replace(",", "")
    found = {}
    for term, weight in asked.terms.items():
        if term in plain:
            whole = re.search(rf"(?<![가-힣a-z0-9]){re.escape(term)}", plain) is not None
            found[term] = weight if whole else _INSIDE_WORD * weight
    return found
