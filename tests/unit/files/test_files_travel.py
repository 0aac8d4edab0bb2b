"""Files travel with their dossier: what is sent once waits for them, a copy is mended when they are here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.base import FileUse, Repeat
from adapters.receiving import Question
from gateway.files import fetching
from gateway.files.fetching import AT_ONCE
from gateway.inbound.answers import Answers
from gateway.sync.files import Missing, want
from schemas.errors import StoreError
from tests.unit.files.town import CODE, LINKS, PDF, T0, Justice, Town, shown, town_config, using
from tests.unit.sync.portals import Ministry

HOUR = 3600.0


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class WithHealth(Town):
    """A second ministry with results."""

    health: Justice

    def new_ministry(self, name: str, repeat: Repeat) -> Ministry:
        if name != "health":
            return super().new_ministry(name, repeat)
        made = self.health = Justice(name, self.clock, repeat)
        made.begin()
        made.got, made.bodies, made.town, made.results = [], [], self, {}
        using(made, FileUse.CONTENT)
        return made


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def fetched_by(town: Town, portal: str, url: str) -> Any:
    """What a portal gets that asks for the last part of an address."""
    answers = Answers(town.config, town.store, town.vault, town.files, town.clock)
    return answers(town.shop.portals[portal], Question("file", {"id": url.rpartition("/")[2]}))


def content(found: Any) -> bytes:
    """The bytes of an answered file."""
    return b"".join(found["file"].open())


def test_a_certificate_lies_at_the_province_with_its_act_and_has_an_address_at_the_national_portal(town: Town) -> None:
    town.born()
    town.rest()
    town.completed(town.justice.row("cert:1", "Giấy khai sinh.pdf", digest=sha(PDF)))
    town.rest()
    assert town.province.got == [{"Giấy khai sinh.pdf": sha(PDF)}], "the bytes came with the act, once"
    assert [town.read(row) for row in town.kept()] == [PDF]
    (row,) = shown(town)
    assert row["url"].startswith(f"{LINKS}/") and len(row["url"].rpartition("/")[2]) == 36
    assert (row["sha256"], row["size"], row["type"]) == (sha(PDF), len(PDF), "application/pdf")
    assert content(fetched_by(town, "national", row["url"])) == PDF
    assert fetched_by(town, "province", row["url"]) is None, "another portal's address is none"
    assert town.justice.opened == ["cert:1"]


def test_a_dossiers_papers_reach_the_ministry_whole_with_the_declaration(town: Town) -> None:
    papers = [town.province.row(f"r1/f{n}", f"Tờ khai số {n}.pdf", PDF + bytes([n])) for n in range(3)]
    town.born(*papers)
    town.rest()
    assert town.justice.got == [{f"Tờ khai số {n}.pdf": sha(PDF + bytes([n])) for n in range(3)}]
    assert town.justice.pushes == [("declare", CODE)]


def test_a_declaration_waits_for_its_papers_with_a_reason_and_a_copy_does_not(town: Town) -> None:
    town.province.trouble = ["away"] * 2
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.round()
    assert town.justice.pushes == []
    lane = town.lane("justice")
    assert (lane.state, lane.reason) == ("owed", "command: files that province holds are not here yet (1)")
    assert lane.due_at is not None
    assert "url" not in town.national.shown[CODE]["papers"][0], "the copy is there, without an address"
    town.rest(every_s=40)
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    assert town.national.shown[CODE]["papers"][0]["url"].startswith(LINKS)


@pytest.mark.parametrize("trouble", ["away", "cut", "html", "other", "slow"])
def test_a_file_that_comes_broken_is_asked_for_again(town: Town, trouble: str) -> None:
    town.province.trouble = [trouble] * 3
    paper = town.province.row("r1/f1", "Tờ khai.pdf", sha256=sha(PDF))
    del paper["size"]
    if trouble == "cut":
        del paper["sha256"]  # only the portal's own word on how much it sends tells
    town.born(paper)
    town.rest(every_s=60)
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    assert len(town.province.opened) == 4
    assert [path.name for path in (town.folder / "files").iterdir()] == [row.id for row in town.kept()]


def test_noise_of_the_right_length_is_not_taken_for_the_file(town: Town) -> None:
    """Seen in a demo: a portal without digests answered 97 bytes of noise where 97 were promised."""
    town.province.trouble = ["noise"] * 3
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.rest(every_s=60)
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    assert len(town.province.opened) == 4, "twice noise in one go, later noise and the file in one go"
    assert [path.name for path in (town.folder / "files").iterdir()] == [row.id for row in town.kept()]


def test_a_file_that_is_the_same_twice_is_believed_whatever_its_name_says(town: Town) -> None:
    text = "Tờ khai của CÔNG DÂN THỬ NGHIỆM 01".encode()
    town.born(town.province.row("r1/f1", "Tờ khai.pdf", text))
    town.rest()
    assert town.justice.got == [{"Tờ khai.pdf": sha(text)}]
    assert len(town.province.opened) == 2


def test_a_file_of_another_known_kind_than_its_name_says_is_taken_at_once(town: Town) -> None:
    """People give wrong endings, and some portals make such a file anew at each call."""
    town.born(town.province.row("r1/f1", "Tờ khai.docx"))
    town.rest()
    assert town.justice.got == [{"Tờ khai.docx": sha(PDF)}]
    assert len(town.province.opened) == 1


def test_a_file_refused_for_good_holds_nobody_up_and_a_person_is_told(town: Town) -> None:
    town.born()
    town.rest()
    row = town.justice.row("cert:1", "Giấy khai sinh.pdf")
    town.justice.shelf.clear()
    town.completed(row)
    town.rest()
    assert town.province.folders["r1"].detail["status"] == "completed"
    assert town.province.got == [{}], "the act went without it"
    assert [(one.state, one.tries, one.reason) for one in town.wanted()] == [("given_up", 1, "no such file")]
    assert "url" not in shown(town)[0] and shown(town)[0]["name"] == "Giấy khai sinh.pdf"


def test_patience_ends_and_what_waited_goes_on(town: Town) -> None:
    town.province.trouble = ["away"] * 10_000
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    for _ in range(23):
        town.tick(HOUR)
        town.round()
    assert town.justice.pushes == []
    town.tick(2 * HOUR)
    town.rest(every_s=HOUR)
    assert town.justice.got == [{}]
    assert town.wanted()[0].state == "given_up"


@pytest.mark.parametrize("closed", ["", "login refused"])
def test_a_portal_that_may_not_be_asked_is_not_waited_for_for_ever(town: Town, closed: str) -> None:
    town.born()
    town.rest()
    town.completed(town.justice.row("cert:1", "Giấy khai sinh.pdf"))
    town.tick()
    town.engine.pull("justice")
    town.engine.deliver("province")
    for _ in range(0 if closed else 5):
        town.shop.portals["justice"].breaker.failed("no answer")
    town.justice.down = not closed
    for _ in range(47):
        town.tick(HOUR)
        town.fetchers["justice"].run(closed)
        town.engine.deliver("province")
    assert town.province.got == [] and town.wanted()[0].state == "wanted"
    for _ in range(3):
        town.tick(HOUR)
        town.fetchers["justice"].run(closed)
        town.engine.deliver("province")
    assert town.province.got == [{}] and town.justice.opened == []


def test_what_was_taken_back_does_not_travel(town: Town) -> None:
    town.born(
        town.province.row("r1/f1", "Tờ khai.pdf"),
        town.province.row("r1/f2", "Tờ bỏ.pdf", PDF + b"2", gone=True),
    )
    town.rest()
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    assert town.province.opened == ["r1/f1"]


def test_another_file_under_the_same_reference_is_another_file(town: Town) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.rest()
    first = town.national.shown[CODE]["papers"][0]
    town.province.folders["r1"].detail["papers"] = [town.province.row("r1/f1", "Tờ khai.pdf", PDF + b"%% 2")]
    town.province.act("r1", "in_progress", at=town.tick())
    town.rest()
    second = town.national.shown[CODE]["papers"][0]
    assert first["url"] != second["url"] and second["sha256"] == sha(PDF + b"%% 2")
    town.province.act("r1", "forwarded", at=town.tick())
    town.rest()
    assert town.justice.got[-1] == {"Tờ khai.pdf": sha(PDF + b"%% 2")}


def test_the_same_file_has_the_same_bytes_and_address_at_every_write(town: Town) -> None:
    town.province.open("r1", at=town.tick(), code=CODE, status="accepted", papers=[town.province.row("f", "Đơn.pdf")])
    town.rest()
    first = town.national.shown[CODE]["papers"]
    town.province.act("r1", "in_progress", at=town.tick())
    town.rest()
    assert town.national.shown[CODE]["papers"] == first
    assert town.province.opened == ["f"]


def test_a_declaration_repeated_after_a_lost_answer_names_the_same_bytes(town: Town) -> None:
    town.justice.faults = ["cut"]
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.round()
    (open_one,) = town.open_deliveries()
    assert open_one.doc["files"] == {town.kept()[0].id: sha(PDF)}
    town.tick(1000 * 24 * HOUR)
    assert town.store.read(lambda tx: tx.expired_files(town.now())) == [], "kept as long as it may be sent again"
    town.rest()
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    assert [row.id for row in town.store.read(lambda tx: tx.expired_files(town.now()))] == [town.kept()[0].id]


def test_a_file_whose_day_has_come_is_asked_for_again_when_it_is_needed(town: Town) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.rest()
    gone = town.kept()
    town.files.remove(gone)
    town.store.write(lambda tx: tx.drop_files(row.id for row in gone))
    url = town.national.shown[CODE]["papers"][0]["url"]
    assert fetched_by(town, "national", url) is None
    town.province.act("r1", "supplement_requested", at=town.tick())
    town.province.act("r1", "forwarded", at=town.tick())
    town.rest()
    assert town.justice.got[-1] == {"Tờ khai.pdf": sha(PDF)}
    assert content(fetched_by(town, "national", url)) == PDF
    assert [row["url"] for row in town.national.shown[CODE]["papers"]] == [url]


def test_a_death_between_disk_and_row_leaves_one_row_and_no_second_file(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("justice")
    with monkeypatch.context() as dying:

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        dying.setattr(town.fetchers["province"], "_had", killed)
        with pytest.raises(KeyboardInterrupt):
            town.fetchers["province"].run()
    assert town.kept() == [] and town.wanted()[0].state == "wanted"
    town.restart()
    town.rest()
    assert len(town.kept()) == 1 and len(list((town.folder / "files").iterdir())) == 1
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]


def test_nothing_is_asked_for_a_dossier_of_before_the_line_nor_by_a_preview(town: Town) -> None:
    town.province.open(
        "old", at=T0 - 48 * HOUR, code="H99-1", procedure="2.000001", status="forwarded",
        papers=[town.province.row("old/f", "Cũ.pdf")],
    )  # fmt: skip
    town.rest()
    assert town.store.read(lambda tx: tx.counts())["wanted_file"] == 0
    town.province.open("r2", at=town.tick(), code="H99-2", status="forwarded", procedure="2.000001",
                       papers=[town.province.row("r2/f", "Mới.pdf")])  # fmt: skip
    town.engine.pull("province")
    assert "first 1 files are fetched" in [write.reason for write in town.engine.preview()]
    assert town.store.read(lambda tx: tx.counts())["wanted_file"] == 0 and town.province.opened == []


def test_no_file_is_fetched_for_addresses_that_nobody_can_be_given(tmp_path: Path) -> None:
    raw = town_config()
    del raw["portals"]["national"]["inbound"]
    town = Town(tmp_path, raw)
    town.province.open("r1", at=town.tick(), code=CODE, status="accepted", papers=[town.province.row("f", "Đơn.pdf")])
    town.rest()
    assert "url" not in town.national.shown[CODE]["papers"][0]
    assert town.province.opened == [] and town.wanted() == []
    town.close()


def test_results_of_every_ministry_of_a_group_come_with_the_act_that_ends_it(tmp_path: Path) -> None:
    raw = town_config()
    when = {"procedures": ["2.*"], "wires": ["forwarded"]}
    raw["portals"]["health"] = dict(raw["portals"]["justice"])
    raw["routes"] = [
        {"name": "national", "to": "national"},
        *(
            {"name": name, "to": name, "kind": "forward", "when": when, "group": "birth"}
            for name in ("justice", "health")
        ),
    ]
    raw["groups"] = {"birth": {"when_all": {"act": "completed", "from": ["forwarded"]}}}
    town = Town(tmp_path, raw)
    town.born()
    town.rest()
    town.completed(town.justice.row("cert:1", "Giấy khai sinh.pdf"))
    town.rest()
    assert town.province.got == []
    town.tick(60)
    town.others["health"].states[CODE] = ("completed", "")
    town.rest()
    assert town.province.got == [{"Giấy khai sinh.pdf": sha(PDF)}]
    town.close()


def test_the_national_portal_gets_the_results_of_every_ministry(tmp_path: Path) -> None:
    raw = town_config()
    when = {"procedures": ["2.*"], "wires": ["forwarded"]}
    raw["portals"]["health"] = dict(raw["portals"]["justice"])
    routes = [{"name": name, "to": name, "kind": "forward", "when": when} for name in ("justice", "health")]
    raw["routes"] = [{"name": "national", "to": "national"}, *routes]
    town = WithHealth(tmp_path, raw)
    town.born()
    town.rest()
    town.completed(town.justice.row("cert:1", "Giấy khai sinh.pdf"))
    town.health.states[CODE] = ("completed", "")
    town.health.results[CODE] = [town.health.row("card:1", "Thẻ bảo hiểm.pdf", PDF + b"2")]
    town.rest()
    assert [(row["name"], row["sha256"]) for row in shown(town)] == [
        ("Thẻ bảo hiểm.pdf", sha(PDF + b"2")),
        ("Giấy khai sinh.pdf", sha(PDF)),
    ]
    assert [sha(content(fetched_by(town, "national", row["url"]))) for row in shown(town)] == [
        row["sha256"] for row in shown(town)
    ]
    town.close()


def test_a_ministrys_word_for_a_file_of_another_portal_opens_nothing(town: Town) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.rest()
    (kept,) = town.kept()
    town.completed({"ref": kept.id, "name": "Lạ.pdf"}, {"ref": "r1/f1", "name": "Khác.pdf"})
    town.rest()
    assert town.province.got == [{}]
    assert {one.portal for one in town.wanted() if one.state == "given_up"} == {"justice"}


def test_a_size_that_its_record_does_not_name_is_not_the_file(town: Town) -> None:
    town.born({**town.province.row("r1/f1", "Tờ khai.pdf"), "size": len(PDF) + 1})
    town.round()
    assert town.justice.pushes == [] and town.kept() == []
    assert town.wanted()[0].reason == "it came with another size than its record names"


def test_a_paper_that_was_taken_out_before_it_came_is_nobodys_worry(town: Town) -> None:
    town.province.trouble = ["away"]
    town.born(town.province.row("r1/f1", "Tờ nhầm.pdf"))
    town.round()
    town.province.folders["r1"].detail["papers"] = [town.province.row("r1/f2", "Tờ khai.pdf", PDF + b"2")]
    town.rest()
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF + b"2")}]
    assert [one.state for one in town.wanted()] == ["let_go", "held"]
    assert town.province.opened == ["r1/f1", "r1/f2"]


def test_what_something_sent_once_waits_for_is_fetched_before_what_copies_get(town: Town) -> None:
    for number in range(30):
        code = f"H99-261102-1{number:04}"
        papers = [town.province.row(f"m{number}", f"Bản sao {number}.pdf")]
        town.province.open(f"m{number}", at=town.tick(), code=code, status="accepted", papers=papers)
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("national")
    assert town.store.read(lambda tx: tx.counts())["wanted_file"] == 31
    town.engine.deliver("justice")
    town.fetchers["province"].run()
    assert town.province.opened.index("r1/f1") < 4


@pytest.mark.parametrize("portal", ["province", "justice"])
def test_a_file_that_comes_while_its_lane_is_still_worked_is_not_waited_for(town: Town, portal: str) -> None:
    """It was asked for, and is here before the lane is given back: nobody wakes that lane again."""
    asked: list[str] = []

    def at_once(name: str) -> None:
        asked.append(name)
        town.fetchers[name].run()

    object.__setattr__(town.shop, "fetch", at_once)
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.round()
    if portal == "justice":
        town.completed(town.justice.row("cert:1", "Giấy khai sinh.pdf", digest=sha(PDF)))
        town.round()
    assert portal in asked
    assert "not here yet" not in town.lane("justice").reason
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    if portal == "justice":
        assert "not here yet" not in town.lane("province").reason
        assert town.province.got == [{"Giấy khai sinh.pdf": sha(PDF)}]


def test_a_full_disk_is_tried_again_and_stops_no_other_file(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    place, full = town.files.place, ["full"]

    def placing(held: Any) -> Any:
        if full and held[0].row.ref == "r1/f1":
            full.pop()
            town.files.let_go(held)
            raise StoreError("a file cannot be kept: No space left on device")
        return place(held)

    monkeypatch.setattr(town.files, "place", placing)
    town.born(town.province.row("r1/f1", "Một.pdf"), town.province.row("r1/f2", "Hai.pdf", PDF + b"2"))
    town.round()
    assert [(one.ref, one.state) for one in town.wanted()] == [("r1/f1", "wanted"), ("r1/f2", "held")]
    town.rest()
    assert town.justice.got == [{"Một.pdf": sha(PDF), "Hai.pdf": sha(PDF + b"2")}]
    assert len(list((town.folder / "files").iterdir())) == 2


def test_a_refused_login_gives_no_file_up_and_is_not_tried_file_by_file(town: Town) -> None:
    town.province.trouble = ["login"] * 50
    town.born(*(town.province.row(f"r1/f{number}", f"Tờ {number}.pdf") for number in range(20)))
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("justice")
    assert town.fetchers["province"].run().reason == "login refused"
    assert len(town.province.opened) <= AT_ONCE
    assert {one.state for one in town.wanted()} == {"wanted"}
    town.province.trouble = []
    town.rest()
    assert len(town.justice.got[0]) == 20


def test_files_that_are_not_to_be_had_do_not_stop_everything_else_at_their_portal(town: Town) -> None:
    town.province.trouble = ["odd"] * 20
    town.born(*(town.province.row(f"r1/f{number}", f"Tờ {number}.pdf") for number in range(20)))
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("justice")
    town.fetchers["province"].run()
    assert town.shop.portals["province"].breaker.state["failures"] == 0


@pytest.mark.parametrize("trouble", [0, 1, 2])
def test_a_copy_is_sent_again_once_for_all_its_files(town: Town, trouble: int) -> None:
    """And once more for those that came later, also where each is told of at once."""
    object.__setattr__(town.shop, "wake", lambda portal: portal == "national" and town.engine.deliver("national"))
    town.province.trouble = ["away"] * trouble
    papers = [town.province.row(f"f{number}", f"Tờ {number}.pdf", PDF + bytes([number])) for number in range(9)]
    town.province.open("r1", at=town.tick(), code=CODE, status="accepted", papers=papers)
    town.rest()
    assert all(paper["url"] for paper in town.national.shown[CODE]["papers"])
    writes = [what for what, _ in town.national.writes if what != "progress"]
    assert writes[:2] == ["insert", "update"] and bool(trouble) <= len(writes[2:]) <= trouble


def test_a_declaration_whose_papers_are_here_does_not_wait_for_what_only_a_copy_gets(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their portal falls silent behind the paper, before the officer's result that only the copy names."""
    town.province.open(
        "r1", at=town.tick(), code=CODE, procedure="2.000001", status="forwarded",
        papers=[town.province.row("r1/f1", "Tờ khai.pdf")], results=[town.province.row("r1/f2", "Kết quả.pdf")],
    )  # fmt: skip
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("national")
    town.engine.deliver("justice")
    assert [(one.ref, one.urgent) for one in town.wanted()] == [("r1/f1", True), ("r1/f2", False)]
    fetcher, silent = town.fetchers["province"], iter(["", "breaker open"])
    monkeypatch.setattr(fetching, "BATCH", 1)
    monkeypatch.setattr(fetcher, "_closed", lambda: next(silent))
    assert fetcher.run().reason == "breaker open"
    town.engine.deliver("justice")
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}], "it did not wait for the end of the silence"


