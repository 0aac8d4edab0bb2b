"""The national portal, the province and the whole gateway with its HTTP server between them; all wires are real."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.npsp.caller import citizens, links
from adapters.npsp.caller.citizens import Submitting
from adapters.npsp.simulator import build as build_national
from adapters.opencps.identity import reference_of
from adapters.opencps.simulator import build as build_province
from adapters.simulation import SimulatorServer
from gateway.bootstrap import open_gateway
from gateway.cli.serving import serve
from gateway.config import Config
from gateway.inbound.offers import refresh
from tests.integration.engine.town import SECRETS, configuration

PLAN = Submitting()
NUMBER = citizens.number_of(PLAN, 1)
UID = reference_of(NUMBER)
REQUESTS = {
    "withdrawal_requested": {"act": "withdrawal_requested"},
    "submitted": {"act": "in_progress", "from": ["supplement_requested"], "by": "supplement", "wires": ["supplement"]},
    "payment_requested": {
        "act": "in_progress", "from": ["payment_requested"], "by": "confirm_payment", "wires": ["payment"],
    },
}  # fmt: skip


class Line:
    """The gateway between a simulated national portal that calls and a simulated province."""

    def __init__(
        self, folder: Path, *, poll: bool = False, mapping: str = "", province: Any = None, **inbound: Any
    ) -> None:
        self.province, self.national = build_province({}), build_national({})
        self.servers = [SimulatorServer(one).start() for one in (self.province, self.national)]
        urls = {"province": self.servers[0].url, "national": self.servers[1].url, "justice": "http://127.0.0.1:9"}
        raw = configuration(folder, urls, {})
        del raw["portals"]["justice"]
        raw["portals"]["national"] |= {"inbound": {}} | ({"mapping": mapping} if mapping else {})
        raw["portals"]["national"]["options"] |= {"inbound": inbound, "poll": poll}
        raw["portals"]["province"]["options"] |= province or {}
        raw["routes"] = raw["routes"][:1]
        raw["ownership"] = {"handlers": ["province"], "births": ["national"], "requests": {"national": REQUESTS}}
        raw["server"] = {"listen": "127.0.0.1:0"}
        raw["store"] |= {"files": str(folder / "files"), "journal": str(folder / "journal")}
        self.gateway = open_gateway(Config.model_validate(raw), environ=SECRETS)
        self.http = serve(self.gateway, self.gateway.inbound.intake.receive)
        assert self.http is not None
        self.url = f"{self.http.public_url}/in/national"
        self.round()
        begun = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
        for name in ("province", "national"):
            self.gateway.engine.adopt(name, begun, actor="test")

    def close(self) -> None:
        assert self.http is not None
        self.http.stop()
        self.gateway.close()
        for server in self.servers:
            server.stop()
            assert server.defects == []

    def tell(self, verb: str, **arguments: Any) -> Any:
        """Let the portal call."""
        return self.national.act(verb, {"url": self.url, "links": self.servers[1].url} | arguments)

    def round(self) -> None:
        """Wake every job once."""
        self.gateway.inbound.taker.run("national")
        for name in ("province", "national"):
            if self.gateway.portals[name].pulls:
                self.gateway.engine.pull(name)
        for name in ("province", "national"):
            self.gateway.engine.deliver(name)
        self.gateway.fetchers["province"].run()

    def until(self, done: Callable[[], Any], seconds: float = 20.0) -> None:
        """Rounds until something is so."""
        ends = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < ends, (self.shown(), self.aside())
            self.round()
            time.sleep(0.02)

    def held(self) -> Any:
        """The dossier at the province."""
        return self.province.shelf.by_uid(UID)

    def made(self) -> list[str]:
        """References of all dossiers that calls made at the province."""
        return [one["key"] for one in self.province.book.effects() if one["effect"] == "create" and one["call"]]

    def shown(self) -> Any:
        """What the national portal shows of the dossier."""
        return self.national.holdings.dossiers[NUMBER].content["TrangThaiHoSo"]

    def aside(self) -> list[str]:
        return [row.cause for row in self.gateway.store.read(lambda tx: tx.list_quarantine())]

    def ask(self, path: str, body: bytes | None = None) -> httpx.Response:
        method = "GET" if body is None else "POST"
        return httpx.request(method, f"{self.url}/{path}", content=body, timeout=10, trust_env=False)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.close()


def test_npsp_17_a_pushed_dossier_is_made_once_with_its_files_and_its_status_goes_back(line: Line) -> None:
    for _ in range(3):
        line.tell("submit", files="mixed", seed=3)
    line.until(line.held)
    line.until(lambda: line.held().files)
    line.province.act("accept", {"referenceUid": UID})
    line.until(lambda: line.shown() == "2")

    held = line.held()
    assert line.national.caller.answers.told(NUMBER) == [0, 1, 1]
    assert line.made() == [UID]
    assert held.origin_dossier_no == NUMBER
    assert held.submitted_at == datetime(2026, 11, 2, 1, 0, 7, tzinfo=UTC)
    assert {file.content for file in held.files} <= {citizens.content_of(file.name) for file in held.files}
    assert list(line.national.holdings.dossiers) == [NUMBER]
    assert line.aside() == []


def test_a_hundred_pushes_repeated_concurrent_changed_and_cut_make_a_hundred_dossiers(line: Line) -> None:
    told = line.tell("submit", count=100, repeated=0.3, concurrent=0.1, changed=0.05, faults=0.2, patience_s=5.0)

    assert told == {"submitted": 100, "unanswered": [], "problems": []}
    stored = {row.key for row in line.gateway.store.read(lambda tx: tx.list_inbound())}
    assert line.national.caller.answers.problems(stored) == []
    line.until(lambda: len(line.made()) >= 100)
    line.until(lambda: not line.gateway.inbound.taker.owes("national"))
    line.round()
    assert sorted(line.made()) == sorted(reference_of(citizens.number_of(PLAN, n)) for n in range(1, 101))
    assert line.aside() == []


def test_a_citizens_supplement_reaches_the_province_with_its_papers(line: Line) -> None:
    line.tell("submit", files="base64")
    line.until(line.held)
    line.province.act("accept", {"referenceUid": UID})
    line.province.act("request_supplement", {"referenceUid": UID})
    line.until(lambda: line.shown() == "5")
    before = len(line.held().files)
    for seed in (1, 1):
        assert line.tell("supplement", seed=seed)["said"] == 1
    line.until(lambda: line.held().status == "processing")

    assert [file.name for file in line.held().files][before:] == ["bo-sung-1.pdf"]
    assert sum(row.code == "2001" for row in line.held().actions) == 1
    line.until(lambda: line.shown() == "4")


def test_a_dossier_pushed_again_with_other_content_is_handled_as_a_supplement(line: Line) -> None:
    body = citizens.dossier(PLAN, 1)
    line.tell("submit")
    line.until(line.held)
    line.province.act("accept", {"referenceUid": UID})
    line.province.act("request_supplement", {"referenceUid": UID})
    line.until(lambda: line.shown() == "5")
    more = {"TenTepDinhKem": "them.pdf", "Base64": base64.b64encode(citizens.content_of("them")).decode()}
    again = orjson.dumps(body | {"TaiLieuNop": [*body["TaiLieuNop"], more]})
    assert [line.ask("nhanhsdvcqg", again).json()["error_code"] for _ in range(3)] == [1, 1, 1]
    line.until(lambda: line.held().status == "processing")

    names = [file.name for file in line.held().files]
    assert names.count("them.pdf") == 1
    assert len(names) == len(set(names))
    assert sum(row.code == "2001" for row in line.held().actions) == 1


def test_a_withdrawal_by_push_reaches_the_province_and_is_not_overwritten_before_it_answers(line: Line) -> None:
    line.tell("submit")
    line.until(line.held)
    assert line.tell("withdraw")["said"] == 1
    line.until(lambda: line.held().status == "cancelling")

    assert line.shown() == "7"
    assert sum(row.code == "5000" for row in line.held().actions) == 1


def test_a_withdrawal_that_only_the_look_up_shows_reaches_the_province(tmp_path: Path) -> None:
    line = Line(tmp_path, poll=True)
    line.tell("submit", files="base64")
    for _ in range(3):
        line.gateway.engine.pull("national")  # a look-up shows a few fields: what the push told must stand
    line.until(line.held)
    assert line.held().applicant.number == "000001000000"
    line.province.act("accept", {"referenceUid": UID})
    line.until(lambda: line.shown() == "2")
    line.national.act("set_status", {"MaHoSo": NUMBER, "status": "7"})
    line.until(lambda: line.held().status == "cancelling")
    line.province.act("cancel", {"referenceUid": UID})
    line.until(lambda: line.held().status == "cancelled" and line.shown() == "7")
    assert sum(row.code == "5000" for row in line.held().actions) == 1
    line.close()


def test_a_fee_paid_is_confirmed_once_at_the_province_however_often_it_is_told(line: Line) -> None:
    line.tell("submit")
    line.until(line.held)
    line.province.act("accept", {"referenceUid": UID})
    line.province.act("request_payment", {"referenceUid": UID})
    line.until(lambda: line.shown() == "6")
    assert [line.tell("pay")["said"] for _ in range(3)] == [1, 1, 1]
    line.until(lambda: line.held().status == "processing")
    for _ in range(3):
        line.round()

    assert sum(row.code == "2101" for row in line.held().actions) == 1
    assert "150000" in next(row.note for row in line.held().actions if row.code == "2101")


def test_fees_are_asked_of_what_the_gateway_holds(line: Line) -> None:
    assert line.tell("ask_fees")["said"] == -1
    line.tell("submit")
    line.until(line.held)
    assert line.tell("ask_fees")["said"] == 0


def test_a_fee_is_owed_from_its_submission_until_it_is_paid_and_is_never_denied_while_the_province_asks(
    line: Line,
) -> None:
    fee = {"TenPhiLePhi": "Lệ phí", "MaPhiLePhi": "1", "HinhThucThu": "1", "Gia": "150000", "LoaiPhiLePhi": "2"}
    assert line.ask("nhanhsdvcqg", orjson.dumps(citizens.dossier(PLAN, 1) | {"DanhSachLePhi": [fee]})).json() == {
        "error_code": 0, "message": "Đã tiếp nhận hồ sơ",
    }  # fmt: skip
    line.round()
    assert line.tell("ask_fees")["said"] == 1
    line.until(line.held)
    line.province.act("accept", {"referenceUid": UID})
    line.province.act("request_payment", {"referenceUid": UID})
    line.until(lambda: NUMBER in line.national.holdings.dossiers and line.shown() == "6")
    asked = line.ask("kpdvcqg/dptracuuthanhtoanhs", orjson.dumps({"MaHoSo": NUMBER})).json()
    assert (asked["error_code"], asked["message"]["PhiLePhi"][0]["SoTien"]) == (1, 150000)
    line.tell("pay")
    line.round()
    assert line.tell("ask_fees")["said"] == 0
    line.until(lambda: line.held().status == "processing")
    assert line.tell("ask_fees")["said"] == 0


def test_money_that_the_province_asks_for_without_a_list_of_fees_is_not_called_nothing(line: Line) -> None:
    line.tell("submit")
    line.until(line.held)
    line.province.act("accept", {"referenceUid": UID})
    line.province.act("request_payment", {"referenceUid": UID})
    line.until(lambda: line.shown() == "6")

    assert line.tell("ask_fees")["said"] == -1


def test_a_file_that_came_with_a_push_is_served_by_its_link_and_no_other_is(line: Line) -> None:
    line.tell("submit", files="base64")
    (row, *_) = line.gateway.store.read(lambda tx: tx.files_of_call("national", NUMBER))

    served = line.ask(f"downloadfile/{row.id}")
    assert (served.status_code, served.headers["content-type"]) == (200, "application/pdf")
    assert served.content in {citizens.content_of(f"giay-to-1-{turn}.pdf") for turn in range(2)}
    assert line.ask("downloadfile/11111111-2222-5333-8444-555555555555").status_code == 404
    assert line.ask("downloadfile/%2e%2e%2fkeys").status_code == 404


def test_a_file_link_tells_its_length_to_who_asks_for_the_head_alone_and_serves_nothing_damaged(line: Line) -> None:
    line.tell("submit", files="base64")
    (row, *_) = line.gateway.store.read(lambda tx: tx.files_of_call("national", NUMBER))
    head = httpx.head(f"{line.url}/downloadfile/{row.id}", trust_env=False)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(row.size), b"")
    kept = Path(line.gateway.config.store.files) / row.id
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    assert line.ask(f"downloadfile/{row.id}").status_code == 404


def papers(where: str, *names: str) -> list[dict[str, str]]:
    return [
        {"TenTepDinhKem": "giay-to.pdf", "DuongDanTaiTepTin": f"{where}/{name}?n={n}"} for n, name in enumerate(names)
    ]


def test_slow_links_of_one_push_are_fetched_side_by_side_and_keep_their_order(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight links of half a second each: a second and not four, at four at one time."""
    monkeypatch.setattr(links, "SLOW_S", 0.5)
    body = citizens.dossier(PLAN, 1) | {"TaiLieuNop": papers(f"{line.servers[1].url}/tep", *["slow"] * 8)}
    begun = time.monotonic()
    said = line.ask("nhanhsdvcqg", orjson.dumps(body))
    took = time.monotonic() - begun
    assert (said.status_code, said.json()["error_code"]) == (200, 0)
    assert 1.0 <= took < 3.0
    rows = line.gateway.store.read(lambda tx: tx.files_of_call("national", NUMBER))
    assert len(rows) == 8
    assert len(list(Path(line.gateway.config.store.files).iterdir())) == 8


