"""Going through all lanes in slices by key, however many there are; only one slice is held at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gateway.store.base import Store, Tx
from gateway.store.rows import LaneRow

SLICE = 1000


def lanes_of_portal(store: Store, portal: str) -> Iterator[LaneRow]:
    """A portal's lanes in the order of their dossiers, each slice read by itself."""
    after = ""
    while (found := store.read(partial(_slice, portal=portal, after=after))) is not None:
        lanes, after = found
        yield from lanes


def lanes_within(tx: Tx, portal: str = "") -> Iterator[list[LaneRow]]:
    """All lanes, or those of a portal, slice by slice inside one transaction."""
    after = ""
    while (found := _slice(tx, portal=portal, after=after)) is not None:
        lanes, after = found
        yield lanes


def _slice(tx: Tx, *, portal: str, after: str) -> tuple[list[LaneRow], str] | None:
    ids = [row.id for row in tx.iter_dossiers(limit=SLICE, after=after)]
    if not ids:
        return None
    lanes = tx.lanes_of(ids)
    return [lane for one in ids for lane in lanes.get(one, []) if portal in ("", lane.portal)], ids[-1]
