"""Lanes: due, claimed, leased, listed."""

import random
from dataclasses import replace

import pytest

from gateway.store.rows import LaneKey, LaneRow
from gateway.store.sqlite import SqliteStore

KEY = LaneKey("npsp", "d1")


def lane(store: SqliteStore, key: LaneKey = KEY) -> LaneRow:
    return store.read(lambda tx: tx.lanes([key]))[key]


def claim(store: SqliteStore, now: float, *, limit: int = 10, by: str = "me", portal: str = "npsp") -> list[str]:
    rows = store.write(lambda tx: tx.claim(portal, now, limit=limit, lease_until=now + 60, token=by))
    return [row.dossier_id for row in rows]


def test_a_lane_comes_back_as_it_was_put(store: SqliteStore) -> None:
    row = LaneRow("npsp", "d1", 5.5, 3, 9.0, "t", "waiting", "no number yet", 4.0, {"shadow": {"a": None}})
    store.write(lambda tx: tx.put_lanes([row]))
    assert lane(store) == row
    assert store.read(lambda tx: tx.lanes_of(["d1"])) == {"d1": [row]}


@pytest.mark.parametrize(("before", "marked_at", "after"), [(None, 7.0, 7.0), (5.0, 7.0, 5.0), (9.0, 7.0, 7.0)])
def test_marking_due_never_makes_a_lane_later(
    store: SqliteStore, before: float | None, marked_at: float, after: float
) -> None:
    row = LaneRow("npsp", "d1", before, 3, 2.0, "t", "waiting", "why", 4.0, {"kept": 1})
    store.write(lambda tx: tx.put_lanes([row]))
    store.write(lambda tx: tx.mark_due([KEY], marked_at))
    assert lane(store) == replace(row, due_at=after, mark=4)


def test_marking_an_unknown_lane_due_makes_it(store: SqliteStore) -> None:
    store.write(lambda tx: tx.mark_due([KEY, LaneKey("moc", "d1")], 7.0))
    assert lane(store) == LaneRow("npsp", "d1", 7.0, 1, since=7.0)
    assert store.read(lambda tx: tx.due_lanes("moc")) == 1


def test_a_claim_takes_the_longest_due_first_and_no_more_than_asked(store: SqliteStore) -> None:
    for dossier, at in (("a", 3.0), ("b", 1.0), ("c", 2.0), ("later", 99.0)):
        store.write(lambda tx, d=dossier, at=at: tx.mark_due([LaneKey("npsp", d)], at))
    assert claim(store, 10.0, limit=2) == ["b", "c"]
    assert claim(store, 10.0) == ["a"]
    assert claim(store, 10.0) == []
    held = lane(store, LaneKey("npsp", "a"))
    assert (held.lease_until, held.lease_token) == (70.0, "me")
    assert store.read(lambda tx: (tx.due_lanes("npsp", 10.0), tx.due_lanes("npsp"))) == (3, 4)


def test_a_lease_that_ran_out_can_be_taken_over(store: SqliteStore) -> None:
    store.write(lambda tx: tx.mark_due([KEY], 1.0))
    assert claim(store, 10.0) == ["d1"]
    assert claim(store, 69.9, by="other") == []
    assert claim(store, 70.0, by="other") == ["d1"]
    assert lane(store).lease_token == "other"


def test_a_claim_never_takes_another_portals_lanes(store: SqliteStore) -> None:
    store.write(lambda tx: tx.mark_due([LaneKey("moc", "d1")], 1.0))
    assert claim(store, 10.0) == []


def test_lanes_are_listed_longest_waiting_first_and_calm_ones_last(store: SqliteStore) -> None:
    rows = [
        LaneRow("npsp", "d1", state="calm"),
        LaneRow("npsp", "d2", state="parked", since=5.0),
        LaneRow("moc", "d3", state="waiting", since=1.0),
        LaneRow("npsp", "d4", state="waiting", since=3.0),
    ]
    store.write(lambda tx: tx.put_lanes(rows))

    def ids(portal: str = "", state: str = "", limit: int = 9) -> list[str]:
        found = store.read(lambda tx: tx.iter_lanes(portal=portal, state=state, limit=limit))
        return [row.dossier_id for row in found]

    assert ids() == ["d3", "d4", "d2", "d1"]
    assert ids(limit=2) == ["d3", "d4"]
    assert ids("npsp") == ["d4", "d2", "d1"]
    assert ids(state="waiting") == ["d3", "d4"]
    assert ids("npsp", "waiting") == ["d4"]
    assert ids(state="calm") == ["d1"]


@pytest.mark.parametrize("seed", range(5))
def test_claims_agree_with_a_plain_model(store: SqliteStore, seed: int) -> None:
    chance, model = random.Random(seed), {}
    now = 0.0
    for _ in range(60):
        now += chance.random() * 5
        key = LaneKey("npsp", f"d{chance.randrange(6)}")
        if chance.random() < 0.6:
            at = now + chance.uniform(-5, 5)
            store.write(lambda tx, k=key, at=at: tx.mark_due([k], at))
            due, lease = model.get(key.dossier_id, (at, 0.0))
            model[key.dossier_id] = (min(due, at), lease)
        else:
            free = sorted((due, d) for d, (due, lease) in model.items() if due <= now and lease <= now)[:2]
            rows = store.write(lambda tx, n=now: tx.claim("npsp", n, limit=2, lease_until=n + 8, token="t"))
            assert [row.dossier_id for row in rows] == [d for _, d in free]
            model |= {d: (due, now + 8) for due, d in free}


@pytest.mark.parametrize(
    ("index", "question"),
    [
        ("ix_lane_due", "lane WHERE portal = 'a' AND due_at <= 1 AND lease_until <= 1 ORDER BY due_at, dossier_id"),
        ("ix_lane_due", "lane WHERE portal = 'a' AND due_at IS NOT NULL"),
        ("ix_lane_waiting", "lane WHERE state <> 'calm' AND state = 'parked' ORDER BY since"),
        ("ix_delivery_open", "delivery WHERE open AND portal = 'a' AND dossier_id IN ('d') ORDER BY id"),
        ("ix_delivery_state", "delivery WHERE state = 's' AND portal = 'p' ORDER BY id LIMIT 1"),
        ("ix_dossier_national_code", "dossier WHERE national_code <> '' AND national_code IN ('x')"),
        ("ix_dossier_dossier_code", "dossier WHERE dossier_code <> '' AND dossier_code IN ('x')"),
        ("ix_portal_record_reference", "portal_record WHERE reference <> '' AND reference IN ('x')"),
        ("ix_portal_record_open", "portal_record WHERE portal = 'p' AND open ORDER BY read_at, external_id"),
        ("ix_quarantine_raw_id", "quarantine WHERE state = 'open' AND raw_id = 1"),
        ("ix_raw_expires_at", "raw WHERE expires_at <= 1 ORDER BY expires_at"),
    ],
)
def test_questions_on_the_hot_path_use_an_index(store: SqliteStore, index: str, question: str) -> None:
    plan = store.read(lambda tx: tx._sql.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {question}").fetchall())  # noqa: S608 - questions of this test
    told = " | ".join(row[3] for row in plan)
    assert index in told
    assert "TEMP B-TREE" not in told or "IN (" in question
