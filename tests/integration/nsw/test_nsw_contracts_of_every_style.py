"""Other ministries' contracts, by configuration alone: bare, rpc, encoded, SOAP 1.2, several ports, a login beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.base import Outcome, OutcomeKind
from adapters.exchange import SOAP_11, Choice
from adapters.nsw.adapter import NswAdapter
from adapters.nsw.holdings import Switches
from adapters.nsw.simulator import NswSimulator
from adapters.simulation import Reply, Request, SimulatorServer
from adapters.wsdl import load_contract
from schemas.errors import ConfigError
from tests.integration.nsw.conftest import context, delivery

NS = "http://dichvu.bo.example.invalid/tiepnhan"
OURS = "http://ws.gt.vn"
SECRET = "mật khẩu & <bí mật>"
HEAD = f"""<?xml version="1.0" encoding="utf-8"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="{NS}"
  xmlns:c="http://schemas.xmlsoap.org/soap/encoding/" targetNamespace="{NS}">"""
WRAPPED = f'<t:TraLoi xmlns:t="{NS}"><t:ketQua>TEXT</t:ketQua></t:TraLoi>'
STRING = 'type="x:string"'


def elements(taken: str, given: str = f'<x:element name="ketQua" {STRING}/>') -> str:
    def one(name: str, inside: str) -> str:
        return f'<x:element name="{name}"><x:complexType><x:sequence>{inside}</x:sequence></x:complexType></x:element>'

    return schema(one("Gui", taken) + one("TraLoi", given))


def schema(inside: str) -> str:
    return f'<types><x:schema targetNamespace="{NS}" elementFormDefault="qualified">{inside}</x:schema></types>'


def messages(
    taken: str = '<part name="p" element="t:Gui"/>', given: str = '<part name="p" element="t:TraLoi"/>'
) -> str:
    port = '<operation name="Gui"><input message="t:I"/><output message="t:O"/></operation>'
    return f'<message name="I">{taken}</message><message name="O">{given}</message><portType name="T">{port}</portType>'


def binding(name: str = "B", s: str = "s", style: str = "document", body: str = 'use="literal"') -> str:
    side = f"<{s}:body {body}/>"
    return (
        f'<binding name="{name}" type="t:T"><{s}:binding style="{style}" '
        'transport="http://schemas.xmlsoap.org/soap/http"/>'
        f'<operation name="Gui"><{s}:operation soapAction="urn:gui"/><input>{side}</input>'
        f"<output>{side}</output></operation></binding>"
    )


def service(*ports: tuple[str, str, str]) -> str:
    where = "http://203.0.113.9:9/not-here"
    listed = (f'<port name="{name}" binding="t:{b}"><{s}:address location="{where}"/></port>' for name, b, s in ports)
    return f'<service name="S">{"".join(listed)}</service></definitions>'


NOIDUNG = f'<x:element name="noiDung" {STRING}/>'
MUST_HAVE = f'<x:attribute name="v" {STRING} use="required"/>'
ONE = service(("P", "B", "s"))
RPC = 'use="literal" namespace="' + NS + '"'
ENCODED = RPC.replace("literal", "encoded") + ' encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
PARTS = messages(f'<part name="noiDung" {STRING}/>', f'<part name="ketQua" {STRING}/>')
LOGIN = f'<x:element name="taiKhoan" {STRING}/><x:element name="matKhau" {STRING}/>{NOIDUNG}'
BOTH = binding() + binding("B12", "s12") + service(("Moi", "B12", "s12"), ("Cu", "B", "s"))
RPC_REPLY = f'<r:traLoiCuaGui xmlns:r="{NS}"><ketQua>TEXT</ketQua></r:traLoiCuaGui>'
TYPED = RPC_REPLY.replace(
    "<ketQua>",
    '<ketQua xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" '
    'i:type="x:string">',
)
GIVEN: dict[str, Any] = {"parameters": {"taiKhoan": "tinh-thu-nghiem", "matKhau": "${MINISTRY_PASSWORD}"}}

CONTRACTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "the element is the string": (
        schema(f'<x:element name="Gui" {STRING}/><x:element name="TraLoi" {STRING}/>') + messages() + binding() + ONE,
        f'<TraLoi xmlns="{NS}">TEXT</TraLoi>',
        {},
    ),
    "rpc, literal": (PARTS + binding(style="rpc", body=RPC) + ONE, RPC_REPLY, {}),
    "rpc, encoded": (PARTS + binding(style="rpc", body=ENCODED) + ONE, TYPED, {}),
    "rpc, encoded, with the string of that encoding": (
        PARTS.replace("x:string", "c:string")
        + schema('<x:import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>')
        + binding(style="rpc", body=ENCODED)
        + ONE,
        TYPED,
        {},
    ),
    "rpc over SOAP 1.2, which says where the result is": (
        PARTS + binding("B12", "s12", "rpc", RPC) + service(("P", "B12", "s12")),
        RPC_REPLY.replace(
            "<ketQua>", '<p:result xmlns:p="http://www.w3.org/2003/05/soap-rpc">ketQua</p:result><ketQua>'
        ),
        {},
    ),
    "SOAP 1.2 alone": (
        elements(NOIDUNG) + messages() + binding("B12", "s12") + service(("P", "B12", "s12")),
        WRAPPED,
        {},
    ),
    "SOAP 1.2 by name": (elements(NOIDUNG) + messages() + BOTH, WRAPPED, {"port": "Moi"}),
    "names and an action in Vietnamese": (
        elements(NOIDUNG.replace("noiDung", "nộiDung")) + messages() + binding().replace("urn:gui", "urn:gửi") + ONE,
        WRAPPED,
        {},
    ),
    "both, so 1.1": (elements(NOIDUNG) + messages() + BOTH, WRAPPED, {}),
    "a login beside the message": (elements(LOGIN) + messages() + binding() + ONE, WRAPPED, GIVEN),
    "a login in the SOAP header": (
        elements(NOIDUNG).replace(
            "<x:element",
            f'<x:element name="DangNhap"><x:complexType><x:sequence><x:element name="taiKhoan" {STRING}/>'
            f'<x:element name="matKhau" {STRING}/></x:sequence></x:complexType></x:element><x:element',
            1,
        )
        + messages()
        + '<message name="H"><part name="DangNhap" element="t:DangNhap"/></message>'
        + binding().replace("<input>", '<input><s:header message="t:H" part="DangNhap" use="literal"/>', 1)
        + ONE,
        WRAPPED,
        {"soap_header": GIVEN["parameters"]},
    ),
    "a key over HTTP": (
        elements(NOIDUNG) + messages() + binding() + ONE,
        WRAPPED,
        {"headers": {"X-Api-Key": "${MINISTRY_KEY}"}},
    ),
    "a code beside the answer": (
        elements(NOIDUNG, f'<x:element name="ma" type="x:int"/><x:element name="ketQua" {STRING}/>')
        + messages()
        + binding()
        + ONE,
        WRAPPED.replace("<t:ketQua>", "<t:ma>0</t:ma><t:ketQua>"),
        {},
    ),
    "two strings each way, both named": (
        elements(
            NOIDUNG + f'<x:element name="ghiChu" {STRING} minOccurs="0"/>',
            f'<x:element name="loi" {STRING}/><x:element name="ketQua" {STRING}/>',
        )
        + messages()
        + binding()
        + ONE,
        WRAPPED.replace("<t:ketQua>", "<t:loi>không</t:loi><t:ketQua>"),
        {"message_parameter": "noiDung", "answer_parameter": "ketQua"},
    ),
}


class Elsewhere(NswSimulator):
    """The ministry behind another contract: the message is where a text begins like one; `fault` is said instead."""

    def __init__(self, reply: str) -> None:
        super().__init__(Switches(repeat_answer="ack"))
        self.reply = reply
        self.fault = False
        self.seen: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.seen.append(request)
        root = etree.fromstring(request.body)
        envelope = str(etree.QName(root).namespace)
        (text,) = [node.text for node in root.iter() if (node.text or "").startswith("<Envelope")]
        said = f"<requestMessage>{escaped(text or '')}</requestMessage>"
        inside = f"<sendAndGetMessage xmlns='{OURS}'>{said}</sendAndGetMessage>"
        ours, headers = soap(SOAP_11, inside), {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
        taken = super().answer(replace(request, path="/services/MessageAndResponseImpl", body=ours, headers=headers))
        found = etree.fromstring(taken.body).findtext(f".//{{{OURS}}}sendAndGetMessageReturn") or ""
        kind = "text/xml" if envelope == SOAP_11 else "application/soap+xml"
        if self.fault:
            return Reply(500, soap(envelope, fault(envelope, f"sai mật khẩu: {SECRET}")), content_type=kind)
        return Reply(200, soap(envelope, self.reply.replace("TEXT", escaped(found))), content_type=kind)


def soap(envelope: str, body: str) -> bytes:
    return f'<e:Envelope xmlns:e="{envelope}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


def fault(envelope: str, words: str) -> str:
    if envelope == SOAP_11:
        return f"<e:Fault><faultcode>e:Client</faultcode><faultstring>{escaped(words)}</faultstring></e:Fault>"
    reason = f'<e:Reason><e:Text xml:lang="vi">{escaped(words)}</e:Text></e:Reason>'
    return f"<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code>{reason}</e:Fault>"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


Start = Callable[[str], tuple[NswAdapter, Elsewhere]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[tuple[NswAdapter, SimulatorServer]] = []

    def run(case: str) -> tuple[NswAdapter, Elsewhere]:
        wsdl, reply, options = CONTRACTS[case]
        (tmp_path / "partner.wsdl").write_text(HEAD + wsdl, encoding="utf-8")
        simulator = Elsewhere(reply)
        server = SimulatorServer(simulator).start()
        settings = {"base_url": server.url, "path": "/dich-vu", "wsdl": str(tmp_path / "partner.wsdl")}
        adapter = NswAdapter(
            replace(context(), secret=lambda name: "khoa-1" if "KEY" in name else SECRET), settings | options
        )
        running.append((adapter, server))
        return adapter, simulator

    yield run
    for adapter, server in running:
        adapter.close()
        server.stop()
        assert server.defects == []


def pushed(start: Start, case: str) -> tuple[Outcome, Request]:
    adapter, simulator = start(case)
    return adapter.push(delivery()), simulator.seen[0]


@pytest.mark.parametrize("case", CONTRACTS)
def test_a_ministry_with_a_contract_of_its_own_is_reached_by_configuration_alone(start: Start, case: str) -> None:
    outcome, request = pushed(start, case)
    assert (outcome.kind, outcome.code) == (OutcomeKind.DELIVERED, "99"), outcome
    assert request.path == "/dich-vu"


def test_each_side_is_spelled_as_its_style_wants(start: Start) -> None:
    _, bare = pushed(start, "the element is the string")
    assert f'Gui xmlns:ns0="{NS}">&lt;Envelope' in bare.body.decode()
    _, rpc = pushed(start, "rpc, encoded")
    assert b':type="xsd:string">&lt;Envelope' in rpc.body or b':string">&lt;Envelope' in rpc.body
    _, login = pushed(start, "a login beside the message")
    assert "matKhau>mật khẩu &amp; &lt;bí mật&gt;<" in login.body.decode()
    _, above = pushed(start, "a login in the SOAP header")
    assert etree.fromstring(above.body).findtext(f"{{{SOAP_11}}}Header/{{{NS}}}DangNhap/{{{NS}}}matKhau") == SECRET


def test_soap_1_2_names_its_action_in_the_content_type(start: Start) -> None:
    _, request = pushed(start, "SOAP 1.2 alone")
    assert request.headers["content-type"] == 'application/soap+xml; charset=utf-8; action="urn:gui"'
    assert "soapaction" not in request.headers
    _, older = pushed(start, "both, so 1.1")
    assert older.headers["soapaction"] == '"urn:gui"'


def test_letters_that_no_header_carries_are_written_as_an_address_writes_them(start: Start) -> None:
    _, request = pushed(start, "names and an action in Vietnamese")
    assert request.headers["soapaction"] == '"urn:g%E1%BB%ADi"'


def test_a_key_goes_over_http_and_never_into_the_message(start: Start) -> None:
    _, request = pushed(start, "a key over HTTP")
    assert request.headers["x-api-key"] == "khoa-1"
    assert b"khoa-1" not in request.body


@pytest.mark.parametrize("key", ["khóa", "a\r\nX-Other: b"])
def test_a_key_that_no_header_can_carry_is_not_sent(tmp_path: Path, key: str) -> None:
    options = {"base_url": "http://127.0.0.1:9", "headers": {"X-Api-Key": "${MINISTRY_KEY}"}}
    outcome = NswAdapter(replace(context(), secret=lambda _: key), options).push(delivery())
    assert outcome.kind is OutcomeKind.REFUSED
    assert outcome.reason.startswith("a header's value holds other signs than a header may")


@pytest.mark.parametrize("case", ["SOAP 1.2 alone", "a login beside the message", "a login in the SOAP header"])
def test_a_fault_of_either_version_refuses_and_shows_no_secret(start: Start, case: str) -> None:
    adapter, simulator = start(case)
    simulator.fault = True
    outcome = adapter.push(delivery())
    assert outcome.kind is OutcomeKind.REFUSED
    assert "sai mật khẩu" in outcome.excerpt
    assert case == "SOAP 1.2 alone" or "bí mật" not in outcome.excerpt


def test_a_secret_that_is_not_set_any_more_sends_nothing_and_is_named(start: Start) -> None:
    adapter, simulator = start("a login beside the message")
    known: dict[str, str] = {}
    adapter._context = replace(adapter._context, secret=lambda reference: known[reference[2:-1]])
    outcome = adapter.push(delivery())
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, "MINISTRY_PASSWORD is not set")
    assert simulator.seen == []


def test_an_answer_in_the_other_version_breaks_the_contract(start: Start) -> None:
    adapter, simulator = start("SOAP 1.2 alone")
    simulator.answer = lambda request: Reply(200, soap(SOAP_11, WRAPPED), content_type="text/xml")  # type: ignore[method-assign]
    assert "a SOAP 1.1 answer to a SOAP 1.2 call" in adapter.push(delivery()).reason


@pytest.mark.parametrize(
    ("wsdl", "choice", "said"),
    [
        pytest.param(
            elements(LOGIN) + messages() + binding() + ONE,
            Choice(),
            r"takes taiKhoan \(string\), matKhau \(string\), noiDung \(string\); name one in message_parameter",
            id="several strings",
        ),
        pytest.param(
            elements(LOGIN) + messages() + binding() + ONE,
            Choice(message="noiDung", parameters=frozenset({"taiKhoan"})),
            "write matKhau in parameters",
            id="one not filled",
        ),
        pytest.param(
            elements(NOIDUNG) + messages() + binding() + ONE,
            Choice(parameters=frozenset({"user"})),
            r"takes noiDung \(string\), and has no user",
            id="a name it does not have",
        ),
        pytest.param(
            CONTRACTS["a login in the SOAP header"][0],
            Choice(header=frozenset({"user"})),
            r"takes user \(soap_header\); there is DangNhap \(matKhau, taiKhoan\)",
            id="a block without that name",
        ),
        pytest.param(
            elements(NOIDUNG) + messages() + BOTH, Choice(port="P"), "write one of Moi, Cu as port", id="no such port"
        ),
        pytest.param(
            elements(NOIDUNG) + messages() + binding() + binding("B2").replace("urn:gui", "urn:khac")
            + service(("Mot", "B", "s"), ("Hai", "B2", "s")),
            Choice(),
            r"Gui differs from port to port, name one: Hai, Mot \(port\)",
            id="two ports that differ",
        ),
        pytest.param(
            elements(NOIDUNG).replace("</x:sequence>", f"</x:sequence>{MUST_HAVE}", 1)
            + messages()
            + binding()
            + ONE,
            Choice(),
            "Gui cannot be called: the request does not fit the WSDL",
            id="an attribute it must have",
        ),
        pytest.param(
            elements(NOIDUNG, '<x:element name="ma" type="x:int"/>') + messages() + binding() + ONE,
            Choice(),
            r"it gives ma \(int\)",
            id="a number comes back",
        ),
    ],
)  # fmt: skip
def test_what_a_contract_leaves_open_is_asked_for_by_the_options_name(
    tmp_path: Path, wsdl: str, choice: Choice, said: str
) -> None:
    file = tmp_path / "partner.wsdl"
    file.write_text(HEAD + wsdl, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_contract(file, choice=choice)


def test_a_secret_stands_in_no_configuration(tmp_path: Path) -> None:
    for options in ({"parameters": {"matKhau": "abc"}}, {"headers": {"Authorization": "Basic abc"}}):
        with pytest.raises(ValueError, match="never the secret itself"):
            NswAdapter(context(), {"base_url": "http://127.0.0.1:9"} | options)
