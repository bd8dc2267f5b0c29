"""Printed lines back to the lines that were written.

A printed line goes on in the next one where it is full, that is where the next word would not have
fitted, unless the next one begins something: an article, a 항, the next number of a list. The next
number: `18.>` after `<개정 2025. 12.` is a date, and `제10조제2항에` at the beginning of a line is a
reference, not a heading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ragbots.loaders.pdf_lines import Line
from ragbots.loaders.word_seams import WordSeams
from ragbots.types import SUBITEM_LETTERS

_ARTICLE = re.compile(r"제\s?\d+\s?조(?:의\s?\d+)?\s*(?:[(（][^)）]*[)）](?![가-힣」』,.'’”]|\")|삭\s?제|$)")
_DIVISION = re.compile(r"제\s?\d+\s?[편장절관](?:의\s?\d+)?(?:\s|$)")
_SECTION = re.compile(
    r"부\s*칙\s*(?:[<(（〈]|$)|\[\s*별\s*[표지]|비고\s*(?:[:：]|$)"
    r"|별\s*[표지]\s*제?\s*\d*(?:의\d+)?(?:호\s*(?:서식)?)?\s*(?:$|.*관련\s*[)\]]$)"
)
_CIRCLED = re.compile(r"[①-⑳㉑-㉟㊱-㊿]|<\d{1,3}>")
_BULLET = re.compile(r"(?:[※○●□■◇◆▪•]|[-–·ㆍ*]\s)")
_NOTE = re.compile(r"\[(?:본조|전문|제목|종전|시행|별표|별지)")
_NUMBERED = (
    ("1.", re.compile(r"(\d{1,3})(?P<branch>의\d+)?\.(?!\s*\d{1,2}\.|\d)\s*(?![>\])])")),
    ("가.", re.compile(rf"([{SUBITEM_LETTERS}])\.\s")),
    ("1)", re.compile(r"(\d{1,2})\)\s*")),
    ("가)", re.compile(rf"([{SUBITEM_LETTERS}])\)\s*")),
    ("(1)", re.compile(r"\((\d{1,2})\)\s*")),
    ("(가)", re.compile(rf"\(([{SUBITEM_LETTERS}])\)\s*")),
)
_STARTS = re.compile("|".join(each.pattern for each in (_ARTICLE, _DIVISION, _SECTION, _CIRCLED, _BULLET, _NOTE)))
_DATE_BEGUN = re.compile(r"\d{4}\.(?:\s*\d{1,2}\.)?$")
_GOES_ON = re.compile(r"(?:[,·ㆍ(「\"“‘]|및|또는|내지)$")
_TIGHT_ROOM = 1.3  # of the type size: less room than that takes no further syllable
_LOOSE_ROOM = 5.0  # of the type size: more room than that is the end of a paragraph anyway
_TIGHT_SHARE = 0.7  # ends of paragraphs make up the rest; ragged lines leave room at two of three
_SPACE_SHARE = 0.25  # of full lines: fewer spaces at their ends than that, and some were dropped
_FEWEST_LINES = 8  # lines below which nothing is said about how a document breaks its lines
_PARAGRAPH_GAP = 1.17  # of the usual distance between lines
_SIZE_CHANGE = 0.08


@dataclass(frozen=True, slots=True)
class Setting:
    """How a document sets its lines, read off the lines themselves."""

    tight: bool | None  # lines are filled to the last syllable: broken anywhere, or justified; None = too few lines
    keeps_spaces: bool  # a space at a line's end is drawn, so where there is none there was none
    pitch: float  # usual distance between the tops of lines of one paragraph, in type sizes; 0 = unknown


@dataclass(slots=True)
class Paragraph:
    """A written line: the printed lines it was made of."""

    lines: list[Line]
    text: str

    @property
    def first(self) -> Line:
        return self.lines[0]


@dataclass(slots=True)
class _Counting:
    """The last number of each kind of list, to know which number can come next."""

    last: dict[str, int] = field(default_factory=dict)

    def begins(self, text: str) -> bool:
        """Whether the text begins with 1, 가, the number after the last of its kind, or a branch of the last."""
        kind, number, branch = _number(text)
        last = self.last.get(kind, 0)
        return number == 1 or (number > 0 and number in ((last, last + 1) if branch else (last + 1,)))

    def note(self, text: str) -> None:
        """Takes in the beginning of a written line."""
        if _ARTICLE.match(text) or _DIVISION.match(text) or _CIRCLED.match(text) or _SECTION.match(text):
            self.last.clear()
        kind, number, _ = _number(text)
        if kind:
            deeper = [name for name, _ in _NUMBERED][[name for name, _ in _NUMBERED].index(kind) + 1 :]
            self.last = {name: count for name, count in self.last.items() if name not in deeper} | {kind: number}


def setting_of(lines: Sequence[Line]) -> Setting:
    """Reads the setting off a document's body lines, in reading order."""
    near = [line for line in lines if line.room < _LOOSE_ROOM * line.size]
    tight = [line for line in near if _leaves_no_room(line)]
    with_space = [line for line in tight if line.ends_with_space]
    pairs = [(one, two) for one, two in pairwise(lines) if _same_column(one, two)]
    gaps = Counter(
        round((two.top - one.top) / one.size, 2) for one, two in pairs if _leaves_no_room(one) and two.top > one.top
    )
    return Setting(
        tight=len(tight) >= _TIGHT_SHARE * len(near) if len(near) >= _FEWEST_LINES else None,
        keeps_spaces=len(with_space) >= max(2, _SPACE_SHARE * len(tight)),
        pitch=gaps.most_common(1)[0][0] if gaps else 0.0,
    )


