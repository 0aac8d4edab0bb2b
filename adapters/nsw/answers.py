"""The messages that answer a message: 99 for received, 22 for refused; equal arguments give equal text.

Both sides of the exchange word them so (ministry.md 1.8): we to a call-back, the simulated ministry to a declaration.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from datetime import datetime

from lxml import etree

from adapters.nsw.contents import contents
from adapters.nsw.envelope import RECEIVED, REFUSED, Message, Subject, send_date, write
from adapters.nsw.options import Party
from adapters.xml import canonical
from schemas.clock import VIETNAM

_DIGITS = 18
SYSTEM = Party(name="System", identity="System")


def acknowledged(message: Message, at: datetime) -> str:
    """99: the message was received, and nothing more is said."""
    subject = replace(message.subject, function=RECEIVED, send_date=send_date(at))
    return write(_new_id(message.digest, RECEIVED), message.receiver, message.sender, subject, *contents(RECEIVED, at))


def refused(message: Message, reason: str, at: datetime) -> str:
    """22: the message was not taken; its own id stands as the code, which is the attested shape."""
    subject = replace(message.subject, function=REFUSED, send_date=send_date(at))
    new_id = _new_id(message.digest, REFUSED)
    return _rejection(new_id, message.receiver, message.sender, subject, message.message_id, reason, at)


def refused_unread(root: etree._Element | None, reason: str, at: datetime) -> str:
    """22 to what is no valid message: what can be read of it is copied, whatever else was wrong with it."""
    digest = hashlib.sha256(canonical(root) if root is not None else reason.encode()).hexdigest()
    message_id = _said(root, "Reference/messageId")[:64]
    subject = Subject(
        document_type=_number(root, "documentType", 9),
        type=_number(root, "type", 9),
        function=REFUSED,
        reference=_number(root, "reference", _DIGITS),
        pre_reference=_number(root, "preReference", _DIGITS),
        document_year=_number(root, "documentYear", 9) or at.astimezone(VIETNAM).year,
        send_date=send_date(at),
    )
    return _rejection(_new_id(digest, REFUSED), SYSTEM, SYSTEM, subject, message_id, reason, at)


def _rejection(
    new_id: str, sender: Party, receiver: Party, subject: Subject, message_id: str, reason: str, at: datetime
) -> str:
    return write(new_id, sender, receiver, subject, *contents(REFUSED, at, reason, message_id))


def _new_id(digest: str, function: str) -> str:
    """The answer's own message id: equal for equal questions, so that a rerun of a seed is the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{digest}/{function}"))


def _said(root: etree._Element | None, path: str) -> str:
    return (root.findtext(f"Header/{path}") or "").strip() if root is not None else ""


def _number(root: etree._Element | None, name: str, digits: int) -> int:
    text = _said(root, f"Subject/{name}")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else 0
