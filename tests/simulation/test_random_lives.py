"""Random lives of dossiers over real store and engine; I1 to I13 are looked at after every step (design.md section 10).

A seed that once failed stays for ever, with what it found.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.life import Life

KEPT = {
    6: "an uncertain insert whose lane waited for a request was never looked at again",
    13: "attempts of a command were forgotten when it ended superseded",
    21: "a worker that took a call over made its answer, which had come meanwhile, unknown again",
    39: "attempts of a command were forgotten when it ended superseded",
}
SHARE = range(100, 160)
SOAK = range(160, 3000)


@pytest.mark.parametrize("seed", [*KEPT, *SHARE, *(pytest.param(seed, marks=pytest.mark.soak) for seed in SOAK)])
def test_a_random_life_keeps_every_promise_and_ends_with_all_ends_equal(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    try:
        life.run()
    except AssertionError as error:
        error.add_note("\n".join([f"seed {seed}", *life.trace[-60:]]))
        raise
