"""API keys: shown once when they are made, kept only as a digest.

A key holds 256 random bits, so a fast hash of it cannot be guessed backwards; a slow one would only help whoever wants
to keep us busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

_KEY = re.compile(r"lt_([0-9a-f]{16})_([0-9A-Za-z_-]{43})")
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. `name` says who holds it, `scopes` what he may do; instants are timezone-aware."""

    id: str
    name: str
    digest: str = field(repr=False)
    scopes: frozenset[str]
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Whether it is neither revoked nor past its time."""
        return (self.revoked_at is None or now < self.revoked_at) and (self.expires_at is None or now < self.expires_at)


class Keys(Protocol):
    """Where keys are kept."""

    def find(self, key_id: str) -> ApiKey | None:
        """The key of that id, revoked or not."""


class NoKeys:
    """Nobody has a key."""

    def find(self, key_id: str) -> ApiKey | None:
        """None, whoever asks."""


def mint(
    name: str, scopes: frozenset[str], made_at: datetime, expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """A new key: the text for its holder, which is kept nowhere, and what is kept of it."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return f"lt_{key_id}_{secret}", ApiKey(key_id, name, _digest(secret), scopes, made_at, expires_at)


def recognise(text: str, keys: Keys, now: datetime) -> ApiKey | None:
    """The key that a caller showed; None when it is malformed, unknown, revoked or past its time."""
    read = _KEY.fullmatch(text)
    found = keys.find(read[1]) if read else None
    fits = hmac.compare_digest(_digest(read[2] if read else ""), found.digest if found else _NOBODY)
    return found if found is not None and fits and found.holds_at(now) else None


def bearer(authorization: str) -> str:
    """The key of an `Authorization: Bearer ...` header, "" when it holds none."""
    scheme, _, text = authorization.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
