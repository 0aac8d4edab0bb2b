"""What the simulated portal holds, and how it takes inserts, updates and progress rows (npsp.md 3.2, 3.3).

No upsert, no row ids, no de-duplication of progress, no conditional update: the attested poverty is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from adapters.base import JsonValue
from adapters.npsp.contract import contract, problems
from adapters.npsp.switches import Switches
from adapters.simulation import Book

_ADDRESSES = {
    "TaiLieuNop": ("TenTepDinhKem", "DuongDanTaiTepTin"),
    "DanhSachGiayToKetQua": ("TenGiayTo", "DuongDanTepTinKetQua"),
}
"""Lists whose rows name a file by address: the fields of its name and its address (npsp.md 3.2)."""
LEGAL_DATES = ("NgayNopHoSo", "NgayTiepNhan", "NgayHenTra")
Row = dict[str, Any]


@dataclass(slots=True)
class Held:
    """One dossier: its present content, every set of legal dates it ever showed, its progress log, files fetched."""

    content: Row
    dates: list[Row] = field(default_factory=list)
    progress: list[Row] = field(default_factory=list)
    fetched: list[Row] = field(default_factory=list)

    def show(self, content: Row) -> None:
        """Replace the content; remember dates not shown before."""
        self.content = content
        dates = {name: content.get(name) for name in LEGAL_DATES}
        if not self.dates or self.dates[-1] != dates:
            self.dates.append(dates)

    @property
    def doubled_rows(self) -> int:
        """How many progress rows repeat an earlier one of this dossier."""
        counts = Counter(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in self.progress)
        return sum(times - 1 for times in counts.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Code and text of the portal's answer to a write."""

    code: JsonValue
    text: str


class Holdings:
    """The portal's dossiers. Callers hold the simulator's lock."""

    def __init__(self, switches: Switches, book: Book) -> None:
        self.switches = switches
        self.book = book
        self.dossiers: dict[str, Held] = {}

    def insert(self, data: JsonValue, at: datetime, call: int) -> Verdict:
        """Take new dossiers; one known number fails the whole call."""
        if refusal := self._refusal(data, "dossier"):
            return refusal
        if any(row["MaHoSo"] in self.dossiers for row in data):
            return Verdict(self.switches.duplicate_code, "Mã hồ sơ đã tồn tại")
        for row in data:
            self.keep(row, "create", at, call)
        return self._done("Đồng bộ hồ sơ")

    def update(self, data: JsonValue, at: datetime, call: int) -> Verdict:
        """Replace dossiers whole; an unknown number is refused or created, by switch."""
        if refusal := self._refusal(data, "dossier"):
            return refusal
        unknown = any(row["MaHoSo"] not in self.dossiers for row in data)
        if unknown and self.switches.update_unknown == "refuse":
            return self._failed("Mã hồ sơ không tồn tại")
        for row in data:
            self.keep(row, "update" if row["MaHoSo"] in self.dossiers else "create", at, call)
        return self._done("Cập nhật hồ sơ")

    def append(self, data: JsonValue, at: datetime, call: int) -> Verdict:
        """Append progress rows as they come; equal rows are kept as often as they are sent."""
        if refusal := self._refusal(data, "progress"):
            return refusal
        if self.switches.progress_limit and len(data) > self.switches.progress_limit:
            return self._failed(f"Số dòng tiến độ vượt quá {self.switches.progress_limit}")
        if any(row["MaHoSo"] not in self.dossiers for row in data):
            return self._failed("Mã hồ sơ chưa được đồng bộ")
        for row in data:
            held = self.dossiers[row["MaHoSo"]]
            held.progress.append(row)
            self.book.record("progress", row["MaHoSo"], row, at=at, call=call)
            self._put(row["MaHoSo"])
        return self._done("Cập nhật tiến độ")

    def keep(self, content: Row, effect: str, at: datetime, call: int = 0) -> None:
        """Show this content for its number from now on."""
        code = content["MaHoSo"]
        self.dossiers.setdefault(code, Held({})).show(dict(content))
        self.book.record(effect, code, content, at=at, call=call)
        self._put(code)

    def seed(self, content: Mapping[str, Any], progress: Sequence[Mapping[str, Any]], at: datetime) -> None:
        """Let a dossier stand here from before: no call made it."""
        self.keep(dict(content), "seed", at)
        self.dossiers[content["MaHoSo"]].progress.extend(dict(row) for row in progress)
        self._put(content["MaHoSo"])

    def took(self, code: str, files: list[Row], at: datetime) -> None:
        """Somebody fetched the files of a dossier by their addresses: what came is kept beside it."""
        self.dossiers[code].fetched = files
        self.book.record("fetch", code, files, at=at)
        self._put(code)

    def look_up(self, code: str) -> list[Row]:
        """Rows of `TraCuuHoSo`: one, or none when the number is unknown."""
        held = self.dossiers.get(code)
        if held is None:
            return []
        switches = self.switches
        row = {switches.lookup_code_key: code, switches.lookup_status_key: held.content.get("TrangThaiHoSo", "")}
        return [row | {key: held.content.get(name, "") for name, key in switches.lookup_extra.items()}]

    def _put(self, code: str) -> None:
        held = self.dossiers[code]
        state: Row = {"dossier": held.content, "dates": held.dates, "progress": held.progress}
        if held.fetched:
            state["fetched"] = held.fetched
        self.book.put(code, state | {"doubled_rows": held.doubled_rows})

    def _refusal(self, data: JsonValue, name: str) -> Verdict | None:
        if not isinstance(data, list) or not data or not all(isinstance(row, Mapping) for row in data):
            return self._failed("Dữ liệu không hợp lệ: data phải là một mảng")
        if not all(isinstance(row.get("MaHoSo"), str) and row["MaHoSo"] for row in data):
            return self._failed("MaHoSo: bắt buộc")
        found = next(_broken(data, name), None) if self.switches.strict else None
        return self._failed(f"Dữ liệu không hợp lệ: {found}") if found else None

    def _failed(self, text: str) -> Verdict:
        return Verdict(self.switches.failure_code, text)

    def _done(self, what: str) -> Verdict:
        return Verdict(0, f"{what} {self.switches.success_text}")


def _broken(data: Sequence[JsonValue], name: str) -> Iterator[str]:
    for row in data:
        yield from problems(row, contract(name))


def addresses(content: Mapping[str, Any]) -> list[Row]:
    """Every address that a dossier shows, with the list it stands in and the name of its row."""
    return [
        {"list": name, "shown": row.get(title, ""), "url": row[address]}
        for name, (title, address) in _ADDRESSES.items()
        for row in content.get(name) or ()
        if row.get(address)
    ]
