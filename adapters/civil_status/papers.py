"""The papers of a push: a frozen body names stored files, their bytes are read when it is sent.

So nothing large is ever frozen, and as a stored file never changes, the body on the wire is the same at every resend.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from mimetypes import guess_extension
from typing import BinaryIO

from adapters.base import FileStream
from adapters.civil_status.wire import JsonValue, text_of
from schemas.errors import StoreError

PAPERS, FILE = "fileDinhKem", "lienThongTep"
"""The ministry's list of papers; and our own field in it, which names a stored file and is never sent."""
FILE_NAME, CONTENT = "tenTepDinhKem", "duLieuTepDinhKem"
_PIECE = 3 * 64 * 1024
"""Read at once; a multiple of three, so that pieces are encoded one by one."""
_LONGEST_EXTENSION = 5

Opener = Callable[[str], FileStream]


class PapersError(Exception):
    """The papers cannot be sent now; `final` when no later try would do better. The text names no paper."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.final = final


def with_bytes(record: dict[str, JsonValue], opener: Opener | None, cap: int) -> dict[str, JsonValue]:
    """The record with the bytes of the files it names, Base64, and a file name for each.

    Raises:
        PapersError: A file is not kept here, cannot be read now, or all of them together are larger than `cap`.
    """
    rows = record.get(PAPERS)
    if not isinstance(rows, list) or not any(isinstance(row, dict) and FILE in row for row in rows):
        return record
    left = cap
    filled: list[JsonValue] = []
    for row in rows:
        rest = {name: value for name, value in row.items() if name != FILE} if isinstance(row, dict) else row
        if rest == row or not (reference := text_of(row[FILE])):
            filled.append(rest)
            continue
        said, encoded = _read(reference, opener, left)
        left -= len(encoded)
        name = _file_name(text_of(row.get("tenGiayTo")), said)
        filled.append({**rest, FILE_NAME: name, CONTENT: encoded.decode("ascii")})
    return {**record, PAPERS: filled}


def _read(reference: str, opener: Opener | None, left: int) -> tuple[str, bytes]:
    """Media type and Base64 of a stored file."""
    try:
        if opener is None:
            raise LookupError
        opened = opener(reference)
        with opened.stream as stream:
            return opened.media_type, _encoded(stream, left)
    except LookupError:
        raise PapersError("one of its files is not kept here", final=True) from None
    except (OSError, StoreError):
        raise PapersError("one of its files cannot be read now", final=False) from None


def _encoded(stream: BinaryIO, left: int) -> bytes:
    encoded = bytearray()
    held = b""
    while piece := stream.read(_PIECE):
        held += piece
        whole = len(held) - len(held) % 3
        encoded += b64encode(held[:whole])
        held = held[whole:]
        if len(encoded) > left:
            break
    encoded += b64encode(held)
    if len(encoded) > left:
        raise PapersError("its files together are larger than max_push_bytes", final=True)
    return bytes(encoded)


def _file_name(name: str, media_type: str) -> str:
    """The paper's name as that of a file: with an extension for what the file is, where it has none."""
    _, dot, extension = name.rpartition(".")
    if dot and extension.isalnum() and len(extension) <= _LONGEST_EXTENSION:
        return name
    return (name or "tep") + (guess_extension(media_type) or "")
