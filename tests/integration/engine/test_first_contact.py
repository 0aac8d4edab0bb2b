"""First contact: portals that already hold thousands of dossiers; what is old is left alone (S26, promise 4)."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

import pytest

from adapters.base import DeliveryClass
from tests.integration.engine.town import Town

WRITES = {"create": "insert", "update": "update", "progress": "progress"}


def officers_work(town: Town, old: list[str], changes: int) -> set[str]:
    """A day: every n-th old dossier moves on, and citizens hand in new ones; gives the numbers that saw news."""
    touched = []
    by_reference = {row["referenceUid"]: row for row in town.records()}
    moves = {"processing": "complete", "new": "process", "receiving": "accept", "releasing": "return_result"}
    for reference in old:
        verb = moves.get(by_reference[reference]["dossierStatus"])
        if verb and len(touched) < changes:
            town.province.act(verb, {"referenceUid": reference})
            touched.append(reference)
    for _ in range(changes // 2):
        made = town.province.act("create_dossier", {"online": False})
        town.province.act("process", {"referenceUid": made["referenceUid"]})
        touched.append(made["referenceUid"])
    numbers = {row["referenceUid"]: row["dossierNo"] for row in town.records()}
    return {numbers[reference] for reference in touched}


def first_contact(town: Town, count: int, changes: int) -> None:
    old = town.seed(count)
    seeded = len(town.effects())
    before = len(town.province.book.effects())
    line = time.time() - 3600

    town.pull()
    assert town.gateway.engine.deliver("national").reason.startswith("mode is watch")
    assert town.gateway.engine.preview() == [], "in watch nothing would be sent"
    town.adopt(line)
    town.rest()
    assert town.effects(seeded) == [], "adopting writes nothing"

    touched = officers_work(town, old, changes)
    town.pull()
    named = Counter(
        (write.dossier_code, write.klass, write.operation, write.members) for write in town.gateway.engine.preview()
    )
    assert town.effects(seeded) == [], "a preview writes nothing"
    town.gateway.engine.deliver("national", pool=town.pool)
    sent = calls(town, seeded)
    assert sent == named
    assert {number for number, *_ in sent} == touched
    assert len(touched) == changes * 3 // 2
    town.rest()
    assert calls(town, seeded) == named, "nothing was left out of the preview"
    old_rows = [row for row in rows(town, seeded) if moment(row) < line]
    assert old_rows == [], "no row tells of what happened before the line"
    officers = [effect for effect in town.province.book.effects(before) if effect["call"]]
    assert officers == [], "the province was only read"


def calls(town: Town, since: int) -> Counter[tuple[str, str, str, int]]:
    """What the national portal's book saw, call by call, as a preview names it."""
    members: Counter[tuple[str, str, int]] = Counter()
    for effect in town.effects(since):
        members[effect["key"], WRITES[effect["effect"]], effect["call"]] += 1
    kinds = {"insert": DeliveryClass.SNAPSHOT, "update": DeliveryClass.SNAPSHOT, "progress": DeliveryClass.APPEND}
    found = [(key, kinds[operation].value, operation, times) for (key, operation, _), times in members.items()]
    return Counter(found)


def rows(town: Town, since: int) -> list[dict[str, str]]:
    return [effect["content"] for effect in town.effects(since) if effect["effect"] == "progress"]


def moment(row: dict[str, str]) -> float:
    """14 digits of Vietnam time."""
    return datetime.strptime(row["ThoiDiemXuLy"] + "+0700", "%Y%m%d%H%M%S%z").timestamp()


def test_five_hundred_old_dossiers_are_left_alone_and_a_days_changes_are_sent_as_previewed(town: Town) -> None:
    first_contact(town, 500, 60)


@pytest.mark.soak
def test_five_thousand_old_dossiers_are_left_alone_and_a_days_changes_are_sent_as_previewed(town: Town) -> None:
    first_contact(town, 5000, 400)
