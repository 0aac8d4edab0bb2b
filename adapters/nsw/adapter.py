"""Kind `nsw`: hands dossiers to a ministry as XML messages over SOAP.

The ministry's synchronous answer is an acknowledgement (99) or a refusal (22); what it decides about a dossier comes
later by call-back (`receiver`). So nothing is pulled or fetched, and no probe can tell whether a message arrived: an
unknown outcome is settled by sending the same bytes under the same message id again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from adapters.base import (
    Abilities,
    CatalogueList,
    Cursor,
    Delivery,
    DeliveryClass,
    EventIdentity,
    FileStream,
    FileUse,
    JsonValue,
    Operation,
    Outcome,
    OutcomeKind,
    Page,
    PortalContext,
    Presence,
    Probe,
    ProbeStrength,
    RawRecord,
    Repeat,
)
from adapters.exchange import Choice
from adapters.http import HttpClient
from adapters.nsw.attachments import Attachments, NotNowError
from adapters.nsw.declaration import declared
from adapters.nsw.envelope import Message, Subject
from adapters.nsw.options import Options
from adapters.nsw.outcomes import failed, judged
from adapters.nsw.receiver import CallBackReceiver
from adapters.nsw.service import service_of
from adapters.nsw.signing import Signing
from adapters.soap import SoapClient
from adapters.wsdl import Contract, load_contract
from adapters.xml import Limits
from adapters.xmldsig import read_certificates
from schemas.errors import PortalAuthError, PortalError, PortalRefusedError, RecordInvalidError

FUNCTIONS: Mapping[str, str] = {"declare": "01", "amend": "02", "supplement": "05", "cancel": "10", "ask_result": "11"}
"""Operation -> the message's `function` (ministry.md 1.6)."""

_ATTESTED_PAIR = ("http://ws.gt.vn", "http://facade.dk.gt.dtt.vn")
# A question has no effect to deliver, and its answer says nothing: it can be sent, but it is nothing to plan.
_NAMES = tuple(name for name in FUNCTIONS if name != "ask_result")


def abilities_of(attachments: Attachments) -> Abilities:
    """Commands only; what becomes of files is a matter of the partner."""
    operations = {
        name: Operation(
            name=name,
            klass=DeliveryClass.COMMAND,
            message="forward",
            repeat=Repeat.SAFE,
            probe=ProbeStrength.NONE,
            creates=name == "declare",
            files=FileUse.NONE if name == "cancel" else attachments.use,
        )
        for name in _NAMES
    }
    return Abilities(operations=operations, commands={name: name for name in operations}, identity=EventIdentity.OWN_ID)


