"""The current status is the last of all events, though it is sought among the last entries only."""

from __future__ import annotations

import random

import pytest

from gateway.sync import timeline
from gateway.sync.timeline import Entry

HANDLERS = {"": "province"}


def crowd(dice: random.Random) -> list[Entry]:
    """Acts and log rows that stand close to one another or far apart, some acts become current again."""
    entries: dict[str, Entry] = {}
    for number in range(dice.randrange(1, 12)):
        kind, nth = dice.choice(["act", "log", "log", "own"]), 1 if dice.random() < 0.9 else 2
        at = float(dice.choice([dice.randrange(12), dice.randrange(4000)])) + (0.0 if kind == "act" else dice.random())
        portal = dice.choice(["province", "province", "national"])
        status = dice.choice(["accepted", "in_progress", "completed"])
        entry: Entry = {
            "id": f"{portal}|r1|{kind}:{number}",
            "portal": portal,
            "record": "r1",
            "stage": "",
            "kind": kind,
            "status": status,
            "wire": status,
            "at": at,
            "pos": dice.randrange(20),
            "heard": 5000.0 + dice.random(),
        }
        if kind == "act":
            entry["nth"] = nth
        entries[entry["id"]] = entry
    return list(entries.values())


@pytest.mark.parametrize("seed", range(5))
def test_the_current_status_is_the_last_event_of_the_handler(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(400):
        entries = crowd(dice)
        handler = timeline.handler_of(entries, HANDLERS)
        owned = [event for event in timeline.events(entries) if event.portal == handler]
        now = timeline.current(entries, HANDLERS)
        assert (now and now.id) == (owned[-1].id if owned else None), entries
