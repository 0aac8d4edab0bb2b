"""A receipt: our signed statement about one fact of one hand-over. What it says, byte for byte, and how it is worded.

Only the answer, acknowledgement or signature of a partner may be called the receipt of that partner; this one is ours.
Its bytes are canonical JSON, signed as they are with Ed25519, so that openssl alone verifies them (docs/receipts.md).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from adapters.base import Signed
from schemas.canonical import canonical_bytes

TYPE = "lienthong/hand-over/1"


def statement(
    *,
    agency_code: str,
    key_id: str,
    dossier: str,
    portal: str,
    route: str,
    fact: str,
    at: float,
    made_at: float,
    proof: dict[str, Any],
    handed_over: dict[str, Any] | None,
    reply: dict[str, Any] | None = None,
) -> bytes:
    """Write a statement down.

    Args:
        at: When the fact came to be true; `made_at` when we wrote it. Seconds since 1970 in UTC.
        proof: `by` whose word it is, `of` which delivery or event, and the code and words that proved it; `signed`
            (see `signature`) where the partner's own signature was verified, and only there.
        handed_over: Delivery, operation and SHA-256 of exactly what was handed over, None where unknown:
            `record_sha256` of the record as the mapping wrote it, `body_sha256` of the body on the wire.
        reply: SHA-256 and size of the partner's answer, byte for byte; or the leaf that holds what it told.
    """
    return canonical_bytes(
        {
            "type": TYPE,
            "by": agency_code,
            "key": key_id,
            "dossier": dossier,
            "portal": portal,
            "route": route,
            "fact": fact,
            "at": _instant(at),
            "made_at": _instant(made_at),
            "proof": proof,
            "handed_over": handed_over,
            "reply": reply,
        }
    )


def answered(answer: bytes) -> dict[str, Any] | None:
    """What a receipt says of an answer; None when there was none."""
    return {"sha256": hashlib.sha256(answer).hexdigest(), "bytes": len(answer)} if answer else None


def signature(signed: Signed) -> dict[str, Any]:
    """What a receipt says of the partner's own signature: whose, how, when it was judged, and over which bytes."""
    return {
        "certificate_sha256": hashlib.sha256(signed.certificate).hexdigest(),
        "holder": signed.holder,
        "algorithm": signed.algorithm,
        "checked_at": signed.at.astimezone(UTC),
        "message_sha256": hashlib.sha256(signed.document).hexdigest(),
        "message_bytes": len(signed.document),
    }


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(round(at, 3), UTC)
