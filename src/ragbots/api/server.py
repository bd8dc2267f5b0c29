"""Serving: one address, one process, models loaded in the background, a quiet end."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ragbots.api.app import create_app
from ragbots.api.guard import HEADERS
from ragbots.api.problems import Problem
from ragbots.errors import ConfigurationError

if TYPE_CHECKING:
    from ragbots.runtime import Runtime

log = logging.getLogger("ragbots.api")

HEAD_SECONDS = 20.0  # for the head of a request, from the connection or its first byte on
GRACE_SECONDS = 10  # for answers under way, and for a warm-up, when the server is told to stop
_BACKLOG = 2048
_WRONG_HOST = (
    "이 서버는 127.0.0.1 또는 localhost 로만 열 수 있습니다. "
    "다른 이름으로 열려면 관리자가 allow_anonymous_network 설정을 켜야 합니다."
)


def serve(runtime: Runtime, host: str, port: int, on_ready: Callable[[str], None] = lambda _url: None) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the answers under way and returns.

    Listens at once and warms `runtime` up meanwhile; then `on_ready` is called with the server's URL,
    from another thread. `runtime` stays the caller's to close. Raises ConfigurationError for an
    address that may not or cannot be listened on, and whatever the warm-up raised.
    """
    listener = listen(runtime, host, port)
    app: ASGIApp = create_app(runtime)
    config = uvicorn.Config(
        LoopbackNames(app) if _for_this_machine(runtime) else app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        proxy_headers=False,
        http=Patient,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    warm_up = WarmUp(runtime, server, lambda: on_ready(url_of(listener, host)))
    with listener, _ending_quietly(server):
        warm_up.start()
        server.run(sockets=[listener])
    warm_up.join(GRACE_SECONDS)
    if warm_up.failure:
        raise warm_up.failure


class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Hangs up on whoever does not send the head of a request in time; bodies have their own time."""

    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait_for_a_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._between_requests():
            self._stop_waiting()
        elif self._hang_up is None:
            self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_a_head(self) -> None:
        self._hang_up = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None


class WarmUp(threading.Thread):
    """Loads models beside the running server; stops the server where that fails."""

    def __init__(self, runtime: Runtime, server: uvicorn.Server, then: Callable[[], None]) -> None:
        # A daemon: an end that was asked for does not wait for models longer than `join` is told to.
        super().__init__(name="ragbots-warm-up", daemon=True)
        self._runtime = runtime
        self._server = server
        self._then = then
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._runtime.warm_up()
            self._then()
        except Exception as error:  # noqa: BLE001 - raised again by `serve`
            log.error("the warm-up failed: %s", error)
            self.failure = error
            self._server.should_exit = True


def listen(runtime: Runtime, host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError saying what to set or to stop."""
    family, address = _resolve(host, port)
    if _for_this_machine(runtime) and not ipaddress.ip_address(address[0].partition("%")[0]).is_loopback:
        raise ConfigurationError(
            f"not listening on {host or address[0]}: anybody in that network could ask without signing in",
            hint="use --host 127.0.0.1, or set RAGBOTS_ALLOW_ANONYMOUS_NETWORK=true if that is what you want",
        )
    try:
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise _cannot_listen(error, host, port) from error


def url_of(listener: socket.socket, host: str) -> str:
    """The address to open, with the port that was really taken."""
    address, port = listener.getsockname()[:2]
    name = host or address
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


class LoopbackNames:
    """Answers only under names of this machine.

    While nobody signs in, a page on the web could otherwise have its own name point to 127.0.0.1 and
    read the regulations through the visitor's browser (DNS rebinding).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_loopback_name(_host_of(scope)):
            await Problem(421, "wrong-host", _WRONG_HOST, headers=HEADERS).response()(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _for_this_machine(runtime: Runtime) -> bool:
    """Whether nobody signs in, so that only who sits at this machine may ask."""
    return not (runtime.identity.requires_sign_in or runtime.settings.allow_anonymous_network)


def _host_of(scope: Scope) -> str:
    """The host a request names, without its port; empty where it names none."""
    named = Headers(scope=scope).get("host", "")
    if named.startswith("["):
        return named[1:].partition("]")[0]
    return named.partition(":")[0]


def _is_loopback_name(host: str) -> bool:
    if not host or host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """The address to bind; IPv4 where a name has both, since that is what people type."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(f"no such address: {host}", hint="name one of this machine with --host") from error
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, (str(address[0]), port)


def _cannot_listen(error: OSError, host: str, port: int) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        hint = "stop what listens there, or take another port with --port or RAGBOTS_PORT"
        return ConfigurationError(f"port {port} on {host} is in use", hint=hint)
    if error.errno == errno.EACCES:
        hint = "take a port from 1024 on with --port or RAGBOTS_PORT"
        return ConfigurationError(f"port {port} may not be listened on", hint=hint)
    return ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}", hint="see --host and --port")


@contextmanager
def _ending_quietly(server: uvicorn.Server) -> Iterator[None]:
    """Signals end the server and nothing else.

    uvicorn sends itself the signal again when it has stopped, which would end the process before
    its caller could close anything; with these handlers beneath its own, that does nothing.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
