"""A date that is not the dossier's own is never sent as one (I12)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from adapters.base import Delivery, Outcome, RawRecord
from tests.unit.sync import world as worlds
from tests.unit.sync.portals import Desk, Ministry
from tests.unit.sync.world import World

CODE = "H99-261102-00001"
TERM = "2026-11-11T10:00:00+07:00"


def test_until_when_a_ministry_waits_for_papers_is_not_sent_as_the_due_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provincial portal takes `due_at` of an act for the dossier's: the citizen's legal date moved."""
    words = worlds.MAPPING.read_text("utf-8")
    term = "due_at: {wire: due, codec: iso_time_offset}"
    words = words.replace("      state.note: {wire: note, codec: text}\n  push:", f"      state.{term}\n  push:")
    words += f"      {term}\n"
    mapping = tmp_path / "desk.yaml"
    mapping.write_text(words, "utf-8")
    monkeypatch.setattr(worlds, "MAPPING", mapping)
    told = Ministry.record
    sent: list[bytes] = []
    push = Desk.push

    def record(self: Ministry, code: str) -> RawRecord:
        found = told(self, code)
        return replace(found, parts={"state": {"code": code, "status": self.states[code][0], "due": TERM}})

    def pushed(self: Desk, delivery: Delivery) -> Outcome:
        sent.append(delivery.body)
        return push(self, delivery)

    monkeypatch.setattr(Ministry, "record", record)
    monkeypatch.setattr(Desk, "push", pushed)
    world = World(tmp_path)
    world.live()
    world.province.open("r1", at=world.tick(), code=CODE, status="forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("supplement_requested", "")
    world.rest()
    assert [orjson.loads(body)["status"] for body in sent] == ["supplement_requested"]
    assert "due" not in orjson.loads(sent[0])
    world.close()
