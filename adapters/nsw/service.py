"""Our side of a ministry's calls: takes a SOAP call of one string apart, words its answer, and hands out the WSDL.

The contract is the attested `IMTService`, or a WSDL that the ministry calls by. Written by hand, because zeep is a
client. Everything a caller may get wrong at this layer ends in a SOAP fault; what is inside the string is somebody
else's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from adapters.exchange import SOAP_11, SOAP_12, Shape
from adapters.nsw.options import CallBacks
from adapters.receiving import InboundReply, InboundRequest
from adapters.wsdl import load_served
from adapters.xml import Limits, parse
from schemas.errors import RecordInvalidError

NAMESPACE = "http://tempuri.org/"
CONTRACT = "IMTService"
OPERATIONS = ("Receive", "ReceiveResultFromMT", "ReceiveFromInland")
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MEDIA = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_ACTION = re.compile(r";\s*action\s*=\s*\"([^\"]*)\"", re.IGNORECASE)
_ADDRESS = re.compile(r"(<(?:\w+:)?address\s[^>]*?location\s*=\s*)(\"[^\"]*\"|'[^']*')")
# Whom a header block is for, in the words of SOAP 1.1 (actor) and 1.2 (role); others' blocks are none of ours.
_FOR_US = frozenset(
    ("", "http://schemas.xmlsoap.org/soap/actor/next", f"{SOAP_12}/role/next", f"{SOAP_12}/role/ultimateReceiver")
)
_CODES_12 = MappingProxyType({"Client": "Sender", "Server": "Receiver"})


@dataclass(frozen=True, slots=True)
class Service:
    """What may be called: each operation by the element that stands for it in the body, and the WSDL that says so."""

    operations: Mapping[str, Shape]
    wsdl: str

    def described(self, base_url: str) -> InboundReply:
        """The WSDL with the address under which it was asked for."""
        address = quoteattr(base_url or "https://province.example.invalid/MTService")
        text = _ADDRESS.sub(lambda found: found[1] + address, self.wsdl)
        return InboundReply(text.encode(), _MEDIA[SOAP_11])


@dataclass(frozen=True, slots=True)
class Called:
    """One call: which operation, over which SOAP version, and its string un-escaped once."""

    shape: Shape
    envelope: str
    text: str

    @property
    def operation(self) -> str:
        """The operation's name."""
        return self.shape.operation

    @property
    def spelling(self) -> str:
        """What an answer to it depends on besides the message."""
        return self.operation if self.envelope == SOAP_11 else f"{self.operation} 1.2"


class FaultError(Exception):
    """The call is not one of this service. `code` is a SOAP 1.1 fault code, `reason` fixed words."""

    def __init__(self, code: str, reason: str, envelope: str = SOAP_11) -> None:
        self.code = code
        self.reason = reason
        self.envelope = envelope
        super().__init__(reason)


def service_of(options: CallBacks) -> Service:
    """The service these options describe; read once.

    Raises:
        ConfigError: Its WSDL cannot be used.
    """
    return _service(options.wsdl, options.namespace, options.message_parameter)


def called(request: InboundRequest, service: Service, limits: Limits) -> Called:
    """Take a call apart; an action, where one is given, and the element in the body must name one operation.

    Raises:
        FaultError: Not SOAP, hostile, not an operation of ours, or not exactly one string.
    """
    media = request.headers.get("content-type", "")
    if media.lower().startswith("multipart/"):
        raise FaultError("Client", "a message in several parts; send the envelope alone")
    charset = _CHARSET.search(media)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise FaultError("Client", "the message is not sent as UTF-8")
    try:
        root = parse(request.body, limits)
    except RecordInvalidError as error:
        raise FaultError("Client", error.reason) from None
    envelope = next((one for one in (SOAP_11, SOAP_12) if root.tag == f"{{{one}}}Envelope"), "")
    if not envelope and etree.QName(root).localname == "Envelope" and etree.QName(root).namespace:
        raise FaultError("VersionMismatch", "this service speaks SOAP 1.1 and 1.2")
    if not envelope:
        raise FaultError("Client", "not a SOAP envelope")
    try:
        return _called(request, root, envelope, service)
    except FaultError as fault:
        raise FaultError(fault.code, fault.reason, envelope) from None


def answered(call: Called, text: str) -> InboundReply:
    """The answer that carries one string."""
    shape = call.shape
    wrapper, words = etree.QName(shape.reply_wrapper), escape(text)
    if shape.reply_child:
        child = etree.QName(shape.reply_child)
        own = "" if child.namespace == wrapper.namespace else f" xmlns={quoteattr(child.namespace or '')}"
        words = f"<{child.localname}{own}>{words}</{child.localname}>"
    name = wrapper.localname if not shape.rpc else f"{shape.operation}Response"
    inside = f"<{name} xmlns={quoteattr(wrapper.namespace or '')}>{words}</{name}>"
    return _reply(inside, call.envelope)


