"""T5: a call on us is judged, put on disk twice, and answered; the work follows (design.md section 3, sync.md S27).

Order, so that success is never said too early: read and check; keep the files; the journal outside the store; then one
transaction with row, leaf and first answer; then the answer. Whoever dies in between has said nothing, and the caller
comes again. A repeat creates nothing and gets what its protocol prescribes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field

import orjson

from adapters.base import JsonValue
from adapters.receiving import (
    InboundCall,
    InboundReply,
    InboundRequest,
    Question,
    Receiver,
    Reception,
    Unreadable,
    Verdict,
)
from gateway.config import Config
from gateway.evidence.leaf import commitment, leaf
from gateway.inbound import kept
from gateway.inbound.checks import unfit, wrong
from gateway.inbound.fetching import keep_files
from gateway.inbound.files import FileStore
from gateway.inbound.fresh import Fresh
from gateway.inbound.journal import Journal
from gateway.log import get_logger
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import FileRow, InboundRow, LeafRow, QuarantineRow, RawRow
from gateway.sync.offers import KnownOffers
from gateway.sync.portal import Portal
from gateway.sync.right_of_way import RightOfWay
from gateway.vault import pack
from schemas.clock import Clock
from schemas.errors import RecordInvalidError, StoreError

Answers = Callable[[Portal, Question], JsonValue]
"""Finds what a question asks for, None when there is nothing."""

log = get_logger()
_GOOD = ("accepted", "applied")
_SALT = 16
_STEP = "ask its sender; a call that is mended comes again by itself"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the intake works with. `heard` is told a portal's name when a call of it waits to be taken in."""

    config: Config
    store: Store
    vault: Vault
    files: FileStore
    journal: Journal
    portals: Mapping[str, Portal]
    clock: Clock
    answers: Answers
    heard: Callable[[str], None]
    fresh: Fresh = field(default_factory=Fresh)
    offers: KnownOffers = field(default_factory=KnownOffers)
    right_of_way: RightOfWay = field(default_factory=RightOfWay)


