"""Codecs of dates and times. Wall time without a zone is Vietnam's; instants are kept in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mappings.codec import Codec, CodecError
from mappings.numbers import whole
from schemas.clock import VIETNAM

_AHEAD = timedelta(hours=7)


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
    return _cut_to_milliseconds(_instant(value))


def _cut_to_milliseconds(instant: datetime) -> datetime:
    over = instant.microsecond % 1000
    return instant.replace(microsecond=instant.microsecond - over) if over else instant


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
    text = value if type(value) is str and value.isascii() else _ascii(value)
    try:
        instant = datetime.fromisoformat(text.strip())
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)
            return _cut_to_milliseconds(instant) if instant.microsecond else instant
    except ValueError:
        if text.lstrip().startswith(_NO_DATE):
            return None
        raise CodecError("ISO time expected") from None
    except OverflowError:
        raise CodecError("instant out of range") from None
    raise CodecError("a time zone is missing")


def _write_offset(value: Any) -> str:
    at = _local(value)
    return at.isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds")


def _read_epoch(value: Any) -> datetime | None:
    milliseconds = whole(value)
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


_DMY = r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"
_DOTS = r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"
_ISO = r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"
_CLOCK = r"(?P<h>\d{2}):(?P<i>\d{2}):(?P<s>\d{2})"
_ISO_LAYOUT = "{at.year:04d}-{at.month:02d}-{at.day:02d}"
_DMY_LAYOUT = "{at.day:02d}/{at.month:02d}/{at.year:04d}"
_DOTS_LAYOUT = "{at.day:02d}.{at.month:02d}.{at.year:04d}"
_CLOCK_LAYOUT = "{at.hour:02d}:{at.minute:02d}:{at.second:02d}"

TIMES: Mapping[str, Codec] = {
    codec.name: codec
    for codec in (
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
    )
}
"""Every codec of a date or time, by name."""
