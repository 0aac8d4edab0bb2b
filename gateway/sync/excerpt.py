"""A portal's words as they may lie in the store in plain: without anything we know to be somebody's (I9)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from gateway.sync.dossiers import Held

SHORTEST = 4
"""Shorter values are codes and common words; blanking them would blank the portal's own words."""
_OF_PERSONS = ("applicant", "submitter", "form", "note", "officer")


def cleared(text: str, held: Held) -> str:
    """Blank every value of a person that this dossier holds, in any case and Unicode form; adapters blank numbers."""
    found = unicodedata.normalize("NFC", text)
    for value in sorted(_values(held), key=len, reverse=True):
        found = re.sub(re.escape(value), "…", found, flags=re.IGNORECASE)
    return found


def _values(held: Held) -> set[str]:
    sections = [facts.get(name) for facts in held.facts.values() for name in _OF_PERSONS]
    texts = (unicodedata.normalize("NFC", value) for value in _strings([*sections, *held.texts.values()]))
    return {text for text in texts if len(text) >= SHORTEST}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
