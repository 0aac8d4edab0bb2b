"""Every attested oddity of a portal has a test that exists, or says why it cannot arise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

KINDS = ("npsp", "opencps", "nsw", "civil_status")
CASES = {
    "npsp": [f"npsp-{n:02}" for n in range(1, 31)],
    "opencps": [f"OP-{n:02}" for n in range(1, 36)] + [f"INC-{n:02}" for n in range(1, 20)],
    "nsw": [f"Q{n:02}" for n in range(1, 29)],
    "civil_status": [f"R{n:02}" for n in range(1, 16)],
}
"""Every case of the references, by kind: npsp.md 6, provincial.md 6 and 4.2, ministry.md 11."""

LATER = "arrives with the server"
ONLY_WITH_THE_SERVER = {"npsp-17", "npsp-18", "npsp-19"}
"""Call-backs and inbound pushes; nothing else may wait for the server."""

ROW = re.compile(r"^\| ((?:npsp|OP|INC)-\d+|[QR]\d+) \| (.*?) \| (.*) \|$")
NAMED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One case of one kind's page."""

    case: str
    expected: str
    answer: str
    tests: tuple[tuple[str, str, str], ...]
    """(file, function, id of a parameter or "")."""

    @property
    def short(self) -> str:
        """How the index tells of the answer."""
        if self.tests:
            return f"{len(self.tests)} test{'s' if len(self.tests) > 1 else ''}"
        return LATER if self.answer == LATER else "why not: there"


def rows_of(root: Path, kind: str) -> list[Row]:
    text = (root / "docs" / "quirks" / f"{kind}.md").read_text("utf-8")
    found = [ROW.match(line) for line in text.splitlines()]
    return [Row(*match.groups(), named_tests(match[3], kind)) for match in found if match]


def named_tests(answer: str, kind: str) -> tuple[tuple[str, str, str], ...]:
    """Tests in backticks: `path::name[id]`, `path::name`, or `[id]` for another part of the test before it."""
    found: list[tuple[str, str, str]] = []
    for name in NAMED.findall(answer):
        if name.startswith("[") and found:
            found.append((*found[-1][:2], name.strip("[]")))
        elif "::" in name:
            path, _, rest = name.partition("::")
            function, _, parameter = rest.partition("[")
            folder = "" if "/" in path else f"tests/integration/{kind}/"
            found.append((folder + path, function, parameter.rstrip("]")))
    return tuple(found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_has_its_row(project_root: Path, kind: str) -> None:
    assert [row.case for row in rows_of(project_root, kind)] == CASES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_named_test_exists(project_root: Path, kind: str) -> None:
    missing = []
    for row in rows_of(project_root, kind):
        for file, function, parameter in row.tests:
            path = project_root / file
            text = path.read_text("utf-8") if path.is_file() else ""
            if not re.search(rf"^ *def {re.escape(function)}\(", text, re.MULTILINE):
                missing.append(f"{row.case}: {file}::{function}")
            elif parameter and f'"{parameter}"' not in text:
                missing.append(f"{row.case}: {file}::{function}[{parameter}]")
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_without_a_test_says_why(project_root: Path, kind: str) -> None:
    for row in rows_of(project_root, kind):
        assert row.expected.strip(), row.case
        assert row.answer.strip(), row.case
        if not row.tests:
            assert len(row.expected) + len(row.answer) > 40, f"{row.case}: the reason is too short to be one"
        if LATER in row.answer and not row.tests:
            assert row.case in ONLY_WITH_THE_SERVER, f"{row.case} may not wait for the server"


def test_the_index_has_every_row_and_tells_its_answer_truly(project_root: Path) -> None:
    text = (project_root / "docs" / "quirks.md").read_text("utf-8")
    listed = {match[1]: match[3] for match in map(ROW.match, text.splitlines()) if match}
    told = {row.case: f"[{row.short}](quirks/{kind}.md)" for kind in KINDS for row in rows_of(project_root, kind)}
    assert listed == told
    assert list(listed) == [case for kind in KINDS for case in CASES[kind]]


def test_the_pages_have_as_many_rows_as_the_references(project_root: Path, data: Path) -> None:
    """Where the references lie beside the project, nothing was left out or made up."""
    papers = data.parent / "reference"
    npsp, provincial, ministry = ((papers / f"{name}.md").read_text("utf-8") for name in PAPERS)
    assert re.findall(r"^\| (\d+) \|", section(npsp, "## 6. "), re.MULTILINE) == [str(n) for n in range(1, 31)]
    oddities = re.findall(r"^\| (?!case \|)", section(provincial, "## 6. ", "### 6.1"), re.MULTILINE)
    incumbent = re.findall(r"^\| \d+ \|", section(provincial, "### 4.2 ", "### 4.3"), re.MULTILINE)
    assert len(oddities) + len(incumbent) == len(CASES["opencps"])
    ministries = re.findall(r"^\| ([QR]\d\d) \|", section(ministry, "## 11. "), re.MULTILINE)
    assert ministries == CASES["nsw"] + CASES["civil_status"]


PAPERS = ("npsp", "provincial", "ministry")


def section(text: str, start: str, end: str = "\n## ") -> str:
    """A section of a paper, from its heading to the next."""
    begun = text.index(start)
    ended = text.find(end, begun + 1)
    return text[begun:ended] if ended > 0 else text[begun:]
