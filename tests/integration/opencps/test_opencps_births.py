"""Dossiers born at the national portal: made once with their files, supplemented, their fees confirmed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass, FileStream, Outcome, OutcomeKind, Presence
from adapters.conformance import Held, bench_context
from adapters.opencps.adapter import OpencpsAdapter
from adapters.opencps.identity import file_reference_of, reference_of
from adapters.opencps.simulator import build
from adapters.simulation import SimulatorServer
from mappings import load
from schemas.clock import SystemClock

NATIONAL = "000.00.00.G22-261101-00001"
UID = reference_of(NATIONAL)
SUBMITTED = datetime(2026, 11, 1, 1, tzinfo=UTC)
FILES = {"ref-don": b"%PDF-1.7 don", "ref-ve": b"%PDF-1.7 ban ve", "ref-bo-sung": b"%PDF-1.7 bo sung"}
VALUES: dict[str, Any] = {
    "national_code": NATIONAL,
    "procedure": {"procedure_code": "1.013234"},
    "handling_agency": {"agency_code": "H99.19"},
    "applicant": {"name": "CÔNG DÂN THỬ NGHIỆM 01", "kind": "citizen", "identity_number": "096001000000",
                  "phone": "0900000000", "address": {"text": "Số 1", "province_code": "96"}},
    "submitter": {"name": "CÔNG DÂN THỬ NGHIỆM 02"},
    "submitted_at": SUBMITTED,
    "documents": [{"reference": "ref-don", "name": "Đơn đăng ký.pdf", "component_code": "TP07"},
                  {"reference": "ref-ve", "name": "bản vẽ.pdf"}, {"name": "giấy tờ không có tệp"}],
    "form": {"TenChuongTrinhKhuyenMai": "Tri ân"},
}  # fmt: skip


class Province:
    """A provincial portal over a socket and an adapter with a file store of three files."""

    def __init__(self, **options: Any) -> None:
        self.clock = SystemClock()
        self.simulator = build({})
        self.server = SimulatorServer(self.simulator).start()
        self.store = dict(FILES)
        context = bench_context("province", clock=self.clock, secret=lambda _: "simulated-password", known=Held(),
                                call_timeout_s=2.0, open_stored=self._open)  # fmt: skip
        settings: dict[str, Any] = {
            "base_url": self.server.url, "group_id": 35166, "username": "lienthong", "password": "${OPENCPS_PASSWORD}",
            "read_tries": 1, "upload_tries": 1, "file_parts": {"TP07": "TP01-07"},
        }  # fmt: skip
        self.adapter = OpencpsAdapter(context, settings | options)
        self.messages = load("opencps/v2-2020").messages

    def _open(self, reference: str) -> FileStream:
        content = self.store[reference]
        return FileStream(io.BytesIO(content), "application/pdf", len(content))

    def delivery(self, operation: str, values: dict[str, Any], **changes: Any) -> Delivery:
        body = self.messages[operation].localise(values)
        settings: dict[str, Any] = {"external_id": "" if operation == "create" else UID}
        return Delivery(
            key=f"k-{operation}",
            key_uuid="7d1f1d6e-0000-5000-8000-000000000001",
            portal="province",
            operation=operation,
            klass=DeliveryClass.COMMAND,
            body=orjson.dumps(body),
            planned_at=datetime(2026, 11, 1, 2, tzinfo=UTC),
            attempt=1,
            send_by=self.clock.monotonic() + 60,
            **(settings | changes),
        )

    def create(self, **changes: Any) -> Outcome:
        return self.adapter.push(self.delivery("create", VALUES | changes))

    def supplement(self, note: str = "bổ sung [lt:1]") -> Delivery:
        papers = [{"reference": "ref-bo-sung", "name": "bổ sung.pdf"}]
        return self.delivery("supplement", {"note": note, "form": {"documents": papers}})

    def held(self) -> Any:
        return self.simulator.shelf.by_uid(UID)

    def made(self, effect: str) -> int:
        return sum(one["effect"] == effect and one["call"] > 0 for one in self.simulator.book.effects(key=UID))

    def close(self) -> None:
        self.adapter.close()
        self.server.stop()
        assert self.server.defects == []


@pytest.fixture
def province() -> Iterator[Province]:
    made = Province()
    yield made
    made.close()


def test_a_birth_is_complete_and_its_submit_date_does_not_move(province: Province) -> None:
    outcome = province.create()

    held = province.held()
    assert (outcome.kind, outcome.external_id) == (OutcomeKind.DELIVERED, UID)
    assert held.origin_dossier_no == NATIONAL
    assert (held.submitted_at, held.online) == (SUBMITTED, True)
    assert (held.applicant.name, held.applicant.number) == ("CÔNG DÂN THỬ NGHIỆM 01", "096001000000")
    assert (held.applicant.contact_name, held.applicant.phone) == ("CÔNG DÂN THỬ NGHIỆM 02", "0900000000")
    assert (held.service_code, held.agency_code, held.status) == ("1.013234", "H99.19", "receiving")


def test_the_files_of_a_birth_are_uploaded_each_once_under_keys_of_their_own(province: Province) -> None:
    province.create()
    again = province.create()

    files = {file.reference_uid: file for file in province.held().files}
    assert again.kind is OutcomeKind.DELIVERED
    assert set(files) == {file_reference_of(UID, "ref-don"), file_reference_of(UID, "ref-ve")}
    first = files[file_reference_of(UID, "ref-don")]
    assert (first.name, first.part_no, first.content) == ("Đơn đăng ký.pdf", "TP01-07", FILES["ref-don"])
    assert files[file_reference_of(UID, "ref-ve")].part_no == "TP01"
    assert (province.made("create"), province.made("file")) == (1, 2)


def test_our_own_names_of_files_never_go_over_the_wire(province: Province) -> None:
    province.create()
    assert "lienThongTep" not in str(province.simulator.book.effects(key=UID))


@pytest.mark.parametrize("before", [True, False])
def test_a_birth_whose_upload_broke_is_unknown_and_the_probe_finishes_it(province: Province, before: bool) -> None:
    delivery = province.delivery("create", VALUES)
    province.server.faults.script("reset_before" if before else "reset_after", on="write")

    outcome = province.adapter.push(delivery)
    if outcome.kind is OutcomeKind.UNKNOWN and province.held() is None:
        assert province.adapter.probe(delivery).presence is Presence.ABSENT
        outcome = province.adapter.push(delivery)
    probe = province.adapter.probe(delivery)

    assert probe.presence is Presence.PRESENT
    assert (province.made("create"), province.made("file"), len(province.held().files)) == (1, 2, 2)
    assert outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.DELIVERED)


def test_a_file_lost_on_the_way_leaves_the_birth_unknown_until_it_is_there(province: Province) -> None:
    province.create(documents=[])
    province.server.faults.script("reset_before", on="write")
    delivery = province.delivery("create", VALUES)

    assert province.adapter.push(delivery).kind is OutcomeKind.UNKNOWN
    assert province.adapter.probe(delivery).presence is Presence.PRESENT
    assert (province.made("create"), len(province.held().files)) == (1, 2)


def test_a_birth_whose_file_is_not_kept_is_refused_before_anything_is_sent(province: Province) -> None:
    province.store.clear()
    outcome = province.create()

    assert (outcome.kind, outcome.final, province.held()) == (OutcomeKind.REFUSED, True, None)


def test_a_national_procedure_code_becomes_the_provinces_own() -> None:
    province = Province(procedures={"9.999999": "1.013234"}, templates={"9.999999": "TPL-XD-09"})
    province.create(procedure={"procedure_code": "9.999999"})

    assert (province.held().service_code, province.held().template_no) == ("1.013234", "TPL-XD-09")
    province.close()


def test_a_supplement_uploads_its_papers_and_goes_on_with_the_dossier(province: Province) -> None:
    province.create()
    province.simulator.act("request_supplement", {"referenceUid": UID})
    outcome = province.adapter.push(province.supplement())

    held = province.held()
    assert (outcome.kind, held.status) == (OutcomeKind.DELIVERED, "processing")
    assert [file.name for file in held.files][-1] == "bổ sung.pdf"
    assert "[lt:7d1f1d6e-0000-5000-8000-000000000001]" in held.actions[-1].note
    assert province.adapter.probe(province.supplement()).presence is Presence.PRESENT


def test_a_supplement_after_a_correction_hands_the_dossier_in_again(province: Province) -> None:
    province.create()
    province.simulator.act("request_correction", {"referenceUid": UID})

    assert province.adapter.push(province.supplement()).kind is OutcomeKind.DELIVERED
    assert province.held().status == "receiving"


def test_a_supplement_whose_upload_broke_has_done_nothing_and_is_tried_again(province: Province) -> None:
    province.create()
    province.simulator.act("request_supplement", {"referenceUid": UID})
    province.server.faults.script("reset_after", on="write")

    assert province.adapter.push(province.supplement()).kind is OutcomeKind.RETRY
    assert province.held().status == "waiting"
    assert province.adapter.push(province.supplement()).kind is OutcomeKind.DELIVERED
    assert len(province.held().files) == 3


def test_a_supplement_nobody_asked_for_is_not_allowed(province: Province) -> None:
    province.create()
    outcome = province.adapter.push(province.supplement())
    assert (outcome.kind, outcome.not_allowed) == (OutcomeKind.REFUSED, True)


def test_a_payment_is_confirmed_by_the_act_that_goes_on(province: Province) -> None:
    province.create()
    province.simulator.act("accept", {"referenceUid": UID})
    province.simulator.act("request_payment", {"referenceUid": UID})
    delivery = province.delivery("confirm_payment", {"note": "Đã thanh toán trực tuyến 150000 đồng"})

    assert province.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert province.held().status == "processing"
    assert "150000" in province.held().actions[-1].note
    assert province.adapter.push(delivery).not_allowed
    assert province.adapter.probe(delivery).presence is Presence.PRESENT


def test_it_is_asked_for_by_its_own_reference_whatever_number_we_knew_it_by(province: Province) -> None:
    """The gateway was killed while it was made: nobody heard its reference, and the national number finds nothing."""
    delivery = province.delivery("create", VALUES, external_id=NATIONAL)
    assert province.adapter.probe(delivery).presence is Presence.ABSENT
    assert province.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert province.adapter.probe(delivery).presence is Presence.PRESENT
