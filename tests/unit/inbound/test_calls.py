"""Calls on us: each content told once, repeats, refusals, the journal, files, and what the engine makes of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest

from adapters.base import RawRecord
from adapters.receiving import InboundReply
from gateway.store.backup import backup
from gateway.store.base import Tx
from gateway.store.restore import restore
from gateway.sync.dossiers import Held
from schemas.errors import StoreError
from tests.unit.inbound.telling import MakingDesk, Push, Told
from tests.unit.sync.portals import instant
from tests.unit.sync.world import START


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Told]:
    world = Told(tmp_path)
    world.live()
    yield world
    world.close()


class TestRepeats:
    def test_the_first_call_gets_0_and_every_repeat_1_and_one_dossier_comes_of_it(self, world: Told) -> None:
        assert [world.tell()["error_code"] for _ in range(4)] == [0, 1, 1, 1]
        world.rest()
        assert world.province.made == ["N1"]
        assert world.calls() == [("N1", 1, "applied")]

    def test_of_calls_that_come_together_one_gets_0(self, world: Told) -> None:
        codes: list[int] = []
        threads = [threading.Thread(target=lambda: codes.append(world.tell()["error_code"])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [0, 1, 1, 1, 1, 1, 1, 1]
        world.rest()
        assert world.province.made == ["N1"]

    def test_two_that_meet_behind_the_first_look_are_told_apart_in_the_transaction(self, world: Told) -> None:
        meet, real = threading.Barrier(2), world.journal.append

        def together(plain: bytes, at: datetime) -> None:
            real(plain, at)
            meet.wait(5)

        world.journal.append = together  # type: ignore[method-assign]
        codes: list[int] = []
        threads = [threading.Thread(target=lambda: codes.append(world.tell()["error_code"])) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [0, 1]
        leaves = world.store.read(lambda tx: tx.leaves())
        assert [row.kind for _, row in leaves].count("inbound") == 1

    def test_two_versions_that_wait_together_are_both_heard(self, world: Told) -> None:
        world.tell(name="CÔNG DÂN THỬ NGHIỆM 01")
        world.tick()
        world.tell(name="CÔNG DÂN THỬ NGHIỆM 01 SỬA")
        world.taker.run("national")
        (dossier,) = world.store.read(lambda tx: list(tx.iter_dossiers()))
        assert len(dossier.timeline) == 2

    def test_other_content_under_the_same_number_is_a_new_version_of_the_same_dossier(self, world: Told) -> None:
        assert world.tell(name="CÔNG DÂN THỬ NGHIỆM 01")["error_code"] == 0
        world.rest()
        assert world.tell(name="CÔNG DÂN THỬ NGHIỆM 01 SỬA")["error_code"] == 1
        world.rest()
        assert world.calls() == [("N1", 1, "applied"), ("N1", 2, "applied")]
        assert world.province.made == ["N1"]
        assert world.store.read(lambda tx: tx.counts())["dossier"] == 1

    def test_where_the_protocol_wants_it_a_repeat_gets_the_first_answer_byte_for_byte(self, tmp_path: Path) -> None:
        world = Told(tmp_path, Push(repeats_first_answer=True))
        body = orjson.dumps({"code": "N1", "status": "submitted"})
        first = world.tell_raw(body)
        world.tick(60)
        assert world.tell_raw(body).body == first.body
        world.tell_raw(orjson.dumps({"code": "N1", "status": "accepted"}))
        alarms = world.store.read(lambda tx: tx.list_quarantine())
        assert [row.cause for row in alarms] == ["changed_call"]
        assert len(world.calls()) == 2, "nothing is dropped"
        world.close()

    def test_a_refused_call_is_kept_and_judged_afresh_when_it_comes_again(self, world: Told) -> None:
        offers = [{"procedure": "1.000009", "national": "", "agency": ""}]
        world.store.write(lambda tx: tx.put_catalogue("offers", "province", "1", offers, world.now()))
        assert [world.tell()["error_code"] for _ in range(2)] == [-1, -1]
        assert world.calls() == [("N1", 1, "refused")]
        offers = [{"procedure": "1.000001", "national": "", "agency": ""}]
        world.store.write(lambda tx: tx.put_catalogue("offers", "province", "2", offers, world.now()))
        assert [world.tell()["error_code"] for _ in range(2)] == [0, 1]
        assert world.calls() == [("N1", 1, "accepted")]

    def test_what_cannot_be_read_is_kept_once_with_its_reason(self, world: Told) -> None:
        for _ in range(3):
            assert orjson.loads(world.tell_raw(b"<html>").body)["error_code"] == -1
        (row,) = world.store.read(lambda tx: tx.list_quarantine())
        assert (row.cause, row.times, row.reason) == ("unreadable_call", 3, "not JSON")
        assert row.raw_id is not None
        assert b"<html>" in world.operator.raw_of(row.id or 0)
        assert world.store.read(lambda tx: tx.counts())["raw"] == 1


class TestDurable:
    def test_success_is_said_only_when_the_journal_has_it(self, world: Told) -> None:
        world.journal._folder.chmod(0o500)
        real = world.journal.append

        def full(plain: bytes, at: object) -> None:
            raise StoreError("the journal of calls cannot be written: no space left on device")

        world.journal.append = full  # type: ignore[assignment, method-assign]
        assert world.tell()["error_code"] == -1
        assert world.calls() == []
        world.journal.append = real  # type: ignore[method-assign]
        world.journal._folder.chmod(0o700)
        assert world.tell()["error_code"] == 0

    def test_a_call_answered_before_a_kill_is_taken_in_after_it(self, world: Told) -> None:
        world.tell()
        world.restart()
        world.rest()
        assert world.province.made == ["N1"]
        assert world.tell()["error_code"] == 1

    def test_s27_a_push_answered_after_the_backup_is_in_the_journal(self, world: Told, tmp_path: Path) -> None:
        world.tell("N1")
        world.rest()
        manifest = backup(tmp_path / "store.db", tmp_path / "backups", world.clock.now())
        world.tick(60)
        world.tell("N2", files=[{"name": "đơn.txt", "text": "nội dung"}])
        world.rest()
        world.close()
        restore(tmp_path / "backups" / manifest.name, tmp_path / "store.db", world.clock.now(), actor="test")
        world.open()
        assert world.calls() == [("N1", 1, "applied")]
        assert world.replay() == 1
        assert world.replay() == 0
        assert world.tell("N2", files=[{"name": "đơn.txt", "text": "nội dung"}])["error_code"] == 1
        for name in ("province", "national", "justice"):
            world.engine.reconcile(name)
        world.live()
        world.rest()
        assert world.province.made == ["N1", "N2"], "made once, before the restore"
        assert world.store.read(lambda tx: tx.counts())["dossier"] == 2
        assert [file.ref for file in world.store.read(lambda tx: tx.files_of_call("national", "N2"))] == ["file 0"]

    def test_a_torn_entry_is_cut_off_and_the_next_is_read(self, world: Told) -> None:
        world.tell("N1")
        world.close()
        (path,) = world.journal._folder.glob("*.journal")
        with path.open("ab") as file:
            file.write(b"\x00\x00\x01\x00torn")
        world.open()
        world.tell("N2")
        assert len(list(world.journal.entries(world.clock.now()))) == 2


class TestFiles:
    def test_a_file_is_sealed_named_by_digest_and_served_to_whom_it_concerns(self, world: Told) -> None:
        world.tell(files=[{"name": "đơn đề nghị.txt", "text": "nội dung " * 20_000}])
        world.rest()
        (file,) = world.store.read(lambda tx: tx.files_of_call("national", "N1"))
        assert file.dossier_id
        assert file.media_type == "text/plain"
        kept = (Path(world.config.store.files) / file.id).read_bytes()
        assert "nội dung".encode() not in kept
        asked = orjson.dumps({"code": "N1", "ask": "file", "id": file.id})
        assert b"HeldFile" in world.tell_raw(asked).body
        world.tick(91 * 86400)
        assert world.tell_raw(asked).body == b"None", "its day has come"

    def test_a_file_that_comes_again_with_other_content_stays_its_dossiers(self, world: Told) -> None:
        """Between the second call and its taking in the dossier was made, without the paper it had come with."""
        paper = [{"name": "đơn đề nghị.txt", "text": "nội dung"}]
        world.tell(files=paper)
        world.taker.run("national")
        (dossier,) = world.store.read(lambda tx: list(tx.iter_dossiers()))
        assert [file.ref for file in world.store.read(lambda tx: tx.files_of(dossier.id))] == ["file 0"]
        assert world.tell(files=paper, note="thêm một dòng")["error_code"] == 1
        assert [file.ref for file in world.store.read(lambda tx: tx.files_of(dossier.id))] == ["file 0"]

    @pytest.mark.parametrize("text", ["", "<html><body>đăng nhập</body></html>", "MZ program", "x" * 1_100_000])
    def test_a_file_that_nobody_can_read_or_that_is_too_large_is_refused_and_leaves_nothing(
        self, world: Told, text: str
    ) -> None:
        assert world.tell(files=[{"name": "a", "text": text}])["error_code"] == -1
        assert list(Path(world.config.store.files).iterdir()) == []
        assert world.calls() == [("N1", 1, "refused")]

    def test_a_slice_exchanged_or_cut_off_is_noticed(self, world: Told) -> None:
        world.tell(files=[{"name": "a", "text": "".join(chr(97 + n % 26) for n in range(200_000))}])
        (file,) = world.store.read(lambda tx: tx.files_of_call("national", "N1"))
        path = Path(world.config.store.files) / file.id
        whole = path.read_bytes()
        size = 4 + int.from_bytes(whole[:4], "big")
        for broken in (whole[size:], whole[: 2 * size], whole[size : 2 * size] + whole[:size] + whole[2 * size :]):
            path.write_bytes(broken)
            with pytest.raises(StoreError):
                b"".join(world.desk.files.open(file))


class TestBorn:
    def test_the_handler_makes_it_once_and_its_acts_are_told_to_the_national_portal(self, world: Told) -> None:
        world.tell()
        world.rest()
        assert world.province.made == ["N1"]
        world.province.act("ref-N1", "in_progress", at=world.tick())
        world.rest()
        assert world.rows("N1") == ["accepted", "in_progress"]

    def test_where_no_agency_is_named_the_only_one_that_offers_the_procedure_gets_it(self, world: Told) -> None:
        offers = [{"procedure": "1.000001", "national": "", "agency": "H99.13"}]
        world.store.write(lambda tx: tx.put_catalogue("offers", "province", "1", offers, world.now()))
        assert world.tell()["error_code"] == 0
        world.rest()
        assert world.province.agencies == ["H99.13"]

    def test_where_several_agencies_offer_it_and_none_is_named_nobody_guesses(self, world: Told) -> None:
        offers = [{"procedure": "1.000001", "national": "", "agency": one} for one in ("H99.13", "H99.19")]
        world.store.write(lambda tx: tx.put_catalogue("offers", "province", "1", offers, world.now()))
        assert world.tell()["error_code"] == -1

    def test_a_submission_older_than_the_line_is_made_for_we_said_yes(self, world: Told) -> None:
        assert world.tell(at=instant(START.timestamp() - 30 * 86400))["error_code"] == 0
        world.rest()
        assert world.province.made == ["N1"]

    def test_s26_a_submission_only_read_at_its_portal_and_older_than_the_line_is_not_made(self, world: Told) -> None:
        at = instant(START.timestamp() - 30 * 86400)
        said = {"code": "N1", "national": "N1", "procedure": "1.000001", "person": "000000000001", "act": "7",
                "status": "submitted", "at": at}  # fmt: skip
        record = RawRecord("N1", {"dossier": said}, orjson.dumps(said), world.clock.now())
        world.engine.take_in("national", [record], lambda tx: None)
        world.rest()
        assert world.province.made == []

    def test_a_submission_heard_in_watch_is_made_after_a_later_line(self, tmp_path: Path) -> None:
        with closing(Told(tmp_path)) as world:
            assert world.tell()["error_code"] == 0
            world.round()
            assert world.province.made == []
            world.live(line=world.tick(3600))
            world.rest()
            assert world.province.made == ["N1"]

    def test_a_submission_is_refused_where_nobody_would_be_asked_to_make_it(self, tmp_path: Path) -> None:
        with closing(Told(tmp_path, births=())) as world:
            world.live()
            assert world.tell()["error_code"] == -1
            assert world.calls() == [("N1", 1, "refused")]

    def test_an_answer_lost_after_the_making_makes_no_second_one(self, world: Told) -> None:
        world.province.faults = ["lost"]
        world.tell()
        world.rest()
        assert world.province.made == ["N1"]
        assert world.store.read(lambda tx: tx.counts())["dossier"] == 1

    def test_a_refusal_for_good_is_parked_and_told_as_a_status_with_its_reason(self, world: Told) -> None:
        world.province.faults = ["never"]
        world.tell()
        world.rest()
        (parked,) = world.deliveries("parked")
        assert parked.portal == "province"
        assert world.rows("N1") == ["not_accepted"]
        world.operator.retry(parked.id or 0, "test")
        world.rest()
        assert world.province.made == ["N1"]
        assert world.rows("N1") == ["not_accepted", "accepted"]

    def test_a_dossier_that_the_handler_has_already_is_not_made_again(self, world: Told) -> None:
        world.province.open("own", at=world.now(), code="P1", national="N1", status="accepted")
        world.rest()
        world.tell()
        world.rest()
        assert world.province.made == []
        assert world.store.read(lambda tx: tx.counts())["dossier"] == 1

    def test_a_refusal_holds_until_the_province_shows_the_dossier_whatever_its_clock_says(self, world: Told) -> None:
        """An officer had entered it by then, or by a slow clock: the citizen read that nobody takes it, for ever."""
        world.province.faults = ["never"]
        world.tell()
        entered = world.now()
        world.tick(60)
        world.rest()
        assert world.national.shown["N1"]["status"] == "not_accepted"
        world.province.open("r9", at=entered + 5, status="accepted", code="N1", national="N1")
        world.rest()
        assert world.national.shown["N1"]["status"] == "accepted"
        assert world.rows("N1") == ["not_accepted", "accepted"]

    def test_a_message_about_a_record_leaves_the_other_facts_and_is_never_too_old(self, world: Told) -> None:
        world.tell(name="CÔNG DÂN THỬ NGHIỆM 01")
        world.rest()
        before = world.province.reads
        later = world.clock.now() + timedelta(seconds=600)
        world.store.write(lambda tx: _read_at(tx, later.timestamp()))
        world.tell_raw(orjson.dumps({"code": "N1", "status": "withdrawal_requested", "paid": True}))
        world.rest()
        assert world.province.reads > before
        row = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
        assert Held.open(row, world.vault).facts["national"]["applicant"]["name"]
        assert world.province.folders["ref-N1"].detail["status"] == "withdrawal_requested"


def _read_at(tx: Tx, at: float) -> None:
    record = tx.records("national", ["N1"])["N1"]
    record.read_at = at
    tx.put_records([record])


def test_an_answer_is_worded_once(world: Told) -> None:
    """The bytes kept are the bytes sent."""
    reply: InboundReply = world.tell_raw(orjson.dumps({"code": "N1", "status": "submitted"}))
    (row,) = world.store.read(lambda tx: tx.list_inbound())
    assert row.answer == reply.body
    assert isinstance(world.province, MakingDesk)
