"""One random life: dossiers, portals that fail, two engines step by step, crashes and restores; then rest."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gateway.store.backup import backup
from gateway.store.restore import restore
from gateway.sync.engine import Engine
from tests.simulation import checks, clerk
from tests.simulation.crew import Hand
from tests.simulation.shelves import row
from tests.simulation.world import PORTALS, SlowWorld
from tests.unit.sync.world import START

LINE = START.timestamp() - 3600
WORDS = ("accepted", "in_progress", "forwarded", "supplement_requested", "halted", "completed", "returned")
FAULTS = ("lost", "cut", "busy", "no", "late", "lost", "cut", "busy", "no", "late", "never")
TWICE = "r99"
OFTEN = {
    "step": 30, "job": 12, "act": 5, "clock": 6, "fault": 4, "ministry": 3, "withdraw": 1, "drift": 1, "rollback": 1,
    "failing": 1, "kill": 1, "freeze": 1, "clerk": 1, "brake": 1, "take_backup": 1, "put_back": 1, "enter_twice": 1,
}  # fmt: skip
HANDS = 4
ROUNDS = 80


@dataclass
class Backup:
    """A backup, and which dossiers' causes it cannot know."""

    manifest: Path
    at: float


class Life:
    """A seed's life. `trace` tells it in words, for whoever must find the reason of a failure."""

    def __init__(self, folder: Path, seed: int, steps: int = 160, *, files: bool = False) -> None:
        self.chance = random.Random(seed)
        self.world = SlowWorld(folder, self.chance, files=files)
        self.jobs = ["pull", "deliver", *(["fetch"] if files else [])]
        self.steps = steps
        self.pool = ThreadPoolExecutor(HANDS)
        self.hands: list[Hand] = []
        self.frozen: set[str] = set()
        self.trace: list[str] = []
        self.backups: list[Backup] = []
        self.restores = 0
        self.entered_twice = False
        self.watch = checks.Watch(self.world)
        self.references = [f"r{number}" for number in range(1, self.chance.choice([1, 1, 2, 3]) + 1)]
        self.kinds = [kind for kind in OFTEN if kind in ("step", "job", "act", "clock") or self.chance.random() < 0.6]

    def run(self) -> None:
        """Live, come to rest, and be judged."""
        try:
            weights = [OFTEN[kind] for kind in self.kinds]
            for _ in range(self.steps):
                getattr(self, self.chance.choices(self.kinds, weights)[0])()
                self.watch.look()
            self.rest()
            checks.agree(self.world)
            checks.quiet(self.world)
        finally:
            self._end_all()
            self.pool.shutdown()
            self.world.close()

    def say(self, *words: object) -> None:
        """Remember what happened."""
        self.trace.append(f"{self.world.now() - START.timestamp():7.0f} " + " ".join(map(str, words)))

    def _code(self, reference: str) -> str:
        return f"H99-261102-{int(reference[1:]):05}"

    # the world
    def act(self) -> None:
        """An officer opens a dossier or does something with it."""
        world, reference = self.world, self.chance.choice(self.references)
        at = world.tick(self.chance.choice([3, 5, 20, 90]))
        if reference not in world.province.folders:
            status = self.chance.choice(["submitted", "accepted", "forwarded"])
            papers = {"papers": self.papers(reference)} if world.shelves else {}
            code = self._code(reference)
            world.province.open(reference, at=at, code=code, status=status, procedure="2.000001", **papers)
        else:
            status = self.chance.choice(WORDS)
            if world.shelves and self.chance.random() < 0.2:
                world.province.folders[reference].detail["papers"] += self.papers(reference)
            world.province.act(reference, status, at=at)
        world.tick(2)
        self.say("act", reference, status)

    def papers(self, reference: str) -> list[dict[str, Any]]:
        """Some papers of a dossier."""
        return [row(f"{reference}-{self.chance.randrange(10**6)}") for _ in range(self.chance.choice([0, 1, 1, 2]))]

    def rollback(self) -> None:
        """An officer goes back to an older act."""
        reference = self.chance.choice(self.references)
        if reference in self.world.province.folders and self.world.rolled_back(reference):
            self.world.tick(2)
            self.say("rollback", reference, self.world.province.folders[reference].detail["status"])

    def enter_twice(self) -> None:
        """An officer enters a dossier that is there already; until somebody notices, it is in doubt."""
        folders, reference = self.world.province.folders, self.chance.choice(self.references)
        if TWICE in folders:
            return self.take_out()
        if reference in folders and not self.entered_twice:
            self.entered_twice = True
            self.world.province.open(TWICE, at=self.world.tick(3), code=self._code(reference), procedure="2.000001")
            self.say("entered twice", reference)
        return None

    def take_out(self) -> None:
        """The officer removes it, and a person says that it is nobody's."""
        if self.hands or TWICE not in self.world.province.folders:
            return
        del self.world.province.folders[TWICE]
        self.world.tick(2)
        self.say("taken out")
        self.undoubt()

    def undoubt(self) -> int:
        """A person says that the record which is no more is nobody's; after a restore perhaps once more."""
        held = self.world.store.read(lambda tx: tx.records("province", [TWICE])).get(TWICE)
        if TWICE in self.world.province.folders or held is None or not held.counts.get("doubt"):
            return 0
        self.world.operator.unlink("province", TWICE, actor="an officer")
        return 1

    def ministry(self) -> None:
        """The ministry moves on."""
        code = self._code(self.chance.choice(self.references))
        if code in self.world.justice.states:
            status = self.chance.choice(["in_progress", "supplement_requested", "completed"])
            self.world.justice.states[code] = (status, "")
            if self.world.shelves and status == "completed":
                self.world.shelves.results[code] = [row(f"cert-{code}-{self.chance.randrange(3)}")]
            self.world.tick(2)
            self.say("ministry", code, status)

    def withdraw(self) -> None:
        """A citizen asks the national portal to withdraw."""
        shown = self.world.national.shown.get(self._code(self.chance.choice(self.references)))
        if shown and shown["status"] not in ("withdrawal_requested", "returned", "completed"):
            shown["status"] = "withdrawal_requested"
            self.world.tick(2)
            self.say("citizen withdraws", shown["code"])

    def drift(self) -> None:
        """A rival writes over our copy."""
        shown = self.world.national.shown.get(self._code(self.chance.choice(self.references)))
        if shown and shown["status"] != "withdrawal_requested":
            shown["status"] = "halted"
            self.say("rival writes", shown["code"])

    def fault(self) -> None:
        """The next call somewhere goes wrong."""
        portal = self.chance.choice([self.world.province, self.world.national, self.world.national, self.world.justice])
        portal.faults.append(self.chance.choice(FAULTS))
        self.say("fault", portal.name, portal.faults[-1])

    def failing(self) -> None:
        """The next reading somewhere fails."""
        portal: Any = self.chance.choice([self.world.province, self.world.national, self.world.justice])
        portal.failing = 1
        self.say("reading fails", portal.name)

    def clock(self) -> None:
        """Time goes by."""
        self.say("clock", self.world.tick(self.chance.choice([1, 3, 10, 10, 30, 45, 110])) - START.timestamp())

    # the gateway
    def job(self) -> None:
        """A job is woken in one of the two processes; a portal is pulled once at a time in each."""
        number, portal = self.chance.randrange(2), self.chance.choice(PORTALS)
        what = self.chance.choice(self.jobs)
        name = f"{what} {portal} {number}"
        if what == "fetch" and portal not in self.world.fetchers:
            portal = "province"
            name = f"{what} {portal} {number}"
        if len(self.hands) >= HANDS or (what != "deliver" and any(hand.name == name for hand in self.hands)):
            return self.step()
        self.hands.append(Hand(self.pool, name, partial(self._woken, self.world.engines[number], what, portal)))
        return self.say("begin", name)

    def _woken(self, engine: Engine, what: str, portal: str) -> None:
        if what == "pull":
            engine.pull(portal)
        elif what == "fetch":
            self.world.fetchers[portal].run()
        else:
            assert not engine.deliver(portal).counts["failed"], f"a mistake of ours at {portal}"

    def step(self) -> None:
        """One worker goes on a few steps."""
        awake = [hand for hand in self.hands if hand.name not in self.frozen]
        if not awake:
            if len(self.hands) < HANDS:
                self.job()
            return
        hand = self.chance.choice(awake)
        for _ in range(self.chance.choice([1, 1, 2, 5])):
            was = hand.where
            hand.step()
            self.say(f"   {hand.name}: {was} ->", "over" if hand.over else hand.where)
            if hand.over:
                self.hands.remove(hand)
                break
            self.watch.look()
        if self.chance.random() < 0.3:
            self.world.tick(self.chance.choice([0.5, 1, 3]))

    def freeze(self) -> None:
        """A worker stands still for long, or wakes again."""
        if self.frozen:
            self.frozen.clear()
            self.say("frozen ones wake")
        elif self.hands:
            self.frozen.add(self.chance.choice(self.hands).name)
            self.say("frozen", *self.frozen)

    def kill(self) -> None:
        """Both processes die at whatever line they are."""
        self.say("KILL", *(f"{hand.name} at {hand.where}" for hand in self.hands))
        self._end_all()
        self.world.restart()

    def _end_all(self) -> None:
        for hand in self.hands:
            hand.kill()
        self.hands.clear()
        self.frozen.clear()

    def brake(self) -> None:
        """Somebody pulls a brake, or lets it go."""
        portal = self.chance.choice(PORTALS)
        paused = self.world.store.read(lambda tx: tx.portal(portal)).paused
        if paused:
            self.world.operator.resume(portal, "an officer")
        else:
            self.world.operator.pause(portal, "an officer", "stop")
        self.world.tick(1)
        self.say("resume" if paused else "pause", portal)

    def take_backup(self) -> None:
        """A backup is made."""
        folder = self.world.folder / f"backup{len(self.backups)}"
        made = backup(self.world.folder / "store.db", folder, self.world.clock.now())
        self.backups.append(Backup(made, self.world.now()))
        self.world.tick(1)
        self.say("backup")

    def put_back(self) -> None:
        """The store is lost and an older one put in its place."""
        if not self.backups or self.restores >= 2:
            return
        self.restores += 1
        chosen = self.chance.choice(self.backups)
        self.say("RESTORE of", chosen.at - START.timestamp())
        self._end_all()
        self.world.tick(2)
        self.world.close()
        restore(chosen.manifest, self.world.folder / "store.db", self.world.clock.now(), actor="an officer")
        self.world.open()
        self.world.tick(2)
        self.watch.begin_anew()
        if self.chance.random() < 0.5:
            self.adopt()

    def adopt(self) -> None:
        """After a restore: compare, then live again."""
        for portal in PORTALS:
            if self.world.store.read(partial(lambda name, tx: tx.portal(name).mode, portal)) != "live":
                self.world.engine.pull(portal)
                self.world.engine.reconcile(portal)
                state = self.world.store.read(partial(lambda name, tx: tx.portal(name), portal))
                if not state.doc.get("compare_needed"):
                    self.world.engine.adopt(portal, LINE, actor="an officer")
                    self.say("adopted", portal)

    def clerk(self) -> int:
        """A person looks at the portals and settles what waits."""
        return clerk.settle(self.world, self.say)

    # the end
    def rest(self) -> None:
        """Faults end; every job is woken until nothing happens any more."""
        world, calm = self.world, 0
        self.say("--- rest")
        for portal in (world.province, world.national, world.justice):
            portal.faults.clear()
            portal.failing = 0  # type: ignore[union-attr]
        if world.shelves:
            world.shelves.calm = True
        self.frozen.clear()
        while self.hands:
            self.step()
            self.watch.look()
        self.take_out()
        world.tick(200)
        self.adopt()
        for portal in PORTALS:
            world.operator.resume(portal, "an officer")
        for _ in range(ROUNDS):
            world.tick(61)
            before = checks.effects(world)
            happened = sum(world.engine.pull(portal).changed for portal in PORTALS)
            happened += sum(len(fetcher.run().counts) for fetcher in world.fetchers.values())
            for portal in self.chance.sample(PORTALS, 3):
                report = world.engine.deliver(portal)
                assert not report.counts["failed"], f"a mistake of ours at {portal}"
                if report.counts:
                    self.say("round", portal, dict(report.counts))
            self.watch.look()
            happened += self.clerk() + self.undoubt()
            self.adopt()
            self.watch.look()
            still = before == checks.effects(world) and not happened and not checks.owing(world)
            calm = calm + 1 if still else 0
            if calm == 2:
                return
        raise AssertionError(f"I6: no rest: {checks.owing(world)}")