def paragraphs(lines: Sequence[Line], setting: Setting, seams: WordSeams) -> list[Paragraph]:
    """Printed lines to written lines."""
    made: list[Paragraph] = []
    counting = _Counting()
    for line in lines:
        if made and not _is_new(made[-1], line, setting, counting, seams):
            made[-1].text = _joined(made[-1], line, setting, seams)
            made[-1].lines.append(line)
            continue
        if made:
            counting.note(made[-1].text)
        made.append(Paragraph([line], line.text))
    return made


def join_cell(lines: Sequence[Line], setting: Setting, seams: WordSeams) -> str:
    """The lines of a table cell as one text; a line that was not full ends in a line break."""
    text = ""
    for before, line in zip([None, *lines], lines, strict=False):
        if before is None:
            text = line.text
        elif not is_full(before, line, setting):
            text += "\n" + line.text
        else:
            text = _with_seam(text, before, line, setting, seams)
    return text


def _is_new(paragraph: Paragraph, line: Line, setting: Setting, counting: _Counting, seams: WordSeams) -> bool:
    before = paragraph.lines[-1]
    if before.frame != line.frame or not is_full(before, line, setting):
        return True
    if abs(before.size - line.size) > _SIZE_CHANGE * before.size or before.bold != line.bold:
        return True
    outdented = line.x0 < min(one.x0 for one in paragraph.lines) - line.size / 2
    if _is_apart(before, line, setting) or outdented:
        return True
    if _STARTS.match(line.text) and not _GOES_ON.search(paragraph.text):
        return True
    return _is_next_number(paragraph, line.text, counting) and not _is_word_end(
        paragraph.text, line.text, setting, seams
    )


def is_full(before: Line, line: Line, setting: Setting) -> bool:
    """Whether the beginning of the next line would not have fitted at the end of this one."""
    needed = line.first_unit + line.size / 2 if setting.tight else line.first_word + line.size / 4
    return before.room < max(needed, _TIGHT_ROOM * line.size)


def _is_apart(before: Line, line: Line, setting: Setting) -> bool:
    same_page = before.page == line.page
    return same_page and setting.pitch > 0 and line.top - before.top > _PARAGRAPH_GAP * setting.pitch * line.size


def _is_next_number(paragraph: Paragraph, text: str, counting: _Counting) -> bool:
    if _DATE_BEGUN.search(paragraph.text):
        return False
    so_far = _Counting(dict(counting.last))
    so_far.note(paragraph.text)
    return so_far.begins(text)


def _is_word_end(before: str, text: str, setting: Setting, seams: WordSeams) -> bool:
    """Whether `다.` is the end of a sentence that was broken before it, not the letter of a 목."""
    may_end = setting.tight is not False and text.startswith("다.") and seams.is_seen(before[-1:] + "다.")
    return may_end and not seams.is_space(before, text)


def _number(text: str) -> tuple[str, int, bool]:
    """The kind of list, the number a text begins with, whether it is a branch (`8의2.`); ("", 0, False) for none."""
    for kind, pattern in _NUMBERED:
        if match := pattern.match(text):
            mark = match[1]
            number = int(mark) if mark.isdigit() else SUBITEM_LETTERS.index(mark) + 1
            return kind, number, bool(match.groupdict().get("branch"))
    return "", 0, False


def _joined(paragraph: Paragraph, line: Line, setting: Setting, seams: WordSeams) -> str:
    return _with_seam(paragraph.text, paragraph.lines[-1], line, setting, seams)


def _with_seam(text: str, before: Line, line: Line, setting: Setting, seams: WordSeams) -> str:
    if before.ends_with_space:
        return f"{text} {line.text}"
    if setting.keeps_spaces:
        return text + line.text
    broken = _leaves_no_room(before) if setting.tight is None else setting.tight
    return seams.join(text, line.text, words_are_broken=broken)


def _leaves_no_room(line: Line) -> bool:
    return line.room < _TIGHT_ROOM * line.size


def _same_column(one: Line, two: Line) -> bool:
    return one.page == two.page and one.frame == two.frame
