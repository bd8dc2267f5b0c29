"""Which lines are headings: decided over the whole document, since a single line can only look like one.

The articles of a part (the body, one 부칙) are the heaviest ascending chain of the lines that look like
article headings: a cross-reference or a quoted heading of another statute that happens to begin a line
does not fit between its neighbours and so drops out.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from ragbots.regulation.heads import (
    AddendumHead,
    AnnexHead,
    ArticleHead,
    ChapterHead,
    Head,
    Line,
    addendum_head,
    annex_head,
    article_head,
    chapter_head,
)


@dataclass(frozen=True, slots=True)
class Outline:
    """`heads[i]` is what line i opens, or None; lines `contents[0]` to `contents[1]` are a table of contents."""

    heads: tuple[Head | None, ...]
    contents: tuple[int, int]


def outline(lines: Sequence[Line]) -> Outline:
    contents = find_contents(lines)
    heads: list[Head | None] = [None] * len(lines)
    parts: list[list[tuple[int, ArticleHead]]] = [[]]  # the body first, then each addendum
    for index, part, head in _candidates(lines, contents):
        if not isinstance(head, ArticleHead):
            heads[index] = head
        while len(parts) <= part:
            parts.append([])
        if isinstance(head, ArticleHead):
            parts[part].append((index, head))
    for number, candidates in enumerate(parts):
        for index, head in _chain(candidates, strict=number > 0):
            heads[index] = head
    return Outline(tuple(heads), contents)


def _candidates(lines: Sequence[Line], contents: tuple[int, int]) -> Iterator[tuple[int, int, Head]]:
    """(line, part, head): part 0 is the body, n the n-th addendum; annexes hold no articles."""
    addenda, annex_level, where = 0, 0, "body"
    for index, line in enumerate(lines):
        if line.table is not None or contents[0] <= index < contents[1]:
            continue
        if addendum := addendum_head(line):
            addenda, where = addenda + 1, "addendum"
            yield index, 0, addendum
        elif annex := annex_head(line):
            annex_level, where = line.level if line.heading else 0, "annex"
            yield index, 0, annex
        else:
            head = (None if where == "addendum" else chapter_head(line)) or article_head(line)
            if where == "annex" and head and line.heading and 0 < line.level <= annex_level:
                where = "body"
            if head and where != "annex":
                yield index, addenda if where == "addendum" else 0, head


# ---------------------------------------------------------------- the chain of articles

_CERTAIN = 100.0
_LOOK_BACK = 400  # candidates; bounds the time a hostile document can take


def _chain(candidates: list[tuple[int, ArticleHead]], *, strict: bool) -> list[tuple[int, ArticleHead]]:
    """The heaviest ascending chain, and what is certain anyway. `strict`: the numbers leave no gaps."""
    scores: list[float] = []
    before: list[int] = []
    for here, (_, head) in enumerate(candidates):
        best, came = -_start_cost(head), -1
        for there in range(max(0, here - _LOOK_BACK), here):
            previous = candidates[there][1]
            last = previous.last or previous.order
            if last < head.order:
                score = scores[there] - _gap_cost(last, head.order, strict=strict)
                if score > best:
                    best, came = score, there
        scores.append(best + (_CERTAIN if head.certain else head.weight))
        before.append(came)
    kept = set(_walk_back(scores, before))
    kept |= {here for here, (_, head) in enumerate(candidates) if head.certain}
    return [candidates[here] for here in sorted(kept)]


def _walk_back(scores: list[float], before: list[int]) -> Iterator[int]:
    here = max(range(len(scores)), key=scores.__getitem__, default=-1)
    if here >= 0 and scores[here] <= 0:
        return
    while here >= 0:
        yield here
        here = before[here]


def _start_cost(head: ArticleHead) -> float:
    """A chain that does not begin at 제1조 needs two headings to be believed."""
    return 0.0 if head.order == (1, 0) else 4.0


def _gap_cost(last: tuple[int, int], order: tuple[int, int], *, strict: bool) -> float:
    (number, branch), (next_number, next_branch) = last, order
    skipped = next_number - number - 1
    if (skipped < 0 and next_branch == branch + 1) or (skipped == 0 and next_branch == 0):
        return 0.0
    if skipped <= 0:
        return 0.5
    return 3.5 if strict else min(1.0 + skipped / 10, 2.5)


# ---------------------------------------------------------------- tables of contents

_CONTENTS_TITLE = re.compile(r"[\[<【]?\s*(?:목\s*차|차\s*례)\s*[\]>】]?")
_LEADER = re.compile(r"(?:(?<![\s.·…‥․\-_])[\s.·…‥․\-_]{3,}|(?<=[)\]>])\s+|(?<!\s)\t\s*)\d{1,4}$")
_EARLY = 60  # lines


def find_contents(lines: Sequence[Line]) -> tuple[int, int]:
    """The half-open range of lines that only list the headings to come; (0, 0) where there is none.

    Told by page numbers at the line ends, or by headings without bodies that come a second time.
    """
    start = _contents_start(lines)
    if start is None:
        return 0, 0
    titled = _CONTENTS_TITLE.fullmatch(lines[start].text) is not None
    seen: list[Head] = []
    keys: set[Hashable] = set()
    leaders, end, repeated = 0, start + titled, None
    while end < len(lines):
        text = _LEADER.sub("", lines[end].text)
        head = None if lines[end].table else _any_head(replace(lines[end], text=text))
        if head is None:
            break
        if _key(head) in keys:
            repeated = head
            break
        if isinstance(head, ArticleHead) and head.length < len(text):
            break
        seen.append(head)
        keys.add(_key(head))
        leaders += text != lines[end].text
        end += 1
    articles = sum(isinstance(head, ArticleHead) for head in seen)
    if not (leaders >= 3 or (titled and (leaders or repeated)) or (repeated and articles >= 3)):
        return 0, 0
    if isinstance(repeated, ArticleHead) and articles:
        while seen and isinstance(seen[-1], ChapterHead):  # the body's own first chapter
            seen.pop()
            end -= 1
    return start, end


def _contents_start(lines: Sequence[Line]) -> int | None:
    early = range(min(_EARLY, len(lines)))
    for index in early:
        if _CONTENTS_TITLE.fullmatch(lines[index].text):
            return index
    return next((i for i in early if _any_head(replace(lines[i], text=_LEADER.sub("", lines[i].text)))), None)


def _any_head(line: Line) -> Head | None:
    return addendum_head(line) or annex_head(line) or chapter_head(line) or article_head(line)


def _key(head: Head) -> Hashable:
    """What two lines that name the same place share."""
    match head:
        case ArticleHead():
            return head.order
        case ChapterHead():
            return head.step, head.name  # 절 count anew in every 장: the name tells them apart
        case AnnexHead():
            return head.step
        case AddendumHead():
            return head
