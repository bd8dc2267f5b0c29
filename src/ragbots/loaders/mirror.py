"""A wiki as a directory: what was fetched, and trees of readable files made of it, one of which is in force.

    store/…          what was fetched, kept under ids; a run that broke off goes on from here
    trees/000007/    a whole wiki: `mirror.json`, and `files/` named by the subjects of the pages
    current          the number of the tree in force

A tree is written beside the others and put in force by replacing `current`: whoever lists the
mirror sees one whole wiki or another, never half of one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from ragbots.errors import Locked
from ragbots.ports import Listing, SourceFile
from ragbots.text import clean, digest, digest_of_file, one_line
from ragbots.types import Omission, OmissionKind

_FORMAT = 1
_NAME_BYTES = 120  # a file name has at most 255 bytes; a Korean letter has 3
_FOLDER_BYTES = 1_000  # a path at most 4,096 on Linux, where the mirror's own place comes before it
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MANIFEST = "mirror.json"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a page: `kept` is its name in the store."""

    id: str
    name: str
    kept: str


@dataclass(frozen=True, slots=True)
class MirrorPage:
    """A page to publish. `suffix` says what `text` is (`.md`, `.html`); an empty text makes no file.

    `parent` is another page's id or None; pages reached from no topmost one are not published.
    """

    id: str
    version: int | None
    parent: str | None
    subject: str
    link: str
    text: str
    suffix: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies below a tree's `files/`: by page id, and by page and attachment id."""

    pages: Mapping[str, str]
    attachments: Mapping[tuple[str, str], str]


