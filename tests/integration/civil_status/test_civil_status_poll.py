"""Polls: batches, omissions, states, results, and a ministry that answers oddly."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from adapters.base import RawRecord, UnreadableRecord
from adapters.civil_status.registry_office import certificate
from adapters.simulation import FaultPlan, SimClock
from mappings.loader import load
from schemas.clock import ManualClock
from schemas.errors import (
    PortalContractError,
    PortalRefusedError,
    PortalUnavailableError,
    RecordInvalidError,
)

NUMBERS = [f"000.00.01.H96-261101-{order:04d}" for order in range(1, 8)]
ONE = NUMBERS[0]
STATE = load("civil_status/g2-2024").messages["state"]


def values(bench: Any) -> dict[str, Any]:
    """What the mapping reads from the one record of a pull."""
    ((record,),) = [page.records for page in bench.pages()]
    assert isinstance(record, RawRecord)
    return STATE.normalise(record.parts["state"]).values


def test_every_open_dossier_is_asked_once_in_batches_of_one_module(ministry: Any) -> None:
    bench = ministry()
    bench.declare(*NUMBERS[:4])
    bench.declare(*NUMBERS[4:], module="1.000656")
    pages = bench.pages()
    assert bench.states(pages) == dict.fromkeys(NUMBERS, "1")
    assert bench.calls() == 3
    assert all(len(page.records) <= 3 for page in pages)
    assert pages[0].total == 7


def test_a_restarted_adapter_finds_the_module_again(ministry: Any) -> None:
    bench = ministry()
    bench.declare(*NUMBERS[:2])
    bench.declare(*NUMBERS[2:4], module="1.000656")
    bench.adapter._modules.clear()
    assert bench.states() == dict.fromkeys(NUMBERS[:4], "1")
    before = bench.calls()
    bench.pages()
    assert bench.calls() - before == 2


def test_an_unchanged_dossier_is_seen_and_not_a_record(ministry: Any) -> None:
    bench = ministry()
    bench.declare(*NUMBERS[:2])
    bench.pages()
    bench.act("advance", number=ONE)
    (page,) = bench.pages()
    assert [record.external_id for record in page.records] == [ONE]
    assert page.seen == (NUMBERS[1],)


def test_a_round_goes_on_behind_the_dossiers_asked_before(ministry: Any) -> None:
    bench = ministry({"round_limit": 3, "batch": 2})
    bench.declare(*NUMBERS)
    cursor, asked = None, []
    for _ in range(3):
        pages = bench.pages(cursor)
        cursor = pages[-1].next_cursor
        asked += [sorted(bench.states(pages)) + [number for page in pages for number in page.seen]]
    assert [sorted(part) for part in asked] == [NUMBERS[:3], NUMBERS[3:6], [*NUMBERS[:2], NUMBERS[6]]]


def test_a_pull_resumed_after_an_outage_skips_nobody(ministry: Any) -> None:
    faults = FaultPlan(seed=1)
    bench = ministry({"batch": 2}, faults=faults)
    bench.declare(*NUMBERS)
    heard: dict[str, str] = {}
    pull = bench.adapter.pull(None)
    heard |= bench.states([page := next(pull)])
    for _ in range(3):
        faults.script("unavailable_503", on="read")
    page = next(pull)
    assert page.records == ()
    with pytest.raises(PortalUnavailableError):
        next(pull)
    heard |= bench.states(list(bench.adapter.pull(page.next_cursor)))
    assert sorted(heard) == NUMBERS


def test_a_poll_that_fails_once_is_asked_again_at_once(ministry: Any) -> None:
    faults = FaultPlan(seed=1)
    bench = ministry(faults=faults)
    bench.declare(ONE)
    for fault in ("unavailable_503", "garbage"):
        faults.script(fault, on="read")
    spent = bench.budget.taken
    assert bench.states() == {ONE: "1"}
    assert bench.budget.taken - spent == 3


@pytest.mark.parametrize("quirk", [{"foreign_rows": True}, {"repeat_rows": "same"}], ids=["R04-foreign", "R04-twice"])
def test_foreign_and_repeated_rows_change_nothing(ministry: Any, quirk: dict[str, Any]) -> None:
    bench = ministry(**quirk)
    bench.declare(*NUMBERS[:2])
    bench.act("create", number=NUMBERS[5], state="4")
    assert bench.states() == dict.fromkeys(NUMBERS[:2], "1")


@pytest.mark.parametrize("order", ["older_last", "newer_last"], ids=lambda order: f"R04-{order}")
def test_of_two_rows_for_one_number_the_newer_counts_wherever_it_stands(ministry: Any, order: str) -> None:
    bench = ministry()
    bench.declare(ONE)
    bench.act("advance", number=ONE)
    bench.switch(repeat_rows=order)
    assert bench.states() == {ONE: "3"}


def test_R04_two_different_rows_without_a_time_are_reported_once_and_decide_nothing(  # noqa: N802 - the case's id
    ministry: Any,
) -> None:
    bench = ministry(repeat_rows="no_time")
    bench.declare(ONE)
    bench.act("advance", number=ONE)
    cursor, records = None, []
    for _ in range(4):
        (page,) = bench.pages(cursor)
        cursor = page.next_cursor
        records += page.records
    (record,) = records
    assert isinstance(record, UnreadableRecord)
    assert "two different answers" in record.reason


def test_R04_an_omitted_number_keeps_its_state_and_is_neither_failed_nor_seen(  # noqa: N802 - the case's id
    ministry: Any,
) -> None:
    bench = ministry()
    bench.declare(ONE)
    bench.known.open.append(NUMBERS[3])
    pages = bench.pages()
    assert bench.states(pages) == {ONE: "1"}
    assert all(NUMBERS[3] not in page.seen for page in pages)
    assert bench.adapter.fetch(NUMBERS[3]) is None
    assert not bench.adapter.abilities.fetches


def test_R05_an_answer_without_a_state_is_reported_once_and_decides_nothing(ministry: Any) -> None:  # noqa: N802
    bench = ministry()
    bench.declare(ONE)
    bench.act("set_state", number=ONE, state="")
    (page,) = bench.pages()
    assert [type(record) for record in page.records] == [UnreadableRecord]
    (page,) = bench.pages(page.next_cursor)
    assert page.records == page.seen == ()


@pytest.mark.parametrize("state", ["5", "0", "04", "đang xem"], ids=lambda state: f"R05-{state}")
def test_an_unknown_state_is_handed_on_and_refused_by_the_mapping(ministry: Any, state: str) -> None:
    bench = ministry()
    bench.declare(ONE)
    bench.act("set_state", number=ONE, state=state)
    ((record,),) = [page.records for page in bench.pages()]
    assert record.parts["state"]["trangThai"] == state
    with pytest.raises(RecordInvalidError):
        STATE.normalise(record.parts["state"])


def test_a_completed_dossier_shows_its_certificate_by_digest_and_opens_it(ministry: Any) -> None:
    bench = ministry()
    bench.declare(ONE)
    bench.act("complete", number=ONE)
    ((record,),) = [page.records for page in bench.pages()]
    pdf = certificate(ONE)
    assert b"JVBERi0" not in orjson.dumps(record.parts["state"])
    (result,) = STATE.normalise(record.parts["state"]).values["results"]
    assert (result["digest"], result["size"]) == (hashlib.sha256(pdf).hexdigest(), len(pdf))
    assert result["number"]
    assert "quyển số" in result["note"]
    assert STATE.normalise(record.parts["state"]).unknown == ()
    opened = bench.adapter.open_file(result["reference"])
    assert (opened.stream.read(), opened.media_type, opened.size) == (pdf, "application/pdf", len(pdf))


def test_a_certificate_that_was_replaced_is_not_passed_off_as_the_one_announced(ministry: Any) -> None:
    bench = ministry()
    bench.declare(ONE)
    bench.act("complete", number=ONE)
    with pytest.raises(PortalContractError):
        bench.adapter.open_file(f"{'0' * 64}:giayKhaiSinh:{ONE}")
    with pytest.raises(PortalRefusedError):
        bench.adapter.open_file("something else")


@pytest.mark.parametrize("result", ["null", "empty", "broken", "not_pdf"], ids=lambda result: f"R06-{result}")
def test_a_completed_dossier_without_a_readable_result_waits_then_a_person_is_told_once(
    ministry: Any, result: str
) -> None:
    bench = ministry({"result_patience": 3}, result=result)
    bench.declare(ONE)
    bench.act("complete", number=ONE)
    cursor, told = None, []
    for _ in range(6):
        (page,) = bench.pages(cursor)
        cursor = page.next_cursor
        told.append([type(record) for record in page.records])
        assert page.seen == ()
    assert told == [[], [], [UnreadableRecord], [], [], []]
    with pytest.raises(PortalContractError):
        bench.adapter.fetch(ONE)
    bench.switch(result="pdf")
    (page,) = bench.pages(cursor)
    assert bench.states([page]) == {ONE: "4"}
    assert orjson.loads(page.next_cursor)["tries"] == {}


@pytest.mark.parametrize(("first", "then"), [("4", "2"), ("6", "3")], ids=["R07-4-to-2", "R07-6-to-3"])
def test_a_state_that_goes_back_is_handed_on_as_it_is(ministry: Any, first: str, then: str) -> None:
    bench = ministry()
    bench.declare(ONE)
    for state in (first, then):
        bench.act("set_state", number=ONE, state=state)
        assert bench.states() == {ONE: state}


def test_R08_a_missing_deadline_stays_missing(ministry: Any) -> None:  # noqa: N802 - the case's id
    bench = ministry(no_supplement_deadline=True)
    bench.declare(ONE)
    bench.act("supplement", number=ONE)
    assert "due_at" not in values(bench)["state"]
    bench.switch(no_supplement_deadline=False)
    assert values(bench)["state"]["due_at"] > datetime.now(UTC) + timedelta(days=8)


@pytest.mark.parametrize("form", ["dmy_hms", "iso", "dmy", "dots", "digits", "null"], ids=lambda form: f"R09-{form}")
def test_a_time_in_any_attested_form_is_vietnam_time_and_null_is_no_time(ministry: Any, form: str) -> None:
    clock = SimClock(source=ManualClock(datetime(2026, 11, 1, 20, 30, 5, tzinfo=UTC)))
    bench = ministry(time_form=form, clock=clock)
    bench.declare(ONE)
    bench.act("advance", number=ONE)
    read = values(bench)["state"].get("occurred_at")
    if form in ("dmy_hms", "iso"):
        assert read == datetime(2026, 11, 1, 20, 30, 5, tzinfo=UTC)
    elif form == "null":
        assert read is None
    else:
        assert read == datetime(2026, 11, 1, 17, 0, tzinfo=UTC)


def test_R10_an_address_without_a_district_is_no_problem(ministry: Any) -> None:  # noqa: N802 - the case's id
    bench = ministry()
    bench.declare(ONE)
    bench.act("complete", number=ONE)
    ((record,),) = [page.records for page in bench.pages()]
    assert record.parts["state"]["ketQuaXuLy"]["nycNoiCuTru"]["maHuyen"] == ""
    assert STATE.normalise(record.parts["state"]).values["state"]["status"] == "completed"


@pytest.mark.parametrize("in_content", [False, True], ids=["R12-ghiChu", "R12-noiDungXuLy"])
def test_the_reason_of_a_refusal_is_read_from_either_field(ministry: Any, in_content: bool) -> None:
    bench = ministry(note_in_content=in_content)
    bench.declare(ONE)
    bench.act("refuse", number=ONE, note="Thiếu giấy chứng sinh")
    assert values(bench)["state"]["note"] == "Thiếu giấy chứng sinh"


def test_R13_one_bad_dossier_does_not_hide_the_others_of_its_batch(ministry: Any) -> None:  # noqa: N802 - the case's id
    bench = ministry({"result_patience": 2})
    bench.declare(*NUMBERS[:6])
    bench.act("spoil", number=NUMBERS[1])
    pages = bench.pages()
    assert bench.states(pages) == dict.fromkeys([ONE, *NUMBERS[2:6]], "1")
    pages = bench.pages(pages[-1].next_cursor)
    (told,) = [record for page in pages for record in page.records]
    assert isinstance(told, UnreadableRecord)
    assert told.external_id == NUMBERS[1]


def test_R13_a_batch_that_fails_down_to_the_last_is_the_portals_failure_and_the_next_pull_goes_on_behind_it(  # noqa: N802
    ministry: Any,
) -> None:
    bench = ministry()
    bench.declare(*NUMBERS[:6])
    for number in NUMBERS[:3]:
        bench.act("spoil", number=number)
    pages = []
    with pytest.raises(PortalRefusedError):
        for page in bench.adapter.pull(None):
            pages.append(page)  # noqa: PERF402 - the pages before the error are what is looked at
    heard = bench.states(list(bench.adapter.pull(pages[-1].next_cursor)))
    assert heard == dict.fromkeys(NUMBERS[3:6], "1")


def test_a_batch_limit_of_the_ministry_is_met_by_halving(ministry: Any) -> None:
    bench = ministry({"batch": 7}, batch_limit=3)
    bench.declare(*NUMBERS)
    assert bench.states() == dict.fromkeys(NUMBERS, "1")


def test_R14_a_failing_back_end_is_transient_for_a_poll(ministry: Any) -> None:  # noqa: N802 - the case's id
    bench = ministry()
    bench.declare(ONE)
    bench.act("soap_fault", calls=1)
    with pytest.raises(PortalUnavailableError):
        bench.pages()
    assert bench.states() == {ONE: "1"}


@pytest.mark.parametrize("spoil", ["doubled_key", "nan"], ids=lambda spoil: f"R15-{spoil}")
def test_json_that_two_readers_read_differently_is_refused(ministry: Any, spoil: str) -> None:
    bench = ministry(spoil=spoil)
    bench.declare(ONE)
    with pytest.raises(PortalContractError):
        bench.pages()
    bench.switch(spoil="no")
    assert bench.states() == {ONE: "1"}


@pytest.mark.parametrize("times", [1, 2], ids=lambda times: f"R03-{times}-times")
def test_a_value_serialised_into_a_string_is_unwrapped(ministry: Any, times: int) -> None:
    bench = ministry(nesting=times)
    bench.declare(ONE)
    assert bench.states() == {ONE: "1"}


def test_R03_xml_where_json_was_expected_breaks_the_contract(ministry: Any) -> None:  # noqa: N802 - the case's id
    bench = ministry(nesting="xml")
    bench.declare(ONE)
    with pytest.raises(PortalContractError, match="XML"):
        bench.pages()


def test_a_wrong_province_is_refused_at_once_and_not_bisected(ministry: Any) -> None:
    bench = ministry({"province_code": "79"})
    bench.declare(*NUMBERS[:3])
    with pytest.raises(PortalRefusedError):
        bench.pages()
    assert bench.calls() == 1


def test_a_ministry_that_returns_nothing_for_an_unknown_module_is_an_omission(ministry: Any) -> None:
    bench = ministry({"modules": {"1.001193": "KS"}}, unknown_module="nothing", modules=("LTKS",))
    bench.act("create", number=ONE, module="LTKS")
    bench.known.open.append(ONE)
    assert bench.states() == {}


def test_the_script_takes_dossiers_through_their_states_by_the_portals_own_time(ministry: Any) -> None:
    source = ManualClock(datetime(2026, 11, 1, 2, 0, tzinfo=UTC))
    script = {"step_s": 3600, "supplement_every": 3, "refuse_every": 4}
    bench = ministry(clock=SimClock(source=source), script=script, token_lifetime_s=1_000_000)
    bench.declare(*NUMBERS)
    assert set(bench.states().values()) == {"1"}
    source.advance(4 * 3600)
    final = bench.states()
    assert set(final.values()) <= {"4", "6"}
    paths = {tuple(step["state"] for step in dossier["states"]) for dossier in bench.simulator.screen("dossiers", {})}
    assert paths <= {("3", "4"), ("2", "3", "4"), ("6",)}
    assert len(paths) > 1
