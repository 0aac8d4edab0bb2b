"""The closed list of two-way codecs for single values.

Each codec keeps two laws, tried by property tests:

- L1: `read(write(v)) == v` for every v with `narrow(v) == v`;
- L2: `write(read(w)) == w` for w in normal form, `read(write(read(w))) == read(w)` for every readable w.

`narrow` says what the wire can carry of a value: a date-only wire drops the time of day, `text_cut` the tail.
Absence (`None`, `""`, left out) never reaches a codec, and a reader may give None for a spelling that means
"no value" (`0` for an instant). Codecs that hold records are in `records.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unicodedata import normalize

from schemas.clock import VIETNAM

_AHEAD = timedelta(hours=7)
_DEEPEST = 60
_GROUPED = re.compile(r"[0-9]{1,3}(\.[0-9]{3}){1,4}").fullmatch
_WHOLE = re.compile(r"-?[0-9]{1,18}").fullmatch


class CodecError(ValueError):
    """A value that a codec cannot read or write; says the rule and the place, never the value."""

    def __init__(self, rule: str, at: str = "") -> None:
        self.rule = rule
        self.at = at
        super().__init__(f"{at}: {rule}" if at else rule)

    def under(self, place: str) -> CodecError:
        """The same problem, seen from the record that holds the value."""
        if not self.at:
            return CodecError(self.rule, place)
        return CodecError(self.rule, f"{place}{self.at}" if self.at.startswith("[") else f"{place}.{self.at}")


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Codec:
    """A two-way codec. `gives` names the canonical type: text, instant, date, truth, number, json or an enum's."""

    name: str
    gives: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    narrow: Callable[[Any], Any] = _same


def nfc(text: str) -> str:
    """Text in Unicode NFC; plain ASCII is returned as it is."""
    return text if text.isascii() else normalize("NFC", text)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise CodecError("text expected")
    return value if value.isascii() else normalize("NFC", value)


def _trimmed(value: Any) -> str | None:
    return _text(value).strip() or None


def _json(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise CodecError("JSON too deep")
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: _json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item, depth + 1) for item in value]
    if type(value) is str:
        return nfc(value)
    if value is None or type(value) in (int, float, bool):
        return value
    raise CodecError("JSON expected")


def _number(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is str:
        digits = value.strip()
        if _WHOLE(digits):
            return int(digits)
    raise CodecError("whole number expected")


def _only_int(value: Any) -> int:
    if type(value) is not int:
        raise CodecError("whole number expected")
    return value


def _money(value: Any) -> int:
    if type(value) is str:
        plain = nfc(value).strip().casefold()
        if plain in ("không", "miễn phí"):
            return 0
        plain = plain.removesuffix("đồng").removesuffix("vnd").rstrip()
        if _GROUPED(plain):
            return int(plain.replace(".", ""))
        return _number(plain)
    return _number(value)


def _instant(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise CodecError("instant with a time zone expected")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise CodecError("instant out of range") from None


def _local(value: Any) -> datetime:
    try:
        return _instant(value).astimezone(VIETNAM)
    except OverflowError:
        raise CodecError("instant out of range") from None


def _to_utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, us: int = 0) -> datetime:
    try:
        return datetime(year, month, day, hour, minute, second, us, UTC) - _AHEAD
    except (ValueError, OverflowError):
        raise CodecError("no such date or time") from None


def _whole_seconds(value: Any) -> datetime:
    return _instant(value).replace(microsecond=0)


def _whole_milliseconds(value: Any) -> datetime:
    instant = _instant(value)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _local_midnight(value: Any) -> datetime:
    return _local(value).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _ascii(value: Any) -> str:
    if type(value) is not str or not value.isascii():
        raise CodecError("date or time text expected")
    return value


def _read_time_14(value: Any) -> datetime:
    text = _ascii(value)
    if not text.isdigit():
        raise CodecError("14 digits expected")
    if len(text) == 14:
        return _to_utc(
            int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:10]), int(text[10:12]), int(text[12:14])
        )
    if len(text) == 8:
        return _to_utc(int(text[:4]), int(text[4:6]), int(text[6:8]))
    raise CodecError("14 digits expected")


def _write_time_14(value: Any) -> str:
    at = _local(value)
    return f"{at.year:04d}{at.month:02d}{at.day:02d}{at.hour:02d}{at.minute:02d}{at.second:02d}"


