"""Where requests may go whose address a bot or a setting names: not into the organisation's own network, unless it is
listed. A name is resolved once, and the connection goes to the address that was looked at."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio.to_thread

from ragbots.errors import AddressRefused

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Iterable[str]]
"""Host and port → the addresses of the host. Raises OSError."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


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


def pin(request: Any, private: Sequence[str], resolve: Resolve = resolved) -> None:
    """Has a request of an httpx client go to the address that was looked at; its name stays in `Host` and for TLS.

    A hook for `event_hooks` of a client that follows no redirects. Raises AddressRefused.
    """
    if is_proxied(str(request.url)):
        return
    address = destination(str(request.url), private, resolve)
    request.extensions = {**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")}
    request.url = request.url.copy_with(host=address)


async def pin_async(request: Any, private: Sequence[str], resolve: Resolve = resolved) -> None:
    """`pin` for a client of an event loop, which goes on while the name is looked up."""
    await anyio.to_thread.run_sync(pin, request, private, resolve)


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
