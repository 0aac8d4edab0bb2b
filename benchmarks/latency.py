"""`python -m benchmarks.latency [--rate 100] [--seconds 20]`: from a push to its sight at the other portal.

A real `lienthong run` between two simulated portals, each a process of its own, all on loopback: the national portal
pushes new dossiers at a steady rate, and a push is visible when the provincial portal has made the dossier. Both
instants are the machine's own clock. The disk's fsync time stands beside them, for each push waits for several, and the
gateway's own CPU time for each push, which says more where others use the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import fsync_ms

RESULTS = Path(__file__).parent / "results"
PROCEDURE, AGENCY = "1.013234", "H99.19"
QUIET_S = 20.0
"""How long after the last push the last dossier may take."""


def main() -> int:
    """Measure and print; exit code 1 when a push was refused or never seen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="pushes a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two sweeps of the province")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/latency.json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lienthong-latency-") as name:
        found = measure(Path(name), asked.rate, asked.seconds, asked.every)
    text = json.dumps(found, indent=1)
    sys.stdout.write(text + "\n")
    if asked.keep:
        (RESULTS / "latency.json").write_text(text + "\n")
    return 0 if found["answers"] == {"0": found["pushed"]} and found["seen"] == found["pushed"] else 1


def measure(folder: Path, rate: float, seconds: float, every_s: float) -> dict[str, Any]:
    """Run once; figures in milliseconds."""
    disk = fsync_ms(folder)
    with _simulators() as places:
        config, port = _config(folder, places, every_s)
        with _gateway(config, folder, port) as pid:
            idle_s = _cpu_s(pid)
            sent, answered, answers = _push(f"http://127.0.0.1:{port}/in/national/nhanhsdvcqg", rate, seconds)
            seen = _seen(places["province"]["control_url"], set(sent))
            spent_s = _cpu_s(pid) - idle_s
    waited = sorted((seen[number] - sent[number]) * 1000 for number in seen)
    replied = sorted((answered[number] - sent[number]) * 1000 for number in answered)
    return {
        "pushed": len(sent),
        "rate_per_s": rate,
        "sweep_every_s": every_s,
        "answers": answers,
        "seen": len(seen),
        "visible_ms": _quantiles(waited),
        "answered_ms": _quantiles(replied),
        "cpu_ms_per_push": round(spent_s * 1000 / len(sent), 2),
        "fsync_ms": round(disk, 3),
        "cpus": os.cpu_count(),
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(values[min(len(values) - 1, int(len(values) * share))], 1) for name, share in shares.items()}


