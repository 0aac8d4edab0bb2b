"""Reads from the national portal: look-ups that never lie about absence, catalogues, polling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import EventIdentity, ProbeStrength, Repeat
from schemas.clock import ManualClock
from schemas.errors import PortalContractError, PortalError, PortalRefusedError

NUMBER = "H56.14-261101-00001"
Make = Callable[..., Any]


def test_a_look_up_gives_the_row_or_absence(bench: Any) -> None:
    assert bench.adapter.fetch(NUMBER) is None
    bench.seed()
    record = bench.adapter.fetch(NUMBER)
    assert record.parts == {"lookup": {"MAHOSO": NUMBER, "TRANGTHAIHOSO": "2", "MATTHC": "1.001193"}}
    assert NUMBER.encode() in record.raw
    bench.act("set_status", MaHoSo=NUMBER, status="9")
    drifted = bench.adapter.fetch(NUMBER)
    assert drifted.parts["lookup"]["TRANGTHAIHOSO"] == "9"
    assert drifted.list_digest != record.list_digest


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("shape", ["missing", "null", "object", "string"])
def test_npsp_06_a_misshapen_result_breaks_the_contract_and_is_never_absence(
    make_bench: Make, shape: str, there: bool
) -> None:
    bench = make_bench({"read_shape": shape})
    if there:
        bench.seed()
    with pytest.raises(PortalContractError):
        bench.adapter.fetch(NUMBER)
    with pytest.raises(PortalContractError):
        bench.probe()


def test_npsp_06_rows_under_data_are_read(make_bench: Make) -> None:
    bench = make_bench({"read_shape": "data"})
    assert bench.adapter.fetch(NUMBER) is None
    bench.seed()
    assert bench.adapter.fetch(NUMBER) is not None


@pytest.mark.parametrize("key", ["MAHOSO", "MaHoSo", "mahoso", "SOHOSO"])
def test_npsp_08_the_number_in_a_row_is_read_in_any_case(make_bench: Make, key: str) -> None:
    bench = make_bench({"lookup_code_key": key})
    bench.seed()
    assert bench.adapter.fetch(NUMBER).parts["lookup"][key] == NUMBER


def test_rows_of_another_dossier_are_neither_presence_nor_absence(bench: Any) -> None:
    bench.simulator.holdings.look_up = lambda code: [{"MAHOSO": "H56-another"}]
    with pytest.raises(PortalContractError, match="other dossiers"):
        bench.adapter.fetch(NUMBER)


@pytest.mark.parametrize(
    "fault", ["reset_before", "truncate", "html_200", "garbage", "too_many_429", "unavailable_503"]
)
def test_a_fault_is_never_absence(bench: Any, fault: str) -> None:
    bench.adapter.ping()
    bench.server.faults.script(fault, on="read")
    try:
        assert bench.adapter.fetch(NUMBER) is None
        assert fault == "reset_before", "only a dead kept-alive connection may be asked again at once"
    except PortalError as error:
        assert NUMBER not in str(error)


def test_a_read_is_asked_again_where_nothing_usable_came_back(make_bench: Make, manual_clock: ManualClock) -> None:
    bench = make_bench(clock=manual_clock, read_tries=2)
    bench.seed()
    for fault in ("html_200", "truncate", "unavailable_503"):
        bench.server.faults.script(fault, on="read")
        assert bench.adapter.fetch(NUMBER) is not None
    for _ in range(2):
        bench.server.faults.script("garbage", on="read")
    with pytest.raises(PortalContractError):
        bench.adapter.fetch(NUMBER)


def test_catalogues_come_whole_with_a_version(bench: Any) -> None:
    procedures = bench.adapter.catalogue("procedures")
    assert len(procedures.rows) == 32
    assert {"MATTHC", "TENTTHC"} == set(procedures.rows[0])
    assert bench.adapter.catalogue("procedures").version == procedures.version
    assert len(bench.adapter.catalogue("agencies").rows) == 20
    assert all(row["MANGANH"] for row in bench.adapter.catalogue("sectors").rows)
    (birth,) = bench.adapter.catalogue("procedure:1.001193").rows
    assert birth["TENTTHC"] == "Thủ tục đăng ký khai sinh"
    assert bench.adapter.catalogue("procedure:9.999999").rows == ()
    assert bench.adapter.catalogue("LayDanhMucDanToc").rows == ()
    with pytest.raises(PortalRefusedError):
        bench.adapter.catalogue("LayDieuKhongCo")


def test_npsp_29_a_shrunken_or_empty_list_is_returned_and_never_acted_on(bench: Any) -> None:
    whole = bench.adapter.catalogue("procedures")
    bench.act("hide_procedures", codes=["1.001193"])
    shrunken = bench.adapter.catalogue("procedures")
    assert len(shrunken.rows) == len(whole.rows) - 1
    assert shrunken.version != whole.version
    bench.act("hide_procedures")
    assert bench.adapter.catalogue("procedures").rows == ()


def test_npsp_29_a_failed_list_is_an_error_not_an_empty_list(make_bench: Make) -> None:
    with pytest.raises(PortalContractError):
        make_bench({"read_shape": "null"}).adapter.catalogue("procedures")


def test_npsp_07_a_procedure_without_a_sector_is_returned_as_it_is(bench: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("adapters.npsp.catalogue.procedure", lambda code: [{"MATTHC": code, "LINHVUCTHUCHIEN": []}])
    assert bench.adapter.catalogue("procedure:1.001193").rows == ({"MATTHC": "1.001193", "LINHVUCTHUCHIEN": []},)


def test_open_records_are_polled_only_when_asked_for(make_bench: Make) -> None:
    quiet = make_bench()
    quiet.known.open = [NUMBER]
    assert (quiet.adapter.abilities.polls, list(quiet.adapter.pull(None))) == (False, [])
    bench = make_bench(poll=True, poll_batch=2)
    numbers = [f"H56-261101-{n:05}" for n in range(5)]
    for number in numbers[:4]:
        bench.seed(MaHoSo=number)
    bench.known.open = numbers
    pages = list(bench.adapter.pull(None))
    assert [[record.external_id for record in page.records] for page in pages] == [numbers[:2], numbers[2:4], []]
    bench.known.digests = {record.external_id: record.list_digest for page in pages for record in page.records}
    bench.act("set_status", MaHoSo=numbers[3], status="9")
    again = list(bench.adapter.pull(pages[-1].next_cursor))
    assert [record.external_id for page in again for record in page.records] == [numbers[3]]
    assert [number for page in again for number in page.seen] == numbers[:3]


def test_the_operations_say_what_a_repeat_does_and_what_can_be_asked(bench: Any) -> None:
    abilities = bench.adapter.abilities
    declared = {name: (one.repeat, one.probe, one.creates) for name, one in abilities.operations.items()}
    assert declared == {
        "insert": (Repeat.REFUSED_AS_DUPLICATE, ProbeStrength.PRESENCE, True),
        "update": (Repeat.SAFE, ProbeStrength.NONE, False),
        "progress": (Repeat.APPENDS, ProbeStrength.NONE, False),
    }
    assert (abilities.create, abilities.update, abilities.append) == ("insert", "update", "progress")
    assert (abilities.pulls, abilities.fetches, abilities.identity) == (False, True, EventIdentity.OWN_ID)


def test_files_are_not_here_and_the_portals_clock_is_seen(bench: Any) -> None:
    with pytest.raises(PortalRefusedError):
        bench.adapter.open_file("x")
    assert abs((bench.adapter.ping() - bench.clock.now()).total_seconds()) < 5
