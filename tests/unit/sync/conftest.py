"""A world per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sync.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A live gateway with one province, the national portal and one ministry."""
    made = World(tmp_path)
    made.live()
    yield made
    made.close()
