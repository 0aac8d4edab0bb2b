"""Mutual TLS: a ministry shows its certificate and finds its own inbox."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from gateway.cli import inbox_room
from gateway.cli.inbox_room import InboxRoom
from tests.integration.server.test_who_may_call import Authority, Holder


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "theirs")


@pytest.fixture
def holders(theirs: Authority) -> dict[str, Holder]:
    return {name: theirs.holder(name) for name in ("transport", "health", "nobody")}


@pytest.fixture
def room(
    tmp_path: Path,
    ours: Authority,
    theirs: Authority,
    holders: dict[str, Holder],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[InboxRoom]:
    made, server = inbox_room.configuration, ours.holder("gateway")

    def with_certificates(*words: Any) -> dict[str, Any]:
        raw = made(*words)
        for name in ("transport", "health"):
            raw["portals"][name]["inbound"]["certificates"] = [holders[name].fingerprint]
        raw["server"]["tls"] = {
            "certificate": str(server.certificate),
            "key": str(server.key),
            "client_authorities": str(theirs.root.certificate),
        }
        return raw

    monkeypatch.setattr(inbox_room, "configuration", with_certificates)
    with InboxRoom(tmp_path / "room", ministries={"transport": {}, "health": {}}) as room:
        room.hand_over(1)
        yield room
    structlog.reset_defaults()


def items(room: InboxRoom, ours: Authority, holder: Holder | None, key: str = "") -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=str(ours.root.certificate))
    context.check_hostname = False
    if holder is not None:
        context.load_cert_chain(holder.certificate, holder.key)
    line = http.client.HTTPSConnection(urlsplit(room.url).netloc, timeout=10, context=context)
    line.request("GET", "/v1/inbox/items", headers={"Authorization": f"Bearer {key}"} if key else {})
    answer = line.getresponse()
    told = json.loads(answer.read())
    line.close()
    return answer.status, told


def test_a_pinned_certificate_opens_the_inbox_it_belongs_to_and_no_other(
    room: InboxRoom, ours: Authority, holders: dict[str, Holder]
) -> None:
    status, mine = items(room, ours, holders["transport"])
    assert status == 200
    _, theirs = items(room, ours, holders["health"])
    assert {one["item_id"] for one in mine["items"]}.isdisjoint({one["item_id"] for one in theirs["items"]})
    rows = room.gateway.store.read(lambda tx: tx.list_deliveries(portal="transport"))
    assert [one["item_id"] for one in mine["items"]] == [row.key_uuid for row in rows]


def test_a_certificate_that_is_not_pinned_opens_nothing(
    room: InboxRoom, ours: Authority, holders: dict[str, Holder]
) -> None:
    assert items(room, ours, holders["nobody"])[1]["code"] == "key_invalid"
    assert items(room, ours, None)[1]["code"] == "key_invalid"


def test_a_key_still_opens_beside_certificates(room: InboxRoom, ours: Authority) -> None:
    assert items(room, ours, None, room.key("health"))[0] == 200
