"""SQL for calls on us."""

from __future__ import annotations

import sqlite3

from gateway.store.rows import InboundRow
from gateway.store.shapes import INBOUND

_PLACEABLE = """portal = ? AND state = 'applied' AND dossier_id = '' AND CASE (
    SELECT CASE WHEN dossier_id <> '' THEN 'placed' WHEN json_extract(counts, '$.doubt') IS NOT NULL THEN 'doubt' END
    FROM portal_record AS told
    WHERE told.portal = inbound_call.portal AND told.external_id = json_extract(inbound_call.doc, '$.record')
) WHEN 'placed' THEN 1 WHEN 'doubt' THEN 0 ELSE EXISTS (
    SELECT 1 FROM dossier
    WHERE national_code = json_extract(inbound_call.doc, '$.record') AND national_code <> ''
) END"""
"""A person is asked for what is in doubt; anything else is known by its record here, or by its national number."""


class InboundTables:
    """What was told to us, version by version."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def inbound_versions(self, portal: str, endpoint: str, key: str) -> list[InboundRow]:
        """Every content told under one key, in the order it was first told."""
        found = self._sql.execute(
            f"{INBOUND.select} WHERE portal = ? AND endpoint = ? AND key = ? ORDER BY id", (portal, endpoint, key)
        )
        return [INBOUND.load(row) for row in found]

    def put_inbound(self, row: InboundRow) -> int:
        """Insert or replace by (portal, endpoint, key, digest); gives its number."""
        row.id = int(self._sql.execute(f"{INBOUND.upsert} RETURNING id", INBOUND.values(row)).fetchone()[0])
        return row.id

    def inbound_again(self, number: int, at: float) -> None:
        """Count a repeat."""
        self._sql.execute("UPDATE inbound_call SET times = times + 1, last_at = ? WHERE id = ?", (at, number))

    def inbound_owed(self, portal: str, *, limit: int = 200) -> list[InboundRow]:
        """Calls that were answered with success and that the engine has not taken in yet, oldest first."""
        found = self._sql.execute(
            f"{INBOUND.select} WHERE portal = ? AND state = 'accepted' ORDER BY id LIMIT ?", (portal, limit)
        )
        return [INBOUND.load(row) for row in found]

    def inbound_placeable(self, portal: str, *, limit: int = 200) -> list[InboundRow]:
        """Of the calls that found no place, those whose dossier is known by now, oldest first."""
        found = self._sql.execute(f"{INBOUND.select} WHERE {_PLACEABLE} ORDER BY id LIMIT ?", (portal, limit))
        return [INBOUND.load(row) for row in found]

    def inbound_unplaced(self, portal: str, *, limit: int = 200) -> list[InboundRow]:
        """Calls about a dossier that was not known when they were taken in, oldest first."""
        found = self._sql.execute(
            f"{INBOUND.select} WHERE portal = ? AND state = 'applied' AND dossier_id = '' ORDER BY id LIMIT ?",
            (portal, limit),
        )
        return [INBOUND.load(row) for row in found]

    def inbound_of(self, dossier_id: str) -> list[InboundRow]:
        """Calls about one dossier, oldest first."""
        found = self._sql.execute(
            f"{INBOUND.select} WHERE dossier_id = ? AND dossier_id <> '' ORDER BY id", (dossier_id,)
        )
        return [INBOUND.load(row) for row in found]

    def is_told(self, dossier_id: str) -> bool:
        """Whether any call is about this dossier."""
        sought = "SELECT 1 FROM inbound_call WHERE dossier_id = ? AND dossier_id <> '' LIMIT 1"
        return self._sql.execute(sought, (dossier_id,)).fetchone() is not None

    def list_inbound(self, *, portal: str = "", state: str = "", after: int = 0, limit: int = 1000) -> list[InboundRow]:
        """For faces, oldest first, from behind number `after`."""
        condition = "WHERE id > ? AND (? = '' OR portal = ?) AND (? = '' OR state = ?) ORDER BY id LIMIT ?"
        asked = (after, portal, portal, state, state, limit)
        return [INBOUND.load(row) for row in self._sql.execute(f"{INBOUND.select} {condition}", asked)]

    def count_inbound(self) -> dict[tuple[str, str], int]:
        """(portal, state) -> how many calls."""
        found = self._sql.execute("SELECT portal, state, count(*) FROM inbound_call GROUP BY portal, state")
        return {(portal, state): number for portal, state, number in found}
