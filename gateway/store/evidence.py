"""SQL for leaves, raw bytes and quarantine."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.store.rows import LeafRow, QuarantineRow, RawRow
from gateway.store.shapes import LEAF, QUARANTINE, RAW

_COUNT_UP = "ON CONFLICT (portal, external_id, cause, digest) WHERE state = 'open' DO UPDATE SET times = times + 1"


class EvidenceTables:
    """What proves and what explains: leaves, raw bytes as received, quarantine."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def append_leaves(self, leaves: Sequence[LeafRow]) -> None:
        """Append; the store itself refuses later changes."""
        self._sql.executemany(LEAF.insert, map(LEAF.values, leaves))

    def leaves(self, *, after: int = 0, limit: int = 1000) -> list[tuple[int, LeafRow]]:
        """Numbered leaves in the order they were written, from behind number `after`."""
        statement = f"SELECT id, {LEAF.columns} FROM leaf WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        return [(found[0], LEAF.load(found[1:])) for found in self._sql.execute(statement, (after, limit))]

    def put_raw(self, rows: Sequence[RawRow]) -> list[int]:
        """Insert; gives their numbers in order: new ones follow one another, for only one writes at a time."""
        self._sql.executemany(RAW.insert, map(RAW.values, rows))
        last: int = self._sql.execute("SELECT last_insert_rowid()").fetchone()[0]
        for number, row in enumerate(rows, last - len(rows) + 1):
            row.id = number
        return [*range(last - len(rows) + 1, last + 1)]

    def raw(self, raw_id: int) -> RawRow | None:
        """By number."""
        found = self._sql.execute(f"{RAW.select} WHERE id = ?", (raw_id,)).fetchone()
        return RAW.load(found) if found else None

    def expire_raw(self, now: float, *, limit: int = 10_000) -> int:
        """Remove raw bytes whose day has come, but none that an open quarantine still needs; says how many."""
        return self._sql.execute(
            "DELETE FROM raw WHERE id IN (SELECT id FROM raw WHERE expires_at <= ? AND NOT EXISTS "
            "(SELECT 1 FROM quarantine AS q WHERE q.state = 'open' AND q.raw_id = raw.id) ORDER BY expires_at LIMIT ?)",
            (now, limit),
        ).rowcount

    def put_quarantine(self, row: QuarantineRow) -> int:
        """Insert, or count up an open one of the same portal, external id, cause and digest."""
        statement = f"{QUARANTINE.insert} {_COUNT_UP} RETURNING id, times"
        row.id, row.times = self._sql.execute(statement, QUARANTINE.values(row)).fetchone()
        return row.id

    def quarantined_raw(self, quarantine_id: int, raw_id: int) -> None:
        """Say which raw bytes a quarantine keeps."""
        self._sql.execute("UPDATE quarantine SET raw_id = ? WHERE id = ?", (raw_id, quarantine_id))

    def quarantine(self, quarantine_id: int) -> QuarantineRow | None:
        """By number."""
        found = self._sql.execute(f"{QUARANTINE.select} WHERE id = ?", (quarantine_id,)).fetchone()
        return QUARANTINE.load(found) if found else None

    def list_quarantine(self, *, portal: str = "", state: str = "open", limit: int = 1000) -> list[QuarantineRow]:
        """Oldest first; an empty `state` lists all."""
        # Asked for open ones, the condition is spelt out so that the small index of open rows serves it.
        here, asked = ("state = 'open'", ()) if state == "open" else ("(? = '' OR state = ?)", (state, state))
        condition = f"{QUARANTINE.select} WHERE {here} AND (? = '' OR portal = ?) ORDER BY id LIMIT ?"
        return [QUARANTINE.load(found) for found in self._sql.execute(condition, (*asked, portal, portal, limit))]

    def quarantine_of(self, portal: str, external_id: str) -> list[QuarantineRow]:
        """Open ones of one record."""
        condition = f"{QUARANTINE.select} WHERE state = 'open' AND portal = ? AND external_id = ? ORDER BY id"
        return [QUARANTINE.load(found) for found in self._sql.execute(condition, (portal, external_id))]

    def close_quarantine(self, quarantine_id: int, state: str) -> None:
        """`replayed` or `dropped`."""
        self._sql.execute("UPDATE quarantine SET state = ? WHERE id = ?", (state, quarantine_id))
