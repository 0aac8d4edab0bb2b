"""After rules were changed: the dossiers that are there already are looked at again, behind the brake.

A lane is decided when something is heard of its dossier. Rules are no news of a dossier, so what a changed rule wants
of those at rest is planned only when a person says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import LaneKey
from gateway.sync.case import Workshop
from gateway.sync.rehearsing import Rehearsal

BRAKED = "changed rules"
"""How the reason of such a stop begins."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Portal -> dossiers that are planned there now, and the portals that stopped to ask: 'resume' is the yes."""

    due: dict[str, int]
    braked: tuple[str, ...]


def concerned(rehearsal: Rehearsal) -> dict[str, list[LaneKey]]:
    """The lanes of which a rehearsal says that something would be sent or taken up."""
    found: dict[str, set[str]] = {}
    for one in rehearsal.dossiers:
        for portal in {*one.gains, *(sent.split(" ")[0] for sent in one.sends)}:
            found.setdefault(portal, set()).add(one.dossier_id)
    return {portal: [LaneKey(portal, dossier) for dossier in sorted(ids)] for portal, ids in sorted(found.items())}


def apply(shop: Workshop, rehearsal: Rehearsal, actor: str) -> Applied:
    """T4: make them due; a portal that is to get more than its set number stops first and asks."""
    due = {portal: keys for portal, keys in concerned(rehearsal).items() if portal in shop.portals}

    def work(tx: Tx) -> tuple[str, ...]:
        braked = []
        for portal, keys in due.items():
            state = tx.portal(portal)
            fields = {"actor": actor, "reason": f"{len(keys)} dossiers since {rehearsal.since_on}"}
            if len(keys) > shop.portals[portal].config.max_writes_per_sweep and state.mode == "live":
                state.paused = state.paused or f"{BRAKED} want more than the set number of writes here"
                tx.put_portal(state)
                braked.append(portal)
            tx.mark_due(keys, shop.now())
            tx.append_leaves([leaf("act", shop.now(), portal=portal, act="apply_rules", **fields)])
        return tuple(braked)

    braked = shop.store.write(work)
    for portal in due:
        shop.wake(portal)
    return Applied({portal: len(keys) for portal, keys in due.items()}, braked)
