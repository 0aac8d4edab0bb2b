"""Our side of `IMTService`: takes a SOAP 1.1 call of one string apart, words its answer, and hands out the WSDL.

Written by hand, because zeep is a client. Everything a caller may get wrong at this layer ends in a SOAP fault; what is
inside the string is somebody else's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from adapters.receiving import InboundReply, InboundRequest
from adapters.xml import Limits, parse
from schemas.errors import RecordInvalidError

NAMESPACE = "http://tempuri.org/"
CONTRACT = "IMTService"
OPERATIONS = ("Receive", "ReceiveResultFromMT", "ReceiveFromInland")
_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_XML = "text/xml; charset=utf-8"
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Called:
    """One call: which operation, and its string un-escaped once."""

    operation: str
    text: str


class FaultError(Exception):
    """The call is not one of this service. `code` is a SOAP 1.1 fault code, `reason` fixed words."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


def called(request: InboundRequest, namespace: str, limits: Limits) -> Called:
    """Take a call apart; SOAPAction, where one is given, and the element in the body must name one operation.

    Raises:
        FaultError: Not SOAP 1.1, hostile, not an operation of ours, or not exactly one string.
    """
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise FaultError("Client", "the message is not sent as UTF-8")
    try:
        root = parse(request.body, limits)
    except RecordInvalidError as error:
        raise FaultError("Client", error.reason) from None
    wrapper = _wrapper(root)
    name = etree.QName(wrapper)
    if name.namespace != namespace or name.localname not in OPERATIONS:
        raise FaultError("Client", "no such operation")
    action = request.headers.get("soapaction", "").strip().strip('"')
    if action and action != action_of(namespace, name.localname):
        raise FaultError("Client", "SOAPAction and body name different operations")
    return Called(name.localname, _string(wrapper, namespace))


def action_of(namespace: str, operation: str) -> str:
    """The SOAPAction of an operation."""
    return f"{namespace.rstrip('/')}/{CONTRACT}/{operation}"


def answered(call: Called, namespace: str, text: str) -> InboundReply:
    """The answer that carries one string."""
    name = call.operation
    return _reply(
        f"<{name}Response xmlns={quoteattr(namespace)}><{name}Result>{escape(text)}</{name}Result></{name}Response>"
    )


def faulted(fault: FaultError) -> InboundReply:
    """A SOAP 1.1 fault. It comes with 400, not the 500 of that binding: the call is wrong, we have not failed.

    PHP, gSOAP and zeep read a fault under either; to proxies, monitors and senders' retries 500 would say that it is
    worth coming again with the same bytes.
    """
    said = f"<faultcode>s:{fault.code}</faultcode><faultstring>{escape(fault.reason)}</faultstring>"
    return _reply(f"<s:Fault>{said}</s:Fault>", 400)


def described(base_url: str, namespace: str) -> InboundReply:
    """The WSDL with the address under which it was asked for."""
    address = quoteattr(base_url or "https://province.example.invalid/MTService")
    text = _wsdl().replace('"https://province.example.invalid/MTService"', address)
    return InboundReply(_renamed(text, namespace).encode(), _XML)


@cache
def _wsdl() -> str:
    return files("schemas").joinpath("nsw", "call-back.wsdl").read_text("utf-8")


def _renamed(text: str, namespace: str) -> str:
    if namespace == NAMESPACE:
        return text
    for operation in OPERATIONS:
        text = text.replace(f'"{action_of(NAMESPACE, operation)}"', quoteattr(action_of(namespace, operation)))
    return text.replace(f'"{NAMESPACE}"', quoteattr(namespace))


def _wrapper(root: etree._Element) -> etree._Element:
    """The one element of the body."""
    if root.tag == f"{{{_SOAP_12}}}Envelope":
        raise FaultError("VersionMismatch", "this service speaks SOAP 1.1")
    if root.tag != f"{{{_SOAP_11}}}Envelope":
        raise FaultError("Client", "not a SOAP envelope")
    blocks = root.iterfind(f"{{{_SOAP_11}}}Header/*")
    if any(block.get(f"{{{_SOAP_11}}}mustUnderstand") in ("1", "true") for block in blocks):
        raise FaultError("MustUnderstand", "a header block that is not understood here")
    bodies = root.findall(f"{{{_SOAP_11}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise FaultError("Client", "not exactly one element in the body")
    return bodies[0][0]


def _string(wrapper: etree._Element, namespace: str) -> str:
    """The string of the one `XMLData`; written without its namespace it is read too."""
    children = list(wrapper)
    if len(children) != 1 or children[0].tag not in (f"{{{namespace}}}XMLData", "XMLData"):
        raise FaultError("Client", "not exactly one XMLData")
    (child,) = children
    if len(child) or child.get(_NIL) in ("1", "true"):
        raise FaultError("Client", "XMLData is not a string")
    return child.text or ""


def _reply(inside: str, status: int = 200) -> InboundReply:
    head = '<?xml version="1.0" encoding="utf-8"?>'
    text = f'{head}<s:Envelope xmlns:s="{_SOAP_11}"><s:Body>{inside}</s:Body></s:Envelope>'
    return InboundReply(text.encode(), _XML, status)
