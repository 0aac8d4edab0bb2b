"""The contracts we wrote, held against the simulator and the mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.civil_status.registry_office import Held, row_of
from adapters.civil_status.switches import Switches
from mappings.loader import load


@pytest.fixture
def contract(project_root: Path) -> Any:
    """Opens a contract by name."""
    return lambda name: orjson.loads((project_root / "schemas/civil_status" / f"{name}.schema.json").read_bytes())


@pytest.mark.parametrize("name", ["token-reply", "push", "push-reply", "poll", "poll-reply"])
def test_every_contract_names_its_source(contract: Any, name: str) -> None:
    assert "ministry.md" in contract(name)["$comment"]


def test_the_simulator_shows_exactly_the_fields_of_the_contract(contract: Any) -> None:
    row = row_of(Held("N1", "", "7", "LTKS", datetime(2026, 11, 1, tzinfo=UTC)), Switches())
    assert set(row) == set(contract("poll-reply")["properties"]["value"]["items"]["properties"])


def test_the_mapping_reads_or_drops_every_field_of_the_contract(contract: Any) -> None:
    row = row_of(Held("N1", "", "7", "LTKS", datetime(2026, 11, 1, tzinfo=UTC)), Switches())
    assert load("civil_status/g2-2024").messages["state"].normalise(row).unknown == ()


def test_a_push_writes_only_fields_of_the_contract(contract: Any) -> None:
    wire = (
        load("civil_status/g2-2024")
        .messages["push"]
        .localise(
            {
                "dossier_code": "N1",
                "handling_agency": {"agency_code": "H96.1"},
                "procedure": {"procedure_code": "1.001193"},
                "received_at": datetime(2026, 11, 1, tzinfo=UTC),
                "documents": [{"name": "x", "content": "eA==", "deleted": True}],
            }
        )
    )
    known = contract("push")["properties"]
    assert set(wire) == set(known)
    assert set(wire["fileDinhKem"][0]) <= set(known["fileDinhKem"]["items"]["properties"])
