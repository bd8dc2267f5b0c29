"""Citations: their ids, and the check that quoted words stand where they are said to stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragbots.errors import NotFound
from ragbots.text import comparable
from ragbots.types import Address, Chunk, Citation, Document

_RANGE = r"[0-9]{1,9}-[0-9]{1,9}"
_ID = re.compile(rf"([a-z0-9-]{{1,63}})~([0-9a-z-]{{1,63}})~([0-9]{{1,9}})~({_RANGE}(?:_{_RANGE}){{0,30}})")


@dataclass(frozen=True, slots=True)
class Place:
    """What a citation's id says: the chunk's number in a version, and the blocks quoted (half-open).

    `parts` are the ranges within `blocks` that are quoted, where some between them are not.
    """

    bot: str
    version: str
    chunk: int
    blocks: tuple[int, int]
    parts: tuple[tuple[int, int], ...] = ()

    @property
    def id(self) -> str:
        ranges = "_".join(f"{first}-{last}" for first, last in self.parts or (self.blocks,))
        return f"{self.bot}~{self.version}~{self.chunk}~{ranges}"

    @property
    def quoted(self) -> tuple[int, ...]:
        """The numbers of the quoted blocks, in order."""
        return tuple(number for first, last in self.parts or (self.blocks,) for number in range(first, last))


def read_id(citation_id: str) -> Place:
    """The place a citation's id names. Raises NotFound for what is not an id."""
    match = _ID.fullmatch(citation_id)
    if match is None:
        raise NotFound(f"no citation `{citation_id[:80]}`", for_people="그런 인용이 없습니다.")
    bot, version, chunk, ranges = match.groups()
    parts = tuple((int(first), int(last)) for first, _, last in (one.partition("-") for one in ranges.split("_")))
    return Place(bot, version, int(chunk), (parts[0][0], parts[-1][1]), parts if len(parts) > 1 else ())


def stands_in(quote: str, text: str) -> bool:
    """Whether the quoted words stand in the text; white space and commas do not matter."""
    words = comparable(quote)
    return bool(words) and words in comparable(text)


def cite(
    place: Place,
    chunk: Chunk,
    document: Document,
    address: str,
    quote: str,
    marks: tuple[tuple[int, int], ...] = (),
) -> Citation:
    """`marks`: the character ranges of the quote that answer."""
    return Citation(
        id=place.id,
        source=document.source,
        document=document.title,
        article=chunk.address.article,
        address=address,
        quote=quote,
        link=document.link,
        page=chunk.page,
        marks=marks,
    )


def common_address(addresses: Sequence[Address]) -> Address:
    """The deepest address that holds all of them; empty for none."""
    if not addresses:
        return Address()
    steps = [address.steps for address in addresses]
    shortest = min(steps, key=len)
    depth = next((i for i in range(len(shortest)) if any(s[i] != shortest[i] for s in steps)), len(shortest))
    return Address(shortest[:depth])
