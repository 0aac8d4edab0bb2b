"""What is sent, what a repeat does, and what the ministry's book says about it."""

from __future__ import annotations

import gc
import logging
import socket
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from adapters.base import OutcomeKind, Presence
from adapters.nsw.envelope import read, reference_of
from adapters.xml import parse
from schemas.clock import SystemClock
from schemas.errors import ConfigError, PortalRefusedError

DELIVERED, REFUSED, UNKNOWN, RETRY = (
    OutcomeKind.DELIVERED,
    OutcomeKind.REFUSED,
    OutcomeKind.UNKNOWN,
    OutcomeKind.RETRY,
)
SOAP_12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
PACKAGED = Path(str(files("schemas").joinpath("nsw", "message-exchange.wsdl")))
WSDL = Path(__file__).parents[2] / "unit" / "nsw" / "wsdl"


def sent_text(request: Any) -> str:
    """The string that travelled in the request."""
    root = parse(request.body)
    return root[0][0][0].text or ""


def test_a_declaration_arrives_once_with_all_it_says(ministry: Any) -> None:
    outcome = ministry.adapter().push(ministry.delivery())
    assert outcome.kind is DELIVERED
    assert outcome.proof == "function=99 ReceiveDate"
    (effect,) = ministry.effects
    assert effect["effect"] == "declare"
    assert effect["key"] == outcome.external_id
    assert effect["content"]["forward"]["Applicant"]["Name"] == "CÔNG DÂN THỬ NGHIỆM 01"
    assert effect["content"]["message_id"] == ministry.delivery().key_uuid


def test_the_envelope_is_written_as_attested(ministry: Any) -> None:
    adapter = ministry.adapter(
        sender={"name": "Sở Xây dựng", "identity": "H96", "country_code": "VN", "unit_code": "04"}, document_type=3
    )
    adapter.push(ministry.delivery())
    text = sent_text(ministry.requests[0])
    header = etree.fromstring(text)[0]
    assert [child.tag for child in header] == ["Reference", "From", "To", "Subject"]
    assert [child.tag for child in header[1]] == ["name", "identity", "countrycode", "unitcode"]
    assert {child.tag: child.text for child in header[3]} == {
        "documentType": "3",
        "type": "99",
        "function": "01",
        "reference": str(reference_of("H96", "000.00.04.H96-261120-0001")),
        "preReference": str(reference_of("H96", "000.00.04.H96-261120-0001")),
        "documentYear": "2026",
        "sendDate": "2026-11-23 08:02:03",
    }
    assert header.findtext("Reference/version") == "1.0"
    assert header.findtext("Reference/messageId") == ministry.delivery().key_uuid
    assert not text.startswith("<?xml")


@pytest.mark.parametrize(
    ("document_type", "codes"),
    [pytest.param(16, "countryCode", id="Q09-written-camel"), pytest.param(1, "countrycode", id="Q09-written-lower")],
)
def test_the_four_codes_are_spelled_by_document_type(ministry: Any, document_type: int, codes: str) -> None:
    sender = {"name": "H96", "identity": "H96", "country_code": "VN"}
    adapter = ministry.adapter(sender=sender, document_types={"1.001193": document_type})
    assert adapter.push(ministry.delivery()).kind is DELIVERED
    assert f"<{codes}>VN</{codes}>" in sent_text(ministry.requests[0])


