"""The quirks table, the checklist and the README name what is there."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from adapters.opencps.options import Options

CASES = [f"OP-{case:02}" for case in range(1, 36)] + [f"INC-{case:02}" for case in range(1, 20)]


def rows(root: Path) -> list[str]:
    lines = (root / "docs/quirks/opencps.md").read_text().splitlines()
    return [line for line in lines if re.match(r"\| (OP|INC)-", line)]


def test_every_numbered_case_has_a_row(project_root: Path) -> None:
    assert [row.split("|")[1].strip() for row in rows(project_root)] == CASES
    assert all(row.split("|")[3].strip() for row in rows(project_root))


def test_every_test_named_in_a_row_exists(project_root: Path) -> None:
    named = {found for row in rows(project_root) for found in re.findall(r"`([\w./]+\.py)(?:::(\w+))?`", row)}
    places = {(file if "/" in file else f"tests/integration/opencps/{file}", test) for file, test in named}
    missing = [
        f"{file}::{test}" for file, test in places if test and f"def {test}(" not in (project_root / file).read_text()
    ]
    assert missing == []


@pytest.mark.parametrize("field", list(Options.model_fields))
def test_every_option_is_explained(project_root: Path, field: str) -> None:
    assert f"`{field}`" in (project_root / "adapters/opencps/README.md").read_text()


def test_the_checklist_knows_three_states(project_root: Path) -> None:
    listed = YAML(typ="safe").load(project_root / "adapters/opencps/checklist.yaml")
    assert {rule["state"] for rule in listed["rules"].values()} <= {"done", "todo", "exempt"}
    assert all(rule.get("where") or rule.get("why") for rule in listed["rules"].values())
