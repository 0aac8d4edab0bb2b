"""One entry of the evidence log: canonical JSON, written in its state's transaction, without a position.

Each leaf names the previous leaf of its lane or record (`prev`), so that a chain has no gap. Nothing personal stands
in a leaf: personal bytes appear as one salted commitment.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from schemas.canonical import canonical_bytes

VERSION = 1

KINDS = {
    "observation": "a portal's record was read and said something new: decisions per entry and the lanes made due",
    "attempt": "a delivery was begun: its key and the digest of its frozen bytes",
    "outcome": "what an attempt came to, by whose word",
    "settled": "an uncertain delivery was settled: by repeat, probe, our key read back, term or person",
    "superseded": "a command was no longer wanted",
    "parked": "a delivery waits for a person",
    "quarantined": "a record could not be read or placed",
    "act": "an operator's act: actor, reason, what changed",
    "portal": "a portal's mode or adopt line changed, it was compared, or a sweep stopped to ask",
    "inbound": "a call on us was stored or refused: receiver, key, version, what was answered, the files it brought",
    "file": "a file was fetched from the portal that holds it, or given up",
    "receipt": "we signed a statement about one fact of a hand-over",
    "restore": "a restored store began a new epoch; names both heads",
}
"""Kinds of leaves and what each says; `docs/evidence.md` documents their fields."""


@dataclass(slots=True)
class LeafRow:
    """One entry of the evidence log: canonical bytes and digest; positions come with the sealer."""

    kind: str
    canonical: bytes
    digest: str
    at: float
    dossier_id: str = ""
    portal: str = ""


def leaf(kind: str, at: float, *, dossier_id: str = "", portal: str = "", prev: str = "", **fields: Any) -> LeafRow:
    """Make a leaf. `at` is our clock in seconds; `fields` are JSON values without personal data."""
    body = {"v": VERSION, "kind": kind, "at": round(at, 3), "dossier": dossier_id, "portal": portal, "prev": prev}
    canonical = canonical_bytes({**body, **fields})
    return LeafRow(kind, canonical, hashlib.sha256(canonical).hexdigest(), at, dossier_id, portal)


def commitment(salt: bytes, personal: bytes) -> str:
    """SHA-256 over a 16-byte salt and the personal bytes, in hex; the salt lies sealed beside the bytes."""
    return hashlib.sha256(salt + personal).hexdigest()
