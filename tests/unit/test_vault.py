"""The key ring: sealed bytes open for their owner only, keys are durable, and an erased key is gone."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.vault import KeyRing, SealError, pack, unpack
from schemas.errors import ConfigError, StoreError

PLAIN = "CÔNG DÂN THỬ NGHIỆM 01".encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.ring"


@pytest.fixture
def ring(path: Path) -> Iterator[KeyRing]:
    opened = KeyRing(path)
    yield opened
    opened.close()


def test_sealed_bytes_open_for_their_owner(ring: KeyRing) -> None:
    ring.ensure(["d1"])
    sealed = ring.seal("d1", PLAIN)
    assert PLAIN not in sealed
    assert ring.open("d1", sealed) == PLAIN
    assert ring.seal("d1", PLAIN) != sealed, "no two seals are alike"


def test_sealed_bytes_do_not_open_for_another_owner(ring: KeyRing) -> None:
    ring.ensure(["d1", "d2"])
    with pytest.raises(SealError):
        ring.open("d2", ring.seal("d1", PLAIN))


def test_the_owner_is_bound_in_even_under_the_same_key(ring: KeyRing, path: Path) -> None:
    ring.ensure(["d1", "d2"])
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE owner_key SET key = (SELECT key FROM owner_key WHERE owner = 'd1')")
        other.commit()
    with pytest.raises(SealError, match="another owner"):
        ring.open("d2", ring.seal("d1", PLAIN))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_goes_unseen(ring: KeyRing, data: st.DataObject) -> None:
    ring.ensure(["d1"])
    sealed = bytearray(ring.seal("d1", PLAIN))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        ring.open("d1", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02" + b"x" * 40, b"plain text that nobody sealed, ever"])
def test_bytes_that_nobody_sealed_are_refused(ring: KeyRing, sealed: bytes) -> None:
    ring.ensure(["d1"])
    with pytest.raises(SealError):
        ring.open("d1", sealed)


def test_an_owner_without_a_key_is_a_key_error(ring: KeyRing) -> None:
    with pytest.raises(KeyError):
        ring.seal("nobody", PLAIN)


def test_keys_are_there_after_reopening_and_are_never_made_twice(ring: KeyRing, path: Path) -> None:
    ring.ensure(["d1"])
    sealed = ring.seal("d1", PLAIN)
    again = KeyRing(path)
    again.ensure(["d1", "d2"])
    assert again.open("d1", sealed) == PLAIN
    assert again.blind("000000000001") == ring.blind("000000000001")
    again.close()


def test_more_owners_than_memory_holds_keep_their_keys(path: Path) -> None:
    ring = KeyRing(path, cached_keys=10)
    owners = [f"d{n}" for n in range(50)]
    ring.ensure(owners)
    sealed = {owner: ring.seal(owner, owner.encode()) for owner in owners}
    assert all(ring.open(owner, sealed[owner]) == owner.encode() for owner in owners)
    assert len(ring._keys) == 10
    ring.close()


def test_an_erased_owner_can_neither_seal_nor_open_and_gets_no_new_key(ring: KeyRing, path: Path) -> None:
    ring.ensure(["d1", "d2"])
    sealed = ring.seal("d1", PLAIN)
    with closing(sqlite3.connect(path)) as other:
        key = other.execute("SELECT key FROM owner_key WHERE owner = 'd1'").fetchone()[0]
    ring.erase("d1", 5.0)
    ring.ensure(["d1", "d2"])
    for use in (lambda: ring.seal("d1", PLAIN), lambda: ring.open("d1", sealed)):
        with pytest.raises(KeyError):
            use()
    assert ring.erased(["d1", "d2", "d3"]) == {"d1"}
    left = b"".join(file.read_bytes() for file in path.parent.glob("keys.ring*"))
    assert key not in left, "the key is readable nowhere"
    ring.erase("d1", 9.0)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT erased_at FROM owner_key WHERE owner = 'd1'").fetchone() == (5.0,)


def test_erased_keys_among_many_are_readable_nowhere(ring: KeyRing, path: Path) -> None:
    owners = [f"d{n:03}" for n in range(400)]
    ring.ensure(owners)
    with closing(sqlite3.connect(path)) as other:
        keys = dict(other.execute("SELECT owner, key FROM owner_key"))
    for owner in owners[::7]:
        ring.erase(owner, 5.0)
    left = b"".join(file.read_bytes() for file in path.parent.glob("keys.ring*"))
    assert [owner for owner in owners if keys[owner] in left] == [owner for n, owner in enumerate(owners) if n % 7]


def test_an_erasure_by_another_process_ends_the_key_in_this_one_too(ring: KeyRing, path: Path) -> None:
    ring.ensure(["d1"])
    sealed = ring.seal("d1", PLAIN)
    other = KeyRing(path)
    other.erase("d1", 5.0)
    other.close()
    with pytest.raises(KeyError):
        ring.open("d1", sealed)


def test_a_key_that_another_process_made_meanwhile_is_taken_over(ring: KeyRing, path: Path) -> None:
    other, look, looked = KeyRing(path), ring._read, list[bytes]()

    def look_and_be_overtaken(owners: list[str]) -> dict[str, bytes | None]:
        found = look(owners)
        if not looked:
            other.ensure(["d1"])
            looked.append(other.seal("d1", PLAIN))
        return found

    ring._read = look_and_be_overtaken
    ring.ensure(["d1"])
    assert ring.open("d1", looked[0]) == PLAIN
    assert other.open("d1", ring.seal("d1", PLAIN)) == PLAIN
    other.close()


def test_two_processes_that_make_the_same_key_end_with_one(path: Path) -> None:
    rings = [KeyRing(path) for _ in range(4)]
    owners = [f"d{n}" for n in range(100)]
    threads = [threading.Thread(target=ring.ensure, args=(owners,)) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = {owner: rings[0].seal(owner, PLAIN) for owner in owners}
    assert all(ring.open(owner, sealed[owner]) == PLAIN for ring in rings for owner in owners)
    for ring in rings:
        ring.close()


def test_keys_are_on_disk_before_ensure_returns(path: Path, project_root: Path) -> None:
    """The process is killed while it goes on; every owner that it named has a key that opens what it sealed."""
    code = (
        "import sys; from pathlib import Path; from gateway.vault import KeyRing\n"
        "ring = KeyRing(Path(sys.argv[1]))\n"
        "for n in range(10**6):\n"
        "    ring.ensure([f'd{n}']); print(f'd{n}', ring.seal(f'd{n}', b'plain').hex(), flush=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(project_root)}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=env) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(30)]
        child.kill()
        rest = child.stdout.read()
        lines += rest[: rest.rfind(b"\n") + 1].splitlines()
    ring = KeyRing(path)
    for line in lines:
        owner, sealed = line.decode().split()
        assert ring.open(owner, bytes.fromhex(sealed)) == b"plain"
    ring.close()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_ring_that_others_may_reach_is_refused(ring: KeyRing, path: Path, mode: int) -> None:
    ring.close()
    path.chmod(mode)
    with pytest.raises(ConfigError, match="0600"):
        KeyRing(path)


def test_the_ring_and_all_files_beside_it_are_for_their_owner_only(ring: KeyRing, path: Path) -> None:
    ring.ensure(["d1"])
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_a_copy_opens_the_same_bytes_and_never_replaces_another(ring: KeyRing, path: Path) -> None:
    ring.ensure(["d1"])
    sealed = ring.seal("d1", PLAIN)
    copy = path.with_name("copy.ring")
    ring.copy_to(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        ring.copy_to(copy)
    opened = KeyRing(copy)
    assert opened.open("d1", sealed) == PLAIN
    opened.close()


def test_a_damaged_ring_is_reported(path: Path) -> None:
    path.touch(0o600)
    path.write_bytes(os.urandom(8192))
    with pytest.raises(StoreError, match="NOTADB"):
        KeyRing(path)


def test_a_blinded_identifier_is_equal_for_equal_text_and_differs_between_rings(ring: KeyRing, tmp_path: Path) -> None:
    other = KeyRing(tmp_path / "other.ring")
    assert ring.blind("000000000001") == ring.blind("000000000001")
    assert len({ring.blind("000000000001"), ring.blind("000000000002"), other.blind("000000000001")}) == 3
    other.close()


@given(st.binary(max_size=5000))
def test_what_is_packed_is_unpacked(plain: bytes) -> None:
    assert unpack(pack(plain)) == plain
