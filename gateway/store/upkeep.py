"""SQL for what belongs to a portal or to the whole store: portal rows, cursors, runs, settings, catalogues."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.store.rows import Json, PortalRow, RunRow
from gateway.store.shapes import PORTAL, RUN, dumps, loads

_COUNTED = (
    "dossier",
    "portal_record",
    "lane",
    "delivery",
    "raw",
    "quarantine",
    "run",
    "catalogue",
    "inbound_call",
    "file",
    "wanted_file",
    "file_link",
    "stage",
    "receipt",
    "notice",
    "access_key",
)


class UpkeepTables:
    """Portals, cursors, runs, settings, catalogues and counts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def portal(self, name: str) -> PortalRow:
        """The row, with defaults when absent."""
        found = self._sql.execute(f"{PORTAL.select} WHERE portal = ?", (name,)).fetchone()
        return PORTAL.load(found) if found else PortalRow(name)

    def put_portal(self, row: PortalRow) -> None:
        """Replace."""
        self._sql.execute(PORTAL.upsert, PORTAL.values(row))

    def cursor(self, portal: str, job: str) -> str | None:
        """How far a job has come."""
        found = self._sql.execute("SELECT value FROM cursor WHERE portal = ? AND job = ?", (portal, job)).fetchone()
        return found[0] if found else None

    def put_cursor(self, portal: str, job: str, value: str | None) -> None:
        """Moves together with the data (I1)."""
        self._sql.execute(
            "INSERT INTO cursor (portal, job, value) VALUES (?, ?, ?) "
            "ON CONFLICT (portal, job) DO UPDATE SET value = excluded.value",
            (portal, job, value),
        )

    def put_run(self, row: RunRow) -> int:
        """Insert or replace; gives its number."""
        row.id = number = int(self._sql.execute(f"{RUN.upsert} RETURNING id", RUN.values(row)).fetchone()[0])
        return number

    def list_runs(self, *, portal: str = "", limit: int = 50) -> list[RunRow]:
        """Newest first."""
        here = "WHERE portal = ?" if portal else "WHERE ? = ''"
        return [
            RUN.load(found)
            for found in self._sql.execute(f"{RUN.select} {here} ORDER BY id DESC LIMIT ?", (portal, limit))
        ]

    def setting(self, name: str) -> str | None:
        """A value of the whole store."""
        found = self._sql.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def put_setting(self, name: str, value: str) -> None:
        """Replace."""
        self._sql.execute(
            "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def put_catalogue(self, name: str, portal: str, version: str, rows: Sequence[Json], at: float) -> None:
        """Store a dated version of a list; reading the newest once more stores nothing."""
        kept = list(rows)
        if self.catalogue(name, portal) != (version, kept):
            self._sql.execute(
                "INSERT INTO catalogue (name, portal, version, rows, at) VALUES (?, ?, ?, ?, ?)",
                (name, portal, version, dumps(kept), at),
            )

    def catalogue_number(self, name: str, portal: str) -> int | None:
        """Number of the newest version."""
        sought = "SELECT max(id) FROM catalogue WHERE name = ? AND portal = ?"
        found: int | None = self._sql.execute(sought, (name, portal)).fetchone()[0]
        return found

    def catalogue(self, name: str, portal: str) -> tuple[str, list[Json]] | None:
        """Newest version and its rows."""
        found = self._sql.execute(
            "SELECT version, rows FROM catalogue WHERE name = ? AND portal = ? ORDER BY id DESC LIMIT 1", (name, portal)
        ).fetchone()
        return (found[0], loads(found[1])) if found else None

    def counts(self) -> dict[str, int]:
        """Rows per table. Leaves are numbered without a gap, so they are counted without being read."""
        counted = {
            table: int(self._sql.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
            for table in _COUNTED
        }
        span = "SELECT coalesce((SELECT max(id) FROM leaf) - (SELECT min(id) FROM leaf) + 1, 0)"
        return counted | {"leaf": int(self._sql.execute(span).fetchone()[0])}
