"""What every receiver must do, as a suite to subclass: pure answers, one identity for a repeat, no bytes that break it.

class TestReceivers(ReceiverConformance):
    @pytest.fixture
    def called(self) -> ReceiverBench:
        return ReceiverBench(adapter.receivers(), [Sample("push", GOOD, repeats=[...], changes=[...])], secrets=[...])
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from adapters.conformance.checks import expect
from adapters.receiving import InboundCall, InboundReply, InboundRequest, Question, Receiver, Reception, Verdict

AT = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE: tuple[bytes, ...] = (
    b"",
    b" ",
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'"text"',
    b"[[]]",
    b"{",
    b'{"a":',
    b"\xef\xbb\xbf",
    b"\xff\xfe\x00",
    b"\x00" * 64,
    b'{"a":"\\ud800"}',
    b'{"a":NaN}',
    b"[" * 5000,
    b'{"a":' * 5000,
    b'{"data":' * 200 + b"1" + b"}" * 200,
    b"<!DOCTYPE html><html></html>",
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    b"<a>" * 5000,
    b"%PDF-1.7",
    b"a=b&c=d",
    b"9" * 5000,
    b"1e999",
)
"""Bodies that no portal should send and some do."""


def request(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "",
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    at: datetime = AT,
) -> InboundRequest:
    """One call with this body."""
    return InboundRequest(method, path, query or {}, headers or {}, body, at)


@dataclass(frozen=True, slots=True)
class Sample:
    """A good call of the receiver `name`, other spellings of the same thing, and other things under the same key."""

    name: str
    good: InboundRequest
    repeats: Sequence[InboundRequest] = ()
    changes: Sequence[InboundRequest] = ()


@dataclass(frozen=True, slots=True)
class ReceiverBench:
    """The receivers of one adapter with samples of each; `secrets` are texts that no answer and no error may hold.

    `found` is what the gateway finds for a question, by the question's name.
    """

    receivers: Sequence[Receiver]
    samples: Sequence[Sample]
    secrets: Sequence[str] = ()
    found: Mapping[str, object] | None = None

    def of(self, name: str) -> Receiver:
        """The receiver of that name."""
        return next(receiver for receiver in self.receivers if receiver.name == name)


def receptions(bench: ReceiverBench, asked: str = "") -> list[Reception]:
    """Every verdict a receiver may have to word."""
    found = (bench.found or {}).get(asked)
    codes = ("", "unreadable", "procedure", "agency", "file", "busy", "a code nobody knows")
    return [
        *(Reception(verdict, AT, reason="reason", code=code) for verdict in Verdict for code in codes),
        Reception(Verdict.ANSWERED, AT, found=found),
    ]


class ReceiverConformance:
    """Every promise of a receiver, as tests."""

    def test_names_paths_and_methods_are_sound(self, called: ReceiverBench) -> None:
        """Names are unique; paths have no slashes at the ends and are not shared; methods are HTTP verbs."""
        names = [receiver.name for receiver in called.receivers]
        expect(len(set(names)) == len(names), "two receivers have one name")
        paths = [path for receiver in called.receivers for path in receiver.paths]
        expect(len(set(paths)) == len(paths), "two receivers listen at one path")
        expect(all(path == path.strip("/") and path for path in paths), "a path is empty or has slashes at its ends")
        for receiver in called.receivers:
            expect(
                bool(receiver.methods) and all(verb.isupper() for verb in receiver.methods), "methods are HTTP verbs"
            )
            expect(receiver.patience_s > 0, "patience is some time")

    def test_every_receiver_has_a_sample(self, called: ReceiverBench) -> None:
        """What was not tried is not known."""
        expect({sample.name for sample in called.samples} == {one.name for one in called.receivers}, "no sample")

    def test_a_good_call_is_taken_apart(self, called: ReceiverBench) -> None:
        """A sample is a call or a question; a call has key, digest and a record with what was sent."""
        for sample in called.samples:
            said = called.of(sample.name).read(sample.good)
            expect(isinstance(said, InboundCall | Question), f"{sample.name}: {said}")
            if isinstance(said, InboundCall):
                expect(bool(said.key and said.digest and said.record.parts), f"{sample.name}: no key, digest or parts")
                expect(said.record.raw == sample.good.body, f"{sample.name}: the raw bytes are not those that came")
                expect(said.record.read_at == sample.good.at, f"{sample.name}: read at another time than it came")

    def test_reading_is_pure(self, called: ReceiverBench) -> None:
        """The same call gives the same key and digest, whenever it comes."""
        for sample in called.samples:
            receiver = called.of(sample.name)
            later = replace(sample.good, at=sample.good.at + timedelta(days=1))
            for again in (sample.good, later, *sample.repeats):
                _expect_same(sample.name, receiver.read(sample.good), receiver.read(again))

    def test_other_content_is_another_version_under_the_same_key(self, called: ReceiverBench) -> None:
        """Never a second thing, and never taken for a repeat."""
        for sample in called.samples:
            receiver, first = called.of(sample.name), None
            for changed in sample.changes:
                first, other = receiver.read(sample.good), receiver.read(changed)
                ok = isinstance(first, InboundCall) and isinstance(other, InboundCall)
                expect(ok, f"{sample.name}: a change is no call: {other}")
                if isinstance(first, InboundCall) and isinstance(other, InboundCall):
                    expect(first.key == other.key, f"{sample.name}: a change has another key")
                    expect(first.digest != other.digest, f"{sample.name}: a change was taken for a repeat")

    def test_every_verdict_has_an_answer_and_it_is_pure(self, called: ReceiverBench) -> None:
        """Equal arguments give equal bytes; nothing is raised for any verdict."""
        for sample in called.samples:
            for reply, again in self._replies(called, sample):
                expect(reply == again, f"{sample.name}: the answer is not pure")
                expect(200 <= reply.status < 600 and reply.status != 500, f"{sample.name}: status {reply.status}")

    def test_answers_and_refusals_hold_nothing_personal(self, called: ReceiverBench) -> None:
        """No answer, and no reason of a refusal, quotes the call."""
        for sample in called.samples:
            shown = b"".join(reply.body for reply, _ in self._replies(called, sample)).decode("utf-8", "replace")
            shown += repr(sample.good)
            for cut in range(0, len(sample.good.body), max(1, len(sample.good.body) // 40)):
                shown += repr(called.of(sample.name).read(replace(sample.good, body=sample.good.body[:cut])))
            for secret in called.secrets:
                expect(secret not in shown, f"{sample.name}: something personal is shown")

    def test_no_bytes_make_a_receiver_raise(self, called: ReceiverBench, rounds: int = 300) -> None:
        """Hostile and damaged bodies are read, and answered, without an exception."""
        lot = random.Random(7)
        for sample in called.samples:
            receiver = called.of(sample.name)
            for body in (*HOSTILE, *(damaged(sample.good.body, lot) for _ in range(rounds))):
                call = replace(sample.good, body=body)
                receiver.read(call)
                receiver.reply(call, Reception(Verdict.UNREADABLE, AT, "reason", "unreadable"))

    def _replies(self, called: ReceiverBench, sample: Sample) -> list[tuple[InboundReply, InboundReply]]:
        receiver = called.of(sample.name)
        said = receiver.read(sample.good)
        asked = said.name if isinstance(said, Question) else ""
        told = receptions(called, asked)
        return [(receiver.reply(sample.good, one), receiver.reply(sample.good, one)) for one in told]


def damaged(body: bytes, lot: random.Random) -> bytes:
    """The same bytes with some cut, doubled, changed or moved."""
    data = bytearray(body)
    for _ in range(lot.randint(1, 6)):
        at, size = lot.randrange(len(data) + 1), lot.randint(1, 12)
        match lot.randrange(5):
            case 0:
                del data[at : at + size]
            case 1:
                data[at:at] = lot.randbytes(size)
            case 2:
                data[at : at + size] = lot.choice([b'"', b"{", b"}", b"null", b"[]", b"-1", b'":"', b"\\u0000", b"1e9"])
            case 3:
                data[at:at] = data[at // 2 : at // 2 + size * 4]
            case _:
                del data[at:]
    return bytes(data)


def _expect_same(name: str, first: object, again: object) -> None:
    if isinstance(first, InboundCall):
        same = isinstance(again, InboundCall) and (first.key, first.digest) == (again.key, again.digest)
    else:
        same = first == again
    expect(same, f"{name}: the same thing told again was taken for another: {type(again).__name__}")
