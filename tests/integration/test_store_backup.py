"""Backup while others write, restore as a new epoch, and migration of a copy."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from gateway.store import migrate as migration
from gateway.store import restore as restoring
from gateway.store.backup import backup, verify
from gateway.store.copies import hold
from gateway.store.migrate import migrate
from gateway.store.opening import open_store
from gateway.store.restore import restore
from gateway.store.rows import DeliveryRow, DossierRow, LaneKey, LaneRow, LeafRow, PortalRow, QuarantineRow
from gateway.store.schema import HEAD, revision_of
from gateway.store.sqlite import SqliteStore
from schemas.errors import StoreError

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def delivery(key: str, state: str, *, is_open: bool) -> DeliveryRow:
    return DeliveryRow(key, "u", "npsp", key, "append", "progress", state=state, open=is_open, sealed_body=b"frozen")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a live portal, a leased lane, and deliveries in several states; closed."""
    made = tmp_path / "store.sqlite"
    with SqliteStore(made) as store:
        store.write(lambda tx: tx.put_portal(PortalRow("npsp", "live", 1.0, sealed_session=b"s", session_until=9e9)))
        store.write(lambda tx: tx.put_lanes([LaneRow("npsp", "begun", None, 4, 9e9, "token", doc={"kept": 1})]))
        for row in (
            delivery("begun", "begun", is_open=True),
            delivery("unknown", "unknown", is_open=True),
            delivery("delivered", "delivered", is_open=False),
        ):
            store.write(lambda tx, row=row: tx.put_delivery(row))
        store.write(lambda tx: tx.append_leaves([LeafRow("act", b"{}", "head-of-backup", 1.0)]))
    return made


def move_on(path: Path) -> None:
    """What happens after the backup."""
    with SqliteStore(path) as store:
        store.write(lambda tx: tx.put_delivery(delivery("later", "delivered", is_open=False)))
        store.write(lambda tx: tx.put_quarantine(QuarantineRow("npsp", "x", "unreadable", "why", None, 1.0)))
        store.write(lambda tx: tx.append_leaves([LeafRow("act", b"{}", "head-of-lost", 2.0)]))


