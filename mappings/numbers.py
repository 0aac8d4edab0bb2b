"""Whole numbers on the wire: as numbers, as text, as amounts of money in words of the portals."""

from __future__ import annotations

import re
from typing import Any

from mappings.codec import CodecError, nfc

_LIMIT = 10**18
_GROUPED = re.compile(r"[0-9]{1,3}(\.[0-9]{3}){1,4}").fullmatch
_WHOLE = re.compile(r"-?[0-9]{1,18}").fullmatch


def whole(value: Any) -> int:
    """A whole number from a number or its digits."""
    if type(value) is int:
        return only_int(value)
    if type(value) is str:
        digits = value.strip()
        if _WHOLE(digits):
            return int(digits)
    raise CodecError("whole number expected")


def only_int(value: Any) -> int:
    """A whole number of at most 18 digits."""
    if type(value) is not int or abs(value) >= _LIMIT:
        raise CodecError("whole number expected")
    return value


def money(value: Any) -> int:
    """Whole đồng from a number, digits, digits with dots, or the words for "nothing to pay" (npsp.md 5.4)."""
    if type(value) is str:
        plain = nfc(value).strip().casefold()
        if plain in ("không", "miễn phí"):
            return 0
        plain = plain.removesuffix("đồng").removesuffix("vnd").rstrip()
        if _GROUPED(plain):
            return int(plain.replace(".", ""))
        return whole(plain)
    return whole(value)
