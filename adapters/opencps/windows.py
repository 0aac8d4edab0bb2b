"""Windows of a sweep: pure arithmetic on days, and the cursor that remembers it all.

There is no change feed (provincial.md 1.4): what changed is found by listing dossiers by date windows and comparing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from adapters.opencps.options import Options, Tier
from schemas.clock import VIETNAM

WIRE = {"submit": "SubmitDate", "receive": "ReceiveDate", "finish": "FinishDate", "release": "ReleaseDate",
        "due": "DueDate"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """Days `first` to `last`, both included, of one date."""

    by: str
    first: date
    last: date

    def halves(self) -> tuple[Window, Window] | None:
        """The window in two, or None when it is a single day."""
        days = (self.last - self.first).days
        if days == 0:
            return None
        middle = self.first + timedelta(days=days // 2)
        return Window(self.by, self.first, middle), Window(self.by, middle + timedelta(days=1), self.last)

    def filters(self) -> dict[str, str]:
        """Both ends, always: with one end missing the portal compares with nonsense."""
        name = WIRE[self.by]
        return {f"from{name}": f"{self.first:%d/%m/%Y}", f"to{name}": f"{self.last:%d/%m/%Y}"}

    def holds(self, row: dict[str, Any], slack_h: int) -> bool:
        """Whether a row lies in the window; a portal silently drops a filter it cannot read."""
        name = WIRE[self.by]
        at = read_local(row.get(name[0].lower() + name[1:]))
        if at is None:
            return False
        slack = timedelta(hours=slack_h)
        return self.first <= (at + slack).date() and (at - slack).date() <= self.last

    def pack(self) -> list[str]:
        """As the cursor holds it."""
        return [self.by, self.first.isoformat(), self.last.isoformat()]


_PATTERNS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M%S")


def read_local(value: Any) -> datetime | None:
    """A list row's date without a zone, in any attested spelling; None for anything else.

    Attested: `dd/MM/yyyy HH:mm:ss`, `dd/MM/yyyy`, the index's own digits, ISO whose Z is a letter, epoch milliseconds.
    """
    text = str(value).strip()
    if text.isascii() and text.isdigit() and len(text) in (12, 13):
        return datetime.fromtimestamp(int(text) / 1000, VIETNAM).replace(tzinfo=None)
    for pattern in _PATTERNS:
        with suppress(ValueError):
            return datetime.strptime(text[:19], pattern)  # noqa: DTZ007 - compared with days of the same clock
    return None


@dataclass(slots=True)
class Tour:
    """How far one tier has come: `due_at` its next start, `todo` windows left, last one first.

    `clean`: every window agreed so far; `fresh`: no window was read yet.
    """

    due_at: float = 0.0
    began_at: float = 0.0
    todo: list[list[str]] = field(default_factory=list)
    size_days: int = 0
    clean: bool = True
    fresh: bool = True

    def next_window(self) -> Window:
        """The window at hand."""
        by, first, last = self.todo[-1]
        return Window(by, date.fromisoformat(first), date.fromisoformat(last))


@dataclass(slots=True)
class Progress:
    """The cursor: what each tier has left. `backfilled` tells that a first whole sweep has ended."""

    tours: dict[str, Tour] = field(default_factory=dict)
    backfilled: bool = False

    @classmethod
    def read(cls, cursor: str | None) -> Progress:
        """Read a cursor of ours; None begins from the beginning."""
        if not cursor:
            return cls()
        held = orjson.loads(cursor)
        return cls({name: Tour(**tour) for name, tour in held["tours"].items()}, held["backfilled"])

    def write(self) -> str:
        """As opaque text."""
        return orjson.dumps(asdict(self)).decode()


def begin(tier: Tier, options: Options, now: float, first_today: date, last_today: date) -> Tour:
    """A tour of all windows of a tier, submit dates before receive dates, oldest first (taken from the end).

    A dossier that is received while the tour is under way moves to a window that is still to come. Our day and the
    portal's may differ: windows reach back from the earlier and forward from the later.
    """
    last = last_today + timedelta(days=options.ahead_days)
    first = options.since if tier.days is None else max(options.since, first_today - timedelta(days=tier.days))
    windows = [Window(by, min(first, last), last) for by in tier.by]
    size = sum((window.last - window.first).days + 1 for window in windows)
    return Tour(now + tier.every_s, now, [window.pack() for window in reversed(windows)], size)


def is_due(tour: Tour, tier: Tier, now: float, *, hurry: bool) -> bool:
    """Whether the window at hand may be read now: a whole tier's windows are spread over its time.

    `hurry`: the first sweep is made at once.
    """
    if not tour.todo:
        return False
    if hurry or not tier.whole:
        return True
    left = sum((date.fromisoformat(last) - date.fromisoformat(first)).days + 1 for _, first, last in tour.todo)
    return now >= tour.began_at + tier.every_s * (tour.size_days - left) / max(tour.size_days, 1)


def portal_day(at: datetime) -> date:
    """The day of an instant in Vietnam."""
    return at.astimezone(VIETNAM).date()
