"""Whose a request is by its address."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(request: Request, trusted_proxies: Sequence[str]) -> str:
    """The address a request comes from: its peer's, or behind proxies that are trusted the last one in
    `X-Forwarded-For` that is no such proxy. What stands before it, anybody can have written."""
    networks = [ipaddress.ip_network(network) for network in trusted_proxies]
    peer = request.client.host if request.client else ""
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    found = _read(peer)
    while found is not None and _is_in(found, networks) and forwarded:
        named = _read(forwarded.pop())
        if named is None:
            break
        found = named
    return peer if found is None else str(found)


def counted_as(address: str) -> str:
    """What an address is counted as: an IPv6 host has its whole /64 to choose from."""
    found = _read(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


def _read(written: str) -> _Address | None:
    """An address, with or without port and brackets; one of IPv4 within IPv6 is the one of IPv4."""
    text = written.strip().partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_in(address: _Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)
