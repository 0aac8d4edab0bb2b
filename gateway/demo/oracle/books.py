"""The books of the four portals, fetched over HTTP with the standard library only."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Books:
    """What the portals hold and what calls did to them.

    `province`: records and legal dates by reference, effects in order. `national`: records by number, effects.
    `transport`, `justice`: dossiers as their officers see them, effects; `calls`: portal -> calls that may write.
    `national_calls`: number -> its calls on the gateway with the answers it got; `transport_callbacks`: messages called
    back, with every attempt. `province_files`: reference -> the files that lie there, each with its digest.
    """

    province_records: Mapping[str, Any]
    province_effects: list[Mapping[str, Any]]
    province_legal: Mapping[str, Any]
    national_records: Mapping[str, Any]
    national_effects: list[Mapping[str, Any]]
    transport_dossiers: list[Mapping[str, Any]]
    transport_effects: list[Mapping[str, Any]]
    transport_calls: list[Mapping[str, Any]]
    justice_dossiers: list[Mapping[str, Any]]
    justice_effects: list[Mapping[str, Any]]
    national_calls: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    transport_callbacks: list[Mapping[str, Any]] = field(default_factory=list)
    province_files: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def written(self) -> int:
        """How many effects were made by calls, at all portals."""
        books = (self.province_effects, self.national_effects, self.transport_effects, self.justice_effects)
        return sum(bool(effect["call"]) for book in books for effect in book)


def read_books(control: Mapping[str, str]) -> Books:
    """Fetch all books; `control`: province, national, transport and justice -> URL of the officers' port."""

    def look(portal: str, path: str) -> Any:
        with urllib.request.urlopen(f"{control[portal]}/_sim/{path}", timeout=_TIMEOUT_S) as reply:  # noqa: S310 - loopback
            return json.load(reply)

    return Books(
        province_records=look("province", "records"),
        province_effects=look("province", "book")["effects"],
        province_legal=look("province", "legal"),
        national_records=look("national", "records"),
        national_effects=look("national", "book")["effects"],
        transport_dossiers=look("transport", "dossiers"),
        transport_effects=look("transport", "book")["effects"],
        transport_calls=look("transport", "calls"),
        justice_dossiers=look("justice", "dossiers"),
        justice_effects=look("justice", "book")["effects"],
        national_calls=look("national", "answers"),
        transport_callbacks=look("transport", "callbacks"),
        province_files=look("province", "files"),
    )
