"""People are told once, whatever happens to the process; a failed notice is told again."""

import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config import Config, NotifyConfig
from gateway.notices import Notice
from gateway.notify import Notices, send
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, DossierRow, LaneKey, LaneRow, PortalRow, QuarantineRow, StageRow
from gateway.store.sqlite import SqliteStore
from schemas.clock import ManualClock

START = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)  # 08:00 in Vietnam
NOW = START.timestamp()
DAY = 86_400.0


def config(**portal: object) -> Config:
    entry = {"kind": "npsp", "mapping": "npsp/v2-2024", "silent_after_s": 3600, **portal}
    return Config.model_validate(
        {
            "environment": "test",
            "province": {"agency_code": "H99"},
            "portals": {"p": entry},
            "ownership": {"handlers": ["p"]},
            "notify": {"daily_at": "09:00", "due_within_days": 2},
        }
    )


class Office:
    """A store, a clock, and everything people were told."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "store.db")
        self.clock = ManualClock(START)
        self.told: list[str] = []
        self.texts: list[str] = []
        self.is_down = False
        self.config = config()
        self.restart()

    def restart(self) -> None:
        self.notices = Notices(self.store, self.config, self.clock, self.send)

    def send(self, notice: Notice, _config: NotifyConfig) -> None:
        if self.is_down:
            raise ConnectionRefusedError
        self.told.append(notice.subject)
        self.texts.append(notice.text)

    def watch(self, times: int = 1, every_s: float = 30) -> list[str]:
        before = len(self.told)
        for _ in range(times):
            self.notices.watch()
            self.clock.advance(every_s)
        return self.told[before:]

    def portal(self, **values: object) -> None:
        def change(tx: Tx) -> None:
            row: PortalRow = tx.portal("p")
            for name, value in values.items():
                setattr(row, name, value)
            tx.put_portal(row)

        self.store.write(change)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def test_silence_is_told_once_and_its_end_once(office: Office) -> None:
    office.portal(heard_at=NOW)
    assert office.watch(100) == []
    office.clock.advance(3600)
    assert office.watch(100) == ["p: silent since 2026-07-01 08:00"]
    office.portal(heard_at=office.clock.now().timestamp())
    assert office.watch(10) == ["p: is back"]


def test_a_restart_tells_nothing_twice(office: Office) -> None:
    office.portal(heard_at=NOW)
    office.clock.advance(3601)
    assert len(office.watch(2)) == 1
    office.restart()
    assert office.watch(2) == []


def test_our_own_standstill_is_not_the_portals_silence(office: Office) -> None:
    office.portal(heard_at=NOW - 10 * DAY)
    assert office.watch(100) == []


def test_hours_of_maintenance_are_not_silence(office: Office) -> None:
    office.config = config(maintenance=[{"starts": "08:30", "ends": "12:00"}])
    office.restart()
    office.clock.advance(7200)
    assert office.watch(10) == []


def test_a_refused_login_is_one_alarm(office: Office) -> None:
    office.portal(heard_at=NOW, doc={"login": {"since": NOW, "not_before": NOW + 300, "times": 1, "mark": ""}})
    assert office.watch(10) == ["p: the login was refused"]
    office.portal(doc={"login": {"since": NOW, "not_before": NOW + 900, "times": 2, "mark": ""}})
    assert office.watch(10) == []
    office.portal(doc={})
    assert office.watch(10) == ["p: the login works again"]


def test_a_notice_that_could_not_be_sent_is_sent_later(office: Office) -> None:
    office.portal(doc={"login": {"since": NOW, "not_before": NOW, "times": 1, "mark": ""}})
    office.is_down = True
    assert office.watch(3) == []
    office.is_down = False
    assert office.watch(3) == ["p: the login was refused"]


def owe(office: Office, code: str, due_at: float, status: str = "in_progress") -> None:
    dossier = DossierRow(f"id-{code}", dossier_code=code, status=status, due_at=due_at)
    lane = LaneRow("p", dossier.id, due_at=NOW, state="owed", reason="snapshot: retry")

    def put(tx: Tx) -> None:
        tx.put_dossiers([dossier])
        tx.put_lanes([lane])

    office.store.write(put)


def test_a_near_due_date_with_something_owed_is_told_once_per_dossier_and_date(office: Office) -> None:
    office.portal(mode="live", heard_at=NOW)
    owe(office, "near", NOW + DAY)
    owe(office, "far", NOW + 5 * DAY)
    owe(office, "ended", NOW + DAY, "returned")
    assert office.watch(5) == ["p: 1 due soon with something owed"]
    assert "near" in office.texts[-1]
    assert "far" not in office.texts[-1]
    owe(office, "next", NOW + DAY)
    office.restart()
    assert office.watch(5) == ["p: 1 due soon with something owed"]
    assert "next" in office.texts[-1]
    owe(office, "near", NOW + 1.5 * DAY)
    assert office.watch(5) == ["p: 1 due soon with something owed"]


def test_what_is_settled_and_near_again_is_told_again(office: Office) -> None:
    office.portal(mode="live", heard_at=NOW)
    owe(office, "near", NOW + DAY)
    assert len(office.watch()) == 1
    office.store.write(lambda tx: tx.put_lanes([LaneRow("p", "id-near")]))
    assert office.watch() == []
    office.store.write(lambda tx: tx.mark_due([LaneKey("p", "id-near")], NOW))
    assert len(office.watch()) == 1


def test_what_waits_for_a_person_is_told_once_a_day_from_the_set_hour_on(office: Office) -> None:
    office.config = config(silent_after_s=90 * DAY)
    office.restart()
    office.store.write(lambda tx: tx.put_quarantine(QuarantineRow("p", "1", "unreadable", "r", None, NOW)))
    assert office.watch(60, every_s=60) == []
    assert office.watch(60, every_s=60) == ["Waiting for a person"]
    assert "quarantined 1" in office.texts[-1]
    office.restart()
    assert office.watch(24 * 3, every_s=3600) == ["Waiting for a person"] * 3


def test_a_command_gets_the_text_on_its_standard_input(tmp_path: Path) -> None:
    out = tmp_path / "told"
    send(Notice("Subject", "Nội dung"), NotifyConfig(command=("tee", str(out))))
    assert out.read_text("utf-8") == "Subject\n\nNội dung"


class MailDesk(socketserver.StreamRequestHandler):
    """The least a mail server says."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                while (text := self.rfile.readline()) != b".\r\n":
                    self.server.mails.append(text)  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