def test_a_gateway_that_stood_still_longer_than_the_patience_asks_more_than_once(town: Town) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("justice")
    town.tick(72 * HOUR)
    town.restart()
    town.province.trouble = ["away"]
    town.rest()
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
    assert town.wanted()[0].state == "held"


def test_a_file_that_came_while_something_sent_once_was_planned_is_not_fetched_again(town: Town) -> None:
    town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
    town.tick()
    town.engine.pull("province")
    town.engine.deliver("national")
    (wish,) = town.wanted()
    missing = Missing(wish.portal, wish.ref, wish.version, known=True)
    town.fetchers["province"].run()
    assert town.store.write(lambda tx: want(tx, "d0001", [missing], town.now(), urgent=True)) == set()
    town.files.remove(town.kept())
    town.store.write(lambda tx: tx.drop_files([row.id for row in town.kept()]))
    assert town.store.write(lambda tx: want(tx, "d0001", [missing], town.now(), urgent=True)) == {"province"}


def test_a_secret_that_is_not_set_any_more_is_no_erased_dossier(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for again at once and for ever, it would fill the log, and nobody would be told."""

    def unset(ref: str) -> Any:
        town.province.opened.append(ref)
        raise KeyError("PROVINCE_PASSWORD")

    with monkeypatch.context() as without:
        without.setattr(town.province, "open_file", unset)
        town.born(town.province.row("r1/f1", "Tờ khai.pdf"))
        for _ in range(8):
            town.round()
        (wish,) = town.wanted()
        assert (wish.state, wish.reason) == ("wanted", "a secret is not set, or an error of the gateway itself")
        assert len(town.province.opened) <= 2
    town.rest(every_s=40)
    assert town.justice.got == [{"Tờ khai.pdf": sha(PDF)}]
