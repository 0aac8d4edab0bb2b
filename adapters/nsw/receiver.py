"""The endpoint a ministry calls back: a message about a dossier in, an acknowledgement out (ministry.md 1.8, 10.2).

99 says that the message is kept, whatever it is about: a ministry whose message is refused may never send it again, so
what cannot be placed or understood yet waits here, in quarantine, not there. 22 names our reason and the message. A
fault is only for what is no call of this service; an empty string, the attested sign of a failure, asks to come again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

from adapters.base import RawRecord
from adapters.nsw.answers import acknowledged, refused, refused_unread
from adapters.nsw.envelope import Message
from adapters.nsw.options import CallBacks
from adapters.nsw.service import Called, FaultError, Service, answered, called, faulted, service_of
from adapters.nsw.signing import Signing
from adapters.receiving import InboundCall, InboundReply, InboundRequest, Question, Reception, Unreadable, Verdict
from adapters.xml import Limits, parse_text
from adapters.xmldsig import SignatureRefusedError
from schemas.errors import RecordInvalidError

MESSAGE = "callback"
"""The mapping message that reads a call-back."""
REUSED = "the ministry used one message id for two contents"
SUSPENDED, PAUSED = "25", "35"
_OUTER_SHARE = 4  # a message escaped into a string grows by at most so much in practice: `<` becomes `&lt;`
_KEPT = frozenset({Verdict.NEW, Verdict.REPEATED, Verdict.CHANGED})


@dataclass(frozen=True, slots=True)
class CallBackReceiver:
    """`IMTService` of one ministry; see `adapters.receiving.Receiver`."""

    options: CallBacks
    signing: Signing
    name: str = "callback"
    methods: tuple[str, ...] = ("GET", "POST")
    repeats_first_answer: bool = True

    @property
    def paths(self) -> tuple[str, ...]:
        """One service."""
        return (self.options.path,)

    @property
    def patience_s(self) -> float:
        """As this partner's outbox waits."""
        return self.options.patience_s

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        """Take one call apart; a GET asks for the WSDL."""
        if request.method != "POST":
            return Question()
        try:
            call = self._called(request)
            message = self._opened(call, request)
        except FaultError as fault:
            return Unreadable(fault.reason, code=f"soap_{fault.code}")
        except SignatureRefusedError as error:
            return Unreadable(error.reason, code=f"signature_{error.code}", alarm=True)
        except RecordInvalidError as error:
            return Unreadable(error.reason, code="message")
        if self.options.senders and message.sender.identity not in self.options.senders:
            return Unreadable("a message of another sender", code="sender", alarm=True)
        return self._heard(call, message, request)

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        """Word the answer; signed where this partner's messages are."""
        if request.method != "POST":
            return self._described(request)
        try:
            call = self._called(request)
        except FaultError as fault:
            return faulted(fault)
        text = "" if reception.verdict is Verdict.BUSY else self._worded(call, request, reception)
        return answered(call, self.signing.sealed(text))

    def _called(self, request: InboundRequest) -> Called:
        limits = Limits(max_bytes=_OUTER_SHARE * self.options.max_message_bytes)
        return called(request, self._service, limits)

    @property
    def _service(self) -> Service:
        return service_of(self.options)

    def _opened(self, call: Called, request: InboundRequest) -> Message:
        return self.signing.opened(call.text, request.at, Limits(max_bytes=self.options.max_message_bytes))

    def _heard(self, call: Called, message: Message, request: InboundRequest) -> InboundCall:
        """Operation and SOAP version are part of the digest: an answer is worded for them, so it fits only its own."""
        record = RawRecord(
            external_id=message.subject.dossier_key,
            parts={MESSAGE: presented(message, self.options)},
            raw=request.body,
            read_at=request.at,
            partial=True,
            signed=message.signed,
        )
        digest = hashlib.sha256(f"{call.spelling}\n{message.digest}".encode()).hexdigest()
        return InboundCall(message.message_id, digest, record, change_alarm=REUSED)

    def _worded(self, call: Called, request: InboundRequest, reception: Reception) -> str:
        """99 or 22. A message whose signature does not hold is copied from as little as one that cannot be read."""
        try:
            message = self._opened(call, request)
        except RecordInvalidError as error:
            return refused_unread(_root(call.text), reception.reason or error.reason, reception.at)
        if reception.verdict in _KEPT:
            return acknowledged(message, reception.at)
        return refused(message, reception.reason, reception.at)

    def _described(self, request: InboundRequest) -> InboundReply:
        if any(name.lower() in ("wsdl", "singlewsdl") for name in request.query):
            return self._service.described(request.base_url)
        text = f"<html><body>{escape(self.options.path)}: ?wsdl</body></html>"
        return InboundReply(text.encode(), "text/html; charset=utf-8", 404)


def presented(message: Message, options: CallBacks) -> bytes:
    """The message for the mapping: its function as two digits, and as the attested one this partner means by it.

    25 has two attested meanings; where the partner's own table is silent, a `Delay` block says that it is the pause.
    """
    said = message.subject.function
    meant = options.functions.get(said)
    if meant is None:
        meant = PAUSED if said == SUSPENDED and message.content.find("Delay") is not None else said
    root = etree.fromstring(etree.tostring(message.root))
    function = root.find("Header/Subject/function")
    if function is not None:
        function.text = meant
    return etree.tostring(root, encoding="UTF-8")


def _root(text: str) -> etree._Element | None:
    try:
        return parse_text(text)
    except RecordInvalidError:
        return None
