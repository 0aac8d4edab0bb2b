"""Officers' work and seeding, by `POST /_sim/act/VERB`: not the portal's protocol."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.opencps.simulated.dates import epoch_ms
from adapters.opencps.simulated.desk import Caller, Desk
from adapters.opencps.simulated.entity import ActionRow, Dossier, FileRow
from adapters.opencps.simulated.shelf import Shelf

Arguments = Mapping[str, Any]

STATUS_VERBS = {
    "accept": "new",
    "process": "processing",
    "interoperate": "interoperating",
    "request_supplement": "waiting",
    "request_payment": "paying",
    "request_correction": "correcting",
    "pause": "pausing",
    "complete": "releasing",
    "post_result": "posting",
    "return_result": "done",
    "deny": "denied",
    "unresolve": "unresolved",
    "request_cancel": "cancelling",
    "cancel": "cancelled",
}
"""Verb -> the status it leads to, by the first action that the present step allows."""

PATHS: Mapping[str, tuple[str, ...]] = {
    "receiving": (),
    "new": ("1100",),
    "processing": ("1100", "1110"),
    "waiting": ("1100", "1110", "2000"),
    "paying": ("1100", "1110", "2100"),
    "pausing": ("1100", "1110", "2200"),
    "interoperating": ("1100", "1110", "3200"),
    "releasing": ("1100", "1110", "3300"),
    "done": ("1100", "1110", "3300", "4000"),
    "cancelled": ("1100", "1110", "5000", "5001"),
    "unresolved": ("1100", "1110", "3301"),
    "denied": ("1200",),
    "correcting": ("1400",),
}
"""How a seeded online dossier came to its status, act by act; one handed in at a desk is accepted at once."""

SPOILT = frozenset({"", "gone", "html", "empty", "size", "other"})
"""What a file's download may do wrong."""

_MIX = ("done", "releasing", "processing", "done", "new", "waiting", "done", "interoperating", "receiving", "denied")


