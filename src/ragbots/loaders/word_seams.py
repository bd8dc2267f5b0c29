"""Where a printed line ends and the next begins: a space between them, or one word broken in two?

PDF producers that break Korean between syllables often drop the space at a line's end. Punctuation
and numbers tell some cases; most others are told by the document itself, which has the same words
in the middle of other lines; Kiwi tells the rest by which reading makes words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from kiwipiepy import Kiwi

_CONTEXT = 40  # characters on either side that Kiwi sees
_MAJORITY = 0.8  # of what the document shows elsewhere
_NO_SPACE_BEFORE = tuple(",.;:!?)]}」』〉》”’>%~·ㆍ")
_NO_SPACE_AFTER = tuple("([{「『〈《“‘<~·ㆍ")
_SPACE_BEFORE = tuple("「『“‘<[①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮")
_SPACE_AFTER = tuple(",.;:!?")
_UNIT_START = re.compile(
    r"(?:[편장절관조항호목일월년원개급회명건주점배차층인세]|시간|분의|부터|까지|이상|이하|미만|퍼센트|만|천|억|킬로|미터|달러|의\d)"
)
_VERBAL = re.compile(
    r"(?:하여|하였|하는|하지|하고|하며|하면|하기|하려|한다|된다|되는|되어|되지|되고|되며|되면|시키|시켜)"
)
_PARTICLES = tuple("을를은는이가도만게록지고며여서로에의야")  # nouns before 하다 end in something else, as a rule
_LETTER = re.compile(r"[A-Za-z0-9]")


class KiwiSpacing:
    """Kiwi's opinion; loaded only when a seam needs it."""

    @cached_property
    def _kiwi(self) -> Kiwi:
        return Kiwi(num_workers=1)

    def prepare(self) -> None:
        _ = self._kiwi

    def is_space(self, left: str, right: str) -> bool:
        _, spaces = self._kiwi.glue([left[-_CONTEXT:], right[:_CONTEXT]], return_space_insertions=True)
        return bool(spaces[0])


class WordSeams:
    """Decides for the lines of one document, one pair at a time."""

    def __init__(self, lines: Iterable[str], spacing: KiwiSpacing) -> None:
        self._lines = "\n".join(lines)
        self._spacing = spacing

    def join(self, left: str, right: str, *, words_are_broken: bool) -> str:
        """Both lines as one text. Where lines break between words only, all but punctuation gets a space."""
        is_space = self.is_space(left, right) if words_are_broken else _by_punctuation(left, right) is not False
        return f"{left} {right}" if is_space else left + right

    def is_space(self, left: str, right: str) -> bool:
        """Whether a space stood between the end of one line and the beginning of the next."""
        for opinion in (_by_numbers, _by_punctuation, self._by_document, _by_verb):
            found = opinion(left, right)
            if found is not None:
                return found
        return self._spacing.is_space(left, right)

    def is_seen(self, words: str) -> bool:
        """Whether the words stand in the middle of a line of the document."""
        return words in self._lines

    def _by_document(self, left: str, right: str) -> bool | None:
        """What stands in the middle of lines, for the longest pieces of both words that stand there."""
        for end, start in _pieces(left.split()[-1], right.split()[0]):
            together, apart = self._lines.count(end + start), self._lines.count(f"{end} {start}")
            if max(together, apart) >= _MAJORITY * (together + apart) > 0:
                return apart > together
        return None


def _pieces(last: str, first: str) -> Iterator[tuple[str, str]]:
    """Ever shorter ends and beginnings of two words; one syllable on each side says nothing."""
    yield last, first
    for size in (3, 2):
        yield last[-size:], first[:size]
    yield last[-1:], first[:2]


def _by_numbers(left: str, right: str) -> bool | None:
    """A broken number or a number and its unit are one; None where there is no number at the seam."""
    if left[-1:].isdigit() and right[:1].isdigit():
        return False
    if left[-2:-1].isdigit() and left.endswith(",") and right[:1].isdigit():
        return False
    if left[-1:].isdigit() and _UNIT_START.match(right):
        return False
    if left.endswith("제") and re.match(r"\d+[편장절관조항호목]", right):
        return False
    return None


def _by_punctuation(left: str, right: str) -> bool | None:
    if right.startswith((*_NO_SPACE_BEFORE, "(")) or left.endswith(_NO_SPACE_AFTER):
        return False
    if right.startswith(_SPACE_BEFORE) or left.endswith(_SPACE_AFTER):
        return True
    return True if _LETTER.match(left[-1:]) and _LETTER.match(right[:1]) else None


def _by_verb(left: str, right: str) -> bool | None:
    """A noun and the 하다 or 되다 that makes a verb of it are one word."""
    return False if _VERBAL.match(right) and not left.endswith(_PARTICLES) else None
