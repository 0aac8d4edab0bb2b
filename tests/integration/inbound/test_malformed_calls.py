"""Whatever comes in over a socket: answered, never a failure of ours, and nothing stored that cannot be explained."""

from __future__ import annotations

import base64
import ctypes
import gc
import logging
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import structlog

from adapters.inbox.problems import PROBLEMS
from adapters.npsp.caller import citizens
from adapters.npsp.caller.citizens import Submitting
from gateway import log
from gateway.cli.app import run
from gateway.inbound import fresh
from gateway.store import sqlite
from gateway.vault import KeyRing
from tests.conftest import DATA
from tests.integration.inbound import attested
from tests.integration.inbound.breaking import broken
from tests.integration.inbound.gate import Gate
from tests.integration.inbound.speaking import Answer, Call, Line

SHARE, ALL = 1_200, 10_000
CALLERS = 4
SEED = 20261123
GROWN = {"objects": 4_000, "in use": 2.0, "resident": 40.0}
"""What may be more after the last two thirds of the calls: objects of Python, MiB of the C library's memory that are
in use, and MiB that the process holds, most of them free for the next large body. The full count shows a leak of one
object a call; the share only a larger one."""


class Told:
    """What was said and answered."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.codes: Counter[int] = Counter()
        self.wrong: list[str] = []

    def note(self, call: Call, answer: Answer) -> None:
        with self.lock:
            self.statuses[call.door, answer.status] += 1
            if problem := wrong(call, answer):
                self.wrong.append(problem)
            if call.door == "national" and answer.status == 200 and b"error_code" in answer.body[:200]:
                self.codes[orjson.loads(answer.body)["error_code"]] += 1


def wrong(call: Call, answer: Answer) -> str:
    """What is wrong with an answer as such; "" for a sound one."""
    if answer.status == 0 and call.framing in ("length", "chunked", "extended"):
        return f"{call.door}: no answer"
    if answer.status >= 500:
        return f"{call.door}: {answer.status}"
    if b"Traceback" in answer.body or b"/site-packages/" in answer.body:
        return f"{call.door}: our insides in an answer"
    if call.door == "health" and answer.body.startswith(b'{"type"'):
        return "" if orjson.loads(answer.body)["code"] in PROBLEMS else f"{call.door}: a code nobody knows"
    return ""


def calls(gate: Gate, caller: int, count: int) -> Iterator[Call]:
    """Broken calls of one caller, always the same for one seed."""
    lot = random.Random(SEED + caller)
    keys, items = gate.ministry_keys(), gate.items
    payloads, links = DATA / "payloads", gate.servers["national"].url
    for number in range(count):
        turn = caller + number * CALLERS
        match lot.randrange(20):
            case 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9:
                right = attested.national("/in/national", links, turn, payloads)
            case 10 | 11 | 12 | 13 | 14 | 15:
                right = attested.ministry("/in/transport/MTService", turn, keys, payloads)
            case _:
                right = attested.inbox(gate.key, turn, items)
        call = lot.choice(right)
        if lot.random() < 0.04:  # the body of one door at another
            call = Call(call.door, lot.choice(right).target, lot.choice(right).body, call.method, call.headers)
        yield broken(lot, call)


def say_all(gate: Gate, told: Told, count: int, first: int) -> None:
    """`CALLERS` callers at once, each over connections of its own."""

    def one(caller: int) -> None:
        with closing(Line(gate.address)) as line:
            for call in calls(gate, first + caller, count // CALLERS):
                told.note(call, line.say(call))

    with ThreadPoolExecutor(CALLERS) as pool:
        for done in [pool.submit(one, caller) for caller in range(CALLERS)]:
            done.result()


class MallInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "rest",
        )
    ]


def memory() -> dict[str, float]:
    """What this process holds, without what it could give back at once."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.malloc_trim(0)
    libc.mallinfo2.restype = MallInfo
    found = libc.mallinfo2()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "objects": sys.getallocatedblocks(),
        "in use": (found.uordblks + found.hblkhd) / 1024 / 1024,
        "resident": pages * 4096 / 1024 / 1024,
    }