def test_one_bad_link_among_slow_ones_refuses_the_push_at_once_and_leaves_nothing(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "SLOW_S", 0.5)
    names = ["slow", "giay-to.pdf", "html", *["slow"] * 20]
    body = citizens.dossier(PLAN, 1) | {"TaiLieuNop": papers(f"{line.servers[1].url}/tep", *names)}
    begun = time.monotonic()
    said = line.ask("nhanhsdvcqg", orjson.dumps(body))
    assert said.json()["error_code"] == -1
    assert time.monotonic() - begun < 2.0, "what was not begun is not fetched"
    (row,) = line.gateway.store.read(lambda tx: tx.list_inbound())
    assert "a web page" in row.reason, "the reason of the bad one, not of those given up for it"
    assert list(Path(line.gateway.config.store.files).iterdir()) == []


@pytest.mark.parametrize("name", ["html", "500", "404", "empty", "huge", "redirect", "program", "noise", "slow"])
def test_npsp_18_28_a_hostile_file_link_refuses_the_push_and_a_mended_one_is_taken(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "SLOW_S", 0.8)
    line = Line(tmp_path, fetch={"timeout_s": 0.4, "max_bytes": 1024 * 1024})
    body = citizens.dossier(PLAN, 1)
    where = f"{line.servers[1].url}/tep"
    for file, code in ((name, -1), (name, -1), ("giay-to.pdf", 0)):
        papers = [{"TenTepDinhKem": "giay-to.pdf", "DuongDanTaiTepTin": f"{where}/{file}?t=1793494800000"}]
        said = line.ask("nhanhsdvcqg", orjson.dumps(body | {"TaiLieuNop": papers}))
        assert (said.status_code, said.json()["error_code"]) == (200, code)
    line.close()


