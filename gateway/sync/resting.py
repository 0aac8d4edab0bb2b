"""Giving a lane back: "due" is cleared only by an empty plan that leaves nothing open, under the row's lock (S13)."""

from __future__ import annotations

from dataclasses import replace

from gateway.store.base import Tx
from gateway.store.rows import LaneRow
from gateway.sync.case import Case, Workshop, paused_routes
from gateway.sync.lane import Lane


def nothing_left(row: LaneRow, case: Case, settled: str) -> bool:
    """Whether the plan of a lane is empty once the delivery `settled`, sent from `case`, is known to have arrived.

    `row` is the lane as it stands now. When news came since `case` was read, or something else is open or waits, only a
    fresh look can tell: then the answer is no.
    """
    others = [delivery for delivery in case.open if delivery.key != settled]
    if row.mark != case.lane.row.mark or others or case.desk.blocked:
        return False
    plan = replace(case, lane=Lane(row)).plan()
    return not plan.steps and not plan.waits


def give_back(
    tx: Tx, shop: Workshop, row: LaneRow, case: Case | None, reason: str, *, at: float | None, put_off: bool = False
) -> None:
    """End a lease of ours: due again at `at` (None: when there is news), unless news came since `case` was read.

    Args:
        row: The lane, read in this transaction.
        reason: Why something waits, in plain words; "" when nothing is owed.
        put_off: Due at `at` whatever came meanwhile.
    """
    mark = case.lane.row.mark if case else None
    row.lease_until, row.lease_token = 0.0, ""
    if put_off or (mark is not None and row.mark == mark):
        row.due_at = at
    state = _state(reason, at)
    if state != row.state:
        row.since = shop.now()
    row.state, row.reason = state, reason
    tx.put_lanes([row])
    if case is not None and not reason:
        declared = case.target.commands if case.target else ()
        kept = {wanted.route for wanted in declared if wanted.verb == "declare"} | set(paused_routes(tx))
        shop.handovers.nothing_owed(tx, row, kept)


def _state(reason: str, at: float | None) -> str:
    if not reason:
        return "calm"
    if "given up" in reason:
        return "drift_given_up"
    if "person" in reason or "doubt" in reason:
        return "parked"
    return "owed" if at is not None else "waiting"
