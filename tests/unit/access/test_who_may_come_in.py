"""The door-keeper as tables: networks, rates, secret words, certificates, keys and scopes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import Access, Approach, Caller, Denied, Reason, Rule
from gateway.access.keys import ApiKey, Keys, bearer, mint, recognise
from gateway.access.networks import address, caller_address, neighbourhood, networks, within
from gateway.access.rates import Rates
from gateway.access.rule import rule_of
from gateway.config import InboundConfig
from gateway.pins import pin
from schemas.clock import ManualClock

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
WORD = "a-secret-word-of-the-path"


class Ring:
    """Keys in a dict."""

    def __init__(self, *keys: ApiKey) -> None:
        self._keys = {key.id: key for key in keys}

    def find(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)


def access(keys: Keys | None = None, proxies: tuple[str, ...] = ()) -> Access:
    return Access(ManualClock(START), keys=keys, trusted_proxies=networks(proxies))


def denied(found: Caller | Denied) -> Reason | None:
    return found.reason if isinstance(found, Denied) else None


@pytest.mark.parametrize(
    ("where", "allowed", "reason"),
    [
        ("10.1.2.3", ("10.1.2.0/24",), None),
        ("10.1.3.3", ("10.1.2.0/24",), Reason.NETWORK),
        ("10.1.2.3", ("10.1.2.3",), None),
        ("::ffff:10.1.2.3", ("10.1.2.3",), None),
        ("fd00::1", ("fd00::/8", "10.0.0.0/8"), None),
        ("fd00::1", ("10.0.0.0/8",), Reason.NETWORK),
        pytest.param("", ("10.0.0.0/8",), Reason.GONE, id="reset-before-it-was-looked-at"),
        ("not-an-address", ("0.0.0.0/0",), Reason.NETWORK),
        ("203.0.113.9", (), None),
    ],
)
def test_networks_decide_who_may_knock(where: str, allowed: tuple[str, ...], reason: Reason | None) -> None:
    assert denied(access().admit(Rule("moc", networks(allowed)), Approach(where))) == reason


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "caller"),
    [
        ("10.0.0.1", "203.0.113.9", (), "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", ("10.0.0.1",), "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9", ("10.0.0.1",), "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", ("10.0.0.0/24",), "203.0.113.9"),
        ("10.0.0.1", "nonsense, 10.0.0.2", ("10.0.0.0/24",), "10.0.0.2"),
        ("10.0.0.1", "", ("10.0.0.1",), "10.0.0.1"),
        ("203.0.113.9", "10.9.9.9", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::7]", ("10.0.0.1",), "2001:db8::7"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: str, proxies: tuple[str, ...], caller: str) -> None:
    assert caller_address(peer, forwarded, networks(proxies)) == caller


@given(st.text(), st.text())
def test_no_header_of_a_stranger_changes_who_he_is(peer: str, forwarded: str) -> None:
    assert caller_address("203.0.113.9", forwarded, networks(["10.0.0.0/8"])) == "203.0.113.9"
    caller_address(peer, forwarded, networks(["10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("said", "reason"), [(WORD, None), ("", Reason.PATH), (WORD[:-1], Reason.PATH), (WORD + "x", Reason.PATH)]
)
def test_the_secret_word_must_be_said_whole(said: str, reason: Reason | None) -> None:
    rule = Rule("moc", secret=lambda: WORD)
    assert denied(access().admit(rule, Approach("127.0.0.1", secret=said))) == reason


def test_a_secret_that_is_empty_opens_to_nobody() -> None:
    assert denied(access().admit(Rule("moc", secret=lambda: ""), Approach("127.0.0.1"))) == Reason.PATH


def test_every_measure_that_is_given_must_hold() -> None:
    rule = rule_of("moc", InboundConfig(allow=("10.0.0.0/8",), secret="${WORD}"), lambda reference: WORD)
    keeper = access()
    assert denied(keeper.admit(rule, Approach("10.0.0.1", secret="wrong"))) == Reason.PATH
    assert denied(keeper.admit(rule, Approach("11.0.0.1", secret=WORD))) == Reason.NETWORK
    assert keeper.admit(rule, Approach("10.0.0.1", secret=WORD)) == Caller("moc", "10.0.0.1", "secret")


def test_whom_only_the_network_vouches_for_has_no_name() -> None:
    assert access().admit(Rule("moc"), Approach("10.0.0.1")) == Caller("", "10.0.0.1", "network")


def test_a_caller_is_slowed_down_alone_and_guesses_count_too() -> None:
    clock = ManualClock(START)
    keeper = Access(clock)
    rule = Rule("moc", secret=lambda: WORD, calls_per_s=2, burst=3)
    guess, right = Approach("10.0.0.1", secret="guess"), Approach("10.0.0.1", secret=WORD)
    assert [denied(keeper.admit(rule, guess)) for _ in range(4)] == [Reason.PATH] * 3 + [Reason.RATE]
    refused = keeper.admit(rule, right)
    assert isinstance(refused, Denied)
    assert refused.retry_after_s == pytest.approx(0.5)
    assert denied(keeper.admit(rule, Approach("10.0.0.2", secret=WORD))) is None
    assert denied(keeper.admit(Rule("moj"), Approach("10.0.0.1"))) is None
    clock.advance(0.5)
    assert denied(keeper.admit(rule, right)) is None
    assert denied(keeper.admit(rule, right)) == Reason.RATE


def test_one_holder_of_a_network_of_addresses_is_one_caller() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("10.0.0.1") == neighbourhood("::ffff:10.0.0.1") != neighbourhood("10.0.0.2")


def test_rates_remember_a_bounded_number_of_callers() -> None:
    rates = Rates(most=100)
    for number in range(1000):
        assert rates.take(("moc", str(number)), 1.0, 1, 0.0) == 0.0
    assert len(rates._buckets) == 100
    assert rates.take(("moc", "999"), 1.0, 1, 0.0) == pytest.approx(1.0)


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.5, 50), st.integers(1, 20))
def test_no_pattern_of_calls_gets_more_than_burst_and_rate(gaps: list[float], rate: float, burst: int) -> None:
    rates, now, taken = Rates(), 0.0, 0
    for gap in gaps:
        now += gap
        taken += rates.take(("moc", "a"), rate, burst, now) == 0.0
    assert taken <= burst + rate * now + 1e-6


def test_a_key_is_shown_once_and_kept_as_a_digest() -> None:
    text, kept = mint("moc", frozenset({"inbox:moc"}), START)
    assert recognise(text, Ring(kept), START) == kept
    secret = text.split("_", 2)[2]
    assert secret not in repr(kept)
    assert secret not in kept.digest
    assert bearer(f"Bearer {text}") == bearer(f"bearer  {text} ") == text
    assert bearer(f"Basic {text}") == ""


@pytest.mark.parametrize("change", ["shortened", "other id", "other secret", "revoked", "expired", "nonsense", "empty"])
def test_other_keys_are_not_recognised(change: str) -> None:
    text, kept = mint("moc", frozenset({"inbox:moc"}), START, START + timedelta(days=1))
    other, _ = mint("moj", frozenset(), START)
    later = START + timedelta(days=2)
    shown, ring, now = {
        "shortened": (text[:-1], Ring(kept), START),
        "other id": (other[:19] + text[19:], Ring(kept), START),
        "other secret": (text[:20] + other[20:], Ring(kept), START),
        "revoked": (text, Ring(ApiKey(**{**_fields(kept), "revoked_at": START})), START),
        "expired": (text, Ring(kept), later),
        "nonsense": ("lt_đ", Ring(kept), START),
        "empty": ("", Ring(kept), START),
    }[change]
    assert recognise(shown, ring, now) is None


def _fields(key: ApiKey) -> dict[str, object]:
    return {name: getattr(key, name) for name in ApiKey.__slots__}


@pytest.mark.parametrize(
    ("scopes", "shown", "reason"),
    [
        ({"inbox:moc"}, True, None),
        ({"inbox:moj"}, True, Reason.SCOPE),
        (set(), True, Reason.SCOPE),
        ({"inbox:moc"}, False, Reason.KEY),
    ],
)
def test_a_key_opens_only_what_its_scopes_name(scopes: set[str], shown: bool, reason: Reason | None) -> None:
    text, kept = mint("moc", frozenset(scopes), START)
    rule = Rule("inbox", scope="inbox:moc")
    found = access(Ring(kept)).admit(rule, Approach("10.0.0.1", key=text if shown else ""))
    assert denied(found) == reason
    if isinstance(found, Caller):
        assert found == Caller("moc", "10.0.0.1", "key", frozenset({"inbox:moc"}))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("SHA256:" + "AB:" * 31 + "AB", "sha256:" + "ab" * 32),
        ("CN=npsp, O=VPCP, C=VN", "CN=npsp,O=VPCP,C=VN"),
        ("CN=Bộ Xây dựng\\, Hà Nội,C=VN", "CN=Bộ Xây dựng\\, Hà Nội,C=VN"),
    ],
)
def test_a_pin_is_read_as_people_write_it(written: str, kept: str) -> None:
    assert pin(written).wanted == kept


@pytest.mark.parametrize("written", ["", "sha256:12", "npsp", "sha1:" + "a" * 40])
def test_what_is_no_pin_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"^write sha256:"):
        pin(written)


def test_addresses_of_both_kinds_are_told_apart() -> None:
    assert within(address("10.0.0.1"), networks(["::/0"])) is False
    assert within(None, networks(["0.0.0.0/0"])) is False
