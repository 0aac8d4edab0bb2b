"""A value or model -> always the same bytes -> its digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from pydantic import BaseModel


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | frozenset | set):
        return sorted(value) if isinstance(value, frozenset | set) else list(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def _instant(value: Any) -> Any:
    """`value` with every instant in UTC; a naive one is refused."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)
    if isinstance(value, BaseModel):
        return _instant(value.model_dump())
    if isinstance(value, Mapping):
        return {key: _instant(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_instant(item) for item in value]
    return value


def canonical_bytes(value: Any) -> bytes:
    """JSON with sorted keys, no blanks, UTF-8, instants as `...Z`: equal values give equal bytes.

    Raises:
        TypeError, ValueError: The value has no canonical form (a naive time, an unknown type).
    """
    return orjson.dumps(_instant(value), default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in lower-case hex."""
    return sha256(canonical_bytes(value)).hexdigest()
