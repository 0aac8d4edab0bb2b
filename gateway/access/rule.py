"""Who may call one place; every measure that is set must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.access.networks import Network, networks
from gateway.config import InboundConfig
from gateway.pins import Pin, pin


@dataclass(frozen=True, slots=True)
class Rule:
    """`place` names what is called (a portal, an interface). An empty measure asks for nothing.

    `secret` gives the word the address must hold, read anew at each call. With `scope`, the caller must prove who he
    is, by a key or a pinned certificate that carries the scope; without it, pinned certificates must be shown.
    """

    place: str
    networks: tuple[Network, ...] = ()
    certificates: tuple[Pin, ...] = ()
    secret: Callable[[], str] | None = None
    scope: str = ""
    calls_per_s: float = 50.0
    burst: int = 200


def rule_of(portal: str, inbound: InboundConfig, resolve: Callable[[str], str]) -> Rule:
    """The rule of a portal's endpoints; `resolve` gives the secret behind a reference."""
    reference = inbound.secret
    return Rule(
        place=portal,
        networks=networks(inbound.allow),
        certificates=tuple(pin(text, name=portal) for text in inbound.certificates),
        secret=(lambda: resolve(reference)) if reference else None,
        calls_per_s=inbound.calls_per_s,
        burst=inbound.burst,
    )