def test_a_paper_with_a_wrong_ending_is_taken_as_it_is(line: Line) -> None:
    """People give files wrong endings."""
    name = {"TenTepDinhKem": "to-khai.docx", "DuongDanTaiTepTin": f"{line.servers[1].url}/tep/to-khai"}
    before = line.servers[1].next_call()
    said = line.ask("nhanhsdvcqg", orjson.dumps(citizens.dossier(PLAN, 1) | {"TaiLieuNop": [name]}))
    assert said.json()["error_code"] == 0
    assert line.servers[1].next_call() - before - 1 == 1, "one call"
    (row,) = line.gateway.store.read(lambda tx: tx.files_of_call("national", NUMBER))
    assert row.media_type == "application/pdf"
    assert len(list(Path(line.gateway.config.store.files).iterdir())) == 1


def test_a_file_on_a_host_that_is_not_asked_refuses_the_push_without_a_call(line: Line) -> None:
    with SimulatorServer(build_national({})) as other:
        papers = [{"TenTepDinhKem": "a.pdf", "DuongDanTaiTepTin": f"{other.url}/tep/a.pdf"}]
        said = line.ask("nhanhsdvcqg", orjson.dumps(citizens.dossier(PLAN, 1) | {"TaiLieuNop": papers}))
        calls = other.next_call() - 1
    assert (said.json()["error_code"], calls) == (-1, 0)