def test_a_backup_is_one_whole_snapshot_while_others_write(path: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ended = threading.Event()

    def put_pair(store: SqliteStore, name: str) -> None:
        rows = [DossierRow(f"{name}{half}", sealed=b"x" * 4000) for half in "ab"]
        store.write(lambda tx: tx.put_dossiers(rows))

    def put_pairs(store: SqliteStore) -> None:
        for n in range(100_000):
            put_pair(store, f"{n}")
            if ended.is_set():
                return

    def between_steps(done: int, total: int) -> None:
        told.append((done, total))
        put_pair(store, f"step{done}")

    with SqliteStore(path) as store:
        store.write(lambda tx: tx.put_dossiers([DossierRow(f"old{n}", sealed=b"x" * 4000) for n in range(4000)]))
        writing = threading.Thread(target=put_pairs, args=(store,))
        writing.start()
        written = backup(path, tmp_path / "backups", NOW, progress=between_steps)
        ended.set()
        writing.join()
    manifest = verify(written)
    assert told[-1][0] == told[-1][1] > 0
    assert len(told) > 2, "copied in steps, with progress"
    assert told == sorted(told), "never begun anew, whoever writes meanwhile"
    with closing(sqlite3.connect(written.with_name(manifest.file))) as copy:
        halves = copy.execute("SELECT count(*) FROM dossier WHERE id NOT LIKE 'old%'").fetchone()[0]
    assert halves % 2 == 0
    assert manifest.counts["dossier"] == 4000 + halves
    assert (manifest.head.epoch, manifest.head.leaf, manifest.head.digest) == (1, 1, "head-of-backup")
    assert {file.name for file in written.parent.iterdir()} == {manifest.file, written.name}
    assert written.with_name(manifest.file).stat().st_mode & 0o077 == 0


def test_a_restored_store_begins_a_new_epoch_in_which_nothing_is_sent(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    move_on(path)
    done = restore(written, path, LATER, actor="operator-1")
    assert (done.epoch, done.open_deliveries) == (2, 2)
    with SqliteStore(path) as store:
        portal = store.read(lambda tx: tx.portal("npsp"))
        assert (portal.mode, portal.adopt_from, portal.doc) == ("watch", 1.0, {"compare_needed": True})
        assert (portal.sealed_session, portal.session_until) == (b"", 0.0)
        assert store.read(lambda tx: tx.setting("epoch")) == "2"
        assert float(store.read(lambda tx: tx.setting("restored_at")) or 0) == LATER.timestamp()
        states = {row.key: (row.state, row.open) for row in store.read(lambda tx: tx.list_deliveries())}
        assert states == {"begun": ("begun", True), "unknown": ("begun", True), "delivered": ("delivered", False)}
        lane = store.read(lambda tx: tx.lanes([LaneKey("npsp", "begun")]))[LaneKey("npsp", "begun")]
        assert (lane.due_at, lane.mark, lane.lease_until, lane.lease_token) == (LATER.timestamp(), 5, 0.0, "")
        assert lane.doc == {"kept": 1}
        assert store.read(lambda tx: tx.due_lanes("npsp")) == 2


def test_the_log_of_a_restored_store_goes_on_with_a_leaf_that_names_both_heads(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    move_on(path)
    restore(written, path, LATER, actor="operator-1")
    with SqliteStore(path) as store:
        leaves = store.read(lambda tx: tx.leaves())
    assert [leaf.kind for _, leaf in leaves] == ["act", "restore"]
    said = orjson.loads(leaves[-1][1].canonical)
    assert said["backup"] == {"epoch": 1, "leaf": 1, "digest": "head-of-backup"}
    assert said["replaced"] == {"epoch": 1, "leaf": 2, "digest": "head-of-lost"}
    assert (said["epoch"], said["actor"], said["portals"], said["open_deliveries"]) == (2, "operator-1", ["npsp"], 2)


def test_the_replaced_store_is_kept_and_its_numbers_are_not_given_again(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    move_on(path)
    done = restore(written, path, LATER, actor="operator-1")
    assert done.kept is not None
    with SqliteStore(done.kept) as kept:
        lost = kept.read(lambda tx: tx.delivery("later"))
    fresh = delivery("fresh", "begun", is_open=True)
    with SqliteStore(path) as store:
        store.write(lambda tx: tx.put_delivery(fresh))
        number = store.write(lambda tx: tx.put_quarantine(QuarantineRow("npsp", "y", "c", "why", None, 1.0)))
    assert lost is not None
    assert (fresh.id, number) == ((lost.id or 0) + 1, 2)


def test_each_restore_is_an_epoch_later_than_any_before(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    epochs = [restore(written, path, LATER + timedelta(hours=n), actor="o").epoch for n in range(3)]
    assert epochs == [2, 3, 4]


def test_a_store_that_can_no_longer_be_read_is_replaced_and_kept(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    ruin = os.urandom(20_000)
    path.write_bytes(ruin)
    path.with_name(path.name + "-wal").write_bytes(b"stale")
    done = restore(written, path, LATER, actor="operator-1")
    assert done.replaced is None
    assert done.kept is not None
    assert done.kept.read_bytes() == ruin
    assert done.kept.with_name(f"{done.kept.name}-wal").read_bytes() == b"stale"
    with SqliteStore(path) as store:
        said = orjson.loads(store.read(lambda tx: tx.leaves())[-1][1].canonical)
    assert said["replaced"] is None


def test_a_backup_can_be_restored_where_no_store_is(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    (tmp_path / "new").mkdir()
    done = restore(written, tmp_path / "new" / "store.sqlite", LATER, actor="o")
    assert (done.kept, done.replaced) == (None, None)
    with SqliteStore(tmp_path / "new" / "store.sqlite") as store:
        assert store.read(lambda tx: tx.setting("epoch")) == "2"


def test_nothing_is_restored_while_the_store_is_open(path: Path, tmp_path: Path) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    with SqliteStore(path) as store:
        with pytest.raises(StoreError, match="stop the gateway first"):
            restore(written, path, LATER, actor="o")
        assert store.write(lambda tx: tx.setting("epoch")) is None
    with hold(path, exclusive=True), pytest.raises(StoreError, match="being replaced"):
        SqliteStore(path)


@pytest.mark.parametrize("harm", ["edited", "flip", "cut", "no manifest", "no file", "other manifest", "outside"])
def test_a_backup_that_is_not_whole_is_refused_and_the_store_stays(path: Path, tmp_path: Path, harm: str) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    file = written.with_suffix(".sqlite")
    content = bytearray(file.read_bytes())
    if harm == "edited":
        with closing(sqlite3.connect(file)) as edited:
            edited.execute("UPDATE portal SET mode = 'watch'")
            edited.commit()
    elif harm == "flip":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif harm == "cut":
        file.write_bytes(content[:-4096])
    elif harm == "no manifest":
        written.unlink()
    elif harm == "no file":
        file.unlink()
    elif harm == "other manifest":
        written.write_text('{"format": 2}')
    else:
        written.write_text(json.dumps(json.loads(written.read_text()) | {"file": "../store.sqlite"}))
    before = path.read_bytes()
    with pytest.raises(StoreError):
        restore(written, path, LATER, actor="o")
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {"store.sqlite", "store.sqlite.lock", "backups"}


def test_a_kill_during_restore_leaves_the_old_or_the_new_store(path: Path, tmp_path: Path, project_root: Path) -> None:
    with SqliteStore(path) as store:
        store.write(lambda tx: tx.put_dossiers([DossierRow(f"d{n}", sealed=b"x" * 4000) for n in range(500)]))
    written = backup(path, tmp_path / "backups", NOW)
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from gateway.store.restore import restore\n"
        "print('ready', flush=True)\n"
        "restore(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC), actor='o')\n"
        "print('done', flush=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(project_root)}
    for n in range(8):
        command = [sys.executable, "-c", code, str(written), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as child:
            assert child.stdout is not None
            child.stdout.readline()
            try:
                child.wait(n * 0.006)
            except subprocess.TimeoutExpired:
                child.kill()
        with SqliteStore(path) as store:
            epoch, counts = store.read(lambda tx: (tx.setting("epoch") or "1", tx.counts()))
        assert counts["dossier"] == 500
        assert counts["leaf"] == (1 if epoch == "1" else 2)


NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "{revision}"
down_revision = "{before}"

def upgrade():
    {step}
"""


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program one revision newer; its step is written by the test."""
    folder = tmp_path / "revisions"
    folder.mkdir()
    monkeypatch.setattr(migration, "_VERSIONS", (*migration._VERSIONS, folder))
    monkeypatch.setattr(migration, "HEAD", "next")
    return folder / "next.py"


def test_a_store_is_migrated_as_a_copy_that_keeps_every_row(path: Path, next_release: Path) -> None:
    next_release.write_text(
        NEXT.format(revision="next", before=HEAD, step="op.execute(\"UPDATE cursor SET value = ''\")")
    )
    kept = migrate(path)
    assert kept is not None
    assert (revision_of(path), revision_of(kept)) == ("next", HEAD)
    with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(kept)) as old:
        for table in ("delivery", "lane", "leaf", "portal"):
            rows = f"SELECT * FROM {table}"  # noqa: S608 - names of this test
            assert new.execute(rows).fetchall() == old.execute(rows).fetchall()
    assert migrate(path) is None


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("op.add_column('lane', sa.Column('extra', sa.Text))", "differ from fresh ones: TABLE lane|differ from fresh"),
        ("op.execute('DROP INDEX ix_lane_due')", "ix_lane_due"),
        ("op.execute('no such statement')", "failed"),
    ],
)
def test_a_migration_that_goes_wrong_leaves_the_store_as_it_was(
    path: Path, next_release: Path, step: str, said: str
) -> None:
    next_release.write_text(NEXT.format(revision="next", before=HEAD, step=step))
    before = path.read_bytes()
    with pytest.raises(StoreError, match=said):
        migrate(path)
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.glob("store*")} == {"store.sqlite", "store.sqlite.lock"}


def test_a_store_in_use_is_not_migrated(path: Path, next_release: Path) -> None:
    next_release.write_text(NEXT.format(revision="next", before=HEAD, step="pass"))
    with SqliteStore(path), pytest.raises(StoreError, match="stop the gateway first"):
        migrate(path)


def test_a_store_of_a_newer_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer program"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_backup_of_an_older_program_is_migrated_when_restored(
    path: Path, tmp_path: Path, next_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = backup(path, tmp_path / "backups", NOW)
    monkeypatch.setattr(restoring, "HEAD", "next")
    next_release.write_text(NEXT.format(revision="next", before=HEAD, step="pass"))
    restore(written, path, LATER, actor="o")
    assert revision_of(path) == "next"
