"""What was asked of a demo, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.demo.catalogue import JUSTICE, NATIONAL, PROVINCE, TRANSPORT
from gateway.demo.outcome import Outcome

SHORT = {PROVINCE: "province", NATIONAL: "national", TRANSPORT: "transport", JUSTICE: "justice"}
"""How the oracle names the portals."""

Tell = Callable[[str, int, int], None]
"""Called with a phase, how much of it is done and of how much."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: `dossiers` handed in at the province, and `pushes` more at the national portal."""

    dossiers: int = 200
    pushes: int = 20
    faults: str = "none"
    seed: int = 1
    kills: int = 0


@dataclass(slots=True)
class Demo:
    """One demo under way, and what it has come to."""

    wish: Wish
    folder: Path
    tell: Tell
    outcome: Outcome = field(default_factory=Outcome)
    phase_at: float = field(default_factory=time.monotonic)

    def phase(self, name: str) -> None:
        """Note how long what just ended took."""
        now = time.monotonic()
        self.outcome.phases[name] = round(now - self.phase_at, 2)
        self.phase_at = now
