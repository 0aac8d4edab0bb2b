"""A word in a rule that no portal ever says: the rule would sleep, and nobody would know."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config_file import inspect
from tests.unit.config_file.test_config_file import GOOD

FORWARD = "  - {{name: on, to: {to}, kind: forward, {rest}}}\n"


def problems(tmp_path: Path, rest: str, to: str = "national", was: str = "", now: str = "") -> list[str]:
    text = GOOD.replace("  - {name: all, to: national}\n", FORWARD.format(to=to, rest=rest)).replace(was, now)
    assert text != GOOD
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return [problem.key for problem in inspect(file, {"PASSWORD": "x"}, secrets=False).problems]


HANDLED_THERE = ("handlers: [province]", "handlers: [national]")
"""The national portal says the words of its table alone; a province may say any sub-status."""


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        ("when: {wires: ['44']}", "routes[0].when.wires[0]"),
        ("when: {wires: ['44*']}", "routes[0].when.wires[0]"),
        ("cancel: [haltet]", "routes[0].cancel[0]"),
        ("results: {completed: {act: completed, from: [procesing]}}", "routes[0].results.completed.from[0]"),
        ("when: {procedures: ['2.00[12]*']}", "routes[0].when.procedures[0]"),
        ("when: {procedures: ['2.00?']}", "routes[0].when.procedures[0]"),
    ],
)
def test_a_word_that_can_never_hold_is_a_problem(tmp_path: Path, rest: str, key: str) -> None:
    assert key in problems(tmp_path, rest, "province", *HANDLED_THERE)


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        ("accepted_by: [acepted]", "routes[0].accepted_by[0]"),
        ("results: {completed: {act: completed, wires: [xong]}}", "routes[0].results.completed.wires[0]"),
    ],
)
def test_a_word_that_the_stages_portal_never_says_is_a_problem(tmp_path: Path, rest: str, key: str) -> None:
    assert key in problems(tmp_path, rest)


@pytest.mark.parametrize("rest", ["when: {wires: ['4']}", "when: {wires: ['*']}", "cancel: [halted, '8']"])
def test_words_of_a_mapping_and_our_own_are_fine(tmp_path: Path, rest: str) -> None:
    assert problems(tmp_path, rest, "province", *HANDLED_THERE) == []


def test_a_portal_with_sub_statuses_of_its_own_may_say_anything(tmp_path: Path) -> None:
    assert problems(tmp_path, "when: {wires: [buoc_3]}, cancel: [buoc_9], accepted_by: [accepted]") == []


def test_nothing_is_forwarded_to_who_handles_it(tmp_path: Path) -> None:
    assert "routes[0].to" in problems(tmp_path, "when: {}", to="province")
