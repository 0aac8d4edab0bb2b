"""The receivers' suite fails for receivers that break a promise; each breaks one."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest

from adapters.base import RawRecord
from adapters.conformance.checks import ConformanceError
from adapters.conformance.receiving import ReceiverBench, ReceiverConformance, Sample, request
from adapters.receiving import InboundCall, InboundReply, InboundRequest, Question, Reception, Unreadable, Verdict

PERSON = "CÔNG DÂN THỬ NGHIỆM 01"
GOOD = {"code": "A-1", "name": PERSON}
_TURNS: Iterator[int] = itertools.count()


@dataclass(frozen=True)
class Sound:
    """A receiver in small that keeps every promise."""

    name: str = "push"
    paths: tuple[str, ...] = ("push",)
    methods: tuple[str, ...] = ("POST",)
    repeats_first_answer: bool = False
    patience_s: float = 5.0

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        try:
            fields: Any = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return Unreadable("not JSON")
        if not isinstance(fields, dict) or not isinstance(fields.get("code"), str) or not fields["code"]:
            return Unreadable("no code")
        record = RawRecord(fields["code"], {"push": fields}, request.body, request.at)
        return InboundCall(fields["code"], orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).hex(), record)

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        said = {Verdict.NEW: 0, Verdict.REPEATED: 1, Verdict.CHANGED: 1}.get(reception.verdict, -1)
        return InboundReply(orjson.dumps({"error_code": said}))


class Raises(Sound):
    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        orjson.loads(request.body)
        return super().read(request)


class KnowsARepeatByItsTime(Sound):
    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        said = super().read(request)
        return replace(said, digest=said.digest + request.at.isoformat()) if isinstance(said, InboundCall) else said


class TakesAChangeForARepeat(Sound):
    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        said = super().read(request)
        return replace(said, digest="same") if isinstance(said, InboundCall) else said


class GivesAChangeAnotherKey(Sound):
    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        said = super().read(request)
        return replace(said, key=said.digest) if isinstance(said, InboundCall) else said


class ChangesTheBytes(Sound):
    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        said = super().read(request)
        if not isinstance(said, InboundCall):
            return said
        return replace(said, record=replace(said.record, raw=request.body.strip() + b" "))


class AnswersByTheClock(Sound):
    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        return InboundReply(orjson.dumps({"error_code": 0, "turn": next(_TURNS)}))


class QuotesTheCall(Sound):
    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        return InboundReply(request.body)


class KnowsNotEveryVerdict(Sound):
    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        return InboundReply(orjson.dumps({"error_code": {Verdict.NEW: 0, Verdict.REPEATED: 1}[reception.verdict]}))


class SaysThatItIsItsOwnFault(Sound):
    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        return InboundReply(b"", status=500)


BROKEN = [
    Raises(), KnowsARepeatByItsTime(), TakesAChangeForARepeat(), GivesAChangeAnotherKey(), ChangesTheBytes(),
    AnswersByTheClock(), QuotesTheCall(), KnowsNotEveryVerdict(), SaysThatItIsItsOwnFault(), Sound(paths=("/push/",)),
    Sound(methods=("post",)),
]  # fmt: skip
CHECKS = [name for name, _ in inspect.getmembers(ReceiverConformance, inspect.isfunction) if name.startswith("test_")]


def bench_of(receiver: Sound) -> ReceiverBench:
    call, changed = (request(orjson.dumps(fields)) for fields in (GOOD, GOOD | {"more": 1}))
    spaced = request(orjson.dumps(GOOD, option=orjson.OPT_INDENT_2))
    return ReceiverBench([receiver], [Sample("push", call, [spaced], [changed])], secrets=[PERSON])


def failures(receiver: Sound) -> list[str]:
    failed = []
    for name in CHECKS:
        try:
            getattr(ReceiverConformance(), name)(bench_of(receiver))
        except (ConformanceError, orjson.JSONDecodeError, KeyError):
            failed.append(name)
    return failed


def test_a_sound_receiver_passes() -> None:
    assert failures(Sound()) == []


@pytest.mark.parametrize("receiver", BROKEN, ids=lambda receiver: type(receiver).__name__)
def test_a_broken_receiver_is_caught(receiver: Sound) -> None:
    assert failures(receiver) != []
