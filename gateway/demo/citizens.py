"""Citizens of the demo: they submit at the national portal, and pay, supplement or withdraw there.

The portal then calls the province over HTTP by itself, again and again until it has an answer; nobody waits for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.demo.screen import Screen
from gateway.demo.world import Life

REPEATED, TOGETHER, CHANGED = 0.30, 0.10, 0.05
"""Shares of dossiers pushed again, by three callers at once, and again with other content."""
_VERBS = {"supplements": "supplement", "pays": "pay", "withdraws": "withdraw"}
_TRIES, _PAUSE_S, _PATIENCE_S = 1_000, 1.0, 5.0


@dataclass(frozen=True, slots=True)
class Line:
    """Where the portal calls the province, how often it stumbles, and what a second of the demo is to the portal."""

    url: str
    faults: float
    speed: float


class Citizens:
    """Everybody who sits at home. `began` is the portals' own time when they sat down."""

    def __init__(self, screen: Screen, line: Line, began: datetime, seed: int) -> None:
        self._screen = screen
        self._line = line
        self._began = began
        self._since = time.monotonic()
        self._lot = random.Random(f"citizens {seed}")
        self._submitted: dict[str, tuple[int, str]] = {}

    def submit(self, life: Life) -> None:
        """Hand a dossier in; of some the portal tells the province more than once."""
        at, seed = self._now(), self._lot.randrange(2**31)
        self._submitted[life.number] = seed, at
        lot = self._lot
        self._do("submit", life, {
            "repeated": float(lot.random() < REPEATED),
            "concurrent": float(lot.random() < TOGETHER),
            "changed": float(lot.random() < CHANGED),
        })  # fmt: skip

    def ask(self, what: str, life: Life) -> None:
        """`supplements`, `pays` or `withdraws`."""
        self._do(_VERBS[what], life, {"asked_at": self._now()})

    def under_way(self) -> int:
        """Dossiers and requests of which the portal has not told everything yet."""
        return int(self._screen.look("calling")["under_way"])

    def _do(self, verb: str, life: Life, more: Mapping[str, Any]) -> None:
        seed, at = self._submitted[life.number]
        plan = {
            "url": self._line.url,
            "start": life.place,
            "seed": seed,
            "submitted_at": at,
            "procedures": [life.procedure.code],
            "agencies": [life.procedure.agency],
            "files": "base64",
            "faults": self._line.faults,
            "tries": _TRIES,
            "pause_s": _PAUSE_S,
            "patience_s": _PATIENCE_S,
            "workers": 3,
            "wait": False,
        }
        self._screen.do(verb, plan | dict(more))

    def _now(self) -> str:
        """The portals' own time."""
        return (self._began + timedelta(seconds=self._line.speed * (time.monotonic() - self._since))).isoformat()
