"""What a transaction writes about hand-overs: the stage's row, its facts, and a receipt for each fact that is proven.

Every function runs inside the transaction that moves the state it speaks of: T1 (owed, heard), T2b (begun), T3 and T4
(answered, not wanted).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from adapters.base import DeliveryClass, Outcome, OutcomeKind, Signed
from gateway.config import Config
from gateway.evidence.leaf import leaf
from gateway.evidence.receipt import answered as reply_of
from gateway.evidence.receipt import signature, statement
from gateway.signing import Purpose, SigningRing
from gateway.store.base import Tx, Vault
from gateway.store.rows import DeliveryRow, DossierRow, LaneRow, ReceiptRow, StageRow
from gateway.sync import signatures
from gateway.sync.forwarding import began, forwards, handed, rules
from gateway.sync.plan import Step
from gateway.sync.stages import Fact, at_of, establish, hear
from gateway.sync.timeline import Event
from gateway.sync.wanted import DossierView, Target

OFFERED = "offered"
"""By whom it is known that a stage was sent: it lies in an inbox, and its ministry has not come yet."""
_NOT_THERE = ("retry", "thawed", "refused", "parked")


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a stage's handler: the leaf that holds it, ids of the entries it told, and its signature."""

    leaf: str
    entries: frozenset[str]
    signed: Signed | None = None

    def signature_over(self, event: Event) -> Signed | None:
        """The signature under an event; None where another message told it: each is proven by its own words only."""
        return self.signed if not self.entries.isdisjoint((event.id, *event.ids)) else None


