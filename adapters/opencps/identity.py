"""Keys that we make: the references of a dossier born at the national portal, and of the files uploaded to it."""

from __future__ import annotations

from unicodedata import normalize
from uuid import UUID, uuid5

NATIONAL = UUID("6f1d7c0e-52a4-5d1b-9a36-2f6f0c1e8b47")
"""Name space of references made from national numbers; never to change."""


def reference_of(national_number: str) -> str:
    """UUIDv5 of a national number: whoever computes it, and how often, the dossier is created under one key."""
    return str(uuid5(NATIONAL, normalize("NFC", national_number).strip()))


def file_reference_of(dossier: str, stored: str) -> str:
    """UUIDv5 of a stored file in one dossier: an upload made twice is one file."""
    return str(uuid5(NATIONAL, f"{dossier.strip().casefold()}/{stored}"))
