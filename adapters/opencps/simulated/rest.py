"""The REST resources of the portal with their own error model (provincial.md 1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import quote

import orjson

from adapters.opencps.simulated import catalogues, forms, views
from adapters.opencps.simulated.dates import epoch_ms
from adapters.opencps.simulated.desk import Caller, Desk
from adapters.opencps.simulated.entity import Dossier
from adapters.opencps.simulated.index import Entry
from adapters.opencps.simulated.shelf import Shelf
from adapters.opencps.simulated.switches import Account
from adapters.simulation import Reply, Request

_MESSAGES = {203: "Non-Authoritative Information.", 403: "No Content."}
_NOT_ALLOWED = "Không thể thực hiện thao tác này ở bước hiện tại"
_LOGIN_PAGE = "<!DOCTYPE html><html><body>Vui lòng đăng nhập</body></html>"
_SPOILT: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda _content: b"",
    "size": lambda content: content[: len(content) // 2 + 1],
    "other": lambda content: content[:-1] + bytes([content[-1] ^ 1]) if content else content,
}
Handler = Callable[[Request, Caller, Account, str, str], Reply]


def refused(status: int, description: str | None = None) -> Reply:
    """The portal's error object; 203 is a 2xx, and 403 stands for every failure there is."""
    return Reply.json({"message": _MESSAGES[status], "code": status, "description": description}, status)


