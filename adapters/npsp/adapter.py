"""The national portal as an adapter: dossiers by insert and update, progress rows, look-ups and catalogues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import orjson
from pydantic import ValidationError

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
from adapters.http import outcome_of
from adapters.npsp.calls import LOOK_UP
from adapters.npsp.line import Line
from adapters.npsp.options import Options
from adapters.npsp.receiving.endpoints import receivers
from adapters.npsp.receiving.fetching import Fetcher
from adapters.npsp.reply import field_of
from adapters.npsp.verdicts import outcome
from adapters.receiving import Receiver
from schemas.errors import ConfigError, PortalAuthError, PortalContractError, PortalError, PortalRefusedError

CATALOGUES = {"agencies": "LayDanhMucCoQuan", "sectors": "LayDanhMucLinhVuc", "procedures": "LayDanhSachTTHC"}
PROCEDURE = "LayThuTuc"


def abilities_of(options: Options) -> Abilities:
    """What the portal can do behind this profile: a facade that takes only writes can be asked nothing."""
    reads = options.form != "bare_array"
    presence = ProbeStrength.PRESENCE if reads else ProbeStrength.NONE
    snapshot = DeliveryClass.SNAPSHOT
    operations = (
        Operation(
            "insert", snapshot, "dossier", Repeat.REFUSED_AS_DUPLICATE, presence, creates=True, files=FileUse.LINK
        ),
        Operation("update", snapshot, "dossier", Repeat.SAFE, ProbeStrength.NONE, files=FileUse.LINK),
        Operation(
            "progress",
            DeliveryClass.APPEND,
            "progress",
            Repeat.APPENDS,
            ProbeStrength.NONE,
            rows_per_call=options.progress_rows_per_call,
        ),
    )
    return Abilities(
        operations={operation.name: operation for operation in operations},
        polls=options.poll and reads,
        fetches=reads,
        catalogues=tuple(CATALOGUES) if reads else (),
        create="insert",
        update="update",
        append="progress",
        opens_files=True,
        identity=EventIdentity.OWN_ID,  # events pushed to us; the rows of look-ups carry none and are bare states
    )


class NpspAdapter:
    """One national portal, or the facade a province put in front of it. Thread-safe.

    Raises:
        ConfigError: The options are wrong; every problem at once.
    """

    def __init__(self, context: PortalContext, options: Mapping[str, JsonValue]) -> None:
        self._context = context
        self._options = _checked(options)
        self._abilities = abilities_of(self._options)
        self._line = Line(context, self._options)
        self._fetcher = Fetcher(context, self._options)

    @property
    def abilities(self) -> Abilities:
        """What this profile can do."""
        return self._abilities

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - every poll asks for all open records
        """Ask again for the records still open here; only with option `poll`, for the portal has no list of its own.

        The cursor is the instant a page was read: losing it skips nothing.
        """
        if not self._abilities.polls:
            return
        codes = list(self._context.known.open_records())
        for start in range(0, len(codes), self._options.poll_batch):
            yield self._polled(codes[start : start + self._options.poll_batch])

    def fetch(self, external_id: str) -> RawRecord | None:
        """The look-up row of a dossier number, or None where the portal answered with an empty list.

        Raises:
            PortalContractError: No list, no code, or rows of other dossiers: never taken for absence.
            PortalRefusedError, PortalAuthError, PortalUnavailableError: As they say.
        """
        self._must_read()
        began = self._context.clock.now()
        found, answer = self._line.ask(LOOK_UP, {"mahoso": external_id}, tries=self._options.read_tries)
        if not found:
            return None
        row = next((row for row in found if self._is_of(row, external_id)), None)
        if row is None:
            raise PortalContractError(self._context.portal, "the look-up answered with other dossiers")
        return RawRecord(external_id, {"lookup": row}, answer.raw, began, list_digest=_digest(row))

    def push(self, delivery: Delivery) -> Outcome:
        """Send one frozen request; a refused session is renewed once and the request sent once more."""
        try:
            data, records = _frozen(delivery)
        except orjson.JSONDecodeError:
            return Outcome(OutcomeKind.REFUSED, "the frozen request is not JSON", final=True)
        needs = "text" if delivery.operation == "progress" else self._options.success_needs
        try:
            answer = self._line.tell(delivery.operation, data, delivery.send_by, needs)
        except PortalAuthError as error:
            return replace(outcome_of(error), kind=OutcomeKind.RETRY)  # our account is refused, not this dossier
        except PortalError as error:
            return outcome_of(error)
        return outcome(answer.verdict, answer.proof, answer.reply, records, _number(records, delivery), answer.raw)

    def probe(self, delivery: Delivery) -> Probe:
        """Whether the dossier of an insert is there; nothing can be asked about updates and progress rows.

        Raises:
            PortalError: As `fetch`: a question that failed says nothing.
        """
        asked_at = self._context.clock.now()
        if self._abilities.operations[delivery.operation].probe is ProbeStrength.NONE:
            return Probe(Presence.CANNOT_TELL, "the portal shows no trace of this operation", asked_at)
        code = _number(_frozen(delivery)[1], delivery)
        if self.fetch(code) is None:
            return Probe(Presence.ABSENT, "the look-up gave an empty list", asked_at)
        return Probe(Presence.PRESENT, "the look-up gave the dossier", asked_at, external_id=code)

    def catalogue(self, name: str) -> CatalogueList:
        """A whole list: `agencies`, `sectors`, `procedures`, `procedure:CODE`, or a service by its own name."""
        self._must_read()
        kind, _, code = name.partition(":")
        service = PROCEDURE if kind == "procedure" else CATALOGUES.get(kind, kind)
        began = self._context.clock.now()
        found, answer = self._line.ask(service, {"maTTHC": code} if code else {}, tries=self._options.read_tries)
        return CatalogueList(name, _digest(found), tuple(found), answer.raw, began)

    def receivers(self) -> tuple[Receiver, ...]:
        """The endpoints that the portal calls: pushed dossiers, fees, payments, files (npsp.md 3.6a, 3.7)."""
        return receivers(self._options.inbound)

    def open_file(self, ref: str) -> FileStream:
        """Fetch a file that a push named by its address.

        Raises:
            PortalRefusedError: The address lies on a host that is not asked.
            PortalContractError, PortalUnavailableError: A page, a redirect, too large, no answer in time.
        """
        return self._fetcher.fetch(ref)

    def ping(self) -> datetime | None:
        """Look up one dossier, known or not; gives the portal's own time from its Date header."""
        if not self._abilities.fetches:
            return self._line.knock()
        code = self._context.known.any_record() or f"{self._line.calls.agency}-000000-00000"
        return self._line.ask(LOOK_UP, {"mahoso": code})[1].server_date

    def close(self) -> None:
        """Give back connections."""
        self._line.close()
        self._fetcher.close()

    def _must_read(self) -> None:
        if not self._abilities.fetches:
            raise PortalRefusedError(self._context.portal, "this facade takes writes only")

    def _polled(self, codes: list[str]) -> Page:
        known = self._context.known.list_digests(codes)
        began = self._context.clock.now()
        found = [record for record in map(self.fetch, codes) if record is not None]
        changed = tuple(record for record in found if known.get(record.external_id) != record.list_digest)
        seen = tuple(record.external_id for record in found if record not in changed)
        return Page(changed, began.isoformat(), seen=seen)

    def _is_of(self, row: JsonValue, code: str) -> bool:
        """Whether a look-up row is of this dossier; a row that names none is the answer to our question."""
        named = field_of(row, *self._options.lookup_code_keys)
        return named is None or str(named).strip() == code


def _checked(options: Mapping[str, JsonValue]) -> Options:
    try:
        return Options.model_validate(dict(options))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc'])) or 'options'}: {item['msg']}" for item in error.errors()]
        raise ConfigError(problems) from None


def _frozen(delivery: Delivery) -> tuple[bytes, list[JsonValue]]:
    """The records of a delivery as the JSON array that goes out, byte for byte as frozen, and taken apart."""
    value = orjson.loads(delivery.body)
    return (delivery.body, value) if isinstance(value, list) else (b"[" + delivery.body + b"]", [value])


def _number(records: list[JsonValue], delivery: Delivery) -> str:
    named = field_of(records[0], "MaHoSo") if records else None
    return str(named or delivery.external_id)


def _digest(value: JsonValue) -> str:
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
