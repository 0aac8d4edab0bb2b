"""Pins of client certificates as people write them: the SHA-256 of the whole certificate, or its subject."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography import x509

_FINGERPRINT = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One certificate that may call. `name` says to whom it belongs, `scopes` what he may do; both may be empty."""

    wanted: str
    """`sha256:` and 64 hexadecimal digits, or a subject as RFC 4514 writes it: `CN=npsp,O=VPCP,C=VN`."""
    name: str = ""
    scopes: frozenset[str] = frozenset()


def pin(text: str, name: str = "", scopes: frozenset[str] = frozenset()) -> Pin:
    """A pin as people write it: colons and capitals of a fingerprint, and blanks after commas do not matter.

    Raises:
        ValueError: Neither a fingerprint nor a subject.
    """
    if text.lower().startswith("sha256:"):
        wanted = "sha256:" + text[7:].replace(":", "").lower()
        if not _FINGERPRINT.fullmatch(wanted):
            raise ValueError("write sha256: and 64 hexadecimal digits")
        return Pin(wanted, name, scopes)
    try:
        subject = x509.Name.from_rfc4514_string(re.sub(r"(?<!\\),\s+", ",", text.strip()))
    except ValueError:
        raise ValueError("write sha256:... or a subject such as CN=npsp,O=VPCP,C=VN") from None
    if not list(subject):
        raise ValueError("write sha256:... or a subject such as CN=npsp,O=VPCP,C=VN")
    return Pin(subject.rfc4514_string(), name, scopes)
