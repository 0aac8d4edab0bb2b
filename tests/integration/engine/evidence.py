"""Is the evidence whole? Every leaf is what its digest says, no chain has a gap, each change of state has its leaf."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import orjson

from gateway.store.base import Store, Tx

OF_A_LANE = ("attempt", "outcome", "settled", "superseded", "parked")


def leaves(store: Store) -> list[dict[str, Any]]:
    """All leaves in the order written, with their digest; each is checked against it."""
    found: list[dict[str, Any]] = []
    after = 0

    def page(tx: Tx) -> Any:
        return tx.leaves(after=after, limit=5000)

    while rows := store.read(page):
        for number, row in rows:
            assert hashlib.sha256(row.canonical).hexdigest() == row.digest
            found.append({**orjson.loads(row.canonical), "digest": row.digest, "number": number})
            after = number
    return found


def check(store: Store) -> list[dict[str, Any]]:
    """Raise AssertionError where evidence has a gap (I8); gives the leaves."""
    found = leaves(store)
    assert len({leaf["digest"] for leaf in found}) == len(found)
    ends: dict[tuple[str, ...], str] = {}
    for leaf in found:
        chain = _chain(leaf)
        if chain:
            assert leaf["prev"] == ends.get(chain, ""), f"a gap before leaf {leaf['number']} ({leaf['kind']})"
            ends[chain] = leaf["digest"]
    lanes = store.read(lambda tx: tx.iter_lanes(limit=1_000_000))
    for lane in lanes:
        assert lane.doc.get("leaf", "") == ends.get(("lane", lane.portal, lane.dossier_id), "")
    _changes(store, found)
    return found


def _chain(leaf: dict[str, Any]) -> tuple[str, ...]:
    if leaf["kind"] in OF_A_LANE:
        return "lane", leaf["portal"], leaf["dossier"]
    return ("record", leaf["portal"], leaf["record"]) if leaf["kind"] == "observation" else ()


def _changes(store: Store, found: list[dict[str, Any]]) -> None:
    """Attempts and ends of deliveries, counted against their leaves."""
    begun = Counter(leaf["key"] for leaf in found if leaf["kind"] == "attempt")
    said = {(leaf["key"], leaf.get("state") or leaf.get("outcome")) for leaf in found if "key" in leaf}
    for row in store.read(lambda tx: tx.list_deliveries(limit=1_000_000)):
        assert begun[row.key] == len(row.attempts), row.key
        if row.state in ("delivered", "unproven", "superseded", "parked", "unknown"):
            words = {(row.key, row.state), (row.key, "refused"), (row.key, "unknown")}
            assert words & said, f"no leaf says that {row.key} is {row.state}"
