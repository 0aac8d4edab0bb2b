"""adapters.wsdl: which contracts load, and why others do not (zeep.md 2.3, 2.10, 3)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from adapters.exchange import Choice
from adapters.wsdl import load_contract
from schemas.errors import ConfigError

HERE = Path(__file__).parent / "wsdl"
OURS = Path(str(files("schemas").joinpath("nsw", "message-exchange.wsdl")))


def test_our_own_contract_has_the_attested_shape() -> None:
    shape = load_contract(OURS).shape
    assert shape.binding == "{http://ws.gt.vn}MessageAndResponseImplSoapBinding"
    assert shape.operation == "sendAndGetMessage"
    assert shape.request_child == "requestMessage"
    assert shape.reply_wrapper == "{http://ws.gt.vn}sendAndGetMessageResponse"
    assert shape.reply_child == "{http://ws.gt.vn}sendAndGetMessageReturn"


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("MessageAndResponseImpl.wsdl", "http://ws.gt.vn"), ("SendMessage2ElcomImpl.wsdl", "http://elcom.gt.vn")],
)
def test_the_published_contracts_load(data: Path, name: str, namespace: str) -> None:
    shape = load_contract(data / "wsdl" / name).shape
    assert shape.namespace == namespace
    assert shape.operation == "sendAndGetMessage"


def test_a_namespace_can_be_replaced_by_configuration() -> None:
    shape = load_contract(OURS, namespace="http://ws.duongbo.dtt.vn").shape
    assert shape.namespace == "http://ws.duongbo.dtt.vn"
    assert shape.binding == "{http://ws.duongbo.dtt.vn}MessageAndResponseImplSoapBinding"


def test_names_come_from_the_wsdl_and_files_beside_it_are_read() -> None:
    shape = load_contract(HERE / "three-operations.wsdl", choice=Choice(operation="Receive")).shape
    assert (shape.operation, shape.request_child) == ("Receive", "XMLData")
    assert shape.reply_child == "{http://tempuri.org/}ReceiveResult"


def test_several_operations_need_a_name() -> None:
    with pytest.raises(ConfigError, match="name one: Receive, ReceiveFromInland"):
        load_contract(HERE / "three-operations.wsdl")
    with pytest.raises(ConfigError, match="Count: not one string in and one string out"):
        load_contract(HERE / "three-operations.wsdl", choice=Choice(operation="Count"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rpc-with-elements.wsdl", "contains an invalid part .'text'."),
        ("one-way.wsdl", "say: not one string in and one string out: it gives nothing"),
    ],
)
def test_a_wsdl_of_another_style_is_refused_with_its_name_and_reason(name: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        load_contract(HERE / name)
    assert name in caught.value.problems[0]


WORKING = OURS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "malformed", id="empty"),
        pytest.param("<html/>", "names no service", id="not-a-wsdl"),
        pytest.param("<!DOCTYPE a [<!ENTITY b 'c'>]>" + WORKING[39:], "DOCTYPE", id="doctype"),
        pytest.param(
            WORKING.replace(
                "<wsdl:types>", '<wsdl:import namespace="urn:x" location="http://127.0.0.1:9/x.wsdl"/><wsdl:types>'
            ),
            "refers to|ExternalReference",
            id="imports-from-a-network",
        ),
        pytest.param(
            WORKING.replace(
                "<wsdl:types>", '<wsdl:import namespace="urn:x" location="file:///etc/passwd"/><wsdl:types>'
            ),
            "refers to",
            id="imports-a-file-url",
        ),
        pytest.param(
            WORKING.replace("<wsdl:types>", '<wsdl:import namespace="urn:x" location="../../x.wsdl"/><wsdl:types>'),
            "refers to",
            id="imports-from-outside",
        ),
        pytest.param(
            WORKING.replace('name="requestMessage" type="xsd:string"', 'name="requestMessage" type="xsd:int"'),
            "sendAndGetMessage: not one string in",
            id="an-integer-in",
        ),
        pytest.param(
            WORKING.replace(
                'type="xsd:string"/>', 'type="xsd:string"/><xsd:element name="more" type="xsd:string"/>', 1
            ),
            "sendAndGetMessage: not one string in",
            id="two-strings-in",
        ),
        pytest.param(
            WORKING.replace("schemas.xmlsoap.org/soap/http", "x.invalid/smtp"),
            "names no service with a port over SOAP",
            id="over-mail",
        ),
        pytest.param(
            WORKING.partition("<wsdl:service")[0] + "</wsdl:definitions>",
            "names no service with a port",
            id="no-service",
        ),
        pytest.param(
            WORKING.replace('type="tns:MessageAndResponseImpl"', 'type="tns:Missing"'), "usable WSDL", id="no-port-type"
        ),
    ],
)
def test_an_unusable_wsdl_is_a_configuration_error_that_says_why(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "partner.wsdl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason) as caught:
        load_contract(path)
    assert all("partner.wsdl" in caught.value.problems[0] or "WSDL" in problem for problem in caught.value.problems[:1])


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.wsdl: cannot be read"):
        load_contract(HERE / "nowhere.wsdl")


def test_a_binding_may_stand_in_a_file_that_is_imported() -> None:
    """As WCF writes its contracts: `config check` ended in a traceback."""
    contract = load_contract(HERE / "service-alone.wsdl")
    assert contract.shape.binding == "{http://tempuri.org/}Plain"
    assert b">x</" in contract.write("x", {}, {})


def test_a_broken_file_beside_a_wsdl_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.wsdl").write_bytes((HERE / "service-alone.wsdl").read_bytes())
    (tmp_path / "binding-alone.wsdl").write_bytes(b"<definitions>")
    with pytest.raises(ConfigError, match=r"binding-alone\.wsdl: malformed"):
        load_contract(tmp_path / "main.wsdl")
