"""What is put into the store comes out as it was, and questions find what they ask for."""

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.store.rows import (
    DeliveryRow,
    DossierRow,
    LaneKey,
    LeafRow,
    PortalRow,
    QuarantineRow,
    RawRow,
    RecordRow,
    RunRow,
)
from gateway.store.sqlite import SqliteStore

DOSSIER = DossierRow(
    id="d1",
    version=3,
    national_code="000.00.00.H12-261123-0001",
    dossier_code="H12.1",
    procedure_code="1.000001",
    status="in_progress",
    wire="đang xử lý",
    handler="ca_mau",
    submitted_at=1.25,
    due_at=None,
    changed_at=9.5,
    flags=("reopened",),
    timeline=[{"id": "e1", "at": 1.5, "wire": "Đang xử lý"}],
    sealed=b"\x00\xff",
)
RECORD = RecordRow("ca_mau", "x1", "d1", read_at=5.0, counts={"acts": {"7": 2}}, reference="ref-1", digest="aa")
DELIVERY = DeliveryRow(
    key="npsp/d1/append/e1@1",
    key_uuid="u1",
    portal="npsp",
    dossier_id="d1",
    klass="append",
    operation="progress",
    members=("e1", "e2"),
    sealed_body=b"body",
    guard={"at": 1.0},
    attempts=[{"n": 1, "begun_at": 2.0}],
    doc={"seen": True},
)


def test_a_dossier_comes_back_as_it_was_put(store: SqliteStore) -> None:
    store.write(lambda tx: tx.put_dossiers([DOSSIER]))
    assert store.read(lambda tx: tx.dossiers(["d1", "unknown"])) == {"d1": DOSSIER}


def test_putting_a_dossier_again_replaces_it(store: SqliteStore) -> None:
    newer = replace(DOSSIER, version=4, timeline=[], national_code="")
    store.write(lambda tx: tx.put_dossiers([DOSSIER]))
    store.write(lambda tx: tx.put_dossiers([newer]))
    assert store.read(lambda tx: list(tx.iter_dossiers())) == [newer]
    assert store.read(lambda tx: tx.dossiers_by_national_code([DOSSIER.national_code])) == {}


def test_dossiers_are_found_by_their_numbers_but_never_by_none(store: SqliteStore) -> None:
    rival, bare = replace(DOSSIER, id="d2"), replace(DOSSIER, id="d3", national_code="", dossier_code="")
    store.write(lambda tx: tx.put_dossiers([rival, DOSSIER, bare]))
    by_number = store.read(lambda tx: tx.dossiers_by_national_code([DOSSIER.national_code, ""]))
    by_code = store.read(lambda tx: tx.dossiers_by_code(["H12.1", ""]))
    assert by_number == {DOSSIER.national_code: [DOSSIER, rival]}
    assert by_code == {"H12.1": [DOSSIER, rival]}


def test_dossiers_are_walked_in_key_order_slice_by_slice(store: SqliteStore) -> None:
    store.write(lambda tx: tx.put_dossiers([replace(DOSSIER, id=f"d{n}") for n in (5, 1, 4, 2, 3)]))
    first = store.read(lambda tx: [row.id for row in tx.iter_dossiers(limit=2)])
    rest = store.read(lambda tx: [row.id for row in tx.iter_dossiers(limit=9, after=first[-1])])
    assert (first, rest) == (["d1", "d2"], ["d3", "d4", "d5"])


def test_a_record_comes_back_by_each_of_its_names(store: SqliteStore) -> None:
    store.write(lambda tx: tx.put_records([RECORD]))
    assert store.read(lambda tx: tx.records("ca_mau", ["x1"])) == {"x1": RECORD}
    assert store.read(lambda tx: tx.records("npsp", ["x1"])) == {}
    assert store.read(lambda tx: tx.records_of(["d1"])) == {"d1": [RECORD]}
    assert store.read(lambda tx: tx.records_by_reference(["ref-1", ""])) == {"ref-1": [RECORD]}


