"""Bring a store to the revision of this program: a copy is migrated and checked, then takes the store's place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from gateway.store.copies import checked, copy_online, hold, put_in_place, remove, settle
from gateway.store.schema import HEAD, differences, revision_of, statements
from schemas.errors import StoreError

_HERE = Path(__file__).parent / "migrations"
_VERSIONS = (_HERE / "versions",)


def migrate(path: Path) -> Path | None:
    """Bring the store at `path` to `HEAD`; gives where the store as it was is kept, None when nothing was to do.

    Raises:
        StoreError: The store is open elsewhere, damaged, of a newer program, or its migrated copy is not equal to a
            fresh store. The store is then as it was.
    """
    with hold(path, exclusive=True):
        before = revision_of(path)
        if before == HEAD:
            return None
        copy, kept = path.with_name(f"{path.name}.migrating"), path.with_name(f"{path.name}.before-{HEAD}")
        remove(copy)
        try:
            copy_online(path, copy)
            upgrade(copy)
            settle(path)
            remove(kept)
            put_in_place(copy, path, kept)
        finally:
            remove(copy)
        return kept


def upgrade(copy: Path) -> None:
    """Apply what lies between the revision of a closed file and `HEAD`, then check it; on failure throw the file away.

    Raises:
        StoreError: An unknown revision, a failed step, damage, or a result unequal to a fresh store.
    """
    engine = create_engine(URL.create("sqlite", database=str(copy)), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, _VERSIONS)))
    found = revision_of(copy)
    try:
        if found is not None:
            ScriptDirectory.from_config(config).get_revision(found)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
            connection.commit()
    except CommandError as error:
        raise StoreError(f"{copy.name}: revision {found} is not known here: a newer program made this store") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{copy.name}: the step from revision {found} failed ({type(error).__name__})") from error
    checked(copy)
    _compare_with_fresh(copy)


def _compare_with_fresh(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as migrated, closing(sqlite3.connect(":memory:")) as fresh:
        for statement in statements():
            fresh.execute(statement)
        if unequal := differences(migrated, fresh):
            raise StoreError(f"{copy.name}: the migrated tables differ from fresh ones: {' | '.join(unequal)}")
