"""mappings/nsw: a dossier in the ministry's words, and the two attested declarations read and written back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from adapters.nsw.envelope import forward_schema
from adapters.xml import canonical, parse
from mappings.loader import load
from schemas.dossier import Address, Agency, Applicant, ApplicantKind, Dossier, Procedure, SubmittedDocument
from schemas.errors import NotSendableError, RecordInvalidError

FORWARD = load("nsw/forward-2026").messages["forward"]
WHOLE = Dossier(
    dossier_code="000.00.04.H96-261120-0001",
    national_code="G22.99-261120-000001",
    procedure=Procedure(
        procedure_code="1.001193", name="Đăng ký <khai sinh> & nhận cha", sector_code="G15-HT01", sector_name="Hộ tịch"
    ),
    handling_agency=Agency(agency_code="000.00.04.H96", name="Sở Tư pháp"),
    applicant=Applicant(
        kind=ApplicantKind.CITIZEN,
        name="CÔNG DÂN THỬ NGHIỆM 01",
        identity_number="001000000000",
        phone="0900000000",
        email="thu@example.invalid",
        address=Address(text="Phường Thử Nghiệm"),
    ),
    abstract="Trích yếu",
    submitted_at=datetime(2026, 11, 19, 17, 30, tzinfo=UTC),
    received_at=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
    due_at=datetime(2026, 12, 20, 10, 0, tzinfo=UTC),
    note="Ghi chú",
    documents=(
        SubmittedDocument(
            document_id="1", name="Đơn", media_type="application/pdf", size=12, url="https://f.example.invalid/1"
        ),
        SubmittedDocument(document_id="2", name="Giấy tờ khác"),
    ),
)
LEAST = Dossier(
    dossier_code="A",
    procedure=Procedure(procedure_code="1.001193"),
    applicant=Applicant(name="CÔNG DÂN THỬ NGHIỆM 01"),
    received_at=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
)


@pytest.mark.parametrize("dossier", [WHOLE, LEAST], ids=["whole", "least"])
def test_a_dossier_is_written_as_the_schema_wants_and_read_back(dossier: Dossier) -> None:
    body = FORWARD.localise(dossier.model_dump())
    forward_schema().check(parse(body))
    again = FORWARD.normalise(body)
    assert FORWARD.localise(again.values, spelled=again.spelled) == body
    assert again.unknown == ()
    assert again.values["received_at"] == dossier.received_at
    assert again.values["applicant"]["name"] == "CÔNG DÂN THỬ NGHIỆM 01"
    assert len(again.values.get("documents", [])) == len(dossier.documents)


def test_times_are_vietnams() -> None:
    body = FORWARD.localise(LEAST.model_dump())
    assert b"<ReceivedDate>2026-11-20 08:00:00</ReceivedDate>" in body


@pytest.mark.parametrize(
    "hole",
    [{"dossier_code": ""}, {"procedure": Procedure()}, {"applicant": Applicant()}, {"received_at": None}],
    ids=lambda hole: next(iter(hole)),
)
def test_a_dossier_with_a_hole_waits_and_nothing_is_invented(hole: dict[str, object]) -> None:
    with pytest.raises(NotSendableError) as caught:
        FORWARD.localise(LEAST.model_copy(update=hole).model_dump())
    assert caught.value.missing


@pytest.mark.parametrize(
    ("message", "name"),
    [("general_declaration", "nsw_GeneralDeclaration.xml"), ("notice_of_arrival", "nsw_NoticeOfArrival.xml")],
)
def test_the_attested_declarations_are_read_and_written_back_equal(data: Path, message: str, name: str) -> None:
    raw = (data / "payloads" / name).read_bytes()
    declaration = load("nsw/forward-2026").messages[message]
    said = declaration.normalise(raw)
    assert said.unknown == ()
    assert said.values["dossier_code"] == "1"
    assert said.values["submitted_at"] == datetime(2014, 9, 14, 17, 0, tzinfo=UTC)
    back = declaration.localise(said.values, spelled=said.spelled)
    assert _plain(back) == _plain(raw)


def test_a_hostile_document_is_a_record_that_cannot_be_read() -> None:
    for hostile in (b"<!DOCTYPE a><DossierForward/>", b"<Other/>", b"<DossierForward>"):
        with pytest.raises(RecordInvalidError):
            FORWARD.normalise(hostile)


def _plain(document: bytes) -> bytes:
    """Canonical bytes without the blanks between elements."""
    return canonical(etree.fromstring(document, etree.XMLParser(remove_blank_text=True)))
