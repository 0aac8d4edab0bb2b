"""What calls did at the province: results of ministries, wishes of citizens, dossiers made for the national portal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.oracle.books import Books
from gateway.demo.oracle.owner import Owner
from gateway.demo.oracle.verdict import Verdict
from gateway.demo.oracle.words import ACT_FOR_CALL, ACT_FOR_STATE, ACT_FOR_WISH, RESULT_PART, RESUMES, said_yes

Key = tuple[str, str]
"""Reference and action code."""


@dataclass(slots=True)
class Acts:
    """The province: `made` the effects of calls.

    Worked out from the other books: what is `wanted`, with its `words`; what `may` be there, because it was said and
    only the answer has not been heard yet.
    """

    owners: Mapping[str, Owner]
    books: Books
    made: list[Mapping[str, Any]]
    verdict: Verdict
    wanted: Counter[Key] = field(default_factory=Counter)
    may: Counter[Key] = field(default_factory=Counter)
    words: dict[Key, list[str]] = field(default_factory=lambda: defaultdict(list))

    def judge(self) -> None:
        """Each decision and each wish became one act with its words, each pushed number one dossier, nothing else."""
        for owner, code, words in (*self._justice(), *self._transport(), *self._wishes()):
            self.wanted[owner.reference, code] += 1
            self.words[owner.reference, code].append(words)
            self.verdict.expected.append(("province", owner.number, "command", f"act {code}"))
        self.verdict.effects += len(self.made)
        self._compare(self._done())
        self._dates()

    def _numbers(self) -> dict[str, Owner]:
        return {owner.number: owner for owner in self.owners.values() if owner.number}

    def _justice(self) -> Iterator[tuple[Owner, str, str]]:
        numbers = self._numbers()
        for held in self.books.justice_dossiers:
            owner = numbers.get(held["number"])
            for step in held["states"] if owner and not held["seeded"] else ():
                if owner and (code := ACT_FOR_STATE.get(step["state"])):
                    yield owner, code, ""

    def _transport(self) -> Iterator[tuple[Owner, str, str]]:
        numbers = self._numbers()
        codes = {held["key"]: held["dossier_code"] for held in self.books.transport_dossiers if "key" in held}
        for told in self.books.transport_callbacks:
            owner = numbers.get(codes.get(told["key"], ""))
            if owner and (code := ACT_FOR_CALL.get(told["function"])):
                yield owner, code, told["reason"] if told["function"] in ("22", "27") else ""

    def _wishes(self) -> Iterator[tuple[Owner, str, str]]:
        """A citizen's wish is due once it was answered with yes, however often it was told."""
        numbers = self._numbers()
        for number, told in self.books.national_calls.items():
            owner = numbers.get(number)
            for of in {one["of"] for one in told} & ACT_FOR_WISH.keys() if owner else ():
                if owner and any(said_yes(one) for one in told if one["of"] == of):
                    yield owner, ACT_FOR_WISH[of], ""
                elif owner:
                    self.may[owner.reference, ACT_FOR_WISH[of]] += 1

    def _done(self) -> Counter[Key]:
        done: Counter[Key] = Counter()
        pushed = {owner.reference for owner in self.owners.values() if owner.born_elsewhere}
        files: Counter[Key] = Counter()
        results = self._result_files()
        for effect in self.made:
            content, key = effect["content"], effect["key"]
            if effect["effect"] == "action":
                done[key, content["actionCode"]] += 1
                self._said(key, content)
            elif effect["effect"] == "file" and (key in pushed or content["referenceUid"] in results):
                files[key, content["referenceUid"]] += 1
            elif effect["effect"] != "create" or key not in pushed:
                self.verdict.add("invented", "province", key, f"a call made {effect['effect']}")
        self._files(files, results)
        return done

    def _result_files(self) -> set[str]:
        """What lies at the province as a result; whose it is, and whether it should, is judged beside this."""
        lying = (file for files in self.books.province_files.values() for file in files)
        return {str(file["referenceUid"]) for file in lying if file["dossierPartNo"] == RESULT_PART}

    def _files(self, uploaded: Counter[Key], results: set[str]) -> None:
        """Every citizen hands in papers, and more where papers are wanted; each is uploaded once."""
        for (key, _), times in uploaded.items():
            if times > 1:
                self.verdict.add("duplicated", "province", key, f"a file uploaded {times} times")
        there = Counter(key for key, file in uploaded if file not in results)
        for owner in self.owners.values():
            due = 1 + self.wanted[owner.reference, RESUMES]
            if owner.born_elsewhere and there[owner.reference] < due:
                self.verdict.add("lost", "province", owner.number, f"{there[owner.reference]} of {due} papers")

    def _said(self, reference: str, content: Mapping[str, Any]) -> None:
        """A ministry's reason stands in the act that follows from it."""
        words = self.words.get((reference, content["actionCode"]))
        if words and not any(one in str(content.get("actionNote", "")) for one in words):
            self.verdict.add("lost", "province", reference, f"the reason of act {content['actionCode']}")

    def _compare(self, done: Counter[Key]) -> None:
        for key, times in (self.wanted - done).items():
            self.verdict.add("lost", "province", key[0], f"act {key[1]}, {times} times")
        for key, times in (done - self.wanted - self.may).items():
            what = "duplicated" if key in self.wanted else "invented"
            self.verdict.add(what, "province", key[0], f"act {key[1]}, {times} too many")

    def _dates(self) -> None:
        """Submission and receipt never move once they are set; a due date only with the clock of the province itself.

        It stops that clock when it asks for papers, and lets it run on when they have come.
        """
        resumed = {effect["call"] for effect in self.made if effect["content"].get("actionCode") == RESUMES}
        for owner in self.owners.values():
            received = {dates["receiveDate"] for dates in owner.legal} - {""}
            submitted = {dates["submitDate"] for dates in owner.legal}
            moved = {dates["call"] for dates in owner.legal[1:]} - {0} - resumed
            if len(received) > 1 or len(submitted) > 1 or moved:
                self.verdict.add("legal_date_moved", "province", owner.reference, "a date was set twice or by a call")
