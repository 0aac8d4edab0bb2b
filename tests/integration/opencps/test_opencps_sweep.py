"""The sweep: everything found, nothing read twice without need, however the index behaves."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import orjson
import pytest

from adapters.base import RawRecord
from adapters.opencps.adapter import OpencpsAdapter
from adapters.opencps.reading import Reader
from adapters.simulation import Reply, Request
from schemas.errors import PortalAuthError, PortalContractError, PortalUnavailableError
from tests.integration.opencps.conftest import Make, Province, read_ids, records, unreadable


def seed(province: Province, count: int, **arguments: object) -> set[str]:
    return set(province.act("seed_many", count=count, **arguments)["referenceUids"])


def test_a_first_pull_finds_every_dossier_of_every_age(province: Province) -> None:
    made = seed(province, 300, days=2000)
    pages = province.pull()
    assert set(read_ids(pages)) == made
    assert len(read_ids(pages)) == 300, "each is read once although submit and receive windows both show it"
    assert pages[-1].sweep_complete
    assert pages[-1].total


def test_a_second_pass_reads_only_what_changed_and_sees_the_rest(province: Province) -> None:
    made = sorted(seed(province, 40, days=3, statuses=["receiving", "processing"]))
    cursor = province.pull()[-1].next_cursor
    province.act("complete", next(uid for uid in made if province.simulator.shelf.by_uid(uid).status == "processing"))
    province.clock.advance(61)
    pages = province.pull(cursor)
    assert len(read_ids(pages)) == 1
    assert {one for page in pages for one in page.seen} >= set(made) - set(read_ids(pages))


def test_a_tier_that_is_not_due_makes_no_list_call(province: Province) -> None:
    seed(province, 5)
    cursor = province.pull()[-1].next_cursor
    cursor = province.pull(cursor)[-1].next_cursor
    assert province.pull(cursor) == []


def test_the_rest_is_spread_over_its_day(make: Make) -> None:
    province = make(max_window_rows=5)
    seed(province, 100, days=1500)
    cursor = province.pull()[-1].next_cursor
    finished = 0
    for _ in range(50):
        province.clock.advance(3700)
        pages = province.pull(cursor)
        cursor = pages[-1].next_cursor if pages else cursor
        finished += sum(page.sweep_complete for page in pages)
    assert finished == 1


def test_a_pull_cut_short_goes_on_where_its_last_page_ended(make: Make) -> None:
    province = make(records_per_page=7, max_window_rows=20)
    made = seed(province, 60, days=400)
    got, cursor = set(), None
    while True:
        page = next(iter(province.adapter.pull(cursor)), None)
        if page is None:
            break
        got |= set(read_ids([page]))
        province.known.digests |= {record.external_id: record.list_digest for record in records([page])}
        cursor = page.next_cursor
        if page.sweep_complete:
            break
    assert got == made


def test_op_06_rows_that_shift_between_pages_are_all_found(make: Make) -> None:
    province = make({"reorder": 0.7, "seed": 3}, page_size=10, overlap=3, max_window_rows=10, readings=10)
    made = seed(province, 60, days=0.2)
    assert set(read_ids(province.pull())) == made


def test_op_06_a_sweep_whose_readings_never_agree_is_not_called_complete(make: Make) -> None:
    switches = {"reorder": 1.0, "total_skew": 3, "seed": 5}
    province = make(switches, page_size=10, overlap=0, max_window_rows=10, readings=2)
    seed(province, 80, days=0.2)
    assert not any(page.sweep_complete for page in province.pull())


@pytest.mark.parametrize("skew", [-1, 3])
def test_op_07_a_total_that_differs_from_the_page_hides_nothing(make: Make, skew: int) -> None:
    province = make({"total_skew": skew})
    made = seed(province, 30)
    assert set(read_ids(province.pull())) == made


def test_op_08_both_ends_are_always_given_and_a_portal_that_gives_everything_is_read(make: Make) -> None:
    province = make({"ignore_page_end": True}, page_size=10, overlap=3, max_window_rows=10)
    made = seed(province, 40, days=0.1)
    asked = []
    answer = province.simulator.answer
    province.simulator.answer = lambda request: (asked.append(request), answer(request))[1]  # type: ignore[method-assign]
    assert set(read_ids(province.pull())) == made
    lists = [request for request in asked if request.path.endswith("/dossiers")]
    assert lists
    assert all(int(request.first("end")) > 0 for request in lists)
    assert all(len([name for name in request.query if name.endswith("Date")]) == 2 for request in lists)


def test_op_08_an_answer_above_the_cap_is_refused_not_stored(make: Make) -> None:
    province = make({"ignore_page_end": True}, max_body_bytes=20_000)
    seed(province, 60, days=0.1)
    with pytest.raises(PortalContractError, match="longer than"):
        province.pull()


def test_op_09_a_change_the_index_does_not_show_yet_comes_when_it_does(make: Make) -> None:
    province = make({"index_lag_s": 0.15})
    uid = province.create()
    assert read_ids(province.pull()) == []
    province.server.stopping.wait(0.2)
    first = province.pull()
    assert read_ids(first) == [uid]
    province.act("accept", uid)
    assert province.values(uid)["state"]["wire"] == "new", "the detail comes from the database"
    province.clock.advance(61)
    assert read_ids(province.pull(first[-1].next_cursor)) == []
    province.server.stopping.wait(0.2)
    province.clock.advance(61)
    again = province.pull(first[-1].next_cursor)
    assert set(read_ids(again)) == {uid}


def test_op_10_a_filter_that_was_ignored_is_a_broken_contract(make: Make) -> None:
    province = make({"ignores": ["fromSubmitDate", "toSubmitDate"]}, max_window_rows=10)
    seed(province, 30, days=900)
    with pytest.raises(PortalContractError, match="outside their submit window"):
        province.pull()


def test_op_11_a_filter_with_one_end_finds_nothing_so_both_are_sent(province: Province) -> None:
    from adapters.opencps.calls import Calls  # the adapter never sends one end; asked here by hand

    province.create(online=False)
    calls: Calls = province.adapter._calls
    assert calls.read("/dossiers", params={"fromReceiveDate": "01/01/2020", "start": 0, "end": 10})["total"] == 0
    both = {"fromReceiveDate": "01/01/2020", "toReceiveDate": "01/01/2090", "start": 0, "end": 10}
    assert calls.read("/dossiers", params=both)["total"] == 1
    assert len(read_ids(province.pull())) == 1


def test_op_12_dossiers_without_a_number_or_with_the_same_number_stay_apart(make: Make) -> None:
    province = make({"fail_numbers": True})
    first, second = province.create(online=False), province.create(online=False)
    assert set(read_ids(province.pull())) == {first, second}
    assert "dossier_code" not in province.values(first)
    province.act("amend", first, dossierNo="H99.19-261101-00001")
    province.act("amend", second, dossierNo="H99.19-261101-00001")
    assert province.values(first)["reference"] != province.values(second)["reference"]


def test_op_12_a_number_of_digits_only_is_never_used_as_a_key(make: Make) -> None:
    province = make({"numeric_numbers": True})
    uid = province.create(online=False)
    assert province.values(uid)["dossier_code"].isdigit()
    assert read_ids(province.pull()) == [uid]


def test_op_12_two_dossiers_under_one_reference_are_told_apart(province: Province) -> None:
    first, second = province.create(), province.create()
    province.simulator.shelf.by_uid(second).reference_uid = first
    pages = province.pull()
    assert read_ids(pages) == [first]
    assert [record.reason for record in unreadable(pages)] == ["two dossiers of this portal have one reference"]


@pytest.mark.parametrize("later", ["add", "strip"])
def test_op_13_a_prefix_added_or_stripped_later_is_still_the_same_dossier(make: Make, later: str) -> None:
    province = make()
    uid = province.create(referenceUid="xxx-cps-11111111-2222-4333-8444-555555555555" if later == "strip" else "")
    first = province.pull()
    shelf = province.simulator.shelf
    shelf.switches = shelf.switches.model_copy(update={"prefix": later})
    province.act("accept", uid)
    province.clock.advance(61)
    again = records(province.pull(first[-1].next_cursor))
    assert {record.external_id for record in again} == {uid}
    assert again[0].parts["dossier"]["referenceUid"] == uid.removeprefix("xxx-cps-")
    assert orjson.loads(again[0].raw)["dossier"]["referenceUid"] != uid, "the raw record keeps the portal's spelling"
    assert province.adapter.fetch(uid) is not None


def test_op_13_the_copy_of_a_linked_dossier_is_a_record_of_its_own(province: Province) -> None:
    parent = province.create(online=False, national="000.00.01.G22-261101-000001")
    child = province.act("link", parent)["referenceUid"]
    assert set(read_ids(province.pull())) == {parent, child}
    values = province.values(child)
    assert "national_code" not in values, "a sub-dossier's origin number is its parent's, not the national one"
    assert values["origin"]["parent_reference"]
    assert province.values(parent)["national_code"] == "000.00.01.G22-261101-000001"


@pytest.mark.parametrize("hours", [7.0, -7.0])
def test_op_15_an_index_that_counts_days_in_another_zone_hides_nothing(make: Make, hours: float) -> None:
    province = make({"jvm_shift_h": hours}, max_window_rows=5)
    made = seed(province, 60, days=12)
    assert set(read_ids(province.pull())) == made


def test_op_17_a_moved_due_date_or_lock_is_read_without_a_new_status(province: Province) -> None:
    uid = province.create(online=False)
    cursor = province.pull()[-1].next_cursor
    before = province.values(uid)
    for change in ({"due_days": 3}, {"lock": "PAUSE"}):
        province.act("amend", uid, **change)
        province.clock.advance(61)
        pages = province.pull(cursor)
        assert set(read_ids(pages)) == {uid}, change
        cursor = pages[-1].next_cursor
    after = province.values(uid)
    assert after["due_at"] != before["due_at"]
    assert after["origin"]["lock_state"] == "PAUSE"
    assert after["state"] == before["state"]


def test_op_20_a_removed_dossier_is_marked_as_removed(province: Province) -> None:
    uid = province.create()
    cursor = province.pull()[-1].next_cursor
    province.act("remove", uid)
    province.clock.advance(61)
    (record,) = {record.external_id: record for record in records(province.pull(cursor))}.values()
    assert record.removed


def test_op_27_28_a_digest_moves_by_content_only_and_no_password_is_kept(province: Province) -> None:
    uid = province.create()
    first = province.pull()
    password = province.simulator.shelf.by_uid(uid).password
    for record in records(first):
        assert password.encode() not in record.raw
    for _ in range(3):
        province.adapter.fetch(uid)  # marks it as visited; the localised overdue text moves by the minute
    province.clock.advance(61)
    assert read_ids(province.pull(first[-1].next_cursor)) == []


def test_a_dossier_that_left_the_list_of_open_ones_is_looked_up(province: Province) -> None:
    uid = province.create(at="2024-03-01T08:00:00+07:00")
    province.known.open = [uid]
    cursor = province.pull()[-1].next_cursor
    cursor = province.pull(cursor)[-1].next_cursor
    province.act("deny", uid, at="2024-03-02T08:00:00+07:00")
    province.clock.advance(61)
    assert set(read_ids(province.pull(cursor))) == {uid}


def test_op_01_a_guest_sees_a_short_list_and_is_never_believed(province: Province) -> None:
    seed(province, 5)
    cursor = province.pull()[-1].next_cursor
    province.act("change_password", password="another")
    province.clock.advance(86_401)
    with pytest.raises(PortalAuthError):
        province.pull(cursor)
    refused = province.simulator.logins_refused
    with pytest.raises(PortalAuthError, match="not tried again"):
        province.pull(cursor)
    assert province.simulator.logins_refused == refused, "a refused password locks nobody out"
    province.password = "another"
    assert province.pull(cursor), "a new password needs no restart"


def test_op_01_a_login_lost_during_a_sweep_never_ends_it_as_complete(make: Make) -> None:
    province = make(max_window_rows=5, records_per_page=5)
    seed(province, 30, days=300)
    with pytest.raises(PortalAuthError):
        for number, page in enumerate(province.adapter.pull(None)):
            assert not page.sweep_complete
            if number == 0:
                province.act("change_password", password="another")


def test_op_03_an_index_that_is_down_is_unavailable_not_empty(province: Province) -> None:
    province.create()
    province.act("index_down")
    with pytest.raises(PortalUnavailableError, match="403"):
        province.pull()


def test_op_03_a_dossier_that_alone_answers_403_is_handed_on_and_the_others_are_read(province: Province) -> None:
    broken, sound = province.create(), province.create()
    from adapters.opencps.simulated import rest

    answer = province.simulator.answer
    province.simulator.answer = (  # type: ignore[method-assign]
        lambda request: rest.refused(403) if request.path.endswith(f"/dossiers/{broken}") else answer(request)
    )
    pages = province.pull()
    assert read_ids(pages) == [sound]
    assert {record.external_id for record in unreadable(pages)} == {broken}
    with pytest.raises(PortalUnavailableError):
        province.adapter.fetch(broken)


def test_a_poor_line_still_moves_on(make: Make) -> None:
    """Each pull ends in an error sooner or later, and yet all is read: what was read is handed over first."""
    province = make(read_tries=2, read_wait_s=0.001)
    made = seed(province, 60, days=300)
    province.server.faults.change({"rate": 0.25, "kinds": ["html_200", "unavailable_503", "reset_before", "garbage"]})
    got, cursor, failures = set(), None, 0
    for _ in range(200):
        try:
            for page in province.adapter.pull(cursor):
                got |= set(read_ids([page]))
                province.known.digests |= {record.external_id: record.list_digest for record in records([page])}
                cursor = page.next_cursor
        except (PortalUnavailableError, PortalContractError):
            failures += 1
            continue
        break
    assert got == made
    assert failures


def test_a_password_refused_while_another_thread_waited_for_its_turn_is_not_sent_by_that_one(make: Make) -> None:
    """Accounts are locked after a few refusals, and several threads read."""
    province = make()
    uid, both, refused = province.create(), threading.Barrier(2, timeout=5), threading.Event()

    class Turns:
        first = threading.Lock()

        def take(self, calls: int = 1) -> None:
            both.wait()
            if not self.first.acquire(blocking=False):
                assert refused.wait(5)

    context = replace(province.context, budget=Turns())
    adapter = OpencpsAdapter(context, province.options)
    province.password = "old"
    errors: list[PortalAuthError] = []

    def read() -> None:
        try:
            adapter.fetch(uid)
        except PortalAuthError as error:
            errors.append(error)
            refused.set()

    before = province.server.next_call()
    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [error.sent for error in errors] == [True, False]
    assert province.server.next_call() - before - 1 == 1
    adapter.close()


@pytest.mark.parametrize("readers", [1, 4])
def test_no_more_dossiers_are_read_at_once_than_agreed(
    make: Make, readers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    province = make(readers=readers)
    made = seed(province, 40, days=1)
    lock, under_way, most = threading.Lock(), 0, 0
    record = Reader.record

    def watched(*asked: Any, **more: Any) -> RawRecord | None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.01)
        try:
            return record(*asked, **more)
        finally:
            with lock:
                under_way -= 1

    monkeypatch.setattr(Reader, "record", watched)
    assert sorted(read_ids(province.pull())) == sorted(made)
    assert most == readers


def test_a_broken_read_is_asked_again_at_once(make: Make) -> None:
    province = make(read_tries=2, read_wait_s=0.001)
    uid = province.create()
    province.server.faults.script("html_200")
    assert province.adapter.fetch(uid) is not None


def test_a_portal_whose_clock_is_ahead_is_swept_by_its_own_day(province: Province) -> None:
    cursor = province.pull()[-1].next_cursor
    province.act("clock", hours=40 * 24)
    uid = province.create()
    province.clock.advance(61)
    assert set(read_ids(province.pull(cursor))) == {uid}


def test_op_01_windows_read_as_a_guest_do_not_count_as_read(make: Make) -> None:
    province = make(max_window_rows=5, tiers=[{"name": "rest", "every_s": 86_400, "whole": True}])
    seed(province, 60, days=300)
    cursor = province.pull()[-1].next_cursor
    province.clock.advance(86_401)
    cursor = province.pull(cursor)[-1].next_cursor
    province.clock.advance(43_000)
    answer, calls = province.simulator.answer, []

    def lose_the_login_after_the_first_call(request: Request) -> Reply:
        calls.append(request)
        if len(calls) == 2:
            province.act("change_password", password="another")
        return answer(request)

    province.simulator.answer = lose_the_login_after_the_first_call  # type: ignore[method-assign]
    with pytest.raises(PortalAuthError):
        list(province.adapter.pull(cursor))
    assert len(calls) > 2


def test_op_01_a_pass_begins_with_a_call_that_tests_the_login(province: Province) -> None:
    seed(province, 5)
    province.act("change_password", password="another")
    with pytest.raises(PortalAuthError):
        province.pull()
    assert province.simulator.logins_refused == 1


def test_op_13_a_linked_copy_never_stands_in_for_a_parent_that_is_gone(province: Province) -> None:
    parent = province.create(online=False)
    province.act("link", parent)
    province.act("delete", parent)
    assert province.adapter.fetch(parent) is None


def test_op_06_a_row_that_only_one_reading_showed_is_handed_on(make: Make) -> None:
    whole = [{"name": "rest", "every_s": 86_400, "by": ["submit"], "whole": True}]
    province = make(page_size=10, overlap=3, max_window_rows=10, tiers=whole)
    made = seed(province, 15, days=0.001)
    answer, readings = province.simulator.answer, []

    def hide_a_row_from_the_second_reading_on(request: Request) -> Reply:
        reply = answer(request)
        if not request.path.endswith("/dossiers"):
            return reply
        found = orjson.loads(reply.body)
        one_day = found.get("total") and request.first("fromSubmitDate") == request.first("toSubmitDate")
        readings.extend([request] if one_day and request.first("start") == "0" else [])
        if len(readings) > 1:
            found["data"] = [row for row in found["data"] if row["referenceUid"] != min(made)]
        return Reply.json(found)

    province.simulator.answer = hide_a_row_from_the_second_reading_on  # type: ignore[method-assign]
    assert set(read_ids(province.pull())) == made
