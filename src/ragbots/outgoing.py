"""Where requests may go whose address a bot, a setting or somebody's answer names: not into the organisation's own
network, unless it is listed. A name is resolved once, and the connection goes to the address that was looked at."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio.to_thread
import httpx

from ragbots.errors import AddressRefused

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Iterable[str]]
"""Host and port → the addresses of the host. Raises OSError."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


_THIS_MACHINE = ("127.0.0.0/8", "::1/128")


def client(private: Sequence[str], *, headers: Mapping[str, str] | None = None, timeout: httpx.Timeout) -> httpx.Client:
    """A client that follows no redirect, and raises AddressRefused for addresses it may not reach."""
    hooks: Mapping[str, list[Callable[..., Any]]] = {"request": [partial(pin, private=private)]}
    return httpx.Client(headers=headers, timeout=timeout, follow_redirects=False, event_hooks=hooks)


def direct_client(private: Sequence[str], timeout: float) -> httpx.AsyncClient:
    """As `client`, for an event loop; a proxy of the environment is not used."""
    hooks: Mapping[str, list[Callable[..., Any]]] = {"request": [partial(pin_async, private=private, proxied=False)]}
    return httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False, event_hooks=hooks)


def spelled_out(url: str) -> tuple[str, ...]:
    """The networks that whoever wrote this address into the settings has listed thereby: that of a host which is
    written as an address, or as this machine; none for a name, since it is found elsewhere where that leads."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return _THIS_MACHINE
    try:
        return (str(ipaddress.ip_network(host)),)
    except ValueError:
        return ()


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system finds them, in its order."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def destination(url: str, private: Sequence[str], resolve: Resolve = resolved) -> str:
    """The address to connect to for `url`. `private`: networks that may be reached although they are not public.

    Raises AddressRefused for another scheme than http and https, a user name, a host that is not found, and a host of
    which any address is neither public nor in `private`. Names the host alone: the rest can be a secret.
    """
    host, port = _host_and_port(url)
    try:
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in resolve(host, port)]
    except (OSError, UnicodeError, ValueError) as error:
        raise AddressRefused(f"{host!r} was not found: {type(error).__name__}") from None
    networks = [ipaddress.ip_network(network) for network in private]
    for address in found:
        if not _may_be_reached(address, networks):
            raise AddressRefused(
                f"{host!r} leads to {address}, which is not public", hint="list its network in `private_networks`"
            )
    if not found:
        raise AddressRefused(f"{host!r} has no address")
    return str(found[0])


def is_proxied(url: str) -> bool:
    """Whether the environment names a proxy for `url`: it finds the host itself, and decides where requests go."""
    parts = urlsplit(url)
    proxies = getproxies()
    return bool(proxies.get(parts.scheme) or proxies.get("all")) and not proxy_bypass(parts.hostname or "")


def pin(request: Any, private: Sequence[str], resolve: Resolve = resolved, *, proxied: bool = True) -> None:
    """Has a request of an httpx client go to the address that was looked at; its name stays in `Host` and for TLS.

    A hook for `event_hooks` of a client that follows no redirects; `proxied`: it uses the proxy that the environment
    names. Raises AddressRefused.
    """
    if proxied and is_proxied(str(request.url)):
        return
    address = destination(str(request.url), private, resolve)
    request.extensions = {**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")}
    request.url = request.url.copy_with(host=address)


async def pin_async(request: Any, private: Sequence[str], resolve: Resolve = resolved, *, proxied: bool = True) -> None:
    """`pin` for a client of an event loop, which goes on while the name is looked up."""
    await anyio.to_thread.run_sync(partial(pin, request, private, resolve, proxied=proxied))


def pinned_adapter(private: Sequence[str], resolve: Resolve = resolved) -> HTTPAdapter:
    """`pin` for a session of `requests`, to be mounted there."""
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter  # takes 0.2 s to import

    class Pinned(HTTPAdapter):
        def build_connection_pool_key_attributes(
            self, request: PreparedRequest, verify: bool | str, cert: Any = None
        ) -> Any:
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
            url = request.url or ""
            if is_proxied(url):
                return host, pool
            if host["scheme"] == "https":
                pool = {**pool, "server_hostname": host["host"], "assert_hostname": host["host"]}
            return {**host, "host": destination(url, private, resolve)}, pool

        def add_headers(self, request: PreparedRequest, **_options: object) -> None:
            request.headers["Host"] = urlsplit(request.url or "").netloc  # else that of the connection

    return Pinned()


def _host_and_port(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("an address that cannot be read") from None
    if parts.scheme not in _PORTS or not host:
        raise AddressRefused("an address that does not begin with http:// or https://")
    if "@" in parts.netloc or "\\" in url:
        raise AddressRefused(f"an address with a user name before {host!r}", hint="leave it out")
    return host, port or _PORTS[parts.scheme]


def _may_be_reached(address: _Address, private: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    inner = _meant(address)
    if any(inner in network for network in private):
        return True
    return inner.is_global and not inner.is_multicast


def _meant(address: _Address) -> _Address:
    """The IPv4 address that some of IPv6 stand for."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
