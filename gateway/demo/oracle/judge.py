"""Judging the books: what was due where, what is lost, doubled or invented, and whose legal dates moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.demo.oracle.books import Books
from gateway.demo.oracle.verdict import Verdict
from gateway.demo.oracle.words import (
    ACT_FOR_STATE,
    FORWARDED,
    NATIONAL_CODE,
    STATUS_ACTS,
    digits,
    digits_of,
    only_digits,
)

KILL_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery the gateway lists as waiting for a person.

    `dossier` is its number, `key` the message id of a declaration; `rows` are progress rows: number,
    status code, 14-digit time.
    """

    portal: str
    klass: str
    state: str
    dossier: str = ""
    key: str = ""
    rows: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Owner:
    """What the province, which owns it, says of one new dossier."""

    reference: str
    record: Mapping[str, Any]
    events: tuple[tuple[str, str, str], ...]
    """Status word, 14-digit time, note."""
    legal: tuple[Mapping[str, Any], ...]

    @property
    def number(self) -> str:
        return str(self.record["dossierNo"])

    @property
    def known_outside(self) -> bool:
        """Only a dossier with a number and a date of receipt can be shown elsewhere."""
        return bool(self.number and self.record["receiveDate"])

    def ever(self, name: str) -> set[str]:
        """Every value a legal date ever had, as fourteen digits."""
        return {digits(dates[name]) for dates in self.legal}


