"""The simulated portal as a caller: what it sends, what it repeats, what its book says of the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson
import pytest

from adapters.npsp.caller import citizens
from adapters.npsp.caller.answers import AnswerBook, understood
from adapters.npsp.caller.citizens import Submitting
from adapters.npsp.caller.dialling import SENDING_FAULTS, Heard, dial
from adapters.npsp.simulator import NpspSimulator, build
from adapters.simulation import SimulatorServer

Answer = Callable[[dict[str, Any]], tuple[int, Any]]


class Province:
    """Stores pushes as the protocol wants, over a plain HTTP server; `answer` may be replaced."""

    def __init__(self) -> None:
        self.stored: dict[str, list[bytes]] = {}
        self.bodies: list[bytes] = []
        self.broken = 0
        self.lock = threading.Lock()
        self.answer: Answer = self._store
        province = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    province.broken += 1
                    return
                with province.lock:
                    province.bodies.append(body)
                    status, said = province.answer(orjson.loads(body))
                reply = said if isinstance(said, bytes) else orjson.dumps(said)
                self.send_response(status)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                """A caller that cut the line."""
                province.broken += 1

        self.http = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def _store(self, body: dict[str, Any]) -> tuple[int, Any]:
        fields = body.get("data", body)
        versions = self.stored.setdefault(fields["MaHoSo"], [])
        versions.append(orjson.dumps(fields))
        return 200, {"error_code": min(len(versions) - 1, 1), "message": ""}

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(2)


@pytest.fixture
def province() -> Iterator[Province]:
    made = Province()
    yield made
    made.close()


@pytest.fixture
def portal() -> NpspSimulator:
    return build({})


def test_every_dossier_is_pushed_until_it_is_answered_whatever_was_cut(
    province: Province, portal: NpspSimulator
) -> None:
    told = portal.act("submit", {"url": province.url, "count": 60, "faults": 0.5, "pause_s": 0.001})

    assert told == {"submitted": 60, "unanswered": [], "problems": []}
    assert len(province.stored) == 60
    faults = {entry["fault"] for entries in portal.caller.answers.all().values() for entry in entries}
    assert faults == {"", *SENDING_FAULTS}
    assert province.broken > 0
    assert portal.caller.calling()["under_way"] == 0


def test_repeats_changes_and_callers_at_once_come_in_the_shares_asked_for(
    province: Province, portal: NpspSimulator
) -> None:
    portal.act("submit", {"url": province.url, "count": 200, "repeated": 0.3, "concurrent": 0.1, "changed": 0.05})

    versions = {number: len(bodies) for number, bodies in province.stored.items()}
    assert len(versions) == 200
    assert 240 <= sum(versions.values()) <= 340
    assert any(len(set(bodies)) > 1 for bodies in province.stored.values())
    assert portal.caller.answers.problems(province.stored) == []


def test_a_repeat_gives_every_link_a_new_address(province: Province, portal: NpspSimulator) -> None:
    plan = {"url": province.url, "links": "http://127.0.0.1:1", "files": "links"}
    portal.act("submit", plan | {"repeated": 1.0})

    first, second = (orjson.loads(body)["TaiLieuNop"][0]["DuongDanTaiTepTin"] for body in province.bodies)
    assert first != second
    assert first.partition("?")[0] == second.partition("?")[0]


def test_a_refused_call_is_made_again_and_given_up_in_the_end(province: Province, portal: NpspSimulator) -> None:
    province.answer = lambda _: (200, {"error_code": -1, "message": "bận"})
    told = portal.act("submit", {"url": province.url, "tries": 3, "pause_s": 0.001})

    number = citizens.number_of(Submitting(), 1)
    assert (told["unanswered"], portal.caller.answers.told(number)) == ([number], [-1, -1, -1])
    assert told["problems"] == [f"{number}: answered [-1]"]


def test_the_book_finds_two_zeros_strange_answers_and_a_yes_for_nothing_stored() -> None:
    book = AnswerBook()
    for number, said in (
        ("a", b'{"error_code":0}'),
        ("a", b'{"error_code":0}'),
        ("b", b"<html>"),
        ("c", b'{"error_code":1}'),
    ):
        book.note(number, "push", "submission", Heard(200, said), "")
    book.note("d", "push", "submission", Heard(None), "cut_after")

    assert book.problems({"a", "b"}) == [
        "a: answered 0 2 times",
        "b: answered ['unreadable']",
        "c: answered yes, and nobody holds it",
    ]


@pytest.mark.parametrize(
    ("heard", "said"),
    [(Heard(200, b'{"error_code":1,"message":""}'), 1), (Heard(200, b'{"error_code":"0"}'), "unreadable"),
     (Heard(200, b'{"error_code":true}'), "unreadable"), (Heard(200, b"[]"), "unreadable"),
     (Heard(503, b""), "http 503"),
     (Heard(), "silence")],
    ids=str,
)  # fmt: skip
def test_an_answer_is_understood_only_when_it_is_the_protocols(heard: Heard, said: int | str) -> None:
    assert understood(heard) == said


def test_supplement_withdrawal_payment_and_question_are_calls_of_their_own(
    province: Province, portal: NpspSimulator
) -> None:
    portal.act("submit", {"url": province.url})
    for verb in ("supplement", "withdraw", "pay", "ask_fees"):
        assert portal.act(verb, {"url": province.url})["said"] in (0, 1)

    _, supplement, withdrawal, payment, fees = (orjson.loads(body) for body in province.bodies)
    assert supplement["isUpdating"] == "True"
    assert withdrawal["TrangThaiHoSo"] == "7"
    assert payment["SoTien"] == "150000"
    assert list(fees) == ["MaHoSo"]
    shown = portal.holdings.dossiers[citizens.number_of(Submitting(), 1)].content
    assert (shown["TrangThaiHoSo"], "Base64" in str(shown)) == ("7", False)


def test_work_in_the_background_is_seen_on_a_screen(province: Province, portal: NpspSimulator) -> None:
    with SimulatorServer(portal) as server:
        asked = {"url": province.url, "count": 5, "rate": 100, "wait": False}
        told = httpx.post(f"{server.control_url}/_sim/act/submit", json=asked, trust_env=False)
        assert told.json() == {"started": 5}
        while httpx.get(f"{server.control_url}/_sim/calling", trust_env=False).json()["under_way"]:
            """Not long."""
        answers = httpx.get(f"{server.control_url}/_sim/answers", trust_env=False).json()
        assert [[entry["said"] for entry in entries] for entries in answers.values()] == [[0]] * 5
        assert httpx.get(f"{server.control_url}/_sim/answers/problems", trust_env=False).json() == []


def test_wrong_arguments_are_answered_400(portal: NpspSimulator) -> None:
    with SimulatorServer(portal) as server:
        for asked in ({"url": "https://portal.example.invalid"}, {"url": "http://127.0.0.1:9", "nonsense": 1}, {}):
            told = httpx.post(f"{server.control_url}/_sim/act/submit", json=asked, trust_env=False)
            assert told.status_code == 400


@pytest.mark.parametrize("fault", ["", *SENDING_FAULTS])
def test_only_a_whole_call_is_heard_and_only_a_line_left_open_hears_the_answer(province: Province, fault: str) -> None:
    body = orjson.dumps({"MaHoSo": "x", "GhiChu": "y" * 4000})
    heard = dial(f"{province.url}/nhanhsdvcqg", body, {}, fault=fault, patience_s=2.0)

    assert (heard.status == 200) is (fault in ("", "slow_body"))
    if fault in ("cut_before", "cut_inside", "wrong_length"):
        assert province.stored == {}


def test_nobody_listening_is_silence() -> None:
    assert dial("http://127.0.0.1:9/x", b"", {}).status is None
