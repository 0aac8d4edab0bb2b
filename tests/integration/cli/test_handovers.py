"""A birth handed to the ministry of justice over sockets: facts, timers, receipts, and OpenSSL as the stranger."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.exit_codes import ExitCode
from tests.integration.cli.conftest import KINDS, Rehearsal

BIRTH = "1.001193"
ROUTE = """
  - name: births
    to: justice
    kind: forward
    when: {procedures: ["1.001193*"], wires: [interoperating]}
    results: {completed: {act: completed, from: [interoperating]}}
    accepted_by: [in_progress]
    timers: {accepted_within_h: %s}
"""


@pytest.fixture
def handed(rehearsal: Rehearsal) -> tuple[Rehearsal, str]:
    """A dossier that was handed over and that justice has acknowledged."""
    routed(rehearsal, "0.0000001")
    rehearsal.call("sync")
    for portal in KINDS:
        assert rehearsal.call("adopt", portal, "--from", "2020-01-01")[0] == ExitCode.OK
    reference = rehearsal.act("province", "create_dossier", service=BIRTH, agency="H99.13")["referenceUid"]
    number = str(rehearsal.act("province", "accept", referenceUid=reference)["dossierNo"])
    rehearsal.act("province", "interoperate", referenceUid=reference)
    assert rehearsal.call("sync", "--until-rest", "--for", "30")[0] == ExitCode.OK
    return rehearsal, number


def routed(rehearsal: Rehearsal, hours: str) -> None:
    rehearsal.write_config(tuple(KINDS), ("province",))
    config = rehearsal.folder / "config.yaml"
    config.write_text(config.read_text() + ROUTE.lstrip("\n") % hours)


def sole(rehearsal: Rehearsal) -> dict[str, Any]:
    _, found = rehearsal.json("handover", "list", "--all")
    (one,) = found["handovers"]
    return dict(one)


def exported(rehearsal: Rehearsal, number: str, folder: Path) -> Path:
    _, listed = rehearsal.json("receipt", "list", number)
    first = listed["receipts"][0]["id"]
    assert rehearsal.call("receipt", "export", str(first), str(folder))[0] == ExitCode.OK
    return folder / f"receipt-{first}.json"


def test_what_justice_has_answered_is_received_and_late_to_be_accepted(handed: tuple[Rehearsal, str]) -> None:
    rehearsal, _ = handed
    one = sole(rehearsal)
    assert (bool(one["sent"]), bool(one["received"]), one["accepted"], one["completed"]) == (True, True, "", "")
    assert one["proven_by"] == {"sent": "answer", "received": "answer"}
    code, found = rehearsal.json("handover", "list", "--late")
    assert (code, found["late"], found["handovers"][0]["missing"]) == (ExitCode.SOON, 1, "accepted")
    code, report = rehearsal.json("status")
    assert code == ExitCode.SOON
    assert {"late_accepted"} == {finding["what"] for finding in report["report"]["findings"]}
    routed(rehearsal, "1")
    assert rehearsal.call("status")[0] == ExitCode.OK
    assert rehearsal.call("handover", "list", "--late")[0] == ExitCode.OK


def test_the_result_comes_back_and_each_fact_has_its_receipt(handed: tuple[Rehearsal, str]) -> None:
    rehearsal, number = handed
    rehearsal.act("justice", "advance", number=number)
    rehearsal.call("sync", "--until-rest", "--for", "30")
    rehearsal.act("justice", "complete", number=number)
    assert rehearsal.call("sync", "--until-rest", "--for", "30")[0] == ExitCode.OK
    one = sole(rehearsal)
    assert all(one[fact] for fact in ("sent", "received", "accepted", "completed"))
    _, listed = rehearsal.json("receipt", "list", number)
    assert [(row["fact"], row["proven_by"]) for row in listed["receipts"]] == [
        ("received", "answer"),
        ("accepted", "event"),
        ("completed", "event"),
    ]
    _, explained = rehearsal.json("route", "explain", number)
    births = next(route for route in explained["routes"] if route["route"] == "births")
    assert births["holds"]
    assert (births["status"], list(births["facts"])) == ("completed", ["sent", "received", "accepted", "completed"])
    said = rehearsal.call("route", "explain", number)[1]
    assert "completed" in said
    assert "births: accepted within 1e-07 h, because routes[1].timers" in said
    assert "births: received within 24 h, the default" in said
    config = rehearsal.folder / "config.yaml"
    rule = "  justice:\n    timers: [{procedures: [9.*], completed_within_h: 1}, {completed_within_h: 72}]\n"
    config.write_text(config.read_text().replace("  justice:\n", rule, 1))
    said = rehearsal.call("route", "explain", number)[1]
    assert "births: completed within 72 h, because portals.justice.timers[1]" in said


def test_a_receipt_holds_the_digests_of_the_bytes_on_the_wire_and_nothing_personal(
    handed: tuple[Rehearsal, str],
) -> None:
    rehearsal, number = handed
    said = json.loads(exported(rehearsal, number, rehearsal.folder / "out").read_bytes())
    assert (said["dossier"], said["portal"], said["fact"]) == (number, "justice", "received")
    assert re.fullmatch("[0-9a-f]{64}", said["handed_over"]["body_sha256"])
    assert re.fullmatch("[0-9a-f]{64}", said["reply"]["sha256"])
    text = json.dumps(said, ensure_ascii=False)
    assert "CÔNG DÂN" not in text
    assert "000000" not in text.replace(number, "")


def commands(project_root: Path) -> list[str]:
    """The shell lines of the document, as a stranger copies them."""
    text = (project_root / "docs" / "receipts.md").read_text("utf-8")
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def test_a_stranger_verifies_a_receipt_with_the_commands_of_the_document(
    handed: tuple[Rehearsal, str], project_root: Path
) -> None:
    rehearsal, number = handed
    folder = rehearsal.folder / "out"
    file = exported(rehearsal, number, folder)
    for ending in (".json", ".sig", ".pem"):
        shutil.copy(file.with_suffix(ending), folder / f"receipt-12{ending}")
    verify, name, _ = commands(project_root)[:3]
    done = subprocess.run(["sh", "-c", verify], cwd=folder, capture_output=True, text=True, check=True)
    assert "Signature Verified Successfully" in done.stdout
    key = subprocess.run(["sh", "-c", name], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    assert key == json.loads(file.read_bytes())["key"]
    assert key in {one["id"] for one in rehearsal.json("keys", "list")[1]["keys"]}
    (folder / "receipt-12.json").write_bytes(file.read_bytes().replace(b'"received"', b'"accepted"'))
    assert subprocess.run(["sh", "-c", verify], cwd=folder, capture_output=True, check=False).returncode == 1


def test_our_own_verb_verifies_too_with_a_key_got_apart_and_after_a_rotation(handed: tuple[Rehearsal, str]) -> None:
    rehearsal, number = handed
    file = exported(rehearsal, number, rehearsal.folder / "out")
    assert rehearsal.call("keys", "rotate", "receipt")[0] == ExitCode.OK
    rehearsal.call("keys", "export", str(rehearsal.folder / "published"))
    old, new = sorted(
        (rehearsal.folder / "published").glob("receipt-*.pem"),
        key=lambda pem: json.loads(file.read_bytes())["key"] not in pem.name,
    )
    assert rehearsal.call("receipt", "verify", str(file), "--key", str(old))[0] == ExitCode.OK
    assert rehearsal.call("receipt", "verify", str(file), "--key", str(new))[0] == ExitCode.ERROR
    assert rehearsal.call("receipt", "verify", str(file))[0] == ExitCode.OK
    again = exported(rehearsal, number, rehearsal.folder / "again")
    assert again.with_suffix(".pem").read_bytes() == old.read_bytes(), "the key that signed it, not the newest"
    file.write_bytes(file.read_bytes() + b" ")
    assert rehearsal.call("receipt", "verify", str(file))[0] == ExitCode.ERROR
    assert rehearsal.call("receipt", "show", "999")[0] == ExitCode.ERROR


def test_changed_rules_are_tried_before_they_hold(handed: tuple[Rehearsal, str]) -> None:
    rehearsal, number = handed
    current = (rehearsal.folder / "config.yaml").read_text()
    (rehearsal.folder / "new.yaml").write_text(current.replace("  - {name: all, to: national}\n", ""))
    code, found = rehearsal.json("route", "simulate", "--since", "2020-01-01", "--rules", "new.yaml")
    assert (code, found["loses"], found["gains"], found["sends"]) == (ExitCode.OK, {"national": 1}, {}, {})
    assert [one["dossier_code"] for one in found["dossiers"]] == [number]
    assert number in rehearsal.call("route", "simulate", "--since", "2020-01-01", "--rules", "new.yaml")[1]
    assert rehearsal.json("route", "simulate", "--since", "2020-01-01")[1]["dossiers"] == []
    assert rehearsal.call("route", "simulate", "--since", "yesterday")[0] == ExitCode.USAGE


def test_the_module_of_receipts_needs_no_gateway_to_verify(handed: tuple[Rehearsal, str], tmp_path: Path) -> None:
    rehearsal, number = handed
    file = exported(rehearsal, number, rehearsal.folder / "out")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "gateway", "receipt", "verify", str(file), "--json"]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["verified"] is True
