"""The adapter of kind `civil_status`: forwards dossiers to the ministry of justice and polls what became of them.

Source: ministry.md section 2 (two attested generations; this speaks the second) and 10.3. There is no list, no
acknowledgement and no call-back: we know only what we ask for, by the number we pushed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

import orjson

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
from adapters.civil_status.addressing import NotAddressedError, addressed, module_of
from adapters.civil_status.calls import Calls
from adapters.civil_status.options import SupplementBy, checked
from adapters.civil_status.outcomes import classify
from adapters.civil_status.pages import page_of, record_of
from adapters.civil_status.papers import PapersError, with_bytes
from adapters.civil_status.place import Place, batches, round_of
from adapters.civil_status.polling import Findings, Poller
from adapters.civil_status.rows import ResultMissingError, parse_file_ref, result_file
from adapters.civil_status.wire import text_of, verdict_of
from adapters.http import outcome_of
from schemas.errors import PortalAuthError, PortalContractError, PortalError, PortalRefusedError

DECLARE = Operation(
    name="declare",
    klass=DeliveryClass.COMMAND,
    message="push",
    repeat=Repeat.REFUSED_AS_DUPLICATE,
    probe=ProbeStrength.PRESENCE,
    creates=True,
    files=FileUse.CONTENT,
)
"""The first push. A second is answered "đã được tiếp nhận", which counts as there."""

SUPPLEMENT = Operation(
    name="supplement",
    klass=DeliveryClass.COMMAND,
    message="supplement",
    repeat=Repeat.UNKNOWN,
    probe=ProbeStrength.NONE,
    files=FileUse.CONTENT,
)
"""A push of a dossier that is there. Whether it arrived shows only when the poll leaves "supplement needed"."""


class CivilStatusAdapter:
    """One civil-status portal. Thread-safe; `options` is checked against `Options`.

    Raises:
        ConfigError: The options are wrong; every problem is listed.
    """

    def __init__(self, context: PortalContext, options: Mapping[str, JsonValue]) -> None:
        self._context = context
        self._options = checked(context.portal, options)
        self._calls = Calls(context, self._options)
        self._poller = Poller(context.portal, self._options, context.clock, lambda n, m: self._calls.poll(n, m)[0])
        self._modules: dict[str, str] = {}

    @property
    def abilities(self) -> Abilities:
        """Pushes and polls; a supplement only where the options say how."""
        operations = {DECLARE.name: DECLARE}
        if self._options.supplement is SupplementBy.PUSH_AGAIN:
            operations[SUPPLEMENT.name] = SUPPLEMENT
        return Abilities(
            operations=operations,
            commands={name: name for name in operations},
            pulls=True,
            polls=True,
            fetches=self._options.omission_means_absent,
            opens_files=True,
            identity=EventIdentity.TIME if self._options.own_time else EventIdentity.BARE,
        )

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Ask once for each open dossier, at most `round_limit`, one page per batch of calls.

        Raises:
            PortalError: As in `Poller.find`, after a page that moves the cursor behind the batch that failed,
                so that the next pull begins with other dossiers and comes back to these.
        """
        numbers = list(self._context.known.open_records())
        self._forget_all_but(numbers)
        place = (Place() if cursor is None else Place.read(cursor)).among(numbers)
        keys = round_of(((self._modules.get(n, ""), n) for n in numbers), place, limit=self._options.round_limit)
        heard = False
        for batch in batches(keys, self._options.batch):
            place = place.at(batch[-1])
            try:
                found = self._find([number for _, number in batch], batch[0][0])
                _raise_if_portal(found, len(batch), heard=heard)
            except PortalError:
                yield Page((), place.written(), total=len(keys))
                raise
            heard = True
            held = self._context.known.list_digests([number for _, number in batch])
            now = self._context.clock.now()
            page, place = page_of(batch, found, place, held, self._options, now=now, total=len(keys))
            yield page

    def fetch(self, external_id: str) -> RawRecord | None:
        """Poll one dossier. None means the ministry did not show it, which is absence only if `fetches` says so.

        Raises:
            PortalContractError: The dossier is shown, but not so that it can be read.
            PortalError: The poll failed.
        """
        found = self._find_one(external_id)
        if external_id in found.unreadable:
            raise PortalContractError(self._context.portal, found.unreadable[external_id])
        if (row := found.rows.get(external_id)) is None:
            return None
        try:
            return record_of(external_id, row, self._options)
        except ResultMissingError as missing:
            raise PortalContractError(self._context.portal, str(missing)) from None

    def push(self, delivery: Delivery) -> Outcome:
        """Send one dossier; never raises for what the ministry did.

        A login that is not accepted is worth repeating: nothing was sent, and the password may be put right.
        """
        try:
            record = addressed(orjson.loads(delivery.body), self._options)
        except NotAddressedError as problem:
            return Outcome(OutcomeKind.REFUSED, str(problem), final=True)
        try:
            body = with_bytes(record, self._context.open_stored, self._options.max_push_bytes)
        except PapersError as problem:
            kind = OutcomeKind.REFUSED if problem.final else OutcomeKind.RETRY
            return Outcome(kind, f"not sent: {problem}", final=problem.final)
        try:
            reply = self._calls.push(orjson.dumps(body), delivery.send_by)
        except PortalAuthError as error:
            return replace(outcome_of(error), kind=OutcomeKind.RETRY)
        except PortalError as error:
            return outcome_of(error)
        try:
            answer = self._calls.parsed(reply)
        except PortalContractError as error:
            return Outcome(OutcomeKind.UNKNOWN, error.reason, code=str(reply.status), answer=reply.body)
        if not isinstance(answer, dict):
            return Outcome(OutcomeKind.UNKNOWN, "the answer is not an object", answer=reply.body)
        first_push = delivery.operation == DECLARE.name
        outcome = classify(
            verdict_of(answer),
            self._options,
            reply.body,
            first_push=first_push,
            number=text_of(record.get("maHoSoMCDT")),
            sent=record,
        )
        if outcome.kind is OutcomeKind.DELIVERED:
            self._modules[outcome.external_id] = record["module"]
        return outcome

    def probe(self, delivery: Delivery) -> Probe:
        """Look for a pushed dossier through the poll; a supplement cannot be asked for.

        Raises:
            PortalError: The poll failed.
        """
        asked_at = self._context.clock.now()
        if delivery.operation != DECLARE.name:
            return Probe(Presence.CANNOT_TELL, "the ministry does not show supplements", asked_at)
        record = orjson.loads(delivery.body)
        number = text_of(record.get("maHoSoMCDT"))
        found = self._find([number], self._module_for(record))
        if number in found.failed:
            raise found.failed[number]
        return self._presence(number, found, asked_at)

    def catalogue(self, name: str) -> CatalogueList:
        """This interface has none.

        Raises:
            PortalRefusedError: Always.
        """
        self._refuse(f"civil_status has no catalogue {name}")

    def open_file(self, ref: str) -> FileStream:
        """Open the certificate a `results` entry of ours refers to; it is asked for anew, for nobody keeps it.

        Raises:
            PortalContractError: The ministry now shows no file, or another one than the digest says.
            PortalRefusedError: `ref` is not one of ours.
            PortalError: The poll failed.
        """
        try:
            digest, _, number = parse_file_ref(ref)
        except ValueError:
            self._refuse("not a file reference of this kind")
        row = self._find_one(number).rows.get(number)
        if row is None:
            raise PortalContractError(self._context.portal, "the ministry no longer shows the dossier of this file")
        try:
            file = result_file(row.content, row.module, self._options)
        except ResultMissingError as missing:
            raise PortalContractError(self._context.portal, str(missing)) from None
        if file is None or file.sha256 != digest:
            raise PortalContractError(self._context.portal, "the ministry shows another file than the one announced")
        return FileStream(io.BytesIO(file.content), "application/pdf", len(file.content))

    def ping(self) -> datetime | None:
        """Poll a dossier that is there, or fetch a token where we know of none."""
        if (number := self._context.known.any_record()) is None:
            return self._calls.login()
        module = self._modules.get(number) or self._options.module_names[0]
        return self._calls.poll([number], module)[1].server_date

    def close(self) -> None:
        """Give back connections."""
        self._calls.close()

    def _find(self, numbers: list[str], module: str) -> Findings:
        found = self._poller.find(numbers, module)
        self._modules.update({number: row.module for number, row in found.rows.items()})
        return found

    def _find_one(self, number: str) -> Findings:
        found = self._find([number], self._modules.get(number, ""))
        if number in found.failed:
            raise found.failed[number]
        return found

    def _presence(self, number: str, found: Findings, asked_at: datetime) -> Probe:
        if found.settles(number):
            return Probe(Presence.PRESENT, "the ministry shows the dossier", asked_at, external_id=number)
        if number in found.absent:
            return Probe(Presence.ABSENT, "the ministry says it has no such dossier", asked_at)
        if self._options.omission_means_absent:
            return Probe(Presence.ABSENT, "left out by a ministry that leaves out what it does not have", asked_at)
        return Probe(Presence.CANNOT_TELL, "left out of the answer, which says nothing", asked_at)

    def _module_for(self, record: dict[str, JsonValue]) -> str:
        try:
            return module_of(text_of(record.get("module")), self._options)
        except NotAddressedError:
            return ""

    def _forget_all_but(self, numbers: list[str]) -> None:
        open_now = set(numbers)
        for number in list(self._modules):
            if number not in open_now:
                self._modules.pop(number, None)

    def _refuse(self, reason: str) -> NoReturn:
        raise PortalRefusedError(self._context.portal, reason, sent=False)


def _raise_if_portal(found: Findings, asked: int, *, heard: bool) -> None:
    """Take it for the portal's failure, not the dossiers', when a batch fails down to the last dossier.

    Refusals in words are the dossiers' own once the portal has answered for others in this round, and a single
    dossier that is refused says nothing about the portal.
    """
    if len(found.failed) < asked:
        return
    first = next(iter(found.failed.values()))
    if not isinstance(first, PortalRefusedError) or (asked > 1 and not heard):
        raise first
