"""Attachments: streamed to disk in sealed slices, capped and looked at; removed when their day has come."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.store.base import Vault
from gateway.store.copies import flush
from gateway.store.rows import FileRow
from gateway.vault import SealError
from schemas.errors import RecordInvalidError, StoreError

SLICE = 64 * 1024
"""Plain bytes sealed together. Each slice begins with its number and whether it is the last: none can be left out."""

_MORE, _LAST = b"\x00", b"\x01"
_SPACE = uuid.UUID("d6c0f7a2-2f52-5a5b-8f0e-0d2f6a5f7b31")
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf", "application/x-7z-compressed"),
)
_PICTURES = ("png", "jpg", "jpeg", "gif", "tif", "tiff")
_OFFICE = ("docx", "xlsx", "pptx", "odt", "ods", "doc", "xls", "ppt", "rtf")
_ENDINGS = frozenset(("pdf", "xml", "zip", "rar", "7z", *_PICTURES, *_OFFICE))
"""Endings of names of files whose first bytes tell what they are."""
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")


class FileRefusedError(RecordInvalidError):
    """Nothing that is ever taken in, however often it comes: too large, or a program."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file on disk that is nobody's yet: its row, and where its sealed bytes lie meanwhile."""

    row: FileRow
    part: Path


def file_id(portal: str, key: str, ref: str, sha256: str) -> str:
    """A file's id of 36 characters: the same bytes of the same call are the same file, however often they come."""
    return str(uuid.uuid5(_SPACE, f"{portal}\x00{key}\x00{ref}\x00{sha256}"))


def looks_like(head: bytes) -> str:
    """The media type that the first bytes show.

    Raises:
        RecordInvalidError: A program, or a web page where a file was promised.
    """
    start = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(_PROGRAMS):
        raise FileRefusedError("the file is a program")
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        raise RecordInvalidError("a web page instead of a file")
    for magic, media in _MAGIC:
        if head.startswith(magic):
            return media
    if start.startswith(b"<?xml") or (start.startswith(b"<") and b">" in start):
        return "application/xml"
    return "application/octet-stream" if b"\x00" in head[:SLICE] else "text/plain"


def may_be_noise(name: str, media_type: str) -> bool:
    """Whether bytes show nothing known where the name's ending promises something that could be known.

    A file of another kind than its name says is a file: people give wrong endings.
    """
    known = name.rpartition(".")[2].casefold() in _ENDINGS
    return known and media_type in ("text/plain", "application/octet-stream")