class Mirror:
    """The directory of one wiki. Whoever changes it holds `locked`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._store = directory / "store"
        self._trees = directory / "trees"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Raises Locked where another process fetches the same wiki."""
        self._store.mkdir(parents=True, exist_ok=True)
        self._trees.mkdir(exist_ok=True)
        try:
            with FileLock(self._directory / "lock", timeout=0):
                yield
        except Timeout:
            raise Locked(
                f"{self._directory}: another process is fetching this wiki", hint="wait for it to finish"
            ) from None

    # what was fetched

    def kept(self, name: str) -> bytes | None:
        path = self._store / name
        return path.read_bytes() if path.is_file() else None

    def has(self, name: str) -> bool:
        return (self._store / name).is_file()

    def keep(self, name: str, pieces: Iterable[bytes]) -> None:
        """Keeps the pieces under the name, whole; where they break off with an error nothing is kept."""
        path = self._store / name
        path.parent.mkdir(exist_ok=True)
        _write(path, pieces)

    # what is in force

    @property
    def page_ids(self) -> frozenset[str]:
        """The pages of the tree in force."""
        return frozenset(self._manifest().get("pages", {}))

    def listing(self) -> Listing:
        """The files of the tree in force, by name; none before the first was published."""
        manifest, files = self._manifest(), []
        for page in manifest.get("pages", {}).values():
            names = [page["file"], *(one["file"] for one in page["attachments"].values())]
            for name in filter(None, names):
                path = self._tree() / "files" / name
                files.append(SourceFile(path, name, digest_of_file(path), page["link"]))
        omissions = (Omission(**{**one, "kind": OmissionKind(one["kind"])}) for one in manifest.get("omissions", ()))
        return Listing(tuple(sorted(files, key=lambda file: file.source)), tuple(omissions))

    def publish(self, pages: Sequence[MirrorPage], omissions: Sequence[Omission], in_use: Set[str]) -> None:
        """Puts these pages in force, and nothing else. `in_use`: the names in the store to keep."""
        places = layout(pages)
        manifest = _manifest_of(pages, places, omissions)
        if manifest != self._manifest() or not self._is_whole(places):
            self._put_in_force(self._build(pages, places, manifest))
        for path in self._store.glob("*/*"):
            if path.relative_to(self._store).as_posix() not in in_use:
                path.unlink()

    def _build(self, pages: Sequence[MirrorPage], places: Layout, manifest: Mapping[str, Any]) -> Path:
        building = self._trees / "building"
        shutil.rmtree(building, ignore_errors=True)
        for page in pages:
            if places.pages.get(page.id):
                _write(_made(building / "files" / places.pages[page.id]), [page.text.encode("utf-8")])
            for one in page.attachments:
                place = places.attachments.get((page.id, one.id))
                if place:
                    _link(self._store / one.kept, _made(building / "files" / place))
        _write(_made(building / _MANIFEST), [json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8")])
        number = max((int(name) for name in self._numbers()), default=0) + 1
        return building.rename(self._trees / f"{number:06}")

    def _put_in_force(self, tree: Path) -> None:
        before = self._current()
        _write(self._directory / "current", [tree.name.encode("ascii")])
        # The one before stays: somebody may still be reading the files it listed.
        for name in self._numbers() - {tree.name, before}:
            shutil.rmtree(self._trees / name, ignore_errors=True)

    def _numbers(self) -> set[str]:
        return {path.name for path in self._trees.iterdir() if path.name.isdigit()}

    def _current(self) -> str:
        path = self._directory / "current"
        name = path.read_text("ascii").strip() if path.is_file() else ""
        return name if name.isdigit() else ""

    def _tree(self) -> Path:
        return self._trees / (self._current() or "none")

    def _manifest(self) -> dict[str, Any]:
        path = self._tree() / _MANIFEST
        manifest = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return manifest if manifest.get("format") == _FORMAT else {}

    def _is_whole(self, places: Layout) -> bool:
        names = [*filter(None, places.pages.values()), *places.attachments.values()]
        return all((self._tree() / "files" / name).is_file() for name in names)


def layout(pages: Sequence[MirrorPage]) -> Layout:
    """Names by the subjects on the way to a page: `휴가/연차.md`, its attachments in `휴가/연차/files/`.

    Of names that would be the same, also where upper and lower case are, the later page by id gets
    its id as well.
    """
    ids = {page.id for page in pages}
    below: dict[str | None, list[MirrorPage]] = {}
    for page in sorted(pages, key=lambda page: (len(page.id), page.id), reverse=True):
        below.setdefault(page.parent if page.parent in ids else None, []).append(page)
    names, files, taken = {}, {}, set[str]()
    waiting = [("", page) for page in below.get(None, ())]
    while waiting:
        folder, page = waiting.pop()
        stem = _free(folder, safe_name(page.subject), page.suffix, page.id, taken)
        names[page.id] = f"{stem}{page.suffix}" if page.text else ""
        for one in page.attachments:
            name = PurePosixPath(safe_name(one.name))
            free = _free(f"{_short(stem, page.id)}/files/", name.stem, name.suffix, one.id, taken)
            files[page.id, one.id] = f"{free}{name.suffix}"
        waiting += [(f"{_short(stem, page.id)}/", child) for child in below.get(page.id, ())]
    return Layout(names, files)


def safe_name(name: str) -> str:
    """A name that stands for itself alone on any file system: no path, no control characters, not too long."""
    plain = one_line(_UNSAFE.sub("_", clean(name))).strip(". ")
    if not plain or _WINDOWS.fullmatch(plain):
        plain = f"_{plain}"
    stem, dot, suffix = plain.rpartition(".")
    if not stem or len(suffix.encode("utf-8")) > 16 or " " in suffix:  # `제1. 총칙` has no suffix
        stem, dot, suffix = plain, "", ""
    return f"{_cut(stem)}{dot}{suffix}"


def _cut(text: str) -> str:
    return text.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore").rstrip(". ") or "_"


def _short(stem: str, page_id: str) -> str:
    return stem if len(stem.encode("utf-8")) <= _FOLDER_BYTES else page_id


def _free(folder: str, stem: str, suffix: str, tag: str, taken: set[str]) -> str:
    """A stem whose file and whose folder are nobody else's; both are taken from now on."""
    free = f"{folder}{stem}"
    while {free.casefold(), f"{free}{suffix}".casefold()} & taken:
        free = f"{free} ({tag})"
    taken |= {free.casefold(), f"{free}{suffix}".casefold()}
    return free


def _manifest_of(pages: Sequence[MirrorPage], places: Layout, omissions: Sequence[Omission]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "pages": {
            page.id: {
                "version": page.version,
                "parent": page.parent,
                "subject": page.subject,
                "link": page.link,
                "file": places.pages[page.id],
                "digest": digest(page.text),
                "attachments": {
                    one.id: {"name": one.name, "file": places.attachments[page.id, one.id], "kept": one.kept}
                    for one in page.attachments
                },
            }
            for page in sorted(pages, key=lambda page: page.id)
            if page.id in places.pages
        },
        "omissions": [asdict(one) for one in sorted(omissions, key=lambda one: (one.where, one.what))],
    }


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _link(kept: Path, path: Path) -> None:
    """The same bytes without a second copy; kept files are replaced, never written into."""
    try:
        os.link(kept, path)
    except OSError:
        shutil.copyfile(kept, path)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    part = path.with_name(f".{path.name[:40]}.part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
