"""Reads an answer's body under a cap that holds while it is unpacked.

httpx unpacks each piece whole and as many codings deep as the answer names: 2 KB packed twice become gigabytes before
anybody can count them. Here one coding is undone, in pieces no larger than what is still allowed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

ACCEPTED = "gzip, deflate"
"""The Accept-Encoding that goes with `body_of`."""

_GZIP, _ZLIB, _BARE = 31, 15, -15
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class BadContentError(Exception):
    """The body cannot be read; the text says why and quotes nothing."""


def body_of(parts: Iterable[bytes], coding: str, limit: int) -> bytes:
    """The body of an answer, unpacked.

    Args:
        parts: As they come from the line.
        coding: The answer's Content-Encoding.
        limit: Largest size in bytes, packed and unpacked.

    Raises:
        BadContentError: Longer than `limit`, packed in a way we did not ask for, or broken.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return _joined(parts, limit)
    if name not in _WINDOWS:
        raise BadContentError("the answer is packed in a way that was not asked for")
    return _joined(_unpacked(_joined(parts, limit), _WINDOWS[name], limit), limit)


def _joined(parts: Iterable[bytes], limit: int) -> bytes:
    kept, size = [], 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise BadContentError(f"the answer is longer than {limit} bytes")
        kept.append(part)
    return b"".join(kept)


def _unpacked(packed: bytes, window: int, limit: int) -> Iterator[bytes]:
    """Each member of a packed body, at most one byte more than `limit` of it."""
    if window == _ZLIB and not _has_zlib_head(packed):
        window = _BARE  # some servers call bare deflate by the same name
    while packed:
        unpacker = zlib.decompressobj(window)
        try:
            yield unpacker.decompress(packed, limit + 1)
        except zlib.error:
            raise BadContentError("the answer's packing is broken") from None
        if not unpacker.eof:
            raise BadContentError("the answer's packing ends too early")
        packed = unpacker.unused_data


def _has_zlib_head(packed: bytes) -> bool:
    return len(packed) > 1 and packed[0] & 15 == 8 and (packed[0] << 8 | packed[1]) % 31 == 0