def test_Q12_the_message_travels_escaped_once_and_not_as_cdata(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.adapter().push(ministry.delivery())
    body = ministry.requests[0].body
    assert b"requestMessage>&lt;Envelope&gt;&lt;Header&gt;" in body
    assert b"CDATA" not in body
    assert b"&amp;lt;" not in body


def test_Q22_the_soap_action_is_two_quotes(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.adapter().push(ministry.delivery())
    assert ministry.requests[0].headers["soapaction"] == '""'
    assert ministry.requests[0].headers["content-type"] == "text/xml; charset=utf-8"


def test_Q22_the_soap_action_can_be_the_partners_own(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.adapter(soap_action="urn:send").push(ministry.delivery())
    assert ministry.requests[0].headers["soapaction"] == '"urn:send"'


def test_a_repeat_is_equal_byte_for_byte_and_harmless(ministry: Any) -> None:
    adapter = ministry.adapter()
    assert adapter.push(ministry.delivery()).kind is DELIVERED
    assert ministry.adapter().push(ministry.delivery(attempt=2)).kind is DELIVERED
    first, second = ministry.requests
    assert first.body == second.body
    assert len(ministry.effects) == 1
    (held,) = ministry.simulator.screen("dossiers", {})
    assert held["declarations"][0]["answers"] == ["99", "99"]


def test_Q06_a_repeat_refused_by_our_own_id_is_unknown_not_refused(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.simulator.act("switch", {"repeat_answer": "reject"})
    ministry.quirk("empty")
    adapter = ministry.adapter()
    assert adapter.push(ministry.delivery()).kind is UNKNOWN
    again = adapter.push(ministry.delivery(attempt=2))
    assert again.kind is UNKNOWN
    assert "possibly already received" in again.reason
    assert again.code == "22"
    assert len(ministry.effects) == 1


def test_Q06_the_same_answer_to_a_first_attempt_is_a_validation_error(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.simulator.act("switch", {"fails": True})
    adapter = ministry.adapter()
    assert adapter.push(ministry.delivery()).kind is REFUSED
    assert adapter.push(ministry.delivery(attempt=2)).kind is UNKNOWN


def test_Q06_a_ministry_of_mixed_mind_ends_in_an_acknowledgement(ministry: Any) -> None:  # noqa: N802 - the case's id
    ministry.simulator.act("switch", {"repeat_answer": "mixed"})
    adapter = ministry.adapter()
    kinds = [adapter.push(ministry.delivery(attempt=attempt)).kind for attempt in (1, 2, 3)]
    assert kinds == [DELIVERED, UNKNOWN, DELIVERED]


def test_Q15_one_id_with_other_content_is_refused_and_kept_once(ministry: Any) -> None:  # noqa: N802 - the case's id
    adapter = ministry.adapter()
    first = ministry.delivery()
    adapter.push(first)
    other = ministry.delivery(code="000.00.04.H96-261120-0002", key_uuid=first.key_uuid, attempt=2)
    assert adapter.push(other).kind is UNKNOWN
    assert len(ministry.effects) == 1


@pytest.mark.parametrize(
    ("operation", "function", "effect"),
    [("amend", "02", "amend"), ("supplement", "05", "supplement"), ("cancel", "10", "cancel")],
)
def test_later_messages_are_about_the_same_dossier(ministry: Any, operation: str, function: str, effect: str) -> None:
    adapter = ministry.adapter()
    declared = adapter.push(ministry.delivery())
    changed = adapter.push(ministry.delivery(operation=operation))
    assert changed.kind is DELIVERED
    assert changed.external_id == declared.external_id
    assert [entry["effect"] for entry in ministry.effects] == ["declare", effect]
    assert f"<function>{function}</function>" in sent_text(ministry.requests[1])


def test_a_change_to_a_dossier_nobody_declared_is_refused(ministry: Any) -> None:
    assert ministry.adapter().push(ministry.delivery(operation="amend")).kind is REFUSED


def test_Q19_a_question_is_answered_by_an_acknowledgement_only_and_tells_nothing(ministry: Any) -> None:  # noqa: N802 - the case's id
    adapter = ministry.adapter()
    never_sent = adapter.push(ministry.delivery(operation="ask_result"))
    adapter.push(ministry.delivery())
    ministry.simulator.act("complete", {"dossier_code": "000.00.04.H96-261120-0001"})
    sent = adapter.push(ministry.delivery(operation="ask_result"))
    assert never_sent.code == sent.code == "99"
    assert "Applicant" not in sent_text(ministry.requests[0])
    assert [entry["effect"] for entry in ministry.effects] == ["declare"]


def test_no_probe_can_tell(ministry: Any) -> None:
    assert ministry.adapter().probe(ministry.delivery()).presence is Presence.CANNOT_TELL
    assert ministry.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("delay", id="Q20-slower-than-the-deadline"),
        pytest.param("drip", id="Q20-dripping-past-the-deadline"),
        pytest.param("reset_after", id="answer-lost"),
        pytest.param("truncate", id="answer-cut"),
        pytest.param("wrong_namespace", id="Q01-foreign-namespace-by-fault"),
        pytest.param("garbage", id="garbage"),
        pytest.param("html_200", id="html-with-200"),
    ],
)
def test_an_answer_that_does_not_arrive_leaves_the_outcome_unknown_and_a_repeat_settles_it(
    ministry: Any, fault: str
) -> None:
    ministry.server.faults.script(fault, on="write", before=False)
    adapter = ministry.adapter(timeout_s=0.15)
    assert adapter.push(ministry.delivery()).kind is UNKNOWN
    assert ministry.adapter().push(ministry.delivery(attempt=2)).kind is DELIVERED
    assert len(ministry.effects) == 1


def test_too_many_requests_is_known_not_to_have_worked(ministry: Any) -> None:
    ministry.server.faults.script("too_many_429")
    outcome = ministry.adapter().push(ministry.delivery())
    assert outcome.kind is RETRY
    assert outcome.not_before_s is not None
    assert ministry.effects == []


def test_an_unavailable_ministry_may_have_worked(ministry: Any) -> None:
    ministry.server.faults.script("unavailable_503")
    assert ministry.adapter().push(ministry.delivery()).kind is UNKNOWN


def test_a_refused_connection_is_known_not_to_have_worked(ministry: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        adapter = ministry.adapter(base_url=f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert adapter.push(ministry.delivery()).kind is RETRY


def test_nothing_is_sent_past_the_send_by_instant(ministry: Any) -> None:
    late = ministry.delivery(send_by=SystemClock().monotonic() - 0.001)
    assert ministry.adapter().push(late).kind is RETRY
    assert ministry.requests == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"<DossierForward><DossierCode>A</DossierCode></DossierForward>", "not valid", id="I11-holes"),
        pytest.param(b"<Other/>", "not valid", id="another-root"),
        pytest.param(b"<DossierForward>\x01</DossierForward>", "malformed", id="Q27-control-character"),
        pytest.param(b"{}", "malformed", id="json"),
        pytest.param(b"<!DOCTYPE a><DossierForward/>", "DOCTYPE", id="Q25-doctype-from-us"),
    ],
)
def test_a_body_that_may_not_be_sent_is_refused_here(ministry: Any, body: bytes, reason: str) -> None:
    outcome = ministry.adapter().push(ministry.delivery(body=body))
    assert outcome.kind is REFUSED
    assert outcome.reason.startswith("not sent:")
    assert reason in outcome.reason
    assert ministry.requests == []


def test_Q27_decomposed_vietnamese_leaves_composed(ministry: Any) -> None:  # noqa: N802 - the case's id
    code = "000.00.04.H96-261120-0001"
    body = ministry.delivery().body.replace("CÔNG".encode(), "CO\u0302NG".encode())
    assert ministry.adapter().push(ministry.delivery(code, body=body)).kind is DELIVERED
    assert ministry.effects[0]["content"]["forward"]["Applicant"]["Name"] == "CÔNG DÂN THỬ NGHIỆM 01"


def test_ping_reads_the_ministrys_clock_and_writes_nothing(ministry: Any) -> None:
    assert ministry.adapter().ping() is not None
    assert ministry.effects == []


def test_what_the_kind_cannot_do_is_declared(ministry: Any) -> None:
    adapter = ministry.adapter()
    assert not adapter.abilities.pulls
    assert not adapter.abilities.fetches
    assert set(adapter.abilities.commands) == {"declare", "amend", "supplement", "cancel"}
    assert list(adapter.pull(None)) == []
    for refuse in (adapter.fetch, adapter.catalogue, adapter.open_file):
        with pytest.raises(PortalRefusedError):
            refuse("x")


@pytest.mark.parametrize("namespace", ["http://elcom.gt.vn", "http://ws.duongbo.dtt.vn", "http://facade.dk.gt.dtt.vn"])
def test_a_sibling_in_another_namespace_works_by_configuration(ministry: Any, namespace: str) -> None:
    ministry.simulator.act("switch", {"namespace": namespace, "request_namespace": namespace})
    assert ministry.adapter(namespace=namespace).push(ministry.delivery()).kind is DELIVERED
    assert ministry.adapter().push(ministry.delivery(attempt=2)).kind is REFUSED


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("MessageAndResponseImpl.wsdl", "http://ws.gt.vn"), ("SendMessage2ElcomImpl.wsdl", "http://elcom.gt.vn")],
)
def test_the_published_contracts_can_be_used_as_they_are(ministry: Any, data: Path, name: str, namespace: str) -> None:
    ministry.simulator.act("switch", {"namespace": namespace, "request_namespace": namespace})
    adapter = ministry.adapter(wsdl=str(data / "wsdl" / name))
    assert adapter.push(ministry.delivery()).kind is DELIVERED


