"""Addresses and networks: who is behind a proxy, and does a list name him."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as written; a lone address is a network of one.

    Raises:
        ValueError: One of them is neither.
    """
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def address(text: str) -> Address | None:
    """An address; an IPv4 one that came over IPv6 is told as IPv4; None when it is none."""
    try:
        found = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def within(found: Address | None, listed: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    return found is not None and any(found.version == one.version and found in one for one in listed)


def caller_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Who calls: the other end of the connection, or the nearest one before it that is no proxy of ours.

    `X-Forwarded-For` is read from its end, because only our own proxies' entries can be believed; what stands before
    the first stranger is his own invention. An entry that is no address ends the reading.
    """
    nearest = peer
    for entry in reversed(forwarded.split(",")):
        if not within(address(nearest), proxies) or address(entry) is None:
            break
        nearest = entry.strip()
    found = address(nearest)
    return str(found) if found is not None else nearest


def neighbourhood(text: str) -> str:
    """The part of an address that one caller holds whole: an IPv4 address, or an IPv6 network of 64 bits."""
    found = address(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return text if found is None else str(found)
