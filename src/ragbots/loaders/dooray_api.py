"""The part of Dooray's API that a wiki is read with: paced, retried, and never telling its token.

JSON is asked for through the SDK, one HTTP request a call and none of its own accord; files, which
it cannot download, through httpx. Errors are told in words of ours: the SDK's and the transport's
carry requests with their headers, and do not leave this module.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from ragbots.config import DooraySettings, WikiId, explain
from ragbots.errors import AddressRefused, ConfigurationError, SourceUnavailable
from ragbots.outgoing import client, pinned_adapter, spelled_out

T = TypeVar("T")

# Dooray allows a burst of 20 and 5 a second after it. A little less, since requests do not arrive as evenly as they
# are sent and a refused one costs more than a late one.
BURST, RATE = 18, 4.8
PAGE_SIZE = 100
_REDIRECTS = 5
_OK = 200
_NOT_AGAIN = frozenset(
    {"SSLError", "TooManyRedirects", "InvalidURL", "InvalidSchema", "MissingSchema", "InvalidHeader"}
)
_LATER = "run it again later: what was fetched is kept, and the released version goes on answering"


class PageGone(SourceUnavailable):
    """The wiki, page or file is not there (HTTP 404)."""


class PageForbidden(SourceUnavailable):
    """The token's owner may not read it (HTTP 403)."""


class FileRefused(Exception):
    """This attachment is left out, whatever is tried; the text says why."""


class _Again(Exception):
    """A failure that may pass: what happened, and how many seconds the server asks to wait."""

    def __init__(self, told: str, after: float = 0.0) -> None:
        super().__init__(told)
        self.after = after


@dataclass(frozen=True, slots=True)
class DoorayAccess:
    """Where the API is and what opens it. The token is in no repr."""

    domain: str
    api_url: str
    token: str = field(repr=False)
    private_networks: tuple[str, ...] = ()

    @property
    def reachable(self) -> tuple[str, ...]:
        """The networks that are not public and may be reached all the same."""
        return (*self.private_networks, *spelled_out(self.api_url))

    def page_link(self, wiki: str, page: str) -> str:
        """The page's address for people."""
        return f"https://{self.domain}/wiki/{wiki}/{page}"

    def trusts(self, url: httpx.URL) -> bool:
        """Whether the token may be sent there: the API's own host or another of the same Dooray, over TLS.

        Dooray keeps files on another host (file-api.dooray.com beside api.dooray.com) that wants the
        token too. Only an API on this machine, as in tests, does without TLS.
        """
        api = httpx.URL(self.api_url)
        if url.scheme != "https" and (url.scheme, url.host) != (api.scheme, api.host):
            return False
        family = api.host.partition(".")[2]
        is_family = "." in family and not family.replace(".", "").isdigit()  # neither `com` nor part of an IP address
        return url.host == api.host or (is_family and url.host.endswith(f".{family}"))


def dooray_access(
    settings: DooraySettings, environ: Mapping[str, str], private_networks: tuple[str, ...] = ()
) -> DoorayAccess:
    """The way to the API. Raises ConfigurationError for a missing domain or token."""
    if not settings.domain or not settings.api:
        raise ConfigurationError(
            "a Dooray wiki is a source, and Dooray's domain is not set",
            hint='set `domain = "company.dooray.com"` under [dooray] in ragbots.toml, or RAGBOTS_DOORAY_DOMAIN',
        )
    token = environ.get(settings.token_env, "").strip()
    if not token:
        raise ConfigurationError(
            f"the environment variable {settings.token_env} is not set",
            hint="put a Dooray API token into it; its owner must be allowed to read the wiki",
        )
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigurationError(
            f"the environment variable {settings.token_env} holds spaces or other characters that no token has",
            hint="copy the API token again",
        )
    return DoorayAccess(settings.domain, settings.api, token, private_networks)


