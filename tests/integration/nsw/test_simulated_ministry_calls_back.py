"""The simulated ministry calls us over a real wire, by script and by its officers, and keeps a book of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.base import OutcomeKind
from adapters.nsw.options import Signatures
from adapters.nsw.signing import Signing
from adapters.receiving import Verdict
from tests.integration.nsw.desk import Desk, serving
from tests.integration.nsw.test_ministry_calls_back import said
from tests.unit.xmldsig.makers import signer, write_pem

CODE = "000.00.04.H96-261120-0001"


def until(done: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for something that happens in another thread."""
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)


def book(ministry: Any) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = ministry.simulator.screen("callbacks", {})
    return shown


def calls_back(ministry: Any, desk: Desk, **settings: Any) -> None:
    ministry.simulator.act("switch", {"call_back": {"url": desk.url, "resend_every_s": 0.02} | settings})


def wires(desk: Desk) -> list[str]:
    return [said(desk, number)["wire"] for number in range(len(desk.calls))]


def all_acknowledged(ministry: Any, count: int) -> None:
    until(lambda: len(book(ministry)) == count and all(one["acknowledged"] for one in book(ministry)))


def test_a_script_runs_waits_for_the_supplement_and_ends(ministry: Any) -> None:
    with serving() as desk:
        calls_back(ministry, desk, script=("21", "27", "05", "21", "23"))
        adapter = ministry.adapter()
        assert adapter.push(ministry.delivery()).kind is OutcomeKind.DELIVERED
        all_acknowledged(ministry, 2)
        assert wires(desk) == ["21", "27"]
        assert adapter.push(ministry.delivery(operation="supplement")).kind is OutcomeKind.DELIVERED
        all_acknowledged(ministry, 4)
        assert wires(desk) == ["21", "27", "21", "23"]
        times = [said(desk, number)["occurred_at"] for number in range(4)]
        assert times == sorted(set(times))
        assert {one.record.external_id for one in desk.calls} == {ministry.effects[0]["key"]}


@pytest.mark.parametrize(
    ("verb", "wire"),
    [("accept", "21"), ("refuse", "22"), ("complete", "23"), ("cancel", "24"), ("supplement", "27"), ("suspend", "35")],
)
def test_what_an_officer_decides_is_called_back(ministry: Any, verb: str, wire: str) -> None:
    with serving() as desk:
        calls_back(ministry, desk)
        ministry.adapter().push(ministry.delivery())
        ministry.simulator.act(verb, {"dossier_code": CODE, "reason": "thiếu chữ ký"})
        all_acknowledged(ministry, 1)
        assert wires(desk) == [wire]
        if wire not in ("21", "23"):
            assert said(desk)["note"] == "thiếu chữ ký"


def test_without_an_address_nobody_is_called(ministry: Any) -> None:
    ministry.adapter().push(ministry.delivery())
    ministry.simulator.act("complete", {"dossier_code": CODE})
    assert book(ministry) == []


def test_it_may_call_back_before_it_has_answered_us(ministry: Any) -> None:
    with serving() as desk:
        calls_back(ministry, desk, script=("21",), early=True)
        ministry.adapter().push(ministry.delivery())
        assert wires(desk) == ["21"]


def test_newest_first_means_out_of_order(ministry: Any) -> None:
    with serving() as desk:
        calls_back(ministry, desk, script=("21", "26", "23"), order="reversed")
        ministry.adapter().push(ministry.delivery())
        all_acknowledged(ministry, 3)
        assert wires(desk) == ["23", "26", "21"]


def test_copies_get_the_same_answer_and_are_one_call(ministry: Any) -> None:
    with serving() as desk:
        calls_back(ministry, desk, script=("21",), copies=3, faults=("twice",))
        ministry.adapter().push(ministry.delivery())
        until(lambda: len(book(ministry)[0]["attempts"]) == 8)
        assert len({attempt["answer"] for attempt in book(ministry)[0]["attempts"]}) == 1
        assert len(desk.calls) == 1


