"""`python -m benchmarks [--quick]`: every benchmark beside its floor, in turn, as a Markdown table.

Writes `benchmarks/results/pull.json` and `pull.md`. Ends within about six minutes on an idle machine and not much later
on a busy one: after the first, a round that would begin too late is left out; the table says how many were made.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.measuring import fsync_ms
from benchmarks.report import markdown

RESULTS = Path(__file__).parent / "results"
FEED_UNTIL_S, SWEEP_UNTIL_S = 140.0, 260.0
PACKAGES = ("httpx", "orjson", "cryptography", "pydantic")
Figures = dict[str, Any]


def main() -> int:
    """Run everything; exit code 1 when a pull is slower than half its floor or needs more than 150 MiB."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts, one round: shows that it works, no more")
    quick = parser.parse_args().quick
    feed, few, sweep, rounds = (2000, 1000, 100, 1) if quick else (50_000, 10_000, 2000, 3)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as name:
        folder = Path(name)
        figures: Figures = {"machine": _machine(folder), "feed_records": feed, "sweep_records": sweep}
        with _feed_server(few) as url:
            figures["few"] = _pull("gateway_pull", url, folder, "1")
        with _feed_server(feed) as url:
            figures["feed"] = [_feed_round(url, folder) for _ in _rounds(rounds, began + FEED_UNTIL_S)]
        with _simulator(sweep) as url:
            figures["sweep"] = _sweep_rounds(url, folder, rounds, began + SWEEP_UNTIL_S)
    figures["seconds"] = round(time.monotonic() - began, 1)
    summary = _summary(figures)
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "pull.json").write_text(json.dumps({**summary, "runs": figures}, indent=1) + "\n")
        (RESULTS / "pull.md").write_text(markdown(summary))
    sys.stdout.write(markdown(summary))
    return 0 if quick or summary["held"] else 1


def _rounds(wanted: int, until: float) -> Iterator[int]:
    for number in range(wanted):
        if number and time.monotonic() > until:
            return
        yield number


def _feed_round(url: str, folder: Path) -> Figures:
    """First load and second pull of both, in turn."""
    found: Figures = {}
    for side in ("floor", "gateway_pull"):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            for again, which in (("1", "first"), ("2", "second")):
                found[f"{side} {which}"] = _run(side, url, name, again)
    return found


def _pull(side: str, url: str, folder: Path, which: str) -> Figures:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        return _run(side, url, name, which)


def _sweep_rounds(url: str, folder: Path, rounds: int, until: float) -> list[Figures]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        _run("sweep", "record", url, name)
        targets = str(Path(name) / "requests.json")
        made = []
        for _ in _rounds(rounds, until):
            found: Figures = {"requests": len(json.loads(Path(targets).read_text()))}
            for side in ("floor", "gateway"):
                with tempfile.TemporaryDirectory(dir=folder) as own:
                    found[side] = _run("sweep", side, url, own, targets)
            made.append(found)
        return made


def _run(module: str, *arguments: str) -> Figures:
    """One side in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed:\n{answer.stderr}")
    sys.stderr.write(f"{module} {arguments[0] if module == 'sweep' else arguments[-1]}\n")
    found: Figures = json.loads(answer.stdout)
    if found.get("reason") or found.get("quarantined"):
        raise RuntimeError(f"{module} did not read everything: {answer.stdout}")
    return found


@contextmanager
def _process(*arguments: str) -> Iterator[str]:
    """A server of our own; gives the first line it prints and ends it through its standard input."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("no pipes")
        yield server.stdout.readline().strip()
        server.stdin.close()
        server.wait(timeout=30)


@contextmanager
def _feed_server(total: int) -> Iterator[str]:
    with _process("benchmarks.feed_server", str(total), "2", "200") as url:
        yield url


@contextmanager
def _simulator(count: int) -> Iterator[str]:
    with _process("adapters.simulation", "--kind", "opencps") as line:
        where = json.loads(line)["portals"]["opencps"]
        seeded = {"count": count, "days": 60}
        httpx.post(f"{where['control_url']}/_sim/act/seed_many", json=seeded, timeout=300).raise_for_status()
        yield where["url"]


def _machine(folder: Path) -> Figures:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in PACKAGES},
        "fsync_ms": round(fsync_ms(folder), 3),
        "load": os.getloadavg()[0],
    }


def _summary(figures: Figures) -> Figures:
    """Medians, ratios and what was promised."""
    feed, sweep = figures["feed"], figures["sweep"]
    cases = {
        "feed, first load": _case(feed, "floor first", "gateway_pull first", figures["feed_records"]),
        "feed, a tenth changed": _case(feed, "floor second", "gateway_pull second", figures["feed_records"]),
        "opencps sweep": _case(sweep, "floor", "gateway", figures["sweep_records"]),
    }
    rows = feed[0]["gateway_pull first"]["rows"]
    peaks = [one[f"gateway_pull {which}"]["peak_mib"] for one in feed for which in ("first", "second")]
    memory = {"peak_mib_few": figures["few"]["peak_mib"], "peak_mib": max(peaks)}
    pulls = [case for name, case in cases.items() if name.startswith("feed")]
    return {
        "machine": figures["machine"],
        "seconds": figures["seconds"],
        "rounds": len(feed),
        "cases": cases,
        "rows_per_record": {table: count / figures["feed_records"] for table, count in rows.items() if count},
        "requests_of_sweep": sweep[0]["requests"],
        "few_records": figures["few"]["records"],
        **memory,
        "held": min(case["ratio"] for case in pulls) >= 0.5 and max(peaks) <= 150.0,
    }


def _case(rounds: list[Figures], floor: str, ours: str, records: int) -> Figures:
    def middle(side: str, name: str) -> float:
        return float(median(one[side][name] for one in rounds))

    return {
        "records": records,
        "ratio": median(one[floor]["seconds"] / one[ours]["seconds"] for one in rounds),
        "cpu_ratio": median(one[floor]["cpu_s"] / one[ours]["cpu_s"] for one in rounds),
        "floor": {name: middle(floor, name) for name in ("seconds", "cpu_s", "peak_mib", "disk_mib")},
        "gateway": {name: middle(ours, name) for name in ("seconds", "cpu_s", "peak_mib", "disk_mib")},
    }


if __name__ == "__main__":
    sys.exit(main())
