"""Rounds: everybody is asked, nobody is always first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.civil_status.place import Place, batches, round_of

KEYS = st.sets(st.tuples(st.sampled_from(["", "LTKS", "LTKT"]), st.text("ab1", min_size=1, max_size=3)), max_size=30)


@given(KEYS, st.tuples(st.sampled_from(["", "LTKS", "LTKZ"]), st.text("ab1", max_size=3)))
def test_a_whole_round_asks_for_each_dossier_once_wherever_it_begins(
    keys: set[tuple[str, str]], after: tuple[str, str]
) -> None:
    assert sorted(round_of(keys, Place(after), limit=1000)) == sorted(keys)


@given(KEYS, st.integers(1, 7))
def test_short_rounds_one_after_another_ask_for_everybody(keys: set[tuple[str, str]], limit: int) -> None:
    place, asked = Place(), set()
    for _ in range(-(-len(keys) // limit)):
        for key in round_of(keys, place, limit=limit):
            place = place.at(key)
            asked.add(key)
    assert asked == keys


@given(KEYS, st.integers(1, 5))
def test_a_batch_holds_neighbours_of_one_module(keys: set[tuple[str, str]], size: int) -> None:
    ordered = sorted(keys)
    made = list(batches(ordered, size))
    assert [key for batch in made for key in batch] == ordered
    assert all(len(batch) <= size and len({module for module, _ in batch}) == 1 for batch in made)


def test_a_place_survives_its_writing() -> None:
    place = Place(("LTKS", "đ/1"), {"đ/1": 3}).counted("x").counted("x").answered("đ/1")
    assert Place.read(place.written()) == Place(("LTKS", "đ/1"), {"x": 2})
    assert Place.read(None) == Place()
    assert place.among(["y"]).tries == {}
