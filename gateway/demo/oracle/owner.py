"""A dossier as the province, which owns it, shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.oracle.books import Books
from gateway.demo.oracle.words import STATUS_ACTS, digits, digits_of


@dataclass(frozen=True, slots=True)
class Owner:
    """What the province says of one new dossier."""

    reference: str
    record: Mapping[str, Any]
    events: tuple[tuple[str, str, str], ...]
    """Status word, 14-digit time, note."""
    legal: tuple[Mapping[str, Any], ...]

    @property
    def number(self) -> str:
        """The number it is known by elsewhere: the national one it came with, else the province's own."""
        return str(self.record["originDossierNo"] or self.record["dossierNo"])

    @property
    def born_elsewhere(self) -> bool:
        """Whether it came with a number of the national portal."""
        return bool(self.record["originDossierNo"])

    @property
    def known_outside(self) -> bool:
        """Only a dossier with a number and a date of receipt can be shown elsewhere."""
        return bool(self.number and self.record["receiveDate"])

    def ever(self, name: str) -> set[str]:
        """Every value a legal date ever had, as fourteen digits."""
        return {digits(dates[name]) for dates in self.legal}


def new_owners(books: Books, old: Container[str]) -> dict[str, Owner]:
    """Reference -> every dossier of the province that is not `old`."""
    events: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for effect in books.province_effects:
        if effect["effect"] in STATUS_ACTS and effect["key"] not in old:
            content = effect["content"]
            note = str(content.get("actionNote", "")).partition("[lt:")[0].strip()
            events[effect["key"]].append((content["status"], digits_of(effect["at"]), note))
    return {
        uid: Owner(uid, record, tuple(events[uid]), tuple(books.province_legal[uid]))
        for uid, record in books.province_records.items()
        if uid not in old
    }
