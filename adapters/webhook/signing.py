"""The Standard Webhooks signature: HMAC-SHA256 over `id.timestamp.body`, in base64, marked `v1`.

Scheme: standardwebhooks.com, specification 1.0.0. A receiver takes the headers `webhook-id`, `webhook-timestamp` and
`webhook-signature`, makes the same signature with the shared secret, compares in constant time, and refuses a
timestamp more than five minutes away. docs/inbox.md has a test vector.
"""

from __future__ import annotations

import base64
import binascii
import hmac

PREFIX = "whsec_"


class SecretError(ValueError):
    """Not `whsec_` and 24 to 64 bytes in base64; the text never holds the secret."""


def key_of(secret: str) -> bytes:
    """The key behind a secret as it is handed over.

    Raises:
        SecretError: It has another form.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise SecretError("a notice secret is whsec_ and 24 to 64 bytes in base64")
    return key


def signature(secret: str, notice_id: str, timestamp_s: int, body: bytes) -> str:
    """`v1,` and the signature. Raises `SecretError`."""
    signed = f"{notice_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()


def headers_of(secret: str, notice_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers of a notice. Raises `SecretError`."""
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(secret, notice_id, timestamp_s, body),
    }
