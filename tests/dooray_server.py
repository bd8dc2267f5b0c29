"""A Dooray wiki on this machine: the API's envelope, tree, versions, rate limit and file redirects.

Three ports: the API, the host where files lie (`file-api` in real life; here the same address and
another port), and a stranger's (`localhost`, another name for the same machine). It does what it
is told to do wrong, and remembers every request with the token that came with it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "tok-3f9a-secret-91c7"
WIKI = "2668173571253827735"


@dataclass
class Page:
    id: str
    subject: str
    parent: str | None
    content: str
    mime_type: str = "text/x-markdown"
    version: int = 1
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # id → name, bytes


@dataclass(frozen=True)
class Seen:
    """A request: where it came in, its path without the wiki's own part, and the token."""

    port: str  # "api", "files", "stranger"
    path: str
    authorization: str | None


class DoorayServer:
    """The wiki and its misbehaviour; change either between (or during) requests."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.seen: list[Seen] = []
        self.refused = 0  # answers 429
        self.versions_in_lists = True
        self.pages_lists = True  # whether the list of pages obeys `page` and `size`
        self.uncounted = 0  # pages that lists count and do not name
        self.burst, self.rate = 10_000.0, 10_000.0
        self.limit_headers: Callable[[], dict[str, str]] = dict
        self.fail_after: int | None = None  # requests that are answered; then the connection is cut
        self.statuses: dict[str, list[int]] = {}  # by end of path: what is answered first
        self.on_request: Callable[[str], None] = lambda path: None
        self.redirect_to = "files"
        self.cut_files = 0  # this many downloads end half-way
        self.message = ""  # an answer 200 that says no
        self._next_id = 4390914232279897000
        self._ready, self._at = self.burst, time.monotonic()
        self._lock = threading.Lock()
        self.ports: dict[str, int] = {}

    # the wiki

    def add(self, subject: str, content: str = "본문", parent: str | None = None, **more: str) -> str:
        page = Page(self._id(), subject, parent, content, **more)
        self.pages[page.id] = page
        return page.id

    def attach(self, page: str, name: str, data: bytes) -> str:
        file = self._id()
        self.pages[page].files[file] = (name, data)
        self.pages[page].version += 1
        return file

    def edit(self, page: str, content: str) -> None:
        self.pages[page].content = content
        self.pages[page].version += 1

    def delete(self, page: str) -> None:
        for child in [one.id for one in self.pages.values() if one.parent == page]:
            self.delete(child)
        del self.pages[page]

    def _id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    # what was asked

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    def forget(self) -> None:
        self.seen.clear()
        self.refused = 0

    def asked(self) -> Counter[str]:
        """How many lists, pages and files were asked for at the API."""
        kinds = Counter[str]()
        for one in self.seen:
            path = urlsplit(one.path).path
            if one.port == "api":
                kinds["files" if "/files/" in path else "lists" if path.endswith("/pages") else "pages"] += 1
        return kinds

    # answers

    def answer(self, port: str, path: str, authorization: str | None) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None = the connection is cut."""
        with self._lock:
            self.seen.append(Seen(port, path, authorization))
            if self.fail_after is not None:
                if self.fail_after <= 0:
                    return None
                self.fail_after -= 1
            self.on_request(path)
            if not self._let_in():
                self.refused += 1
                return 429, self.limit_headers(), b"{}"
            for end, statuses in self.statuses.items():
                if urlsplit(path).path.endswith(end) and statuses:
                    status = statuses.pop(0)
                    return status, self.limit_headers() if status == 429 else {}, f"echo {authorization}".encode()
            if authorization != f"dooray-api {TOKEN}":
                return 401, {}, f"bad token {authorization}".encode()
            return self._file(path) if port != "api" else self._api(path)

    def _let_in(self) -> bool:
        now = time.monotonic()
        self._ready = min(self.burst, self._ready + (now - self._at) * self.rate)
        self._at = now
        if self._ready < 1:
            return False
        self._ready -= 1
        return True

    def _api(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if self.message:
            header = {"isSuccessful": False, "resultCode": -300101, "resultMessage": self.message}
            return 200, {}, json.dumps({"header": header, "result": None}).encode()
        split = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        match split.path.strip("/").split("/"):
            case ["wiki", "v1", "wikis", wiki, "pages"] if wiki == WIKI:
                return self._list(query)
            case ["wiki", "v1", "wikis", wiki, "pages", page] if wiki == WIKI and page in self.pages:
                return _envelope(self._detail(self.pages[page]))
            case ["wiki", "v1", "wikis", wiki, "pages", page, "files", file] if wiki == WIKI:
                if page not in self.pages or file not in self.pages[page].files or query.get("media") != "raw":
                    return 404, {}, b"{}"
                host = "localhost" if self.redirect_to == "stranger" else "127.0.0.1"
                place = f"http://{host}:{self.ports[self.redirect_to]}/downloads{path}"
                return 307, {"Location": place}, b""
        return 404, {}, b'{"header":{"isSuccessful":false,"resultCode":404,"resultMessage":"not found"}}'

    def _list(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        parent = query.get("parentPageId")
        if parent and parent not in self.pages:
            return 404, {}, b"{}"
        found = [page for page in self.pages.values() if page.parent == parent]
        total = len(found) + self.uncounted
        if self.pages_lists:
            number, size = int(query.get("page", "0")), int(query.get("size", "20"))
            found = found[number * size : (number + 1) * size]
        keys = ("id", "wikiId", "version", "subject", "parentPageId")
        entries = [{key: self._detail(page)[key] for key in keys} for page in found]
        if not self.versions_in_lists:
            for entry in entries:
                del entry["version"]
        return _envelope(entries, total)

    def _detail(self, page: Page) -> dict[str, object]:
        return {
            "id": page.id,
            "wikiId": WIKI,
            "version": page.version,
            "subject": page.subject,
            "body": {"mimeType": page.mime_type, "content": page.content},
            "parentPageId": page.parent,
            "createdAt": "2026-03-01T09:00:00+09:00",
            "updatedAt": f"2026-04-{page.version:02}T09:00:00+09:00",
            "files": [{"id": file, "name": name, "size": len(data)} for file, (name, data) in page.files.items()],
        }

    def _file(self, path: str) -> tuple[int, dict[str, str], bytes]:
        file = urlsplit(path).path.rpartition("/")[2]
        for page in self.pages.values():
            if file in page.files:
                return 200, {}, page.files[file][1]
        return 404, {}, b""


def _envelope(result: object, total: int | None = None) -> tuple[int, dict[str, str], bytes]:
    header = {"isSuccessful": True, "resultCode": 0, "resultMessage": ""}
    counted = {} if total is None else {"totalCount": total}
    body = {"header": header, "result": result, **counted}
    return 200, {"Content-Type": "application/json"}, json.dumps(body, ensure_ascii=False).encode()


def _handler(server: DoorayServer, port: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = server.answer(port, self.path, self.headers.get("Authorization"))
            if answer is None:
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if port != "api" and server.cut_files > 0:
                server.cut_files -= 1
                body = body[: len(body) // 2]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def dooray_server() -> Iterator[DoorayServer]:
    """The server, listening until the block ends."""
    server = DoorayServer()
    doors = {
        name: ThreadingHTTPServer(("127.0.0.1", 0), _handler(server, name)) for name in ("api", "files", "stranger")
    }
    threads = [threading.Thread(target=door.serve_forever, args=(0.01,), daemon=True) for door in doors.values()]
    server.ports = {name: door.server_address[1] for name, door in doors.items()}
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        for door in doors.values():
            door.shutdown()
            door.server_close()
        for thread in threads:
            thread.join()