def _pattern_codec(name: str, pattern: str, layout: str, *, dated: bool) -> Codec:
    """A local time written by a fixed pattern; `dated` means the wire holds a day only."""
    matches = re.compile(pattern, re.ASCII).fullmatch

    def read(value: Any) -> datetime:
        found = matches(_ascii(value).strip())
        if found is None:
            raise CodecError(f"not a {name}")
        parts = found.groupdict()
        fraction = int((parts.get("f") or "").ljust(6, "0") or 0)
        year, month, day, hour, minute, second = (int(parts.get(key) or 0) for key in "ymdhis")
        return _to_utc(year, month, day, hour, minute, second, fraction)

    def write(value: Any) -> str:
        at = _local(value)
        return layout.format(at=at, ms=at.microsecond // 1000)

    narrow = _local_midnight if dated else (_whole_milliseconds if "{ms" in layout else _whole_seconds)
    return Codec(name, "instant", read, write, narrow)


def _date_codec(name: str, pattern: str, layout: str) -> Codec:
    matches = re.compile(pattern, re.ASCII).fullmatch

    def read(value: Any) -> date:
        found = matches(_ascii(value).strip())
        if found is None:
            raise CodecError(f"not a {name}")
        try:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:
            raise CodecError("no such date") from None

    def write(value: Any) -> str:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise CodecError("date expected")
        return layout.format(at=value)

    return Codec(name, "date", read, write)


_NO_DATE = "0000-00-00"


def _read_offset(value: Any) -> datetime | None:
    text = _ascii(value).strip()
    if text.startswith(_NO_DATE):
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise CodecError("a time zone is missing")
        return _whole_milliseconds(instant)
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, CodecError) else CodecError("ISO time expected") from None


def _write_offset(value: Any) -> str:
    at = _local(value)
    return at.isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds")


def _read_epoch(value: Any) -> datetime | None:
    milliseconds = _number(value)
    if milliseconds == 0:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise CodecError("instant out of range") from None


def _write_epoch(value: Any) -> int:
    milliseconds = (_instant(value) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if milliseconds == 0:
        raise CodecError("the wire reads this instant as none")
    return milliseconds


def _truth_codec(name: str, yes: str | bool, no: str | bool) -> Codec:
    readable = {"true": True, "false": False, "1": True, "0": False}

    def read(value: Any) -> bool:
        if type(value) is bool:
            return value
        truth = readable.get(str(value).strip().lower()) if type(value) in (str, int) else None
        if truth is None:
            raise CodecError("yes or no expected")
        return truth

    def write(value: Any) -> str | bool:
        if type(value) is not bool:
            raise CodecError("yes or no expected")
        return yes if value else no

    return Codec(name, "truth", read, write)


_DMY = r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"
_DOTS = r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"
_ISO = r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"
_CLOCK = r"(?P<h>\d{2}):(?P<i>\d{2}):(?P<s>\d{2})"
_ISO_LAYOUT = "{at.year:04d}-{at.month:02d}-{at.day:02d}"
_DMY_LAYOUT = "{at.day:02d}/{at.month:02d}/{at.year:04d}"
_DOTS_LAYOUT = "{at.day:02d}.{at.month:02d}.{at.year:04d}"
_CLOCK_LAYOUT = "{at.hour:02d}:{at.minute:02d}:{at.second:02d}"

PLAIN: Mapping[str, Codec] = {
    codec.name: codec
    for codec in (
        Codec("text", "text", _text, _text, _text),
        Codec("trimmed", "text", _trimmed, _trimmed, _trimmed),
        Codec("json", "json", _json, _json, _json),
        Codec("int", "number", _number, _only_int),
        Codec("int_text", "number", _number, lambda value: str(_only_int(value))),
        Codec("money_text", "number", _money, lambda value: str(_only_int(value))),
        Codec("number_as_text", "text", lambda value: str(_number(value)), _number, lambda value: str(_number(value))),
        Codec("local_time_14", "instant", _read_time_14, _write_time_14, _whole_seconds),
        _pattern_codec("local_time_dmy_hms", f"{_DMY} {_CLOCK}", f"{_DMY_LAYOUT} {_CLOCK_LAYOUT}", dated=False),
        _pattern_codec("local_time_iso", f"{_ISO}[ T]{_CLOCK}", f"{_ISO_LAYOUT} {_CLOCK_LAYOUT}", dated=False),
        _pattern_codec(
            "local_time_iso_false_z",
            f"{_ISO}T{_CLOCK}" + r"(\.(?P<f>\d{1,3}))?Z",
            f"{_ISO_LAYOUT}T{_CLOCK_LAYOUT}.{{ms:03d}}Z",
            dated=False,
        ),
        _pattern_codec("local_date_dmy", _DMY, _DMY_LAYOUT, dated=True),
        _pattern_codec("local_date_dots", _DOTS, _DOTS_LAYOUT, dated=True),
        _pattern_codec("local_date_iso", _ISO, _ISO_LAYOUT, dated=True),
        _date_codec("date_dmy", _DMY, _DMY_LAYOUT),
        _date_codec("date_dots", _DOTS, _DOTS_LAYOUT),
        _date_codec("date_iso", _ISO, _ISO_LAYOUT),
        _date_codec("date_8", r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})", "{at.year:04d}{at.month:02d}{at.day:02d}"),
        Codec("iso_time_offset", "instant", _read_offset, _write_offset, _whole_milliseconds),
        Codec("epoch_ms", "instant", _read_epoch, _write_epoch, _whole_milliseconds),
        Codec("epoch_ms_text", "instant", _read_epoch, lambda value: str(_write_epoch(value)), _whole_milliseconds),
        _truth_codec("true_false_text", "True", "False"),
        _truth_codec("lower_true_false", "true", "false"),
        _truth_codec("flag_01", "1", "0"),
        _truth_codec("boolean", True, False),
    )
}
"""Codecs without arguments, by name."""


