"""What a ministry signed itself: named in our receipts, kept word for word, and checked by a stranger's `xmlsec1`."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.base import Signed
from gateway.cli.app import run
from gateway.cli.exit_codes import ExitCode
from gateway.store.rows import RawRow
from gateway.sync.handover import Told
from gateway.sync.signatures import keep
from gateway.sync.timeline import Event
from tests.integration.engine.town import SECRETS
from tests.integration.nsw.test_call_backs_reach_their_dossier import Gate
from tests.integration.nsw.test_foreign_programs_call_back import REFUSAL, message, sent, soap
from tests.unit.xmldsig.makers import XmlSec, signer, write_pem

MINISTRY, PROVINCE = "Bộ thử nghiệm", "Tỉnh thử nghiệm"
FINGERPRINT = hashlib.sha256(signer(MINISTRY).certificate.public_bytes(Encoding.DER)).hexdigest()
ALGORITHM = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


class Office:
    """A gate whose ministry signs, and the command line beside it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        ours, theirs = folder / "ours", folder / "theirs"
        for where, name in ((ours, PROVINCE), (theirs, MINISTRY)):
            where.mkdir()
            write_pem(where, signer(name))
        mode = {"mode": "sign", "certificate": str(ours / "certificate.pem"), "key": str(ours / "key.pem")}
        self.gate = Gate(folder, signatures=mode | {"pinned": [str(theirs / "certificate.pem")]})
        keys = {"certificate": str(theirs / "certificate.pem"), "key": str(theirs / "key.pem")}
        pinned = [str(ours / "certificate.pem")]
        self.gate.ministry.act("switch", {"signatures": {"mode": "sign", **keys, "pinned": pinned}})
        self._config = folder / "config.yaml"
        self._config.write_text(self.gate.gateway.config.model_dump_json(exclude_defaults=True, by_alias=True))
        self._capsys = capsys
        self.gate.forwarded()
        self.gate.until(lambda: self.gate.states() == ["delivered"])

    def told(self, text: str) -> bytes:
        """One call-back with this message, answered."""
        return sent(self.gate.url, soap(escape(text)).encode())

    def refusal(self) -> str:
        """The ministry's refusal of the dossier, unsigned."""
        (held,) = self.gate.ministry.screen("dossiers", {})
        _, reference, year = held["key"].split("-")
        return message("22", REFUSAL, reference=reference, documentYear=year)

    def receipts(self) -> list[dict[str, Any]]:
        (dossier,) = self.gate.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
        code, out = self.call("receipt", "list", dossier.dossier_code, "--json")
        assert code == ExitCode.OK, out
        return list(json.loads(out)["receipts"])

    def call(self, *arguments: str) -> tuple[int, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run([*arguments, "--config", str(self._config)])
        printed = self._capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    made = Office(tmp_path, capsys)
    yield made
    made.gate.close()


@pytest.fixture
def refused(office: Office, xmlsec: XmlSec) -> tuple[Office, bytes]:
    """A ministry that has refused by a call-back that `xmlsec1` signed; with the bytes that it signed."""
    text = xmlsec.sign(office.refusal(), signer(MINISTRY))
    office.told(text.decode())
    office.gate.until(lambda: office.gate.said() == ["22"])
    return office, text


def test_a_signed_answer_and_a_signed_call_back_are_named_with_whose_signature_it_is(
    refused: tuple[Office, bytes],
) -> None:
    office, text = refused
    received, *later = office.receipts()
    assert (received["fact"], received["proven_by"]) == ("received", "answer")
    assert {one["fact"] for one in later} == {"completed"}
    for one in (received, *later):
        signed = one["signed"]
        assert (signed["certificate_sha256"], signed["holder"]) == (FINGERPRINT, MINISTRY)
        assert signed["algorithm"] == ALGORITHM
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", signed["checked_at"])
    assert {one["signed"]["message_sha256"] for one in later} == {hashlib.sha256(_document(text)).hexdigest()}
    assert MINISTRY in office.call("receipt", "list", _number(office))[1]
    assert "own signature" in office.call("receipt", "show", str(received["id"]))[1]


def test_the_log_says_of_each_receipt_what_the_partner_has_signed(refused: tuple[Office, bytes]) -> None:
    office, _ = refused
    leaves = [json.loads(row.canonical) for _, row in office.gate.gateway.store.read(lambda tx: tx.leaves())]
    signed = {leaf["receipt"]: leaf["signed"] for leaf in leaves if leaf["kind"] == "receipt"}
    assert signed == {one["sha256"]: one["signed"] for one in office.receipts()}


def test_what_came_unsigned_names_no_signature(office: Office, xmlsec: XmlSec, tmp_path: Path) -> None:
    """Mode `sign` lets unsigned messages in, a forged one never: neither is the ministry's own receipt."""
    forged = xmlsec.sign(office.refusal(), signer(MINISTRY)).decode().replace(">TC-01<", ">TC-02<")
    assert b"&lt;function&gt;22&lt;" in office.told(forged)
    office.told(office.refusal())
    office.gate.until(lambda: office.gate.said() == ["22"])
    received, completed = office.receipts()
    assert received["signed"], "the answer was signed"
    assert (completed["fact"], completed["signed"]) == ("completed", None)
    folder = tmp_path / "out"
    code, said = office.call("receipt", "export", str(completed["id"]), str(folder), "--with-reply")
    assert (code, folder.exists()) == (ExitCode.ERROR, False)
    assert "nothing that the partner has signed" in said


def test_a_signature_lends_itself_to_no_event_that_another_message_told() -> None:
    by = Signed(b"<m/>", b"der", "", ALGORITHM, datetime(2026, 11, 23, tzinfo=UTC))
    mine, other = (_event(name) for name in ("a", "b"))
    told = Told("leaf", frozenset({"a"}), by)
    assert told.signature_over(mine) is by
    assert told.signature_over(other) is None
    assert Told("leaf", frozenset({"a"})).signature_over(mine) is None


def _event(name: str) -> Event:
    return Event(name, frozenset({name}), "transport", "r", "transport", "completed", "23", "", 0.0, False, "", False)


def test_a_stranger_checks_the_partners_signature_with_the_commands_of_the_document(
    refused: tuple[Office, bytes], tmp_path: Path, project_root: Path
) -> None:
    office, text = refused
    folder = tmp_path / "out"
    last = office.receipts()[-1]
    code, said = office.call("receipt", "export", str(last["id"]), str(folder), "--with-reply")
    assert code == ExitCode.OK
    assert folder.stat().st_mode & 0o777 == 0o700
    message, certificate = (folder / f"receipt-{last['id']}-partner.{end}" for end in ("xml", "pem"))
    assert message.stat().st_mode & 0o777 == 0o600
    assert message.read_bytes() == _document(text)
    verify, digest, whose = _commands(project_root, str(last["id"]))
    assert verify in said
    assert _shell(verify, folder).returncode == 0
    assert _shell(digest, folder).stdout.split()[0] == last["signed"]["message_sha256"]
    assert _shell(whose, folder).stdout.split()[0] == last["signed"]["certificate_sha256"] == FINGERPRINT
    message.write_bytes(message.read_bytes().replace(b">TC-01<", b">TC-02<"))
    assert _shell(verify, folder).returncode != 0
    certificate.write_bytes(signer(PROVINCE).certificate.public_bytes(Encoding.PEM))
    message.write_bytes(_document(text))
    assert _shell(verify, folder).returncode != 0


def test_the_partners_words_leave_only_when_asked_for_and_only_to_a_folder_of_ones_own(
    refused: tuple[Office, bytes], tmp_path: Path
) -> None:
    office, _ = refused
    number = str(office.receipts()[0]["id"])
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o755)
    assert office.call("receipt", "export", number, str(open_to_all))[0] == ExitCode.OK
    assert not list(open_to_all.glob("*partner*"))
    code, said = office.call("receipt", "export", number, str(open_to_all), "--with-reply")
    assert code == ExitCode.ERROR
    assert "chmod 700" in said
    assert not list(open_to_all.glob("*partner*"))


