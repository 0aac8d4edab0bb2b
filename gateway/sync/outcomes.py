"""T3, record an outcome: delivery, ledger, shadow, leaf, and which lanes it makes due (sync.md S18 to S25).

Every function here runs inside one transaction on rows read in it. An outcome belongs to its attempt: if the lane was
claimed by somebody else meanwhile, it is still evidence, but touches neither their lease nor a newer shadow (S24).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.base import DeliveryClass, Operation, Outcome, OutcomeKind, ProbeStrength, Repeat
from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, LaneKey, LaneRow, NoticeRow, RecordRow
from gateway.sync import births
from gateway.sync.case import Workshop
from gateway.sync.dossiers import Held
from gateway.sync.excerpt import cleared
from gateway.sync.lane import HANDED, SUPERSEDED, UNPROVEN, Lane
from gateway.sync.portal import Portal


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a delivery: its state, whether the lane goes on at once, and portals whose lanes became due."""

    state: str
    go_on: bool
    due: tuple[str, ...] = ()


def record(
    tx: Tx, shop: Workshop, portal: Portal, key: str, outcome: Outcome, *, attempt: int, first_unknown: bool
) -> Ended:
    """Record what one attempt came to. `first_unknown`: an earlier attempt of this delivery is uncertain."""
    return _Recorder(tx, shop, portal, key).record(outcome, attempt, first_unknown)


def settle(tx: Tx, shop: Workshop, portal: Portal, key: str, state: str, how: str, *, person: str = "") -> Ended:
    """End an uncertain delivery: `delivered`, `thawed` (proven absent), `unproven` or `superseded`."""
    return _Recorder(tx, shop, portal, key).settle(state, how, person)


def still_unknown(
    tx: Tx, shop: Workshop, portal: Portal, key: str, next_at: float, reason: str, *, asked: bool
) -> None:
    """Keep an uncertain delivery open and look again at `next_at`."""
    recorder = _Recorder(tx, shop, portal, key)
    recorder.keep_open(next_at, reason, asked=asked)


def follow(tx: Tx, shop: Workshop, portal: Portal, key: str) -> None:
    """What may stand there is listened to: a declaration nobody can vouch for may still be answered (S27)."""
    recorder = _Recorder(tx, shop, portal, key)
    recorder.remember_record(recorder.row.external_id)


def other_lanes_due(tx: Tx, row: LaneRow, now: float) -> list[str]:
    """Make the dossier's other lanes due: a command ended, or the national number was learned (S13).

    Gives their portals.
    """
    lanes = tx.lanes_of([row.dossier_id]).get(row.dossier_id, [])
    keys = [LaneKey(lane.portal, lane.dossier_id) for lane in lanes if lane.portal != row.portal]
    if keys:
        tx.mark_due(keys, now)
    return [key.portal for key in keys]


def remember_record(tx: Tx, lane: LaneRow, external_id: str, now: float) -> None:
    """An identifier we write there links what comes back (S1), and its first state is news (S26)."""
    held = tx.records(lane.portal, [external_id]).get(external_id) if external_id else None
    if external_id and (held is None or not (held.digest or held.counts.get("ours"))):
        row = held or RecordRow(lane.portal, external_id)
        row.dossier_id = row.dossier_id or lane.dossier_id  # it may have been heard of before, and found no place
        row.counts["ours"], row.read_at = True, now
        tx.put_records([row])


_NONE = Operation("", DeliveryClass.COMMAND, "", Repeat.UNKNOWN, ProbeStrength.NONE)
"""Of a command that its portal has no operation for, parked for a person."""


