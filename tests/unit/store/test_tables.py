"""The tables, the shapes of rows, and what makes two schemas equal."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.store import shapes, tables
from gateway.store.migrate import upgrade
from gateway.store.schema import HEAD, differences, revision_of, statements
from schemas.errors import StoreError

SHAPES = [value for value in vars(shapes).values() if isinstance(value, shapes.Shape)]


@pytest.fixture
def fresh() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements():
            connection.execute(statement)
        yield connection


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.table)
def test_a_table_has_the_columns_of_its_row_in_the_same_order(shape: shapes.Shape[object]) -> None:
    # A leaf's number is the store's own affair: it is no field of its row.
    extra = ["id"] if shape is shapes.LEAF else []
    columns = [column.name for column in tables.metadata.tables[shape.table].columns]
    assert columns == [field.name for field in fields(shape.row)] + extra


def test_every_constraint_has_a_name() -> None:
    unnamed = [
        f"{table.name}: {type(constraint).__name__}"
        for table in tables.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert unnamed == []


def test_the_tables_can_be_made_on_postgresql_too() -> None:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateIndex, CreateTable

    dialect = postgresql.dialect()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables.metadata.sorted_tables]
    made += [str(CreateIndex(i).compile(dialect=dialect)) for t in tables.metadata.sorted_tables for i in t.indexes]
    assert all("CREATE" in statement for statement in made)
    assert isinstance(tables.lane.c.due_at.type, sa.Double)


def test_a_migrated_store_equals_a_fresh_one(tmp_path: Path, fresh: sqlite3.Connection) -> None:
    upgrade(tmp_path / "migrated.sqlite")
    with closing(sqlite3.connect(tmp_path / "migrated.sqlite")) as migrated:
        assert differences(migrated, fresh) == []
    assert revision_of(tmp_path / "migrated.sqlite") == HEAD


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX ix_lane_due",
        "DROP TRIGGER tr_leaf_kept",
        "ALTER TABLE lane ADD COLUMN extra TEXT",
        "ALTER TABLE lane RENAME COLUMN reason TO why",
        "CREATE TABLE other (id INTEGER)",
        "DROP TABLE cursor",
    ],
)
def test_any_difference_between_two_schemas_is_named(change: str, fresh: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as changed:
        for statement in statements():
            changed.execute(statement)
        changed.execute(change)
        assert differences(changed, fresh) != []


def test_the_order_of_columns_makes_no_difference() -> None:
    with closing(sqlite3.connect(":memory:")) as one, closing(sqlite3.connect(":memory:")) as other:
        one.execute("CREATE TABLE a (x TEXT, y REAL, CONSTRAINT ck CHECK (x IN ('p', 'q')))")
        other.execute("CREATE TABLE \"a\" ( y REAL,\n x TEXT, CONSTRAINT ck CHECK (x IN ('p', 'q')) )")
        assert differences(one, other) == []


def test_a_file_that_is_no_database_has_no_revision(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("not a database, and long enough to be looked at as one" * 100)
    with pytest.raises(StoreError, match="NOTADB"):
        revision_of(tmp_path / "text.sqlite")
