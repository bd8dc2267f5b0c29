"""The text of a model as it comes: sentence by sentence, the markers they go by, and what may be shown."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from ragbots.verification.lines import ENDS, Line, begin_line, sentence_ends
from ragbots.verification.pieces import (
    CONTENTLESS,
    DEPENDS,
    EXCEPTION,
    LEADS,
    Listed,
    Piece,
    Shown,
    is_frame,
    says_figures,
)
from ragbots.verification.plain_text import COMMENT, TOKEN, mark, open_comment, plain, tidy, with_markers
from ragbots.verification.sentences import LETTER, check
from ragbots.verification.sources import HANGUL, ReadSource, read_question, read_source
from ragbots.verification.values import Outcome, Removed, Source, Terms, Verified, Why

_LONGEST_END = 80
_TOO_SHORT_TO_TELL = 12
_KOREAN = 0.4  # of the letters of an answer to a Korean question
_WORD = re.compile(r"[^\W_]")
_BLOCK_START = re.compile(
    r"^(?:#{1,6}(?=\s|$)|>|[-+](?=\s|$)|=+(?=\s|$)|\s|\d{1,9}[.)]\s+(?=(?:\d{1,9}[.)]\s+){0,9}(?:[-+=#]{1,6}(?:\s|$)|>)))+"
)
_ORDINAL = re.compile(r"(?:첫째|둘째|셋째|넷째|다섯째|(?:첫|두|세|네|다섯) ?번째)")


class Checker:
    """Reads an answer piece by piece. `feed` returns what may be shown now: whole sentences, verified, in order.

    `finish().text` is all of that, unless the whole was rejected, which only the end can tell: then it is empty.
    """

    def __init__(self, sources: Sequence[Source], question: str, terms: Terms) -> None:
        self._sources = {source.number: source for source in sources}
        self._reads: dict[int, ReadSource] = {}
        self._terms = terms
        self._asked = read_question(question, terms)
        self._rest = ""  # of the text, not taken yet
        self._scanned = 0  # how far sentence ends were looked for in it
        self._line = Line()
        self._block = 0
        self._pending: list[Piece] = []  # of the block, without markers of their own
        self._last: tuple[int, ...] = ()  # what was marked last in the block
        self._leads: list[Piece] = []  # waiting for what they lead to
        self._list = Listed()
        self._queue: deque[Piece] = deque()
        self._shown = Shown()
        self._removed: list[Removed] = []
        self._kept = self._lost = 0  # sentences with content
        self._gap = self._exception = False  # the sentence before is removed; an exception was
        self._letters = self._hangul = 0
        self._result: Verified | None = None

    def feed(self, piece: str) -> str:
        """Takes the next piece of the model's text; returns what may be shown after what was returned before."""
        if self._result is not None:
            return ""
        before = len(self._shown.text)
        self._rest += piece
        self._take_lines()
        self._take_sentences()
        self._flush()
        return self._shown.text[before:]

    def finish(self) -> Verified:
        """The verified whole; feeding ends here."""
        if self._result is None:
            self._rest = COMMENT.sub(" ", self._rest)
            self._take_lines()
            self._take_line_end(self._rest)
            self._end_block()
            self._end_list()
            self._give_up_leads()
            self._flush()
            self._result = self._judged()
        return self._result

    # --- lines

    def _take_lines(self) -> None:
        if ("\n" in self._rest or "\r" in self._rest) and not open_comment(self._rest):
            *lines, self._rest = re.split(r"\r\n|\n|\r(?!$)", COMMENT.sub(" ", self._rest))
            for line in lines:
                self._take_line_end(line)

    def _take_sentences(self) -> None:
        """The sentences of the unfinished line that something follows already."""
        if "|" in self._rest or self._rest.count("<") > self._rest.count(">"):
            return
        end = 0
        for match in ENDS.finditer(self._rest, self._scanned):
            end = match.end()
        self._scanned = max(0, len(self._rest) - _LONGEST_END)
        if end:
            self._take(self._rest[:end])
            self._rest, self._scanned = self._rest[end:], 0

    def _take_line_end(self, line: str) -> None:
        self._take(line)
        if self._line.kind == "heading":
            self._end_block()
        blank = self._line.blank
        before = "" if blank else self._line.before if self._line.kind == "skip" else self._line.kind
        self._line = Line(row=self._line.row + 1, apart=blank, before=before)
        self._scanned = 0

    def _take(self, raw: str) -> None:
        """Whole sentences of a line, or all that is left of it."""
        text = mark(tidy(raw))
        if not self._line.begun:
            if not text.strip():
                return
            text = begin_line(self._line, text)
            if self._line.kind != "skip":
                self._begin_block(self._line)
        if self._line.kind == "skip":
            return
        if self._line.kind == "row":
            self._add(" | ".join(cell.strip() for cell in text.strip().strip("|").split("|")))
            return
        first = 0
        for end in [*sentence_ends(text), len(text)]:
            self._add(text[first:end])
            first = end

    def _begin_block(self, line: Line) -> None:
        """A line goes on with the block before it, or begins its own; text ends a list."""
        goes_on = (line.kind == line.before and line.kind in ("text", "row")) or (
            line.kind == "text" and line.before == "item" and line.indent > 1
        )
        if goes_on:
            return
        self._end_block()
        self._block += 1
        if line.kind in ("text", "heading"):
            self._end_list()
        else:
            self._count_item(line)
            self._leave_titles(line.indent)

    def _count_item(self, line: Line) -> None:
        """Items below items are not counted."""
        if line.kind == "item":
            self._list.indent = line.indent if self._list.items == 0 else self._list.indent
            self._list.items += line.indent <= self._list.indent

    def _leave_titles(self, indent: int) -> None:
        """An item leads only to items below it."""
        stay: list[Piece] = []
        for lead in self._leads:
            if lead.kind == "item" and lead.indent >= indent and not LEADS.search(lead.words):
                self._abandon(lead)
            else:
                stay.append(lead)
        self._leads = stay

    # --- sentences

    def _add(self, text: str) -> None:
        """One sentence with its tokens: cleaned, then checked now or when its markers are known."""
        cleaned = _BLOCK_START.sub("", plain(text))
        named = [int(number) for token in TOKEN.findall(cleaned) for number in token.split(",") if number]
        numbers = tuple(dict.fromkeys(number for number in named if number in self._sources))
        line = self._line
        piece = Piece(
            cleaned, line.row, line.prefix, line.apart, self._block, line.indent, line.kind, numbers, tuple(named)
        )
        words = piece.words
        if not _WORD.search(words):
            self._take_markers(cleaned, piece)
            return
        self._letters += len(LETTER.findall(words))
        self._hangul += len(HANGUL.findall(words))
        self._list.items += bool(_ORDINAL.match(words))
        self._queue.append(piece)
        if numbers:
            self._settle(piece, numbers)
            self._settle_pending(numbers)
            self._settle_leads(piece, numbers)
        elif named:
            piece.drop(Why.UNKNOWN_SOURCE)
        else:
            self._pending.append(piece)

    def _take_markers(self, tokens: str, marks: Piece) -> None:
        """Markers that stand alone belong to the sentence before them in the block."""
        if marks.numbers and self._pending:
            last = self._pending[-1]
            last.text, last.named, last.numbers = f"{last.text} {tokens}", marks.named, marks.numbers
            self._settle_pending(marks.numbers)

    def _settle(self, piece: Piece, numbers: Sequence[int]) -> None:
        """Checks a sentence against the sources it, or its neighbour, marks."""
        finding = check(piece.words, [self._source(number) for number in numbers], self._asked, self._terms)
        if finding.why is Why.UNRELATED and not piece.named and (piece.kind == "row" or is_frame(piece.words)):
            piece.pass_over()  # the column headings of a table, too
        elif finding.why is not None:
            piece.drop(finding.why)
        elif finding.awaits:
            piece.awaits = finding.awaits
            self._list.announced.append(piece)
        else:
            piece.keep()

    def _settle_pending(self, numbers: tuple[int, ...]) -> None:
        for piece in self._pending:
            self._settle(piece, numbers)
            self._settle_leads(piece, numbers)
        self._pending, self._last = [], numbers

    def _settle_leads(self, piece: Piece, numbers: Sequence[int]) -> None:
        """What leads to a sentence that stays is checked against the same sources."""
        if piece.kept or piece.awaits:
            leads, self._leads = self._leads, []
            for lead in leads:
                self._settle(lead, numbers)

    def _source(self, number: int) -> ReadSource:
        if number not in self._reads:
            self._reads[number] = read_source(self._sources[number], self._terms)
        return self._reads[number]

    # --- ends of blocks and lists

    def _end_block(self) -> None:
        """Sentences still without markers take the last of their block, or of what leads into their list."""
        pending, numbers = self._pending, self._last
        in_list = bool(pending) and pending[0].kind in ("item", "row")
        if not numbers and in_list:
            numbers = self._list.sources
        if numbers:
            self._settle_pending(numbers)
        else:
            for piece in pending:
                if piece is pending[-1] and piece.leads:
                    self._leads.append(piece)
                else:
                    self._abandon(piece)
        if not self._list.items and not in_list:
            self._list.sources = self._last or self._list.sources
        self._pending, self._last = [], ()

    def _end_list(self) -> None:
        if self._list.items:
            self._give_up_leads()
        for piece in self._list.announced:
            if piece.awaits == self._list.items:
                piece.keep()
            else:
                piece.drop(Why.FIGURE)
        self._list = Listed()

    def _give_up_leads(self) -> None:
        for piece in self._leads:
            self._abandon(piece)
        self._leads = []

    def _abandon(self, piece: Piece) -> None:
        """No source anywhere: words without content go quietly, everything else is removed."""
        if is_frame(piece.words) or (piece.kind == "heading" and not says_figures(piece.words)):
            piece.pass_over()
        else:
            piece.drop(Why.NO_SOURCE)

    # --- what comes out

    def _flush(self) -> None:
        """Gives out the sentences decided, up to the first that is not."""
        while self._queue and self._queue[0].decided:
            piece = self._queue.popleft()
            if piece.kept and self._gap and DEPENDS.match(piece.words):
                piece.drop(Why.DEPENDENT)
            if piece.kept:
                self._show(piece)
            else:
                self._remove(piece)

    def _remove(self, piece: Piece) -> None:
        self._shown.apart |= piece.apart
        if piece.why is None:
            return
        self._removed.append(Removed(with_markers(piece.text, piece.named), piece.why))
        self._lost += 1
        self._gap = True
        self._exception |= bool(EXCEPTION.match(piece.words))

    def _show(self, piece: Piece) -> None:
        shown = self._shown
        unknown = [number for number in dict.fromkeys(piece.named) if number not in piece.numbers]
        self._removed += [Removed(f"[{number}]", Why.UNKNOWN_SOURCE) for number in unknown]
        self._gap = False
        self._kept += not (piece.kind == "heading" or CONTENTLESS.search(piece.words))
        beginning = "" if piece.row == shown.row else piece.prefix
        shown.text += self._joint(piece) + beginning + with_markers(piece.text, piece.numbers)
        shown.row, shown.kind, shown.block, shown.apart = piece.row, piece.kind, piece.block, False
        shown.cited |= dict.fromkeys(piece.numbers)

    def _joint(self, piece: Piece) -> str:
        """What stands between the last sentence shown and this one."""
        shown = self._shown
        if not shown.text:
            return ""
        if piece.row == shown.row:
            return " "
        new_paragraph = piece.block != shown.block and piece.kind in ("text", "heading")
        return "\n\n" if piece.apart or shown.apart or new_paragraph else "\n"

    def _judged(self) -> Verified:
        why = self._rejection()
        if why is not None:
            removed = (*self._removed, Removed(self._shown.text, why))
            return Verified("", Outcome.REJECTED, (), removed)
        outcome = Outcome.REPAIRED if self._removed else Outcome.VERIFIED
        return Verified(self._shown.text, outcome, tuple(self._shown.cited), tuple(self._removed))

    def _rejection(self) -> Why | None:
        if self._asked.korean and self._letters > _TOO_SHORT_TO_TELL and self._hangul < _KOREAN * self._letters:
            return Why.LANGUAGE
        if self._exception:
            return Why.EXCEPTION
        return Why.LITTLE_LEFT if not self._kept or self._kept < self._lost else None


def verify(text: str, sources: Sequence[Source], question: str, terms: Terms) -> Verified:
    """The whole text at once; never raises. `terms` are the words of a text that carry meaning."""
    checker = Checker(sources, question, terms)
    checker.feed(text)
    return checker.finish()
