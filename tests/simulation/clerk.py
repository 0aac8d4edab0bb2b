"""The person of the simulation: looks at the portals' own books, and settles what the gateway cannot know."""

from __future__ import annotations

from collections.abc import Callable

from gateway.store.rows import DeliveryRow
from gateway.sync.dossiers import Held, view_of
from gateway.sync.operate import Operator
from tests.simulation.checks import moments
from tests.simulation.world import SlowWorld, cause_of


def settle(world: SlowWorld, say: Callable[..., None]) -> int:
    """Settle all that waits, once it cannot be on its way any more; gives how much it was."""
    if world.late:
        return 0
    operator = Operator(world.engine)
    waiting = world.deliveries("unproven", "parked")
    for row in waiting:
        assert row.id is not None
        if row.state == "parked" and not row.attempts:
            operator.retry(row.id, actor="an officer")
            continue
        arrived = stands(world, row)
        say("clerk", row.portal, row.klass, row.key, "arrived" if arrived else "not arrived")
        operator.confirm(row.id, arrived=arrived, actor="an officer")
    return len(waiting)


def stands(world: SlowWorld, row: DeliveryRow) -> bool:
    """Whether a portal's own book shows what a delivery was to do."""
    if row.klass == "append":
        return _rows_stand(world, row)
    if row.operation == "declare":
        return row.external_id in world.justice.states
    if row.klass == "command":
        return any((effect.portal, effect.cause) == (row.portal, cause_of(row.key)) for effect in world.book)
    return False


def _rows_stand(world: SlowWorld, row: DeliveryRow) -> bool:
    held = world.store.read(lambda tx: tx.dossiers([row.dossier_id]))[row.dossier_id]
    events = view_of(held, Held.open(held, world.vault), world.config).owned()
    told = {(event.status, event.at) for event in events if event.ids & set(row.members)}
    shown = {pair for effect in world.book for pair in moments(effect.rows)}
    there = {any(abs(at - when) < 1 and status == word for word, when in shown) for status, at in told}
    assert len(there) == 1, f"a person cannot answer: of one delivery some rows are there, some not: {told}"
    return there.pop()
