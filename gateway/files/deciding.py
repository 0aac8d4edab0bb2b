"""What a person decides about files that did not come (T4): they are asked for again, or it is done without them."""

from __future__ import annotations

from collections.abc import Callable

from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import WantedFileRow
from gateway.sync.case import Workshop
from schemas.errors import GatewayError


class NothingGivenUpError(GatewayError):
    """No file of this dossier was given up."""


def ask_again(shop: Workshop, dossier_id: str, actor: str) -> list[WantedFileRow]:
    """Ask for the given-up files of a dossier once more, with new patience. What was handed over without them stays so.

    Raises:
        NothingGivenUpError: There is none.
    """
    now = shop.now()

    def again(row: WantedFileRow) -> None:
        row.state, row.tries, row.first_at, row.next_at = "wanted", 0, now, now

    rows = _decide(shop, dossier_id, "files_asked_again", actor, "", again)
    for portal in sorted({row.portal for row in rows}):
        shop.fetch(portal)
    return rows


def let_go(shop: Workshop, dossier_id: str, actor: str, reason: str) -> list[WantedFileRow]:
    """Do without the given-up files of a dossier; nobody is told of them any more.

    Raises:
        NothingGivenUpError: There is none.
    """

    def forget(row: WantedFileRow) -> None:
        row.state, row.next_at = "let_go", None

    return _decide(shop, dossier_id, "files_let_go", actor, reason, forget)


def _decide(
    shop: Workshop, dossier_id: str, act: str, actor: str, reason: str, change: Callable[[WantedFileRow], None]
) -> list[WantedFileRow]:
    now = shop.now()

    def work(tx: Tx) -> list[WantedFileRow]:
        rows = [row for row in tx.wanted_of(dossier_id) if row.state == "given_up"]
        if not rows:
            raise NothingGivenUpError(f"no file of {dossier_id} was given up: 'lienthong files list' shows them")
        for row in rows:
            change(row)
        tx.put_wanted(rows)
        portals = sorted({row.portal for row in rows})
        said = {"act": act, "actor": actor, "reason": reason, "record": ""}
        tx.append_leaves([leaf("act", now, dossier_id=dossier_id, portal=portal, **said) for portal in portals])
        return rows

    return shop.store.write(work)
