"""Settling what is uncertain: repeat what is harmless, ask where asking can tell, else end unproven (S21 to S25)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adapters.base import Delivery, Operation, Outcome, Presence, ProbeStrength
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, LaneRow
from gateway.sync import outcomes
from gateway.sync.attempts import attempt_begun, delivery_of, stopped
from gateway.sync.case import Case, Workshop
from gateway.sync.lane import Lane
from gateway.sync.portal import Portal
from schemas.errors import PortalError


class Record(Protocol):
    """Records an attempt's outcome (T3)."""

    def __call__(self, delivery: Delivery, outcome: Outcome, *, first_unknown: bool) -> outcomes.Ended:
        """See `outcomes.record`."""


class Settler:
    """Settles the open deliveries of one claimed lane, one thing at a time."""

    def __init__(
        self,
        shop: Workshop,
        portal: Portal,
        mine: Callable[[Tx], LaneRow],
        push: Callable[[Delivery], Outcome],
        record: Record,
    ) -> None:
        self._shop = shop
        self._portal = portal
        self._mine = mine
        self._push = push
        self._record = record

    def one(self, case: Case) -> str:
        """Do one thing for the oldest open delivery that is due; "" when there is none."""
        for row in case.open:
            if row.state == "begun":
                return self._taken_over(row)
            if row.doc.get("seen"):
                return self._settle(row, "delivered", "our key was read back")
            if row.state == "offered":
                continue  # its portal's acknowledgement settles it
            if case.may_settle(row) and (row.next_at is None or row.next_at <= case.desk.now):
                return self._uncertain(case, row)
        return ""

    def _uncertain(self, case: Case, row: DeliveryRow) -> str:
        operation = self._portal.adapter.abilities.operations[row.operation]
        if operation.repeat.harmless:
            return self._repeat(case, row)
        if operation.probe is ProbeStrength.NONE:
            return self._settle(row, "unproven", "the portal can neither be asked nor take it twice")
        return self._probe(case, row, operation)

    def _taken_over(self, row: DeliveryRow) -> str:
        """A begun delivery whose worker is gone is unknown and is not resent before it has settled (S25)."""
        shop, portal = self._shop, self._portal
        settle_at = shop.now() + portal.config.settle_s

        def note(tx: Tx) -> None:
            mine = self._mine(tx)
            if not _still(tx, row):  # its answer came meanwhile, and is evidence (S24)
                return
            Lane(mine).set_hold(row.klass, settle_at)
            if row.klass == "command":
                Lane(mine).command(row.cause, state="unknown", key=row.key)
            Lane(mine).last_ended = shop.now()
            tx.put_lanes([mine])
            reason = "its worker ended while the call was under way"
            outcomes.still_unknown(tx, shop, portal, row.key, settle_at, reason, asked=False)

        shop.store.write(note)
        return "unknown"

    def _repeat(self, case: Case, row: DeliveryRow) -> str:
        """The same bytes again: what the operation declares harmless."""
        shop, now = self._shop, self._shop.now()
        # opened before it is begun: what cannot be opened is not sent
        body = shop.vault.open(case.dossier.id, row.sealed_body)

        def begin(tx: Tx) -> DeliveryRow | None:
            mine = self._mine(tx)
            held = tx.delivery(row.key)
            if held is None or mine.mark != case.lane.row.mark or not _still(tx, row) or stopped(tx, row.portal):
                return None
            attempt_begun(tx, Lane(mine), held, now)
            return held

        begun = shop.store.write(begin)
        if begun is None:
            return "settled"
        delivery = delivery_of(begun, body, shop, self._portal)
        self._record(delivery, self._push(delivery), first_unknown=True)
        return "repeated"

    def _probe(self, case: Case, row: DeliveryRow, operation: Operation) -> str:
        """Ask; only a settled "absent" frees it, and a presence probe proves a create, never an update."""
        shop, portal = self._shop, self._portal
        body = shop.vault.open(case.dossier.id, row.sealed_body)
        try:
            found = portal.adapter.probe(delivery_of(row, body, shop, portal))
        except PortalError as error:
            portal.breaker.failed(error.reason)
            return self._ask_again(row, error.reason, error.retry_after_s, asked=False)
        portal.breaker.worked()
        proves = operation.probe is ProbeStrength.CONTENT or operation.creates
        if found.presence is Presence.PRESENT and proves:
            return self._settle(row, "delivered", f"asked: {found.reason}")
        if found.presence is Presence.ABSENT:
            return self._settle(row, "thawed", f"asked: {found.reason}")
        if row.asks + 1 >= portal.config.retry.asks:
            return self._settle(row, "unproven", f"asked {row.asks + 1} times: {found.reason}")
        return self._ask_again(row, found.reason, None, asked=True)

    def _ask_again(self, row: DeliveryRow, reason: str, wait_s: float | None, *, asked: bool) -> str:
        shop, portal = self._shop, self._portal
        wait = wait_s if wait_s is not None else portal.ladder(row.asks + 1, shop.spread())
        next_at = shop.now() + wait

        def ask_again(tx: Tx) -> None:
            self._mine(tx)
            if _still(tx, row):
                outcomes.still_unknown(tx, shop, portal, row.key, next_at, reason, asked=asked)

        shop.store.write(ask_again)
        return "asked"

    def _settle(self, row: DeliveryRow, state: str, how: str) -> str:
        shop, portal = self._shop, self._portal

        def settle(tx: Tx) -> None:
            self._mine(tx)
            if _still(tx, row):
                outcomes.settle(tx, shop, portal, row.key, state, how)

        shop.store.write(settle)
        return f"settled_{state}"


def _still(tx: Tx, row: DeliveryRow) -> bool:
    """Whether a delivery is as uncertain as it was read: a late answer or a person may have settled it since."""
    held = tx.delivery(row.key)
    return held is not None and held.open and held.state == row.state and len(held.attempts) == len(row.attempts)
