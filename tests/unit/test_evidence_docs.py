"""`docs/evidence.md` says what a leaf holds: every kind, and every field that a life full of trouble writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.evidence.leaf import KINDS
from gateway.store.backup import backup
from gateway.store.restore import restore
from tests.unit.files.town import Town
from tests.unit.inbound.telling import Told
from tests.unit.sync.world import START, World, config

CODE = "H99-261102-00001"


@pytest.fixture
def text(project_root: Path) -> str:
    return (project_root / "docs" / "evidence.md").read_text("utf-8")


def documented(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Kind -> what it says, and its own fields."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ((?:`\w+`(?:, )?)+) \|$", text, re.MULTILINE)
    return {kind: (says, frozenset(re.findall(r"`(\w+)`", fields))) for kind, says, fields in rows}


def common(text: str) -> set[str]:
    section = text[text.index("## Fields of every leaf") : text.index("## Kinds")]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_every_kind_is_documented_in_its_own_words(text: str) -> None:
    assert {kind: says for kind, (says, _) in documented(text).items()} == KINDS


def test_every_field_is_explained(text: str) -> None:
    explained = text[text.index("What the fields hold:") :]
    named = {field for _, fields in documented(text).values() for field in fields}
    told = {name for row in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", explained, re.MULTILINE)
            for name in re.findall(r"`(\w+)`", row)}  # fmt: skip
    assert named == told


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[World]:
    """A world with trouble: faults, a refusal, an unreadable record, a person's acts, a restore."""
    raw = config()
    raw["portals"]["justice"]["max_writes_per_sweep"] = 1
    told = Told(tmp_path / "told")
    told.tell(files=[{"name": "đơn.txt", "text": "nội dung"}])
    called = told.store.read(lambda tx: tx.leaves())
    told.close()
    town = Town(tmp_path / "town")
    town.born(town.province.row("f1", "Tờ khai.pdf"), {"ref": "f2", "name": "Không còn.pdf"})
    town.rest()
    called += town.store.read(lambda tx: tx.leaves())
    town.close()
    world = World(tmp_path, raw)
    world.live()
    world.store.write(lambda tx: tx.append_leaves([row for _, row in called]))
    world.province.open("r1", at=world.tick(), code=CODE, status="forwarded", procedure="2.000001")
    world.province.open("r2", at=world.tick(), code="H99-261102-00002", person="000000000002", status="accepted")
    world.province.open("r3", at=world.tick(), code="H99-261102-00003", status="no such word")
    world.national.faults = ["cut", "", "busy", "lost"]
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.engine.pull("justice")
    world.province.act("r1", "halted", at=world.tick())
    world.rest()
    world.national.faults = ["", "never"]
    world.province.act("r2", "completed", at=world.tick())
    world.rest()
    for row in world.deliveries("parked"):
        assert row.id is not None
        world.operator.retry(row.id, actor="an officer")
    for number in (4, 5):
        fields = {"code": f"H99-261102-0000{number}", "procedure": "2.000001", "person": f"{number:06}000000"}
        world.province.open(f"r{number}", at=world.tick(), status="forwarded", **fields)
    assert world.engine.pull("province").braked == ("justice",)
    world.operator.pause("national", "an officer", "a move")
    world.operator.resume("national", "an officer")
    world.operator.unlink("province", "r2", "an officer")
    kept = backup(tmp_path / "store.db", tmp_path / "backup", world.clock.now())
    world.close()
    restore(kept, tmp_path / "store.db", world.clock.now(), actor="an officer")
    world.open()
    world.engine.reconcile("national")
    world.engine.adopt("national", START.timestamp(), actor="an officer")
    yield world
    world.close()


def test_leaves_hold_exactly_the_documented_fields(text: str, lived: World) -> None:
    leaves = lived.store.read(lambda tx: tx.leaves(limit=10_000))
    found: dict[str, set[str]] = {}
    for _, row in leaves:
        leaf: dict[str, Any] = orjson.loads(row.canonical)
        assert common(text) <= set(leaf)
        found.setdefault(row.kind, set()).update(set(leaf) - common(text))
    assert set(found) == set(KINDS), "the life of this test writes every kind"
    told = {kind: set(fields) for kind, (_, fields) in documented(text).items()}
    assert {kind: fields - told[kind] for kind, fields in found.items() if fields - told[kind]} == {}
