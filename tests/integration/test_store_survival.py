"""What was acknowledged is there: after SIGKILL, on a full disk, beside other processes; and damage is reported."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.store.base import Tx
from gateway.store.rows import DossierRow, LeafRow
from gateway.store.sqlite import SqliteStore
from schemas.errors import StoreError

CHILD = Path(__file__).with_name("store_child.py")


def started(store: Path, project_root: Path, *, threads: int = 3, limit: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(store), str(threads), str(limit)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(project_root)},
    )


def acknowledged(lines: bytes) -> set[str]:
    """Names in whole lines only: the last one may be cut by the kill."""
    whole = lines[: lines.rfind(b"\n") + 1].decode().splitlines()
    return {line.removeprefix("done ") for line in whole if line.startswith("done ")}


def held(path: Path) -> set[str]:
    """Names of works that the store holds, each of them whole."""

    def look(tx: Tx) -> tuple[list[str], list[str], list[str]]:
        leaves: list[str] = []
        while page := tx.leaves(after=len(leaves), limit=5000):
            leaves += [leaf.digest for _, leaf in page]
        dossiers = [row.id for row in tx.iter_dossiers(limit=1_000_000)]
        return leaves, dossiers, [name for name in leaves if tx.setting(name)]

    with SqliteStore(path) as store:
        leaves, dossiers, settings = store.read(look)
    assert len(leaves) == len(set(leaves)), "a work was stored twice"
    assert set(leaves) == set(dossiers) == set(settings), "a work was stored in part"
    return set(leaves)


def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path, project_root: Path) -> None:
    chance, path, told = random.Random(7), tmp_path / "store.sqlite", set[str]()
    for _ in range(20):
        with started(path, project_root) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(chance.uniform(0, 0.08))
            child.kill()
            told |= acknowledged(first + child.stdout.read())
        found = held(path)
        assert told <= found
        # Works whose caller was killed while it waited may be there, at most one per thread and kill.
        assert len(found - told) <= 3 * 20
    assert len(told) > 100


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A disk of 4 MiB at `folder` where one can be mounted; says whether it is one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_stops_writing_and_loses_nothing_that_was_acknowledged(tmp_path: Path, project_root: Path) -> None:
    """Without the right to mount a small disk, a limit on the size of files stands in for it."""
    with small_disk(tmp_path / "disk") as real:
        path = tmp_path / "disk" / "store.sqlite"
        with started(path, project_root, limit=0 if real else 2_000_000) as child:
            out, _ = child.communicate(timeout=60)
        told, stops = acknowledged(out), [line for line in out.decode().splitlines() if line.startswith("stopped")]
        assert len(told) > 50
        assert len(stops) == 3 + 1, "every thread, and the one that came later"
        assert all("nothing acknowledged is lost" in line and "then start again" in line for line in stops)
        if real:
            subprocess.run(["mount", "-o", "remount,size=64m", str(path.parent)], check=True)
        assert told <= held(path)
        with SqliteStore(path) as store:
            assert store.write(lambda tx: tx.put_setting("after", "there")) is None


def test_a_store_at_its_page_limit_names_the_disk_and_takes_no_more_writes(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.sqlite") as store:
        store.write(lambda tx: tx.put_setting("before", "there"))
        sql = store._writer._sql
        sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0] + 2}")
        with pytest.raises(StoreError, match=r"the disk is full.*SQLITE_FULL"):
            store.write(lambda tx: tx.put_dossiers([DossierRow(f"d{n}", sealed=b"x" * 5000) for n in range(9)]))
        sql.execute("PRAGMA max_page_count = 1000000")
        with pytest.raises(StoreError, match="the disk is full"):
            store.write(lambda tx: tx.put_setting("later", "there"))
        assert "the disk is full" in store.failure
        assert store.read(lambda tx: (tx.setting("before"), tx.counts()["dossier"])) == ("there", 0)
    with SqliteStore(tmp_path / "store.sqlite") as store:
        store.write(lambda tx: tx.put_setting("later", "there"))


def filled(path: Path) -> Path:
    with SqliteStore(path) as store:
        store.write(lambda tx: tx.put_dossiers([DossierRow(f"d{n:04}", sealed=b"x" * 3000) for n in range(300)]))
    return path


def test_a_damaged_page_is_reported_by_reader_and_writer_and_stops_writing(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.sqlite")
    with path.open("r+b") as file:
        file.seek(4096 * 120)
        file.write(os.urandom(4096 * 200))
    with SqliteStore(path) as store:
        with pytest.raises(StoreError, match=r"damaged.*newest backup"):
            store.read(lambda tx: list(tx.iter_dossiers()))
        with pytest.raises(StoreError, match=r"damaged.*newest backup"):
            store.write(lambda tx: tx.put_dossiers([DossierRow(f"d{n:04}", sealed=b"y" * 9000) for n in range(300)]))
        assert "newest backup" in store.failure


@pytest.mark.parametrize("content", [b"not a database " * 1000, os.urandom(4096)])
def test_a_file_that_is_no_store_is_not_opened_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="NOTADB"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_store_of_a_newer_program_is_not_opened(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.sqlite")
    with SqliteStore(path) as store:
        store.write(lambda tx: tx._sql.execute("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="revision 9999"):
        SqliteStore(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        SqliteStore(tmp_path / "missing" / "store.sqlite")


def test_a_second_process_gets_its_turn_beside_one_that_never_stops_writing(tmp_path: Path, project_root: Path) -> None:
    path, mine = tmp_path / "store.sqlite", list[float]()
    SqliteStore(path).close()
    with started(path, project_root) as child, SqliteStore(path) as store:
        assert child.stdout is not None
        first = child.stdout.readline()
        rest: list[bytes] = []
        reader = threading.Thread(target=lambda: rest.append(child.stdout.read()))
        reader.start()
        ends_at = time.monotonic() + 1
        while (began := time.monotonic()) < ends_at:
            n = len(mine)
            store.write(lambda tx, n=n: tx.append_leaves([LeafRow("act", b"{}", f"mine{n}", 1.0)]))
            mine.append(time.monotonic() - began)
        child.kill()
        reader.join()
    told = acknowledged(first + rest[0])
    with SqliteStore(path) as store:
        leaves = {leaf.digest for _, leaf in store.read(lambda tx: tx.leaves(limit=1_000_000))}
    assert told | {f"mine{n}" for n in range(len(mine))} <= leaves
    assert min(len(told), len(mine)) > 20
    assert max(mine) < 2


def test_two_processes_never_lose_each_others_update(tmp_path: Path, project_root: Path) -> None:
    """Read, add one, write: under one lock from the reading on, whoever else writes."""
    code = (
        "import sys; from pathlib import Path; from gateway.store.sqlite import SqliteStore\n"
        "def add(tx): tx.put_setting('n', str(int(tx.setting('n') or 0) + 1))\n"
        "with SqliteStore(Path(sys.argv[1])) as store:\n"
        "    for _ in range(150): store.write(add)\n"
    )
    path = tmp_path / "store.sqlite"
    env = {**os.environ, "PYTHONPATH": str(project_root)}
    children = [subprocess.Popen([sys.executable, "-c", code, str(path)], env=env) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    with SqliteStore(path) as store:
        assert store.read(lambda tx: tx.setting("n")) == "450"
