"""`lienthong inbox` and `lienthong simulate --inbox`."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.app import run
from tests.integration.inbox.conftest import Client

CONFIG = """\
environment: test
province: {agency_code: H99}
server: {listen: "127.0.0.1:0"}
portals:
  province:
    kind: opencps
    mapping: opencps/v2-2020
    environment: test
    options: {base_url: "http://127.0.0.1:9", group_id: 1, username: u, password: "${PASSWORD}"}
  health: {kind: inbox, mapping: inbox/v1, environment: test}
ownership: {handlers: [province]}
routes:
  - {name: health, to: health, kind: forward, when: {statuses: [in_progress]}}
"""
Said = tuple[int, str, str]
Call = Callable[..., Said]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")

    def said(*words: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            run(list(words))
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return said


def told(said: Said) -> Any:
    assert said[0] == 0, said[2]
    return json.loads(said[1])


def test_a_key_is_shown_once_and_can_be_ended(call: Call) -> None:
    given = told(call("inbox", "key", "add", "health", "--days", "30", "--json", "--actor", "tester"))
    assert given["key"].startswith(f"lt_{given['id']}_")
    listed = call("inbox", "key", "list", "health", "--json")
    assert given["key"] not in listed[1]
    (row,) = told(listed)["keys"]
    assert (row["id"], row["portal"], row["actor"], row["revoked_at"]) == (given["id"], "health", "tester", "")
    assert told(call("inbox", "key", "revoke", given["id"], "--json"))["revoked_at"]
    code, _, error = call("inbox", "key", "revoke", given["id"])
    assert code == 1
    assert "inbox key list" in error


def test_a_key_is_for_a_portal_that_collects(call: Call) -> None:
    for name in ("province", "nobody", ""):
        code, _, error = call("inbox", "key", "add", name)
        assert code == 1
        assert "health" in error


def test_what_waits_is_listed(call: Call) -> None:
    assert told(call("inbox", "list", "--json")) == {
        "inboxes": [{"portal": "health", "waiting": 0, "oldest": None, "notices": {}}]
    }
    assert "health" in call("inbox", "list")[1]
    assert call("inbox", "key", "list")[0] == 0


def test_a_ministry_can_finish_its_client_before_any_agreement(tmp_path: Path) -> None:
    """Without a configuration, in an empty folder: address and key are printed, and dossiers wait there."""
    words = ["simulate", "--inbox", "--dossiers", "4", "--port", "0", "--for", "60", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 30)[0]
        text = b""
        while not text.rstrip().endswith(b"}"):
            text += os.read(process.stdout.fileno(), 65536)
        about = json.loads(text)
        client = Client(about["url"], about["key"])
        assert len(client.items()) == 4
        described = client.get(about["description"].removeprefix(about["url"])).json()
        assert described["openapi"].startswith("3.1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        process.stdout.close() if process.stdout else None