@pytest.mark.parametrize("operation", ["Receive", "ReceiveFromInland"])
def test_an_operators_wsdl_with_names_of_its_own_is_followed(ministry: Any, operation: str) -> None:
    names = {"namespace": "http://tempuri.org/", "operation": operation, "reply_child": f"{operation}Result"}
    ministry.simulator.act("switch", names)
    adapter = ministry.adapter(wsdl=str(WSDL / "three-operations.wsdl"), operation=operation)
    assert adapter.push(ministry.delivery()).kind is DELIVERED
    (request,) = ministry.requests
    assert b"<ns0:XMLData>&lt;Envelope&gt;" in request.body
    assert f'{operation} xmlns:ns0="http://tempuri.org/"'.encode() in request.body
    assert request.headers["soapaction"] == f'"http://tempuri.org/IMTService/{operation}"'


def test_a_service_whose_children_stand_in_no_namespace_is_read(ministry: Any, tmp_path: Path) -> None:
    content = PACKAGED.read_text(encoding="utf-8").replace('elementFormDefault="qualified" ', "")
    (tmp_path / "unqualified.wsdl").write_text(content, encoding="utf-8")
    ministry.quirk("unqualified_child")
    assert ministry.adapter(wsdl=str(tmp_path / "unqualified.wsdl")).push(ministry.delivery()).kind is DELIVERED
    assert b"<requestMessage>&lt;Envelope" in ministry.requests[0].body
    ministry.quirk("unqualified_child")
    assert ministry.adapter().push(ministry.delivery(attempt=2)).kind is UNKNOWN


