"""One dossier: detail, log and next actions in our words, and the error model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.opencps import rows
from adapters.opencps.options import LogSettings
from adapters.simulation import Reply
from schemas.errors import PortalAuthError, PortalContractError, PortalUnavailableError, RecordInvalidError
from tests.integration.opencps.conftest import VOCABULARY, Make, Province

DOSSIER, LOG = VOCABULARY.messages["dossier"], VOCABULARY.messages["log"]


def events(province: Province, uid: str) -> list[dict[str, Any]]:
    record = province.adapter.fetch(uid)
    assert record is not None
    return [LOG.normalise(row).values for row in record.parts["log"]]


def test_a_dossier_is_read_with_its_log_and_what_may_be_done_next(province: Province) -> None:
    uid = province.create(online=False)
    province.act("process", uid, note="chuyển chuyên viên")
    record = province.adapter.fetch(uid)
    assert record is not None
    assert record.allowed is not None
    assert {"3200", "3300", "2000"} <= set(record.allowed)
    dossier = province.simulator.shelf.by_uid(uid)
    assert record.guard == {"newest_log": dossier.logs[-1].log_id, "action_id": dossier.action_id}
    normal = DOSSIER.normalise(record.parts["dossier"])
    assert normal.unknown == ()
    assert normal.values["state"]["status"] == "in_progress"
    assert normal.values["state"]["note"] == "chuyển chuyên viên"
    assert all(LOG.normalise(row).unknown == () for row in record.parts["log"])


def test_s4_the_log_tells_of_acts_nobody_saw_become_current(province: Province) -> None:
    uid = province.create()
    for verb in ("accept", "process", "complete"):
        province.act(verb, uid)
    assert [event["status"] for event in events(province, uid)] == ["submitted", "accepted", "in_progress", "completed"]


def test_s4_op_16_a_rollback_makes_an_old_act_current_again_and_writes_a_log_row(province: Province) -> None:
    uid = province.create()
    province.act("accept", uid)
    accepted = province.values(uid)["state"]["id"]
    province.act("process", uid)
    province.act("rollback", uid)
    assert province.values(uid)["state"]["id"] == accepted
    assert [event["status"] for event in events(province, uid)][-2:] == ["in_progress", "accepted"]


def test_op_16_a_reopened_dossier_loses_its_end_dates(province: Province) -> None:
    uid = province.create(online=False)
    for verb in ("process", "complete"):
        province.act(verb, uid)
    assert "completed_at" in province.values(uid)
    province.act("goto", uid, stepCode="200")
    values = province.values(uid)
    assert values["state"]["status"] == "in_progress"
    assert "completed_at" not in values
    assert "returned_at" not in values


def test_op_02_an_unknown_dossier_is_absent(province: Province) -> None:
    assert province.adapter.fetch("11111111-1111-4111-8111-111111111111") is None
    uid = province.create()
    province.act("delete", uid)
    assert province.adapter.fetch(uid) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply.json({"message": "Non-Authoritative Information.", "code": 203}, 203), PortalAuthError),
        (Reply.json({"message": "Unauthorized.", "code": 203}, 401), PortalAuthError),
        (Reply.json({"message": "No Content.", "code": 403, "description": None}, 403), PortalUnavailableError),
        (Reply.text("<html>Bảo trì</html>"), PortalContractError),
        (Reply.json([]), PortalContractError),
        (Reply(200, b""), PortalContractError),
        (Reply.json({}, 404), PortalContractError),
        (Reply.json(None, 500), PortalUnavailableError),
    ],
    ids=["OP-01-203", "OP-01-401", "OP-03-403", "OP-05-html", "list", "empty", "404", "500"],
)
def test_an_error_is_never_absence(province: Province, reply: Reply, error: type[Exception]) -> None:
    uid = province.create()
    province.simulator.answer = lambda _: reply  # type: ignore[method-assign]
    with pytest.raises(error):
        province.adapter.fetch(uid)


def test_op_14_dates_are_vietnam_time_and_the_logs_z_is_a_letter(province: Province) -> None:
    uid = province.create(at="2026-03-02T08:30:00.250000+07:00")
    moment = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert province.values(uid)["submitted_at"] == moment
    assert province.values(uid)["state"]["occurred_at"] == moment
    assert events(province, uid)[0]["occurred_at"] == moment.replace(microsecond=250_000)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("02/03/2026 08:30:00", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("02/03/2026", datetime(2026, 3, 1, 17, tzinfo=UTC)),
        ("2026-03-02T08:30:00.000Z", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("1772415000000", datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        ("", None),
        ("0", None),
        ("0000-00-00T00:00:00.000+0700", None),
        (None, None),
    ],
    ids=["local", "day", "false-z", "epoch", "empty", "zero", "all-zero", "null"],
)
def test_op_14_every_attested_date_is_read_and_a_missing_one_stays_missing(
    text: str | None, moment: datetime | None
) -> None:
    part = rows.dossier_part({"dossierId": 1, "dossierStatus": "new", "receiveDate": text})
    assert DOSSIER.normalise(part).values.get("received_at") == moment


def test_op_14_a_date_in_no_attested_form_is_quarantined_not_guessed() -> None:
    with pytest.raises(RecordInvalidError, match="received_at"):
        DOSSIER.normalise({"dossierStatus": "new", "receiveDate": "02-03-2026 08:30:00"})


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("receiving", "submitted"), ("new", "accepted"), ("denied", "not_accepted"), ("collecting", "in_progress"),
        ("processing", "in_progress"), ("interoperating", "in_progress"), ("handover", "in_progress"),
        ("waiting", "supplement_requested"), ("correcting", "supplement_requested"), ("paying", "payment_requested"),
        ("cancelling", "withdrawal_requested"), ("cancelled", "withdrawal_requested"), ("pausing", "halted"),
        ("unresolved", "halted"), ("releasing", "completed"), ("posting", "completed"), ("done", "returned"),
    ],
)  # fmt: skip
def test_every_attested_status_has_a_meaning_and_keeps_its_word(word: str, status: str) -> None:
    state = DOSSIER.normalise({"dossierStatus": word, "dossierSubStatus": "buoc_rieng"}).values["state"]
    assert (state["status"], state["wire"], state["sub_wire"]) == (status, word, "buoc_rieng")


def test_op_19_an_unknown_status_is_quarantined() -> None:
    with pytest.raises(RecordInvalidError, match="status"):
        DOSSIER.normalise({"dossierStatus": "reopened"})


def test_op_26_numbers_as_text_and_text_as_numbers_are_read() -> None:
    part = rows.dossier_part({
        "dossierId": "12", "dossierActionId": 77, "originality": "2", "online": True, "cityCode": 96,
        "dossierStatus": "new", "viaPostal": 1, "groupDossierId": 0, "counter": "3",
    })  # fmt: skip
    values = DOSSIER.normalise(part).values
    assert values["external_id"] == "12"
    assert values["state"]["id"] == "77"
    assert values["origin"]["originality"] == 2
    assert values["channel"] == "online"
    assert values["applicant"]["address"]["province_code"] == "96"


def test_op_22_decomposed_text_is_composed_for_us_and_kept_raw(make: Make) -> None:
    province = make({"nfd": True})
    uid = province.create(form={"dossierNote": "Hồ sơ thử nghiệm"})
    record = province.adapter.fetch(uid)
    assert record is not None
    assert province.values(uid)["note"] == "Hồ sơ thử nghiệm"
    assert "Hồ sơ thử nghiệm".encode() not in record.raw


def test_op_22_a_file_name_of_utf8_bytes_in_latin1_harms_nothing(province: Province) -> None:
    uid = province.create()
    made = province.act("add_file", uid, name="Đơn.txt")
    assert province.adapter.open_file(f"{uid}/{made['fileUid']}").size


def test_op_27_no_password_or_token_passes_the_door() -> None:
    value = {
        "hasPassword": "12345678", "a": [{"configs": "{\"password\":\"x\"}"}], "messageText": "token",
        "HASPASSWORD": "2", "lockState": "",
    }  # fmt: skip
    assert rows.blanked(value) == {
        "hasPassword": "", "a": [{"configs": ""}], "messageText": "", "HASPASSWORD": "", "lockState": "",
    }  # fmt: skip


def test_op_28_localised_text_is_known_and_not_carried(province: Province) -> None:
    assert "timeOverdueText" in DOSSIER.drops
    assert rows.list_digest({"a": 1, "dossierOverdue": "Quá hạn"}) == rows.list_digest({"a": 1})


def test_a_log_without_a_payload_is_read_by_its_words_where_the_province_says_so(make: Make) -> None:
    province = make({"log_payload": "text"}, log={"texts": {"tiếp nhận hồ sơ": "new", "Chuyển xử lý": "processing"}})
    uid = province.create()
    province.act("accept", uid)
    province.act("process", uid)
    assert [event.get("status") for event in events(province, uid)] == [None, "accepted", "in_progress"]


def test_a_payload_that_is_no_json_is_a_note() -> None:
    (row,) = rows.log_part([{"dossierLogId": 1, "payload": "{khong phai json", "content": "x"}], LogSettings())
    assert "dossierStatus" not in row


def test_op_29_a_slow_portal_is_cut_off_by_our_own_time_out(make: Make) -> None:
    province = make(timeout_s=0.2)
    uid = province.create()
    province.server.faults.delay_s = 1.0
    province.server.faults.script("delay")
    with pytest.raises(PortalUnavailableError, match="time-out"):
        province.adapter.fetch(uid)


@pytest.mark.parametrize("base_path", ["/o/rest/v2", "/o/secure/rest/v2"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_inc_14_both_base_paths_and_a_closing_slash_reach_the_portal(make: Make, base_path: str, slash: str) -> None:
    province = make(base_path=base_path)
    assert province.adapter.ping() is not None
    from adapters.opencps.options import Options

    assert Options(base_url=f"http://h:8080{slash}", group_id=1, token="${T}").root == "http://h:8080/o/rest/v2"


def test_a_bearer_token_is_accepted_in_place_of_a_password(make: Make) -> None:
    province = make(username="", password=None, token="${OPENCPS_TOKEN}")
    assert province.adapter.ping() is not None
