"""Dates as the portal writes them, and its working calendar (provincial.md 2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from schemas.clock import VIETNAM

_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})").fullmatch


def spoken(at: datetime | None) -> str:
    """`dd/MM/yyyy HH:mm:ss` in Vietnam time; "" for a missing date."""
    if at is None:
        return ""
    local = at.astimezone(VIETNAM)
    return f"{local.day:02d}/{local.month:02d}/{local.year:04d} {local.hour:02d}:{local.minute:02d}:{local.second:02d}"


def false_z(at: datetime) -> str:
    """`yyyy-MM-dd'T'HH:mm:ss.SSS'Z'` where Z is a letter: the value is Vietnam time."""
    local = at.astimezone(VIETNAM)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}Z"


def twelve_hour(at: datetime) -> str:
    """`dd-MM-yyyy hh:mm:ss` on a 12-hour clock without AM or PM."""
    return f"{at.astimezone(VIETNAM):%d-%m-%Y %I:%M:%S}"


def epoch_ms(at: datetime | None) -> int:
    """Milliseconds since 1970, 0 for a missing date."""
    return 0 if at is None else int(at.timestamp() * 1000)


def from_epoch(text: str) -> datetime | None:
    """Form text in milliseconds; 0 or anything unreadable is "absent"."""
    try:
        number = int(text)
        return datetime.fromtimestamp(number / 1000, UTC) if number > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def day_text(text: str) -> str:
    """A filter's `dd/MM/yyyy` as `yyyyMMdd`; any other shape silently becomes "" (the filter is dropped)."""
    found = _DAY(text)
    return f"{found[3]}{found[2]}{found[1]}" if found else ""


def index_time(at: datetime | None, shift_h: float) -> str:
    """`yyyyMMddHHmmss` as the index holds it, written in the zone the JVM runs in; "0" for a missing date."""
    if at is None:
        return "0"
    return f"{at.astimezone(VIETNAM) - timedelta(hours=shift_h):%Y%m%d%H%M%S}"


def due_after(start: datetime, days: float) -> datetime | None:
    """`days` working days after `start` at the same time of day, weekends left out; None without a duration."""
    if days <= 0:
        return None
    local = start.astimezone(VIETNAM)
    left = int(days) or 1
    while left:
        local += timedelta(days=1)
        left -= local.weekday() < 5
    return local.astimezone(UTC)
