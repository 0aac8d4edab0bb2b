"""The signing key ring: made once, mode 0600, rotated without losing what was signed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.signing import Purpose, SigningRing, verified
from schemas.clock import ManualClock
from schemas.errors import ConfigError, StoreError

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
WORDS = b"what was handed over"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def ring(tmp_path: Path, clock: ManualClock) -> SigningRing:
    return SigningRing(tmp_path / "signing.keys", clock)


def test_the_first_start_makes_one_key_for_each_purpose_that_nobody_else_may_read(ring: SigningRing) -> None:
    assert [key.purpose for key in ring.all()] == list(Purpose)
    assert ring.path.stat().st_mode & 0o777 == 0o600
    assert all(not key.private and key.retired_at is None for key in ring.all())
    assert ring.in_use(Purpose.RECEIPT).private not in repr(ring.in_use(Purpose.RECEIPT))


def test_a_second_start_finds_the_same_keys(ring: SigningRing, clock: ManualClock) -> None:
    assert SigningRing(ring.path, clock).all() == ring.all()


def test_a_signature_is_of_the_key_for_its_purpose_and_of_no_other(ring: SigningRing) -> None:
    receipt, checkpoint = (ring.in_use(purpose) for purpose in Purpose)
    signature = ring.in_use(Purpose.RECEIPT).sign(WORDS)
    assert verified(receipt.pem(), WORDS, signature) == receipt.id
    assert verified(checkpoint.pem(), WORDS, signature) == ""
    assert verified(receipt.pem(), WORDS + b".", signature) == ""


def test_a_retired_key_still_verifies_and_can_no_longer_sign(ring: SigningRing, clock: ManualClock) -> None:
    old = ring.in_use(Purpose.RECEIPT)
    before = ring.in_use(Purpose.RECEIPT).sign(WORDS)
    clock.advance(60)
    new = ring.rotate(Purpose.RECEIPT)
    kept = {key.id: key for key in ring.all()}
    assert ring.in_use(Purpose.RECEIPT).id == new.id != old.id
    assert kept[old.id].retired_at == START.timestamp() + 60
    assert old.private.encode() not in ring.path.read_bytes()
    assert verified(kept[old.id].pem(), WORDS, before) == old.id
    assert verified(new.pem(), WORDS, ring.in_use(Purpose.RECEIPT).sign(WORDS)) == new.id


def test_a_running_gateway_signs_with_the_key_that_another_process_made(ring: SigningRing, clock: ManualClock) -> None:
    running = SigningRing(ring.path, clock)
    running.in_use(Purpose.RECEIPT).sign(WORDS)
    new = ring.rotate(Purpose.RECEIPT)
    assert verified(new.pem(), WORDS, running.in_use(Purpose.RECEIPT).sign(WORDS)) == new.id


def test_a_ring_that_others_may_read_is_refused(ring: SigningRing, clock: ManualClock) -> None:
    ring.path.chmod(0o640)
    with pytest.raises(ConfigError, match="0640"):
        SigningRing(ring.path, clock)


def test_a_damaged_ring_is_said_to_be_damaged_without_its_content(ring: SigningRing, clock: ManualClock) -> None:
    ring.path.write_bytes(b'{"keys": "secret"}')
    with pytest.raises(StoreError) as raised:
        SigningRing(ring.path, clock)
    assert "secret" not in str(raised.value)


def test_what_is_no_key_is_said_to_be_none(ring: SigningRing) -> None:
    with pytest.raises(ConfigError, match="PEM"):
        verified(b"no key", WORDS, b"")


def test_a_gateway_at_work_goes_on_with_its_keys_when_the_file_is_lost(ring: SigningRing) -> None:
    key = ring.in_use(Purpose.RECEIPT)
    ring.path.unlink()
    assert ring.in_use(Purpose.RECEIPT).id == key.id
    ring.path.write_bytes(b"{")
    assert ring.in_use(Purpose.RECEIPT).id == key.id
