"""Making a fresh store, telling its revision, and comparing two stores table by table."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.sqlite_file import begin_immediate, explain

HEAD = "0005"
"""The revision this code reads and writes: the newest one under `migrations/versions`."""

_SPACE = re.compile(r"\s+")


def revision(connection: sqlite3.Connection) -> str | None:
    """The revision a store was made with or migrated to; None for an empty file."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None


def revision_of(path: Path) -> str | None:
    """The revision of a store file; None for an empty one.

    Raises:
        StoreError: It is not a database.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            return revision(connection)
    except sqlite3.Error as error:
        raise explain(path, error) from error


def create(connection: sqlite3.Connection) -> None:
    """Make all tables in one transaction; where another process was faster, nothing is done."""
    begin_immediate(connection)
    try:
        if revision(connection) is None:
            for statement in statements():
                connection.execute(statement)
            connection.execute("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def statements() -> list[str]:
    """What makes a fresh store on SQLite, in order."""
    # Imported here: opening a store that exists needs no SQLAlchemy, which takes 0.2 s to load.
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from gateway.store import tables

    dialect = sqlite.dialect()
    made: list[str] = []
    for table in tables.metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made.extend(
            str(CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
    return [*made, *tables.SQLITE_TRIGGERS]


def outline(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Each table, index and trigger with its parts, so that order of columns, quotes and spaces make no difference."""
    found = connection.execute(
        "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    return {name: _parts(sql) for name, sql in found}


def differences(one: sqlite3.Connection, other: sqlite3.Connection) -> list[str]:
    """What the schema of `one` has that `other` has not, and the reverse; empty when they are equal."""
    here, there = outline(one), outline(other)
    return [
        f"{name}: {'; '.join(sorted(here.get(name, frozenset()) ^ there.get(name, frozenset())))}"
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    ]


def _parts(sql: str) -> frozenset[str]:
    plain = _SPACE.sub(" ", sql.replace('"', "").replace("`", "")).strip()
    if not plain.upper().startswith("CREATE TABLE"):
        return frozenset({plain})
    body = plain[plain.index("(") + 1 : plain.rindex(")")]
    return frozenset(part.strip() for part in _split(body))


def _split(body: str) -> list[str]:
    """Cut at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(body[start:place])
            start = place + 1
    return [*parts, body[start:]]
