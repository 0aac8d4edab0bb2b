"""What was handed over to the ministries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.oracle.owner import Owner
from gateway.demo.oracle.verdict import Verdict
from gateway.demo.oracle.words import FORWARDED, digits, only_digits

Effects = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Stages:
    """The ministries: `forwarded` procedure -> ministry, `made` the effects of calls, `excused` listed as unproven."""

    owners: Mapping[str, Owner]
    forwarded: Mapping[str, str]
    made: Mapping[str, Effects]
    excused: Container[str]
    verdict: Verdict

    def judge(self) -> None:
        """Everything forwarded stands there as often as it was forwarded, with its own dates, and nothing else."""
        due: dict[str, dict[str, Owner]] = {"transport": {}, "justice": {}}
        for owner in self.owners.values():
            ministry = self.forwarded.get(owner.record["serviceCode"])
            if ministry and self._times(ministry, owner):
                due[ministry][owner.number] = owner
                self.verdict.expected.append((ministry, owner.number, "command", "declare"))
        there = {
            "transport": Counter(str(effect["content"]["dossier_code"]) for effect in self.made["transport"]),
            "justice": Counter(str(effect["key"]) for effect in self.made["justice"]),
        }
        for ministry, wanted in due.items():
            self.verdict.effects += len(self.made[ministry])
            self._compare(ministry, wanted, there[ministry])
        self._dates(due)

    def _times(self, ministry: str, owner: Owner) -> int:
        """How often it was forwarded: transport is sent each time, justice asks for what it lacks itself."""
        times = sum(word == FORWARDED for word, _, _ in owner.events)
        return times if ministry == "transport" else min(times, 1)

    def _compare(self, ministry: str, wanted: Mapping[str, Owner], there: Counter[str]) -> None:
        for number, owner in wanted.items():
            missing = self._times(ministry, owner) - there[number]
            if missing > 0 and ministry == "transport" and number in self.excused:
                self.verdict.apart += missing
            elif missing > 0:
                self.verdict.add("lost", ministry, number, f"{missing} declarations are not there")
            elif missing < 0:
                self.verdict.add("duplicated", ministry, number, f"declared {-missing} times too often")
        for number in there.keys() - wanted.keys():
            self.verdict.add("invented", ministry, number, "nobody forwarded this dossier")

    def _dates(self, due: Mapping[str, Mapping[str, Owner]]) -> None:
        for effect in self.made["transport"]:
            sender = due["transport"].get(str(effect["content"]["dossier_code"]))
            if sender is not None:
                self._forwarded_dates(effect["content"]["forward"], sender)
        for effect in self.made["justice"]:
            sender = due["justice"].get(effect["key"])
            if sender and digits(effect["content"]["ngayTiepNhan"]) not in sender.ever("receiveDate"):
                self.verdict.add("legal_date_moved", "justice", sender.number, "ngayTiepNhan")

    def _forwarded_dates(self, forward: Mapping[str, Any], owner: Owner) -> None:
        for name, own in (("SubmittedDate", "submitDate"), ("ReceivedDate", "receiveDate"), ("DueDate", "dueDate")):
            if forward.get(name) and only_digits(forward[name]) not in owner.ever(own):
                self.verdict.add("legal_date_moved", "transport", owner.number, name)
        if forward["Applicant"]["Name"].casefold() != owner.record["applicantName"].casefold():
            self.verdict.add("invented", "transport", owner.number, "content that the province never said")
