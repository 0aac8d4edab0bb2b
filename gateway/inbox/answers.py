"""What a ministry says to an item: it has it, it does not take it, or how its stage stands."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.base import Outcome, OutcomeKind
from adapters.inbox.receiver import ReportReceiver, request_body
from adapters.receiving import InboundReply, InboundRequest, Receiver
from gateway.inbox.items import ACKNOWLEDGED, REFUSED, WAITING, Item, Items, RefusedError
from gateway.log import get_logger
from gateway.store.base import Tx
from gateway.sync import outcomes
from gateway.sync.case import Workshop
from schemas.status import DossierStatus

AHEAD = timedelta(minutes=5)
"""How far a ministry's clock may be before ours."""
BEHIND = timedelta(days=31)
"""How far before anything we know of its dossier a stage may be said to have moved."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_SPACE = uuid.UUID("4f0b1c52-6d3e-5f7a-8a55-7c3b90b1d6e2")

log = get_logger()


Receive = Callable[[str, Receiver, InboundRequest], InboundReply]
"""Takes a call in (T5): portal, receiver, request -> the answer."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That a ministry has an item: the same item and digest give the same one, however often it is said."""

    id: str
    item: str
    digest: str
    at: datetime


class Answers:
    """Takes in what ministries say. Thread-safe."""

    def __init__(self, shop: Workshop, items: Items, receive: Receive) -> None:
        self._shop = shop
        self._items = items
        self._receive = receive
        self._report = ReportReceiver()

    def acknowledge(self, portal: str, item_id: str, digest: str, said: bytes) -> Acknowledgement:
        """The positive answer: the delivery behind the item is delivered (T3).

        Args:
            said: The ministry's words, byte for byte: a receipt names their digest.

        Raises:
            RefusedError: `not_found`, `digest_differs`, `item_refused` or `item_withdrawn`.
        """
        number = str(uuid.uuid5(_SPACE, f"{item_id}\x00{digest}"))
        proof = f"acknowledgement {number}"
        yes = Outcome(OutcomeKind.DELIVERED, "collected and acknowledged", proof=proof, answer=said)

        def work(tx: Tx) -> tuple[Item, bool]:
            item = self._items.item(portal, item_id, tx)
            if item.state == REFUSED:
                raise RefusedError("item_refused")
            if item.state not in (WAITING, ACKNOWLEDGED):
                raise RefusedError("item_withdrawn")
            if digest != item.digest:
                raise RefusedError("digest_differs")
            if item.state == ACKNOWLEDGED:
                return item, False
            self._settle(tx, portal, item, yes)
            return self._items.item(portal, item_id, tx), True

        item, first = self._shop.store.write(work)
        if first:
            log.info("item_acknowledged", portal=portal, item=item_id)
            self._wake()
        return Acknowledgement(number, item_id, digest, item.settled_at or item.offered_at)

    def refuse(self, portal: str, item_id: str, digest: str, reason: str, at: datetime, said: bytes) -> InboundReply:
        """The ministry does not take it: the delivery is parked for a person, and its stage ends not accepted.

        Args:
            at: When it was heard; a refusal tells no time of its own.
            said: The ministry's words, byte for byte: a receipt names their digest.

        Raises:
            RefusedError: `not_found`, `digest_differs`, `item_acknowledged` or `item_withdrawn`.
        """
        # Its words are free text: they travel sealed, in the report below, and never in the clear beside the delivery.
        no = Outcome(OutcomeKind.REFUSED, "refused by its ministry", code="refused", final=True, answer=said)

        def work(tx: Tx) -> tuple[Item, bool]:
            item = self._items.item(portal, item_id, tx)
            if item.state == ACKNOWLEDGED:
                raise RefusedError("item_acknowledged")
            if item.state not in (WAITING, REFUSED):
                raise RefusedError("item_withdrawn")
            if digest != item.digest:
                raise RefusedError("digest_differs")
            if item.state == REFUSED:
                return item, False
            self._settle(tx, portal, item, no)
            return self._items.item(portal, item_id, tx), True

        item, first = self._shop.store.write(work)
        if first:
            log.warning("item_refused", portal=portal, item=item_id)
            self._wake()
        told = {"status": DossierStatus.NOT_ACCEPTED.value, "note": reason}
        return self._take(portal, item, f"refusal:{item_id}", told, at)

    def report(self, portal: str, item_id: str, key: str, told: dict[str, Any], at: datetime) -> InboundReply:
        """How the ministry's stage stands; kept and answered like any call of a portal (T5).

        Args:
            key: Its Idempotency-Key.
            told: The report in the words of the mapping's message `report`, `occurred_at` an aware instant.

        Raises:
            RefusedError: `not_found`, `status_not_yours` or `time_not_valid`.
        """
        item = self._items.item(portal, item_id)
        if told["status"] not in self._items.adapter(portal).options.statuses:
            raise RefusedError("status_not_yours")
        if told["occurred_at"] > at + AHEAD:
            raise RefusedError("time_not_valid", "occurred_at is later than now")
        if told["occurred_at"] < self._begun(item) - BEHIND:
            raise RefusedError("time_not_valid", "occurred_at is before the dossier was there")
        if any(not EARLIEST <= value <= LATEST for value in told.values() if isinstance(value, datetime)):
            raise RefusedError("time_not_valid", "a time is before 1970 or after 2199")
        written = {name: _written(value) for name, value in told.items()}
        return self._take(portal, item, key, written, at)

    def _begun(self, item: Item) -> datetime:
        """The first that any portal has told of a dossier: that outlives a restore, the time of an offer does not."""
        dossier_id = item.row.dossier_id
        row = self._shop.store.read(lambda tx: tx.dossiers([dossier_id]).get(dossier_id))
        told = [entry["at"] for entry in row.timeline] if row is not None else []
        return min((datetime.fromtimestamp(at, UTC) for at in told), default=item.offered_at)

    def _take(self, portal: str, item: Item, key: str, told: dict[str, Any], at: datetime) -> InboundReply:
        body = request_body(item.dossier_code, key, told)
        request = InboundRequest("POST", "", {}, {"content-type": "application/json"}, body, at, caller=portal)
        return self._receive(portal, self._report, request)

    def _settle(self, tx: Tx, portal: str, item: Item, outcome: Outcome) -> None:
        last = len(item.row.attempts)
        there = self._shop.portals[portal]
        outcomes.record(tx, self._shop, there, item.row.key, outcome, attempt=last, first_unknown=False)

    def _wake(self) -> None:
        for name in self._shop.portals:
            self._shop.wake(name)


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
