"""A store of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.sqlite", busy_wait_s=0.2)
    yield opened
    opened.close()
