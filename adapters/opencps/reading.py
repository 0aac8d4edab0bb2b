"""Reading one dossier: detail, log, next actions -> a raw record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from adapters.base import RawRecord, UnreadableRecord
from adapters.opencps import rows as wire
from adapters.opencps.calls import Calls, part
from adapters.opencps.options import Options
from adapters.opencps.rows import JsonObject
from schemas.errors import PortalContractError, PortalUnavailableError


class Reader:
    """Reads dossiers of one portal by reference; secrets are blanked before anything is kept."""

    def __init__(self, calls: Calls, options: Options) -> None:
        self._calls = calls
        self._options = options

    def detail(self, key: str) -> JsonObject | None:
        """The detail, or None for the empty object an unknown dossier has.

        Raises:
            PortalContractError: Another dossier came back: a key that is a number is read as a primary key.
        """
        found = self._calls.read(f"/dossiers/{part(key)}")
        if not wire.number(found.get("dossierId")):
            return None
        shown = str(found.get("referenceUid") or "")
        asked_by_id = key.isdecimal()
        if key != str(found["dossierId"]) if asked_by_id else wire.plain_uid(shown) != wire.plain_uid(key):
            raise PortalContractError(self._calls.context.portal, "another dossier came back than was asked for")
        clean: JsonObject = wire.blanked(found)
        return clean

    def present(self, key: str) -> JsonObject | None:
        """The detail under either spelling of the key; a linked sub-dossier never stands in for its parent."""
        found = self.detail(key)
        if found is not None:
            return found
        other = self.detail(wire.other_spelling(key))
        if other is None or wire.number(other.get("originDossierId")) or other.get("originality") == 4:
            return None
        return other

    def log(self, detail: JsonObject) -> list[JsonObject]:
        """The log rows of a dossier, as the portal orders them."""
        by_id = self._options.log_by == "dossier_id"
        key = part(str(detail["dossierId"])) if by_id else key_of(detail)
        return self.rows_of(f"/dossierlogs/{key}/logs")

    def rows_of(self, path: str) -> list[JsonObject]:
        """The `data` rows of a list answer; an absent list with total 0 is empty."""
        answer = self._calls.read(path)
        data = answer.get("data")
        if data is None and "total" in answer:
            data = []
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise PortalContractError(self._calls.context.portal, "the answer holds no rows")
        return [wire.blanked(row) for row in data]

    def next_actions(self, detail: JsonObject) -> tuple[str, ...]:
        """Codes of the actions that the present step allows."""
        found = self.rows_of(f"/dossiers/{key_of(detail)}/nextactions")
        return tuple(str(row.get("actionCode")) for row in found if row.get("enable") not in (0, "0", False))

    def record(self, key: str, external_id: str, list_digest: str, *, ask_allowed: bool = False) -> RawRecord | None:
        """Read a dossier; None when it is not there.

        Raises:
            PortalError: It cannot be read; a 403 may be of this dossier alone.
        """
        read_at = self._calls.context.clock.now()
        found = self.present(key)
        return None if found is None else self._take(found, external_id, list_digest, read_at, ask_allowed)

    def record_or_reason(self, key: str, external_id: str, list_digest: str) -> RawRecord | UnreadableRecord | None:
        """Read a dossier of a sweep: one that cannot be shown, at a portal that works, is handed on as unreadable.

        Raises:
            PortalError: The portal cannot be read, or the login is refused.
        """
        try:
            return self.record(key, external_id, list_digest)
        except (PortalUnavailableError, PortalContractError) as error:
            if isinstance(error, PortalUnavailableError) and error.status != 403:
                raise
        self._calls.prove_login()  # raises when it is the portal
        read_at = self._calls.context.clock.now()
        try:
            return self.record(key, external_id, list_digest)
        except (PortalUnavailableError, PortalContractError) as error:
            if isinstance(error, PortalUnavailableError) and error.status != 403:
                raise
            raw = orjson.dumps({"referenceUid": key})
            return UnreadableRecord(external_id, raw, f"this dossier alone: {error.reason}", read_at)

    def _take(
        self, found: JsonObject, external_id: str, list_digest: str, read_at: datetime, ask_allowed: bool
    ) -> RawRecord:
        log = self.log(found) if self._options.read_log else []
        allowed = self.next_actions(found) if ask_allowed else None
        files = self.rows_of(f"/dossiers/{key_of(found)}/files") if self._options.read_files else None
        parts: dict[str, Any] = {
            "dossier": wire.dossier_part(found, self._options.procedures),
            "log": wire.log_part(log, self._options.log),
        }
        raw: dict[str, Any] = {"dossier": found, "log": log}
        if files is not None:
            parts["files"] = wire.files_part(files, key_of(found), self._options)
            raw["files"] = files
        return RawRecord(
            external_id=external_id,
            parts=parts,
            raw=orjson.dumps(raw),
            read_at=read_at,
            list_digest=list_digest,
            allowed=allowed,
            guard=guard_of(found, log) if self._options.read_log else {},
            removed=wire.is_removed(found),
        )


def key_of(detail: JsonObject) -> str:
    """The key of a dossier as one step of a path: its reference, or the primary key of one that has none."""
    return part(wire.reference(detail) or str(detail["dossierId"]))


def guard_of(detail: JsonObject, log: list[JsonObject]) -> dict[str, int]:
    """What a probe compares with later: the newest log row and the present act."""
    return {"newest_log": wire.newest_log(log), "action_id": wire.number(detail.get("dossierActionId"))}
