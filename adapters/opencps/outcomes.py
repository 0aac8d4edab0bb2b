"""What an answer to a write came to, by status and content together (provincial.md 1.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unicodedata import normalize

import orjson

from adapters.base import Outcome, OutcomeKind
from adapters.http import HttpReply
from adapters.opencps.calls import Calls
from adapters.opencps.options import Options
from adapters.opencps.rows import number
from schemas.errors import PortalAuthError, PortalError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def judge(reply: HttpReply, proof_key: str, calls: Calls, options: Options) -> Outcome:
    """Judge the answer to a write.

    Args:
        reply: The answer, whatever its status below 500.
        proof_key: The key that must stand in a 200's object; without it nothing is proved.
        calls: To ask, after a 203, whether the login or only a permission is missing.
        options: Whose `refusals` say which 403 is a no.
    """
    said = said_of(reply.body)
    unread = Outcome(
        OutcomeKind.UNKNOWN,
        f"status {reply.status} is not in the contract",
        code=str(reply.status),
        excerpt=_excerpt(said),
        answer=reply.body,
    )
    refused = replace(unread, kind=OutcomeKind.REFUSED)
    if reply.status == 200:
        if said is not None and number(said.get(proof_key)) > 0:
            proof = f"status=200 {proof_key} given"
            return replace(unread, kind=OutcomeKind.DELIVERED, reason="done", proof=proof)
        return replace(unread, reason=f"200 without {proof_key}")
    if reply.status in (203, 401):
        return _turned_away(calls, refused)
    if reply.status == 405:
        return replace(refused, reason="not allowed in the present step", not_allowed=True)
    if reply.status == 403 and _is_no(said, options.refusals):
        return replace(refused, reason="the portal names a reason that repeats", final=True)
    if reply.status == 403:
        return replace(unread, reason="403 stands for any failure, also one after the effect")
    return unread


def _turned_away(calls: Calls, refused: Outcome) -> Outcome:
    """203: not signed in, or signed in without permission; the test stands before any work, so nothing was done."""
    try:
        calls.prove_login()
    except PortalAuthError as error:
        return replace(refused, reason=error.reason, auth=True)
    except PortalError:
        return replace(refused, reason="turned away; whether the login holds is not known", auth=True)
    return replace(refused, reason="the login holds, but the account may not do this")


def said_of(answer: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer, None for anything else."""
    try:
        value = orjson.loads(answer.removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _excerpt(said: dict[str, Any] | None) -> str:
    """The portal's fixed message; its `description` is exception text and may hold anything."""
    words = (said or {}).get("message") or (said or {}).get("error") or ""
    return str(words)[:200]


def _is_no(said: dict[str, Any] | None, refusals: tuple[str, ...]) -> bool:
    text = normalize("NFC", str((said or {}).get("description") or "")).casefold()
    return any(text.startswith(normalize("NFC", words).casefold()) for words in refusals)
