"""A record whose bytes are the stored ones is not read again, unless anything about it may have changed meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sync import pull
from tests.unit.sync.world import World

CODE = "H99-261102-00001"


@pytest.fixture
def read_ids(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """External ids of all records read with a mapping, in order."""
    seen: list[str] = []
    plain = pull.read

    def heard(portal: str, record: Any, vocabulary: Any) -> Any:
        seen.append(record.external_id)
        return plain(portal, record, vocabulary)

    monkeypatch.setattr(pull, "read", heard)
    return seen


def test_the_same_bytes_are_read_once_and_their_hearing_is_kept(world: World, read_ids: list[str]) -> None:
    world.province.open("r1", at=world.tick(), code=CODE)
    world.province.open("r2", at=world.tick(), code="H99-261102-00002")
    assert world.engine.pull("province").new == 2
    world.province.act("r2", "accepted", at=world.tick())
    later = world.tick(60)
    report = world.engine.pull("province")
    assert (report.changed, report.unchanged) == (1, 1)
    assert read_ids == ["r1", "r2", "r2"]
    held = world.store.read(lambda tx: tx.records("province", ["r1"]))["r1"]
    assert held.read_at == later


def test_a_record_that_went_back_between_two_pulls_is_heard(world: World) -> None:
    """A fetch stored something else in between: the bytes of the last pull are news again."""
    world.province.open("r1", at=world.tick(), code=CODE)
    world.engine.pull("province")
    before = dict(world.province.folders["r1"].detail)
    world.province.act("r1", "accepted", at=world.tick())
    world.engine.refresh("province", "r1")
    world.province.folders["r1"].detail = before
    world.tick()
    assert world.engine.pull("province").changed == 1


def test_what_changed_after_it_was_asked_is_read_inside_the_transaction(world: World, read_ids: list[str]) -> None:
    world.province.open("r1", at=world.tick(), code=CODE)
    world.engine.pull("province")
    puller = world.engine._pullers["province"]
    world.tick()
    deferred = puller._arrivals([world.province.record("r1")])
    assert deferred[0].reading is None

    def forget(tx: Any) -> None:
        record = tx.records("province", ["r1"])["r1"]
        record.digest = ""
        tx.put_records([record])

    world.store.write(forget)
    puller._store(deferred, None, None)
    assert read_ids == ["r1", "r1"]


def test_an_older_reading_with_the_stored_bytes_moves_nothing(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE)
    old = world.province.record("r1")
    world.tick(5)
    world.engine.pull("province")
    puller = world.engine._pullers["province"]
    puller._store(puller._arrivals([old]), None, None)
    held = world.store.read(lambda tx: tx.records("province", ["r1"]))["r1"]
    assert held.read_at == world.now()


def test_two_records_of_one_page_that_look_like_one_dossier_are_a_question(world: World) -> None:
    """S2 within a page: the second is not merged into the dossier the first has just made."""
    world.province.open("r1", at=world.tick(), code=CODE)
    world.province.open("r2", at=world.tick(), code=CODE)
    report = world.engine.pull("province")
    assert (report.new, report.quarantined) == (1, 1)
