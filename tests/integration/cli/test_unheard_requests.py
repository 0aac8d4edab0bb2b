"""A citizen's request that the province does not know of, as the person on duty meets it on the command line."""

from __future__ import annotations

from gateway.cli.exit_codes import ExitCode
from gateway.store.rows import DeliveryRow, LaneRow
from gateway.store.sqlite import SqliteStore
from tests.integration.cli.conftest import Rehearsal


def unheard(rehearsal: Rehearsal, dossier_id: str) -> None:
    """As a lane of the province leaves it (tests/unit/sync/test_unheard.py)."""
    given = {"e1": {"state": "superseded", "key": "k1", "verb": "supplement", "unheard": True}}
    row = DeliveryRow("k1", "", "province", dossier_id, "command", "supplement", "e1", state="unheard", open=False)
    row.planned_at = row.settled_at = 1.0
    row.reason, row.doc = "the dossier is accepted, the act is for waiting", {"by": "national", "asked": "submitted"}
    store = SqliteStore(rehearsal.folder / "var" / "lienthong.db")
    store.write(lambda tx: tx.put_lanes([LaneRow("province", dossier_id, doc={"commands": given})]))
    store.write(lambda tx: tx.put_delivery(row))
    store.close()


def test_it_is_named_with_the_next_step_until_a_person_has_said_what_became_of_it(rehearsal: Rehearsal) -> None:
    number = rehearsal.handed_in()
    rehearsal.call("sync")
    assert rehearsal.call("status")[0] == ExitCode.OK
    unheard(rehearsal, rehearsal.json("dossier", "show", number)[1]["id"])

    code, said, _ = rehearsal.call("status")
    assert code == ExitCode.SOON
    assert "province: citizens' requests that it does not know of: lienthong parked list (1)" in said
    code, said, _ = rehearsal.call("parked", "list")
    assert (code, number in said, "unheard" in said) == (ExitCode.SOON, True, True)
    assert "tell its officer first" in said
    (waiting,) = rehearsal.json("status")[1]["report"]["unheard"]
    assert (waiting["dossier_code"], waiting["asked"], waiting["by"]) == (number, "submitted", "national")

    reason = "handed in at the desk"
    assert rehearsal.call("parked", "drop", str(waiting["number"]), "--reason", reason)[0] == ExitCode.OK
    assert rehearsal.call("parked", "list")[0] == ExitCode.OK
    assert rehearsal.call("status")[0] == ExitCode.OK
