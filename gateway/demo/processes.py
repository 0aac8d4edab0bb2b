"""The demo's other two processes: the simulators, and the gateway as a province runs it (`lienthong run`)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.errors import GatewayError

START_WAIT_S = 30.0
STOP_WAIT_S = 20.0


class DemoError(GatewayError):
    """A part of the demo did not start or ended by itself."""


@contextmanager
def reserved_port() -> Iterator[int]:
    """A free port of this machine, kept for the gateway also while it is down: bound, but not listened at."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class Simulators:
    """All simulated portals in one process."""

    def __init__(self, portals: list[dict[str, Any]], log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "adapters.simulation", "--portals", json.dumps(portals)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise DemoError(f"the simulators did not start: see {log}")
        places = json.loads(line)["portals"]
        self.urls = {name: str(place["url"]) for name, place in places.items()}
        self.control = {name: str(place["control_url"]) for name, place in places.items()}

    def stop(self) -> None:
        """End the process: it stops when its standard input ends."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class GatewayProcess:
    """`lienthong run` and `lienthong sync` on one configuration, as processes of their own."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start `lienthong run`; returns at once."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("run", module="gateway.demo.tied"), stdout=log, stderr=log, stdin=subprocess.PIPE
            )

    def _command(self, *words: str, module: str = "gateway") -> list[str]:
        return [sys.executable, "-m", module, *words, "--config", str(self._config)]

    def until_it_listens(self, port: int) -> None:
        """Wait until portals can call it."""
        ends = time.monotonic() + START_WAIT_S
        while time.monotonic() < ends:
            self.check()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise DemoError(f"the gateway does not listen after {START_WAIT_S:.0f} s: see {self._log}")

    def check(self) -> None:
        """Raise DemoError when the gateway has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise DemoError(f"the gateway ended by itself with code {self._process.returncode}: see {self._log}")

    def kill(self) -> None:
        """SIGKILL, at whatever line it is."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._gone()

    def stop(self) -> None:
        """SIGTERM and wait for a clean end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._gone()

    def _gone(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def sync(self, *, until_rest: bool, for_s: float = 60.0) -> dict[str, Any]:
        """`lienthong sync --json`: every job woken once, or again and again until nothing is owed."""
        words = ["sync", "--json", *(["--until-rest", "--for", str(for_s)] if until_rest else [])]
        with self._log.open("ab") as log:
            ended = subprocess.run(
                self._command(*words), stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, check=False
            )
        if not ended.stdout.strip():
            raise DemoError(f"'lienthong sync' ended with code {ended.returncode} and said nothing: see {self._log}")
        found: dict[str, Any] = json.loads(ended.stdout)
        return found