def test_npsp_18_a_procedure_that_the_province_does_not_offer_is_refused(line: Line) -> None:
    assert refresh(line.gateway.store, line.gateway.portals["province"]) == ""
    body = citizens.dossier(PLAN, 1)
    codes = [
        line.ask("nhanhsdvcqg", orjson.dumps(body | change)).json()["error_code"]
        for change in ({"MaTTHC": "9.999999"}, {"MaTTHC": "9.999999"}, {"MaDonVi": "H98.01"}, {})
    ]
    assert codes == [-1, -1, -1, 0]


def test_a_procedure_that_the_province_offers_under_a_code_of_its_own_is_made_under_that(line: Line) -> None:
    (own, *_) = line.province.shelf.services.values()
    foreign = own.model_copy(update={"code": "H99-01", "national_code": "3.000777"})
    line.province.switches = line.province.shelf.switches = line.province.shelf.switches.model_copy(
        update={"services": (foreign,)}
    )
    line.province.shelf.services = {foreign.code: foreign}
    refresh(line.gateway.store, line.gateway.portals["province"])
    body = citizens.dossier(PLAN, 1) | {"MaTTHC": "3.000777"}
    assert line.ask("nhanhsdvcqg", orjson.dumps(body)).json()["error_code"] == 0
    line.until(line.held)

    assert line.held().service_code == "H99-01"