class Pace:
    """A bucket of `burst` requests, refilled at `rate` a second; one for all that use the same token."""

    def __init__(
        self,
        burst: int = BURST,
        rate: float = RATE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._burst, self._rate, self._clock, self._sleep = burst, rate, clock, sleep
        self._ready, self._at = float(burst), clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when the next request may be sent."""
        with self._lock:
            self._refill()
            self._ready -= 1
            delay = -self._ready / self._rate
        if delay > 0:
            self._sleep(delay)

    def drain(self) -> None:
        """The server counted more than we did (another program uses the token): no burst is left."""
        with self._lock:
            self._refill()
            self._ready = min(self._ready, 0.0)

    def _refill(self) -> None:
        now = self._clock()
        self._ready = min(float(self._burst), self._ready + (now - self._at) * self._rate)
        self._at = now


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try, in seconds: with these, a server that only says 429 or 5xx is given up after a minute."""

    attempts: int = 8
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_asked: float = 120.0  # a server that wants more is given up at once
    connect: float = 10.0
    read: float = 60.0
    file: float = 900.0  # one attachment, from its first byte to its last
    sleep: Callable[[float], None] = time.sleep


def _no_null(value: object) -> object:
    return "" if value is None else value


def _text_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Text = Annotated[str, BeforeValidator(_no_null)]
_FileId = Annotated[str, BeforeValidator(_text_id), StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class WikiFile(_Wire):
    """An attachment as the page names it; `size` in bytes, 0 = not said."""

    id: _FileId
    name: _Text = ""
    size: Annotated[int, BeforeValidator(lambda value: value or 0)] = 0


class PageBody(_Wire):
    mime_type: _Text = ""
    content: _Text = ""


class PageEntry(_Wire):
    """A page as the tree names it. A `version` of None = the wiki does not say: ask for the page."""

    id: WikiId
    version: int | None = None
    subject: _Text = ""
    parent_page_id: Annotated[str | None, BeforeValidator(_text_id)] = None


class WikiPage(PageEntry):
    """A page with its text and the names of its files."""

    body: Annotated[PageBody, BeforeValidator(lambda value: value or {})] = PageBody()
    created_at: _Text = ""
    updated_at: _Text = ""
    files: Annotated[tuple[WikiFile, ...], BeforeValidator(lambda value: value or ())] = ()


@dataclass(frozen=True, slots=True)
class Children:
    """The pages below a page, and how many more the wiki counts than it lists."""

    pages: tuple[PageEntry, ...]
    unlisted: int = 0


@dataclass(frozen=True, slots=True)
class DoorayApi:
    """One installation's Dooray. Nothing is connected until `connect`."""

    access: DoorayAccess
    pace: Pace = field(default_factory=Pace)
    patience: Patience = field(default_factory=Patience)

    @contextmanager
    def connect(self) -> Iterator[DooraySession]:
        # Imported when used: it brings aiohttp, 0.3 s that no other command should wait for.
        from dooray_sdk.web.client import WebClient

        # A redirect of the API itself is not followed: requests would go to any host.
        sdk = WebClient(
            self.access.token,
            base_url=self.access.api_url,
            timeout=(self.patience.connect, self.patience.read),
            max_redirects=0,
        )
        for scheme in ("https://", "http://"):
            sdk.session.mount(scheme, pinned_adapter(self.access.reachable))
        http = client(
            self.access.reachable,
            headers={"Authorization": f"dooray-api {self.access.token}", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(self.patience.read, connect=self.patience.connect),
        )
        with http:
            try:
                yield DooraySession(self, sdk, http)
            finally:
                sdk.session.close()


class DooraySession:
    """Open connections to the API. Every call waits its turn and is repeated where that may help.

    Raises ConfigurationError for a refused token, PageGone, PageForbidden, and SourceUnavailable for
    whatever else keeps an answer from arriving.
    """

    def __init__(self, api: DoorayApi, sdk: Any, http: httpx.Client) -> None:
        self._api, self._sdk, self._http = api, sdk, http

    def children(self, wiki: str, parent: str | None) -> Children:
        """The pages right below `parent`, or the topmost ones."""
        what = f"wiki {wiki}, pages below {parent or 'the top'}"
        found: dict[str, PageEntry] = {}
        number, total = 0, 0
        while True:
            envelope = self._get(f"/wiki/v1/wikis/{wiki}/pages", what, _list_params(parent, number))
            entries = [_parsed(PageEntry, one, what) for one in envelope["result"] or ()]
            new = {one.id: one.model_copy(update={"parent_page_id": parent}) for one in entries if one.id not in found}
            found |= new
            total = _count(envelope.get("totalCount"))
            # A server that does not page lists all at once, and the same again when asked for more.
            if not new or (len(found) >= total if total else len(entries) < PAGE_SIZE):
                return Children(tuple(found.values()), max(0, total - len(found)))
            number += 1

    def page(self, wiki: str, page: str) -> WikiPage:
        from dooray_sdk.web.wiki import WikiAPI

        what = f"wiki {wiki}, page {page}"
        envelope = self._envelope(what, lambda: WikiAPI(self._sdk).get_page(wiki, page))
        found = _parsed(WikiPage, envelope["result"], what)
        if found.id != page:
            raise SourceUnavailable(f"{what}: Dooray answered with page {found.id}", hint=_LATER)
        return found

    def download(
        self, wiki: str, page: str, file: WikiFile, limit: int, save: Callable[[Iterable[bytes]], None]
    ) -> None:
        """Hands the file's bytes to `save`, which keeps them only if they end well. Raises FileRefused."""
        path = f"/wiki/v1/wikis/{wiki}/pages/{page}/files/{file.id}?media=raw"
        url = httpx.URL(f"{self._api.access.api_url}{path}")
        what = f"wiki {wiki}, page {page}, file {file.id}"
        try:
            for _ in range(_REDIRECTS):
                # Each step is repeated by itself: begun anew, it would spend two requests where one was refused.
                further = self._patiently(what, partial(self._fetch, url, what, file, limit, save))
                if further is None:
                    return
                url = further
        except PageGone:
            raise FileRefused("it is no longer there") from None
        raise FileRefused("its address leads on and on")

    def _get(self, path: str, what: str, params: Mapping[str, str | int]) -> dict[str, Any]:
        return self._envelope(what, lambda: self._sdk.get(path, params=params))

    def _envelope(self, what: str, call: Callable[[], Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._patiently(what, lambda: self._asked(what, call))
        header = answer.get("header") if isinstance(answer, dict) else None
        if not isinstance(header, dict) or "result" not in answer:
            raise SourceUnavailable(f"{what}: an answer that is not Dooray's", hint="check `domain` and `api_url`")
        if not header.get("isSuccessful"):
            told = str(header.get("resultMessage") or "").replace(self._api.access.token, "…")[:200]
            raise SourceUnavailable(f"{what}: Dooray refused, code {header.get('resultCode')}: {told}", hint=_LATER)
        return answer

    def _asked(self, what: str, call: Callable[[], Any]) -> Any:
        from dooray_sdk.exceptions import DoorayRequestError

        self._api.pace.wait()
        try:
            return call()
        except AddressRefused as refused:
            raise SourceUnavailable(f"{what}: {refused.message}", hint=refused.hint) from None
        except DoorayRequestError as error:
            raise self._translated(what, error) from None

    def _translated(self, what: str, error: Any) -> Exception:
        """The SDK's error by its status, or by the kind of failure beneath it."""
        if error.status_code is not None:
            response = getattr(error.__cause__, "response", None)
            return self._refusal(what, int(error.status_code), getattr(response, "headers", None) or {})
        kind = type(error.__cause__).__name__
        if kind in _NOT_AGAIN:
            return SourceUnavailable(f"{what}: {kind}", hint="check `domain`, `api_url` and the network's certificates")
        return _Again(f"no answer ({kind})")

    def _refusal(self, what: str, status: int, headers: Mapping[str, str]) -> Exception:
        """What an HTTP status other than 200 means."""
        match status:
            case 401:
                return ConfigurationError(
                    "Dooray does not accept the token",
                    hint="put a valid API token into the environment variable that [dooray] `token_env` names",
                )
            case 403:
                hint = "let the token's owner read the wiki and all its pages, or narrow the source with `under`"
                return PageForbidden(f"{what}: the token's owner may not read it", hint=hint)
            case 404:
                return PageGone(f"{what}: there is no such page, or the token's owner may not see it")
            case 429:
                self._api.pace.drain()
                return self._too_many(what, seconds_asked(headers, datetime.now(UTC)))
            case 408 | 425 | 500 | 502 | 503 | 504:
                return _Again(f"HTTP {status}", min(seconds_asked(headers, datetime.now(UTC)), self._longest))
            case _:
                return SourceUnavailable(f"{what}: Dooray answered HTTP {status}", hint="check `domain` and `api_url`")

    @property
    def _longest(self) -> float:
        return self._api.patience.longest_asked

    def _too_many(self, what: str, asked: float) -> Exception:
        if asked > self._longest:
            return SourceUnavailable(f"{what}: too many requests; Dooray asks to wait {asked:.0f} s", hint=_LATER)
        return _Again("too many requests (HTTP 429)", asked)

    def _patiently(self, what: str, call: Callable[[], T]) -> T:
        patience = self._api.patience
        growing = wait_exponential(multiplier=patience.first_wait, max=patience.longest_wait)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(growing(state), error.after if isinstance(error, _Again) else 0.0)

        retrying = Retrying(
            stop=stop_after_attempt(patience.attempts),
            wait=wait,
            retry=retry_if_exception_type(_Again),
            sleep=patience.sleep,
            reraise=True,
        )
        try:
            return retrying(call)
        except _Again as error:
            raise SourceUnavailable(f"{what}: {error}, {patience.attempts} times", hint=_LATER) from None

    def _fetch(
        self, url: httpx.URL, what: str, file: WikiFile, limit: int, save: Callable[[Iterable[bytes]], None]
    ) -> httpx.URL | None:
        """Saves what lies there; or the address to which it leads."""
        self._api.pace.wait()
        try:
            with self._http.stream("GET", url) as response:
                if response.has_redirect_location:
                    return self._next(response)
                if response.status_code != _OK:
                    raise self._refusal(what, response.status_code, response.headers)
                save(self._pieces(response, what, file, limit))
                return None
        except AddressRefused as refused:
            raise SourceUnavailable(f"{what}: {refused.message}", hint=refused.hint) from None
        except httpx.RequestError as error:
            raise _Again(f"the file did not arrive ({type(error).__name__})") from None

    def _next(self, response: httpx.Response) -> httpx.URL:
        try:
            url = response.url.join(response.headers["location"])
        except httpx.InvalidURL:
            raise FileRefused("its address cannot be read") from None
        if not self._api.access.trusts(url):
            raise FileRefused(f"it lies at {url.scheme}://{url.host}, where the token is not sent")
        return url

    def _pieces(self, response: httpx.Response, what: str, file: WikiFile, limit: int) -> Iterator[bytes]:
        if _count(response.headers.get("content-length")) > limit:
            raise too_large(limit)
        got, deadline = 0, time.monotonic() + self._api.patience.file
        for piece in response.iter_bytes():
            got += len(piece)
            if got > limit:
                raise too_large(limit)
            if time.monotonic() > deadline:
                raise SourceUnavailable(f"{what}: it takes longer than {self._api.patience.file:.0f} s", hint=_LATER)
            yield piece
        # With a length httpx has seen to it; without one only the page says how much there should be.
        if got < file.size and "content-length" not in response.headers:
            raise _Again("the file broke off")


def too_large(limit: int) -> FileRefused:
    return FileRefused(f"it is larger than {limit / 1_000_000:g} MB")


def seconds_asked(headers: Mapping[str, str], now: datetime) -> float:
    """How long a refusing server asks to wait: `Retry-After`, `x-ratelimit-reset`, or the time in which
    `x-ratelimit-replenish-rate` lets one request in again; 0 where it does not say."""
    lower = {key.lower(): value.strip() for key, value in headers.items()}
    after = lower.get("retry-after", "")
    if after and not re.fullmatch(r"[0-9.]+", after):
        return _until(after, now)
    reset = _number(after) or _number(lower.get("x-ratelimit-reset"))
    if reset > 1e11:  # milliseconds since 1970
        reset /= 1000
    if reset > 1e9:  # seconds since 1970
        return max(0.0, reset - now.timestamp())
    rate = _number(lower.get("x-ratelimit-replenish-rate"))
    return reset or (max(1.0, _number(lower.get("x-ratelimit-requested-tokens"))) / rate if rate else 0.0)


def _until(moment: str, now: datetime) -> float:
    try:
        then = parsedate_to_datetime(moment)
    except ValueError:
        return 0.0
    return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds())


def _number(value: str | None) -> float:
    return float(value) if value and re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", value) else 0.0


def _count(value: object) -> int:
    return int(_number(str(value)))


def _list_params(parent: str | None, number: int) -> dict[str, str | int]:
    paging: dict[str, str | int] = {"page": number, "size": PAGE_SIZE}
    return {"parentPageId": parent, **paging} if parent else paging


def _parsed(model: type[_WireModel], value: object, what: str) -> _WireModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        told = f"{what}: an answer that is not as documented: {explain(error)[:300]}"
        raise SourceUnavailable(told, hint="check `api_url`") from error


_WireModel = TypeVar("_WireModel", bound=_Wire)