class Oracle:
    """Judges books; `before` are the books of the moment the gateway went live, `forwarded` procedure -> ministry."""

    def __init__(self, before: Books, forwarded: Mapping[str, str]) -> None:
        self._old = frozenset(before.province_records)
        self._marks = {
            "province": len(before.province_effects),
            "national": len(before.national_effects),
            "transport": len(before.transport_effects),
            "justice": len(before.justice_effects),
        }
        self._forwarded = dict(forwarded)

    def judge(self, books: Books, listed: Iterable[Listed] = (), kills: Iterable[float] = ()) -> Verdict:
        """Compare the books with one another; what is `listed` as unproven may be absent."""
        verdict = Verdict()
        owners = self._owners(books)
        unproven = [one for one in listed if one.state == "unproven"]
        self._unproven(books, unproven, tuple(kills), verdict)
        self._national(books, owners, unproven, verdict)
        self._declarations(books, owners, unproven, verdict)
        self._acts(books, owners, verdict)
        self._dates_at_home(owners, verdict)
        return verdict

    def _owners(self, books: Books) -> dict[str, _Owner]:
        events: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for effect in books.province_effects:
            if effect["effect"] in STATUS_ACTS and effect["key"] not in self._old:
                content = effect["content"]
                note = str(content.get("actionNote", "")).partition("[lt:")[0].strip()
                events[effect["key"]].append((content["status"], digits_of(effect["at"]), note))
        return {
            uid: _Owner(uid, record, tuple(events[uid]), tuple(books.province_legal[uid]))
            for uid, record in books.province_records.items()
            if uid not in self._old
        }

    def _made(self, portal: str, effects: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Effects of calls since the gateway went live."""
        return [effect for effect in effects[self._marks[portal] :] if effect["call"]]

    # the national portal
    def _national(self, books: Books, owners: Mapping[str, _Owner], unproven: list[Listed], verdict: Verdict) -> None:
        by_number = {owner.number: owner for owner in owners.values() if owner.number}
        made = self._made("national", books.national_effects)
        verdict.effects += len(made)
        for effect in made:
            if effect["key"] not in by_number:
                verdict.add("invented", "national", effect["key"], f"{effect['effect']} of a dossier nobody changed")
            elif effect["effect"] in ("create", "update"):
                self._same_person(effect["content"], by_number[effect["key"]], verdict)
        apart = {row for one in unproven for row in one.rows}
        for number, owner in by_number.items():
            if owner.known_outside:
                self._copy(books.national_records.get(number), owner, apart, verdict)

    def _same_person(self, content: Mapping[str, Any], owner: _Owner, verdict: Verdict) -> None:
        record = owner.record
        pairs = (
            (content["MaTTHC"], record["serviceCode"]),
            (content["ChuHoSo"].casefold(), record["applicantName"].casefold()),
            (content["SoGiayToChuHoSo"], record["applicantIdNo"]),
            (content["DonViXuLy"], record["govAgencyName"]),
        )
        if any(ours != theirs for ours, theirs in pairs) or content["TrangThaiHoSo"] not in NATIONAL_CODE.values():
            verdict.add("invented", "national", owner.number, "content that the province never said")

    def _copy(
        self, held: Mapping[str, Any] | None, owner: _Owner, apart: set[tuple[str, str, str]], verdict: Verdict
    ) -> None:
        number, record = owner.number, owner.record
        verdict.expected.append(("national", number, "snapshot", NATIONAL_CODE[record["dossierStatus"]]))
        due = [(NATIONAL_CODE[word], at) for word, at, _ in owner.events]
        verdict.expected += [("national", number, "append", f"{code}@{at}") for code, at in due]
        if held is None:
            verdict.add("lost", "national", number, "the dossier is not there")
            return
        self._content(held["dossier"], owner, verdict)
        self._dates_abroad(held["dates"], owner, verdict)
        shown = Counter((row["TrangThai"], row["ThoiDiemXuLy"]) for row in held["progress"])
        wanted = Counter(due)
        for key, times in (wanted - shown).items():
            if (number, *key) in apart:
                verdict.apart += times
            else:
                verdict.add("lost", "national", number, f"progress row {key[0]} at {key[1]}")
        for key, times in (shown - wanted).items():
            what = "duplicated" if key in wanted else "invented"
            verdict.add(what, "national", number, f"progress row {key[0]} at {key[1]}, {times} too many")
        self._texts(held["progress"], owner, verdict)

    def _content(self, content: Mapping[str, Any], owner: _Owner, verdict: Verdict) -> None:
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
                verdict.add("lost", "national", owner.number, detail)

    def _dates_abroad(self, shown: Iterable[Mapping[str, Any]], owner: _Owner, verdict: Verdict) -> None:
        owned = {"NgayTiepNhan": "receiveDate", "NgayHenTra": "dueDate", "NgayNopHoSo": "submitDate"}
        for dates in shown:
            for name, own in owned.items():
                if dates.get(name) and dates[name] not in owner.ever(own):
                    verdict.add("legal_date_moved", "national", owner.number, f"{name} was {dates[name]}")

    def _texts(self, rows: Iterable[Mapping[str, Any]], owner: _Owner, verdict: Verdict) -> None:
        said = {(NATIONAL_CODE[word], at): note for word, at, note in owner.events}
        for row in rows:
            note = said.get((row["TrangThai"], row["ThoiDiemXuLy"]), "")
            text = row.get("NoiDungXuLy") or ""
            if note not in text or "[lt:" in text:
                verdict.add("invented", "national", owner.number, "a progress row in words nobody said")

    # the ministries
    def _declarations(
        self, books: Books, owners: Mapping[str, _Owner], unproven: list[Listed], verdict: Verdict
    ) -> None:
        due: dict[str, dict[str, _Owner]] = {"transport": {}, "justice": {}}
        for owner in owners.values():
            ministry = self._forwarded.get(owner.record["serviceCode"])
            if ministry and any(word == FORWARDED for word, _, _ in owner.events):
                due[ministry][owner.number] = owner
                verdict.expected.append((ministry, owner.number, "command", "declare"))
        made = {
            "transport": self._made("transport", books.transport_effects),
            "justice": self._made("justice", books.justice_effects),
        }
        excused = {one.dossier for one in unproven if one.portal == "transport"}
        there = {
            "transport": Counter(str(effect["content"]["dossier_code"]) for effect in made["transport"]),
            "justice": Counter(str(effect["key"]) for effect in made["justice"]),
        }
        for ministry, wanted in due.items():
            verdict.effects += len(made[ministry])
            self._each_once(ministry, wanted, there[ministry], excused if ministry == "transport" else set(), verdict)
        for effect in made["transport"]:
            sender = due["transport"].get(str(effect["content"]["dossier_code"]))
            if sender is not None:
                self._forwarded_dates(effect["content"]["forward"], sender, verdict)
        for effect in made["justice"]:
            sender = due["justice"].get(effect["key"])
            if sender and digits(effect["content"]["ngayTiepNhan"]) not in sender.ever("receiveDate"):
                verdict.add("legal_date_moved", "justice", sender.number, "ngayTiepNhan")

    def _each_once(
        self, ministry: str, wanted: Mapping[str, _Owner], there: Counter[str], excused: set[str], verdict: Verdict
    ) -> None:
        """Every forwarded dossier stands there once; an absent one is excused where it is listed."""
        for number in wanted.keys() - there.keys():
            if number in excused:
                verdict.apart += 1
            else:
                verdict.add("lost", ministry, number, "the declaration is not there")
        for number, times in there.items():
            if number not in wanted:
                verdict.add("invented", ministry, number, "nobody forwarded this dossier")
            elif times > 1:
                verdict.add("duplicated", ministry, number, f"declared {times} times")

    def _forwarded_dates(self, forward: Mapping[str, Any], owner: _Owner, verdict: Verdict) -> None:
        for name, own in (("SubmittedDate", "submitDate"), ("ReceivedDate", "receiveDate"), ("DueDate", "dueDate")):
            if forward.get(name) and only_digits(forward[name]) not in owner.ever(own):
                verdict.add("legal_date_moved", "transport", owner.number, name)
        if forward["Applicant"]["Name"].casefold() != owner.record["applicantName"].casefold():
            verdict.add("invented", "transport", owner.number, "content that the province never said")

    # what comes back to the province
    def _acts(self, books: Books, owners: Mapping[str, _Owner], verdict: Verdict) -> None:
        numbers = {owner.number: owner for owner in owners.values() if owner.number}
        wanted: Counter[tuple[str, str]] = Counter()
        for held in books.justice_dossiers:
            owner = numbers.get(held["number"])
            for step in held["states"] if owner and not held["seeded"] else ():
                if owner and (code := ACT_FOR_STATE.get(step["state"])):
                    wanted[owner.reference, code] += 1
                    verdict.expected.append(("province", owner.number, "command", f"act {code}"))
        done: Counter[tuple[str, str]] = Counter()
        made = self._made("province", books.province_effects)
        verdict.effects += len(made)
        for effect in made:
            if effect["effect"] != "action":
                verdict.add("invented", "province", effect["key"], f"a call made {effect['effect']}")
            else:
                done[effect["key"], effect["content"]["actionCode"]] += 1
        for key, times in (wanted - done).items():
            verdict.add("lost", "province", key[0], f"act {key[1]}, {times} times")
        for key, times in (done - wanted).items():
            what = "duplicated" if key in wanted else "invented"
            verdict.add(what, "province", key[0], f"act {key[1]}, {times} too many")

    def _dates_at_home(self, owners: Mapping[str, _Owner], verdict: Verdict) -> None:
        """Submission and receipt never move once they are set, and no call of ours moves any of them."""
        for owner in owners.values():
            received = {dates["receiveDate"] for dates in owner.legal} - {""}
            submitted = {dates["submitDate"] for dates in owner.legal}
            if len(received) > 1 or len(submitted) > 1 or any(dates["call"] for dates in owner.legal[1:]):
                verdict.add("legal_date_moved", "province", owner.reference, "a date was set twice or by a call")

    # what the gateway says it does not know
    def _unproven(self, books: Books, unproven: list[Listed], kills: tuple[float, ...], verdict: Verdict) -> None:
        """Only progress calls may end so, and declarations whose answer was cut, unreadable or never came."""
        for one in unproven:
            if (one.portal, one.klass) == ("national", "append"):
                continue
            if one.portal != "transport" or not self._in_doubt(books, one.key, kills):
                verdict.add("wrongly_unproven", one.portal, one.key, "the portal gave means to know")

    def _in_doubt(self, books: Books, message_id: str, kills: tuple[float, ...]) -> bool:
        calls = {
            number
            for held in books.transport_dossiers
            for line in held["declarations"]
            if line["message_id"] == message_id
            for number in line["calls"]
        }
        for call in books.transport_calls:
            if call["call"] in calls or message_id in (call["body"] or ""):
                ended = call["ended_s"] if call["ended_s"] is not None else float("inf")
                if call["answer"] != "whole" or any(call["began_s"] <= at <= ended + KILL_SLACK_S for at in kills):
                    return True
        return False
