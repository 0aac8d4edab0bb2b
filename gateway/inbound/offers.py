"""What a handler offers, kept as a dated catalogue, so that a call is judged without asking anybody (T6)."""

from __future__ import annotations

from adapters.base import Offers
from gateway.log import get_logger
from gateway.store.base import Store
from gateway.sync.offers import OFFERS
from gateway.sync.portal import Portal
from schemas.canonical import digest

log = get_logger()
SHRUNK = 0.8
"""A list with less than this share of its former rows is returned by a portal in trouble: it is not acted on."""


def refresh(store: Store, portal: Portal) -> str:
    """Read the handler's offers and keep them when they changed; says why they were not kept, "" when all is well.

    Raises:
        PortalError: They cannot be read now.
    """
    adapter = portal.adapter
    if not isinstance(adapter, Offers):
        return "this kind cannot say what it offers"
    rows = [
        {"procedure": offer.procedure_code, "national": offer.national_code, "agency": offer.agency_code}
        for offer in adapter.offers()
    ]
    at = portal.clock.now().timestamp()
    held = store.read(lambda tx: tx.catalogue(OFFERS, portal.name))
    if (held is not None and len(rows) < SHRUNK * len(held[1])) or not rows:
        log.warning("offers_not_replaced", portal=portal.name, rows=len(rows), held=len(held[1]) if held else 0)
        return f"the list shrank to {len(rows)} rows: the former one is kept"
    store.write(lambda tx: tx.put_catalogue(OFFERS, portal.name, digest(rows)[:16], rows, at))
    return ""