@pytest.mark.parametrize("fault", ["cut", "deaf", "wrong_action"])
def test_it_sends_again_until_it_has_read_a_99(ministry: Any, fault: str) -> None:
    with serving() as desk:
        calls_back(ministry, desk, script=("21",), faults=(fault, fault, ""))
        ministry.adapter().push(ministry.delivery())
        all_acknowledged(ministry, 1)
        (told,) = book(ministry)
        assert [attempt["fault"] for attempt in told["attempts"]] == [fault, fault, ""]
        assert len(desk.calls) == 1


def test_it_gives_up_after_its_last_attempt(ministry: Any) -> None:
    with serving() as desk:
        desk.refuses = "chưa nhận"
        calls_back(ministry, desk, script=("21",), resends=2)
        ministry.adapter().push(ministry.delivery())
        until(lambda: len(book(ministry)) == 1 and len(book(ministry)[0]["attempts"]) == 3)
        assert {attempt["function"] for attempt in book(ministry)[0]["attempts"]} == {"22"}
        assert book(ministry)[0]["attempts"][0]["named"] == book(ministry)[0]["message_id"]


def test_one_call_can_be_made_by_hand_also_with_a_used_id(ministry: Any) -> None:
    with serving() as desk:
        calls_back(ministry, desk)
        ministry.adapter().push(ministry.delivery())
        act = ministry.simulator.act
        first = act("call_back", {"dossier_code": CODE, "function": "21", "message_id": "BGTVT1"})
        second = act("call_back", {"dossier_code": CODE, "function": "22", "message_id": "BGTVT1", "reason": "nhầm"})
        assert first["acknowledged"]
        assert second["acknowledged"]
        assert desk.verdicts == [Verdict.NEW, Verdict.CHANGED]


def test_one_second_for_all_messages_of_a_dossier(ministry: Any) -> None:
    with serving() as desk:
        calls_back(ministry, desk, script=("21", "23"), same_second=True)
        ministry.adapter().push(ministry.delivery())
        all_acknowledged(ministry, 2)
        assert said(desk, 0)["occurred_at"] == said(desk, 1)["occurred_at"]


@pytest.mark.parametrize("mode", ["sign", "sign+require"])
def test_both_sides_sign_and_believe_one_another(ministry: Any, tmp_path: Path, mode: str) -> None:
    """Declaration, its acknowledgement, the call-back and its acknowledgement: four signed messages."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, name in ((ours, "Tỉnh thử nghiệm"), (theirs, "Bộ thử nghiệm")):
        folder.mkdir()
        write_pem(folder, signer(name))
    files = {"certificate": str(ours / "certificate.pem"), "key": str(ours / "key.pem")}
    province = {"mode": mode, **files, "pinned": [str(theirs / "certificate.pem")]}
    files = {"certificate": str(theirs / "certificate.pem"), "key": str(theirs / "key.pem")}
    ministry.simulator.act("switch", {"signatures": {"mode": mode, **files, "pinned": [province["certificate"]]}})
    with serving(Signing.of(Signatures.model_validate(province), lambda _: "")) as desk:
        calls_back(ministry, desk, script=("21",))
        outcome = ministry.adapter(signatures=province).push(ministry.delivery())
        assert outcome.kind is OutcomeKind.DELIVERED
        all_acknowledged(ministry, 1)
        assert wires(desk) == ["21"]
        assert b"SignatureValue" in ministry.requests[0].body
    ministry.adapter().push(ministry.delivery("000.00.04.H96-261120-0002"))
    assert len(ministry.effects) == (1 if mode == "sign+require" else 2)


def test_an_unsigned_answer_proves_nothing_where_signatures_are_required(ministry: Any, tmp_path: Path) -> None:
    certificate, key = (str(file) for file in write_pem(tmp_path, signer("Tỉnh thử nghiệm")))
    required = {"mode": "sign+require", "certificate": certificate, "key": key, "pinned": [certificate]}
    outcome = ministry.adapter(signatures=required).push(ministry.delivery())
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert outcome.reason == "contract broken: signature: there is none"
