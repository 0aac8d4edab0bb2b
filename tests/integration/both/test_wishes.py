"""A citizen's word at the national portal becomes an act of the province, if it answers what the province asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import NotifyConfig
from gateway.demo.catalogue import NATIONAL, PROVINCE
from gateway.notices import Notice
from gateway.notify import Notices
from gateway.sync.standing_requests import unheard_requests
from tests.integration.both.story import Story, until
from tests.integration.both.test_pictures import NUMBER, PLACE, UID

PLAN = {"start": PLACE, "procedures": ["1.002693"], "agencies": ["H99.19"], "seed": 1, "files": "base64"}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    story = Story(tmp_path)
    yield story
    story.close()


def acts(story: Story) -> list[str]:
    """Codes of the acts that calls did at the province."""
    effects = story.portals[PROVINCE].book.effects()
    return [one["content"]["actionCode"] for one in effects if one["call"] and one["effect"] == "action"]


def papers(story: Story) -> int:
    """How many files were uploaded to the province."""
    return [one["effect"] for one in story.portals[PROVINCE].book.effects()].count("file")


def kept(story: Story) -> int:
    """How many files of the dossier we hold."""
    (row,) = story.gateway.store.read(lambda tx: list(tx.iter_dossiers()))
    return len(story.gateway.store.read(lambda tx: tx.files_of(row.id)))


def waiting(story: Story) -> list[tuple[str, str]]:
    """What people are told of requests that the province does not know of."""
    lines: list[tuple[str, str]] = []
    store, config = story.gateway.store, story.gateway.config

    def read(notice: Notice, _config: NotifyConfig) -> None:
        if "requests of citizens" in notice.subject:
            found = [line.split("  ") for line in notice.text.splitlines()[:-1]]
            lines.extend((what, code) for _, code, what in found)

    Notices(store, config, story.gateway.clock, read).watch()
    return lines


def wish(story: Story, verb: str) -> None:
    story.citizen(verb, **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)


def test_papers_that_were_asked_for_are_uploaded_and_the_province_goes_on(story: Story) -> None:
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    for verb in ("accept", "request_supplement"):
        story.officer(PROVINCE, verb, referenceUid=UID)
    story.heard()
    wish(story, "supplement")
    assert acts(story) == ["2001"]
    assert papers(story) >= 2


def test_papers_may_come_before_we_have_heard_that_they_were_asked_for(story: Story) -> None:
    """The citizen knows it from the province itself; the handler is heard before the wish is given up."""
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.heard()
    for verb in ("accept", "request_supplement"):
        story.officer(PROVINCE, verb, referenceUid=UID)
    wish(story, "supplement")
    assert acts(story) == ["2001"]


def test_other_content_pushed_before_papers_were_asked_for_is_no_answer_to_that(story: Story) -> None:
    """The wish waits for the handler to speak, and meanwhile the handler has come to ask for papers."""
    story.citizen("submit", **PLAN, changed=1.0)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    for verb in ("accept", "request_supplement"):
        story.officer(PROVINCE, verb, referenceUid=UID)
    story.heard()
    story.delivered(PROVINCE)
    assert acts(story) == []
    wish(story, "supplement")
    assert acts(story) == ["2001"]


def test_the_submission_itself_is_no_answer_either(story: Story) -> None:
    """Both are "submitted" to us; the portal's word tells them apart."""
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    for verb in ("accept", "request_supplement"):
        story.officer(PROVINCE, verb, referenceUid=UID)
    story.heard()
    story.delivered(PROVINCE)
    assert acts(story) == []


def test_papers_that_came_before_the_dossier_was_made_go_there_with_it(story: Story) -> None:
    """Other content was pushed before the province had the first: its files are uploaded with the dossier."""
    story.citizen("submit", **PLAN, changed=1.0)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.heard()
    story.delivered(PROVINCE)
    assert acts(story) == []
    assert papers(story) == kept(story) > 0
    ended = story.gateway.store.read(lambda tx: tx.list_deliveries(states=("superseded",)))
    assert [row.operation for row in ended] == ["supplement"]
    assert waiting(story) == []


def test_papers_that_nobody_asked_for_are_told_to_people_until_the_province_has_them(story: Story) -> None:
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.officer(PROVINCE, "accept", referenceUid=UID)
    story.heard()
    before = papers(story)
    wish(story, "supplement")
    assert acts(story) == []
    assert waiting(story) == [("further papers", NUMBER)]
    story.officer(PROVINCE, "request_supplement", referenceUid=UID)
    story.heard()
    (one,) = story.gateway.store.read(unheard_requests)
    story.gateway.operator.retry(one.number, actor="an officer")
    story.delivered(PROVINCE)
    assert acts(story) == ["2001"]
    assert papers(story) == kept(story) > before
    assert story.gateway.store.read(unheard_requests) == []


def test_a_withdrawal_is_an_act_wherever_the_dossier_stands(story: Story) -> None:
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.heard()
    wish(story, "withdraw")
    assert acts(story) == ["5000"]


def test_a_dossier_whose_making_was_not_answered_gets_its_papers_though_it_was_heard_of_meanwhile(story: Story) -> None:
    story.servers[PROVINCE].faults.script("reset_after", on="effect")
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.heard()
    assert papers(story) == 0

    def looked_again() -> int:
        story.delivered(PROVINCE)
        return papers(story)

    until(looked_again)
    assert [one["effect"] for one in story.portals[PROVINCE].book.effects()].count("create") == 1


def test_one_who_is_refused_before_reception_hears_of_it(story: Story) -> None:
    """There is no copy of ours at the national portal, but the dossier stands there: it was submitted there."""
    story.citizen("submit", **PLAN)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.officer(PROVINCE, "deny", referenceUid=UID)
    story.heard()
    rows = story.portals[NATIONAL].screen("progress", {})[NUMBER]
    assert [row["TrangThai"] for row in rows] == ["1", "3"]
