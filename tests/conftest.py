"""Rules for the whole test run: reference data, full counts, and no silent skips on the build server."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
DATA_ABSENT = "the reference data ../shared/data are absent"
SOAK = os.environ.get("LIENTHONG_SOAK") == "1"
CI = os.environ.get("CI", "") not in ("", "0", "false")
FORBIDDEN_SKIPS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of reference data beside the project; where it is absent the test is skipped, visibly."""
    if not DATA.is_dir():
        pytest.skip(DATA_ABSENT)
    return DATA


@pytest.fixture(scope="session")
def soak() -> bool:
    """True under `make soak`: run the full count of a long test instead of its fixed share."""
    return SOAK


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `soak` out of a plain run: deselected, which is counted and is no skip."""
    if SOAK:
        return
    left_out = [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run on the build server when anything but a test on absent reference data was skipped."""
    forbidden = [skip for skip in skips(session.config) if DATA_ABSENT not in skip]
    session.config.stash[FORBIDDEN_SKIPS] = forbidden
    if CI and forbidden and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many tests the absent reference data cost, and every skip the build server refuses."""
    if absent := sum(DATA_ABSENT in skip for skip in skips(config)):
        terminalreporter.write_line(f"NOT RUN: {absent} tests, because {DATA_ABSENT}")
    for skip in config.stash.get(FORBIDDEN_SKIPS, []) if CI else []:
        terminalreporter.write_line(f"ERROR: skipped, and nothing may skip here: {skip}", red=True)


def skips(config: pytest.Config) -> list[str]:
    """Every skipped test or module of this run with its reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports: Iterable[pytest.TestReport] = reporter.stats.get("skipped", []) if reporter else []
    return [f"{report.nodeid}: {reason(report)}" for report in reports]


def reason(report: pytest.TestReport) -> str:
    """The words a skipped test gave."""
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
