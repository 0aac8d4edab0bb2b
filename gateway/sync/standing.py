"""How the whole stands: what is owed, waits and was last heard, who is at risk, and whether a person is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from gateway.config import Config, PortalConfig
from gateway.store.base import Store, Tx
from gateway.store.rows import LaneRow, PortalRow
from gateway.sync.case import paused_routes
from gateway.sync.standing_requests import UNHEARD, UnheardRequest, unheard_requests
from gateway.sync.standing_stages import LateStage, late_stages
from schemas.status import DossierStatus

MANY = 10_000_000
DAY_S = 86_400.0
_TROUBLED = ("owed", "waiting", "parked", "drift_given_up")


class Urgency(IntEnum):
    """Whether a person is needed."""

    CALM = 0
    SOON = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a person is needed."""

    urgency: Urgency
    portal: str
    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A dossier whose due date is near or past, and a portal that has not heard all of it."""

    dossier_id: str
    dossier_code: str
    portal: str
    due_at: float
    reason: str


@dataclass(frozen=True, slots=True)
class PortalStatus:
    """How one portal stands. Instants are seconds since 1970; `waiting` maps a reason to a number of lanes."""

    portal: str
    kind: str
    mode: str
    paused: str
    heard_at: float | None
    silent: bool
    owed: int
    waiting: dict[str, int]
    parked: int
    unproven: int
    unknown: int
    quarantined: int
    drift_given_up: int
    breaker_open_until: float
    breaker_reason: str
    login_refused_since: float | None
    offered: int = 0
    """Items that wait in its inbox."""
    unheard: int = 0
    """Citizens' requests that ended without it knowing of them."""
    files_wanted: int = 0
    """Files it holds that deliveries wait for."""
    files_given_up: int = 0
    """Files it holds that did not come."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """How everything stands, as of `at`."""

    at: float
    epoch: str
    paused: str
    portals: tuple[PortalStatus, ...]
    at_risk: tuple[AtRisk, ...]
    late: tuple[LateStage, ...]
    unheard: tuple[UnheardRequest, ...]
    findings: tuple[Finding, ...]
    counts: dict[str, int]

    @property
    def urgency(self) -> Urgency:
        """The most urgent of all findings."""
        return max((finding.urgency for finding in self.findings), default=Urgency.CALM)


def status(store: Store, config: Config, now: float) -> StatusReport:
    """Read everything in one snapshot."""
    return store.read(lambda tx: _status(tx, config, now))


def _status(tx: Tx, config: Config, now: float) -> StatusReport:
    counted = tx.count_deliveries()
    counted |= {(portal, f"file:{state}"): count for (portal, state), count in tx.count_wanted().items()}
    quarantined = Counter(row.portal for row in tx.list_quarantine(limit=MANY))
    portals, risky = [], []
    for name, entry in config.portals.items():
        lanes = _troubled(tx, name)
        portals.append(_portal(tx, name, entry, lanes, counted, quarantined[name], now))
        if portals[-1].mode == "live":
            risky += _at_risk(tx, name, lanes, now + config.notify.due_within_days * DAY_S)
    paused = tx.setting("paused") or ""
    report = tuple(portals)
    held_back = [f"{name}: {why}" for name, why in paused_routes(tx).items()]
    overdue = tuple(late_stages(tx, config, now))
    findings = (
        *_of_everything(paused),
        *_of_routes(held_back),
        *(found for one in report for found in _of_portal(one)),
        *_of_risk(risky, now),
        *_of_stages(overdue),
    )
    unheard = tuple(unheard_requests(tx))
    return StatusReport(
        now, tx.setting("epoch") or "1", paused, report, tuple(risky), overdue, unheard, findings, tx.counts()
    )


def _troubled(tx: Tx, portal: str) -> list[LaneRow]:
    """Lanes that wait or are due; calm ones are looked through only when some are due."""
    found = [lane for state in _TROUBLED for lane in tx.iter_lanes(portal=portal, state=state, limit=MANY)]
    if tx.due_lanes(portal) > sum(lane.due_at is not None for lane in found):
        found += [lane for lane in tx.iter_lanes(portal=portal, state="calm", limit=MANY) if lane.due_at is not None]
    return found


def _portal(
    tx: Tx,
    name: str,
    entry: PortalConfig,
    lanes: list[LaneRow],
    counted: dict[tuple[str, str], int],
    quarantined: int,
    now: float,
) -> PortalStatus:
    row: PortalRow = tx.portal(name)
    waiting = Counter(lane.reason for lane in lanes if lane.state in ("owed", "waiting") and lane.reason)
    refused = row.doc.get("login") or {}
    return PortalStatus(
        portal=name,
        kind=entry.kind,
        mode=row.mode,
        paused=row.paused,
        heard_at=row.heard_at,
        silent=row.heard_at is not None and now - row.heard_at > entry.silent_after_s,
        owed=sum(lane.due_at is not None for lane in lanes),
        waiting=dict(waiting.most_common()),
        parked=max(counted.get((name, "parked"), 0), sum(lane.state == "parked" for lane in lanes)),
        unproven=counted.get((name, "unproven"), 0),
        unknown=counted.get((name, "unknown"), 0),
        quarantined=quarantined,
        drift_given_up=sum(lane.state == "drift_given_up" for lane in lanes),
        breaker_open_until=float(row.breaker.get("until", 0.0)),
        breaker_reason=str(row.breaker.get("reason", "")),
        login_refused_since=refused.get("since"),
        offered=counted.get((name, "offered"), 0),
        unheard=counted.get((name, UNHEARD), 0),
        files_wanted=counted.get((name, "file:wanted"), 0),
        files_given_up=counted.get((name, "file:given_up"), 0),
    )


def _at_risk(tx: Tx, portal: str, lanes: list[LaneRow], until: float) -> list[AtRisk]:
    rows = tx.dossiers(lane.dossier_id for lane in lanes)
    return [
        AtRisk(row.id, row.national_code or row.dossier_code, portal, row.due_at, lane.reason or lane.state)
        for lane in lanes
        if (row := rows.get(lane.dossier_id)) is not None and row.due_at is not None and row.due_at <= until
        if not (row.status and DossierStatus(row.status).is_terminal)
    ]


def _of_routes(held_back: list[str]) -> list[Finding]:
    return [Finding(Urgency.SOON, "", "route_paused", text) for text in held_back]


def _of_everything(paused: str) -> list[Finding]:
    return [Finding(Urgency.SOON, "", "everything_paused", paused)] if paused else []


def _of_portal(one: PortalStatus) -> list[Finding]:
    checks = (
        (Urgency.NOW, one.login_refused_since is not None, "login_refused", ""),
        (Urgency.NOW, one.silent, "silent", ""),
        (Urgency.SOON, bool(one.breaker_open_until), "breaker_open", one.breaker_reason),
        (Urgency.SOON, bool(one.paused), "paused", one.paused),
        (Urgency.SOON, one.parked > 0, "parked", str(one.parked)),
        (Urgency.SOON, one.unproven > 0, "unproven", str(one.unproven)),
        (Urgency.SOON, one.unheard > 0, UNHEARD, str(one.unheard)),
        (Urgency.SOON, one.quarantined > 0, "quarantined", str(one.quarantined)),
        (Urgency.SOON, one.files_given_up > 0, "files_given_up", str(one.files_given_up)),
        (Urgency.SOON, one.drift_given_up > 0, "drift_given_up", str(one.drift_given_up)),
    )
    return [Finding(urgency, one.portal, what, value) for urgency, holds, what, value in checks if holds]


def _of_stages(overdue: tuple[LateStage, ...]) -> list[Finding]:
    counted = Counter((one.stage.portal, one.reason) for one in overdue)
    return [
        Finding(Urgency.SOON, portal, "stage_without_route" if reason == "no_route" else f"late_{reason}", str(number))
        for (portal, reason), number in sorted(counted.items())
    ]


def _of_risk(risky: list[AtRisk], now: float) -> list[Finding]:
    soon = Counter(risk.portal for risk in risky if risk.due_at > now)
    late = Counter(risk.portal for risk in risky if risk.due_at <= now)
    return [Finding(Urgency.NOW, portal, "overdue_and_owed", str(n)) for portal, n in late.items()] + [
        Finding(Urgency.SOON, portal, "due_soon_and_owed", str(n)) for portal, n in soon.items()
    ]
