"""SIGKILL at random moments: seeded, every second one when a call is known to be under way."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping

from gateway.bootstrap import Gateway
from gateway.demo.outcome import Kill
from gateway.demo.processes import GatewayProcess

_PATIENCE_S = 8.0
"""How long a kill waits for a call to be under way; a gateway just started needs a moment until it sends again."""
_MANY = 10_000


class Killer:
    """Kills the gateway `times` times while work goes on, and starts it again at once."""

    def __init__(
        self, times: int, seed: int, gateway: Gateway, process: GatewayProcess, control: Mapping[str, str]
    ) -> None:
        lot = random.Random(f"kills {seed}")
        self._moments = sorted(lot.uniform(0.08, 0.9) for _ in range(times))
        self._lot = lot
        self._gateway = gateway
        self._process = process
        self._control = dict(control)
        self._began = time.monotonic()
        self._up_at = 0.0
        self.kills: list[Kill] = []
        self.killed_at: list[float] = []

    def perhaps(self, done: float) -> None:
        """Kill if the share of work done has reached the next moment."""
        if self._moments and done >= self._moments[0]:
            self._moments.pop(0)
            self._kill(wait=len(self.kills) % 2 == 0)

    def finish(self) -> None:
        """Kills whose moment never came are made now: work may have ended early."""
        while self._moments:
            self._moments.pop(0)
            self._kill(wait=False)

    def _kill(self, *, wait: bool) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while not self._begun() and time.monotonic() < ends:
            time.sleep(0.003)
        if not wait:  # any moment, once the gateway is at work again
            time.sleep(self._lot.uniform(0.0, 0.5))
        at = time.time()
        self._process.kill()
        begun, requests = self._begun(), self._under_way(at)
        self.killed_at.append(at)
        self.kills.append(Kill(round(time.monotonic() - self._began, 2), begun, requests))
        self._up_at = time.time()
        self._process.start()

    def _begun(self) -> dict[str, int]:
        """Calls begun by the process of now; what an earlier one left begun is not under way any more."""
        rows = self._gateway.store.read(lambda tx: tx.list_deliveries(states=("begun",), limit=_MANY))
        return dict(Counter(row.portal for row in rows if row.attempts[-1]["begun_at"] >= self._up_at))

    def _under_way(self, at: float) -> dict[str, int]:
        """Calls that the portals' books show as begun before and not ended at that instant."""
        found = {}
        for name, url in self._control.items():
            with urllib.request.urlopen(f"{url}/_sim/calls", timeout=60) as reply:  # noqa: S310 - loopback
                calls = json.load(reply)
            count = sum(call["began_s"] <= at and (call["ended_s"] is None or call["ended_s"] >= at) for call in calls)
            if count:
                found[name] = count
        return found
