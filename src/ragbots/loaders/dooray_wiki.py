"""A Dooray wiki as a source: its pages and their files, mirrored into a directory and listed from there."""

from __future__ import annotations

import html
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from ragbots.config import WikiPlace
from ragbots.errors import ConfigurationError
from ragbots.loaders.dooray_api import (
    DoorayApi,
    DooraySession,
    FileRefused,
    PageEntry,
    PageForbidden,
    PageGone,
    WikiFile,
    WikiPage,
    too_large,
)
from ragbots.loaders.mirror import Attachment, Mirror, MirrorPage
from ragbots.ports import Listing, Progress
from ragbots.text import clean, one_line
from ragbots.types import Omission, OmissionKind

MAX_FILE_BYTES = 200_000_000
_MARKUP = re.compile(r"([\\`*_\[\]<>])")
_UNREAD = {"image": "a picture", "video": "a film", "audio": "a sound recording"}


class DoorayWiki:
    """The wiki at `place`, mirrored in `directory`, which is its own.

    Nothing is connected before `list`. Attachments over `max_file_bytes` are left out and named.
    """

    def __init__(self, api: DoorayApi, place: WikiPlace, directory: Path, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self.id = f"dooray-wiki {place.wiki}" + (f" under {place.under}" if place.under else "")
        self._api, self._place, self._limit = api, place, max_file_bytes
        self._mirror = Mirror(directory)

    def list(self, progress: Progress) -> Listing:
        """The wiki as it is now. Raises ConfigurationError for a wiki or token that cannot be used,
        SourceUnavailable where the wiki could not be read to its end (what was fetched is kept, the
        files listed before stay as they are), Locked where another process is at it."""
        with self._mirror.locked():
            with self._api.connect() as dooray:
                walk = _Walk(dooray, self._place, self._mirror, self._limit, progress)
                walk.run()
            self._mirror.publish(
                [self._published(node) for node in walk.found.values()], walk.omissions(), walk.in_use()
            )
            return self._mirror.listing()

    def _published(self, node: _Node) -> MirrorPage:
        link = self._api.access.page_link(self._place.wiki, node.page.id)
        text, suffix = render(node.page, node.subject, link)
        files = tuple(
            Attachment(file.id, file.name or file.id, _kept_file(file))
            for file in node.page.files
            if file.id not in node.left_out
        )
        return MirrorPage(node.page.id, node.page.version, node.parent, node.subject, link, text, suffix, files)


@dataclass(frozen=True, slots=True)
class _Node:
    """A page in its place. `subject` is the tree's; `left_out` says by file id why a file is not kept."""

    page: WikiPage
    parent: str | None
    subject: str
    left_out: dict[str, tuple[str, OmissionKind]]


class _Walk:
    """One pass over the wiki, level by level; each page is fetched on the way if the mirror has not its version."""

    def __init__(self, dooray: DooraySession, place: WikiPlace, mirror: Mirror, limit: int, progress: Progress) -> None:
        self.found: dict[str, _Node] = {}
        self._dooray, self._wiki, self._under = dooray, place.wiki, place.under
        self._mirror, self._limit, self._progress = mirror, limit, progress
        self._unlisted: dict[str, int] = {}

    def run(self) -> None:
        self._descend(self._top())
        self._look_again()

    def in_use(self) -> frozenset[str]:
        """What of the mirror's store belongs to the pages found."""
        files = {_kept_file(file) for node in self.found.values() for file in node.page.files}
        return frozenset(_kept_page(page) for page in self.found) | files

    def omissions(self) -> list[Omission]:
        found = [omission for node in self.found.values() for omission in self._omissions_of(node)]
        return found + [
            Omission(f"{count} pages", where, 0, "the wiki counts them and does not list them")
            for where, count in self._unlisted.items()
        ]

    def _omissions_of(self, node: _Node) -> list[Omission]:
        where = self._where(node)
        found = [
            Omission(f"attachment: {one_line(clean(file.name))}", where, 0, why, kind=kind)
            for file in node.page.files
            if file.id in node.left_out
            for why, kind in [node.left_out[file.id]]
        ]
        if not node.page.body.content.strip():
            told = "the page has no text of its own"
            found.append(Omission("page", where, 0, told, kind=OmissionKind.PAGE, expected=True))
        return found

    def _where(self, node: _Node) -> str:
        """The subjects on the way to a page."""
        parts = [node.subject]
        while node.parent in self.found:
            node = self.found[node.parent]
            parts.append(node.subject)
        return " › ".join(reversed(parts))

    def _top(self) -> Sequence[PageEntry]:
        """The topmost pages, or the one page at which the source begins."""
        key = "under" if self._under else "wiki"
        try:
            if self._under is None:
                return self._children(None)
            page = self._dooray.page(self._wiki, self._under)
        except PageGone as error:
            hint = f"correct `{key}` in the bot's YAML, or let the token's owner join the wiki"
            raise ConfigurationError(f"{error.message}", hint=hint) from None
        except PageForbidden as error:
            raise ConfigurationError(error.message, hint=error.hint) from None
        self._keep(page)
        return [page.model_copy(update={"parent_page_id": None})]

    def _descend(self, level: Sequence[PageEntry]) -> None:
        depth = 1
        while level:
            self._progress.step(f"wiki {self._wiki}: level {depth}", len(level))
            below: list[PageEntry] = []
            for entry in level:
                # A page that was found is not entered again: it was moved meanwhile, or is its own ancestor.
                if entry.id not in self.found and self._take(entry):
                    below += self._children(entry.id)
                self._progress.advance()
            level, depth = below, depth + 1

    def _look_again(self) -> None:
        """A page that was moved while we read may be listed neither in its old place nor in its new one.

        So each page known from before and not found is asked for itself; where its parent belongs to the
        wiki, that one's children are listed again, and what they say then counts.
        """
        for page_id in sorted(self._mirror.page_ids):
            if page_id in self.found:
                continue
            try:
                parent = self._dooray.page(self._wiki, page_id).parent_page_id
            except (PageGone, PageForbidden):
                continue
            if parent in self.found or (not parent and self._under is None):
                self._descend([one for one in self._children(parent or None) if one.id not in self.found])

    def _children(self, parent: str | None) -> Sequence[PageEntry]:
        try:
            children = self._dooray.children(self._wiki, parent)
        except PageGone:
            if parent is None:
                raise
            return ()  # deleted since it was listed; it had no time to tell where its children went
        if children.unlisted:
            where = self._where(self.found[parent]) if parent in self.found else "the top"
            self._unlisted[where] = children.unlisted
        return children.pages

    def _take(self, entry: PageEntry) -> bool:
        """Makes sure that the mirror has the page and its files; False for a page that is gone."""
        page, subject = self._kept(entry.id), entry.subject
        if page is None or entry.version is None or page.version != entry.version:
            try:
                page = self._dooray.page(self._wiki, entry.id)
            except PageGone:
                return False
            if page.version is None:
                page = page.model_copy(update={"version": entry.version})
            self._keep(page)
            subject = page.subject
        left_out = {file.id: why for file in page.files if (why := self._fetch(page, file))}
        self.found[page.id] = _Node(page, entry.parent_page_id, one_line(clean(subject or page.subject)), left_out)
        return True

    def _kept(self, page_id: str) -> WikiPage | None:
        kept = self._mirror.kept(_kept_page(page_id))
        try:
            return WikiPage.model_validate_json(kept) if kept else None
        except ValidationError:  # kept by another version of this program: fetched again
            return None

    def _keep(self, page: WikiPage) -> None:
        self._mirror.keep(_kept_page(page.id), [page.model_dump_json(by_alias=True).encode("utf-8")])

    def _fetch(self, page: WikiPage, file: WikiFile) -> tuple[str, OmissionKind] | None:
        """Why the file is not in the mirror; None where it is."""
        media = (mimetypes.guess_type(file.name)[0] or "").partition("/")[0]
        if media in _UNREAD:
            kind = OmissionKind.PICTURE if media == "image" else OmissionKind.OTHER
            return f"{_UNREAD[media]} is not read", kind
        name = _kept_file(file)
        try:
            if file.size > self._limit:
                raise too_large(self._limit)
            if not self._mirror.has(name):
                self._dooray.download(
                    self._wiki, page.id, file, self._limit, lambda pieces: self._mirror.keep(name, pieces)
                )
        except FileRefused as error:
            return str(error), OmissionKind.OTHER
        return None


def _kept_page(page_id: str) -> str:
    return f"pages/{page_id}.json"


def _kept_file(file: WikiFile) -> str:
    return f"files/{file.id}-{file.size}"


def render(page: WikiPage, subject: str, link: str) -> tuple[str, str]:
    """The page as a file's text and the file's suffix; an empty text for a page without any."""
    body = page.body.content.strip("\n")
    if not body.strip():
        return "", ".md"
    facts = {"제목": subject, "출처": link, "작성일": page.created_at, "수정일": page.updated_at}
    told = {key: value for key, value in facts.items() if value}
    if page.body.mime_type.partition(";")[0].strip().lower() == "text/html":
        return _as_html(subject, told, body), ".html"
    return _as_markdown(subject, told, body), ".md"


def _as_markdown(subject: str, facts: dict[str, str], body: str) -> str:
    front = yaml.safe_dump(facts, allow_unicode=True, sort_keys=False, width=10_000)
    escaped = _MARKUP.sub(r"\\\1", subject)
    has_heading = body.partition("\n")[0].strip() in (f"# {subject}", f"# {escaped}")
    heading = f"# {escaped}\n\n" if subject and not has_heading else ""
    return f"---\n{front}---\n\n{heading}{body}\n"


def _as_html(subject: str, facts: dict[str, str], body: str) -> str:
    title = html.escape(subject)
    metas = "".join(f'<meta name="{key}" content="{html.escape(value)}">\n' for key, value in facts.items())
    return (
        f'<!doctype html>\n<html lang="ko">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n{metas}</head>\n'
        f"<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )
