"""Calls on us in the wrong order, by a clock set back, and among many that have no place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.receiving import InboundCall, InboundRequest, Question, Unreadable
from gateway.inbound.replay import replay, replay_call
from gateway.inbound.upkeep import upkeep
from gateway.store.backup import backup
from gateway.store.base import Tx
from gateway.store.restore import restore
from gateway.store.sqlite import SqliteStore
from gateway.sync.offers import OFFERS
from tests.unit.inbound.telling import Push, Told
from tests.unit.sync.portals import instant

T = TypeVar("T")


class Supplementing(Push):
    """As the national portal's receiver: a dossier told again with other content is its supplement."""

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        said = super().read(request)
        if not isinstance(said, InboundCall) or said.record.partial:
            return said
        part = said.record.parts["dossier"]
        assert isinstance(part, dict)
        return replace(said, changed=replace(said.record, parts={"dossier": part | {"status": "withdrawal_requested"}}))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Told]:
    world = Told(tmp_path, Supplementing())
    world.live()
    yield world
    world.close()


def national(world: Told) -> list[str]:
    """What the national portal said of the first dossier."""
    row = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    return sorted(entry["status"] for entry in row.timeline if entry["portal"] == "national")


def test_a_call_is_heard_though_the_clock_was_set_back_since_the_last(world: Told) -> None:
    """It was taken for an older reading and passed over, after its sender had been told that we have it."""
    world.tell()
    world.rest()
    world.clock.advance(-600)
    assert world.tell(person="000000000002", at=instant(world.now()))["error_code"] == 1
    world.rest()
    assert national(world) == ["submitted", "withdrawal_requested"]


class Interrupted(SqliteStore):
    """A store before whose next commit something else comes in."""

    before: Callable[[], object] | None = None

    def write(self, work: Callable[[Tx], T]) -> T:
        before, self.before = self.before, None
        if before is not None:
            before()
        return super().write(work)


class ToldMeanwhile(Told):
    def new_store(self, path: Path) -> Interrupted:
        return Interrupted(path)


def test_a_call_is_heard_though_its_record_was_read_while_it_was_taken_in(tmp_path: Path) -> None:
    """It was taken for the older of two readings, after its sender had been told that we have it."""
    world = ToldMeanwhile(tmp_path, Supplementing())
    world.live()
    world.tell()
    world.rest()
    assert world.tell(person="000000000002")["error_code"] == 1
    world.tick(5)
    assert isinstance(world.store, Interrupted)
    world.store.before = lambda: world.engine.refresh("national", "N1")
    world.taker.run("national")
    assert national(world) == ["submitted", "withdrawal_requested"]
    world.close()


class Failing(Push):
    """A receiver with two mistakes: it fails when it reads a call again, and gives the engine what that fails at."""

    again = False

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        said = super().read(request)
        if self.again and isinstance(said, InboundCall) and said.key == "N1":
            raise KeyError("CÔNG DÂN THỬ NGHIỆM 01")
        if self.again and isinstance(said, InboundCall) and said.key == "N3":
            return replace(said, record=replace(said.record, read_at=None))  # type: ignore[arg-type]
        return said


def test_a_call_that_the_gateway_fails_at_stops_no_other_and_waits_for_a_person(tmp_path: Path) -> None:
    """All calls of the portal waited behind it for ever, after their senders had been told that we have them."""
    receiver = Failing()
    world = Told(tmp_path, receiver)
    world.live()
    for number in range(5):
        world.tell(f"N{number}")
    receiver.again = True
    assert world.taker.run("national") == 5
    world.rest()
    assert world.province.made == ["N0", "N2", "N4"]
    waiting = world.store.read(lambda tx: tx.list_quarantine(state="open"))
    assert [(row.external_id, row.cause) for row in waiting] == [("N1", "unreadable"), ("N3", "unreadable")]
    assert all("THỬ NGHIỆM" not in row.reason for row in waiting)
    world.close()


