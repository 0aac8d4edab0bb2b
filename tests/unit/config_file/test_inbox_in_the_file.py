"""An inbox in the configuration: what it needs and whom it may tell."""

from __future__ import annotations

from pathlib import Path

from gateway.config_file import Inspection, inspect

GOOD = """\
environment: ENVIRONMENT
province: {agency_code: H99}
server: {listen: "127.0.0.1:18088"}
portals:
  province:
    kind: opencps
    profile: v2-2020
    mapping: opencps/v2-2020
    environment: ENVIRONMENT
    options: {base_url: "http://127.0.0.1:18081", group_id: 1, username: u, password: "${PASSWORD}"}
  health:
    kind: inbox
    profile: v1
    mapping: inbox/v1
    environment: ENVIRONMENT
    options: {notice_url: "http://127.0.0.1:9/hooks", notice_secret: "${HOOK}"}
ownership: {handlers: [province]}
routes:
  - {name: health, to: health, kind: forward, when: {statuses: [in_progress]}}
"""


def read(folder: Path, text: str, environment: str = "test") -> Inspection:
    file = folder / "config.yaml"
    file.write_text(text.replace("ENVIRONMENT", environment), "utf-8")
    return inspect(file, {"PASSWORD": "x", "HOOK": "x"})


def places(found: Inspection) -> list[str]:
    return [str(problem).partition("\n")[0] for problem in found.problems]


def test_a_right_inbox_is_taken(tmp_path: Path) -> None:
    assert places(read(tmp_path, GOOD)) == []


def test_an_inbox_that_nobody_can_reach_is_a_problem(tmp_path: Path) -> None:
    (problem,) = places(read(tmp_path, GOOD.replace('server: {listen: "127.0.0.1:18088"}\n', "")))
    assert "portals.health.kind" in problem


def test_outside_production_a_notice_address_elsewhere_is_a_problem(tmp_path: Path) -> None:
    elsewhere = GOOD.replace("http://127.0.0.1:9/hooks", "https://hooks.example.invalid/")
    for environment in ("test", "demo"):
        (problem,) = places(read(tmp_path, elsewhere, environment))
        assert "notice_url" in problem
    served = elsewhere.replace("127.0.0.1:18081", "province.example.invalid")
    assert places(read(tmp_path, served, "production")) == []


def test_a_notice_address_without_a_secret_is_a_problem(tmp_path: Path) -> None:
    (problem,) = places(read(tmp_path, GOOD.replace(', notice_secret: "${HOOK}"', "")))
    assert "notice_secret" in problem


def test_a_status_that_only_the_citizen_says_is_a_problem(tmp_path: Path) -> None:
    (problem,) = places(read(tmp_path, GOOD.replace("options: {notice", "options: {statuses: [submitted], notice")))
    assert "submitted" in problem


def test_an_inbox_may_list_its_networks_in_production(tmp_path: Path) -> None:
    fenced = GOOD.replace("    options: {notice", "    inbound: {}\n    options: {notice")
    assert places(read(tmp_path, fenced, "production")) == []
