"""A citizen's request that ends superseded: a person is asked, unless the handler has answered it (sync.md S10, S20).

Papers that nobody asked for ended superseded and were listed; nobody was told, and no officer ever saw them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Delivery, DeliveryClass, Operation, Outcome, ProbeStrength, Repeat
from gateway.sync.standing import Urgency, status
from gateway.sync.standing_requests import UnheardRequest, unheard_requests
from tests.unit.sync.world import World, config

CODE = "H99-261102-00001"
REQUESTS = {
    "submitted": {"act": "in_progress", "by": "supplement", "from": ["supplement_requested"]},
    "withdrawal_requested": {"act": "withdrawal_requested", "from": ["accepted"]},
    "payment_requested": {"act": "in_progress", "from": ["payment_requested"]},
}
PAPERS, WITHDRAWAL, PAYMENT = "submitted", "withdrawal_requested", "payment_requested"


class Town(World):
    """A province that takes further papers, too. `brought`: those that were known when some arrived there."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.brought: set[str] = set()
        push = self.province.push

        def count(delivery: Delivery) -> Outcome:
            before = len(self.at_province())
            outcome = push(delivery)
            if delivery.operation == "supplement" and len(self.at_province()) > before:
                self.brought |= self.papers()
            return outcome

        self.province.push = count  # type: ignore[method-assign]

    def papers(self) -> set[str]:
        """What the national portal told of, as we know it by now."""
        row = self.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
        return {
            entry["id"]
            for entry in row.timeline
            if entry["portal"] == "national" and entry["status"] == PAPERS and not entry.get("base")
        }

    def open(self) -> None:
        further = Operation("supplement", DeliveryClass.COMMAND, "action", Repeat.UNKNOWN, ProbeStrength.CONTENT)
        self.province.abilities.operations["supplement"] = further  # type: ignore[index]
        self.province.abilities.commands["supplement"] = "supplement"  # type: ignore[index]
        super().open()

    def officer(self, *statuses: str) -> None:
        """Acts of the province, one after the other, until all is told."""
        for one in statuses:
            self.province.act("r1", one, at=self.tick(10))
            self.rest()

    def citizen(self, status: str) -> None:
        """What the national portal shows now."""
        self.tick(5)
        self.national.shown[CODE]["status"] = status
        self.rest()

    def waiting(self) -> list[UnheardRequest]:
        return self.store.read(unheard_requests)

    def findings(self) -> list[tuple[str, str]]:
        report = status(self.store, self.config, self.now())
        return [(one.what, one.value) for one in report.findings if one.urgency is not Urgency.CALM]

    def at_province(self) -> list[str]:
        return [row["status"] for row in self.province.folders["r1"].log]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, config(ownership={"handlers": ["province"], "requests": {"national": REQUESTS}}))
    town.live()
    town.province.open("r1", at=town.tick(), code=CODE, status="accepted")
    town.rest()
    town.national.sweep = [CODE]
    town.rest()
    yield town
    town.close()


def test_papers_that_nobody_asked_for_wait_for_a_person_and_hold_nothing_back(town: Town) -> None:
    town.citizen(PAPERS)
    (one,) = town.waiting()
    assert (one.portal, one.by, one.asked, one.dossier_code) == ("province", "national", PAPERS, CODE)
    assert "supplement_requested" in one.reason
    assert town.findings() == [("unheard", "1")]
    assert town.national.shown[CODE]["status"] == "accepted", "S10: it is decided, and the copy is right again"
    town.officer("in_progress", "halted")
    assert town.rows(CODE) == ["accepted", "in_progress", "halted"]
    assert len(town.waiting()) == 1, "the officer decided without knowing of them"


def test_papers_nobody_asked_for_are_forgotten_by_nobody_when_the_handler_goes_on(town: Town) -> None:
    """It asks for papers and goes on, before ours were there: what it decided on were others."""
    town.citizen(PAPERS)
    town.officer("supplement_requested", "in_progress")
    assert len(town.waiting()) == 1


def test_later_papers_that_were_asked_for_bring_the_earlier_ones_along(town: Town) -> None:
    town.citizen(PAPERS)
    town.officer("supplement_requested")
    assert len(town.waiting()) == 1
    town.citizen(PAPERS)
    assert town.at_province() == ["accepted", "supplement_requested", "in_progress"]
    assert town.waiting() == []
    assert town.findings() == []
    (ended,) = town.deliveries("superseded")
    assert ended.reason == "its papers went along with another call"


