"""From elements to blocks with addresses: a line-driven reader.

Nothing is dropped on the way: `count_characters` over the texts of the blocks and the reported
omissions is that of the document. A table's column headings are a ROW block without cells (its address
has no 행); each row's text is its cells, parted by tabs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ragbots.regulation.heads import (
    AddendumHead,
    AnnexHead,
    ArticleHead,
    ChapterHead,
    Head,
    Line,
    Mark,
    mark_of,
)
from ragbots.regulation.notes import is_note
from ragbots.regulation.outline import outline
from ragbots.text import comparable, one_line
from ragbots.types import (
    Address,
    Block,
    BlockKind,
    Document,
    Element,
    ElementKind,
    Level,
    Omission,
    Regulation,
    Step,
    count_characters,
)


def parse(document: Document) -> Regulation:
    """The blocks of a document in reading order; a page without any 조 gives headings and text."""
    lines = list(_lines(document.elements))
    plan = outline(lines)
    reader = _Reader(document.title)
    for index, (line, head) in enumerate(zip(lines, plan.heads, strict=True)):
        following = plan.heads[index + 1] if index + 1 < len(lines) else None
        if isinstance(head, AddendumHead) and not head.label and isinstance(following, AddendumHead):
            reader.gather_addenda(line)
        elif not plan.contents[0] <= index < plan.contents[1]:
            reader.take(line, head)
    contents = "".join(line.text for line in lines[slice(*plan.contents)])
    omissions = (
        Omission("table of contents", document.source, count_characters(contents), "it repeats the headings below"),
    )
    return Regulation(document.id, document.title, reader.blocks, omissions if contents else ())


_LONG_GAP = re.compile(r"\s{9,}")  # no more space than a gap in a table of contents needs
_UNCLOSED = re.compile(r"제\s?\d+\s?조(?:\s?의\s?\d+)?\s*\([^()]{1,50}")


def _lines(elements: tuple[Element, ...]) -> Iterator[Line]:
    """The lines of all elements without empty ones; an article title broken over two lines is mended."""
    waiting: Line | None = None
    for line in _raw_lines(elements):
        if waiting is not None:
            if line.table is None and ")" in line.text[:40] and "(" not in line.text.partition(")")[0]:
                line = Line(f"{waiting.text} {line.text}", waiting.heading, waiting.level, waiting.page)
            else:
                yield waiting
            waiting = None
        if line.table is None and _UNCLOSED.fullmatch(line.text):
            waiting = line
        else:
            yield line
    if waiting is not None:
        yield waiting


def _raw_lines(elements: tuple[Element, ...]) -> Iterator[Line]:
    for element in elements:
        text = element.text
        if element.kind is ElementKind.TABLE:
            if len(element.rows) != 1 or len(element.rows[0]) != 1:
                yield Line("", page=element.page, table=element)
                continue
            text = element.rows[0][0]  # a box drawn around text
        heading = element.kind is ElementKind.HEADING
        for line in text.split("\n"):
            if stripped := _LONG_GAP.sub(" " * 8, line.strip()):
                yield Line(stripped, heading, element.level if heading else 0, element.page)


@dataclass(slots=True)
class _Draft:
    kind: BlockKind
    address: Address
    lines: list[str]
    path: tuple[str, ...]
    heading: str
    page: int | None
    cells: tuple[tuple[str, str], ...] = ()

    def block(self) -> Block:
        return Block(self.kind, self.address, "\n".join(self.lines), self.path, self.heading, self.page, self.cells)


@dataclass(slots=True)
class _Place:
    """Where the reader stands inside an article, addendum or annex: the last 항, 호, 목 and 행 seen."""

    address: Address = field(default_factory=Address)
    heading: str = ""
    boundary: int = 0  # a heading of this level or above ends it
    paragraph: int = 0
    item: tuple[int, int] | None = None
    item_style: str = ""
    letter: int = 0
    rows: int = 0
    remarks: bool = False

    @property
    def annexed(self) -> bool:
        return bool(self.address) and self.address.steps[0].level in (Level.ANNEX, Level.FORM)

    @property
    def here(self) -> Address:
        steps = list(self.address.steps)
        if self.paragraph:
            steps.append(Step(Level.PARAGRAPH, self.paragraph))
        if self.item:
            steps.append(Step(Level.ITEM, *self.item))
        if self.letter:
            steps.append(Step(Level.SUBITEM, self.letter))
        return Address(tuple(steps))


_REMARK = re.compile(r"(?:비\s*고|주\s*석|참\s*고|유의\s?사항|작성\s?방법|[※*]|주\s*[:)\]])")
_UNIT_OF_MEASURE = re.compile(r"[(\[<]\s*단\s?위.{0,40}[)\]>]")
_BRACKETED_TITLE = re.compile(r"[(（][^()（）]{1,60}[)）]")
_SENTENCE = re.compile(r"[다음함][.。]?$|[.。,:;]$")
_SHORT = 60
_LONGEST_NOTE = 300  # an unclosed bracket does not take in the rest of the document
_RUNNING = (BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.SUBITEM, BlockKind.TEXT)
_CHAPTER_RANK, _HEADING_RANK = 0, 10


@dataclass(slots=True)
class _Reader:
    title: str
    drafts: list[_Draft] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    place: _Place = field(default_factory=_Place)
    chapter_level: int = 0
    untitled_chapter: bool = False
    addenda: dict[str, int] = field(default_factory=dict)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(draft.block() for draft in self.drafts)

    def take(self, line: Line, head: Head | None) -> None:
        match head:
            case ChapterHead():
                self._chapter(line, head)
            case ArticleHead():
                self._article(line, head)
            case AddendumHead():
                self._addendum(line, head)
            case AnnexHead():
                self._unit(line, Address((head.step,)), head.title, line.text)
                self.path.clear()
            case None if line.table is not None:
                self._table(line.table)
            case None if line.heading:
                self._heading(line)
            case None:
                self._text(line.text, line.page)

    # -- headings

    def gather_addenda(self, line: Line) -> None:
        """A bare `부칙` above labelled ones: a heading over all of them, not one of them."""
        self._leave(_CHAPTER_RANK)
        self._add(BlockKind.CHAPTER, line.text, line.page, Address())

    def _chapter(self, line: Line, head: ChapterHead) -> None:
        rank = _CHAPTER_RANK + head.step.level
        self._leave(rank)
        steps = tuple(step for step in self._chapter_steps() if step.level < head.step.level)
        self._add(BlockKind.CHAPTER, line.text, line.page, Address((*steps, head.step)))
        self.path.append((rank, head.name))
        self.chapter_level = line.level
        self.untitled_chapter = not head.titled

    def _chapter_steps(self) -> tuple[Step, ...]:
        """The address of the last chapter, while it is still above this place."""
        last = next((draft for draft in reversed(self.drafts) if draft.kind is BlockKind.CHAPTER), None)
        return last.address.steps if last and any(rank < _HEADING_RANK for rank, _ in self.path) else ()

    def _article(self, line: Line, head: ArticleHead) -> None:
        addendum = self.place.address.up_to(Level.ADDENDUM)
        if head.last is not None:  # `제2조부터 제5조까지 생략` stands for articles without being one
            self.place = _Place(addendum, boundary=self.place.boundary)
            self._add(BlockKind.TEXT, line.text, line.page, addendum)
            return
        address = addendum.child(Step(Level.ARTICLE, head.number, head.branch))
        if not addendum:
            self.path = [entry for entry in self.path if entry[0] < _HEADING_RANK + (line.level or 7)]
        self._unit(line, address, head.title, line.text[: head.length].rstrip())
        if rest := line.text[head.length :].strip():
            self._text(rest, line.page)

    def _addendum(self, line: Line, head: AddendumHead) -> None:
        self.path.clear()
        count = self.addenda[head.label] = self.addenda.get(head.label, 0) + 1
        step = Step(Level.ADDENDUM, count if count > 1 else 0, label=head.label)
        self._unit(line, Address((step,)), head.name, line.text[: head.length].rstrip())
        if rest := line.text[head.length :].strip():
            self._text(rest, line.page)

    def _unit(self, line: Line, address: Address, heading: str, text: str) -> None:
        self.place = _Place(address, heading, boundary=line.level or self.chapter_level)
        self._add(BlockKind.ARTICLE, text, line.page, address)

    def _heading(self, line: Line) -> None:
        """A heading that is none of a regulation's own: part of the article it stands in, or a page's section."""
        if self._is_title(line.text):
            self._add(BlockKind.TITLE, line.text, line.page, Address())
            return
        level = line.level or 7
        if self.place.address and level > self.place.boundary:
            self._text(line.text, line.page, alone=True)
            return
        if level <= self.chapter_level or self.place.address.in_addendum or self.place.annexed:
            self.path.clear()
        self._leave(_HEADING_RANK + level)
        self._add(BlockKind.HEADING, line.text, line.page, Address())
        self.path.append((_HEADING_RANK + level, one_line(line.text)))

    def _leave(self, rank: int) -> None:
        """Out of the article, and of every chapter or section of this rank and below."""
        self.place = _Place()
        self.path = [entry for entry in self.path if entry[0] < rank]

    def _is_title(self, text: str) -> bool:
        early = len(self.drafts) < 5 and not any(draft.kind is BlockKind.TITLE for draft in self.drafts)
        return early and not self.place.address and comparable(text) == comparable(self.title)

    # -- what stands below headings

    def _text(self, text: str, page: int | None, *, alone: bool = False) -> None:
        if is_note(text):
            self._add(BlockKind.NOTE, text, page, self.place.address)
        elif not self.place.address:
            self._plain_text(text, page)
        elif not self._extends_heading(text):
            mark = mark_of(text, self.place.address.in_addendum)
            if mark is None or not self._marked(mark, text, page):
                self._unmarked(text, page, alone=alone)

    def _plain_text(self, text: str, page: int | None) -> None:
        last = self.drafts[-1] if self.drafts else None
        if last and last.kind is BlockKind.CHAPTER and self.untitled_chapter and _short(text):
            last.lines.append(text)
            rank, name = self.path.pop()
            self.path.append((rank, f"{name} {one_line(text)}"))
            self.untitled_chapter = False
        else:
            self._add(BlockKind.TITLE if self._is_title(text) else BlockKind.TEXT, text, page, Address())

    def _extends_heading(self, text: str) -> bool:
        """`(목적)` on the line after `제1조`, or an annex's title on the line after `[별표 1]`."""
        last = self.drafts[-1]
        if last.kind is not BlockKind.ARTICLE or last.heading or len(last.lines) > 1:
            return False
        level = self.place.address.steps[-1].level
        if level is Level.ARTICLE and _BRACKETED_TITLE.fullmatch(text):
            title = text[1:-1].strip()
        elif self.place.annexed and self._may_be_title(text):
            title = one_line(text)
        else:
            return False
        last.lines.append(text)
        last.heading = self.place.heading = title
        return True

    def _may_be_title(self, text: str) -> bool:
        measures, remark = _UNIT_OF_MEASURE.fullmatch(text), _REMARK.match(text)
        return _short(text) and not (measures or remark or mark_of(text, in_addendum=False))

    def _marked(self, mark: Mark, text: str, page: int | None) -> bool:
        """Begins a 항, 호 or 목 if its number fits what came before."""
        last = self.drafts[-1]
        if self.place.remarks or (last.kind is BlockKind.NOTE and "다음 각" in last.lines[0]):
            return False
        match mark.level:
            case Level.PARAGRAPH:
                kind = self._begin_paragraph(mark)
            case Level.ITEM:
                kind = self._begin_item(mark)
            case _:
                kind = self._begin_subitem(mark)
        if kind is not None:
            self._add(kind, text, page, self.place.here)
        return kind is not None

    def _begin_paragraph(self, mark: Mark) -> BlockKind | None:
        place = self.place
        if place.annexed or mark.number <= place.paragraph:
            return None
        place.paragraph, place.item, place.letter = mark.number, None, 0
        return BlockKind.PARAGRAPH

    def _begin_item(self, mark: Mark) -> BlockKind | None:
        place = self.place
        if mark.style == ")" and (place.letter or (place.item and place.item_style == ".")):
            return BlockKind.SUBITEM  # 1) below 가.: it has no address of its own
        if not _item_fits(mark, place.item, below_letter=place.letter > 0):
            return None
        place.item, place.item_style, place.letter = (mark.number, mark.branch), mark.style, 0
        return BlockKind.ITEM

    def _begin_subitem(self, mark: Mark) -> BlockKind | None:
        place = self.place
        if mark.style == ")" and (place.letter or place.item):
            return BlockKind.SUBITEM  # 가) below 1)
        if mark.style == ")" or mark.number != place.letter + 1:
            return None
        place.letter = mark.number
        return BlockKind.SUBITEM

    def _unmarked(self, text: str, page: int | None, *, alone: bool) -> None:
        """More of the block above, or the text of an article without 항."""
        last = self.drafts[-1]
        remark = _REMARK.match(text) is not None and self.place.annexed
        apart = alone or remark or _UNIT_OF_MEASURE.fullmatch(text) is not None
        self.place.remarks = self.place.remarks or remark
        if not apart and (last.kind in _RUNNING or _open_note(last)) and not _measures(last):
            last.lines.append(text)
        elif last.kind is BlockKind.ARTICLE and not self.place.annexed and not alone:
            self._add(BlockKind.PARAGRAPH, text, page, self.place.here)
        else:
            self._add(BlockKind.TEXT, text, page, self.place.here)

    def _table(self, table: Element) -> None:
        header, rows = table.rows[: table.header_rows], table.rows[table.header_rows :]
        columns = [
            " ".join(dict.fromkeys(one_line(cell) for cell in column if cell.strip())) for column in _turn(header)
        ]
        if any(cell.strip() for row in header for cell in row):
            text = "\n".join("\t".join(row) for row in header)
            self._add(BlockKind.ROW, text, table.page, self.place.address)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            self.place.rows += 1
            address = self.place.address
            if address:
                address = address.child(Step(Level.ROW, self.place.rows))
            self._add(BlockKind.ROW, "\t".join(row), table.page, address)
            names = [*columns, *[""] * (len(row) - len(columns))]
            self.drafts[-1].cells = tuple((name, one_line(cell)) for name, cell in zip(names, row, strict=False))

    def _add(self, kind: BlockKind, text: str, page: int | None, address: Address) -> None:
        path = tuple(name for _, name in self.path)
        self.drafts.append(_Draft(kind, address, [text], path, self.place.heading, page))


