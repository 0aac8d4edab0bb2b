"""What a partner has signed itself, kept as it came: the proof behind a receipt that a stranger can check alone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from adapters.base import Signed
from gateway.evidence.leaf import commitment
from gateway.store.base import Tx, Vault
from gateway.store.rows import RawRow, StageRow
from gateway.sync.arrival import SALT
from gateway.vault import pack, unpack

WITH_ITS_RECEIPT = 253402300799.0
"""The last day there is: `store.raw_days` does not end what a receipt names. Erasing the dossier's key does."""
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """A partner's signed message, byte for byte, and the certificate (DER) whose key signed it."""

    document: bytes = field(repr=False)
    certificate: bytes = field(repr=False)


def keep(tx: Tx, vault: Vault, stage: StageRow, name: str, signed: Signed, now: float) -> None:
    """Keep a message under its name (SHA-256 of its bytes), sealed with its dossier; the stage remembers where.

    Of a dossier whose key was erased nothing is kept any more: what is heard is still proven, its words are gone.
    """
    kept: dict[str, int] = stage.doc.setdefault("signed", {})
    if name in kept:
        return
    plain = len(signed.certificate).to_bytes(_LENGTH, "big") + signed.certificate + signed.document
    salt = os.urandom(SALT)
    try:
        sealed = vault.seal(stage.dossier_id, salt + pack(plain))
    except KeyError:
        return
    row = RawRow(stage.portal, "", stage.dossier_id, sealed, commitment(salt, plain), now, WITH_ITS_RECEIPT)
    (kept[name],) = tx.put_raw([row])
    tx.put_stages([stage])


def kept_row(tx: Tx, dossier_id: str, portal: str, route: str, name: str) -> RawRow | None:
    """The sealed message of a hand-over by its name; None where it is not there."""
    stages = tx.stages_of([dossier_id], portal=portal).get(dossier_id, [])
    numbers = [stage.doc.get("signed", {}).get(name) for stage in stages if stage.route == route]
    return next((tx.raw(number) for number in numbers if number is not None), None)


def opened(vault: Vault, row: RawRow) -> Kept:
    """A kept message, opened.

    Raises:
        KeyError: Its dossier's key was erased.
        SealError: It is damaged, or the key ring is of another day.
    """
    plain = unpack(vault.open(row.seal_key, row.sealed)[SALT:])
    ends = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
    return Kept(plain[ends:], plain[_LENGTH:ends])
