"""Run simulators in one process: `python -m adapters.simulation --kind npsp`.

Prints one JSON line `{"portals": {NAME: {"kind", "url", "control_url"}}}` and serves until standard input ends,
SIGTERM or SIGINT comes, or `--max-seconds` have passed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from adapters import registry
from adapters.simulation.clock import SimClock
from adapters.simulation.faults import FaultPlan, Outage
from adapters.simulation.server import SimulatorServer
from schemas.errors import ConfigError

_EXAMPLE = """\
several portals:
  python -m adapters.simulation --portals '[
    {"name": "ca_mau", "kind": "opencps", "options": {}},
    {"name": "national", "kind": "npsp", "port": 8081, "clock": {"offset_s": 40, "speed": 60},
     "faults": {"seed": 7, "rate": 0.2, "outage": {"after_calls": 300, "seconds": 2}}}]'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; exit code 0, or 2 for arguments that cannot be used."""
    parsed = _parser().parse_args(arguments)
    try:
        portals = _portals(parsed)
        servers = {portal.get("name", portal["kind"]): _server(portal) for portal in portals}
    except (ConfigError, ValueError, TypeError, KeyError) as error:
        sys.stderr.write(f"cannot start: {error!r}\n")
        return 2
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with ExitStack() as running:
        for server in servers.values():
            running.enter_context(server)
        sys.stdout.write(json.dumps({"portals": {name: _where(server) for name, server in servers.items()}}) + "\n")
        sys.stdout.flush()
        threading.Thread(target=_wait_for_end_of_input, args=(stopping,), daemon=True).start()
        stopping.wait(parsed.max_seconds)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.simulation", epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", help="kind of a single portal")
    parser.add_argument("--port", type=int, default=0, help="its port; 0 takes a free one")
    parser.add_argument("--options", type=json.loads, default={}, help="its simulator's options, a JSON object")
    parser.add_argument("--faults", type=json.loads, default={}, help="its fault plan, a JSON object")
    parser.add_argument("--portals", type=json.loads, default=[], help="several portals, a JSON list")
    parser.add_argument("--max-seconds", type=float, default=3600.0, help="stop after so long in any case")
    return parser


def _portals(parsed: argparse.Namespace) -> list[dict[str, Any]]:
    portals = list(parsed.portals)
    if parsed.kind:
        portals.append({"kind": parsed.kind, "port": parsed.port, "options": parsed.options, "faults": parsed.faults})
    if not portals:
        raise ValueError("name a --kind or --portals")
    names = [portal.get("name", portal["kind"]) for portal in portals]
    if len(set(names)) < len(names):
        raise ValueError(f"two portals have one name: {names}")
    return portals


def _server(portal: Mapping[str, Any]) -> SimulatorServer:
    faults = dict(portal.get("faults", {}))
    outage = faults.pop("outage", None)
    plan = FaultPlan(**faults, outage=Outage(**outage) if outage else None)
    clock = SimClock(**portal["clock"]) if "clock" in portal else None
    return SimulatorServer(
        registry.simulator(portal["kind"], portal.get("options", {})), portal.get("port", 0), plan, clock
    )


def _where(server: SimulatorServer) -> dict[str, str]:
    return {"kind": server.simulator.kind, "url": server.url, "control_url": server.control_url}


def _wait_for_end_of_input(stopping: threading.Event) -> None:
    # Not through sys.stdin: its lock, held by this thread, would break the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        """What is written to us means nothing; only the end does."""
    stopping.set()


if __name__ == "__main__":
    sys.exit(main())
