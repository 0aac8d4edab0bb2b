"""`lienthong run` with a section `server`: it listens beside the runner, says where, and ends cleanly."""

import json
import re
import signal
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest

from gateway.cli.exit_codes import ExitCode
from gateway.cli.serving import folded
from tests.integration.cli.conftest import KINDS, Rehearsal
from tests.integration.cli.test_running import lines, process, stop

WORD = "rehearsal-word-0123456789"


def listening(rehearsal: Rehearsal, listen: str = "127.0.0.1:0", secret: bool = True, at: bool = False) -> None:
    """The rehearsal's configuration, in which the national portal may call us."""
    rehearsal.write_config(tuple(KINDS), ("province",), every_s="60")
    file = rehearsal.folder / "config.yaml"
    inbound = '{secret: "${WORD}", at: [/forward]}' if secret else "{}"
    inbound = "{at: [/forward]}" if at else inbound
    head, _, national = file.read_text().partition("  national:\n")
    file.write_text(f"{head}  national:\n    inbound: {inbound}\n{national}server: {{listen: '{listen}'}}\n")


def first_answer(started: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON that `run --json` prints when it is up."""
    assert started.stdout is not None
    text = started.stdout.readline()
    while text.count("{") != text.count("}"):
        text += started.stdout.readline()
    found: dict[str, Any] = json.loads(text)
    return found


def status(url: str, body: bytes | None = None) -> int:
    return httpx.request("GET" if body is None else "POST", url, content=body, timeout=10).status_code


def test_it_listens_says_where_and_stops_cleanly(rehearsal: Rehearsal, monkeypatch: Any) -> None:
    monkeypatch.setenv("WORD", WORD)
    listening(rehearsal)
    with process(rehearsal, "run", "--json") as started:
        about = first_answer(started)
        url = about["listens"]
        assert [status(f"{url}/{path}") for path in ("health", "ready", "other")] == [200, 200, 404]
        addresses = [one["address"] for one in about["inbound"]]
        assert addresses
        assert {one["portal"] for one in about["inbound"]} == {"national"}
        assert len(set(addresses)) == len(addresses) == 5 * 3 * 2
        assert all("${WORD}" in address for address in addresses)
        assert {address.removeprefix(url).split("/")[1] for address in addresses} == {"in", "forward"}
        for address in addresses:
            assert status(address.replace("${WORD}", WORD), b"not what it expects") in {200, 400, 405}
            assert status(address.replace("${WORD}", "another-word-0123456789"), b"{}") == 404
        took, _, err = stop(started)
    assert started.returncode == ExitCode.OK, err
    assert took < 6
    events = [line["event"] for line in lines(err)]
    assert events[-1] == "gateway_stopped"
    assert "call_failed" not in events
    assert {"call_answered", "call_denied"} <= set(events)
    assert WORD not in err
    assert "another-word" not in err


PATHS = {
    "none": ((), {}),
    "one": (("a",), {"a": ()}),
    "behind": (("x/y/a", "a", "z/a"), {"a": ("z", "x/y")}),
    "two that are not one": (("a", "b", "x/a", "x/b"), {"a": ("x",), "b": ("x",)}),
    "an end of a word is no path": (("load", "download"), {"load": (), "download": ()}),
    "of several parts": (("p/a", "x/p/a", "a"), {"a": ("p", "x/p")}),
    "the address itself": (("", "x"), {"": ("x",)}),
}


@pytest.mark.parametrize(("paths", "wanted"), PATHS.values(), ids=PATHS)
def test_paths_that_differ_by_what_stands_before_are_told_as_one(
    paths: tuple[str, ...], wanted: dict[str, tuple[str, ...]]
) -> None:
    assert folded(paths) == wanted


def test_people_are_told_where_it_listens(rehearsal: Rehearsal) -> None:
    listening(rehearsal, at=True)
    with process(rehearsal, "run") as started:
        assert started.stdout is not None
        said = ""
        while "(--json)" not in said:
            said += started.stdout.readline()
        assert "listens at http://127.0.0.1:" in said
        told = re.findall(r"^national +(\w+) +http://127.0.0.1:\d+(/\S+)$", said, re.MULTILINE)
        assert told == [
            ("push", "/in/national/nhanhsdvcqg"),
            ("promotion", "/in/national/addtthcKhuyenMai"),
            ("fees", "/in/national/kpdvcqg/dptracuuthanhtoanhs"),
            ("paid", "/in/national/kpdvcqg/dpthongbaothanhtoan"),
            ("files", "/in/national/downloadfile"),
        ]
        assert said.splitlines()[-1] == (
            "national: the same address also with XrdAdapter/RestService/forward/, VXPAdapter/RestService/forward/ "
            "before the last part; with /forward for /in/national (--json)"
        )
        _, _, err = stop(started, signal.SIGINT)
    assert started.returncode == ExitCode.OK, err


def test_a_port_in_use_ends_the_start_with_the_next_step(rehearsal: Rehearsal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listening(rehearsal, f"127.0.0.1:{other.getsockname()[1]}", secret=False)
        code, _, err = rehearsal.call("run")
    assert code == ExitCode.ERROR
    assert "in use by another program" in err
    assert "server.listen" in err
    assert "Traceback" not in err


def test_without_the_section_nothing_listens_and_no_server_is_loaded(rehearsal: Rehearsal) -> None:
    rehearsal.write_config(tuple(KINDS), ("province",), every_s="60")
    with process(rehearsal, "run", "--json") as started:
        about = first_answer(started)
        stop(started)
    assert (about["listens"], about["inbound"]) == ("", [])
    script = "import sys, gateway.cli.running; print([name for name in ('fastapi', 'uvicorn') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"
