"""A ministry with a contract of its own: only `options.wsdl` says how operation, wrappers and children are named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from adapters.base import OutcomeKind
from adapters.exchange import SOAP_12
from adapters.nsw.adapter import NswAdapter
from adapters.nsw.holdings import Switches
from adapters.nsw.simulator import NswSimulator
from adapters.simulation import Reply, Request, SimulatorServer
from adapters.wsdl import load_contract
from tests.integration.nsw.conftest import context, delivery

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OURS = "http://ws.gt.vn"
WSDL = """<?xml version="1.0" encoding="utf-8"?>
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:x="http://www.w3.org/2001/XMLSchema"
  xmlns:t="urn:bo:service" xmlns:y="urn:bo:types" targetNamespace="urn:bo:service">
 <w:types><x:schema><x:import namespace="urn:bo:types" schemaLocation="xsd/types.xsd"/></x:schema></w:types>
 <w:message name="I"><w:part name="parameters" element="y:GuiBanTin"/></w:message>
 <w:message name="O"><w:part name="parameters" element="y:TraLoi"/></w:message>
 <w:portType name="P">
  <w:operation name="GuiBanTin"><w:input message="t:I"/><w:output message="t:O"/></w:operation>
 </w:portType>
 <w:binding name="B12" type="t:P"><s12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <w:operation name="GuiBanTin"><s12:operation soapAction="urn:bo:12"/>
   <w:input><s12:body use="literal"/></w:input><w:output><s12:body use="literal"/></w:output></w:operation>
 </w:binding>
 <w:binding name="B" type="t:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http" style="{style}"/>
  <w:operation name="GuiBanTin"><s:operation soapAction="urn:bo:GuiBanTin"/>
   <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>
 </w:binding>
 <w:service name="S">
  <w:port name="P12" binding="t:B12"><s12:address location="http://203.0.113.9:9/not-here"/></w:port>
  <w:port name="P" binding="t:B"><s:address location="http://203.0.113.9:9/not-here"/></w:port>
 </w:service>
</w:definitions>"""
TYPES = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:bo:types"
  elementFormDefault="{form}"><x:include schemaLocation="more/elements.xsd"/></x:schema>"""
ELEMENTS = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:bo:types"
  elementFormDefault="{form}">
 <x:element name="GuiBanTin"><x:complexType><x:sequence>
  <x:element name="noiDung" type="x:string" minOccurs="0" nillable="true"/></x:sequence></x:complexType></x:element>
 <x:element name="TraLoi"><x:complexType><x:sequence>
  <x:element name="ketQua" type="x:string" minOccurs="0" nillable="true"/></x:sequence></x:complexType></x:element>
</x:schema>"""


def contract(folder: Path, form: str, style: str = "document") -> str:
    (folder / "xsd" / "more").mkdir(parents=True)
    (folder / "partner.wsdl").write_text(WSDL.format(style=style), encoding="utf-8")
    (folder / "xsd" / "types.xsd").write_text(TYPES.format(form=form), encoding="utf-8")
    (folder / "xsd" / "more" / "elements.xsd").write_text(ELEMENTS.format(form=form), encoding="utf-8")
    return str(folder / "partner.wsdl")


class Translated(NswSimulator):
    """The ministry behind another contract; `reply` is how its answer's child is written."""

    def __init__(self, reply: str) -> None:
        super().__init__(Switches(repeat_answer="ack"))
        self.reply = reply
        self.seen: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.seen.append(request)
        call = etree.fromstring(request.body).find(f"{{{SOAP}}}Body")
        assert call is not None
        inner = _escaped(call[0][0].text or "")
        ours = f'<sendAndGetMessage xmlns="{OURS}"><requestMessage>{inner}</requestMessage></sendAndGetMessage>'
        said = super().answer(replace(request, path="/services/MessageAndResponseImpl", body=_envelope(ours)))
        found = etree.fromstring(said.body).findtext(f".//{{{OURS}}}sendAndGetMessageReturn") or ""
        return Reply(200, _envelope(self.reply.replace("TEXT", _escaped(found))), content_type="text/xml")


def _envelope(body: str) -> bytes:
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


