"""Is a portal's own request still to be decided? Until then no snapshot overwrites what it shows (sync.md S10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

from gateway.store.base import Tx
from gateway.store.rows import Json, LaneKey
from gateway.sync.lane import Lane
from gateway.sync.portal import Portal
from gateway.sync.superseding import moved_on
from gateway.sync.wanted import DossierView, Target, Wanted


def undecided_until(
    tx: Tx,
    portals: Mapping[str, Portal],
    portal: str,
    view: DossierView,
    targets: Iterable[Target],
    own_line: float,
    now: float,
) -> float:
    """Until when a snapshot waits for the answer to a request of this portal.

    0.0: it need not. Infinity: until the command is accepted, superseded or refused. An instant: it was accepted, and
    the handler, who shows something else since, has not been heard again; that is waited for `settle_s` and no longer.
    """
    handler = view.row.handler
    line = tx.portal(handler).adopt_from if handler else None
    asked = [
        wanted
        for target in targets
        if target.portal == handler
        for wanted in target.commands
        if wanted.cause.portal == portal and not wanted.cause.stage and wanted.cause.at > (line or own_line)
    ]
    if not asked:
        return 0.0
    key = LaneKey(handler, view.row.id)
    row = tx.lanes([key]).get(key)
    if row is None:
        return inf
    commands = [Lane(row).command_for(wanted.cause) for wanted in asked]
    if any(_is_open(view, wanted, command) for wanted, command in zip(asked, commands, strict=True)):
        return inf
    done_at = _done_at(tx, commands)
    if not done_at or handler not in portals or done_at < _heard_at(tx, view):
        return 0.0
    until = done_at + portals[handler].config.settle_s
    return until if until > now else 0.0


def _is_open(view: DossierView, wanted: Wanted, command: Json | None) -> bool:
    """Whether a request still waits for its answer; an unproven command does until a person or the owner moves on."""
    state = command.get("state") if command else "wanted"
    return state in ("wanted", "begun", "unknown") or (state == "unproven" and not moved_on(view, wanted))


def _done_at(tx: Tx, commands: Iterable[Json | None]) -> float:
    """When the last of these commands was known to have worked; 0.0 when none has."""
    keys = [str(command["key"]) for command in commands if command and command.get("state") == "delivered"]
    found = [tx.delivery(key) for key in keys]
    return max([row.settled_at or 0.0 for row in found if row is not None], default=0.0)


def _heard_at(tx: Tx, view: DossierView) -> float:
    """When the last stored reading of the handler's record began (S8)."""
    records = tx.records_of([view.row.id]).get(view.row.id, [])
    return max([row.read_at for row in records if row.portal == view.row.handler and not row.removed], default=0.0)
