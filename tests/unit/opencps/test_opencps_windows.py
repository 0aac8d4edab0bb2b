"""Windows and cursors: pure arithmetic."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from adapters.opencps.options import Options, Tier
from adapters.opencps.windows import Progress, Tour, Window, begin, is_due, read_local

DAY = date(2026, 3, 2)
OPTIONS = Options(base_url="http://h", group_id=1, token="${T}")


def test_halves_cover_a_window_without_gap_or_overlap() -> None:
    todo, days = [Window("submit", date(2020, 1, 1), date(2026, 12, 31))], []
    while todo:
        window = todo.pop()
        if (halves := window.halves()) is None:
            days.append(window.first)
        else:
            assert halves[0].last.toordinal() + 1 == halves[1].first.toordinal()
            todo += halves
    assert sorted(days) == [date.fromordinal(n) for n in range(date(2020, 1, 1).toordinal(), 739_982)]


@pytest.mark.parametrize(
    ("text", "slack_h", "held"),
    [
        ("02/03/2026 00:00:00", 0, True),
        ("02/03/2026 23:59:59", 0, True),
        ("01/03/2026 23:59:59", 0, False),
        ("03/03/2026 00:00:00", 0, False),
        ("01/03/2026 17:00:00", 7, True),
        ("01/03/2026 16:59:59", 7, False),
        ("03/03/2026 06:59:59", 7, True),
        ("03/03/2026 07:00:01", 7, False),
        ("2026-03-02T08:00:00.000Z", 0, True),
        ("", 7, False),
        (None, 7, False),
    ],
)
def test_a_row_lies_in_its_window_or_within_the_slack(text: str | None, slack_h: int, held: bool) -> None:
    assert Window("receive", DAY, DAY).holds({"receiveDate": text}, slack_h) is held


@pytest.mark.parametrize("text", ["02/03/2026 08:30:00", "2026-03-02T08:30:00.000Z", "20260302083000", "1772415000000"])
def test_op_14_dates_of_lists_are_read_in_every_attested_form(text: str) -> None:
    found = read_local(text)
    assert found is not None
    assert found.isoformat() == "2026-03-02T08:30:00"


def test_both_ends_of_a_filter_are_days() -> None:
    assert Window("finish", DAY, DAY).filters() == {"fromFinishDate": "02/03/2026", "toFinishDate": "02/03/2026"}


def test_a_cursor_is_read_as_it_was_written() -> None:
    progress = Progress({"rest": Tour(5.0, 1.0, [["submit", "2026-03-01", "2026-03-02"]], 2, False, False)}, True)
    assert Progress.read(progress.write()) == progress


def test_windows_reach_back_from_the_earlier_day_and_forward_from_the_later() -> None:
    tour = begin(Tier(name="recent", every_s=1, by=("submit",), days=7), OPTIONS, 0.0, DAY, date(2026, 5, 1))
    assert tour.todo == [["submit", "2026-02-23", "2026-05-03"]]


def test_a_whole_tiers_windows_come_due_over_its_time() -> None:
    tier = Tier(name="rest", every_s=100, whole=True)
    windows = [Window("submit", date(2026, 1, day), date(2026, 1, day)).pack() for day in range(10, 0, -1)]
    tour = Tour(100.0, 0.0, windows, 10)
    read_at = []
    for now in range(100):
        while is_due(tour, tier, now, hurry=False):
            tour.todo.pop()
            read_at.append(now)
    assert read_at == list(range(0, 100, 10))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token": None}, "set username"),
        ({"username": "u", "password": "${P}"}, "set username"),
        ({"page_size": 5, "overlap": 5}, "overlap"),
        ({"tiers": [{"name": "recent", "every_s": 1}]}, "whole"),
        ({"tiers": [{"name": "a", "every_s": 1, "whole": True}] * 2}, "one name"),
        ({"password": "plain"}, "reference"),
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Options.model_validate({"base_url": "http://h", "group_id": 1, "token": "${T}"} | changes)