class Intake:
    """Receives calls. Thread-safe."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def receive(self, portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
        """Judge one call, make it durable, and give the answer."""
        with self._desk.right_of_way.first():
            return receive(self._desk, portal, receiver, request)


def receive(desk: Desk, portal: str, receiver: Receiver, request: InboundRequest) -> InboundReply:
    """As `Intake.receive`."""
    said = receiver.read(request)
    try:
        if isinstance(said, Question):
            found = desk.answers(desk.portals[portal], said)
            reception = Reception(Verdict.ANSWERED, request.at, found=found)
        elif isinstance(said, Unreadable):
            set_aside(desk, portal, receiver.name, request, said, "forged" if said.alarm else "unreadable_call", _STEP)
            reception = Reception(Verdict.UNREADABLE, request.at, said.reason, said.code)
        else:
            return _take(desk, portal, receiver, request, said)
    except StoreError as error:
        log.error("call_not_stored", portal=portal, endpoint=receiver.name, reason=str(error))
        reception = Reception(Verdict.BUSY, request.at, "it cannot be stored now; send it again", "busy")
    return receiver.reply(request, reception)


def _take(desk: Desk, portal: str, receiver: Receiver, request: InboundRequest, call: InboundCall) -> InboundReply:
    ownership = desk.config.ownership
    repeated, not_here = desk.store.read(
        lambda tx: (_same(tx, portal, receiver, call), wrong(tx, desk.offers, portal, ownership, call))
    )
    if repeated is not None:
        return _repeated(desk, receiver, request, repeated)
    code, reason = unfit(desk.portals[portal].vocabulary, portal, ownership, call)
    if not code:
        code, reason = not_here
    files: list[FileRow] = []
    if not code:
        try:
            files = keep_files(desk.files, desk.portals[portal], call, request.at, desk.config.store)
        except RecordInvalidError as error:
            code, reason = "file", error.reason
    if code:
        return _refuse(desk, portal, receiver, request, call, Reception(Verdict.REFUSED, request.at, reason, code))
    desk.journal.append(entry(portal, receiver.name, request, files), request.at)
    return store_call(desk, portal, receiver, request, call, files)


def entry(portal: str, endpoint: str, request: InboundRequest, files: Iterable[FileRow]) -> bytes:
    """A journal entry: portal, receiver, what its files are, and the request as kept."""
    listed = [asdict(file) | {"sealed_name": file.sealed_name.hex()} for file in files]
    return f"{portal}\n{endpoint}\n".encode() + orjson.dumps(listed) + b"\n" + kept.to_bytes(request)


def read_entry(plain: bytes) -> tuple[str, str, list[FileRow], InboundRequest]:
    """Undo `entry`."""
    portal, endpoint, listed, rest = plain.split(b"\n", 3)
    files = [FileRow(**row | {"sealed_name": bytes.fromhex(row["sealed_name"])}) for row in orjson.loads(listed)]
    return portal.decode(), endpoint.decode(), files, kept.from_bytes(rest)


def store_call(
    desk: Desk, portal: str, receiver: Receiver, request: InboundRequest, call: InboundCall, files: list[FileRow]
) -> InboundReply:
    """The transaction: a first call, a new version, or, found only now, a repeat."""
    owner, plain, salt = _owner(desk, portal, call), kept.to_bytes(request), os.urandom(_SALT)
    desk.vault.ensure([owner])
    sealed = desk.vault.seal(owner, salt + pack(plain))
    at = request.at.timestamp()

    def work(tx: Tx) -> tuple[Verdict, InboundRow, InboundReply | None]:
        versions = tx.inbound_versions(portal, receiver.name, call.key)
        held = next((row for row in versions if row.digest == call.digest), None)
        if held is not None and held.state in _GOOD:
            return Verdict.REPEATED, held, None
        elsewhere = [row for other in call.also_told_at for row in tx.inbound_versions(portal, other, call.key)]
        known = any(row.state in _GOOD for row in (*versions, *elsewhere))
        verdict = Verdict.CHANGED if known else Verdict.NEW
        reply = receiver.reply(request, Reception(verdict, request.at))
        row = InboundRow(
            portal,
            receiver.name,
            call.key,
            call.digest,
            version=held.version if held else len(versions) + 1,
            dossier_id=versions[0].dossier_id if versions else "",
            seal_key=owner,
            sealed=sealed,
            answer=reply.body,
            at=at,
            times=held.times + 1 if held else 1,
            last_at=at,
            doc={"status": reply.status, "media": reply.media_type, "verdict": verdict.value},
        )
        made = _leaf(row, verdict, commitment(salt, plain), files)
        row.doc["leaf"] = made.digest
        tx.put_inbound(row)
        tx.put_files(files)
        tx.append_leaves([made])
        if verdict is Verdict.CHANGED and call.change_alarm:
            tx.put_quarantine(
                QuarantineRow(
                    portal,
                    call.key,
                    "changed_call",
                    call.change_alarm,
                    None,
                    at,
                    next_step="ask the sender which of the two holds; both are kept: lienthong calls show",
                    digest=call.digest,
                )
            )
        return verdict, row, reply

    verdict, row, reply = desk.store.write(work)
    if reply is None:
        return _repeated(desk, receiver, request, row)
    log.info("call_stored", portal=portal, endpoint=receiver.name, verdict=verdict.value, version=row.version)
    desk.fresh.put(row.id, call)
    desk.heard(portal)
    return reply


def _same(tx: Tx, portal: str, receiver: Receiver, call: InboundCall) -> InboundRow | None:
    versions = tx.inbound_versions(portal, receiver.name, call.key)
    return next((row for row in versions if row.digest == call.digest and row.state in _GOOD), None)


def _repeated(desk: Desk, receiver: Receiver, request: InboundRequest, row: InboundRow) -> InboundReply:
    number, at = row.id or 0, request.at.timestamp()
    desk.store.write(lambda tx: tx.inbound_again(number, at))
    log.info("call_stored", portal=row.portal, endpoint=row.endpoint, verdict="repeated", version=row.version)
    if receiver.repeats_first_answer:
        return InboundReply(row.answer, row.doc["media"], row.doc["status"])
    return receiver.reply(request, Reception(Verdict.REPEATED, request.at))


def _refuse(
    desk: Desk, portal: str, receiver: Receiver, request: InboundRequest, call: InboundCall, reception: Reception
) -> InboundReply:
    """Say no, and keep what was refused and why; when it comes again it is judged afresh."""
    owner, plain, salt = _owner(desk, portal, call), kept.to_bytes(request), os.urandom(_SALT)
    desk.vault.ensure([owner])
    sealed = desk.vault.seal(owner, salt + pack(plain))
    reply = receiver.reply(request, reception)
    at = request.at.timestamp()

    def work(tx: Tx) -> None:
        versions = tx.inbound_versions(portal, receiver.name, call.key)
        held = next((row for row in versions if row.digest == call.digest), None)
        if held is not None:
            tx.inbound_again(held.id or 0, at)
            return
        row = InboundRow(
            portal,
            receiver.name,
            call.key,
            call.digest,
            version=len(versions) + 1,
            state="refused",
            reason=reception.reason,
            seal_key=owner,
            sealed=sealed,
            answer=reply.body,
            at=at,
            last_at=at,
            doc={"status": reply.status, "media": reply.media_type},
        )
        tx.append_leaves([_leaf(row, reception.verdict, commitment(salt, plain), [])])
        tx.put_inbound(row)

    desk.store.write(work)
    log.warning("call_refused", portal=portal, endpoint=receiver.name, code=reception.code)
    return reply


def _leaf(row: InboundRow, verdict: Verdict, bound: str, files: Iterable[FileRow]) -> LeafRow:
    return leaf(
        "inbound",
        row.at,
        dossier_id=row.dossier_id,
        portal=row.portal,
        endpoint=row.endpoint,
        key=row.key,
        version=row.version,
        verdict=verdict.value,
        answer=hashlib.sha256(row.answer).hexdigest(),
        files=[{"id": file.id, "sha256": file.sha256, "size": file.size} for file in files],
        commitment=bound,
    )


def _owner(desk: Desk, portal: str, call: InboundCall) -> str:
    return f"call:{portal}:{desk.vault.blind(call.key)[:24]}"


def set_aside(
    desk: Desk, portal: str, endpoint: str, request: InboundRequest, said: Unreadable, cause: str, step: str
) -> None:
    """Quarantine a call that cannot be taken apart; the same bytes once more are only counted."""
    plain = kept.to_bytes(request)
    digest = hashlib.sha256(endpoint.encode() + request.path.encode() + request.body).hexdigest()
    name, owner = f"call {digest[:16]}", f"quarantine:{portal}:{digest[:24]}"
    desk.vault.ensure([owner])
    salt = os.urandom(_SALT)
    sealed, bound = desk.vault.seal(owner, salt + pack(plain)), commitment(salt, plain)
    at = request.at.timestamp()

    def work(tx: Tx) -> None:
        row = QuarantineRow(portal, name, cause, said.reason, None, at, next_step=step, digest=digest)
        row.doc = {"endpoint": endpoint, "code": said.code}
        number = tx.put_quarantine(row)
        if row.times > 1:
            return
        expires_at = at + desk.config.store.raw_days * 86400.0
        (raw_id,) = tx.put_raw([RawRow(portal, name, owner, sealed, bound, at, expires_at)])
        tx.quarantined_raw(number, raw_id)
        tx.append_leaves([leaf("quarantined", at, portal=portal, record=name, cause=cause, reason=said.reason)])

    desk.store.write(work)
    log.warning("call_quarantined", portal=portal, endpoint=endpoint, code=said.code)