def test_mail_reaches_the_server_of_the_configuration() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), MailDesk) as server:
        server.mails = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        to = NotifyConfig(
            mail_to=("it@example.invalid",), mail_from="gw@example.invalid", smtp_port=server.server_address[1]
        )
        send(Notice("p: silent", "text"), to)
        thread.join(5)
        assert b"Subject: p: silent\r\n" in server.mails  # type: ignore[attr-defined]


def test_a_late_hand_over_is_told_once_for_each_fact(office: Office) -> None:
    office.config = config_with_a_stage()
    office.restart()
    owed = StageRow("d1", "p", "births", owed_at=NOW)
    office.store.write(lambda tx: tx.put_dossiers([DossierRow("d1", national_code="000.00.01.H99-260701-0001")]))
    office.store.write(lambda tx: tx.owe_stages([owed]))
    assert office.watch(10) == []
    office.clock.advance(DAY)
    assert office.watch(10)[-1] == "p: 1 hand-overs are late"
    assert "000.00.01.H99-260701-0001" in office.texts[-1]
    assert "not handed over yet" in office.texts[-1]
    office.restart()
    assert not [told for told in office.watch(10) if "late" in told]
    owed.sent_at = office.clock.now().timestamp()
    office.store.write(lambda tx: tx.put_stages([owed]))
    assert not [told for told in office.watch(10) if "late" in told]
    office.clock.advance(DAY)
    assert [told for told in office.watch(10) if "late" in told] == ["p: 1 hand-overs are late"]
    assert "not known to be received" in office.texts[-1]


def test_a_request_that_the_handler_does_not_know_of_is_told_once_and_each_time_it_ends_so(office: Office) -> None:
    row = DeliveryRow("p/d1/command/e1@1", "", "p", "d1", "command", "supplement", "e1", state="unheard", open=False)
    row.settled_at, row.doc = NOW, {"by": "national", "asked": "submitted"}
    office.portal(heard_at=NOW)
    office.store.write(lambda tx: tx.put_dossiers([DossierRow("d1", national_code="000.00.01.H99-260701-0001")]))
    office.store.write(lambda tx: tx.put_delivery(row))
    office.is_down = True
    assert office.watch(2) == []
    office.is_down = False
    assert office.watch(10) == ["p: 1 requests of citizens that it does not know of"]
    assert office.texts[-1].startswith(f"{row.id}  000.00.01.H99-260701-0001  further papers\n")
    assert "parked drop" in office.texts[-1]
    office.restart()
    assert office.watch(2) == []
    row.settled_at = NOW + 60
    office.store.write(lambda tx: tx.put_delivery(row))
    assert len(office.watch(2)) == 1
    row.state = "superseded"
    office.store.write(lambda tx: tx.put_delivery(row))
    assert office.watch(2) == []
    assert office.store.read(lambda tx: tx.portal("p")).alarm == {}
    row.state = "unheard"
    office.store.write(lambda tx: tx.put_delivery(row))
    office.clock.advance(3600)
    assert "Waiting for a person" in office.watch(2)
    assert "requests of citizens that it does not know of 1" in office.texts[-1]


def config_with_a_stage() -> Config:
    """A route hands births over to the portal; its timers are the default ones."""
    raw = config(silent_after_s=1e9).model_dump(by_alias=True)
    return Config.model_validate({**raw, "routes": [{"name": "births", "to": "p", "kind": "forward"}]})
