"""From elements to blocks with addresses: a line-driven reader.

Nothing is dropped on the way: `count_characters` over the texts of the blocks and the reported
omissions is that of the document. A table's column headings are a ROW block without cells (its address
has no 행); each row's text is its cells, parted by tabs. Rows are counted within the 조, 항, 호 or annex
they stand in, through all its tables.
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
from ragbots.regulation.notes import is_note, strip_notes
from ragbots.regulation.outline import outline
from ragbots.regulation.reading import bare_annexes
from ragbots.regulation.tables import UNIT_LINE, Row, Table, as_read, column_names, lay_out, unit_of, with_names
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
    OmissionKind,
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
    contents = count_characters("".join(line.text for line in lines[slice(*plan.contents)]))
    omissions = [*reader.omissions, *_annexes_without_text(reader)]
    if contents:
        why = "it repeats the headings below"
        omissions.append(Omission("table of contents", document.source, contents, why, expected=True))
    return Regulation(document.id, document.title, reader.blocks, tuple(omissions))


def _annexes_without_text(reader: _Reader) -> Iterator[Omission]:
    """Annexes of which there is a heading and perhaps a picture, and nothing to read."""
    blocks = reader.blocks
    for number in bare_annexes(blocks):
        address = blocks[number].address
        why = "it is a picture" if address in reader.pictured else "there is no text below its heading"
        name = " ".join(part for part in (str(address), strip_notes(blocks[number].heading)) if part)
        yield Omission(name, str(address), 0, f"{why}; put its text into the document", OmissionKind.ANNEX)


_LONG_GAP = re.compile(r"\s{9,}")  # no more space than a gap in a table of contents needs
_LONGEST_HEADING = 500  # characters: more is text that was given the look of one, and no breadcrumb holds it
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
        if element.kind is ElementKind.PICTURE:
            yield Line("", page=element.page, picture=True)
            continue
        if element.kind is ElementKind.TABLE:
            if len(element.rows) != 1 or len(element.rows[0]) != 1:
                yield Line("", page=element.page, table=element)
                continue
            text = element.rows[0][0]  # a box drawn around text
        heading = element.kind is ElementKind.HEADING and len(text) <= _LONGEST_HEADING
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
    remarks: bool = False
    rows: dict[Address, int] = field(default_factory=dict)  # counted in each 항, 호 and 목
    unit: str = ""  # told over the next table
    table: Table | None = None
    table_end: int = 0  # drafts there were when `table` ended

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
_CONTINUED = re.compile(r"[(\[<]\s*(?:계\s?속|이어서)\s*[)\]>]|계속\s*$")
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
    omissions: list[Omission] = field(default_factory=list)
    pictured: set[Address] = field(default_factory=set)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(draft.block() for draft in self.drafts)

    def take(self, line: Line, head: Head | None) -> None:
        match head:
            case None if line.picture:
                self.pictured.add(self.place.address)
            case ChapterHead():
                self._chapter(line, head)
            case ArticleHead():
                self._article(line, head)
            case AddendumHead():
                self._addendum(line, head)
            case AnnexHead() if self._goes_on(line, head):
                self._omit("repeated heading", line.text, "the annex goes on below it")
            case AnnexHead() if self._says_again(head):
                self._retitle(line.text, head.title)
            case AnnexHead():
                self.path.clear()
                self._unit(line, Address((head.step,)), head.title, line.text)
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

    def _goes_on(self, line: Line, head: AnnexHead) -> bool:
        """`별표 1 국내 여비 정액표(계속)` at the top of the next page."""
        return self.place.address == Address((head.step,)) and _CONTINUED.search(line.text) is not None

    def _says_again(self, head: AnnexHead) -> bool:
        """`[별표 1] 봉급표(제9조 관련)` right below a sheet or section that is called `별표 1 봉급표`."""
        last = self.drafts[-1] if self.drafts else None
        here = Address((head.step,))
        if last is None or last.kind is not BlockKind.ARTICLE or last.address != here or not self.place.heading:
            return False
        return comparable(head.title).startswith(comparable(strip_notes(self.place.heading)))

    def _retitle(self, text: str, title: str) -> None:
        self.drafts[-1].lines.append(text)
        self.drafts[-1].heading = self.place.heading = title

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
        self._retitle(text, title)
        return True

    def _may_be_title(self, text: str) -> bool:
        measures, remark = UNIT_LINE.fullmatch(text), _REMARK.match(text)
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
        measure = UNIT_LINE.fullmatch(text) is not None
        self.place.unit = unit_of(text) if measure else self.place.unit
        apart = alone or remark or measure
        self.place.remarks = self.place.remarks or remark
        if not apart and (last.kind in _RUNNING or _open_note(last)) and not _measures(last):
            last.lines.append(text)
        elif last.kind is BlockKind.ARTICLE and not self.place.annexed and not alone:
            self._add(BlockKind.PARAGRAPH, text, page, self.place.here)
        else:
            self._add(BlockKind.TEXT, text, page, self.place.here)

    def _table(self, element: Element) -> None:
        place = self.place
        adjacent = place.table if place.table_end == len(self.drafts) else None
        layout = lay_out(element, adjacent)
        for row in layout.repeated:
            self._omit("table heading", "".join(row), "the table's column headings again")
        before = layout.before
        names = before.names if before else column_names(layout.header)
        unit = place.unit or (before.unit if before else _unit_in(layout.header))
        if before is None and any(cell.strip() for row in layout.header for cell in row):
            text = "\n".join("\t".join(row) for row in layout.header)
            self._add(BlockKind.ROW, text, element.page, place.here)
        for row in layout.rows:
            self._row(row, names, unit, element.page)
        place.table, place.table_end = as_read(layout, names, unit, element.page), len(self.drafts)
        place.unit = ""

    def _row(self, row: Row, names: tuple[str, ...], unit: str, page: int | None) -> None:
        if not any(cell.strip() for cell in row):
            return
        address = self.place.here
        if address:
            number = self.place.rows[address] = self.place.rows.get(address, 0) + 1
            address = address.child(Step(Level.ROW, number))
        self._add(BlockKind.ROW, "\t".join(row), page, address)
        self.drafts[-1].cells = with_names(row, names, unit)

    def _omit(self, what: str, text: str, why: str) -> None:
        if characters := count_characters(text):
            self.omissions.append(Omission(what, str(self.place.address), characters, why, expected=True))

    def _add(self, kind: BlockKind, text: str, page: int | None, address: Address) -> None:
        path = tuple(name for _, name in self.path)
        self.drafts.append(_Draft(kind, address, [text], path, self.place.heading, page))


def _unit_in(header: tuple[Row, ...]) -> str:
    """The unit that a heading cell tells for the whole table, often in its corner."""
    return next((unit for row in header for cell in row if (unit := unit_of(cell))), "")


def _short(text: str) -> bool:
    return len(text) <= _SHORT and not _SENTENCE.search(text)


def _measures(draft: _Draft) -> bool:
    return UNIT_LINE.fullmatch(draft.lines[-1]) is not None


def _open_note(draft: _Draft) -> bool:
    """A note that runs on: its bracket is still open, or it announces an enumeration."""
    if draft.kind is not BlockKind.NOTE:
        return False
    if "다음 각" in draft.lines[0]:
        return True
    text = "".join(draft.lines)
    return text.count("[") > text.count("]") and len(text) < _LONGEST_NOTE


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
