"""The client of the documentation does what it says, as it stands there."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from gateway.cli.inbox_room import PAPER, InboxRoom


def collect(project_root: Path, room: InboxRoom, key: str, folder: Path) -> None:
    script = project_root / "docs" / "examples" / "inbox_client.py"
    words = [sys.executable, "-I", "-W", "error", str(script), room.url, key, str(folder)]
    subprocess.run(words, check=True, timeout=60, capture_output=True)


def test_the_example_client_collects_everything_once(project_root: Path, room: InboxRoom, tmp_path: Path) -> None:
    room.hand_over(60)  # more than one page
    key, folder = room.key("transport"), tmp_path / "ministry"
    collect(project_root, room, key, folder)
    rows = room.gateway.store.read(lambda tx: tx.list_deliveries(portal="transport"))
    assert {row.state for row in rows} == {"delivered"}
    contents = {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    assert contents == {row.body_digest for row in rows}
    papers = [path for path in folder.iterdir() if not path.suffix]
    assert len(papers) == 60
    assert all(path.read_bytes() == PAPER for path in papers)
    room.turn()
    calls = room.gateway.store.read(lambda tx: tx.count_inbound())
    assert calls == {("transport", "applied"): 60}
    collect(project_root, room, key, folder)
    assert room.gateway.store.read(lambda tx: tx.count_inbound()) == calls


def test_the_example_client_is_thirty_lines_of_the_standard_library(project_root: Path) -> None:
    text = (project_root / "docs" / "examples" / "inbox_client.py").read_text("utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.startswith('"""')]
    assert len(code) <= 30
