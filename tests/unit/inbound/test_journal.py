"""The journal of calls where something else goes on: midnight, a full disk, a damaged entry."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.inbound import journal as journals
from gateway.inbound.journal import Journal
from gateway.vault import KeyRing
from schemas.errors import StoreError

MIDNIGHT = datetime(2026, 11, 3, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[KeyRing]:
    ring = KeyRing(tmp_path / "keys.ring")
    yield ring
    ring.close()


@pytest.fixture
def journal(tmp_path: Path, vault: KeyRing) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal", vault)
    yield made
    made.close()


def test_callers_on_both_sides_of_midnight_find_their_entries_again(journal: Journal) -> None:
    """An entry written into the other day's file could not be opened there after a restore."""
    wanted = {f"{turn} {side}".encode() for turn in range(60) for side in range(8)}

    def call(side: int) -> None:
        for turn in range(60):
            before = (turn + side) % 2
            journal.append(f"{turn} {side}".encode(), MIDNIGHT - timedelta(milliseconds=before))

    callers = [threading.Thread(target=call, args=(side,)) for side in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wanted - set(journal.entries(LONG_AGO)) == set()


_FULL = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.inbound.journal import Journal
from gateway.vault import KeyRing
from schemas.errors import StoreError

folder, at = Path(sys.argv[1]), datetime(2026, 11, 3, tzinfo=UTC)
journal = Journal(folder / "journal", KeyRing(folder / "keys.ring"))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
journal.append(b"first", at)
size = next((folder / "journal").iterdir()).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
try:
    journal.append(b"second" * 20, at)
    print("said to be durable")
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.append(b"third", at)
print([plain.decode() for plain in journal.entries(at)])
"""


def test_what_a_full_disk_took_only_a_part_of_is_not_durable_and_room_again_is_used(tmp_path: Path) -> None:
    """A short write is no error of its own; and calls were refused until a restart."""
    said = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout.splitlines() == [
        "the journal of calls cannot be written: File too large",
        "['first', 'third']",
    ]


def test_an_entry_damaged_later_takes_none_behind_it_along(journal: Journal, tmp_path: Path) -> None:
    """A new start cut the day's file off at the first damaged entry."""
    for plain in (b"one", b"two", b"three"):
        journal.append(plain, MIDNIGHT)
    journal.close()
    (path,) = (tmp_path / "journal").iterdir()
    held = bytearray(path.read_bytes())
    held[20] ^= 1
    path.write_bytes(held)
    journal.append(b"four", MIDNIGHT)
    assert list(journal.entries(LONG_AGO)) == [b"two", b"three", b"four"]


def test_nobody_is_told_durable_by_a_batch_that_failed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers that share one flush share its failure."""
    started, failing = threading.Event(), threading.Event()
    said: list[str] = []

    def flushed(_file: object, content: bytes) -> str:
        started.set()
        failing.wait(5)
        return "no space" if content else ""

    monkeypatch.setattr(journals, "_flushed", flushed)

    def call() -> None:
        try:
            journal.append(b"entry", MIDNIGHT)
            said.append("durable")
        except StoreError:
            said.append("no")

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    started.wait(5)
    failing.set()
    for caller in callers:
        caller.join()
    assert said == ["no"] * 4
