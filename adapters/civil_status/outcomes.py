"""What an answer to a push means: status, code and text together, by table.

Order of judgement: words of refusal and of a failing back end are looked for before words of success, because
"không thành công" contains "thành công". The one exception is attested: a refusal that says the dossier was
"đã được tiếp nhận" means it is there already (ministry.md 2.5, R01).
"""

from __future__ import annotations

import re

from adapters.base import Outcome, OutcomeKind
from adapters.civil_status.options import ErrorMeaning, Options
from adapters.civil_status.wire import JsonValue, Verdict, folded
from adapters.redaction import texts_of, without

ALREADY_THERE = (folded("đã được tiếp nhận"),)
BACK_END_FAILED = tuple(
    folded(words)
    for words in (
        "client received soap fault",
        "server error",
        "có lỗi trong quá trình thêm mới",
        "chưa cập nhật trạng thái",
    )
)
"""The facade answered for a system behind it that failed; what that system did is not known (R14)."""
NO_FOR_GOOD = tuple(folded(words) for words in ("logic xử lý không hợp lệ",))
NO = tuple(
    folded(words)
    for words in ("không thành công", "thất bại", "không hợp lệ", "không tồn tại", "chưa được", "bị từ chối")
)
YES = tuple(folded(words) for words in ("thành công",))
_NEGATED_YES = re.compile(r"\b(?:không|chưa|ko)\b[^.,;:!?|]*?\bthành công")
"""A "not" somewhere before the yes in one clause: no yes, and no proof of a no either."""

EXCERPT_LIMIT = 200
_KEPT = frozenset({"mahosomcdt", "mahosolt", "madonvi", "module"})
_LONG_NUMBER = re.compile(r"\d{9,}")


def says(verdict: Verdict, patterns: tuple[str, ...]) -> str:
    """The first of `patterns` that the descriptions contain, or an empty text."""
    words = verdict.words
    return next((pattern for pattern in patterns if pattern in words), "")


def back_end_failed(verdict: Verdict) -> bool:
    """Whether the facade reports a failing system behind it (R14): reads try again, writes are unknown."""
    return bool(says(verdict, BACK_END_FAILED))


def classify(
    verdict: Verdict, options: Options, answer: bytes, *, first_push: bool, number: str, sent: JsonValue = None
) -> Outcome:
    """Judge the reply to a push.

    Args:
        verdict: What the reply says.
        options: For the table of error codes.
        answer: The reply's bytes, to be sealed.
        first_push: False for a supplement, to which "already received" is a no: the ministry
            speaks of the dossier, not of what we added.
        number: Our number of the dossier, by which the ministry knows it.
        sent: The record, whose words are kept out of the excerpt.
    """
    kind, reason, proof, final = _judge(verdict, options, first_push=first_push)
    meaning = options.meaning_of(verdict.code)
    return Outcome(
        kind=kind,
        reason=reason,
        code=verdict.code[:20],
        excerpt=excerpt_of(verdict, sent),
        proof=proof,
        duplicate=verdict.ok is not True and bool(says(verdict, ALREADY_THERE)),
        final=final,
        auth=kind is OutcomeKind.RETRY and meaning is ErrorMeaning.AUTH,
        external_id=number if kind is OutcomeKind.DELIVERED else "",
        answer=answer,
    )


def excerpt_of(verdict: Verdict, sent: JsonValue = None) -> str:
    """Code and description for a person to read: cut, without what we sent and without numbers long enough to be an
    identity or a phone.
    """
    text = _LONG_NUMBER.sub("***", without(verdict.text, texts_of(sent, _KEPT)))[:EXCERPT_LIMIT]
    return f"status={_shown(verdict.ok)} code={verdict.code} {text}".rstrip()


def _judge(verdict: Verdict, options: Options, *, first_push: bool) -> tuple[OutcomeKind, str, str, bool]:
    """Kind, reason, proof and whether a refusal is for good."""
    if verdict.ok is True:
        return _judge_yes(verdict)
    if found := says(verdict, ALREADY_THERE):
        if first_push:
            return (
                OutcomeKind.DELIVERED,
                "the dossier was received before",
                f"status={_shown(verdict.ok)} text~{found}",
                False,
            )
        return OutcomeKind.REFUSED, "a second push is not taken as a supplement", "", True
    if back_end_failed(verdict):
        return OutcomeKind.UNKNOWN, "the system behind the facade failed", "", False
    if verdict.ok is None and not verdict.code:
        return _judge_words(verdict)
    return _judge_no(verdict, options)


def _judge_yes(verdict: Verdict) -> tuple[OutcomeKind, str, str, bool]:
    contradiction = says(verdict, BACK_END_FAILED + NO_FOR_GOOD + NO) or _NEGATED_YES.search(verdict.words)
    if contradiction or verdict.code not in ("", "0"):
        return OutcomeKind.UNKNOWN, "status says yes, code or text says no", "", False
    return OutcomeKind.DELIVERED, "received", "status=1", False


def _judge_words(verdict: Verdict) -> tuple[OutcomeKind, str, str, bool]:
    """Without status and code only the words are left; without known words nothing is known."""
    if says(verdict, NO_FOR_GOOD):
        return OutcomeKind.REFUSED, "refused in words, without a status", "", True
    if says(verdict, NO):
        return OutcomeKind.REFUSED, "refused in words, without a status", "", False
    if (found := says(verdict, YES)) and not _NEGATED_YES.search(verdict.words):
        return OutcomeKind.DELIVERED, "received", f"no status, text~{found}", False
    return OutcomeKind.UNKNOWN, "the reply has neither status nor known words", "", False


def _judge_no(verdict: Verdict, options: Options) -> tuple[OutcomeKind, str, str, bool]:
    match options.meaning_of(verdict.code):
        case ErrorMeaning.AUTH:
            return OutcomeKind.RETRY, "the ministry does not accept our login", "", False
        case ErrorMeaning.RETRY:
            return OutcomeKind.RETRY, "a temporary no", "", False
        case ErrorMeaning.FINAL:
            return OutcomeKind.REFUSED, "refused by a known code", "", True
        case None:
            final = bool(says(verdict, NO_FOR_GOOD))
            return OutcomeKind.REFUSED, "refused" if final else "refused without a known code", "", final


def _shown(ok: bool | None) -> str:
    return "none" if ok is None else str(int(ok))
