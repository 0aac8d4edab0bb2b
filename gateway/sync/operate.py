"""T4, an operator's act: state, actor and reason change in one transaction, with a leaf."""

from __future__ import annotations

import zlib

import orjson

from adapters.base import DeliveryClass
from gateway.config import RouteConfig
from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, LaneKey, RecordRow
from gateway.sync import conflicts, outcomes
from gateway.sync.applying import Applied, apply
from gateway.sync.arrival import SALT
from gateway.sync.case import Workshop, paused_routes
from gateway.sync.engine import Engine
from gateway.sync.lane import Lane
from gateway.sync.slices import lanes_within
from schemas.errors import GatewayError


class NotFoundError(GatewayError):
    """What the operator named is not there, or not in a state for this act."""


class Operator:
    """What a person may do. Every act names its actor."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._shop: Workshop = engine.shop

    # deliveries
    def retry(self, delivery_id: int, actor: str) -> DeliveryRow:
        """Send a parked delivery again, planned anew; an unproven one only after `confirm`.

        A request that nobody heard ends as before when the handler still does not stand where it may be done.
        """
        row = self._delivery(delivery_id, ("parked", "unheard"))
        return self._settle(row, "thawed", "a person asked to try again", actor, fresh=True)

    def confirm(self, delivery_id: int, *, arrived: bool, actor: str) -> DeliveryRow:
        """A person looked at the portal: it is there, or it is not (then it is planned again)."""
        row = self._delivery(delivery_id, ("unproven", "unknown", "parked", "offered", "unheard"))
        state = "delivered" if arrived else "thawed"
        how = "a person saw it at the portal" if arrived else "a person saw that it is not at the portal"
        return self._settle(row, state, how, actor, fresh=not arrived)

    def drop(self, delivery_id: int, actor: str, reason: str) -> DeliveryRow:
        """It shall not be sent: ends superseded."""
        row = self._delivery(delivery_id, ("parked", "unproven", "unknown", "offered", "unheard"))
        return self._settle(row, "superseded", reason, actor, fresh=False)

    def _delivery(self, delivery_id: int, states: tuple[str, ...]) -> DeliveryRow:
        row = self._shop.store.read(lambda tx: tx.delivery_by_id(delivery_id))
        if row is None:
            raise NotFoundError(f"there is no delivery {delivery_id}: 'lienthong parked list' shows those that wait")
        if row.state not in states:
            raise NotFoundError(f"delivery {delivery_id} is {row.state}; this act is for {' or '.join(states)}")
        return row

    def _settle(self, row: DeliveryRow, state: str, how: str, actor: str, *, fresh: bool) -> DeliveryRow:
        shop = self._shop
        portal = shop.portals[row.portal]

        def work(tx: Tx) -> None:
            held = tx.delivery(row.key)
            if held is None or held.state != row.state:
                raise NotFoundError(f"delivery {row.id} has moved on meanwhile; look at it again")
            outcomes.settle(tx, shop, portal, row.key, state, how, person=actor)
            key = LaneKey(row.portal, row.dossier_id)
            lane = Lane(tx.lanes([key])[key])
            if row.klass == DeliveryClass.SNAPSHOT and state == "delivered":
                lane.show("present", {}, ours=True)
                lane.parked_version = ""
            if fresh:
                lane.free(row.members or (row.cause,))
                lane.worked(row.klass)
                lane.parked_version = ""
                lane.forget_drift()
            tx.put_lanes([lane.row])
            tx.mark_due([key], shop.now())

        shop.store.write(work)
        shop.wake(row.portal)
        return self._shop.store.read(lambda tx: tx.delivery(row.key)) or row

    def settle_drift(self, portal: str, dossier_id: str, actor: str) -> None:
        """A person asks to correct a portal again after drift was given up (S12)."""
        shop = self._shop
        key = LaneKey(portal, dossier_id)

        def work(tx: Tx) -> None:
            row = tx.lanes([key]).get(key)
            if row is None:
                raise NotFoundError(f"there is no lane of {dossier_id} at {portal}")
            Lane(row).forget_drift()
            tx.put_lanes([row])
            tx.mark_due([key], shop.now())
            self._act(tx, "retry_drift", actor, portal=portal, dossier_id=dossier_id)

        shop.store.write(work)
        shop.wake(portal)

    # quarantine and links
    def replay(self, quarantine_id: int, actor: str) -> str:
        """Judge a quarantined record afresh: by fetching it, or where its portal cannot, at the next pull.

        Raises:
            NotFoundError: It is not open, or its portal does not show it any more.
        """
        row = self._shop.store.read(lambda tx: tx.quarantine(quarantine_id))
        if row is None or row.state != "open":
            raise NotFoundError(f"there is no open quarantine {quarantine_id}: 'lienthong quarantine list' shows them")
        before = self._open_ids(row.portal, row.external_id)
        self._shop.store.write(lambda tx: self._judge_afresh(tx, row.portal, row.external_id))
        if not self._shop.portals[row.portal].adapter.abilities.fetches:
            return "at the next pull"
        self._engine.refresh(row.portal, row.external_id)
        held = self._shop.store.read(lambda tx: tx.records(row.portal, [row.external_id])).get(row.external_id)
        if held is None or "aside" in held.counts or not held.dossier_id:
            return "still unreadable" if row.cause == "unreadable" else "still in doubt"

        def work(tx: Tx) -> None:
            for dossier in tx.dossiers([held.dossier_id]).values() if row.cause == conflicts.CAUSE else ():
                conflicts.end(tx, dossier, row.portal, row.external_id, self._shop.now())
                tx.put_dossiers([dossier])
            for number in before:
                tx.close_quarantine(number, "replayed")
            self._act(tx, "replay", actor, portal=row.portal, record=row.external_id)

        self._shop.store.write(work)
        return "replayed"

    def _open_ids(self, portal: str, external_id: str) -> list[int]:
        rows = self._shop.store.read(lambda tx: tx.quarantine_of(portal, external_id))
        return [row.id for row in rows if row.id is not None]

    def _judge_afresh(self, tx: Tx, portal: str, external_id: str) -> None:
        """Forget that these bytes were set aside, so that they are read and judged again."""
        record = tx.records(portal, [external_id]).get(external_id)
        if record is not None:
            record.counts.pop("aside", None)
            record.list_digest = record.raw_digest = ""
            tx.put_records([record])

    def raw_of(self, quarantine_id: int) -> bytes:
        """The raw bytes of a quarantined record, opened; for the person who mends it."""
        row = self._shop.store.read(lambda tx: tx.quarantine(quarantine_id))
        raw = self._shop.store.read(lambda tx: tx.raw(row.raw_id or 0)) if row else None
        if raw is None:
            raise NotFoundError(f"quarantine {quarantine_id} has no raw record (any more)")
        return zlib.decompress(self._shop.vault.open(raw.seal_key, raw.sealed)[SALT:])

    def link(self, portal: str, external_id: str, dossier_id: str, actor: str) -> None:
        """Say whose dossier a record is; its quarantine is closed and its lanes send again.

        Raises:
            NotFoundError: There is no such record or dossier, or the dossier has a live record of this portal (S2).
        """
        shop = self._shop

        def work(tx: Tx) -> None:
            if not tx.dossiers([dossier_id]):
                raise NotFoundError(f"there is no dossier {dossier_id}")
            record = tx.records(portal, [external_id]).get(external_id)
            if record is None:
                raise NotFoundError(f"{portal} has no stored record {external_id}")
            self._only_one(tx, record, dossier_id)
            if record.dossier_id:
                self._take_out(tx, record)
            doubted = {dossier_id, *record.counts.get("doubt", ())}
            record.dossier_id, record.digest, record.list_digest, record.raw_digest = dossier_id, "", "", ""
            for name in ("doubt", "apart"):
                record.counts.pop(name, None)
            tx.put_records([record])
            for one in doubted:
                self._no_doubt(tx, one, record)
            self._act(tx, "link", actor, portal=portal, record=external_id, dossier_id=dossier_id)

        shop.store.write(work)
        self._engine.refresh(portal, external_id)

    def unlink(self, portal: str, external_id: str, actor: str) -> None:
        """A record is not of this dossier: from its next reading it is one of its own (S3)."""
        shop = self._shop

        def work(tx: Tx) -> None:
            record = tx.records(portal, [external_id]).get(external_id)
            doubted = list(record.counts.get("doubt", ())) if record else []
            if record is None or not (record.dossier_id or doubted):
                raise NotFoundError(f"{portal} has no linked or doubted record {external_id}")
            if record.dossier_id:
                self._take_out(tx, record)
            apart = [*([record.dossier_id] if record.dossier_id else []), *doubted]
            record.counts["apart"] = sorted({*record.counts.get("apart", ()), *apart})
            record.counts.pop("doubt", None)
            record.dossier_id, record.digest, record.list_digest, record.raw_digest = "", "", "", ""
            tx.put_records([record])
            for dossier_id in apart:
                self._no_doubt(tx, dossier_id, record)
            self._act(tx, "unlink", actor, portal=portal, record=external_id, dossier_id=apart[0])

        shop.store.write(work)

    def _take_out(self, tx: Tx, record: RecordRow) -> None:
        """Events belong to their record: they leave the dossier with it and come back with it (S3)."""
        for dossier in tx.dossiers([record.dossier_id]).values():
            mine = [e for e in dossier.timeline if e["portal"] == record.portal and e["record"] == record.external_id]
            dossier.timeline = [entry for entry in dossier.timeline if entry not in mine]
            record.counts["entries"] = mine
            tx.put_dossiers([dossier])

    def _only_one(self, tx: Tx, record: RecordRow, dossier_id: str) -> None:
        """At most one live record of a portal in a dossier (S2)."""
        for other in tx.records_of([dossier_id]).get(dossier_id, []):
            if other.portal == record.portal and other.external_id != record.external_id and not other.removed:
                raise NotFoundError(
                    f"dossier {dossier_id} has record {other.external_id} of {record.portal} already: unlink that first"
                )

    def _no_doubt(self, tx: Tx, dossier_id: str, record: RecordRow) -> None:
        lanes = tx.lanes_of([dossier_id]).get(dossier_id, [])
        for held in tx.dossiers([dossier_id]).values():
            held.flags = tuple(flag for flag in held.flags if flag != f"doubt:{record.portal}/{record.external_id}")
            tx.put_dossiers([held])
        tx.mark_due([LaneKey(lane.portal, dossier_id) for lane in lanes], self._shop.now())
        for row in tx.quarantine_of(record.portal, record.external_id):
            if row.cause == "doubt" and row.id is not None:
                tx.close_quarantine(row.id, "replayed")

    # rules
    def apply_rules(self, since_on: str, actor: str) -> Applied:
        """Plan what the rules in force want of dossiers of the day `since_on` (yyyy-mm-dd) or later, and was not done.

        A portal that is to get more than `max_writes_per_sweep` is paused and asks.
        """
        return apply(self._shop, self._engine.rehearse(since_on, None), actor)

    # brakes
    def pause(self, portal: str, actor: str, reason: str) -> None:
        """Send nothing to a portal or by a route, or to none with "*"."""
        self._brake(portal, f"{reason} ({actor}, {self._shop.clock.now():%Y-%m-%d %H:%M} UTC)", actor, "pause")

    def resume(self, portal: str, actor: str) -> None:
        """Send again; after a stop-and-ask this is the answer yes."""
        self._brake(portal, "", actor, "resume")

    def _brake(self, portal: str, reason: str, actor: str, act: str) -> None:
        shop = self._shop
        route = next((found for found in shop.config.routes if found.name == portal), None)
        if portal != "*" and portal not in shop.portals and route is None:
            known = ", ".join(sorted([*shop.portals, *(found.name for found in shop.config.routes)]))
            raise NotFoundError(f"there is no portal or route '{portal}' (there are: {known})")

        def work(tx: Tx) -> None:
            if portal == "*":
                tx.put_setting("paused", reason)
            elif portal not in shop.portals and route is not None:
                self._brake_route(tx, route, reason)
            else:
                row = tx.portal(portal)
                row.paused = reason
                tx.put_portal(row)
            self._act(tx, act, actor, portal=portal, reason=reason)

        shop.store.write(work)
        for name in shop.portals if portal == "*" or route is not None else (portal,):
            shop.wake(name)

    def _brake_route(self, tx: Tx, route: RouteConfig, reason: str) -> None:
        """Hold a route back; when it is let go, everything it may owe is looked at again."""
        held = paused_routes(tx)
        held.pop(route.name, None)
        if reason:
            held[route.name] = reason
        else:
            for lanes in lanes_within(tx):
                tx.mark_due([LaneKey(lane.portal, lane.dossier_id) for lane in lanes], self._shop.now())
        tx.put_setting("paused_routes", orjson.dumps(held).decode())

    def _act(self, tx: Tx, act: str, actor: str, *, portal: str = "", dossier_id: str = "", **fields: str) -> None:
        made = leaf("act", self._shop.now(), portal=portal, dossier_id=dossier_id, act=act, actor=actor, **fields)
        tx.append_leaves([made])
