"""What a dossier owes, as far as the gateway knows. Pure, over what is held of the dossier.

The handler's own list of fees counts; where it names none, what the citizen was told at submission. "Nothing to pay"
is said only where it is so: a citizen told it could not pay while the handler waits for the money.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.sync.acts import first_heard
from gateway.sync.timeline import Event
from gateway.sync.wanted import DossierView
from schemas.status import DossierStatus

Fees = Sequence[Mapping[str, Any]]


def owed(view: DossierView, facts: Mapping[str, Mapping[str, Any]], handlers: Collection[str]) -> Fees | None:
    """Fees still to pay; None where something is to be paid and nobody has told us how much.

    `facts` holds what each portal says of the dossier, `handlers` are the portals that handle dossiers. A payment
    answers the request that was known when it was heard; the next one asks for something else.
    """
    paid = [event for event in view.events() if _is_payment(event) and event.portal not in handlers]
    current = view.current()
    if current is None or not _is_payment(current) or current.portal not in handlers:
        return [] if paid else _listed(view.row.handler, facts)
    if any(_heard(view, event) > _heard(view, current) for event in paid):
        return []
    return None if paid else _listed(view.row.handler, facts) or None


def _is_payment(event: Event) -> bool:
    """At its handler: money is asked for; at the citizen's portal: it was paid."""
    return event.status == DossierStatus.PAYMENT_REQUESTED


def _listed(handler: str, facts: Mapping[str, Mapping[str, Any]]) -> Fees:
    for name in (handler, *sorted(facts)):
        fees = facts.get(name, {}).get("fees") or ()
        if fees:
            return [fee for fee in fees if fee.get("paid") is not True]
    return []


def _heard(view: DossierView, event: Event) -> float:
    return min(first_heard(entry) for entry in view.entries if entry["id"] in event.ids)