def faulted(fault: FaultError) -> InboundReply:
    """A SOAP fault. It comes with 400, not the 500 of SOAP 1.1's binding: the call is wrong, we have not failed.

    PHP, gSOAP and zeep read a fault under either; to proxies, monitors and senders' retries 500 would say that it is
    worth coming again with the same bytes.
    """
    words = escape(fault.reason)
    if fault.envelope == SOAP_11:
        said = f"<faultcode>s:{fault.code}</faultcode><faultstring>{words}</faultstring>"
    else:
        code = _CODES_12.get(fault.code, fault.code)
        reason = f'<s:Reason><s:Text xml:lang="en">{words}</s:Text></s:Reason>'
        said = f"<s:Code><s:Value>s:{code}</s:Value></s:Code>{reason}"
    return _reply(f"<s:Fault>{said}</s:Fault>", fault.envelope, 400)


@lru_cache(maxsize=64)
def _service(wsdl: str, namespace: str, message: str) -> Service:
    if wsdl:
        shapes = load_served(Path(wsdl), message)
        text = Path(wsdl).read_text("utf-8-sig")
    else:
        shapes = tuple(_attested(namespace, operation) for operation in OPERATIONS)
        text = _renamed(files("schemas").joinpath("nsw", "call-back.wsdl").read_text("utf-8"), namespace)
    return Service({shape.request_wrapper: shape for shape in shapes}, text)


def _attested(namespace: str, operation: str) -> Shape:
    return Shape(
        binding="BasicHttpBinding_IMTService",
        operation=operation,
        request_child="XMLData",
        request_wrapper=f"{{{namespace}}}{operation}",
        request_name=f"{{{namespace}}}XMLData",
        reply_wrapper=f"{{{namespace}}}{operation}Response",
        reply_child=f"{{{namespace}}}{operation}Result",
        action=_action(namespace, operation),
    )


def _action(namespace: str, operation: str) -> str:
    return f"{namespace.rstrip('/')}/{CONTRACT}/{operation}"


def _renamed(text: str, namespace: str) -> str:
    if namespace == NAMESPACE:
        return text
    for operation in OPERATIONS:
        text = text.replace(f'"{_action(NAMESPACE, operation)}"', quoteattr(_action(namespace, operation)))
    return text.replace(f'"{NAMESPACE}"', quoteattr(namespace))


def _called(request: InboundRequest, root: etree._Element, envelope: str, service: Service) -> Called:
    wrapper = _wrapper(root, envelope)
    shape = service.operations.get(str(wrapper.tag))
    if shape is None:
        raise FaultError("Client", "no such operation; ?wsdl names those there are")
    named = _ACTION.search(request.headers.get("content-type", "")) if envelope == SOAP_12 else None
    action = named[1] if named else request.headers.get("soapaction", "").strip().strip('"')
    if action and shape.action and action != shape.action:
        raise FaultError("Client", "SOAPAction and body name different operations")
    return Called(shape, envelope, _string(wrapper, shape))


def _wrapper(root: etree._Element, envelope: str) -> etree._Element:
    """The one element of the body."""
    for block in root.iterfind(f"{{{envelope}}}Header/*"):
        needed = block.get(f"{{{envelope}}}mustUnderstand") in ("1", "true")
        meant = block.get(f"{{{envelope}}}{'actor' if envelope == SOAP_11 else 'role'}", "")
        if needed and meant in _FOR_US:
            raise FaultError("MustUnderstand", "a header block that is not understood here")
    bodies = root.findall(f"{{{envelope}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise FaultError("Client", "not exactly one element in the body")
    return bodies[0][0]


def _string(wrapper: etree._Element, shape: Shape) -> str:
    """The one string; written without its namespace it is read too."""
    child = wrapper
    if shape.request_name:
        name = etree.QName(shape.request_name).localname
        found = [one for one in wrapper if one.tag in (shape.request_name, name)]
        if len(found) != 1 or (shape.request_children == 1 and len(wrapper) != 1):
            raise FaultError("Client", f"not exactly one {name}")
        (child,) = found
    if len(child) or child.get(_NIL) in ("1", "true"):
        raise FaultError("Client", f"{etree.QName(child).localname} is not a string")
    return child.text or ""


def _reply(inside: str, envelope: str, status: int = 200) -> InboundReply:
    head = '<?xml version="1.0" encoding="utf-8"?>'
    text = f'{head}<s:Envelope xmlns:s="{envelope}"><s:Body>{inside}</s:Body></s:Envelope>'
    return InboundReply(text.encode(), _MEDIA[envelope], status)
