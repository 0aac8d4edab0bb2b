"""A word in a rule that no portal ever says: the rule would sleep, and nobody would know."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config_file import inspect
from tests.unit.config_file.test_config_file import GOOD

FORWARD = "  - {{name: on, to: {to}, kind: forward, {rest}}}\n"


def problems(tmp_path: Path, rest: str, to: str = "national") -> list[str]:
    text = GOOD.replace("routes:\n", "routes:\n" + FORWARD.format(to=to, rest=rest))
    assert text != GOOD
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return [problem.key for problem in inspect(file, {"PASSWORD": "x"}, secrets=False).problems]


@pytest.mark.parametrize(
    ("rest", "key"),
    [
        ("when: {wires: [proccessing]}", "routes[0].when.wires[0]"),
        ("when: {wires: [procesing*]}", "routes[0].when.wires[0]"),
        ("cancel: [haltet]", "routes[0].cancel[0]"),
        ("accepted_by: [acepted]", "routes[0].accepted_by[0]"),
        ("results: {completed: {act: completed, from: [procesing]}}", "routes[0].results.completed.from[0]"),
        ("results: {completed: {act: completed, wires: [xong]}}", "routes[0].results.completed.wires[0]"),
        ("when: {procedures: ['2.00[12]*']}", "routes[0].when.procedures[0]"),
        ("when: {procedures: ['2.00?']}", "routes[0].when.procedures[0]"),
    ],
)
def test_a_word_that_can_never_hold_is_a_problem(tmp_path: Path, rest: str, key: str) -> None:
    assert key in problems(tmp_path, rest)


@pytest.mark.parametrize(
    "rest",
    ["when: {wires: [processing]}", "when: {wires: ['process*']}", "cancel: [halted]", "accepted_by: [accepted]"],
)
def test_words_of_a_mapping_and_our_own_are_fine(tmp_path: Path, rest: str) -> None:
    assert [key for key in problems(tmp_path, rest) if ".when" in key or ".cancel" in key or ".accepted" in key] == []


def test_nothing_is_forwarded_to_who_handles_it(tmp_path: Path) -> None:
    assert "routes[0].to" in problems(tmp_path, "when: {}", to="province")