def _turn(rows: tuple[tuple[str, ...], ...]) -> list[list[str]]:
    """Rows to columns; short rows are as long as the longest."""
    width = max((len(row) for row in rows), default=0)
    return [[row[column] if column < len(row) else "" for row in rows] for column in range(width)]


def _short(text: str) -> bool:
    return len(text) <= _SHORT and not _SENTENCE.search(text)


def _measures(draft: _Draft) -> bool:
    return _UNIT_OF_MEASURE.fullmatch(draft.lines[-1]) is not None


def _open_note(draft: _Draft) -> bool:
    """A note that runs on: its bracket is still open, or it announces an enumeration."""
    if draft.kind is not BlockKind.NOTE:
        return False
    text = "".join(draft.lines)
    unclosed = text.count("[") > text.count("]") and len(text) < _LONGEST_NOTE
    return unclosed or "다음 각" in draft.lines[0]


def _item_fits(mark: Mark, last: tuple[int, int] | None, *, below_letter: bool) -> bool:
    """Whether a 호 may follow the last one. 1 begins anew, but not below a 목, where it is part of it."""
    if mark.number == 1 and mark.branch == 0:
        return not below_letter
    if last is None:
        return False
    number, branch = last
    if mark.number == number:
        return mark.branch > branch
    return number < mark.number <= number + (3 if mark.style == "." else 1)
