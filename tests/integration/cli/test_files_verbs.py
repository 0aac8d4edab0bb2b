"""A paper that its portal does not give: what waited goes on, a person sees it, asks again, or does without."""

from __future__ import annotations

import json

import pytest

from gateway.cli.exit_codes import ExitCode
from tests.integration.cli.conftest import KINDS, Rehearsal

ROUTE = """
  - {name: births, to: justice, kind: forward, when: {procedures: ["1.001193*"], wires: [interoperating]}}
store: {file_patience_h: 0.0000001}
"""


@pytest.fixture
def without(rehearsal: Rehearsal) -> tuple[Rehearsal, str, str]:
    """A birth that was handed over without its paper; its number and the portal's name of it."""
    config = rehearsal.folder / "config.yaml"
    config.write_text(config.read_text().replace("tiers:", "read_files: true, tiers:") + ROUTE.lstrip("\n"))
    rehearsal.call("sync")
    for portal in KINDS:
        assert rehearsal.call("adopt", portal, "--from", "2020-01-01")[0] == ExitCode.OK
    made = rehearsal.act("province", "create_dossier", service="1.001193", agency="H99.13")
    reference = str(made["referenceUid"])
    rehearsal.act("province", "add_file", referenceUid=reference, name="Giấy chứng sinh.txt", text="%PDF-1.7 sinh")
    rehearsal.act("province", "spoil_file", referenceUid=reference, how="html")
    number = str(rehearsal.act("province", "accept", referenceUid=reference)["dossierNo"])
    rehearsal.act("province", "interoperate", referenceUid=reference)
    assert rehearsal.call("sync", "--until-rest", "--for", "30")[0] == ExitCode.OK
    assert ("declare", number) in rehearsal.effects("justice"), "what waited went on"
    return rehearsal, number, reference


def test_a_person_sees_it_asks_again_and_has_it(without: tuple[Rehearsal, str, str]) -> None:
    rehearsal, number, reference = without
    code, found = rehearsal.json("files", "list")
    assert code == ExitCode.SOON
    (one,) = found["files"]
    assert (one["dossier_code"], one["portal"], one["state"]) == (number, "province", "given_up")
    assert "Giấy" not in str(found)
    code, out, _ = rehearsal.call("files", "list", "--portal", "province")
    assert code == ExitCode.SOON and "files retry" in out and one["reason"] in out
    code, out, _ = rehearsal.call("status")
    assert code == ExitCode.SOON and "lienthong files list" in out
    rehearsal.act("province", "spoil_file", referenceUid=reference, how="")
    assert rehearsal.call("files", "retry", number, "--actor", "an officer")[0] == ExitCode.OK
    assert rehearsal.call("sync", "--until-rest", "--for", "30")[0] == ExitCode.OK
    code, found = rehearsal.json("files", "list", "--all")
    assert code == ExitCode.OK and [one["state"] for one in found["files"]] == ["held"]


def test_a_round_prints_json_and_nothing_else_while_files_come(without: tuple[Rehearsal, str, str]) -> None:
    rehearsal, number, reference = without
    rehearsal.act("province", "spoil_file", referenceUid=reference, how="")
    rehearsal.call("files", "retry", number)
    code, out, err = rehearsal.call("sync", "--json")
    assert code in (ExitCode.OK, ExitCode.SOON) and json.loads(out)["rounds"] == 1
    assert "file_fetched" not in out + err, "a single command tells of warnings only"
    assert [one["state"] for one in rehearsal.json("files", "list", "--all")[1]["files"]] == ["held"]


def test_a_person_does_without(without: tuple[Rehearsal, str, str]) -> None:
    rehearsal, number, _ = without
    assert rehearsal.call("files", "let-go", number, "--reason", "đã giao bản giấy")[0] == ExitCode.OK
    assert rehearsal.json("files", "list") == (ExitCode.OK, {"files": []})
    assert rehearsal.call("files", "let-go", number, "--reason", "again")[0] == ExitCode.ERROR
