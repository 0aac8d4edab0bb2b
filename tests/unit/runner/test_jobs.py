"""The jobs of one portal end whatever has become of the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.runner.jobs import PortalJobs
from gateway.sync.context import LoginHold
from tests.unit.sync.world import World


def test_jobs_end_though_nothing_can_be_stored_any_more(tmp_path: Path) -> None:
    """What ends all jobs, one portal after the other, stopped at the first that had deliveries to note."""
    world = World(tmp_path)
    world.live()
    for number in range(3):
        world.province.open(f"r{number}", at=world.tick(), code=f"C{number}", status="accepted")
    world.engine.pull("province")
    mistakes: list[BaseException] = []
    pool, portal = ThreadPoolExecutor(1), world.shop.portals["national"]
    hold = LoginHold("national", world.store, world.clock, lambda: "")
    jobs = PortalJobs(world.engine, portal, world.store, hold, pool, lambda _, error: mistakes.append(error))
    jobs.due()
    pool.shutdown(wait=True)
    assert sorted(world.national.shown) == ["C0", "C1", "C2"]
    noted = [row.counts["delivered"] for row in world.store.read(lambda tx: tx.list_runs(portal="national"))]
    assert noted == [2], "its snapshot and its row; the other two wait for their second"
    world.close()
    jobs.close()
    assert mistakes == []
