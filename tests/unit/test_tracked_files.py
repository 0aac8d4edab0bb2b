"""What no file of the project may say, and what its code may not import."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

OURS = {"gateway", "adapters", "mappings", "schemas"}
# A letter in brackets keeps this file from finding itself.
FORBIDDEN = {
    "a package registry": re.compile(rb"[p]ypi\.org|[p]ythonhosted|[r]egistry\.npmjs|[p]roxy\.golang|[r]egistry\.yarn"),
    "a folder of one machine": re.compile(rb"(?<![\w.])(?:/[h]ome/\w|/[r]oot/\.|/[w]ork/|/[U]sers/\w)"),
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*[P]RIVATE KEY"),
}


def tracked(root: Path) -> Iterator[Path]:
    """Files git tracks or would add: a file is looked at before its first commit, too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return (root / name for name in listed.split("\0") if name and (root / name).is_file())


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_names(what: str, project_root: Path) -> None:
    found = [
        f"{path.relative_to(project_root)}:{number}"
        for path in tracked(project_root)
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == [], f"names {what}"


@pytest.mark.parametrize(
    "line", ["see https://py{}pi.org/simple", "open('/ho{}me/an/data')", "cd /wo{}rk/x", "-----BEGIN PRIV{}ATE KEY"]
)
def test_a_forbidden_line_is_found(line: str) -> None:
    assert any(pattern.search(line.format("").encode()) for pattern in FORBIDDEN.values())


def test_the_oracle_imports_nothing_of_ours(project_root: Path) -> None:
    """It reads the simulators' books over HTTP: an oracle that used our mappings could not see a wrong mapping."""
    files = [path for path in tracked(project_root) if path.match("gateway/demo/oracle/*.py")]
    names = {(path.name, name) for path in files for name in imported(path) if name.split(".")[0] in OURS}
    assert files
    assert {one for one in names if not one[1].startswith("gateway.demo.oracle.")} == set()


def test_no_code_imports_the_tests(project_root: Path) -> None:
    files = [
        path
        for path in tracked(project_root)
        if path.suffix == ".py" and path.relative_to(project_root).parts[0] in OURS
    ]
    assert [path.name for path in files if any(name.split(".")[0] == "tests" for name in imported(path))] == []


def imported(path: Path) -> Iterator[str]:
    """The names of all modules a file imports, relative ones as "gateway"."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "gateway" if node.level else str(node.module)
