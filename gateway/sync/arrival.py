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
    `signed` is the portal's own signature over it, verified. `told`: it came by a call, in the order calls were stored
    in, so nothing known of it is newer, whatever a clock says (S8).
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
    told: bool = False

    def not_before(self, known_at: float) -> Arrival:
        """The same in its turn: what was told is read no earlier than what is known."""
        reading = self.reading
        if not self.told or reading is None or reading.partial or reading.read_at >= known_at:
            return self
        return self._replace(read_at=known_at, reading=reading._replace(read_at=known_at))
