"""Takes a poll's reply apart: whose row is whose, which of two counts, and whether a promised result is there.

Pure. The ministry leaves out numbers, answers for foreign ones and repeats itself (R04); a completed dossier
may come without its certificate for a while (R06).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from adapters.civil_status.options import Options
from adapters.civil_status.outcomes import back_end_failed
from adapters.civil_status.wire import BadJsonError, JsonValue, Verdict, text_of, unwrapped, verdict_of

TIME_FORMATS = ("%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d")
"""Only for telling which of two rows of one number is newer; what is stored is read by the mapping."""

PDF_HEAD = b"%PDF-"
RESULT_LIST = "tepKetQua"
"""Our name for the list of result files we put beside `ketQuaXuLy`, each with digest and size instead of its bytes."""


class PollFailedError(Exception):
    """The ministry answered a poll with a no; `verdict` says which."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("the poll was refused")
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Answered:
    """What one poll said: rows by the number we asked for, and numbers that cannot be read, with the reason."""

    rows: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


def answered(reply: JsonValue, asked: Iterable[str]) -> Answered:
    """Sort the rows of a poll's reply by number.

    Raises:
        PollFailedError: The reply is a no, for all numbers in it.
        BadJsonError: The reply is not what the contract promises.
    """
    if not isinstance(reply, dict):
        raise BadJsonError("the reply is not an object")
    rows = _rows(reply)
    wanted = set(asked)
    by_number: dict[str, list[dict[str, JsonValue]]] = {}
    for row in rows:
        if (number := text_of(row.get("maHoSoMCDT"))) in wanted:
            by_number.setdefault(number, []).append(row)
    result = Answered()
    for number, candidates in by_number.items():
        newest = _newest(candidates)
        if newest is None:
            result.unreadable[number] = "two different answers for one number and no time to order them"
        elif newest.get("trangThai") in (None, ""):
            result.unreadable[number] = "an answer without a state"
        else:
            result.rows[number] = newest
    return result


def _rows(reply: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    verdict = verdict_of(reply)
    value = unwrapped(reply.get("value"))
    rows = [value] if isinstance(value, dict) else value or []
    if not isinstance(rows, list):
        raise BadJsonError("`value` is not a list")
    readable = [row for row in (unwrapped(row) for row in rows) if isinstance(row, dict)]
    if len(readable) != len(rows):
        raise BadJsonError("`value` holds something that is not a dossier")
    no = verdict.status in ("0", "false") or verdict.code not in ("", "0") or back_end_failed(verdict)
    if no and not readable:
        raise PollFailedError(verdict)
    if "value" not in reply:
        raise BadJsonError("the reply has no `value`")
    return readable


def _newest(candidates: list[dict[str, JsonValue]]) -> dict[str, JsonValue] | None:
    """The one row that counts: equal rows are one; of different ones the last by its own time, if all have one."""
    distinct = {digest_of(row): row for row in candidates}
    rows = list(distinct.values())
    if len(rows) == 1:
        return rows[0]
    times = [_time_of(row) for row in rows]
    known = [time for time in times if time is not None]
    if len(known) != len(rows) or known.count(max(known)) > 1:
        return None
    return rows[times.index(max(known))]


def _time_of(row: dict[str, JsonValue]) -> datetime | None:
    text = text_of(row.get("thoiGianThucHien"))
    for pattern in TIME_FORMATS:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - compared with its like only
        except ValueError:
            continue
    return None


def digest_of(row: dict[str, JsonValue]) -> str:
    """SHA-256 of a row as shown; no field of it changes by itself, so none is left out."""
    return hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A certificate taken out of a row."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hex digest of the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()


class ResultMissingError(Exception):
    """A completed dossier shows no readable result; the text names the reason, never the content (R06)."""


def result_file(row: dict[str, JsonValue], module: str, options: Options) -> ResultFile | None:
    """Take the certificate out of a row; None where this module's results have no known file.

    Raises:
        ResultMissingError: `ketQuaXuLy` or its file is absent, not base64, too large or not a PDF.
    """
    result = _result_of(row)
    if (name := options.result_files.get(module)) is None:
        return None
    text = result.get(name)
    if not isinstance(text, str) or not text.strip():
        raise ResultMissingError(f"ketQuaXuLy has no {name}")
    if len(text) > options.max_result_bytes * 4 // 3 + 4:
        raise ResultMissingError(f"{name} is larger than max_result_bytes")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ResultMissingError(f"{name} is not base64") from None
    if not content.startswith(PDF_HEAD):
        raise ResultMissingError(f"{name} is not a PDF")
    return ResultFile(name, content)


def _result_of(row: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        result = unwrapped(row.get("ketQuaXuLy"))
    except BadJsonError as problem:
        raise ResultMissingError(f"ketQuaXuLy: {problem}") from None
    if not isinstance(result, dict) or not result:
        raise ResultMissingError("ketQuaXuLy is empty")
    return result


def state_part(row: dict[str, JsonValue], module: str, options: Options) -> dict[str, JsonValue]:
    """The row as the mapping reads it: identifiers and state as text, the certificate replaced by its digest.

    Raises:
        ResultMissingError: The state promises a result that cannot be read.
    """
    part = {**row, "maHoSoMCDT": text_of(row.get("maHoSoMCDT")), "maHoSoLT": text_of(row.get("maHoSoLT"))}
    if isinstance(row.get("trangThai"), int) and not isinstance(row.get("trangThai"), bool):
        part["trangThai"] = text_of(row["trangThai"])
    if part.get("trangThai") in options.completed_states:
        file, result = result_file(row, module, options), _result_of(row)
        part["ketQuaXuLy"] = {name: value for name, value in result.items() if name != (file.name if file else None)}
        part[RESULT_LIST] = [_described(file, result, part["maHoSoMCDT"])]
    return part


def _described(file: ResultFile | None, result: dict[str, JsonValue], number: str) -> dict[str, JsonValue]:
    book, page = text_of(result.get("quyenSo")), text_of(result.get("trangSo"))
    register = {name: text_of(result.get(name)) for name in ("soDangKy", "ngayDangKy")}
    register["soQuyen"] = f"quyển số {book}, trang số {page}" if book and page else ""
    if file is None:
        return register
    about = {"ten": file.name, "loai": "application/pdf", "kichThuoc": len(file.content), "sha256": file.sha256}
    return {**register, **about, "ref": file_ref(number, file)}


def file_ref(number: str, file: ResultFile) -> str:
    """The reference `open_file` takes: digest, field, and the number last because it is free text."""
    return f"{file.sha256}:{file.name}:{number}"


def parse_file_ref(ref: str) -> tuple[str, str, str]:
    """Give digest, field and number of a reference.

    Raises:
        ValueError: Not a reference of ours.
    """
    digest, name, number = ref.split(":", 2)
    return digest, name, number
