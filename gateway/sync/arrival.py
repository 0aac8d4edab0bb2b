"""A record as it came in, on its way into the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from adapters.base import Signed
from gateway.sync.reading import Reading

SALT = 16
"""Bytes of salt in front of a record's sealed bytes: its commitment in the leaf says nothing without them."""


class Arrival(NamedTuple):
    """A record as it came in: read (`reading`) or unreadable (`problem`), with its bytes and a fresh salt.

    `packed` is what is sealed: the salt and the compressed bytes. `raw_digest` is as in the record's row. `read` is
    given instead of a reading where the stored reading had the same bytes: it is asked only if that changed meanwhile.
    `signed` is the portal's own signature over it, verified.
    """

    external_id: str
    raw: bytes
    read_at: float
    salt: bytes = b""
    packed: bytes = b""
    raw_digest: str = ""
    reading: Reading | None = None
    problem: str = ""
    read: Callable[[], Arrival] | None = None
    signed: Signed | None = None
