"""`lienthong run` and `lienthong simulate` as processes: woken at once, stopped within seconds, one per store."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import pytest

from adapters.simulation.faults import FaultPlan
from gateway.cli.exit_codes import ExitCode
from tests.integration.cli.conftest import KINDS, Rehearsal

STOPS_WITHIN_S = 12.0


@contextmanager
def process(rehearsal: Rehearsal, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "gateway", *arguments]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=rehearsal.folder, env=os.environ, **pipes) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def adopted(rehearsal: Rehearsal) -> None:
    rehearsal.call("sync")
    for portal in KINDS:
        rehearsal.call("adopt", portal, "--from", "2020-01-01")


def stop(started: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[float, str, str]:
    begun = time.monotonic()
    started.send_signal(number)
    out, err = started.communicate(timeout=STOPS_WITHIN_S + 10)
    return time.monotonic() - begun, out, err


def lines(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


def noted(rehearsal: Rehearsal) -> set[str]:
    """Jobs of the run log."""
    with closing(sqlite3.connect(rehearsal.folder / "var" / "lienthong.db")) as store:
        return {job for (job,) in store.execute("SELECT job FROM run")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_running_gateway_hands_on_at_once_and_stops_cleanly(rehearsal: Rehearsal, number: int) -> None:
    rehearsal.write_config(tuple(KINDS), ("province",), every_s="0.5")
    file = rehearsal.folder / "config.yaml"
    head, _, national = file.read_text().partition("  national:")
    file.write_text(head + "  national:" + national.replace("every_s: 0.5", "every_s: 60"))
    adopted(rehearsal)
    with process(rehearsal, "run") as started:
        until(lambda: (rehearsal.folder / "var" / "lienthong.db.run").exists())
        time.sleep(1.0)  # past the first, empty round of every job
        number_of = rehearsal.handed_in()
        until(lambda: ("progress", number_of) in rehearsal.effects())
        until(lambda: {"pull", "deliver"} <= noted(rehearsal))
        took, out, err = stop(started, number)
    assert started.returncode == ExitCode.OK, err
    assert took < STOPS_WITHIN_S / 2
    assert "national" in out
    events = [line["event"] for line in lines(err)]
    assert events[0] == "gateway_started"
    assert events[-1] == "gateway_stopped"
    assert "job_failed" not in events
    assert "THỬ NGHIỆM" not in err
    read, sent = (next(line for line in lines(err) if line.get("job") == job) for job in ("pull", "deliver"))
    waited = datetime.fromisoformat(sent["at"]) - datetime.fromisoformat(read["at"])
    # what a page made due is handed on while the pull still reads, so either line may come first
    assert abs(waited.total_seconds()) < 3, "the next interval would have been seconds away"


def test_a_portal_that_hangs_does_not_hold_up_the_stop_and_nothing_is_half_done(rehearsal: Rehearsal) -> None:
    """The call in flight is cut; what became of it is found out after the next start, and nothing is done twice."""
    rehearsal.write_config(tuple(KINDS), ("province",), every_s="0.5", call_timeout_s="60", settle_s="61")
    adopted(rehearsal)
    number = rehearsal.handed_in()
    national = rehearsal.servers["national"]
    national.faults = FaultPlan(seed=1, rate=1.0, kinds=("delay",), calls=("write",), delay_s=30.0)
    with process(rehearsal, "run") as started:
        until(lambda: sum(national.faults.report()["counts"].values()) > 0)
        took, _, err = stop(started)
    assert took < STOPS_WITHIN_S, err
    assert started.returncode == ExitCode.OK, err
    assert "gateway_stopped" in err
    deliveries = rehearsal.json("dossier", "show", number)[1]["deliveries"]
    assert [one["state"] for one in deliveries if one["class"] == "snapshot"] in (["unknown"], ["begun"], ["thawed"])


def test_two_gateways_do_not_run_over_one_store(rehearsal: Rehearsal) -> None:
    with process(rehearsal, "run") as first:
        assert first.stdout is not None
        until(lambda: (rehearsal.folder / "var" / "lienthong.db.run").exists())
        assert "lienthong" in first.stdout.readline()
        code, _, err = rehearsal.call("run")
        assert code == ExitCode.ERROR
        assert "another 'lienthong run'" in err
        stop(first)


def test_simulated_portals_stand_at_the_ports_of_the_configuration(rehearsal: Rehearsal) -> None:
    for server in rehearsal.servers.values():
        server.stop()
    with process(rehearsal, "simulate", "province", "national", "justice", "--for", "60", "--json") as started:
        assert started.stdout is not None
        answer = started.stdout.readline()
        while answer.count("{") != answer.count("}"):
            answer += started.stdout.readline()
        portals = {portal["portal"]: portal["url"] for portal in json.loads(answer)["portals"]}
        assert portals["province"] == rehearsal.servers["province"].url
        assert rehearsal.call("sync")[0] == ExitCode.OK
        assert rehearsal.call("doctor")[0] == ExitCode.OK
        took, _, err = stop(started)
    assert (started.returncode, err) == (ExitCode.OK, "")
    assert took < STOPS_WITHIN_S


def test_two_simulated_provinces_come_with_dossiers_that_nobody_confuses(rehearsal: Rehearsal) -> None:
    rehearsal.write_config((*KINDS, "second"), ("province", "second"))
    for server in rehearsal.servers.values():
        server.stop()
    with process(rehearsal, "simulate", "--dossiers", "12", "--for", "60", "--json") as started:
        assert started.stdout is not None
        started.stdout.readline()
        until(lambda: rehearsal.call("doctor")[0] == ExitCode.OK)
        code, done = rehearsal.json("sync")
        assert code == ExitCode.OK
        assert [done["read"][name]["new"] for name in ("province", "second")] == [12, 12]
        assert rehearsal.call("quarantine", "list")[0] == ExitCode.OK
        stop(started)


def test_a_full_disk_stops_the_gateway_with_the_reason_and_loses_nothing_acknowledged(rehearsal: Rehearsal) -> None:
    many = "{calls_per_s: 2000, burst: 2000}"
    rehearsal.write_config(("province", "national"), ("province",), every_s="0.5", budget=many)
    assert rehearsal.call("sync")[0] == ExitCode.OK
    held = (rehearsal.folder / "var" / "lienthong.db").stat().st_size
    limit = held // 1024 + 300
    script = f"ulimit -f {limit}; exec {sys.executable} -m gateway run"
    rehearsal.act("province", "seed_many", count=200, days=20)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=rehearsal.folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == ExitCode.ERROR, done.stderr
    assert "writing has stopped" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert rehearsal.call("sync", "--until-rest", "--for", "20")[0] == ExitCode.OK
    assert rehearsal.call("doctor")[0] == ExitCode.OK
