"""A demo that is killed leaves no gateway behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.sync.world import MAPPING

DRIVER = """
import sys, time
from pathlib import Path
from gateway.demo.processes import GatewayProcess
gateway = GatewayProcess(Path(sys.argv[1]), Path(sys.argv[2]))
gateway.start()
print(gateway._process.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_the_gateway_of_a_killed_demo_ends_with_it(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "environment: test\nprovince: {agency_code: H99}\nportals:\n  province:\n    kind: memory\n"
        f"    mapping: {MAPPING}\n    environment: test\nownership: {{handlers: [province]}}\n"
    )
    command = [sys.executable, "-c", DRIVER, str(config), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=os.environ) as driver:
        assert driver.stdout is not None
        pid = int(driver.stdout.readline())
        ends = time.monotonic() + 20
        while "gateway_started" not in (tmp_path / "log").read_text() and time.monotonic() < ends:
            time.sleep(0.05)
        assert alive(pid), (tmp_path / "log").read_text()
        driver.kill()
    ends = time.monotonic() + 10
    while alive(pid) and time.monotonic() < ends:
        time.sleep(0.05)
    left_behind = alive(pid)
    if left_behind:
        os.kill(pid, signal.SIGKILL)
    assert not left_behind