class Rest:
    """Routes of one portal, most specific first."""

    def __init__(self, shelf: Shelf, desk: Desk) -> None:
        self._shelf = shelf
        self._desk = desk
        one = r"/dossiers/([^/]+)"
        self._routes: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("GET", r"/dossiers()()", self._list),
                ("POST", r"/dossiers()()", self._create),
                ("POST", r"/dossiers/publish()()", self._publish),
                ("PUT", r"/dossiers/inform/([^/]+)()", self._inform),
                ("GET", one + "()", self._detail),
                ("DELETE", one + "()", self._delete),
                ("GET", one + "/nextactions()", self._next_actions),
                ("POST", one + "/actions()", self._act),
                ("POST", one + "/goto/([^/]+)", self._go_to),
                ("GET", one + "/rollback()", self._roll_back),
                ("POST", one + "/rollback()", self._roll_back),
                ("GET", one + "/syncs()", self._syncs),
                ("GET", one + "(?:/all)?/files()", self._files),
                ("POST", one + "/files()", self._upload),
                ("GET", one + "/files/([^/]+)", self._download),
                ("GET", r"/dossierlogs/([^/]+)/logs()", self._logs),
                ("GET", r"/serviceinfos()()", self._services),
                ("GET", r"/dictcollections/([^/]+)/dictitems()", self._items),
            )
        )

    def answer(self, path: str, request: Request, caller: Caller, account: Account) -> Reply:
        """Answer one call of a caller whom the portal knows."""
        for method, pattern, handler in self._routes:
            if method == request.method and (found := pattern.fullmatch(path)):
                return handler(request, caller, account, found[1], found[2])
        return Reply.text("<html><body>Not Found</body></html>", 404, "text/html; charset=utf-8")

    def _json(self, value: Any) -> Reply:
        return Reply.json(self._shelf.shown(value))

    def _list(self, request: Request, caller: Caller, account: Account, _one: str, _two: str) -> Reply:
        if self._shelf.index_down:
            return refused(403)
        switches = self._shelf.switches
        query = {name: values[0] for name, values in request.query.items() if values and name not in switches.ignores}
        if not query.get("agency") and account.scope:
            query["agency"] = ",".join(account.scope)
        found = self._shelf.index.find(query)
        total = max(0, len(found) + (switches.total_skew if found else 0))
        if found and self._shelf.lot.random() < switches.reorder:
            turn = self._shelf.lot.randrange(len(found))
            found = found[turn:] + found[:turn]
        start, end = forms.whole(query.get("start"), 0), forms.whole(query.get("end"), 0)
        page = found if end <= 0 or switches.ignore_page_end else found[max(start, 0) : end]
        rows = b",".join(self._row(entry, caller, request) for entry in page)
        return Reply(200, b'{"total":%d,"data":[%b]}' % (total, rows))

    def _row(self, entry: Entry, caller: Caller, request: Request) -> bytes:
        """A row as indexed, with what depends on the caller, the language and the minute."""
        seen = entry.dossier.seen_by.get(caller.name, 0)
        left = ((entry.dossier.due_at or request.at) - request.at).total_seconds() / 3600
        text = f"Còn {left:.1f} giờ" if left > 0 else "Quá hạn"
        own = {"visited": "true" if seen else "false", "permission": f"{seen % 3}", "dossierOverdue": text,
               "stepOverdue": text, "timeOverdueText": text, "lock": "", "specialNo": seen}  # fmt: skip
        return self._shelf.index.row(entry)[:-1] + b"," + orjson.dumps(own)[1:]

    def _detail(self, _request: Request, caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None:
            return Reply.json({})
        dossier.seen_by[caller.name] = dossier.seen_by.get(caller.name, 0) + 1
        return self._shown(dossier)

    def _shown(self, dossier: Dossier) -> Reply:
        step = self._shelf.process.steps.get(dossier.step)
        return self._json(views.detail(dossier, step, self._shelf.switches.prefix))

    def _delete(self, _request: Request, caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None:
            return refused(403)
        self._desk.change(dossier, caller, "delete", {})
        self._shelf.drop(dossier)
        return Reply.json({})

    def _create(self, request: Request, caller: Caller, account: Account, _one: str, _two: str) -> Reply:
        if not account.may_create:
            return refused(203)
        dossier = self._desk.create(forms.read(request.body), caller)
        if dossier is None:
            return refused(403, "NoSuchServiceProcessException: no process for this procedure and agency")
        return self._shown(dossier)

    def _publish(self, request: Request, caller: Caller, _account: Account, _one: str, _two: str) -> Reply:
        dossier = self._desk.publish(forms.read(request.body), caller)
        if dossier is None:
            return refused(403)
        loose = {"dossierId": str(dossier.dossier_id), "referenceUid": dossier.reference_uid,
                 "dossierStatus": dossier.status, "submitDate": epoch_ms(dossier.submitted_at)}  # fmt: skip
        return self._json(loose)

    def _inform(self, request: Request, caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None:
            return Reply.json({})
        self._desk.inform(dossier, forms.read(request.body), caller)
        return self._shown(dossier)

    def _next_actions(self, _request: Request, _caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None:
            return refused(403)
        rows = [
            views.next_action(number, action, dossier.step)
            for number, action in enumerate(self._shelf.process.allowed(dossier.step), start=1)
        ]
        return self._json({"total": len(rows), "data": rows})

    def _act(self, request: Request, caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier, form = self._shelf.find(key), forms.read(request.body)
        row = self._desk.act(dossier, form.get("actionCode", ""), form, caller) if dossier else None
        if dossier is None or row is None:
            return Reply.json({"error": _NOT_ALLOWED}, 405)
        return self._json(views.done(dossier, row))

    def _go_to(self, _request: Request, caller: Caller, _account: Account, key: str, step: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None or self._desk.go_to(dossier, step, caller) is None:
            return refused(403)
        return self._shown(dossier)

    def _roll_back(self, _request: Request, caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None or self._desk.roll_back(dossier, caller) is None:
            return refused(403)
        return self._shown(dossier)

    def _syncs(self, request: Request, _caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        if dossier is None:
            return refused(403)
        rows = [
            {"dossierSyncId": row.action_id, "userId": row.user_id, "createDate": epoch_ms(row.at),
             "dossierId": dossier.dossier_id, "dossierRefUid": dossier.reference_uid, "syncRefUid": "",
             "actionCode": row.code, "actionName": row.name, "actionUser": row.user, "actionNote": row.note,
             "syncType": 2, "infoType": 0, "payload": ""}
            for row in dossier.actions
        ]  # fmt: skip
        start, end = forms.whole(request.first("start"), 0), forms.whole(request.first("end"), 0)
        return self._json({"total": len(rows), "data": rows if start <= 0 else rows[start:end]})

    def _logs(self, _request: Request, _caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        rows = [views.log_row(row) for row in dossier.logs] if dossier else []
        return self._json({"total": len(rows), "data": rows})

    def _files(self, _request: Request, _caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        rows = [views.file_row(dossier, file) for file in dossier.files] if dossier else []
        return self._json({"total": len(rows), "data": rows})

    def _upload(self, request: Request, caller: Caller, _account: Account, key: str, _two: str) -> Reply:
        dossier = self._shelf.find(key)
        parts = _multipart(request)
        if dossier is None or parts is None:
            return refused(403)
        return self._json(views.file_row(dossier, self._desk.upload(dossier, parts, caller)))

    def _download(self, _request: Request, _caller: Caller, _account: Account, key: str, uid: str) -> Reply:
        dossier = self._shelf.find(key, numbers=False)
        files = dossier.files if dossier else []
        file = next((file for file in files if uid in (file.reference_uid, str(file.file_id))), None)
        if file is None:
            return refused(403)
        if file.content is None or file.spoilt == "gone":
            return Reply(204)
        if file.spoilt == "html":
            return Reply.text(_LOGIN_PAGE, content_type="text/html; charset=utf-8")
        name = file.name.encode().decode("latin-1")  # UTF-8 bytes sent as if they were Latin-1, as attested
        shown = name if name.isprintable() else quote(file.name)
        content = _SPOILT.get(file.spoilt, bytes)(file.content)
        return Reply(200, content, {"Content-Disposition": f'attachment; filename="{shown}"'}, "text/plain")

    def _services(self, request: Request, _caller: Caller, _account: Account, _one: str, _two: str) -> Reply:
        rows = catalogues.services(self._shelf.switches, self._shelf.switches.agencies)
        return self._json(catalogues.page(rows, request, "data"))

    def _items(self, request: Request, _caller: Caller, _account: Account, code: str, _two: str) -> Reply:
        rows = catalogues.items(self._shelf.switches, code)
        return self._json(catalogues.page(rows, request, "dictItemModel"))


def _multipart(request: Request) -> Mapping[str, Any] | None:
    """The parts of `multipart/form-data`: texts, and bytes for `file`; None when it is something else."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + request.body)
    if not message.is_multipart():
        return None
    parts: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            parts[name] = content if name == "file" else content.decode("utf-8", "replace")
    return parts
