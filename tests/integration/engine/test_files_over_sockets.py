"""Files over sockets: the very bytes, once, with the act that speaks of them; an address is one portal's own."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from adapters.civil_status.registry_office import certificate
from gateway.cli.serving import serve
from gateway.runner.local import LocalRunner
from gateway.server.http import HttpServer
from tests.integration.engine.test_kill import child, trap
from tests.integration.engine.town import BIRTH, Town

PAPER = "%PDF-1.7 Giấy chứng sinh, CÔNG DÂN THỬ NGHIỆM 01\n".encode() * 20_000


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Births(Town):
    """A town whose national portal reaches us, with one birth at the province."""

    http: HttpServer | None = None

    def __init__(self, folder: Path, **store: Any) -> None:
        self.store_settings = store
        super().__init__(folder)

    def open(self) -> None:
        if "server" not in self.raw:
            listen = f"127.0.0.1:{free_port()}"
            self.raw["server"] = {"listen": listen}
            self.raw["store"] |= self.store_settings
            self.raw["portals"]["national"]["inbound"] = {"files_at": f"http://{listen}/in/national/downloadfile"}
            self.raw["portals"]["other"] = {**self.raw["portals"]["national"], "inbound": {}}
            self.raw["portals"]["province"]["options"]["read_files"] = True
            for name in self.raw["portals"]:
                self.raw["portals"][name] |= {"call_timeout_s": 1.0, "settle_s": 1.2, "every_s": 0.2}
        super().open()
        self.http = serve(self.gateway, self.gateway.inbound.intake.receive)

    def close(self) -> None:
        self.shut()
        super().close()

    def shut(self) -> None:
        """The gateway alone."""
        if self.http is not None:
            self.http.stop()
            self.http = None
        self.gateway.close()

    def born(self, *papers: tuple[str, bytes]) -> str:
        """An officer takes a birth up, with papers, and forwards it; gives its number."""
        made = self.province.act("create_dossier", {"online": False, "service": BIRTH, "agency": "H99.13"})
        self.reference = str(made["referenceUid"])
        for name, content in papers:
            put = {"name": name, "base64": base64.b64encode(content).decode(), "fileType": "pdf"}
            self.province.act("add_file", {"referenceUid": self.reference, **put})
        for verb in ("process", "interoperate"):
            self.province.act(verb, {"referenceUid": self.reference})
        return self.number(self.reference)

    def registered(self, number: str) -> None:
        """The ministry registers it."""
        for verb in ("advance", "complete"):
            self.justice.act(verb, {"number": number})

    def at_the_province(self) -> list[dict[str, Any]]:
        """The files its screen shows for the dossier."""
        held: Any = self.province.screen("files", {})
        return list(held.get(self.reference, []))

    def act_and_file(self) -> list[str]:
        """What we did at the province, in order."""
        return [effect["effect"] for effect in self.province.book.effects() if effect["call"]]

    def row_of_results(self, number: str) -> dict[str, Any]:
        """The one row of results that the national portal shows."""
        (row,) = self.national.holdings.dossiers[number].content["DanhSachGiayToKetQua"]
        return dict(row)


@pytest.fixture
def births(tmp_path: Path) -> Iterator[Births]:
    made = Births(tmp_path)
    made.pull()
    made.adopt(time.time() - 3600)
    yield made
    made.close()


def get(url: str) -> tuple[int, bytes]:
    """What a caller gets."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
            return int(answer.status), bytes(answer.read())
    except HTTPError as error:
        return error.code, b""


def test_a_certificate_reaches_province_and_citizen_byte_for_byte(births: Births) -> None:
    number = births.born()
    births.rest()
    births.registered(number)
    births.rest()
    wanted = sha(certificate(number))
    assert [file["sha256"] for file in births.at_the_province()] == [wanted]
    assert births.act_and_file() == ["file", "action"], "it lay there before the act that speaks of it"
    url = births.row_of_results(number)["DuongDanTepTinKetQua"]
    assert births.http is not None and url.startswith(f"{births.http.url}/in/national/downloadfile/")
    status, content = get(url)
    assert (status, sha(content)) == (200, wanted)
    assert get(url.replace("/in/national/", "/in/other/"))[0] == 404, "a stranger gets nothing by the same address"
    assert get(url[:-1] + ("0" if url[-1] != "0" else "1"))[0] == 404
    (kept,) = births.gateway.store.read(lambda tx: tx.list_files())
    assert get(url.rpartition("/")[0] + f"/{kept.id}")[0] == 404, "our own name of a file opens nothing"
    before = len(births.effects())
    births.round()
    assert len(births.effects()) == before, "and all is at rest"


