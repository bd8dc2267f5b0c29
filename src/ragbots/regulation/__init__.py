"""A regulation's structure: addresses, blocks, notes. Pure: values in, values out."""

from ragbots.regulation.address import Reference, find_references, parse_address
from ragbots.regulation.notes import is_elided, is_note, is_repealed, strip_notes
from ragbots.regulation.reading import CELL_JOINT, bare_annexes, cell_texts, readable
from ragbots.regulation.structure import parse

__all__ = [
    "CELL_JOINT",
    "Reference",
    "bare_annexes",
    "cell_texts",
    "find_references",
    "is_elided",
    "is_note",
    "is_repealed",
    "parse",
    "parse_address",
    "readable",
    "strip_notes",
]