def test_a_withdrawal_of_what_we_do_not_know_makes_no_dossier_and_waits_for_its_own(world: Told) -> None:
    """The withdrawal caused the creation, and was then held to be answered."""
    assert world.tell(paid=True, status="withdrawal_requested")["error_code"] == 0
    world.rest()
    assert world.store.read(lambda tx: tx.dossiers(["d0001"])) == {}
    assert [row.cause for row in world.store.read(lambda tx: tx.list_quarantine())] == ["unplaced"]

    assert world.tell()["error_code"] == 1
    world.rest()
    assert world.province.made == ["N1"], "its first content begins it, though its number was heard before"
    assert world.province.folders["ref-N1"].detail["status"] == "withdrawal_requested"
    assert world.store.read(lambda tx: tx.list_quarantine(state="open")) == []


def test_a_withdrawal_of_what_the_province_shows_later_finds_it_by_the_number(world: Told) -> None:
    world.tell(paid=True, status="withdrawal_requested")
    world.rest()
    world.province.open("r1", at=world.now(), status="accepted", code="N1", national="N1")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"


def test_calls_that_never_find_a_place_hide_none_that_does(world: Told) -> None:
    """Only the oldest two hundred were looked at."""
    for number in range(205):
        world.tell(f"U{number}", paid=True, status="withdrawal_requested")
    world.tell(paid=True, status="withdrawal_requested")
    world.taker.run("national")
    world.tell()
    world.rest()
    assert national(world) == ["submitted", "withdrawal_requested"]
    assert len(world.store.read(lambda tx: tx.inbound_unplaced("national", limit=1000))) == 205


def test_files_that_no_row_names_go_when_the_journal_would_have_forgotten_their_call(
    world: Told, tmp_path: Path
) -> None:
    """A kill between the files and the row left them there for ever."""
    world.tell("N1", files=[{"name": "a.pdf", "text": "%PDF-1"}])
    folder = tmp_path / "files"
    for name in ("torn.part", "11111111-2222-5333-8444-555555555555"):
        (folder / name).write_bytes(b"a kill in between")
    written = world.now() - 61 * 86400
    for path in folder.iterdir():
        os.utime(path, (written, written))
    young = folder / "young.part"
    young.write_bytes(b"its row may be written now")
    os.utime(young, (world.now(), world.now()))
    assert upkeep(world.desk) == 2
    (kept,) = world.store.read(lambda tx: tx.files_of_call("national", "N1"))
    assert {path.name for path in folder.iterdir()} == {kept.id, "young.part"}


def test_the_reason_of_a_refusal_quotes_nothing_of_the_call(world: Told) -> None:
    """It is kept and shown in plain; a name stood where a code should."""
    offers = [{"procedure": "1.000001", "national": "", "agency": "H99.13"}]
    world.store.write(lambda tx: tx.put_catalogue(OFFERS, "province", "1", offers, world.now()))
    world.tell("N1", procedure="CÔNG DÂN THỬ NGHIỆM 01")
    (row,) = world.store.read(lambda tx: tx.list_inbound())
    assert (row.state, row.reason) == ("refused", "its procedure is not offered here")


def test_s27_a_call_of_the_journal_that_nobody_can_read_any_more_waits_for_a_person(
    world: Told, tmp_path: Path
) -> None:
    """Its sender had been told that we have it; a line of the log was all that was left of it."""
    manifest = backup(tmp_path / "store.db", tmp_path / "backups", world.clock.now())
    world.tell()
    world.close()
    restore(tmp_path / "backups" / manifest.name, tmp_path / "store.db", world.clock.now(), actor="test")
    world.open()
    assert replay(world.desk, {"national": {}}) == 0
    (row,) = world.store.read(lambda tx: tx.list_quarantine(state="open"))
    assert (row.cause, row.portal) == ("not_replayed", "national")
    assert row.id is not None
    plain = world.operator.raw_of(row.id)
    assert replay_call(world.desk, world.receivers, row.id, plain) == "replayed"
    assert world.calls() == [("N1", 1, "accepted")]
