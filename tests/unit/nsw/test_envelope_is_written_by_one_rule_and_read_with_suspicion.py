"""adapters.nsw.envelope: the message inside the string (ministry.md 1.2 to 1.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.nsw.envelope import Subject, read, reference_of, send_date, write
from adapters.nsw.options import Options, Party
from adapters.xml import SchemaCheck
from schemas.errors import RecordInvalidError

PROVINCE = Party(name="System", identity="H96")
MINISTRY = Party(name="BGTVT", identity="BGTVT", country_code="VN", unit_code="01")
SUBJECT = Subject(3, 99, "01", 42, 42, 2026, "2026-11-23 08:00:00")
RECEIVED = etree.fromstring("<ReceiveDate>2026-11-23 08:00:00</ReceiveDate>")
HEAD = (
    "<Envelope><Header><Reference><version>1.0</version><messageId>m</messageId></Reference>"
    "<From><name>a</name><identity>b</identity></From><To><name>c</name><identity>d</identity></To>"
    "<Subject><documentType>3</documentType><type>99</type><function>{function}</function><reference>42</reference>"
    "<preReference>42</preReference><documentYear>2026</documentYear><sendDate>2026-11-23</sendDate></Subject>"
    "</Header><Body><Content>{content}</Content></Body></Envelope>"
)


def test_what_is_written_is_read_back() -> None:
    message = read(write("m", PROVINCE, MINISTRY, SUBJECT, RECEIVED))
    assert (message.message_id, message.subject) == ("m", SUBJECT)
    assert (message.sender, message.receiver) == (PROVINCE, MINISTRY)
    assert message.text("ReceiveDate") == "2026-11-23 08:00:00"
    assert message.oddities == ()


@settings(max_examples=60)
@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=40).filter(str.strip),
    document_type=st.integers(1, 2**31 - 1),
    reference=st.integers(1, 2**63 - 1),
)
def test_any_name_and_number_survive_the_trip(name: str, document_type: int, reference: int) -> None:
    subject = Subject(document_type, 99, "01", reference, reference, 2026, "x")
    party = Party.model_construct(None, name=name, identity="H96")
    text = write("m", party, MINISTRY, subject, RECEIVED)
    assert write("m", party, MINISTRY, subject, RECEIVED) == text
    again = read(text)
    assert again.subject == subject
    assert write("m", again.sender, again.receiver, again.subject, again.content[0]) == text


@pytest.mark.parametrize(
    ("written", "function", "odd"),
    [
        pytest.param("01", "01", False, id="Q10-two-digits"),
        pytest.param("1", "01", True, id="Q10-one-digit"),
        pytest.param(" 99 ", "99", True, id="Q10-with-spaces"),
        pytest.param("\n9\t", "09", True, id="Q10-with-line-breaks"),
    ],
)
def test_a_function_is_put_in_two_digits_and_noted(written: str, function: str, odd: bool) -> None:
    message = read(HEAD.format(function=written, content="<ReceiveDate/>"))
    assert message.subject.function == function
    assert bool(message.oddities) is odd


@pytest.mark.parametrize("written", ["", "abc", "999", "-1", "1 1"])
def test_a_function_that_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(RecordInvalidError, match="function"):
        read(HEAD.format(function=written, content="<ReceiveDate/>"))


OFFICER = "<Organization>o</Organization><Division>d</Division><Name>n</Name>"
REJECT = f"<RejectCode>1</RejectCode><RejectDesc>vì</RejectDesc>{OFFICER}"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"<Reject>{REJECT}</Reject><RejectDate>x</RejectDate>", id="Q14-reject-date-beside"),
        pytest.param(f"<Reject>{REJECT}<RejectDate>x</RejectDate></Reject>", id="Q14-reject-date-inside"),
        pytest.param(
            f"<Modify><ModifyCode>1</ModifyCode><ModifyDesc>x</ModifyDesc>{OFFICER}<ModifyDate>x</ModifyDate></Modify>",
            id="Q14-modify-date-inside",
        ),
        pytest.param(
            f"<Modify><ModifyCode>1</ModifyCode><ModifyDesc>x</ModifyDesc>{OFFICER}</Modify><ModifyDate>x</ModifyDate>",
            id="Q14-modify-date-beside",
        ),
        pytest.param(f"<AcceptDate>x</AcceptDate><Accepter>{OFFICER}</Accepter>", id="21-accepted"),
        pytest.param(f"<CancelDate>x</CancelDate>{OFFICER}<Reason>x</Reason>", id="24-cancelled"),
        pytest.param(
            f"<CancelDate>x</CancelDate>{OFFICER}<Reason>x</Reason><IsApprove>1</IsApprove>", id="71-shifting-order"
        ),
        pytest.param(
            f"<ApprovalStatus>1</ApprovalStatus><Comment>x</Comment>{OFFICER}<ApprovalDate>x</ApprovalDate>",
            id="26-sector-ministry",
        ),
        pytest.param(
            f"<Delay><DelayCode>1</DelayCode><DelayDesc>x</DelayDesc>{OFFICER}</Delay><DelayDate>x</DelayDate>",
            id="95-delay",
        ),
        pytest.param(
            f"<AdditionalRequirements><RequirementCode>1</RequirementCode><RequirementDesc>x</RequirementDesc>{OFFICER}"
            "<RequirementDate>x</RequirementDate></AdditionalRequirements>",
            id="supplement-request",
        ),
        pytest.param(
            f"<InlandRequestAttachment><RejectDesc>x</RejectDesc>{OFFICER}<RejectDate>x</RejectDate><AttachmentList>"
            "<AttachmentType>1</AttachmentType></AttachmentList></InlandRequestAttachment>",
            id="papers-to-present",
        ),
        pytest.param(
            "<Attachment><AttachmentList><AttachmentType>1</AttachmentType><ProvidedDate/><ExpirationDate/>"
            "<DateOfPeriodicInspection/><CertificateNo/></AttachmentList></Attachment>",
            id="64-supplied-papers",
        ),
    ],
)
def test_every_attested_content_for_status_work_is_read(content: str) -> None:
    assert len(read(HEAD.format(function="21", content=content)).content) >= 1


@pytest.mark.parametrize("content", ["", "<Reject/>", "<Unknown/>", "<ReceiveDate/><ReceiveDate/>", "words"])
def test_content_nobody_attested_is_refused(content: str) -> None:
    with pytest.raises(RecordInvalidError, match=r"envelope\.xsd"):
        read(HEAD.format(function="99", content=content))


@pytest.mark.parametrize(
    "place", ["</Envelope>", "</Body>", "</Header>"], ids=lambda place: f"Q23-before-{place[2:-1]}"
)
def test_a_signed_message_is_not_taken_for_an_unsigned_one(place: str) -> None:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
    signed = HEAD.format(function="99", content="<ReceiveDate/>").replace(place, signature + place)
    with pytest.raises(RecordInvalidError, match=r"envelope\.xsd"):
        read(signed)


def test_a_reference_is_stable_positive_and_fits_a_signed_64_bit_number() -> None:
    assert reference_of("H96", "000.00.04.H96-261120-0001") == 1215316641429163297
    numbers = {reference_of("H96", f"000.00.04.H96-261120-{number:06d}") for number in range(50_000)}
    assert len(numbers) == 50_000
    assert min(numbers) > 0
    assert max(numbers) < 2**63


def test_two_provinces_with_one_code_get_two_references() -> None:
    assert reference_of("H96", "1") != reference_of("H12", "1")
    assert reference_of("H9", "61") != reference_of("H96", "1")


def test_the_date_is_vietnam_time_without_a_zone() -> None:
    assert send_date(datetime(2026, 12, 31, 17, 0, 0, 999_999, tzinfo=UTC)) == "2027-01-01 00:00:00"


def test_the_default_document_type_is_no_ship() -> None:
    assert Options(base_url="http://x.example.invalid").document_type not in range(1, 18)


def test_the_reference_schemas_of_2014_compile(data: Path) -> None:
    folder = data / "xsd" / "nsw"
    schemas = {path.name: SchemaCheck(path.read_bytes(), path.name) for path in folder.glob("*.xsd")}
    assert len(schemas) == 20
    header = read(write("m", PROVINCE, MINISTRY, SUBJECT, RECEIVED))
    assert header.subject.reference == 42


def test_the_header_of_the_reference_samples_is_read(data: Path) -> None:
    for name in ("nsw_GeneralDeclaration.xml", "nsw_NoticeOfArrival.xml"):
        text = (data / "payloads" / name).read_text(encoding="utf-8")
        with pytest.raises(RecordInvalidError, match="/Envelope/Body/Content"):
            read(text)  # the header is as ours; a ship's papers are no content this gateway takes
