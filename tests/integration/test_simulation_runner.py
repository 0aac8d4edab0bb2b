"""`python -m adapters.simulation` as a process: one line of addresses, and it ends when it is told to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

PORTALS = [
    {"name": "moc", "kind": "nsw", "faults": {"rate": 0.1, "seed": 4}, "clock": {"offset_s": 30}},
    {"name": "moj", "kind": "civil_status", "faults": {"outage": {"after_calls": 3, "seconds": 1}}},
]


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "adapters.simulation", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def addresses(process: subprocess.Popen[str]) -> dict[str, dict[str, str]]:
    assert process.stdout is not None
    portals: dict[str, dict[str, str]] = json.loads(process.stdout.readline())["portals"]
    return portals


def test_several_portals_run_in_one_process_until_input_ends() -> None:
    with running("--portals", json.dumps(PORTALS)) as process:
        portals = addresses(process)
        assert {name: portal["kind"] for name, portal in portals.items()} == {"moc": "nsw", "moj": "civil_status"}
        for portal in portals.values():
            connection = HTTPConnection(portal["control_url"].removeprefix("http://"), timeout=5)
            connection.request("GET", "/_sim/book")
            assert json.loads(connection.getresponse().read())["kind"] == portal["kind"]
            connection.close()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_it_ends_on_sigterm_and_after_its_time() -> None:
    with running("--kind", "nsw") as process:
        addresses(process)
        process.terminate()
        assert process.wait(5) == 0
    with running("--kind", "nsw", "--max-seconds", "0.2") as process:
        addresses(process)
        assert process.wait(5) == 0


def test_wrong_arguments_are_told_and_nothing_starts() -> None:
    twice = json.dumps([{"kind": "nsw"}, {"kind": "nsw"}])
    for arguments in (["--kind", "nix"], [], ["--portals", twice], ["--kind", "nsw", "--faults", '{"kinds": ["x"]}']):
        done = subprocess.run(
            [sys.executable, "-m", "adapters.simulation", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert done.returncode == 2
        assert done.stderr.startswith("cannot start: ")
        assert done.stdout == ""
