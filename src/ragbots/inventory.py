"""What a bot's sources hold now, and which of it is a document that was there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ragbots.ports import Listing, SourceFile
from ragbots.text import digest
from ragbots.types import Omission

T = TypeVar("T")
_ID_LENGTH = 16
_EMPTY = digest(b"")


@dataclass(frozen=True, slots=True)
class Inventory:
    """The files to read, what is not read, and the hash of everything a version of them depends on."""

    files: tuple[SourceFile, ...]
    omissions: tuple[Omission, ...]
    inputs: str


@dataclass(frozen=True, slots=True)
class Named:
    """What a document can be known by: its path, the hash of its bytes, its title."""

    source: str
    digest: str
    title: str


def take_inventory(bot: str, listings: Sequence[Listing], recipe: Sequence[str]) -> Inventory:
    """The files of all sources of a bot; of files with the same bytes the first by name is read.

    A name that an earlier source holds already is told apart by the number of its source: `출처 2/휴가.md`.
    `recipe` is all else that shapes a version.
    """
    listed = sorted(_told_apart(listings), key=lambda file: file.source)
    beside = sidecars(listed)
    twins = _twins([file for file in listed if file.source not in beside])
    files = tuple(file for file in listed if file.source not in twins)
    omissions = [omission for listing in listings for omission in listing.omissions]
    omissions += [
        Omission(f"copy: {source}", source, 0, f"the same file as {first}", expected=True)
        for source, first in twins.items()
    ]
    parts = [f"{file.source}\0{file.digest}\0{file.link or ''}" for file in listed]
    return Inventory(files, tuple(omissions), digest("\n".join([bot, *parts, *recipe])))


def sidecars(files: Sequence[SourceFile]) -> dict[str, str]:
    """The files that only say something of another, with its name: `여비규정.hwp.yaml` of `여비규정.hwp`."""
    names = {file.source for file in files}
    split = ((file.source, file.source.rpartition(".")) for file in files)
    return {source: of for source, (of, _, ending) in split if ending.lower() in ("yaml", "yml") and of in names}


def _told_apart(listings: Sequence[Listing]) -> Iterator[SourceFile]:
    """The files under names that are each one's own."""
    taken: set[str] = set()
    for number, listing in enumerate(listings, 1):
        for file in listing.files:
            name = file.source
            while name in taken:
                name = f"출처 {number}/{name}"
            taken.add(name)
            yield replace(file, source=name)


def _twins(files: Sequence[SourceFile]) -> dict[str, str]:
    """Each file whose bytes an earlier one has, with the name of that one. Empty files are not alike: each is named."""
    first: dict[str, str] = {}
    twins: dict[str, str] = {}
    for file in files:
        if file.digest == _EMPTY:
            continue
        before = first.setdefault(file.digest, file.source)
        if before != file.source:
            twins[file.source] = before
    return twins


def identify(bot: str, documents: Sequence[Named], known: Mapping[str, Named]) -> dict[str, str]:
    """The id of each document, by source; `known` are those of the version before, by id.

    A document keeps its id where its file was left alone, renamed (the same bytes), replaced (the
    same path), or uploaded anew under another name (the same title, and the old file is gone).
    Everything else is new.
    """
    ids: dict[str, str] = {}
    left = dict(known)
    for same in (_same_file, _same_bytes, _same_path, _same_title):
        waiting = [document for document in documents if document.source not in ids]
        for document, document_id in same(waiting, left):
            ids[document.source] = document_id
            del left[document_id]
    for document in documents:
        if document.source not in ids:
            ids[document.source] = _new_id(bot, document, {*known, *ids.values()})
    return ids


Pairs = Iterator[tuple[Named, str]]


def _same_file(documents: Iterable[Named], known: Mapping[str, Named]) -> Pairs:
    places = {(one.source, one.digest): document_id for document_id, one in known.items()}
    return ((one, places[one.source, one.digest]) for one in documents if (one.source, one.digest) in places)


def _same_bytes(documents: Iterable[Named], known: Mapping[str, Named]) -> Pairs:
    digests = {one.digest: document_id for document_id, one in known.items()}
    return ((one, digests[one.digest]) for one in documents if one.digest in digests)


def _same_path(documents: Iterable[Named], known: Mapping[str, Named]) -> Pairs:
    paths = {one.source: document_id for document_id, one in known.items()}
    return ((one, paths[one.source]) for one in documents if one.source in paths)


def _same_title(documents: Iterable[Named], known: Mapping[str, Named]) -> Pairs:
    """Only where one document that is new and one that is gone bear the title."""
    new, gone = _by_title((one.title, one) for one in documents), _by_title((one.title, i) for i, one in known.items())
    return ((new[title][0], gone[title][0]) for title in new if len(new[title]) == 1 == len(gone.get(title, ())))


def _by_title(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for title, one in pairs:
        grouped.setdefault(title, []).append(one)
    return grouped


def _new_id(bot: str, document: Named, taken: set[str]) -> str:
    """From the path; where another document bears that id (its file was renamed), from the bytes too."""
    plain = digest(f"{bot}\0{document.source}")[:_ID_LENGTH]
    return plain if plain not in taken else digest(f"{bot}\0{document.source}\0{document.digest}")[:_ID_LENGTH]