def test_the_national_portal_hears_its_own_code_of_a_procedure_that_has_another_at_the_province(tmp_path: Path) -> None:
    line = Line(tmp_path, province={"procedures": {"3.000777": "2.002288"}})
    assert refresh(line.gateway.store, line.gateway.portals["province"]) == ""
    body = citizens.dossier(PLAN, 1) | {"MaTTHC": "3.000777"}
    assert line.ask("nhanhsdvcqg", orjson.dumps(body)).json()["error_code"] == 0
    line.until(line.held)
    line.province.act("accept", {"referenceUid": UID})
    line.until(lambda: NUMBER in line.national.holdings.dossiers)
    line.close()

    assert line.held().service_code == "2.002288"
    assert line.national.holdings.dossiers[NUMBER].content["MaTTHC"] == "3.000777"


@pytest.mark.parametrize("prefix", ["add", "strip"])
def test_a_dossier_that_we_made_is_the_one_the_province_lists_with_or_without_its_prefix(
    line: Line, prefix: str
) -> None:
    line.province.shelf.switches = line.province.shelf.switches.model_copy(update={"prefix": prefix})
    line.tell("submit")
    line.until(line.held)
    line.province.act("accept", {"referenceUid": line.held().reference_uid})
    line.until(lambda: line.shown() == "2")

    assert line.aside() == []


def test_the_national_portal_hears_of_a_dossier_that_the_province_refuses_to_make(line: Line) -> None:
    line.tell("submit")
    line.province.shelf.services = {}
    line.until(lambda: [row["TrangThai"] for row in line.national.holdings.dossiers[NUMBER].progress] == ["3"])

    (row,) = line.national.holdings.dossiers[NUMBER].progress
    assert row["NguoiXuLy"]
    assert line.made() == []


def test_twenty_megabytes_in_base64_reach_the_province(line: Line) -> None:
    content = b"%PDF-1.7\n" + bytes(range(256)) * (20 * 4096)
    paper = {"TenTepDinhKem": "lon.pdf", "Base64": base64.b64encode(content).decode()}
    body = orjson.dumps(citizens.dossier(PLAN, 1) | {"TaiLieuNop": [paper]})
    assert line.ask("nhanhsdvcqg", body).json()["error_code"] == 0
    line.until(lambda: line.held() and line.held().files)
    assert line.held().files[0].content == content


def test_npsp_19_a_push_is_answered_while_the_portal_itself_answers_nothing(line: Line) -> None:
    line.servers[1].go_down(5)
    said = line.ask("nhanhsdvcqg", orjson.dumps(citizens.dossier(PLAN, 1)))
    line.servers[1].come_up()
    assert said.json()["error_code"] == 0


def test_both_adapter_paths_and_the_bare_one_lead_to_one_dossier(line: Line) -> None:
    body = orjson.dumps(citizens.dossier(PLAN, 1))
    paths = (
        "nhanhsdvcqg",
        "XrdAdapter/RestService/forward/nhanhsdvcqg?dstcode=x",
        "VXPAdapter/RestService/forward/nhanhsdvcqg",
    )
    assert [line.ask(path, body).json()["error_code"] for path in paths] == [0, 1, 1]


def test_twenty_callers_at_once_hear_one_zero(line: Line) -> None:
    body, codes = orjson.dumps(citizens.dossier(PLAN, 1)), []
    callers = [
        threading.Thread(target=lambda: codes.append(line.ask("nhanhsdvcqg", body).json()["error_code"]))
        for _ in range(20)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(codes) == [0] + [1] * 19


def test_a_number_told_at_two_endpoints_hears_one_zero(line: Line) -> None:
    first = citizens.dossier(PLAN, 1)
    same = {name: first[name] for name in ("MaHoSo", "MaTTHC", "MaDonVi")}
    trader = {"MaSoThue": "0001000000", "TenThuongNhan": "CÔNG TY THỬ NGHIỆM 01"}
    calls = (("nhanhsdvcqg", first), ("addtthcKhuyenMai", same | trader))
    assert [line.ask(path, orjson.dumps(body)).json()["error_code"] for path, body in (*calls, *calls)] == [0, 1, 1, 1]
    line.until(line.held)
    line.round()
    assert line.made() == [UID]
