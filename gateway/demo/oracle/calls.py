"""What the gateway answered to the national portal and to the ministry, and what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gateway.demo.oracle.books import Books
from gateway.demo.oracle.owner import Owner
from gateway.demo.oracle.verdict import Verdict
from gateway.demo.oracle.words import BROKEN, NO_ANSWER, said_yes

Told = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls on the gateway, as their callers remember them."""

    owners: Mapping[str, Owner]
    books: Books
    verdict: Verdict

    def judge(self) -> None:
        """Answers as the protocols have them; each pushed number one dossier; each call-back acknowledged alike."""
        by_number: dict[str, list[Owner]] = defaultdict(list)
        for owner in self.owners.values():
            if owner.born_elsewhere:
                by_number[owner.number].append(owner)
        submitted = {
            effect["key"]: effect["content"] for effect in self.books.national_effects if effect["effect"] == "online"
        }
        for number, content in submitted.items():
            self._born(number, content, by_number[number], self.books.national_calls.get(number, ()))
        for number in by_number.keys() - submitted.keys():
            self.verdict.add("invented", "province", number, "a dossier with a number nobody submitted")
        for number, told in self.books.national_calls.items():
            self._answers(number, told)
        for message in self.books.transport_callbacks:
            self._acknowledgements(message)

    def _born(self, number: str, content: Mapping[str, Any], made: Sequence[Owner], told: Told) -> None:
        self.verdict.expected.append(("province", number, "command", "create"))
        if len(made) > 1:
            self.verdict.add("duplicated", "province", number, f"{len(made)} dossiers of one number")
        elif not made and any(one["what"] == "push" and said_yes(one) for one in told):
            self.verdict.add("missing_acknowledged", "province", number, "the portal was told yes")
        elif not made:
            self.verdict.add("lost", "province", number, "the dossier was never made")
        for owner in made:
            self._as_submitted(content, owner)

    def _as_submitted(self, content: Mapping[str, Any], owner: Owner) -> None:
        record = owner.record
        pairs = (
            (content["MaTTHC"], record["serviceCode"]),
            (content["MaDonVi"], record["govAgencyCode"]),
            (content["ChuHoSo"].casefold(), record["applicantName"].casefold()),
            (content["SoGiayToChuHoSo"], record["applicantIdNo"]),
            (content["TrichYeuHoSo"], record["briefNote"]),
        )
        if any(theirs != ours for theirs, ours in pairs):
            self.verdict.add("invented", "province", owner.number, "content that the citizen never said")
        if owner.ever("submitDate") != {content["NgayNopHoSo"]}:
            self.verdict.add("legal_date_moved", "province", owner.number, "submitDate is not NgayNopHoSo")

    def _answers(self, number: str, told: Told) -> None:
        pushes = [one for one in told if one["what"] == "push"]
        zeros = Counter(one["said"] for one in pushes)[0]
        if zeros > 1:
            self.verdict.add("double_zero", "national", number, f"answered 0 {zeros} times")
        for one in told:
            allowed = (0, 1) if one["what"] == "push" else (1,)
            silent = one["said"] in NO_ANSWER or (one["fault"] in BROKEN and str(one["said"]).startswith("http 4"))
            if one["said"] not in allowed and not silent:
                self.verdict.add("wrong_answer", "national", number, f"{one['of']} was answered {one['said']}")
        for one in pushes:
            if one["said"] == 1 and not any(_before(other, one) for other in pushes):
                self.verdict.add("wrong_answer", "national", number, "1 for a number nobody had told")

    def _acknowledgements(self, told: Mapping[str, Any]) -> None:
        if any(one["function"] not in ("", "99") for one in told["attempts"]):
            self.verdict.add("wrong_answer", "transport", told["key"], f"{told['function']} was refused")
        if len({one["answer"] for one in told["attempts"] if one["function"] == "99"}) > 1:
            self.verdict.add(
                "wrong_answer", "transport", told["key"], f"{told['function']} was acknowledged in two ways"
            )
        if not told["acknowledged"]:
            self.verdict.add("lost", "transport", told["key"], f"{told['function']} was never acknowledged")


def _before(other: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether another call may have told us of the number before this one was answered."""
    whole = other["fault"] not in (*BROKEN, "cut_before")
    return other is not one and whole and bool(other["began_s"] < one["ended_s"])


def figures(books: Books) -> dict[str, Any]:
    """How often the portals called, and what they were answered; what begins with `push` counts numbers."""
    calls = [[one for one in told if one["what"] == "push"] for told in books.national_calls.values()]
    said = Counter(_word(one["said"]) for told in calls for one in told)
    return {
        "pushes": sum(effect["effect"] == "online" for effect in books.national_effects),
        "pushed_repeats": sum(any(one["of"] == "again" for one in told) for told in calls),
        "pushed_concurrently": sum(_overlap(told) for told in calls),
        "pushed_changed": sum(any(one["of"] == "changed" for one in told) for told in calls),
        "answers": {word: said[word] for word in ("0", "1", "none")},
        "callbacks": sum(len(told["attempts"]) for told in books.transport_callbacks),
    }


def told_at(books: Books, at: float) -> int:
    """How many calls of the national portal on the gateway were under way at an instant."""
    return sum(one["began_s"] <= at <= one["ended_s"] for told in books.national_calls.values() for one in told)


def _word(said: object) -> str:
    return str(said) if said in (0, 1) else "none"


def _overlap(told: Told) -> bool:
    """Whether two calls about a number were under way at one time."""
    inside = sorted((one["began_s"], one["ended_s"]) for one in told)
    return any(later[0] < earlier[1] for earlier, later in pairwise(inside))
