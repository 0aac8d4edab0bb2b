"""Who is told, and when: once when a portal falls silent, once when it is back, daily what is parked, due dates near.

What was told is kept in the store, so that a restart tells nothing twice. A notice names portals, numbers of dossiers
and dossier codes; it never holds personal data.
"""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Callable, Iterator
from email.message import EmailMessage

from gateway import notices
from gateway.config import Config, NotifyConfig
from gateway.log import get_logger
from gateway.notices import Notice
from gateway.store.base import Store, Tx
from gateway.store.rows import Json
from gateway.sync.applying import BRAKED
from gateway.sync.portal import inside
from gateway.sync.standing import AtRisk, PortalStatus, StatusReport, status
from gateway.sync.standing_requests import UnheardRequest
from gateway.sync.standing_stages import LateStage
from schemas.clock import VIETNAM, Clock

COMMAND_TIMEOUT_S = 60.0
MAIL_TIMEOUT_S = 30.0
DAY_SETTING = "notified_on"

log = get_logger()


def send(notice: Notice, config: NotifyConfig) -> None:
    """Run the command with the text on its standard input, and send mail; nothing happens when neither is set.

    Raises:
        OSError: The command cannot be started, or the mail server is not reached or refuses.
        subprocess.SubprocessError: The command failed or took more than a minute.
    """
    if config.command:
        words = f"{notice.subject}\n\n{notice.text}".encode()
        subprocess.run(config.command, input=words, check=True, timeout=COMMAND_TIMEOUT_S, capture_output=True)
    if config.mail_to:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = notice.subject, config.mail_from, ", ".join(config.mail_to)
        mail.set_content(notice.text)
        with smtplib.SMTP(config.smtp_host, config.smtp_port, timeout=MAIL_TIMEOUT_S) as server:
            server.send_message(mail)


class Notices:
    """Looks how things stand and tells what is new."""

    def __init__(
        self, store: Store, config: Config, clock: Clock, sender: Callable[[Notice, NotifyConfig], None] = send
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._send = sender
        self._started_at = clock.now().timestamp()

    def watch(self) -> None:
        """One look; each finding is told once."""
        report = status(self._store, self._config, self._clock.now().timestamp())
        for portal in report.portals:
            for name, holds, begun, ended in self._alarms(portal):
                self._alarm(portal.portal, name, holds, begun, ended)
            self._near(portal.portal, [risk for risk in report.at_risk if risk.portal == portal.portal])
            self._late(portal.portal, [late for late in report.late if late.stage.portal == portal.portal])
            self._unheard(portal.portal, [one for one in report.unheard if one.portal == portal.portal])
        self._daily(report)

    def _alarms(self, portal: PortalStatus) -> Iterator[tuple[str, bool, Notice, Notice | None]]:
        yield "silent", self._is_silent(portal), notices.silent(portal), notices.back(portal)
        refused = portal.login_refused_since is not None
        yield "login_refused", refused, notices.login_refused(portal), notices.login_works(portal)
        yield "braked", portal.paused.startswith(("one sweep", BRAKED)), notices.braked(portal), None

    def _is_silent(self, portal: PortalStatus) -> bool:
        """Silence is counted from our own start, and not during a maintenance window: neither is the portal's fault.

        Once told, it ends only when the portal is heard.
        """
        now = self._clock.now()
        told: Json | None = self._store.read(lambda tx: tx.portal(portal.portal)).alarm.get("silent")
        if told is not None:
            return portal.heard_at is None or portal.heard_at <= told["since"]
        entry = self._config.portals[portal.portal]
        if any(inside(window, now) for window in entry.maintenance):
            return False
        heard = max(portal.heard_at or 0.0, self._started_at)
        return now.timestamp() - heard > entry.silent_after_s

    def _alarm(self, portal: str, name: str, holds: bool, begun: Notice, ended: Notice | None) -> None:
        told = self._store.read(lambda tx: tx.portal(portal)).alarm.get(name)
        if holds == (told is not None):
            return
        if holds:
            log.warning("alarm_began", portal=portal, alarm=name)
            self._tell(portal, name, {"since": self._clock.now().timestamp()}, begun)
        else:
            log.info("alarm_ended", portal=portal, alarm=name)
            self._tell(portal, name, None, ended)

    def _near(self, portal: str, risks: list[AtRisk]) -> None:
        """Due dates that are near with something owed: each dossier once per due date."""
        told: Json = self._store.read(lambda tx: tx.portal(portal)).alarm.get("due") or {}
        now_at_risk = {risk.dossier_id: risk.due_at for risk in risks}
        fresh = [risk for risk in risks if told.get(risk.dossier_id) != risk.due_at]
        if fresh:
            self._tell(portal, "due", now_at_risk, notices.due_soon(portal, fresh))
        elif set(told) - set(now_at_risk):
            self._note(portal, "due", now_at_risk or None)

    def _late(self, portal: str, overdue: list[LateStage]) -> None:
        """Answers of a partner that should be there by now: each hand-over once for each fact that is missing."""
        told: Json = self._store.read(lambda tx: tx.portal(portal)).alarm.get("late") or {}
        now_late = {f"{late.stage.dossier_id}/{late.stage.route}": late.reason for late in overdue}
        fresh = [late for late in overdue if told.get(f"{late.stage.dossier_id}/{late.stage.route}") != late.reason]
        if fresh:
            self._tell(portal, "late", now_late, notices.late(portal, fresh))
        elif set(told) - set(now_late):
            self._note(portal, "late", now_late or None)

    def _unheard(self, portal: str, requests: list[UnheardRequest]) -> None:
        """Requests of citizens that the handler does not know of: each once, and again if it ends so again."""
        told: Json = self._store.read(lambda tx: tx.portal(portal)).alarm.get("unheard") or {}
        waiting = {str(one.number): one.at for one in requests}
        fresh = [one for one in requests if told.get(str(one.number)) != one.at]
        if fresh:
            self._tell(portal, "unheard", waiting, notices.unheard(portal, fresh))
        elif set(told) - set(waiting):
            self._note(portal, "unheard", waiting or None)

    def _daily(self, report: StatusReport) -> None:
        """Once a day, from `daily_at` on, what waits for a person."""
        local = self._clock.now().astimezone(VIETNAM)
        today = local.date().isoformat()
        if local.strftime("%H:%M") < self._config.notify.daily_at:
            return
        told = self._store.read(lambda tx: tx.setting(DAY_SETTING)) or ""
        if told >= today:
            return
        self._store.write(lambda tx: tx.put_setting(DAY_SETTING, today))
        notice = notices.daily(report)
        if notice is not None and not self._sent(notice):
            self._store.write(lambda tx: tx.put_setting(DAY_SETTING, told))

    def _tell(self, portal: str, name: str, value: Json | None, notice: Notice | None) -> None:
        """Note first, then send: a crash in between tells nothing twice; a failed sending is tried again."""
        before = self._note(portal, name, value)
        if notice is not None and not self._sent(notice):
            self._note(portal, name, before)

    def _note(self, portal: str, name: str, value: Json | None) -> Json | None:
        def note(tx: Tx) -> Json | None:
            row = tx.portal(portal)
            before: Json | None = row.alarm.get(name)
            row.alarm = {key: held for key, held in {**row.alarm, name: value}.items() if held is not None}
            tx.put_portal(row)
            return before

        return self._store.write(note)

    def _sent(self, notice: Notice) -> bool:
        try:
            self._send(notice, self._config.notify)
        except (OSError, smtplib.SMTPException, subprocess.SubprocessError) as error:
            log.warning("notice_failed", reason=type(error).__name__)
            return False
        return True
