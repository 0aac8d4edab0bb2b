"""One look of `lienthong doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One look. `state`: ok, warn or bad."""

    what: str
    state: State
    found: str
