"""Turn what the portal said into outcomes of writes and errors of reads, with nothing personal in either."""

from __future__ import annotations

import re

from adapters.base import JsonValue, Outcome, OutcomeKind
from adapters.npsp.outcomes import Rule, Verdict, classify, code_text
from adapters.npsp.reply import UNREADABLE, Reply, fold, rows
from adapters.redaction import texts_of, without
from schemas.errors import PortalContractError, PortalError, PortalRefusedError, PortalUnavailableError

TEXT_SHOWN = 200
ABSENT_WORDS = ("không tìm thấy", "không tồn tại", "không có dữ liệu", "không có hồ sơ")
_KEPT = frozenset({"mahoso", "matthc", "trangthai", "trangthaihoso"})
_NUMBERS = re.compile(r"\b\d{9,12}\b")
_ADDRESS = re.compile(r"\S+@\S+")
_KINDS = {
    Verdict.OK: OutcomeKind.DELIVERED,
    Verdict.DUPLICATE: OutcomeKind.REFUSED,
    Verdict.AUTH: OutcomeKind.RETRY,
    Verdict.PERMANENT: OutcomeKind.REFUSED,
    Verdict.RETRY: OutcomeKind.RETRY,
    Verdict.FAILED: OutcomeKind.REFUSED,
    Verdict.UNKNOWN: OutcomeKind.UNKNOWN,
}
_REASONS = {
    Verdict.OK: "the portal took it",
    Verdict.DUPLICATE: "the portal says it is already there",
    Verdict.AUTH: "the portal refused a session just opened",
    Verdict.PERMANENT: "the portal refused it",
    Verdict.RETRY: "the portal asks to come back later",
    Verdict.FAILED: "the portal refused it in words its table does not know",
    Verdict.UNKNOWN: "the answer says neither yes nor no",
}


def outcome(verdict: Verdict, proof: str, reply: Reply, sent: JsonValue, code: str, answer: bytes) -> Outcome:
    """The outcome of one write of dossier `code`.

    `sent` are the records it carried; their values are kept out of the excerpt. The portal knows the dossier by the
    number we gave, so that number is what is learned.
    """
    return Outcome(
        _KINDS[verdict],
        _REASONS[verdict],
        code=code_text(reply),
        excerpt=excerpt(reply, sent),
        proof=proof if verdict is Verdict.OK else "",
        duplicate=verdict is Verdict.DUPLICATE,
        final=verdict is Verdict.PERMANENT,
        external_id=code if verdict is Verdict.OK else "",
        number=code if verdict in (Verdict.OK, Verdict.DUPLICATE) else "",
        answer=answer,
    )


def excerpt(reply: Reply, sent: JsonValue = None) -> str:
    """Code and message, the message cut to 200 characters and cleared of values we sent, long numbers and addresses."""
    text = " ".join(reply.text.split())
    text = without(text, texts_of(sent, _KEPT))
    text = _ADDRESS.sub("…", _NUMBERS.sub("…", text))
    return f"code={code_text(reply)} {text[:TEXT_SHOWN]}".strip()


def read_rows(portal: str, reply: Reply, rules: tuple[Rule, ...]) -> list[JsonValue]:
    """The rows of a read. An empty list is given only where the portal clearly answered "none" (case 6).

    Raises:
        PortalContractError: No list in it, no code, or not an answer of this protocol.
        PortalRefusedError, PortalUnavailableError: A parsed no.
    """
    found = rows(reply)
    verdict, _ = classify(reply, rules, "code")
    if reply.markup or reply.code in (None, UNREADABLE):
        raise PortalContractError(portal, "the answer has no code" if not reply.markup else "not the agreed answer")
    if reply.code == 0 and found:
        return found
    if reply.code == 0 and found is None and verdict is Verdict.OK:
        raise PortalContractError(portal, "the answer holds no list of rows", code="0")
    if reply.code == 0 and found is not None and (verdict is Verdict.OK or _says_absent(reply)):
        return found
    raise read_failure(portal, verdict, reply)


def read_failure(portal: str, verdict: Verdict, reply: Reply) -> PortalError:
    """The error of a read that was answered without rows."""
    code, shown = code_text(reply), excerpt(reply)
    if verdict in (Verdict.RETRY, Verdict.AUTH):
        return PortalUnavailableError(portal, _REASONS[verdict], code=code, excerpt=shown)
    if verdict is Verdict.UNKNOWN:
        return PortalContractError(portal, _REASONS[verdict], code=code, excerpt=shown)
    return PortalRefusedError(portal, "the portal refused the question", code=code, excerpt=shown)


def _says_absent(reply: Reply) -> bool:
    return any(fold(word) in reply.words for word in ABSENT_WORDS)
