"""The whole gateway at work: simulated portals over sockets, faults, kills, and the oracle's word on all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

ZERO = (
    "lost",
    "duplicated",
    "invented",
    "legal_dates_moved",
    "writes_after_rest",
    "wrongly_unproven",
    "quarantined",
    "missing_acknowledged",
    "double_zero",
    "wrong_answers",
)
LIMIT_S = 180.0
"""1,000 dossiers under heavy faults end within this on two cores."""


def demo(folder: Path, *words: str, within_s: float = 300.0) -> dict[str, Any]:
    """Run `lienthong demo --json`; it must end well."""
    command = [sys.executable, "-m", "gateway", "demo", "--json", "--folder", str(folder), *words]
    environ = {**os.environ, "LIENTHONG_LANG": "en"}
    ended = subprocess.run(command, capture_output=True, timeout=within_s, check=False, env=environ)
    assert ended.stdout, ended.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    assert ended.returncode == 0, found
    return found


def agrees(found: dict[str, Any]) -> None:
    """All ends agree and nothing is wrong."""
    assert found["converged"], found
    assert {name: found[name] for name in ZERO} == dict.fromkeys(ZERO, 0)
    assert found["findings"] == []


def test_all_ends_agree_after_light_faults_and_the_page_shows_it(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = demo(tmp_path / "demo", "--dossiers", "60", "--faults", "light", "--page", str(page))
    agrees(found)
    assert set(found["due"]) == {"national", "transport", "justice", "province"}
    assert found["effects"] > 0
    assert found["pushes"] == 6, "a tenth as many as are handed in at the province"
    assert found["answers"]["0"] + found["answers"]["1"] >= 6
    assert found["callbacks"] > 0
    text = page.read_text("utf-8")
    ET.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])  # noqa: S314 - our own page
    assert "http" not in text


def test_all_ends_agree_after_heavy_faults_and_two_kills(tmp_path: Path) -> None:
    words = ("--dossiers", "40", "--pushes", "40", "--faults", "heavy", "--kill", "2", "--seed", "2")
    found = demo(tmp_path / "demo", *words)
    agrees(found)
    assert found["answers"]["none"] > 0
    assert len(found["kills"]) == 2
    assert any(kill["in_flight"] for kill in found["kills"])
    assert found["faults_injected"]["national"]["outage"] == 1
    assert sum(found["faults_injected"]["national"].values()) > 0.15 * found["calls"]["national"]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 21))
def test_a_thousand_dossiers_under_heavy_faults(tmp_path: Path, seed: int) -> None:
    found = demo(tmp_path / "demo", "--dossiers", "1000", "--faults", "heavy", "--seed", str(seed))
    agrees(found)
    assert found["seconds"] <= LIMIT_S
    for portal, counts in found["faults_injected"].items():
        assert min(counts[kind] for kind in counts if kind != "outage") >= 5, (portal, counts)
        assert sum(counts.values()) >= 0.2 * found["calls"][portal], (portal, counts)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_thousand_dossiers_under_heavy_faults_and_ten_kills(tmp_path: Path, seed: int) -> None:
    found = demo(tmp_path / "demo", "--dossiers", "1000", "--faults", "heavy", "--seed", str(seed), "--kill", "10")
    agrees(found)
    assert len(found["kills"]) == 10
    assert sum(kill["in_flight"] for kill in found["kills"]) >= 5


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_thousand_pushes_under_heavy_faults_and_ten_kills(tmp_path: Path, seed: int) -> None:
    words = ("--pushes", "1000", "--faults", "heavy", "--seed", str(seed), "--kill", "10")
    found = demo(tmp_path / "demo", *words, within_s=600.0)
    agrees(found)
    assert found["pushes"] == 1000
    assert found["pushed_repeats"] >= 250
    assert found["pushed_concurrently"] >= 70
    assert found["pushed_changed"] >= 30
    assert any(kill["told"] for kill in found["kills"])
