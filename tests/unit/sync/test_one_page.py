"""What stands side by side in one page: records meet what the same page brought before them."""

from __future__ import annotations

from dataclasses import replace

from gateway.sync.dossiers import Held
from tests.unit.sync.world import World

CODE = "H99-261102-00001"


def test_a_record_that_replaces_a_removed_one_of_its_page_keeps_what_that_one_said(world: World) -> None:
    """The dossier is new in this very page: nothing of it is stored yet when its second record is heard."""
    world.province.open("r1", at=world.tick(), code=CODE)
    world.province.open("r2", at=world.tick(), code=CODE)
    removed = replace(world.province.record("r1"), removed=True)
    puller = world.engine._pullers["province"]
    stored = puller._store(puller._arrivals([removed, world.province.record("r2")]), None, None)

    assert (stored.new, stored.changed, stored.quarantined) == (1, 2, 0)
    (row,) = world.store.read(lambda tx: tx.dossiers_by_code([CODE]))[CODE]
    told = Held.open(row, world.vault).texts
    assert {entry["record"] for entry in row.timeline} == {"r1", "r2"}
    assert set(told) == {entry["id"] for entry in row.timeline}
