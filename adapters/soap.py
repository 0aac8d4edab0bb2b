"""SOAP operations that take one string and give one string: zeep builds the request, the rest is done here (ADR 20).

zeep reads the WSDL and writes the envelope (zeep.md 4, 6). HTTP status, media type, fault, shape and namespaces of an
answer are judged here, because zeep turns a missing child into a silent None; nothing is loaded from a network.
"""

from __future__ import annotations

import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from lxml import etree

from adapters.exchange import SOAP_11, SOAP_12
from adapters.http import HttpClient, HttpReply
from adapters.redaction import without
from adapters.wsdl import Contract
from adapters.xml import Limits, clean_text, parse
from schemas.errors import (
    PortalAuthError,
    PortalContractError,
    PortalRefusedError,
    PortalUnavailableError,
    RecordInvalidError,
)

_RPC_12 = "http://www.w3.org/2003/05/soap-rpc"
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_KEPT_IN_ACTIONS = string.punctuation.replace('"', "").replace("\\", "")
_XML_TYPES = ("text/xml", "application/xml", "application/soap+xml")
_OURS = ("Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SoapReply:
    """What one call gave: the returned string as it was sent, and the HTTP body for sealing."""

    text: str
    answer: bytes


class SoapClient:
    """One partner's operation. Thread-safe: one client per portal, built at start-up; `last_answer` is the thread's."""

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
        self._address = address
        self._namespaces = frozenset((contract.shape.namespace, *reply_namespaces))
        self._headers = _headers(contract.shape.envelope, contract.shape.action if soap_action is None else soap_action)
        self._limits = Limits(max_bytes=max_reply_bytes)
        self._contract = contract
        self._call = threading.local()

    def send(
        self,
        text: str,
        *,
        parameters: Mapping[str, str] = _NOTHING,
        headers: Mapping[str, str] = _NOTHING,
        block: Mapping[str, str] = _NOTHING,
        send_by: float | None = None,
        deadline_s: float | None = None,
    ) -> SoapReply:
        """Call the operation with one string.

        Args:
            text: The message.
            parameters: What the operation takes besides, such as a login; never shown.
            headers: Of HTTP, besides our own; never shown.
            block: What stands in the block of the SOAP header that the contract's shape names; never shown.
            send_by: Monotonic instant, see `HttpClient.request`.
            deadline_s: Whole time of the call.

        Raises:
            RecordInvalidError: The string holds a character XML forbids; nothing was sent.
            PortalUnavailableError: Not reached, no whole answer, 429, 5xx, or a fault of the server's side.
            PortalAuthError: 401 or 403.
            PortalRefusedError: 404, 405 or another 4xx, or a fault that blames our message.
            PortalContractError: An answer that is not what the WSDL promises.
        """
        self._call.answer, self._call.hidden = b"", (*parameters.values(), *headers.values(), *block.values())
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            reason = "a header's value holds other signs than a header may"
            raise PortalAuthError(self._portal, reason, sent=False)
        reply = self._http.request(
            "POST",
            self._address,
            headers={**headers, **self._headers},
            content=self._contract.write(clean_text(text), parameters, block),
            send_by=send_by,
            deadline_s=deadline_s,
            returns=(500,),  # a fault comes so
        )
        self._call.answer = reply.body
        self._judge(reply)
        return SoapReply(self._returned(reply), reply.body)

    @property
    def last_answer(self) -> bytes:
        """The body of the last answer this thread's call got, b"" for none: to be sealed also when it was refused."""
        return getattr(self._call, "answer", b"")

    def _returned(self, reply: HttpReply) -> str:
        """The one string of the answer, exactly where the contract promises it; raises a fault."""
        try:
            root = parse(reply.body, self._limits)
        except RecordInvalidError as error:
            raise self._broken(f"SOAP answer: {error.reason}", reply) from None
        wrapper = self._body(root, reply)[0]
        if wrapper.tag == f"{{{self._shape.envelope}}}Fault":
            raise self._fault(wrapper)
        if reply.status == 500:
            raise self._broken("HTTP 500 with a SOAP answer that is no fault", reply)
        child = self._child(wrapper, reply)
        if len(child) or child.get(_XSI_NIL) in ("1", "true"):
            raise self._broken("SOAP answer whose return value is not a string", reply)
        return child.text or ""

    def _judge(self, reply: HttpReply) -> None:
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
        ours, other = self._shape.envelope, SOAP_12 if self._shape.envelope == SOAP_11 else SOAP_11
        if root.tag == f"{{{other}}}Envelope":
            names = {SOAP_11: "1.1", SOAP_12: "1.2"}
            raise self._broken(f"a SOAP {names[other]} answer to a SOAP {names[ours]} call", reply)
        if root.tag != f"{{{ours}}}Envelope":
            raise self._broken("answer is not a SOAP envelope", reply)
        for block in root.iterfind(f"{{{ours}}}Header/*"):
            if block.get(f"{{{ours}}}mustUnderstand") in ("1", "true"):
                raise self._broken("answer with a header block that must be understood", reply)
        bodies = root.findall(f"{{{ours}}}Body")
        if len(bodies) != 1 or len(bodies[0]) != 1:
            raise self._broken("SOAP answer without exactly one element in its body", reply)
        return bodies[0]

    def _child(self, wrapper: etree._Element, reply: HttpReply) -> etree._Element:
        """The element that carries the string; names, number and namespaces are all checked."""
        shape = self._shape
        self._check_name(wrapper, shape.reply_wrapper, reply, any_name=shape.rpc)
        if not shape.reply_child:
            return wrapper
        name = etree.QName(shape.reply_child).localname
        # SOAP 1.2 names the child that is the return value in one more child (part 2, 4.2.1); the contract has said it.
        children = [child for child in wrapper if not (shape.rpc and etree.QName(child).namespace == _RPC_12)]
        named = [child for child in children if etree.QName(child).localname == name]
        if shape.reply_children == 1 and len(children) != 1:
            raise self._broken(f"SOAP answer with {len(children)} children where one was promised", reply)
        if len(named) != 1:
            raise self._broken("SOAP answer with another element than promised", reply)
        self._check_name(named[0], shape.reply_child, reply)
        return named[0]

    def _check_name(self, element: etree._Element, promised: str, reply: HttpReply, *, any_name: bool = False) -> None:
        seen, wanted = etree.QName(element), etree.QName(promised)
        if seen.localname != wanted.localname and not any_name:
            raise self._broken("SOAP answer with another element than promised", reply)
        if seen.namespace != wanted.namespace and (seen.namespace or "") not in self._namespaces:
            raise self._broken("SOAP answer in a namespace this partner does not use", reply)

    def _fault(self, fault: etree._Element) -> PortalRefusedError | PortalUnavailableError:
        """A fault by its code: our message was wrong, or their side failed (zeep.md section 5)."""
        code, words = _said_12(fault) if self._shape.envelope == SOAP_12 else _said_11(fault)
        code = code.rpartition(":")[2] or "none"
        excerpt = f"{code}: {without(words, self._call.hidden)[:200]}"
        kind = code.partition(".")[0]
        if kind in _OURS:
            return PortalRefusedError(self._portal, f"SOAP fault {kind}", code=code, excerpt=excerpt)
        return PortalUnavailableError(self._portal, "SOAP fault of the server", code=code, excerpt=excerpt, sent=True)

    def _broken(self, reason: str, reply: HttpReply | None = None) -> PortalContractError:
        return PortalContractError(self._portal, reason, status=reply.status if reply else None)


def _headers(envelope: str, action: str | None) -> dict[str, str]:
    """Content type and action as the SOAP version spells them; where 1.2 knows no action it names none.

    An action is an address (RFC 3987): letters that a header cannot carry are written as such.
    """
    action = quote(action or "", safe=_KEPT_IN_ACTIONS)
    if envelope == SOAP_11:
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    named = f'; action="{action}"' if action else ""
    return {"Content-Type": f"application/soap+xml; charset=utf-8{named}"}


def _said_11(fault: etree._Element) -> tuple[str, str]:
    """Code and words, by local names: servers qualify these children against the rules."""
    said = {etree.QName(child).localname: (child.text or "").strip() for child in fault}
    return said.get("faultcode", ""), said.get("faultstring", "")


def _said_12(fault: etree._Element) -> tuple[str, str]:
    """The outermost code (subcodes are the partner's own) and the first of the words."""
    code = fault.findtext(f"{{{SOAP_12}}}Code/{{{SOAP_12}}}Value") or ""
    return code.strip(), (fault.findtext(f"{{{SOAP_12}}}Reason/{{{SOAP_12}}}Text") or "").strip()
