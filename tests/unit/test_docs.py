"""The documents stay true: what the program has is written down, and what is written down exists."""

import re
from pathlib import Path

import pytest

from gateway.cli.exit_codes import ExitCode
from gateway.cli.nouns import NOUNS

ADR_PARTS = ["Context", "Decision", "Consequences", "What would change our mind"]


@pytest.fixture
def operating(project_root: Path) -> str:
    return (project_root / "docs" / "operating.md").read_text("utf-8")


def test_the_operating_manual_lists_exactly_the_commands_there_are(operating: str) -> None:
    assert set(re.findall(r"^\| `lienthong ([a-z][a-z-]*)", operating, re.MULTILINE)) == set(NOUNS)


def test_the_operating_manual_gives_every_exit_code(operating: str) -> None:
    documented = re.findall(r"^\| (\d+) \| `([A-Z]+)` \|", operating, re.MULTILINE)
    assert {name: int(number) for number, name in documented} == {code.name: code.value for code in ExitCode}


def test_every_decision_record_has_its_four_parts_and_the_next_number(project_root: Path) -> None:
    records = sorted((project_root / "docs" / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text("utf-8")
        assert re.findall(r"^\*\*([^*]+)\.\*\*", text, re.MULTILINE) == ADR_PARTS, record.name


def test_links_between_documents_lead_somewhere(project_root: Path) -> None:
    documents = [*project_root.glob("*.md"), *(project_root / "docs").rglob("*.md")]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_the_walk_through_the_code_names_what_is_there(project_root: Path) -> None:
    text = (project_root / "docs" / "architecture.md").read_text("utf-8")
    walk = text.partition("With the names it meets in the code")[2].partition("\n\nFive pure functions")[0]
    named = {part for name in re.findall(r"`([A-Za-z_.]+)(?:\([a-z]*\))?`", walk) for part in name.split(".")}
    folders = [project_root / package for package in ("gateway", "adapters")]
    source = "\n".join(file.read_text("utf-8") for folder in folders for file in folder.rglob("*.py"))
    there = set(re.findall(r"^\s*(?:def|class) (\w+)", source, re.MULTILINE))
    modules = {file.stem for folder in folders for file in folder.rglob("*.py")}
    assert len(named) > 20
    assert named - there - modules == set()


def test_the_readme_names_only_make_targets_that_exist(project_root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (project_root / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (project_root / "README.md").read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= targets
