"""One processor core for the whole process: its threads share one interpreter, and more cores make them slower.

A thread that gives the interpreter up for a moment, for one row of the store say, finds it taken by a thread on another
core when it comes back, and waits. On one core it goes on at once. Measured in docs/performance.md; ADR 22.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.log import get_logger

LOOK_EVERY_S = 10.0
JITTER = 0.2  # two processes that started together do not follow each other from core to core
MOST_PASSES = 20
FIRST_LOOK_S = 0.1
WORTH_MOVING = 0.25
"""A core is left when others keep it so much busier than another one, as a share of the time between two looks."""
_IDLE = (3, 4)  # columns of /proc/stat: idle, and waiting for a disk

log = get_logger()


class Cores:
    """Keeps the process on the core that others use least. Where that cannot be done nothing happens.

    Args:
        which: `one`, or `all` to leave the threads where they are put.
        proc: Where the kernel tells of processors and threads.
    """

    def __init__(self, which: str, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._here: int | None = None
        self._allowed = os.sched_getaffinity(0) if which == "one" and hasattr(os, "sched_getaffinity") else set()
        self._at, self._own_s, self._busy_s = 0.0, 0.0, dict[int, float]()
        self._every_s = LOOK_EVERY_S * (1 + random.uniform(-JITTER, JITTER))
        if self._on:
            self._note(self._read())
            time.sleep(FIRST_LOOK_S)
            self._choose()

    @property
    def _on(self) -> bool:
        return len(self._allowed) > 1

    def look(self) -> None:
        """Move to another core if others have come to use this one much more; cheap, call it as often as you like."""
        if self._on and time.monotonic() - self._at >= self._every_s:
            self._choose()

    def _choose(self) -> None:
        at, own_s, before = self._at, self._own_s, self._busy_s
        now = self._read()
        if not now:
            return
        self._note(now)
        spent = {core: now[core] - before[core] for core in self._allowed if core in now and core in before}
        if not spent:
            return
        core = quietest(spent, self._here, self._own_s - own_s, self._at - at)
        try:
            self._place_all(core)
        except OSError as error:
            log.info("core_not_changed", reason=error.strerror or type(error).__name__)
            self._allowed = set()
            return
        if core != self._here:
            log.info("core_changed", core=core, before=self._here)
        self._here = core

    def _place_all(self, core: int) -> None:
        """Place every thread, again while threads begin that one not yet placed has started."""
        placed = set[str]()
        for _ in range(MOST_PASSES):
            fresh = {one.name for one in (self._proc / "self" / "task").iterdir()} - placed
            for thread in fresh:
                self._place(int(thread), core)
            placed |= fresh
            if not fresh:
                return

    def _place(self, thread: int, core: int) -> None:
        try:
            os.sched_setaffinity(thread, {core})
        except ProcessLookupError:  # it has just ended
            return

    def _read(self) -> dict[int, float]:
        try:
            return busy_s((self._proc / "stat").read_text("ascii").splitlines(), os.sysconf("SC_CLK_TCK"))
        except (OSError, ValueError):
            return {}

    def _note(self, busy: dict[int, float]) -> None:
        self._at, self._own_s, self._busy_s = time.monotonic(), time.process_time(), busy


def busy_s(lines: Iterable[str], ticks_per_s: int) -> dict[int, float]:
    """Seconds that each core has been busy since the machine was started, from the lines of /proc/stat.

    Raises:
        ValueError: It is written in another way.
    """
    found = {}
    for line in lines:
        name, *ticks = line.split()
        if name.startswith("cpu") and name != "cpu":
            busy = sum(int(tick) for column, tick in enumerate(ticks[:8]) if column not in _IDLE)
            found[int(name[3:])] = busy / ticks_per_s
    return found


def quietest(spent: Mapping[int, float], here: int | None, own_s: float, whole_s: float) -> int:
    """The core to be on: this one, unless others kept it much busier than another.

    Args:
        spent: Seconds each core was busy between two looks.
        here: Where this process was; None when it was anywhere.
        own_s: Seconds of `spent` that were its own.
        whole_s: Seconds between the looks.
    """
    others = {core: busy - (own_s if core == here else 0.0) for core, busy in spent.items()}
    best = min(others, key=lambda core: (others[core], core))
    if here in others and others[here] - others[best] < WORTH_MOVING * whole_s:
        return here
    return best
