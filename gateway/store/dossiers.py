"""SQL for dossiers and for what each portal was last seen to show."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gateway.store.rows import DossierRow, RecordRow
from gateway.store.shapes import DOSSIER, RECORD, dumps

# A list of keys travels as one JSON parameter: the statement stays the same, prepared once, for every page size.
_IN = "IN (SELECT value FROM json_each(?))"

# A record that is linked, was read, and has no lane at its own portal: equal bytes then leave nothing to look at.
_CALM = """digest <> '' AND dossier_id <> '' AND NOT EXISTS (SELECT 1 FROM lane
WHERE lane.dossier_id = portal_record.dossier_id AND lane.portal = portal_record.portal)"""

# CROSS JOIN keeps the order: each key is looked up, instead of each record of the portal being compared.
_TOUCH_SAME = f"""UPDATE portal_record SET read_at = ?, absent = 0 WHERE rowid IN (
SELECT portal_record.rowid FROM json_each(?) AS same CROSS JOIN portal_record
WHERE portal = ? AND external_id = same.key AND raw_digest = same.value AND read_at <= ? AND {_CALM})
RETURNING external_id"""  # noqa: S608  # names are ours


class DossierTables:
    """Dossiers and portal records."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def _dossiers(self, condition: str, *parameters: object) -> list[DossierRow]:
        return [DOSSIER.load(found) for found in self._sql.execute(f"{DOSSIER.select} WHERE {condition}", parameters)]

    def _records(self, condition: str, *parameters: object) -> list[RecordRow]:
        return [RECORD.load(found) for found in self._sql.execute(f"{RECORD.select} WHERE {condition}", parameters)]

    def dossiers(self, ids: Iterable[str]) -> dict[str, DossierRow]:
        """Rows by id; on SQLite the writer itself is the lock."""
        return {row.id: row for row in self._dossiers(f"id {_IN} ORDER BY id", dumps(list(ids)))}

    def dossiers_by_national_code(self, codes: Iterable[str]) -> dict[str, list[DossierRow]]:
        """National number -> dossiers that carry it; the empty number is carried by none."""
        found: dict[str, list[DossierRow]] = defaultdict(list)
        for row in self._dossiers(f"national_code <> '' AND national_code {_IN} ORDER BY id", dumps(list(codes))):
            found[row.national_code].append(row)
        return dict(found)

    def dossiers_by_code(self, codes: Iterable[str]) -> dict[str, list[DossierRow]]:
        """Dossier code -> dossiers that carry it; the empty code is carried by none."""
        found: dict[str, list[DossierRow]] = defaultdict(list)
        for row in self._dossiers(f"dossier_code <> '' AND dossier_code {_IN} ORDER BY id", dumps(list(codes))):
            found[row.dossier_code].append(row)
        return dict(found)

    def procedures_of(self, ids: Iterable[str]) -> dict[str, str]:
        """Dossier id -> procedure code; nothing else of the rows is read."""
        found = self._sql.execute(f"SELECT id, procedure_code FROM dossier WHERE id {_IN}", (dumps(list(ids)),))  # noqa: S608  # names are ours
        return dict(found.fetchall())

    def put_dossiers(self, rows: Sequence[DossierRow]) -> None:
        """Insert or replace by id."""
        self._sql.executemany(DOSSIER.upsert, map(DOSSIER.values, rows))

    def iter_dossiers(self, *, limit: int = 1000, after: str = "") -> Iterator[DossierRow]:
        """The next `limit` dossiers in key order; read at once, so they outlive the transaction."""
        return iter(self._dossiers("id > ? ORDER BY id LIMIT ?", after, limit))

    def records(self, portal: str, external_ids: Iterable[str]) -> dict[str, RecordRow]:
        """Rows by external id."""
        found = self._records(f"portal = ? AND external_id {_IN}", portal, dumps(list(external_ids)))
        return {row.external_id: row for row in found}

    def records_of(self, dossier_ids: Iterable[str]) -> dict[str, list[RecordRow]]:
        """Dossier id -> its records at all portals."""
        found: dict[str, list[RecordRow]] = defaultdict(list)
        for row in self._records(f"dossier_id {_IN} ORDER BY portal, external_id", dumps(list(dossier_ids))):
            found[row.dossier_id].append(row)
        return dict(found)

    def records_by_reference(self, references: Iterable[str]) -> dict[str, list[RecordRow]]:
        """An identifier that we wrote there -> records."""
        found: dict[str, list[RecordRow]] = defaultdict(list)
        condition = f"reference <> '' AND reference {_IN} ORDER BY portal, external_id"
        for row in self._records(condition, dumps(list(references))):
            found[row.reference].append(row)
        return dict(found)

    def open_records(self, portal: str, *, after: str = "", limit: int = 1000) -> list[RecordRow]:
        """Open records, oldest reading first; `after` is the external id of the last one had within this snapshot."""
        order = "ORDER BY read_at, external_id LIMIT ?"
        if last := self._sql.execute(
            "SELECT read_at FROM portal_record WHERE portal = ? AND external_id = ?", (portal, after)
        ).fetchone():
            place = "portal = ? AND open AND (read_at, external_id) > (?, ?)"
            return self._records(f"{place} {order}", portal, last[0], after, limit)
        return self._records(f"portal = ? AND open {order}", portal, limit)

    def raw_digests(self, portal: str, external_ids: Iterable[str]) -> dict[str, str]:
        """External id -> `raw_digest` of the last stored reading, for records that may be `touch_same`d."""
        here = f"portal = ? AND external_id {_IN} AND raw_digest <> '' AND {_CALM}"
        statement = f"SELECT external_id, raw_digest FROM portal_record WHERE {here}"  # noqa: S608  # names are ours
        return dict(self._sql.execute(statement, (portal, dumps(list(external_ids)))))

    def touch_same(self, portal: str, digests: Mapping[str, str], read_at: float) -> set[str]:
        """Move `read_at` of records read again with the bytes they had; gives their ids."""
        values = (read_at, dumps(digests), portal, read_at)
        return {found[0] for found in self._sql.execute(_TOUCH_SAME, values).fetchall()}

    def touch_records(self, rows: Sequence[RecordRow]) -> None:
        """Move what a reading moves that said nothing new."""
        self._sql.executemany(
            "UPDATE portal_record SET read_at = ?, list_digest = ?, raw_digest = ?, absent = ? "
            "WHERE portal = ? AND external_id = ?",
            [(r.read_at, r.list_digest, r.raw_digest, r.absent, r.portal, r.external_id) for r in rows],
        )

    def put_records(self, rows: Sequence[RecordRow]) -> None:
        """Insert or replace by (portal, external id)."""
        self._sql.executemany(RECORD.upsert, map(RECORD.values, rows))
