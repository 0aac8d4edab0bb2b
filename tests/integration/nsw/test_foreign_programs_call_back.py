"""Programs that others wrote call our service from its own WSDL: PHP, gSOAP in C, and bytes signed by `xmlsec1`."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import pytest

from adapters.nsw.envelope import Message, read
from adapters.nsw.signing import Signing
from adapters.receiving import Verdict
from adapters.xmldsig import Trust
from tests.integration.nsw.desk import Desk, serving
from tests.integration.nsw.test_call_backs_reach_their_dossier import Gate
from tests.integration.nsw.test_ministry_calls_back import CLIENT, OFFICER, message, said, soap
from tests.unit.xmldsig.makers import XmlSec, signer, write_pem

CALLERS = Path(__file__).parent / "callers"
REASON = "Thiếu văn bản ủy quyền <mẫu 01> & chữ ký số; đề nghị bổ sung trước 17:00 – 𠀋"
REFUSAL = (
    f"<Reject><RejectCode>TC-01</RejectCode><RejectDesc>{escape(REASON)}</RejectDesc>{OFFICER}</Reject>"
    "<RejectDate>2026-11-23 10:00:00</RejectDate>"
)
Caller = Callable[[Desk | Gate, str], subprocess.CompletedProcess[bytes]]


def run(arguments: list[str], text: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(arguments, input=text.encode(), capture_output=True, timeout=60, cwd=folder, check=False)


def by_php(desk: Desk | Gate, text: str, operation: str = "ReceiveResultFromMT") -> subprocess.CompletedProcess[bytes]:
    """PHP's own SoapClient, from the WSDL we serve."""
    return run(["php", str(CALLERS / "call.php"), desk.url + "?wsdl", operation], text, CALLERS)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client that gSOAP generates from the WSDL we serve."""
    folder = tmp_path_factory.mktemp("gsoap")
    with serving() as desk:
        (folder / "service.wsdl").write_bytes(CLIENT.get(desk.url + "?wsdl").content)
    for command in (
        "wsdl2h -c -o service.h service.wsdl",
        "soapcpp2 -C -c -L -x service.h",
        f"gcc -w -I. {CALLERS / 'call.c'} soapC.c soapClient.c -lgsoap -o call",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True, timeout=120)
    return folder / "call"


@pytest.fixture(params=["php", "gsoap"])
def caller(request: pytest.FixtureRequest) -> Caller:
    if request.param == "php":
        return by_php
    program: Path = request.getfixturevalue("program")
    return lambda desk, text: run([str(program), desk.url], text, program.parent)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as running:
        yield running


def answered(done: subprocess.CompletedProcess[bytes]) -> Message:
    assert done.returncode == 0, done.stderr.decode()
    return read(done.stdout.decode())


def test_vietnamese_words_arrive_whole_both_ways(desk: Desk, caller: Caller) -> None:
    answer = answered(caller(desk, message("22", REFUSAL)))
    assert (answer.subject.function, answer.receiver.name) == ("99", "Bộ thử nghiệm")
    assert said(desk)["note"] == REASON
    assert said(desk)["officer"] == "CÁN BỘ THỬ NGHIỆM 01"


def test_our_own_words_of_refusal_arrive_whole(desk: Desk, caller: Caller) -> None:
    desk.refuses = REASON
    answer = answered(caller(desk, message()))
    assert (answer.subject.function, answer.text("Reject/RejectDesc")) == ("22", REASON)


def test_a_repeat_by_a_foreign_program_gets_the_same_answer(desk: Desk, caller: Caller) -> None:
    first, second = caller(desk, message()), caller(desk, message())
    assert first.stdout == second.stdout
    assert desk.verdicts == [Verdict.NEW, Verdict.REPEATED]


def test_two_foreign_programs_are_one_sender_to_us(desk: Desk, program: Path) -> None:
    text = message("22", REFUSAL)
    assert by_php(desk, text).stdout == run([str(program), desk.url], text, program.parent).stdout
    assert desk.verdicts == [Verdict.NEW, Verdict.REPEATED]


@pytest.mark.parametrize("operation", ["Receive", "ReceiveFromInland"])
def test_php_reaches_the_other_operations_too(desk: Desk, operation: str) -> None:
    assert answered(by_php(desk, message(), operation)).subject.function == "99"


def test_a_foreign_program_is_told_why_its_call_is_wrong(caller: Caller) -> None:
    with serving(max_message_bytes=1_000) as desk:
        done = caller(desk, "x" * 5_000)
    assert done.returncode == 1
    assert b"XML larger than 4000 bytes" in done.stderr


def test_bytes_signed_by_xmlsec1_and_sent_by_a_bare_socket_are_believed(xmlsec: XmlSec) -> None:
    ministry = signer()
    signing = Signing("sign+require", signer("Tỉnh thử nghiệm"), Trust(pinned=(ministry.certificate,)))
    signed = xmlsec.sign(message("22", REFUSAL), ministry).decode()
    with serving(signing) as desk:
        answer = sent(desk.url, soap(f"<![CDATA[{signed}]]>").encode())
        assert b"&lt;function&gt;99&lt;" in answer
        assert said(desk)["note"] == REASON
        forged = soap(f"<![CDATA[{signed.replace('>TC-01<', '>TC-02<')}]]>").encode()
        assert b"&lt;function&gt;22&lt;" in sent(desk.url, forged)
        assert [one.code for one in desk.unreadable] == ["signature_digest"]


class TestThroughTheWholeGateway:
    """The same programs against the server that `lienthong run` starts."""

    @pytest.fixture
    def gate(self, tmp_path: Path) -> Iterator[Gate]:
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        for folder, name in ((ours, "Tỉnh thử nghiệm"), (theirs, "Bộ thử nghiệm")):
            folder.mkdir()
            write_pem(folder, signer(name))
        mode = {"mode": "sign", "certificate": str(ours / "certificate.pem"), "key": str(ours / "key.pem")}
        gate = Gate(tmp_path, signatures=mode | {"pinned": [str(theirs / "certificate.pem")]})
        keys = {"certificate": str(theirs / "certificate.pem"), "key": str(theirs / "key.pem")}
        mode = {"mode": "sign", **keys, "pinned": [str(ours / "certificate.pem")]}
        gate.ministry.act("switch", {"signatures": mode})
        gate.forwarded()
        gate.until(lambda: gate.states() == ["delivered"])
        yield gate
        gate.close()

    def test_words_of_a_foreign_program_reach_the_dossier_whole(self, gate: Gate, caller: Caller) -> None:
        (held,) = gate.ministry.screen("dossiers", {})
        _, reference, year = held["key"].split("-")
        text = message("22", REFUSAL, reference=reference, documentYear=year)
        first, second = caller(gate, text), caller(gate, text)
        assert first.stdout == second.stdout
        assert b"<function>99</function>" in first.stdout, first.stderr
        gate.until(lambda: gate.said() == ["22"])
        assert REASON in gate.words()

    def test_bytes_signed_by_xmlsec1_reach_the_dossier(self, gate: Gate, xmlsec: XmlSec) -> None:
        (held,) = gate.ministry.screen("dossiers", {})
        _, reference, year = held["key"].split("-")
        text = xmlsec.sign(message("22", REFUSAL, reference=reference, documentYear=year), signer()).decode()
        forged = text.replace(">TC-01<", ">TC-02<")
        assert b"&lt;function&gt;22&lt;" in sent(gate.url, soap(escape(forged)).encode())
        assert b"&lt;function&gt;99&lt;" in sent(gate.url, soap(escape(text)).encode())
        gate.until(lambda: gate.said() == ["22"])
        assert REASON in gate.words()
        assert gate.aside() == ["forged"]


def sent(url: str, body: bytes) -> bytes:
    """Send one request byte by byte as given and read the answer to its end."""
    where = urlsplit(url)
    head = (
        f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f'SOAPAction: "http://tempuri.org/IMTService/ReceiveResultFromMT"\r\nContent-Length: {len(body)}\r\n'
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port or 80), timeout=10) as wire:
        wire.sendall(head.encode() + body)
        with wire.makefile("rb") as answer:
            return answer.read()
