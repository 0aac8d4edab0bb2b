"""What we sign about a ministry that collects: its own words, byte for byte, and no time that it did not tell."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.cli.inbox_room import InboxRoom
from gateway.store.base import Tx
from tests.integration.inbox.conftest import Answer, Client


def statements(room: InboxRoom) -> list[dict[str, Any]]:
    def look(tx: Tx) -> list[dict[str, Any]]:
        found = [row for dossier in tx.iter_dossiers() for row in tx.receipts_of(dossier.id)]
        return [json.loads(row.statement) for row in found if row.portal == "transport"]

    return room.gateway.store.read(look)


def refuse(client: Client, item: dict[str, Any], **more: Any) -> Answer:
    told = {"digest": item["digest"], "reason": "Hồ sơ không thuộc thẩm quyền", **more}
    return client.call("POST", f"/v1/inbox/items/{item['item_id']}/refusal", raw=json.dumps(told, indent=3).encode())


def test_the_receipt_of_an_acknowledgement_names_the_bytes_that_the_ministry_sent(
    room: InboxRoom, transport: Client
) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    said = f'{{  "digest" :\n "{item["digest"]}" }}'.encode()
    assert transport.call("POST", f"/v1/inbox/items/{item['item_id']}/acknowledgement", raw=said).status == 200
    (receipt,) = [one for one in statements(room) if one["fact"] == "received"]
    assert receipt["proof"]["by"] == "acknowledgement"
    assert receipt["reply"] == {"sha256": hashlib.sha256(said).hexdigest(), "bytes": len(said)}


def test_a_refusal_is_signed_as_a_refusal_and_its_time_as_ours(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    said = json.dumps({"reason": "Hồ sơ không thuộc thẩm quyền", "digest": item["digest"]}, indent=2).encode()
    path = f"/v1/inbox/items/{item['item_id']}/refusal"
    first = transport.call("POST", path, raw=said)
    assert first.status == 202
    room.turn()
    assert transport.call("POST", path, raw=said).body == first.body
    room.turn()
    (sent,) = [one for one in statements(room) if one["fact"] == "sent"]
    assert (sent["proof"]["by"], sent["proof"]["code"]) == ("refusal", "refused")
    assert sent["reply"] == {"sha256": hashlib.sha256(said).hexdigest(), "bytes": len(said)}
    ended = [one for one in statements(room) if one["fact"] == "completed"]
    assert [one["proof"]["timed_by_us"] for one in ended] == [True]


@pytest.mark.parametrize("at", ["20261124", "0", "1795496696.5", "2026-11-24", "2026-W48-2T10:00:00Z"])
def test_a_time_that_is_no_rfc_3339_is_refused(room: InboxRoom, transport: Client, at: str) -> None:
    """They were read as seconds since 1970, and receipts of that year were signed."""
    room.hand_over(1)
    (item,) = transport.items()
    fine = datetime.now(UTC).isoformat()
    assert transport.report(item, "taken-0001", status="accepted", occurred_at=at).code == "invalid"
    assert transport.report(item, "taken-0001", status="accepted", occurred_at=fine, due_at=at).code == "invalid"
    day = at if at != "2026-11-24" else "2026-11-24T00:00:00"
    result = [{"name": "Giấy phép", "issued_on": day}]
    assert transport.report(item, "taken-0001", status="completed", occurred_at=fine, results=result).code == "invalid"


def test_nothing_was_reported_before_there_was_a_dossier(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    told = transport.report(item, "taken-0001", status="accepted", occurred_at="1970-01-02T00:00:00Z")
    assert told.code == "time_not_valid"


def test_a_reason_of_blanks_is_none(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    assert refuse(transport, item, reason="  \t ").code == "invalid"


def test_what_is_offered_again_after_a_refusal_stands_behind_every_cursor(room: InboxRoom, transport: Client) -> None:
    """It kept its number: who lists from his cursor never saw it, and no notice was due."""
    room.hand_over(2)
    page = transport.get("/v1/inbox/items").json()
    item = page["items"][0]
    assert refuse(transport, item).status == 202
    room.turn()
    (parked,) = room.gateway.store.read(lambda tx: tx.list_deliveries(portal="transport", states=["parked"]))
    room.gateway.operator.retry(parked.id or 0, "tester")
    for _ in range(10):
        room.turn()
    (again,) = transport.items(f"?after={page['next']}")
    assert (again["item_id"], again["state"]) == (item["item_id"], "waiting")
    assert "settled_at" not in again
    (notice,) = [
        row for row, _ in room.gateway.store.read(lambda tx: tx.items("transport")) if row.item == item["item_id"]
    ]
    assert notice.tries == 0
    assert transport.acknowledge(again).status == 200
