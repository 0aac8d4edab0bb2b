"""Two statuses of one owner at one moment, with nothing to order them: kept, shown to a person, and held back (S7).

Rows of the timeline still go out, for both are true; what shows or acts on the current status waits. The next event of
the owner ends it, or a person who has looked at the portal and replays the quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gateway.store.base import Tx
from gateway.store.rows import DossierRow, LaneKey
from gateway.sync import timeline, writing
from gateway.sync.decide import Decision, Ownership
from gateway.sync.page import Page, Placed
from gateway.sync.timeline import Entry

CAUSE = "conflict"
LOOK = "look which one holds at the portal, then replay; the owner's next event also ends it"


def in_conflict(dossier: DossierRow) -> bool:
    """Whether nobody can say which of two statuses of a dossier is the later one."""
    return any(flag.startswith(f"{CAUSE}:") for flag in dossier.flags)


def keep(page: Page, placed: Placed, decisions: Sequence[tuple[str, Decision]], ownership: Ownership) -> None:
    """Park a conflict that a reading brought; end one that it resolved."""
    row = placed.dossier
    entries = cast("list[Entry]", row.timeline)
    news = [entry_id for entry_id, label in decisions if label is Decision.CONFLICT]
    if news:
        at = max(entry["at"] for entry in entries if entry["id"] in news)
        said = {entry["wire"] or entry["status"] for entry in entries if entry["at"] == at and entry["status"]}
        reason = f"two statuses at one moment, and nothing orders them: {', '.join(sorted(said))} ({row.id})"
        writing.quarantine(page, placed.slot.arrival, CAUSE, reason, LOOK, [row.id])
        row.flags = tuple(dict.fromkeys((*row.flags, _flag(page.name, placed.slot.reading.external_id))))
    elif in_conflict(row) and not timeline.contradiction(entries, ownership.handlers, page.stage):
        end(page.tx, row, page.name, placed.slot.reading.external_id, page.now)


def end(tx: Tx, row: DossierRow, portal: str, external_id: str, now: float) -> None:
    """Let what waited go on; the caller stores the dossier."""
    row.flags = tuple(flag for flag in row.flags if flag != _flag(portal, external_id))
    for held in tx.quarantine_of(portal, external_id):
        if held.cause == CAUSE and held.id is not None:
            tx.close_quarantine(held.id, "replayed")
    lanes = tx.lanes_of([row.id]).get(row.id, [])
    tx.mark_due([LaneKey(lane.portal, row.id) for lane in lanes], now)


def _flag(portal: str, external_id: str) -> str:
    return f"{CAUSE}:{portal}/{external_id}"
