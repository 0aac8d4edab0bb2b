"""What did not come is a person's; what had its day goes, and comes back when it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.files.deciding import NothingGivenUpError, ask_again, let_go
from gateway.inbound.intake import Desk
from gateway.inbound.journal import Journal
from gateway.inbound.upkeep import upkeep
from gateway.sync.standing import status
from tests.unit.files.town import CODE, PDF, Town, shown

DAY = 86_400.0


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def findings(town: Town) -> list[tuple[str, str, str]]:
    report = status(town.store, town.config, town.now())
    return [(one.portal, one.what, one.value) for one in report.findings if one.what == "files_given_up"]


@pytest.fixture
def without(town: Town) -> Town:
    """The ministry completed the dossier and does not give the certificate."""
    town.born()
    town.rest()
    row = town.justice.row("cert:1", "Giấy khai sinh.pdf")
    town.justice.trouble = ["no"]
    town.completed(row)
    town.rest()
    return town


def test_a_person_asks_again_and_the_copy_gets_its_address(without: Town) -> None:
    assert findings(without) == [("justice", "files_given_up", "1")]
    ask_again(without.shop, "d0001", "an officer")
    assert findings(without) == []
    without.rest()
    assert shown(without)[0]["url"] and without.read(without.kept()[0]) == PDF
    assert without.province.got == [{}], "what was sent once stays as it was sent"
    with pytest.raises(NothingGivenUpError):
        ask_again(without.shop, "d0001", "an officer")


def test_a_person_does_without_and_nobody_is_told_any_more(without: Town) -> None:
    let_go(without.shop, "d0001", "an officer", "handed over on paper")
    assert findings(without) == []
    without.province.act("r1", "returned", at=without.tick())
    without.rest()
    assert without.justice.opened == ["cert:1"], "it is not asked for again by itself"
    leaf = without.store.read(lambda tx: tx.leaves(limit=10_000))
    acts = [row for _, row in leaf if row.kind == "act" and b"files_let_go" in row.canonical]
    assert len(acts) == 1


def desk(town: Town) -> Desk:
    journal = Journal(town.folder / "journal", town.vault)
    nothing: Any = None
    return Desk(
        town.config, town.store, town.vault, town.files, journal, town.shop.portals, town.clock, nothing, nothing
    )


def test_upkeep_leaves_what_a_delivery_needs_and_takes_the_rest(town: Town) -> None:
    town.justice.faults = ["cut"]
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.round()
    town.tick(100 * DAY)
    assert upkeep(desk(town)) == 0 and len(town.kept()) == 1
    town.rest()
    assert upkeep(desk(town)) >= 1 and town.kept() == []
    assert list((town.folder / "files").iterdir()) == []


def test_rows_whose_bytes_are_gone_as_after_a_restore_are_forgotten_and_asked_for_again(town: Town) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.rest()
    town.files.remove(town.kept())
    upkeep(desk(town))
    assert town.kept() == []
    town.province.act("r1", "in_progress", at=town.tick())
    town.province.act("r1", "forwarded", at=town.tick())
    town.rest()
    assert [town.read(row) for row in town.kept()] == [PDF]
    assert town.justice.pushes == [("declare", CODE), ("amend", CODE)]


def test_the_row_of_a_paper_that_came_with_a_call_outlives_its_bytes(town: Town) -> None:
    town.born()
    town.rest()
    told = town.files.keep("national", "G22-1", "G22-1/abc", "Đơn.pdf", [PDF], cap=1 << 20, at=town.now(), days=9)
    told.dossier_id = "d0001"
    town.store.write(lambda tx: tx.put_files([told]))
    town.files.remove([told])
    upkeep(desk(town))
    assert [row.id for row in town.kept()] == [told.id], "its folder may still be put back"


def test_an_erased_dossiers_files_are_neither_opened_nor_fetched(town: Town) -> None:
    town.province.trouble = ["away"]
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"), town.province.row("r1/f2", "Đơn.pdf"))
    town.round()
    town.vault.erase("d0001", town.now())
    town.tick(100)
    assert town.fetchers["province"].run().counts == {"let_go": 1}
    with pytest.raises(LookupError):
        town.open_stored(town.kept()[0].id)