class Handovers:
    """The book of hand-overs. Without a `signer` facts are kept and no receipts are written."""

    def __init__(self, config: Config, vault: Vault, signer: SigningRing | None) -> None:
        self._config = config
        self._vault = vault
        self._signer = signer
        self._routes = {route.name: route for route in forwards(config.routes)}

    def owed(self, tx: Tx, row: DossierRow, targets: Iterable[Target], now: float) -> None:
        """T1: what the rules want handed over is owed from now on, once at each portal whatever rules lead there."""
        begun = {portal for portal, _ in began(row.flags)}
        owed: list[StageRow] = []
        for target in targets:
            declared = [wanted.route for wanted in target.commands if wanted.verb == "declare"]
            if declared and target.portal not in begun and _after_the_line(tx, target):
                owed.append(StageRow(row.id, target.portal, declared[0], owed_at=now))
        if owed:
            held = {stage.portal for stage in tx.stages_of([row.id]).get(row.id, []) if _has_begun(stage)}
            tx.owe_stages([stage for stage in owed if stage.portal not in held])

    def begun(self, tx: Tx, dossier_id: str, portal: str, route: str, now: float) -> None:
        """T2b: from the first byte on the dossier belongs where it is handed to."""
        if _held(tx, dossier_id, portal, route) is None:
            tx.owe_stages([StageRow(dossier_id, portal, route, owed_at=now)])
        _flag(tx, dossier_id, handed(portal, route), there=True)

    def heard(self, tx: Tx, view: DossierView, portal: str, told: Told, now: float) -> None:
        """T1: the stage's handler has said something."""
        dossier = view.row
        stages = tx.stages_of([dossier.id], portal=portal).get(dossier.id, [])
        if not stages:
            holding = [route.name for route in rules(view, self._config.routes) if route.to == portal]
            stages = [StageRow(dossier.id, portal, name, owed_at=now) for name in holding[:1]]
        for stage in stages:
            known = self._routes.get(stage.route)
            for fact, event in hear(stage, view.owned(portal), known.accepted_by if known else ()):
                proof = {**stage.doc["proof"][fact.value], "timed_by_us": event.timed_by_us}
                signed = told.signature_over(event)
                self._receipt(tx, dossier, stage, fact, event.id, proof, {"leaf": told.leaf}, now, signed=signed)
        tx.put_stages(stages)

    def answered(
        self,
        tx: Tx,
        row: DeliveryRow,
        state: str,
        now: float,
        *,
        outcome: Outcome | None = None,
        how: str = "",
        person: str = "",
        collected: bool = False,
    ) -> None:
        """T3, T4: what became of one delivery of a stage. `how` says why where nobody answered."""
        name = row.doc.get("route", "")
        known = self._routes.get(name)
        if row.klass != DeliveryClass.COMMAND or not name or (known is not None and known.to != row.portal):
            return
        stage = _held(tx, row.dossier_id, row.portal, name)
        if stage is None and known is None:
            return
        stage = stage or StageRow(row.dossier_id, row.portal, name, owed_at=row.planned_at)
        proof = _proof(row, outcome, how, person, collected)
        if state == "offered":
            establish(stage, Fact.SENT, now, {"by": OFFERED, "of": row.key, "words": "waits in the inbox"})
            tx.put_stages([stage])
            return
        declared = row.doc.get("verb") == "declare"
        waits = _waits(stage)
        taken_back = state == "superseded" and waits == row.key
        if taken_back:
            tx.drop_stage(stage)
        if state == "delivered":
            self._delivered(tx, stage, row, proof, outcome, now)
        elif outcome is not None and outcome.kind is OutcomeKind.REFUSED and not outcome.auth:
            self._refused(tx, stage, row, proof, outcome, now)
        perhaps_there = stage.received_at is not None or waits not in ("", row.key)
        perhaps_there = perhaps_there or (outcome is not None and outcome.duplicate)
        if (state in _NOT_THERE or taken_back) and declared and not perhaps_there:
            _flag(tx, row.dossier_id, handed(row.portal, name), there=False)

    def ended(self, tx: Tx, row: DeliveryRow, step: Step, now: float) -> None:
        """T3: a command came to its end without being sent now: not wanted any more, parked, or found to be there.

        Of a hand-over that was never begun and is not wanted, nothing is left to wait for.
        """
        if step.wanted is None or step.wanted.verb != "declare":
            return
        name = row.doc["route"] = step.wanted.route
        if row.state in ("delivered", "unproven"):
            self.begun(tx, row.dossier_id, row.portal, name, now)
        if row.state == "delivered":
            self.answered(tx, row, row.state, now, how=step.reason)
        if row.state != "superseded":
            return
        _drop_unsent(tx, row.dossier_id, row.portal, lambda route: route == name)

    def nothing_owed(self, tx: Tx, lane: LaneRow, kept: Collection[str]) -> None:
        """T2: nothing is to be sent at a portal: what the rules wanted before, by routes not in `kept`, is off."""
        if any(route.to == lane.portal for route in self._routes.values()):
            _drop_unsent(tx, lane.dossier_id, lane.portal, lambda route: route not in kept)

    def _delivered(
        self, tx: Tx, stage: StageRow, row: DeliveryRow, proof: dict[str, Any], outcome: Outcome | None, now: float
    ) -> None:
        sent_at = float(row.attempts[-1]["begun_at"]) if row.attempts else row.planned_at
        establish(stage, Fact.SENT, sent_at, proof)
        establish(stage, Fact.RECEIVED, now, proof)
        if row.doc.get("verb") != "cancel":  # what it accepts and completes is what it was given last
            stage.doc["handed_over"] = _handed_over(row, outcome)
        tx.put_stages([stage])
        dossier = tx.dossiers([row.dossier_id])[row.dossier_id]
        reply = reply_of(outcome.answer) if outcome is not None else None
        signed, given = outcome.signed if outcome is not None else None, _handed_over(row, outcome)
        self._receipt(tx, dossier, stage, Fact.RECEIVED, row.key, proof, reply, now, given=given, signed=signed)

    def _refused(
        self, tx: Tx, stage: StageRow, row: DeliveryRow, proof: dict[str, Any], outcome: Outcome, now: float
    ) -> None:
        """A parsed no proves that it was sent, and that it is not there."""
        establish(stage, Fact.SENT, float(row.attempts[-1]["begun_at"]), proof)
        tx.put_stages([stage])
        dossier = tx.dossiers([row.dossier_id])[row.dossier_id]
        reply, given = reply_of(outcome.answer), _handed_over(row, outcome)
        self._receipt(tx, dossier, stage, Fact.SENT, row.key, proof, reply, now, given=given, signed=outcome.signed)

    def _receipt(
        self,
        tx: Tx,
        dossier: DossierRow,
        stage: StageRow,
        fact: Fact,
        subject: str,
        proof: dict[str, Any],
        reply: dict[str, Any] | None,
        now: float,
        *,
        given: dict[str, Any] | None = None,
        signed: Signed | None = None,
    ) -> None:
        """Sign what was proven, once for each fact and what proves it; `signed` is the partner's own signature."""
        if self._signer is None:
            return
        key = self._signer.in_use(Purpose.RECEIPT)
        if signed is not None:
            proof = {**proof, "signed": signature(signed)}
        at = now if given is not None and fact is Fact.RECEIVED else at_of(stage, fact)
        said = statement(
            agency_code=self._config.province.agency_code,
            key_id=key.id,
            dossier=dossier.national_code or dossier.dossier_code,
            portal=stage.portal,
            route=stage.route,
            fact=fact.value,
            at=now if at is None else at,
            made_at=now,
            proof=proof,
            handed_over=given or stage.doc.get("handed_over"),
            reply=reply,
        )
        digest = hashlib.sha256(said).hexdigest()
        made = ReceiptRow(
            dossier.id, stage.portal, stage.route, fact.value, subject, said, digest, key.sign(said), key.id, now
        )
        if tx.put_receipt(made):
            named: dict[str, Any] = {"receipt": made.digest, "fact": made.fact, "of": subject, "signer": key.id}
            if signed is not None:
                named["signed"] = proof["signed"]
                signatures.keep(tx, self._vault, stage, proof["signed"]["message_sha256"], signed, now)
            tx.append_leaves([leaf("receipt", now, dossier_id=dossier.id, portal=stage.portal, **named)])


