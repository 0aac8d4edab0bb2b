"""A ministry calls back: what is kept, what is answered, and what is refused at which layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
from lxml import etree

from adapters.exchange import Choice
from adapters.nsw.envelope import read
from adapters.nsw.options import Signatures
from adapters.nsw.signing import Signing
from adapters.receiving import InboundRequest, Reception, Verdict
from adapters.wsdl import load_contract
from mappings.loader import load
from schemas.errors import RecordInvalidError
from tests.integration.nsw.desk import AT, Desk, serving
from tests.unit.xmldsig.makers import MESSAGE, XmlSec, signed, signer, write_pem

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ACTION = "http://tempuri.org/IMTService/"
CALLBACK = load("nsw/forward-2026").messages["callback"]
CLIENT = httpx.Client(trust_env=False, timeout=10, limits=httpx.Limits(max_keepalive_connections=0))
OFFICER = "<Organization>Bộ</Organization><Division>Vụ</Division><Name>CÁN BỘ THỬ NGHIỆM 01</Name>"


def message(function: str = "21", content: str = "", **changes: str) -> str:
    """A call-back; `changes` replace header values by their element's name."""
    text = MESSAGE.replace("<function>21<", f"<function>{function}<")
    for name, value in changes.items():
        text = re.sub(f"<{name}>[^<]*<", f"<{name}>{value}<", text)
    return re.sub("<Content>.*</Content>", f"<Content>{content}</Content>", text) if content else text


