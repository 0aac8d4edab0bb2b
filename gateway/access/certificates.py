"""Which pin a client certificate fits.

The TLS handshake has proved that the caller holds the certificate's key and that an authority of ours signed it; a pin
says that this one may call here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from cryptography import x509

from gateway.pins import Pin


def matching(certificate: bytes, pins: Iterable[Pin]) -> Pin | None:
    """The first pin that fits a certificate (DER); None when none does, or there is no certificate."""
    if not certificate:
        return None
    shown = (f"sha256:{hashlib.sha256(certificate).hexdigest()}", _subject(certificate))
    return next((one for one in pins if any(_same(one.wanted, text) for text in shown)), None)


def _subject(certificate: bytes) -> str:
    try:
        return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except ValueError:
        return ""


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
