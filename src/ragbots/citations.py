"""Citations: their ids, and the check that quoted words stand where they are said to stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ragbots.errors import NotFound
from ragbots.text import comparable
from ragbots.types import Address, Chunk, Citation, Document

_ID = re.compile(r"([a-z0-9-]{1,63})~([0-9a-z-]{1,63})~([0-9]{1,9})~([0-9]{1,9})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Place:
    """What a citation's id says: the chunk's number in a version, and the blocks quoted (half-open)."""

    bot: str
    version: str
    chunk: int
    blocks: tuple[int, int]

    @property
    def id(self) -> str:
        return f"{self.bot}~{self.version}~{self.chunk}~{self.blocks[0]}-{self.blocks[1]}"


def read_id(citation_id: str) -> Place:
    """The place a citation's id names. Raises NotFound for what is not an id."""
    match = _ID.fullmatch(citation_id)
    if match is None:
        raise NotFound(f"no citation `{citation_id[:80]}`", for_people="그런 인용이 없습니다.")
    bot, version, *numbers = match.groups()
    chunk, first, last = map(int, numbers)
    return Place(bot, version, chunk, (first, last))


def stands_in(quote: str, text: str) -> bool:
    """Whether the quoted words stand in the text; white space and commas do not matter."""
    words = comparable(quote)
    return bool(words) and words in comparable(text)


def cite(place: Place, chunk: Chunk, document: Document, address: str, quote: str) -> Citation:
    return Citation(
        id=place.id,
        source=document.source,
        document=document.title,
        article=chunk.address.article,
        address=address,
        quote=quote,
        link=document.link,
        page=chunk.page,
    )


def common_address(addresses: Sequence[Address]) -> Address:
    """The deepest address that holds all of them; empty for none."""
    if not addresses:
        return Address()
    steps = [address.steps for address in addresses]
    shortest = min(steps, key=len)
    depth = next((i for i in range(len(shortest)) if any(s[i] != shortest[i] for s in steps)), len(shortest))
    return Address(shortest[:depth])
