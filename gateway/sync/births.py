"""Dossiers born elsewhere: submitted at another portal, owed to the handler, who is asked once to make them (S6)."""

from __future__ import annotations

from typing import cast

from gateway.store.base import Tx
from gateway.store.rows import Json, LaneKey
from gateway.sync import timeline
from gateway.sync.case import Workshop
from gateway.sync.dossiers import Held, refresh_columns, view_of
from gateway.sync.route import route
from gateway.sync.timeline import Entry
from schemas.status import DossierStatus


def refused(tx: Tx, shop: Workshop, handler: str, dossier_id: str, key: str, reason: str) -> list[str]:
    """The handler said no for good to making a dossier: an act of its own, told to whoever must hear of the dossier.

    Gives the portals that must.

    The event names no record, because there is none: should the handler make it after all, it is asked for as before.
    """
    row = tx.dossiers([dossier_id])[dossier_id]
    now = shop.now()
    entry: Entry = {
        "id": f"{handler}||refusal:{key}",
        "portal": handler,
        "record": "",
        "stage": "",
        "kind": "own",
        "status": DossierStatus.NOT_ACCEPTED.value,
        "wire": "",
        "at": now,
        "us": True,
        "pos": 0,
        "heard": now,
        "since": now,
    }
    held = Held.open(row, shop.vault)
    merged, added, _ = timeline.merge(cast("list[Entry]", row.timeline), [entry])
    if not added:
        return []
    row.timeline = cast("list[Json]", merged)
    held.texts[entry["id"]] = {"note": reason, "officer": _who(shop, handler)}
    view = view_of(row, held, shop.config)
    refresh_columns(row, held, view)
    row.version, row.changed_at = row.version + 1, now
    row.sealed = shop.vault.seal(row.id, held.plain())
    tx.put_dossiers([row])
    targets = route(view, shop.config.routes, shop.config.ownership, shop.config.groups)
    others = [t.portal for t in targets if t.portal in shop.portals and t.portal != handler]
    due = [portal for portal in others if shop.portals[portal].pushes]
    tx.mark_due([LaneKey(portal, row.id) for portal in due], now)
    return due


def _who(shop: Workshop, handler: str) -> str:
    """Who refused, where no officer did: a portal may take no row without a name."""
    portal = shop.config.portals.get(handler)
    return (portal.label if portal else "") or shop.config.province.name or handler
