"""SQL for files: what is kept, what is wanted of portals that hold it, and the addresses given out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from gateway.store.rows import FileLinkRow, FileRow, WantedFileRow
from gateway.store.shapes import FILE, FILE_LINK, WANTED_FILE

_NEEDED = """EXISTS (
    SELECT 1 FROM delivery, json_each(delivery.doc, '$.files') AS named
    WHERE delivery.open AND delivery.dossier_id = file.dossier_id AND named.key = file.id
)"""
"""A delivery that is not settled names it: its bytes may have to be sent again."""


_KEEPING = FILE.upsert.replace(
    "dossier_id = excluded.dossier_id",
    "dossier_id = CASE excluded.dossier_id WHEN '' THEN file.dossier_id ELSE excluded.dossier_id END",
)
"""A call that brings a file again does not know yet whose it is; a file that has a dossier keeps it."""


class FileTables:
    """Kept files, wanted files, links."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def put_files(self, rows: Sequence[FileRow]) -> None:
        """Insert or replace by id; a row without a dossier takes none away."""
        self._sql.executemany(_KEEPING, map(FILE.values, rows))

    def file(self, file_id: str) -> FileRow | None:
        """By id."""
        found = self._sql.execute(f"{FILE.select} WHERE id = ?", (file_id,)).fetchone()
        return FILE.load(found) if found else None

    def files_of_call(self, portal: str, key: str) -> list[FileRow]:
        """Files that came with the calls of one key."""
        found = self._sql.execute(f"{FILE.select} WHERE portal = ? AND key = ? ORDER BY id", (portal, key))
        return [FILE.load(row) for row in found]

    def files_of(self, dossier_id: str) -> list[FileRow]:
        """Files of one dossier."""
        found = self._sql.execute(f"{FILE.select} WHERE dossier_id = ? AND dossier_id <> '' ORDER BY id", (dossier_id,))
        return [FILE.load(row) for row in found]

    def expired_files(self, now: float, *, limit: int = 1000) -> list[FileRow]:
        """Files whose day has come, but none that a delivery still needs."""
        found = self._sql.execute(
            f"{FILE.select} WHERE expires_at <= ? AND NOT {_NEEDED} ORDER BY expires_at LIMIT ?", (now, limit)
        )
        return [FILE.load(row) for row in found]

    def list_files(self, *, after: str = "", limit: int = 1000) -> list[FileRow]:
        """All, in key order, from behind one."""
        found = self._sql.execute(f"{FILE.select} WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        return [FILE.load(row) for row in found]

    def drop_files(self, ids: Iterable[str]) -> None:
        """Forget files; their bytes are removed by the caller."""
        self._sql.executemany("DELETE FROM file WHERE id = ?", ((file_id,) for file_id in ids))

    def put_wanted(self, rows: Sequence[WantedFileRow]) -> None:
        """Insert or replace by (dossier, portal, reference)."""
        self._sql.executemany(WANTED_FILE.upsert, map(WANTED_FILE.values, rows))

    def _wanted(self, condition: str, *parameters: object) -> list[WantedFileRow]:
        found = self._sql.execute(f"{WANTED_FILE.select} WHERE {condition}", parameters)
        return [WANTED_FILE.load(row) for row in found]

    def wanted_of(self, dossier_id: str) -> list[WantedFileRow]:
        """What one dossier's deliveries have needed, in key order."""
        return self._wanted("dossier_id = ? ORDER BY portal, ref", dossier_id)

    def due_wanted(self, portal: str, now: float, *, limit: int = 100) -> list[WantedFileRow]:
        """Files to be fetched from a portal by now: urgent ones first, then the longest waiting."""
        due = "state = 'wanted' AND portal = ? AND urgent = ? AND next_at <= ? ORDER BY next_at LIMIT ?"
        first = self._wanted(due, portal, True, now, limit)
        return first + (self._wanted(due, portal, False, now, limit - len(first)) if len(first) < limit else [])

    def list_wanted(self, *, portal: str = "", states: Sequence[str] = (), limit: int = 1000) -> list[WantedFileRow]:
        """By portal and states, oldest wish first."""
        here = "(? = '' OR portal = ?)"
        rows = [
            row
            for state in dict.fromkeys(states)
            for row in self._wanted(f"state = ? AND {here} ORDER BY first_at LIMIT ?", state, portal, portal, limit)
        ]
        return sorted(rows, key=lambda row: (row.first_at, row.dossier_id, row.ref))[:limit]

    def count_wanted(self) -> dict[tuple[str, str], int]:
        """(portal, state) -> how many files are waited for or were given up; those held are not counted."""
        found = self._sql.execute(
            "SELECT portal, state, count(*) FROM wanted_file WHERE state = 'wanted' GROUP BY portal "
            "UNION ALL SELECT portal, state, count(*) FROM wanted_file WHERE state = 'given_up' GROUP BY portal"
        )
        return {(portal, state): count for portal, state, count in found}

    def put_links(self, rows: Sequence[FileLinkRow]) -> None:
        """Insert; an address that was given before stays as it is."""
        self._sql.executemany(f"{FILE_LINK.insert} ON CONFLICT (token) DO NOTHING", map(FILE_LINK.values, rows))

    def file_link(self, token: str) -> FileLinkRow | None:
        """By the last part of its address."""
        found = self._sql.execute(f"{FILE_LINK.select} WHERE token = ?", (token,)).fetchone()
        return FILE_LINK.load(found) if found else None