Partner = Callable[..., tuple[NswAdapter, Translated]]
PLAIN = '<TraLoi xmlns="urn:bo:types"><ketQua>TEXT</ketQua></TraLoi>'
UNQUALIFIED = '<y:TraLoi xmlns:y="urn:bo:types"><ketQua>TEXT</ketQua></y:TraLoi>'


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Partner]:
    running: list[tuple[NswAdapter, SimulatorServer]] = []

    def start(reply: str, form: str, **options: object) -> tuple[NswAdapter, Translated]:
        simulator = Translated(reply)
        server = SimulatorServer(simulator).start()
        settings = {"base_url": server.url, "path": "/dich-vu", "wsdl": contract(tmp_path, form)} | options
        adapter = NswAdapter(context(), settings)
        running.append((adapter, server))
        return adapter, simulator

    yield start
    for adapter, server in running:
        adapter.close()
        server.stop()
        assert server.defects == []


@pytest.mark.parametrize(
    ("reply", "form"),
    [
        pytest.param(PLAIN, "qualified", id="qualified"),
        pytest.param(UNQUALIFIED, "unqualified", id="unqualified"),
        pytest.param(PLAIN, "unqualified", id="child qualified against the contract"),
        pytest.param(UNQUALIFIED.replace("ketQua>", 'ketQua xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                                         'xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="x:string">', 1),
                     "unqualified", id="typed by the instance"),
        pytest.param(UNQUALIFIED.replace("ketQua>", 'ketQua xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                                         'xmlns:c="http://schemas.xmlsoap.org/soap/encoding/" i:type="c:string" '
                                         'c:root="1">', 1),
                     "unqualified", id="typed as axis does"),
        pytest.param(PLAIN.replace("<ketQua>TEXT", "<!-- x --><ketQua><?x?>TEXT"), "qualified", id="comments"),
    ],
)  # fmt: skip
def test_names_and_forms_come_from_the_partners_contract(partner: Partner, reply: str, form: str) -> None:
    adapter, simulator = partner(reply, form)
    outcome = adapter.push(delivery())
    assert (outcome.kind, outcome.code) == (OutcomeKind.DELIVERED, "99")
    request = simulator.seen[0]
    assert request.path == "/dich-vu", "the contract's own address is never called"
    assert request.headers["soapaction"] == '"urn:bo:GuiBanTin"'
    call = etree.fromstring(request.body).find(f"{{{SOAP}}}Body")
    assert call is not None
    child = "{urn:bo:types}noiDung" if form == "qualified" else "noiDung"
    assert [call[0].tag, call[0][0].tag] == ["{urn:bo:types}GuiBanTin", child]


def test_an_unqualified_child_is_taken_where_the_entry_allows_no_namespace(partner: Partner) -> None:
    refused, _ = partner(UNQUALIFIED, "qualified")
    assert refused.push(delivery()).kind is OutcomeKind.UNKNOWN


def test_an_entry_may_allow_a_child_without_a_namespace(partner: Partner) -> None:
    adapter, _ = partner(UNQUALIFIED, "qualified", reply_namespaces=[""])
    assert adapter.push(delivery()).kind is OutcomeKind.DELIVERED


@pytest.mark.parametrize("reply", ["<TraLoi xmlns='urn:bo:types'/>", PLAIN.replace("TEXT", "")])
def test_an_answer_the_contract_lets_be_empty_is_unknown(partner: Partner, reply: str) -> None:
    adapter, _ = partner(reply, "qualified")
    assert adapter.push(delivery()).kind is OutcomeKind.UNKNOWN


def test_a_port_that_cannot_be_used_leaves_the_one_over_soap_1_2(tmp_path: Path) -> None:
    assert load_contract(Path(contract(tmp_path, "qualified", "rpc"))).shape.envelope == SOAP_12


def test_what_the_ministry_quotes_of_an_applicant_is_not_shown(partner: Partner) -> None:
    fault = "<e:Fault xmlns:e='%s'><faultcode>e:Client</faultcode><faultstring>%s</faultstring></e:Fault>"
    words = "Giá trị 'Công dân Thử nghiệm 01' của 001000000000 không hợp lệ"
    adapter, simulator = partner("", "qualified")
    simulator.reply = fault % (SOAP, words)
    outcome = adapter.push(delivery())
    assert outcome.kind is OutcomeKind.REFUSED
    assert "không hợp lệ" in outcome.excerpt
    assert "nghiệm" not in outcome.excerpt.casefold() + outcome.reason.casefold()
    assert "001000" not in outcome.excerpt
