"""The portal, or its user, fetches a file by an address we gave it: `downloadfile/<36 characters>` (npsp.md 3.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.npsp.receiving.answers import Door
from adapters.npsp.receiving.options import FilesOptions
from adapters.receiving import (
    HeldFile,
    InboundCall,
    InboundReply,
    InboundRequest,
    Question,
    Reception,
    Unreadable,
    Verdict,
)

FILE = "file"
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
_UNKNOWN = "application/octet-stream"
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": 'attachment; filename="tep-dinh-kem"',
    "Cache-Control": "no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}
"""A file is handed over to be kept, never shown in our name; its own name is personal and stays here."""


@dataclass(frozen=True, slots=True)
class FileReceiver:
    """File links: `Question("file", {"id"})`. The gateway finds `{"file": HeldFile, "media_type": text}` or None."""

    options: FilesOptions
    door: Door
    name: str = "files"
    methods: tuple[str, ...] = ("GET", "HEAD")
    repeats_first_answer: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it listens; the file's id follows."""
        return self.door.options.behind_prefixes(self.options.paths)

    @property
    def patience_s(self) -> float:
        """How long the portal waits."""
        return self.door.options.patience_s

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        """The file asked for; a name that is no id of ours is not looked for."""
        if away := self.door.turned_away(request):
            return away
        asked = request.path.strip("/")
        if not _ID.fullmatch(asked):
            return Unreadable("no file id", "file")
        return Question(FILE, {"id": asked.lower()})

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:  # noqa: ARG002 - the protocol's
        """The bytes; 404 for one that is not there, is not theirs or has expired, which look alike."""
        if reception.verdict is Verdict.BUSY:
            return InboundReply(b"", "text/plain; charset=utf-8", 503, {"Retry-After": "5"})
        found = reception.found if reception.verdict is Verdict.ANSWERED else None
        file = found.get("file") if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping) or not isinstance(file, HeldFile):
            return InboundReply(b"not found\n", "text/plain; charset=utf-8", 404)
        media_type = str(found.get("media_type") or "")
        shown = media_type if _MEDIA_TYPE.fullmatch(media_type) else _UNKNOWN
        return InboundReply(b"", shown, 200, _SAFE, file)
