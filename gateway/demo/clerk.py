"""The operator of the demo: settles what a person must settle, by looking at the portal's own screen.

What the gateway lists as unproven or parked is looked up where it should stand: a progress row by its content, a
declaration by its message, an act by the key in its note. Nothing else is known to the operator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.bootstrap import Gateway
from gateway.demo.catalogue import JUSTICE, NATIONAL, PROVINCE, TRANSPORT
from gateway.demo.screen import Screen
from gateway.store.rows import DeliveryRow

ACTOR = "demo operator"
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery that waits for a person, as the oracle may know it: where, of which class, and its wire form."""

    id: int
    portal: str
    klass: str
    state: str
    key: str
    dossier_code: str
    rows: tuple[tuple[str, str, str], ...] = ()
    """Progress rows: number, status code, 14-digit time."""


@dataclass(slots=True)
class Settled:
    """What the operator did."""

    arrived: int = 0
    sent_again: int = 0
    by_portal: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many deliveries were settled."""
        return self.arrived + self.sent_again


class Clerk:
    """One operator with screens of every portal and the gateway's own acts."""

    def __init__(self, gateway: Gateway, screens: dict[str, Screen]) -> None:
        self._gateway = gateway
        self._screens = screens
        self.settled = Settled()

    def waiting(self) -> list[Waiting]:
        """Everything that waits for a person."""
        states = ("unproven", "parked")
        rows = self._gateway.store.read(lambda tx: tx.list_deliveries(states=states, limit=_MANY))
        return [self._shown(row) for row in rows]

    def _shown(self, row: DeliveryRow) -> Waiting:
        found: tuple[tuple[str, str, str], ...] = ()
        if row.portal == NATIONAL and row.klass == "append":
            body = orjson.loads(self._gateway.vault.open(row.dossier_id, row.sealed_body))
            lines = body if isinstance(body, list) else [body]
            found = tuple((one["MaHoSo"], one["TrangThai"], one["ThoiDiemXuLy"]) for one in lines)
        return Waiting(row.id or 0, row.portal, row.klass, row.state, row.key_uuid, row.external_id, found)

    def settle(self) -> int:
        """Look at the portals and settle all that waits; gives how many."""
        waiting = self.waiting()
        if not waiting:
            return 0
        shown = {portal: self._look(portal) for portal in {one.portal for one in waiting}}
        for one in waiting:
            arrived = self._stands(one, shown[one.portal])
            self._gateway.operator.confirm(one.id, arrived=arrived, actor=ACTOR)
            self.settled.arrived += arrived
            self.settled.sent_again += not arrived
            self.settled.by_portal[one.portal] = self.settled.by_portal.get(one.portal, 0) + 1
        return len(waiting)

    def _look(self, portal: str) -> Any:
        screen = self._screens[portal]
        match portal:
            case _ if portal == NATIONAL:
                held = screen.look("records")
                rows = {
                    (code, row["TrangThai"], row["ThoiDiemXuLy"])
                    for code, record in held.items()
                    for row in record["progress"]
                }
                return {"rows": rows, "codes": set(held)}
            case _ if portal == TRANSPORT:
                return {line["message_id"] for held in screen.look("dossiers") for line in held["declarations"]}
            case _ if portal == JUSTICE:
                return {held["number"] for held in screen.look("dossiers")}
            case _ if portal == PROVINCE:
                return {effect["lt"] for effect in screen.look("effects") if effect["lt"]}
        return set()

    def _stands(self, one: Waiting, shown: Any) -> bool:
        """Whether a person finds it there. A parked copy of a dossier is sent anew: its content may differ."""
        if one.portal == NATIONAL:
            return bool(one.rows) and all(row in shown["rows"] for row in one.rows)
        if one.portal == JUSTICE:
            return one.dossier_code in shown
        return one.key in shown
