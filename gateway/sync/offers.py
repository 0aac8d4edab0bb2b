"""What a handler offers, as it told us itself: which agencies handle a procedure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.store.base import Tx
from gateway.store.rows import Json

OFFERS = "offers"
"""Catalogue name under which a handler's offers are kept: rows of `procedure`, `national` and `agency`."""


def of_procedure(tx: Tx, handler: str, procedure: str) -> list[Json] | None:
    """The offers of a procedure, by either of its codes; None where the handler's offers were never read."""
    return KnownOffers().of_procedure(tx, handler, procedure)


class KnownOffers:
    """Offers by procedure, taken apart once for each list that was stored: a province offers thousands. Thread-safe."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[int, Mapping[str, list[Json]]]] = {}

    def of_procedure(self, tx: Tx, handler: str, procedure: str) -> list[Json] | None:
        """As `of_procedure`."""
        number = tx.catalogue_number(OFFERS, handler)
        if number is None:
            return None
        held = self._lists.get(handler)
        if held is None or held[0] != number:
            found = tx.catalogue(OFFERS, handler)
            held = self._lists[handler] = number, _by_procedure(found[1] if found else ())
        return held[1].get(procedure, [])


def _by_procedure(rows: Iterable[Json]) -> Mapping[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for row in rows:
        for code in {row["procedure"], row["national"]}:
            found.setdefault(code, []).append(row)
    return found


def only_agency(tx: Tx, handler: str, procedure: str) -> str:
    """The agency that handles a procedure where the handler has one only; "" where it has none or several.

    Where a submission names no agency this is no guess: there is nobody else at the handler to whom it could go.
    """
    agencies = {row["agency"] for row in of_procedure(tx, handler, procedure) or () if row["agency"]}
    return str(agencies.pop()) if len(agencies) == 1 else ""


def own_code(tx: Tx, handler: str, procedure: str) -> str:
    """The handler's own code of a procedure that it offers under a national one; "" where it is the same or unclear."""
    offered = {row["procedure"] for row in of_procedure(tx, handler, procedure) or ()}
    return str(offered.pop()) if len(offered) == 1 and procedure not in offered else ""
