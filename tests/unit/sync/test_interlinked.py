"""Interlinked procedures: a dossier passes from the province to ministries and back, and everybody learns of it.

Every scenario ends with the same questions of an outsider: do all portals show one status, is nothing owed, and did
each ministry get the dossier once?
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass, Operation, Outcome, OutcomeKind, ProbeStrength, Repeat
from gateway.config import Config
from gateway.signing import Purpose, verified
from gateway.store.rows import StageRow
from gateway.sync.stages import Fact, Timers, late
from gateway.sync.standing_stages import late_stages
from gateway.sync.timers import timers
from schemas.clock import ManualClock
from tests.unit.sync.portals import Ministry
from tests.unit.sync.world import World, config

CODE = "H99-261102-00001"
TODAY = "2026-11-02T01:00:00Z"
MINISTRIES = ("justice", "transport")
FORWARDED = {"procedures": ["2.*"], "wires": ["forwarded"]}
AWAY = ["forwarded", "supplement_requested"]
ASKS = {"supplement_requested": {"act": "supplement_requested", "from": ["forwarded"]}}


class Office(Ministry):
    """A ministry that also takes supplements and cancellations, and acknowledges with 99."""

    def __init__(self, name: str, clock: ManualClock, repeat: Repeat) -> None:
        super().__init__(name, clock, repeat)
        for verb in ("supplement", "cancel"):
            operation = Operation(verb, DeliveryClass.COMMAND, "push", Repeat.SAFE, ProbeStrength.NONE)
            self.abilities.operations[verb] = operation  # type: ignore[index]
            self.abilities.commands[verb] = verb  # type: ignore[index]
        self.silent = False

    def _work(self, delivery: Delivery) -> Outcome:
        code = orjson.loads(delivery.body)["code"]
        known = code in self.states
        if delivery.operation == "declare" and known:
            return Outcome(OutcomeKind.REFUSED, "đã được tiếp nhận", duplicate=True, final=True)
        self.pushes.append((delivery.operation, code))
        if not self.silent and not known:
            self.states[code] = ("accepted", "")
        if delivery.operation == "supplement":
            self.states[code] = ("in_progress", "")
        if delivery.operation == "cancel" and not self.silent:
            self.states[code] = ("halted", "")
        proof = "function=99 ReceiveDate"
        return Outcome(OutcomeKind.DELIVERED, "received", code="99", proof=proof, answer=b"<Envelope>99</Envelope>")


class Joint(World):
    """A province with two ministries."""

    def new_ministry(self, name: str, repeat: Repeat) -> Office:
        return Office(name, self.clock, repeat)

    def ministry(self, name: str) -> Office:
        found = self.justice if name == "justice" else self.others[name]
        assert isinstance(found, Office)
        return found

    def stage(self, portal: str = "justice") -> StageRow:
        (row,) = self.store.read(lambda tx: tx.stages_of(["d0001"], portal=portal))["d0001"]
        return row

    def facts(self, portal: str = "justice") -> list[str]:
        row = self.stage(portal)
        return [fact.value for fact in Fact if getattr(row, f"{fact.value}_at") is not None]

    def receipts(self, portal: str = "justice") -> list[dict[str, Any]]:
        rows = self.store.read(lambda tx: tx.receipts_of("d0001"))
        return [orjson.loads(row.statement) for row in rows if row.portal == portal]

    def at_province(self) -> str:
        return str(self.province.folders["r1"].detail["status"])

    def act(self, status: str, note: str = "") -> None:
        self.province.act("r1", status, at=self.tick(10), note=note)

    def said(self, portal: str, status: str, note: str = "") -> None:
        self.tick(5)
        self.ministry(portal).states[CODE] = (status, note)

    def rest_but(self, portal: str) -> None:
        """Rounds while one portal does not answer."""
        for _ in range(4):
            self.round()
            self.tick(60)
        assert self.lane(portal).due_at is not None

    def all_agree(self) -> str:
        """At rest: the one status that province and national portal show, and nothing waits for anybody."""
        self.rest()
        status = self.at_province()
        assert self.national.shown[CODE]["status"] == ("in_progress" if status == "forwarded" else status)
        assert not self.open_deliveries()
        assert not self.deliveries("parked", "unproven")
        for name in MINISTRIES:
            assert [verb for verb, _ in self.ministry(name).pushes].count("declare") <= 1
        return status


Province = Callable[[dict[str, Any]], Joint]


def joint(**changes: Any) -> dict[str, Any]:
    """Justice and transport, both asked at once; together they decide."""
    raw = config()
    raw["portals"]["transport"] = raw["portals"]["justice"]
    raw["groups"] = {
        "both": {
            "when_all": {"act": "completed", "from": AWAY},
            "when_any_refused": {"act": "not_accepted", "from": AWAY, "note": "Bộ từ chối"},
        }
    }
    shared = {"kind": "forward", "group": "both", "cancel": ["halted", "not_accepted"], "results": ASKS}
    raw["routes"] = [raw["routes"][0]]
    raw["routes"] += [{"name": f"to {name}", "to": name, "when": FORWARDED, **shared} for name in MINISTRIES]
    return {**raw, **changes}


def alone(**changes: Any) -> dict[str, Any]:
    """Only justice is asked; its word is the result."""
    raw = joint()
    results = {**ASKS, "completed": {"act": "completed", "from": ["forwarded"]}}
    results["not_accepted"] = {"act": "not_accepted", "from": ["forwarded"]}
    raw["routes"][1:] = [{**raw["routes"][1], "group": "", "results": results, **changes}]
    raw["groups"] = {}
    return raw


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    """Makes a live world from a configuration; closed at the end."""
    made: list[Joint] = []

    def make(raw: dict[str, Any]) -> Joint:
        made.append(Joint(tmp_path, raw))
        made[-1].live()
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def together(province: Province) -> Joint:
    return province(joint())


@pytest.fixture
def single(province: Province) -> Joint:
    return province(alone())


def forwarded(world: Joint) -> None:
    """A dossier is received and handed on."""
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted", procedure="2.000001", received=TODAY)
    world.act("forwarded")


def test_a_birth_goes_to_justice_and_its_result_comes_back(single: Joint) -> None:
    forwarded(single)
    single.rest()
    assert single.justice.pushes == [("declare", CODE)]
    single.said("justice", "in_progress")
    single.rest()
    single.said("justice", "completed", "Số đăng ký 01")
    assert single.all_agree() == "completed"
    assert single.facts() == ["sent", "received", "accepted", "completed"]
    assert [one["fact"] for one in single.receipts()] == ["received", "accepted", "completed"]
    assert single.rows(CODE) == ["accepted", "in_progress", "completed"]


def test_an_acknowledgement_proves_received_and_nothing_more(single: Joint) -> None:
    single.ministry("justice").silent = True
    forwarded(single)
    single.rest()
    assert single.facts() == ["sent", "received"]
    (receipt,) = single.receipts()
    assert (receipt["fact"], receipt["proof"]["by"], receipt["proof"]["code"]) == ("received", "answer", "99")
    (delivery,) = [row for row in single.deliveries("delivered") if row.portal == "justice"]
    assert receipt["handed_over"]["record_sha256"] == delivery.body_digest
    assert receipt["reply"]["bytes"] == len(b"<Envelope>99</Envelope>")


def test_two_ministries_decide_only_when_both_have_ended(together: Joint) -> None:
    forwarded(together)
    together.rest()
    together.said("justice", "completed")
    together.rest()
    assert together.at_province() == "forwarded"
    assert together.facts("justice") == ["sent", "received", "accepted", "completed"]
    assert together.facts("transport") == ["sent", "received", "accepted"]
    together.said("transport", "completed")
    assert together.all_agree() == "completed"
    assert [row["status"] for row in together.province.folders["r1"].log].count("completed") == 1


@pytest.mark.parametrize(("refuses", "works"), [MINISTRIES, MINISTRIES[::-1]])
def test_one_of_two_ministries_refuses_and_everybody_learns_why(together: Joint, refuses: str, works: str) -> None:
    forwarded(together)
    together.rest()
    together.said(refuses, "not_accepted", "Thiếu giấy chứng sinh")
    assert together.all_agree() == "not_accepted"
    last = together.province.folders["r1"].log[-1]
    assert last["note"].startswith("Bộ từ chối: Thiếu giấy chứng sinh")
    assert together.national.rows[-1]["note"] == "Bộ từ chối: Thiếu giấy chứng sinh"
    assert [verb for verb, _ in together.ministry(works).pushes] == ["declare", "cancel"]
    assert [verb for verb, _ in together.ministry(refuses).pushes] == ["declare"]
    assert together.stage(refuses).status == "not_accepted"


def test_the_second_refusal_of_two_finds_the_dossier_decided(together: Joint) -> None:
    forwarded(together)
    together.rest()
    together.said("justice", "not_accepted", "một")
    together.said("transport", "not_accepted", "hai")
    assert together.all_agree() == "not_accepted"
    assert [row["status"] for row in together.province.folders["r1"].log].count("not_accepted") == 1


def test_a_group_with_a_paused_route_waits_for_it(together: Joint) -> None:
    forwarded(together)
    together.rest()
    together.operator.pause("to transport", "an officer", "asked to wait")
    together.said("justice", "completed")
    together.said("transport", "completed")
    together.rest()
    assert together.at_province() == "forwarded"
    together.operator.resume("to transport", "an officer")
    assert together.all_agree() == "completed"


def test_papers_are_asked_for_and_supplied_twice(single: Joint) -> None:
    forwarded(single)
    single.rest()
    for what in ("Bản sao 1", "Bản sao 2"):
        single.said("justice", "supplement_requested", what)
        single.rest()
        assert single.at_province() == "supplement_requested"
        assert single.national.rows[-1]["note"] == what
        single.act("forwarded", note="đã bổ sung")
        single.rest()
    single.said("justice", "completed")
    assert single.all_agree() == "completed"
    assert [verb for verb, _ in single.justice.pushes] == ["declare", "supplement", "supplement"]
    received = [one for one in single.receipts() if one["fact"] == "received"]
    assert [one["handed_over"]["operation"] for one in received] == ["declare", "supplement", "supplement"]
    completed = single.receipts()[-1]
    assert completed["fact"] == "completed"
    assert completed["handed_over"] == received[-1]["handed_over"], "what it completed is what it was given last"


def test_a_withdrawal_reaches_the_ministry_that_has_the_dossier(single: Joint) -> None:
    forwarded(single)
    single.rest()
    single.national.sweep = [CODE]
    single.rest()
    single.national.shown[CODE]["status"] = "withdrawal_requested"
    single.rest()
    assert single.at_province() == "withdrawal_requested"
    single.act("halted")
    assert single.all_agree() == "halted"
    assert [verb for verb, _ in single.justice.pushes] == ["declare", "cancel"]
    assert single.stage().status == "halted"


def test_a_dossier_that_ended_before_it_was_handed_over_is_not_handed_over(single: Joint) -> None:
    single.justice.down = True
    forwarded(single)
    single.rest_but("justice")
    assert single.stage().sent_at is None
    single.act("halted")
    single.engine.pull("province")
    single.justice.down = False
    assert single.all_agree() == "halted"
    assert single.justice.pushes == []
    assert single.store.read(lambda tx: tx.list_stages()) == [], "nothing is waited for"


def test_a_ministry_that_takes_no_cancellation_is_told_by_a_person(single: Joint) -> None:
    del single.justice.abilities.commands["cancel"]  # type: ignore[attr-defined]
    forwarded(single)
    single.rest()
    single.act("halted")
    single.rest()
    (parked,) = single.deliveries("parked")
    assert "takes no cancellation" in parked.reason
    assert parked.id is not None
    single.operator.confirm(parked.id, arrived=True, actor="an officer")
    single.said("justice", "halted")
    assert single.all_agree() == "halted"


def test_a_dossier_taken_up_again_after_a_withdrawal_can_be_called_off_again(single: Joint) -> None:
    forwarded(single)
    single.rest()
    single.act("halted")
    single.rest()
    single.act("forwarded")
    single.said("justice", "in_progress")
    single.rest()
    assert single.stage().completed_at is None
    single.act("halted")
    single.rest()
    assert [verb for verb, _ in single.justice.pushes] == ["declare", "cancel", "amend", "cancel"]


def test_a_ministry_is_told_once_to_stop_whatever_follows(single: Joint) -> None:
    single.ministry("justice").silent = True
    forwarded(single)
    single.rest()
    for status in ("halted", "not_accepted"):
        single.act(status)
        single.rest()
    assert [verb for verb, _ in single.justice.pushes] == ["declare", "cancel"]


def test_a_call_back_that_comes_before_our_own_commit_is_not_lost(single: Joint) -> None:
    push = single.justice.push

    def push_and_call_back(delivery: Delivery) -> Outcome:
        outcome = push(delivery)
        single.justice.states[CODE] = ("completed", "")
        single.tick()
        single.engine.pull("justice")
        assert single.stage().sent_at is None
        assert single.facts() == ["received", "accepted", "completed"]
        return outcome

    single.justice.push = push_and_call_back  # type: ignore[method-assign]
    forwarded(single)
    assert single.all_agree() == "completed"
    assert single.facts() == ["sent", "received", "accepted", "completed"]
    assert single.stage().doc["proof"]["received"]["by"] == "answer"


def timers_of(world: Joint) -> Timers:
    """The timers of the one hand-over."""
    return timers(world.config, "justice", "2.001", world.config.routes[1])


def test_a_ministry_silent_past_its_timer_is_late_until_it_answers(province: Province) -> None:
    world = province(alone(timers={"accepted_within_h": 8}))
    world.ministry("justice").silent = True
    forwarded(world)
    world.rest()
    running = timers_of(world)
    assert late(world.stage(), running, world.now()) is None
    world.tick(9 * 3600)
    found = late(world.stage(), running, world.now())
    assert found is not None
    assert found.fact is Fact.ACCEPTED
    received_at = world.stage().received_at
    assert received_at is not None
    assert found.due_at == received_at + 8 * 3600
    world.said("justice", "completed")
    assert world.all_agree() == "completed"
    assert late(world.stage(), running, world.now()) is None


def test_what_cannot_be_sent_is_late_too(single: Joint) -> None:
    single.justice.down = True
    forwarded(single)
    single.rest_but("justice")
    single.tick(25 * 3600)
    found = late(single.stage(), timers_of(single), single.now())
    assert found is not None
    assert found.fact is Fact.SENT


def test_what_is_late_is_found_and_an_open_stage_without_a_route_too(single: Joint) -> None:
    single.ministry("justice").silent = True
    forwarded(single)
    single.rest()

    def reasons(config: Config) -> list[str]:
        return [one.reason for one in single.store.read(lambda tx: late_stages(tx, config, single.now()))]

    slow = Config.model_validate(alone(timers={"accepted_within_h": 2, "sent_within_h": 1}))
    assert reasons(slow) == []
    single.tick(1.5 * 3600)
    assert reasons(slow) == [], "an hour is the term of another fact"
    single.tick(3600)
    assert reasons(slow) == ["accepted"]
    assert reasons(Config.model_validate({**alone(), "routes": [{"name": "all", "to": "national"}]})) == ["no_route"]
    single.said("justice", "completed")
    single.rest()
    assert reasons(slow) == []


def test_changed_timers_of_the_partner_hold_at_once_for_what_is_open_and_by_procedure(single: Joint) -> None:
    single.ministry("justice").silent = True
    forwarded(single)
    single.rest()
    single.tick(3 * 3600)

    def reasons(*rules: dict[str, Any], **route: Any) -> list[str]:
        raw = alone(**route)
        raw["portals"]["justice"]["timers"] = rules
        found = Config.model_validate(raw)
        return [one.reason for one in single.store.read(lambda tx: late_stages(tx, found, single.now()))]

    assert reasons() == []
    assert reasons({"accepted_within_h": 2}) == ["accepted"]
    assert reasons({"accepted_within_h": 4}) == []
    assert reasons({"procedures": ["1.*"], "accepted_within_h": 2}) == []
    assert reasons({"procedures": ["2.*"], "accepted_within_h": 2}, name="renamed") == ["accepted"]
    assert reasons({"accepted_within_h": 2}, timers={"accepted_within_h": None}) == []
    others = [{"procedures": ["1.*"], "accepted_within_h": None}]
    assert reasons({"accepted_within_h": 2}, timers=others) == ["accepted"]


def test_what_is_held_back_is_late_too(single: Joint) -> None:
    single.operator.pause("justice", "an officer", "asked by the portal")
    forwarded(single)
    single.round()
    assert single.justice.pushes == []
    single.tick(25 * 3600)
    found = late(single.stage(), timers_of(single), single.now())
    assert found is not None
    assert found.fact is Fact.SENT


def test_a_receipt_is_signed_by_the_key_for_receipts_and_its_digest_is_in_the_log(single: Joint) -> None:
    forwarded(single)
    single.rest()
    rows = single.store.read(lambda tx: tx.receipts_of("d0001"))
    key = single.signer.in_use(Purpose.RECEIPT)
    assert rows
    assert all(verified(key.pem(), row.statement, row.signature) == key.id == row.key_id for row in rows)
    leaves = [orjson.loads(row.canonical) for _, row in single.store.read(lambda tx: tx.leaves(limit=1000))]
    told = [(leaf["receipt"], leaf["signer"]) for leaf in leaves if leaf["kind"] == "receipt"]
    assert told == [(hashlib.sha256(row.statement).hexdigest(), key.id) for row in rows]


def with_rules(world: Joint, raw: dict[str, Any]) -> None:
    """The rules change, as after an edit of the configuration and a restart."""
    world.config = Config.model_validate(raw)
    world.restart()


MOVED = {
    "an edit without dates": {},
    "an edit with dates of the past": {"from_on": "2026-01-01"},
}


@pytest.mark.parametrize("days", MOVED.values(), ids=MOVED)
def test_a_procedure_moved_to_another_system_leaves_the_dossiers_it_has_where_they_are(
    province: Province, days: dict[str, str]
) -> None:
    raw = joint(groups={})
    old, new = ({key: value for key, value in route.items() if key != "group"} for route in raw["routes"][1:])
    old["results"] = new["results"] = alone()["routes"][1]["results"]
    old["when"] = {**FORWARDED, "to_on": "2026-12-31"}
    raw["routes"] = [raw["routes"][0], old]
    world = province(raw)
    forwarded(world)
    world.rest()
    world.said("justice", "supplement_requested", "Bản sao")
    world.rest()
    ended = {**old, "when": {**FORWARDED, "to_on": "2025-12-31"}}
    with_rules(world, {**raw, "routes": [raw["routes"][0], ended, {**new, "when": {**FORWARDED, **days}}]})
    world.act("forwarded", note="đã bổ sung")
    world.rest()
    assert world.others["transport"].pushes == []
    assert [verb for verb, _ in world.justice.pushes] == ["declare", "supplement"]
    why = {one.route: one.why for one in world.engine.explain("d0001")}
    assert "it was handed to justice" in why["to transport"]
    world.said("justice", "completed")
    assert world.all_agree() == "completed"
    assert world.others["transport"].pushes == [], "its old cause is not handed on after the end either"
    fresh = {"code": "H99-261102-00002", "person": "000000000002", "procedure": "2.000001", "received": TODAY}
    world.province.open("r2", at=world.tick(), status="forwarded", **fresh)
    world.rest()
    assert world.others["transport"].pushes == [("declare", "H99-261102-00002")]
    assert len(world.justice.pushes) == 2


def test_a_dossier_that_the_old_system_refused_to_take_goes_to_the_new_one(province: Province) -> None:
    raw = joint(groups={})
    old, new = ({key: value for key, value in route.items() if key != "group"} for route in raw["routes"][1:])
    raw["routes"] = [raw["routes"][0], old]
    world = province(raw)
    world.justice.faults = ["never"]
    forwarded(world)
    world.rest()
    assert len(world.deliveries("parked")) == 1
    assert world.facts() == ["sent"]
    with_rules(world, {**raw, "routes": [raw["routes"][0], new]})
    world.act("forwarded")
    world.rest()
    assert world.others["transport"].pushes == [("declare", CODE)]
    assert world.justice.pushes == []


def test_what_was_owed_by_a_rule_that_has_gone_is_waited_for_no_more(province: Province) -> None:
    raw = alone()
    world = province(raw)
    world.justice.down = True
    forwarded(world)
    world.rest_but("justice")
    with_rules(world, {**raw, "routes": [raw["routes"][0], {**raw["routes"][1], "when": {"procedures": ["9.*"]}}]})
    world.justice.down = False
    world.rest()
    assert world.justice.pushes == []
    assert world.store.read(lambda tx: tx.list_stages()) == []


def test_the_day_a_dossier_is_received_does_not_move_it_to_another_system(province: Province) -> None:
    raw = joint(groups={})
    old, new = ({key: value for key, value in route.items() if key != "group"} for route in raw["routes"][1:])
    old["when"] = {**FORWARDED, "to_on": "2026-11-01"}
    new["when"] = {**FORWARDED, "from_on": "2026-11-02"}
    raw["routes"] = [raw["routes"][0], old, new]
    world = province(raw)
    dates = {"submitted": "2026-11-01T02:00:00Z", "received": "2026-11-02T02:00:00Z"}
    world.province.open("r1", at=world.tick(), code=CODE, status="forwarded", procedure="2.000001", **dates)
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]
    assert world.others["transport"].pushes == []


def test_a_second_request_for_papers_waits_for_a_person_and_keeps_its_words(together: Joint) -> None:
    """It ended as "already is supplement_requested": nobody read it, and the next papers went there as its answer."""
    forwarded(together)
    together.rest()
    together.said("justice", "supplement_requested", "Giấy chứng sinh")
    together.rest()
    together.said("transport", "supplement_requested", "Giấy phép xe")
    together.rest()
    assert together.at_province() == "supplement_requested"
    (parked,) = together.deliveries("parked")
    assert (parked.portal, "transport asks for papers" in parked.reason) == ("province", True)
    assert [row["status"] for row in together.province.folders["r1"].log].count("supplement_requested") == 1
    together.operator.confirm(parked.id or 0, arrived=True, actor="an officer")
    together.act("forwarded", note="đã bổ sung cả hai")
    together.rest()
    together.said("justice", "completed")
    together.said("transport", "completed")
    assert together.all_agree() == "completed"


def test_a_second_request_for_papers_is_made_when_the_first_was_answered_meanwhile(together: Joint) -> None:
    """The province is read before a person is asked: what we know of it may be old."""
    forwarded(together)
    together.rest()
    together.said("justice", "supplement_requested", "Giấy chứng sinh")
    together.rest()
    together.act("forwarded", note="đã bổ sung")
    together.said("transport", "supplement_requested", "Giấy phép xe")
    together.engine.pull("transport")
    together.rest()
    assert together.deliveries("parked") == []


def test_two_rules_to_one_portal_are_one_hand_over(province: Province) -> None:
    """The second had a stage of its own that nothing was ever sent for, and signed receipts in time."""
    raw = alone()
    raw["routes"].append({**raw["routes"][1], "name": "to justice as well"})
    world = province(raw)
    forwarded(world)
    world.rest()
    assert world.stage().route == "to justice"
    world.said("justice", "supplement_requested", "Bản sao")
    world.rest()
    world.act("forwarded", note="đã bổ sung")
    world.rest()
    world.said("justice", "completed")
    assert world.all_agree() == "completed"
    assert {one["route"] for one in world.receipts()} == {world.stage().route}
    assert [verb for verb, _ in world.justice.pushes] == ["declare", "supplement"]


def test_a_pattern_of_wire_words_holds_for_each_of_them(province: Province) -> None:
    world = province(alone(when={"procedures": ["2.*"], "wires": ["forw*"]}))
    forwarded(world)
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]


def test_a_person_is_asked_about_a_second_request_once(together: Joint) -> None:
    """Each "it is not there yet" parked it again, for ever."""
    forwarded(together)
    together.rest()
    for name in MINISTRIES:
        together.said(name, "supplement_requested", f"Giấy tờ cho {name}")
        together.rest()
    (parked,) = together.deliveries("parked")
    together.operator.confirm(parked.id or 0, arrived=False, actor="an officer")
    together.rest()
    assert together.deliveries("parked") == []
    together.act("forwarded", note="đã bổ sung")
    for name in MINISTRIES:
        together.said(name, "completed")
    assert together.all_agree() == "completed"