def soap(inside: str, operation: str = "ReceiveResultFromMT", namespace: str = "http://tempuri.org/") -> str:
    """A call of one operation; `inside` stands in `XMLData` as it is."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{operation} xmlns="{namespace}"><XMLData>{inside}</XMLData>'
        f"</{operation}></s:Body></s:Envelope>"
    )


def post(desk: Desk, body: str | bytes, **headers: str) -> httpx.Response:
    """Send one call as a WCF client does; `soapaction` may be replaced."""
    given = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"{ACTION}ReceiveResultFromMT"'} | headers
    content = body.encode() if isinstance(body, str) else body
    return CLIENT.post(desk.url, content=content, headers=given)


def call(desk: Desk, text: str) -> Any:
    """The message that answers a message."""
    return read(result(post(desk, soap(escape(text)))))


def result(reply: httpx.Response) -> str:
    """The string an answer carries."""
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    (holder,) = etree.fromstring(reply.content).iter("{http://tempuri.org/}ReceiveResultFromMTResult")
    return holder.text or ""


def said(desk: Desk, which: int = -1) -> dict[str, Any]:
    """What the mapping reads in a kept call."""
    read_as = CALLBACK.normalise(desk.calls[which].record.parts["callback"])
    assert read_as.unknown == ()
    return read_as.values["state"]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as running:
        yield running


def test_a_call_back_is_kept_and_acknowledged_by_a_99(desk: Desk) -> None:
    answer = call(desk, message())
    assert answer.subject.function == "99"
    assert answer.text("ReceiveDate") == "2026-11-23 10:00:00"
    assert (answer.sender.identity, answer.receiver.identity) == ("NSW", "BGTVT")
    assert (answer.subject.document_type, answer.subject.reference, answer.subject.document_year) == (100, 7, 2026)
    (kept,) = desk.calls
    assert kept.key == "m-1"
    assert kept.record.external_id == "100-7-2026"
    assert kept.record.partial
    state = said(desk)
    assert (state["id"], state["status"], state["wire"], state["occurred_at"]) == ("m-1", "accepted", "21", AT)
    assert state["officer"] == "CÁN BỘ THỬ NGHIỆM 01"


REJECT = f"<Reject><RejectCode>R1</RejectCode><RejectDesc>thiếu giấy tờ</RejectDesc>{OFFICER}</Reject>"
WANTED = f"<RequirementCode>B</RequirementCode><RequirementDesc>bổ sung bản vẽ</RequirementDesc>{OFFICER}"
WANTED = (
    f"<AdditionalRequirements>{WANTED}<RequirementDate>2026-11-23 10:00:00</RequirementDate></AdditionalRequirements>"
)
DELAY = f"<Delay><DelayCode>D</DelayCode><DelayDesc>chờ thẩm định</DelayDesc>{OFFICER}</Delay><DelayDate>x</DelayDate>"
PAPERS = (
    f"<RequestAttachment><RejectDesc>thiếu bản sao</RejectDesc>{OFFICER}<RejectDate>x</RejectDate>"
    "<AttachmentList><AttachmentType>1</AttachmentType></AttachmentList></RequestAttachment>"
)
APPROVAL = f"<ApprovalStatus>1</ApprovalStatus><Comment>đồng ý</Comment>{OFFICER}<ApprovalDate>x</ApprovalDate>"


@pytest.mark.parametrize(
    ("function", "content", "status", "note"),
    [
        pytest.param("21", "", "accepted", None, id="accepted"),
        pytest.param("22", REJECT + "<RejectDate>x</RejectDate>", "not_accepted", "thiếu giấy tờ", id="Q07-refused"),
        pytest.param("22", REJECT, "not_accepted", "thiếu giấy tờ", id="refused-without-a-date"),
        pytest.param("23", "<ReceiveDate>x</ReceiveDate>", "completed", None, id="completed"),
        pytest.param("24", f"<CancelDate>x</CancelDate>{OFFICER}<Reason>rút</Reason>", "halted", "rút", id="cancelled"),
        pytest.param("25", WANTED, "supplement_requested", "bổ sung bản vẽ", id="Q08-25-papers-wanted"),
        pytest.param("25", DELAY, "in_progress", "chờ thẩm định", id="Q08-25-suspended"),
        pytest.param("26", APPROVAL, "in_progress", "đồng ý", id="sector-result"),
        pytest.param("27", WANTED, "supplement_requested", "bổ sung bản vẽ", id="27-papers-wanted"),
        pytest.param("28", WANTED, "supplement_requested", "bổ sung bản vẽ", id="28-papers-wanted"),
        pytest.param("29", PAPERS, "supplement_requested", "thiếu bản sao", id="29-papers-to-present"),
        pytest.param("30", "<ReceiveDate>x</ReceiveDate>", "payment_requested", None, id="fee-due"),
        pytest.param("31", "<ReceiveDate>x</ReceiveDate>", "in_progress", None, id="fee-paid"),
        pytest.param("35", DELAY, "in_progress", "chờ thẩm định", id="paused"),
        pytest.param("99", "<ReceiveDate>x</ReceiveDate>", None, None, id="received-is-no-status"),
        pytest.param(" 21", "", "accepted", None, id="Q10-function-with-a-blank"),
    ],
)
def test_each_function_is_read_as_what_it_means(
    desk: Desk, function: str, content: str, status: str | None, note: str | None
) -> None:
    assert call(desk, message(function, content)).subject.function == "99"
    state = said(desk)
    assert state.get("status") == status
    assert state.get("note") == note


def test_a_partners_own_table_says_what_it_means_by_a_function() -> None:
    with serving(functions={"25": "35", "77": "21"}) as desk:
        call(desk, message("25", WANTED))
        assert (said(desk)["status"], said(desk)["wire"]) == ("in_progress", "35")
        call(desk, message("77", "<Unheard>x</Unheard>", messageId="m-2"))
        assert CALLBACK.normalise(desk.calls[-1].record.parts["callback"]).values["state"]["status"] == "accepted"


@pytest.mark.parametrize("function", ["20", "77"])
def test_a_function_without_a_meaning_is_kept_for_a_person(desk: Desk, function: str) -> None:
    assert call(desk, message(function, "<Unheard>x</Unheard>")).subject.function == "99"
    with pytest.raises(RecordInvalidError, match=r"state\.status|function"):
        CALLBACK.normalise(desk.calls[0].record.parts["callback"])


def test_fees_may_come_with_content_nobody_attested(desk: Desk) -> None:
    assert call(desk, message("30", "<FeeNotice><Total>120000</Total></FeeNotice>")).subject.function == "99"
    read_as = CALLBACK.normalise(desk.calls[0].record.parts["callback"])
    assert read_as.values["state"]["status"] == "payment_requested"
    assert read_as.unknown == ("Body/Content/FeeNotice",)


@pytest.mark.parametrize("suffix", ["code", "Code"])
def test_both_spellings_of_the_four_codes_are_read(desk: Desk, suffix: str) -> None:
    codes = "".join(f"<{name}{suffix}>VN</{name}{suffix}>" for name in ("country", "ministry", "organization", "unit"))
    text = message().replace("</identity></From>", f"</identity>{codes}</From>")
    answer = call(desk, text)
    assert answer.subject.function == "99"
    assert answer.receiver.country_code == "VN"


@pytest.mark.parametrize(
    "inside",
    [
        escape(MESSAGE),
        f"<![CDATA[{MESSAGE}]]>",
        escape('\ufeff<?xml version="1.0" encoding="utf-8"?>\n' + MESSAGE),
        escape(escape(MESSAGE)),
    ],
    ids=["escaped", "Q12-cdata", "Q11-prolog-and-mark", "Q12-escaped-twice"],
)
def test_the_message_is_read_however_the_string_was_written(desk: Desk, inside: str) -> None:
    assert read(result(post(desk, soap(inside)))).subject.function == "99"
    assert said(desk)["status"] == "accepted"


@pytest.mark.parametrize("operation", ["Receive", "ReceiveResultFromMT", "ReceiveFromInland"])
@pytest.mark.parametrize("quote", ['"', ""], ids=["quoted", "bare"])
def test_each_operation_is_served_under_its_own_action(desk: Desk, operation: str, quote: str) -> None:
    reply = post(desk, soap(escape(message()), operation), soapaction=f"{quote}{ACTION}{operation}{quote}")
    root = etree.fromstring(reply.content)
    assert [etree.QName(one).localname for one in root.iter()][2:] == [f"{operation}Response", f"{operation}Result"]


def test_an_action_left_empty_is_no_contradiction(desk: Desk) -> None:
    assert post(desk, soap(escape(message())), soapaction='""').status_code == 200


def test_a_repeat_gets_the_first_answer_byte_for_byte_also_at_once(desk: Desk) -> None:
    body = soap(escape(message()))
    with ThreadPoolExecutor(16) as pool:
        answers = {reply.content for reply in pool.map(lambda _: post(desk, body), range(48))}
    assert len(answers) == 1
    assert len(desk.calls) == 1
    assert desk.verdicts.count(Verdict.NEW) == 1


def test_one_id_with_other_content_is_kept_as_another_version(desk: Desk) -> None:
    first, second = call(desk, message()), call(desk, message("22", REJECT))
    assert (first.subject.function, second.subject.function) == ("99", "99")
    assert first.message_id != second.message_id
    assert [one.key for one in desk.calls] == ["m-1", "m-1"]
    assert desk.calls[0].digest != desk.calls[1].digest
    assert desk.verdicts == [Verdict.NEW, Verdict.CHANGED]


def test_one_message_by_two_operations_gets_an_answer_each_can_read(desk: Desk) -> None:
    call(desk, message())
    reply = post(desk, soap(escape(message()), "ReceiveFromInland"), soapaction=f"{ACTION}ReceiveFromInland")
    assert b"ReceiveFromInlandResult" in reply.content
    assert said(desk, 0)["id"] == said(desk, 1)["id"]


def test_call_backs_out_of_order_are_kept_each_with_its_own_time(desk: Desk) -> None:
    call(desk, message("23", "<ReceiveDate>x</ReceiveDate>", messageId="m-2", sendDate="2026-11-23 11:00:00"))
    call(desk, message())
    assert said(desk, 0)["occurred_at"] > said(desk, 1)["occurred_at"]


def test_what_could_not_be_stored_gets_an_empty_string_and_may_come_again(desk: Desk) -> None:
    desk.busy = True
    assert result(post(desk, soap(escape(message())))) == ""
    desk.busy = False
    assert call(desk, message()).subject.function == "99"


def test_a_refusal_names_the_message_and_our_reason(desk: Desk) -> None:
    desk.refuses = "chưa nhận"
    answer = call(desk, message())
    assert answer.subject.function == "22"
    assert (answer.text("Reject/RejectCode"), answer.text("Reject/RejectDesc")) == ("m-1", "chưa nhận")
    assert (answer.text("Reject/Organization"), answer.text("Reject/Division")) == ("System", "System")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(message().replace("<reference>7</reference>", ""), "m-1", id="header-with-a-hole"),
        pytest.param(message().replace("AcceptDate", "Accepted"), "m-1", id="content-nobody-knows"),
        pytest.param(message(reference="bảy"), "m-1", id="reference-no-number"),
        pytest.param("<Envelope/>", "", id="empty-envelope"),
        pytest.param("xin chào", "", id="words"),
        pytest.param("", "", id="nothing"),
        pytest.param(message("22", REJECT.replace("thiếu", "A & B")), "", id="Q13-bare-ampersand"),
        pytest.param('<!DOCTYPE a [<!ENTITY e "x">]>' + MESSAGE, "", id="Q25-doctype-in-the-message"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?>' + MESSAGE, "", id="Q11-utf16"),
        pytest.param(message(name="&#1;"), "", id="Q27-control-character"),
        pytest.param("<a>" * 500 + "</a>" * 500, "", id="Q26-depth-500"),
        pytest.param("<Envelope>" + "<a/>" * 30_000 + "</Envelope>", "", id="Q26-30000-elements"),
        pytest.param(signed().decode(), "m-1", id="signed-where-nothing-is"),
    ],
)
def test_what_is_no_message_is_refused_by_a_22(desk: Desk, text: str, named: str) -> None:
    answer = call(desk, text)
    assert answer.subject.function == "22"
    assert answer.text("Reject/RejectCode") == named
    assert answer.text("Reject/RejectDesc")
    assert desk.calls == []
    assert [one.code for one in desk.unreadable] == ["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param("<html/>", "Client", id="no-envelope"),
        pytest.param(b"", "Client", id="empty"),
        pytest.param(b"\xff\xfe<\x00", "Client", id="utf16-bytes"),
        pytest.param(soap("x").replace(SOAP, "urn:soap-of-tomorrow"), "VersionMismatch", id="another-version"),
        pytest.param(soap("x").replace("<s:Body>", "<s:Body/><s:Body>"), "Client", id="two-bodies"),
        pytest.param(soap("x", "SendMoney"), "Client", id="no-such-operation"),
        pytest.param(soap("x", namespace="http://ws.gt.vn"), "Client", id="foreign-namespace"),
        pytest.param(soap("x", "Receive"), "Client", id="Q22-action-of-another-operation"),
        pytest.param(soap(MESSAGE), "Client", id="message-not-a-string"),
        pytest.param(soap("x").replace("<XMLData>x</XMLData>", ""), "Client", id="no-string"),
        pytest.param(soap("x").replace("<XMLData>x", "<XMLData/><XMLData>x"), "Client", id="two-strings"),
        pytest.param('<!DOCTYPE a [<!ENTITY e "x">]>' + soap("&e;"), "Client", id="Q25-doctype-in-the-envelope"),
        pytest.param(
            soap("x").replace("<s:Body>", '<s:Header><a xmlns="urn:x" s:mustUnderstand="1"/></s:Header><s:Body>'),
            "MustUnderstand",
            id="must-understand",
        ),
        pytest.param("<a>" * 500 + "</a>" * 500, "Client", id="Q26-depth-500-in-the-envelope"),
        pytest.param(soap("x" * 17_000_000), "Client", id="Q26-too-large"),
    ],
)
def test_what_is_no_call_of_this_service_gets_a_fault(desk: Desk, body: str | bytes, code: str) -> None:
    reply = post(desk, body)
    assert reply.status_code == 400
    fault = etree.fromstring(reply.content).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
    assert fault is not None
    assert fault.findtext("faultcode") == f"s:{code}"
    assert len(reply.content) < 1_000
    assert desk.calls == []


def test_another_charset_is_refused_by_name(desk: Desk) -> None:
    body = soap(escape(message())).encode("utf-16")
    assert post(desk, body, **{"content-type": "text/xml; charset=utf-16"}).status_code == 400


def test_a_message_of_another_sender_calls_for_a_person() -> None:
    with serving(senders=("BGTVT",)) as desk:
        assert call(desk, message()).subject.function == "99"
        other = message().replace("<identity>BGTVT<", "<identity>BTC<")
        assert call(desk, other).subject.function == "22"
        assert [(one.code, one.alarm) for one in desk.unreadable] == [("sender", True)]


def test_the_wsdl_names_the_address_it_was_asked_under(desk: Desk, tmp_path: Path) -> None:
    reply = CLIENT.get(desk.url + "?wsdl")
    assert reply.headers["content-type"].startswith("text/xml")
    assert desk.url.encode() in reply.content
    assert CLIENT.get(desk.url).status_code == 404
    file = tmp_path / "call-back.wsdl"
    file.write_bytes(reply.content)
    for operation in ("Receive", "ReceiveResultFromMT", "ReceiveFromInland"):
        assert load_contract(file, choice=Choice(operation=operation)).shape.request_child == "XMLData"


def test_a_partner_with_another_namespace_is_served_under_it(tmp_path: Path) -> None:
    with serving(namespace="http://ws.example.invalid/x") as desk:
        file = tmp_path / "other.wsdl"
        file.write_bytes(CLIENT.get(desk.url + "?wsdl").content)
        assert load_contract(file, choice=Choice(operation="Receive")).shape.namespace == "http://ws.example.invalid/x"
        body = soap(escape(message()), namespace="http://ws.example.invalid/x")
        action = "http://ws.example.invalid/x/IMTService/ReceiveResultFromMT"
        assert b"http://ws.example.invalid/x" in post(desk, body, soapaction=action).content
        assert post(desk, soap(escape(message()))).status_code == 400


def test_reading_and_answering_are_pure(desk: Desk) -> None:
    body = soap(escape(message())).encode()
    request = InboundRequest("POST", "", {}, {"content-type": "text/xml"}, body, AT, desk.url)
    assert desk.receiver.read(request) == desk.receiver.read(request)
    for verdict in Verdict:
        told = Reception(verdict, AT, "lý do")
        assert desk.receiver.reply(request, told) == desk.receiver.reply(request, told)


class TestSigned:
    """A partner whose messages are signed."""

    @pytest.fixture
    def signing(self, tmp_path: Path) -> Signing:
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        ours.mkdir()
        theirs.mkdir()
        certificate, key = write_pem(ours, signer("Tỉnh thử nghiệm"))
        pinned, _ = write_pem(theirs, signer())
        options = Signatures(mode="sign+require", certificate=str(certificate), key=str(key), pinned=(str(pinned),))
        return Signing.of(options, lambda _: "")

    def test_a_signed_call_back_is_read_and_its_answer_is_signed(self, signing: Signing, xmlsec: XmlSec) -> None:
        with serving(signing) as desk:
            answer = result(post(desk, soap(escape(xmlsec.sign(MESSAGE, signer()).decode()))))
            assert xmlsec.verifies(answer.encode(), signer("Tỉnh thử nghiệm"))
            assert "<function>99</function>" in answer
            assert said(desk)["status"] == "accepted"

    def test_a_message_signed_anew_is_a_repeat(self, signing: Signing, xmlsec: XmlSec) -> None:
        with serving(signing) as desk:
            for text in (signed().decode(), xmlsec.sign(MESSAGE, signer()).decode()):
                post(desk, soap(escape(text)))
            assert desk.verdicts == [Verdict.NEW, Verdict.REPEATED]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (MESSAGE, "signature_unsigned"),
            (signed(signer("Bộ khác")).decode(), "signature_untrusted"),
            (signed().decode().replace("<function>21<", "<function>23<"), "signature_digest"),
            (signed().decode().replace("<function>21<", "<function>2<!-- -->1<"), "signature_comment"),
        ],
    )
    def test_a_message_whose_signature_does_not_hold_calls_for_a_person(
        self, signing: Signing, text: str, code: str
    ) -> None:
        with serving(signing) as desk:
            answer = result(post(desk, soap(escape(text))))
            assert "<function>22</function>" in answer
            assert [(one.code, one.alarm) for one in desk.unreadable] == [(code, True)]
            assert desk.calls == []

    def test_signing_ourselves_asks_nothing_of_the_partner_but_honesty(self, signing: Signing) -> None:
        lenient = Signing("sign", signing.signer, signing.trust)
        with serving(lenient) as desk:
            for text in (MESSAGE, signed().decode(), signed(signer("Bộ khác")).decode()):
                post(desk, soap(escape(text)))
            assert desk.verdicts == [Verdict.NEW, Verdict.REPEATED]
            assert [one.code for one in desk.unreadable] == ["signature_untrusted"]