@contextmanager
def _simulators() -> Any:
    services = [{"code": PROCEDURE, "name": "Thẩm định thiết kế", "domain_code": "G17-XD", "domain_name": "Xây dựng",
                 "template": f"TPL-{PROCEDURE}", "days": 20}]  # fmt: skip
    options = {"agencies": [{"code": AGENCY, "name": "Sở Xây dựng"}], "services": services, "seed": 1}
    ask = {"province": ("opencps", options), "national": ("npsp", {})}
    running, places = [], {}
    try:
        for name, (kind, given) in ask.items():
            process = subprocess.Popen(
                [sys.executable, "-m", "adapters.simulation", "--portals",
                 json.dumps([{"name": name, "kind": kind, "options": given}])],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            running.append(process)
            places |= json.loads((process.stdout.readline() if process.stdout else b"") or b"{}")["portals"]
        yield places
    finally:
        for process in running:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            process.wait(10)


def _config(folder: Path, places: dict[str, dict[str, str]], every_s: float) -> tuple[Path, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    portal = {"environment": "demo", "budget": {"calls_per_s": 100_000, "burst": 100_000}, "every_s": every_s}
    province = {
        "base_url": places["province"]["url"], "group_id": 35_166, "username": "lienthong", "password": "${SECRET}",
        "templates": {PROCEDURE: f"TPL-{PROCEDURE}"}, "since": "2026-01-01",
    }  # fmt: skip
    national = {"base_url": places["national"]["url"], "username": "H99", "password": "${SECRET}",
                "agency_code": "H99"}  # fmt: skip
    config = {
        "environment": "demo",
        "province": {"agency_code": "H99", "name": "Tỉnh Thử Nghiệm"},
        "store": {name: str(folder / name) for name in ("files", "journal")}
        | {"path": str(folder / "store.db"), "key_ring": str(folder / "keys.ring"),
           "signing_keys": str(folder / "signing.ring")},
        "secrets_file": str(folder / "secrets"),
        "server": {"listen": f"127.0.0.1:{port}"},
        "ownership": {"handlers": ["province"], "births": ["national"]},
        "portals": {
            "province": {"kind": "opencps", "mapping": "opencps/v2-2020", "workers": 8, **portal, "options": province},
            "national": {"kind": "npsp", "mapping": "npsp/v2-2024", "direction": "push", "workers": 8, **portal,
                         "inbound": {"calls_per_s": 100_000, "burst": 100_000, "allow": ["127.0.0.1/32"]},
                         "options": national},
        },
        "routes": [],
    }  # fmt: skip
    secrets = folder / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text("SECRET=simulated-password\n")
    path = folder / "config.yaml"
    path.write_text(json.dumps(config, ensure_ascii=False))
    return path, port


@contextmanager
def _gateway(config: Path, folder: Path, port: int) -> Any:
    command = [sys.executable, "-m", "gateway"]
    where = ["--config", str(config)]
    subprocess.run([*command, "adopt", "province", "--from", "2026-01-01", *where], check=True, capture_output=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "run", *where], stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/ready", process, folder / "log")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _cpu_s(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(log.read_text()[-2000:])
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the gateway did not get ready")


def _push(url: str, rate: float, seconds: float) -> tuple[dict[str, float], dict[str, float], dict[str, int]]:
    """Push at a steady rate, whatever the answers take; send and answer instants by number, and how often each code."""
    sent: dict[str, float] = {}
    answered: dict[str, float] = {}
    answers: dict[str, int] = {}
    lock = threading.Lock()
    day = datetime.now(UTC)
    with httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=32)) as client:

        def one(n: int) -> None:
            number = f"000.00.00.H99-{day:%y%m%d}-{n:05}"
            body = {
                "MaHoSo": number, "MaTTHC": PROCEDURE, "TenTTHC": "Thẩm định thiết kế", "MaDonVi": AGENCY,
                "ChuHoSo": f"CÔNG DÂN THỬ NGHIỆM {n:05}", "LoaiDoiTuong": "1", "KenhThucHien": "2",
                "SoGiayToChuHoSo": f"0010900{n:05}"[:12], "NgayNopHoSo": f"{day:%Y%m%d}080000",
            }  # fmt: skip
            sent[number] = time.time()
            code = str(client.post(url, json=body).json().get("error_code"))
            answered[number] = time.time()
            with lock:
                answers[code] = answers.get(code, 0) + 1

        with ThreadPoolExecutor(32) as pool:
            began = time.monotonic()
            for n in range(int(rate * seconds)):
                time.sleep(max(0.0, began + n / rate - time.monotonic()))
                pool.submit(one, n)
    return sent, answered, answers


def _seen(control_url: str, numbers: set[str]) -> dict[str, float]:
    """Number -> when the provincial portal made its dossier."""
    until = time.monotonic() + QUIET_S
    found: dict[str, float] = {}
    while time.monotonic() < until and len(found) < len(numbers):
        time.sleep(0.5)
        for effect in httpx.get(f"{control_url}/_sim/book", trust_env=False, timeout=30).json()["effects"]:
            number = str(effect["content"].get("originDossierNo") or "")
            if effect["effect"] == "create" and number in numbers:
                found.setdefault(number, datetime.fromisoformat(effect["at"]).timestamp())
    return found


if __name__ == "__main__":
    sys.exit(main())