def test_papers_that_came_behind_those_that_were_sent_are_not_held_to_be_there(town: Town) -> None:
    town.officer("supplement_requested")
    town.citizen(PAPERS)
    assert town.waiting() == []
    town.citizen(PAPERS)
    assert town.at_province()[-1] == "in_progress"
    assert len(town.waiting()) == 1


def test_a_person_sends_waiting_papers_when_the_province_has_asked_for_them(town: Town) -> None:
    town.citizen(PAPERS)
    (one,) = town.waiting()
    town.operator.retry(one.number, actor="an officer")
    town.rest()
    (again,) = town.waiting()
    assert (again.number, again.at > one.at) == (one.number, True), "not asked for yet: it waits on"
    town.officer("supplement_requested")
    town.operator.retry(one.number, actor="an officer")
    town.rest()
    assert town.at_province()[-1] == "in_progress"
    assert town.waiting() == []


@pytest.mark.parametrize("word", ["drop", "confirm"])
def test_a_persons_word_ends_it(town: Town, word: str) -> None:
    town.citizen(PAPERS)
    (one,) = town.waiting()
    if word == "drop":
        town.operator.drop(one.number, actor="an officer", reason="handed in at the desk")
    else:
        town.operator.confirm(one.number, arrived=True, actor="an officer")
    town.rest()
    assert town.waiting() == []
    assert town.findings() == []
    assert town.at_province() == ["accepted"]
    town.officer("in_progress")
    assert town.waiting() == []


def test_a_withdrawal_is_answered_by_any_end_and_by_nothing_else(town: Town) -> None:
    town.officer("in_progress")
    town.citizen(WITHDRAWAL)
    (one,) = town.waiting()
    assert one.asked == WITHDRAWAL
    town.officer("supplement_requested")
    assert len(town.waiting()) == 1
    town.officer("halted")
    assert town.waiting() == []
    (ended,) = town.deliveries("superseded")
    assert ended.reason == "the dossier is halted"


def test_a_withdrawal_of_what_has_ended_alarms_nobody(town: Town) -> None:
    """The citizen's portal shows the end again: that is the answer."""
    town.officer("returned")
    town.citizen(WITHDRAWAL)
    assert town.deliveries("superseded")
    assert town.waiting() == []
    assert town.findings() == []
    assert town.national.shown[CODE]["status"] == "returned"


def test_a_withdrawal_that_the_handler_has_written_down_itself_alarms_nobody(town: Town) -> None:
    town.officer("in_progress")
    town.citizen(WITHDRAWAL)
    town.officer("withdrawal_requested", "in_progress")
    assert town.waiting() == [], "it was looked at, and the dossier goes on"


def test_a_payment_nobody_asked_for_waits_for_a_person_even_behind_the_end(town: Town) -> None:
    town.citizen(PAYMENT)
    assert [one.asked for one in town.waiting()] == [PAYMENT]
    town.officer("in_progress", "halted")
    assert len(town.waiting()) == 1, "money was paid for nothing"


def test_a_payment_is_answered_when_the_handler_asks_for_it_and_goes_on(town: Town) -> None:
    town.citizen(PAYMENT)
    town.officer("payment_requested")
    assert len(town.waiting()) == 1
    town.officer("in_progress")
    assert town.waiting() == []


def test_a_second_payment_is_not_answered_by_the_first(town: Town) -> None:
    town.officer("payment_requested", "in_progress")
    town.citizen(PAYMENT)
    assert len(town.waiting()) == 1


def test_what_waits_waits_on_after_a_restart_and_ends_in_a_new_epoch_too(town: Town) -> None:
    town.officer("in_progress")
    town.citizen(WITHDRAWAL)
    town.restart()
    town.store.write(lambda tx: tx.put_setting("epoch", "2"))
    assert len(town.waiting()) == 1
    town.officer("halted")
    assert town.waiting() == []
    assert len(town.deliveries("superseded")) == 1


@pytest.mark.parametrize("seed", range(20))
def test_no_request_of_any_life_ends_without_the_province_or_a_person_knowing_of_it(town: Town, seed: int) -> None:
    """Papers are at the province or listed; what is there is counted where it arrives."""
    dice = random.Random(seed)
    for _ in range(8):
        town.province.faults = dice.choices(["", "lost", "cut", "busy"], k=2)
        if dice.random() < 0.2:
            town.restart()
        if dice.random() < 0.5:
            town.officer(dice.choice(["in_progress", "supplement_requested", "payment_requested", "accepted"]))
        else:
            town.citizen(PAPERS)
    assert len(town.waiting()) == len(town.papers() - town.brought)
