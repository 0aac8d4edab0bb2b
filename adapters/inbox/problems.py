"""What an inbox says no with: stable codes, one line for each, and what the caller does about it (docs/inbox.md).

Answers are `application/problem+json` (RFC 9457). They name fields and rules, never a value that was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:lienthong:inbox:"


@dataclass(frozen=True, slots=True)
class Problem:
    """One way to say no. `title` never changes with the case; `todo` is what the caller does."""

    status: int
    title: str
    todo: str


PROBLEMS: Mapping[str, Problem] = {
    "malformed": Problem(400, "The request cannot be read", "Mend the request; the same one fails again."),
    "cursor_unknown": Problem(400, "This cursor is not one of ours", "Begin again without a cursor."),
    "idempotency_key_missing": Problem(
        400, "A report needs an Idempotency-Key", "Send 8 to 128 letters, digits, or . _ : - that name this report."
    ),
    "key_invalid": Problem(401, "No key, or one that does not hold", "Send Authorization: Bearer with a key in force."),
    "not_allowed": Problem(403, "Not from here, or not with this key", "Call from a listed network, or ask us."),
    "status_not_yours": Problem(403, "This status is not yours to report", "Report one of the item's statuses."),
    "not_found": Problem(404, "No such thing in this inbox", "List your items; what is not yours is not there."),
    "method_not_allowed": Problem(405, "Not with this verb", "Use the verb that the header Allow names."),
    "digest_differs": Problem(
        409, "This is not the digest of the item", "Fetch the content again and acknowledge what you have stored."
    ),
    "cursor_foreign": Problem(
        409,
        "This cursor is not of this inbox, or ahead of it",
        "Begin again without a cursor: all that waits for you is listed, each item under the id you know it by.",
    ),
    "time_not_valid": Problem(
        409, "The time cannot be right", "Send when it happened, with zone, and not ahead of our clock."
    ),
    "item_acknowledged": Problem(
        409, "The item was acknowledged before", "Report the status not_accepted with your reason instead."
    ),
    "item_refused": Problem(409, "The item was refused before", "Ask us; a person has to offer it again."),
    "item_withdrawn": Problem(409, "The item is no longer offered", "Do nothing; the province has taken it back."),
    "content_gone": Problem(404, "The content is no longer kept", "Ask us if you still need it."),
    "too_large": Problem(413, "The request is too large", "Send less; docs/inbox.md says how much."),
    "media_type": Problem(415, "The body is not JSON", "Send Content-Type: application/json, not compressed."),
    "invalid": Problem(422, "The body does not fit its description", "Mend the fields that are named."),
    "file_not_valid": Problem(422, "A result file cannot be taken", "Send a document of an agreed type and size."),
    "too_many_calls": Problem(429, "Too many calls", "Wait as long as Retry-After says."),
    "come_again": Problem(503, "It cannot be done now", "Send the same request again after Retry-After."),
}
"""Code -> status, title and what to do."""


def body_of(code: str, detail: str = "", errors: Sequence[Mapping[str, str]] = ()) -> bytes:
    """The body of a problem. `detail` says what is wrong here, else what to do; `errors` names fields and rules."""
    found = PROBLEMS[code]
    body: dict[str, object] = {"type": TYPE + code, "title": found.title, "status": found.status, "code": code}
    body["detail"] = detail or found.todo
    if errors:
        body["errors"] = list(errors)
    return orjson.dumps(body)