def test_open_records_come_oldest_reading_first_and_page_by_page(store: SqliteStore) -> None:
    rows = [replace(RECORD, external_id=f"x{n}", read_at=float(10 - n // 2), open=n != 3) for n in range(6)]
    store.write(lambda tx: tx.put_records(rows))
    first = store.read(lambda tx: tx.open_records("ca_mau", limit=3))
    rest = store.read(lambda tx: tx.open_records("ca_mau", after=first[-1].external_id, limit=3))
    assert [row.external_id for row in first + rest] == ["x4", "x5", "x2", "x0", "x1"]


def test_a_delivery_gets_a_number_and_keeps_it(store: SqliteStore) -> None:
    row = replace(DELIVERY)
    store.write(lambda tx: tx.put_delivery(row))
    number = row.id
    again = replace(row, id=None, state="delivered", open=False)
    store.write(lambda tx: tx.put_delivery(again))
    assert number == again.id
    assert store.read(lambda tx: tx.delivery(DELIVERY.key)) == again
    assert store.read(lambda tx: tx.delivery_by_id(number or 0)) == again


def test_deliveries_of_a_lane_come_oldest_first_and_only_open_ones_unless_asked(store: SqliteStore) -> None:
    rows = [replace(DELIVERY, key=f"k{n}", open=n != 1, state="delivered" if n == 1 else "unknown") for n in range(3)]
    store.write(lambda tx: [tx.put_delivery(row) for row in rows])
    lane = LaneKey("npsp", "d1")
    assert [row.key for row in store.read(lambda tx: tx.deliveries([lane]))[lane]] == ["k0", "k2"]
    every = store.read(lambda tx: tx.deliveries([lane, LaneKey("moc", "d1")], open_only=False))
    assert {key: [row.key for row in found] for key, found in every.items()} == {lane: ["k0", "k1", "k2"]}
    assert store.read(lambda tx: tx.count_deliveries()) == {("npsp", "unknown"): 2, ("npsp", "delivered"): 1}


def test_deliveries_are_listed_by_states_in_the_order_they_were_made(store: SqliteStore) -> None:
    states = ["parked", "delivered", "unproven", "parked"]
    rows = [
        replace(DELIVERY, key=f"k{n}", state=state, portal="npsp" if n else "moc") for n, state in enumerate(states)
    ]
    store.write(lambda tx: [tx.put_delivery(row) for row in rows])

    def keys(portal: str, states: tuple[str, ...], limit: int = 9) -> list[str]:
        return [d.key for d in store.read(lambda tx: tx.list_deliveries(portal=portal, states=states, limit=limit))]

    assert keys("", ("unproven", "parked")) == ["k0", "k2", "k3"]
    assert keys("npsp", ("unproven", "parked")) == ["k2", "k3"]
    assert keys("", ("parked", "unproven"), 2) == ["k0", "k2"]
    assert keys("", ()) == ["k0", "k1", "k2", "k3"]
    assert keys("npsp", (), 1) == ["k1"]


def test_leaves_can_be_added_but_neither_changed_nor_removed(store: SqliteStore) -> None:
    leaf = LeafRow("observation", b"{}", "ab", 1.0, "d1", "npsp")
    store.write(lambda tx: tx.append_leaves([leaf, leaf]))
    for attempt in ("UPDATE leaf SET digest = 'x'", "DELETE FROM leaf WHERE id = 1"):
        with pytest.raises(sqlite3.IntegrityError):
            store.write(lambda tx, sql=attempt: tx._sql.execute(sql))
    assert store.read(lambda tx: tx.leaves(after=1)) == [(2, leaf)]


def test_retention_removes_leaves_only_up_to_the_number_it_has_named(store: SqliteStore) -> None:
    store.write(lambda tx: tx.append_leaves([LeafRow("act", b"{}", f"{n}", 1.0) for n in range(5)]))
    store.write(lambda tx: tx.put_setting("leaves_removed_to", "3"))
    store.write(lambda tx: tx._sql.execute("DELETE FROM leaf WHERE id <= 3"))
    with pytest.raises(sqlite3.IntegrityError):
        store.write(lambda tx: tx._sql.execute("DELETE FROM leaf"))
    assert store.read(lambda tx: tx.counts())["leaf"] == 2


def test_raw_bytes_go_when_their_day_comes_unless_an_open_quarantine_needs_them(store: SqliteStore) -> None:
    rows = [RawRow("npsp", f"x{n}", "d1", b"sealed", "ab", 1.0, 100.0 + n) for n in range(3)]
    ids = store.write(lambda tx: tx.put_raw(rows))
    held = QuarantineRow("npsp", "x0", "unreadable", "no code", ids[0], 1.0)
    number = store.write(lambda tx: tx.put_quarantine(held))
    assert store.write(lambda tx: tx.expire_raw(101.0)) == 1
    assert [store.read(lambda tx, n=n: tx.raw(n)) is not None for n in ids] == [True, False, True]
    store.write(lambda tx: tx.close_quarantine(number, "dropped"))
    assert store.write(lambda tx: tx.expire_raw(101.0)) == 1
    assert store.read(lambda tx: tx.raw(ids[2])) == replace(rows[2], id=ids[2])


def test_the_same_unreadable_record_is_counted_up_until_it_is_closed(store: SqliteStore) -> None:
    row = QuarantineRow("npsp", "x1", "unreadable", "no code", None, 1.0, digest="ab", doc={"field": "MaHoSo"})
    first = store.write(lambda tx: tx.put_quarantine(replace(row)))
    again = store.write(lambda tx: tx.put_quarantine(replace(row, at=2.0)))
    other = store.write(lambda tx: tx.put_quarantine(replace(row, digest="cd")))
    assert first == again != other
    assert store.read(lambda tx: tx.quarantine(first)) == replace(row, id=first, times=2)
    store.write(lambda tx: tx.close_quarantine(first, "replayed"))
    fresh = store.write(lambda tx: tx.put_quarantine(replace(row)))
    assert fresh not in (first, other)
    assert [q.id for q in store.read(lambda tx: tx.list_quarantine(portal="npsp"))] == [other, fresh]
    assert [q.id for q in store.read(lambda tx: tx.list_quarantine(state=""))] == [first, other, fresh]
    assert [q.id for q in store.read(lambda tx: tx.list_quarantine(state="replayed"))] == [first]


def test_a_portal_unheard_of_has_defaults_and_is_kept_once_put(store: SqliteStore) -> None:
    assert store.read(lambda tx: tx.portal("npsp")) == PortalRow("npsp")
    row = PortalRow("npsp", "live", 5.0, breaker={"fails": 2}, sealed_session=b"s", doc={"n": 1})
    store.write(lambda tx: tx.put_portal(row))
    assert store.read(lambda tx: tx.portal("npsp")) == row


def test_cursors_settings_and_runs_are_replaced(store: SqliteStore) -> None:
    run = RunRow("pull", "npsp", 1.0)
    store.write(lambda tx: (tx.put_cursor("npsp", "pull", "1"), tx.put_setting("epoch", "1"), tx.put_run(run)))
    run.ended_at, run.outcome = 2.0, "done"
    store.write(lambda tx: (tx.put_cursor("npsp", "pull", None), tx.put_setting("epoch", "2"), tx.put_run(run)))
    second = store.write(lambda tx: tx.put_run(RunRow("deliver", "moc", 3.0)))
    assert store.read(lambda tx: (tx.cursor("npsp", "pull"), tx.cursor("npsp", "other"))) == (None, None)
    assert store.read(lambda tx: (tx.setting("epoch"), tx.setting("other"))) == ("2", None)
    assert store.read(lambda tx: tx.list_runs(portal="npsp")) == [run]
    assert [r.id for r in store.read(lambda tx: tx.list_runs(limit=5))] == [second, run.id]


def test_a_catalogue_keeps_its_older_versions_and_stores_the_same_one_once(store: SqliteStore) -> None:
    assert store.read(lambda tx: tx.catalogue("procedures", "npsp")) is None
    for version, rows in (("1", [{"a": 1}]), ("1", [{"a": 1}]), ("2", [])):
        store.write(lambda tx, v=version, r=rows: tx.put_catalogue("procedures", "npsp", v, r, 1.0))
    assert store.read(lambda tx: tx.catalogue("procedures", "npsp")) == ("2", [])
    assert store.read(lambda tx: tx.counts())["catalogue"] == 2


def test_counts_name_every_table_that_grows(store: SqliteStore) -> None:
    store.write(lambda tx: (tx.put_dossiers([DOSSIER]), tx.append_leaves([LeafRow("act", b"{}", "a", 1.0)])))
    counts = store.read(lambda tx: tx.counts())
    assert (counts["dossier"], counts["leaf"], counts["delivery"]) == (1, 1, 0)


def test_no_statement_numbers_its_placeholders(project_root: Path) -> None:
    """Python 3.12.0 to 3.12.3 take `?1` for a name and warn; plain `?` works everywhere."""
    files = [*(project_root / "gateway" / "store").rglob("*.py"), *(project_root / "benchmarks").glob("*.py")]
    assert files
    assert [file.name for file in files if re.search(r"\?\d", file.read_text("utf-8"))] == []
