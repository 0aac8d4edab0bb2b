"""What the national portal shows of the province's dossiers, and what calls did there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.oracle.owner import Owner
from gateway.demo.oracle.verdict import Verdict
from gateway.demo.oracle.words import NATIONAL_CODE, digits


@dataclass(frozen=True, slots=True)
class Mirror:
    """The national portal: `records` by number, `made` the effects of calls, `apart` rows listed as unproven."""

    owners: Mapping[str, Owner]
    records: Mapping[str, Any]
    made: list[Mapping[str, Any]]
    apart: set[tuple[str, str, str]]
    verdict: Verdict

    def judge(self) -> None:
        """Every dossier once, as the province shows it, with every step in its progress, and nothing else."""
        by_number = {owner.number: owner for owner in self.owners.values() if owner.number}
        self.verdict.effects += len(self.made)
        for effect in self.made:
            if effect["key"] not in by_number:
                detail = f"{effect['effect']} of a dossier nobody changed"
                self.verdict.add("invented", "national", effect["key"], detail)
            elif effect["effect"] in ("create", "update"):
                self._same_person(effect["content"], by_number[effect["key"]])
        for number, owner in by_number.items():
            if owner.known_outside or owner.born_elsewhere:
                self._copy(self.records.get(number), owner)

    def _same_person(self, content: Mapping[str, Any], owner: Owner) -> None:
        record = owner.record
        pairs = (
            (content["MaTTHC"], record["serviceCode"]),
            (content["ChuHoSo"].casefold(), record["applicantName"].casefold()),
            (content["SoGiayToChuHoSo"], record["applicantIdNo"]),
            (content["DonViXuLy"], record["govAgencyName"]),
        )
        if any(ours != theirs for ours, theirs in pairs) or content["TrangThaiHoSo"] not in NATIONAL_CODE.values():
            self.verdict.add("invented", "national", owner.number, "content that the province never said")

    def _copy(self, held: Mapping[str, Any] | None, owner: Owner) -> None:
        number, record, verdict = owner.number, owner.record, self.verdict
        if owner.known_outside:
            verdict.expected.append(("national", number, "snapshot", NATIONAL_CODE[record["dossierStatus"]]))
        due = [(NATIONAL_CODE[word], at) for word, at, _ in owner.events]
        verdict.expected += [("national", number, "append", f"{code}@{at}") for code, at in due]
        if held is None:
            verdict.add("lost", "national", number, "the dossier is not there")
            return
        if owner.known_outside:
            self._content(held["dossier"], owner)
        self._dates(held["dates"], owner)
        shown = Counter((row["TrangThai"], row["ThoiDiemXuLy"]) for row in held["progress"])
        wanted = Counter(due)
        for key, times in (wanted - shown).items():
            if (number, *key) in self.apart:
                verdict.apart += times
            else:
                verdict.add("lost", "national", number, f"progress row {key[0]} at {key[1]}")
        for key, times in (shown - wanted).items():
            what = "duplicated" if key in wanted else "invented"
            verdict.add(what, "national", number, f"progress row {key[0]} at {key[1]}, {times} too many")
        self._texts(held["progress"], owner)

    def _content(self, content: Mapping[str, Any], owner: Owner) -> None:
        """The copy says now what the province says now."""
        record = owner.record
        pairs = {
            "TrangThaiHoSo": NATIONAL_CODE[record["dossierStatus"]],
            "NgayTiepNhan": digits(record["receiveDate"]),
            "NgayHenTra": digits(record["dueDate"]),
            "NgayKetThucXuLy": digits(record["releaseDate"]),
            "NgayTra": digits(record["finishDate"]),
            "TrichYeuHoSo": record["briefNote"],
            "SoDienThoai": record["contactTelNo"],
        }
        for name, theirs in pairs.items():
            if (content.get(name) or "") != theirs:
                detail = f"{name} is {content.get(name)!r}, the province says {theirs!r}"
                self.verdict.add("lost", "national", owner.number, detail)

    def _dates(self, shown: Iterable[Mapping[str, Any]], owner: Owner) -> None:
        owned = {"NgayTiepNhan": "receiveDate", "NgayHenTra": "dueDate", "NgayNopHoSo": "submitDate"}
        for dates in shown:
            for name, own in owned.items():
                if dates.get(name) and dates[name] not in owner.ever(own):
                    self.verdict.add("legal_date_moved", "national", owner.number, f"{name} was {dates[name]}")

    def _texts(self, rows: Iterable[Mapping[str, Any]], owner: Owner) -> None:
        said = {(NATIONAL_CODE[word], at): note for word, at, note in owner.events}
        for row in rows:
            note = said.get((row["TrangThai"], row["ThoiDiemXuLy"]), "")
            text = row.get("NoiDungXuLy") or ""
            if note not in text or "[lt:" in text:
                self.verdict.add("invented", "national", owner.number, "a progress row in words nobody said")
