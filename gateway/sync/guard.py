"""The guard of a command: the handler's record, read just before (S20), stored like any other reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.sync.case import Workshop
from gateway.sync.portal import Portal
from gateway.sync.reading import Reading
from gateway.sync.route import DossierView
from schemas.errors import PortalContractError


@dataclass(frozen=True, slots=True)
class GuardReading:
    """What the handler shows now: the actions it allows (None where it cannot tell) and what a probe needs later."""

    allowed: tuple[str, ...] | None
    guard: Mapping[str, Any]

    def allows(self, body: bytes) -> bool:
        """Whether the action named in a localised command is among those allowed now."""
        wire = orjson.loads(body)
        named = {str(value) for value in wire.values()} if isinstance(wire, dict) else set()
        return self.allowed is None or not named.isdisjoint(self.allowed)


Refresh = Callable[[Portal, str], Reading | None]
"""Fetch a record and store the reading (T1); None when the portal says it is absent."""


class Guard:
    """Reads the handler's record of a dossier."""

    def __init__(self, shop: Workshop, refresh: Refresh) -> None:
        self._shop = shop
        self._refresh = refresh

    def read(self, view: DossierView, asking: str) -> GuardReading | None:
        """The handler's record as it is now; None when it is not there.

        Raises:
            PortalError: The handler cannot be read now; the command waits.
        """
        handler = self._shop.portals.get(view.row.handler)
        if handler is None or not handler.adapter.abilities.fetches:
            return GuardReading(None, {})
        resting = handler.resting(self._shop.clock.now()) if asking != handler.name else ""
        if resting:
            raise PortalContractError(handler.name, f"the handler rests: {resting}", sent=False)
        if asking != handler.name and not handler.awake():
            raise PortalContractError(handler.name, "the handler is not answering", sent=False)
        record = self._record(view, handler.name)
        reading = self._refresh(handler, record) if record else None
        return None if reading is None else GuardReading(reading.allowed, reading.guard)

    def _record(self, view: DossierView, handler: str) -> str:
        records = self._shop.store.read(lambda tx: tx.records_of([view.row.id])).get(view.row.id, [])
        live = [record.external_id for record in records if record.portal == handler and not record.removed]
        return live[0] if live else ""
