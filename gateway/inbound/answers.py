"""Questions of portals, answered from what the gateway holds: fees owed, and files it was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from adapters.base import JsonValue
from adapters.receiving import HeldFile, Question
from gateway.config import Config
from gateway.inbound.debts import owed
from gateway.inbound.files import FileStore
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import FileRow
from gateway.sync.dossiers import Held, as_json, view_of
from gateway.sync.portal import Portal
from gateway.vault import SealError
from schemas.clock import Clock


class Answers:
    """Finds what a question asks for; None when there is nothing, or nothing for this portal."""

    def __init__(self, config: Config, store: Store, vault: Vault, files: FileStore, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._vault = vault
        self._files = files
        self._clock = clock
        self._known: Mapping[str, Callable[[Portal, Mapping[str, JsonValue]], JsonValue]] = {
            "fees_owed": self._fees_owed,
            "file": self._file,
        }

    def __call__(self, portal: Portal, question: Question) -> JsonValue:
        """Answer one question; one without a name needs nothing from us."""
        find = self._known.get(question.name)
        return None if find is None else find(portal, question.arguments)

    def _fees_owed(self, _portal: Portal, asked: Mapping[str, JsonValue]) -> JsonValue:
        """The facts of the one dossier of that number, its fees those not paid yet; None where nobody can tell them."""
        number = str(asked.get("dossier_code") or "")

        def look(tx: Tx) -> dict[str, Any] | None:
            found = {row.id: row for row in tx.dossiers_by_national_code([number]).get(number, ())}
            found |= {row.id: row for row in tx.dossiers_by_code([number]).get(number, ())}
            if len(found) != 1:  # unknown, or not unique: nobody is told of another's debt
                return None
            row = next(iter(found.values()))
            held = Held.open(row, self._vault)
            view = view_of(row, held, self._config)
            fees = owed(view, held.facts, self._config.ownership.handlers)
            return None if fees is None else as_json(dict(view.facts) | {"fees": fees})

        try:
            return self._store.read(look) if number else None
        except (KeyError, SealError):
            return None

    def _file(self, portal: Portal, asked: Mapping[str, JsonValue]) -> JsonValue:
        """A file behind an address that this portal was given, or that came from it, until its day has come."""
        name = str(asked.get("id") or "")
        row = self._store.read(lambda tx: self._allowed(tx, portal.name, name))
        if row is None:
            return None
        try:
            next(self._files.open(row))  # what is gone or damaged from the start is not there, and is said so
        except (FileNotFoundError, SealError):
            return None
        held = HeldFile(row.size, partial(self._files.open, row))
        return {"file": held, "media_type": row.media_type}

    def _allowed(self, tx: Tx, portal: str, name: str) -> FileRow | None:
        link = tx.file_link(name)
        if link is not None and link.portal != portal:
            return None
        row = tx.file(link.file_id if link else name)
        if row is None or row.expires_at <= self._clock.now().timestamp():
            return None
        return row if link is not None or row.portal == portal else None
