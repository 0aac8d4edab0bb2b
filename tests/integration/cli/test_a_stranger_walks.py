"""From first contact to rest by the command line alone, as the manual says it."""

import socket
import stat

import pytest

from gateway.cli.exit_codes import ExitCode
from tests.integration.cli.conftest import KINDS, Rehearsal


def adopted(rehearsal: Rehearsal) -> None:
    """Every portal read once and adopted from a day on that lies behind all that follows."""
    assert rehearsal.call("sync")[0] == ExitCode.OK
    for portal in KINDS:
        assert rehearsal.call("adopt", portal, "--from", "2020-01-01")[0] == ExitCode.OK


def test_first_contact_sends_nothing_and_says_why(rehearsal: Rehearsal) -> None:
    rehearsal.handed_in()
    code, out, _ = rehearsal.call("sync")
    assert code == ExitCode.OK
    assert "mode is watch" in out
    assert rehearsal.effects() == []
    assert rehearsal.call("status")[0] == ExitCode.OK


def test_the_dry_run_names_the_writes_that_sync_then_makes(rehearsal: Rehearsal) -> None:
    number = rehearsal.handed_in()
    adopted(rehearsal)
    code, planned = rehearsal.json("sync", "--dry-run")
    assert code == ExitCode.OK
    assert {(write["operation"], write["dossier_code"]) for write in planned["writes"]} == {
        ("insert", number),
        ("progress", number),
    }
    assert rehearsal.effects() == []
    code, done = rehearsal.json("sync", "--until-rest", "--for", "30")
    assert (code, done["at_rest"]) == (ExitCode.OK, True)
    assert done["written"]["national"]["delivered"] == planned["calls"]
    assert {effect for effect, _ in rehearsal.effects()} == {"create", "progress"}


def test_at_rest_nothing_more_is_written(rehearsal: Rehearsal) -> None:
    rehearsal.handed_in()
    adopted(rehearsal)
    rehearsal.call("sync", "--until-rest", "--for", "30")
    before = rehearsal.effects()
    for _ in range(3):
        assert rehearsal.call("sync")[0] == ExitCode.OK
    assert rehearsal.effects() == before


def test_a_second_province_is_added_by_the_configuration_only(rehearsal: Rehearsal) -> None:
    adopted(rehearsal)
    rehearsal.write_config((*KINDS, "second"), ("province", "second"))
    number = rehearsal.handed_in("second")
    assert rehearsal.call("sync", "--until-rest", "--for", "30")[0] == ExitCode.OK
    assert ("create", number) in rehearsal.effects()
    shown = rehearsal.json("dossier", "show", number)[1]
    assert shown["handler"] == "second"


def test_a_dossier_is_shown_masked(rehearsal: Rehearsal) -> None:
    number = rehearsal.handed_in()
    adopted(rehearsal)
    rehearsal.call("sync", "--until-rest", "--for", "30")
    for arguments in (("dossier", "show", number), ("dossier", "show", number, "--json")):
        code, out, _ = rehearsal.call(*arguments)
        assert code == ExitCode.OK
        assert number in out
        assert [word for word in ("THỬ NGHIỆM 01", "096001000000", "0900000000", "Ấp Thử Nghiệm") if word in out] == []
    code, routes = rehearsal.json("route", "explain", number)
    assert (code, routes["routes"][0]["holds"]) == (ExitCode.OK, True)
    assert rehearsal.call("dossier", "show", "H99-none")[0] == ExitCode.ERROR


def test_a_paused_portal_gets_nothing_until_it_is_resumed(rehearsal: Rehearsal) -> None:
    adopted(rehearsal)
    assert rehearsal.call("pause", "national", "--reason", "trying", "--actor", "an")[0] == ExitCode.OK
    rehearsal.handed_in()
    rehearsal.call("sync", "--until-rest", "--for", "5")
    assert rehearsal.effects() == []
    code, out, _ = rehearsal.call("status")
    assert code == ExitCode.SOON
    assert "trying (an" in out
    assert rehearsal.call("resume", "national")[0] == ExitCode.OK
    rehearsal.call("sync", "--until-rest", "--for", "30")
    assert rehearsal.effects() != []


def test_reconcile_names_a_difference_that_nobody_owes(rehearsal: Rehearsal) -> None:
    number = rehearsal.handed_in()
    adopted(rehearsal)
    rehearsal.call("sync", "--until-rest", "--for", "30")
    code, report = rehearsal.json("reconcile", "national")
    assert (code, report["equal"], report["differences"]) == (ExitCode.OK, report["checked"], [])
    assert number


