"""What is sent: one frozen delivery as one message, equal bytes at every attempt."""

from __future__ import annotations

from lxml import etree

from adapters.base import Delivery
from adapters.nsw.attachments import Attachments, Opener, attached
from adapters.nsw.envelope import Subject, forward_schema, reference_of, send_date, write
from adapters.nsw.options import Options
from adapters.xml import parse
from schemas.errors import RecordInvalidError

ASK_RESULT = "11"


def declared(
    delivery: Delivery, function: str, options: Options, owner: str, opener: Opener | None = None
) -> tuple[str, Subject]:
    """Wrap a delivery's `DossierForward` in its envelope.

    The message id is the delivery's own key, and the date the instant its bytes were frozen, so a repeat is equal byte
    for byte. A question (function 11) carries the dossier's code alone: no personal data for an acknowledgement.

    Args:
        delivery: Its body is a `DossierForward` document in UTF-8.
        function: Two digits.
        options: Who sends, who receives, and the procedure's number.
        owner: The province's own identifier; part of what the reference is computed from.
        opener: Opens stored files, where this ministry gets the bytes of attachments.

    Raises:
        RecordInvalidError: The body is not a `DossierForward` our schema accepts, or a file of it is not kept here.
        NotNowError: A file of it cannot be read just now.
    """
    forward = parse(delivery.body)
    mode = Attachments.METADATA if function == ASK_RESULT else options.attachments
    attached(forward, mode, opener, options.max_attachment_bytes)
    forward_schema().check(forward)
    subject = _subject(forward, delivery, function, options, owner)
    content = forward.find("DossierCode") if function == ASK_RESULT else forward
    if content is None:
        raise RecordInvalidError("DossierForward without DossierCode")
    return write(delivery.key_uuid, options.sender, options.receiver, subject, content), subject


def _subject(forward: etree._Element, delivery: Delivery, function: str, options: Options, owner: str) -> Subject:
    procedure = forward.findtext("ProcedureCode") or ""
    reference = reference_of(owner, forward.findtext("DossierCode") or "")
    return Subject(
        document_type=options.document_types.get(procedure, options.document_type),
        type=options.message_type,
        function=function,
        reference=reference,
        pre_reference=reference,
        # The year the dossier was received, so that every message about it names the same one.
        document_year=int((forward.findtext("ReceivedDate") or "0000")[:4]),
        send_date=send_date(delivery.planned_at),
    )
