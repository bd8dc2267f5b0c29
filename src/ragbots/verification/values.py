"""What the check is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ragbots.types import Address

Terms = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Source:
    """A passage the model was given: its number as in the marker `[3]`, the title of its regulation, where it
    stands (empty on plain pages), the heading and the words."""

    number: int
    document: str
    address: Address
    heading: str
    text: str


class Outcome(StrEnum):
    VERIFIED = "verified"
    REPAIRED = "repaired"
    REJECTED = "rejected"


class Why(StrEnum):
    NO_SOURCE = "no_source"
    UNKNOWN_SOURCE = "unknown_source"
    FIGURE = "figure"
    CASE = "case"  # the figure stands in the passage, for something else
    REFERENCE = "reference"
    QUOTATION = "quotation"
    UNRELATED = "unrelated"
    OPPOSITE = "opposite"
    DEPENDENT = "dependent"
    EXCEPTION = "exception"  # the removed sentence limits what would stay
    LITTLE_LEFT = "little_left"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Removed:
    text: str
    why: Why


@dataclass(frozen=True, slots=True)
class Verified:
    """What may be shown: paragraphs and lists of plain text with markers; empty where rejected.

    `cited` are the numbers of the sources marked in it, in order of first use."""

    text: str
    outcome: Outcome
    cited: tuple[int, ...]
    removed: tuple[Removed, ...]
