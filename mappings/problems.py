"""Problems of a mapping file, collected with the place each stands at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Spec = TypeVar("Spec", bound=BaseModel)

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

    def checked(self, model: type[Spec], data: Any, where: Where) -> Spec | None:
        """`data` as `model`; wrong keys are noted and left out, so that the rest can still be checked."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.refused(where, error)
            wrong = {item["loc"][0] for item in error.errors() if item["loc"]}
        if not isinstance(data, dict):
            return None
        try:
            return model.model_validate({key: value for key, value in data.items() if key not in wrong})
        except ValidationError:
            return None