def test_a_running_gateway_fetches_by_itself_as_soon_as_a_file_is_wanted(births: Births) -> None:
    number = births.born()
    births.rest()
    births.registered(number)
    gateway = births.gateway
    runner = LocalRunner(
        gateway.engine, gateway.store, gateway.holds, gateway.clock, lambda: None, fetchers=gateway.fetchers
    )
    gateway.waker.listener, gateway.waker.porter = runner.wake, runner.fetch
    runner.start()
    try:
        ends = time.monotonic() + 20
        while births.act_and_file() != ["file", "action"]:
            assert time.monotonic() < ends
            time.sleep(0.05)
        jobs = gateway.store.read(lambda tx: tx.list_runs(portal="justice"))
        assert [run.counts for run in jobs if run.job == "files"] == [{"held": 1}]
    finally:
        runner.stop()


def test_every_paper_reaches_the_ministry_whole(births: Births) -> None:
    papers = [("Giấy chứng sinh.pdf", PAPER), ("Căn cước của mẹ.pdf", PAPER + b"%%")]
    number = births.born(*papers)
    births.rest()
    (held,) = [one for one in births.justice.screen("dossiers", {}) if number in str(one)]
    shown = str(held)
    assert all(sha(content) in shown for _, content in papers), "the ministry holds the very bytes"
    assert all(name in shown for name, _ in papers)


def test_a_certificate_that_cannot_be_had_holds_nobody_up(tmp_path: Path) -> None:
    births = Births(tmp_path, file_patience_h=1.5 / 3600)
    births.pull()
    births.adopt(time.time() - 3600)
    number = births.born()
    births.rest()
    births.registered(number)
    births.gateway.engine.pull("justice")
    births.gateway.engine.deliver("province")
    assert births.act_and_file() == [], "the act waits for its file"
    births.justice.act("switch", {"result": "null"})
    ends = time.monotonic() + 20
    while births.act_and_file() != ["action"]:
        assert time.monotonic() < ends, births.owed()
        for fetcher in births.gateway.fetchers.values():
            fetcher.run()
        births.gateway.engine.deliver("province")
        time.sleep(0.05)
    given_up = births.gateway.store.read(lambda tx: tx.list_wanted(states=["given_up"]))
    assert [(row.portal, bool(row.reason)) for row in given_up] == [("justice", True)]
    assert births.at_the_province() == []
    births.close()


@pytest.mark.parametrize(
    ("portal", "kind", "nth", "when"),
    [
        pytest.param("justice", "read", 2, "after", id="fetched-and-not-kept"),
        pytest.param("province", "write", 1, "before", id="held-and-not-brought"),
        pytest.param("province", "write", 1, "after", id="brought-and-not-recorded"),
        pytest.param("province", "action", 1, "after", id="acted-and-not-recorded"),
    ],
)
def test_a_kill_between_leaves_one_file_and_one_act(
    births: Births, project_root: Path, portal: str, kind: str, nth: int, when: str
) -> None:
    number = births.born()
    births.rest()
    births.registered(number)
    births.shut()
    with child(births, project_root) as process:
        sprung = trap(getattr(births, portal), kind, nth, when, lambda: os.kill(process.pid, signal.SIGKILL))
        assert process.wait(30) == -signal.SIGKILL and sprung
    births.open()
    with suppress(AssertionError):
        births.rest(rounds=60)
    births.rest(rounds=60)
    assert [file["sha256"] for file in births.at_the_province()] == [sha(certificate(number))]
    assert births.act_and_file() == ["file", "action"]
    url = births.row_of_results(number)["DuongDanTepTinKetQua"]
    assert sha(get(url)[1]) == sha(certificate(number))
    assert births.gateway.store.read(lambda tx: tx.counts())["file"] == 1
