"""The four facts of a hand-over, as tables: what an event makes known, what is missing, and when it is late."""

from __future__ import annotations

import pytest

from gateway.store.rows import StageRow
from gateway.sync.stages import HOUR_S, Fact, Timer, at_of, due_at, establish, hear, late, missing
from gateway.sync.timeline import Event

ACCEPTED_BY = ("in_progress", "wire-3")
TIMERS = {fact: Timer(hours, "") for hours, fact in enumerate(Fact, start=1)}


def event(status: str, at: float, wire: str = "") -> Event:
    return Event(f"e{at}", frozenset((f"e{at}",)), "justice", "r", "justice", status, wire, "", at, False, "", False)


def facts(row: StageRow) -> dict[str, float]:
    return {fact.value: at for fact in Fact if (at := at_of(row, fact)) is not None}


HEARD = {
    "an acknowledging status is no acceptance": ([event("accepted", 1)], {"received": 1}),
    "a status that accepts": ([event("accepted", 1), event("in_progress", 2)], {"received": 1, "accepted": 2}),
    "a wire word that accepts": ([event("accepted", 2, "wire-3")], {"received": 2, "accepted": 2}),
    "the first acceptance counts": ([event("in_progress", 2), event("in_progress", 5)], {"received": 2, "accepted": 2}),
    "a result was accepted before": ([event("completed", 3)], {"received": 3, "accepted": 3, "completed": 3}),
    "a refusal is an end without acceptance": ([event("not_accepted", 3)], {"received": 3, "completed": 3}),
    "papers are asked for": ([event("supplement_requested", 3)], {"received": 3}),
    "taken up again": ([event("completed", 3), event("in_progress", 4)], {"received": 3, "accepted": 3}),
    "ended twice": (
        [event("halted", 3), event("in_progress", 4), event("completed", 5)],
        {"received": 3, "accepted": 4, "completed": 5},
    ),
    "nothing": ([], {}),
}


@pytest.mark.parametrize(("events", "known"), HEARD.values(), ids=HEARD)
def test_what_a_ministry_says_makes_facts_known(events: list[Event], known: dict[str, float]) -> None:
    row = StageRow("d", "justice", "births")
    hear(row, events, ACCEPTED_BY)
    assert facts(row) == known
    assert row.status == (events[-1].status if events else "")


def test_hearing_the_same_again_makes_nothing_known_anew() -> None:
    row, events = StageRow("d", "justice", "births"), [event("in_progress", 2), event("completed", 3)]
    assert [fact for fact, _ in hear(row, events, ACCEPTED_BY)] == [Fact.RECEIVED, Fact.ACCEPTED, Fact.COMPLETED]
    before = facts(row), row.doc
    assert hear(row, events, ACCEPTED_BY) == []
    assert (facts(row), row.doc) == before


def test_an_event_implies_received_until_the_answer_itself_is_known() -> None:
    row = StageRow("d", "justice", "births")
    hear(row, [event("in_progress", 7)], ACCEPTED_BY)
    assert row.doc["proof"]["received"]["by"] == "event"
    assert establish(row, Fact.RECEIVED, 5.0, {"by": "answer", "of": "key"})
    assert (row.received_at, row.doc["proof"]["received"]["by"]) == (5.0, "answer")
    assert not establish(row, Fact.RECEIVED, 9.0, {"by": "answer", "of": "another"}), "the first proof stays"
    hear(row, [event("in_progress", 7), event("completed", 8)], ACCEPTED_BY)
    assert row.received_at == 5.0


MISSING = {
    "nothing yet": ({}, Fact.SENT, 100 + HOUR_S),
    "sent": ({"sent_at": 200.0}, Fact.RECEIVED, 200 + 2 * HOUR_S),
    "received": ({"sent_at": 200.0, "received_at": 300.0}, Fact.ACCEPTED, 300 + 3 * HOUR_S),
    "spoken of before our own answer": ({"received_at": 300.0}, Fact.ACCEPTED, 300 + 3 * HOUR_S),
    "accepted": ({"received_at": 300.0, "accepted_at": 400.0}, Fact.COMPLETED, 400 + 4 * HOUR_S),
    "ended": ({"received_at": 300.0, "completed_at": 500.0}, None, None),
}


@pytest.mark.parametrize(("known", "fact", "at"), MISSING.values(), ids=MISSING)
def test_a_timer_runs_on_the_fact_that_is_missing(known: dict[str, float], fact: Fact | None, at: float | None) -> None:
    row = StageRow("d", "justice", "births", owed_at=100.0, **known)
    assert missing(row) == fact
    due = due_at(row, TIMERS)
    assert (due.fact if due else None, due.due_at if due else None) == (fact, at)
    if at is not None:
        assert late(row, TIMERS, at - 0.001) is None
        assert late(row, TIMERS, at) == due
    assert late(row, {}, 1e12) is None
