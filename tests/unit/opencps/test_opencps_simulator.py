"""The simulated province keeps what is attested of the real one: side effects of statuses, numbers, screens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from adapters.opencps.operations import ACTS, FILES, OWN_CODE
from adapters.opencps.simulated import effects, views
from adapters.opencps.simulated.entity import Dossier
from adapters.opencps.simulator import OpencpsSimulator, build
from adapters.simulation import Request, SimClock
from mappings.loader import load
from schemas import artefacts
from schemas.clock import ManualClock

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def a_dossier(originality: int = 2, **changes: Any) -> Dossier:
    blank = dict.fromkeys(
        ("service_code", "service_name", "domain_code", "domain_name", "agency_code", "agency_name", "template_no"), ""
    )
    dossier = Dossier(1, 1, "uid", **blank, created_at=NOW, modified_at=NOW, originality=originality, days=2)
    for name, value in changes.items():
        setattr(dossier, name, value)
    return dossier


def reached(dossier: Dossier, before: str, status: str, *options: int) -> list[str]:
    """Reach a status; give the dates that were set or cleared by it."""
    numbers: list[str] = []
    dates = ("submitted_at", "received_at", "due_at", "processed_at", "released_at", "finished_at")
    old = {name: getattr(dossier, name) for name in dates}
    effects.reach(dossier, before, status, options, LATER, lambda: numbers.append("number"))
    return [name for name in dates if getattr(dossier, name) != old[name]] + numbers


RECEIPT = ["received_at", "due_at", "number"]


@pytest.mark.parametrize(
    ("originality", "before", "status", "options", "moved"),
    [
        (2, "new", "receiving", (), ["submitted_at"]),
        (3, "", "new", (), ["submitted_at", *RECEIPT]),
        (2, "receiving", "new", (), RECEIPT),
        (2, "receiving", "processing", (), ["received_at", "due_at", "processed_at", "number"]),
        (3, "receiving", "processing", (), ["processed_at"]),
        (1, "receiving", "new", (), []),
        (1, "receiving", "waiting", (2,), []),
        (3, "receiving", "waiting", (2,), RECEIPT),
        (2, "x", "releasing", (), ["released_at"]),
        (2, "x", "done", (), ["released_at", "finished_at"]),
        (2, "x", "denied", (), ["released_at", "finished_at"]),
        (2, "x", "cancelled", (), ["released_at", "finished_at"]),
        (2, "x", "unresolved", (), ["released_at", "finished_at"]),
        (2, "x", "paying", (4,), ["released_at"]),
        (2, "x", "paying", (5,), ["released_at", "finished_at"]),
        (2, "x", "pausing", (), []),
    ],
)
def test_reaching_a_status_moves_the_dates_the_sources_say(
    originality: int, before: str, status: str, options: tuple[int, ...], moved: list[str]
) -> None:
    assert reached(a_dossier(originality), before, status, *options) == moved


@pytest.mark.parametrize("status", ["processing", "interoperating", "waiting"])
def test_op_16_going_back_to_work_clears_the_end_dates(status: str) -> None:
    dossier = a_dossier(received_at=NOW, released_at=NOW, finished_at=NOW)
    assert reached(dossier, "done", status) == ["released_at", "finished_at"]
    assert dossier.released_at is dossier.finished_at is None


def test_a_pause_locks_and_its_time_is_added_to_the_due_date() -> None:
    dossier = a_dossier(received_at=NOW, due_at=NOW, lock_state="PAUSE", paused_at=NOW)
    assert reached(dossier, "waiting", "processing", 3) == ["due_at"]
    assert dossier.due_at == NOW + timedelta(days=1)
    assert dossier.lock_state == ""
    reached(dossier, "processing", "waiting", 1)
    assert dossier.lock_state == "PAUSE"


def province(**switches: Any) -> OpencpsSimulator:
    return build(switches, SimClock(source=ManualClock(NOW)))


def test_numbers_are_agency_day_and_running_number_of_that_day() -> None:
    simulator = province(agencies=[{"code": "H99.19", "name": "A"}, {"code": "000.00.19.H99", "name": "B"}])
    numbers = [
        simulator.act("create_dossier", {"online": False, "agency": agency})["dossierNo"]
        for agency in ("H99.19", "H99.19", "000.00.19.H99")
    ]
    assert numbers == ["H99.19-261102-00001", "H99.19-261102-00002", "000.00.19.H99-261102-0001"]


def test_an_online_dossier_has_no_number_until_it_is_accepted() -> None:
    simulator = province()
    made = simulator.act("create_dossier", {})
    assert (made["dossierStatus"], made["dossierNo"]) == ("receiving", "")
    assert simulator.act("accept", {"referenceUid": made["referenceUid"]})["dossierNo"]


def test_the_way_of_a_dossier_by_officers_verbs() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {})["referenceUid"]
    verbs = ("accept", "process", "interoperate", "request_supplement", "process", "complete", "post_result",
             "return_result")  # fmt: skip
    for verb in verbs:
        simulator.act(verb, {"referenceUid": uid})
    statuses = [act["status"] for act in simulator.screen(f"history/{uid}", {})]
    assert statuses == ["receiving", "new", "processing", "interoperating", "waiting", "processing", "releasing",
                        "posting", "done"]  # fmt: skip
    with pytest.raises(ValueError, match="no action leads"):
        simulator.act("accept", {"referenceUid": uid})


def test_a_rollback_is_seen_in_the_history_and_in_the_book() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {})["referenceUid"]
    simulator.act("accept", {"referenceUid": uid})
    simulator.act("rollback", {"referenceUid": uid})
    assert [act["undone"] for act in simulator.screen(f"history/{uid}", {})] == [False, True]
    assert simulator.book.count(uid, "rollback") == 1
    with pytest.raises(ValueError, match="no act"):
        simulator.act("rollback", {"referenceUid": uid})


def test_screens_show_no_password_and_every_legal_date_ever_shown() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {})["referenceUid"]
    simulator.act("accept", {"referenceUid": uid})
    password = simulator.shelf.by_uid(uid).password.encode()  # type: ignore[union-attr]
    for screen in ("records", "history", "effects", "legal", "book"):
        assert password not in orjson.dumps(simulator.screen(screen, {})), screen
    moves = simulator.screen("legal", {})[uid]
    assert [bool(move["receiveDate"]) for move in moves] == [False, True]


def test_seeding_is_dated_back_and_leaves_one_effect_for_each() -> None:
    simulator = province()
    made = simulator.act("seed_many", {"count": 50, "days": 300, "until_days": 30, "national": "000.00.01.G22-25-"})
    assert len(set(made["referenceUids"])) == 50
    effects_ = simulator.book.effects()
    assert {effect["effect"] for effect in effects_} == {"seed"}
    assert len(effects_) == 50
    oldest = simulator.shelf.by_uid(made["referenceUids"][0])
    assert oldest is not None
    assert oldest.created_at < NOW - timedelta(days=300)
    assert oldest.origin_dossier_no == "000.00.01.G22-25-000000"
    assert all(dossier.modified_at <= NOW for dossier in simulator.shelf.dossiers.values())


def test_a_processs_own_steps_and_actions_can_be_configured() -> None:
    simulator = province(process={
        "steps": [["205", "Xác minh", "processing", "xac_minh"]],
        "actions": [["3050", "Chuyển xác minh", ["200"], "205"]],
    })  # fmt: skip
    uid = simulator.act("create_dossier", {"online": False})["referenceUid"]
    simulator.act("process", {"referenceUid": uid})
    done = simulator.act("do_action", {"referenceUid": uid, "actionCode": "3050"})
    assert done["stepCode"] == "205"


def test_actors_of_relayed_acts_are_lost_as_attested() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {})["referenceUid"]
    _post(simulator, f"/dossiers/{uid}/actions", b"actionCode=1100&actionUser=Someone")
    assert simulator.screen(f"history/{uid}", {})[-1]["user"] == "Tài khoản liên thông"


def _post(simulator: OpencpsSimulator, path: str, body: bytes, method: str = "POST") -> Any:
    headers = {"authorization": "Basic bGllbnRob25nOnNpbXVsYXRlZC1wYXNzd29yZA=="}
    reply = simulator.answer(Request(method, f"/o/rest/v2{path}", {}, headers, body, simulator.clock.now(), 1))
    return orjson.loads(reply.body) if reply.body else reply.status


def test_op_34_an_upload_not_newer_by_its_callers_clock_changes_nothing() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {})["referenceUid"]

    def upload(text: str, at: int) -> Any:
        parts = {"referenceUid": "f1", "dossierPartNo": "TP1", "modifiedDate": str(at), "file": text}
        body = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()
        )
        headers = {
            "authorization": "Basic bGllbnRob25nOnNpbXVsYXRlZC1wYXNzd29yZA==",
            "content-type": "multipart/form-data; boundary=x",
        }
        simulator.answer(
            Request("POST", f"/o/rest/v2/dossiers/{uid}/files", {}, headers, f"{body}--x--".encode(), NOW, 1)
        )
        return simulator.shelf.by_uid(uid).files[0].content  # type: ignore[union-attr]

    assert [upload("one", 100), upload("two", 100), upload("three", 200)] == [b"one", b"one", b"three"]


def test_op_08_sync_rows_from_zero_are_all_rows() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {})["referenceUid"]
    simulator.act("accept", {"referenceUid": uid})
    assert len(_post(simulator, f"/dossiers/{uid}/syncs", b"", "GET")["data"]) == 2


def test_two_provinces_have_their_own_agencies_and_groups() -> None:
    one, other = province(group_id=1), province(group_id=2, agencies=[{"code": "H56.19", "name": "Sở"}], seed=1)
    assert one.act("create_dossier", {})["referenceUid"] != other.act("create_dossier", {})["referenceUid"]
    assert other.act("create_dossier", {"online": False})["dossierNo"].startswith("H56.19-")


def _matches(value: Any, schema: dict[str, Any]) -> list[str]:
    """What of a value breaks a schema of ours: types, required, patterns, enums, one level at a time."""
    names = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list,
             "null": type(None)}  # fmt: skip
    wanted = schema.get("type", [])
    if wanted and not any(isinstance(value, names[one]) for one in ([wanted] if isinstance(wanted, str) else wanted)):
        return [f"{value!r} is no {wanted}"]
    problems = [name for name in schema.get("required", ()) if name not in value]
    if isinstance(value, dict) and (known := schema.get("properties")) is not None:
        problems += [f"unknown {name}" for name in value if name not in known]
        problems += [f"{n}: {p}" for n, item in value.items() for p in _matches(item, known.get(n, {}))]
    if isinstance(value, list):
        problems += [p for item in value for p in _matches(item, schema.get("items", {}))]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        problems.append("pattern")
    return problems


def test_the_simulators_answers_keep_the_written_contracts() -> None:
    simulator = province()
    uid = simulator.act("create_dossier", {"online": False})["referenceUid"]
    answers = {
        "detail": _post(simulator, f"/dossiers/{uid}", b"", "GET"),
        "list": _post(simulator, "/dossiers", b"", "GET"),
        "logs": _post(simulator, f"/dossierlogs/{uid}/logs", b"", "GET"),
        "nextactions": _post(simulator, f"/dossiers/{uid}/nextactions", b"", "GET"),
        "action-reply": _post(simulator, f"/dossiers/{uid}/actions", b"actionCode=1110"),
        "error": _post(simulator, "/dossiers", b"serviceCode=none"),
    }
    for name, answer in answers.items():
        schema = orjson.loads(artefacts.read("opencps", f"{name}.schema.json"))
        assert _matches(answer, schema) == [], name
    assert set(answers["list"]["data"][0]) >= {"hasPassword", "visited"}


@pytest.mark.parametrize("name", ["action", "publish", "create", "supplement", "confirm_payment"])
def test_what_the_mapping_writes_is_in_the_written_contracts(name: str) -> None:
    contract = "action" if name in ACTS else name
    schema = orjson.loads(artefacts.read("opencps", f"{contract}.schema.json"))
    written = {field.wire[0] for field in load("opencps/v2-2020").messages[name].record.fields}
    assert written - {FILES, OWN_CODE} <= set(schema["properties"])  # ours is taken out before anything is sent


def test_every_status_text_is_a_status_the_mapping_knows() -> None:
    dossier = load("opencps/v2-2020").messages["dossier"]
    for word in views.STATUS_TEXTS:
        assert dossier.normalise({"dossierStatus": word}).values["state"]["status"]
