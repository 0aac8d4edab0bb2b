"""The gateway is live: people work, faults strike, the gateway is killed; then rest, and the oracle's word."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.bootstrap import Gateway
from gateway.demo.catalogue import NATIONAL, PROVINCE, TRANSPORT
from gateway.demo.citizens import Citizens, Line
from gateway.demo.clerk import Clerk, Waiting
from gateway.demo.kills import Killer
from gateway.demo.officers import Officers
from gateway.demo.oracle import Books, Finding, Listed, Oracle, Verdict, figures, read_books, told_at
from gateway.demo.processes import DemoError, GatewayProcess
from gateway.demo.screen import Screen
from gateway.demo.stage import CALL_FAULTS, KINDS, SPEED, Stage
from gateway.demo.wish import SHORT, Demo
from gateway.demo.world import lives

BIRTHS_PER_S = 40.0
PUSHES_PER_S = 20.0
"""Each is told more than once, checked, put on disk twice and made at the province with its files."""
STUCK_AFTER_S = 4.0
WORK_S = 600.0
CATCH_UP_S = 30.0
TOLD_S = 30.0
TURNS = 40
PATIENT_TURNS = 3
"""Turns without news after which officers who still wait for a screen are reported as waiting."""
_MANY = 10_000_000


@dataclass(slots=True)
class Play:
    """Work, rest, judgement."""

    demo: Demo
    stage: Stage
    gateway: Gateway
    process: GatewayProcess
    screens: dict[str, Screen]
    control: dict[str, str]
    oracle: Oracle
    killed_at: list[float] = field(default_factory=list)
    noted: set[Finding] = field(default_factory=set)

    def play(self) -> None:
        """Let it all happen; the figures are in the demo's outcome."""
        wish, outcome = self.demo.wish, self.demo.outcome
        citizens = self._citizens()
        officers = Officers(
            lives(wish.dossiers, wish.seed, wish.pushes),
            self.screens,
            citizens,
            seed=wish.seed,
            over_s=wish.dossiers / BIRTHS_PER_S + wish.pushes / PUSHES_PER_S,
            pause_s=self.stage.pause_s,
        )
        self._faults_begin()
        self._work(officers)
        self._catch_up()
        self._faults_end()
        self._until_all_is_told(citizens)
        self.demo.phase("work")
        self.process.stop()
        clerk = Clerk(self.gateway, self.screens)
        self._to_rest(officers, citizens, clerk)
        self.demo.phase("rest")
        last = read_books(self.control)
        rested = self._two_rounds_more(last)
        self._figures(clerk, rested, officers)
        self.demo.phase("oracle")
        outcome.settled_by_person = clerk.settled.total

    # work
    def _citizens(self) -> Citizens:
        now = datetime.fromisoformat(self.screens[PROVINCE].do("clock", {"hours": 0})["now"])
        line = Line(self.stage.address(NATIONAL), CALL_FAULTS[self.demo.wish.faults], SPEED)
        return Citizens(self.screens[NATIONAL], line, now, self.demo.wish.seed)

    def _faults_begin(self) -> None:
        for name, screen in self.screens.items():
            screen.faults(self.stage.hurting(name, screen.faults()["calls"]))

    def _faults_end(self) -> None:
        for name, screen in self.screens.items():
            report = screen.faults({"stop": True})
            self.demo.outcome.faults_injected[name] = dict(sorted(report["counts"].items()))
            self.demo.outcome.calls[name] = report["calls"]

    def _work(self, officers: Officers) -> None:
        killer = Killer(self.demo.wish.kills, self.demo.wish.seed, self.gateway, self.process, self.control)
        ends = time.monotonic() + WORK_S
        while officers.left and not self._stuck(officers):
            if time.monotonic() > ends:
                raise DemoError(f"{officers.left} dossiers were not finished in {WORK_S:.0f} s")
            officers.work(time.monotonic() + 0.05)
            self.process.check()
            killer.perhaps(officers.acts / max(officers.total, 1))
            self.demo.tell("work", officers.acts, officers.total)
            time.sleep(max(0.0, min(officers.next_at() - time.monotonic(), 0.02)))
        killer.finish()
        self.demo.outcome.kills = killer.kills
        self.killed_at = killer.killed_at

    def _all_is_told(self, citizens: Citizens) -> bool:
        """Whether no portal has anything left to tell the gateway."""
        waiting = [told for told in self.screens[TRANSPORT].look("callbacks") if not told["acknowledged"]]
        return not waiting and not citizens.under_way()

    def _until_all_is_told(self, citizens: Citizens) -> None:
        ends = time.monotonic() + TOLD_S
        while not self._all_is_told(citizens) and time.monotonic() < ends:
            self.process.check()
            time.sleep(0.1)

    def _catch_up(self) -> None:
        """Let the gateway send what is owed while its calls are still hurt; what stays uncertain is not waited for."""
        few = max(5, self.stage.dossiers // 50)
        ends = time.monotonic() + CATCH_UP_S
        while (owed := self._owed()) > few and time.monotonic() < ends:
            self.process.check()
            self.demo.tell("catching up", 0, owed)
            time.sleep(0.2)

    def _owed(self) -> int:
        return self.gateway.store.read(lambda tx: sum(tx.due_lanes(name) for name in KINDS))

    def _stuck(self, officers: Officers) -> bool:
        """Whether all that is left waits for a portal that shows nothing new: faults may have to end first."""
        return officers.only_waiting and time.monotonic() - officers.last_act_at > STUCK_AFTER_S

    # rest
    def _to_rest(self, officers: Officers, citizens: Citizens, clerk: Clerk) -> None:
        """Rounds until nothing is owed; a person settles what only a person can; officers finish; again."""
        outcome = self.demo.outcome
        first, idle = True, 0
        for turn in range(TURNS):
            time.sleep(self.stage.whole_every_s + 0.2)
            found = self.process.sync(until_rest=True)
            outcome.rounds += found["rounds"]
            outcome.converged = bool(found["at_rest"])
            if first:
                first = False
                self._before_settlement(clerk.waiting())
            settled = clerk.settle()
            acted = self._finish(officers, citizens)
            self.demo.tell("rest", turn, turn + officers.left)
            idle = 0 if settled or acted else idle + 1
            if idle and (not officers.left or idle > PATIENT_TURNS):
                return

    def _before_settlement(self, waiting: list[Waiting]) -> None:
        """What the gateway lists as unproven is compared with the books before anybody settles it."""
        outcome = self.demo.outcome
        outcome.unproven = sum(one.state == "unproven" for one in waiting)
        outcome.parked = sum(one.state == "parked" for one in waiting)
        listed = [
            Listed(SHORT[one.portal], one.klass, one.state, one.dossier_code, one.key, one.rows) for one in waiting
        ]
        self._note(self.oracle.judge(read_books(self.control), listed, self.killed_at), "before settlement")

    def _finish(self, officers: Officers, citizens: Citizens) -> int:
        """Let officers do all that can be done now, with the gateway there to be called."""
        before = officers.acts
        if officers.left or not self._all_is_told(citizens):
            self.process.start()
            officers.last_act_at = time.monotonic()
            while officers.left and not self._stuck(officers):
                officers.work(time.monotonic())
                self.process.check()
                time.sleep(0.02)
            self._until_all_is_told(citizens)
            self.process.stop()
        return officers.acts - before

    def _two_rounds_more(self, last: Books) -> Books:
        for _ in range(2):
            time.sleep(self.stage.whole_every_s + 0.2)
            self.process.sync(until_rest=False)
        self.demo.outcome.writes_after_rest = read_books(self.control).written() - last.written()
        self._addresses_are_followed()
        return read_books(self.control)

    def _addresses_are_followed(self) -> None:
        """Citizens open every paper and result that the national portal shows, with the gateway there to serve it."""
        self.process.start()
        self.process.until_it_listens(self.stage.port)
        self.screens[NATIONAL].do("fetch_files", {})
        self.process.stop()

    # judgement
    def _note(self, verdict: Verdict, when: str) -> None:
        outcome = self.demo.outcome
        fresh = [one for one in verdict.findings if one not in self.noted]
        self.noted.update(fresh)
        found = Counter(one.what for one in fresh)
        outcome.lost += found["lost"]
        outcome.duplicated += found["duplicated"]
        outcome.invented += found["invented"]
        outcome.legal_dates_moved += found["legal_date_moved"]
        outcome.wrongly_unproven += found["wrongly_unproven"]
        outcome.double_zero += found["double_zero"]
        outcome.wrong_answers += found["wrong_answer"]
        outcome.missing_acknowledged += found["missing_acknowledged"]
        outcome.findings += [f"{when}: {one.what} at {one.portal}, {one.dossier}: {one.detail}" for one in fresh]

    def _figures(self, clerk: Clerk, books: Books, officers: Officers) -> None:
        outcome = self.demo.outcome
        verdict = self.oracle.judge(books)
        self._note(verdict, "at rest")
        outcome.told = figures(books)
        outcome.kills = [
            replace(kill, told={SHORT[NATIONAL]: calls} if (calls := told_at(books, at)) else {})
            for kill, at in zip(outcome.kills, self.killed_at, strict=True)
        ]
        outcome.expected_effects, outcome.effects = len(verdict.expected), verdict.effects
        outcome.each_due = verdict.expected
        for (portal, klass), count in Counter((due[0], due[2]) for due in verdict.expected).items():
            outcome.due.setdefault(portal, {})[klass] = count
        waiting = clerk.waiting()
        outcome.converged = outcome.converged and not verdict.count("lost") and not waiting and not officers.left
        outcome.findings += [f"still {one.state}: {one.portal} {one.klass} {one.dossier_code}" for one in waiting]
        if officers.left:
            outcome.findings.append(f"{officers.left} dossiers still wait for another portal")
        outcome.quarantined = len(self.gateway.store.read(lambda tx: tx.list_quarantine(limit=_MANY)))
        outcome.unknown_settled = self._unknown_settled()

    def _unknown_settled(self) -> int:
        """Deliveries whose outcome was not known at first, and which the gateway settled without a person."""
        rows = self.gateway.store.read(lambda tx: tx.list_deliveries(states=("delivered", "thawed"), limit=_MANY))
        return sum(
            not row.by_person and any(one.get("outcome") in (None, "unknown") for one in row.attempts) for row in rows
        )
