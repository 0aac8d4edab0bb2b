"""Problems of a mapping file, collected with the place each stands at."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError

Where = tuple[str | int, ...]
"""Keys from the top of a mapping file to the thing spoken of."""


@dataclass
class Problems:
    """Every problem found so far."""

    found: list[tuple[Where, str]] = field(default_factory=list)

    def add(self, where: Where, text: str) -> None:
        """Note a problem."""
        self.found.append((where, text))

    def refused(self, where: Where, error: ValidationError) -> None:
        """Note every problem of a model that refused its data."""
        for item in error.errors():
            text = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
            self.add((*where, *item["loc"]), text)