def test_a_portal_that_is_down_ends_in_one_line_and_exit_code_1(rehearsal: Rehearsal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        file = rehearsal.folder / "config.yaml"
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        file.write_text(file.read_text().replace(rehearsal.servers["province"].url, nobody))
    code, out, err = rehearsal.call("sync")
    assert code == ExitCode.ERROR
    assert "province: " in out
    assert "Traceback" not in out + err
    assert rehearsal.call("doctor")[0] == ExitCode.NOW


def test_a_changed_password_is_one_refused_login_and_the_new_one_is_taken_up(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal.call("sync")
    rehearsal.act("province", "change_password", password="new")
    portal = rehearsal.servers["province"].simulator
    asked: list[str] = []
    answer = portal.answer
    monkeypatch.setattr(portal, "answer", lambda request: (asked.append(request.path), answer(request))[1])
    for _ in range(3):
        assert rehearsal.call("sync", "province")[0] == ExitCode.ERROR
    assert len(asked) == 1
    assert rehearsal.call("status")[0] == ExitCode.NOW
    monkeypatch.setenv("REHEARSAL", "new")
    assert rehearsal.call("sync", "province")[0] == ExitCode.OK


def test_a_backup_is_restored_into_watch(rehearsal: Rehearsal) -> None:
    rehearsal.handed_in()
    adopted(rehearsal)
    rehearsal.call("sync", "--until-rest", "--for", "30")
    code, made = rehearsal.json("backup", "backups")
    assert code == ExitCode.OK
    assert rehearsal.json("restore", made["manifest"])[1]["epoch"] == 2
    before = rehearsal.effects()
    _, out, _ = rehearsal.call("sync")
    assert "mode is watch" in out
    assert rehearsal.effects() == before
    assert rehearsal.call("adopt", "national", "--from", "2020-01-01")[0] != ExitCode.OK


def test_doctor_finds_a_healthy_installation_and_a_key_ring_open_to_others(rehearsal: Rehearsal) -> None:
    code, found = rehearsal.json("doctor")
    assert code == ExitCode.OK, found
    assert {"python", "config", "store whole", "province: clock"} <= {check["what"] for check in found["checks"]}
    ring = rehearsal.folder / "var" / "keys.ring"
    ring.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP)
    assert rehearsal.call("doctor")[0] == ExitCode.NOW


def test_lists_are_empty_at_the_start_and_a_number_that_is_not_there_is_said(rehearsal: Rehearsal) -> None:
    for noun in ("parked", "quarantine"):
        assert rehearsal.call(noun, "list")[0] == ExitCode.OK
    assert rehearsal.json("lanes") == (ExitCode.OK, {"lanes": []})
    for arguments in (("parked", "retry", "7"), ("parked", "confirm", "7", "--arrived"), ("quarantine", "show", "7")):
        code, _, err = rehearsal.call(*arguments)
        assert code == ExitCode.ERROR
        assert "7" in err
    assert rehearsal.call("parked", "confirm", "7")[0] == ExitCode.USAGE
    assert rehearsal.call("sync", "nowhere")[0] == ExitCode.ERROR
    assert rehearsal.call("adopt", "national", "--from", "yesterday")[0] == ExitCode.USAGE


def test_a_wrong_configuration_stops_every_verb_with_exit_code_5(rehearsal: Rehearsal) -> None:
    (rehearsal.folder / "config.yaml").write_text("environment: tst\n")
    for verb in (["run"], ["sync"], ["status"], ["config", "check"], ["config", "explain"], ["lanes"], ["simulate"]):
        code, _, err = rehearsal.call(*verb)
        assert code == ExitCode.CONFIG, verb
        assert "config.yaml:1: environment" in err
    code, found = rehearsal.json("config", "check")
    assert (code, found["ok"], found["problems"][0]["line"]) == (ExitCode.CONFIG, False, 1)


def test_config_explain_shows_no_secret(rehearsal: Rehearsal) -> None:
    for arguments in (("config", "explain"), ("config", "explain", "--json")):
        code, out, _ = rehearsal.call(*arguments)
        assert code == ExitCode.OK
        assert "simulated-password" not in out
        assert "${REHEARSAL}" in out


def test_the_command_line_speaks_vietnamese(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_LANG", "vi")
    assert "bình thường" in rehearsal.call("status")[1]
    assert "không có cổng" in rehearsal.call("sync", "nowhere")[2]