def test_a_service_that_also_speaks_soap_1_2_is_called_over_1_1(ministry: Any, tmp_path: Path) -> None:
    content = PACKAGED.read_text(encoding="utf-8")
    start, end = content.index("<wsdl:binding"), content.index("</wsdl:binding>") + len("</wsdl:binding>")
    twelve = content[start:end].replace("Binding", "Binding12").replace("</wsdl:Binding12>", "</wsdl:binding>")
    twelve = twelve.replace("<soap:", "<soap12:").replace("<wsdl:binding ", f'<wsdl:binding xmlns:soap12="{SOAP_12}" ')
    port = (
        f'<wsdl:port name="P12" binding="tns:MessageAndResponseImplSoapBinding12">'
        f'<soap12:address xmlns:soap12="{SOAP_12}" location="http://x.example.invalid/"/></wsdl:port>'
    )
    content = content[:end] + twelve + content[end:].replace("</wsdl:service>", port + "</wsdl:service>")
    (tmp_path / "both.wsdl").write_text(content, encoding="utf-8")
    assert ministry.adapter(wsdl=str(tmp_path / "both.wsdl")).push(ministry.delivery()).kind is DELIVERED
    assert ministry.requests[0].headers["content-type"] == "text/xml; charset=utf-8"


def test_a_broken_wsdl_stops_at_start_up_with_a_clear_message(ministry: Any) -> None:
    with pytest.raises(ConfigError, match="invalid part"):
        ministry.adapter(wsdl=str(WSDL / "rpc-with-elements.wsdl"))


def test_the_simulators_own_contract_is_served_and_loads(ministry: Any, tmp_path: Path) -> None:
    url = f"{ministry.server.url}/services/MessageAndResponseImpl"
    content = httpx.get(f"{url}?wsdl", trust_env=False).content
    (tmp_path / "served.wsdl").write_bytes(content)
    assert f'location="{url}"'.encode() in content
    assert ministry.adapter(wsdl=str(tmp_path / "served.wsdl")).push(ministry.delivery()).kind is DELIVERED


def test_nothing_personal_is_logged_even_at_debug_level(ministry: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    adapter = ministry.adapter()
    for quirk in ("prolog", "fault_server", "truncated", "empty"):
        ministry.quirk(quirk)
        adapter.push(ministry.delivery(code=quirk))
    assert "THỬ NGHIỆM" not in caplog.text
    assert "001000000000" not in caplog.text


def test_sixteen_threads_of_a_hundred_calls_share_one_client_without_mixing_answers(ministry: Any) -> None:
    adapter = ministry.adapter()
    calls = 1600

    def push(number: int) -> str:
        code = f"000.00.04.H96-261120-{number:04d}"
        outcome = adapter.push(ministry.delivery(code))
        wanted = f"100-{reference_of('H96', code)}-2026"
        return "right" if outcome.external_id == wanted else f"{outcome.kind}: {outcome.reason}"

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(push, range(calls))) == {"right"}
    assert len(ministry.effects) == calls


def test_memory_stays_flat_over_many_calls_with_bad_answers_among_them(ministry: Any, soak: bool) -> None:
    adapter = ministry.adapter()

    def calls(count: int) -> None:
        for number in range(count):
            if number % 3 == 0:
                ministry.quirk(("empty", "fault_server", "truncated", "unknown_field")[number % 4])
            adapter.push(ministry.delivery(operation="ask_result"))
        ministry.simulator.requests.clear()

    calls(60)
    tracemalloc.start()
    calls(20)
    gc.collect()  # dead cycles that nobody has looked for yet are no leak
    before, _ = tracemalloc.get_traced_memory()
    calls(5_000 if soak else 150)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 300_000


def test_a_ministry_never_decides_in_its_answer(ministry: Any) -> None:
    adapter = ministry.adapter()
    adapter.push(ministry.delivery())
    for verb in ("accept", "supplement", "complete"):
        shown = ministry.simulator.act(verb, {"dossier_code": "000.00.04.H96-261120-0001"})
        outcome = adapter.push(ministry.delivery(operation="ask_result", key_uuid=f"question-{verb}"))
        assert read(str(etree.fromstring(outcome.answer)[0][0][0].text)).subject.function == "99"
    assert shown["state"] == 19
    assert [state["state"] for state in shown["states"]] == [4, 13, 19]
