"""The process keeps to one core, and leaves it only when others have come to use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.runner import cores
from gateway.runner.cores import Cores, busy_s, quietest

STAT = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 {} 0 50 700 80 1 1 0 0 0\ncpu1 {} 0 50 700 80 1 1 0 0 0\nintr 5 4 3\n"
TICKS = os.sysconf("SC_CLK_TCK")


class Machine:
    """A kernel of two cores whose figures are written by the test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.proc = folder
        self.placed: list[tuple[int, set[int]]] = []
        self.ended: set[int] = set()
        self.busy = [0, 0]
        self.at = 100.0
        self.own_s = 0.0
        (folder / "self" / "task" / "11").mkdir(parents=True)
        (folder / "self" / "task" / "12").mkdir()
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
        monkeypatch.setattr(os, "sched_setaffinity", self.place)
        monkeypatch.setattr(cores, "JITTER", 0.0)
        clock = SimpleNamespace(
            monotonic=lambda: self.at,
            process_time=lambda: self.own_s,
            sleep=lambda _s: self.goes(0, 0.05, own=0.0),
        )
        monkeypatch.setattr(cores, "time", clock)
        self.goes(0.0, 0.0, 0.0)

    def place(self, thread: int, where: set[int]) -> None:
        if thread in self.ended:
            raise ProcessLookupError
        self.placed.append((thread, where))

    def goes(self, first: float, second: float, own: float) -> None:
        """Time goes on: seconds that each core is busy in ten seconds, and how many of them are ours."""
        self.at += 10.0
        self.own_s += own
        self.busy = [self.busy[0] + round(first * TICKS), self.busy[1] + round(second * TICKS)]
        (self.proc / "stat").write_text(STAT.format(*self.busy))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def where(machine: Machine) -> set[int]:
    return machine.placed[-1][1]


def test_it_begins_on_the_core_that_others_use_least_with_all_its_threads(machine: Machine) -> None:
    machine.ended = {12}
    Cores("one", machine.proc)
    assert machine.placed == [(11, {0})], "thread 12 ended meanwhile, which is no error"


def test_threads_that_began_while_others_were_placed_are_placed_too(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = machine.place

    def placing(thread: int, where: set[int]) -> None:
        if thread < 30:
            (machine.proc / "self" / "task" / str(thread + 10)).mkdir(exist_ok=True)
        place(thread, where)

    monkeypatch.setattr(os, "sched_setaffinity", placing)
    Cores("one", machine.proc)
    assert {11, 12, 21, 22, 31, 32} <= {thread for thread, at in machine.placed if at == {0}}


def test_its_own_work_never_drives_it_away(machine: Machine) -> None:
    kept = Cores("one", machine.proc)
    machine.goes(10.0, 0.5, own=9.9)
    kept.look()
    assert where(machine) == {0}


def test_it_leaves_a_core_that_others_have_come_to_use(machine: Machine) -> None:
    kept = Cores("one", machine.proc)
    machine.goes(10.0, 1.0, own=5.0)
    kept.look()
    assert where(machine) == {1}
    assert {thread for thread, at in machine.placed if at == {1}} == {11, 12}


def test_it_looks_no_more_often_than_agreed(machine: Machine) -> None:
    kept = Cores("one", machine.proc)
    machine.goes(10.0, 1.0, own=5.0)
    machine.at -= 5.0
    kept.look()
    assert where(machine) == {0}


@pytest.mark.parametrize("found", ["", "cpu0 of another kind\n", None])
def test_a_kernel_that_tells_nothing_leaves_it_where_it_is(machine: Machine, found: str | None) -> None:
    machine.goes = lambda *_at, **_own: None  # type: ignore[method-assign]
    if found is None:
        (machine.proc / "stat").unlink()
    else:
        (machine.proc / "stat").write_text(found)
    Cores("one", machine.proc).look()
    assert machine.placed == []


def test_what_may_not_be_chosen_is_left_to_the_system(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_thread: int, _where: set[int]) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    kept = Cores("one", machine.proc)
    machine.goes(10.0, 1.0, own=5.0)
    kept.look()


def test_with_all_nothing_is_chosen(machine: Machine) -> None:
    Cores("all", machine.proc).look()
    assert machine.placed == []


def test_a_little_more_elsewhere_is_not_worth_moving() -> None:
    assert quietest({0: 3.0, 1: 1.0, 2: 0.9}, 0, 0.0, 10.0) == 0
    assert quietest({0: 4.0, 1: 1.0, 2: 0.9}, 0, 0.0, 10.0) == 2
    assert quietest({0: 4.0, 1: 1.0, 2: 0.9}, None, 4.0, 10.0) == 2
    assert quietest({1: 1.0, 2: 0.9}, 0, 4.0, 10.0) == 2, "a core that is no longer there"


def test_waiting_is_not_being_busy() -> None:
    assert busy_s(["cpu 1 1 1 1", "cpu3 100 20 30 7000 900 5 5 40 100 100"], 100) == {3: 2.0}


def test_on_this_machine_every_thread_is_on_one_core_of_those_that_are_allowed() -> None:
    program = (
        "import os, threading\n"
        "allowed, held = os.sched_getaffinity(0), threading.Event()\n"
        "early = threading.Thread(target=held.wait); early.start()\n"
        "from gateway.runner.cores import Cores\n"
        "Cores('one')\n"
        "late = threading.Thread(target=held.wait); late.start()\n"
        "found = [os.sched_getaffinity(int(one)) for one in os.listdir('/proc/self/task')]\n"
        "held.set()\n"
        "assert len(found) == 3 and all(one == found[0] for one in found), found\n"
        "assert len(found[0]) == 1 and found[0] <= allowed, (found, allowed)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
