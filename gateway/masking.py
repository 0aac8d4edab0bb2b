"""What is personal is never shown whole: names as initials, everything else as dots (rules.md on identity numbers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOTS = "•••"
_OPEN = frozenset({"kind", "province_code", "commune_code", "district_code"})
"""Values of a person that single nobody out."""


def initials(name: str) -> str:
    """`CÔNG DÂN THỬ NGHIỆM` -> `C.D.T.N.`; the length of the words is not shown."""
    return "".join(f"{word[0].upper()}." for word in name.split() if word)


def masked(value: Any, key: str = "") -> Any:
    """A personal value, or a section of them, as it may be shown; absent ones stay absent."""
    if value in (None, "", (), [], {}):
        return value
    if isinstance(value, Mapping):
        return {name: masked(inner, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inner, key) for inner in value]
    if key in _OPEN:
        return value
    return initials(str(value)) if key == "name" else DOTS
