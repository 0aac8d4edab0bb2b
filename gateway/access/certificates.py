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
    shown = (f"sha256:{hashlib.sha256(certificate).hexdigest()}", *_subjects(certificate))
    return next((one for one in pins if any(_same(one.wanted, text) for text in shown)), None)


def _subjects(certificate: bytes) -> tuple[str, ...]:
    """The subject from its narrowest part on, as RFC 4514 writes it, and from its widest on, as openssl prints it."""
    try:
        subject = x509.load_der_x509_certificate(certificate).subject
    except ValueError:
        return ()
    return subject.rfc4514_string(), x509.Name(reversed(list(subject.rdns))).rfc4514_string()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
