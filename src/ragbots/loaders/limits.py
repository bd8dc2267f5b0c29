"""What one file may cost before it is given up."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Limits for each file, in bytes where no unit is named.

    `memory` is what reading may take above what the process held when it began. `seconds` are of
    the wall clock. `file` is the largest file, on disk or as an entry of an archive; `unpacked` all
    entries of one archive together, `entries` their number. `answer` is the largest document (its
    text, packed for the way back), `pages` its longest.
    """

    memory: int = 512 * MIB
    seconds: float = 60.0
    file: int = 256 * MIB
    unpacked: int = 1024 * MIB
    entries: int = 10_000
    answer: int = 64 * MIB
    pages: int = 3_000
