"""What a handler offers, as it told us itself: which agencies handle a procedure."""

from __future__ import annotations

from gateway.store.base import Tx
from gateway.store.rows import Json

OFFERS = "offers"
"""Catalogue name under which a handler's offers are kept: rows of `procedure`, `national` and `agency`."""


def of_procedure(tx: Tx, handler: str, procedure: str) -> list[Json] | None:
    """The offers of a procedure, by either of its codes; None where the handler's offers were never read."""
    found = tx.catalogue(OFFERS, handler)
    if found is None:
        return None
    return [row for row in found[1] if procedure in (row["procedure"], row["national"])]


def only_agency(tx: Tx, handler: str, procedure: str) -> str:
    """The agency that handles a procedure where the handler has one only; "" where it has none or several.

    Where a submission names no agency this is no guess: there is nobody else at the handler to whom it could go.
    """
    agencies = {row["agency"] for row in of_procedure(tx, handler, procedure) or () if row["agency"]}
    return str(agencies.pop()) if len(agencies) == 1 else ""