def events(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Caches that have an end are made small, so that what is measured is not how they fill up."""
    for cache in ("_WRITER_CACHE_KIB", "_READER_CACHE_KIB"):
        monkeypatch.setattr(sqlite, cache, 128)
    defaults = KeyRing.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "cached_keys", 64)
    monkeypatch.setattr(fresh, "MOST", 4)
    # What the test runner keeps of each of its lines is not what the gateway holds.
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "disabled", True)
    with (tmp_path / "log").open("wb") as stream:
        log.configure(stream)
        made = Gate(tmp_path)
        yield made
        made.close()
        structlog.reset_defaults()


def test_broken_calls_are_answered_and_everything_stored_is_explained(
    gate: Gate, soak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    count, told = ALL if soak else SHARE, Told()
    before = gate.written(), gate.deliveries(), gate.national_codes()
    say_all(gate, told, count // 3, 0)
    warm = memory()
    say_all(gate, told, count - count // 3, CALLERS)
    grown = {name: value - warm[name] for name, value in memory().items()}

    assert told.wrong == []
    assert sum(told.statuses.values()) >= count - 2 * CALLERS
    said = events(gate.folder / "log")
    assert [one for one in said if one["event"] in ("call_failed", "job_failed", "call_not_stored")] == []
    assert [(name, value) for name, value in grown.items() if value > GROWN[name]] == [], grown
    assert (gate.written(), gate.deliveries(), gate.national_codes()) == before
    born = stored_calls_are_explained(gate, told)

    gate.take_in()
    taken_in_calls_are_explained(gate, born, before[2])
    gate.gateway.engine.deliver("province")
    assert owed(gate, born) == []
    the_lists_say_so(gate, capsys)


def stored_calls_are_explained(gate: Gate, told: Told) -> set[str]:
    """Every row, file, journal entry and quarantine has its reason; gives the numbers that were born."""
    rows = gate.rows()
    assert {row.state for row in rows} == {"accepted", "refused"}
    accepted, born = set(), set()
    for row in rows:
        call = gate.told(row)
        assert (call.key, call.digest) == (row.key, row.digest)
        assert bool(row.reason) == (row.state == "refused")
        if row.state == "accepted":
            accepted.add((row.portal, row.endpoint, row.key, row.digest))
            if row.endpoint in ("push", "promotion") and not call.record.partial:
                born.add(row.key)
    assert set(gate.journal()) == accepted
    names, known = gate.files()
    assert names == {file.id for file in known}
    for held in gate.aside():
        assert held.reason
        assert held.next_step
        if held.cause == "changed_call":
            assert any((one.key, one.digest) == (held.external_id, held.digest) for one in rows)
        else:
            assert gate.raw_of(held)
    told_once = {row.key for row in rows if row.endpoint in ("push", "promotion") and row.state == "accepted"}
    assert len(told_once) - told.statuses["national", 0] <= told.codes[0] <= len(told_once)
    return born


def taken_in_calls_are_explained(gate: Gate, born: set[str], before: list[str]) -> None:
    """Each stored call is a dossier's, or stands in quarantine; each number told is one dossier."""
    assert Counter(gate.national_codes()) == Counter([*before, *born])
    aside = {(row.portal, row.external_id): row for row in gate.aside()}
    for row in gate.rows():
        assert row.state in ("applied", "refused")
        if row.state == "applied" and not row.dossier_id:
            assert (row.portal, row.doc["record"]) in aside, "nobody would ever look for it"
    for held in aside.values():
        assert held.reason
        assert held.next_step
        assert held.cause != "unreadable" or held.portal != "national", "it was told 0 and cannot be read"


def owed(gate: Gate, born: set[str]) -> list[str]:
    """Numbers that were born here and not made once at the province, or made there and not born here."""
    made = Counter(gate.made())
    return sorted(number for number in born | set(made) if made[number] != 1 or number not in born)


def push(gate: Gate, **changes: object) -> int:
    """The national portal pushes one dossier; its `error_code`."""
    body = orjson.dumps(citizens.dossier(Submitting(files="none"), 1) | changes)
    with closing(Line(gate.address)) as line:
        answer = line.say(Call("national", "/in/national/nhanhsdvcqg", body, headers=attested.JSON))
    return int(orjson.loads(answer.body)["error_code"])


def test_a_push_refused_for_one_file_leaves_no_other_behind(gate: Gate) -> None:
    good = {"TenTepDinhKem": "a.pdf", "Base64": base64.b64encode(citizens.content_of("a.pdf")).decode()}
    gone = {"TenTepDinhKem": "b.pdf", "DuongDanTaiTepTin": f"{gate.servers['national'].url}/tep/404"}
    assert push(gate, TaiLieuNop=[good, gone]) == -1
    assert gate.files() == (set(), [])
    assert push(gate, TaiLieuNop=[good]) == 0
    assert len(gate.files()[0]) == 1


def test_a_push_that_names_no_agency_is_refused_because_nobody_could_make_its_dossier(gate: Gate) -> None:
    assert push(gate, MaDonVi="") == -1
    assert [(row.state, "agency" in row.reason) for row in gate.rows()] == [("refused", True)]
    assert push(gate) == 0


def test_a_call_whose_body_breaks_off_is_answered_once_and_nothing_fails(gate: Gate) -> None:
    heard = logging.Handler()
    failures: list[str] = []
    heard.emit = lambda record: failures.append(record.getMessage())  # type: ignore[method-assign]
    heard.setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addHandler(heard)
    call = Call("national", "/in/national/nhanhsdvcqg", b"{}", framing="bad chunk")
    with closing(Line(gate.address)) as line:
        said = [
            line.say(replace(call, target=target)) for target in ("/in/national/nhanhsdvcqg", "/nowhere", "/v1/inbox")
        ]
        zipped = line.say(replace(call, headers={"content-encoding": "gzip"}))
    logging.getLogger("uvicorn.error").removeHandler(heard)
    assert {answer.status for answer in (*said, zipped)} == {400}
    assert failures == []


def the_lists_say_so(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*arguments: str) -> dict[str, list[dict[str, object]]]:
        with pytest.raises(SystemExit):
            run([*arguments, "--json", "--config", str(gate.config)])
        found: dict[str, list[dict[str, object]]] = orjson.loads(capsys.readouterr().out)
        return found

    listed = shown("calls", "list", "--limit", "100000")["calls"]
    assert [one["id"] for one in listed] == [row.id for row in gate.rows()]
    assert len(shown("quarantine", "list")["quarantine"]) == len(gate.aside())
