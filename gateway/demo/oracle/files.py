"""Where files lie: papers complete at ministries, each result once at the province, its bytes behind each address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.oracle.books import Books
from gateway.demo.oracle.owner import Owner
from gateway.demo.oracle.verdict import Verdict
from gateway.demo.oracle.words import FORWARDED, RESULT_PART, digits_of

Rows = list[Mapping[str, Any]]
Named = tuple[str, str]
"""Name and SHA-256."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files of the province's dossiers, of whichever portal they came from; known by their bytes alone."""

    owners: Mapping[str, Owner]
    books: Books
    verdict: Verdict

    def judge(self) -> None:
        """Judge every dossier's files at every portal that should have them."""
        brought = {
            (str(effect["key"]), str(effect["content"]["referenceUid"]))
            for effect in self.books.province_effects
            if effect["effect"] == "file" and effect["call"]
        }
        justice = {held["number"]: held for held in self.books.justice_dossiers}
        transport = {held["dossier_code"]: held for held in self.books.transport_dossiers if "dossier_code" in held}
        for owner in self.owners.values():
            lying = self.books.province_files.get(owner.reference, [])
            results = [file for file in lying if file["dossierPartNo"] == RESULT_PART]
            papers = [file for file in lying if file["dossierPartNo"] != RESULT_PART]
            certificate = justice.get(owner.number, {}).get("certificate", "")
            self._results(
                owner, [one for one in results if (owner.reference, one["referenceUid"]) in brought], certificate
            )
            if owner.number in justice:
                held = [(row["tenGiayTo"], row.get("sha256", "")) for row in justice[owner.number].get("papers", ())]
                self._complete("justice", owner, papers, held)
            if owner.number in transport:
                rows = transport[owner.number].get("papers", ())
                held = [(row["AttachmentName"], row.get("ContentDigest", "")) for row in rows]
                self._complete("transport", owner, papers, held)
            self._addresses(owner, papers, results)

    def _results(self, owner: Owner, results: Rows, certificate: str) -> None:
        """The ministry's certificate was brought to the province once, and nothing else; officers attach their own."""
        found = Counter(str(file["sha256"]) for file in results)
        wanted = Counter([certificate] if certificate else [])
        if certificate:
            self.verdict.expected.append(("province", owner.number, "file", certificate))
        self._compare("province", owner, wanted, found, "result")

    def _complete(self, ministry: str, owner: Owner, papers: Rows, held: list[Named]) -> None:
        """What lay there before the dossier was handed over is at the ministry, under its name, and nothing else."""
        forwarded = next((at for word, at, _ in owner.events if word == FORWARDED), "")
        lying = [(str(file["displayName"]), str(file["sha256"])) for file in papers]
        due = {one for file, one in zip(papers, lying, strict=True) if digits_of(file["at"]) < forwarded}
        self.verdict.expected += [(ministry, owner.number, "file", digest) for _, digest in sorted(due)]
        found = Counter(held)
        may = Counter(dict.fromkeys(lying, 1))
        for name, _ in due - found.keys():
            self.verdict.add("lost", ministry, owner.number, f"paper {name}")
        for one, times in (found - may).items():
            what = "duplicated" if one in may else "invented"
            self.verdict.add(what, ministry, owner.number, f"paper {one[0]}, {times} too many")

    def _addresses(self, owner: Owner, papers: Rows, results: Rows) -> None:
        """Behind the addresses that the national portal shows lie the papers and results; if somebody has looked."""
        held = self.books.national_records.get(owner.number, {})
        if not self._looked() or not owner.known_outside:
            return
        self._whole(owner, held.get("fetched", ()))
        for name, files in (("TaiLieuNop", papers), ("DanhSachGiayToKetQua", results)):
            wanted = Counter(str(file["sha256"]) for file in files)
            self.verdict.expected += [("national", owner.number, "file", digest) for digest in sorted(wanted)]
            found = Counter(row["sha256"] for row in held.get("fetched", ()) if row["list"] == name)
            self._compare("national", owner, wanted, found, f"address in {name}")

    def _looked(self) -> bool:
        return any("fetched" in held for held in self.books.national_records.values())

    def _whole(self, owner: Owner, fetched: Iterable[Mapping[str, Any]]) -> None:
        for row in fetched:
            if row["status"] != 200:
                detail = f"an address in {row['list']} answered {row['status']}"
                self.verdict.add("lost", "national", owner.number, detail)

    def _compare(self, portal: str, owner: Owner, wanted: Counter[str], found: Counter[str], what: str) -> None:
        for times in (wanted - found).values():
            self.verdict.add("lost", portal, owner.number, f"{what}: {times} missing")
        for digest, times in (found - wanted).items():
            kind = "duplicated" if digest in wanted else "invented"
            self.verdict.add(kind, portal, owner.number, f"{what}: {times} too many")
