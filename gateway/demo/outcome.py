"""What a demo came to: the figures of `lienthong demo --json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FIGURES = (
    "converged",
    "rounds",
    "expected_effects",
    "effects",
    "lost",
    "duplicated",
    "invented",
    "legal_dates_moved",
    "writes_after_rest",
    "unknown_settled",
    "unproven",
    "wrongly_unproven",
    "settled_by_person",
    "parked",
    "quarantined",
    "missing_acknowledged",
    "double_zero",
    "wrong_answers",
    "faults_injected",
)
"""The figures of an outcome in the order people look for them."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL: when (seconds since the demo went live) and what was in flight."""

    at_s: float
    begun: dict[str, int]
    """Portal -> calls that the store shows as begun and without an outcome."""
    requests: dict[str, int]
    """Portal -> calls that the portal's book shows as under way at that instant."""
    told: dict[str, int] = field(default_factory=dict)
    """Portal -> its own calls on the gateway under way at that instant."""

    @property
    def in_flight(self) -> bool:
        """Whether work was under way."""
        return any(self.begun.values()) or any(self.requests.values()) or any(self.told.values())


@dataclass(slots=True)
class Outcome:
    """Every figure has the name it has in the output; `findings` name what is wrong, for people."""

    dossiers: int = 0
    seed: int = 0
    faults: str = "none"
    converged: bool = False
    rounds: int = 0
    expected_effects: int = 0
    effects: int = 0
    lost: int = 0
    duplicated: int = 0
    invented: int = 0
    legal_dates_moved: int = 0
    writes_after_rest: int = 0
    unknown_settled: int = 0
    unproven: int = 0
    settled_by_person: int = 0
    parked: int = 0
    quarantined: int = 0
    wrongly_unproven: int = 0
    missing_acknowledged: int = 0
    double_zero: int = 0
    wrong_answers: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    """Calls of portals on the gateway: `pushes`, `answers`, ..., as `gateway.demo.oracle.figures` counts them."""
    faults_injected: dict[str, dict[str, int]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    seconds: float = 0.0
    due: dict[str, dict[str, int]] = field(default_factory=dict)
    """Portal -> class -> how many effects were due: `expected_effects` taken apart."""
    each_due: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Portal, dossier, class and key of every effect that was due; written to a file of its own."""
    findings: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether all ends agree and nothing is wrong."""
        wrong = (
            self.lost,
            self.duplicated,
            self.invented,
            self.legal_dates_moved,
            self.writes_after_rest,
            self.wrongly_unproven,
            self.missing_acknowledged,
            self.double_zero,
            self.wrong_answers,
        )
        return self.converged and not any(wrong)

    def as_json(self) -> dict[str, Any]:
        """The figures, in the order people look for them."""
        found: dict[str, Any] = {name: getattr(self, name) for name in FIGURES}
        found["kills"] = [
            {
                "at_s": kill.at_s,
                "in_flight": kill.in_flight,
                "begun": kill.begun,
                "requests": kill.requests,
                "told": kill.told,
            }
            for kill in self.kills
        ]
        found |= self.told
        found |= {"seconds": self.seconds, "dossiers": self.dossiers, "seed": self.seed, "faults": self.faults}
        return found | {"due": self.due, "calls": self.calls, "phases": self.phases, "findings": self.findings[:100]}
