"""The attachments of a `DossierForward`: described, with an address of ours, or with their bytes (ministry.md 10.2).

The frozen body names stored files; that name is ours and is taken out when the message is sent. Bytes are read then,
so nothing large is ever frozen, and as a stored file never changes, the message is the same at every resend.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from enum import StrEnum

from lxml import etree

from adapters.base import FileStream, FileUse
from schemas.errors import RecordInvalidError, StoreError

STORED = "StoredFile"
"""Our own element: the stored file of an attachment. Never sent."""

_PIECE = 64 * 1024

Opener = Callable[[str], FileStream]


class Attachments(StrEnum):
    """What a ministry gets of each paper besides its description."""

    METADATA = "metadata"
    LINK = "link"
    CONTENT = "content"

    @property
    def use(self) -> FileUse:
        """What that asks of the gateway."""
        return {"link": FileUse.LINK, "content": FileUse.CONTENT}.get(self.value, FileUse.NONE)


class NotNowError(Exception):
    """A file cannot be read just now; the text names none."""


def attached(forward: etree._Element, mode: Attachments, opener: Opener | None, cap: int) -> None:
    """Make the attachments what this ministry gets, in place.

    Raises:
        RecordInvalidError: A file is not kept here, or all of them together are larger than `cap` bytes.
        NotNowError: A file cannot be read just now.
    """
    left = cap
    for attachment in forward.iterfind("AttachmentList/Attachment"):
        stored = attachment.find(STORED)
        if stored is None:
            continue
        attachment.remove(stored)
        if mode is Attachments.CONTENT:
            content = _content(stored.text or "", opener, left)
            left -= len(content)
            if (address := attachment.find("Url")) is not None:
                attachment.remove(address)
            etree.SubElement(attachment, "Content").text = content


def _content(reference: str, opener: Opener | None, left: int) -> str:
    """The Base64 of a stored file."""
    try:
        if opener is None:
            raise LookupError
        plain = bytearray()
        with opener(reference).stream as stream:
            while len(plain) <= left and (piece := stream.read(_PIECE)):
                plain += piece
    except LookupError:
        raise RecordInvalidError("one of its files is not kept here") from None
    except (OSError, StoreError):
        raise NotNowError("one of its files cannot be read now") from None
    encoded = b64encode(plain).decode("ascii")
    if len(encoded) > left:
        raise RecordInvalidError("its files together are larger than max_attachment_bytes")
    return encoded
