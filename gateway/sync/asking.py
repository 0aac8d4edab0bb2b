"""Asking for files that a delivery carries and that another portal holds (docs/adr/0021).

What is sent once waits until each is here or given up; a copy that can be mended goes without and is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.store.base import Tx
from gateway.store.rows import FileLinkRow, LaneRow
from gateway.sync.case import Workshop
from gateway.sync.compose import Composed
from gateway.sync.files import Missing, token_of, want

LOOK_AGAIN_S = 60.0
"""A file that should have come, or been given up, by now is looked for again so much later."""


class Asker:
    """Asks for the files of one claimed lane."""

    def __init__(self, shop: Workshop, dossier_id: str, mine: Callable[[Tx], LaneRow]) -> None:
        self._shop = shop
        self._dossier_id = dossier_id
        self._mine = mine

    def ask_for(self, missing: Sequence[Missing], *, urgent: bool) -> None:
        """Note what is not asked for yet, and wake whoever fetches it; what is sent once waits for `urgent` ones."""
        new = [one for one in missing if not one.known or (urgent and not one.urgent)]
        if not new:
            return
        shop, now = self._shop, self._shop.now()

        def ask(tx: Tx) -> set[str]:
            self._mine(tx)
            return want(tx, self._dossier_id, new, now, urgent=urgent)

        for portal in sorted(shop.store.write(ask)):
            shop.fetch(portal)

    def wait_for(self, missing: Sequence[Missing]) -> tuple[str, float]:
        """Why a class waits, and until when; earlier, when the last of its files is settled."""
        now, patience_s = self._shop.now(), self._shop.config.store.file_patience_h * 3600.0
        until = max([now + LOOK_AGAIN_S, *((one.since or now) + patience_s for one in missing)])
        holders = ", ".join(sorted({one.portal for one in missing}))
        return f"files that {holders} holds are not here yet ({len(missing)})", until


def still_here(tx: Tx, composed: Composed) -> bool:
    """Whether what the bytes name is still kept; its day may have come since it was looked up."""
    return all(tx.file(file_id) is not None for file_id in composed.files)


def give_addresses(tx: Tx, shop: Workshop, lane: LaneRow, composed: Composed, now: float) -> None:
    """From now on the portal may come for what the bytes point at."""
    rows = [
        FileLinkRow(token_of(shop.vault, lane.portal, file_id), lane.portal, file_id, lane.dossier_id, now)
        for file_id in composed.links
    ]
    if rows:
        tx.put_links(rows)
