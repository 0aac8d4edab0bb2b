"""One worker owns one lane at a time: first step of the plan, read again, plan again, until nothing can be done now."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace

from adapters.base import SENT, Delivery, DeliveryClass, Outcome, OutcomeKind
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, LaneKey, LaneRow
from gateway.sync import outcomes
from gateway.sync.asking import Asker, give_addresses, still_here
from gateway.sync.attempts import LeaseLostError, attempt_begun, delivery_of, stopped
from gateway.sync.case import Case, Workshop, delivery_key, open_case
from gateway.sync.compose import Composed, compose
from gateway.sync.entries import frozen, knows_a_lost_key, unsent
from gateway.sync.guard import Guard, GuardReading
from gateway.sync.lane import Lane
from gateway.sync.plan import Step
from gateway.sync.portal import Portal
from gateway.sync.resting import give_back, nothing_left
from gateway.sync.settle import Settler
from gateway.sync.superseding import moved_on
from gateway.sync.unheard import carried
from schemas.errors import NotSendableError, PortalError

MOMENT_S = 0.05
MAX_STEPS = 50
"""Steps one claim may perform: a guard against a plan that never empties."""


class LaneWorker:
    """Works one claimed lane."""

    def __init__(self, shop: Workshop, portal: Portal, guard: Guard, lane: LaneRow) -> None:
        self._shop = shop
        self._portal = portal
        self._guard = guard
        self._key = LaneKey(lane.portal, lane.dossier_id)
        self._token = lane.lease_token
        lease_s = lane.lease_until - shop.now()
        self._lease_ends = shop.clock.monotonic() + lease_s
        self._settler = Settler(shop, portal, self._mine, self._push, self._record)
        self._asker = Asker(shop, lane.dossier_id, self._mine)
        self._cannot: dict[str, tuple[str, float | None]] = {}
        self._mark = lane.mark
        self.counts: Counter[str] = Counter()

    def work(self) -> None:
        """Perform steps until nothing is left that can be done now."""
        try:
            for _ in range(MAX_STEPS):
                if self._portal.stopping.is_set():
                    break
                is_stopped, case = self._look_up()
                if is_stopped:
                    break
                if case is None or not self._one(case):
                    return
            self._release(None, "more to do", at=self._shop.now())
        except LeaseLostError:
            self.counts["lease_lost"] += 1

    def put_off(self, mistake: str) -> None:
        """Give the lane back for later after a mistake of ours; what was begun is settled as uncertain."""
        self.counts["failed"] += 1
        later = self._shop.now() + self._portal.config.retry.max_s
        with suppress(LeaseLostError):
            self._release(None, f"an error of the gateway itself ({mistake}), see the log", at=later, put_off=True)

    def _look_up(self) -> tuple[bool, Case | None]:
        """Whether everything has to stop, else the lane with all around it, in one snapshot."""
        shop, portal, key = self._shop, self._portal, self._key

        def look(tx: Tx) -> tuple[bool, Case | None]:
            if stopped(tx, key.portal):
                return True, None
            return False, open_case(tx, shop, portal, key, key.dossier_id)

        return shop.store.read(look)

    def _case(self) -> Case | None:
        shop, portal, key = self._shop, self._portal, self._key
        return shop.store.read(lambda tx: open_case(tx, shop, portal, key, key.dossier_id))

    def _one(self, case: Case) -> bool:
        """Settle or send one thing; false when the lane was given back."""
        if not self._room():
            self._release(case, "more to do", at=self._shop.now())
            return False
        if case.lane.row.mark != self._mark:  # news since: what a class waits for may have come
            self._cannot.clear()
            self._mark = case.lane.row.mark
        settled = self._settler.one(case)
        if settled:
            self.counts[settled] += 1
            return True
        plan = case.plan()
        self._asker.ask_for(case.lacks(), urgent=False)
        steps = [step for step in plan.steps if step.klass not in self._cannot]
        if not steps:
            self._rest(case, {**plan.waits, **self._cannot})
            return False
        return self._perform(case, steps[0])

    def _room(self) -> bool:
        return self._shop.clock.monotonic() + self._portal.config.call_timeout_s <= self._lease_ends

    # steps
    def _perform(self, case: Case, step: Step) -> bool:
        if step.do == "look":
            return self._look(case)
        if step.do == "recall":
            return self._recall(case, step)
        if step.do in ("supersede", "park") and step.acts:
            return self._supersede(case, step)
        if step.do in ("supersede", "unproven", "park", "answered"):
            self._without_sending(case, step)
            return True
        if step.klass is DeliveryClass.COMMAND:
            return self._command(case, step)
        return self._send(case, step, {})

    def _look(self, case: Case) -> bool:
        """Before the first snapshot: is it there? A harmless read that moves the shadow (S9)."""
        begun = self._shop.now()
        try:
            found = self._portal.adapter.fetch(case.external_id)
        except PortalError as error:
            return self._failed_read(case, DeliveryClass.SNAPSHOT, error)
        self._portal.breaker.worked()
        state = "absent" if found is None else "present"

        def move(tx: Tx) -> None:
            row = self._mine(tx)
            if Lane(row).last_ended <= begun:  # an answer that came meanwhile knows better (S8, S24)
                Lane(row).show(state, {})
                tx.put_lanes([row])

        self._shop.store.write(move)
        self.counts["looked"] += 1
        return True

    def _failed_read(self, case: Case, klass: DeliveryClass, error: PortalError) -> bool:
        if error.portal == self._portal.name:
            self._portal.breaker.failed(error.reason)
        return self._later(case, klass, error.retry_after_s, "read_failed")

    def _later(self, case: Case, klass: DeliveryClass, wait_s: float | None, what: str) -> bool:
        """This class waits for its next step of the ladder."""
        wait = wait_s or self._portal.ladder(case.lane.tries(klass) + 1, self._shop.spread())
        now = self._shop.now()

        def count(tx: Tx) -> None:
            row = self._mine(tx)
            Lane(row).tried(klass, now + wait)
            tx.put_lanes([row])

        self._shop.store.write(count)
        self.counts[what] += 1
        return True

    def _command(self, case: Case, step: Step) -> bool:
        """The guard is read just before; if the owner has moved on, the command ends superseded (S20)."""
        if step.wanted is None:
            return False
        if step.verb == "create_dossier":  # there is no record yet to be read; the adapter looks for one itself
            return self._send(case, step, {})
        if self._lacks_files(case, step):  # its guard is read when they are here
            return True
        try:
            reading = self._guard.read(case.view, self._portal.name)
        except PortalError as error:
            return self._failed_read(case, DeliveryClass.COMMAND, error)
        if reading is None:
            return self._later(case, DeliveryClass.COMMAND, None, "handler_absent")
        fresh = self._case()
        if fresh is None:
            return False
        now_first = next((s for s in fresh.plan().steps if s.klass is DeliveryClass.COMMAND), None)
        if now_first is None or now_first.do != "send" or now_first.cause != step.cause:
            return True
        if step.acts:
            return self._act(fresh, now_first, reading)
        return self._send(fresh, now_first, {})

    def _act(self, case: Case, step: Step, reading: GuardReading) -> bool:
        """An action at the handler: allowed now, or superseded, or parked when only the settings stand in its way."""
        try:
            wire = compose(case, step, self._delivery_key(case, step))
        except NotSendableError as error:
            return self._wait_for(case, step, error)
        if reading.allowed is None or reading.allows(wire.body):
            return self._send(case, step, dict(reading.guard))
        freed = step.wanted is not None and case.lane.is_free(step.wanted.cause)
        stands = step.wanted is not None and step.wanted.act is not None and bool(step.wanted.act.from_)
        if stands and step.wanted is not None and not moved_on(case.view, step.wanted, freed=freed):
            reason = "the dossier stands where the act may be done, but the portal does not offer it: check its actions"
            self._without_sending(case, replace(step, do="park", reason=reason))
        else:
            self._without_sending(case, replace(step, do="supersede", reason="the portal does not allow it any more"))
        return True

    def _recall(self, case: Case, step: Step) -> bool:
        """Ask whether the lost store sent it, by the key it would have had (S27).

        If not: what has its own time ends unproven; a state that we timed ourselves may be new, and its guard decides.
        """
        try:
            sent = knows_a_lost_key(self._shop, self._portal, case, step)
        except NotSendableError as error:
            return self._wait_for(case, step, error)
        except PortalError as error:
            return self._failed_read(case, DeliveryClass.COMMAND, error)
        if sent:
            self._without_sending(case, replace(step, do="found", reason="sent before the restore: our key is there"))
        elif step.wanted is not None and step.wanted.cause.timed_by_us:
            self._free(step.wanted.cause.ids)
        else:
            self._without_sending(case, replace(step, do="unproven"))
        return True

    def _free(self, ids: frozenset[str]) -> None:
        def free(tx: Tx) -> None:
            row = self._mine(tx)
            Lane(row).free(ids)
            tx.put_lanes([row])

        self._shop.store.write(free)

    def _supersede(self, case: Case, step: Step) -> bool:
        """Before an act ends because its owner has moved on, the owner is heard: our view may be behind (S20)."""
        try:
            self._guard.read(case.view, self._portal.name)
        except PortalError as error:
            return self._failed_read(case, DeliveryClass.COMMAND, error)
        fresh = self._case()
        if fresh is None:
            return False
        now_first = next((s for s in fresh.plan().steps if s.klass is DeliveryClass.COMMAND), None)
        if now_first is not None and now_first.do == step.do and now_first.cause == step.cause:
            self._without_sending(fresh, now_first)
        return True

    def _without_sending(self, case: Case, step: Step) -> None:
        """Enter a decision that sends nothing: superseded, parked, or unproven after a restore."""
        shop, portal = self._shop, self._portal
        known = (
            case.lane.commands().get(step.cause, {}) if step.do == "answered" else {}
        )  # of an earlier epoch, perhaps
        key = known.get("key") or self._delivery_key(case, step)
        state = shop.store.write(lambda tx: unsent(tx, shop, portal, self._mine(tx), case, step, key))
        self.counts[state] += 1

    # sending
    def _send(self, case: Case, step: Step, guard: dict[str, object]) -> bool:
        try:
            composed = compose(case, step, self._delivery_key(case, step))
        except NotSendableError as error:
            return self._wait_for(case, step, error)
        self._asker.ask_for(composed.missing, urgent=step.klass is not DeliveryClass.SNAPSHOT)
        if composed.missing and step.klass is not DeliveryClass.SNAPSHOT:
            self._cannot[step.klass] = self._asker.wait_for(composed.missing)
            return True
        delivery = self._begin(case, step, composed, guard)
        if delivery is None:
            return True
        outcome = self._push(delivery)
        ended, is_at_rest = self._record_and_rest(case, delivery, outcome)
        self.counts["sent"] += 1
        self.counts[ended.state] += 1
        return not is_at_rest

    def _wait_for(self, case: Case, step: Step, error: NotSendableError) -> bool:
        """What cannot be written yet holds back its own class only; a row that cannot is parked, to be seen (S16)."""
        reason = f"the dossier has no {', '.join(error.missing) or error.reason} yet"
        if step.klass is not DeliveryClass.APPEND:
            self._cannot[step.klass] = (reason, None)
        elif len(step.members) == 1:
            self._without_sending(case, replace(step, do="park", reason=f"this row cannot be written: {reason}"))
        else:
            return self._send(case, replace(step, members=step.members[:1], cause=step.members[0]), {})
        return True

    def _lacks_files(self, case: Case, step: Step) -> bool:
        try:
            missing = compose(case, step, self._delivery_key(case, step)).missing
        except NotSendableError:
            return False  # said when it is to be sent
        if missing:
            self._asker.ask_for(missing, urgent=True)
            self._cannot[step.klass] = self._asker.wait_for(missing)
        return bool(missing)

    def _delivery_key(self, case: Case, step: Step) -> str:
        epoch = self._shop.store.read(lambda tx: tx.setting("epoch")) or "1"
        return delivery_key(case, step.klass, step.cause or (step.members[0] if step.members else ""), epoch)

    def _begin(self, case: Case, step: Step, composed: Composed, guard: dict[str, object]) -> Delivery | None:
        """T2b: note the attempt and freeze its bytes; None when news came in since the plan."""
        shop, now = self._shop, self._shop.now()
        mark = case.lane.row.mark

        def begin(tx: Tx) -> DeliveryRow | None:
            row = self._mine(tx)
            if row.mark != mark or stopped(tx, row.portal) or not still_here(tx, composed):
                return None
            give_addresses(tx, shop, row, composed, now)
            held = tx.delivery(composed.key)
            delivery = frozen(case, step, composed, held, shop, now, guard)
            lane = Lane(row)
            if step.klass is DeliveryClass.SNAPSHOT:
                lane.newest_snapshot = composed.key
                if step.drift:
                    lane.drifted(step.cause)
            elif step.klass is DeliveryClass.COMMAND:
                lane.command(step.cause, state="begun", key=composed.key, verb=step.verb)
                if step.wanted is not None and (brought := carried(case.view, step.wanted, step.verb)):
                    lane.command(step.cause, carries=brought)
                if step.wanted is not None and step.wanted.verb == "declare":
                    shop.handovers.begun(tx, row.dossier_id, row.portal, step.wanted.route, now)
            attempt_begun(tx, lane, delivery, now)
            if composed.operation.creates and step.verb != "create_dossier":
                outcomes.remember_record(tx, row, case.external_id, now)
            return delivery

        begun = shop.store.write(begin)
        return None if begun is None else delivery_of(begun, composed.body, shop, self._portal)

    def _push(self, delivery: Delivery) -> Outcome:
        SENT.set("")
        outcome = replace(self._portal.adapter.push(delivery), sent=SENT.get())
        answered = outcome.kind in (OutcomeKind.DELIVERED, OutcomeKind.REFUSED)
        if answered and not outcome.auth:
            self._portal.breaker.worked()
        elif not answered and outcome.kind is not OutcomeKind.OFFERED:
            self._portal.breaker.failed(outcome.reason)
        return outcome

    def _record(self, delivery: Delivery, outcome: Outcome, *, first_unknown: bool) -> outcomes.Ended:
        ended = self._shop.store.write(lambda tx: self._recorded(tx, delivery, outcome, first_unknown=first_unknown))
        self._wake(ended)
        return ended

    def _record_and_rest(self, case: Case, delivery: Delivery, outcome: Outcome) -> tuple[outcomes.Ended, bool]:
        """T3, and where nothing is left of the plan T2 as well: most lanes rest after one delivery.

        "Due" is cleared by the plan that is empty, never by the outcome (S13); one commit serves both. What was planned
        knew nothing of a number that only this answer told.
        """
        learned = bool(outcome.number) and not case.dossier.national_code

        def work(tx: Tx) -> tuple[outcomes.Ended, bool]:
            ended = self._recorded(tx, delivery, outcome, first_unknown=False)
            row = tx.lanes([self._key]).get(self._key)
            mine = row if row is not None and row.lease_token == self._token else None
            is_known = ended.state == "delivered" and not learned and not self._cannot
            if not is_known or mine is None or not nothing_left(mine, case, delivery.key):
                return ended, False
            give_back(tx, self._shop, mine, case, "", at=None)
            return ended, True

        ended, is_at_rest = self._shop.store.write(work)
        self._wake(ended)
        return ended, is_at_rest

    def _recorded(self, tx: Tx, delivery: Delivery, outcome: Outcome, *, first_unknown: bool) -> outcomes.Ended:
        shop, portal, attempt = self._shop, self._portal, delivery.attempt
        return outcomes.record(tx, shop, portal, delivery.key, outcome, attempt=attempt, first_unknown=first_unknown)

    def _wake(self, ended: outcomes.Ended) -> None:
        for name in ended.due:
            self._shop.wake(name)

    # giving back
    def _mine(self, tx: Tx) -> LaneRow:
        """The lane, if its lease is still ours."""
        row = tx.lanes([self._key]).get(self._key)
        if row is None or row.lease_token != self._token:
            raise LeaseLostError
        return row

    def _rest(self, case: Case, waits: object) -> None:
        """Nothing can be done now: clear "due" if nothing is open, else be due when the first wait ends (S13)."""
        found: dict[str, tuple[str, float | None]] = dict(waits) if isinstance(waits, dict) else {}
        timed = [until for _, until in found.values() if until is not None]
        # what is uncertain is looked at in time, whatever else its class waits for
        timed += [row.next_at for row in case.open if row.next_at is not None and case.may_settle(row)]
        found.update({klass: wait for klass, wait in case.desk.blocked.items() if klass not in found})
        reason = "; ".join(sorted({f"{klass}: {text}" for klass, (text, _) in found.items()}))
        # a wait that is over, yet was waited for, is looked at again a moment later, and never in a circle
        self._release(case, reason, at=max(min(timed), self._shop.now() + MOMENT_S) if timed else None)

    def _release(self, case: Case | None, reason: str, *, at: float | None, put_off: bool = False) -> None:
        shop = self._shop
        shop.store.write(lambda tx: give_back(tx, shop, self._mine(tx), case, reason, at=at, put_off=put_off))
