"""`kill -9` at chosen points: nothing lost, nothing done twice where the portal can tell, no gap in the evidence."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.simulation import Reply, Request, Simulator
from tests.integration.engine import evidence
from tests.integration.engine.town import BIRTH, Town

CHILD = Path(__file__).with_name("engine_child.py")
DOSSIERS = 6


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, call_timeout_s=0.5, settle_s=0.6)
    yield made
    made.close()


@contextmanager
def child(town: Town, project_root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway process at work; ended by its id whatever happens."""
    path = town.folder / "config.json"
    path.write_bytes(orjson.dumps(town.raw))
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(project_root)},
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def trap(simulator: Simulator, kind: str, nth: int, when: str, spring: Callable[[], None]) -> list[str]:
    """Spring on the n-th call of a kind, before or after its effect; gives a list that holds what was sprung on."""
    answer, met, sprung = simulator.answer, Counter[str](), list[str]()

    def watched(request: Request) -> Reply:
        said = simulator.describe(request)
        met[said] += 1
        here = said == kind and met[said] == nth and not sprung
        if here:
            sprung.append(f"{request.method} {request.path}")
        if here and when == "before":
            spring()
        reply = answer(request)
        if here and when == "after":
            spring()
        return reply

    simulator.answer = watched  # type: ignore[method-assign]  # the trap stands where the portal stood
    return sprung


def work(town: Town) -> list[str]:
    """Dossiers with several steps each, half of them forwarded to the ministry."""
    made = []
    for number in range(DOSSIERS):
        service, agency = (BIRTH, "H99.13") if number % 2 else ("1.013234", "H99.19")
        one = town.province.act("create_dossier", {"online": False, "service": service, "agency": agency})
        for verb in ("process", "interoperate"):
            town.province.act(verb, {"referenceUid": one["referenceUid"]})
        made.append(one["referenceUid"])
    return made


def finish(town: Town, references: list[str]) -> None:
    """The ministry and the officers end every dossier."""
    for number, reference in enumerate(references):
        if number % 2:
            for verb in ("advance", "complete"):
                town.justice.act(verb, {"number": town.number(reference)})
        else:
            town.province.act("complete", {"referenceUid": reference})


def killed_and_finished(town: Town, project_root: Path, arm: Callable[[Callable[[], None]], Any]) -> int:
    """Run a child until its trap kills it, go on in this process, judge the books; gives how many were in flight."""
    town.raw["portals"]["national"]["options"]["session_ttl_s"] = 0.001  # a login before each call, so after "begin"
    town.pull()
    town.adopt(time.time() - 3600)
    town.gateway.close()
    references = work(town)
    with child(town, project_root) as process:
        sprung = arm(lambda: os.kill(process.pid, signal.SIGKILL))
        assert process.wait(30) == -signal.SIGKILL
        assert sprung is None or sprung, "the trap was never reached"
    town.open()
    in_flight = {row.key for row in town.deliveries("begun")}
    town.rest(rounds=200)
    finish(town, references)
    town.rest(rounds=200)
    judge(town, references, in_flight)
    return len(in_flight)


def judge(town: Town, references: list[str], in_flight: set[str]) -> None:
    evidence.check(town.gateway.store)
    unproven = town.deliveries("unproven")
    assert {row.klass for row in unproven} <= {"append"}
    assert {row.key for row in unproven} <= in_flight, "only a call cut by the kill may be unproven"
    unsure = sum(len(row.members) for row in unproven)
    numbers = [town.number(reference) for reference in references]
    rows = Counter(orjson.dumps(effect["content"]) for effect in town.effects() if effect["effect"] == "progress")
    assert set(rows.values()) <= {1}, "a row was sent twice"
    wanted = 4 * DOSSIERS  # accepted, in progress, forwarded, completed
    assert wanted - unsure <= len(rows) <= wanted
    shown = {number: str(town.national.holdings.dossiers[number].content["TrangThaiHoSo"]) for number in numbers}
    assert shown == dict.fromkeys(numbers, "9")
    declared = Counter(e["key"] for e in town.justice.book.effects() if e["effect"] == "declare")
    assert declared == Counter(numbers[1::2])
    ours = [effect for effect in town.province.book.effects() if effect["call"]]
    acts = [effect["content"]["actionCode"] for effect in ours if effect["effect"] == "action"]
    assert acts == ["3300"] * (DOSSIERS // 2), "each result is an act once"
    brought = Counter(effect["key"] for effect in ours if effect["effect"] == "file")
    assert list(brought.values()) == [1] * (DOSSIERS // 2), "each certificate lies at the province once"
    assert town.gateway.store.read(lambda tx: tx.counts())["file"] == DOSSIERS // 2, "no file has two rows"
    created = Counter(e["key"] for e in town.effects() if e["effect"] == "create")
    assert created == Counter(numbers)
    first = [next(e["effect"] for e in town.effects() if e["key"] == number) for number in numbers]
    assert set(first) == {"create"}, "the first snapshot before all rows"
    for number, shown_dates in dict(town.national.screen("dates", {})).items():
        for name in ("NgayNopHoSo", "NgayTiepNhan"):
            assert len({dates[name] for dates in shown_dates}) == 1, f"{name} of {number} moved"


POINTS = [
    pytest.param("national", "login", 2, "before", id="begun-and-not-sent"),
    pytest.param("national", "write", 1, "before", id="snapshot-cut-before-its-effect"),
    pytest.param("national", "write", 2, "after", id="snapshot-done-and-not-recorded"),
    pytest.param("national", "progress", 1, "before", id="row-cut-before-its-effect"),
    pytest.param("national", "progress", 2, "after", id="row-done-and-not-recorded"),
    pytest.param("justice", "write", 1, "after", id="declaration-done-and-not-recorded"),
    pytest.param("province", "read", 4, "after", id="page-half-read"),
]


@pytest.mark.parametrize(("portal", "kind", "nth", "when"), POINTS)
def test_a_kill_at_a_chosen_call(town: Town, project_root: Path, portal: str, kind: str, nth: int, when: str) -> None:
    def arm(spring: Callable[[], None]) -> list[str]:
        return trap(getattr(town, portal), kind, nth, when, spring)

    in_flight = killed_and_finished(town, project_root, arm)
    assert in_flight == (0 if kind == "read" else 1)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(n, marks=pytest.mark.soak) for n in range(3, 20))])
def test_a_kill_at_any_moment(town: Town, project_root: Path, seed: int) -> None:
    """While a page is stored, a lane claimed, an outcome recorded: the moment is drawn by lot."""

    def soon(spring: Callable[[], None]) -> None:
        time.sleep(random.Random(seed).uniform(0.0, 0.35))
        spring()

    killed_and_finished(town, project_root, soon)
