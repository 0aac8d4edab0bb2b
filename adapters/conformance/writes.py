"""Promises about writing: delivered only by a parsed yes, lost answers unknown, repeats as declared, nothing late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from adapters.base import Operation, Outcome, OutcomeKind, Presence, ProbeStrength, Repeat
from adapters.conformance.bench import Bench
from adapters.conformance.checks import (
    DECOMPOSED,
    VIETNAMESE,
    attempt,
    declared_missing,
    delivered,
    expect,
    no_single_effect,
    operations,
    promise,
    push,
    warm,
    words_of,
)
from schemas.errors import PortalError

LOST_AFTER = ("reset_after", "truncate", "delay", "drip")
MEANINGLESS = ("html_200", "garbage", "empty_200", "wrong_namespace")
SAYING_NOTHING = (*MEANINGLESS, "reset_before", "unavailable_503")
_EITHER = frozenset({"html_200", "garbage", "empty_200"})
_THREADS = 8


class WritePromises:
    """Checks of `push` and `probe`; each takes a fresh bench."""

    @promise
    def test_a_healthy_portal_delivers_once(self, bench: Bench) -> None:
        """Each operation is delivered by words that prove it, with one effect in the portal's book."""
        for operation in operations(bench):
            delivery = bench.delivery(operation.name, tag=operation.name)
            outcome = delivered(bench, delivery)
            expect(bool(outcome.proof), f"{operation.name}: delivered without saying which words proved it")
            expect(bool(outcome.answer), f"{operation.name}: the raw answer was not kept")
            _expect_effects(bench, operation, 1, bench.effects(delivery))

    @promise
    def test_the_same_key_twice_has_the_effect_its_operation_declares(self, bench: Bench) -> None:
        """A byte-for-byte repeat is harmless, refused as a duplicate, or doubles: as declared, seen in the book."""
        for operation in operations(bench):
            delivery = bench.delivery(operation.name, tag=operation.name)
            delivered(bench, delivery)
            second, effects = push(bench, replace(delivery, attempt=2)), bench.effects(delivery)
            match operation.repeat:
                case Repeat.SAFE:
                    kinds = (OutcomeKind.DELIVERED, OutcomeKind.UNKNOWN)
                    expect(second.kind in kinds, f"{operation.name} is declared safe, its repeat was {second.kind}")
                    expect(
                        effects == 1 or no_single_effect(operation),
                        f"{operation.name} is declared safe, its repeat had effect {effects} times",
                    )
                case Repeat.REFUSED_AS_DUPLICATE:
                    # Delivered where the kind's table counts "already received" as there; the flag is owed either way.
                    told = second.kind in (OutcomeKind.REFUSED, OutcomeKind.DELIVERED) and second.duplicate
                    expect(told, f"{operation.name}: a duplicate was not told as such: {second.kind}")
                    expect(effects == 1, f"{operation.name}: a refused duplicate had effect {effects} times")
                case Repeat.MOVES_DATES:  # an adapter may look first and send nothing
                    expect(1 <= effects <= 2, f"{operation.name}: {effects} effects of two pushes")
                case Repeat.APPENDS:
                    expect(effects == 2, f"{operation.name}: the repeat did not reach the portal: {effects}")
                case Repeat.UNKNOWN:
                    expect(effects >= 1, f"{operation.name}: no effect at all")

    @promise
    def test_a_refused_connection_is_retry(self, bench: Bench) -> None:
        """Not opened is known not to have worked; afterwards the same delivery goes through, once."""
        for operation in operations(bench):
            delivery = bench.delivery(operation.name, tag=operation.name)
            warm(bench)
            bench.go_down()
            outcome = push(bench, delivery)
            bench.come_up()
            expect(outcome.kind is OutcomeKind.RETRY, f"{operation.name}: not opened became {outcome.kind}")
            delivered(bench, delivery)
            _expect_effects(bench, operation, 1, bench.effects(delivery))

    @promise
    def test_a_lost_answer_is_unknown(self, bench: Bench) -> None:
        """An answer lost after the effect is unknown, and push itself never sends again."""
        for operation, fault, outcome, effects in _struck(bench, LOST_AFTER):
            expect(outcome.kind is OutcomeKind.UNKNOWN, f"{operation.name}, {fault}: became {outcome.kind}")
            expect(effects == 1, f"{operation.name}, {fault}: push had effect {effects} times in one attempt")

    @promise
    def test_nothing_is_delivered_without_a_parsed_yes(self, bench: Bench) -> None:
        """A web page, noise, no body, a foreign namespace, a reset or 503 says nothing: neither yes nor no."""
        for before in (True, False):
            for operation, fault, outcome, effects in _struck(bench, SAYING_NOTHING, before=before):
                allowed = {OutcomeKind.UNKNOWN}
                if fault == "unavailable_503" and effects == 0:
                    allowed.add(OutcomeKind.RETRY)  # where the kind's table knows that its 503 did nothing
                expect(outcome.kind in allowed, f"{operation.name}, {fault}: became {outcome.kind}: {outcome.reason}")

    @promise
    def test_too_many_requests_is_retry_and_says_when(self, bench: Bench) -> None:
        """429 is known not to have worked, and Retry-After is honoured as seconds and as a date."""
        for operation in operations(bench):
            for form in ("seconds", "date"):
                delivery = bench.delivery(operation.name, tag=f"{operation.name}-{form}")
                warm(bench)
                if not bench.hurt("too_many_429", on="effect"):
                    return
                outcome = push(bench, delivery)
                expect(outcome.kind is OutcomeKind.RETRY, f"{operation.name}: 429 became {outcome.kind}")
                wait_s = outcome.not_before_s
                expect(wait_s is not None and 0 <= wait_s <= 60, f"{operation.name}: Retry-After as {form}: {wait_s}")
                expect(bench.effects(delivery) == 0, f"{operation.name}: 429 and yet an effect")

    @promise
    def test_nothing_is_sent_after_send_by(self, bench: Bench) -> None:
        """A lease that has run out sends nothing and says so."""
        for operation in operations(bench):
            delivery = bench.delivery(operation.name, tag=operation.name, send_by_s=-1.0)
            outcome = push(bench, delivery)
            expect(bench.effects(delivery) == 0, f"{operation.name}: sent after its send-by instant")
            expect(outcome.kind is OutcomeKind.RETRY, f"{operation.name}: not sent became {outcome.kind}")

    @promise
    def test_text_written_arrives_letter_for_letter(self, bench: Bench) -> None:
        """Vietnamese letters, composed and decomposed, and signs that wires escape arrive as they were given."""
        for operation in operations(bench):
            for number, text in enumerate((VIETNAMESE, DECOMPOSED)):
                delivery = bench.delivery(operation.name, tag=f"{operation.name}-{number}", text=text)
                delivered(bench, delivery)
                if (held := bench.held_text(delivery)) is None:
                    declared_missing(bench, f"free text in {operation.name}")
                else:
                    expect(text in held, f"{operation.name}: {text!r} arrived as {held!r}")

    @promise
    def test_a_probe_tells_what_its_operation_declares(self, bench: Bench) -> None:
        """Absent before, present after; a content probe tells other content apart; none tells nothing."""
        for operation in operations(bench):
            delivery = bench.delivery(operation.name, tag=operation.name)
            before = bench.adapter.probe(delivery).presence
            delivered(bench, delivery)
            after = bench.adapter.probe(delivery).presence
            if operation.probe is ProbeStrength.NONE:
                declared_missing(bench, f"probe of {operation.name}")
                silent = before is after is Presence.CANNOT_TELL
                expect(silent, f"{operation.name} declares no probe, which told {before}, {after}")
                continue
            expect(before is not Presence.PRESENT, f"{operation.name}: present before it was sent")
            expect(after is Presence.PRESENT, f"{operation.name}: {after} after it was delivered")
            if operation.probe is ProbeStrength.CONTENT or operation.creates:
                expect(before is Presence.ABSENT, f"{operation.name}: {before} before it was sent")
            if operation.probe is ProbeStrength.CONTENT:
                other = bench.adapter.probe(bench.delivery(operation.name, tag=operation.name, text="khác")).presence
                expect(other is not Presence.PRESENT, f"{operation.name}: other content was told as present")

    @promise
    def test_a_failed_probe_says_nothing(self, bench: Bench) -> None:
        """A probe whose question broke raises or cannot tell: never absent, which would send again."""
        for operation in operations(bench):
            if operation.probe is ProbeStrength.NONE:
                continue
            delivery = bench.delivery(operation.name, tag=operation.name)
            delivered(bench, delivery)
            for fault in (*MEANINGLESS, "reset_before", "truncate", "unavailable_503", "too_many_429"):
                if not bench.hurt(fault):
                    continue
                probe = attempt(lambda delivery=delivery: bench.adapter.probe(delivery))  # type: ignore[misc]
                told = None if isinstance(probe, PortalError) else probe.presence
                expect(told is not Presence.ABSENT, f"{operation.name}, {fault}: told absent by a broken answer")

    @promise
    def test_an_expired_session_costs_no_second_effect(self, bench: Bench) -> None:
        """A session dropped by the portal is renewed once; the write is done once or known not to be done."""
        for operation in operations(bench):
            delivery = bench.delivery(operation.name, tag=operation.name)
            warm(bench)
            if not bench.hurt("expired_session", on="effect"):
                declared_missing(bench, "sessions")
                return
            outcome, effects = push(bench, delivery), bench.effects(delivery)
            right = {OutcomeKind.DELIVERED: 1, OutcomeKind.RETRY: 0}
            expect(outcome.kind in right, f"{operation.name}: an expired session became {outcome.kind}")
            expect(effects == right[outcome.kind], f"{operation.name}: {outcome.kind} with {effects} effects")

    @promise
    def test_nothing_secret_is_said(self, bench: Bench) -> None:
        """Errors, their tracebacks and outcomes hold no password, token, person or body."""
        secrets = (*bench.secrets, "THỬ NGHIỆM BÍ MẬT")
        faults = (*SAYING_NOTHING, "delay", "truncate", "too_many_429")
        for operation, fault, outcome, _ in _struck(bench, faults, text=secrets[-1]):
            _expect_no_secret(secrets, f"{operation.name}, {fault}", outcome)
        for fault in ("delay", "reset_before", "truncate", "html_200", "garbage", "unavailable_503"):
            for read in (bench.adapter.ping, lambda: bench.adapter.fetch(bench.unknown_id())):
                if bench.hurt(fault) and isinstance(error := attempt(read), PortalError):
                    _expect_no_secret(secrets, f"a read, {fault}", error)

    @promise
    def test_eight_threads_share_one_adapter(self, bench: Bench) -> None:
        """A portal's pool shares one adapter: every delivery delivered, every effect once."""
        for operation in operations(bench):
            deliveries = [bench.delivery(operation.name, tag=f"{operation.name}{n}") for n in range(2 * _THREADS)]
            with ThreadPoolExecutor(_THREADS) as pool:
                outcomes = list(pool.map(bench.adapter.push, deliveries))
            kinds = {outcome.kind for outcome in outcomes}
            expect(kinds == {OutcomeKind.DELIVERED}, f"{operation.name}: under eight threads {kinds}")
            for delivery in deliveries:
                _expect_effects(bench, operation, 1, bench.effects(delivery))


def _expect_effects(bench: Bench, operation: Operation, wanted: int, seen: int) -> None:
    expect(seen == wanted, f"{bench.kind} {operation.name}: {seen} effects in the book, {wanted} expected")


def _struck(
    bench: Bench, faults: tuple[str, ...], *, text: str = "", before: bool | None = None
) -> list[tuple[Operation, str, Outcome, int]]:
    """Push one fresh delivery for each operation and fault; give outcome and effects."""
    results = []
    for operation in operations(bench):
        for fault in faults:
            delivery = bench.delivery(operation.name, tag=f"{operation.name}-{fault}", text=text)
            warm(bench)
            either = before if fault in _EITHER else None
            if bench.hurt(fault, on="effect", before=either):
                results.append((operation, fault, push(bench, delivery), bench.effects(delivery)))
    return results


def _expect_no_secret(secrets: tuple[str, ...], where: str, result: PortalError | Outcome) -> None:
    words = words_of(result)
    for secret in secrets:
        expect(secret not in words, f"{where}: an error or outcome holds a secret of {len(secret)} letters")
