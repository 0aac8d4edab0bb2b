"""Kind `memory`: an adapter without a wire, for tests of the engine; it keeps every promise a real one keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Annotated, Any

import orjson
from pydantic import Field

from adapters.base import (
    Abilities,
    CatalogueList,
    Cursor,
    Delivery,
    DeliveryClass,
    EventIdentity,
    FileStream,
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
    UnreadableRecord,
)
from adapters.conformance.bench import bench_context
from adapters.conformance.portal import Item, MemoryPortal, digest_bytes
from adapters.http import outcome_of
from schemas.errors import PortalError, PortalRefusedError
from schemas.settings import Section


class OperationOptions(Section):
    """One operation and what its portal promises about it."""

    name: str
    klass: DeliveryClass
    message: str
    repeat: Repeat
    probe: ProbeStrength
    rows_per_call: Annotated[int, Field(ge=1)] = 1
    creates: bool = False


_OPERATIONS = (
    OperationOptions(
        name="write",
        klass=DeliveryClass.SNAPSHOT,
        message="dossier",
        repeat=Repeat.SAFE,
        probe=ProbeStrength.CONTENT,
        creates=True,
    ),
    OperationOptions(
        name="append",
        klass=DeliveryClass.APPEND,
        message="event",
        repeat=Repeat.APPENDS,
        probe=ProbeStrength.NONE,
        rows_per_call=10,
    ),
    OperationOptions(
        name="act",
        klass=DeliveryClass.COMMAND,
        message="command",
        repeat=Repeat.UNKNOWN,
        probe=ProbeStrength.CONTENT,
    ),
)


class Options(Section):
    """`parts`: mapping message -> the field of a record that it reads, "" for the whole record.

    `create`, `update` and `append` name operations; where `create` is absent, `update` creates too. `echo` shows
    snapshots we wrote in the feed as well; commands are always shown there.
    """

    key_field: str = "id"
    page_size: Annotated[int, Field(ge=1)] = 100
    parts: dict[str, str] = Field(default={"dossier": ""})
    operations: tuple[OperationOptions, ...] = _OPERATIONS
    create: str | None = None
    update: str | None = "write"
    append: str | None = "append"
    commands: dict[str, str] = Field(default={"act": "act"})
    pulls: bool = True
    polls: bool = False
    fetches: bool = True
    reads_content: bool = True
    opens_files: bool = True
    catalogues: tuple[str, ...] = ("procedures",)
    identity: EventIdentity = EventIdentity.OWN_ID
    echo: bool = False


class MemoryAdapter:
    """Speaks with a `MemoryPortal`, its own or one given. Thread-safe.

    `MemoryAdapter("moc", pages=[[RECORD], [RECORD]])` makes portal and context itself.
    """

    def __init__(
        self,
        context: PortalContext | str,
        options: Mapping[str, JsonValue] | None = None,
        *,
        portal: MemoryPortal | None = None,
        pages: Iterable[Sequence[Item]] = (),
    ) -> None:
        self._context = bench_context(context) if isinstance(context, str) else context
        self.options = Options.model_validate(options or {})
        self.portal = portal or MemoryPortal(
            self._context.portal, pages=pages, key_field=self.options.key_field, clock=self._context.clock
        )
        self._operations = {
            one.name: Operation(one.name, one.klass, one.message, one.repeat, one.probe, one.rows_per_call, one.creates)
            for one in self.options.operations
        }

    @property
    def received(self) -> list[JsonValue]:
        """What the portal was given, in order: records of snapshots and commands, single rows of appends."""
        return self.portal.received

    @property
    def abilities(self) -> Abilities:
        """What its options declare."""
        options = self.options
        return Abilities(
            operations=self._operations,
            pulls=options.pulls,
            polls=options.polls,
            fetches=options.fetches,
            catalogues=options.catalogues,
            opens_files=options.opens_files,
            create=options.create,
            update=options.update,
            append=options.append,
            commands=options.commands,
            identity=options.identity,
            reads_content=options.reads_content,
        )

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield the feed, oldest first; the cursor is the position reached."""
        position = int(cursor or 0)
        while True:
            self._context.budget.take()
            items, position = self.portal.feed(position, self.options.page_size)
            if not items:
                return
            yield Page(tuple(map(self._record, items)), str(position))

    def fetch(self, external_id: str) -> RawRecord | None:
        """The record as the portal holds it now."""
        self._need(self.options.fetches, "fetch")
        self._context.budget.take()
        with self.portal.lock:
            self.portal.begin("read")
            held = self.portal.records.get(external_id)
            return None if held is None else self._read(dict(held))

    def push(self, delivery: Delivery) -> Outcome:
        """Write, with the effect the operation declares for repeats."""
        self._context.budget.take()
        if self._context.clock.monotonic() > delivery.send_by:
            return Outcome(OutcomeKind.RETRY, "the time to send had passed")
        operation = self._operations[delivery.operation]
        with self.portal.lock:
            try:
                call, error = self.portal.begin("progress" if delivery.klass is DeliveryClass.APPEND else "write")
            except PortalError as broken:
                return outcome_of(broken)
            outcome = self._written(operation, delivery, call)
        return outcome if error is None else outcome_of(error)

    def probe(self, delivery: Delivery) -> Probe:
        """Look for our key (commands, appends), equal content (snapshots) or the record (presence)."""
        self._context.budget.take()
        operation = self._operations[delivery.operation]
        with self.portal.lock:
            self.portal.begin("read")
            now = self._context.clock.now()
            if operation.probe is ProbeStrength.NONE:
                return Probe(Presence.CANNOT_TELL, "this portal shows no trace of the operation", now)
            key, body = self._key(delivery), orjson.loads(delivery.body)
            held = self.portal.records.get(key)
            if operation.probe is ProbeStrength.PRESENCE:
                there = held is not None
            elif operation.klass is DeliveryClass.SNAPSHOT:
                there = held is not None and body.items() <= held.items()
            else:
                known = self.portal.book.effects(key=key)
                there = any(entry["content"]["key_uuid"] == delivery.key_uuid for entry in known)
        presence = Presence.PRESENT if there else Presence.ABSENT
        return Probe(presence, "found" if there else "not found", now, external_id=key if there else "")

    def catalogue(self, name: str) -> CatalogueList:
        """A list as the portal holds it, the empty one too."""
        self._context.budget.take()
        with self.portal.lock:
            self.portal.begin("read")
            rows = list(self.portal.catalogues.get(name, ()))
        raw = digest_bytes(rows)
        return CatalogueList(name, hashlib.sha256(raw).hexdigest(), tuple(rows), raw, self._context.clock.now())

    def open_file(self, ref: str) -> FileStream:
        """A file the portal holds."""
        self._need(self.options.opens_files, "open_file")
        self._context.budget.take()
        with self.portal.lock:
            self.portal.begin("read")
            if (data := self.portal.files.get(ref)) is None:
                raise PortalRefusedError(self._context.portal, "no such file", code="404")
        return FileStream(BytesIO(data), "application/octet-stream", len(data))

    def ping(self) -> datetime | None:
        """The portal's own time."""
        self._context.budget.take()
        with self.portal.lock:
            self.portal.begin("read")
        return self.portal.clock.now()

    def close(self) -> None:
        """Nothing to give back."""

    def _record(self, item: Item) -> RawRecord | UnreadableRecord:
        _, shown = self.portal.shown(item)
        return self._read(shown) if isinstance(shown, dict) else shown

    def _read(self, record: dict[str, Any]) -> RawRecord:
        raw = digest_bytes(record)
        parts = {name: record if field == "" else record.get(field, []) for name, field in self.options.parts.items()}
        digest = hashlib.sha256(raw).hexdigest()
        key = str(record[self.portal.key_field])
        return RawRecord(key, parts, raw, self._context.clock.now(), list_digest=digest)

    def _key(self, delivery: Delivery) -> str:
        body = orjson.loads(delivery.body)
        first = body[0] if isinstance(body, list) and body else body
        named = first.get(self.portal.key_field) if isinstance(first, dict) else None
        return str(named or delivery.external_id or delivery.key)

    def _written(self, operation: Operation, delivery: Delivery, call: int) -> Outcome:
        """Do the work as this portal does it, or as scripted."""
        if (scripted := self.portal.scripted()) is not None:
            outcome, effect = scripted
            if effect:
                self._effect(operation, delivery, call)
            return outcome
        if operation.repeat is Repeat.REFUSED_AS_DUPLICATE and self._key(delivery) in self.portal.records:
            return Outcome(OutcomeKind.REFUSED, "already there", code="duplicate", duplicate=True, final=True)
        return self._effect(operation, delivery, call)

    def _effect(self, operation: Operation, delivery: Delivery, call: int) -> Outcome:
        portal, key, body = self.portal, self._key(delivery), orjson.loads(delivery.body)
        if operation.klass is DeliveryClass.APPEND:
            for row in body:
                portal.write("append", key, row, call, delivery.key_uuid)
            return _delivered(key)
        fresh = key not in portal.records
        held = dict(portal.records.get(key, {portal.key_field: key}))
        if operation.klass is DeliveryClass.COMMAND:
            if fresh and not operation.creates:
                return Outcome(OutcomeKind.REFUSED, "no such record", code="404", final=True)
            if portal.on_command is not None and (said := portal.on_command(held, body)) is not None:
                return said
            effect = "action"
        else:
            effect = "create" if fresh else "update"
        held.update(body)
        if operation.repeat is Repeat.MOVES_DATES:
            held["stamped_at"] = portal.clock.now().isoformat()
        portal.records[key] = held
        portal.write(effect, key, body, call, delivery.key_uuid)
        if self.options.echo or operation.klass is DeliveryClass.COMMAND:
            portal.show(key)
        return _delivered(key)

    def _need(self, able: bool, verb: str) -> None:
        if not able:
            raise PortalRefusedError(self._context.portal, f"this portal has no {verb}")


def _delivered(key: str) -> Outcome:
    answer = b'{"code":"0"}'
    return Outcome(OutcomeKind.DELIVERED, "written", code="0", proof="code=0", external_id=key, answer=answer)
