"""Say at the end of a run what the suite did not check, and why: declared abilities and stated exemptions."""

import pytest

from adapters.conformance.checks import NOT_DONE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in sorted(NOT_DONE):
        terminalreporter.write_line(f"NOT CHECKED: {line}")
