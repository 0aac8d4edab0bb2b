"""What a ministry without an interface finds in its inbox, and what its words do."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.cli.inbox_room import PAPER, InboxRoom
from gateway.store.rows import DeliveryRow
from gateway.sync.timeline import current
from tests.integration.inbox.conftest import Client


def now(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def deliveries(room: InboxRoom, portal: str = "transport") -> list[DeliveryRow]:
    return room.gateway.store.read(lambda tx: tx.list_deliveries(portal=portal))


def statuses(room: InboxRoom) -> set[str]:
    return {row.status for row in room.gateway.store.read(lambda tx: list(tx.iter_dossiers()))}


def test_items_come_in_order_and_a_cursor_goes_on_where_it_ended(room: InboxRoom, transport: Client) -> None:
    room.hand_over(5)
    first = transport.get("/v1/inbox/items?limit=3").json()
    assert (len(first["items"]), first["more"]) == (3, True)
    second = transport.get(f"/v1/inbox/items?limit=3&after={first['next']}").json()
    assert (len(second["items"]), second["more"]) == (2, False)
    again = transport.get(f"/v1/inbox/items?after={second['next']}").json()
    assert again == {"items": [], "next": second["next"], "more": False}
    room.hand_over(1)
    assert len(transport.items(f"?after={second['next']}")) == 1
    ids = [item["item_id"] for item in (*first["items"], *second["items"])]
    assert len(set(ids)) == 5


def test_a_cursor_of_elsewhere_is_refused_and_says_what_to_do(
    room: InboxRoom, transport: Client, health: Client
) -> None:
    """It gave an empty list, for ever: what was offered behind its place was never seen."""
    room.hand_over(2)
    mine = transport.get("/v1/inbox/items").json()["next"]
    place, _, mark = mine.partition("-")
    ahead = f"{int(place, 16) + 1000:x}-{mark}"
    theirs = health.get("/v1/inbox/items").json()["next"]
    elsewhere = f"1-{'0' * len(mark)}"
    for cursor in (ahead, theirs, elsewhere):
        said = transport.get(f"/v1/inbox/items?after={cursor}")
        assert (said.status, said.code) == (409, "cursor_foreign")
        assert said.json()["detail"].startswith("Begin again without a cursor")
    assert transport.get(f"/v1/inbox/items?after={place}").code == "cursor_unknown"
    assert transport.items(f"?after={mine}") == []
    assert len(transport.items()) == 2
    room.hand_over(1)
    assert len(transport.items(f"?after={mine}")) == 1


def test_the_digest_is_of_the_content_byte_for_byte(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    content = transport.get(f"/v1/inbox/items/{item['item_id']}/content")
    assert hashlib.sha256(content.body).hexdigest() == item["digest"]
    told = content.json()
    assert told["dossier_code"] == item["dossier_code"]
    assert told["applicant"]["name"].startswith("CÔNG DÂN THỬ NGHIỆM")
    assert told["stage"]["status"] == "in_progress"
    assert deliveries(room)[0].body_digest == item["digest"]


def test_listing_and_fetching_deliver_nothing(room: InboxRoom, transport: Client) -> None:
    """A read is no answer: only the acknowledgement is."""
    room.hand_over(1)
    (item,) = transport.items()
    transport.get(f"/v1/inbox/items/{item['item_id']}/content")
    assert [row.state for row in deliveries(room)] == ["offered"]


def test_an_acknowledgement_delivers_once_and_is_answered_alike_at_every_repeat(
    room: InboxRoom, transport: Client
) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    first = transport.acknowledge(item)
    assert first.status == 200
    leaves = room.gateway.store.read(lambda tx: tx.counts())["leaf"]
    assert transport.acknowledge(item).body == first.body
    assert room.gateway.store.read(lambda tx: tx.counts())["leaf"] == leaves
    (row,) = deliveries(room)
    assert row.state == "delivered"
    proofs = [leaf.canonical.decode() for _, leaf in room.gateway.store.read(lambda tx: tx.leaves())]
    assert any(f"acknowledgement {first.json()['acknowledgement_id']}" in text for text in proofs)
    assert transport.items() == []
    assert [one["state"] for one in transport.items("?waiting=false")] == ["acknowledged"]


def test_another_digest_acknowledges_nothing(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    assert transport.acknowledge({**item, "digest": "0" * 64}).code == "digest_differs"
    assert [row.state for row in deliveries(room)] == ["offered"]


def test_what_another_ministry_has_is_not_there(room: InboxRoom, transport: Client, health: Client) -> None:
    room.hand_over(1)
    (mine,), (theirs,) = transport.items(), health.items()
    assert mine["item_id"] != theirs["item_id"]
    path = f"/v1/inbox/items/{theirs['item_id']}"
    detail = health.get(path).json()
    for asked in (path, f"{path}/content", detail["attachments"][0]["path"]):
        assert transport.get(asked).code == "not_found"
        assert health.get(asked).status == 200
    assert transport.acknowledge(theirs).code == "not_found"
    assert transport.report(theirs, "report-0001", status="accepted", occurred_at=now()).code == "not_found"
    refused = transport.call("POST", f"{path}/refusal", {"digest": theirs["digest"], "reason": "không nhận"})
    assert refused.code == "not_found"
    assert [row.state for row in deliveries(room, "health")] == ["offered"]


def test_guessed_ids_are_not_there(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    for guess in ("1", "0" * 36, "%00", "..%2f..", "x" * 2000, item["dossier_code"]):
        assert transport.get(f"/v1/inbox/items/{guess}").code == "not_found"
        assert transport.get(f"/v1/inbox/items/{item['item_id']}/attachments/{guess}").code == "not_found"


def test_a_file_is_streamed_with_its_name_and_digest(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    (file,) = transport.get(f"/v1/inbox/items/{item['item_id']}").json()["attachments"]
    found = transport.get(file["path"])
    assert found.body == PAPER
    assert found.headers["content-type"] == "application/pdf"
    assert found.headers["content-disposition"].endswith("%C4%90%C6%A1n%20%C4%91%E1%BB%81%20ngh%E1%BB%8B.pdf")
    assert hashlib.sha256(found.body).hexdigest() == file["sha256"]
    assert transport.get(file["path"], If_None_Match=found.headers["etag"]).status == 304


def test_a_file_whose_day_has_passed_is_said_to_be_gone_and_not_unknown(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    (file,) = transport.get(f"/v1/inbox/items/{item['item_id']}").json()["attachments"]
    room.gateway.store.write(lambda tx: tx.drop_files([file["path"].rpartition("/")[2]]))
    assert transport.get(file["path"]).code == "content_gone"


def test_a_ministrys_own_files_are_not_shown_to_another(room: InboxRoom, transport: Client, health: Client) -> None:
    room.hand_over(1)
    (mine,), (theirs,) = transport.items(), health.items()
    result = {"name": "Giấy phép", "content": base64.b64encode(PAPER + b"transport").decode()}
    assert transport.report(mine, "done-0001", status="completed", occurred_at=now(), results=[result]).status == 202
    room.turn()
    for client, item in ((transport, mine), (health, theirs)):
        assert len(client.get(f"/v1/inbox/items/{item['item_id']}").json()["attachments"]) == 1


def test_the_content_names_exactly_the_files_that_are_listed(room: InboxRoom, transport: Client) -> None:
    """The paper was fetched from the province before the item was offered, and is known again by its digest."""
    room.hand_over(1)
    (item,) = transport.items()
    path = f"/v1/inbox/items/{item['item_id']}"
    (named,) = transport.get(f"{path}/content").json()["documents"]
    (listed,) = transport.get(path).json()["attachments"]
    assert (named["sha256"], named["size"], named["media_type"]) == (
        listed["sha256"], listed["size"], listed["media_type"]
    )  # fmt: skip
    assert named["sha256"] == hashlib.sha256(transport.get(listed["path"]).body).hexdigest()
    assert "reference" not in named


def test_a_result_that_a_ministry_reports_lies_at_the_province_before_the_dossier_ends(
    room: InboxRoom, transport: Client
) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    content = PAPER + b"result"
    result = {"name": "Giấy phép.pdf", "content": base64.b64encode(content).decode()}
    report = {"status": "completed", "occurred_at": now(), "results": [result]}
    assert transport.report(item, "done-0001", **report).status == 202
    room.turn()
    room.turn()
    files = room.province.simulator.screen("files", {})
    (found,) = [file for file in next(iter(files.values())) if file["dossierPartNo"] == "KQ01"]
    assert (found["displayName"], found["sha256"]) == ("Giấy phép.pdf", hashlib.sha256(content).hexdigest())
    assert {one["dossierStatus"] for one in room.province.simulator.screen("records", {}).values()} == {"releasing"}


def test_what_has_not_changed_is_not_sent_again(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    for path in ("/v1/inbox/items", f"/v1/inbox/items/{item['item_id']}", f"/v1/inbox/items/{item['item_id']}/content"):
        tag = transport.get(path).headers["etag"]
        again = transport.get(path, If_None_Match=f'"other", W/{tag}')
        assert (again.status, again.body) == (304, b"")
    transport.acknowledge(item)
    assert transport.get("/v1/inbox/items", If_None_Match=tag).status == 200


def test_a_report_reaches_the_province_as_an_act(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    transport.acknowledge(item)
    told = transport.report(item, "done-0001", status="completed", occurred_at=now(), note="Đã cấp phù hiệu")
    assert (told.status, told.json()["result"]) == (202, "taken")
    for _ in range(20):
        room.turn()
        if statuses(room) == {"completed"}:
            break
    assert statuses(room) == {"completed"}
    acts = [one["content"] for one in room.province.simulator.book.effects() if one["effect"] == "action"]
    assert len(acts) == 1


def test_the_same_report_twice_is_one_event_and_one_answer(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    body: dict[str, Any] = {"status": "accepted", "occurred_at": now(), "note": "Đã tiếp nhận"}
    first = transport.report(item, "taken-0001", **body)
    room.turn()
    assert transport.report(item, "taken-0001", **body).body == first.body
    room.turn()
    events = timeline(room)
    assert [event["status"] for event in events] == ["accepted"]


def timeline(room: InboxRoom, portal: str = "transport") -> list[dict[str, Any]]:
    (dossier,) = room.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    return [entry for entry in dossier.timeline if entry["portal"] == portal]


def test_the_same_key_with_other_content_corrects_the_report(room: InboxRoom, transport: Client) -> None:
    """Kept as a new version, never dropped; the event stays one."""
    room.hand_over(1)
    (item,) = transport.items()
    transport.report(item, "taken-0001", status="accepted", occurred_at=now(seconds=-60))
    room.turn()
    second = transport.report(item, "taken-0001", status="in_progress", occurred_at=now(seconds=-50))
    assert (second.status, second.json()["result"]) == (202, "corrected")
    room.turn()
    assert [event["status"] for event in timeline(room)] == ["in_progress"]
    calls = room.gateway.store.read(lambda tx: tx.list_inbound(portal="transport"))
    assert [(call.version, call.state) for call in calls] == [(1, "applied"), (2, "applied")]


def test_reports_heard_out_of_order_end_alike(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    transport.report(item, "second-01", status="in_progress", occurred_at=now(seconds=-10))
    transport.report(item, "first-001", status="accepted", occurred_at=now(seconds=-20))
    room.turn()
    assert {event["status"] for event in timeline(room)} == {"accepted", "in_progress"}
    (dossier,) = room.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    last = current(dossier.timeline, {"transport": "transport"}, "transport")  # type: ignore[arg-type]
    assert last is not None
    assert last.status == "in_progress"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"status": "submitted", "occurred_at": "2026-11-23T00:00:00Z"}, "invalid"),
        ({"status": "accepted", "occurred_at": "2099-01-01T00:00:00Z"}, "time_not_valid"),
        ({"status": "accepted", "occurred_at": "2026-11-23T00:00:00"}, "invalid"),
        ({"status": "accepted", "occurred_at": 1700000000}, "invalid"),
        ({"status": "accepted"}, "invalid"),
        ({"status": "accepted", "occurred_at": "2026-11-23T00:00:00Z", "dossier": "H99-1"}, "invalid"),
        ({"status": "accepted", "occurred_at": "2026-11-23T00:00:00Z", "report_id": "1"}, "invalid"),
        ({"status": "accepted", "occurred_at": "2026-11-23T00:00:00Z", "note": "x" * 5001}, "invalid"),
        (
            {
                "status": "accepted",
                "occurred_at": "2026-11-23T00:00:00Z",
                "results": [{"name": "a", "content": "????"}],
            },
            "invalid",
        ),
        (
            {
                "status": "accepted",
                "occurred_at": "2026-11-23T00:00:00Z",
                "results": [{"name": "a", "content": "TVo="}],
            },
            "file_not_valid",
        ),
        ([], "invalid"),
    ],
)
def test_a_report_that_does_not_fit_is_refused_and_nothing_of_it_happens(
    room: InboxRoom, transport: Client, told: Any, code: str
) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    path = f"/v1/inbox/items/{item['item_id']}/reports"
    found = transport.call("POST", path, told, {"Idempotency-Key": "report-0001"})
    assert found.code == code
    assert b"2099" not in found.body
    room.turn()
    assert timeline(room) == []


def test_a_ministry_reports_only_the_statuses_that_are_its_own(room: InboxRoom, health: Client) -> None:
    room.hand_over(1)
    (item,) = health.items()
    assert health.get(f"/v1/inbox/items/{item['item_id']}").json()["reportable"] == ["accepted", "completed"]
    assert health.report(item, "halted-001", status="halted", occurred_at=now()).code == "status_not_yours"


def test_a_report_without_a_key_of_its_own_is_refused(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    path, told = f"/v1/inbox/items/{item['item_id']}/reports", {"status": "accepted", "occurred_at": now()}
    assert transport.call("POST", path, told).code == "idempotency_key_missing"
    assert transport.call("POST", path, told, {"Idempotency-Key": "short"}).code == "idempotency_key_missing"


def test_a_refusal_travels_back_with_its_reason_and_waits_for_a_person(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    path = f"/v1/inbox/items/{item['item_id']}/refusal"
    told = {"digest": item["digest"], "reason": "Hồ sơ không thuộc thẩm quyền"}
    first = transport.call("POST", path, told)
    assert first.status == 202
    assert transport.call("POST", path, told).body == first.body
    room.turn()
    assert [row.state for row in deliveries(room)] == ["parked"]
    assert [event["status"] for event in timeline(room)] == ["not_accepted"]
    assert transport.acknowledge(item).code == "item_refused"
    assert transport.items() == []


def test_an_item_acknowledged_is_not_refused_afterwards(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    transport.acknowledge(item)
    path = f"/v1/inbox/items/{item['item_id']}/refusal"
    told = {"digest": item["digest"], "reason": "Hồ sơ không thuộc thẩm quyền"}
    assert transport.call("POST", path, told).code == "item_acknowledged"


def test_an_item_that_the_province_took_back_is_no_longer_offered(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    (row,) = deliveries(room)
    room.gateway.operator.drop(row.id or 0, "tester", "withdrawn")
    assert transport.acknowledge(item).code == "item_withdrawn"
    assert transport.get(f"/v1/inbox/items/{item['item_id']}/content").code == "content_gone"
    assert transport.items() == []


def test_many_at_once_say_the_same_and_it_happens_once(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    told = {"status": "accepted", "occurred_at": now()}
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: transport.acknowledge(item), range(8)))
        reported = list(pool.map(lambda _: transport.report(item, "taken-0001", **told), range(8)))
    assert {one.status for one in said} == {200}
    assert len({one.body for one in said}) == 1
    assert {one.status for one in reported} == {202}
    assert len({one.body for one in reported}) == 1
    room.turn()
    assert len(timeline(room)) == 1
    outcomes = [
        leaf.canonical
        for _, leaf in room.gateway.store.read(lambda tx: tx.leaves())
        if leaf.kind == "outcome" and leaf.portal == "transport" and b'"outcome":"delivered"' in leaf.canonical
    ]
    assert len(outcomes) == 1


def test_a_later_item_of_a_dossier_stands_behind_the_earlier_one(room: InboxRoom, transport: Client) -> None:
    room.hand_over(1)
    (item,) = transport.items()
    held: Any = room.province.simulator.screen("records", {})
    (reference,) = [row["referenceUid"] for row in (held.values() if isinstance(held, dict) else held)]
    for verb in ("process", "interoperate"):
        room.province.simulator.act(verb, {"referenceUid": reference, "note": "đã bổ sung"})
    for _ in range(20):
        room.turn()
        if len(transport.items()) == 2:
            break
    assert [one["operation"] for one in transport.items()] == ["declare", "amend"]
    assert transport.items()[0]["item_id"] == item["item_id"]
