"""The timeline is a set: for every order and repetition of the same observations all that follows is equal."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Abilities, DeliveryClass, EventIdentity, Operation, ProbeStrength, Repeat
from gateway.config import OwnershipConfig, RouteConfig
from gateway.store.rows import DossierRow, LaneRow
from gateway.sync import timeline
from gateway.sync.decide import Ownership
from gateway.sync.lane import Lane
from gateway.sync.observe import observe
from gateway.sync.plan import Desk, Snapshot, plan
from gateway.sync.reading import Reading, Saying
from gateway.sync.route import DossierView, route
from gateway.sync.timeline import Entry
from schemas.status import DossierStatus

STATUSES = [status.value for status in DossierStatus]
HANDLERS = {"": "province", "justice": "justice"}
ROUTES = (
    RouteConfig(name="national", to="national"),
    RouteConfig.model_validate(
        {
            "name": "justice",
            "to": "justice",
            "kind": "forward",
            "when": {"statuses": ["in_progress"]},
            "results": {"completed": {"act": "completed"}},
        }
    ),
)
OWNERSHIP = OwnershipConfig(handlers=("province",))
OPERATIONS = {
    "insert": Operation(
        "insert", DeliveryClass.SNAPSHOT, "dossier", Repeat.REFUSED_AS_DUPLICATE, ProbeStrength.PRESENCE, creates=True
    ),
    "update": Operation("update", DeliveryClass.SNAPSHOT, "dossier", Repeat.SAFE, ProbeStrength.NONE),
    "progress": Operation("progress", DeliveryClass.APPEND, "progress", Repeat.APPENDS, ProbeStrength.NONE, 10),
    "declare": Operation("declare", DeliveryClass.COMMAND, "push", Repeat.SAFE, ProbeStrength.NONE),
    "act": Operation("act", DeliveryClass.COMMAND, "action", Repeat.UNKNOWN, ProbeStrength.CONTENT),
}
ABLE = Abilities(
    OPERATIONS, create="insert", update="update", append="progress", commands={"declare": "declare", "act": "act"}
)


def said(own_id: int, status: str, at: float) -> Saying:
    """One saying with an id and a time of its own."""
    return Saying(str(own_id), status, status, "", at, {})


def readings(acts: list[tuple[str, int]], justice: list[tuple[str, int]]) -> list[Reading]:
    """What sweeps may see: after each act its detail with the log so far; the ministry's states with their times."""
    made, log, at = [], [], 1000.0
    for number, (status, pause) in enumerate(acts, 1):
        at += pause
        log.append(said(500 + number, status, at))
        made.append(_reading("province", number, said(number, status, at), tuple(log)))
    for number, (status, pause) in enumerate(justice, 1):
        at += pause
        made.append(_reading("justice", 100 + number, said(0, status, at), ()))
    return made


def _reading(portal: str, number: int, state: Saying, log: tuple[Saying, ...]) -> Reading:
    return Reading(
        portal=portal,
        external_id="r",
        read_at=5000.0 + number,
        facts={},
        state=state,
        log=log,
        digest=str(number),
        list_digest="",
        national_code="",
        dossier_code="",
        reference="",
        procedure_code="",
        agency_code="",
        applicant="",
        unknown=(),
        removed=False,
        allowed=None,
    )


def entries_of(reading: Reading) -> list[Entry]:
    """The entries a reading names when nothing of its record was held before."""
    identity = EventIdentity.ACT if reading.portal == "province" else EventIdentity.TIME
    stage = "" if reading.portal == "province" else "justice"
    return list(observe(reading, None, identity, stage, ours=True).entries)


def all_that_follows(heard: list[Reading]) -> object:
    """Timeline, status per stage, and what is planned for every portal."""
    held: list[Entry] = []
    for reading in heard:
        held, _, _ = timeline.merge(held, entries_of(reading))
    row = DossierRow("d1", dossier_code="H99-261102-00001", handler="province")
    view = DossierView(row, {}, tuple(held), Ownership(HANDLERS, {}))
    desk = Desk(ABLE, line=0.0, now=9000.0, drift_tries=3, adopt="unique")
    plans = {
        target.portal: plan(view, Lane(LaneRow(target.portal, "d1")), target, desk, lambda: Snapshot({"a": "b"}))
        for target in route(view, ROUTES, OWNERSHIP)
    }
    return (
        held,
        [view.events(stage) for stage in HANDLERS],
        [view.current(stage) for stage in HANDLERS],
        {portal: [(s.do, s.klass, s.operation, s.cause, s.members) for s in p.steps] for portal, p in plans.items()},
    )


def sayings() -> st.SearchStrategy[list[tuple[str, int]]]:
    """Statuses with the seconds between them: more than an act's own second."""
    return st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(3, 90_000)), max_size=7)


@given(acts=sayings(), justice=sayings(), seed=st.integers(0, 2**32))
def test_every_order_and_repetition_of_the_same_readings_comes_out_equal(
    acts: list[tuple[str, int]], justice: list[tuple[str, int]], seed: int
) -> None:
    heard = readings(acts, justice)
    chance = random.Random(seed)
    again = [*heard, *chance.choices(heard, k=len(heard))] if heard else []
    chance.shuffle(again)
    assert all_that_follows(again) == all_that_follows(heard)


@given(
    versions=st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(1, 50)), min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
)
def test_corrections_of_one_act_come_out_equal_in_every_order(versions: list[tuple[str, int]], seed: int) -> None:
    by_time = {heard: status for status, heard in versions}
    made = [entries_of(_reading("province", heard, said(1, status, 100.0), ()))[0] for heard, status in by_time.items()]
    chance = random.Random(seed)
    shuffled = [*made, *chance.choices(made, k=3)]
    chance.shuffle(shuffled)
    held: list[Entry] = []
    for entry in shuffled:
        held, _, _ = timeline.merge(held, [entry])
    (only,) = held
    assert only["status"] == by_time[max(by_time)]
    assert {only["status"], *only.get("was", ())} == set(by_time.values())