class FileStore:
    """Sealed attachments in one folder, one file each."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(
        self, portal: str, key: str, ref: str, name: str, chunks: Iterable[bytes], *, cap: int, at: float, days: int
    ) -> FileRow:
        """Take in one file; on disk when this returns. The row is not stored yet. Raises as `hold`."""
        held = self.hold(portal, key, ref, name, chunks, cap=cap, at=at, days=days)
        return self.place([held])[0]

    def hold(
        self,
        portal: str,
        key: str,
        ref: str,
        name: str,
        chunks: Iterable[bytes],
        *,
        cap: int,
        at: float,
        days: int,
        owner: str = "",
    ) -> Held:
        """Put one file on disk under a name that nobody else uses, until `place` or `let_go`.

        `owner` seals it: the dossier it is known to be of, else the call of this key.

        Raises:
            KeyError: The owner was erased.
            RecordInvalidError: Empty, larger than `cap` bytes, or nothing that a dossier may hold.
            StoreError: The disk does not take it.
        """
        owner = owner or f"call:{portal}:{self._vault.blind(key)[:24]}"
        self._vault.ensure([owner])
        part = self._folder / f"{uuid.uuid4()}.part"
        sha, size = hashlib.sha256(), 0
        media = ""
        try:
            with part.open("xb") as file:
                part.chmod(0o600)
                for number, (plain, last) in enumerate(_slices(chunks)):
                    size += len(plain)
                    if size > cap:
                        raise FileRefusedError(f"a file is larger than {cap} bytes")
                    media = media or (looks_like(plain) if plain else "")
                    sha.update(plain)
                    file.write(self._sealed(owner, number, plain, last=last))
                if not size:
                    raise RecordInvalidError("a file is empty")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            _unlink(part)
            raise StoreError(f"a file cannot be kept: {error.strerror}") from error
        except BaseException:
            _unlink(part)
            raise
        digest = sha.hexdigest()
        row = FileRow(
            file_id(portal, key, ref, digest),
            portal,
            key,
            ref,
            seal_key=owner,
            sealed_name=self._vault.seal(owner, name.encode()),
            media_type=media,
            size=size,
            sha256=digest,
            at=at,
            expires_at=at + days * 86400.0,
        )
        return Held(row, part)

    def place(self, held: Sequence[Held]) -> list[FileRow]:
        """Give files their own names, all at once: a call that is refused for one of them leaves none behind.

        Raises:
            StoreError: The disk does not take it.
        """
        try:
            for one in held:
                one.part.replace(self._folder / one.row.id)
            if held:
                flush(self._folder)  # else a name may be gone after a power failure, and its row is there
        except OSError as error:
            self.let_go(held)
            raise StoreError(f"a file cannot be kept: {error.strerror}") from error
        return [one.row for one in held]

    def let_go(self, held: Iterable[Held]) -> None:
        """Remove files that were held for nothing."""
        for one in held:
            _unlink(one.part)

    def believed(self, name: str, hold: Callable[[], Held]) -> Held:
        """A file that was asked for; one that may be noise is asked for again, and believed if it repeats.

        Portals send noise of the length that was promised.

        Raises:
            RecordInvalidError: Both answers may be noise, and they differ; or as `hold`, one attempt.
        """
        first = hold()
        if not may_be_noise(name, first.row.media_type):
            return first
        self.let_go([first])
        second = hold()
        if may_be_noise(name, second.row.media_type) and second.row.sha256 != first.row.sha256:
            self.let_go([second])
            raise RecordInvalidError("a file is not what its name says, and comes with other bytes each time")
        return second

    def open(self, row: FileRow) -> Iterator[bytes]:
        """The plain bytes, slice by slice.

        Raises:
            FileNotFoundError: Removed because its day had come.
            SealError: Damaged, cut, or its key was erased.
        """
        with (self._folder / row.id).open("rb") as file:
            number = 0
            while True:
                head = file.read(4)
                if len(head) < 4:
                    raise SealError("a kept file is cut short")
                plain = self._plain(row.seal_key, number, file.read(int.from_bytes(head, "big")))
                yield plain[9:]
                if plain[8:9] == _LAST:
                    return
                number += 1

    def name(self, row: FileRow) -> str:
        """The file's name as its sender gave it."""
        return self._vault.open(row.seal_key, row.sealed_name).decode()

    def has(self, row: FileRow) -> bool:
        """Whether its bytes are there."""
        return (self._folder / row.id).is_file()

    def remove(self, rows: Iterable[FileRow]) -> None:
        """Remove bytes; those that are gone already stay gone."""
        for row in rows:
            (self._folder / row.id).unlink(missing_ok=True)

    def older_than(self, at: float) -> Iterator[str]:
        """Names of what was written before an instant, unfinished files among them."""
        with os.scandir(self._folder) as found:
            yield from (entry.name for entry in found if entry.is_file() and entry.stat().st_mtime < at)

    def remove_names(self, names: Iterable[str]) -> None:
        """Remove bytes that no row names."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _sealed(self, owner: str, number: int, plain: bytes, *, last: bool) -> bytes:
        sealed = self._vault.seal(owner, number.to_bytes(8, "big") + (_LAST if last else _MORE) + plain)
        return len(sealed).to_bytes(4, "big") + sealed

    def _plain(self, owner: str, number: int, sealed: bytes) -> bytes:
        try:
            plain = self._vault.open(owner, sealed)
        except KeyError:
            raise SealError("the key of a kept file was erased") from None
        if int.from_bytes(plain[:8], "big") != number:
            raise SealError("a kept file has its slices in another order")
        return plain


def _unlink(part: Path) -> None:
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


def _slices(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into slices of one size, and tell the last."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) > SLICE:
            yield bytes(held[:SLICE]), False
            del held[:SLICE]
    yield bytes(held), True
