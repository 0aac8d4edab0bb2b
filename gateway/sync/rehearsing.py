"""What other rules would do: which portals gain and lose a dossier, what would be handed over. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateway.config import Config
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import DossierRow, LaneRow
from gateway.sync.conditions import day_of
from gateway.sync.dossiers import Held, view_of
from gateway.sync.forwarding import left_behind
from gateway.sync.lane import Lane
from gateway.sync.route import DossierView, Target, route
from gateway.sync.superseding import given_away, not_wanted
from schemas.clock import VIETNAM

SLICE = 500
"""Dossiers read at once."""


@dataclass(frozen=True, slots=True)
class Rerouted:
    """A dossier that would go elsewhere. `sends` names what would be handed over or called off: portal and verb."""

    dossier_id: str
    dossier_code: str
    day: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]
    sends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How many dossiers were judged, those that would go elsewhere, and counts per portal."""

    since_on: str
    looked_at: int
    dossiers: tuple[Rerouted, ...]
    gains: dict[str, int]
    loses: dict[str, int]
    sends: dict[str, int]


class _Goes(NamedTuple):
    """Where a dossier goes under some rules, and what they would have sent."""

    portals: frozenset[str]
    sends: frozenset[str]


class _Bench(NamedTuple):
    """What all dossiers are judged with; `lines` are the portals' adopt lines."""

    vault: Vault
    config: Config
    other: Config | None
    lines: Mapping[str, float]
    since_on: str


def rehearse(store: Store, vault: Vault, config: Config, since_on: str, other: Config | None = None) -> Rehearsal:
    """Judge every dossier of the day `since_on` (yyyy-mm-dd) or later anew.

    With `other`, its rules are compared with those of `config`; without, those of `config` with what was done so far.
    A portal that is not live yet is judged as if its adopt line were drawn at the beginning of `since_on`.
    """
    names = {*config.portals, *(other.portals if other else ())}
    lines = store.read(lambda tx: _lines(tx, names, since_on))
    bench = _Bench(vault, config, other, lines, since_on)
    found: list[Rerouted] = []
    looked_at, after = 0, ""
    while True:
        last, judged, changed = _slice(store, after, bench)
        looked_at += judged
        found += changed
        if not last:
            break
        after = last
    return Rehearsal(
        since_on,
        looked_at,
        tuple(found),
        _counted(one.gains for one in found),
        _counted(one.loses for one in found),
        _counted(one.sends for one in found),
    )


def _counted(names: Iterable[Sequence[str]]) -> dict[str, int]:
    return dict(sorted(Counter(name for many in names for name in many).items()))


def _lines(tx: Tx, portals: Iterable[str], since_on: str) -> dict[str, float]:
    instead = datetime.fromisoformat(since_on).replace(tzinfo=VIETNAM).timestamp()
    drawn = {name: tx.portal(name).adopt_from for name in portals}
    return {name: instead if line is None else line for name, line in drawn.items()}


def _slice(store: Store, after: str, bench: _Bench) -> tuple[str, int, list[Rerouted]]:
    """The last id of the next slice ("" at the end), how many were judged, and those that would go elsewhere."""

    def read(tx: Tx) -> tuple[list[DossierRow], dict[str, list[LaneRow]]]:
        rows = list(tx.iter_dossiers(limit=SLICE, after=after))
        return rows, tx.lanes_of([row.id for row in rows])

    rows, lanes = store.read(read)
    judged = [_judged(row, lanes.get(row.id, []), bench) for row in rows]
    return (
        rows[-1].id if rows else "",
        sum(one is not None for one in judged),
        [one for one in judged if one is not None and (one.gains or one.loses or one.sends)],
    )


def _judged(row: DossierRow, lanes: Sequence[LaneRow], bench: _Bench) -> Rerouted | None:
    """One dossier under both rules; None when it is of an earlier day."""
    held = Held.open(row, bench.vault)
    now = view_of(row, held, bench.config)
    day = day_of(now)
    if day < bench.since_on:
        return None
    if bench.other is None:
        was, will = _done(lanes), _goes(now, bench.config, lanes, bench.lines)
    else:
        was = _goes(now, bench.config, lanes, bench.lines)
        will = _goes(view_of(row, held, bench.other), bench.other, lanes, bench.lines)
    gains, loses = will.portals - was.portals, was.portals - will.portals
    sends = will.sends - was.sends
    return Rerouted(row.id, now.number or row.id, day, *(tuple(sorted(names)) for names in (gains, loses, sends)))


def _done(lanes: Iterable[LaneRow]) -> _Goes:
    """Where it went: portals that show it or got something."""
    handed = (lane for lane in map(Lane, lanes) if lane.shadow_state not in ("none", "absent") or lane.commands())
    return _Goes(frozenset(lane.row.portal for lane in handed), frozenset())


def _goes(view: DossierView, config: Config, lanes: Sequence[LaneRow], lines: Mapping[str, float]) -> _Goes:
    targets = route(view, config.routes, config.ownership, config.groups)
    portals = (target.portal for target in targets if _hears(view, target, lines[target.portal]))
    left = left_behind(view, config.routes)
    sends: set[str] = set()
    for target in targets:
        lane = next((Lane(row) for row in lanes if row.portal == target.portal), Lane(LaneRow(target.portal, "")))
        elsewhere = given_away(row for row in lanes if row.portal in left and row.portal != target.portal)
        sends |= {
            f"{target.portal} {wanted.verb}"
            for wanted in target.commands
            if wanted.verb in ("declare", "cancel") and wanted.cause.news_at > lines[target.portal]
            if lane.command_for(wanted.cause) is None
            if not not_wanted(view, lane, target.portal, wanted, elsewhere)
        }
    return _Goes(frozenset(portals), frozenset(sends))


def _hears(view: DossierView, target: Target, line: float) -> bool:
    """Whether anything after its line concerns the portal; its own dossiers need no telling."""
    mirrored = target.mirror is not None and target.portal != view.row.handler
    told = mirrored and any(event.news_at > line for event in view.owned())
    return told or any(wanted.cause.news_at > line for wanted in target.commands)
