"""SOAP operations that take one string and give one string, by zeep behind our own transport.

zeep reads the WSDL, builds the request and takes the answer apart. What it does not do is done here (zeep.md 4):
nothing is loaded from a network, HTTP status and media type are judged before zeep sees an answer, and the answer's
shape and namespaces are checked first, because zeep turns a missing child into a silent None.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import zeep
from lxml import etree
from zeep.transports import Transport

from adapters.http import HttpClient, HttpReply
from adapters.wsdl import SETTINGS, Contract
from adapters.xml import Limits, clean_text, parse
from schemas.errors import (
    ConfigError,
    PortalAuthError,
    PortalContractError,
    PortalRefusedError,
    PortalUnavailableError,
    RecordInvalidError,
)

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_XML_TYPES = ("text/xml", "application/xml", "application/soap+xml")


@dataclass(frozen=True, slots=True)
class SoapReply:
    """What one call gave: the returned string as it was sent, and the HTTP body for sealing."""

    text: str
    answer: bytes


class _Sending(Transport):
    """Sends what zeep built over our HTTP client and hands zeep only an answer of the right shape.

    The terms of a call (deadline, send-by) and its raw answer belong to the calling thread. zeep's own transport writes
    whole messages to its log at debug level; this one writes nothing.
    """

    def __init__(self, client: SoapClient) -> None:
        self.cache = None
        self.load_timeout = 0
        self.operation_timeout = 0
        self._close_session = False
        self._client = client
        self.call = threading.local()

    def load(self, url: str) -> bytes:
        """Refuse: the contract was read at start-up."""
        raise ConfigError(f"the WSDL refers to {url!r} at run time")

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> _Response:
        """Send bytes; see `SoapClient.send` for what is raised."""
        reply = self._client.post(address, message, headers, self.call.send_by, self.call.deadline_s)
        self.call.answer = reply.body
        self._client.judge(reply)
        return _Response(self._client.checked(reply))


@dataclass(frozen=True, slots=True)
class _Response:
    """As much of a `requests` response as zeep reads; the real status was judged before."""

    content: bytes
    status_code: int = 200
    encoding: str = "utf-8"

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "text/xml; charset=utf-8"}


class SoapClient:
    """One partner's operation. Thread-safe: one client per portal, built at start-up."""

    def __init__(
        self,
        portal: str,
        contract: Contract,
        http: HttpClient,
        address: str,
        *,
        reply_namespaces: tuple[str, ...] = (),
        soap_action: str | None = None,
        max_reply_bytes: int = 4_000_000,
    ) -> None:
        """Bind the contract's operation to `address`; the WSDL's own address is never used.

        `reply_namespaces` are further namespaces the reply's wrapper and child may have; "" stands for none.
        """
        self._portal = portal
        self._shape = contract.shape
        self._http = http
        self._namespaces = frozenset((contract.shape.namespace, *reply_namespaces))
        self._action = soap_action
        self._limits = Limits(max_bytes=max_reply_bytes)
        self._transport = _Sending(self)
        build: Any = zeep.Client  # zeep's constructors carry no types
        client = build(contract.document, transport=self._transport, settings=SETTINGS)
        self._service: Any = client.create_service(contract.shape.binding, address)

    def send(self, text: str, *, send_by: float | None = None, deadline_s: float | None = None) -> SoapReply:
        """Call the operation with one string.

        Raises:
            RecordInvalidError: The string holds a character XML forbids; nothing was sent.
            PortalUnavailableError: Not reached, no whole answer, 429, 5xx, or a fault of the server's side.
            PortalAuthError: 401 or 403.
            PortalRefusedError: 404, 405 or another 4xx, or a fault that blames our message.
            PortalContractError: An answer that is not what the WSDL promises.
        """
        call = self._transport.call
        call.send_by, call.deadline_s, call.answer = send_by, deadline_s, b""
        argument = {self._shape.request_child: clean_text(text)}
        try:
            returned = self._service[self._shape.operation](**argument)
        except zeep.exceptions.Error as error:
            raise self._broken(f"SOAP answer refused by its contract ({type(error).__name__})") from None
        # The child was seen to be there, so None is zeep's spelling of the empty string.
        return SoapReply(returned if returned is not None else "", call.answer)

    @property
    def last_answer(self) -> bytes:
        """The body of the last answer this thread's call got, b"" for none: to be sealed also when it was refused."""
        return getattr(self._transport.call, "answer", b"")

    def post(
        self, address: str, message: bytes, headers: dict[str, str], send_by: float | None, deadline_s: float | None
    ) -> HttpReply:
        """Send one envelope; called by the transport. A fault comes with status 500, so that one is given back."""
        if self._action is not None:
            headers = {**headers, "SOAPAction": f'"{self._action}"'}
        return self._http.request(
            "POST", address, headers=headers, content=message, send_by=send_by, deadline_s=deadline_s, returns=(500,)
        )

    def checked(self, reply: HttpReply) -> bytes:
        """The answer's envelope, proved to hold one string, put into the namespaces the WSDL names; raises a fault."""
        try:
            root = parse(reply.body, self._limits)
        except RecordInvalidError as error:
            raise self._broken(f"SOAP answer: {error.reason}", reply) from None
        body = self._body(root, reply)
        wrapper = body[0]
        if wrapper.tag == f"{{{SOAP_11}}}Fault":
            raise self._fault(wrapper)
        if reply.status == 500:
            raise self._broken("HTTP 500 with a SOAP answer that is no fault", reply)
        child = self._child(wrapper, reply)
        wrapper.tag, child.tag = self._shape.reply_wrapper, self._shape.reply_child
        for element in (wrapper, child):
            element.attrib.clear()  # zeep would look for the schema of a type that is named here (xsi:type)
        return etree.tostring(root)

    def judge(self, reply: HttpReply) -> None:
        """Refuse by status and media type before anything is parsed."""
        status = reply.status
        if status in (401, 403):
            raise PortalAuthError(self._portal, "credentials not accepted", status=status)
        if 400 <= status < 500:
            raise PortalRefusedError(self._portal, f"HTTP {status}: check the address", status=status)
        if status not in (200, 500):
            raise self._broken(f"HTTP {status} where a SOAP answer was promised", reply)
        if not reply.body.strip():
            raise self._broken("empty SOAP answer", reply)
        if reply.media_type not in _XML_TYPES:
            if status == 500:
                raise PortalUnavailableError(self._portal, "HTTP 500 without a SOAP answer", status=500)
            raise self._broken(f"answer of type {reply.media_type or 'unknown'}, not XML", reply)

    def _body(self, root: etree._Element, reply: HttpReply) -> etree._Element:
        if root.tag == f"{{{SOAP_12}}}Envelope":
            raise self._broken("a SOAP 1.2 answer to a SOAP 1.1 call", reply)
        if root.tag != f"{{{SOAP_11}}}Envelope":
            raise self._broken("answer is not a SOAP envelope", reply)
        for block in root.iterfind(f"{{{SOAP_11}}}Header/*"):
            if block.get(f"{{{SOAP_11}}}mustUnderstand") in ("1", "true"):
                raise self._broken("answer with a header block that must be understood", reply)
        bodies = root.findall(f"{{{SOAP_11}}}Body")
        if len(bodies) != 1 or len(bodies[0]) != 1:
            raise self._broken("SOAP answer without exactly one element in its body", reply)
        return bodies[0]

    def _child(self, wrapper: etree._Element, reply: HttpReply) -> etree._Element:
        """The child that carries the string; its name, number, namespace and content are all checked."""
        self._check_name(wrapper, self._shape.reply_wrapper, reply)
        if len(wrapper) != 1:
            raise self._broken(f"SOAP answer with {len(wrapper)} children where one was promised", reply)
        child = wrapper[0]
        self._check_name(child, self._shape.reply_child, reply)
        if len(child) or child.get(_XSI_NIL) in ("1", "true"):
            raise self._broken("SOAP answer whose return value is not a string", reply)
        return child

    def _check_name(self, element: etree._Element, promised: str, reply: HttpReply) -> None:
        seen, wanted = etree.QName(element), etree.QName(promised)
        if seen.localname != wanted.localname:
            raise self._broken("SOAP answer with another element than promised", reply)
        if seen.namespace != wanted.namespace and (seen.namespace or "") not in self._namespaces:
            raise self._broken("SOAP answer in a namespace this partner does not use", reply)

    def _fault(self, fault: etree._Element) -> PortalRefusedError | PortalUnavailableError:
        """A fault by its code: our message was wrong, or their side failed (zeep.md section 5).

        Read here and not by zeep, which loses the code where a server qualifies its children.
        """
        said = {etree.QName(child).localname: (child.text or "").strip() for child in fault}
        code = said.get("faultcode", "").rpartition(":")[2] or "none"
        excerpt = f"{code}: {said.get('faultstring', '')[:200]}"
        kind = code.partition(".")[0]
        if kind in ("Client", "VersionMismatch", "MustUnderstand"):
            return PortalRefusedError(self._portal, f"SOAP fault {kind}", code=code, excerpt=excerpt)
        return PortalUnavailableError(self._portal, "SOAP fault of the server", code=code, excerpt=excerpt, sent=True)

    def _broken(self, reason: str, reply: HttpReply | None = None) -> PortalContractError:
        return PortalContractError(self._portal, reason, status=reply.status if reply else None)