def text_cut(longest: int) -> Codec:
    """Text of at most `longest` characters (a known limit of the portal); a longer one ends in `...`."""

    def cut(value: Any) -> str:
        text = _text(value)
        return text if len(text) <= longest else normalize("NFC", text[: longest - 3]) + "..."

    return Codec("text_cut", "text", cut, cut, cut)


def first_of(codecs: tuple[Codec, ...]) -> Codec:
    """Reads what any of `codecs` reads, in order; writes as the first."""

    def read(value: Any) -> Any:
        for codec in codecs:
            try:
                return first.narrow(codec.read(value))
            except CodecError:
                continue
        raise CodecError("none of the known spellings")

    first = codecs[0]
    return Codec("first_of", first.gives, read, first.write, first.narrow)


def table(
    codes: Mapping[str, Any], prefer: Mapping[str, str], *, fold: bool, numbers: bool, beyond: bool, gives: str
) -> Codec:
    """A code table: wire word -> canonical value.

    Args:
        codes: Every code that may be read; a value of None means the code says nothing about this field, and the
            code `*` stands for every other one.
        prefer: Canonical value -> the code to write, for values that several codes give.
        fold: Also read codes that differ only in case or outer blanks.
        numbers: The wire holds numbers; codes are written as such.
        beyond: A value without a code is written as the field's absence, instead of being refused.
        gives: Name of the canonical type.
    """
    codes = dict(codes)
    others = codes.pop(ANY_CODE, _UNKNOWN)
    folded = {code.strip().casefold(): value for code, value in codes.items()} if fold else {}
    words: dict[Any, str] = {}
    for code, value in codes.items():
        if value is not None:
            words.setdefault(value, code)
    words.update(prefer)
    spelled = {value: int(code) if numbers else code for value, code in words.items()}

    def read(value: Any) -> Any:
        code = value if type(value) is str else str(_only_int(value))
        if code in codes:
            return codes[code]
        if fold and (near := code.strip().casefold()) in folded:
            return folded[near]
        if others is _UNKNOWN:
            raise CodecError("code not in the table")
        return others

    def write(value: Any) -> str | int | None:
        try:
            return spelled[value]
        except (KeyError, TypeError):
            if beyond:
                return None
            raise CodecError("no code for this value in the table") from None

    return Codec("table", gives, read, write, (lambda value: value if value in spelled else None) if beyond else _same)


ANY_CODE = "*"
_UNKNOWN = object()


def constant(word: Any) -> Codec:
    """Always writes `word`; reads nothing, whatever the wire holds."""
    return Codec("constant", "nothing", lambda _value: None, lambda _value: word)
