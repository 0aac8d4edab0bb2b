"""Keys, networks and caps: decided before anything that was sent is read."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from structlog.testing import capture_logs

from gateway.cli import inbox_room
from gateway.cli.inbox_room import InboxRoom
from gateway.inbox.keys import NoSuchKeyError, StoredKeys
from tests.integration.inbox.conftest import Client

LIST = "/v1/inbox/items"


def test_without_a_key_nothing_is_told(room: InboxRoom) -> None:
    for key in ("", "lt_0123456789abcdef_" + "A" * 43, "x", "Ω" * 3):
        found = Client(room.url, key.encode("utf-8").decode("latin-1")).get(LIST)
        assert found.code == "key_invalid"
        assert found.headers["www-authenticate"] == "Bearer"


def test_a_key_with_one_letter_changed_opens_nothing(room: InboxRoom) -> None:
    key = room.key("transport")
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert Client(room.url, changed).get(LIST).code == "key_invalid"


def test_a_revoked_key_and_one_past_its_day_open_nothing(room: InboxRoom) -> None:
    keys, now = StoredKeys(room.gateway.store), datetime.now(UTC)
    text, row = keys.add("transport", 1, actor="tester", now=now)
    assert Client(room.url, text).get(LIST).status == 200
    keys.revoke(row.id, actor="tester", now=now)
    assert Client(room.url, text).get(LIST).code == "key_invalid"
    with pytest.raises(NoSuchKeyError):
        keys.revoke(row.id, actor="tester", now=now)
    old, _ = keys.add("transport", 1, actor="tester", now=now - timedelta(days=2))
    assert Client(room.url, old).get(LIST).code == "key_invalid"


def test_only_the_digest_of_a_key_is_kept_and_giving_it_is_evidence(room: InboxRoom, tmp_path: Path) -> None:
    text = room.key("transport")
    secret = text[-20:].encode()  # Base64 of addresses: it may hold a "_" itself
    room.gateway.store.write(lambda tx: tx.put_setting("x", "y"))
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert secret not in file.read_bytes()
    acts = [json.loads(leaf.canonical) for _, leaf in room.gateway.store.read(lambda tx: tx.leaves())]
    assert [act["portal"] for act in acts if act.get("act") == "key_added"] == ["transport"]


def test_the_key_of_a_portal_that_is_gone_opens_nothing(room: InboxRoom) -> None:
    text, _ = StoredKeys(room.gateway.store).add("province", None, actor="tester", now=datetime.now(UTC))
    assert Client(room.url, text).get(LIST).code == "not_allowed"


@pytest.fixture
def fenced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InboxRoom]:
    from gateway.cli import inbox_room

    made = inbox_room.configuration

    def elsewhere(*words: object) -> dict[str, object]:
        raw = made(*words)  # type: ignore[arg-type]
        raw["portals"]["transport"]["inbound"]["allow"] = ["10.1.0.0/16"]
        return raw

    monkeypatch.setattr(inbox_room, "configuration", elsewhere)
    with InboxRoom(tmp_path, ministries={"transport": {}, "health": {}}) as room:
        yield room
    structlog.reset_defaults()


def test_a_good_key_from_a_foreign_network_opens_nothing(fenced: InboxRoom) -> None:
    assert Client(fenced.url, fenced.key("transport")).get(LIST).code == "not_allowed"
    assert Client(fenced.url, fenced.key("health")).get(LIST).status == 200


@pytest.mark.parametrize(
    ("raw", "headers", "code"),
    [
        (b"{", {}, "malformed"),
        (b"", {}, "invalid"),
        (b"\xff\xfe", {}, "malformed"),
        (b'{"digest": "\\ud800"}', {}, "invalid"),
        (b"[" * 100_000, {}, "malformed"),
        (b'{"digest": 1}', {}, "invalid"),
        (b"{}", {"Content-Type": "text/plain"}, "media_type"),
        (b"digest=1", {"Content-Type": "application/x-www-form-urlencoded"}, "media_type"),
        (gzip.compress(b"{}"), {"Content-Encoding": "gzip"}, "media_type"),
    ],
)
def test_a_broken_body_is_told_as_such(
    room: InboxRoom, transport: Client, raw: bytes, headers: dict[str, str], code: str
) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    path = f"/v1/inbox/items/{item['item_id']}/acknowledgement"
    assert transport.call("POST", path, raw=raw, headers=headers).code == code
    assert len(transport.items()) == 1


def test_a_problem_says_what_to_do(transport: Client) -> None:
    assert transport.get(f"{LIST}?after=here").json()["detail"] == "Begin again without a cursor."


def test_a_problem_names_fields_and_rules_and_never_what_was_sent(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    path = f"/v1/inbox/items/{item['item_id']}/acknowledgement"
    found = transport.call("POST", path, {"digest": "097000000000", "extra": "097000000000"})
    assert found.json()["errors"] == [
        {"field": "body.digest", "rule": "string_pattern_mismatch"},
        {"field": "body.extra", "rule": "extra_forbidden"},
    ]
    assert b"097000000000" not in found.body


def test_a_body_beyond_the_cap_is_not_read(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    cap = room.gateway.config.server.max_body_bytes  # type: ignore[union-attr]
    head = (
        f"POST /v1/inbox/items/{item['item_id']}/reports HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {transport.key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: report-0001\r\nContent-Length: {cap + 1}\r\n\r\n"
    )
    with socket.create_connection((urlsplit(room.url).hostname, urlsplit(room.url).port), timeout=10) as line:
        line.sendall(head.encode())
        answer = ""
        while not answer.endswith("}") and (heard := line.recv(65536)):
            answer += heard.decode()
    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"too_large"' in answer


@pytest.mark.parametrize(
    ("verb", "path", "code"),
    [
        ("DELETE", LIST, "method_not_allowed"),
        ("POST", LIST, "method_not_allowed"),
        ("GET", "/v1/inbox", "not_found"),
        ("GET", "/v1/inbox/items/a%0Ab", "not_found"),
        ("GET", f"{LIST}?after=zz", "cursor_unknown"),
        ("GET", f"{LIST}?limit=0", "malformed"),
        ("GET", f"{LIST}?waiting=perhaps", "malformed"),
    ],
)
def test_every_other_call_is_told_by_a_code(
    room: InboxRoom, transport: Client, verb: str, path: str, code: str
) -> None:
    assert transport.call(verb, path).code == code


def test_a_mistake_of_ours_is_come_again_and_shows_nothing(
    room: InboxRoom, transport: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.inbox.items import Items

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret word")

    monkeypatch.setattr(Items, "page", broken)
    found = transport.get(LIST)
    assert found.code == "come_again"
    assert found.headers["retry-after"] == "5"
    assert b"secret" not in found.body


def test_no_address_key_or_name_goes_to_the_log(room: InboxRoom, transport: Client) -> None:
    with capture_logs() as lines:
        room.hand_over(1)
        (item,) = transport.items()
        transport.get(f"/v1/inbox/items/{item['item_id']}/content")
        told = {"status": "accepted", "occurred_at": datetime.now(UTC).isoformat(), "note": "CÔNG DÂN THỬ NGHIỆM 01"}
        transport.report(item, "097000000000", **told)
    text = str(lines)
    assert "call_answered" in text
    for private in ("THỬ NGHIỆM", "097000000000", transport.key, "H99", "/v1/"):
        assert private not in text
    kept = room.gateway.store.read(lambda tx: [leaf.canonical.decode() for _, leaf in tx.leaves()])
    assert "097000000000" not in str(kept)


def test_nobody_is_sent_to_the_host_that_his_call_names(room: InboxRoom, transport: Client) -> None:
    answer = transport.call("GET", "/v1/inbox/items/", headers={"Host": "other.example.invalid"})
    assert (answer.status, answer.code) == (404, "not_found")
    assert "location" not in answer.headers


def test_bodies_of_the_inbox_share_the_room_of_all_calls_and_give_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inbox_room.configuration

    def small(*given: Any) -> dict[str, Any]:
        raw = real(*given)
        return raw | {"server": {**raw["server"], "max_body_bytes": 60_000, "held_bytes": 100_000}}

    monkeypatch.setattr(inbox_room, "configuration", small)
    with InboxRoom(tmp_path, ministries={"transport": {}}) as room:
        room.hand_over(1)
        client = Client(room.url, room.key("transport"))
        (item,) = client.items()
        path = f"/v1/inbox/items/{item['item_id']}/acknowledgement"
        head = (
            f"POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {client.key}\r\n"
            "content-type: application/json\r\ncontent-length: 59900\r\n\r\n"
        ).encode()
        host, _, port = client.netloc.partition(":")
        with (
            socket.create_connection((host, int(port)), 5) as one,
            socket.create_connection((host, int(port)), 5) as two,
        ):
            for sock in (one, two):
                sock.sendall(head + b" " * 59_000)
                time.sleep(0.3)
            assert two.recv(1000).startswith(b"HTTP/1.1 503 ")
        assert client.acknowledge(item).status == 200
        filled = b" " * 59_000 + json.dumps({"digest": item["digest"]}).encode()
        assert client.call("POST", path, raw=filled).status == 200


@pytest.mark.parametrize("headers", [{"Content-Type": "application/vnd.api+json"}, {"Content-Encoding": "gzip"}])
def test_a_body_of_another_kind_is_not_taken_though_it_can_be_read(
    room: InboxRoom, transport: Client, headers: dict[str, str]
) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    path = f"/v1/inbox/items/{item['item_id']}/acknowledgement"
    assert transport.call("POST", path, {"digest": item["digest"]}, headers).code == "media_type"
    assert transport.acknowledge(item).status == 200
