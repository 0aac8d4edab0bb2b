"""How far a ministry has read its inbox: a place in it, and a mark that the cursor is of this inbox.

Without the mark the cursor of a test installation, or of another ministry, would pass over what waits, and nobody
would notice. The mark is made with the key ring, so it outlives a restore.
"""

from __future__ import annotations

from gateway.store.base import Vault

MARK = 6
PATTERN = rf"^([0-9a-f]{{1,15}}-[0-9a-f]{{{MARK}}})?$"
"""What a cursor looks like; the empty one is the beginning."""


def written(vault: Vault, portal: str, number: int) -> str:
    """The cursor of a place."""
    return f"{number:x}-{_mark(vault, portal)}"


def place_of(vault: Vault, portal: str, cursor: str) -> int | None:
    """The place of a cursor; None when it was written for another inbox.

    Args:
        cursor: Of the form of `PATTERN`.
    """
    number, _, mark = cursor.partition("-")
    return int(number or "0", 16) if not cursor or mark == _mark(vault, portal) else None


def _mark(vault: Vault, portal: str) -> str:
    return vault.blind(f"inbox cursor {portal}")[:MARK]
