"""`lienthong inbox`: keys of ministries that collect, and what waits for them; and the rehearsal of one."""

from __future__ import annotations

import base64
import secrets
import signal
import tempfile
import threading
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.bootstrap import Gateway
from gateway.cli.language import t
from gateway.cli.opening import DEFAULT_CONFIG, Actor, AsJson, ConfigPath, NotThereError, opened, this_person
from gateway.cli.printing import as_json, table, when
from gateway.inbox.keys import StoredKeys
from gateway.store.rows import AccessKeyRow
from gateway.sync.views import instant

MINISTRY = "ministry"
SECRET = "NOTICE_SECRET"  # noqa: S105 - the name of a variable

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


class KeyAct(StrEnum):
    """What can be done with keys."""

    ADD = "add"
    LIST = "list"
    REVOKE = "revoke"


@app.command("list", help=t("What waits in each inbox.", "Hồ sơ đang chờ trong từng hộp thư."))
def list_(config: ConfigPath = DEFAULT_CONFIG, json: AsJson = False) -> None:
    """One line for each ministry that collects."""
    with opened(config, calls=False) as gateway:
        views = [_view(gateway, name) for name in _inboxes(gateway)]
    if json:
        as_json({"inboxes": views})
        return
    heads = (t("portal", "cổng"), t("waiting", "đang chờ"), t("oldest", "cũ nhất"), t("notices", "thông báo"))
    rows = [(v["portal"], v["waiting"], when(v["oldest"]) if v["oldest"] else "", v["notices"]) for v in views]
    table(heads, [(*row[:3], ", ".join(f"{k} {n}" for k, n in row[3].items())) for row in rows])


@app.command(help=t("Give, list or revoke keys.", "Cấp, liệt kê, thu hồi khoá truy cập."))
def key(
    act: Annotated[KeyAct, typer.Argument(help=t("What to do.", "Việc cần làm."), show_default=False)],
    name: Annotated[
        str,
        typer.Argument(
            metavar="[PORTAL|KEY]",
            help=t("add, list: a portal; revoke: a key's id.", "add, list: tên cổng; revoke: mã khoá."),
        ),
    ] = "",
    days: Annotated[
        int,
        typer.Option("--days", min=0, help=t("Holds so many days; 0: for ever.", "Số ngày hiệu lực; 0: vô thời hạn.")),
    ] = 365,
    config: ConfigPath = DEFAULT_CONFIG,
    actor: Actor = "",
    json: AsJson = False,
) -> None:
    """A key is shown once, when it is given; only its digest is kept."""
    with opened(config, calls=False) as gateway:
        keys, person, now = StoredKeys(gateway.store), actor or this_person(), gateway.clock.now()
        if act is KeyAct.LIST:
            rows = [row for row in gateway.store.read(lambda tx: tx.access_keys()) if name in ("", row.holder)]
            _print_keys(rows, now.timestamp(), json=json)
            return
        if act is KeyAct.REVOKE:
            row = keys.revoke(name, actor=person, now=now)
            _print(t(f"key {row.id} of {row.holder} opens nothing any more", f"đã thu hồi khoá {row.id}"), row, json)
            return
        if name not in (there := _inboxes(gateway)):
            raise NotThereError(
                t(
                    f"'{name}' is no portal that collects (there are: {', '.join(there) or 'none'})",
                    f"'{name}' không phải cổng có hộp thư (hiện có: {', '.join(there) or 'không có'})",
                )
            )
        text, row = keys.add(name, days or None, actor=person, now=now)
        _print(text, row, json, key=text)


def _inboxes(gateway: Gateway) -> list[str]:
    return [name for name, portal in gateway.portals.items() if portal.adapter.abilities.collected]


def _view(gateway: Gateway, name: str) -> dict[str, Any]:
    rows = gateway.store.read(lambda tx: tx.list_deliveries(portal=name, states=("offered",), limit=100_000))
    told = gateway.store.read(lambda tx: tx.count_notices(name))
    oldest = min((row.planned_at for row in rows), default=None)
    return {"portal": name, "waiting": len(rows), "oldest": oldest, "notices": told}


def _shown(row: AccessKeyRow) -> dict[str, Any]:
    instants = {at: instant(getattr(row, at) or 0.0) for at in ("made_at", "expires_at", "revoked_at")}
    return {"id": row.id, "portal": row.holder, "actor": row.actor, **instants}


def _print(line: str, row: AccessKeyRow, json: bool, **more: str) -> None:
    if json:
        as_json({**_shown(row), **more})
    else:
        typer.echo(line)


def _print_keys(rows: list[AccessKeyRow], now: float, *, json: bool) -> None:
    if json:
        as_json({"keys": [_shown(row) for row in rows]})
        return
    heads = (
        "id",
        t("portal", "cổng"),
        t("given", "cấp lúc"),
        t("holds until", "hiệu lực đến"),
        t("state", "tình trạng"),
    )
    table(heads, [(row.id, row.holder, when(row.made_at), _until(row), _state(row, now)) for row in rows])


def _until(row: AccessKeyRow) -> str:
    return when(row.expires_at) if row.expires_at else t("for ever", "vô thời hạn")


def _state(row: AccessKeyRow, now: float) -> str:
    if row.revoked_at is not None:
        return t("revoked", "đã thu hồi")
    return t("expired", "hết hạn") if row.expires_at and row.expires_at <= now else t("in force", "đang dùng")


def rehearse(dossiers: int, for_s: float, port: int, notices: str, *, json: bool) -> None:
    """An inbox with synthetic dossiers at a port of this machine, until the time is over, SIGTERM or SIGINT."""
    from gateway import log
    from gateway.cli.inbox_room import InboxRoom

    log.configure()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    options = (
        {"notice_url": notices, "notice_secret": f"${{{SECRET}}}", "notice_waits_s": [1, 5, 30]} if notices else {}
    )
    with (
        tempfile.TemporaryDirectory(prefix="lienthong-inbox-") as folder,
        InboxRoom(Path(folder), f"127.0.0.1:{port}", {MINISTRY: options}, {SECRET: secret}) as room,
    ):
        room.hand_over(dossiers)
        about = {"url": room.url, "key": room.key(MINISTRY), "description": f"{room.url}/v1/openapi.json"}
        about |= {"notice_secret": secret} if notices else {}
        if json:
            as_json(about)
        else:
            table(("", ""), list(about.items()))
        room.run(stopping, for_s)
