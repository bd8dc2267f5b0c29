"""A language model behind an OpenAI-compatible endpoint, through LangChain.

LangChain and the client beneath it take a second to import and are imported when a model is first asked.
Whatever the environment says, nothing is sent anywhere but to the endpoint: no traces, no other address,
no redirect; through a proxy only where the endpoint is outside.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragbots.errors import AddressRefused, FailureKind, ModelFailed
from ragbots.outgoing import pin_async
from ragbots.ports import Message, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Pieces = AsyncGenerator[str | Usage, None]
_PAUSE_SECONDS = 0.3  # before another try, where the endpoint names no time
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
_log = logging.getLogger(__name__)

_SENT = frozenset({"host", "accept", "accept-encoding", "connection", "content-type", "content-length"})
_CHARACTERS_PER_TOKEN = 1.5  # of Korean, where an endpoint does not count


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Seconds count from the beginning of a request, those of retries included. `max_tokens_name`: what the server
    calls the limit of an answer; `proxied`: whether the proxy that the environment names is used; `private`: the
    networks that are not public and may be reached, None = all."""

    name: str
    base_url: str
    model: str
    api_key: str | None = field(repr=False)
    temperature: float
    connect_seconds: float
    first_token_seconds: float
    answer_seconds: float
    retries: int
    max_tokens_name: str
    provider: str
    proxied: bool
    private: tuple[str, ...] | None = None