def test_what_was_signed_is_sealed_with_its_dossier_and_outlives_raw_records(refused: tuple[Office, bytes]) -> None:
    office, text = refused
    gateway = office.gate.gateway
    (dossier,) = gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    (stage,) = gateway.store.read(lambda tx: tx.stages_of([dossier.id]))[dossier.id]
    assert len(stage.doc["signed"]) == 2, "the answer and the call-back, each once"
    century = gateway.clock.now().timestamp() + 100 * 365 * 86400
    while gateway.store.write(lambda tx: tx.expire_raw(century)):
        pass
    rows = [gateway.store.read(lambda tx, n=number: tx.raw(n)) for number in stage.doc["signed"].values()]
    assert all(isinstance(row, RawRow) and row.seal_key == dossier.id for row in rows)
    assert not any(_document(text)[:40] in row.sealed for row in rows if row)


def test_what_a_partner_signed_goes_with_the_key_of_its_dossier_and_nothing_stops_at_that(
    refused: tuple[Office, bytes], tmp_path: Path
) -> None:
    office, _ = refused
    gateway = office.gate.gateway
    (dossier,) = gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    (stage,) = gateway.store.read(lambda tx: tx.stages_of([dossier.id]))[dossier.id]
    gateway.vault.erase(dossier.id, gateway.clock.now().timestamp())
    later = Signed(b"<later/>", b"der", "", ALGORITHM, gateway.clock.now())
    gateway.store.write(lambda tx: keep(tx, gateway.vault, stage, "later", later, 0.0))
    assert "later" not in stage.doc["signed"]
    number = str(office.receipts()[-1]["id"])
    code, said = office.call("receipt", "export", number, str(tmp_path / "out"), "--with-reply")
    assert (code, "was erased" in said) == (ExitCode.ERROR, True)
    assert office.call("receipt", "export", number, str(tmp_path / "out"))[0] == ExitCode.OK, "our statement stays"
    assert not list((tmp_path / "out").glob("*partner*"))


def _document(text: bytes) -> bytes:
    """As it stands in the SOAP string: xmlsec1 writes a line end behind the document."""
    return text.strip()


def _number(office: Office) -> str:
    (dossier,) = office.gate.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    return dossier.dossier_code


def _commands(project_root: Path, number: str) -> list[str]:
    text = (project_root / "docs" / "receipts.md").read_text("utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [line.replace("receipt-12-", f"receipt-{number}-") for line in lines if "partner" in line]


def _shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
