"""The table of planted faults names tests that exist, one for each fault."""

import re
from pathlib import Path


def test_every_fault_names_a_test_that_exists(project_root: Path) -> None:
    text = (project_root / "docs" / "planted-faults.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| fault"))]
    assert len(rows) >= 50
    missing = []
    for row in rows:
        named = re.search(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        path = project_root / named[1] if named else project_root
        if not named or not re.search(rf"^ *def {named[2]}\(", path.read_text("utf-8"), re.MULTILINE):
            missing.append(row)
    assert missing == []
