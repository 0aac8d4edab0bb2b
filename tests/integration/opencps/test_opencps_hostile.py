"""A province that answers oddly or means harm: nothing is lost, nothing is stored under a wrong key, nothing secret."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from adapters.base import OutcomeKind, RawRecord
from adapters.opencps.rows import blanked, reference
from adapters.simulation import Reply, Request
from schemas.errors import PortalAuthError, PortalContractError, PortalUnavailableError
from tests.integration.opencps.conftest import VOCABULARY, Make, Province, read_ids, records, unreadable

Twist = Callable[[Request, Reply], Reply]


def twist(province: Province, change: Twist) -> None:
    """Change what the portal answers."""
    answer = province.simulator.answer

    def twisted(request: Request) -> Reply:
        return change(request, answer(request))

    province.simulator.answer = twisted  # type: ignore[method-assign]


def test_op_12_a_reference_of_digits_never_brings_another_dossier(province: Province) -> None:
    first = province.create(applicantName="CÔNG DÂN THỬ NGHIỆM 01")
    victim = province.simulator.shelf.by_uid(first)
    assert victim is not None
    province.create(referenceUid=str(victim.dossier_id), applicantName="CÔNG DÂN THỬ NGHIỆM 02")
    found = {str(record.parts["dossier"]["dossierId"]): record for record in records(province.pull())}
    assert len(found) == 2
    for dossier_id, record in found.items():
        read = province.adapter.fetch(record.external_id)
        assert read is not None
        assert str(read.parts["dossier"]["dossierId"]) == dossier_id
    with pytest.raises(PortalContractError, match="another dossier"):
        twist(province, lambda _, reply: Reply.json(orjson.loads(reply.body) | {"dossierId": 999_999}))
        province.adapter.fetch(str(victim.dossier_id))


def test_op_03_a_known_dossier_that_cannot_be_shown_does_not_stand_for_the_portal(make: Make) -> None:
    province = make()
    broken, *others = [province.create() for _ in range(4)]
    province.known.digests = {broken: "an older digest"}

    def alone(request: Request, reply: Reply) -> Reply:
        error = {"message": "No Content.", "code": 403, "description": None}
        return Reply.json(error, 403) if request.path.endswith(f"/dossiers/{broken}") else reply

    twist(province, alone)
    pages = province.pull()
    assert set(read_ids(pages)) == set(others)
    assert [record.external_id for record in unreadable(pages)] == [broken]
    assert pages[-1].sweep_complete
    assert province.adapter.ping() is not None


def test_a_portal_that_answers_403_to_everything_is_unavailable(province: Province) -> None:
    province.known.digests = {province.create(): "digest"}
    twist(province, lambda _, __: Reply.json({"code": 403}, 403))
    with pytest.raises(PortalUnavailableError):
        province.pull()


def test_a_password_changed_while_a_call_is_under_way_is_tried_at_once(make: Make) -> None:
    province = make()
    uid = province.create()
    province.password = "the-old-one"

    def meanwhile(_: Request, reply: Reply) -> Reply:
        province.password = "simulated-password"
        return reply

    twist(province, meanwhile)
    with pytest.raises(PortalAuthError):
        province.adapter.fetch(uid)
    assert province.adapter.fetch(uid) is not None, "the new password was never refused"


def test_a_changed_password_is_one_alarm_and_no_storm(make: Make) -> None:
    province = make()
    uid = province.create()
    province.password = "no-longer-right"
    asked: list[str] = []

    def counted(request: Request, reply: Reply) -> Reply:
        asked.append(request.path)
        return reply

    twist(province, counted)
    for _ in range(20):
        with pytest.raises(PortalAuthError) as caught:
            province.adapter.fetch(uid)
        assert "no-longer-right" not in str(caught.value) + repr(caught.value.__dict__)
        province.clock.advance(1)
    assert len(asked) == 1


def test_an_answer_with_a_byte_order_mark_is_read(province: Province) -> None:
    uid = province.create(online=False)
    delivery = province.delivery("action", uid, {"actionCode": "1110", "actionNote": "x"})
    twist(province, lambda _, reply: Reply(reply.status, b"\xef\xbb\xbf" + reply.body, content_type=reply.content_type))
    assert province.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert isinstance(province.adapter.fetch(uid), RawRecord)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"0", b'{"dossierId":', b"[" * 5000, b'{"dossierId": NaN}', b"\xff\xfe{\x00}\x00"]
)
def test_an_answer_that_is_no_object_is_never_absence_and_never_success(province: Province, body: bytes) -> None:
    uid = province.create(online=False)
    delivery = province.delivery("action", uid, {"actionCode": "1110", "actionNote": "x"})
    twist(province, lambda _, __: Reply(200, body, content_type="application/json"))
    with pytest.raises(PortalContractError):
        province.adapter.fetch(uid)
    assert province.adapter.push(delivery).kind is OutcomeKind.UNKNOWN


def test_op_27_a_secret_in_json_in_a_text_is_blanked_too() -> None:
    inside = orjson.dumps({"steps": [{"hasPassword": "m4t-khau", "note": "giữ"}]}).decode()
    row = {"metaData": inside, "payload": "m4t khẩu {password}", "content": '{"a": 1}'}
    clean = blanked(row)
    assert "m4t-khau" not in orjson.dumps(clean).decode()
    assert orjson.loads(clean["metaData"]) == {"steps": [{"hasPassword": "", "note": "giữ"}]}
    assert (clean["payload"], clean["content"]) == (row["payload"], row["content"])


@pytest.mark.parametrize(("uid", "key"), [("abc", "abc"), (" abc ", "abc"), ("123", ""), ("", ""), (None, ""), (7, "")])
def test_what_can_be_asked_by_reference(uid: object, key: str) -> None:
    assert reference({"referenceUid": uid}) == key


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("02/03/2026 08:09:10", "2026-03-02T01:09:10+00:00"),
        ("2026-03-02T08:09:10.000Z", "2026-03-02T01:09:10+00:00"),
        ("20260302080910", "2026-03-02T01:09:10+00:00"),
        ("1772413750000", "2026-03-02T01:09:10+00:00"),
        ("02/03/2026", "2026-03-01T17:00:00+00:00"),
        ("00000000000000", None),
        ("0000-00-00T00:00:00.000+0700", None),
        ("0", None),
    ],
)
def test_op_14_the_indexs_own_digits_are_no_milliseconds(text: str, instant: str | None) -> None:
    values = VOCABULARY.messages["dossier"].normalise({"referenceUid": "r", "dueDate": text}).values
    assert values.get("due_at") == (None if instant is None else values["due_at"])
    if instant is not None:
        assert values["due_at"].isoformat() == instant
        log = VOCABULARY.messages["log"].normalise({"dossierLogId": 1, "createDate": text}).values
        assert log["occurred_at"].isoformat() == instant