class Endpoint:
    """A LanguageModel. Safe for several event loops, one after the other or at once."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self.id = f"{settings.name}:{settings.model}"

    async def stream(self, messages: Sequence[Message], max_tokens: int) -> Pieces:
        """Pieces of text as they come, and last the usage. Raises ModelFailed.

        A request is made again, as often as the settings say, only where that may help and nothing was heard yet.
        """
        settings = self._settings
        await asyncio.to_thread(_prepare)  # the first time: a second, in which others are still served
        began = time.monotonic()
        for attempt in range(settings.retries + 1):
            heard = False
            try:
                async with aclosing(self._attempt(messages, max_tokens, began)) as pieces:
                    async for piece in pieces:
                        heard = True
                        yield piece
                return
            except ModelFailed as error:
                left = began + settings.first_token_seconds - time.monotonic()
                pause = error.retry_after if error.retry_after is not None else _PAUSE_SECONDS
                if heard or attempt == settings.retries or not error.passing or pause >= left:
                    raise
                await asyncio.sleep(pause)

    async def _attempt(self, messages: Sequence[Message], max_tokens: int, began: float) -> Pieces:
        settings = self._settings
        said: list[str] = []
        usage: Usage | None = None
        finished = ""
        client = self._client(max_tokens)
        asked: Any = client.astream([(one.role, one.content) for one in messages])  # a generator, typed as less
        try:
            async with aclosing(asked) as chunks:
                while True:
                    limit = settings.answer_seconds if said else settings.first_token_seconds
                    chunk = await self._next(chunks, began + min(limit, settings.answer_seconds) - time.monotonic())
                    if chunk is None:
                        break
                    usage = _usage(chunk) or usage
                    finished = chunk.response_metadata.get("finish_reason") or finished
                    if text := _text(chunk):
                        said.append(text)
                        yield text
        finally:
            await _close(client)
        self._check_end(finished, said)
        yield usage or Usage(_tokens(one.content for one in messages), _tokens(said), estimated=True)

    async def _next(self, chunks: AsyncGenerator[Any, None], seconds: float) -> Any | None:
        """The next chunk that says something, None at the end. An endpoint that keeps the line alive and says
        nothing runs into the limit too."""
        from langsmith import tracing_context

        try:
            # Around each step and not the whole: in a generator the setting would reach those who read from it.
            with tracing_context(enabled=False):
                return await self._step(chunks, seconds)
        except TimeoutError:
            raise self._failed("slow", "said nothing more within the time set") from None
        except Exception as error:  # noqa: BLE001 - everything the client raises is told as ModelFailed
            # Not chained: the client's own errors hold the server's words, which may repeat the prompt.
            raise self._explained(error) from None

    async def _step(self, chunks: AsyncGenerator[Any, None], seconds: float) -> Any | None:
        async with asyncio.timeout(max(seconds, 0.001)):
            async for chunk in chunks:
                if _text(chunk) or _usage(chunk) or chunk.response_metadata.get("finish_reason"):
                    return chunk
            return None

    def _check_end(self, finished: str, said: Sequence[str]) -> None:
        if not finished:
            raise self._failed("cut" if said else "garbage", "the answer ended without saying so")
        if finished == "length":
            raise self._failed("cut", "the answer was longer than allowed")
        if not "".join(said).strip():
            raise self._failed("empty", "the answer is empty")

    def _explained(self, error: Exception) -> ModelFailed:
        import openai

        match error:
            case ModelFailed():
                return error
            case openai.APITimeoutError():
                return self._failed("slow", "no connection within the time set", passing=True)
            case openai.APIStatusError(status_code=status, response=response):
                after = _seconds(response.headers.get("retry-after"))
                kind: FailureKind = "busy" if status == 429 else "broken" if status >= 500 else "refused"
                return self._failed(kind, f"answered {status}", passing=status in _RETRIED, retry_after=after)
            case openai.APIConnectionError() if _is_cut(error):
                return self._failed("cut", "the connection broke")
            case openai.APIConnectionError():
                return self._failed("unreachable", "no connection", passing=True)
            case AddressRefused():
                return self._failed("unreachable", "its address is not asked")
            case openai.APIError():
                return self._failed("broken", "reported an error instead of an answer")
        return self._failed("garbage", f"what it answered cannot be read ({type(error).__name__})")

    def _failed(
        self,
        kind: FailureKind,
        what: str,
        *,
        passing: bool = False,
        retry_after: float | None = None,
    ) -> ModelFailed:
        place = f"llm `{self._settings.name}` ({self._settings.base_url})"
        return ModelFailed(f"{place}: {what}", kind=kind, passing=passing, retry_after=retry_after)

    async def models(self) -> tuple[str, ...]:
        """The models that the endpoint offers; asking costs nothing. Raises ModelFailed."""
        import openai

        client = openai.AsyncOpenAI(**self._connection, http_client=self._http())
        try:
            async with asyncio.timeout(self._settings.connect_seconds + self._settings.first_token_seconds):
                return tuple([one.id async for one in client.models.list()])
        except TimeoutError:
            raise self._failed("slow", "did not list its models in time") from None
        except Exception as error:  # noqa: BLE001 - everything the client raises is told as ModelFailed
            raise self._explained(error) from None
        finally:
            await client.close()

    def _client(self, max_tokens: int) -> BaseChatModel:
        """A client of its own for each request, since connections belong to one event loop."""
        from langchain.chat_models import init_chat_model

        settings = self._settings
        in_body = settings.max_tokens_name == "max_tokens"  # LangChain itself sends `max_completion_tokens`
        options: dict[str, Any] = {
            **self._connection,
            "temperature": settings.temperature,
            "streaming": True,
            "stream_usage": True,
            "http_async_client": self._http(),
            "http_client": self._unused,
            # Named, since what is left out is read from the environment.
            "openai_proxy": None,
            "output_version": "v0",
            "use_responses_api": False,
            "stream_chunk_timeout": None,
            "http_socket_options": (),
            ("extra_body" if in_body else "max_tokens"): {"max_tokens": max_tokens} if in_body else max_tokens,
        }
        client: BaseChatModel = init_chat_model(settings.model, model_provider=settings.provider, **options)
        return client

    @property
    def _connection(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "base_url": settings.base_url,
            "api_key": "none",  # set by `_own_headers`
            "max_retries": 0,
            "timeout": self._timeout,
        }

    @cached_property
    def _timeout(self) -> Any:
        import openai

        settings = self._settings
        return openai.Timeout(settings.answer_seconds, connect=settings.connect_seconds)

    def _http(self) -> Any:
        import openai

        hooks = {"request": [self._own_headers, self._pinned]}
        return openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            timeout=self._timeout,
            verify=self._tls,
            event_hooks=hooks,
            trust_env=self._settings.proxied,
        )

    async def _own_headers(self, request: Any) -> None:
        """Takes off what the client adds of itself and from OPENAI_… variables, and sets the configured key."""
        for name in [name for name in request.headers if name.lower() not in _SENT]:
            del request.headers[name]
        if self._settings.api_key:
            request.headers["authorization"] = f"Bearer {self._settings.api_key}"

    async def _pinned(self, request: Any) -> None:
        if self._settings.private is None:
            return
        try:
            await pin_async(request, self._settings.private)
        except AddressRefused as error:
            _log.error("llm `%s`: %s", self._settings.name, error)
            raise

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Kept: to read the certificates takes longer than a local request."""
        import httpx2

        return httpx2.create_ssl_context()

    @cached_property
    def _unused(self) -> Any:
        """LangChain also wants a client for blocking calls, and would build one for each request."""
        import openai

        return openai.DefaultHttpxClient(verify=self._tls, timeout=self._timeout)


def _prepare() -> None:
    for name in ("langchain.chat_models", "langchain_openai"):
        importlib.import_module(name)
    # LangChain refuses to work where these ask for the tracing that it had once.
    for variable in ("LANGCHAIN_TRACING", "LANGCHAIN_HANDLER"):
        os.environ.pop(variable, None)


async def _close(client: Any) -> None:
    await client.root_async_client.close()


def _text(chunk: Any) -> str:
    return chunk.content if isinstance(chunk.content, str) else "".join(map(str, chunk.content))


def _usage(chunk: Any) -> Usage | None:
    counted = chunk.usage_metadata
    return Usage(counted["input_tokens"], counted["output_tokens"], estimated=False) if counted else None


def _tokens(texts: Any) -> int:
    return int(sum(len(text) for text in texts) / _CHARACTERS_PER_TOKEN)


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def _is_cut(error: Exception) -> bool:
    return "Protocol" in type(error.__cause__).__name__ or "Read" in type(error.__cause__).__name__
