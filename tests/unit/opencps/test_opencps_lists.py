"""A list over a live index: whatever is reordered, put in or taken out meanwhile, a row that stands still is found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.conformance import bench_context
from adapters.opencps.calls import Calls
from adapters.opencps.lists import Listing, Lists
from adapters.opencps.options import Options
from adapters.opencps.rows import JsonObject
from adapters.opencps.windows import Window
from schemas.errors import PortalContractError

DAY = Window("submit", date(2026, 2, 1), date(2026, 2, 1))
OPTIONS = {"base_url": "http://portal.invalid", "group_id": 1, "username": "u", "password": "${P}"}


class LiveIndex(Calls):
    """The list of one portal, answered in memory; it lives between any two questions.

    `skew` is added to the count; `most` rows are given in one answer at most (0: as many as asked for); `reorders`
    puts all rows into another order before every answer; `moves` puts in and takes out rows that are not `still`.
    """

    def __init__(
        self,
        chance: Random,
        count: int,
        *,
        skew: int = 0,
        most: int = 0,
        reorders: bool = False,
        moves: bool = False,
        dates: Mapping[str, str] | None = None,
    ) -> None:
        self.context = bench_context("province")
        self.still = [f"s{number}" for number in range(count)]
        self.dates = dict(dates or {})
        self.asked: list[int] = []
        self._chance, self._skew, self._most, self._reorders, self._moves = chance, skew, most, reorders, moves
        self._rows = list(self.still)
        self._made = 0

    def read(self, path: str, *, params: Mapping[str, Any] | None = None, group_id: int | None = None) -> JsonObject:
        del path, group_id
        start, end = (params or {})["start"], (params or {})["end"]
        self.asked.append(end - start)
        self._live()
        return {"total": max(0, len(self._rows) + self._skew), "data": self.shown(start, end)}

    def shown(self, start: int, end: int) -> list[JsonObject]:
        last = min(end, start + self._most) if self._most else end
        return [
            {"referenceUid": uid, "dossierId": 1, "submitDate": self.dates.get(uid, "01/02/2026 00:00:00")}
            for uid in self._rows[start:last]
        ]

    def _live(self) -> None:
        if self._reorders:
            self._chance.shuffle(self._rows)
        if not self._moves:
            return
        for _ in range(self._chance.randint(0, 3)):
            self._rows.insert(self._chance.randint(0, len(self._rows)), f"x{self._made}")
            self._made += 1
        passing = [uid for uid in self._rows if uid.startswith("x")]
        for uid in self._chance.sample(passing, min(len(passing), self._chance.randint(0, 2))):
            self._rows.remove(uid)


class Stuck(LiveIndex):
    """Gives its first page and a large count whatever is asked."""

    def read(self, path: str, *, params: Mapping[str, Any] | None = None, group_id: int | None = None) -> JsonObject:
        del path, params, group_id
        return {"total": 500, "data": self.shown(0, 10)}


def listing(index: LiveIndex, **options: Any) -> Listing:
    settings = OPTIONS | {"page_size": 10, "overlap": 3, "max_window_rows": 10} | options
    lists = Lists(index, Options.model_validate(settings))
    first, total = lists.first_page(DAY, ())
    return lists.read(DAY, (), first, total)


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 60),
    skew=st.sampled_from([0, 0, -1, 3, -50]),
    most=st.sampled_from([0, 0, 4, 10]),
    reorders=st.booleans(),
    moves=st.booleans(),
)
def test_op_06_a_listing_that_is_believed_has_lost_no_row_that_stands_still(
    seed: int, count: int, skew: int, most: int, reorders: bool, moves: bool
) -> None:
    assume(not (most and skew < 0))  # a count short by just what the portal cuts off shows in no answer
    index = LiveIndex(Random(seed), count, skew=skew, most=most, reorders=reorders and not most, moves=moves)
    found = listing(index)
    missed = [uid for uid in index.still if uid not in found.rows]
    assert not (found.agreed and missed), "believed, but rows are missing"


@given(seed=st.integers(0, 2**32), count=st.integers(0, 60), skew=st.sampled_from([-50, -1, 0, 3]))
def test_op_06_a_portal_that_gives_what_it_is_asked_for_hides_nothing(seed: int, count: int, skew: int) -> None:
    index = LiveIndex(Random(seed), count, skew=skew, reorders=skew > -50, moves=True)
    found = listing(index)
    assert set(index.still) <= set(found.rows)


@pytest.mark.parametrize("skew", [0, -1, -30, 5])
@pytest.mark.parametrize("most", [0, 4, 9, 10])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 43])
def test_op_07_a_quiet_index_is_read_whole_whatever_its_count_says(count: int, most: int, skew: int) -> None:
    if most and count + skew == most:
        return  # a count short by just what the portal cuts off shows in no answer
    found = listing(LiveIndex(Random(0), count, skew=skew, most=most))
    assert len(found.rows) == count
    assert found.agreed


def test_a_portal_that_gives_the_same_page_whatever_is_asked_ends() -> None:
    index = Stuck(Random(0), 10)
    assert len(listing(index).rows) == 10


def test_a_row_the_index_puts_in_a_wrong_window_holds_nothing_up() -> None:
    index = LiveIndex(Random(0), 5, dates={"s1": "17/11/2025 08:00:00", "s2": "", "s3": "hôm qua"})
    with pytest.raises(PortalContractError, match="outside their submit window"):
        listing(index)
    index.dates = {"s1": "17/11/2025 08:00:00", "s2": ""}
    assert len(listing(index).rows) == 5


def test_a_day_with_very_many_rows_is_read_page_by_page() -> None:
    index = LiveIndex(Random(0), 2500)
    assert len(listing(index, page_size=500).rows) == 2500
    assert max(index.asked) == 500