class NswAdapter:
    """One ministry. Thread-safe: the contract is read once, at start-up, and shared."""

    def __init__(self, context: PortalContext, options: Mapping[str, JsonValue]) -> None:
        """Check the options and read the WSDL.

        Raises:
            ConfigError: The WSDL cannot be used.
            pydantic.ValidationError: The options are wrong.
        """
        self._context = context
        self._options = Options.model_validate(options)
        self._abilities = abilities_of(self._options.attachments)
        self._address = self._options.base_url.rstrip("/") + self._options.path
        contract = contract_of(self._options)
        service_of(self._options.call_backs)
        self._signing = Signing.of(self._options.signatures, context.secret)
        self._http = HttpClient(
            context.portal,
            self._options.base_url,
            clock=context.clock,
            max_body_bytes=self._options.max_reply_bytes,
            verify=self._options.ca_file or True,
            client_certificate=self._options.client_certificate,
        )
        self._soap = SoapClient(
            context.portal,
            contract,
            self._http,
            self._address,
            reply_namespaces=_reply_namespaces(self._options, contract),
            soap_action=self._options.soap_action,
            max_reply_bytes=self._options.max_reply_bytes,
        )

    @staticmethod
    def check(options: Mapping[str, JsonValue]) -> None:
        """Read the WSDL and the certificates these options name; our key waits for its password.

        Raises:
            ConfigError: One of them cannot be used.
        """
        known = Options.model_validate(options)
        contract_of(known)
        service_of(known.call_backs)
        signatures = known.signatures
        for file in (signatures.certificate, *signatures.pinned, *signatures.authorities):
            if file:
                read_certificates(Path(file))

    @property
    def abilities(self) -> Abilities:
        """Commands only."""
        return self._abilities

    def push(self, delivery: Delivery) -> Outcome:
        """Send one message and judge the answer by function, subject and code together."""
        try:
            text, subject = self._declared(delivery)
            text = self._signing.sealed(text)
        except RecordInvalidError as error:
            return _not_sent(error)
        except NotNowError as error:
            return Outcome(OutcomeKind.RETRY, f"not sent: {error}")
        try:
            self._context.budget.take()
            reply = self._soap.send(
                text,
                parameters=self._filled(self._options.parameters),
                headers=self._filled(self._options.headers),
                block=self._filled(self._options.soap_header),
                send_by=delivery.send_by,
                deadline_s=self._context.call_timeout_s,
            )
        except RecordInvalidError as error:
            return _not_sent(error)
        except PortalError as error:
            return failed(delivery, subject, error, self._soap.last_answer)
        return judged(delivery, subject, reply, self._opened)

    def receivers(self) -> tuple[CallBackReceiver, ...]:
        """The service the ministry calls back."""
        return (CallBackReceiver(self._options.call_backs, self._signing),)

    def probe(self, delivery: Delivery) -> Probe:
        """Nobody can ask: function 11 is answered by an acknowledgement whatever the ministry holds."""
        reason = f"{delivery.portal} answers no questions about what it holds"
        return Probe(Presence.CANNOT_TELL, reason, self._context.clock.now())

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Nothing: the ministry calls back, it is not read."""
        del cursor
        return iter(())

    def fetch(self, external_id: str) -> RawRecord | None:
        """Refuse: the ministry shows no dossier."""
        del external_id
        raise self._unable("fetch")

    def catalogue(self, name: str) -> CatalogueList:
        """Refuse: catalogues travel inside messages of other kinds."""
        del name
        raise self._unable("catalogue")

    def open_file(self, ref: str) -> FileStream:
        """Refuse: no file bytes travel in these messages."""
        del ref
        raise self._unable("open_file")

    def ping(self) -> datetime | None:
        """Ask for the contract; any answer below 500 shows that the service is there."""
        self._context.budget.take()
        reply = self._http.request(
            "GET", f"{self._address}?wsdl", idempotent=True, deadline_s=self._context.call_timeout_s
        )
        if reply.status in (401, 403):
            raise PortalAuthError(self._context.portal, "credentials not accepted", status=reply.status)
        return reply.server_date

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def _filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """Constants as they are, references as the secret behind them now.

        Raises:
            PortalAuthError: A secret is not set any more; nothing was sent.
        """
        secret = self._context.secret
        try:
            return {name: secret(value) if value.startswith("${") else value for name, value in values.items()}
        except KeyError as error:
            raise PortalAuthError(self._context.portal, f"{error.args[0]} is not set", sent=False) from None

    def _opened(self, text: str, limits: Limits) -> Message:
        return self._signing.opened(text, self._context.clock.now(), limits)

    def _declared(self, delivery: Delivery) -> tuple[str, Subject]:
        function, context = FUNCTIONS[delivery.operation], self._context
        return declared(delivery, function, self._options, context.agency_code, context.open_stored)

    def _unable(self, verb: str) -> PortalRefusedError:
        return PortalRefusedError(self._context.portal, f"kind nsw has no {verb}", sent=False)


def _not_sent(error: RecordInvalidError) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, f"not sent: {error.reason}", final=True)


def contract_of(options: Options) -> Contract:
    """The WSDL these options name: the operator's own file or the packaged one.

    Raises:
        ConfigError: It cannot be used; says what to write.
    """
    choice = Choice(
        operation=options.operation,
        port=options.port,
        message=options.message_parameter,
        answer=options.answer_parameter,
        parameters=frozenset(options.parameters),
        header=frozenset(options.soap_header),
    )
    if options.wsdl:
        return load_contract(Path(options.wsdl), namespace=options.namespace, choice=choice)
    with as_file(files("schemas").joinpath("nsw", "message-exchange.wsdl")) as path:
        return load_contract(path, namespace=options.namespace, choice=choice)


def _reply_namespaces(options: Options, contract: Contract) -> tuple[str, ...]:
    """What the partner may answer in besides its WSDL's namespace; by default the attested pair (Q01)."""
    if options.reply_namespaces is not None:
        return options.reply_namespaces
    return _ATTESTED_PAIR if contract.shape.namespace in _ATTESTED_PAIR else ()
