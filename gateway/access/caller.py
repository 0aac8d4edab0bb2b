"""Someone at the door: what he brings, and what the rules make of him."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Approach:
    """What a caller shows before anything he sent is read.

    `address` is the other end of the connection, `forwarded` what a proxy wrote into `X-Forwarded-For`. `certificate`
    is the client certificate as DER, its holder proved by the TLS handshake; b"" without one. `secret` is the word he
    put into the address, `key` the API key of his `Authorization` header.
    """

    address: str
    forwarded: str = ""
    certificate: bytes = field(default=b"", repr=False)
    secret: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may come in. `name` is what was proved of him, "" where only the network vouches for him."""

    name: str
    address: str
    proof: Literal["network", "secret", "certificate", "key"]
    scopes: frozenset[str] = frozenset()


class Reason(StrEnum):
    """Why someone may not come in."""

    NETWORK = "network"
    GONE = "gone"
    """The connection was reset before anybody could be seen: no address, so no network."""
    RATE = "rate"
    PATH = "path"
    CERTIFICATE = "certificate"
    REVOKED = "revoked"
    OUTDATED_LIST = "outdated_list"
    """Nobody knows whether his certificate still holds: its authority's list was not replaced in time."""
    UNREADABLE = "unreadable_certificate"
    KEY = "key"
    SCOPE = "scope"


@dataclass(frozen=True, slots=True)
class Denied:
    """Someone who may not come in. `retry_after_s` is set where coming again later helps."""

    reason: Reason
    address: str
    retry_after_s: float = 0.0
