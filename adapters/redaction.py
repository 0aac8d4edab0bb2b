"""Keeps what we sent out of what we show of an answer: portals like to quote the applicant back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson

SHORTEST = 4
"""Shorter texts are codes and numbers of a list; masking them would blacken every answer."""


def without(text: str, values: Iterable[str]) -> str:
    """`text` in NFC with every one of `values` masked, in whatever case the portal repeats it."""
    shown = unicodedata.normalize("NFC", text)
    wanted = {unicodedata.normalize("NFC", value).strip() for value in values}
    for value in sorted((value for value in wanted if len(value) >= SHORTEST), key=len, reverse=True):
        shown = re.sub(re.escape(value), "…", shown, flags=re.IGNORECASE)
    return shown


def texts_of(sent: Any, kept: Collection[str]) -> Iterator[str]:
    """Every text in a JSON value, also of JSON inside texts; fields named in `kept` (in lower case) are left out."""
    if isinstance(sent, Mapping):
        for name, value in sent.items():
            if name.casefold() not in kept:
                yield from texts_of(value, kept)
    elif isinstance(sent, list):
        for value in sent:
            yield from texts_of(value, kept)
    elif isinstance(sent, str):
        yield sent
        if sent[:1] in ("{", "["):
            yield from _inside(sent, kept)


def _inside(text: str, kept: Collection[str]) -> Iterator[str]:
    try:
        yield from texts_of(orjson.loads(text), kept)
    except orjson.JSONDecodeError:
        return
