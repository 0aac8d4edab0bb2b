"""Acts, copies, numbers and births: delivered only by proof, never twice, no legal date moved by a repeat."""

from __future__ import annotations

import orjson
import pytest

from adapters.base import OutcomeKind, Presence, ProbeStrength, Repeat
from adapters.opencps.identity import reference_of
from adapters.simulation import Reply
from schemas.errors import PortalAuthError, PortalUnavailableError
from tests.integration.opencps.conftest import VOCABULARY, Make, Province

NATIONAL = "000.00.01.G22-261101-000001"
ACCEPT = {"actionCode": "1100", "actionNote": "Đã tiếp nhận"}
BIRTH = {
    "originDossierNo": NATIONAL,
    "serviceCode": "1.013234",
    "govAgencyCode": "H99.19",
    "applicantName": "Công dân thử nghiệm 01",
    "originality": "2",
    "submitDate": "1793500200000",
}


def copy_of(uid: str, **changes: str) -> dict[str, str]:
    return {
        "referenceUid": uid,
        "serviceCode": "1.013234",
        "govAgencyCode": "H99.19",
        "dossierStatus": "processing",
        "receiveDate": "1793500200000",
        "applicantName": "Công dân; thử nghiệm 01",
    } | changes


def test_an_act_is_delivered_by_its_act_id_and_carries_our_key(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    outcome = province.adapter.push(delivery)
    assert outcome.kind is OutcomeKind.DELIVERED
    assert "dossierActionId" in outcome.proof
    (act,) = [act for act in province.simulator.screen(f"history/{uid}", {}) if act["call"]]
    assert act["key"] == delivery.key_uuid
    assert act["note"] == f"Đã tiếp nhận [lt:{delivery.key_uuid}]"
    state = province.values(uid)["state"]
    assert (state["status"], state["id"]) == ("accepted", str(act["dossierActionId"]))


def test_a_note_that_already_carries_our_key_is_not_marked_twice(province: Province) -> None:
    uid = province.create()
    key = province.delivery("action", uid, ACCEPT).key_uuid
    province.adapter.push(province.delivery("action", uid, ACCEPT | {"actionNote": f"x [lt:{key}]"}))
    assert province.simulator.shelf.by_uid(uid).actions[-1].note == f"x [lt:{key}]"


@pytest.mark.parametrize("prepared", [(), ("accept",)])
def test_op_04_an_act_not_allowed_now_or_done_before_is_refused_as_not_allowed(
    province: Province, prepared: tuple[str, ...]
) -> None:
    uid = province.create()
    for verb in prepared:
        province.act(verb, uid)
    code = "1100" if prepared else "4000"
    outcome = province.adapter.push(province.delivery("action", uid, {"actionCode": code, "actionNote": ""}))
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.not_allowed
    assert outcome.code == "405"
    assert not outcome.final


def test_op_30_a_lost_answer_is_settled_by_our_key_and_not_by_the_status(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.server.faults.script("reset_after", on="effect")
    assert province.adapter.push(delivery).kind is OutcomeKind.UNKNOWN
    assert province.adapter.probe(delivery).presence is Presence.PRESENT
    assert len([effect for effect in province.simulator.screen("effects", {}) if effect["lt"]]) == 1


def test_op_30_an_act_that_was_taken_back_since_is_still_found_in_the_log(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.server.faults.script("reset_after", on="effect")
    province.adapter.push(delivery)
    province.act("rollback", uid)
    assert province.adapter.probe(delivery).presence is Presence.PRESENT


def test_s21_an_act_is_absent_only_if_nothing_was_done_since_the_guard(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    assert province.adapter.probe(delivery).presence is Presence.ABSENT
    province.act("accept", uid)
    assert province.adapter.probe(delivery).presence is Presence.CANNOT_TELL


def test_s21_a_current_act_that_looks_unchanged_proves_nothing(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.act("accept", uid)
    province.act("rollback", uid)
    assert province.simulator.shelf.by_uid(uid).action_id == delivery.guard["action_id"]
    assert province.adapter.probe(delivery).presence is Presence.CANNOT_TELL


def test_s21_without_a_log_absence_is_never_told(make: Make) -> None:
    province = make({"log_rows": False}, read_log=False)
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    assert province.adapter.probe(delivery).presence is Presence.CANNOT_TELL
    province.adapter.push(delivery)
    assert province.adapter.probe(delivery).presence is Presence.PRESENT, "the note of the present act still tells"


def test_a_note_cut_by_the_portal_is_no_proof_of_absence(make: Make) -> None:
    province = make({"note_limit": 20})
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.adapter.push(delivery)
    assert province.adapter.probe(delivery).presence is Presence.CANNOT_TELL


def test_inc_01_a_dead_or_refusing_portal_is_never_counted_as_told(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.server.go_down(60)
    assert province.adapter.push(delivery).kind is OutcomeKind.RETRY
    province.server.come_up()
    answer = province.simulator.answer
    for status, body in ((403, b'{"message":"No Content.","code":403}'), (200, b"{}"), (200, b""), (500, b"{}")):
        province.simulator.answer = lambda _, s=status, b=body: Reply(s, b)  # type: ignore[method-assign,misc]
        assert province.adapter.push(delivery).kind is OutcomeKind.UNKNOWN, status
    province.simulator.answer = answer  # type: ignore[method-assign]
    assert province.adapter.probe(delivery).presence is Presence.ABSENT


@pytest.mark.parametrize("operation", ["action", "publish", "inform", "create"])
def test_op_05_a_web_page_with_200_is_unknown(province: Province, operation: str) -> None:
    uid = province.create()
    body = {"action": ACCEPT, "publish": copy_of("11111111-1111-4111-8111-111111111111"), "create": BIRTH}
    delivery = province.delivery(operation, uid, body.get(operation, {"dossierNo": "H99.19-261101-00009"}))
    province.server.faults.script("html_200", on="effect", before=False)
    assert province.adapter.push(delivery).kind is OutcomeKind.UNKNOWN


def test_op_01_a_write_without_a_login_is_refused_and_says_so(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.act("change_password", password="another")
    outcome = province.adapter.push(delivery)
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.auth
    assert province.simulator.shelf.by_uid(uid).status == "receiving"
    with pytest.raises(PortalAuthError):
        province.adapter.probe(delivery)


def test_op_01_203_for_a_missing_permission_is_no_failed_login(make: Make) -> None:
    province = make({"accounts": {"lienthong": {"may_create": False}}})
    outcome = province.adapter.push(province.delivery("create", "", BIRTH))
    assert outcome.kind is OutcomeKind.REFUSED
    assert not outcome.auth
    province.adapter.ping()


def test_where_several_acts_stand_for_one_status_the_allowed_one_is_used(make: Make) -> None:
    province = make(actions={"1110": ["2001", "1110"]})
    uid = province.create(online=False)
    body = {"actionCode": "1110", "actionNote": ""}
    assert province.adapter.push(province.delivery("action", uid, body)).kind is OutcomeKind.DELIVERED
    assert province.simulator.shelf.by_uid(uid).status == "processing"


def test_op_18_a_birth_is_made_once_under_a_reference_of_ours_and_moves_no_date(province: Province) -> None:
    delivery = province.delivery("create", "", BIRTH)
    province.server.faults.script("reset_after", on="effect")
    assert province.adapter.push(delivery).kind is OutcomeKind.UNKNOWN
    uid = reference_of(NATIONAL)
    assert province.adapter.probe(delivery).presence is Presence.PRESENT
    province.act("accept", uid)
    legal = list(province.simulator.shelf.by_uid(uid).legal)
    for _ in range(3):
        outcome = province.adapter.push(delivery)
        assert outcome.kind is OutcomeKind.DELIVERED
        assert outcome.external_id == uid
    assert province.simulator.shelf.by_uid(uid).legal == legal
    assert province.simulator.book.count(uid, "create") == 1
    assert province.values(uid)["national_code"] == NATIONAL
    assert province.values(uid)["submitted_at"].timestamp() == 1_793_500_200


def test_op_18_the_portal_itself_moves_legal_dates_on_a_repeat(province: Province) -> None:
    """The attested behaviour is really there: without our reading first the dates would have moved."""
    form = {name: str(value) for name, value in BIRTH.items()} | {"referenceUid": reference_of(NATIONAL)}
    from adapters.opencps.simulated.desk import Caller

    caller = Caller("Tài khoản", 1, province.simulator.clock.now(), 1)
    province.simulator.desk.create(form, caller)
    province.simulator.desk.create(form, caller)
    dossier = province.simulator.shelf.by_uid(reference_of(NATIONAL))
    assert [moved["by"] for moved in dossier.legal] == ["create", "create"]
    assert dossier.received_at is not None


def test_a_birth_the_portal_has_no_process_for_is_refused_for_good(province: Province) -> None:
    outcome = province.adapter.push(province.delivery("create", "", BIRTH | {"serviceCode": "9.999999"}))
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.final


def test_a_birth_is_not_sent_when_nobody_can_tell_whether_it_is_there(province: Province) -> None:
    delivery = province.delivery("create", "", BIRTH)
    province.server.faults.script("unavailable_503")
    outcome = province.adapter.push(delivery)
    assert outcome.kind is OutcomeKind.RETRY
    assert province.simulator.shelf.by_uid(reference_of(NATIONAL)) is None


def test_a_copy_is_published_and_read_back(province: Province) -> None:
    uid = "22222222-2222-4222-8222-222222222222"
    assert province.adapter.push(province.delivery("publish", "", copy_of(uid))).kind is OutcomeKind.DELIVERED
    delivery = province.delivery("publish", uid, copy_of(uid, dossierStatus="done"))
    assert province.adapter.probe(delivery).presence is Presence.ABSENT
    outcome = province.adapter.push(delivery)
    assert outcome.proof == "read back equal"
    assert province.adapter.probe(delivery).presence is Presence.PRESENT


def test_inc_17_a_publish_the_portal_ignored_is_refused_although_it_said_200(province: Province) -> None:
    uid = province.create(online=False)
    outcome = province.adapter.push(province.delivery("publish", uid, copy_of(uid, dossierStatus="done")))
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.final
    assert outcome.code == "200"
    assert province.simulator.shelf.by_uid(uid).status == "new"


def test_inc_03_number_and_dates_are_informed_and_read_back(province: Province) -> None:
    uid = province.create()
    body = {"dossierNo": "H99.19-261101-00777", "receiveDate": "1793500200000"}
    assert province.adapter.push(province.delivery("inform", uid, body)).kind is OutcomeKind.DELIVERED
    assert province.values(uid)["received_at"].timestamp() == 1_793_500_200
    assert province.values(uid)["dossier_code"] == "H99.19-261101-00777"


def test_op_02_informing_an_unknown_dossier_is_not_delivered(province: Province) -> None:
    body = {"dossierNo": "H99.19-261101-00777"}
    outcome = province.adapter.push(province.delivery("inform", reference_of("nobody"), body))
    assert outcome.kind is OutcomeKind.UNKNOWN


def test_op_21_a_name_in_capitals_is_the_name_that_was_sent(province: Province) -> None:
    uid = "33333333-3333-4333-8333-333333333333"
    assert province.adapter.push(province.delivery("publish", "", copy_of(uid))).kind is OutcomeKind.DELIVERED
    values = province.values(uid)
    assert values["applicant"]["name"] == "CÔNG DÂN; THỬ NGHIỆM 01"
    comparable = VOCABULARY.messages["dossier"].comparable
    other = values | {"applicant": values["applicant"] | {"name": "Công dân; thử nghiệm 01"}}
    assert comparable(values) == comparable(other)


@pytest.mark.parametrize("text", ["a+b & c; d=100%", "Đặng & Con; số 5+7", "dòng 1\ndòng 2"])
def test_op_24_signs_that_forms_escape_arrive(province: Province, text: str) -> None:
    uid = "44444444-4444-4444-8444-444444444444"
    province.adapter.push(province.delivery("publish", "", copy_of(uid, dossierNote=text)))
    assert province.values(uid)["note"] == text


def test_op_31_too_many_requests_is_known_not_to_have_worked(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT)
    province.server.faults.script("too_many_429", on="effect")
    outcome = province.adapter.push(delivery)
    assert outcome.kind is OutcomeKind.RETRY
    assert outcome.not_before_s is not None


def test_op_13_an_act_reaches_a_dossier_whose_key_lost_its_prefix(make: Make) -> None:
    province = make({"prefix": "add"})
    uid = province.create()
    assert province.adapter.push(province.delivery("action", uid, ACCEPT)).kind is OutcomeKind.DELIVERED


def test_op_35_nothing_is_sent_after_its_instant(province: Province) -> None:
    uid = province.create()
    delivery = province.delivery("action", uid, ACCEPT, send_by=province.clock.monotonic() - 1)
    assert province.adapter.push(delivery).kind is OutcomeKind.RETRY
    assert province.simulator.shelf.by_uid(uid).status == "receiving"


def test_operations_declare_what_the_portal_does(province: Province) -> None:
    declared = {o.name: (o.repeat, o.probe) for o in province.adapter.abilities.operations.values()}
    assert declared == {
        "action": (Repeat.UNKNOWN, ProbeStrength.CONTENT),
        "publish": (Repeat.SAFE, ProbeStrength.CONTENT),
        "inform": (Repeat.SAFE, ProbeStrength.CONTENT),
        "create": (Repeat.MOVES_DATES, ProbeStrength.PRESENCE),
        "supplement": (Repeat.UNKNOWN, ProbeStrength.CONTENT),
        "confirm_payment": (Repeat.UNKNOWN, ProbeStrength.CONTENT),
    }


def test_a_file_is_listed_and_opened(province: Province) -> None:
    uid = province.create()
    made = province.act("add_file", uid, name="Đơn đề nghị.txt", text="nội dung đơn")
    (row,) = province.adapter.files(uid)
    assert row["displayName"] == "Đơn đề nghị.txt"
    assert not {"password", "hasPassword"} & set(row)
    file = province.adapter.open_file(f"{uid}/{made['fileUid']}")
    assert file.stream.read().decode() == "nội dung đơn"
    empty = province.act("add_file", uid, text=None)
    with pytest.raises(PortalUnavailableError, match="no stored content"):
        province.adapter.open_file(f"{uid}/{empty['fileUid']}")


def test_files_are_read_with_the_dossier_where_the_province_wants_it(make: Make) -> None:
    province = make(read_files=True)
    uid = province.create()
    province.act("add_file", uid)
    record = province.adapter.fetch(uid)
    assert record is not None
    documents = VOCABULARY.messages["files"].normalise(record.parts["files"]).values["documents"]
    assert documents[0]["size"] == len("nội dung".encode())
    assert orjson.loads(record.raw)["files"]


def test_catalogues_are_whole_and_read_with_their_own_keys(make: Make) -> None:
    province = make(page_size=2, overlap=1)
    services = province.adapter.catalogue("serviceinfos")
    assert len(services.rows) == 5
    assert VOCABULARY.messages["service"].normalise(services.rows[0]).values["procedure_code"] == "1.013234"
    agencies = province.adapter.catalogue("GOVERNMENT_AGENCY")
    assert VOCABULARY.messages["agency"].normalise(agencies.rows[0]).values["agency_code"] == "H99.19"
    assert province.adapter.catalogue("VNPOST_CITY_CODE").rows == ()
    with pytest.raises(LookupError):
        province.adapter.catalogue("NOTHING")
