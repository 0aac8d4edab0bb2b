"""A dossier that is held at a portal without a delivery of its own, as two statuses at one moment hold it."""

from __future__ import annotations

from gateway.cli.exit_codes import ExitCode
from gateway.store.rows import LaneRow
from gateway.store.sqlite import SqliteStore
from tests.integration.cli.conftest import Rehearsal


def test_what_status_sends_a_person_to_look_at_is_there_with_the_next_step(rehearsal: Rehearsal) -> None:
    number = rehearsal.handed_in()
    rehearsal.call("sync")
    assert rehearsal.call("parked", "list")[0] == ExitCode.OK
    dossier_id = rehearsal.json("dossier", "show", number)[1]["id"]
    lane = LaneRow("national", dossier_id, state="parked", reason="a person must say which of two holds")
    store = SqliteStore(rehearsal.folder / "var" / "lienthong.db")
    store.write(lambda tx: tx.put_lanes([lane]))
    store.close()

    assert "national: parked: lienthong parked list (1)" in rehearsal.call("status")[1]
    code, said, _ = rehearsal.call("parked", "list")
    assert (code, number in said, "nothing" in said) == (ExitCode.SOON, True, False)
    assert "a person must say which of two holds" in said
    assert "lienthong quarantine list says what to do" in said
    code, told = rehearsal.json("parked", "list", "--portal", "national")
    assert (code, told["deliveries"], [one["dossier_code"] for one in told["lanes"]]) == (ExitCode.SOON, [], [number])
    assert rehearsal.call("parked", "list", "--portal", "province")[0] == ExitCode.OK
