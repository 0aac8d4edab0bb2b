"""Random lives of dossiers over real store and engine; I1 to I13 are looked at after every step (design.md section 10).

A seed that once failed stays for ever, with what it found.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.life import Life

KEPT = {
    201: "an uncertain call whose lane waited for something else was never looked at again",
    226: "attempts of a command were forgotten when it ended superseded",
    230: "rows of a restore's gap were one question that nobody could answer",
    275: "an amendment went out though nobody knew of the declaration",
}
SHARE = range(100, 160)
SOAK = [seed for seed in range(160, 2000) if seed not in KEPT]


WITH_FILES = range(3000, 3020)
SOAK_WITH_FILES = range(3020, 4000)


@pytest.mark.parametrize(
    "seed", [*WITH_FILES, *(pytest.param(seed, marks=pytest.mark.soak) for seed in SOAK_WITH_FILES)]
)
def test_a_random_life_with_files_sends_nothing_without_them(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed, files=True)
    try:
        life.run()
    except AssertionError as error:
        error.add_note("\n".join([f"seed {seed}", *life.trace[-60:]]))
        raise


@pytest.mark.parametrize("seed", [*KEPT, *SHARE, *(pytest.param(seed, marks=pytest.mark.soak) for seed in SOAK)])
def test_a_random_life_keeps_every_promise_and_ends_with_all_ends_equal(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    try:
        life.run()
    except AssertionError as error:
        error.add_note("\n".join([f"seed {seed}", *life.trace[-60:]]))
        raise
