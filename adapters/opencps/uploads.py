"""Attach stored files to a dossier, each once: its key is made of dossier and file (provincial.md 1.5, 1.6)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from mimetypes import guess_extension
from typing import BinaryIO, cast

from adapters.base import FileStream
from adapters.opencps import rows as wire
from adapters.opencps.calls import Calls, part
from adapters.opencps.identity import file_reference_of
from adapters.opencps.operations import Paper
from adapters.opencps.options import Options
from adapters.opencps.outcomes import said_of
from adapters.opencps.reading import Reader
from adapters.retry import retry_harmless
from schemas.errors import PortalContractError, PortalUnavailableError, StoreError

_UNKNOWN = "application/octet-stream"
_LONGEST_EXTENSION = 10
UNREADABLE = "one of its files cannot be read here now"


class _Paid:
    """Uploads draw on the portal's own budget one by one."""

    def take(self, calls: int = 1) -> None:
        """Nothing more to pay."""


class _Sized:
    """A stream whose length is known, so that an upload says it beforehand: not every server takes one in chunks."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._stream.read(size)

    def tell(self) -> int:
        """Where reading begins."""
        return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Say where the end is, or the beginning: asked before anything is read, and nothing moves."""
        return self._size if whence == os.SEEK_END else offset


class Uploads:
    """Uploads of one portal. A second upload under a known key with the same time changes nothing there."""

    def __init__(self, calls: Calls, reader: Reader, options: Options) -> None:
        self._calls = calls
        self._reader = reader
        self._options = options

    def unkept(self, papers: Sequence[Paper]) -> int:
        """How many of these files our own store no longer holds: known before anything is sent."""
        missing = 0
        for paper in papers:
            try:
                self._open(paper).stream.close()
            except LookupError:
                missing += 1
        return missing

    def missing(self, uid: str, papers: Sequence[Paper]) -> tuple[Paper, ...]:
        """The papers that the dossier does not list yet.

        Raises:
            PortalError: Its files cannot be read now.
        """
        if not papers:
            return ()
        listed = self._reader.rows_of(f"/dossiers/{part(uid)}/files")
        there = {wire.plain_uid(str(row.get("referenceUid") or "")) for row in listed}
        return tuple(paper for paper in papers if file_reference_of(uid, paper.reference) not in there)

    def attach(self, uid: str, papers: Sequence[Paper], at: datetime, part_no: str = "") -> None:
        """Upload what is missing; `at` is the time the portal compares a later upload of the same file with.

        `part_no` is the part for files whose paper names none (default: `file_part`).

        Raises:
            PortalError: Not all of them are there; what was uploaded stays, and doing it again is harmless.
            LookupError: A file is not kept any more.
        """
        for paper in self.missing(uid, papers):
            self._upload(uid, paper, at, part_no or self._options.file_part)

    def _upload(self, uid: str, paper: Paper, at: datetime, part_no: str) -> None:
        form = {
            "referenceUid": file_reference_of(uid, paper.reference),
            "dossierPartNo": self._options.file_parts.get(paper.part_no, paper.part_no) or part_no,
            "displayName": paper.name,
            "fileType": _file_type(paper),
            "isSync": "false",
            "removed": "false",
            "eForm": "false",
            "modifiedDate": str(int(at.timestamp() * 1000)),
        }

        def once() -> None:
            portal = self._calls.context.portal
            try:
                opened = self._open(paper)
                with opened.stream as stream:
                    content = stream if opened.size is None else cast("BinaryIO", _Sized(stream, opened.size))
                    file = {"file": (paper.name or "tep", content, opened.media_type or _UNKNOWN)}
                    reply = self._calls.send("POST", f"/dossiers/{part(uid)}/files", form=form, files=file)
            except (OSError, StoreError):
                raise PortalUnavailableError(portal, UNREADABLE) from None
            if reply.status == 403:
                raise PortalUnavailableError(portal, "the upload was answered 403, which stands for any failure")
            self._calls.check(reply)
            if wire.number((said_of(reply.body) or {}).get("dossierFileId")) <= 0:
                raise PortalContractError(portal, "200 without dossierFileId")

        retry_harmless(once, clock=self._calls.context.clock, budget=_Paid(), attempts=self._options.upload_tries)

    def _open(self, paper: Paper) -> FileStream:
        opener = self._calls.context.open_stored
        if opener is None:
            raise LookupError("no file store")
        return opener(paper.reference)


def _file_type(paper: Paper) -> str:
    """The portal's word for a sort of file, which is an extension: of its name, else of its media type."""
    if paper.file_type and "/" not in paper.file_type:
        return paper.file_type
    _, dot, extension = paper.name.rpartition(".")
    if dot and extension.isalnum() and len(extension) <= _LONGEST_EXTENSION:
        return extension.casefold()
    return (guess_extension(paper.file_type) or "").removeprefix(".")
