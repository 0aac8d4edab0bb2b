"""What the portal does to dossiers, whoever asks: create, act, roll back, publish, inform, upload.

Every effect goes into the book under the dossier's `referenceUid`; `call` is the number of the API call, 0 for an
officer at a screen.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from adapters.opencps.simulated import forms
from adapters.opencps.simulated.dates import due_after, from_epoch
from adapters.opencps.simulated.effects import reach
from adapters.opencps.simulated.entity import ActionRow, Dossier, FileRow, LogRow
from adapters.opencps.simulated.process import Action
from adapters.opencps.simulated.shelf import Shelf
from adapters.simulation import Book


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, when, by which call; `employee` accounts sign with their own name."""

    name: str
    user_id: int
    at: datetime
    call: int = 0
    employee: bool = True


class Desk:
    """The one place where dossiers change."""

    def __init__(self, shelf: Shelf, book: Book, visible: Callable[[], float]) -> None:
        """`visible` gives the monotonic instant at which a change made now appears in the list."""
        self.shelf = shelf
        self.book = book
        self._visible = visible
        self.quiet = False

    def create(self, form: Mapping[str, str], caller: Caller) -> Dossier | None:
        """POST /dossiers: a known reference is updated and its legal dates move to now; None: no process."""
        found = self.shelf.service(form.get("serviceCode", ""), form.get("govAgencyCode", ""))
        if found is None:
            return None
        service, agency = found
        known = self.shelf.by_uid(form["referenceUid"]) if form.get("referenceUid") else None
        known = known or self._leftover(form, caller)
        if known is not None:
            return self._create_again(known, form, caller)
        dossier = Dossier(
            dossier_id=self.shelf.next_id("dossier"),
            group_id=self.shelf.switches.group_id,
            reference_uid=form.get("referenceUid") or str(uuid.UUID(int=self.shelf.lot.getrandbits(128), version=4)),
            service_code=service.code,
            service_name=form.get("serviceName") or service.name,
            domain_code=service.domain_code,
            domain_name=service.domain_name,
            agency_code=agency.code,
            agency_name=agency.name,
            template_no=form.get("dossierTemplateNo") or service.template,
            created_at=caller.at,
            modified_at=caller.at,
            originality=forms.whole(form.get("originality"), 3),
            days=service.days,
            user=caller.name,
        )
        self.shelf.add(dossier)
        forms.fill(dossier, form)
        dossier.submitted_at = from_epoch(form.get("submitDate", "")) or caller.at
        self._submit(dossier, form, caller)
        self._changed(dossier, caller, "create", forms.kept(form))
        return dossier

    def _leftover(self, form: Mapping[str, str], caller: Caller) -> Dossier | None:
        """A draft of the same user for the same procedure, agency and template is used again."""
        wanted = tuple(form.get(name, "") for name in ("serviceCode", "govAgencyCode", "dossierTemplateNo"))
        for dossier in self.shelf.dossiers.values() if not form.get("referenceUid") else ():
            drafted = (dossier.service_code, dossier.agency_code, dossier.template_no)
            if not dossier.status and dossier.user == caller.name and drafted == wanted:
                return dossier
        return None

    def _create_again(self, dossier: Dossier, form: Mapping[str, str], caller: Caller) -> Dossier:
        forms.fill(dossier, form)
        dossier.submitted_at = dossier.received_at = caller.at
        if dossier.days:
            dossier.due_at = due_after(caller.at, dossier.days)
        self._changed(dossier, caller, "create", forms.kept(form) | {"again": True})
        return dossier

    def _submit(self, dossier: Dossier, form: Mapping[str, str], caller: Caller) -> None:
        """Stand at the first step of the wanted status: by the act that a submission fires, or with no act yet."""
        wanted = form.get("dossierStatus") or ("receiving" if dossier.originality in (1, 2) else "new")
        step = next((step for step in self.shelf.process.steps.values() if step.status == wanted), None)
        if step is None:
            return
        if self.shelf.switches.auto_submit:
            self._do(
                dossier, Action("1000", "Nộp hồ sơ", (), step.code), form.get("actionNote", ""), caller.name, caller
            )
            return
        dossier.step, dossier.sub_status = step.code, step.sub_status
        reach(dossier, dossier.status, step.status, (), caller.at, lambda: self.shelf.give_number(dossier))

    def act(self, dossier: Dossier, code: str, form: Mapping[str, str], caller: Caller) -> ActionRow | None:
        """POST /dossiers/{id}/actions; None when the present step does not allow it (405)."""
        action = self.shelf.process.find(dossier.step, code)
        if action is None:
            return None
        limit = self.shelf.switches.note_limit
        note = form.get("actionNote", "")[: limit or None]
        user = caller.name if caller.employee else form.get("actionUser") or caller.name
        row = self._do(dossier, action, note, user, caller)
        if due := from_epoch(form.get("dueDate", "")):
            dossier.due_at = due
        content = {"actionCode": code, "actionNote": note, "dossierActionId": row.action_id, "user": user}
        self._changed(dossier, caller, "action", content | {"from": row.from_step, "to": row.to_step})
        return row

    def _do(self, dossier: Dossier, action: Action, note: str, user: str, caller: Caller) -> ActionRow:
        step, before = self.shelf.process.steps[action.after], dossier.status
        row = ActionRow(
            self.shelf.next_id("action"), action.code, action.name, user, caller.user_id, note, caller.at,
            dossier.step, step.code, step.status, step.sub_status, dossier.action_id, caller.call,
        )  # fmt: skip
        dossier.actions.append(row)
        dossier.action_id, dossier.step, dossier.sub_status = row.action_id, step.code, step.sub_status
        reach(dossier, before, step.status, action.dates, caller.at, lambda: self.shelf.give_number(dossier))
        self.write_log(dossier, row, f"{action.name}: {note}" if note else action.name, user, caller.at)
        return row

    def write_log(self, dossier: Dossier, row: ActionRow | None, content: str, author: str, at: datetime) -> None:
        """Add the log row of an act; its payload carries the status where the deployment does that."""
        switches = self.shelf.switches
        if not switches.log_rows:
            return
        at += timedelta(seconds=switches.clock_log_s)
        payload = ""
        if switches.log_payload == "status" and row is not None:
            words = {"dossierStatus": dossier.status, "dossierSubStatus": dossier.sub_status}
            payload = sys.intern(orjson.dumps(words | {"stepCode": dossier.step, "actionCode": row.code}).decode())
        elif switches.log_payload == "text":
            payload = "jobs: []; stepCode: " + dossier.step
        log_id = self.shelf.next_id("log")
        dossier.logs.append(LogRow(log_id, at, author, content, "PROCESS", payload, row.action_id if row else 0))

    def roll_back(self, dossier: Dossier, caller: Caller, note: str = "") -> ActionRow | None:
        """Take the present act back: the one before it is current again, under its old id; None: nothing to undo."""
        row = dossier.action()
        if row is None or (earlier := dossier.row(row.previous_id)) is None:
            return None
        dossier.action_id, dossier.step, dossier.sub_status = earlier.action_id, earlier.to_step, earlier.sub_status
        reach(dossier, dossier.status, earlier.status, (), caller.at, lambda: None)
        text = f"Quay lại bước trước: {note}" if note else "Quay lại bước trước"
        self.write_log(dossier, earlier, text, caller.name, caller.at)
        self._changed(dossier, caller, "rollback", {"undone": row.action_id, "current": earlier.action_id})
        return earlier

    def go_to(self, dossier: Dossier, step_code: str, caller: Caller) -> ActionRow | None:
        """Force a step, as an administrator may; None for an unknown step."""
        if step_code not in self.shelf.process.steps:
            return None
        row = self._do(dossier, Action("9100", "Điều chỉnh bước", (), step_code), "", caller.name, caller)
        self._changed(dossier, caller, "goto", {"to": step_code, "dossierActionId": row.action_id})
        return row

    def publish(self, form: Mapping[str, str], caller: Caller) -> Dossier | None:
        """POST /dossiers/publish: writes only a new dossier or a copy (originality 0); None: no key was given."""
        uid, number = form.get("referenceUid", ""), form.get("dossierNo", "")
        dossier = self.shelf.by_uid(uid) if uid else None
        if dossier is None and number:
            dossier = self.shelf.find(number)
        if dossier is not None and dossier.originality != 0:
            self.book.record("ignored", dossier.reference_uid, forms.kept(form), at=caller.at, call=caller.call)
            return dossier
        if dossier is None and not (uid or number):
            return None
        dossier = dossier or self._copy(form, caller)
        forms.fill(dossier, form)
        forms.fill_published(dossier, form)
        if form.get("dossierNo"):
            self.shelf.rename(dossier, form["dossierNo"])
        self._changed(dossier, caller, "publish", forms.kept(form))
        return dossier

    def _copy(self, form: Mapping[str, str], caller: Caller) -> Dossier:
        dossier = Dossier(
            dossier_id=self.shelf.next_id("dossier"),
            group_id=self.shelf.switches.group_id,
            reference_uid=form.get("referenceUid") or str(uuid.UUID(int=self.shelf.lot.getrandbits(128), version=4)),
            service_code=form.get("serviceCode", ""),
            service_name=form.get("serviceName", ""),
            domain_code=form.get("domainCode", ""),
            domain_name=form.get("domainName", ""),
            agency_code=form.get("govAgencyCode", ""),
            agency_name=form.get("govAgencyName", ""),
            template_no=form.get("dossierTemplateNo", ""),
            created_at=caller.at,
            modified_at=caller.at,
            originality=0,
        )
        self.shelf.add(dossier)
        return dossier

    def inform(self, dossier: Dossier, form: Mapping[str, str], caller: Caller) -> None:
        """PUT /dossiers/inform/{id}: number and two dates; a 0 or unreadable date changes nothing."""
        before = (dossier.dossier_no, dossier.received_at, dossier.due_at)
        if form.get("dossierNo"):
            self.shelf.rename(dossier, form["dossierNo"])
        dossier.received_at = from_epoch(form.get("receiveDate", "")) or dossier.received_at
        dossier.due_at = from_epoch(form.get("dueDate", "")) or dossier.due_at
        dossier.national = form.get("dvcqgIntegration", dossier.national)
        changed = before != (dossier.dossier_no, dossier.received_at, dossier.due_at)
        self._changed(dossier, caller, "inform" if changed else "inform_unchanged", forms.kept(form))

    def upload(self, dossier: Dossier, parts: Mapping[str, Any], caller: Caller) -> FileRow:
        """POST /dossiers/{id}/files: an existing uid with a time not newer than the stored one changes no content."""
        modified = forms.whole(parts.get("modifiedDate"), 0)
        uid = parts.get("referenceUid") or str(uuid.UUID(int=self.shelf.lot.getrandbits(128), version=4))
        known = next((file for file in dossier.files if file.reference_uid == uid), None)
        content = parts.get("file")
        if known is not None:
            if modified > known.modified_ms and content is not None:
                known.content, known.modified_ms, known.version = content, modified, known.version + 1
                self._changed(dossier, caller, "file", {"referenceUid": uid, "size": len(content)})
            return known
        file = FileRow(
            file_id=self.shelf.next_id("file"),
            reference_uid=uid,
            part_no=parts.get("dossierPartNo", ""),
            part_type=forms.whole(parts.get("dossierPartType"), 1),
            name=parts.get("displayName", ""),
            file_type=parts.get("fileType", ""),
            content=content,
            at=caller.at,
            modified_ms=modified,
            form_data=parts.get("formData", ""),
        )
        dossier.files.append(file)
        self._changed(dossier, caller, "file", {"referenceUid": uid, "size": len(content or b"")})
        return file

    def change(self, dossier: Dossier, caller: Caller, effect: str, content: Mapping[str, Any]) -> None:
        """Note a change made elsewhere (an officer's correction)."""
        self._changed(dossier, caller, effect, dict(content))

    def _changed(self, dossier: Dossier, caller: Caller, effect: str, content: dict[str, Any]) -> None:
        self.shelf.touch(dossier, caller.at, self._visible(), effect, caller.call)
        if self.quiet:  # a bulk load is one effect for each dossier, written by whoever loads
            return
        facts = {"status": dossier.status, "subStatus": dossier.sub_status, "dossierNo": dossier.dossier_no}
        self.book.record(effect, dossier.reference_uid, content | facts, at=caller.at, call=caller.call)
