"""A ministry that calls by a contract of its own is served by configuration alone; zeep is its program here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
import zeep

from adapters.exchange import SOAP_11, SOAP_12
from adapters.nsw.envelope import read
from adapters.nsw.options import CallBacks
from adapters.nsw.service import service_of
from adapters.receiving import Verdict
from schemas.errors import ConfigError
from tests.integration.nsw.desk import Desk, serving
from tests.integration.nsw.test_ministry_calls_back import CLIENT, OFFICER, message, post, said, soap
from tests.integration.nsw.test_nsw_contracts_of_every_style import (
    HEAD,
    LOGIN,
    NOIDUNG,
    NS,
    ONE,
    PARTS,
    RPC,
    STRING,
    binding,
    elements,
    messages,
    schema,
    service,
)

REASON = "Thiếu văn bản <mẫu 01> & chữ ký số – 𠀋"
REFUSAL = (
    f"<Reject><RejectCode>1</RejectCode><RejectDesc>{escape(REASON)}</RejectDesc>{OFFICER}</Reject>"
    "<RejectDate>2026-11-23 10:00:00</RejectDate>"
)
Serve = Callable[..., Desk]
BARE = schema(f'<x:element name="Gui" {STRING}/><x:element name="TraLoi" {STRING}/>') + messages() + binding() + ONE
CONTRACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "wrapped, other names": (elements(NOIDUNG) + messages() + binding() + ONE, {}),
    "the element is the string": (BARE, {}),
    "rpc": (PARTS + binding(style="rpc", body=RPC) + ONE, {}),
    "SOAP 1.2": (elements(NOIDUNG) + messages() + binding("B12", "s12") + service(("P", "B12", "s12")), {}),
    "a login beside it": (elements(LOGIN) + messages() + binding() + ONE, {"message_parameter": "noiDung"}),
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    running: list[Any] = []

    def start(wsdl: str, **options: Any) -> Desk:
        file = tmp_path / f"theirs-{len(running)}.wsdl"
        file.write_text(HEAD + wsdl, encoding="utf-8")
        running.append(serving(wsdl=str(file), **options))
        desk: Desk = running[-1].__enter__()
        return desk

    yield start
    for one in running:
        one.__exit__(None, None, None)


def told(desk: Desk, text: str, **more: str) -> str:
    """What a program that knows nothing but our WSDL is answered."""
    connect: Any = zeep.Client  # its constructor carries no types
    client = connect(desk.url + "?wsdl")
    names = {name for name, _ in getattr(client.service._binding.get("Gui").input.body.type, "elements", ())}
    given = {"noiDung": text, **more} if "noiDung" in names else {}
    return str(client.service.Gui(**given) if given else client.service.Gui(text))


@pytest.mark.parametrize("case", CONTRACTS)
def test_it_is_served_as_its_own_contract_says(serve: Serve, case: str) -> None:
    wsdl, options = CONTRACTS[case]
    desk = serve(wsdl, **options)
    more = {"taiKhoan": "bo", "matKhau": "x"} if "login" in case else {}
    text = message("22", REFUSAL)
    first = told(desk, text, **more)
    assert read(first).subject.function == "99"
    assert read(first).receiver.name == "Bộ thử nghiệm"
    assert said(desk)["note"] == REASON
    assert told(desk, text, **more) == first
    assert desk.verdicts == [Verdict.NEW, Verdict.REPEATED]


def test_what_its_contract_does_not_name_gets_a_fault(serve: Serve) -> None:
    desk = serve(CONTRACTS["wrapped, other names"][0])
    assert b"no such operation; ?wsdl names those there are" in post(desk, soap("x"), soapaction="").content
    body = f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><Gui xmlns="{NS}">BODY</Gui></s:Body></s:Envelope>'
    two = body.replace("BODY", "<noiDung>a</noiDung><khac>b</khac>")
    assert b"not exactly one noiDung" in post(desk, two, soapaction="urn:gui").content
    assert b"different operations" in post(desk, two, soapaction="urn:khac").content


def test_its_contract_must_name_an_operation_that_tells_one_string(tmp_path: Path) -> None:
    file = tmp_path / "theirs.wsdl"
    file.write_text(HEAD + elements(LOGIN) + messages() + binding() + ONE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"theirs\.wsdl: no operation by which one string is told") as caught:
        service_of(CallBacks(wsdl=str(file)))
    assert any("name one in message_parameter" in problem for problem in caught.value.problems)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as running:
        yield running


def over_12(desk: Desk, inside: str, action: str = "ReceiveResultFromMT") -> Any:
    kind = f'application/soap+xml; charset=utf-8; action="http://tempuri.org/IMTService/{action}"'
    body = soap(inside).replace(SOAP_11, SOAP_12)
    return CLIENT.post(desk.url, content=body.encode(), headers={"content-type": kind})


def test_who_calls_over_soap_1_2_is_answered_over_it(desk: Desk) -> None:
    reply = over_12(desk, escape(message()))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/soap+xml; charset=utf-8")
    assert SOAP_12.encode() in reply.content
    assert b"&lt;function&gt;99&lt;" in reply.content
    assert over_12(desk, escape(message())).content == reply.content
    wrong = over_12(desk, escape(message()), "Receive")
    assert (wrong.status_code, b"<s:Value>s:Sender</s:Value>" in wrong.content) == (400, True)
    assert b"different operations" in wrong.content


def test_php_over_soap_1_2_is_answered_too(desk: Desk) -> None:
    program = (
        "ini_set('soap.wsdl_cache_enabled','0');"
        "$c=new SoapClient($argv[1],['soap_version'=>SOAP_1_2,'cache_wsdl'=>WSDL_CACHE_NONE]);"
        "echo $c->__soapCall('Receive',[['XMLData'=>stream_get_contents(STDIN)]])->ReceiveResult;"
    )
    text = message("22", REFUSAL).encode()
    done = subprocess.run(
        ["php", "-r", program, "--", desk.url + "?wsdl"], input=text, capture_output=True, timeout=60, check=False
    )
    assert read(done.stdout.decode()).subject.function == "99", done.stderr


def test_a_header_block_for_somebody_else_is_none_of_ours(desk: Desk) -> None:
    block = '<s:Header><a xmlns="urn:x" s:mustUnderstand="1" s:actor="ACTOR"/></s:Header><s:Body>'
    for actor, status in (("urn:another", 200), ("http://schemas.xmlsoap.org/soap/actor/next", 400)):
        body = soap(escape(message())).replace("<s:Body>", block.replace("ACTOR", actor))
        assert post(desk, body).status_code == status


def test_a_message_in_several_parts_is_told_what_to_send(desk: Desk) -> None:
    kind = 'multipart/related; type="application/xop+xml"; boundary=B'
    body = f"--B\r\nContent-Type: application/xop+xml\r\n\r\n{soap('x')}\r\n--B--"
    assert b"send the envelope alone" in post(desk, body, **{"content-type": kind}).content


def test_a_message_that_is_only_laid_out_anew_is_a_repeat(desk: Desk) -> None:
    spaced = message().replace("<Header>", "\n  <Header>").replace("</Body>", "</Body>\n")
    assert spaced != message()
    first = post(desk, soap(escape(message())))
    assert post(desk, soap(escape(spaced))).content == first.content
    assert post(desk, soap(escape(message().replace("CÁN BỘ", "CÁN  BỘ")))).status_code == 200
    assert desk.verdicts == [Verdict.NEW, Verdict.REPEATED, Verdict.CHANGED]