def _held(tx: Tx, dossier_id: str, portal: str, route: str) -> StageRow | None:
    """The stage of a dossier at a portal; one that has begun is the same whichever rule leads there now."""
    held = tx.stages_of([dossier_id], portal=portal).get(dossier_id, [])
    begun = (stage for stage in held if _has_begun(stage))
    return next((stage for stage in held if stage.route == route), None) or next(begun, None)


def _has_begun(stage: StageRow) -> bool:
    return stage.sent_at is not None or stage.received_at is not None


def _waits(stage: StageRow) -> str:
    """The delivery by which a stage lies in an inbox while nothing is known of anybody who took it; "" for none."""
    sent = stage.doc.get("proof", {}).get(Fact.SENT, {})
    return str(sent["of"]) if stage.received_at is None and sent.get("by") == OFFERED else ""


def _drop_unsent(tx: Tx, dossier_id: str, portal: str, of: Callable[[str], bool]) -> None:
    for stage in tx.stages_of([dossier_id], portal=portal).get(dossier_id, []):
        if of(stage.route) and not _has_begun(stage):
            tx.drop_stage(stage)


def _after_the_line(tx: Tx, target: Target) -> bool:
    """Whether the portal is live and a hand-over is caused by something behind its adopt line (S26)."""
    state = tx.portal(target.portal)
    line = state.adopt_from
    if state.mode != "live" or line is None:
        return False
    return any(wanted.verb == "declare" and wanted.cause.news_at > line for wanted in target.commands)


def _flag(tx: Tx, dossier_id: str, flag: str, *, there: bool) -> None:
    row = tx.dossiers([dossier_id])[dossier_id]
    if (flag in row.flags) != there:
        row.flags = (*row.flags, flag) if there else tuple(one for one in row.flags if one != flag)
        tx.put_dossiers([row])


def _handed_over(row: DeliveryRow, outcome: Outcome | None) -> dict[str, Any]:
    """Digests of what was handed over: the record as the mapping wrote it, and where one was called the whole body."""
    given = {
        "delivery": row.key,
        "operation": row.operation,
        "record_sha256": row.body_digest,
        "attempts": len(row.attempts),
    }
    return given | ({"body_sha256": outcome.sent} if outcome is not None and outcome.sent else {})


def _proof(row: DeliveryRow, outcome: Outcome | None, how: str, person: str, collected: bool) -> dict[str, Any]:
    """Whose word it is: the partner's answer or acknowledgement, our own asking, or a person's."""
    if person:
        return {"by": "person", "of": row.key, "words": how}
    if outcome is None:
        return {"by": "asked", "of": row.key, "words": how}
    delivered = outcome.kind is OutcomeKind.DELIVERED
    by = ("acknowledgement" if delivered else "refusal") if collected else "answer"
    words = outcome.proof if delivered else outcome.kind.value
    return {"by": by, "of": row.key, "code": outcome.code, "words": words}