class Officers:
    """The people at the portal. `now` is the portal's own time; every verb answers JSON."""

    def __init__(self, shelf: Shelf, desk: Desk, now: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._desk = desk
        self._now = now
        self._persons = 0

    def _officer(self, arguments: Arguments) -> Caller:
        at = arguments.get("at")
        when = datetime.fromisoformat(at) if at else self._now()
        return Caller(arguments.get("officer", "Cán bộ một cửa"), 20_200, when)

    def _dossier(self, arguments: Arguments) -> Dossier:
        key = str(arguments["referenceUid"])
        dossier = self._shelf.by_uid(key) or self._shelf.find(key)
        if dossier is None:
            raise LookupError(key)
        return dossier

    def create_dossier(self, arguments: Arguments) -> dict[str, Any]:
        """A citizen hands in a dossier.

        `online` (default true; false: at a desk, accepted at once), `service`, `agency`, `national` (number of the
        national portal), `referenceUid`, `person` (fields of the form), `form` (any further form fields), `at`.
        """
        caller = self._officer(arguments)
        online = bool(arguments.get("online", True))
        form = self._person() | {
            "referenceUid": arguments.get("referenceUid") or self._uid(),
            "serviceCode": arguments.get("service") or self._shelf.switches.services[0].code,
            "govAgencyCode": arguments.get("agency") or self._shelf.switches.agencies[0].code,
            "originality": "2" if online else "3",
            "online": "true" if online else "false",
            "submitDate": str(epoch_ms(caller.at)),
            "originDossierNo": arguments.get("national", ""),
            "password": f"{self._shelf.lot.randrange(10**8):08d}",
        }
        form |= {**arguments.get("person", {}), **arguments.get("form", {})}
        dossier = self._desk.create({name: str(value) for name, value in form.items()}, caller)
        if dossier is None:
            raise ValueError("no process is configured for this procedure and agency")
        return self._said(dossier)

    def _uid(self) -> str:
        return str(uuid.UUID(int=self._shelf.lot.getrandbits(128), version=4))

    def _person(self) -> dict[str, str]:
        """A synthetic citizen: the name says so, and no such identity number was ever issued."""
        self._persons += 1
        number = self._persons
        return {
            "applicantName": f"Công dân thử nghiệm {number:02d}",
            "applicantIdType": "citizen",
            "applicantIdNo": f"096{number // 100 % 4}{number % 100:02d}000000",
            "contactName": f"Công dân thử nghiệm {number:02d}",
            "contactTelNo": "0900000000",
            "contactEmail": f"congdan{number}@example.invalid",
            "address": "Ấp Thử Nghiệm",
            "cityCode": "96",
            "cityName": "Tỉnh Cà Mau",
        }

    def do_action(self, arguments: Arguments) -> dict[str, Any]:
        """Any configured action: `referenceUid`, `actionCode`, `note`. Not allowed now: ValueError."""
        dossier = self._dossier(arguments)
        return self._act(dossier, str(arguments["actionCode"]), arguments)

    def lead(self, status: str, arguments: Arguments) -> dict[str, Any]:
        """Do the first action that leads from the present step to a status."""
        dossier = self._dossier(arguments)
        action = self._shelf.process.leading_to(dossier.step, status)
        if action is None:
            raise ValueError(f"no action leads from {dossier.status} to {status}")
        return self._act(dossier, action.code, arguments)

    def _act(self, dossier: Dossier, code: str, arguments: Arguments) -> dict[str, Any]:
        note = {"actionNote": str(arguments.get("note", ""))}
        row = self._desk.act(dossier, code, note, self._officer(arguments))
        if row is None:
            raise ValueError(f"action {code} is not allowed at step {dossier.step}")
        return self._said(dossier, row)

    def rollback(self, arguments: Arguments) -> dict[str, Any]:
        """Take the present act back."""
        dossier = self._dossier(arguments)
        row = self._desk.roll_back(dossier, self._officer(arguments), str(arguments.get("note", "")))
        if row is None:
            raise ValueError("there is no act to take back")
        return self._said(dossier, row)

    def go_to(self, arguments: Arguments) -> dict[str, Any]:
        """Force a step: `stepCode`."""
        dossier = self._dossier(arguments)
        row = self._desk.go_to(dossier, str(arguments["stepCode"]), self._officer(arguments))
        if row is None:
            raise ValueError("unknown step")
        return self._said(dossier, row)

    def remove(self, arguments: Arguments) -> dict[str, Any]:
        """Roll a dossier back logically: its originality becomes negative."""
        dossier = self._dossier(arguments)
        dossier.originality = -abs(dossier.originality or 1)
        self._desk.change(dossier, self._officer(arguments), "remove", {"originality": dossier.originality})
        return self._said(dossier)

    def delete(self, arguments: Arguments) -> dict[str, Any]:
        """Delete a dossier for good: its detail is then an empty object."""
        dossier = self._dossier(arguments)
        self._desk.change(dossier, self._officer(arguments), "delete", {})
        self._shelf.drop(dossier)
        return {"referenceUid": dossier.reference_uid}

    def amend(self, arguments: Arguments) -> dict[str, Any]:
        """Change data without an act: `set` holds entity fields; `due_days` moves the due date; `lock` the lock."""
        dossier = self._dossier(arguments)
        for name, value in arguments.get("set", {}).items():
            if not isinstance(getattr(dossier, name), str | int | bool):
                raise ValueError(f"{name} cannot be set here")
            setattr(dossier, name, value)
        if "due_days" in arguments and dossier.due_at:
            dossier.due_at += timedelta(days=float(arguments["due_days"]))
        if "lock" in arguments:
            dossier.lock_state = str(arguments["lock"])
        if "dossierNo" in arguments:
            self._shelf.rename(dossier, str(arguments["dossierNo"]))
        if "name" in arguments:
            dossier.applicant.name = str(arguments["name"])
        self._desk.change(dossier, self._officer(arguments), "amend", {})
        return self._said(dossier)

    def link(self, arguments: Arguments) -> dict[str, Any]:
        """Open a linked sub-dossier (originality 4): the parent goes to interoperating, the copy has the prefix."""
        parent = self._dossier(arguments)
        self.lead("interoperating", arguments)
        made = self.create_dossier({
            **{name: value for name, value in arguments.items() if name != "referenceUid"},
            "referenceUid": f"xxx-cps-{parent.reference_uid}",
            "service": parent.service_code,
            "form": {"originality": "4", "dossierStatus": "receiving", "originDossierNo": parent.dossier_no},
        })  # fmt: skip
        child = self._dossier({"referenceUid": made["referenceUid"]})
        child.origin_dossier_id = parent.dossier_id
        self._desk.change(child, self._officer(arguments), "link", {"parent": parent.reference_uid})
        return made

    def add_file(self, arguments: Arguments) -> dict[str, Any]:
        """Attach a file: `name`, `text` (None: no stored bytes) or `base64`, `partNo`, `partType`, `fileType`."""
        dossier = self._dossier(arguments)
        caller = self._officer(arguments)
        text = arguments.get("text", "nội dung")
        content = None if text is None else text.encode()
        if "base64" in arguments:
            content = base64.b64decode(arguments["base64"], validate=True)
        file = FileRow(
            self._shelf.next_id("file"), self._uid(), str(arguments.get("partNo", "TP1")),
            int(arguments.get("partType", 1)), str(arguments.get("name", "đơn.txt")),
            str(arguments.get("fileType", "txt")), content, caller.at, epoch_ms(caller.at),
        )  # fmt: skip
        dossier.files.append(file)
        self._desk.change(dossier, caller, "file", {"referenceUid": file.reference_uid})
        return {"referenceUid": dossier.reference_uid, "fileUid": file.reference_uid}

    def spoil_file(self, arguments: Arguments) -> dict[str, Any]:
        """Let a download go wrong from now on: `fileUid` (None: every file), `how` (see `FileRow`; "": no more)."""
        how = str(arguments.get("how", ""))
        if how not in SPOILT:
            raise ValueError(f"how is one of {', '.join(sorted(SPOILT))}")
        files = self._dossier(arguments).files
        chosen = [file for file in files if arguments.get("fileUid") in (None, file.reference_uid)]
        for file in chosen:
            file.spoilt = how
        return {"spoilt": len(chosen)}

    def remove_file(self, arguments: Arguments) -> dict[str, Any]:
        """Take a file away: `fileUid`; its row stays and says so."""
        dossier = self._dossier(arguments)
        file = next(file for file in dossier.files if file.reference_uid == arguments["fileUid"])
        file.removed = True
        self._desk.change(dossier, self._officer(arguments), "file", {"referenceUid": file.reference_uid})
        return {"referenceUid": dossier.reference_uid, "fileUid": file.reference_uid}

    def seed_many(self, arguments: Arguments) -> dict[str, Any]:
        """Load `count` dossiers at once, dated back evenly over `days` (default 30) until `until_days` ago (0).

        `statuses`: words taken in turn; `online_share`; `national`: a prefix gives each a national number;
        `services`, `agencies`: codes taken in turn. Answers the references in the order made.
        """
        count, days = int(arguments["count"]), float(arguments.get("days", 30))
        until = float(arguments.get("until_days", 0))
        statuses = tuple(arguments.get("statuses") or _MIX)
        end = self._officer(arguments).at - timedelta(days=until)
        online_share = float(arguments.get("online_share", 0.5))
        services = arguments.get("services") or [service.code for service in self._shelf.switches.services]
        agencies = arguments.get("agencies") or [agency.code for agency in self._shelf.switches.agencies]
        made = []
        self._desk.quiet = True
        for number in range(count):
            at = end - timedelta(days=days * (count - number) / count)
            made.append(
                self._seed(
                    at,
                    end,
                    statuses[number % len(statuses)],
                    online=(number * 7919 % 1000) / 1000 < online_share,
                    service=services[number % len(services)],
                    agency=agencies[number % len(agencies)],
                    national=f"{arguments['national']}{number:06d}" if arguments.get("national") else "",
                )
            )
        self._desk.quiet = False
        for uid in made:
            self._desk.change(self._dossier({"referenceUid": uid}), Caller("", 0, end), "seed", {})
        return {"count": count, "referenceUids": made}

    def _seed(self, at: datetime, end: datetime, status: str, *, online: bool, **who: str) -> str:
        path = PATHS[status]
        if not online and path[:1] in ((), ("1200",), ("1400",)):
            online = True  # what was never accepted cannot have come over a desk
        uid = self.create_dossier({"at": at.isoformat(), "online": online, **who})["referenceUid"]
        acts = path if online else path[1:]
        dossier = self._dossier({"referenceUid": uid})
        for turn, code in enumerate(acts, start=1):
            step_at = at + min(end - at, timedelta(days=10)) * turn / (len(acts) + 1)
            self._desk.act(dossier, code, {}, Caller("Cán bộ một cửa", 20_200, step_at))
        return str(uid)

    def _said(self, dossier: Dossier, row: ActionRow | None = None) -> dict[str, Any]:
        return {
            "referenceUid": dossier.reference_uid,
            "dossierId": dossier.dossier_id,
            "dossierNo": dossier.dossier_no,
            "dossierStatus": dossier.status,
            "stepCode": dossier.step,
            "dossierActionId": row.action_id if row else dossier.action_id,
        }
