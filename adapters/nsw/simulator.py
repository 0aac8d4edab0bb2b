"""A ministry that takes dossiers: the real SOAP exchange, an officer's screen, and a book of what arrived.

Its own acknowledgement is all a caller gets: 99 or 22, an empty string when it fails; a question (function 11) is
answered by an acknowledgement only. What its officers decide is on its screen, and is called back where
`switches.call_back` says so: by its officers' verbs, or by a script for every new dossier.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from typing import Any

from lxml import etree

from adapters.nsw.answers import acknowledged, refused, refused_unread
from adapters.nsw.envelope import RECEIVED, REFUSED, Message, forward_schema, message_of, reference_of
from adapters.nsw.holdings import STATES, Declaration, Held, Seed, Switches, papers_of, plain
from adapters.nsw.officers import Officers
from adapters.nsw.quirks import FOREIGN_NAMESPACE, QUIRKS, WSDL_NAMESPACE, Answer, fault
from adapters.nsw.signing import Signing
from adapters.simulation import GENERAL_FAULTS, Reply, Request, SimClock, Simulator, fetched
from adapters.xml import Limits, canonical, parse, parse_text
from schemas.errors import RecordInvalidError

PATH = "/services/MessageAndResponseImpl"
EFFECTS = {"01": "declare", "02": "amend", "05": "supplement", "10": "cancel"}
ASK = "11"
_LIMITS = Limits()


class NswSimulator(Simulator):
    """One ministry of kind `nsw`."""

    kind = "nsw"
    faults_supported = (*GENERAL_FAULTS, "wrong_namespace")

    def __init__(self, switches: Switches, clock: SimClock | None = None) -> None:
        super().__init__(clock)
        self.switches = switches
        self._dossiers: dict[str, Held] = {}
        self._messages: dict[str, tuple[Held, Declaration]] = {}
        self._next: list[str] = []
        self._repeats = 0
        self._signing = _signing(switches)
        self._officers = Officers(lambda: self.switches, self._now, self.book)

    def describe(self, request: Request) -> str:
        """GET is a ping, a question a read, everything else a write."""
        if request.method != "POST":
            return "ping"
        return "read" if b"function&gt;11&lt;" in request.body else "write"

    def answer(self, request: Request) -> Reply:
        """Answer as the ministry's handler does."""
        if request.path != PATH:
            return Reply.text("<html><body>404</body></html>", 404, "text/html; charset=utf-8")
        if request.method == "GET" and "wsdl" in request.query:
            return Reply.xml(self._wsdl(request))
        if request.method != "POST":
            return Reply.text("<html><body>405</body></html>", 405, "text/html; charset=utf-8")
        if "soapaction" not in request.headers:
            return fault("Client.NoSOAPAction", "no SOAPAction header!")
        text = self._string(request.body)
        if text is None:
            return fault("Client", "the request is not the promised envelope")
        with self.lock:
            reply = self._hurt(self._signing.sealed(self._worked(text, request)))
            early = self._officers.take_early()
        for call in early:
            self._officers.outbox.send_now(call)
        self._officers.outbox.start()
        return reply

    def fault_reply(self, kind: str, request: Request) -> Reply | None:
        """Do the work, then answer in a namespace nobody promised."""
        if kind != "wrong_namespace" or request.method != "POST":
            return None
        reply = self.answer(request)
        return replace(reply, body=reply.body.replace(self.switches.namespace.encode(), FOREIGN_NAMESPACE.encode()))

    def screen(self, path: str, query: Mapping[str, list[str]]) -> Any:
        """`dossiers`: every dossier with its declarations, their calls and answers; `callbacks`: every message called
        back with its attempts; `switches`: the settings.
        """
        if path == "callbacks":
            return self._officers.outbox.shown()
        with self.lock:
            if path == "dossiers":
                return [held.shown() for held in self._dossiers.values()]
            if path == "switches":
                return self.switches.model_dump(mode="json")
        return super().screen(path, query)

    def act(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """Officers' verbs of `STATES` {key or dossier_code, reason}; `seed`; `next` {quirk, times}; `switch` {…}.

        `call_back` {key or dossier_code, function, and what may replace parts of it} calls once, and gives the answer.
        `fetch_files` {key or dossier_code} follows the addresses of a dossier's papers, and keeps what came.
        """
        if verb == "call_back":
            return self._call_back(arguments)
        if verb == "fetch_files":
            return self._fetch_files(arguments)
        with self.lock:
            if verb == "next":
                quirk, times = str(arguments["quirk"]), int(arguments.get("times", 1))
                if quirk not in QUIRKS:
                    raise LookupError(quirk)
                self._next.extend([quirk] * times)
                return {"waiting": len(self._next)}
            if verb == "switch":
                self.switches = Switches.model_validate(self.switches.model_dump() | dict(arguments))
                self._signing = _signing(self.switches)
                return self.switches.model_dump(mode="json")
            if verb == "seed":
                return self._seed(Seed.model_validate(arguments)).shown()
            if verb in STATES:
                return self._officers.decide(self._found(arguments), verb, arguments, self._signing).shown()
        return super().act(verb, arguments)

    # The exchange

    def _wsdl(self, request: Request) -> bytes:
        content = files("schemas").joinpath("nsw", "message-exchange.wsdl").read_bytes()
        address = f"http://{request.headers.get('host', 'localhost')}{PATH}"
        content = content.replace(b"https://ministry.example.invalid/services/MessageAndResponseImpl", address.encode())
        return content.replace(WSDL_NAMESPACE.encode(), self.switches.namespace.encode())

    def _string(self, body: bytes) -> str | None:
        """The request's one string, or None where the body is not that envelope."""
        try:
            root = parse(body, _LIMITS)
        except RecordInvalidError:
            return None
        for wrapper in root.iterfind("{http://schemas.xmlsoap.org/soap/envelope/}Body/*"):
            name = etree.QName(wrapper)
            wanted = self.switches.request_namespace
            if name.localname == self.switches.operation and len(wrapper) == 1 and wanted in ("", name.namespace):
                return wrapper[0].text or ""
        return None

    def _worked(self, text: str, request: Request) -> str:
        """Do what a message asks and give the answering message, "" for an unexpected error."""
        try:
            root = parse_text(text)
        except RecordInvalidError:
            return ""
        try:
            message = self._signing.opened(text, request.at)
            self._check(message)
        except RecordInvalidError as error:
            return self._rejected(root, error.reason, request.at)
        if message.subject.function == ASK:
            return acknowledged(message, request.at)
        return self._kept(message, request)

    def _check(self, message: Message) -> None:
        if message.subject.function == ASK:
            return
        if message.subject.function not in EFFECTS:
            raise RecordInvalidError("function not taken here")
        forward = message.content.find("DossierForward")
        if forward is None:
            raise RecordInvalidError("no DossierForward")
        forward_schema().check(forward)

    def _kept(self, message: Message, request: Request) -> str:
        digest = uuid.uuid5(uuid.NAMESPACE_OID, canonical(message.content).decode()).hex
        known = self._messages.get(message.message_id)
        if known is not None:
            return self._repeated(message, digest, known[1], request)
        if self.switches.fails or (
            message.subject.function != "01" and message.subject.dossier_key not in self._dossiers
        ):
            return refused(message, self.switches.refusal, request.at)
        held = self._held(message)
        forward = plain(message.content[0])
        held.papers = papers_of(forward) or held.papers
        declaration = Declaration(message.message_id, message.subject.function, digest, request.at)
        held.declarations.append(declaration)
        self._messages[message.message_id] = (held, declaration)
        content = {
            "message_id": message.message_id,
            "function": message.subject.function,
            "digest": digest,
            "dossier_code": held.dossier_code,
            "forward": forward,
        }
        self.book.record(EFFECTS[message.subject.function], held.key, content, at=request.at, call=request.call)
        held.subject = message.subject
        self._officers.declared(held, message.subject.function, self._signing)
        return self._noted(declaration, request, RECEIVED, acknowledged(message, request.at))

    def _repeated(self, message: Message, digest: str, first: Declaration, request: Request) -> str:
        """A message id seen before: the insert fails, which one version says and another does not (Q06, Q15)."""
        self._repeats += 1
        reject = {"ack": False, "reject": True, "mixed": self._repeats % 2 == 1}[self.switches.repeat_answer]
        if reject or digest != first.digest:
            refusal = refused(message, self.switches.refusal, request.at)
            return self._noted(first, request, REFUSED, refusal)
        return self._noted(first, request, RECEIVED, acknowledged(message, request.at))

    def _noted(self, declaration: Declaration, request: Request, answer: str, text: str) -> str:
        declaration.calls.append(request.call)
        declaration.answers.append(answer)
        held = self._messages[declaration.message_id][0]
        self.book.put(held.key, held.shown())
        return text

    def _held(self, message: Message) -> Held:
        key = message.subject.dossier_key
        if key not in self._dossiers:
            forward = message.content[0]
            self._dossiers[key] = Held(
                key, forward.findtext("DossierCode") or "", forward.findtext("NationalCode") or ""
            )
        return self._dossiers[key]

    # Answers

    def _rejected(self, root: etree._Element, reason: str, at: datetime) -> str:
        """A validation error: what can be read of the request is copied, whatever else was wrong with it."""
        try:
            return refused(message_of(root), reason, at)
        except RecordInvalidError:
            return refused_unread(root, reason, at)

    def _hurt(self, inner: str) -> Reply:
        """The answer as this ministry spells it, and as its quirks spoil it; an unexpected error is not spoilt too."""
        switches = self.switches
        answer = Answer(
            inner,
            wrapper=f"{switches.operation}Response",
            child=switches.reply_child,
            wrapper_namespace=switches.namespace,
            child_namespace=switches.namespace,
        )
        if inner:
            for quirk in (*switches.quirks, *self._next[:1]):
                answer = QUIRKS[quirk](answer)
            del self._next[:1]
        return answer.reply()

    # Officers

    def _found(self, arguments: Mapping[str, Any]) -> Held:
        for held in self._dossiers.values():
            if held.key == arguments.get("key") or held.dossier_code == arguments.get("dossier_code"):
                return held
        raise LookupError("dossier")

    def _call_back(self, arguments: Mapping[str, Any]) -> Any:
        with self.lock:
            call = self._officers.message(self._found(arguments), str(arguments["function"]), arguments, self._signing)
        self._officers.outbox.send_now(call, once=True)
        return call.shown()

    def _fetch_files(self, arguments: Mapping[str, Any]) -> Any:
        with self.lock:
            held = self._found(arguments)
            papers = [paper for paper in held.papers if paper.get("Url")]
        for paper in papers:  # without the lock: a slow answer holds up nobody
            paper["fetched"] = fetched(paper["Url"])
        with self.lock:
            self.book.put(held.key, held.shown())
        return held.shown()

    def _now(self) -> datetime:
        return self.clock.now()

    def _seed(self, seed: Seed) -> Held:
        """A dossier that stands here from before: nobody's declaration of today."""
        key = f"{seed.document_type}-{reference_of(seed.owner, seed.dossier_code)}-{seed.document_year}"
        held = Held(key, seed.dossier_code, seed.national_code, seeded=True)
        self._dossiers[key] = held
        self._officers.show(held, STATES[seed.state])
        return held


def _signing(switches: Switches) -> Signing:
    return Signing.of(switches.signatures, lambda _reference: "")


def build(options: Mapping[str, Any]) -> NswSimulator:
    """Build from plain options (see `Switches`)."""
    return NswSimulator(Switches.model_validate(options))
