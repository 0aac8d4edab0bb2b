"""Which address leads to which receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from adapters.receiving import InboundReply, InboundRequest, Receiver
from gateway.access import Rule
from gateway.access.rule import rule_of
from gateway.config import Config, InboundConfig

Receive = Callable[[str, Receiver, InboundRequest], InboundReply]
"""Takes one call in: portal, receiver, request -> the answer. Runs in a thread of the endpoint; never raises for
anything the caller sent."""
Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint below one prefix. `secret` tells whether a secret word stands between prefix and path."""

    portal: str
    receiver: Receiver
    prefix: Segments
    path: Segments
    secret: bool
    rule: Rule
    max_body_bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """A door, the word its caller put between prefix and path, and what follows the receiver's own path."""

    door: Door
    secret: str
    rest: str


def segments(path: str) -> Segments:
    """The parts of a path; doubled and closing slashes do not matter."""
    return tuple(part for part in path.split("/") if part)


def doors(
    config: Config, receivers: Mapping[str, Iterable[Receiver]], resolve: Callable[[str], str]
) -> tuple[Door, ...]:
    """Every address of every portal that may call; `resolve` gives the secret behind a reference.

    Raises:
        ValueError: A network or a pin of the configuration is malformed; `config check` says so with its line.
    """
    if config.server is None:
        return ()
    largest = config.server.max_body_bytes
    return tuple(
        Door(
            portal=name,
            receiver=receiver,
            prefix=segments(prefix),
            path=segments(path),
            secret=bool(entry.inbound.secret),
            rule=rule,
            max_body_bytes=entry.inbound.max_body_bytes or largest,
        )
        for name, entry in config.portals.items()
        if entry.inbound is not None
        for rule in (rule_of(name, entry.inbound, resolve),)
        for prefix in prefixes(name, entry.inbound)
        for receiver in receivers.get(name, ())
        for path in receiver.paths
    )


def prefixes(portal: str, inbound: InboundConfig) -> tuple[str, ...]:
    """Where a portal's endpoints stand."""
    return (f"/in/{portal}", *inbound.at)


class Map:
    """Finds the door of a path: the one with the most segments wins."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self._doors = tuple(sorted(doors, key=lambda door: -len(door.prefix + door.path)))

    def find(self, path: str) -> Found | None:
        """The door of an address, or None."""
        parts = segments(path)
        return next((found for door in self._doors if (found := _fits(door, parts)) is not None), None)


def _fits(door: Door, parts: Segments) -> Found | None:
    begins = len(door.prefix) + door.secret
    ends = begins + len(door.path)
    if parts[: len(door.prefix)] != door.prefix or len(parts) < ends or parts[begins:ends] != door.path:
        return None
    return Found(door, parts[begins - 1] if door.secret else "", "/".join(parts[ends:]))
