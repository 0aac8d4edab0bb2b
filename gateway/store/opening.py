"""Opening the store of an installation: older tables are brought up to date first."""

from __future__ import annotations

from pathlib import Path

from gateway.sqlite_file import BUSY_WAIT_S
from gateway.store.schema import HEAD, revision_of
from gateway.store.sqlite import SqliteStore


def open_store(path: Path, *, busy_wait_s: float = BUSY_WAIT_S) -> SqliteStore:
    """Open the store at `path`, made when absent and migrated when an older program made it.

    Raises:
        StoreError: It is damaged, of a newer program, or needs migrating while others have it open.
    """
    if path.exists() and revision_of(path) not in (None, HEAD):
        # Imported here: Alembic is needed once per release, not at each start.
        from gateway.store.migrate import migrate

        migrate(path)
    return SqliteStore(path, busy_wait_s=busy_wait_s)
