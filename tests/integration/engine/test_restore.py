"""A backup of an hour ago comes back after many further effects: none of them is sent again (S27, promise 4)."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.store.backup import backup
from gateway.store.restore import restore
from gateway.store.rows import DeliveryRow
from schemas.errors import ConfigError
from tests.integration.engine.town import BIRTH, PORTALS, Town

REPEATED_WHOLE = ("create", "update")
"""Full replacements: a snapshot that cannot be read back is sent once again."""


def handed_in(town: Town, count: int, service: str = "1.013234", agency: str = "H99.19") -> list[str]:
    """Citizens at the desk; gives references."""
    made = []
    for _ in range(count):
        one = town.province.act("create_dossier", {"online": False, "service": service, "agency": agency})
        made.append(one["referenceUid"])
    return made


def act(town: Town, verb: str, references: list[str]) -> None:
    """One officer's act on each."""
    for reference in references:
        town.province.act(verb, {"referenceUid": reference})


def written(town: Town, since: dict[str, int]) -> list[tuple[str, dict[str, Any]]]:
    """What our calls did at every portal since the given effect numbers."""
    books = {"province": town.province.book, "national": town.national.book, "justice": town.justice.book}
    return [(name, effect) for name in PORTALS for effect in books[name].effects(since[name]) if effect["call"]]


def heads(town: Town) -> dict[str, int]:
    """How many effects each book holds."""
    books = {"province": town.province.book, "national": town.national.book, "justice": town.justice.book}
    return {name: len(book.effects()) for name, book in books.items()}


def identity(portal: str, effect: dict[str, Any]) -> tuple[str, ...]:
    """What makes an append or a command the same one: a row's whole content, an act, a declaration."""
    content = effect["content"]
    if effect["effect"] == "progress":
        return portal, effect["key"], "row", *(f"{name}={value}" for name, value in sorted(content.items()))
    if portal == "province":
        return portal, effect["key"], effect["effect"], content.get("actionCode") or content["referenceUid"]
    return portal, effect["key"], effect["effect"]


def once_only(effects: list[tuple[str, dict[str, Any]]]) -> Counter[tuple[str, ...]]:
    """Appends and commands, counted."""
    return Counter(
        identity(portal, effect)
        for portal, effect in effects
        if portal != "national" or effect["effect"] not in REPEATED_WHOLE
    )


def a_day(town: Town, half: int) -> tuple[list[str], list[str]]:
    """Births forwarded and decided, other dossiers worked on; gives references of both."""
    births = handed_in(town, half, BIRTH, "H99.13")
    others = handed_in(town, half)
    act(town, "process", births + others)
    town.rest()
    return births, others


def restored(town: Town, effects: int) -> None:
    half = max(effects // 10, 2)
    start = heads(town)
    town.pull()
    town.adopt(time.time() - 3600)
    births, others = a_day(town, half)
    manifest = backup(Path(town.raw["store"]["path"]), town.folder / "backups", datetime.now(UTC))

    # the hour that the backup does not know of
    before = heads(town)
    late = handed_in(town, half)
    act(town, "interoperate", births)
    act(town, "complete", others)
    town.rest()
    decide(town, births[1:])
    act(town, "process", late)
    town.rest()
    gap = written(town, before)
    assert len(gap) >= effects
    assert {portal for portal, _ in gap} == set(PORTALS)

    town.gateway.close()
    done = restore(manifest, Path(town.raw["store"]["path"]), datetime.now(UTC), actor="test")
    assert done.epoch == 2
    after = heads(town)
    town.open()
    assert town.round() == 0, "nothing is sent before the portals are compared"
    with pytest.raises(ConfigError, match="reconcile"):
        town.gateway.engine.adopt("national", time.time() - 3600, actor="test")
    for name in PORTALS:
        assert town.gateway.engine.reconcile(name).unreadable == 0
    town.adopt(time.time() - 3600)
    town.rest()

    assert once_only(written(town, after)) == Counter(), "no append and no command of the gap is sent again"
    every = once_only(written(town, start))
    assert every and set(every.values()) == {1}
    again = Counter((effect["key"], str(effect["content"])) for _, effect in written(town, after))
    assert set(again.values()) <= {1}, "a snapshot is sent once again at most"

    assert town.deliveries("parked") == []
    held = town.gateway.store.read(lambda tx: tx.counts())["dossier"]
    assert held == len(town.records()), "comparing made no dossier of what was never linked"

    # what it cannot know is listed
    listed = town.deliveries("unproven")
    rows_of_the_gap = {identity(*one) for one in gap if one[1]["effect"] == "progress"}
    assert members(listed, "append") == len(rows_of_the_gap)
    unsure = {(row.portal, row.dossier_id) for row in listed if row.klass == "command"}
    known = {row.portal for row in listed if row.klass == "command"}
    assert known <= {"province", "justice"}
    assert len(unsure) <= 2 * half

    # and life goes on
    next_time = heads(town)
    time.sleep(1.1)  # acts have whole seconds: these are after the restore
    act(town, "return_result", others)
    decide(town, births[:1])
    town.rest()
    news = once_only(written(town, next_time))
    assert Counter(key[2] for key in news) == {"row": half + 1, "action": 1, "file": 1}
    assert set(news.values()) == {1}


def decide(town: Town, references: list[str]) -> None:
    """The ministry works on what was forwarded to it, and finishes it."""
    for reference in references:
        for verb in ("advance", "complete"):
            town.justice.act(verb, {"number": town.number(reference)})


def members(rows: list[DeliveryRow], klass: str) -> int:
    return sum(len(row.members) or 1 for row in rows if row.klass == klass)


def test_sixty_effects_after_the_backup_are_not_sent_again(town: Town) -> None:
    restored(town, 60)


@pytest.mark.soak
def test_five_hundred_effects_after_the_backup_are_not_sent_again(town: Town) -> None:
    restored(town, 500)
