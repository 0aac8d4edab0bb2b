"""What an answer to a write means: code and text together, by table (npsp.md 3.9, design.md section 4).

The table is read from the top and the first rule that fits decides. Refusals stand before success, because
"không thành công" contains "thành công". Only a rule or a clear success delivers; a failure code without a known
text is refused, not for good; an answer that says neither yes nor no leaves the outcome unknown.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from adapters.npsp.reply import UNREADABLE, Reply, fold
from schemas.settings import Section

Success = Literal["both", "code", "text"]


class Verdict(StrEnum):
    """What the portal said about one write."""

    OK = "ok"
    DUPLICATE = "duplicate"
    AUTH = "auth"
    PERMANENT = "permanent"
    RETRY = "retry"
    FAILED = "failed"
    """A failure code whose text no rule knows: known not to have worked, repeated a bounded number of times."""
    UNKNOWN = "unknown"
    """Neither yes nor no: the write may have worked."""


class Rule(Section):
    """One row of the table.

    `codes` restricts the rule to these codes ("none" stands for an answer without a code); empty means any.
    `text` holds words of which one must occur, compared after NFC and case folding; empty means any text.
    """

    verdict: Verdict
    codes: tuple[int | str, ...] = ()
    text: tuple[str, ...] = ()

    def fits(self, reply: Reply) -> bool:
        """Whether this rule decides the answer."""
        code: int | str = "none" if reply.code is None else reply.code
        return (not self.codes or code in self.codes) and (not self.text or self._word(reply) is not None)

    def _word(self, reply: Reply) -> str | None:
        return next((word for word in self.text if fold(word) in reply.words), None)

    def proof(self, reply: Reply) -> str:
        """What decided, in the form `code=-1 text~hết phiên`."""
        word = self._word(reply)
        return f"code={code_text(reply)}" + (f" text~{word}" if word else "")


SUCCESS_WORDS = ("thành công",)
NEGATED_SUCCESS = ("không thành công", "chưa thành công", "ko thành công")

DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(verdict=Verdict.DUPLICATE, codes=(0, 3, -3, "none"), text=("đã tồn tại",)),
    Rule(verdict=Verdict.AUTH, codes=(401, 403)),
    Rule(
        verdict=Verdict.AUTH,
        text=("session", "phiên làm việc", "phiên đăng nhập", "hết phiên", "phiên đã", "chưa đăng nhập",
              "đăng nhập lại", "vui lòng đăng nhập"),
    ),
    Rule(verdict=Verdict.UNKNOWN, text=("timeout", "timed out", "time out", "quá thời gian")),
    Rule(
        verdict=Verdict.RETRY,
        text=("thử lại sau", "hệ thống bận", "hệ thống đang bận", "quá tải", "bảo trì", "quá nhiều yêu cầu"),
    ),
    Rule(
        verdict=Verdict.PERMANENT,
        text=("không hợp lệ", "không tồn tại", "không tìm thấy", "bắt buộc", "vượt quá", "không được để trống",
              "không đúng định dạng", "sai định dạng", "không có quyền", "chưa được đồng bộ"),
    ),
)  # fmt: skip
"""Words of refusals; attested are only "đã tồn tại" under 0, 3 and -3 (S5), the rest is configurable guesswork."""

_NOT_SUCCESS = re.compile(
    r"\b(?:không|chưa|ko)\b[^.,;:!?|]*?\bthành công"
    r"|\bthành công (?:một phần|0 ?/ ?\d+)"
    r"|\bthành công ?[:=] ?0\b"
)
"""Words of success that say it of nothing, of a part, or with a "not" before them in the same clause. Only those of
`NEGATED_SUCCESS` prove that nothing was done: "hồ sơ không có tệp đã đồng bộ thành công" says that it was."""

REFUSAL = Rule(verdict=Verdict.FAILED, text=(*NEGATED_SUCCESS, "thất bại"))


def code_text(reply: Reply) -> str:
    """The normalised code as text; "none" where the answer has none."""
    return "none" if reply.code is None else str(reply.code)


def says_success(reply: Reply) -> bool:
    """Whether the text says success in clear words, negated and partial ones taken out first."""
    words = _NOT_SUCCESS.sub("", reply.words)
    return any(fold(word) in words for word in SUCCESS_WORDS)


def classify(reply: Reply, rules: tuple[Rule, ...], needs: Success) -> tuple[Verdict, str]:
    """Give the verdict and the words that decided it.

    An answer that says success and refusal at once, by code or by words, is `unknown`: part of it may have worked.
    """
    if reply.markup or reply.code == UNREADABLE:
        return Verdict.UNKNOWN, "not an answer of this protocol"
    positive = says_success(reply) and reply.code in (0, None)
    rule = next((rule for rule in (*rules, REFUSAL) if rule.fits(reply)), None)
    if rule is not None and rule.verdict is Verdict.OK:
        return Verdict.OK, rule.proof(reply)
    if rule is not None:
        mixed = positive and rule.verdict is not Verdict.DUPLICATE
        return (Verdict.UNKNOWN, "says success and refusal") if mixed else (rule.verdict, rule.proof(reply))
    return _without_rule(reply, needs)


def _without_rule(reply: Reply, needs: Success) -> tuple[Verdict, str]:
    spoken = says_success(reply)
    if reply.code not in (0, None):
        if spoken:
            return Verdict.UNKNOWN, "failure by code, success by words"
        return Verdict.FAILED, f"code={code_text(reply)}, text not in the table"
    if not spoken and _NOT_SUCCESS.search(reply.words):
        return Verdict.UNKNOWN, "success by code, not by words"
    enough = {"both": spoken and reply.code == 0, "code": reply.code == 0, "text": spoken}[needs]
    if enough:
        word = " text~thành công" if spoken else ""
        return Verdict.OK, f"code={code_text(reply)}{word}"
    return Verdict.UNKNOWN, f"code={code_text(reply)}, neither yes nor no"
