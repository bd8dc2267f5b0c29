"""Finds, for each paragraph that the reading library gives, where it stands in the file.

The library leaves out automatic numbers, drawn letters and embedded objects, and it may give one
paragraph in two pieces. The layout knows these; paragraphs of both are matched in reading order.
"""

from __future__ import annotations

from dataclasses import dataclass

from ragbots.loaders.hwp_layout import Drawn, SectionLayout
from ragbots.loaders.hwp_numbering import Numbering

_WINDOW = 64  # how far ahead a paragraph may stand: cells and boxes are read before or after their anchor


@dataclass(slots=True)
class _Waiting:
    shape: int
    left: str  # its text without white space, as far as it was not found yet
    label: str
    drawn: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What belongs to a paragraph: its number, and what is drawn in it. `known` is False where it was not found."""

    label: str = ""
    drawn: tuple[Drawn, ...] = ()
    known: bool = True


class Anchors:
    """The paragraphs of one section that wait to be found; all numbers are counted beforehand."""

    def __init__(self, section: SectionLayout, numbering: Numbering) -> None:
        self.before: tuple[Drawn, ...] = ()  # drawn before the first paragraph with text
        self._waiting: list[_Waiting] = []
        for paragraph in section.paragraphs:
            label = numbering.label(paragraph.shape, section.outline_id)
            text = compact(paragraph.text)
            if text:
                self._waiting.append(_Waiting(paragraph.shape, text, label, paragraph.drawn))
            elif self._waiting:
                self._waiting[-1].drawn += paragraph.drawn
            else:
                self.before += paragraph.drawn

    def find(self, shape: int, text: str) -> Place:
        """The place of a paragraph; each is given once."""
        wanted = compact(text)
        for number, one in enumerate(self._waiting[:_WINDOW]):
            if one.shape == shape and (wanted in one.left or one.left in wanted):
                return self._take(number, wanted)
        return Place(known=False)

    def rest(self) -> tuple[Drawn, ...]:
        """What is drawn in paragraphs that nobody asked for."""
        return tuple(drawn for one in self._waiting for drawn in one.drawn)

    def _take(self, number: int, wanted: str) -> Place:
        one = self._waiting[number]
        place = Place(one.label, one.drawn)
        one.left = one.left.replace(wanted, "", 1) if wanted in one.left else ""
        one.label, one.drawn = "", ()
        if not one.left:
            del self._waiting[number]
        return place


def compact(text: str) -> str:
    return "".join(text.split())
