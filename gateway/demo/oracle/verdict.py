"""What the oracle found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Due = tuple[str, str, str, str]
"""Portal, dossier, class, key due."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `what` is lost, duplicated, invented, legal_date_moved, wrongly_unproven, double_zero,
    wrong_answer or missing_acknowledged.
    """

    what: str
    portal: str
    dossier: str
    detail: str


@dataclass(slots=True)
class Verdict:
    """All that was due, what the books show of it, and every finding."""

    expected: list[Due] = field(default_factory=list)
    effects: int = 0
    apart: int = 0
    """Due but not shown, and listed by the gateway as unproven."""
    findings: list[Finding] = field(default_factory=list)

    def add(self, what: str, portal: str, dossier: str, detail: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(what, portal, dossier, detail))

    def count(self, what: str) -> int:
        """How many findings there are of one sort."""
        return Counter(found.what for found in self.findings)[what]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings
