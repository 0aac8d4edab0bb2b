"""Notices by the Standard Webhooks scheme, checked by a verifier of the test's own, written from the scheme."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.base import Outcome, OutcomeKind
from gateway.cli.inbox_room import InboxRoom
from gateway.inbox.telling import Teller
from gateway.store.rows import NoticeRow
from gateway.sync.outcomes import record
from schemas.clock import ManualClock

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def verified(secret: str, headers: dict[str, str], body: bytes, now_s: float) -> bool:
    """A receiver, from the text of the scheme: decode the secret, sign `id.timestamp.body`, compare, check the time."""
    if abs(now_s - int(headers["webhook-timestamp"])) > 300:
        return False
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given = [part.split(",", 1)[1] for part in headers["webhook-signature"].split(" ") if part.startswith("v1,")]
    return any(hmac.compare_digest(wanted, one) for one in given)


class Ears:
    """A ministry's own server: keeps what it hears, answers by script (200 when there is none left)."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.script: list[tuple[int, dict[str, str]]] = []
        self.body = b""
        ears = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ears.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, headers = ears.script.pop(0) if ears.script else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(ears.body)))
                self.end_headers()
                self.wfile.write(ears.body)

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def ears() -> Iterator[Ears]:
    ears = Ears()
    yield ears
    ears.close()


@pytest.fixture
def told(tmp_path: Path, ears: Ears) -> Iterator[InboxRoom]:
    options = {"notice_url": ears.url, "notice_secret": "${HOOK}", "notice_waits_s": [5, 60]}
    with InboxRoom(tmp_path, ministries={"transport": options}, environ={"HOOK": SECRET}) as room:
        yield room
    structlog.reset_defaults()


def notices(room: InboxRoom) -> list[NoticeRow]:
    return [notice for notice, _ in room.gateway.store.read(lambda tx: tx.items("transport"))]


def later(room: InboxRoom, monkeypatch: pytest.MonkeyPatch, seconds: float) -> Teller:
    """A teller whose clock is ahead."""
    shop = room.gateway.engine.shop
    clock = ManualClock(shop.clock.now())
    clock.advance(seconds)
    monkeypatch.setattr(type(shop), "now", lambda self: clock.now().timestamp())
    return room.tellers["transport"]


def test_a_notice_is_signed_by_the_scheme_and_names_the_item_alone(told: InboxRoom, ears: Ears) -> None:
    told.hand_over(1)
    ((headers, body),) = ears.heard
    now_s = told.gateway.clock.now().timestamp()
    assert verified(SECRET, headers, body, now_s)
    assert not verified(SECRET, headers, body + b" ", now_s)
    assert not verified("whsec_" + base64.b64encode(b"x" * 32).decode(), headers, body, now_s)
    assert not verified(SECRET, headers, body, now_s + 301)
    said = json.loads(body)
    (notice,) = notices(told)
    assert said["type"] == "item.offered"
    assert said["data"] == {
        "item_id": notice.item,
        "operation": "declare",
        "path": f"/v1/inbox/items/{notice.item}",
    }
    assert headers["webhook-id"] == f"msg_{notice.item}"
    assert (notice.state, notice.tries) == ("told", 0)


def test_nothing_personal_stands_in_a_notice(told: InboxRoom, ears: Ears) -> None:
    told.hand_over(3)
    for headers, body in ears.heard:
        text = (body + str(headers).encode()).decode()
        assert "THỬ NGHIỆM" not in text
        assert "H99" not in text
        assert "000000" not in text.replace(":00.000000", "")


def test_a_notice_not_taken_is_told_again_with_the_same_id_and_body(
    told: InboxRoom, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears.script = [(500, {}), (404, {})]
    told.hand_over(1)
    told.turn()
    assert len(ears.heard) == 1, "it is not time yet"
    later(told, monkeypatch, 6).run()
    later(told, monkeypatch, 70).run()
    assert len(ears.heard) == 3
    assert len({(headers["webhook-id"], body) for headers, body in ears.heard}) == 1
    assert notices(told)[0].state == "told"


def test_after_the_last_try_it_is_given_up_and_the_item_still_waits(
    told: InboxRoom, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears.script = [(503, {})] * 9
    told.hand_over(1)
    for seconds in (6, 70, 1000, 100_000):
        later(told, monkeypatch, seconds).run()
    assert len(ears.heard) == 3
    (notice,) = notices(told)
    assert (notice.state, notice.tries, notice.reason) == ("given_up", 3, "the portal answered 503")
    assert len(told.gateway.store.read(lambda tx: tx.items("transport", waiting=True))) == 1


def test_who_answers_gone_is_not_told_again(told: InboxRoom, ears: Ears) -> None:
    ears.script = [(410, {})]
    told.hand_over(1)
    assert notices(told)[0].state == "given_up"


def test_a_redirect_is_not_followed(told: InboxRoom, ears: Ears) -> None:
    ears.script = [(307, {"Location": ears.url})]
    told.hand_over(1)
    assert len(ears.heard) == 1
    assert notices(told)[0].state == "due"


def test_retry_after_is_honoured(told: InboxRoom, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    ears.script = [(429, {"Retry-After": "600"})]
    told.hand_over(1)
    later(told, monkeypatch, 590).run()
    assert len(ears.heard) == 1
    later(told, monkeypatch, 610).run()
    assert len(ears.heard) == 2


def test_what_was_collected_meanwhile_is_not_told(told: InboxRoom, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    ears.script = [(500, {})]
    told.hand_over(1)
    (notice,) = notices(told)
    (row,) = told.gateway.store.read(lambda tx: tx.list_deliveries(portal="transport"))
    told.gateway.operator.confirm(row.id or 0, arrived=True, actor="tester")
    later(told, monkeypatch, 3600).run()
    assert len(ears.heard) == 1
    assert notices(told)[0].state == "moot"
    assert notice.id == notices(told)[0].id


def test_a_notice_outlives_the_process(told: InboxRoom, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    ears.script = [(500, {})]
    told.hand_over(1)
    later(told, monkeypatch, 6)
    Teller(told.gateway.engine.shop, "transport").run()
    assert len(ears.heard) == 2


def test_outside_production_only_this_machine_is_told(tmp_path: Path) -> None:
    """An address that nobody may reach from here is not looked up either."""
    options = {"notice_url": "http://hooks.example.invalid/", "notice_secret": "${HOOK}"}
    with InboxRoom(tmp_path, ministries={"transport": options}, environ={"HOOK": SECRET}) as room:
        room.hand_over(1)
        assert [(one.state, one.reason) for one in notices(room)] == [("moot", "")]
    structlog.reset_defaults()


def test_the_vector_of_the_documentation_holds(project_root: Path) -> None:
    from adapters.webhook.signing import headers_of

    text = (project_root / "docs" / "inbox.md").read_text("utf-8")
    vector = dict(
        line.split(": ", 1) for line in text.partition("```vector\n")[2].partition("```")[0].strip().splitlines()
    )
    body = vector["body"].encode()
    headers = headers_of(vector["secret"], vector["webhook-id"], int(vector["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == vector["webhook-signature"]
    assert verified(vector["secret"], headers, body, float(vector["webhook-timestamp"]))


def test_a_yes_with_a_body_of_any_size_and_manner_is_a_yes(
    told: InboxRoom, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status is the answer; a notice that was taken would be told again and again."""
    ears.script = [(202, {"Content-Encoding": "gzip", "X-Broken": "1"})]
    ears.body = b"not packed at all" * 10_000
    told.hand_over(1)
    assert notices(told)[0].state == "told"
    later(told, monkeypatch, 70).run()
    assert len(ears.heard) == 1


def test_an_item_offered_anew_is_told_under_another_id(told: InboxRoom, ears: Ears) -> None:
    """Under the id of the first notice its receiver would take it for a repeat."""
    told.hand_over(1)
    portal = told.gateway.engine.shop.portals["transport"]
    (held,) = told.gateway.store.read(lambda tx: tx.list_deliveries(portal="transport"))
    no = Outcome(OutcomeKind.REFUSED, "refused", code="refused", final=True)
    told.gateway.store.write(
        lambda tx: record(tx, told.gateway.engine.shop, portal, held.key, no, attempt=1, first_unknown=False)
    )
    (parked,) = told.gateway.store.read(lambda tx: tx.list_deliveries(portal="transport", states=["parked"]))
    told.gateway.operator.retry(parked.id or 0, "tester")
    for _ in range(10):
        told.turn()
    ids = [headers["webhook-id"] for headers, _ in ears.heard]
    assert len(ids) == 2
    assert len(set(ids)) == 2
