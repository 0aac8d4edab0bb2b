"""The pictures of the two directions are what happens: drawn from the trace of one dossier each, over sockets.

`python -m tests.integration.both.test_pictures` draws them anew.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from adapters.npsp.caller.citizens import Submitting, number_of
from adapters.opencps.identity import reference_of
from gateway.demo.catalogue import NATIONAL, PROVINCE, TRANSPORT
from gateway.demo.sequence import Step, picture
from tests.integration.both.story import GATEWAY, SHOWN, Story, until

PLACE = 1
NUMBER = number_of(Submitting(), PLACE)
UID = reference_of(NUMBER)


def pushed(story: Story) -> None:
    """A citizen submits online, pays and gets a result; the portal tells us of the dossier twice."""
    plan = {"start": PLACE, "procedures": ["1.002693"], "agencies": ["H99.19"], "seed": 1}
    story.citizen("submit", **plan, repeated=1.0, files="base64")
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.heard()
    for verb in ("accept", "process", "request_payment"):
        story.officer(PROVINCE, verb, referenceUid=UID)
        story.heard()
    story.citizen("pay", **plan)
    story.taken_in(NATIONAL)
    story.delivered(PROVINCE)
    story.heard()
    story.officer(PROVINCE, "complete", referenceUid=UID)
    story.heard()


def called_back(story: Story) -> None:
    """A dossier is forwarded to a ministry, which accepts it, asks for papers, gets them, and ends it."""
    made = story.officer(PROVINCE, "create_dossier", online=False, service="1.002861", agency="H99.19")
    uid = made["referenceUid"]
    story.officer(PROVINCE, "interoperate", referenceUid=uid)
    story.pulled_until_due(TRANSPORT)
    story.delivered(TRANSPORT)
    number = story.portals[TRANSPORT].screen("dossiers", {})[0]["dossier_code"]

    def says(verb: str, reason: str = "") -> None:
        done = len([one for one in story.portals[TRANSPORT].screen("callbacks", {}) if one["acknowledged"]])
        story.officer(TRANSPORT, verb, dossier_code=number, reason=reason)
        told = story.portals[TRANSPORT]
        until(lambda: sum(one["acknowledged"] for one in told.screen("callbacks", {})) > done)
        story.taken_in(TRANSPORT)
        story.delivered(PROVINCE)

    says("accept")
    says("supplement", "thiếu bản sao giấy phép")
    for verb in ("process", "interoperate"):
        story.officer(PROVINCE, verb, referenceUid=uid)
    story.pulled_until_due(TRANSPORT)
    story.delivered(TRANSPORT)
    says("complete")
    story.heard()


STORIES: dict[str, tuple[str, tuple[str, ...], Callable[[Story], None]]] = {
    "pushed": ("From the national portal to the province and back", (NATIONAL, "", PROVINCE), pushed),
    "called-back": ("From the province to a ministry, which calls back", (PROVINCE, "", TRANSPORT), called_back),
}


def drawn(name: str, folder: Path) -> str:
    """Play a story and draw it; a portal that the picture has no place for is left out."""
    title, portals, play = STORIES[name]
    actors = [SHOWN.get(portal, GATEWAY) for portal in portals]
    story = Story(folder)
    try:
        play(story)
        steps: list[Step] = [step for step in story.trace if {step.at, step.to} <= {*actors, ""}]
    finally:
        story.close()
    return picture(title, actors, steps)


@pytest.mark.parametrize("name", STORIES)
def test_the_picture_is_what_the_trace_gives(name: str, tmp_path: Path, project_root: Path) -> None:
    kept = (project_root / "docs" / "pictures" / f"{name}.svg").read_text("utf-8")
    assert drawn(name, tmp_path) == kept
    ET.fromstring(kept)  # noqa: S314 - our own picture


if __name__ == "__main__":
    for place in STORIES:
        with tempfile.TemporaryDirectory() as made:
            target = Path(__file__).parents[3] / "docs" / "pictures" / f"{place}.svg"
            target.write_text(drawn(place, Path(made)), "utf-8")
            sys.stdout.write(f"{target.name}\n")
