"""The rules of the test run itself: what may skip, and what is left out of a plain run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = """
import pytest

def test_runs(): pass

@pytest.mark.soak
def test_full_count(): pass
"""
SKIPS = "import pytest\n\ndef test_needs_something(): pytest.skip('no such tool')\n"
ASKS_FOR_DATA = "def test_reads_reference_data(data): assert data.is_dir()\n"


@pytest.fixture
def house(tmp_path: Path, project_root: Path) -> Path:
    """A project with our conftest.py and pytest options and no reference data beside it."""
    tests = tmp_path / "project" / "tests"
    tests.mkdir(parents=True)
    (tests / "conftest.py").write_text((project_root / "tests" / "conftest.py").read_text("utf-8"), "utf-8")
    (tests.parent / "pyproject.toml").write_text((project_root / "pyproject.toml").read_text("utf-8"), "utf-8")
    return tests


def run_pytest(tests: Path, source: str, **environment: str) -> tuple[int, str]:
    (tests / "test_case.py").write_text(source, "utf-8")
    clean = {name: value for name, value in os.environ.items() if name not in ("CI", "LIENTHONG_SOAK")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=tests.parent,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_skip_fails_the_run_on_the_build_server_and_is_named(house: Path) -> None:
    code, output = run_pytest(house, SKIPS, CI="true")
    assert code == 1
    assert "nothing may skip here: tests/test_case.py::test_needs_something: Skipped: no such tool" in output


def test_a_skip_is_allowed_at_a_desk(house: Path) -> None:
    assert run_pytest(house, SKIPS)[0] == 0


def test_absent_reference_data_skip_with_a_printed_line_even_on_the_build_server(house: Path) -> None:
    code, output = run_pytest(house, ASKS_FOR_DATA, CI="true")
    assert code == 0
    assert "NOT RUN: 1 tests, because the reference data ../shared/data are absent" in output


def test_reference_data_beside_the_project_are_used(house: Path) -> None:
    (house.parent.parent / "shared" / "data").mkdir(parents=True)
    code, output = run_pytest(house, ASKS_FOR_DATA, CI="true")
    assert code == 0
    assert "1 passed" in output


def test_a_plain_run_leaves_full_counts_out_and_a_soak_run_takes_them(house: Path) -> None:
    assert "1 passed, 1 deselected" in run_pytest(house, CASES, CI="true")[1]
    assert "2 passed" in run_pytest(house, CASES, CI="true", LIENTHONG_SOAK="1")[1]