class _Recorder:
    def __init__(self, tx: Tx, shop: Workshop, portal: Portal, key: str) -> None:
        self._tx = tx
        self._shop = shop
        self._portal = portal
        found = tx.delivery(key)
        if found is None:
            raise KeyError(key)
        self.row: DeliveryRow = found
        self._lane_key = LaneKey(portal.name, found.dossier_id)
        self._lane = Lane(tx.lanes([self._lane_key])[self._lane_key])
        self._operation: Operation = portal.adapter.abilities.operations.get(found.operation, _NONE)
        self._now = shop.now()
        self._due: list[str] = []

    def keep_open(self, next_at: float, reason: str, *, asked: bool) -> None:
        """Unknown, and to be looked at again; that an attempt became unknown is a leaf of its own (I8)."""
        news = self.row.state != "unknown"
        self.row.state, self.row.open, self.row.next_at, self.row.reason = "unknown", True, next_at, reason
        self.row.asks += 1 if asked else 0
        if news:
            self._leaf("outcome", outcome="unknown", reason=reason)
        self._store()

    # one attempt's outcome
    def record(self, outcome: Outcome, attempt: int, first_unknown: bool) -> Ended:
        late_yes = outcome.kind is OutcomeKind.DELIVERED and self.row.state in ("unproven", "thawed")
        if not self.row.open and self.row.state != "unproven" and not late_yes:
            self._note_attempt(outcome, attempt)
            return Ended(self.row.state, False)
        self._note_attempt(outcome, attempt)
        if attempt != len(self.row.attempts) and outcome.kind is not OutcomeKind.DELIVERED:
            self._tx.put_delivery(self.row)  # a newer attempt is under way: only a yes counts for both (S24)
            return Ended(self.row.state, False)
        self._lane.last_ended = self._now
        self.row.reason, self.row.excerpt = outcome.reason, self._cleared(outcome.excerpt)
        if outcome.kind is OutcomeKind.DELIVERED:
            ended = self._delivered(outcome)
        elif self.row.state == "unproven":
            ended = Ended("unproven", False)
        elif outcome.kind is OutcomeKind.OFFERED:
            ended = self._offered()
        elif outcome.kind is OutcomeKind.UNKNOWN:
            ended = self._unknown(outcome)
        elif outcome.kind is OutcomeKind.RETRY or outcome.auth:
            ended = self._retry(outcome, first_unknown)
        else:
            ended = self._refused(outcome, first_unknown)
        self._leaf("outcome", outcome=outcome.kind.value, code=outcome.code, reason=outcome.reason, proof=outcome.proof)
        self._store()
        collected = self._portal.adapter.abilities.collected
        book = self._shop.handovers
        book.answered(self._tx, self.row, ended.state, self._now, outcome=outcome, collected=collected)
        return replace(ended, due=tuple(dict.fromkeys(self._due)))

    def _cleared(self, excerpt: str) -> str:
        dossier = self._tx.dossiers([self.row.dossier_id])[self.row.dossier_id] if excerpt else None
        return cleared(excerpt, Held.open(dossier, self._shop.vault)) if dossier else ""

    def _note_attempt(self, outcome: Outcome, attempt: int) -> None:
        for tried in self.row.attempts:
            if tried["n"] == attempt:
                tried.update(ended_at=self._now, outcome=outcome.kind.value, reason=outcome.reason, code=outcome.code)
        if not self.row.open and self.row.state != "unproven":
            self._tx.put_delivery(self.row)

    def _delivered(self, outcome: Outcome) -> Ended:
        self._close("delivered")
        self._arrived(outcome)
        self._lane.worked(self.row.klass)
        self._learn(outcome)
        return Ended("delivered", True)

    def _offered(self) -> Ended:
        """It waits, with its frozen bytes, until it is collected; in its inbox it stands behind what came before.

        What was refused and is offered again is new to its ministry: no cursor has gone past it, and a notice is due.
        """
        anew, self.row.settled_at = self.row.settled_at is not None, None
        self.row.state, self.row.open, self.row.next_at = "offered", True, None
        if self.row.klass == DeliveryClass.COMMAND:
            self._lane.command(self.row.cause, state="offered", key=self.row.key)
        self._lane.worked(self.row.klass)
        notice = NoticeRow(self._portal.name, self.row.key_uuid, self.row.key, self.row.dossier_id)
        notice.at = notice.next_at = self._now
        self._tx.offer(notice, anew=anew)
        return Ended("offered", True)

    def _arrived(self, outcome: Outcome | None) -> None:
        """Move shadow and ledger for something proven to be there (S18)."""
        external_id = (outcome.external_id if outcome else "") or self.row.external_id
        if self.row.klass == DeliveryClass.SNAPSHOT:
            if self._lane.newest_snapshot == self.row.key:
                self._lane.show("known", self.row.doc.get("content", {}), ours=True)
                self._lane.drifting = False
        elif self.row.klass == DeliveryClass.APPEND:
            self._lane.note(self.row.doc.get("ids", self.row.members), HANDED)
        else:
            self._lane.command(self.row.cause, state="delivered", key=self.row.key)
            self._other_lanes_due()
        self.remember_record(external_id)

    def remember_record(self, external_id: str) -> None:
        """A record we made links by the identifier we wrote there (S1), and its first state is news (S26).

        A dossier that we had made gets its name there from the portal: until it is heard, the number links it.
        """
        born = self.row.operation == self._portal.adapter.abilities.commands.get("create_dossier")
        if born and external_id == self.row.external_id:
            return
        if self._operation.creates or self.row.klass == DeliveryClass.SNAPSHOT:
            remember_record(self._tx, self._lane.row, external_id, self._now)

    def _not_ours_yet(self) -> None:
        """Nothing of ours is there: what the portal shows under this identifier is older than us (S26)."""
        record = self._tx.records(self._portal.name, [self.row.external_id]).get(self.row.external_id)
        if self._operation.creates and record is not None and not record.digest and record.counts.pop("ours", False):
            self._tx.put_records([record])

    def _learn(self, outcome: Outcome) -> None:
        """The number first accepted at the national portal is the national number for life (S1)."""
        dossier = self._tx.dossiers([self.row.dossier_id])[self.row.dossier_id]
        if outcome.number and not dossier.national_code:
            dossier.national_code = outcome.number
            self._tx.put_dossiers([dossier])
            self._other_lanes_due()

    def _other_lanes_due(self) -> None:
        self._due += other_lanes_due(self._tx, self._lane.row, self._now)

    def _unknown(self, outcome: Outcome) -> Ended:
        settle_at = self._now + self._portal.config.settle_s
        self.row.state, self.row.open = "unknown", True
        self._lane.set_hold(self.row.klass, settle_at)
        if outcome.external_id and self._operation.creates:
            self.row.external_id = outcome.external_id  # what may stand there will call itself so
        if self.row.klass == DeliveryClass.COMMAND:
            self._lane.command(self.row.cause, state="unknown", key=self.row.key)
        if outcome.duplicate:
            self.row.doc["doubtful"] = int(self.row.doc.get("doubtful", 0)) + 1
        tries = len(self.row.attempts)
        again_at = self._now + self._portal.ladder(tries, self._shop.spread())
        self.row.next_at = again_at if self._operation.repeat.harmless else settle_at
        if self.row.doc.get("doubtful", 0) > self._portal.config.retry.repeats:
            return self.settle("unproven", "repeats were answered that it may already be there", "")
        if tries >= self._portal.config.retry.unanswered:
            return self._never_answered(tries)
        return Ended("unknown", False)

    def _never_answered(self, tries: int) -> Ended:
        """Harmless or not, nobody repeats for ever: a person is asked (I7)."""
        how = f"sent {tries} times and never answered"
        if self.row.klass != DeliveryClass.SNAPSHOT:
            return self.settle("unproven", how, "")
        self._not_known()
        return self._park(how)

    def _retry(self, outcome: Outcome, first_unknown: bool) -> Ended:
        wait = outcome.not_before_s
        if wait is None:
            wait = self._portal.ladder(self._lane.tries(self.row.klass) + 1, self._shop.spread())
        if first_unknown:
            self.row.state, self.row.open, self.row.next_at = "unknown", True, self._now + wait
            return Ended("unknown", False)
        self._lane.tried(self.row.klass, self._now + wait)
        self._thaw()
        return Ended("retry", False)

    def _thaw(self) -> None:
        """Known not to have worked: key and cause are free again (S15)."""
        self._close("thawed")
        self._not_ours_yet()
        if self.row.klass == DeliveryClass.COMMAND:
            self._lane.forget_command(self.row.cause)

    def _refused(self, outcome: Outcome, first_unknown: bool) -> Ended:
        if outcome.duplicate and self._operation.creates:
            return self._already_there(first_unknown, outcome)
        if first_unknown:
            return self._refused_repeat()
        if outcome.not_allowed:
            return self._count_refusal(final=False)
        if self.row.klass == DeliveryClass.APPEND and len(self.row.members) > 1:
            self._lane.one_by_one = True
            self._thaw()
            return Ended("thawed", True)
        return self._count_refusal(final=outcome.final)

    def _already_there(self, first_unknown: bool, outcome: Outcome) -> Ended:
        """ "Already exists": ours if an attempt of ours is uncertain, else perhaps another citizen's dossier."""
        if self.row.klass == DeliveryClass.COMMAND:
            return self._delivered(outcome) if first_unknown else self._park("already there, and never ours")
        self._lane.show("present", {}, ours=first_unknown or self._lane.ours)
        self._close("delivered" if first_unknown else "refused")
        self.remember_record(self.row.external_id)
        return Ended(self.row.state, True)

    def _refused_repeat(self) -> Ended:
        """A refusal of a repeat says nothing about the first attempt: the shadow is unknown, not old (S24)."""
        if self.row.klass == DeliveryClass.SNAPSHOT:
            self._not_known()
            self._close("refused")
            refusals = self._lane.refused(self.row.klass)
            if refusals >= self._portal.config.retry.refusals:
                self._lane.parked_version = self.row.cause
                return self._park("refused each time")
            self._lane.tried(self.row.klass, self._now + self._portal.ladder(refusals, self._shop.spread()))
            return Ended("refused", False)
        self.row.doc["doubtful"] = int(self.row.doc.get("doubtful", 0)) + 1
        if self.row.doc["doubtful"] > self._portal.config.retry.refusals:
            return self.settle("unproven", "the repeat was refused, the first call was never answered", "")
        self.row.state, self.row.open = "unknown", True
        self.row.next_at = self._now + self._portal.ladder(self.row.doc["doubtful"], self._shop.spread())
        return Ended("unknown", False)

    def _not_known(self) -> None:
        """Nobody knows what the portal shows: a create is looked for again, an update differs from everything."""
        self._lane.show("none" if self._operation.creates else "unknown", {})

    def _count_refusal(self, *, final: bool) -> Ended:
        refusals = self._lane.refused(self.row.klass)
        updates = self.row.klass == DeliveryClass.SNAPSHOT and not self._operation.creates
        final = final and (refusals > 1 or not updates)
        if final or refusals >= self._portal.config.retry.refusals:
            if self._portal.adapter.abilities.commands.get("create_dossier") == self.row.operation:
                self._due += births.refused(
                    self._tx, self._shop, self._portal.name, self.row.dossier_id, self.row.key, self.row.reason
                )
            return self._park(self.row.reason)
        if updates:  # the record may be gone there: look again before a person is asked
            self._lane.show("none", {})
        self._thaw()
        self._lane.tried(self.row.klass, self._now + self._portal.ladder(refusals, self._shop.spread()))
        return Ended("refused", False)

    def _park(self, reason: str) -> Ended:
        self.row.reason = reason
        self._close("parked")
        if self.row.klass == DeliveryClass.SNAPSHOT:
            self._lane.parked_version = self.row.cause
        elif self.row.klass == DeliveryClass.APPEND:
            self._lane.note(self.row.doc.get("ids", self.row.members), "parked")
        else:
            self._lane.command(self.row.cause, state="parked", key=self.row.key)
            self._other_lanes_due()
        self._leaf("parked", reason=reason)
        return Ended("parked", True)

    # settling what was uncertain
    def settle(self, state: str, how: str, person: str) -> Ended:
        self.row.reason, self.row.by_person = how, person or self.row.by_person
        self._lane.heard(self.row.cause)
        if state == "delivered":
            self._close("delivered")
            self._arrived(None)
            self._lane.worked(self.row.klass)
        elif state == "thawed":
            self._thaw()
            if self.row.klass == DeliveryClass.APPEND:
                self._lane.forget(self.row.doc.get("ids", self.row.members))
        else:
            self._close(state)
            self._end_without_proof(state)
        self._leaf("settled", state=state, how=how, person=person)
        self._store()
        self._shop.handovers.answered(self._tx, self.row, state, self._now, how=how, person=person)
        return Ended(self.row.state, True)

    def _end_without_proof(self, state: str) -> None:
        how = UNPROVEN if state == "unproven" else SUPERSEDED
        if self.row.klass == DeliveryClass.APPEND:
            self._lane.note(self.row.doc.get("ids", self.row.members), how)
        elif self.row.klass == DeliveryClass.COMMAND:
            self._lane.command(self.row.cause, state=state, key=self.row.key)
            if state == "unproven":
                self.remember_record(self.row.external_id)
            self._other_lanes_due()
        elif state == "superseded":
            self._lane.parked_version = self.row.cause
        else:
            self._not_known()

    # storing
    def _close(self, state: str) -> None:
        self.row.state, self.row.open, self.row.next_at, self.row.settled_at = state, False, None, self._now
        collected = state == "delivered" and self._portal.adapter.abilities.collected  # read again for some days
        if state in ("delivered", "thawed", "superseded") and not collected:
            self.row.sealed_body = b""

    def _leaf(self, kind: str, **fields: object) -> None:
        made = leaf(
            kind,
            self._now,
            dossier_id=self.row.dossier_id,
            portal=self._portal.name,
            prev=self._lane.leaf,
            key=self.row.key,
            operation=self.row.operation,
            attempts=len(self.row.attempts),
            body=self.row.body_digest,
            **fields,
        )
        self._lane.leaf = made.digest
        self._tx.append_leaves([made])

    def _store(self) -> None:
        self._tx.put_delivery(self.row)
        self._tx.put_lanes([self._lane.row])
